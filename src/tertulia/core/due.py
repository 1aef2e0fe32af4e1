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

Claim = TypeVar("Claim")
Ticket = tuple[int, int]
"""The id of a row and the fence it was claimed with."""


def rows(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement and return what it gives back; moments are adapted to the database."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [moment(value) if isinstance(value, datetime) else value for value in params])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def change(
    table: str, assignments: str, *, where: str, params: Sequence[Any] = (), returning: str = "id"
) -> list[tuple[Any, ...]]:
    """One conditional update; returns the rows that met the condition. Values travel as params."""
    with transaction.atomic():  # SQLite: in our turn
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
    """`id` is among the rows of a select, evaluated exactly once, locked ones left to whoever holds them."""
    if connection.vendor == "postgresql":
        return f"id = ANY(ARRAY({select} FOR UPDATE SKIP LOCKED))"
    return f"id IN ({select})"


def tickets(given: Iterable[Ticket], *, fence: str = "fence") -> str:
    """A condition that holds for the rows of these tickets alone. Both parts are numbers of our own."""
    return f"(id, {fence}) IN (VALUES " + ", ".join(f"({int(id)}, {int(number)})" for id, number in given) + ")"


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
