"""What is logged: each line with the request it belongs to, and without a secret.

A request's id goes on with the jobs it enqueues, and with theirs. What a request brought to prove who it is (cookies,
keys, passwords, the token in its address) is masked by its value, everything else by its looks, see `redact`.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path

from django.http import HttpRequest

from .redact import MASK, without_control, without_secrets, words_of

FILES, LARGEST = 10, 19 * 1024 * 1024
"""A log in a file and its nine predecessors stay below 200 MB."""
_FIT = re.compile(r"[\w.:-]{1,64}")
_SECRET_NAME = re.compile(r"(?i)pass|secret|token|key|code|signature|authorization|cookie")
_ID = "tertulia.request_id"
_SHORTEST = 6
"""A shorter value would mask parts of ordinary words."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


@contextmanager
def following(id: str, request: HttpRequest | None = None) -> Iterator[None]:
    """What is logged and enqueued inside, in this thread, belongs to the request of this id."""
    if request is not None:
        request.META[_ID] = id  # Django says what it thinks of an answer once all is left
    token, other = request_id.set(id), _request.set(request)
    try:
        yield
    finally:
        request_id.reset(token)
        _request.reset(other)


def id_of(request: HttpRequest, *, is_trusted: bool) -> str:
    """The id a trusted proxy gave it, where it is one; else a new one."""
    given = request.headers.get("X-Request-ID", "") if is_trusted else ""
    return given if _FIT.fullmatch(given) else secrets.token_hex(8)


class Line(logging.Formatter):
    """For people: one line, and below it the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        at, followed = f"{_moment(record):%Y-%m-%d %H:%M:%S}", _followed(record)
        text = f"{at} {record.levelname} {record.name}: {without_control(_message(record))}"
        text = ", ".join([text, *_told(record).values()])
        return "\n".join([f"{text} [{followed}]" if followed else text, *_traceback(self, record)])


class Json(logging.Formatter):
    """For programs: an object in one line, with `time`, `level`, `logger`, `message`, and `who`, `address`, `request`
    and `traceback` where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "process": record.process,
            **_told(record),
        }
        if followed := _followed(record):
            said["request"] = followed
        if traceback := _traceback(self, record):
            said["traceback"] = "\n".join(traceback)
        return json.dumps(said)


def who(request: HttpRequest) -> str:
    """Whoever asks, once a page has found out, by their number; empty for a stranger."""
    user = getattr(request, "_cached_user", None)
    if user is not None and user.is_authenticated:
        return f"user {user.pk}"
    token = getattr(getattr(request, "auth", None), "token", None)
    return f"token {token.pk}" if token else ""


def _told(record: logging.LogRecord) -> dict[str, str]:
    """What a line says of whoever asked, of its `extra`."""
    said = {name: _masked(str(getattr(record, name, "")), _asking(record)) for name in ("who", "address")}
    return {name: without_control(value) for name, value in said.items() if value}


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _asking(record: logging.LogRecord) -> HttpRequest | None:
    asking = _request.get() or getattr(record, "request", None)
    return asking if isinstance(asking, HttpRequest) else None


def _followed(record: logging.LogRecord) -> str:
    asking = _asking(record)
    return request_id.get() or (asking.META.get(_ID, "") if asking else "")


def _message(record: logging.LogRecord) -> str:
    return _masked(record.getMessage(), _asking(record))


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    """Its lines. Those that name a place are ours, and too long to pass for anything but a secret."""
    if not record.exc_info and not record.stack_info:
        return []
    lines = _told_of(formatter, record).splitlines()
    lines += (record.stack_info or "").splitlines()
    return [line if line.startswith('  File "') else _masked(line, _asking(record)) for line in lines]


def _told_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The traceback, without the rows that errors of the database quote; those they were made of say the same."""
    if not record.exc_info:
        return ""
    text, error = formatter.formatException(record.exc_info), record.exc_info[1]
    while error:
        text, error = text.replace(str(error), words_of(error)), error.__cause__ or error.__context__
    return text


def _masked(text: str, request: HttpRequest | None) -> str:
    if not text:  # as often as not: nobody is named
        return text
    for secret in _brought(request) if request else ():
        text = text.replace(secret, MASK)
    return without_secrets(text)


def _brought(request: HttpRequest) -> list[str]:
    """The secrets that came with a request. What nobody has read of it yet is not read here."""
    found = [*request.COOKIES.values()]
    for name, value in request.headers.items():
        if _SECRET_NAME.search(name):
            found += [value, value.rpartition(" ")[2]]
    addressed = request.resolver_match.kwargs if request.resolver_match else {}
    found += [value for name, value in addressed.items() if _SECRET_NAME.search(name)]
    for given in (request.GET, request.__dict__.get("_post", {})):
        found += [value for name, values in dict(given).items() if _SECRET_NAME.search(name) for value in values]
    return sorted({each for each in found if isinstance(each, str) and len(each) >= _SHORTEST}, key=len, reverse=True)


class RotatedFile(WatchedFileHandler):
    """A file that all processes of the family append to. Whoever finds it too large moves it aside; the others see."""

    def emit(self, record: logging.LogRecord) -> None:
        self._rotate()
        super().emit(record)

    def _rotate(self) -> None:
        try:
            if os.stat(self.baseFilename).st_size < LARGEST:
                return
            with Path(f"{self.baseFilename}.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if os.stat(self.baseFilename).st_size >= LARGEST:  # nobody was quicker
                    for number in range(FILES - 1, 0, -1):
                        older = f"{self.baseFilename}.{number - 1}" if number > 1 else self.baseFilename
                        if Path(older).exists():
                            Path(older).rename(f"{self.baseFilename}.{number}")
        except FileNotFoundError:
            return  # moved by another process just now; the next line goes into the new one
