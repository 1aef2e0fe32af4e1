"""What is understood, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tertulia.core.languages import once_a_language

from .learning import TOPIC

LEVELS = (0, 33, 67, 100)
"""The urgencies that have a name, in per cent."""


def fields() -> dict[str, str]:
    return {"kind": _("What it is"), "sentiment": _("Feeling"), "urgency": _("Urgency"), "offensive": _("Offence")}


def field(name: str, own: Mapping[str, str]) -> str:
    """What a field is called; of a topic, `own` among them, the topic."""
    slug = name.removeprefix(TOPIC)
    return fields().get(name) or own.get(slug) or topics().get(slug, slug)


def value(name: str, value: Any) -> str:
    """What somebody said of a field."""
    if name.startswith(TOPIC):
        return _("is about it") if value else _("isn't about it")
    if name == "offensive":
        return _("Offensive") if value else _("Not offensive")
    if name == "urgency":
        return urgencies().get(nearest(value), "")
    return (kinds() if name == "kind" else sentiments()).get(value, str(value))


@once_a_language
def kinds() -> dict[str, str]:
    return {
        "question": _("Question"),
        "complaint": _("Complaint"),
        "suggestion": _("Suggestion"),
        "praise": _("Praise"),
        "purchase": _("Purchase"),
        "support": pgettext("kind of message", "Incident"),
        "spam": pgettext("kind of message", "Spam"),
        "other": pgettext("kind of message", "Other"),
    }


@once_a_language
def sentiments() -> dict[str, str]:
    return {"negative": _("Upset"), "neutral": _("Neutral"), "positive": _("Pleased")}


@once_a_language
def urgencies() -> dict[int, str]:
    return {
        0: _("Can wait"),
        33: _("Within the day"),
        67: pgettext("urgency", "Today"),
        100: pgettext("urgency", "Now"),
    }


@once_a_language
def all_fields() -> dict[str, str]:
    """What a reading says, field by field."""
    return {
        "language": _("Language"),
        "sentiment": _("Feeling"),
        "kind": _("What it is"),
        "urgency": _("Urgency"),
        "offensive": _("Offence"),
        "needs_answer": _("Whether it needs an answer"),
        "topics": _("Topics"),
        "questions": _("Questions"),
    }


def urgent(per_cent: int) -> str:
    """That something is urgent, from 50 per cent on."""
    return _urgent()[nearest(per_cent) == 100]


@once_a_language
def _urgent() -> dict[bool, str]:
    return {True: _("Urgent now"), False: _("Urgent today")}


def nearest(per_cent: int) -> int:
    """The level that comes closest, of two the more urgent."""
    return min(LEVELS, key=lambda level: (abs(level - per_cent), -level))


def sure(confidence: float) -> str:
    if confidence >= 0.9:
        return _("sure")
    return _("fairly sure") if confidence >= 0.7 else _("a guess")


def topics() -> dict[str, str]:
    return {
        "accessibility": _("accessibility"),
        "account": pgettext("topic", "account"),
        "booking": _("bookings"),
        "brand": pgettext("topic", "the brand"),
        "cancellation": _("cancellation"),
        "cleanliness": _("cleanliness"),
        "delivery": pgettext("topic", "delivery"),
        "environment": _("environment"),
        "event": _("events"),
        "health": pgettext("topic", "health"),
        "hours": _("opening hours"),
        "invoice": _("invoices"),
        "job": _("jobs"),
        "location": _("where it is"),
        "noise": _("noise"),
        "offers": _("offers"),
        "order": _("orders"),
        "partnership": _("working together"),
        "payment": _("payment"),
        "price": _("prices"),
        "privacy": _("privacy"),
        "product": _("products"),
        "quality": _("quality"),
        "refund": _("refunds"),
        "staff": _("staff"),
        "stock": _("what is in stock"),
        "technical": _("technical trouble"),
        "waiting": pgettext("topic", "waiting"),
        "warranty": _("warranty"),
        "website": _("website"),
    }
