"""Readings that are kept: once for each message, again after an edit, and always as people said."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from conftest import NOON, envelope
from tertulia.channels.models import Message
from tertulia.core.models import Activity
from tertulia.flows import inbound
from tertulia.understanding import actions, words
from tertulia.understanding.model import shipped
from tertulia.understanding.models import BRAINED, Correction, MessageReading
from tertulia.understanding.questions import field_of

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
        ("kind", "nonsense"), ("kind", True), ("urgency", 50), ("urgency", False), ("offensive", 1), ("language", "xx"),
        ("needs_answer", 1), ("question:0", True), ("", ""),
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
    for field, values in actions.CORRECTABLE.items():
        assert set(words.values(field)) == set(values)
    assert [words.nearest(per_cent) for per_cent in (0, 16, 17, 33, 49, 50, 83, 84)] == [0, 0, 33, 33, 33, 67, 67, 100]


def test_language_and_whether_it_needs_an_answer_can_be_corrected(message, alba):
    before = reading(message)
    said = actions.correct(message=message, field="language", value="ca", by=alba.pk, at=NOON)
    assert not said.is_lesson, "which language it is, nobody need teach"
    other = not before.needs_answer
    assert actions.correct(message=message, field="needs_answer", value=other, by=alba.pk, at=NOON).is_lesson
    actions.read_messages([message], at=NOON)
    found = reading(message)
    assert (found.language, found.needs_answer, found.corrected) == ("ca", other, ["language", "needs_answer"])
    actions.undo_correction(message=message, field="language", by=alba.pk, at=NOON)
    assert reading(message).language == "es"


ASKS = "¿Abrís el lunes? ¿No me digas?"


def asking(site) -> Message:
    inbound.intake(site, [envelope(ASKS)], at=NOON)
    message = Message.objects.get()
    actions.read_messages([message], at=NOON)
    return message


def test_what_is_no_question_stays_none_until_that_is_undone(site, alba):
    message = asking(site)
    opens, exclaims = reading(message).questions
    actions.correct(message=message, field=field_of(exclaims), value=False, by=alba.pk, at=NOON)
    assert actions.correct(message=message, field=field_of(exclaims), value=False, by=alba.pk, at=NOON) is None
    assert not Correction.objects.get().is_lesson
    actions.read_messages([message], at=NOON)
    assert reading(message).questions == [opens]
    message.text, message.edited_at = f"{ASKS} ¿Y el martes?", NOON
    actions.read_messages([message], at=NOON)
    assert reading(message).questions == [opens, "¿Y el martes?"]
    actions.undo_correction(message=message, field=field_of(exclaims), by=alba.pk, at=NOON)
    assert exclaims in reading(message).questions


def test_a_question_that_a_brain_found_comes_back_too(site, alba):
    message = asking(site)
    MessageReading.objects.update(questions=["el lunes"], brained={"questions": "big-1"})
    actions.correct(message=message, field=field_of("el lunes"), value=False, by=alba.pk, at=NOON)
    assert reading(message).questions == []
    actions.undo_correction(message=message, field=field_of("el lunes"), by=alba.pk, at=NOON)
    assert reading(message).questions == ["el lunes"]


def test_how_sure_a_topic_is(message, alba):
    row = reading(message)
    row.confidence, row.corrected = {"topics": 0.33, "topic:delivery": 0.97, "topic:order": 0.33}, ["topic:price"]
    assert [row.sure_of(f"topic:{each}") for each in ("delivery", "order", "price")] == [0.97, 0.33, 1.0]
    row.confidence = {"topics": 0.33}
    assert row.sure_of("topic:delivery") == 0.33, "as it was read before each had its own"
    row.brained = {"topics": "big-1"}
    assert [row.sure_of(f"topic:{each}") for each in ("delivery", "price")] == [BRAINED, 1.0]


@pytest.mark.parametrize(
    ("reader", "code", "label", "inside"),
    [
        ("es", "en", "Inglés", "inglés"),
        ("en", "es", "Spanish", "Spanish"),
        ("en", "pt-BR", "Portuguese", "Portuguese"),
        ("es", "xx", "xx", "xx"),
    ],
)
def test_a_language_is_called_as_the_reader_writes_it(reader, code, label, inside):
    with translation.override(reader):
        assert (words.language(code), words.spoken(code)) == (label, inside)
