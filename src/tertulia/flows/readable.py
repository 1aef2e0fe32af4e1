"""A row of somebody's data as that person can read it: in words, moments in the brand's time, and nothing that only a
program understands. What is left out here stands in the copy's `data.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Field, Model
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tertulia.channels.models import Account, Message
from tertulia.understanding import words
from tertulia.understanding.models import MessageReading

_COLUMNS: dict[str, str | Promise] = {
    "at": gettext_lazy("When"),
    "sent_at": gettext_lazy("When"),
    "first_seen_at": gettext_lazy("First seen"),
    "last_seen_at": gettext_lazy("Last seen"),
    "asked_at": gettext_lazy("Asked for"),
    "confirmed_at": gettext_lazy("Confirmed"),
    "ended_at": gettext_lazy("Ended"),
    "withdrawn_at": gettext_lazy("Withdrawn"),
    "deleted_at": gettext_lazy("Deleted"),
    "author_name": gettext_lazy("Written by"),
    "name": gettext_lazy("Name"),
    "handle": gettext_lazy("Name on the network"),
    "address": gettext_lazy("Address"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "language": gettext_lazy("Language"),
    "subject": gettext_lazy("Subject"),
    "text": gettext_lazy("Text"),
    "url": gettext_lazy("Link"),
    "consent": gettext_lazy("In which words"),
    "because": gettext_lazy("Why"),
    "why": gettext_lazy("Why"),
    "questions": gettext_lazy("Questions"),
    "sent": gettext_lazy("What left"),
    "got": gettext_lazy("What came back"),
}
"""Those that say something to people, in the order in which they are read, where a column has no name of its own."""
_DIRECTIONS: dict[str, str | Promise] = {
    Message.Direction.IN: gettext_lazy("from you to us"),
    Message.Direction.OUT: gettext_lazy("from us to you"),
}


def pairs(row: Model, without: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """What each column is called, and what it says; empty where there is nothing for people."""
    order = list(_COLUMNS)
    columns = [column for column in row._meta.concrete_fields if column.name not in without and _name(column)]
    columns.sort(key=lambda column: order.index(column.attname) if column.attname in order else len(order))
    found = [*_beside(row), *((str(_name(column)), _said(row, column)) for column in columns)]
    return [(name, said) for name, said in found if said]


def quotes(passages: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What others wrote around somebody's name (`core.personal.passages`)."""
    return [("", _bare(each)) for texts in passages.values() if isinstance(texts, list) for each in texts]


def _bare(text: str) -> str:
    """Of what is kept as JSON, its words."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return " · ".join(each for each in found.values() if isinstance(each, str)) if isinstance(found, dict) else text


def _name(column: Field[Any, Any]) -> str | Promise:
    own = getattr(column, "_verbose_name", None)  # what a form calls it, too
    return own if isinstance(own, Promise) else _COLUMNS.get(column.attname, "")


def _beside(row: Model) -> Iterator[tuple[str, str]]:
    """What is told of a row beside its plain columns."""
    for name in ("account", "list"):
        if isinstance(channel := getattr(row, name, None), Account):
            yield _("Channel"), channel.name
    if isinstance(row, Message):
        yield _("Which way"), str(_DIRECTIONS.get(row.direction, ""))
    if isinstance(row, MessageReading):
        for name in ("kind", "sentiment"):
            yield words.fields()[name], words.value(name, getattr(row, name))


def _said(row: Model, column: Field[Any, Any]) -> str:
    value = getattr(row, column.attname)
    if column.choices:
        return str(getattr(row, f"get_{column.name}_display")())
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    if isinstance(value, list):
        return "\n".join(each for each in value if isinstance(each, str))
    return value if isinstance(value, str) else ""
