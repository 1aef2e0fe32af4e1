"""One database into another: a moment of the one that runs into a file, and such a file into PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from . import databases, tables
from .tables import Contents, Table

NOT_CARRIED = "team_limits"
"""A cache of counts for some minutes."""


class Different(Exception):
    """What arrived is not what left: the tables."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))


def take(source: BaseDatabaseWrapper, file: Path) -> dict[str, Contents]:
    """Write the database as it is at one moment into a new file of SQLite, while others go on writing.

    Returns what was read, where it was not SQLite that copied its own pages. The search index comes along from there
    only.
    """
    if source.vendor == "sqlite":
        source.ensure_connection()
        with closing(sqlite3.connect(file)) as copy:
            source.connection.backup(copy, pages=-1)  # in one step: in several it begins anew with every write
            copy.execute("PRAGMA journal_mode=DELETE")
        return {}
    with _one_moment(source):
        steps = databases.applied(source)
        of = tables.tables(steps)
        target = databases.sqlite_file(file)
        with databases.as_default(target):
            databases.migrate(target, steps)
        with closing(sqlite3.connect(file, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode=DELETE")
            copy.execute("PRAGMA synchronous=OFF")  # whoever takes the file sees to it that it is on the disk
            copy.execute("BEGIN")
            found = {table.name: _into_sqlite(source, table, copy) for table in of}
            copy.execute("COMMIT")
    return found


def put(file: Path, target: BaseDatabaseWrapper) -> tuple[dict[str, Contents], dict[str, Contents]]:
    """Write a file of SQLite into an empty PostgreSQL, which must be the default one; all of it or nothing.

    Returns what was read there and what can be read here. The search index stays empty. Raises `Different`, and what
    the driver raises.
    """
    with closing(sqlite3.connect(file)) as source, transaction.atomic():
        steps = steps_of(source)
        of = tables.tables(steps)
        databases.migrate(target, steps)
        with target.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"TRUNCATE {', '.join(_quoted(table.name) for table in of)}")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        left = {table.name: _into_postgresql(source, table, target) for table in of}
        arrived = tables.contents(target, of)
        if wrong := [name for name, contents in left.items() if arrived[name] != contents]:
            raise Different(wrong)
    return left, arrived


def steps_of(file: sqlite3.Connection) -> list[databases.Step]:
    """The migrations that a file has seen."""
    return [(app, name) for app, name in file.execute("SELECT app, name FROM django_migrations ORDER BY app, name")]


@contextmanager
def _one_moment(source: BaseDatabaseWrapper) -> Iterator[None]:
    """All that is read here is read as it was when it began."""
    with transaction.atomic():
        with source.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _into_sqlite(source: BaseDatabaseWrapper, table: Table, copy: sqlite3.Connection) -> Contents:
    tally = tables.Tally(table)
    copy.execute(f"DELETE FROM {_quoted(table.name)}")  # noqa: S608
    marks = ", ".join("?" * len(table.columns))
    insert = f"INSERT INTO {_quoted(table.name)} ({table.names}) VALUES ({marks})"  # noqa: S608
    for batch in tables.read(source, table):
        copy.executemany(insert, batch)
        tally.add(batch)
    if table.counts:
        with source.cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [_quoted(table.name), table.counts])
            [name] = cursor.fetchone()
            cursor.execute(f"SELECT last_value, is_called FROM {name}")  # noqa: S608
            last, is_used = cursor.fetchone()
        if is_used:  # higher than the highest id where the newest row was deleted: its number must not come again
            copy.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table.name])
            copy.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table.name, last])
    return tally.contents


def _into_postgresql(source: sqlite3.Connection, table: Table, target: BaseDatabaseWrapper) -> Contents:
    tally = tables.Tally(table)
    with target.cursor() as cursor:
        with cursor.copy(f"COPY {_quoted(table.name)} ({table.names}) FROM STDIN") as stream:
            for batch in tables.read(source, table):
                for row in batch:
                    stream.write_row(row)
                tally.add(batch)
        if table.counts:
            last = source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table.name]).fetchone()
            if last and last[0]:
                sequence = "pg_get_serial_sequence(%s, %s)"
                cursor.execute(f"SELECT setval({sequence}, %s)", [_quoted(table.name), table.counts, last[0]])
    return tally.contents


def _quoted(name: str) -> str:
    return f'"{name}"'
