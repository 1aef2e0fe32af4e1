"""The rhythm as people meet it: a grid of slots, holes on the calendar, a button that puts a post into the queue."""

from datetime import date, time, timedelta

import pytest
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE, ONE_O_CLOCK, deliveries, state
from time_machine import travel

from conftest import NOON
from tertulia.channels.models import Account
from tertulia.core.models import Activity
from tertulia.publishing import actions, approval, best_hours, rhythm
from tertulia.publishing.models import ApprovalRule, BestHour, Post, Promise, Slot
from tertulia.publishing.saying import Piece, Wanted

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def board(brand) -> Account:
    return Account.objects.create(brand=brand, kind="manual", name="Tablón", created_at=NOON)


@pytest.fixture
def home(brand) -> str:
    return f"/b/{brand.slug}/posts/"


@pytest.fixture
def promised(board, alba):
    slots = frozenset({(1, time(9)), (3, time(9))})
    rhythm.settle(account=board, rhythm=rhythm.Rhythm(2, date(2026, 11, 23), [], slots), by=alba, at=NOON)


def draft(brand, alba, board, text: str = "Pan de pueblo") -> Post:
    return actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece(text)], versions={board.pk: Wanted()})


def test_the_grid_is_kept_as_it_was_marked_and_a_time_without_days_goes_away(board, promised, as_alba, home):
    form = {"per_week": 3, "starts_on": "2026-11-30", "weekday": ["0", "4"], "slot": ["4-09:00", "9-09:00", "x"]}
    form |= {"new_time": "18:30", "new_day": ["0", "4"]}
    assert as_alba.post(f"{home}rhythm/{board.pk}/", form).status_code == 302
    assert set(Slot.objects.values_list("weekday", "time")) == {(4, time(9)), (0, time(18, 30)), (4, time(18, 30))}
    promise = Promise.objects.get()
    assert (promise.per_week, promise.starts_on, promise.weekdays) == (3, date(2026, 11, 30), [0, 4])
    assert Activity.objects.filter(type="publishing.rhythm").count() == 2
    page = as_alba.get(f"{home}rhythm/{board.pk}/").content.decode()
    assert page.count(" checked") == 2 + 3


def test_how_late_a_post_may_leave_is_set_where_the_rhythm_is(board, brand, alba, as_alba, home):
    assert 'value="30"' in as_alba.get(f"{home}rhythm/").content.decode()
    assert as_alba.post(f"{home}rhythm/", {"grace_minutes": 0}).status_code == 422
    assert as_alba.post(f"{home}rhythm/", {"grace_minutes": 45}).status_code == 302
    assert 'value="45"' in as_alba.get(f"{home}rhythm/").content.decode()
    assert Activity.objects.get(type="publishing.settings").data["minutes"] == 45
    post = draft(brand, alba, board)
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
    actions.schedule(post=post, by=alba, at=NOON)
    assert deliveries(post)[0].late_at == DUE + timedelta(minutes=45)


def test_a_number_out_of_reason_is_refused_and_what_was_marked_stays_on_the_page(board, as_alba, home):
    answer = as_alba.post(f"{home}rhythm/{board.pk}/", {"per_week": 99, "slot": "4-09:00"})
    assert (answer.status_code, Promise.objects.count(), Slot.objects.count()) == (422, 0, 0)
    assert 'value="4-09:00" checked' in answer.content.decode()


def test_only_managers_change_the_rhythm_and_experts_queue_nothing(brand, alba, board, promised, as_bruno, home):
    post = draft(brand, alba, board)
    assert as_bruno.post(f"{home}rhythm/{board.pk}/", {"per_week": 1}).status_code == 403
    assert as_bruno.post(f"{home}{post.pk}/queue/").status_code == 403
    assert state(post) == "draft"


def test_a_hole_leads_to_the_composer_at_its_time_with_its_account(board, promised, as_alba, home):
    page = as_alba.get(f"{home}?view=week").content.decode()
    address = f"{home}beginning/?on=2026-11-24&amp;time=09:00&amp;account={board.pk}"
    assert f'class="hole" href="{address}"' in page
    written = as_alba.get(address.replace("&amp;", "&")).context["written"]
    assert (written.on, written.time, written.accounts) == ("2026-11-24", "09:00", [board.pk])


def test_a_button_puts_a_post_into_the_queue_and_the_answer_shows_it_and_no_warning(
    brand, alba, board, promised, as_alba, home
):
    first, second = draft(brand, alba, board), draft(brand, alba, board, "Pan de centeno")
    for post in (first, second):
        page = as_alba.post(f"{home}{post.pk}/queue/", {"view": "week", "shown": "2026-11-23"}, **HTMX).content.decode()
    assert [state(post) for post in (first, second)] == ["scheduled", "scheduled"]
    assert "En la cola: jueves, 26 de noviembre, 09:00." in page
    assert "semana del 23 nov." not in page
    assert "Pan de centeno" in page.split('data-day="2026-11-26"')[1].split("</section>")[0]


def test_the_composer_puts_into_the_queue_whatever_time_stands_in_its_fields(board, promised, as_alba, home):
    form = {"text": "Pan", "accounts": [board.pk], "on": "2026-12-24", "time": "13:00", "do": "queue"}
    assert as_alba.post(f"{home}beginning/", form).status_code == 302
    post = Post.objects.get()
    assert (str(post.wall), state(post)) == ("2026-11-24 09:00:00", "scheduled")


def test_the_board_holds_each_post_in_the_column_of_its_state(brand, alba, board, promised, as_alba, home):
    waiting, queued = draft(brand, alba, board, "Espera"), draft(brand, alba, board, "En cola")
    cancelled, asked = draft(brand, alba, board, "Nunca"), draft(brand, alba, board, "Sorteo")
    rule = ApprovalRule(brand=brand, words="sorteo", allows_own=True)
    actions.save_rule(rule=rule, steps=[{"users": [alba]}], by=alba, at=NOON)
    approval.ask(post=asked, by=alba, at=NOON)
    rhythm.enqueue(post=queued, by=alba, at=NOON)
    actions.cancel(post=cancelled, by=alba, at=NOON)
    columns = {one.key: [entry.id for entry, _when in one.entries] for one in as_alba.get(
        f"{home}?view=board").context["columns"]}  # fmt: skip
    assert columns == {
        "draft": [waiting.pk], "approval": [asked.pk], "scheduled": [queued.pk], "stuck": [], "published": [],
    }  # fmt: skip


def test_slots_are_made_out_of_the_best_hours_by_a_button_and_below_twenty_posts_the_page_says_so(
    board, promised, as_alba, home, monkeypatch
):
    page, english = f"{home}rhythm/{board.pk}/", {"accept-language": "en"}
    html = as_alba.get(page, headers=english).content.decode()
    assert "it takes 20" in html
    assert 'name="add_best"' not in html
    hour = best_hours.Hour(4, 18, 9, 2.0, 1.5, 2.5)
    found = best_hours.BestHours("", 90, timedelta(hours=24), [hour], [hour], {(4, 18): 9})
    monkeypatch.setattr(best_hours, "of", lambda account, at: found)
    assert 'name="add_best"' in as_alba.get(page, headers=english).content.decode()
    kept = {"per_week": 2, "starts_on": "2026-11-23", "slot": ["1-09:00", "3-09:00"]}
    as_alba.post(page, kept | {"add_best": "1"})
    assert set(Slot.objects.values_list("weekday", "time")) == {(1, time(9)), (3, time(9)), (4, time(18))}
    assert 'name="add_best"' not in as_alba.get(page, headers=english).content.decode()


def test_a_proposal_says_when_it_stands_in_a_best_hour_and_when_none_is_known(board, promised, as_alba, home):
    english = {"accept-language": "en"}
    assert "Best hours aren't known yet" in as_alba.get(home, headers=english).content.decode()
    BestHour.objects.create(account=board, weekday=3, hour=9, place=0)
    html = as_alba.get(home, headers=english).content.decode()
    assert "one of its best hours" in html
    assert "known yet" not in html
