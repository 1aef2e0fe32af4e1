"""Whatever people, networks, clocks and processes do, in whatever order: no post twice, early, outdated, cancelled,
unapproved, during a stop or unaccounted for. The network itself judges each post in the moment in which it gets it.

`TERTULIA_TEST_EXAMPLES=2000` tries as many stories as you like, each of 40 steps.
"""

from __future__ import annotations

import os
from contextlib import suppress
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
from tertulia.channels.models import Account, Delivery
from tertulia.core import clock, jobs
from tertulia.core.models import Activity
from tertulia.flows import outbound
from tertulia.publishing import actions, approval, queries
from tertulia.publishing.models import ApprovalRequest, ApprovalRule, Post, Sending
from tertulia.publishing.problems import NotHere, Problem
from tertulia.publishing.saying import Piece, Wanted

pytestmark = [pytest.mark.django_db, pytest.mark.proof_heavy]

EXAMPLES = int(os.environ.get("TERTULIA_TEST_EXAMPLES", "15"))
KINDS = ("fake-blind", "fake-keyed", "fake-looking")
FAULTS = ["429", "400", "500", "503", "401", "cut_before", "accept_then_cut", "accept_then_504", "accept_then_html"]
FINAL = {"sent", "refused", "unknown", "missed", "cancelled"}
SAID = {"sent": "post.sent", "refused": "post.refused", "unknown": "post.unknown", "missed": "post.missed"}
MADRID = ZoneInfo("Europe/Madrid")
MINUTES = st.integers(1, 90)
WHICH = st.integers(0, 99)


class Story(RuleBasedStateMachine):
    """What was decided of each post up to now, as the people who decided it know it. Posts are numbered."""

    world = None
    """Network, brands with their accounts, Alba, and what sets the clock."""
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.network, self.places, self.alba, self.set_clock = self.world
        self._begun = transaction.savepoint()
        self.network.posts.clear()
        self.network.faults.clear()
        self.now, self.stopped = NOON, set()
        self.texts: dict[int, tuple[str, ...]] = {}
        self.due: dict[int, object] = {}
        self.brand_of: dict[int, object] = {}
        self.approved: dict[int, set[str]] = {}
        self.wrong: list[str] = []
        self.set_clock(lambda: self.now)
        publish = type(self.network).publish

        def judged(said):
            self.judge(said)
            return publish(self.network, said)

        self.network.publish = judged

    def judge(self, said) -> None:
        number = int(said["text"].split()[0])
        if any(one["key"] == said["key"] for one in self.network.posts) and said["by"] != "fake-keyed":
            self.wrong.append(f"twice: {said}")
        if said["text"] not in self.texts[number]:
            self.wrong.append(f"outdated: {said['text']} for {self.texts[number]}")
        if self.due.get(number) is None:
            self.wrong.append(f"cancelled: {said}")
        elif self.now < self.due[number]:
            self.wrong.append(f"early: {said}")
        if said["text"] not in self.approved[number] and self._has_to_be_approved(number, said["text"]):
            self.wrong.append(f"unapproved: {said}")
        if self.brand_of[number].pk in self.stopped:
            self.wrong.append(f"stopped: {said}")

    def _has_to_be_approved(self, number: int, text: str) -> bool:
        """A text of the first brand that a second part goes along with: see the rule below."""
        revision = text.split()[1]
        return self.brand_of[number] == self.places[0][0] and f"{number} {revision} p1" in self.texts[number]

    # What people do.

    @initialize(later=MINUTES)
    def begin_with_what_was_approved(self, later):
        """So that what has to be approved is met with often."""
        self.begin(0, 2, {0, 1, 2}, later)
        self.ask_and_decide(0, is_approved=True)

    @rule(place=st.integers(0, 1), parts=st.integers(1, 3), where=st.sets(st.integers(0, 2), min_size=1), later=MINUTES)
    def begin(self, place, parts, where, later):
        number, (brand, accounts) = len(self.texts), self.places[place]
        self.texts[number] = tuple(f"{number} r1 p{part}" for part in range(parts))
        self.brand_of[number], self.due[number], self.approved[number] = brand, None, set()
        post = actions.create(
            brand=brand, by=self.alba, at=self.now, title=str(number), pieces=list(map(Piece, self.texts[number])),
            versions={accounts[at].pk: Wanted() for at in where},
        )  # fmt: skip
        actions.plan(post=post, wall=self._wall(later), by=self.alba, at=self.now)

    def _wall(self, later):
        return (self.now + timedelta(minutes=later)).astimezone(MADRID).replace(tzinfo=None, second=0, microsecond=0)

    @precondition(lambda self: self.texts)
    @rule(which=WHICH, later=MINUTES)
    def schedule(self, which, later):
        with self._try(which) as (number, post):
            actions.plan(post=post, wall=self._wall(later), by=self.alba, at=self.now)
            actions.schedule(post=post, by=self.alba, at=self.now)
            self.due[number] = self._publish_at(number)

    @precondition(lambda self: self.texts)
    @rule(which=WHICH, is_approved=st.booleans())
    def ask_and_decide(self, which, is_approved):
        """What was approved is scheduled by itself, if its time is still to come."""
        with self._try(which) as (number, post):
            request = ApprovalRequest.objects.filter(post=post, outcome="").first()
            request = request or approval.ask(post=post, by=self.alba, at=self.now)
            texts = {part["text"] for account in request.said for part in account["parts"]}
            actions.approve(request=request, is_approved=is_approved, comment="No", by=self.alba, at=self.now)
            if is_approved:
                self.approved[number] |= texts
                if queries.standing(post).state == "scheduled":
                    self.due[number] = self._publish_at(number)

    @precondition(lambda self: self.texts)
    @rule(which=WHICH, later=MINUTES)
    def move(self, which, later):
        with self._try(which) as (number, post):
            actions.plan(post=post, wall=self._wall(later), by=self.alba, at=self.now)
            if self.due[number]:
                self.due[number] = self._publish_at(number)

    @precondition(lambda self: self.texts)
    @rule(which=WHICH)
    def publish_now(self, which):
        with self._try(which) as (number, post):
            actions.publish_now(post=post, by=self.alba, at=self.now)
            self.due[number] = self.now

    @precondition(lambda self: self.texts)
    @rule(which=WHICH, parts=st.integers(1, 2))
    def edit(self, which, parts):
        """What has begun to leave goes on in its old words; only an account where nothing has is judged by the new."""
        with self._try(which) as (number, post):
            before = queries.standing(post)
            texts = tuple(f"{number} r{post.revision + 1} p{part}" for part in range(parts))
            wanted = {one.account_id: Wanted() for one in post.versions.all()}
            actions.save(
                post=post, seen=post.revision, title=post.title, by=self.alba, at=self.now,
                pieces=list(map(Piece, texts)), versions=wanted,
            )  # fmt: skip
            has_begun = any(leg.state in actions.BEGUN or leg.attempts for some in before.legs.values() for leg in some)
            self.texts[number] = texts + (self.texts[number] if has_begun else ())

    @precondition(lambda self: self.texts)
    @rule(which=WHICH)
    def cancel(self, which):
        with self._try(which) as (number, post):
            actions.cancel(post=post, by=self.alba, at=self.now)
            if all(state == "" for state in queries.standing(post).versions.values()):
                self.due[number] = None

    @precondition(lambda self: self.texts)
    @rule(which=WHICH)
    def aim_at_another_brands_account(self, which):
        number = which % len(self.texts)
        post = Post.objects.get(title=str(number))
        foreign = next(accounts for brand, accounts in self.places if brand.pk != post.brand_id)[0]
        said = {"pieces": [Piece("x")], "versions": {foreign.pk: Wanted()}, "by": self.alba, "at": self.now}
        with pytest.raises((NotHere, Problem)), transaction.atomic():
            actions.save(post=post, seen=post.revision, **said)

    @rule(place=st.integers(0, 1))
    def stop(self, place):
        actions.stop(brand=self.places[place][0], by=self.alba, at=self.now)
        self.stopped.add(self.places[place][0].pk)

    @rule(place=st.integers(0, 1))
    def resume(self, place):
        actions.resume(brand=self.places[place][0], by=self.alba, at=self.now)
        self.stopped.discard(self.places[place][0].pk)

    @rule(place=st.integers(0, 1), which=WHICH)
    def settle_one(self, place, which):
        """Somebody decides of what is unknown, having looked; what was refused or missed is sent again."""
        waiting = list(queries.waiting_for_people(self.places[place][0]))
        if not waiting:
            return
        one = waiting[which % len(waiting)]
        with suppress(Problem):
            if one.state == "unknown":
                is_there = any(post["key"] == one.key for post in self.network.posts)
                actions.decide(delivery=one, was_sent=is_there, by=self.alba, at=self.now)
            else:
                actions.retry(delivery=one, by=self.alba, at=self.now)

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
            if is_late:
                outbound.run(claim)

    @rule()
    def renew_tokens(self):
        Account.objects.update(state="active")

    @rule(minutes=st.sampled_from([0, 1, 5, 40, 90]))
    def work(self, minutes):
        for _ in range(minutes * 4):
            self.now += timedelta(seconds=15)
            outbound.run_due(self.now)
            jobs.run_due(self.now)

    @rule(hours=st.sampled_from([-2, -1, 1, 3]))
    def jump(self, hours):
        """Somebody sets the machine's clock, or it slept."""
        self.now += timedelta(hours=hours)

    def _try(self, which):
        return _Trying(self, which % len(self.texts))

    def _publish_at(self, number):
        return Post.objects.get(title=str(number)).publish_at

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
            for _ in range(90):
                self.now += timedelta(minutes=1)
                outbound.run_due(self.now)
                jobs.run_due(self.now)

    def _account_for_everything(self) -> None:
        assert self.wrong == []
        keys = [one["key"] for one in self.network.posts]
        assert len(set(keys)) == len(keys), "one post for each part and revision"
        told = {(one.type, one.data.get("delivery")) for one in Activity.objects.filter(type__startswith="post.")}
        for delivery in Delivery.objects.filter(post__isnull=False).select_related("post", "account"):
            assert delivery.state in FINAL or delivery.state == "waiting", delivery
            if delivery.state == "sent":
                assert delivery.key in keys
                assert delivery.post.remote_id or delivery.account.kind == "fake-blind"
            if delivery.state in {"missed", "waiting"}:
                assert delivery.key not in keys
            if delivery.act == "post" and (said := SAID.get(delivery.state)):
                assert (said, delivery.pk) in told or ("post.decided", delivery.pk) in told, delivery
        for sending in Sending.objects.select_related("version__post", "remote__account"):
            assert sending.remote.account.brand_id == sending.version.post.brand_id


class _Trying:
    """What can't be done is said to whoever tried, and nothing has happened."""

    def __init__(self, story: Story, number: int) -> None:
        self.number, self.post = number, Post.objects.get(title=str(number))
        self._atomic = transaction.atomic()

    def __enter__(self):
        self._atomic.__enter__()
        return self.number, self.post

    def __exit__(self, kind, error, trace):
        self._atomic.__exit__(kind, error, trace)
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
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=40, deadline=None, derandomize="CI" in os.environ,
            suppress_health_check=list(HealthCheck), database=None,
        ),
    )  # fmt: skip
    record_property("tried", machine.steps)
