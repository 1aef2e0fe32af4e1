"""What is in a database, table by table, read alike on SQLite and PostgreSQL.

Rows travel in the form in which SQLite stores them: moments as text in UTC, truth as 0 and 1, JSON as text. Checksums
are taken of that, of JSON without its spelling, and don't depend on the order of the rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Field

from . import databases

BATCH = 2_000
Row = tuple[Any, ...]
Source = sqlite3.Connection | BaseDatabaseWrapper
"""A file of SQLite, opened without any conversion; or PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: str
    """Of its field, as Django calls it: `DateTimeField`."""


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    counts: str
    """The column whose numbers the database gives by itself; empty where none is."""

    @property
    def names(self) -> str:
        return ", ".join(f'"{column.name}"' for column in self.columns)


@dataclass(frozen=True, slots=True)
class Contents:
    """How many rows a table has, and what they say."""

    rows: int
    checksum: str


class Tally:
    """Adds up rows to `Contents`."""

    def __init__(self, table: Table) -> None:
        self._spelled = [(n, _unspelled) for n, column in enumerate(table.columns) if column.kind == "JSONField"]
        self._rows = self._sum = 0

    def add(self, rows: Iterable[Row]) -> None:
        total = count = 0
        for row in rows:
            said = repr(_turned(row, self._spelled)).encode("utf-8", "surrogatepass")
            total += int.from_bytes(blake2b(said, digest_size=16).digest())
            count += 1
        self._sum += total
        self._rows += count

    @property
    def contents(self) -> Contents:
        return Contents(self._rows, f"{self._sum % 2**128:032x}")


def tables(steps: Iterable[databases.Step]) -> list[Table]:
    """All tables that these migrations leave behind, by their names. Raises `databases.Newer`."""
    models = databases.state(steps).apps.get_models(include_auto_created=True)
    found = {}
    for model in models:
        if model._meta.managed and not model._meta.proxy:
            fields = model._meta.local_concrete_fields
            columns = tuple(Column(str(field.column), _kind(field)) for field in fields)
            counted = next((str(field.column) for field in fields if isinstance(field, AutoField)), "")
            found[model._meta.db_table] = Table(model._meta.db_table, columns, counted)
    return [found[name] for name in sorted(found)]


def _kind(field: Field[Any, Any]) -> str:
    while field.remote_field:
        field = field.target_field  # type: ignore[attr-defined]
    return field.get_internal_type()


def contents(source: Source, of: Iterable[Table]) -> dict[str, Contents]:
    """Each table by its name, with what is in it."""
    found = {}
    for table in of:
        tally = Tally(table)
        for batch in read(source, table):
            tally.add(batch)
        found[table.name] = tally.contents
    return found


def read(source: Source, table: Table) -> Iterator[list[Row]]:
    """All rows of a table, some thousand at a time."""
    turns = [(n, turn) for n, column in enumerate(table.columns) if (turn := _turn(column.kind, source))]
    select = f'SELECT {table.names} FROM "{table.name}"'  # noqa: S608 — names of our own
    with _asked(source, select) as found:
        while batch := list(islice(found, BATCH)):
            yield [_turned(row, turns) for row in batch] if turns else batch


@contextmanager
def _asked(source: Source, select: str) -> Iterator[Iterator[Row]]:
    if isinstance(source, sqlite3.Connection):
        yield iter(source.execute(select))
        return
    with source.chunked_cursor() as cursor:
        cursor.cursor.itersize = BATCH
        cursor.execute(select)
        yield iter(cursor)


def _turned(row: Row, turns: Sequence[tuple[int, Callable[[Any], Any]]]) -> Row:
    values: list[Any] | None = None  # most rows of SQLite stay as they are, and needn't be copied
    for number, turn in turns:
        if (value := row[number]) is not None and (said := turn(value)) is not value:
            if values is None:
                values = list(row)
            values[number] = said
    return row if values is None else tuple(values)


def _turn(kind: str, source: Source) -> Callable[[Any], Any] | None:
    return (_OF_SQLITE if isinstance(source, sqlite3.Connection) else _OF_POSTGRESQL).get(kind)


def _moment(text: str) -> str:
    if len(text) == 19 or (len(text) == 26 and text[19] == "."):
        return text
    said = datetime.fromisoformat(text)  # somebody else's hand, or a query of ours that wrote its zone
    return str(said.astimezone(UTC).replace(tzinfo=None) if said.tzinfo else said)


def _plain(value: Any) -> str:
    """A number with decimals: SQLite drops what is nothing behind the point."""
    return format(Decimal(str(value)).normalize(), "f")


_OF_SQLITE: dict[str, Callable[[Any], Any]] = {"DateTimeField": _moment, "DecimalField": _plain, "BooleanField": int}
_OF_POSTGRESQL: dict[str, Callable[[Any], Any]] = {
    "DateTimeField": lambda value: str(value.astimezone(UTC).replace(tzinfo=None)),
    "DateField": str,
    "TimeField": str,
    "DecimalField": _plain,
    "BooleanField": int,
    "BinaryField": bytes,
    "UUIDField": lambda value: value.hex,
}


@lru_cache(maxsize=1_000)
def _unspelled(text: str) -> str:
    """JSON as every spelling of it says it: PostgreSQL sorts the keys and writes numbers in its own way."""
    if text in {"{}", "[]", '""'}:
        return text
    return _write(_read(text))


def _number(text: str) -> int | float:
    whole = Decimal(text)
    return int(whole) if whole == whole.to_integral_value() else float(text)


# Made once: `json.loads` and `json.dumps` make new ones for every text, unless all is as usual.
_read = json.JSONDecoder(parse_float=_number).decode
_write = json.JSONEncoder(sort_keys=True).encode
