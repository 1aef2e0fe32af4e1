"""What was understood of a message, as the pages show it and as one says it otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext, ngettext

from tertulia.channels.models import Message
from tertulia.understanding import words
from tertulia.understanding.actions import CORRECTABLE
from tertulia.understanding.learning import TOPIC
from tertulia.understanding.models import Correction, MessageReading
from tertulia.understanding.questions import QUESTION, field_of

from . import labelling, queries
from .models import URGENT

LOOKED_AT = 2_000
"""Characters of a message whose spelling is known."""


class Choice(NamedTuple):
    """Something one can say of a message: what the form sends, its word, and whether it is understood so."""

    say: str
    name: str
    is_so: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a reading: what it says, how sure that is and for which words; or who says so instead."""

    field: str
    name: str
    choices: list[Choice]
    sure: str
    because: str
    corrected_by: str
    was: str

    @property
    def value(self) -> str:
        return next((choice.name for choice in self.choices if choice.is_so), "")


class Named(NamedTuple):
    """A topic or a question of a message: what the form sends to take it off, its name, and who put it on or, of one
    that was read, how sure that is and for which words."""

    say: str
    name: str
    by: str
    sure: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    marks: list[tuple[str, str]]
    """What stands under the message, with its tone."""
    parts: list[Part]
    topics: list[Named]
    others: list[str]
    """The topics one can put on, the brand's own first; any other name makes a new one."""
    taken_off: list[Named]
    """Topics that somebody took off: what the form sends to undo that."""
    questions: list[Named]
    no_questions: list[Named]
    """What somebody said is none."""


def shown(item: queries.Item, people: Mapping[int, Any], own: Mapping[str, str]) -> Shown | None:
    """What there is to show of a message's reading; None for what nobody read. `own` are the brand's own topics."""
    reading: MessageReading | None = getattr(item.of, "reading", None)
    if reading is None or item.of.deleted_at:
        return None
    said = {each.field: each for each in item.corrections}
    because = _Because(reading, item.of)
    names = {**own, **words.topics()}
    named = [slug for slug in reading.topics if slug in names]
    off = [slug for slug in names if (so := said.get(TOPIC + slug)) and not so.value]
    return Shown(
        _marks(reading),
        [_part(reading, field, name, because, said.get(field), people) for field, name in words.fields().items()],
        [_topic(reading, slug, names[slug], because, said.get(TOPIC + slug), people) for slug in named],
        [name for slug, name in names.items() if slug not in reading.topics],
        [Named(TOPIC + slug, names[slug], _who(said.get(TOPIC + slug), people)) for slug in off],
        [Named(f"{field_of(each)}=0", each, "") for each in reading.questions],
        [
            Named(name, so.beside["question"], _who(so, people))
            for name, so in said.items()
            if name.startswith(QUESTION)
        ],
    )


def _marks(reading: MessageReading) -> list[tuple[str, str]]:
    marks = [(words.kinds().get(reading.kind, reading.kind), "")]
    if reading.sentiment != "neutral":
        marks.append((words.sentiments().get(reading.sentiment, reading.sentiment), ""))
    if reading.urgency >= URGENT:
        marks.append((words.urgent(reading.urgency), "soon"))
    if reading.offensive:
        marks.append((gettext("Offensive"), "late"))
    return marks


def signs(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What a row of the list shows of the newest message: icon, word and why that matters here."""
    found = []
    if row["kind"] == "complaint":
        found.append(("", words.kinds()["complaint"], ""))
    if row["urgency"] >= URGENT and row["waiting_since"] is not None:  # answered, it isn't urgent any more
        found.append(("lightning", words.urgent(row["urgency"]), _why_ahead(row)))
    if row["is_offensive"]:
        found.append(("", gettext("Offensive"), ""))
    return found


def _why_ahead(row: Mapping[str, Any]) -> str:
    hours = (row["listed_at"] - row["last_activity_at"]) // timedelta(hours=1)
    ahead = ngettext(
        "Put ahead by {count} hour, because it is urgent", "Put ahead by {count} hours, because it is urgent", hours
    )
    return ahead.format(count=hours) if hours else ""


class _Because:
    """The words that told of a field, as they stand in the message: a reading gives them plain."""

    def __init__(self, reading: MessageReading, message: Message) -> None:
        self.why = reading.why
        found = re.findall(r"\w+", f"{message.subject} {message.text[:LOOKED_AT]}")
        self.spelt = {labelling.fold(word): word for word in found}

    def words(self, field: str) -> str:
        told = [self.spelt.get(word, word) for word in self.why.get(field, []) if word.isalnum()]
        return ", ".join(gettext("“{words}”").format(words=word) for word in told)


def _part(
    reading: MessageReading,
    field: str,
    name: str,
    because: _Because,
    said: Correction | None,
    people: Mapping[int, Any],
) -> Part:
    so = _nearest(field, getattr(reading, field))
    names = _values(reading, field)
    return Part(
        field,
        name,
        [Choice(f"{field}={_sent(value)}", each, value == so) for value, each in names.items()],
        reading.brained.get(field) or words.sure(reading.sure_of(field)),
        because.words(field) if getattr(reading, field) else "",
        _who(said, people),
        words.value(field, said.was) if said else "",
    )


def _topic(
    reading: MessageReading, slug: str, name: str, because: _Because, said: Correction | None, people: Mapping[int, Any]
) -> Named:  # fmt: skip
    field = TOPIC + slug
    sure, why = words.sure(reading.sure_of(field)), because.words(field)
    if brain := reading.brained.get("topics"):
        sure, why = brain, ""
    return Named(f"{field}=0", name, _who(said, people), sure, why)


def _who(said: Correction | None, people: Mapping[int, Any]) -> str:
    return str(people.get(said.by_id, gettext("Somebody"))) if said else ""


def _nearest(field: str, value: Any) -> Any:
    return words.nearest(value) if field == "urgency" else value


def _values(reading: MessageReading, field: str) -> Mapping[Any, str]:
    """What can be said of a field, and what was read if that is none of it: a language that isn't learnt."""
    names = words.values(field)
    if field != "language" or reading.language in names:
        return names
    return {reading.language: words.language(reading.language), **names}


def _sent(value: Any) -> str:
    return str(int(value)) if isinstance(value, int) else value


def said(text: str) -> tuple[str, Any]:
    """The field and the value of a form's «urgency=100»; what can't be said gives a value that is refused."""
    field, _, sent = text.partition("=")
    if field.startswith((TOPIC, QUESTION)):
        return field, {"1": True, "0": False}.get(sent)
    return field, next((value for value in CORRECTABLE.get(field, ()) if _sent(value) == sent), None)
