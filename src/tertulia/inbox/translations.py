"""Messages in the reader's language, as the thread shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import get_language

from tertulia.channels.models import Message
from tertulia.understanding import translating, words
from tertulia.understanding.masking import LONGEST
from tertulia.understanding.script import UNKNOWN
from tertulia.understanding.teaching import text_of

from . import queries
from .understood import is_sure_of_language


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is of a message in another language than the reader's."""

    of: str
    """The language it is written in."""
    language: str
    text: str = ""
    """Empty where nobody has asked for it yet."""
    model: str = ""
    is_cut: bool = False
    can_be_asked: bool = False
    """False where no model is set up that could."""
    hints: bool = False
    """Whether to say so here: under the newest of them only."""


def own_language() -> str:
    """The reader's, of two letters."""
    return (get_language() or "en")[:2]


def shown(items: Sequence[queries.Item], *, brand: int) -> dict[int, Shown]:
    """By the ids of the messages that people wrote in another language than the reader's, as far as that is sure."""
    language = own_language()
    foreign = [item.of for item in items if item.kind == "message" and _is_foreign(item.of, language)]
    if not foreign:
        return {}
    kept = translating.kept(foreign, language)
    can_be_asked = translating.translator(brand) is not None
    found = {}
    for message in foreign:
        of = words.spoken(message.reading.language)
        if row := kept.get(message.pk):
            found[message.pk] = Shown(of, language, row.text, row.model, is_cut=len(text_of(message)) > LONGEST)
        else:
            found[message.pk] = Shown(of, language, can_be_asked=can_be_asked, hints=message is foreign[-1])
    return found


def _is_foreign(message: Message, language: str) -> bool:
    reading = getattr(message, "reading", None)
    return (
        reading is not None
        and message.direction == Message.Direction.IN
        and not message.deleted_at
        and reading.language not in (language, UNKNOWN)
        and ("language" in reading.corrected or is_sure_of_language(reading))
    )
