"""The SQL that every due table shares: claim a few rows by one conditional update.

A *claim* sets a lease and raises the row's fence, a number that only grows. Whoever writes about the row
later names the fence it was given: a worker thought dead can't overwrite its successor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction

from . import bulk

Claim = TypeVar("Claim")
Ticket = tuple[int, int]
"""The id of a row and the fence it was claimed with."""


def rows(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement and return what it gives back; moments are adapted to the database. PostgreSQL plans it once,
    as all of `bulk.planned`: lists travel by `among` and `outside`, and a CASE needs one value that isn't a param."""
    longest = max((len(value) for value in params if isinstance(value, list)), default=1)
    with bulk.planned(longest) as cursor:
        cursor.execute(sql, [moment(value) if isinstance(value, datetime) else value for value in params])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def change(
    table: str, assignments: str, *, where: str, params: Sequence[Any] = (), returning: str = "id"
) -> list[tuple[Any, ...]]:
    """One conditional update; returns the rows that met the condition. Values travel as params."""
    with transaction.atomic(savepoint=False):  # SQLite: in our turn
        return rows(f"UPDATE {table} SET {assignments} WHERE {where} RETURNING {returning}", params)  # noqa: S608


def moment(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def read_moment(value: Any) -> datetime | None:
    """A moment as a plain cursor gives it back: SQLite speaks text."""
    if value is None or (isinstance(value, datetime) and value.tzinfo):
        return value
    text = value if isinstance(value, str) else value.isoformat()
    return datetime.fromisoformat(text + "+00:00")


def one_of(select: str) -> str:
    """`id` is among the rows of a select, evaluated exactly once, locked ones left to whoever holds them: so nobody
    waits, and no two for each other. Rows that others only refer to are not locked by that."""
    if connection.vendor == "postgresql":
        return f"id = ANY(ARRAY({select} FOR NO KEY UPDATE SKIP LOCKED))"
    return f"id IN ({select})"


def among(column: str, values: Sequence[Any], *, of: str = "bigint") -> tuple[str, list[Any]]:
    """A condition that holds where the column has one of the values, and its params: on PostgreSQL one array, so that
    the statement is the same however many there are."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::{of}[])", [list(values)]
    return f"{column} IN ({', '.join(['%s'] * len(values))})", list(values)


def outside(column: str, values: Sequence[Any], *, of: str = "bigint") -> tuple[str, list[Any]]:
    """As `among`, where it has none of them."""
    if connection.vendor == "postgresql":
        return f"{column} <> ALL(%s::{of}[])", [list(values)]
    return f"{column} NOT IN ({', '.join(['%s'] * len(values))})", list(values)


def tickets(given: Iterable[Ticket]) -> tuple[str, list[Any]]:
    """A condition that holds for the rows of these tickets alone, and its params."""
    pairs = list(given)
    if connection.vendor != "postgresql":
        params = [number for pair in pairs for number in pair]
        return f"(id, fence) IN (VALUES {', '.join(['(%s, %s)'] * len(pairs))})", params
    ids, fences = [id for id, _ in pairs], [fence for _, fence in pairs]
    pair = "(id, fence) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))"
    return f"id = ANY(%s::bigint[]) AND {pair}", [ids, ids, fences]


def moments(selects: Sequence[str]) -> list[datetime | None]:
    """Several moments by one statement; each select gives one."""
    (found,) = rows("SELECT " + ", ".join(f"({select})" for select in selects))
    return [read_moment(value) for value in found]


def begin(
    claim: Callable[..., list[Claim]],
    hold: Callable[..., Sequence[Ticket]],
    take: Callable[..., Claim | None],
    *,
    at: datetime,
    limit: int,
) -> list[Claim]:
    """Claims in the installation's way of working: directly, or handed over as a broker would. For tests."""
    if not settings.BROKER_URL:
        return claim(at=at, limit=limit)
    return [claimed for ticket in hold(at=at, limit=limit) if (claimed := take(ticket, at=at)) is not None]
