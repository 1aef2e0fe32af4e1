"""What stands on a platform without an API, written down, answered by hand and ticked off."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest

from conftest import NOON
from tertulia.brand.models import OpeningHours
from tertulia.channels.models import Account, Delivery, Identity, Message
from tertulia.connectors.contract import About
from tertulia.core import clock, jobs
from tertulia.core.activity import Activity
from tertulia.flows import outbound, posted, schedule, ticks
from tertulia.flows.names import called
from tertulia.inbox import acting, actions, queries
from tertulia.inbox.models import Conversation, Promise
from tertulia.inbox.queries import Filters
from tertulia.team.models import Notification

pytestmark = pytest.mark.django_db
PAGE = "/b/horno-candela/messages/new/"
POST = "https://www.tiktok.example/@hornocandela/video/7"


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def tiktok(brand) -> Account:
    profile = "https://www.tiktok.example/@hornocandela"
    settings = {"platform": "TikTok", "profile": profile, "openness": "both"}
    return Account.objects.create(brand=brand, kind="manual", name="TikTok", settings=settings, created_at=NOON)


def found(who="@marina", text="¿Lleva almendra?", *, minutes=-10, key="", url=""):
    return posted.Posted(key or str(uuid4()), who, text, NOON + timedelta(minutes=minutes), url)


def note(account, by, *messages, kind="comment", about=None):
    return posted.note(account=account, by=by, at=NOON, kind=kind, messages=messages or [found()], about=about)


def form(account, *blocks, **facts):
    data = {"account": account.pk, "kind": "comment", "post_title": "", "post_url": "", **facts}
    for number, block in enumerate(blocks or [{}]):
        plain = {
            "key": str(uuid4()), "who": "@marina", "happened_at": "2026-11-23T11:50", "url": "", "text": "¿Almendra?",
        }  # fmt: skip
        data |= {f"m{number}-{name}": value for name, value in {**plain, **block}.items()}
    return data


def answered(account, alba, *, minutes=0):
    """A task by hand: the answer has left the undo window, and no program may go on."""
    [conversation] = note(account, alba, found(f"@p{minutes}", minutes=-60))
    at = NOON + timedelta(minutes=minutes)
    delivery = actions.reply(conversation=conversation, text="Sí, lleva.", by=alba, turn=1, at=at)
    outbound.run_due(delivery.due_at)
    delivery.refresh_from_db()
    return delivery


# The same promises, routing and reports as any channel.


def test_what_was_written_there_waits_under_the_same_promise(tiktok, alba, brand):
    Promise.objects.create(brand=brand, first_response_minutes=60, in_business_hours=False)
    [conversation] = note(tiktok, alba, about=About(POST, title="Cómo se hace el roscón", url=POST))
    assert (conversation.member_name, conversation.preview) == ("@marina", "¿Lleva almendra?")
    assert conversation.waiting_since == NOON - timedelta(minutes=10)
    assert conversation.first_response_due_at == NOON + timedelta(minutes=50)
    message = Message.objects.get()
    assert (message.kind, message.direction, message.about["title"]) == ("comment", "in", "Cómo se hace el roscón")
    assert message.author_id is None


def test_who_wrote_it_down_is_told_by_the_feed_once(tiktok, alba):
    one = found()
    assert note(tiktok, alba, one) == note(tiktok, alba, one)
    assert Message.objects.count() == 1
    line = Activity.objects.get(type="message.noted")
    assert (line.by_id, line.data["person"]) == (alba.pk, "@marina")


@pytest.mark.parametrize(
    ("typed", "name", "handle"),
    [
        ("@marina.lee", "", "@marina.lee"),
        ("Marina Lee (@marina.lee)", "Marina Lee", "@marina.lee"),
        ("@marina@foro.example · Marina", "Marina", "@marina@foro.example"),
        ("  Luis   G. ", "Luis G.", ""),
    ],
)
def test_a_name_or_a_handle_or_both_say_who_it_is(typed, name, handle):
    assert called(typed) == (name, handle)


def test_the_same_handle_is_the_same_person_under_every_post(tiktok, alba):
    note(tiktok, alba, found("@Marina"), about=About(POST, url=POST))
    note(tiktok, alba, found("Marina Lee (@marina)"), about=About(f"{POST}8", url=f"{POST}8"))
    note(tiktok, alba, found("marina lee (@MARINA)"), kind="direct")
    assert Identity.objects.count() == 1
    assert Conversation.objects.count() == 3
    assert len(set(Conversation.objects.values_list("member", flat=True))) == 1


def test_one_that_cannot_be_taken_holds_the_others_back(tiktok, alba, site):
    for account, kind in ((site, "comment"), (tiktok, "call")):
        with pytest.raises(posted.CannotNote):
            note(account, alba, kind=kind)
    assert Message.objects.count() == 0


# The page.


def test_the_page_takes_several_at_once_in_the_brands_time(as_alba, tiktok):
    answer = as_alba.post(PAGE, form(tiktok, {}, {"who": "Toni", "text": "Vaya precios"}, post_url=POST))
    assert answer.headers["Location"] == f"/b/horno-candela/inbox/?account={tiktok.pk}"
    assert sorted(Message.objects.values_list("text", flat=True)) == ["Vaya precios", "¿Almendra?"]
    assert {message.sent_at.isoformat() for message in Message.objects.all()} == {"2026-11-23T10:50:00+00:00"}
    assert Message.objects.first().hints == {"post": POST}


def test_handed_in_twice_it_is_taken_once(as_alba, tiktok):
    data = form(tiktok)
    for _ in range(2):
        conversation = as_alba.post(PAGE, data).headers["Location"]
    assert conversation == f"/b/horno-candela/inbox/{Conversation.objects.get().pk}/"
    assert Message.objects.count() == 1


def test_each_block_says_what_is_wrong_with_it_and_nothing_is_lost(as_alba, tiktok):
    data = form(
        tiktok, {}, {"who": "", "text": "Sin nombre"}, {"happened_at": "2026-11-24T09:00", "text": "Mañana"},
        {"url": "javascript:alert(1)", "text": "Raro"}, {"happened_at": "0001-01-01T00:00", "text": "Antiguo"},
    )  # fmt: skip
    answer = as_alba.post(PAGE, data)
    assert answer.status_code == 422
    errors = [set(block.errors) for block in answer.context["forms"]]
    assert errors == [set(), {"who"}, {"happened_at"}, {"url"}, set()]
    html = answer.content.decode()
    assert all(text in html for text in ("¿Almendra?", "Sin nombre", "Mañana", "Raro", "Antiguo"))
    assert Message.objects.count() == 0
    data |= {"m1-who": "Ana", "m2-happened_at": "2026-11-23T09:00", "m3-url": POST}
    assert as_alba.post(PAGE, data).status_code == 302
    assert Message.objects.count() == 5


def test_what_was_pasted_together_is_laid_out_and_nothing_is_kept_yet(as_alba, tiktok):
    pasted = "Marina Lee\n¿Lleva almendra?\n\nToni: Vaya precios.\n\nUn texto sin firma que se entiende igual."
    answer = as_alba.post(PAGE, form(tiktok, {"who": "", "text": pasted}, split=""))
    assert [block["who"].value() for block in answer.context["forms"]] == ["Marina Lee", "Toni", ""]
    keys = {str(block["key"].value()) for block in answer.context["forms"]}
    assert len(keys) == 3
    assert Message.objects.count() == 0


def test_lines_of_dashes_divide_where_there_are_any():
    assert posted.split("Ana\nHola\n\ny adiós\n---\n@toni: Sí\r\n-----\n") == [
        ("Ana", "Hola\n\ny adiós"),
        ("@toni", "Sí"),
    ]
    assert posted.split(" \n ") == []


def test_one_more_keeps_what_is_there(as_alba, tiktok):
    answer = as_alba.post(PAGE, form(tiktok, {"text": "A medias", "who": ""}, more="", post_title="El roscón"))
    assert [block["text"].value() for block in answer.context["forms"]] == ["A medias", ""]
    assert answer.context["where"]["post_title"].value() == "El roscón"


def test_a_block_left_empty_is_no_message(as_alba, tiktok):
    as_alba.post(PAGE, form(tiktok, {}, {"who": "", "text": " "}))
    assert Message.objects.count() == 1
    assert as_alba.post(PAGE, form(tiktok, {"who": "", "text": ""})).status_code == 422


def test_an_account_takes_only_what_comes_in_there(as_alba, tiktok):
    Account.objects.filter(pk=tiktok.pk).update(settings={"openness": "private"})
    other = Account.objects.create(brand=tiktok.brand, kind="manual", name="Foro", created_at=NOON)
    answer = as_alba.post(PAGE, form(tiktok))
    assert set(answer.context["where"].errors) == {"kind"}
    assert as_alba.post(PAGE, form(other)).status_code == 302


def test_another_brands_account_is_none_of_ours(as_alba, tiktok, other_brand, site):
    theirs = Account.objects.create(brand=other_brand, kind="manual", name="Suyo", created_at=NOON)
    for account in (theirs, site):
        assert as_alba.post(PAGE, form(account)).status_code == 422
    assert Message.objects.count() == 0


def test_without_such_an_account_the_page_says_what_to_do(as_alba, brand):
    html = as_alba.get(PAGE, headers={"accept-language": "en"}).content.decode()
    assert "/b/horno-candela/channels/new/" in html
    assert 'data-key="w"' not in as_alba.get("/b/horno-candela/inbox/").content.decode()


def test_the_inbox_leads_to_it_by_one_key(as_alba, tiktok):
    html = as_alba.get(f"/b/horno-candela/inbox/?account={tiktok.pk}").content.decode()
    assert f'data-key="w" href="{PAGE}?account={tiktok.pk}"' in html


def test_the_phone_stays_the_phones(as_alba, tiktok):
    assert as_alba.get("/b/horno-candela/phone/new/").status_code == 404
    phone = Account.objects.create(brand=tiktok.brand, kind="phone", name="Tienda", created_at=NOON)
    assert as_alba.get("/b/horno-candela/phone/new/").status_code == 200
    assert posted.accounts(phone.brand) == [tiktok]


# The answer is a task.


def test_an_answer_becomes_a_task_with_its_text_and_its_place(tiktok, alba):
    delivery = answered(tiktok, alba)
    assert (delivery.state, delivery.task["text"]) == ("by_hand", "Sí, lleva.")
    assert delivery.task["url"] == "https://www.tiktok.example/@hornocandela"
    assert Conversation.objects.get().waiting_since == NOON - timedelta(minutes=60)
    acting.finish_by_hand(delivery=delivery, by=alba, at=NOON, url=f"{POST}/comment/10")
    assert Conversation.objects.get().waiting_since is None
    assert Message.objects.get(direction="out").url == f"{POST}/comment/10"


def test_what_is_to_be_done_by_hand_has_a_view_and_a_counter(tiktok, alba, brand, django_assert_num_queries):
    deliveries = [answered(tiktok, alba, minutes=minutes) for minutes in (3, 1, 2)]
    with django_assert_num_queries(2):
        page = queries.page(brand=brand, user=alba, filters=Filters(view="by_hand"))
    assert [row["member_name"] for row in page.rows] == ["@p1", "@p2", "@p3"]
    assert queries.counters(brand=brand, user=alba).views["by_hand"] == 3
    first = queries.page(brand=brand, user=alba, filters=Filters(view="by_hand"), limit=2)
    rest = queries.page(brand=brand, user=alba, filters=Filters(view="by_hand"), after=first.after, limit=2)
    assert [row["member_name"] for row in rest.rows] == ["@p3"]
    assert rest.after == ""
    acting.finish_by_hand(delivery=deliveries[1], by=alba, at=NOON)
    assert queries.counters(brand=brand, user=alba).views["by_hand"] == 2


def test_two_tasks_of_one_talk_are_one_line(tiktok, alba, brand):
    answered(tiktok, alba)
    conversation = Conversation.objects.get()
    again = actions.reply(conversation=conversation, text="Y nuez.", by=alba, turn=conversation.turn, at=NOON)
    outbound.run_due(again.due_at)
    assert Delivery.objects.filter(state="by_hand").count() == 2
    assert len(queries.page(brand=brand, user=alba, filters=Filters(view="by_hand")).rows) == 1
    assert queries.counters(brand=brand, user=alba).views["by_hand"] == 1


def test_the_view_narrows_and_knows_its_brand(tiktok, alba, brand, other_brand, carla):
    answered(tiktok, alba)
    assert len(queries.page(brand=brand, user=alba, filters=Filters(view="by_hand", account=tiktok.pk)).rows) == 1
    assert queries.page(brand=brand, user=alba, filters=Filters(view="by_hand", account=tiktok.pk + 1)).rows == []
    assert queries.page(brand=brand, user=alba, filters=Filters(view="by_hand", label=1)).rows == []
    assert queries.page(brand=other_brand, user=carla, filters=Filters(view="by_hand")).rows == []
    assert queries.counters(brand=other_brand, user=carla).views["by_hand"] == 0


def test_the_rail_shows_it_while_there_is_something_in_it(as_alba, tiktok, alba):
    assert "view=by_hand" not in as_alba.get("/b/horno-candela/inbox/").content.decode()
    answered(tiktok, alba)
    html = as_alba.get("/b/horno-candela/inbox/?view=by_hand").content.decode()
    assert "view=by_hand" in html
    assert "@p0" in html


def test_strangers_see_no_page_and_readers_may_not_write(as_carla, client, tiktok):
    assert as_carla.get(PAGE).status_code == 404
    assert client.get(PAGE).status_code == 302


# Nobody forgets it.


def reminded() -> list[str]:
    return list(Notification.objects.filter(reason="reminded").order_by("id").values_list("user__name", flat=True))


def test_author_and_owner_are_reminded_after_an_hour_and_on_the_next_day_and_no_more(tiktok, alba, bruno):
    delivery = answered(tiktok, bruno)
    actions.assign(conversation=Conversation.objects.get(), to=alba, by=bruno, at=NOON)
    due = [timedelta(minutes=59), timedelta(minutes=60), timedelta(minutes=61), timedelta(hours=24)]
    due += [timedelta(hours=25), timedelta(hours=26), timedelta(days=9)]
    assert [ticks.remind_by_hand(at=NOON + after) for after in due] == [0, 1, 0, 0, 1, 0, 0]
    jobs.run_due(NOON + timedelta(days=9))
    assert sorted(reminded()) == ["Alba", "Alba", "Bruno", "Bruno"]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reminders) == ("by_hand", 2)


def test_reminders_keep_opening_hours(tiktok, alba, brand):
    for weekday in (0, 1, 2, 3, 4):
        OpeningHours.objects.create(brand=brand, weekday=weekday, opens=time(9), closes=time(12, 20))
    answered(tiktok, alba)  # a Monday at noon: twenty minutes before closing
    tuesday, wednesday = (datetime(2026, 11, day, 8, 40, tzinfo=UTC) for day in (24, 25))
    assert [ticks.remind_by_hand(at=at) for at in (NOON + timedelta(hours=9), tuesday - timedelta(minutes=1))] == [0, 0]
    opening = wednesday - timedelta(minutes=40)
    moments = [tuesday, opening - timedelta(minutes=1), opening, opening + timedelta(hours=3)]
    assert [ticks.remind_by_hand(at=at) for at in moments] == [1, 0, 1, 0]


def test_missed_reminders_are_one(tiktok, alba):
    answered(tiktok, alba)
    assert [ticks.remind_by_hand(at=NOON + timedelta(days=days)) for days in (3, 4)] == [1, 0]


def test_what_was_ticked_off_is_not_reminded_of(tiktok, alba):
    acting.finish_by_hand(delivery=answered(tiktok, alba), by=alba, at=NOON)
    assert ticks.remind_by_hand(at=NOON + timedelta(days=2)) == 0
    assert "deliveries.by_hand" in jobs.periodics


def test_a_newcomer_adds_a_network_and_it_receives_plans_reminds_and_is_measured(as_alba, alba, brand, monkeypatch):
    """Everything by its pages, for a network that no line of code has heard of."""
    desk = "/b/horno-candela"
    answer = as_alba.post(
        f"{desk}/channels/new/manual/",
        {"name": "Vecinos", "field_platform": "Vecindario", "field_profile": "https://vecindario.example/horno",
         "field_openness": "both"},
    )  # fmt: skip
    page = answer.headers["Location"]
    account = Account.objects.get()
    note = {"m0-who": "Lola (@lola)", "m0-text": "¿Tenéis sin gluten?", "post_title": "Abrimos el domingo"}
    conversation = as_alba.post(PAGE, form(account) | note).headers["Location"]
    assert "¿Tenéis sin gluten?" in as_alba.get(conversation).content.decode()

    as_alba.post(f"{conversation}replies/", {"text": "Sí, los jueves.", "turn": 1})
    later = NOON + timedelta(minutes=5)
    schedule.run_due(later)
    monkeypatch.setattr(clock, "now", lambda: later)
    task = Delivery.objects.get()
    html = as_alba.get(conversation).content.decode()
    assert f'<textarea id="task-{task.pk}" rows="3" readonly>Sí, los jueves.</textarea>' in html
    assert 'href="https://vecindario.example/horno"' in html
    assert "Lola" in as_alba.get(f"{desk}/inbox/?view=by_hand").content.decode()

    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=61))
    ticks.by_hand_tick()
    jobs.run_due(clock.now())
    assert reminded() == ["Alba"]
    as_alba.post(f"{desk}/deliveries/{task.pk}/completion/", {"url": "https://vecindario.example/r/9"})
    assert Conversation.objects.get().waiting_since is None
    assert Message.objects.get(direction="out").url == "https://vecindario.example/r/9"
    assert "Lola" not in as_alba.get(f"{desk}/inbox/?view=by_hand").content.decode()

    for day, followers in (("2026-11-22", 31), ("2026-11-23", 40)):
        as_alba.post(f"{page}figures/", {"on": day, "figure_0": followers})
    html = as_alba.get(page).content.decode()
    assert "+9" in html
    assert "<svg viewBox" in html
