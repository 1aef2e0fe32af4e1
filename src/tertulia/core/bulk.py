"""Many rows in few statements, for the ways in: several times faster than `bulk_create` and `bulk_update`.

What it saves is the SQL made anew for every batch: here each row is a tuple for one prepared statement (SQLite) or a
line of a COPY (PostgreSQL). Everything a model promises still holds, because the database holds it: constraints,
foreign keys, the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState
from psycopg.types.json import Jsonb

Adapt = Callable[[Any], Any]


Row = TypeVar("Row", bound=models.Model)


def new(model: type[Row], /, **values: Any) -> Row:
    """`model(**values)` in a tenth of the time. Values by attribute name: `account_id`, never `account`."""
    row = model.__new__(model)
    row.__dict__.update(_defaults(model), _state=ModelState(), **values)
    for name, make in _makes(model):
        if name not in values:
            row.__dict__[name] = make()
    return row


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model, and give them their ids. Must run inside a transaction."""
    if not rows:
        return
    model = type(rows[0])
    for id, row in zip(_next_ids(model, len(rows)), rows, strict=True):
        row.pk = id
        row._state.adding = False
        row._state.db = connection.alias
    copy(model._meta.db_table, _columns(model), _tuples(model, rows))


def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert tuples that are ready for the database."""
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as stream:
                for row in rows:
                    stream.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))  # noqa: S608


def update(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Write these fields (by attribute name) of known rows of one model."""
    if not rows or not fields:
        return
    model = type(rows[0])
    table = model._meta.db_table
    columns = [model._meta.get_field(name) for name in (*fields, "id")]
    names = [connection.ops.quote_name(str(field.column)) for field in columns[:-1]]  # type: ignore[union-attr]
    values = list(_tuples(model, rows, (*fields, "id")))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{field.rel_db_type(connection)}[]" for field in columns)  # type: ignore[union-attr]
            cursor.execute(
                f"UPDATE {table} SET {', '.join(f'{name} = new.{name}' for name in names)}"  # noqa: S608
                f" FROM unnest({arrays}) AS new({', '.join(names)}, id) WHERE {table}.id = new.id",
                [list(column) for column in zip(*values, strict=True)],
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET {', '.join(f'{name} = %s' for name in names)} WHERE id = %s",  # noqa: S608
                values,
            )


def _tuples(model: type[models.Model], rows: Sequence[models.Model], names: Sequence[str] = ()) -> Iterable[list[Any]]:
    by_name = adapts(model, tuple(names))
    values, ready = itemgetter(*by_name), list(by_name.values())
    for row in rows:
        yield [
            value if adapt is None or value is None else adapt(value)
            for adapt, value in zip(ready, values(row.__dict__), strict=True)
        ]


def _columns(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields]


@cache
def _defaults(model: type[models.Model]) -> dict[str, Any]:
    return {str(field.attname): field.get_default() for field in model._meta.concrete_fields}


@cache
def _makes(model: type[models.Model]) -> list[tuple[str, Callable[[], Any]]]:
    """The fields whose default every row must have for itself, a list for instance."""
    fields = [field for field in model._meta.concrete_fields if field.has_default() and callable(field.default)]
    return [(str(field.attname), field.default) for field in fields]


def adapts(model: type[models.Model], names: tuple[str, ...] = ()) -> dict[str, Adapt | None]:
    """How each field is made ready for the database, in the order of its columns; None where the driver takes it as
    it is."""
    return _adapts(model, connection.vendor, names)


@lru_cache(maxsize=100)
def _adapts(model: type[models.Model], vendor: str, names: tuple[str, ...]) -> dict[str, Adapt | None]:
    fields = [model._meta.get_field(name) for name in names] or model._meta.concrete_fields
    return {str(field.attname): _adapt(field, vendor) for field in fields}  # type: ignore[union-attr]


def _adapt(field: Any, vendor: str) -> Adapt | None:
    if isinstance(field, models.DateTimeField):
        return None if vendor == "postgresql" else _moment
    if isinstance(field, models.JSONField):
        return Jsonb if vendor == "postgresql" else _json
    if field.choices:
        return str
    if isinstance(field, models.CharField | models.TextField | models.IntegerField | models.BooleanField):
        return None
    if isinstance(field, models.ForeignKey):
        return _adapt(field.target_field, vendor)
    raise TypeError(f"bulk does not know how to write {field}")


def _moment(value: datetime) -> str:
    return str(value if value.tzinfo is UTC else value.astimezone(UTC))[: -len("+00:00")]


def _json(value: Any) -> str:
    return json.dumps(value) if value else _EMPTY.get(type(value)) or json.dumps(value)


_EMPTY: dict[type, str] = {list: "[]", dict: "{}"}


def _next_ids(model: type[models.Model], count: int) -> Iterable[int]:
    """Ids nobody else will be given: from the sequence, or, in SQLite, under the writer's lock of this transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()
        first = last[0] + 1 if last else 1
        return range(first, first + count)
