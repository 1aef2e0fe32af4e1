"""Where the data of people who write to a brand is kept: each room declares it of each of its models, once.

Whoever exports or erases a person walks what was declared; a test fails for a model that nobody has declared. Two ways
of holding: rows that are a person's (`held`: found by ids), and rows of others in which anybody may be named (`named`:
searched for the person's addresses, numbers and names). Of a model that has neither, `none` says why.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Cast
from django.utils.functional import Promise

from .crypto import SecretsField

MASK = "▒▒▒"
"""Stands where something of the person's stood. Shorter than whatever it stands for, so it fits into every column."""
SHORTEST = 4
"""Characters of what is searched for."""
AROUND = 200
"""Characters of somebody else's text that are shown before and after a mark."""
BATCH = 500

Rows = Callable[["Person"], "QuerySet[Any]"]
Erase = Callable[["QuerySet[Any]", "Person"], None]
Files = Callable[[Any], Iterable[tuple[str, bytes]]]


@dataclass(frozen=True)
class Person:
    """Somebody as the tables know them: ids, and what they can be recognised by in texts.

    `marks` are theirs alone (addresses, numbers, handles, what networks call them); `names` are whole names that
    nobody else of the brand has. What goes because it is old has neither: nothing is searched then.
    """

    brand: int
    at: datetime
    """The moment of an erasure."""
    member: int | None = None
    identities: tuple[int, ...] = ()
    conversations: tuple[int, ...] = ()
    messages: tuple[int, ...] = ()
    marks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @cached_property
    def strong(self) -> re.Pattern[str] | None:
        return _pattern(self.marks)

    @cached_property
    def any(self) -> re.Pattern[str] | None:
        return _pattern((*self.marks, *self.names))


@dataclass(frozen=True)
class Holding:
    """Rows that are a person's own."""

    model: type[models.Model]
    says: str | Promise
    rows: Rows
    erase: Erase
    files: Files | None = None
    without: tuple[str, ...] = ()
    """Columns that are no data of the person's, and not exported."""


@dataclass(frozen=True)
class Naming:
    """Rows in whose `columns` anybody may be named. `drops`: such a row goes as a whole instead of being masked."""

    model: type[models.Model]
    says: str | Promise
    columns: tuple[str, ...]
    within: Rows
    drops: bool = False
    names: bool = True
    """Names too are looked for; else only what is the person's alone, where a name may be a word like any other."""
    is_told: bool = True
    """Stands in a copy; not where it can't be told whether it is of this brand."""
    save: Callable[[Any, list[str]], None] | None = None
    """For what is kept beside a row and has to follow; given the row as it shall be and the columns that changed."""


@dataclass
class Declared:
    holdings: list[Holding] = field(default_factory=list)
    namings: list[Naming] = field(default_factory=list)
    none: dict[str, str] = field(default_factory=dict)

    def knows(self, model: type[models.Model]) -> bool:
        label = model._meta.label
        return label in self.none or model in {each.model for each in self.holdings} | {
            each.model for each in self.namings
        }


declared = Declared()


def held(
    model: type[models.Model], says: str | Promise, *, rows: Rows, erase: Erase, files: Files | None = None,
    without: tuple[str, ...] = (),
) -> None:  # fmt: skip
    declared.holdings.append(Holding(model, says, rows, erase, files, without))


def named(
    model: type[models.Model], says: str | Promise, *columns: str, within: Rows, drops: bool = False,
    names: bool = True, is_told: bool = True, save: Callable[[Any, list[str]], None] | None = None,
) -> None:  # fmt: skip
    declared.namings.append(Naming(model, says, columns, within, drops, names, is_told, save))


def none(because: str, *which: type[models.Model] | str) -> None:
    """By label where the model is not ours."""
    declared.none.update({each if isinstance(each, str) else each._meta.label: because for each in which})


def deleted(rows: QuerySet[Any], person: Person) -> None:
    """An `erase` that keeps nothing."""
    rows.delete()


def blanked(**values: Any) -> Erase:
    """An `erase` that keeps the row for its figures and empties these columns."""

    def erase(rows: QuerySet[Any], person: Person) -> None:
        rows.update(**values)

    return erase


# ── what is there ──────────────────────────────────────────────────────────


def as_data(row: models.Model, without: Iterable[str] = ()) -> dict[str, Any]:
    """A row as JSON can hold it, without secrets and keys of ours."""
    left_out = {*without}
    return {
        column.attname: _plain(getattr(row, column.attname))
        for column in row._meta.concrete_fields
        if column.name not in left_out and not isinstance(column, SecretsField)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, memoryview | bytes):
        content = bytes(value)
        try:
            return content.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(content).decode()}
    return value if isinstance(value, str | int | float | bool | list | dict) or value is None else str(value)


def naming(one: Naming, person: Person) -> Iterator[models.Model]:
    """The rows that name the person."""
    pattern = person.any if one.names else person.strong
    if pattern is None:
        return
    needles = _needles((*person.marks, *person.names) if one.names else person.marks)
    rows = one.within(person)
    columns = {name: one.model._meta.get_field(name) for name in one.columns}
    readable = [name for name, column in columns.items() if not isinstance(column, models.BinaryField)]
    if len(readable) == len(columns):  # bytes can't be searched by every database alike: each row is looked at
        cast = {f"{name}_as_text": Cast(name, models.TextField()) for name in readable}
        rows = rows.annotate(**cast).filter(
            reduce(or_, (Q(**{f"{name}_as_text__icontains": needle}) for name in readable for needle in needles))
        )
    for row in rows.order_by("pk").iterator(chunk_size=BATCH):
        if any(_holds(getattr(row, name), pattern) for name in one.columns):
            yield row


def passages(one: Naming, row: models.Model, person: Person) -> dict[str, Any]:
    """What a row says about the person: of a text that others wrote, the words around; all of what would go whole."""
    if one.drops:
        return as_data(row)
    pattern = person.any if one.names else person.strong
    assert pattern is not None  # noqa: S101 — `naming` found it by one
    found = {name: list(_around(_text(getattr(row, name)), pattern)) for name in one.columns}
    return {"id": row.pk, **{name: texts for name, texts in found.items() if texts}}


def _around(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    end = -1
    for found in pattern.finditer(text):
        if found.start() >= end:
            end = found.end() + AROUND
            yield text[max(0, found.start() - AROUND) : end]


def mask(one: Naming, rows: Iterable[models.Model], person: Person) -> None:
    """Let these rows name the person no more."""
    pattern = person.any if one.names else person.strong
    assert pattern is not None  # noqa: S101 — `naming` found it by one
    for row in rows:
        changed = [name for name in one.columns if _holds(getattr(row, name), pattern)]
        if changed and one.drops:
            row.delete()
            continue
        for name in changed:
            setattr(row, name, masked(getattr(row, name), pattern))
        if changed and one.save:
            one.save(row, changed)
        elif changed:
            row.save(update_fields=changed)


def masked(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(MASK, value)
    if isinstance(value, Mapping):
        return {masked(key, pattern): masked(each, pattern) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each, pattern) for each in value]
    if isinstance(value, bytes | memoryview):
        return masked(bytes(value).decode("latin-1"), pattern).replace(MASK, "###").encode("latin-1")
    return value


def _holds(value: Any, pattern: re.Pattern[str]) -> bool:
    return pattern.search(_text(value)) is not None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | memoryview):
        text = bytes(value).decode(errors="replace")
        return text + "\n" + json.loads(f'"{_ESCAPED.sub("", text)}"') if "\\u" in text else text
    return json.dumps(value, ensure_ascii=False, default=str) if value else ""


_ESCAPED = re.compile(r'\\(?!u[0-9a-fA-F]{4})|["\x00-\x1f]')


def _needles(words: Iterable[str]) -> list[str]:
    """As texts and JSON may spell them."""
    return sorted({each for word in words for each in (word, json.dumps(word)[1:-1])})


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    known = sorted({word for word in words if len(word) >= SHORTEST}, key=lambda word: (-len(word), word))
    inner = "|".join(map(re.escape, known))
    return re.compile(rf"(?<![\w.+-])(?:{inner})(?![\w-])", re.IGNORECASE) if known else None
