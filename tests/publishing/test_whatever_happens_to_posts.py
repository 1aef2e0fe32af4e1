"""Whatever people, networks, clocks and processes do, in whatever order: no post twice, early, late unasked, outdated,
cancelled, unapproved, during a stop, deleted unasked or unaccounted for, and nothing done that the feed doesn't tell.
The network itself judges each post and each deletion in the moment in which it gets it. Now and then somebody decides
while a worker has a post in its hands already, and a backup is put back: people and database know again what they knew
when it was made, the network remembers.

`TERTULIA_TEST_EXAMPLES=2000` tries as many stories as you like, each of 40 steps.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from publishing_cast import *  # noqa: F403

from conftest import NOON
from fakes.connector import Blind
from tertulia.brand.models import Brand
from tertulia.channels.models import POSTING, Account, Delivery
from tertulia.core import clock, jobs
from tertulia.core.models import Activity
from tertulia.flows import outbound, restored
from tertulia.publishing import actions, approval, queries
from tertulia.publishing.models import ApprovalRequest, ApprovalRule, Post, Sending, Settings
from tertulia.publishing.problems import NotHere, Problem
from tertulia.publishing.saying import Piece, Wanted

pytestmark = [pytest.mark.django_db, pytest.mark.proof_heavy]

EXAMPLES = int(os.environ.get("TERTULIA_TEST_EXAMPLES", "15"))
KINDS = ("fake-blind", "fake-keyed", "fake-looking")
FAULTS = ["429", "400", "500", "503", "401", "cut_before", "accept_then_cut", "accept_then_504", "accept_then_html"]
FINAL = {"sent", "refused", "unknown", "missed", "cancelled"}
HOLDING = {"refused", "unknown", "missed", "waiting"}
"""What the part before one that waits may be."""
SAID = {"sent": "post.sent", "refused": "post.refused", "unknown": "post.unknown", "missed": "post.missed"}
SAID_OF_PARTS = {**SAID, "sent": "post.part_sent"}
SAID_OF_DELETIONS = {"sent": "post.deleted", "refused": "post.delete_failed", "unknown": "post.delete_failed"}
MADRID = ZoneInfo("Europe/Madrid")
MINUTES = st.integers(1, 90)
UNDO = timedelta(seconds=Brand._meta.get_field("undo_seconds").default)
LATEST = timedelta(minutes=Settings._meta.get_field("grace_minutes").default) + UNDO
"""So long after its moment a post may still begin to leave."""
WHICH = st.integers(0, 99)
WHERE = st.sets(st.integers(0, 2), min_size=1)
FURTHER = st.sampled_from(["part", "comment"])
Place = tuple[int, str]
"""A post by its number, on the account of a kind: its brand has one of each."""
KNOWN = ("brand_of", "newest", "kind_of", "approved", "texts", "due", "begun", "deleting", "cut_off")
"""What a backup takes people back to."""


class Story(RuleBasedStateMachine):
    """What was decided of each post up to now, as the people who decided it know it. Posts are numbered."""

    world = None
    """Network, brands with their accounts, Alba, and what sets the clock."""
    current: Story
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.network, self.places, self.alba, self.set_clock = self.world
        self._begun = transaction.savepoint()
        self.network.posts.clear()
        self.network.faults.clear()
        self.network.deleted.clear()
        self.now = self.latest = NOON
        self.stopped: set[int] = set()
        self.numbers = 0
        self.brand_of: dict[int, object] = {}
        self.newest: dict[int, tuple[str, ...]] = {}
        self.kind_of: dict[str, str] = {}
        """What was ever written, and whether as post, part or comment."""
        self.approved: dict[int, set[str]] = {}
        self.texts: dict[Place, tuple[str, ...]] = {}
        """What may leave there."""
        self.due: dict[Place, object] = {}
        self.begun: set[Place] = set()
        self.deleting: set[Place] = set()
        self.cut_off: dict[Place, set[str]] = defaultdict(set)
        """What would have followed when it was deleted."""
        self.tried: set[str] = set()
        """Keys of what a worker has had in its hands: it may be out there, and is no longer late."""
        self.is_first_try = True
        self.between: Callable[[], None] | None = None
        """What somebody decides as soon as a worker has read what it sends."""
        self.wrong: list[str] = []
        self.kept: tuple[str, object, dict] | None = None
        """A backup: its savepoint, when it was made, what people knew."""
        self.there_before: set[tuple[Place, str]] = set()
        """Parts that stood on the network when a backup was put back that had them under way: they don't come again."""
        self.forgotten: set[Place] = set()
        """Where something stood then."""
        self.told_anew: set[Place] = set()
        """Of these, where people say once more what they no longer know that they said."""
        self.set_clock(lambda: self.now)
        type(self).current = self
        kind = type(self.network)

        def publish(said):
            self.judge(said)
            return kind.publish(self.network, said)

        def take_down(said):
            self.judge_deletion(said)
            return kind.take_down(self.network, said)

        self.network.publish, self.network.take_down = publish, take_down

    def judge(self, said) -> None:
        number, text = int(said["text"].split()[0]), said["text"]
        place = number, said["by"]
        is_known = any(one["key"] == said["key"] for one in self.network.posts) and place not in self.told_anew
        if is_known and said["by"] != "fake-keyed":
            self.wrong.append(f"twice: {said}")
        if (place, text.split()[2]) in self.there_before:
            self.wrong.append(f"twice after a backup: {said}")
        if text not in self.texts.get(place, ()):
            self.wrong.append(f"outdated: {text} for {self.texts.get(place)}")
        if said["kind"] != self.kind_of[text]:
            self.wrong.append(f"not as {self.kind_of[text]}: {said}")
        if self.due.get(place) is None or text in self.cut_off[place]:
            self.wrong.append(f"cancelled: {said}")
        elif self.now < self.due[place] and place not in self.begun:
            self.wrong.append(f"early: {said}")
        elif self.now > self.due[place] + LATEST and place not in self.begun and self.is_first_try:
            self.wrong.append(f"late: {said}")
        if text not in self.approved[number] and self._has_to_be_approved(number, text):
            self.wrong.append(f"unapproved: {said}")
        if self.brand_of[number].pk in self.stopped:
            self.wrong.append(f"stopped: {said}")
        self.begun.add(place)

    def is_called(self, key: str) -> None:
        """A worker is about to call the network, by whatever fault."""
        self.is_first_try = key not in self.tried
        self.tried.add(key)

    def is_in_hand(self) -> None:
        """A worker has read what it is to send."""
        decide, self.between = self.between, None
        if decide:
            decide()

    def judge_deletion(self, said) -> None:
        there = [(int(one["text"].split()[0]), one["by"]) for one in self.network.posts if one["id"] == said["id"]]
        if not there or there[0] not in self.deleting:
            self.wrong.append(f"deleted: {said}, {there}")

    def _has_to_be_approved(self, number: int, text: str) -> bool:
        """A text of the first brand that a second part goes along with: see the rule below."""
        revision = text.split()[1]
        return self.brand_of[number] == self.places[0][0] and f"{number} {revision} p1" in self.kind_of

    # What people do.

    @initialize(later=MINUTES)
    def begin_with_what_was_approved(self, later):
        """So that what has to be approved is met with often."""
        self.begin(0, ["part"], {0, 1, 2}, later)
        self.ask_and_decide(0, is_approved=True)

    @rule(place=st.integers(0, 1), further=st.lists(FURTHER, max_size=2), where=WHERE, later=MINUTES)
    def begin(self, place, further, where, later):
        number, (brand, accounts) = self.numbers, self.places[place]
        self.numbers += 1  # those that a backup didn't have are not given again
        self.brand_of[number], self.approved[number] = brand, set()
        kinds = ["post", *further]
        self._is_written(number, 1, kinds)
        for at in where:
            self.texts[number, KINDS[at]], self.due[number, KINDS[at]] = self.newest[number], None
        post = actions.create(
            brand=brand, by=self.alba, at=self.now, title=str(number),
            pieces=list(map(Piece, self.newest[number], kinds)), versions={accounts[at].pk: Wanted() for at in where},
        )  # fmt: skip
        actions.plan(post=post, wall=self._wall(later), by=self.alba, at=self.now)
        assert self.feed_of(post) == {"post.created": 1, "post.moved": 1}

    def _is_written(self, number, revision, kinds):
        self.newest[number] = self._texts(number, revision, kinds)
        self.kind_of |= zip(self.newest[number], kinds, strict=True)

    def _texts(self, number, revision, kinds):
        return tuple(f"{number} r{revision} p{part}" for part in range(len(kinds)))

    def _wall(self, later):
        return (self.now + timedelta(minutes=later)).astimezone(MADRID).replace(tzinfo=None, second=0, microsecond=0)

    @precondition(lambda self: self.newest)
    @rule(which=WHICH, later=MINUTES)
    def schedule(self, which, later):
        with self._try(which, "post.moved", "post.scheduled") as (number, post):
            actions.plan(post=post, wall=self._wall(later), by=self.alba, at=self.now)
            actions.schedule(post=post, by=self.alba, at=self.now)
            self._is_planned(number)

    @precondition(lambda self: self.newest)
    @rule(which=WHICH, is_approved=st.booleans())
    def ask_and_decide(self, which, is_approved):
        """What was approved is scheduled by itself, if its time is still to come."""
        with self._try(which, "post.approved" if is_approved else "post.changes_wanted") as (number, post):
            before = self.feed_of(post)
            request = ApprovalRequest.objects.filter(post=post, outcome="").first()
            is_new = request is None
            request = request or approval.ask(post=post, by=self.alba, at=self.now)
            texts = {part["text"] for account in request.said for part in account["parts"]}
            actions.approve(request=request, is_approved=is_approved, comment="No", by=self.alba, at=self.now)
            told = self.feed_of(post) - before
            assert (told["post.approval_asked"], told["post.all_approved"]) == (is_new, is_approved)
            if is_approved:
                self.approved[number] |= texts
            is_scheduled = "scheduled" in queries.standing(post).versions.values()
            assert told["post.scheduled"] == is_scheduled
            if is_scheduled:
                self._is_planned(number)

    @precondition(lambda self: self.newest)
    @rule(which=WHICH, later=MINUTES)
    def move(self, which, later):
        with self._try(which, "post.moved") as (number, post):
            actions.plan(post=post, wall=self._wall(later), by=self.alba, at=self.now)
            self._is_planned(number)

    @precondition(lambda self: self.newest)
    @rule(which=WHICH)
    def publish_now(self, which):
        with self._try(which, "post.scheduled") as (number, post):
            actions.publish_now(post=post, by=self.alba, at=self.now)
            self._is_planned(number)

    def _is_planned(self, number):
        """Where nothing of it has left, its newest words may leave at its moment."""
        post = Post.objects.get(title=str(number))
        for place, state in self._states(post):
            if state == "scheduled":
                self.due[place], self.texts[place] = post.publish_at, self.newest[number]
                self.begun.discard(place)
                self.cut_off.pop(place, None)

    def _is_told_anew(self, place):
        before = {(there, part) for there, part in self.there_before if there == place}
        self.there_before -= before
        if before:
            self.told_anew.add(place)

    def _states(self, post):
        found = queries.standing(post).versions
        kinds = post.versions.values_list("pk", "account__kind")
        return [((int(post.title), kind), found[id]) for id, kind in kinds]

    @precondition(lambda self: self.newest)
    @rule(which=WHICH, further=st.lists(FURTHER, max_size=1))
    def edit(self, which, further):
        """What has begun to leave goes on in its old words; only an account where nothing has is judged by the new."""
        with self._try(which, "post.edited") as (number, post):
            told, before = self.feed_of(post), queries.standing(post)
            accounts = dict(post.versions.values_list("pk", "account__kind"))
            kinds = ["post", *further]
            texts = self._texts(number, post.revision + 1, kinds)
            wanted = {one.account_id: Wanted() for one in post.versions.all()}
            actions.save(
                post=post, seen=post.revision, title=post.title, by=self.alba, at=self.now,
                pieces=list(map(Piece, texts, kinds)), versions=wanted,
            )  # fmt: skip
            self._is_written(number, post.revision + 1, kinds)
            for version, kind in accounts.items():
                legs = before.legs[version]
                if not any(leg.state in actions.BEGUN for leg in legs):
                    is_in_doubt = any(leg.state == "queued" and leg.attempts for leg in legs)
                    old = self.texts[number, kind] if is_in_doubt else ()
                    self.texts[number, kind] = self.newest[number] + old
                    self._is_told_anew((number, kind))
            after = queries.standing(post).versions
            is_lost = any(state and not after[version] for version, state in before.versions.items())
            assert (self.feed_of(post) - told)["post.approval_lost"] == is_lost

    @precondition(lambda self: self.newest)
    @rule(which=WHICH)
    def cancel(self, which):
        with self._try(which, "post.cancelled") as (number, post):
            actions.cancel(post=post, by=self.alba, at=self.now)

    @precondition(lambda self: self.newest)
    @rule(which=WHICH, where=WHERE)
    def delete(self, which, where):
        """What may be out there already is still found out about; what would have followed doesn't."""
        with self._try(which, "post.deleting") as (number, post):
            accounts = [self._accounts_of(number)[at] for at in where]
            mine = Sending.objects.filter(version__post=post, version__account__in=accounts).values("remote")
            following = Delivery.objects.filter(post__in=mine, act__in=POSTING, in_doubt_since=None)
            left = [
                ((number, row.account.kind), row.post.draft["text"])
                for row in following.exclude(state__in=actions.BEGUN).select_related("account", "post")
            ]
            ids = [account.pk for account in accounts]
            actions.delete(post=post, accounts=ids, by=self.alba, at=self.now)
            self.deleting |= {(number, account.kind) for account in accounts}
            for place, text in left:
                self.cut_off[place].add(text)

    def _accounts_of(self, number):
        return next(accounts for brand, accounts in self.places if brand == self.brand_of[number])

    @precondition(lambda self: self.newest)
    @rule(which=WHICH)
    def aim_at_another_brands_account(self, which):
        post = Post.objects.get(title=str(self._chosen(which)))
        foreign = next(accounts for brand, accounts in self.places if brand.pk != post.brand_id)[0]
        said = {"pieces": [Piece("x")], "versions": {foreign.pk: Wanted()}, "by": self.alba, "at": self.now}
        with pytest.raises((NotHere, Problem)), transaction.atomic():
            actions.save(post=post, seen=post.revision, **said)

    @rule(place=st.integers(0, 1))
    def stop(self, place):
        brand, before = self.places[place][0], self._told("publishing.stopped")
        actions.stop(brand=brand, by=self.alba, at=self.now)
        assert self._told("publishing.stopped") - before == (brand.pk not in self.stopped)
        self.stopped.add(brand.pk)

    @rule(place=st.integers(0, 1))
    def resume(self, place):
        brand, before = self.places[place][0], self._told("publishing.resumed")
        actions.resume(brand=brand, by=self.alba, at=self.now)
        assert self._told("publishing.resumed") - before == (brand.pk in self.stopped)
        self.stopped.discard(brand.pk)

    @rule(place=st.integers(0, 1), which=WHICH, says_where=st.booleans())
    def settle_one(self, place, which, says_where):
        """Somebody decides of what is unknown, having looked, and may say where it is; what was refused or missed is
        sent again."""
        waiting = list(queries.waiting_for_people(self.places[place][0]))
        if not waiting:
            return
        one = waiting[which % len(waiting)]
        is_unknown, is_deletion = one.state == "unknown", one.act == "delete"
        if not is_unknown and not is_deletion and (self._place_of(one), self._part_of(one)) in self.there_before:
            return  # they look before they press
        name = "post.decided" if is_unknown else "post.retried"
        before, is_done, url = self._told(name, data__delivery=one.pk), False, ""
        if is_deletion:
            is_done = one.post.remote_id in self.network.deleted
        elif is_unknown:
            found = self._there().get((self._place_of(one), self._part_of(one)), "")
            is_done, url = bool(found), f"https://fake.example/{found}" if says_where and found else ""
        with suppress(Problem):
            if is_unknown:
                actions.decide(delivery=one, was_sent=is_done, url=url, by=self.alba, at=self.now)
            else:
                actions.retry(delivery=one, by=self.alba, at=self.now)
            assert self._told(name, data__delivery=one.pk) == before + 1
            if not is_deletion:
                self.begun.add((int(queries.post_of(one)[0].title), one.account.kind))  # now is when it is to leave

    def _place_of(self, delivery):
        return int(delivery.post.draft["text"].split()[0]), delivery.account.kind

    def _part_of(self, delivery):
        return delivery.post.draft["text"].split()[2]

    def _there(self):
        """What can be seen on the network: which parts, where, in whatever words; and what it calls them."""
        return {
            ((int(number), one["by"]), part): one["id"]
            for one in self.network.posts
            for number, _revision, part in [one["text"].split()]
        }

    def feed_of(self, post):
        """How often the feed tells what of a post."""
        lines = Activity.objects.filter(on_kind=Post._meta.label_lower, on_id=post.pk)
        return Counter(lines.values_list("type", flat=True))

    def _told(self, name, **of):
        return Activity.objects.filter(type=name, **of).count()

    @invariant()
    def nothing_went_wrong_yet(self):
        assert self.wrong == []
        type(self).steps += 1

    # What else happens.

    @rule(fault=st.sampled_from(FAULTS))
    def trouble(self, fault):
        self.network.faults.append(fault)

    @rule(many=st.integers(1, 3), is_late=st.booleans())
    def crash(self, many, is_late):
        """A worker dies with what it claimed, before it called the network or before it wrote down the answer."""
        for claim in outbound.claim(at=self.now, limit=many):
            self.tried.add(Delivery.objects.get(pk=claim.id).key)
            if is_late:
                outbound.run(claim)

    @rule(place=st.integers(0, 1), where=WHERE, decides=st.sampled_from(["cancel", "edit", "delete", "stop"]))
    def come_between(self, place, where, decides):
        """Somebody decides while a worker has in its hands what has just come due."""
        self.renew_tokens()
        self.resume(place)
        which = self._let_one_leave(place)
        ways = {
            "cancel": lambda: self.cancel(which), "edit": lambda: self.edit(which, ["part"]),
            "delete": lambda: self.delete(which, where), "stop": lambda: self.stop(place),
        }  # fmt: skip
        self.now += UNDO
        self.between = ways[decides]
        outbound.run_due(self.now)
        self.between = None

    def _let_one_leave(self, place):
        """A new one with a part, everywhere; returns which it is."""
        self.begin(place, ["part"], {0, 1, 2}, later=1)
        which = len(self.newest) - 1
        self._let_leave(which)
        return which

    def _let_leave(self, which):
        """Now, and approved where that is asked for."""
        self.ask_and_decide(which, is_approved=True)
        self.publish_now(which)

    @rule()
    def renew_tokens(self):
        Account.objects.update(state="active")

    @rule(minutes=st.sampled_from([0, 1, 5, 40, 90]))
    def work(self, minutes):
        for _ in range(minutes * 4):
            self.now += timedelta(seconds=15)
            outbound.run_due(self.now)
            jobs.run_due(self.now)

    @rule()
    def back_up(self):
        self.kept = (transaction.savepoint(), self.now, deepcopy({name: getattr(self, name) for name in KNOWN}))

    @precondition(lambda self: self.kept)
    @rule()
    def restore(self):
        """Of what it had as a draft people see to it themselves that it isn't there already; of what it had planned for
        later, where what was planned can't be found since somebody published other words. The clock goes right by then.
        """
        (savepoint, made_at, known), self.kept = self.kept, None
        transaction.savepoint_rollback(savepoint)
        self.now = max(self.now, self.latest)
        for name, value in known.items():
            setattr(self, name, value)
        restored.hold_everything(made_at=made_at, at=self.now)
        self.stopped = {brand.pk for brand, _accounts in self.places}
        there, keys = self._there(), {one["key"] for one in self.network.posts}
        known_of = {
            self._place_of(one)
            for one in Delivery.objects.filter(act__in=POSTING).select_related("post", "account")
            if one.in_doubt_since or one.state not in {"queued", "waiting"}
            or one.account.kind != "fake-looking" or one.key in keys
        }  # fmt: skip
        self.there_before = {(place, part) for place, part in there if place in known_of}
        self.forgotten |= {place for place, _part in there}
        self.told_anew |= self.forgotten - known_of

    @rule(which=WHICH, place=st.integers(0, 1), since=st.sampled_from(["", "changed", "sooner"]))
    def lose(self, which, place, since):
        """The machine dies an hour and a half after a backup was made, in which all went as it should, and somebody may
        have written what was leaving anew, or published sooner what was planned for later: then they plan it again."""
        self.network.faults.clear()
        self.renew_tokens()
        for each in (0, 1):
            self.resume(each)
        if self.newest:
            self.publish_now(which)
        newest = self._let_one_leave(place)
        if since == "sooner":
            self.schedule(newest, later=240)
        self.back_up()
        if since == "changed":
            self.edit(newest, ["part"])
        if since:
            self._let_leave(newest)
        self.work(90)
        self.restore()
        if since == "sooner":
            self.cancel(newest)
            self.schedule(newest, later=60)

    @rule(hours=st.sampled_from([-2, -1, 1, 3]))
    def jump(self, hours):
        """Somebody sets the machine's clock, or it slept."""
        self.latest = max(self.latest, self.now)
        self.now += timedelta(hours=hours)

    def _try(self, which, *told):
        return _Trying(self, self._chosen(which), told)

    def _chosen(self, which):
        return list(self.newest)[which % len(self.newest)]

    def take_note(self, post):
        """What isn't to leave any more."""
        for place, state in self._states(post):
            if not state:
                self.due[place] = None

    # The end.

    def teardown(self) -> None:
        try:
            self._come_to_an_end()
            self._account_for_everything()
        finally:
            transaction.savepoint_rollback(self._begun)

    def _come_to_an_end(self) -> None:
        self.network.faults.clear()
        for place in (0, 1):
            self.resume(place)
        self.now += timedelta(hours=6)  # past any clock that was set back
        for _ in range(3):
            self.renew_tokens()
            if self.forgotten:
                self._settle_all()
            for _ in range(90):
                self.now += timedelta(minutes=1)
                outbound.run_due(self.now)
                jobs.run_due(self.now)

    def _settle_all(self) -> None:
        """So that what waits behind what a backup left in doubt goes on, too."""
        for place, (brand, _accounts) in enumerate(self.places):
            for which in range(queries.waiting_for_people(brand).count()):
                self.settle_one(place, which, says_where=True)

    def _account_for_everything(self) -> None:
        assert self.wrong == []
        keys = [one["key"] for one in self.network.posts]
        once = Counter(
            (one["key"], one["by"], one["text"]) for one in self.network.posts
            if (int(one["text"].split()[0]), one["by"]) not in self.told_anew
        )  # fmt: skip
        assert [one for one, n in once.items() if n > 1] == [], "one post for each part and revision"
        there: dict[Place, list[tuple[str, str]]] = defaultdict(list)
        for one in self.network.posts:
            number, revision, part = one["text"].split()
            there[int(number), one["by"]].append((revision, part))
        for place, parts in there.items():
            named = [part for _revision, part in parts]
            assert place in self.forgotten or len({revision for revision, _part in parts}) == 1, (place, parts)
            assert place in self.told_anew or len(set(named)) == len(named), (place, parts)
        told = Counter(
            (one.type, one.data.get("delivery")) for one in Activity.objects.filter(type__startswith="post.")
        )
        numbers = dict(Sending.objects.values_list("remote", "number"))
        rows = Delivery.objects.filter(post__isnull=False).select_related("post", "account", "after")
        for delivery in rows:
            is_deletion, state = delivery.act == "delete", delivery.state
            assert state in FINAL or (state == "waiting" and delivery.after.state in HOLDING), delivery
            if state == "sent" and is_deletion:
                assert delivery.post.remote_id in self.network.deleted
            elif state == "sent" and not delivery.restored_at:
                assert delivery.key in keys
                assert delivery.post.remote_id or delivery.account.kind == "fake-blind"
            if state in {"missed", "waiting", "refused"} and not self._is_forgotten(delivery):
                assert delivery.key not in keys
            says = SAID_OF_DELETIONS if is_deletion else SAID_OF_PARTS if numbers[delivery.post_id] else SAID
            if said := says.get(state):
                assert told[said, delivery.pk] or told["post.decided", delivery.pk], delivery
                assert state != "sent" or told[said, delivery.pk] <= 1, delivery
        for sending in Sending.objects.select_related("version__post", "remote__account"):
            assert sending.remote.account.brand_id == sending.version.post.brand_id

    def _is_forgotten(self, delivery):
        return self._place_of(delivery) in self.forgotten


class _Trying:
    """What can't be done is said to whoever tried, and nothing has happened; what was done, the feed tells once."""

    def __init__(self, story: Story, number: int, told: tuple[str, ...]) -> None:
        self.story, self.number, self.told = story, number, told
        self.post = Post.objects.get(title=str(number))
        self._before = story.feed_of(self.post)
        self._atomic = transaction.atomic()

    def __enter__(self):
        self._atomic.__enter__()
        return self.number, self.post

    def __exit__(self, kind, error, trace):
        self._atomic.__exit__(kind, error, trace)
        now = self.story.feed_of(self.post) - self._before
        if error is None:
            assert [name for name in self.told if now[name] != 1] == []
            self.story.take_note(self.post)
        elif isinstance(error, Problem):
            assert not now
        return isinstance(error, Problem)


def test_whatever_happens_every_post_is_there_once_or_somebody_is_asked(
    network, account_of, brand, other_brand, alba, monkeypatch, record_property
):
    places = [
        (of, [account_of(kind, of=of, name=f"{of.slug} {kind}") for kind in KINDS]) for of in (brand, other_brand)
    ]
    guarded = ApprovalRule(brand=brand, words="p1", allows_own=True)
    actions.save_rule(rule=guarded, steps=[{"users": [alba]}], by=alba, at=NOON)
    world = (network, places, alba, lambda now: monkeypatch.setattr(clock, "now", now))
    machine = type("AStory", (Story,), {"world": world})
    publish, pictures_taken = Blind.publish, Blind.pictures_taken

    def published(connector, account, draft, key):
        machine.current.is_called(key)
        return publish(connector, account, draft, key)

    def asked_for_pictures(connector, account):
        machine.current.is_in_hand()
        return pictures_taken(connector, account)

    monkeypatch.setattr(Blind, "publish", published)
    monkeypatch.setattr(Blind, "pictures_taken", asked_for_pictures)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=40, deadline=None, derandomize="CI" in os.environ,
            suppress_health_check=list(HealthCheck), database=None,
        ),
    )  # fmt: skip
    record_property("tried", machine.steps)
