"""Calls and talks in the shop, written down."""

from datetime import timedelta
from uuid import uuid4

import pytest

from conftest import NOON
from tertulia.brand.models import Brand
from tertulia.channels.models import Delivery, Message
from tertulia.community.models import Member
from tertulia.core.activity import Activity
from tertulia.flows.phone import CannotNote, e164, note_call
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation, Promise

pytestmark = pytest.mark.django_db


def note(line, by, /, **facts):
    defaults = {
        "brand": line.brand,
        "account": line,
        "by": by,
        "at": NOON,
        "kind": "call",
        "direction": "in",
        "name": "Diego",
        "phone": "600 111 222",
        "email": "",
        "member": None,
        "text": "Pregunta por el pan sin sal.",
        "happened_at": NOON - timedelta(minutes=10),
    }
    return note_call(**{**defaults, **facts})


@pytest.fixture
def diego(brand) -> Member:
    return Member.objects.create(
        brand=brand,
        name="Diego Martín",
        phone="+34600111222",
        email="diego@correo.example",
        first_seen_at=NOON,
        last_seen_at=NOON,
    )


def test_a_call_opens_a_conversation_under_the_same_promise(phone, alba, brand):
    Promise.objects.create(brand=brand, first_response_minutes=60, in_business_hours=False)
    conversation = note(phone, alba)
    assert (conversation.member_name, conversation.preview) == ("Diego", "Pregunta por el pan sin sal.")
    assert conversation.member.phone == "+34600111222"
    assert conversation.waiting_since == NOON - timedelta(minutes=10)
    assert conversation.first_response_due_at == NOON + timedelta(minutes=50)


def test_what_was_said_on_the_phone_is_noted_and_not_sent(phone, alba, as_alba):
    conversation = note(phone, alba)
    actions.reply(conversation=conversation, by=alba, text="Sí, mañana.", turn=conversation.turn, at=NOON)
    Delivery.objects.update(state=Delivery.State.SENT)
    page = as_alba.get(f"/b/horno-candela/inbox/{conversation.pk}/").content.decode()
    assert "Anotado</span>" in page
    assert "Enviado</span>" not in page


def test_who_wrote_it_down_is_told_by_the_feed(phone, alba):
    conversation = note(phone, alba, kind="visit")
    assert Message.objects.get().kind == "visit"
    line = Activity.objects.get(type="visit.noted")
    assert (line.by_id, line.on_id) == (alba.id, conversation.id)


def test_the_same_number_however_it_is_typed_is_the_same_person(phone, alba, diego):
    for typed in ("600111222", "+34 600 11 12 22", "0034-600-111-222", "(600) 111 222"):
        assert note(phone, alba, phone=typed).member == diego
    assert (Member.objects.count(), Conversation.objects.count(), Message.objects.count()) == (1, 1, 4)


def test_the_same_address_is_the_same_person(phone, alba, diego):
    assert note(phone, alba, phone="", email="DIEGO@correo.example").member == diego


def test_the_person_who_was_chosen_wins_over_the_number(phone, alba, diego, brand):
    sister = Member.objects.create(brand=brand, name="Elena", first_seen_at=NOON, last_seen_at=NOON)
    assert note(phone, alba, member=sister).member == sister
    assert note(phone, alba, member=diego).member == diego
    assert Conversation.objects.count() == 2


def test_a_stranger_who_calls_twice_is_one_person(phone, alba):
    first, second = note(phone, alba), note(phone, alba, text="Otra vez él.")
    assert first == second
    assert Member.objects.count() == 1


def test_a_note_without_a_number_stands_by_itself(phone, alba):
    one, two = (note(phone, alba, name="", phone="") for _ in range(2))
    assert one.member != two.member


def test_a_note_handed_in_twice_is_taken_once(phone, alba):
    key = str(uuid4())
    assert note(phone, alba, key=key) == note(phone, alba, key=key)
    assert (Message.objects.count(), Activity.objects.filter(type="call.noted").count()) == (1, 1)


def test_a_call_of_ours_waits_for_nobody(phone, alba, bruno):
    note(phone, alba)
    conversation = note(phone, bruno, direction="out", text="Le digo que sí.", happened_at=NOON)
    assert conversation.waiting_since is None
    assert Message.objects.get(direction="out").author_name == "Bruno"


def test_a_call_of_ours_written_down_late_answers_nothing_that_came_after_it(phone, alba):
    ten, thirty = NOON - timedelta(minutes=10), NOON - timedelta(minutes=30)
    note(phone, alba, happened_at=ten, at=ten)
    conversation = note(phone, alba, direction="out", happened_at=thirty)
    actions.snooze(conversation=conversation, until=NOON + timedelta(hours=1), by=alba, at=NOON)
    actions.wake(conversation=conversation, at=NOON)
    assert Conversation.objects.get().waiting_since == ten


def test_what_was_said_on_the_phone_is_no_answer_sent_twice(phone, alba):
    note(phone, alba)
    conversation = note(phone, alba, direction="out", text="Sí", happened_at=NOON)
    with pytest.raises(actions.Answered, match="Alba"):
        actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=NOON)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"phone": "12"}, "phone"),
        ({"phone": "no sé"}, "phone"),
        ({"text": "  "}, "text"),
        ({"happened_at": NOON + timedelta(hours=1)}, "happened_at"),
    ],
)
def test_what_can_be_mended_is_said_and_nothing_is_kept(phone, alba, facts, field):
    with pytest.raises(CannotNote) as problem:
        note(phone, alba, **facts)
    assert problem.value.field == field
    assert Message.objects.count() == 0


def test_a_person_or_channel_of_another_brand_is_refused(phone, site, alba, other_brand):
    stranger = Member.objects.create(brand=other_brand, name="Ana", first_seen_at=NOON, last_seen_at=NOON)
    for facts in ({"member": stranger}, {"account": site}, {"brand": other_brand}):
        with pytest.raises(CannotNote):
            note(phone, alba, **facts)
    assert Message.objects.count() == 0


def test_numbers_follow_the_brands_country():
    assert e164("11 2345-6789", "AR") == "+541123456789"
    assert e164(" ", "ES") == ""


def form(**facts):
    return {
        "key": str(uuid4()),
        "kind": "call",
        "direction": "in",
        "name": "Diego",
        "phone": "600111222",
        "email": "",
        "happened_at": "2026-11-20T11:50",
        "text": "Pregunta por el pan sin sal.",
        **facts,
    }


def test_the_page_takes_a_note_in_the_brands_time(as_alba, phone):
    assert (
        "Write down a call"
        in as_alba.get("/b/horno-candela/phone/new/", headers={"accept-language": "en"}).content.decode()
    )
    answer = as_alba.post("/b/horno-candela/phone/new/", form())
    conversation = Conversation.objects.get()
    assert answer.headers["Location"] == f"/b/horno-candela/inbox/{conversation.pk}/"
    assert conversation.waiting_since.isoformat() == "2026-11-20T10:50:00+00:00"


def test_the_page_says_what_is_wrong_and_keeps_what_was_written(as_alba, phone):
    answer = as_alba.post("/b/horno-candela/phone/new/", form(phone="12"))
    assert answer.status_code == 422
    assert "Pregunta por el pan sin sal." in answer.content.decode()
    assert Message.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "field"), [("Julia Sanz", "name"), ("+34 600 111 222", "phone"), ("julia@example.com", "email")]
)
def test_who_was_looked_for_and_not_found_is_not_lost(as_alba, phone, typed, field):
    answer = as_alba.post("/b/horno-candela/phone/new/", form(name="", phone="", q=typed, text=""))
    assert answer.context["form"][field].value() == typed


def test_a_moment_outside_of_the_calendar_is_said(as_alba, phone):
    Brand.objects.update(time_zone="Asia/Tokyo")
    assert as_alba.post("/b/horno-candela/phone/new/", form(happened_at="0001-01-01T00:00")).status_code == 422
    assert Message.objects.count() == 0


def test_a_foreign_person_in_the_form_is_refused(as_alba, phone, other_brand):
    stranger = Member.objects.create(brand=other_brand, name="Ana", first_seen_at=NOON, last_seen_at=NOON)
    for foreign in (stranger.pk, "x", "9" * 30, -1):
        assert as_alba.post("/b/horno-candela/phone/new/", form(member=foreign)).status_code == 422
    assert as_alba.get(f"/b/horno-candela/phone/new/?member={stranger.pk}").status_code == 200
    assert Message.objects.count() == 0


def test_people_are_found_by_the_end_of_their_number(as_alba, phone, diego):
    page = as_alba.get("/b/horno-candela/phone/people/?q=1112").content.decode()
    assert f'value="{diego.pk}"' in page
    assert as_alba.get("/b/horno-candela/phone/people/?q=x").content.decode().count("radio") == 0


def test_strangers_see_no_page_and_readers_may_not_write(as_carla, client, phone):
    assert as_carla.get("/b/horno-candela/phone/new/").status_code == 404
    assert client.get("/b/horno-candela/phone/new/").status_code == 302
