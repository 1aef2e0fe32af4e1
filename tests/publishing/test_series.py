"""Posts that come back: which days a rule means, on which moments they leave, and what is left to people."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publishing_cast import *  # noqa: F403
from publishing_cast import deliveries, state
from time_machine import travel

from conftest import NOON, person
from tertulia.core import jobs
from tertulia.core.models import Activity
from tertulia.publishing import actions, evergreen, library, series
from tertulia.publishing.models import ApprovalRequest, ApprovalRule, Evergreen, Occurrence, Post, Series
from tertulia.publishing.problems import Problem, TooLate
from tertulia.publishing.saying import Piece, Shown, Wanted
from tertulia.publishing.series import Rule
from tertulia.strategy.models import Campaign
from tertulia.team.models import Membership, Notification
from tertulia.team.permissions import Role

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def rule(**said) -> Rule:
    fixed = {"time": time(9), "zone": "Europe/Madrid", "starts_on": date(2026, 11, 24), "weekdays": [1]}
    return Rule(**{**fixed, **said})


def on(*of: Series) -> list[str]:
    made = Occurrence.objects.filter(series__in=of, post__isnull=False).order_by("on")
    return [f"{one.on:%m-%d}" for one in made]


@given(
    start=DAYS, unit=st.sampled_from(Series.Unit.values), every=st.integers(1, 30), month_day=st.integers(1, 31),
    weekdays=st.sets(st.integers(0, 6)), most=st.none() | st.integers(1, 50), length=st.integers(0, 900),
)  # fmt: skip
def test_a_rule_means_days_in_order_from_its_first_and_each_once(
    start, unit, every, month_day, weekdays, most, length
):  # fmt: skip
    said = rule(
        starts_on=start, unit=unit, every=every, month_day=month_day, weekdays=sorted(weekdays), most=most
    )  # fmt: skip
    until = start + timedelta(days=length)
    found = list(series.days(said, until))
    days = [day for _number, day in found]
    assert [number for number, _day in found] == list(range(len(found)))
    assert days == sorted(set(days))
    assert all(start <= day <= until for day in days)
    assert not most or len(days) <= most
    if unit == "day":
        assert all((day - start).days % every == 0 for day in days)
    elif unit == "week":
        assert {day.weekday() for day in days} <= (weekdays or {start.weekday()})
        monday = start - timedelta(days=start.weekday())
        assert all((day - monday).days // 7 % every == 0 for day in days)
    else:
        assert all(day.day == min(month_day, monthrange(day.year, day.month)[1]) for day in days)
        assert all((day.year * 12 + day.month - start.year * 12 - start.month) % every == 0 for day in days)


def test_the_last_day_of_a_month_is_its_last_in_leap_years_too():
    said = rule(unit="month", month_day=31, starts_on=date(2028, 1, 31))
    assert [f"{day:%m-%d}" for _n, day in series.days(said, date(2028, 4, 30))] == ["01-31", "02-29", "03-31", "04-30"]


def test_a_rule_ends_with_the_calendar():
    assert [day for _n, day in series.days(rule(starts_on=date(9999, 12, 20)), date.max)][-1] == date(9999, 12, 28)


@pytest.fixture
def model(network, account_of, brand, alba):
    account = account_of()
    return actions.create(
        brand=brand, by=alba, at=NOON, pieces=[Piece("Pan de pueblo")], versions={account.pk: Wanted()}
    )


@pytest.fixture
def begin(brand, alba, model, db):
    def make(*, at=NOON, post=True, by=alba, **said) -> Series:
        return series.begin(brand=brand, post=model if post else None, rule=rule(**said), by=by, at=at)

    return make


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "wall", "first", "moments"),
    [  # the last before the change, the day of it, the first after it
        ("Europe/Madrid", time(2, 30), date(2027, 3, 27), ["03-27 01:30", "03-28 01:00", "03-29 00:30"]),
        ("Europe/Madrid", time(2, 30), date(2027, 10, 30), ["10-30 00:30", "10-31 00:30", "11-01 01:30"]),
        ("Europe/Madrid", time(9), date(2027, 3, 27), ["03-27 08:00", "03-28 07:00", "03-29 07:00"]),
        ("America/Santiago", time(9), date(2027, 4, 3), ["04-03 12:00", "04-04 13:00", "04-05 13:00"]),
        ("America/Santiago", time(9), date(2027, 9, 4), ["09-04 13:00", "09-05 12:00", "09-06 12:00"]),
        ("America/Santiago", time(0, 30), date(2027, 9, 4), ["09-04 04:30", "09-05 04:00", "09-06 03:30"]),
    ],
)
def test_the_time_on_the_wall_stays_when_clocks_change(begin, zone, wall, first, moments):
    at = datetime.combine(first - timedelta(days=2), time(), UTC)
    one = begin(at=at, unit="day", zone=zone, time=wall, starts_on=first, most=3, then="schedule")
    posts = [each.post for each in one.occurrences.select_related("post").order_by("on")]
    assert [f"{post.publish_at:%m-%d %H:%M}" for post in posts] == moments
    assert {(post.time, post.zone) for post in posts} == {(wall, zone)}
    assert [state(post) for post in posts] == ["scheduled"] * 3
    for post in posts:
        assert {row.due_at for row in deliveries(post)} == {post.publish_at}


@pytest.mark.django_db
def test_days_are_laid_out_ahead_as_time_goes_by_and_each_once(begin):
    one = begin(ahead_days=10)
    assert on(one) == ["11-24", "12-01"]
    for day in range(15):
        with travel(NOON + timedelta(days=day), tick=False):
            jobs.tick(at=NOON + timedelta(days=day))
            jobs.run_due(NOON + timedelta(days=day))
            series.lay_out(series=one, at=NOON + timedelta(days=day))
    assert on(one) == ["11-24", "12-01", "12-08", "12-15"]
    assert Post.objects.filter(occurrence__series=one).count() == 4


@pytest.mark.django_db
def test_what_nobody_touched_follows_the_rule_and_what_somebody_touched_stays(begin, alba):
    one = begin(weekdays=[1, 3])
    first, second = (each.post for each in one.occurrences.order_by("on")[:2])
    actions.save(
        post=second, seen=1, by=alba, at=NOON, pieces=[Piece("Pan de otro")],
        versions={version.account_id: Wanted() for version in second.versions.all()},
    )  # fmt: skip
    series.change(series=one, rule=rule(weekdays=[1], time=time(18)), by=alba, at=NOON)
    assert on(one) == ["11-24", "11-26", "12-01", "12-08", "12-15", "12-22"]
    second.refresh_from_db()
    assert (second.time, Post.objects.filter(pk=first.pk).exists()) == (time(9), False)
    others = Post.objects.filter(occurrence__series=one).exclude(pk=second.pk)
    assert {post.time for post in others} == {time(18)}
    assert {ZoneInfo("Europe/Madrid").utcoffset(post.wall) for post in others} == {timedelta(hours=1)}


@pytest.mark.django_db
def test_the_text_of_the_model_is_that_of_the_posts_to_come(begin, model, alba, as_alba, brand):
    one = begin(then="schedule")
    account = model.versions.get().account_id
    text = {"text": "Pan de centeno", "accounts": [account], "seen": 1, "title": "Pan"}
    with travel(NOON, tick=False):
        assert as_alba.post(f"/b/{brand.slug}/posts/{model.pk}/text/", text).status_code == 302
    posts = [each.post for each in one.occurrences.select_related("post")]
    assert {row.post.draft["text"] for post in posts for row in deliveries(post)} == {"Pan de centeno"}
    assert {state(post) for post in posts} == {"scheduled"}


@pytest.mark.django_db
def test_a_day_is_left_out_and_put_in_again(begin, alba):
    one = begin(then="schedule")
    series.skip(series=one, on=date(2026, 12, 1), by=alba, at=NOON)
    series.lay_out(series=one, at=NOON)
    assert on(one) == ["11-24", "12-08", "12-15", "12-22"]
    with pytest.raises(Problem):
        series.skip(series=one, on=date(2026, 12, 2), by=alba, at=NOON)
    series.take_up(series=one, on=date(2026, 12, 1), by=alba, at=NOON)
    assert on(one)[1] == "12-01"


@pytest.mark.django_db
def test_an_ended_series_takes_back_what_nobody_touched(begin, alba):
    one = begin(then="schedule")
    kept = one.occurrences.order_by("on")[1].post
    actions.plan(post=kept, wall=datetime(2026, 12, 1, 17), by=alba, at=NOON)
    series.end(series=one, by=alba, at=NOON)
    series.lay_out(series=one, at=NOON)
    assert [post.pk for post in Post.objects.filter(publish_at__isnull=False)] == [kept.pk]
    with pytest.raises(TooLate):
        series.change(series=one, rule=rule(), by=alba, at=NOON)


@pytest.mark.django_db
def test_wordings_are_taken_in_turn(begin):
    one = begin(texts=["Pan de hoy", "Pan de siempre"])
    said = [each.post.parts.get().text for each in one.occurrences.select_related("post").order_by("on")]
    assert said == ["Pan de pueblo", "Pan de hoy", "Pan de siempre", "Pan de pueblo", "Pan de hoy"]


@pytest.mark.django_db
def test_whoever_may_not_publish_any_more_leaves_drafts_and_the_reason(begin, brand):
    gone = person("Gala", brand, Role.MANAGER)
    one = begin(then="schedule", by=gone, ahead_days=3)
    Membership.objects.filter(user=gone).update(role=Role.EXPERT)
    series.lay_out(series=one, at=NOON + timedelta(days=7))
    later = one.occurrences.order_by("-on").first()
    assert (state(later.post), "publicar" in later.why) == ("draft", True)


@pytest.mark.django_db
def test_what_a_network_would_not_take_is_a_draft_with_the_reason(begin, alba):
    one = begin(then="schedule", texts=["n" * 301])
    short, long = one.occurrences.select_related("post").order_by("on")[:2]
    assert (state(short.post), short.why) == ("scheduled", "")
    assert (state(long.post), "301" in long.why) == ("draft", True)


@pytest.mark.django_db
def test_rights_of_pictures_and_the_end_of_a_campaign_are_kept(begin, model, alba, brand, picture):
    library.describe(media=picture, by=alba, at=NOON, alt="Pan", rights_until=date(2026, 12, 5))
    account = model.versions.get().account_id
    actions.save(
        post=model, seen=1, by=alba, at=NOON, versions={account: Wanted()},
        pieces=[Piece("Pan", pictures=(Shown(picture.pk),))],
    )  # fmt: skip
    campaign = Campaign.objects.create(
        brand=brand, name="Navidad", tag="navidad", ends_on=date(2026, 12, 10), created_by_id=alba.pk, created_at=NOON
    )
    Post.objects.filter(pk=model.pk).update(campaign=campaign)
    model.refresh_from_db()
    one = begin(then="schedule")
    assert on(one) == ["11-24", "12-01", "12-08"]
    assert [state(each.post) for each in one.occurrences.order_by("on")] == ["scheduled", "scheduled", "draft"]
    assert "05/12/2026" in one.occurrences.order_by("on").last().why
    assert {each.post.campaign_id for each in one.occurrences.all()} == {campaign.pk}


@pytest.mark.django_db
def test_a_post_with_a_day_stands_for_that_day_and_is_never_taken_back(model, alba, brand):
    actions.plan(post=model, wall=datetime(2026, 12, 1, 20), by=alba, at=NOON)
    model.refresh_from_db()
    one = series.begin(brand=brand, post=model, rule=rule(), by=alba, at=NOON)
    assert one.model_id != model.pk
    assert (on(one)[1], one.occurrences.get(on=date(2026, 12, 1)).post) == ("12-01", model)
    assert Post.objects.filter(on=date(2026, 12, 1)).count() == 1
    series.end(series=one, by=alba, at=NOON)
    assert list(Post.objects.filter(publish_at__isnull=False)) == [model]


@pytest.mark.django_db
def test_a_model_is_never_published_itself(begin, model, alba):
    begin()
    with pytest.raises(Problem):
        actions.publish_now(post=model, by=alba, at=NOON)
    with pytest.raises(Problem):
        series.begin(brand=model.brand, post=model, rule=rule(), by=alba, at=NOON)


@pytest.mark.django_db
def test_a_text_that_does_not_age_rests_whatever_is_asked_first(model, alba, brand):
    one = evergreen.add(post=model, by=alba, at=NOON, rest_days=10, most=3)

    def repeat(day: int, month: int = 12) -> Post:
        wall = datetime(2026, month, day, 9)
        return evergreen.repeat(evergreen=one, wall=wall, by=alba, at=NOON, schedules=True)

    assert state(repeat(15)) == "scheduled"
    for near in (6, 15, 24):
        with pytest.raises(evergreen.Resting):
            repeat(near)
    cancelled = repeat(5)
    actions.cancel(post=cancelled, by=alba, at=NOON)
    repeat(25)
    repeat(4)
    with pytest.raises(evergreen.Resting, match=r"often|veces"):
        repeat(1)
    assert len(evergreen.pool(brand)[0].days) == 3


@given(
    asked=st.lists(st.integers(1, 120), min_size=1, max_size=40), rest=st.integers(1, 30)
)  # fmt: skip
def test_two_uses_are_never_nearer_than_the_rest(asked, rest):
    first = date(2026, 12, 1)
    used: list[date] = []
    one = Evergreen(rest_days=rest, model=Post())
    for day in asked:
        on = first + timedelta(days=day)
        if not evergreen.Pooled(one, tuple(used)).why_not(on):
            used.append(on)
    used.sort()
    assert all((later - earlier).days >= rest for earlier, later in zip(used, used[1:], strict=False))


@pytest.mark.django_db
def test_free_days_are_filled_with_what_has_rested_longest(begin, brand, alba, account_of):
    versions = {account_of(name="Otra").pk: Wanted()}
    for text in ("Uno", "Dos"):
        post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece(text)], versions=versions)
        evergreen.add(post=post, by=alba, at=NOON, rest_days=3)
    busy = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Feria")])
    actions.plan(post=busy, wall=datetime(2026, 11, 25, 12), by=alba, at=NOON)
    one = begin(post=False, unit="day", ahead_days=5, starts_on=date(2026, 11, 24))
    made = [(f"{each.on:%d}", each.post and each.post.title) for each in one.occurrences.order_by("on")]
    assert made == [("24", "Uno"), ("25", None), ("26", "Dos"), ("27", "Uno"), ("28", None)]
    actions.cancel(post=busy, by=alba, at=NOON)
    series.lay_out(series=one, at=NOON)
    assert one.occurrences.get(on=date(2026, 11, 25)).post is None  # "Uno" rests, and so does "Dos"


@pytest.mark.django_db
def test_a_series_is_begun_and_changed_on_its_page(model, as_alba, as_bruno, brand):
    home = f"/b/{brand.slug}/posts/series/"
    form = {
        "every": 1, "unit": "week", "weekdays": [1], "month_day": 1, "time": "09:00", "zone": "Europe/Madrid",
        "starts_on": "2026-11-24", "ahead_days": 30, "then": "schedule", "texts": "Otro pan\r\n---\r\nY otro",
    }  # fmt: skip
    with travel(NOON, tick=False):
        assert as_bruno.post(f"{home}beginning/?post={model.pk}", form).status_code == 422
        assert as_alba.post(f"{home}beginning/?post={model.pk}", form).status_code == 302
        one = Series.objects.get()
        assert one.texts == ["Otro pan", "Y otro"]
        page = as_alba.get(f"{home}{one.pk}/").content.decode()
        assert "Cada semana: martes, 09:00 (Europe/Madrid)" in page
        assert as_bruno.post(f"{home}{one.pk}/", form).status_code == 403
        assert as_bruno.post(f"{home}{one.pk}/end/").status_code == 403
        assert as_alba.post(f"{home}{one.pk}/", {**form, "unit": "month", "month_day": 31}).status_code == 302
        assert on(one) == ["11-30"]
        assert as_alba.post(f"{home}{one.pk}/skips/", {"on": "2026-11-30"}).status_code == 302
        assert on(one) == []


def approvers(brand, by, *users, **said) -> None:
    actions.save_rule(rule=ApprovalRule(brand=brand, **said), steps=[{"users": list(users)}], by=by, at=NOON)


@pytest.mark.django_db
def test_days_under_a_rule_are_asked_for_and_leave_once_they_are_approved(begin, brand, alba, bruno, as_alba):
    approvers(brand, alba, bruno)
    one = begin(then="schedule", most=2)
    posts = [each.post for each in one.occurrences.order_by("on")]
    assert [state(post) for post in posts] == ["approval", "approval"]
    assert {request.asked_by_id for request in ApprovalRequest.objects.all()} == {alba.pk}
    assert not Activity.objects.filter(type="series.stuck").exists()
    page = as_alba.get(f"/b/{brand.slug}/posts/series/{one.pk}/").content.decode()
    assert page.count("Se ha pedido que la aprueben") == 2
    assert "cambiada a mano" not in page
    request = ApprovalRequest.objects.get(post=posts[0])
    actions.approve(request=request, is_approved=True, by=bruno, at=NOON)
    assert [state(post) for post in posts] == ["scheduled", "approval"]
    assert "cambiada a mano" not in as_alba.get(f"/b/{brand.slug}/posts/series/{one.pk}/").content.decode()


@pytest.mark.django_db
def test_a_new_text_of_the_model_is_asked_for_anew_and_the_same_one_is_not(begin, model, brand, alba, bruno):
    approvers(brand, alba, bruno)
    one = begin(then="schedule", most=1)
    request = ApprovalRequest.objects.get()
    series.follow(model=model, at=NOON)
    assert [each.pk for each in ApprovalRequest.objects.all()] == [request.pk]
    versions = {each.account_id: Wanted() for each in model.versions.all()}
    model = actions.save(
        post=model, seen=model.revision, by=alba, at=NOON, pieces=[Piece("Pan de centeno")], versions=versions
    )
    series.follow(model=model, at=NOON)
    post = one.occurrences.get().post
    assert (post.pk, state(post)) == (request.post_id, "approval")
    assert [(each.outcome, each.revision) for each in ApprovalRequest.objects.order_by("pk")] == [
        ("overtaken", 1), ("", 2),
    ]  # fmt: skip


@pytest.mark.django_db
def test_days_that_fall_under_no_rule_any_more_leave_by_themselves(begin, model, brand, alba, bruno):
    approvers(brand, alba, bruno, words="pueblo")
    one = begin(then="schedule", most=2)
    request = ApprovalRequest.objects.order_by("pk")[0]
    actions.approve(request=request, is_approved=True, by=bruno, at=NOON)
    versions = {each.account_id: Wanted() for each in model.versions.all()}
    model = actions.save(
        post=model, seen=model.revision, by=alba, at=NOON, pieces=[Piece("Pan de centeno")], versions=versions
    )
    series.follow(model=model, at=NOON)
    found = [(state(each.post), each.is_scheduled, each.why) for each in one.occurrences.select_related("post")]
    assert found == [("scheduled", True, "")] * 2
    assert not any(series.is_touched(each) for each in one.occurrences.select_related("post"))


@pytest.mark.django_db
def test_who_set_a_series_up_hears_once_of_a_day_that_does_not_leave(begin, brand, alba):
    with travel(NOON, tick=False):
        one = begin(then="schedule", texts=["n" * 301], most=2)
    series.lay_out(series=one, at=NOON + timedelta(hours=1))
    jobs.run_due(NOON + timedelta(hours=2))
    (line,) = Activity.objects.filter(type="series.stuck")
    assert (line.data["day"], "301" in line.data["why"]) == ("2026-12-01", True)
    told = Notification.objects.get(user=alba)
    assert told.url == f"/b/{brand.slug}/posts/series/{one.pk}/"


@pytest.mark.django_db
def test_a_day_that_has_no_post_is_told_once_however_often_it_is_tried(begin, model, brand, alba, monkeypatch):
    def fails(*args, **said):
        raise Problem("No va.")

    monkeypatch.setattr(series, "_written", fails)
    one = begin(most=1)
    series.lay_out(series=one, at=NOON + timedelta(hours=1))
    assert Activity.objects.filter(type="series.stuck").count() == 1
    pool = begin(post=False, most=1)
    assert (pool.occurrences.get().why, Activity.objects.filter(type="series.stuck").count()) == ("No va.", 1)


@pytest.mark.django_db
def test_a_series_leaves_by_itself_once_somebody_has_seen_what_is_amiss_with_its_text(
    network, account_of, as_alba, alba, brand
):
    account = account_of()
    post = actions.create(
        brand=brand, by=alba, at=NOON, pieces=[Piece("Pan de http://horno")], versions={account.pk: Wanted()}
    )
    address = f"/b/{brand.slug}/posts/series/beginning/?post={post.pk}"
    form = {
        "every": "1", "unit": "week", "month_day": "1", "time": "09:00", "zone": "Europe/Madrid",
        "starts_on": "2026-11-24", "ahead_days": "30", "then": "schedule",
    }  # fmt: skip
    with travel(NOON, tick=False):
        answer = as_alba.post(address, form)
        page = answer.content.decode()
        assert (answer.status_code, Series.objects.count(), "http://horno" in page) == (422, 0, True)
        known = page.split('name="known" value="')[1].split('"')[0]
        assert as_alba.post(address, {**form, "known": known}).status_code == 302
    assert Series.objects.get().occurrences.filter(is_scheduled=True).exists()
