"""Live updates as server-sent events: `/live/desk/<brand>/` for the team, `/live/site/<key>/` for visitors.

One thread per web process asks the database what is new and feeds every stream of the process, so that five hundred
open pages cost as much as one. It is also the only thread here that reads the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from tertulia.core import clock

from . import doors, news
from .doors import Closed, Place
from .rsgi import Exchange, Scope, Transport, plain, safe_headers

log = logging.getLogger(__name__)

LOOK = 0.25
BEAT = 15.0
SIGN_OF_LIFE = 20.0
RECHECK = 60.0
CHECKS_AT_ONCE = 20
"""Each takes a few queries; the look for news must not wait for hundreds of them."""
MOST_STREAMS = 2_000
MOST_EACH = {"desk": 20, "site": 6}
"""Streams one person may hold open in one web process."""
BACKLOG = 200
"""A reader so many chunks behind is let go; it comes back and catches up."""

HEADERS = [("content-type", "text/event-stream; charset=utf-8"), ("x-accel-buffering", "no")]
_HELLO = b"retry: 2000\nevent: hello\ndata: {}\n\n"
_BYE = b"event: bye\ndata: {}\n\n"
_BEAT = b"event: beat\ndata: {}\n\n"
_END = None


@dataclass(eq=False)
class Stream:
    """One open connection."""

    place: Place
    checked_at: float
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(BACKLOG))
    is_open: bool = True

    def put(self, chunk: bytes) -> None:
        if not self.is_open or not chunk:
            return
        try:
            self.queue.put_nowait(chunk)
        except asyncio.QueueFull:
            self.end()

    def end(self, last: bytes | None = _END) -> None:
        """Close it; what was waiting is dropped when the reader is too slow for it."""
        if not self.is_open:
            return
        self.is_open = False
        while self.queue.qsize() > BACKLOG - 2:
            self.queue.get_nowait()
        for chunk in (last, _END) if last else (_END,):
            self.queue.put_nowait(chunk)


class Streams:
    """All streams of this process, and what feeds them."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._held: Counter[str] = Counter()
        self._reader = news.Reader()
        self._is_closing = False
        self._feeding: asyncio.Task[None] | None = None
        self._has_started = asyncio.Event()
        self._thread: ThreadPoolExecutor
        self._pages: ThreadPoolExecutor
        self._loop: asyncio.AbstractEventLoop

    def open(self, loop: asyncio.AbstractEventLoop, pages: ThreadPoolExecutor) -> None:
        self._loop, self._pages = loop, pages
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")

    def close(self) -> None:
        self._is_closing = True
        for stream in self._streams:
            stream.end()
        self._thread.shutdown(wait=False)

    async def answer(self, scope: Scope, exchange: Exchange) -> None:
        headers, query = dict(scope.headers.items()), parse_qs(scope.query_string)
        after = headers.get("last-event-id") or _first(query, "after")
        if scope.method != "GET":
            return plain(exchange, 405, "Only GET.", [("allow", "GET")])
        if self._is_closing or len(self._streams) >= MOST_STREAMS:
            return plain(exchange, 503, "Too many open pages. Try again.", [("retry-after", "5")])
        try:
            place = await self._in_thread(doors.knock, scope.path, headers, query, clock.now())
        except Closed as closed:
            return plain(exchange, closed.status, closed.why, closed.headers)
        if self._held[place.who] >= MOST_EACH[place.kind]:
            return plain(exchange, 429, "Too many pages open at once.", [("retry-after", "30"), *place.headers])
        await self._hold(Stream(place, self._loop.time()), exchange, after, _first(query, "age"))

    async def _hold(self, stream: Stream, exchange: Exchange, after: str, age: str) -> None:
        self._held[stream.place.who] += 1
        stream.put(_HELLO)
        self._streams.add(stream)
        try:
            await self._start_feeding()
            if stream.place.kind == "desk" and (after or age):
                stream.put(await self._in_thread(news.missed, stream.place.brand_id, after, age, clock.now()))
            await _send(stream, exchange.response_stream(200, [*HEADERS, *safe_headers(), *stream.place.headers]))
        except (RuntimeError, OSError):
            pass  # the reader has left
        finally:
            stream.is_open = False
            self._streams.discard(stream)
            self._held[stream.place.who] -= 1
            self._held += Counter()

    async def _start_feeding(self) -> None:
        """Returns once nothing can be missed any more."""
        if self._feeding is None or self._feeding.done():
            self._has_started.clear()
            self._reader = news.Reader()
            self._feeding = self._loop.create_task(self._feed())
        await self._has_started.wait()

    async def _feed(self) -> None:
        """While anybody listens: look for news, beat, check that everyone may still listen."""
        beat_at = life_at = 0.0
        present: frozenset[int] = frozenset()
        while self._streams and not self._is_closing:
            started = self._loop.time()
            try:
                self._hand_out(await self._in_thread(self._reader.look, self._threads_watched(), clock.now()))
                self._has_started.set()
                await self._recheck(started)
                if started - life_at >= SIGN_OF_LIFE or self._brands() - present:
                    life_at, present = started, self._brands()
                    self._pages.submit(_in_a_page_thread, news.sign_of_life, present, clock.now())
            except (DatabaseError, InterfaceError) as error:
                log.warning("Live updates wait for the database: %s", error)
                await asyncio.sleep(1)
            except Exception:
                if self._is_closing:
                    return  # and its thread with it
                log.exception("Live updates stumbled")  # nobody would know: the pages stay open and hear nothing more
                await asyncio.sleep(1)
            if started - beat_at >= BEAT:
                beat_at = started
                for stream in list(self._streams):
                    stream.put(_BEAT)
            await asyncio.sleep(max(0.02, LOOK - (self._loop.time() - started)))

    def _hand_out(self, found: news.News) -> None:
        if not found:
            return
        for stream in list(self._streams):
            place = stream.place
            chunk = found.desk.get(place.brand_id) if place.kind == "desk" else found.site.get(place.thread)
            if chunk:
                stream.put(chunk)

    async def _recheck(self, now: float) -> None:
        old = [stream for stream in self._streams if now - stream.checked_at >= RECHECK]
        for stream in sorted(old, key=lambda each: each.checked_at)[:CHECKS_AT_ONCE]:
            stream.checked_at = now
            if not await self._in_thread(stream.place.still_open, clock.now()):
                stream.end(_BYE)

    def _threads_watched(self) -> frozenset[tuple[int, str]]:
        return frozenset(stream.place.thread for stream in self._streams if stream.place.kind == "site")

    def _brands(self) -> frozenset[int]:
        return frozenset(stream.place.brand_id for stream in self._streams if stream.place.kind == "desk")

    async def _in_thread(self, function: Any, *args: Any) -> Any:
        return await self._loop.run_in_executor(self._thread, _with_a_live_connection, function, *args)


def _first(query: dict[str, list[str]], name: str) -> str:
    return (query.get(name) or [""])[0]


async def _send(stream: Stream, transport: Transport) -> None:
    while (chunk := await stream.queue.get()) is not _END:
        await transport.send_bytes(chunk)


def _with_a_live_connection(function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except (DatabaseError, InterfaceError):
        connection.close()
        raise


def _in_a_page_thread(function: Any, *args: Any) -> None:
    close_old_connections()
    try:
        function(*args)
    except (DatabaseError, InterfaceError) as error:
        log.warning("The sign of life of the open pages could not be written: %s", error)
        connection.close()
