"""Topics and repeated questions as their pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from tertulia.core import tables
from tertulia.inbox.models import SavedReply
from tertulia.understanding import words
from tertulia.understanding.grouping import MOST_QUOTES, Topic

from .topics import Question, Row, Topics

PAGE: Final = 25
"""Messages of a topic on one page."""
SHOWN: Final = 40
"""Topics on the page; what comes after is in a fold."""
ASKERS: Final = 5
"""Of a question on the page; the others are in a fold."""


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
    channels: list[tuple[str, int]]
    """With their messages; none where only one was looked at."""
    quotes: list[tuple[Row, str, int]]
    parts: list[Shown]
    place: str
    """What its address says."""


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


def _shown(topic: Topic, found: Topics, widest: int, of: Topic | None = None) -> Shown:
    """`of` is the topic that this one is a part of."""
    change, trend = _change(topic, found, of or topic)
    return Shown(
        topic.key, name(topic, found), topic.kind == "own", topic.messages, topic.people, change, trend,
        _pieces(topic, widest), _feelings(topic), _channels(topic, found) if len(found.accounts) > 1 else [],
        [(found.rows[quote.at], quote.text, quote.alike) for quote in topic.quotes],
        [_shown(part, found, widest, topic) for part in topic.parts], urlencode(place(topic, found)),
    )  # fmt: skip


def name(topic: Topic, found: Topics) -> str:
    """Beginning with a capital, as a heading does."""
    known = {**found.taught, **words.topics()} if topic.kind == "general" else {}
    told = known.get(topic.name, topic.name)
    return told[:1].upper() + told[1:]


def _change(topic: Topic, found: Topics, of: Topic) -> tuple[str, str]:
    """Against the period before, and the way it went; nothing where there is nothing to compare with."""
    if not found.is_compared:
        return "", ""
    if not found.compares(of):
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


def table(found: Topics, address: str) -> bytes:
    """The topics, each before its parts, as CSV; `address` is that of their page, with its days as dates."""
    feelings = words.sentiments()
    header = [
        _("Topic"), _("What they say"), _("Messages"), _("Messages before"), _("People"), *feelings.values(),
        _("Channels"), *(_("Quote {n}").format(n=n + 1) for n in range(MOST_QUOTES)), _("Link"),
    ]  # fmt: skip
    rows = []
    for topic in found.grouping.topics:
        link = f"{address}&{urlencode(place(topic, found))}"
        for each in (topic, *topic.parts):
            quotes = [quote.text for quote in each.quotes]
            channels = ", ".join(f"{called}: {n}" for called, n in _channels(each, found))
            rows.append([
                name(topic, found), "" if each is topic else name(each, found), each.messages,
                each.before if found.compares(topic) else "", each.people, *(each.feelings[tone] for tone in feelings),
                channels, *quotes, *[""] * (MOST_QUOTES - len(quotes)), link,
            ])  # fmt: skip
    return tables.write(header, rows)


def place(topic: Topic, found: Topics) -> dict[str, str]:
    """What an address says of a topic: its key, and messages it is found by when it is called otherwise one day."""
    return {"topic": topic.key, "of": "-".join(map(str, found.some_of(topic)))}


def _channels(topic: Topic, found: Topics) -> list[tuple[str, int]]:
    return [(found.accounts[account], n) for account, n in found.channels(topic) if account in found.accounts]


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    text: str
    language: str
    people: int
    variants: list[str]
    rows: list[Row]
    """Whom nobody has answered first."""
    more: list[Row]
    waiting: int
    """People nobody has answered."""
    reply: SavedReply | None


def asked(found: list[Question]) -> list[ShownQuestion]:
    return [_asked(each, sorted(each.rows, key=lambda row: not row.waits)) for each in found]


def _asked(found: Question, rows: list[Row]) -> ShownQuestion:
    return ShownQuestion(
        found.asked.text, found.language, found.asked.people, found.asked.variants, rows[:ASKERS], rows[ASKERS:],
        len({row.person for row in rows if row.waits}), found.reply,
    )  # fmt: skip
