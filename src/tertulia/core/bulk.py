"""Many rows in few statements, for the ways in and out: several times faster than `bulk_create` and `bulk_update`.

What it saves is the SQL made anew for every batch, and what the ORM does for each value it reads: here each row is a
tuple for one prepared statement (SQLite) or a line of a COPY (PostgreSQL), which also plans only once what is asked
again and again for a few values. Everything a model promises still holds, because the database holds it: constraints,
foreign keys, the caller's transaction.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from operator import itemgetter
from time import monotonic
from typing import Any, Generic, Self, TypeVar

import psycopg
from django.db import connection, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models.base import ModelState
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.types.datetime import TimestamptzLoader

Adapt = Callable[[Any], Any]

REPLAN = 60.0
"""PostgreSQL: seconds after which a connection plans anew. Else a plan from when a table was empty would stand until it
is analyzed, which a server without autovacuum never does."""
MANY = 50
"""PostgreSQL: a statement with lists of so many values is planned each time. A plan that is kept from when a table was
empty walks all of an account's rows: of a first intake, a minute is long."""


Row = TypeVar("Row", bound=models.Model)


def new(model: type[Row], /, **values: Any) -> Row:
    """`model(**values)` in a tenth of the time. Values by attribute name: `account_id`, never `account`."""
    row = model.__new__(model)
    row.__dict__.update(_defaults(model), _state=ModelState(), **values)
    for name, make in _makes(model):
        if name not in values:
            row.__dict__[name] = make()
    return row


def relate(row: models.Model, /, **related: models.Model | None) -> None:
    """`row.account = account`, for rows whose `account_id` is set already: what the descriptor would do, unchecked."""
    row._state.fields_cache.update(related)


def find(
    model: type[Row], name: str, values: Iterable[Any], *, without: Sequence[str] = (), is_locked: bool = False,
    **equal: Any,
) -> list[Row]:  # fmt: skip
    """The rows whose `name` is among the values, in the order of their ids; by attribute name, like all here.

    `equal` narrows them down further, what `without` names is fetched only when it is asked for, and `is_locked` holds
    the rows until the transaction ends, where the database can; others may go on to refer to them.
    """
    return ask(model, name, values, without=without, is_locked=is_locked, **equal).rows()


def ask(
    model: type[Row], name: str, values: Iterable[Any], *, without: Sequence[str] = (), is_locked: bool = False,
    **equal: Any,
) -> Asked[Row]:  # fmt: skip
    """As `find`; what is asked `ahead` is looked for while the next is asked, until the rows are wanted."""
    values = list(values)
    if not values:
        return Asked(model, (), None)
    vendor = connection.vendor
    select, names = _select(model, tuple(without), tuple(equal), vendor)
    among, params = _among(model, name, values, vendor)
    order = "id FOR NO KEY UPDATE" if is_locked and vendor == "postgresql" else "id"
    ready = adapts(model, tuple(equal)) if equal else {}
    given = [
        value if value is None or (adapt := ready[name]) is None else adapt(value) for name, value in equal.items()
    ]
    cursor = planned(len(values))
    cursor.execute(f"{select}{among} ORDER BY {order}", [*given, *params])
    return Asked(model, names, cursor)


class Asked(Generic[Row]):
    """An answer on its way. Nothing may be written to its table before it is read."""

    def __init__(self, model: type[Row], names: Sequence[str], cursor: CursorWrapper | None) -> None:
        self._model, self._names, self._cursor = model, names, cursor

    def rows(self) -> list[Row]:
        if self._cursor is None:
            return []
        with self._cursor as cursor:
            return _rows(self._model, self._names, cursor.fetchall())


@lru_cache(maxsize=200)
def _select(
    model: type[models.Model], without: tuple[str, ...], equal: tuple[str, ...], vendor: str
) -> tuple[str, tuple[str, ...]]:
    """The statement up to its last condition, and what it gives."""
    names = tuple(name for name in _defaults(model) if name not in without)
    # What Django does to each moment it reads is written in Python. The driver of PostgreSQL can do it itself; that of
    # SQLite gives the bare text of what is no column but an expression.
    bare = "" if vendor == "postgresql" else "+"
    columns = ", ".join(bare + _column(model, each) for each in names)
    conditions = "".join(f"{_column(model, key)} = %s AND " for key in equal)
    return f"SELECT {columns} FROM {model._meta.db_table} WHERE {conditions}", names  # noqa: S608


def _among(model: type[models.Model], name: str, values: list[Any], vendor: str) -> tuple[str, list[Any]]:
    """`column IN (…)` and its params: on PostgreSQL one array, whose statement is always the same."""
    column = _column(model, name)
    if len(values) == 1:
        return f"{column} = %s", values
    if vendor == "postgresql":
        return f"{column} = ANY(%s::{_type(model, name)}[])", [values]
    return f"{column} IN ({', '.join(['%s'] * len(values))})", values


@lru_cache(maxsize=1_000)
def _type(model: type[models.Model], name: str) -> str | None:
    return model._meta.get_field(name).rel_db_type(connection)  # type: ignore[union-attr]


def _rows(model: type[Row], names: Sequence[str], found: Iterable[Sequence[Any]]) -> list[Row]:
    if not found:
        return []
    reads = [(name, read) for name, read in _reads(model, connection.vendor) if name in names]
    alias = connection.alias
    rows = []
    for line in found:
        row = model.__new__(model)
        state = ModelState()
        state.adding, state.db = False, alias
        values = row.__dict__
        values.update(zip(names, line, strict=True), _state=state)
        for name, read in reads:
            if values[name] is not None:
                values[name] = read(values[name])
        rows.append(row)
    return rows


def planned(listed: int = 1) -> CursorWrapper:
    """A cursor; on PostgreSQL its statements are planned once: the values travel beside them, without a type of their
    own, so that a statement is the same whatever is missing or large among them; `listed`: so many values in a list."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    own: Any = connections[connection.alias]
    own.close_if_health_check_failed()
    own.ensure_connection()
    if monotonic() - own.__dict__.setdefault("planned_at", monotonic()) > REPLAN:
        with own.wrap_database_errors:
            own.connection.execute("DISCARD PLANS")
        own.planned_at = monotonic()
    cursor: CursorWrapper = own._prepare_cursor((_Planning if listed < MANY else _PlanningAnew)(own.connection))
    return cursor


class _Planning(psycopg.Cursor[Any]):
    """Its adapters are made once: to make them anew for each cursor takes longer than most statements."""

    @property
    def adapters(self) -> AdaptersMap:
        global _adapters
        if _adapters is None:
            made = AdaptersMap(self.connection.adapters)
            made.register_loader("timestamptz", TimestamptzLoader)
            for kind in (int, bool, datetime, date, time):
                made.register_dumper(kind, _Untyped)
            _adapters = made  # whole, since other threads see it from now on
        return _adapters


class _PlanningAnew(_Planning):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        return super().execute(query, params, **options | {"prepare": False})


_adapters: AdaptersMap | None = None


class _Untyped(Dumper):
    def dump(self, value: Any) -> bytes:
        return str(value).encode()


def sent(sql: str, params: Sequence[Any]) -> Callable[[], list[Any]]:
    """Ask what is planned once, and return what reads its rows: inside of `ahead`, nobody waits before that."""
    cursor = planned()
    cursor.execute(sql, params)
    if connection.vendor == "postgresql":
        return lambda: _read_to_its_end(cursor)
    rows = _read_to_its_end(cursor)
    return lambda: rows


def _read_to_its_end(cursor: CursorWrapper) -> list[Any]:
    with cursor:
        return list(cursor.fetchall())


@contextmanager
def ahead() -> Iterator[None]:
    """PostgreSQL: what is only written or `sent` here is not waited for, until something is read or the block ends.

    What is written, inside a transaction, and few rows: many are better copied. An error may come later than its cause,
    but always inside of the block.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline() as pipeline:

        def settled(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
            result = execute(sql, params, many, context)
            if not isinstance(context["cursor"].cursor, _Planning):
                with connection.wrap_database_errors:
                    pipeline.sync()  # it may ask how many rows it has changed
            return result

        with connection.execute_wrapper(settled):
            try:
                yield
            finally:
                _here.reserved = None


class _Here(threading.local):
    """What this thread has at hand."""

    reserved: _Reserved | None = None


_here = _Here()


class _Reserved:
    """Ids on their way, one for each model."""

    def __init__(self, kinds: Sequence[type[models.Model]]) -> None:
        tables = [kind._meta.db_table for kind in kinds]
        self._kinds, self._ids, self._cursor = kinds, dict[type[models.Model], int](), planned()
        self._cursor.execute(f"SELECT {', '.join([_NEXT_ID] * len(tables))}", tables)

    def take(self, kind: type[models.Model]) -> int | None:
        if self._kinds:
            self._ids = dict(zip(self._kinds, self._cursor.fetchone(), strict=True))
            self._kinds = ()
        return self._ids.pop(kind, None)


_NEXT_ID = "nextval(pg_get_serial_sequence(%s, 'id'))"


def reserve(*kinds: type[models.Model]) -> None:
    """In a block that writes `ahead`: ask now for the id that one new row of each model will have, so that nobody waits
    for it when it is written. One that isn't used is lost, and nothing with it."""
    if connection.vendor == "postgresql":
        _here.reserved = _Reserved(kinds)


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model, and give them their ids. Must run inside a transaction."""
    if not rows:
        return
    model = type(rows[0])
    alias = connection.alias
    if len(rows) == 1:
        [row] = rows
        row.id = _insert_one(row)  # type: ignore[attr-defined]
        row._state.adding, row._state.db = False, alias
        return
    for id, row in zip(_next_ids(model, len(rows)), rows, strict=True):
        row.id = id  # type: ignore[attr-defined]
        row._state.adding = False
        row._state.db = alias
    copy(model._meta.db_table, _columns(model), _tuples(model, rows))


def _insert_one(row: models.Model) -> int:
    """In one statement, where many rows need their ids beforehand."""
    model = type(row)
    if _here.reserved and (id := _here.reserved.take(model)):
        row.id = id  # type: ignore[attr-defined]
        copy(model._meta.db_table, _columns(model), _tuples(model, [row]))
        return id
    names = _without_id(model)
    [values] = _tuples(model, [row], names)
    statement = _statement(model._meta.db_table, tuple(_bare(model, name) for name in names))
    with planned() as cursor:
        cursor.execute(f"{statement} RETURNING id", values)
        return int(cursor.fetchone()[0])


def add(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model whose ids nobody asks for; inside a transaction or not."""
    if not rows:
        return
    model = type(rows[0])
    names = _without_id(model)
    copy(model._meta.db_table, [_bare(model, name) for name in names], _tuples(model, rows, names))


def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert tuples that are ready for the database."""
    given = list(rows)
    statement = _statement(table, tuple(columns))
    with planned() as cursor:
        if len(given) == 1:
            cursor.execute(statement, given[0])
        elif connection.vendor == "postgresql" and not connection.connection.pgconn.pipeline_status:
            with cursor.copy(_stream(table, tuple(columns))) as stream:
                for row in given:
                    stream.write_row(row)
        else:
            cursor.executemany(statement, given)


@lru_cache(maxsize=200)
def _statement(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({_listed(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608


@lru_cache(maxsize=200)
def _stream(table: str, columns: tuple[str, ...]) -> str:
    return f"COPY {table} ({_listed(columns)}) FROM STDIN"


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(connection.ops.quote_name(column) for column in columns)


def update(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Write these fields (by attribute name) of known rows of one model."""
    if not rows or not fields:
        return
    model = type(rows[0])
    table = model._meta.db_table
    columns = [model._meta.get_field(name) for name in (*fields, "id")]
    names = [connection.ops.quote_name(str(field.column)) for field in columns[:-1]]  # type: ignore[union-attr]
    values = list(_tuples(model, rows, (*fields, "id")))
    with planned(len(values)) as cursor:
        if connection.vendor == "postgresql" and len(values) > 1:
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


def raise_to(model: type[models.Model], ids: Iterable[int], name: str, value: Any) -> None:
    """Set a field of these rows to the value where it is lower: what another transaction wrote later stays."""
    if not (given := list(ids)):
        return
    among, params = _among(model, "id", given, connection.vendor)
    column, adapt = _column(model, name), adapts(model, (name,))[name]
    ready = adapt(value) if adapt else value
    with planned(len(given)) as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {column} = %s WHERE {among} AND {column} < %s",  # noqa: S608
            [ready, *params, ready],
        )


def _tuples(model: type[models.Model], rows: Sequence[models.Model], names: Sequence[str] = ()) -> Iterable[list[Any]]:
    by_name = adapts(model, tuple(names))
    values, ready = itemgetter(*by_name), list(by_name.values())
    for row in rows:
        yield [
            value if adapt is None or value is None else adapt(value)
            for adapt, value in zip(ready, values(row.__dict__), strict=True)
        ]


@cache
def _columns(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields]


@lru_cache(maxsize=1_000)
def _column(model: type[models.Model], name: str) -> str:
    return connection.ops.quote_name(_bare(model, name))


@lru_cache(maxsize=1_000)
def _bare(model: type[models.Model], name: str) -> str:
    return str(model._meta.get_field(name).column)  # type: ignore[union-attr]


@cache
def _defaults(model: type[models.Model]) -> dict[str, Any]:
    return {str(field.attname): field.get_default() for field in model._meta.concrete_fields}


@cache
def _without_id(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(name for name in _defaults(model) if name != "id")


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


_PLAIN = (models.CharField, models.TextField, models.IntegerField, models.BooleanField, models.BinaryField)


def _adapt(field: Any, vendor: str) -> Adapt | None:
    if isinstance(field, models.DateTimeField):
        return None if vendor == "postgresql" else _moment
    if isinstance(field, models.JSONField):
        return _json
    if field.choices:
        return str
    if isinstance(field, _PLAIN):
        return None
    if isinstance(field, models.ForeignKey):
        return _adapt(field.target_field, vendor)
    raise TypeError(f"bulk does not know how to write {field}")


@lru_cache(maxsize=100)
def _reads(model: type[models.Model], vendor: str) -> list[tuple[str, Adapt]]:
    """The fields whose values the driver doesn't give as a model has them."""
    reads = [(str(field.attname), _read(field, vendor)) for field in model._meta.concrete_fields]
    return [(name, read) for name, read in reads if read]


def _read(field: Any, vendor: str) -> Adapt | None:
    if isinstance(field, models.DateTimeField):
        return None if vendor == "postgresql" else _read_moment
    if isinstance(field, models.DateField | models.TimeField):
        return None if vendor == "postgresql" else _FROM_ISO[field.get_internal_type()]
    if isinstance(field, models.JSONField):
        return _read_json
    if hasattr(field, "from_db_value"):
        return lambda value: field.from_db_value(value, None, connection)
    if isinstance(field, models.BooleanField):
        return None if vendor == "postgresql" else bool
    if isinstance(field, models.CharField | models.TextField | models.IntegerField):
        return None
    if isinstance(field, models.ForeignKey):
        return _read(field.target_field, vendor)
    raise TypeError(f"bulk does not know how to read {field}")


def _read_moment(value: str) -> datetime:
    return datetime.fromisoformat(value + "+00:00")


def _read_json(value: str) -> Any:
    make = _EMPTY_READ.get(value)
    return make() if make else json.loads(value)


_FROM_ISO: dict[str, Adapt] = {"DateField": date.fromisoformat, "TimeField": time.fromisoformat}
_EMPTY_READ: dict[str, Callable[[], Any]] = {"[]": list, "{}": dict}


def _moment(value: datetime) -> str:
    return str(value if value.tzinfo is UTC else value.astimezone(UTC))[: -len("+00:00")]


def _json(value: Any) -> str:
    if value:
        return json.dumps(value)
    return _EMPTY.get(type(value)) or json.dumps(value)


_EMPTY: dict[type, str] = {list: "[]", dict: "{}"}


def _next_ids(model: type[models.Model], count: int) -> Iterable[int]:
    """Ids nobody else will be given: from the sequence, or, in SQLite, under the writer's lock of this transaction."""
    table = model._meta.db_table
    with planned() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "WITH own AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name)"
                " SELECT nextval(own.name) FROM own, generate_series(1, %s)",
                [table, count],
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()
        first = last[0] + 1 if last else 1
        return range(first, first + count)
