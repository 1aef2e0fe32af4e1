"""The one feed of who did what, when. Time lines, notifications, webhooks and live pages all read it.

A type is declared once with its sentence (English msgid) and may say which audience it concerns; what is recorded
is ids and short facts, never a message's text, so that erasing a person need not rewrite the feed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.functional import Promise

from . import bulk, jobs
from .models import Activity


class UndeclaredActivity(LookupError):
    """Every type must be declared with a sentence before it is recorded."""


@dataclass(frozen=True, slots=True)
class ActivityType:
    """`sentence` is a lazy translation with named placeholders: {who} and the keys of the activity's data."""

    name: str
    sentence: str | Promise
    is_public: bool = True
    """Offered to outgoing webhooks."""
    says: tuple[str, ...] = ()
    """Facts that are the sentence of an outcome: told in the reader's language."""


_types: dict[str, ActivityType] = {}


def declare(name: str, sentence: str | Promise, *, is_public: bool = True, says: tuple[str, ...] = ()) -> str:
    """Declare a type, in the room's apps.py or activities.py; returns the name for use in code."""
    _types[name] = ActivityType(name, sentence, is_public, says)
    return name


def types() -> Mapping[str, ActivityType]:
    return _types


def record(name: str, *, on: models.Model, brand: int, at: datetime, by: int | None = None, **data: Any) -> Activity:
    """Write one line of the feed in the caller's transaction.

    `on` the record it happened to, `brand` and `by` ids, `data` JSON-able facts for the sentence.
    Raises `UndeclaredActivity`.
    """
    return record_many([(name, on, data)], brand=brand, at=at, by=by)[0]


def record_many(
    lines: Iterable[tuple[str, models.Model, Mapping[str, Any]]],
    *,
    brand: int,
    at: datetime,
    by: int | None = None,
) -> list[Activity]:
    """Write several lines at once: (type, record, data) each. Those it concerns are told after the commit."""
    rows = [
        bulk.new(
            Activity, type=_declared(name), on_kind=on._meta.label_lower, on_id=on.pk, brand_id=brand, by_id=by, at=at,
            data=dict(data),
        )
        for name, on, data in lines
    ]  # fmt: skip
    bulk.insert(rows)
    if rows:
        jobs.enqueue("flows.tell", activity_ids=[row.id for row in rows])
    return rows


def _declared(name: str) -> str:
    if name not in _types:
        raise UndeclaredActivity(name)
    return name
