"""Readings that are kept: once for each message, again after an edit, and always as people said."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.channels.models import Message
from tertulia.core.models import Activity
from tertulia.flows import inbound
from tertulia.understanding import actions, words
from tertulia.understanding.model import shipped
from tertulia.understanding.models import Correction, MessageReading

pytestmark = pytest.mark.django_db

ANGRY = "Es una vergüenza, llevo tres semanas esperando y nadie me contesta"


@pytest.fixture
def message(site) -> Message:
    inbound.intake(site, [envelope(ANGRY)], at=NOON)
    message = Message.objects.get()
    actions.read_messages([message], at=NOON)
    return message


def reading(message) -> MessageReading:
    return MessageReading.objects.get(pk=message.pk)


def test_a_reading_says_who_read_what_and_when(message, brand):
    found = reading(message)
    assert (found.kind, found.sentiment, found.language) == ("complaint", "negative", "es")
    assert (found.brand_id, found.by, found.at, found.corrected) == (brand.pk, shipped().name, NOON, [])
    assert 0 <= found.urgency <= 100
    assert found.confidence["kind"] > 0.5
    assert found.why["kind"]


def test_the_subject_of_a_first_message_is_read_too(site):
    first = envelope("Adjunto la foto.", subject=ANGRY)
    later = envelope("Adjunto la foto.", subject=ANGRY, remote_id="m2", in_reply_to="m1")
    inbound.intake(site, [first, later], at=NOON)
    actions.read_messages(Message.objects.all(), at=NOON)
    kinds = MessageReading.objects.order_by("message__remote_id").values_list("kind", flat=True)
    assert kinds[0] == "complaint" != kinds[1]


def test_many_are_read_in_as_many_statements_as_one(site):
    def cost(messages) -> int:
        with CaptureQueriesContext(connection) as asked:
            actions.read_messages(messages, at=NOON)
        return len(asked)

    inbound.intake(site, [envelope(f"Hola {n}", remote_id=f"m{n}", thread=f"p{n}") for n in range(40)], at=NOON)
    first, *rest = Message.objects.order_by("pk")
    assert cost([first]) == cost(rest)
    assert cost([first]) == cost(list(Message.objects.all()))
    assert MessageReading.objects.count() == 40


def test_reading_again_keeps_what_people_said(message, alba):
    actions.correct(message=message, field="kind", value="suggestion", by=alba.pk, at=NOON)
    actions.correct(message=message, field="offensive", value=True, by=alba.pk, at=NOON)
    message.text = "Muchas gracias, sois un encanto, volveremos"
    actions.read_messages([message], at=NOON)
    found = reading(message)
    assert (found.kind, found.offensive, found.sentiment) == ("suggestion", True, "positive")
    assert found.corrected == ["kind", "offensive"]


def test_what_was_read_of_an_earlier_text_does_not_replace_a_later_reading(message):
    earlier = Message.objects.get()
    message.text, message.edited_at = "Muchas gracias, sois un encanto, volveremos", NOON
    actions.read_messages([message], at=NOON)
    actions.read_messages([earlier], at=NOON)
    assert reading(message).sentiment == "positive"


def test_a_correction_stands_until_it_is_undone(message, alba, bruno):
    before = MessageReading.objects.values().get()
    actions.correct(message=message, field="kind", value="support", by=alba.pk, at=NOON)
    actions.correct(message=message, field="kind", value="spam", by=bruno.pk, at=NOON)
    found = reading(message)
    assert (found.kind, found.spam, found.needs_answer, found.corrected) == ("spam", True, False, ["kind"])
    live = Correction.objects.get(undone_at=None)
    assert (live.was, live.value, live.by_id, live.brand_id) == ("complaint", "spam", bruno.pk, found.brand_id)
    actions.undo_correction(message=message, field="kind", by=alba.pk, at=NOON)
    assert MessageReading.objects.values().get() == before
    assert not Correction.objects.filter(undone_at=None).exists()
    types = Activity.objects.filter(type__startswith="reading.").order_by("id").values_list("type", flat=True)
    assert list(types) == ["reading.corrected", "reading.corrected", "reading.uncorrected"]


def test_to_say_what_was_read_takes_a_correction_back(message, alba):
    assert actions.correct(message=message, field="kind", value="complaint", by=alba.pk, at=NOON) is None
    actions.correct(message=message, field="kind", value="other", by=alba.pk, at=NOON)
    actions.correct(message=message, field="kind", value="complaint", by=alba.pk, at=NOON)
    assert (reading(message).kind, reading(message).corrected) == ("complaint", [])
    with pytest.raises(actions.NotUnderstood):
        actions.undo_correction(message=message, field="kind", by=alba.pk, at=NOON)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "nonsense"), ("kind", True), ("urgency", 50), ("urgency", False), ("offensive", 1), ("language", "es"),
        ("", ""),
    ],
)  # fmt: skip
def test_only_what_can_be_said_is_taken(message, alba, field, value):
    with pytest.raises(actions.NotUnderstood):
        actions.correct(message=message, field=field, value=value, by=alba.pk, at=NOON)
    assert not Correction.objects.exists()


def test_what_was_not_read_cannot_be_corrected(site, alba):
    inbound.intake(site, [envelope()], at=NOON)
    with pytest.raises(actions.NotUnderstood):
        actions.correct(message=Message.objects.get(), field="kind", value="other", by=alba.pk, at=NOON)


def test_every_thing_that_can_be_read_has_its_word():
    assert set(words.topics()) == set(shipped().fields["topics"].classes)
    assert tuple(words.kinds()) == actions.CORRECTABLE["kind"]
    assert tuple(words.sentiments()) == actions.CORRECTABLE["sentiment"]
    assert tuple(words.urgencies()) == actions.LEVELS
    assert [words.nearest(per_cent) for per_cent in (0, 16, 17, 33, 49, 50, 83, 84)] == [0, 0, 33, 33, 33, 67, 67, 100]
