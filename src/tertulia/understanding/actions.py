"""Reading messages, and correcting what was read. What a person said stands until it is undone, however often the
message is read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from tertulia.channels.models import Account, Message
from tertulia.core import activity

from . import activities
from .model import shipped
from .models import Correction, MessageReading
from .reading import KINDS, SENTIMENTS, read

URGENCIES = (0, 33, 67, 100)
"""Per cents one can say: it can wait, within the day, today, now."""
CORRECTABLE: dict[str, tuple[Any, ...]] = {
    "kind": KINDS,
    "sentiment": SENTIMENTS,
    "urgency": URGENCIES,
    "offensive": (True, False),
}
"""The fields a person may correct, and what they may say."""

_READ = [field.attname for field in MessageReading._meta.concrete_fields if not field.primary_key]


class NotUnderstood(Exception):
    """Something that can't be corrected; the message is for the person who tried."""


def read_messages(messages: Sequence[Message], *, at: datetime) -> list[MessageReading]:
    """Read these messages, for the first time or again, and keep what was understood; in a handful of statements.

    What people corrected stays as they said. Of a message that another reading knows in a later version, that stands.
    """
    model = shipped().name
    found = read([_text(message) for message in messages])
    brands = _brands({message.account_id for message in messages})
    rows = [
        MessageReading(
            message=message, brand_id=brands[message.account_id], by=model, at=at, edited_at=message.edited_at,
            **{**each.as_dict(), "urgency": round(each.urgency * 100)},
        )
        for message, each in zip(messages, found, strict=True)
    ]  # fmt: skip
    _keep(rows)
    return rows


def _text(message: Message) -> str:
    """With what it is about, unless that was an earlier message's."""
    return message.text if message.in_reply_to or not message.subject else f"{message.subject}\n{message.text}"


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
        for name in known[row.pk].corrected:
            _say(row, name, getattr(known[row.pk], name))
    MessageReading.objects.bulk_create(again, update_conflicts=True, unique_fields=["message"], update_fields=_READ)


def _is_older(row: MessageReading, known: MessageReading) -> bool:
    return known.edited_at is not None and (row.edited_at is None or row.edited_at < known.edited_at)


def _say(row: MessageReading, field: str, value: Any) -> None:
    """Let a person's word stand in the reading, and what follows from it."""
    setattr(row, field, value)
    row.corrected = [*(name for name in row.corrected if name != field), field]
    if field == "kind":
        row.spam = value == "spam"
        row.needs_answer = row.needs_answer and not row.spam


@transaction.atomic
def correct(
    *, message: Message, field: str, value: Any, by: int, at: datetime, on: models.Model | None = None
) -> Correction | None:
    """Say what a message means instead of what was read; None when it is understood so already.

    `on` is what the feed's line is about, if not the message. To say what the model had read takes the correction back.
    Raises `NotUnderstood`.
    """
    if value not in CORRECTABLE.get(field, ()) or isinstance(value, bool) != (field == "offensive"):
        raise NotUnderstood(_("That can't be said of a message."))
    reading = _held(message)
    if getattr(reading, field) == value:
        return None
    last = _live(message, field)
    if last and last.was == value:
        _take_back(reading, last, by=by, at=at, on=on or message)
        return None
    was = getattr(reading, field)
    if last:
        was, last.undone_at = last.was, at
        last.save(update_fields=["undone_at"])
    said = Correction.objects.create(
        brand_id=reading.brand_id, message=message, field=field, was=was, value=value, by_id=by, at=at
    )
    _say(reading, field, value)
    reading.save(update_fields=_READ)
    _record(activities.CORRECTED, said, by=by, at=at, on=on or message)
    return said


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
    _record(activities.UNCORRECTED, last, by=by, at=at, on=on)


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
