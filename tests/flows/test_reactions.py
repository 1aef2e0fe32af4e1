"""Figures under what was published: asked for at ages, kept as told, and an account that fails holds up no other."""

from datetime import timedelta

import pytest

from conftest import NOON
from tertulia.channels import reactions
from tertulia.channels.models import Account, AccountWatch, Metric, PostMetric, PostWatch, RemotePost
from tertulia.connectors import registry
from tertulia.connectors.contract import Capabilities, Connector, Publishes, Refused, Retry, Tells
from tertulia.core import clock, jobs
from tertulia.core.models import Activity
from tertulia.flows import reactions as flow
from tertulia.publishing import actions as publishing
from tertulia.publishing.models import Sending
from tertulia.publishing.saying import Piece, Wanted
from tertulia.team.models import Notification

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Counting(Connector):
    key = "counting"
    name = {"en": "Counting", "es": "Cuenta"}
    capabilities = Capabilities(
        publishes=Publishes(), tells=Tells(frozenset({"likes", "replies"}), frozenset({"followers"}), at_once=2)
    )
    shown: dict[str, dict[str, int]] = {}
    asked: list[tuple[int, list[str]]] = []
    refuses: set[str] = set()
    fails: dict[int, Exception] = {}

    def figures(self, account, posts):
        names = [post.remote_id for post in posts]
        self.asked.append((account.id, names))
        if account.id in self.fails:
            raise self.fails[account.id]
        if self.refuses & set(names):
            raise Refused("No such thing")
        return {name: self.shown[name] for name in names if name in self.shown}

    def account_figures(self, account):
        return {"followers": 31}


@pytest.fixture
def network(monkeypatch):
    installed = registry.all_connectors()
    monkeypatch.setattr(registry, "all_connectors", lambda: {**installed, "counting": Counting})
    for name, empty in (("shown", {}), ("asked", []), ("refuses", set()), ("fails", {})):
        monkeypatch.setattr(Counting, name, empty)
    return Counting


@pytest.fixture
def account(network, brand):
    return Account.objects.create(brand=brand, kind="counting", name="Cuenta", created_at=NOON)


@pytest.fixture
def at(monkeypatch):
    """`at(NOON)`: a minute's tick, and the jobs it begins."""

    def tick(moment):
        monkeypatch.setattr(clock, "now", lambda: moment)
        flow.begin()
        jobs.run_due(moment)

    return tick


def put(account, name, published_at=NOON):
    return RemotePost.objects.create(account=account, remote_id=name, published_at=published_at)


def test_figures_are_asked_for_at_each_age_and_no_more(network, account, at):
    post = put(account, "a")
    network.shown["a"] = {"likes": 3}
    of_a_day = 24 * 60
    for minute in (*range(1, of_a_day, 7), *range(of_a_day, 46 * of_a_day, 47)):  # now and then, for a month and a half
        at(NOON + minute * MINUTE)
    taken = sorted(row.at - NOON for row in PostMetric.objects.filter(post=post))
    assert len(taken) == len(reactions.AGES)
    late = [moment - age for moment, age in zip(taken, reactions.AGES, strict=True)]
    assert min(late) >= 0 * MINUTE
    assert max(late) <= 48 * MINUTE
    assert all(each <= 8 * MINUTE for each, age in zip(late, reactions.AGES, strict=True) if age < DAY)
    assert PostWatch.objects.get().due_at is None


def test_what_the_network_did_not_tell_has_no_row_and_zero_has_one(network, account, at):
    post = put(account, "a")
    network.shown["a"] = {"likes": 0}
    at(NOON + HOUR)
    assert list(PostMetric.objects.filter(post=post).values_list("name", "value", "how")) == [("likes", 0, "network")]


def test_posts_go_many_in_a_call_and_the_account_is_counted_once_a_day(network, account, at):
    for name in "abc":
        put(account, name)
        network.shown[name] = {"likes": 1}
    for minute in (15, 16, 60, 61):
        at(NOON + minute * MINUTE)
    assert [names for _account, names in network.asked] == [["a", "b"], ["c"], ["a", "b"], ["c"]]
    assert list(Metric.objects.values_list("account", "name", "value")) == [(account.pk, "followers", 31)]
    at(NOON + DAY)
    assert Metric.objects.count() == 2


def test_an_account_that_fails_says_so_waits_and_holds_up_no_other(network, account, at, brand):
    other = Account.objects.create(brand=brand, kind="counting", name="Otra", created_at=NOON)
    put(account, "a")
    put(other, "b")
    network.shown |= {"a": {"likes": 1}, "b": {"likes": 2}}
    network.fails[account.pk] = Retry("Too many calls", after=HOUR)
    at(NOON + 15 * MINUTE)
    at(NOON + 20 * MINUTE)
    assert list(PostMetric.objects.values_list("post__account", "value")) == [(other.pk, 2)]
    assert AccountWatch.objects.get(account=account).trouble == "Too many calls"
    assert [asked for asked, _names in network.asked].count(account.pk) == 1
    network.fails.clear()
    at(NOON + 80 * MINUTE)
    assert PostMetric.objects.filter(post__account=account).count() == 1
    assert AccountWatch.objects.get(account=account).trouble == ""


def test_one_post_the_network_will_not_speak_of_holds_up_none(network, account, at):
    put(account, "a")
    bad = put(account, "b")
    network.shown["a"] = {"likes": 1}
    network.refuses.add("b")
    at(NOON + 15 * MINUTE)
    assert list(PostMetric.objects.values_list("post__remote_id", flat=True)) == ["a"]
    assert PostWatch.objects.get(post=bad).absent_at == NOON + 15 * MINUTE


def test_a_connectors_mistake_is_an_accounts_trouble(network, account, at):
    put(account, "a")
    network.fails[account.pk] = ZeroDivisionError("oh")
    at(NOON + 15 * MINUTE)
    assert "ZeroDivisionError" in AccountWatch.objects.get(account=account).trouble
    assert not PostMetric.objects.exists()


def test_what_the_network_no_longer_shows_is_told_once_to_who_scheduled_it(network, account, at, brand, alba):
    post = publishing.create(
        brand=brand, by=alba, at=NOON, pieces=[Piece("Pan de pueblo")], versions={account.pk: Wanted()}
    )  # fmt: skip
    remote = put(account, "a")
    Sending.objects.create(version=post.versions.get(), number=0, remote=remote, revision=1)
    network.shown["a"] = {"likes": 3}
    at(NOON + HOUR)
    told = Activity.objects.filter(type="post.absent")
    assert not told.exists()
    network.shown.clear()
    for hours in range(2, 60):
        at(NOON + hours * HOUR)
    line = told.get()
    assert (line.on_id, line.data["account"]) == (post.pk, "Cuenta")
    jobs.run_due(NOON + 60 * HOUR)
    assert [one.user for one in Notification.objects.filter(activity_id=line.pk)] == [alba]
    assert PostMetric.objects.get().value == 3
    network.shown["a"] = {"likes": 4}
    at(NOON + 8 * DAY)
    network.shown.clear()
    at(NOON + 31 * DAY)
    assert told.count() == 2


def test_what_was_deleted_or_stands_below_another_or_is_old_is_not_asked_for(network, account, at):
    above = put(account, "a", NOON - 40 * DAY)
    put(account, "b").__class__.objects.filter(remote_id="b").update(deleted_at=NOON)
    RemotePost.objects.create(account=account, remote_id="c", published_at=NOON, above=above)
    at(NOON + HOUR)
    assert network.asked == []


def test_read_twice_at_one_moment_it_is_there_once(network, account, at):
    post = put(account, "a")
    reactions.watch_new([account], at=NOON)
    network.shown["a"] = {"likes": 1}
    for _time in range(2):
        PostWatch.objects.update(due_at=NOON)
        flow.take(account, at=NOON + HOUR)
    assert PostMetric.objects.filter(post=post).count() == 1


def test_only_one_reader_at_a_time_and_a_dead_one_is_followed(network, account, at):
    put(account, "a")
    AccountWatch.objects.create(account=account, lease_until=NOON + 17 * MINUTE)
    at(NOON + 15 * MINUTE)
    assert network.asked == []
    at(NOON + 17 * MINUTE)
    assert len(network.asked) == 1


def test_a_figure_stands_for_an_age_only_when_somebody_looked_about_then(account):
    post = put(account, "a")
    for hours, likes in ((1, 5), (23, 40), (30, 44)):
        reactions.keep(post=post, values={"likes": likes}, at=NOON + hours * HOUR, how="hand")
    course = reactions.courses([post])[post.pk]
    assert [course.at_age("likes", age) for age in reactions.AGES] == [None, 5, None, 40, None, None, None]
    assert course.reaction(DAY) == (frozenset({"likes"}), 40)
    assert course.reaction(7 * DAY) is None


def test_nobodys_hand_writes_over_what_the_network_told(account):
    post = put(account, "a")
    reactions.keep(post=post, values={"likes": 5}, at=NOON, how="network")
    assert reactions.keep(post=post, values={"likes": 9, "views": 80}, at=NOON, how="hand") == {"views": 80}
    assert dict(PostMetric.objects.values_list("name", "value")) == {"likes": 5, "views": 80}
