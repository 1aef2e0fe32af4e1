"""Whatever people, networks and processes do, in whatever order: no post twice, early, outdated, cancelled, during a
stop or unaccounted for. The network itself judges each post in the moment in which it gets it."""

import random
from contextlib import suppress
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from publishing_cast import *  # noqa: F403

from conftest import NOON
from tertulia.channels.models import Account, Delivery
from tertulia.core import clock, jobs
from tertulia.core.models import Activity
from tertulia.flows import outbound
from tertulia.publishing import actions, queries
from tertulia.publishing.models import Post, Sending
from tertulia.publishing.problems import Problem
from tertulia.publishing.saying import Piece, Wanted

pytestmark = pytest.mark.django_db

KINDS = ("fake-blind", "fake-keyed", "fake-looking")
FAULTS = ["429", "400", "500", "503", "401", "cut_before", "accept_then_cut", "accept_then_504", "accept_then_html"]
FINAL = {"sent", "refused", "unknown", "missed", "cancelled"}
MADRID = ZoneInfo("Europe/Madrid")


class Story:
    """What was decided of each post up to now, as the people who decided it know it."""

    def __init__(self, rng, network, brand, alba, accounts) -> None:
        self.rng, self.network, self.brand, self.alba, self.accounts = rng, network, brand, alba, accounts
        self.now, self.stopped = NOON, False
        self.texts: dict[int, tuple[str, ...]] = {}
        self.due: dict[int, object] = {}
        self.wrong: list[str] = []
        publish = network.publish

        def judged(said):
            self.judge(said)
            return publish(said)

        network.publish = judged

    def judge(self, said) -> None:
        number = int(said["text"].split()[0])
        is_known = any(one["key"] == said["key"] for one in self.network.posts)
        if is_known and said["by"] != "fake-keyed":
            self.wrong.append(f"twice: {said}")
        if said["text"] not in self.texts[number]:
            self.wrong.append(f"outdated: {said['text']} for {self.texts[number]}")
        if self.due.get(number) is None:
            self.wrong.append(f"cancelled: {said}")
        elif self.now < self.due[number]:
            self.wrong.append(f"early: {said}")
        if self.stopped:
            self.wrong.append(f"stopped: {said}")

    # What happens.

    def begin(self) -> None:
        number, parts = len(self.texts), self.rng.choice([1, 1, 2, 3])
        accounts = self.rng.sample(self.accounts, self.rng.randint(1, len(self.accounts)))
        self.texts[number] = tuple(f"{number} r1 p{part}" for part in range(parts))
        post = actions.create(
            brand=self.brand, by=self.alba, at=self.now, title=str(number), pieces=list(map(Piece, self.texts[number])),
            versions={account.pk: Wanted() for account in accounts},
        )  # fmt: skip
        actions.plan(post=post, wall=self.wall(), by=self.alba, at=self.now)
        self.due[number] = None

    def wall(self):
        later = (self.now + timedelta(minutes=self.rng.randint(1, 90))).astimezone(MADRID)
        return later.replace(tzinfo=None, second=0, microsecond=0)

    def schedule(self, post) -> None:
        actions.plan(post=post, wall=self.wall(), by=self.alba, at=self.now)
        actions.schedule(post=post, by=self.alba, at=self.now)
        self.due[int(post.title)] = Post.objects.get(pk=post.pk).publish_at

    def move(self, post) -> None:
        actions.plan(post=post, wall=self.wall(), by=self.alba, at=self.now)
        if self.due[int(post.title)]:
            self.due[int(post.title)] = Post.objects.get(pk=post.pk).publish_at

    def publish(self, post) -> None:
        actions.publish_now(post=post, by=self.alba, at=self.now)
        self.due[int(post.title)] = self.now

    def edit(self, post) -> None:
        """What has begun to leave goes on in its old words; only an account where nothing has is judged by the new."""
        number, before = int(post.title), queries.standing(post)
        texts = tuple(f"{number} r{post.revision + 1} p{part}" for part in range(self.rng.choice([1, 2])))
        wanted = {one.account_id: Wanted() for one in post.versions.all()}
        pieces = list(map(Piece, texts))
        actions.save(
            post=post, seen=post.revision, title=post.title, by=self.alba, at=self.now, pieces=pieces, versions=wanted
        )
        has_begun = any(leg.state in actions.BEGUN or leg.attempts for some in before.legs.values() for leg in some)
        self.texts[number] = texts + (self.texts[number] if has_begun else ())

    def cancel(self, post) -> None:
        actions.cancel(post=post, by=self.alba, at=self.now)
        if all(state == "" for state in queries.standing(post).versions.values()):
            self.due[int(post.title)] = None

    def stop(self) -> None:
        actions.stop(brand=self.brand, by=self.alba, at=self.now)
        self.stopped = True

    def resume(self) -> None:
        actions.resume(brand=self.brand, by=self.alba, at=self.now)
        self.stopped = False

    def crash(self) -> None:
        """A worker dies with what it claimed, before it called the network or before it wrote down the answer."""
        for claim in outbound.claim(at=self.now, limit=self.rng.randint(1, 3)):
            if self.rng.random() < 0.5:
                outbound.run(claim)

    def settle_one(self) -> None:
        waiting = list(queries.waiting_for_people(self.brand))
        if not waiting:
            return
        one = self.rng.choice(waiting)
        if one.state == "unknown":
            there = [post for post in self.network.posts if post["key"] == one.key]
            actions.decide(delivery=one, was_sent=bool(there), by=self.alba, at=self.now)
        else:
            actions.retry(delivery=one, by=self.alba, at=self.now)

    def mend(self) -> None:
        Account.objects.update(state="active")

    def step(self) -> None:
        posts = list(Post.objects.order_by("pk"))
        doing = [self.begin, self.crash, self.settle_one, self.mend, self.resume, self.resume]
        doing += [self.stop] if self.rng.random() < 0.4 else []
        if posts:
            post = self.rng.choice(posts)
            about = (self.schedule, self.schedule, self.schedule, self.move, self.publish, self.edit, self.cancel)
            doing += [lambda act=act: act(post) for act in about]
        if self.rng.random() < 0.3:
            self.network.faults.append(self.rng.choice(FAULTS))
        with suppress(Problem):  # said to whoever tried; nothing has happened
            self.rng.choice(doing)()

    def go_on(self, minutes: int) -> None:
        for _ in range(minutes * 4):
            self.now += timedelta(seconds=15)
            outbound.run_due(self.now)
            jobs.run_due(self.now)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_every_post_is_there_once_or_somebody_is_asked(
    seed, network, account_of, brand, alba, monkeypatch
):
    rng = random.Random(seed)
    accounts = [account_of(kind, name=kind) for kind in KINDS]
    story = Story(rng, network, brand, alba, accounts)
    monkeypatch.setattr(clock, "now", lambda: story.now)
    for _ in range(45):
        story.step()
        story.go_on(rng.choice([0, 1, 1, 5, 40]))
    network.faults.clear()
    story.resume()
    for _ in range(3):
        story.mend()
        story.go_on(90)
    assert story.wrong == []
    keys = [one["key"] for one in network.posts]
    blind = set(Delivery.objects.filter(account__kind="fake-blind").values_list("key", flat=True))
    assert len(set(keys)) == len(keys), "one post for each part and revision"
    standing = Delivery.objects.filter(post__isnull=False).select_related("post")
    for delivery in standing:
        waits_behind = delivery.state == "waiting"
        assert delivery.state in FINAL or waits_behind, delivery
        if delivery.state == "sent" and delivery.key not in blind:
            assert delivery.post.remote_id
        if delivery.state == "sent":
            assert delivery.key in keys
        if delivery.state in {"missed", "waiting"}:
            assert delivery.key not in keys
    sent = Sending.objects.filter(number=0, remote__deliveries__state="sent").count()
    told = Activity.objects.filter(type="post.sent").values("data__delivery").distinct().count()
    decided = Activity.objects.filter(type="post.decided", data__was_sent=True, data__number=0).count()
    assert told + decided >= sent
