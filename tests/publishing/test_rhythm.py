"""The promised rhythm: seen to break days before it does, filled from the queue, the same when clocks change."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from publishing_cast import *  # noqa: F403
from publishing_cast import state
from time_machine import travel

from conftest import NOON
from tertulia.channels import reactions
from tertulia.channels.models import Account, Delivery, PostMetric, RemotePost
from tertulia.core import jobs
from tertulia.publishing import actions, evergreen, filling, ideas, queries, rhythm
from tertulia.publishing.models import BestHour, Post, Promise, Slot
from tertulia.publishing.problems import Problem
from tertulia.publishing.saying import Piece, Wanted

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 23)


@pytest.fixture
def board(brand) -> Account:
    return Account.objects.create(brand=brand, kind="manual", name="Tablón", created_at=NOON)


@pytest.fixture
def promise(board, alba):
    """`promise(3, slots="Tue 09:00")`."""

    def settle(per_week: int | None, *slots: tuple[int, int], account=None, weekdays=(), at=NOON, **said) -> None:
        asked = rhythm.Rhythm(
            per_week, said.get("starts_on", MONDAY), list(weekdays), frozenset((day, time(hour)) for day, hour in slots)
        )
        rhythm.settle(account=account or board, rhythm=asked, by=alba, at=at)

    return settle


@pytest.fixture
def write(brand, alba, board):
    def write(text: str = "Pan de pueblo", *accounts: Account) -> Post:
        versions = {one.pk: Wanted() for one in accounts or [board]}
        return actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece(text)], versions=versions)

    return write


@pytest.fixture
def schedule(write, alba):
    def schedule(wall: datetime, at: datetime = NOON) -> Post:
        post = write(f"Pan del {wall:%d %H:%M}")
        actions.plan(post=post, wall=wall, by=alba, at=at)
        return actions.schedule(post=post, by=alba, at=at)

    return schedule


def first(brand, at=NOON) -> rhythm.Week:
    return rhythm.ahead(brand, at=at).outlooks[0].weeks[0]


def test_a_promise_of_three_with_one_scheduled_warns_days_before_it_breaks_and_no_more_once_filled(
    brand, promise, schedule, as_alba
):
    promise(3)
    for week in range(4):
        schedule(datetime(2026, 11, 24, 9) + timedelta(weeks=week))
    [warning] = rhythm.ahead(brand, at=NOON).warnings
    assert (warning.breaks_on, warning.is_broken) == (date(2026, 11, 28), False)
    assert warning.breaks_on - NOON.date() >= timedelta(days=3)
    address = f"/b/{brand.slug}/posts/"
    with travel(NOON, tick=False):
        page = as_alba.get(address).content.decode()
    assert "Tablón, semana del 23 nov.: faltan 2 de 3." in page
    schedule(datetime(2026, 11, 25, 9))
    schedule(datetime(2026, 11, 27, 9))
    assert rhythm.ahead(brand, at=NOON).warnings == []
    with travel(NOON, tick=False):
        assert "semana del 23 nov.: faltan" not in as_alba.get(address).content.decode()


def test_the_warning_of_every_week_comes_at_least_three_days_before_whatever_day_it_is(brand, promise, schedule):
    promise(3, weekdays=[0, 2, 4], starts_on=date(2026, 12, 7))
    schedule(datetime(2026, 12, 9, 9))
    breaks_on = date(2026, 12, 7)  # Monday and Friday are left for two
    said = [
        day
        for day in range(14)
        if any(
            one.breaks_on == breaks_on and not one.is_broken
            for one in rhythm.ahead(brand, at=NOON + timedelta(days=day)).warnings
        )
    ]
    assert said == list(range(7, 15 - 1))  # from a week before to the day itself
    assert rhythm.ahead(brand, at=NOON + timedelta(days=20)).warnings[0].is_broken


def test_what_was_refused_missed_or_cancelled_keeps_no_promise_and_a_draft_is_only_named(
    brand, promise, schedule, write, alba
):
    promise(4)
    for hour, ended in enumerate(["refused", "missed", "sent", "queued"]):
        post = schedule(datetime(2026, 11, 24, 9 + hour))
        Delivery.objects.filter(post__in=post.versions.values("sendings__remote")).update(state=ended)
    actions.cancel(post=schedule(datetime(2026, 11, 26, 9)), by=alba, at=NOON)
    actions.plan(post=write(), wall=datetime(2026, 11, 27, 9), by=alba, at=NOON)
    week = first(brand)
    assert (week.kept, week.planned, week.drafted, week.missing) == (1, 1, 1, 2)
    assert len(week.holes) == 1
    assert "1 está en el calendario como borrador" in _in_spanish(brand)


def test_what_was_deleted_again_keeps_no_promise_and_is_no_draft(brand, promise, schedule):
    promise(2)
    post = schedule(datetime(2026, 11, 24, 9))
    Delivery.objects.update(state="sent")
    assert first(brand).kept == 1
    RemotePost.objects.filter(pk__in=post.versions.values("sendings__remote")).update(deleted_at=NOON)
    week = first(brand)
    assert (week.kept, week.planned, week.drafted) == (0, 0, 0)


def test_what_is_on_its_way_and_what_is_meant_are_counted_in_one_statement(brand, promise, schedule, write, alba):
    promise(4, (1, 9))
    schedule(datetime(2026, 11, 24, 9))
    actions.plan(post=write(), wall=datetime(2026, 11, 27, 9), by=alba, at=NOON)
    with CaptureQueriesContext(connection) as asked:
        week = first(brand)
    assert (week.planned, week.drafted) == (1, 1)
    [counted] = [one["sql"] for one in asked.captured_queries if "count(" in one["sql"].lower()]
    assert "JOIN tertulia_channels_remotepost" not in counted.replace('"', "")


def _in_spanish(brand) -> str:
    with override("es"):
        return rhythm.ahead(brand, at=NOON).warnings[0].says


def test_holes_stand_at_free_slots_a_day_for_each(brand, promise, schedule):
    promise(3, (1, 9), (1, 18), (3, 9), (4, 9))
    schedule(datetime(2026, 11, 24, 9))
    holes = [(one.on.day, one.time) for one in first(brand).holes]
    assert holes == [(26, time(9)), (27, time(9))]


def test_with_more_slots_than_are_named_their_holes_are_the_same(brand, promise, schedule, monkeypatch):
    promise(3, (1, 9), (3, 9), (3, 17))
    schedule(datetime(2026, 11, 26, 17))  # the one that would be chosen
    holes = rhythm.ahead(brand, at=NOON).holes
    there = [(one.on, one.time) for one in holes]
    assert (date(2026, 11, 26), time(17)) not in there
    assert (date(2026, 11, 26), time(9)) in there

    monkeypatch.setattr(rhythm, "NAMED", 0)
    assert rhythm.ahead(brand, at=NOON).holes == holes


def test_without_slots_holes_are_days_and_past_days_are_none(brand, promise):
    promise(7)
    at = NOON + timedelta(days=4)
    assert [(one.on.day, one.time) for one in first(brand, at).holes] == [(27, None), (28, None), (29, None)]


def test_a_hole_is_offered_a_draft_that_has_no_time_yet(brand, promise, write):
    promise(2, (1, 9), (3, 9))
    draft, _empty = write("Pan de centeno"), write("")
    proposals = rhythm.ahead(brand, at=NOON).proposals
    assert [(one.hole.on.day, one.draft) for one in proposals[:2]] == [(24, draft), (26, None)]


def test_a_hole_without_a_draft_is_offered_what_has_rested_longest_then_the_idea_wanted_first(
    brand, promise, write, alba, board, as_alba
):
    promise(5, (1, 9), (2, 9), (3, 9), (4, 9), (5, 9))
    other = Account.objects.create(brand=brand, kind="manual", name="Revista", created_at=NOON)
    _elsewhere, tired, rested = (
        evergreen.add(post=write(text, *accounts), by=alba, at=NOON)
        for text, accounts in (("En la revista", [other]), ("Cansada", []), ("Descansada", []))
    )
    evergreen.repeat(evergreen=tired, wall=datetime(2026, 12, 20, 9), by=alba, at=NOON)
    later, soon, _new = (
        ideas.add(brand=brand, title=title, due_on=due_on, by=alba, at=NOON)
        for title, due_on in (("Luego", None), ("Pronto", date(2026, 12, 1)), ("Sin elegir", None))
    )
    for idea in (later, soon):
        ideas.put(idea=idea, to="chosen", by=alba, at=NOON)
    draft = write("Pan de centeno")
    ahead = rhythm.ahead(brand, at=NOON)
    filling.fill(ahead, brand, at=NOON)
    found = [(one.draft, one.repeated, one.idea) for one in ahead.proposals[:5]]
    assert found == [
        (draft, None, None), (None, rested, None), (None, None, soon), (None, None, later), (None, None, None),
    ]  # fmt: skip
    said = {"on": "2026-11-25", "time": "09:00"}
    with travel(NOON, tick=False):
        page = as_alba.get(f"/b/{brand.slug}/posts/").content.decode()
        as_alba.post(f"/b/{brand.slug}/posts/evergreen/{rested.pk}/repetitions/", said)
    assert f"evergreen/{rested.pk}/repetitions/" in page
    assert "Pronto" in page
    assert not {"En la revista", "Cansada", "Sin elegir"} & set(re.findall(r"<bdi>([^<]+)</bdi>", page))
    assert Post.objects.latest("pk").wall == datetime(2026, 11, 25, 9)


def test_the_queue_takes_the_next_free_slot(brand, promise, schedule, write, alba):
    promise(None, (1, 9), (3, 9))
    schedule(datetime(2026, 11, 24, 9))
    post = write()
    assert rhythm.enqueue(post=post, by=alba, at=NOON) == datetime(2026, 11, 26, 9)
    assert (state(post), Delivery.objects.order_by("pk").last().due_at.hour) == ("scheduled", 8)
    assert rhythm.enqueue(post=write(), by=alba, at=NOON) == datetime(2026, 12, 1, 9)
    with pytest.raises(Problem):
        rhythm.enqueue(post=post, by=alba, at=NOON)


def test_a_post_for_two_accounts_takes_a_slot_that_both_have_free(brand, promise, write, alba):
    other = Account.objects.create(brand=brand, kind="manual", name="Revista", created_at=NOON)
    promise(None, (1, 9), (3, 9), (4, 9))
    promise(None, (2, 9), (3, 9), (4, 9), account=other)
    rhythm.enqueue(post=write("Solo el tablón"), by=alba, at=NOON, wall=datetime(2026, 11, 26, 9))
    assert rhythm.enqueue(post=write("Los dos", *Account.objects.filter(name__in=["Tablón", "Revista"])), by=alba,
                          at=NOON) == datetime(2026, 11, 27, 9)  # fmt: skip


def test_a_slot_that_was_taken_meanwhile_is_not_given_twice(promise, write, alba):
    promise(None, (1, 9))
    wall = datetime(2026, 11, 24, 9)
    rhythm.enqueue(post=write(), by=alba, at=NOON, wall=wall)
    late = write()
    with pytest.raises(Problem):
        rhythm.enqueue(post=late, by=alba, at=NOON, wall=wall)
    assert state(late) == "draft"


def test_without_slots_or_with_none_free_the_queue_says_so(promise, write, alba, monkeypatch):
    with pytest.raises(Problem):
        rhythm.enqueue(post=write(), by=alba, at=NOON)
    promise(None, (1, 9))
    monkeypatch.setattr(rhythm, "QUEUE", timedelta(days=7))
    rhythm.enqueue(post=write(), by=alba, at=NOON)
    with pytest.raises(Problem):
        rhythm.enqueue(post=write(), by=alba, at=NOON)
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("at", "wall", "due"),
    [
        (datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 3, 28, 2), datetime(2027, 3, 28, 1, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 2), datetime(2026, 10, 25, 0, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_slot_on_the_night_clocks_change_is_one_moment_taken_once(promise, write, alba, at, wall, due):
    promise(None, (6, 2))
    assert rhythm.enqueue(post=write(), by=alba, at=at) == wall
    assert Delivery.objects.get().due_at == due
    assert rhythm.enqueue(post=write(), by=alba, at=at) == wall + timedelta(days=7)


@pytest.mark.parametrize("monday", [date(2026, 10, 19), date(2027, 3, 22)])
def test_weeks_of_clock_changes_hold_their_own_first_and_last_minute(brand, promise, schedule, monday):
    at = datetime.combine(monday - timedelta(days=3), time(12), UTC)
    promise(2, starts_on=monday, at=at)
    sunday = datetime.combine(monday + timedelta(days=6), time(23, 59))
    for wall in (datetime.combine(monday, time()), sunday, sunday + timedelta(minutes=1)):
        schedule(wall, at)
    weeks = rhythm.ahead(brand, at=at).outlooks[0].weeks
    assert [(week.monday, week.planned) for week in weeks[:2]] == [(monday, 2), (monday + timedelta(days=7), 1)]


def test_what_makes_no_sense_is_not_promised(promise):
    with pytest.raises(ValidationError):
        promise(0)
    with pytest.raises(Problem):
        promise(None, *[(day, hour) for day in range(7) for hour in range(15)])
    assert (Promise.objects.count(), Slot.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_many_who_queue_at_once_get_a_slot_each(promise, write, alba):
    if connection.vendor == "sqlite" and "memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("SQLite in memory answers a second writer at once with an error; in a file it lets it wait")
    promise(None, (1, 9), (3, 9))
    posts, start = [write(f"Pan {number}") for number in range(6)], Barrier(6)

    def enqueue(post: Post) -> datetime:
        start.wait(10)
        try:
            return rhythm.enqueue(post=post, by=alba, at=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        walls = sorted(pool.map(enqueue, posts))
    days = [datetime(2026, 11, 24, 9) + timedelta(days=n) for n in (0, 2, 7, 9, 14, 16)]
    assert walls == days
    assert {one.state for one in queries.standings(posts).values()} == {"scheduled"}


# The best hours.


@pytest.fixture
def known(board):
    """`known((3, 9), (1, 18))`: the best hours of an account, from the best on."""

    def keep(*hours: tuple[int, int], account=None) -> None:
        for place, (weekday, hour) in enumerate(hours):
            BestHour.objects.create(account=account or board, weekday=weekday, hour=hour, place=place)

    return keep


def places(brand, week: int = 1) -> list[tuple[int, time | None, bool]]:
    """The holes of a week, this one being 0."""
    ahead = rhythm.ahead(brand, at=NOON)
    return sorted(
        ((hole.on.weekday(), hole.time, hole.is_best) for hole in ahead.outlooks[0].weeks[week].holes),
        key=lambda hole: hole[0],
    )


def test_holes_take_slots_in_the_best_hours_first_and_others_in_their_order(brand, promise, known):
    promise(2, (0, 9), (2, 9), (2, 18), (4, 9), (6, 9))
    assert places(brand) == [(2, time(9), False), (6, time(9), False)]
    known((2, 18), (5, 12))
    assert places(brand) == [(2, time(18), True), (4, time(9), False)]
    promise(1, (0, 9), (2, 9), (2, 18))
    assert places(brand) == [(2, time(18), True)]


def test_without_slots_holes_stand_at_the_best_hours_once_these_are_known(brand, promise, known, board, write, alba):
    promise(3)
    assert [at for _day, at, _best in places(brand)] == [None] * 3
    assert rhythm.ahead(brand, at=NOON).unknown == [board]
    known((3, 9), (1, 18))
    found = places(brand)
    assert [one for one in found if one[2]] == [(1, time(18), True), (3, time(9), True)]
    assert [at for _day, at, is_best in found if not is_best] == [None]
    assert rhythm.ahead(brand, at=NOON).unknown == []
    post, wall = write(), datetime(2026, 12, 3, 9)
    with pytest.raises(Problem):
        rhythm.enqueue(post=post, by=alba, at=NOON)
    assert rhythm.enqueue(post=post, by=alba, at=NOON, wall=wall) == wall
    with pytest.raises(Problem):
        rhythm.enqueue(post=write(), by=alba, at=NOON, wall=wall)


def test_the_queue_prefers_a_best_hour_within_a_week_and_else_takes_the_next(promise, write, known, alba):
    promise(None, (1, 9), (3, 9), (5, 9))
    known((3, 9))
    walls = [rhythm.enqueue(post=write(f"Pan {n}"), by=alba, at=NOON) for n in range(4)]
    assert walls == [datetime(2026, 11, 26, 9), datetime(2026, 11, 24, 9), datetime(2026, 12, 3, 9),
                     datetime(2026, 11, 28, 9)]  # fmt: skip


def test_of_two_accounts_the_queue_takes_the_hour_that_is_best_for_both(brand, promise, write, known, board, alba):
    other = Account.objects.create(brand=brand, kind="manual", name="Otro", created_at=NOON)
    for account in (board, other):
        promise(None, (1, 9), (3, 9), (5, 9), account=account)
    known((3, 9), (5, 9))
    known((5, 9), account=other)
    assert rhythm.enqueue(post=write("Pan", board, other), by=alba, at=NOON) == datetime(2026, 11, 28, 9)


def test_best_hours_are_learnt_from_the_posts_of_each_account_and_forgotten_when_they_no_longer_hold(brand, board):
    few = Account.objects.create(brand=brand, kind="manual", name="Pocas", created_at=NOON)
    for n in range(60):
        for account in (board, few)[: 1 + (n < 10)]:
            moment = datetime(2026, 8, 3, 7 + n % 4, tzinfo=UTC) + timedelta(weeks=n // 4)
            post = RemotePost.objects.create(account=account, remote_id=f"{account.pk}-{n}", published_at=moment)
            likes = 90 if n % 4 == 2 else 9 + n % 3
            reactions.keep(post=post, values={"likes": likes}, at=moment + timedelta(hours=25), how="hand")
    for _twice in range(2):
        rhythm.learn_hours(at=NOON)
        found = list(BestHour.objects.values_list("account", "weekday", "hour", "place"))
        assert found == [(board.pk, 0, 11, 0)]
    PostMetric.objects.filter(name="likes").update(value=5)
    rhythm.learn_hours(at=NOON)
    assert not BestHour.objects.exists()
    assert "publishing.best_hours" in jobs.periodics
