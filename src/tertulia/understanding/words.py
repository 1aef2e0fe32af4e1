"""What is understood, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


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


def sentiments() -> dict[str, str]:
    return {"negative": _("Upset"), "neutral": _("Neutral"), "positive": _("Pleased")}


def urgencies() -> dict[int, str]:
    return {
        0: _("Can wait"),
        33: _("Within the day"),
        67: pgettext("urgency", "Today"),
        100: pgettext("urgency", "Now"),
    }


def urgent(per_cent: int) -> str:
    """That something is urgent, from 50 per cent on."""
    return _("Urgent now") if nearest(per_cent) == 100 else _("Urgent today")


def nearest(per_cent: int) -> int:
    """The level that comes closest, of two the more urgent."""
    return min(urgencies(), key=lambda level: (abs(level - per_cent), -level))


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
