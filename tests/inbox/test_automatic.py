"""The automatic answer: said once, to a person, and never mistaken for an answer."""

from datetime import timedelta

import pytest
from django.urls import reverse

from conftest import NOON, envelope
from tertulia.brand.models import OpeningHours
from tertulia.channels.models import Delivery, Message
from tertulia.connectors.contract import Author, Target
from tertulia.connectors.mail import writing
from tertulia.core.models import Activity
from tertulia.flows import inbound, restored
from tertulia.inbox import actions, automatic
from tertulia.inbox.models import AutomaticAnswer, AutomaticReply, Conversation

pytestmark = pytest.mark.django_db
TEXTS = {"es": "Hola, {nombre}: te contestamos {cuando}. {marca}", "en": "Hi, {name}: we answer {when}."}


@pytest.fixture
def answering(site, alba):
    automatic.set_reply(account=site, is_on=True, when="always", texts=TEXTS, by=alba, at=NOON - timedelta(days=9))
    return site


def written(account, *, at=NOON, **fields):
    """A message comes in and goes its way; what we answered by ourselves."""
    minutes = (at - NOON) / timedelta(minutes=1)
    ids = inbound.intake(account, [envelope(**{"minutes": minutes, **fields})], at=at)
    for conversation in automatic.waiting(ids):
        automatic.acknowledge(conversation, at=at)
    return Message.objects.filter(account=account, direction="out", is_automatic=True)


def test_who_writes_is_told_and_goes_on_waiting(answering):
    [said] = written(answering)
    conversation = Conversation.objects.get()
    assert said.text.startswith("Hola, Diego: te contestamos ")
    assert said.author_id is None
    assert (said.delivery.state, said.delivery.due_at, said.delivery.to["is_automatic"]) == ("queued", NOON, True)
    Delivery.objects.update(state="sent", finished_at=NOON)
    actions.record_outcomes(deliveries=list(Delivery.objects.all()), at=NOON)
    conversation.refresh_from_db()
    assert (conversation.waiting_since, conversation.last_outbound_at, conversation.turn) == (NOON, None, 1)
    assert conversation.first_responded_at is None
    assert Activity.objects.filter(type="conversation.acknowledged").count() == 1


def test_what_is_read_once_more_after_a_backup_was_put_back_is_not_answered_again(answering):
    back = NOON + timedelta(minutes=10)
    restored.hold_everything(made_at=NOON - timedelta(minutes=1), at=back)
    assert not written(answering, at=back, minutes=0)
    assert len(written(answering, at=back + timedelta(minutes=5), remote_id="m2", text="¿Y esto?")) == 1


def test_a_colleague_answers_after_it_as_if_it_had_not_been(answering, alba):
    written(answering)
    conversation = Conversation.objects.get()
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=NOON + timedelta(minutes=1))
    conversation.refresh_from_db()
    assert conversation.waiting_since is None


def test_at_most_one_to_an_address_a_day(answering):
    for hour in range(24):
        at = NOON + timedelta(hours=hour)
        assert len(written(answering, at=at, remote_id=f"m{hour}", text=f"Otra vez {hour}")) == 1
    assert len(written(answering, at=NOON + timedelta(hours=25), remote_id="m99")) == 2


def test_two_machines_facing_each_other_stop(answering):
    """The other side answers each of ours with a new talk and without saying that it is a machine."""
    at, sent = NOON, 0
    for number in range(100):
        at += timedelta(minutes=10)
        found = written(
            answering, at=at, remote_id=f"x{number}", thread=f"talk {number}",
            author=Author(remote_id="robot@other.example", email="Robot@other.example"),
        )  # fmt: skip
        sent = len(found)
    assert sent == 1


def test_ten_an_hour_from_a_channel_at_most(answering):
    for number in range(15):
        found = written(answering, remote_id=f"m{number}", thread=f"person{number}")
    assert len(found) == 10


@pytest.mark.parametrize(
    "fields",
    [
        {"is_automatic": True},
        {"kind": "comment"},
        {"minutes": -90},
        {"text": "GANA DINERO FACIL desde casa, pincha aquí https://casino.example bitcoin 100% seguro"},
    ],
    ids=["a machine", "others read along", "fetched late", "spam"],
)
def test_it_is_not_said_to(answering, fields):
    at = NOON
    ids = inbound.intake(answering, [envelope(**fields)], at=at)
    inbound.understand(ids, at=at)
    for conversation in automatic.waiting(ids):
        assert automatic.acknowledge(conversation, at=at) is None
    assert not Delivery.objects.exists()


def test_only_when_nobody_is_there(answering, brand, alba):
    for day in range(5):
        OpeningHours.objects.create(brand=brand, weekday=day, opens="09:00", closes="18:00")
    automatic.set_reply(account=answering, is_on=True, when="closed", texts=TEXTS, by=alba, at=NOON)
    monday = NOON + timedelta(days=(7 - NOON.weekday()) % 7)
    noon = monday.replace(hour=11, minute=0)
    assert not written(answering, at=noon)
    night = monday.replace(hour=21, minute=0)
    [said] = written(answering, at=night, remote_id="m2", thread="eva")
    assert "mañana a las 9:00" in said.text


def test_it_speaks_the_language_of_who_writes(answering):
    [said] = written(answering, author=Author(remote_id="sam", name="Sam", language="en"))
    assert said.text.startswith("Hi, Sam: we answer ")


def test_a_brand_that_changes_its_language_goes_on_answering_in_the_one_it_has(answering, brand):
    automatic.AutomaticReply.objects.update(texts={"es": "Hola: te contestamos {cuando}."})
    type(brand).objects.update(language="en")
    [said] = written(answering, author=Author(remote_id="sam", name="Sam", language="fr"))
    assert said.text.startswith("Hola: te contestamos ")


def test_not_behind_a_colleague_who_was_quicker(answering, alba, monkeypatch):
    def is_due(reply, conversation, last, *, at):
        actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=at)
        return True

    monkeypatch.setattr(automatic, "_is_due", is_due)
    assert not written(answering)


def test_a_note_of_absence_that_left_elsewhere_is_no_answer_in_the_feed_either(site):
    inbound.intake(site, [envelope()], at=NOON)
    away = envelope("Estoy fuera", remote_id="out", minutes=1, is_ours=True, is_automatic=True, person=Author("diego"))
    inbound.intake(site, [away], at=NOON)
    told = Activity.objects.filter(on_kind="inbox.conversation").order_by("pk").values_list("type", flat=True)
    assert list(told) == ["conversation.received", "conversation.acknowledged"]


def test_without_words_it_is_not_switched_on(site, alba):
    with pytest.raises(automatic.NoText):
        automatic.set_reply(account=site, is_on=True, when="always", texts={"en": "Hi"}, by=alba, at=NOON)
    assert not AutomaticReply.objects.exists()


def test_a_mail_says_that_a_machine_wrote_it():
    class Mailbox:
        pk, public_key, secrets = 1, "k" * 12, {"signing": "s" * 43}
        settings = {"address": "hola@candela.example", "user": "hola@candela.example"}

    to = Target("t1", person_id="eva@home.example", subject="Hola", is_automatic=True)
    _id, _recipient, mail = writing.answer(Mailbox(), to, "Te contestamos mañana.", "key", at=NOON)
    assert b"Auto-Submitted: auto-replied\r\n" in mail.partition(b"\r\n\r\n")[0]
    _id, _recipient, mail = writing.answer(Mailbox(), Target("t1", person_id="eva@home.example"), "Sí", "key", at=NOON)
    assert b"Auto-Submitted" not in mail


def test_the_page_sets_it(as_alba, brand, site, phone):
    page = as_alba.get(reverse("inbox:automatic_replies", args=[brand.slug]))
    assert f'id="channel-{site.pk}"' in page.content.decode()
    assert f'id="channel-{phone.pk}"' not in page.content.decode()
    sent = {f"channel-{site.pk}-is_on": "on", f"channel-{site.pk}-when": "closed"}
    address = reverse("inbox:automatic_reply", args=[brand.slug, site.pk])
    answer = as_alba.post(address, sent)
    assert answer.status_code == 422
    assert as_alba.post(address, {**sent, f"channel-{site.pk}-text_es": "Hola"}).status_code == 302
    assert AutomaticReply.objects.get().texts == {"es": "Hola"}
    assert AutomaticAnswer.objects.count() == 0


@pytest.mark.parametrize(
    ("language", "tomorrow", "on_monday"),
    [
        ("ca", "demà a les 9:00", "el dia 30/11 a les 9:00"),
        ("de", "morgen um 9:00 Uhr", "am 30.11. um 9:00 Uhr"),
        ("pt", "amanhã às 9:00", "no dia 30/11 às 9:00"),
    ],
)
def test_a_language_the_pages_do_not_speak_has_its_moments(site, brand, alba, language, tomorrow, on_monday):
    texts = {"es": "Hola: {cuando}.", language: "({cuando})"}
    automatic.set_reply(account=site, is_on=True, when="closed", texts=texts, by=alba, at=NOON)
    OpeningHours.objects.create(brand=brand, weekday=0, opens="09:00", closes="18:00")
    for day, said in ((27, on_monday), (29, tomorrow)):
        joan = Author(remote_id=f"joan{day}", name="Joan", language=language)
        written(site, at=NOON.replace(day=day), remote_id=f"m{day}", thread=f"joan{day}", author=joan)
        assert Message.objects.filter(direction="out").latest("pk").text == f"({said})"


def test_the_page_takes_any_language_the_desk_reads(as_alba, brand, site):
    address = reverse("inbox:automatic_reply", args=[brand.slug, site.pk])
    name = f"channel-{site.pk}"
    sent = {f"{name}-is_on": "on", f"{name}-when": "always", f"{name}-text_es": "Hola", f"{name}-text_ca": "Bon dia"}
    assert as_alba.post(address, sent).status_code == 302
    assert AutomaticReply.objects.get().texts == {"es": "Hola", "ca": "Bon dia"}
    [form] = as_alba.get(reverse("inbox:automatic_replies", args=[brand.slug])).context["forms"]
    assert [text.name for text in form.texts] == ["text_es", "text_ca"]
    assert {text.name for text in form.more_texts} == {"text_en", "text_pt", "text_fr", "text_it", "text_de"}
