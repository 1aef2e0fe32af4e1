"""What is understood, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import get_language, get_language_info, pgettext
from django.utils.translation import gettext as _

from tertulia.core.languages import once_a_language

from .learning import TOPIC
from .reading import LANGUAGES
from .script import UNKNOWN

LEVELS = (0, 33, 67, 100)
"""The urgencies that have a name, in per cent."""


def fields() -> dict[str, str]:
    """Those that have a word for each value, in the order of the page."""
    names = all_fields()
    return {name: names[name] for name in _VALUES}


def field(name: str, own: Mapping[str, str]) -> str:
    """What a field is called; of a topic, `own` among them, the topic."""
    slug = name.removeprefix(TOPIC)
    return fields().get(name) or own.get(slug) or topics().get(slug, slug)


def value(name: str, value: Any) -> str:
    """What somebody said of a field."""
    if name.startswith(TOPIC):
        return _("is about it") if value else _("isn't about it")
    known = values(name).get(nearest(value) if name == "urgency" else value)
    return known or (language(value) if name == "language" else str(value))


def values(name: str) -> Mapping[Any, str]:
    """All that one can say of a field, and how it is called; nothing of one that isn't known, or no more."""
    return _VALUES.get(name, dict)()


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


@once_a_language
def offences() -> dict[bool, str]:
    return {False: _("Not offensive"), True: _("Offensive")}


@once_a_language
def needs() -> dict[bool, str]:
    return {True: _("Needs an answer"), False: _("Needs no answer")}


@once_a_language
def languages() -> dict[str, str]:
    """Those that are read, and one for all others."""
    return {code: language(code) for code in LANGUAGES} | {UNKNOWN: _("Another, or none")}


def language(code: str) -> str:
    """What a language is called, as a label; one without a name by its code."""
    name = spoken(code)
    return name if name == code else name[:1].upper() + name[1:]


def spoken(code: str) -> str:
    """The same inside a sentence."""
    try:
        name = str(get_language_info(code)["name_translated"])
    except KeyError:
        return code
    return name if get_language() == "en" else name.lower()


_VALUES: dict[str, Callable[[], Mapping[Any, str]]] = {
    "kind": kinds, "sentiment": sentiments, "urgency": urgencies, "offensive": offences, "needs_answer": needs,
    "language": languages,
}  # fmt: skip


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
