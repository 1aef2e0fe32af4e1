"""The one feed of who did what, when. Time lines, notifications, webhooks and live pages all read it.

A type is declared once with its sentence (English msgid) and may say which audience it concerns; what is recorded
is ids and short facts, never a message's text, so that erasing a person need not rewrite the feed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.functional import Promise

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


_types: dict[str, ActivityType] = {}


def declare(name: str, sentence: str | Promise, *, is_public: bool = True) -> str:
    """Declare a type, in the room's apps.py or activities.py; returns the name for use in code."""
    _types[name] = ActivityType(name, sentence, is_public)
    return name


def types() -> Mapping[str, ActivityType]:
    return _types


def record(
    name: str, *, on: models.Model, brand: int, at: datetime, by: int | None = None, **data: Any
) -> Activity:
    """Write one line of the feed in the caller's transaction.

    `on` the record it happened to, `brand` and `by` ids, `data` JSON-able facts for the sentence.
    Raises `UndeclaredActivity`.
    """
    if name not in _types:
        raise UndeclaredActivity(name)
    return Activity.objects.create(
        type=name, on_kind=on._meta.label_lower, on_id=on.pk, brand_id=brand, by_id=by, at=at, data=data
    )
