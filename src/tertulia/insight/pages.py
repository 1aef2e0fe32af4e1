"""Topics and repeated questions as their pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from tertulia.understanding import words
from tertulia.understanding.grouping import Topic

from .topics import Question, Row, Topics

PAGE: Final = 25
"""Messages of a topic on one page."""
SHOWN: Final = 40
"""Topics on the page; what comes after is in a fold."""
PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a bar, in hundredths of its whole width."""

    tone: str
    offset: float
    width: float


@dataclass(frozen=True, slots=True)
class Shown:
    """A topic with its bar, what has changed, and quotes with where they stand."""

    key: str
    name: str
    is_own: bool
    messages: int
    people: int
    change: str
    trend: str
    pieces: list[Piece]
    feelings: list[tuple[str, str, int, int]]
    """Tone, name, messages, per cent."""
    quotes: list[tuple[Row, str, int]]
    parts: list[Shown]


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[tuple[Row, int]]
    """Each with how many others say the same in nearly its words."""
    number: int
    previous: int
    next: int


def shown(found: Topics) -> list[Shown]:
    widest = max((topic.messages for topic in found.grouping.topics), default=1)
    return [_shown(topic, found, widest) for topic in found.grouping.topics]


def opened(topic: Topic, found: Topics) -> Shown:
    return _shown(topic, found, topic.messages)


def _shown(topic: Topic, found: Topics, widest: int) -> Shown:
    change, trend = _change(topic, found)
    return Shown(
        topic.key, name(topic, found), topic.kind == "own", topic.messages, topic.people, change, trend,
        _pieces(topic, widest), _feelings(topic),
        [(found.rows[quote.at], quote.text, quote.alike) for quote in topic.quotes],
        [_shown(part, found, widest) for part in topic.parts],
    )  # fmt: skip


def name(topic: Topic, found: Topics) -> str:
    """Beginning with a capital, as a heading does."""
    known = {**found.taught, **words.topics()} if topic.kind == "general" else {}
    told = known.get(topic.name, topic.name)
    return told[:1].upper() + told[1:]


def _change(topic: Topic, found: Topics) -> tuple[str, str]:
    """Against the period before, and the way it went; nothing where there is nothing to compare with."""
    if not found.is_compared:
        return "", ""
    if not found.compares(topic):
        return _("not compared: what is older wasn't read for it"), ""
    more = topic.messages - topic.before
    if topic.before == 0:
        return pgettext("topic", "new"), "up"
    if more > 0:
        return ngettext("{n} more than before", "{n} more than before", more).format(n=more), "up"
    if more < 0:
        return ngettext("{n} fewer than before", "{n} fewer than before", -more).format(n=-more), "down"
    return _("as many as before"), "same"


def _pieces(topic: Topic, widest: int) -> list[Piece]:
    pieces, offset = [], 0.0
    for tone in ("negative", "neutral", "positive"):
        width = 100 * topic.feelings[tone] / max(widest, 1)
        if width:
            pieces.append(Piece(tone, offset, width))
        offset += width
    return pieces


def _feelings(topic: Topic) -> list[tuple[str, str, int, int]]:
    return [
        (tone, told, topic.feelings[tone], round(100 * topic.feelings[tone] / max(topic.messages, 1)))
        for tone, told in words.sentiments().items()
        if topic.feelings[tone]
    ]


def page(topic: Topic, found: Topics, number: int) -> Page:
    """The messages of a topic, newest first; each said once, with how many say the same."""
    saying: dict[int, list[int]] = {}
    for n in topic.members:
        saying.setdefault(found.grouping.leaders[n], []).append(n)
    first = [(found.rows[numbers[0]], len(numbers) - 1) for numbers in saying.values()]
    pages = max(1, -(-len(first) // PAGE))
    number = min(max(number, 1), pages)
    shown = first[(number - 1) * PAGE : number * PAGE]
    return Page(shown, number, number - 1, number + 1 if number < pages else 0)


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    text: str
    language: str
    people: int
    variants: list[str]
    rows: list[Row]
    more: int
    latest: datetime


def asked(found: list[Question]) -> list[ShownQuestion]:
    return [
        ShownQuestion(
            each.asked.text, each.language, each.asked.people, each.asked.variants, each.rows[:PARTS],
            max(0, len(each.rows) - PARTS), each.rows[0].at,
        )
        for each in found
    ]  # fmt: skip
