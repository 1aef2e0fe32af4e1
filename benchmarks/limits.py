"""What this machine can do at best, without Tertulia, in the same run: the other figures are held against these."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from tertulia.inbox.models import Conversation

from .figures import Figure, percentile, typical
from .people import brand
from .stage import EMPTY, Browser, running

ROUNDS = 3
TEXT = "hola, quería saber cuándo llega mi pedido " * 3


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    is_sized = int(size) > EMPTY
    with _raw() as execute:
        if not is_sized:
            a_second = _commits(execute, 1, 200)
            yield Figure("durable commits, one row each", a_second, "rows/s", better="more")
            yield Figure("a durable commit, mean", 1_000 / a_second, "ms")
            yield Figure("500 rows in each durable commit", _commits(execute, 500, 20), "rows/s", better="more")
    if is_sized:
        yield Figure("25 rows by index, raw SQL, p50", _look_up(), "ms")
    else:
        yield from _empty_answers()


@contextmanager
def _raw() -> Iterator[Callable[[list[tuple[Any, ...]]], None]]:
    """A function that inserts rows durably, with the driver alone."""
    if connection.vendor == "sqlite":
        path = Path(settings.HOME) / "raw.sqlite3"
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("PRAGMA journal_mode=WAL")
            raw.execute("PRAGMA synchronous=FULL")
            raw.execute("CREATE TABLE IF NOT EXISTS raw (id integer PRIMARY KEY, a text, b text)")

            def insert(rows: list[tuple[Any, ...]]) -> None:
                raw.execute("BEGIN IMMEDIATE")
                raw.executemany("INSERT INTO raw (a, b) VALUES (?, ?)", rows)
                raw.execute("COMMIT")

            yield insert
        for file in Path(settings.HOME).glob("raw.sqlite3*"):
            file.unlink()
        return
    with psycopg.connect(os.environ["DATABASE_URL"]) as server:
        server.execute("CREATE TABLE IF NOT EXISTS raw (id bigserial PRIMARY KEY, a text, b text)")
        server.commit()

        def copy(rows: list[tuple[Any, ...]]) -> None:
            with server.cursor() as cursor, cursor.copy("COPY raw (a, b) FROM STDIN") as stream:
                for row in rows:
                    stream.write_row(row)
            server.commit()

        yield copy
        server.execute("DROP TABLE raw")
        server.commit()


def _commits(insert: Callable[[list[tuple[Any, ...]]], None], rows: int, times: int) -> float:
    def once() -> float:
        started = time.perf_counter()
        for number in range(times):
            insert([(f"m{number}", TEXT)] * rows)
        return rows * times / (time.perf_counter() - started)

    return typical(once() for _ in range(ROUNDS))


def _look_up() -> float:
    """The first page of the list as one plain statement, fetched whole."""
    table = Conversation._meta.db_table
    mark = "?" if connection.vendor == "sqlite" else "%s"
    sql = f"SELECT * FROM {table} WHERE brand_id = {mark} AND state = 'open' ORDER BY listed_at DESC, id DESC LIMIT 26"
    connection.ensure_connection()
    cursor, took, args = connection.connection.cursor(), [], (brand().pk,)
    for _ in range(300):
        started = time.perf_counter()
        cursor.execute(sql, args)
        cursor.fetchall()
        took.append((time.perf_counter() - started) * 1_000)
    connection.connection.rollback()
    return percentile(took, 0.5)


def _empty_answers() -> Iterator[Figure]:
    """The same web server with an application that answers nothing: what HTTP itself costs here."""
    port = int(os.environ["TERTULIA_PORT"])
    with running("-m", "benchmarks.nothing", str(port), port=port):
        browser, took = Browser(port), []
        for _ in range(500):
            started = time.perf_counter()
            browser.get("/")
            took.append((time.perf_counter() - started) * 1_000)
        yield Figure("an empty answer over HTTP, p50", percentile(took, 0.5), "ms")
        yield Figure("empty answers over HTTP, 8 at once", at_once(port, ["/"], "", 8, 2_000), "1/s", better="more")


def at_once(port: int, paths: list[str], cookie: str, people: int, requests: int) -> float:
    """Requests per second when so many people ask at the same time."""
    each = requests // people

    def ask(number: int) -> None:
        browser = Browser(port, cookie)
        for turn in range(each):
            browser.get(paths[(number + turn) % len(paths)])
        browser.close()

    threads = [threading.Thread(target=ask, args=[number]) for number in range(people)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return each * people / (time.perf_counter() - started)
