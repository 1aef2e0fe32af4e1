"""What the desk knows of what people write: read in the job, once, and kept on the conversation for the list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.channels.models import Message
from tertulia.core.models import Job
from tertulia.flows import inbound
from tertulia.inbox import understood
from tertulia.inbox.models import Conversation
from tertulia.team.models import Membership, Skill
from tertulia.understanding.models import MessageReading

pytestmark = pytest.mark.django_db

ANGRY = "Es una vergüenza, llevo tres semanas esperando y nadie me contesta"
HAPPY = "Muchas gracias, sois un encanto, volveremos"


def arrive(account, *envelopes) -> None:
    if ids := inbound.intake(account, envelopes, at=NOON):
        inbound.process(conversation_ids=ids)


def test_what_comes_in_is_read_and_stands_on_its_conversation(site):
    arrive(site, envelope(ANGRY))
    conversation = Conversation.objects.get()
    assert (conversation.kind, conversation.sentiment, conversation.language) == ("complaint", "negative", "es")
    assert (conversation.urgency, conversation.is_offensive) == (MessageReading.objects.get().urgency, False)


def test_the_newest_message_counts_that_is_there_and_no_machine_wrote(site):
    arrive(site, envelope(ANGRY), envelope(HAPPY, remote_id="m2", minutes=1))
    assert Conversation.objects.get().kind == "praise"
    arrive(site, envelope("Estoy de vacaciones hasta el lunes", remote_id="m3", minutes=2, is_automatic=True))
    assert Conversation.objects.get().kind == "praise"
    arrive(site, envelope("", remote_id="m2", verb="deleted", changed_at=NOON + timedelta(minutes=3)))
    assert Conversation.objects.get().kind == "complaint"


def test_an_edit_is_read_again_and_an_answer_is_not_read(site):
    arrive(site, envelope(HAPPY), envelope("De nada", remote_id="m2", minutes=1, is_ours=True))
    arrive(site, envelope(ANGRY, verb="edited", changed_at=NOON + timedelta(minutes=5)))
    assert MessageReading.objects.get().kind == Conversation.objects.get().kind == "complaint"


def test_reading_costs_the_same_for_many_and_nothing_twice(site):
    def cost(ids) -> int:
        with CaptureQueriesContext(connection) as asked:
            understood.read_new(ids, at=NOON)
        return len(asked)

    inbound.intake(site, [envelope(f"Hola {n}", remote_id=f"m{n}", thread=f"p{n}") for n in range(30)], at=NOON)
    first, *rest = Conversation.objects.values_list("pk", flat=True).order_by("pk")
    assert cost([first]) == cost(rest)
    assert cost([first, *rest]) <= 8
    assert MessageReading.objects.count() == 30


def test_of_a_long_conversation_the_newest_are_read(site, monkeypatch):
    monkeypatch.setattr(understood, "LONG", 3)
    arrive(site, *(envelope(f"Hola {n}", remote_id=f"m{n}", minutes=n) for n in range(5)))
    assert set(MessageReading.objects.values_list("message__text", flat=True)) == {"Hola 2", "Hola 3", "Hola 4"}


def test_a_thread_of_the_same_name_elsewhere_waits_for_its_own_turn(site, phone):
    inbound.intake(phone, [envelope(HAPPY)], at=NOON)
    arrive(site, envelope(ANGRY))
    assert MessageReading.objects.get().message.account_id == site.pk
    assert Conversation.objects.get(account=phone).kind == ""


def test_the_language_is_the_one_they_write_in(site):
    arrive(site, envelope("ok"))
    conversation = Conversation.objects.get()
    Conversation.objects.update(language="en")
    arrive(site, envelope("Hola", remote_id="m2", minutes=1))
    assert Conversation.objects.get().language == "en"  # one word proves nothing
    arrive(site, envelope("¿A qué hora abrís los domingos por la mañana?", remote_id="m3", minutes=2))
    assert Conversation.objects.get().language == "es"
    Conversation.objects.update(language="es-MX")
    arrive(site, envelope("¿Y el lunes que viene abrís por la tarde?", remote_id="m4", minutes=3))
    assert Conversation.objects.get(pk=conversation.pk).language == "es-MX"


def test_a_corrected_language_stands_until_a_newer_message_is_surely_in_another(site, alba):
    arrive(site, envelope(ANGRY), envelope("ok", remote_id="m2", minutes=1))
    conversation, first = Conversation.objects.get(), Message.objects.get(remote_id="m1")
    what = {"conversation": conversation, "message": first, "field": "language", "by": alba, "at": NOON}
    understood.correct(value="ca", **what)
    assert Conversation.objects.get().language == "ca"
    understood.undo_correction(**what)
    assert Conversation.objects.get().language == "es"
    understood.correct(value="ca", **what)
    arrive(site, envelope("Thank you so much for your help, the staff were lovely", remote_id="m3", minutes=2))
    assert Conversation.objects.get().language == "en"


def test_a_language_that_is_said_again_leaves_the_conversation_s_more_exact_one(site, alba):
    arrive(site, envelope("ok"))
    MessageReading.objects.update(language="pt")
    Conversation.objects.update(language="es-MX")
    what = {"message": Message.objects.get(), "field": "language", "by": alba, "at": NOON}
    understood.correct(conversation=Conversation.objects.get(), value="es", **what)
    assert Conversation.objects.get().language == "es-MX"


@pytest.mark.parametrize(
    ("first", "own", "language"),
    [
        (ANGRY, "", "es"),  # the only sure one
        ("ok", "de-AT", "de-AT"),
        ("ok", "", "ca"),  # as it began
    ],
)
def test_a_correction_taken_back_leaves_no_language_that_only_a_word_or_two_are_in(site, alba, first, own, language):
    arrive(site, envelope(first), envelope("vale", remote_id="m2", minutes=1))
    row, last = Conversation.objects.select_related("member").get(), Message.objects.get(remote_id="m2")
    MessageReading.objects.filter(message__text="ok").update(language="ca")
    MessageReading.objects.filter(message=last).update(language="pt")
    row.member.language = own
    row.member.save()
    what = {"conversation": row, "message": last, "field": "language", "by": alba, "at": NOON}
    understood.correct(value="fr", **what)
    assert Conversation.objects.get().language == "fr"
    understood.undo_correction(**what)
    assert MessageReading.objects.get(message=last).language == "pt"
    assert Conversation.objects.get().language == language


def test_the_right_person_is_found_by_the_language_that_was_read(site, brand, alba, bruno):
    Skill.objects.create(membership=Membership.objects.get(user=bruno), kind="language", value="en")
    arrive(site, envelope("Good morning, what time do you close on Sundays?"))
    assert Conversation.objects.get().owner == bruno


def test_a_message_that_cannot_be_read_goes_its_way(site, alba, monkeypatch):
    def breaks(*_, **__):
        raise ValueError

    monkeypatch.setattr(understood.understanding, "read_messages", breaks)
    arrive(site, envelope(ANGRY))
    assert Conversation.objects.get().owner == alba
    assert not MessageReading.objects.exists()


def test_an_edit_asks_for_the_job_and_the_same_again_for_none(site):
    inbound.intake(site, [envelope("Hola")], at=NOON)
    edit = envelope("Hola a todos", verb="edited", changed_at=NOON + timedelta(minutes=5))
    assert inbound.intake(site, [edit], at=NOON) == [Conversation.objects.get().pk]
    assert inbound.intake(site, [edit], at=NOON) == []
    assert Job.objects.filter(task="inbound.process").count() == 2
    assert Message.objects.get().text == "Hola a todos"


def test_a_correction_stands_on_the_conversation_and_goes_with_its_undoing(site, alba):
    arrive(site, envelope(ANGRY))
    conversation, message = Conversation.objects.get(), Message.objects.get()
    for field, value in [("kind", "support"), ("sentiment", "neutral"), ("urgency", 100), ("offensive", True)]:
        understood.correct(conversation=conversation, message=message, field=field, value=value, by=alba, at=NOON)
    conversation.refresh_from_db()
    assert (conversation.kind, conversation.sentiment) == ("support", "neutral")
    assert (conversation.urgency, conversation.is_offensive) == (100, True)
    understood.undo_correction(conversation=conversation, message=message, field="kind", by=alba, at=NOON)
    conversation.refresh_from_db()
    assert conversation.kind == "complaint"
