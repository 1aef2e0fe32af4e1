"""Reading messages, and correcting what was read. What a person said stands until it is undone, however often the
message is read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from tertulia.channels.models import Account, Message, Restriction
from tertulia.core import activity

from . import activities, layers, teaching
from .learning import LEARNT, NOTHING, TOPIC
from .model import shipped
from .models import Correction, MessageReading
from .questions import QUESTION, field_of
from .reading import KINDS, LANGUAGES, LEVELS, SENTIMENTS, Reading, read
from .script import UNKNOWN

CORRECTABLE: dict[str, tuple[Any, ...]] = {
    "kind": KINDS,
    "sentiment": SENTIMENTS,
    "urgency": LEVELS,
    "offensive": (True, False),
    "needs_answer": (True, False),
    "language": (*LANGUAGES, UNKNOWN),
}
"""The fields a person may correct, and what they may say. Besides them each topic, as `topic:price`: true or false; and
of each question, as `question:` and its digest, that it is none: false."""
FLAGS = ("offensive", "needs_answer")
TAUGHT = {name: values for name, values in CORRECTABLE.items() if name in LEARNT}
"""Those that something is learnt from."""

_READ = [field.attname for field in MessageReading._meta.concrete_fields if not field.primary_key]


class NotUnderstood(Exception):
    """Something that can't be corrected; the message is for the person who tried."""


def read_messages(messages: Sequence[Message], *, at: datetime) -> list[MessageReading]:
    """Read these messages, for the first time or again, and keep what was understood; in a handful of statements.

    What people corrected stays as they said. Of a message that another reading knows in a later version, that stands.
    """
    messages = _unrestricted(messages)
    brands = _brands({message.account_id for message in messages})
    rows = [
        MessageReading(
            message=message, brand_id=brands[message.account_id], by=by, at=at, edited_at=message.edited_at,
            **{**each.as_dict(), "urgency": round(each.urgency * 100)},
        )
        for message, by, each in _read(messages, brands)
    ]  # fmt: skip
    _keep(rows)
    return rows


def _read(messages: Sequence[Message], brands: dict[int, int]) -> Iterator[tuple[Message, str, Reading]]:
    """Each message by its brand's layer, and what it was read by."""
    taught = layers.of(set(brands.values()))
    for brand in dict.fromkeys(brands.values()):
        mine = [message for message in messages if brands[message.account_id] == brand]
        by, layer = taught.get(brand, (shipped().name, NOTHING))
        for message, reading in zip(mine, read([teaching.text_of(each) for each in mine], layer), strict=True):
            yield message, by, reading


def _unrestricted(messages: Sequence[Message]) -> Sequence[Message]:
    """No model reads what somebody wrote whose data is restricted."""
    writers = {message.identity_id for message in messages}
    restricted = set(Restriction.objects.filter(identity__in=writers).values_list("identity", flat=True))
    return [each for each in messages if each.identity_id not in restricted] if restricted else messages


def _brands(accounts: set[int]) -> dict[int, int]:
    return dict(Account.objects.filter(pk__in=accounts).values_list("pk", "brand_id"))


@transaction.atomic
def _keep(rows: Sequence[MessageReading]) -> None:
    ids = [row.message_id for row in rows]
    held = MessageReading.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    known = {row.pk: row for row in held}
    MessageReading.objects.bulk_create([row for row in rows if row.pk not in known], ignore_conflicts=True)
    again = [row for row in rows if row.pk in known and not _is_older(row, known[row.pk])]
    for row in again:
        before = known[row.pk]
        if before.edited_at == row.edited_at:
            row.brained = before.brained
            for name in before.brained:
                setattr(row, name, getattr(before, name))
                row.why.pop(name, None)
            if "kind" in before.brained:
                _follow_kind(row)
        for name in before.corrected:
            _say(row, name, _value(before, name))
    MessageReading.objects.bulk_create(again, update_conflicts=True, unique_fields=["message"], update_fields=_READ)


def _is_older(row: MessageReading, known: MessageReading) -> bool:
    return known.edited_at is not None and (row.edited_at is None or row.edited_at < known.edited_at)


def _say(row: MessageReading, field: str, value: Any) -> None:
    """Let a person's word stand in the reading, and what follows from it."""
    if field.startswith(TOPIC):
        others = [topic for topic in row.topics if topic != field.removeprefix(TOPIC)]
        row.topics = [*others, field.removeprefix(TOPIC)] if value else others
    elif field.startswith(QUESTION):
        row.questions = [each for each in row.questions if field_of(each) != field]
    else:
        setattr(row, field, value)
    row.corrected = [*(name for name in row.corrected if name != field), field]
    if field == "kind":
        _follow_kind(row)


def _follow_kind(row: MessageReading) -> None:
    row.spam = row.kind == "spam"
    if "needs_answer" not in row.corrected:
        row.needs_answer = row.needs_answer and not row.spam


def _value(row: MessageReading, field: str) -> Any:
    if field.startswith(QUESTION):
        return field in map(field_of, row.questions)
    return field.removeprefix(TOPIC) in row.topics if field.startswith(TOPIC) else getattr(row, field)


@transaction.atomic
def correct(
    *, message: Message, field: str, value: Any, by: int, at: datetime, on: models.Model | None = None
) -> Correction | None:
    """Say what a message means instead of what was read; None when it is understood so already.

    `on` is what the feed's line is about, if not the message. To say what the model had read takes the correction back.
    Raises `NotUnderstood`.
    """
    reading = _held(message)
    if not can_be_said(reading.brand_id, field, value):
        raise NotUnderstood(_("That can't be said of a message."))
    if _value(reading, field) == value:
        return None
    last = _live(message, field)
    if last and last.was == value:
        _take_back(reading, last, by=by, at=at, on=on or message)
        return None
    was = _value(reading, field)
    if last:
        was, last.undone_at = last.was, at
        last.save(update_fields=["undone_at"])
    beside = {name: getattr(reading, name) for name in (*teaching.BESIDE, "topics")}
    if field.startswith(QUESTION):
        beside["question"] = next(each for each in reading.questions if field_of(each) == field)
    said = Correction.objects.create(
        brand_id=reading.brand_id, message=message, field=field, was=was, value=value, by_id=by, at=at,
        is_lesson=field in LEARNT or field.startswith(TOPIC), beside=beside,
    )  # fmt: skip
    _say(reading, field, value)
    reading.save(update_fields=_READ)
    _record(activities.CORRECTED, said, by=by, at=at, on=on or message)
    if said.is_lesson:
        teaching.ask(reading.brand_id, at=at)
    return said


def can_be_said(brand: int, field: str, value: Any) -> bool:
    """Whether a field may have a value: one of those there are, or a topic that is shipped or the brand's own; a
    question can only be said to be none."""
    if field.startswith(QUESTION):
        return value is False
    if isinstance(value, bool) != (field in FLAGS or field.startswith(TOPIC)):
        return False
    topic = field.removeprefix(TOPIC)
    if topic == field:
        return value in CORRECTABLE.get(field, ())
    return topic in shipped().fields["topics"].classes or topic in teaching.own_topics(brand)


@transaction.atomic
def undo_correction(
    *, message: Message, field: str, by: int, at: datetime, on: models.Model | None = None
) -> None:  # fmt: skip
    """Let what is read stand again. Raises `NotUnderstood` when nothing is corrected there."""
    reading = _held(message)
    last = _live(message, field)
    if last is None:
        raise NotUnderstood(_("There is no correction to take back."))
    _take_back(reading, last, by=by, at=at, on=on or message)


def _take_back(reading: MessageReading, last: Correction, *, by: int, at: datetime, on: models.Model) -> None:
    last.undone_at = at
    last.save(update_fields=["undone_at"])
    reading.corrected = [name for name in reading.corrected if name != last.field]
    reading.save(update_fields=["corrected"])
    read_messages([reading.message], at=at)
    _as_it_was(last)
    _record(activities.UNCORRECTED, last, by=by, at=at, on=on)
    if last.is_lesson:
        teaching.ask(reading.brand_id, at=at)


def _as_it_was(last: Correction) -> None:
    """What was read before stands again at once, even where the layer in use still holds what was taken back."""
    reading = MessageReading.objects.get(pk=last.message_id)
    is_of_another_text = reading.edited_at is not None and reading.edited_at > last.at
    if _value(reading, last.field) == last.was or is_of_another_text:
        return
    corrected = reading.corrected
    if last.field.startswith(QUESTION):
        reading.questions = [*reading.questions, last.beside["question"]]
    else:
        _say(reading, last.field, last.was)
    reading.corrected = corrected
    reading.save(update_fields=_READ)


def _held(message: Message) -> MessageReading:
    reading = MessageReading.objects.select_for_update().filter(pk=message.pk).first()
    if reading is None:
        raise NotUnderstood(_("This message has not been read yet."))
    reading.message = message
    return reading


def _live(message: Message, field: str) -> Correction | None:
    return Correction.objects.filter(message=message, field=field, undone_at__isnull=True).first()


def _record(name: str, said: Correction, *, by: int, at: datetime, on: models.Model) -> None:
    data = {"message": said.message_id, "field": said.field, "was": said.was, "value": said.value}
    activity.record(name, on=on, brand=said.brand_id, by=by, at=at, **data)
