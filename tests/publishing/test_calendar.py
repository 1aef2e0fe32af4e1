"""The calendar: every post on its day, moved by a form, by a key or by the mouse, all the same act."""

import re
from datetime import datetime, time, timedelta

import pytest
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE, state
from time_machine import travel

from conftest import NOON
from tertulia.channels.models import Account, Delivery
from tertulia.publishing import actions
from tertulia.publishing.models import Post
from tertulia.publishing.saying import Piece, Wanted

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def home(brand) -> str:
    return f"/b/{brand.slug}/posts/"


@pytest.fixture
def planned(brand, alba):
    def plan(text: str, wall: datetime, zone: str = "") -> Post:
        post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece(text)])
        actions.plan(post=post, wall=wall, zone=zone, by=alba, at=NOON)
        return post

    return plan


def on_day(page: str, day: str) -> str:
    """What the calendar shows of one day."""
    return page.split(f'data-day="{day}"')[1].split("</section>")[0]


def test_a_post_stands_on_the_day_it_is_in_the_brands_zone(planned, as_alba, home):
    planned("Pan de Tokio", datetime(2026, 11, 25, 7, 30), "Asia/Tokyo")
    page = as_alba.get(f"{home}?on=2026-11-01").content.decode()
    assert "Pan de Tokio" in on_day(page, "2026-11-24")
    assert "23:30" in on_day(page, "2026-11-24")
    assert "07:30 Asia/Tokyo" in on_day(page, "2026-11-24")


def test_days_of_clock_changes_hold_their_own_posts(planned, as_alba, home):
    for day in (24, 25, 26):
        planned(f"Pan del {day}", datetime(2026, 10, day, 23, 59))
    page = as_alba.get(f"{home}?view=week&on=2026-10-25").content.decode()
    assert "Pan del 24" in on_day(page, "2026-10-24")
    assert "Pan del 25" in on_day(page, "2026-10-25")
    assert "Pan del 26" not in page


@pytest.mark.parametrize("view", ["month", "week", "list", "board"])
def test_a_time_says_its_day_and_zone_on_hover(planned, as_alba, home, view):
    planned("Pan", datetime(2026, 11, 24, 9))
    page = as_alba.get(f"{home}?view={view}&on=2026-11-23").content.decode()
    assert re.findall(r'<time title="([^"]*)', page) == ["martes, 24 de noviembre de 2026, 09:00 (Europe/Madrid)"]


def test_days_that_are_over_are_marked_for_the_phone_and_can_be_opened(planned, as_alba, home):
    planned("Pan", datetime(2026, 11, 24, 9))
    page = as_alba.get(home).content.decode()
    today = page.index("data-today")
    assert page.count("data-past") == page[:today].count("data-past") > 0
    assert 'data-earlier aria-expanded="false"' in page


def test_a_full_day_says_how_many_more_and_the_list_shows_them_all(planned, as_alba, home):
    for minute in range(7):
        planned(f"Pan {minute}", datetime(2026, 11, 24, 9, minute))
    day = on_day(as_alba.get(home).content.decode(), "2026-11-24")
    assert (day.count("entry__title"), "+ 3 " in day) == (4, True)
    page = as_alba.get(f"{home}?view=list&on=2026-11-24").content.decode()
    assert page.count('class="line"') == 7


def test_a_long_list_goes_on_where_it_stopped(planned, as_alba, home, monkeypatch):
    monkeypatch.setattr("tertulia.publishing.calendar.A_LIST", 3)
    for number in range(7):
        planned(f"Pan {number}", datetime(2026, 11, 24, 9))
    address, seen = f"{home}?view=list&on=2026-11-24", []
    while address:
        page = as_alba.get(address)
        seen += [entry.title for day in page.context["days"] for entry in day.entries]
        address = page.context["later"]
    assert seen == [f"Pan {number}" for number in range(7)]


def test_the_calendar_asks_as_often_for_many_posts_as_for_one(
    planned, as_alba, home, django_assert_max_num_queries
):  # fmt: skip
    for day in range(1, 29):
        for hour in range(3):
            planned("Pan", datetime(2026, 11, day, 9 + hour))
    with django_assert_max_num_queries(17):
        as_alba.get(home)


def test_a_form_moves_a_post_and_keeps_its_hour_in_its_own_zone(planned, as_alba, home):
    post = planned("Pan", datetime(2026, 11, 24, 7, 30), "Asia/Tokyo")
    as_alba.post(f"{home}{post.pk}/time/", {"on": "2026-11-27"})
    post.refresh_from_db()
    assert (post.wall, post.zone) == (datetime(2026, 11, 27, 7, 30), "Asia/Tokyo")


def test_dropping_a_scheduled_post_on_another_day_moves_its_delivery(network, account_of, post_on, as_alba, home):
    post = post_on(account_of())
    moved = {"on": "2026-11-25", "view": "week", "shown": "2026-11-23"}
    page = as_alba.post(f"{home}{post.pk}/time/", moved, **HTMX).content.decode()
    assert "Pan de pueblo" in on_day(page, "2026-11-25")
    assert Delivery.objects.get().due_at == DUE + timedelta(days=2)
    assert state(post) == "scheduled"


def test_what_stands_in_the_way_stops_a_move_and_what_comes_with_the_new_hour_is_told(
    network, account_of, post_on, as_alba, home
):  # fmt: skip
    post, night = post_on(account := account_of(), texts=("Mira http://horno",)), {"on": "2026-11-25", "time": "03:00"}
    page = as_alba.post(f"{home}{post.pk}/time/", {**night, "view": "month"}, **HTMX).content.decode()
    assert "Sale a las 03:00 donde está la marca" in page
    assert "Este enlace parece roto" not in page  # as it was before
    moved = Delivery.objects.get().due_at
    Account.objects.filter(pk=account.pk).update(state="paused")
    page = as_alba.post(f"{home}{post.pk}/time/", {"on": "2026-11-26", "view": "month"}, **HTMX).content.decode()
    assert "Estos canales están en pausa: fake-keyed" in page
    assert (Delivery.objects.get().due_at, state(post)) == (moved, "scheduled")


def test_what_is_scheduled_is_not_moved_into_the_past(network, account_of, post_on, as_alba, home):
    post = post_on(account_of())
    page = as_alba.post(f"{home}{post.pk}/time/", {"on": "2026-11-20", "view": "month"}, **HTMX).content.decode()
    assert "Elige un momento que aún no haya pasado." in page
    assert Delivery.objects.get().due_at == DUE


def test_a_missed_post_asks_and_takes_any_of_three_answers(network, account_of, post_on, go_on, as_alba, home):
    later, now, never = (post_on(account_of(name=name), texts=(name,)) for name in ("Luego", "Ahora", "Nunca"))
    go_on(DUE + timedelta(hours=2), minutes=1)
    page = as_alba.get(home).content.decode()
    assert page.count("Publicar ahora") == 3
    with travel(DUE + timedelta(hours=2, minutes=2), tick=False):
        as_alba.post(f"{home}{later.pk}/time/", {"on": "2026-11-24", "time": "13:00"})
        as_alba.post(f"{home}deliveries/{Delivery.objects.get(account__name='Ahora').pk}/retry/")
        as_alba.post(f"{home}{never.pk}/cancellation/")
    go_on(DUE + timedelta(hours=2, minutes=3), minutes=1)
    assert [one["text"] for one in network.posts] == ["Ahora"]
    assert [state(post) for post in (later, now, never)] == ["scheduled", "published", "cancelled"]


def test_who_may_only_write_gives_a_missed_post_no_new_time(network, account_of, post_on, go_on, as_bruno, home):
    post = post_on(account_of())
    go_on(DUE + timedelta(hours=2), minutes=1)
    assert as_bruno.post(f"{home}{post.pk}/time/", {"on": "2026-11-25"}).status_code == 403
    assert state(post) == "missed"


def test_another_brand_sees_none_of_it(planned, as_carla, other_brand, home):
    post = planned("Pan secreto", datetime(2026, 11, 24, 9))
    for view in ("month", "week", "list"):
        page = as_carla.get(f"/b/{other_brand.slug}/posts/?view={view}&on=2026-11-24&after={post.pk}")
        assert "Pan secreto" not in page.content.decode()
    assert as_carla.post(f"{home}{post.pk}/time/", {"on": "2026-11-25"}).status_code == 404
    post.refresh_from_db()
    assert post.time == time(9)


@pytest.mark.parametrize(
    "asked", ["on=nunca", "on=9999-12-31", "on=0001-01-01", "view=otra", "view=list&after=9e9", "shown=x"]
)
def test_odd_questions_show_today(as_alba, home, asked):
    assert as_alba.get(f"{home}?{asked}").context["shown"] == "2026-11-23"


def test_a_part_that_failed_is_mended_alone(network, account_of, post_on, go_on, as_alba, home, brand, alba):
    well, ill = account_of(name="Sana"), account_of(name="Enferma")
    post = actions.create(
        brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")], versions={one.pk: Wanted() for one in (well, ill)}
    )
    actions.publish_now(post=post, by=alba, at=NOON)
    Delivery.objects.filter(account=ill).update(state="refused", why="No")
    go_on(NOON, minutes=1)
    page = as_alba.get(f"{home}{post.pk}/").content.decode()
    assert page.count("Probar otra vez aquí") == 1
    as_alba.post(f"{home}deliveries/{Delivery.objects.get(account=ill).pk}/retry/")
    go_on(NOON + timedelta(minutes=2), minutes=1)
    assert (len(network.posts), state(post)) == (2, "published")


def test_what_failed_on_one_account_can_be_written_anew_for_it_and_the_other_keeps_what_it_has(
    network, account_of, go_on, as_alba, home, brand, alba
):
    well, ill = account_of(name="Sana"), account_of(name="Enferma")
    post = actions.create(
        brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")], versions={one.pk: Wanted() for one in (well, ill)}
    )
    actions.publish_now(post=post, by=alba, at=NOON + timedelta(seconds=5))
    Delivery.objects.filter(account=ill).update(state="refused", why="No")
    go_on(NOON, minutes=1)
    assert f"{home}{post.pk}/text/" in as_alba.get(f"{home}{post.pk}/").content.decode()
    form = {
        "text": "Pan", "accounts": [well.pk, ill.pk], "own": [ill.pk], f"text.{ill.pk}": "Pan bueno", "seen": 1,
        "on": "2026-11-23", "time": "12:00",
    }  # fmt: skip
    assert as_alba.post(f"{home}{post.pk}/text/", form).status_code == 302
    as_alba.post(f"{home}deliveries/{Delivery.objects.get(account=ill).pk}/retry/")
    go_on(NOON + timedelta(minutes=2), minutes=1)
    assert [one["text"] for one in network.posts] == ["Pan", "Pan bueno"]


def test_only_what_is_out_can_be_deleted_everywhere(network, account_of, post_on, go_on, as_alba, home):
    post = post_on(account_of())
    assert "deletion/" not in as_alba.get(f"{home}{post.pk}/").content.decode()
    go_on(DUE, minutes=1)
    assert "deletion/" in as_alba.get(f"{home}{post.pk}/").content.decode()
    as_alba.post(f"{home}{post.pk}/deletion/")
    go_on(DUE + timedelta(minutes=2), minutes=1)
    assert (state(post), "deletion/" in as_alba.get(f"{home}{post.pk}/").content.decode()) == ("deleted", False)
