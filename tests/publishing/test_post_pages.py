"""The plain pages: from a form to a post that has left."""

import re
from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE, state
from time_machine import travel

from conftest import NOON
from tertulia.publishing import actions, leaving
from tertulia.publishing.models import ApprovalRequest, ApprovalRule, Post, Slot, Stop
from tertulia.publishing.saying import Piece, Wanted
from tertulia.team.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


def test_a_post_is_begun_scheduled_and_leaves(network, account_of, as_alba, brand, go_on):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    as_alba.post(f"{home}beginning/", {"text": "Pan de pueblo\r\n---\r\nY de centeno", "accounts": [account.pk]})
    post = Post.objects.get()
    assert as_alba.get(home).status_code == 200
    as_alba.post(f"{home}{post.pk}/schedule/", {"on": "2026-11-23", "time": "13:00"})
    post.refresh_from_db()
    assert (post.wall, post.publish_at, state(post)) == (datetime(2026, 11, 23, 13, 0), DUE, "scheduled")
    go_on(DUE, minutes=1)
    assert [one["text"] for one in network.posts] == ["Pan de pueblo", "Y de centeno"]
    page = as_alba.get(f"{home}{post.pk}/").content.decode()
    assert "https://fake.example/p0" in page


def test_what_is_scheduled_is_offered_another_time_and_not_to_be_scheduled_again(account_of, post_on, as_alba, brand):
    page = as_alba.get(f"/b/{brand.slug}/posts/{post_on(account_of()).pk}/").content.decode()
    assert "Cambiar la hora" in page
    assert "/schedule/" not in page
    assert "en cola" not in page


def test_every_tab_of_publishing_keeps_the_tabs(as_alba, brand):
    home = as_alba.get(f"/b/{brand.slug}/posts/").content.decode()
    tabs = re.findall(
        r'href="([^"]+)"', home[home.index('class="tabs"') : home.index("</nav>", home.index('class="tabs"'))]
    )
    assert len(tabs) == 8
    for tab in tabs:
        page = as_alba.get(tab).content.decode()
        assert f'href="{tab}" aria-current="page"' in page[page.index('class="tabs"') :]


def test_what_does_not_work_is_said_and_nothing_is_lost(network, account_of, as_alba, brand):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    as_alba.post(f"{home}beginning/", {"text": "n" * 301, "accounts": [account.pk]})
    post = Post.objects.get()
    page = as_alba.post(f"{home}{post.pk}/publication/", follow=True).content.decode()
    assert "301" in page
    assert "n" * 301 in page
    assert state(post) == "draft"


def test_who_may_write_may_not_publish_and_nobody_sees_another_brands_posts(
    network, account_of, as_alba, as_bruno, as_carla, brand
):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    as_bruno.post(f"{home}beginning/", {"text": "Pan", "accounts": [account.pk]})
    post = Post.objects.get()
    assert as_bruno.post(f"{home}{post.pk}/publication/").status_code == 403
    assert as_carla.get(f"{home}{post.pk}/").status_code == 404
    assert (network.posts, state(post)) == ([], "draft")


def test_the_stop_is_a_button_and_so_is_its_end(network, as_alba, brand):
    home = f"/b/{brand.slug}/posts/"
    as_alba.post(f"{home}stop/", {"because": "Accidente"})
    assert Stop.objects.get().because == "Accidente"
    assert "Accidente" in as_alba.get(home).content.decode()
    as_alba.post(f"{home}stop/removal/")
    assert Stop.objects.count() == 0


def test_whoever_scheduled_it_hears_that_it_was_missed(network, account_of, post_on, go_on, alba, as_alba, brand):
    post = post_on(account_of())
    go_on(DUE.replace(hour=15), minutes=1)
    told = Notification.objects.get(user=alba)
    assert (told.reason, told.url) == ("post", f"/b/{brand.slug}/posts/{post.pk}/")
    assert as_alba.get(told.url).status_code == 200


def test_what_missed_its_time_gets_another_from_the_composer_only_by_who_may_publish(
    network, account_of, post_on, as_alba, as_bruno, brand, go_on
):
    account, late = account_of(), DUE + timedelta(hours=1)
    post = post_on(account)
    go_on(late, minutes=1)
    form = {"text": "Pan de pueblo", "accounts": [account.pk], "seen": 1, "on": "2026-11-23", "time": "16:00"}
    with travel(late, tick=False):
        page = f"/b/{brand.slug}/posts/{post.pk}/text/"
        assert (as_bruno.post(page, form).status_code, state(post)) == (403, "missed")
        assert (as_alba.post(page, form).status_code, state(post)) == (302, "scheduled")


def test_the_page_of_a_post_asks_for_the_rules_of_approval_once(account_of, post_on, as_alba, alba, brand):
    actions.save_rule(rule=ApprovalRule(brand=brand), steps=[{"users": [alba]}], by=alba, at=NOON)
    post = Post.objects.create(brand=brand, zone="Europe/Madrid", created_by_id=1, created_at=NOON, changed_at=NOON)
    with CaptureQueriesContext(connection) as asked:
        assert as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").status_code == 200
    assert sum(f'FROM "{ApprovalRule._meta.db_table}"' in one["sql"] for one in asked) == 1


@pytest.mark.parametrize("on", ["0001-01-01", "9999-12-31"])
def test_a_day_at_the_end_of_time_is_refused_on_both_pages(network, account_of, as_alba, brand, on):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    when = {"on": on, "time": "23:59", "zone": "America/Los_Angeles"}
    form = {"text": "Pan de pueblo", "accounts": [account.pk], **when}
    assert as_alba.post(f"{home}beginning/draft/", form, HTTP_HX_REQUEST="true").status_code == 200
    assert as_alba.post(f"{home}beginning/", form).status_code == 422
    as_alba.post(f"{home}beginning/", {"text": "Pan de pueblo", "accounts": [account.pk]})
    post = Post.objects.get()
    assert as_alba.post(f"{home}{post.pk}/schedule/", when).status_code == 302
    assert (state(post), Post.objects.get().on) == ("draft", None)


BROKEN = "Pan de http://horno"
TOMORROW = {"on": "2026-11-24", "time": "13:00"}


def known_on(page: str) -> str:
    return re.search(r'name="known" value="([^"]*)"', page)[1]


def begun(as_alba, home: str, account, text: str = BROKEN) -> Post:
    as_alba.post(f"{home}beginning/", {"text": text, "accounts": [account.pk]})
    return Post.objects.latest("pk")


@pytest.mark.parametrize(
    ("door", "form"), [("schedule", TOMORROW), ("publication", {}), ("queue", {}), ("queue", TOMORROW)]
)
def test_no_door_lets_a_post_leave_over_what_nobody_has_looked_at(account_of, as_alba, brand, door, form):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    Slot.objects.create(account=account, weekday=1, time=time(13))
    post = begun(as_alba, home, account)
    address = f"{home}{post.pk}/{door}/"
    held = as_alba.post(address, form)
    assert (state(post), Post.objects.get().publish_at) == ("draft", None)
    page = as_alba.get(held["Location"], follow=True).content.decode()
    assert "Este enlace parece roto: http://horno" in page
    assert "Mira esto antes" in page
    as_alba.post(address, {**form, "known": known_on(page)})
    assert state(post) == "scheduled"


def test_what_the_page_of_a_post_tells_is_seen_and_need_not_be_pressed_twice(account_of, as_alba, brand):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    post = begun(as_alba, home, account)
    page = as_alba.get(f"{home}{post.pk}/").content.decode()
    as_alba.post(f"{home}{post.pk}/schedule/", {**TOMORROW, "known": known_on(page)})
    assert state(post) == "scheduled"


def test_a_wished_time_at_night_comes_back_with_its_warning_and_goes_through_then(account_of, as_alba, brand):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    post = begun(as_alba, home, account, "Pan de pueblo")
    night = {"on": "2026-11-24", "time": "03:00"}
    seen = known_on(as_alba.get(f"{home}{post.pk}/").content.decode())
    held = as_alba.post(f"{home}{post.pk}/schedule/", {**night, "known": seen})
    assert state(post) == "draft"
    page = as_alba.get(held["Location"]).content.decode()
    assert ('value="03:00"' in page, 'value="2026-11-24"' in page) == (True, True)
    as_alba.post(f"{home}{post.pk}/schedule/", {**night, "known": known_on(page)})
    assert state(post) == "scheduled"


def test_what_is_drawn_into_a_slot_leads_to_its_page_where_something_is_to_be_looked_at(account_of, as_alba, brand):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    Slot.objects.create(account=account, weekday=1, time=time(13))
    post = begun(as_alba, home, account)
    answer = as_alba.post(f"{home}{post.pk}/queue/", {**TOMORROW, "view": "month"}, HTTP_HX_REQUEST="true")
    assert (answer["HX-Redirect"], state(post)) == (f"{home}{post.pk}/?on=2026-11-24&time=13:00#when", "draft")


def test_asking_for_approval_shows_first_over_what_it_would_leave_by_itself(account_of, as_alba, brand, alba, bruno):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    actions.save_rule(rule=ApprovalRule(brand=brand), steps=[{"users": [bruno]}], by=alba, at=NOON)
    post = begun(as_alba, home, account)
    address = f"{home}{post.pk}/approval/"
    held = as_alba.post(address)
    assert not ApprovalRequest.objects.exists()
    page = as_alba.get(held["Location"]).content.decode()
    assert "Este enlace parece roto: http://horno" in page
    form = page[page.index(f'action="{address}"') :].partition("</form>")[0]
    as_alba.post(address, {"known": known_on(form)})
    assert state(post) == "approval"


def test_what_missed_its_time_gets_no_other_over_what_nobody_has_looked_at(
    network, account_of, post_on, go_on, as_alba, brand
):  # fmt: skip
    post = post_on(account_of(), texts=(BROKEN,))
    go_on(DUE + timedelta(hours=3), minutes=1)
    assert state(post) == "missed"
    address = f"/b/{brand.slug}/posts/{post.pk}/time/"
    held = as_alba.post(address, TOMORROW)
    assert state(post) == "missed"
    page = as_alba.get(held["Location"]).content.decode()
    assert "Mira esto antes" in page
    as_alba.post(address, {**TOMORROW, "known": known_on(page)})
    assert state(post) == "scheduled"


def test_what_a_colleague_changes_while_it_is_looked_at_does_not_leave(account_of, as_alba, brand, alba, monkeypatch):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    post, check = begun(as_alba, home, account, "Pan de pueblo"), leaving.check

    def meanwhile(*given, **said):
        found = check(*given, **said)
        said = {"pieces": [Piece(BROKEN)], "versions": {account.pk: Wanted()}}
        actions.save(post=post, seen=post.revision, by=alba, at=NOON, **said)
        return found

    monkeypatch.setattr(leaving, "check", meanwhile)
    held = as_alba.post(f"{home}{post.pk}/schedule/", TOMORROW)
    monkeypatch.undo()
    assert (state(post), Post.objects.get().publish_at) == ("draft", None)
    assert "Alguien ha cambiado" in as_alba.get(held["Location"]).content.decode()


def test_saving_a_scheduled_post_in_the_composer_asks_as_scheduling_it_did(account_of, post_on, as_alba, brand):
    account = account_of()
    post = post_on(account)
    address = f"/b/{brand.slug}/posts/{post.pk}/text/"
    form = {"text": BROKEN, "accounts": [account.pk], "seen": 1, "on": "2026-11-23", "time": "13:00", "do": "keep"}
    answer = as_alba.post(address, form)
    assert (answer.status_code, Post.objects.get().revision) == (422, 1)
    known = known_on(answer.content.decode())
    assert as_alba.post(address, {**form, "known": known}).status_code == 302
    assert (Post.objects.get().revision, state(post)) == (2, "scheduled")


def test_a_post_of_another_time_zone_is_scheduled_at_the_time_its_page_shows(account_of, as_alba, alba, brand):
    account, home = account_of(), f"/b/{brand.slug}/posts/"
    post = begun(as_alba, home, account, "Pan de pueblo")
    wall = datetime(2026, 11, 24, 13)
    actions.plan(post=post, wall=wall, zone="America/Santiago", by=alba, at=NOON)
    as_alba.post(f"{home}{post.pk}/schedule/", TOMORROW)
    post.refresh_from_db()
    assert (post.wall, post.zone, state(post)) == (wall, "America/Santiago", "scheduled")
