"""One port for everything: live streams on the event loop, every other page in a few threads of Django.

Granian speaks RSGI to us. A page's request is read on the loop, whole, before it takes one of the threads, so that a
slow sender can't hold one; its answer is handed back whole. Why not two servers, and why not ASGI:
docs/decisions/one-port.md, with the figures.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, Protocol

from django.conf import settings

log = logging.getLogger(__name__)

MAX_BODY = 32 * 1024 * 1024
IN_MEMORY = 256 * 1024
"""A longer body waits in a file of the data folder, which has no name and so goes with its process."""
KEPT_FREE = 500 * 1024 * 1024
"""Bytes of the disk that bodies leave to the database, however many people send some at once."""
READING_SECONDS = 60
SLOWEST = 125_000
"""Bytes a second: a film gets more time to arrive, by its size."""
WHOLE = 1024 * 1024
"""A longer answer leaves in pieces."""

Environ = dict[str, Any]


class Headers(Protocol):
    def items(self) -> Iterable[tuple[str, str]]: ...
    def get(self, key: str) -> str | None: ...


class Scope(Protocol):
    """A request's head, as RSGI gives it."""

    proto: str
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None

    @property
    def headers(self) -> Headers: ...


class Transport(Protocol):
    async def send_bytes(self, data: bytes) -> None: ...


class Exchange(Protocol):
    """The body of a request and the way to answer it."""

    def __aiter__(self) -> Any: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...
    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Transport: ...


class Streams(Protocol):
    """What answers under `/live/`."""

    def open(self, loop: asyncio.AbstractEventLoop, pages: ThreadPoolExecutor) -> None: ...
    def close(self) -> None: ...
    async def answer(self, scope: Scope, exchange: Exchange) -> None: ...


class Desk:
    """The application of one web process."""

    def __init__(self, pages: Callable[..., Any], streams: Streams, *, threads: int) -> None:
        self._pages, self._streams, self._threads = pages, streams, threads
        self._pool: ThreadPoolExecutor

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="page")
        self._streams.open(loop, self._pool)
        # The web server tells its workers a moment before it stops them: an open stream would hold them up.
        loop.add_signal_handler(signal.SIGUSR1, self._streams.close)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._pool.shutdown(wait=True)

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        if scope.proto != "http":
            return
        if scope.path.startswith("/live/"):
            await self._streams.answer(scope, exchange)
        else:
            await self._page(scope, exchange)

    async def _page(self, scope: Scope, exchange: Exchange) -> None:
        try:
            async with asyncio.timeout(READING_SECONDS + max(min(length(scope), most(scope)) - MAX_BODY, 0) / SLOWEST):
                body = await _read(scope, exchange)
        except TimeoutError:
            return plain(exchange, 408, "The request took too long to arrive.")
        except NoRoom:
            return plain(exchange, 503, "There is no room for this at the moment.")
        except TooLarge:
            return plain(exchange, 413, f"More than {most(scope) // 1024 // 1024} MB can't be sent at once.")
        rest = await asyncio.get_running_loop().run_in_executor(self._pool, self._call, environ(scope, body), exchange)
        if rest is not None:
            await self._stream(rest, exchange)

    def _call(self, request: Environ, exchange: Exchange) -> Any:
        """In a thread: answer the request, or return the answer when it is too long to be sent at once."""
        head: list[tuple[int, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
            head.append((int(status[:3]), headers))

        try:
            answer = self._pages(request, start)
        except Exception:
            log.exception("A page failed outside of Django")
            request["wsgi.input"].close()
            return plain(exchange, 500, "Something went wrong here. It is in the log.")
        status, headers = head[0]
        if getattr(answer, "streaming", False) and int(dict(headers).get("Content-Length", WHOLE)) >= WHOLE:
            return request, status, headers, answer
        try:
            exchange.response_bytes(status, headers, b"".join(answer))
        finally:
            answer.close()
            request["wsgi.input"].close()
        return None

    async def _stream(self, rest: Any, exchange: Exchange) -> None:
        loop = asyncio.get_running_loop()
        request, status, headers, answer = rest
        try:
            transport = exchange.response_stream(status, headers)
            pieces = iter(answer)
            while (piece := await loop.run_in_executor(self._pool, next, pieces, None)) is not None:
                await transport.send_bytes(piece)
        finally:
            await loop.run_in_executor(self._pool, answer.close)
            request["wsgi.input"].close()


class TooLarge(Exception):
    """The body is longer than `most`."""


class NoRoom(Exception):
    """No more than `KEPT_FREE` is left where it would wait."""


def length(scope: Scope) -> int:
    """How long the body says it is; 0 where it doesn't."""
    said = scope.headers.get("content-length") or ""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else 0


def most(scope: Scope) -> int:
    """How long a body may be: a form of the team's pages may bring a film and what else was chosen with it."""
    is_form = (scope.headers.get("content-type") or "").startswith("multipart/form-data")
    is_theirs = scope.path.startswith("/b/") and scope.headers.get("cookie")
    return settings.LARGEST_FILM + MAX_BODY if is_form and is_theirs else MAX_BODY


async def _read(scope: Scope, exchange: Exchange) -> IO[bytes]:
    """The whole body, rewound. Raises `TooLarge` and `NoRoom`."""
    if scope.method in {"GET", "HEAD", "OPTIONS"}:
        return io.BytesIO()
    longest = most(scope)
    if length(scope) > longest:
        raise TooLarge
    folder = str(settings.FILE_UPLOAD_TEMP_DIR)
    body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=folder)  # noqa: SIM115 — closed after the answer
    try:
        size = 0
        async for chunk in exchange:
            size += len(chunk)
            if size > longest:
                raise TooLarge
            if size > IN_MEMORY and shutil.disk_usage(folder).free < KEPT_FREE:
                raise NoRoom
            body.write(chunk)
    except BaseException:
        body.close()
        raise
    body.seek(0)
    return body


def environ(scope: Scope, body: IO[bytes]) -> Environ:
    """The request as WSGI wants it."""
    host, _, port = scope.server.rpartition(":")
    values: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": host.strip("[]"),
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.authority:
        values["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        # X_Forwarded_For must not pass for X-Forwarded-For.
        if "_" not in name:
            _add(values, name.upper().replace("-", "_"), value)
    size = body.seek(0, os.SEEK_END)
    body.seek(0)
    if size:
        values["CONTENT_LENGTH"] = str(size)
    return values


def _add(values: Environ, name: str, value: str) -> None:
    key = name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"
    if key in values and key not in {"HTTP_HOST", "CONTENT_LENGTH", "CONTENT_TYPE"}:
        value = f"{values[key]}{'; ' if key == 'HTTP_COOKIE' else ', '}{value}"
    values[key] = value


def safe_headers() -> list[tuple[str, str]]:
    """What every answer carries that Django doesn't give."""
    headers = [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ]
    if settings.SECURE_HSTS_SECONDS:
        within = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
        headers.append(("strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}{within}"))
    return headers


def plain(exchange: Exchange, status: int, text: str, headers: Iterable[tuple[str, str]] = ()) -> None:
    """Answer with a sentence."""
    exchange.response_bytes(
        status,
        [("content-type", "text/plain; charset=utf-8"), *safe_headers(), *headers],
        text.encode(),
    )
