"""What another model said, and what of it can be used: a value that its field may have, a question that was asked, and
nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_noop as _

from tertulia.core.folding import fold
from tertulia.core.html import tidy

from .questions import LONGEST as LONGEST_QUESTION
from .questions import MOST as MOST_QUESTIONS
from .reading import KINDS, LANGUAGES, MOST_TOPICS, SENTIMENTS

FAILED = _("It answered with an error.")


@dataclass(frozen=True, slots=True)
class Said:
    """What became of one call: by the number of the text the values that can be used, and how it went."""

    values: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    why: str = ""
    got: str = ""
    tokens: int = 0
    pause: timedelta | None = None


def usable(told: Mapping[str, Any], fields: Collection[str], topics: Collection[str], text: str = "") -> dict[str, Any]:
    """Of what was said of one text, the fields that were asked for and have a value there is. Urgency in per cent.

    A question is one only if its words stand in the text that was sent: it is shown as the writer's own words.
    """
    found = {name: _usable(name, told.get(name), topics, text) for name in fields}
    return {name: value for name, value in found.items() if value is not None}


def _usable(name: str, value: Any, topics: Collection[str], text: str) -> Any:
    match name:
        case "language":
            is_code = isinstance(value, str) and (
                value in LANGUAGES or (len(value) == 2 and value.isascii() and value.isalpha())
            )
            return value.lower() if is_code else None
        case "sentiment":
            return value if value in SENTIMENTS else None
        case "kind":
            return value if value in KINDS else None
        case "urgency":
            return round(100 * value) if type(value) in (int, float) and 0 <= value <= 1 else None
        case "offensive" | "needs_answer":
            return value if isinstance(value, bool) else None
        case "topics" if _are_texts(value):
            return [each for each in dict.fromkeys(value) if each in topics][:MOST_TOPICS]
        case "questions" if _are_texts(value):
            lines = (" ".join(tidy(each).split()) for each in value)
            asked = [line[:LONGEST_QUESTION] for line in lines if _stands_in(text, line)][:MOST_QUESTIONS]
            return asked if asked or not value else None
    return None


def _stands_in(text: str, line: str) -> bool:
    words = fold(line)
    return bool(words) and f" {words} " in f" {fold(text)} "


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 20 and all(isinstance(each, str) for each in value)
