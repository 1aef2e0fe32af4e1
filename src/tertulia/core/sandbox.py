"""Reading what strangers sent, in a process of its own that may die of it.

`call_many` runs a pure function over payloads in a fresh interpreter that knows neither the database nor a secret, with
limits on time, memory and what it says. Whatever one payload does there (endless, huge, a crash of the interpreter) it
does to itself alone: it comes back as `Unreadable` and the others go on.

The function is named "package.module:function", takes bytes and returns what JSON can say; its module should import
little. It may raise `BadPayload` with a sentence of its own.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tertulia.core.outcomes import BadPayload

SECONDS = 10.0
MEMORY = 512 * 1024 * 1024
"""Address space of a child, its interpreter included."""
LARGEST = 8 * 1024 * 1024
"""Bytes of what comes of one payload, as JSON."""
AT_ONCE = 2
"""Children that work at the same time for one process; others wait for their turn."""
IDLE = 60
"""Seconds after which a child that has nothing to do ends."""
WORTH_TWO = 16
"""So many payloads are shared between two children, who have a processor each."""
TOGETHER = 16 * 1024 * 1024
"""So many bytes are handed over at once: a child holds them all while it works."""


def _(sentence: str) -> str:
    """Marks it for the catalogue; the children know no Django."""
    return sentence


TOO_LONG = _("Reading it took too long.")
TOO_MUCH = _("Reading it took too much memory.")
TOO_LARGE = _("What it says is too long.")
NOT_READ = _("It can't be read.")
SENTENCES = (TOO_LONG, TOO_MUCH, TOO_LARGE, NOT_READ)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Nothing came of this payload, and why."""

    why: str


def call_many(
    function: str,
    payloads: Sequence[bytes],
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    largest: int = LARGEST,
) -> list[Any]:
    """What the function makes of each payload, in their order; `Unreadable` where it makes nothing of one.

    `seconds` are for each payload alone. Raises nothing for what a payload holds.
    """
    order = {"function": function, "seconds": seconds, "memory": memory, "largest": largest}
    if len(payloads) < WORTH_TWO:
        return _call_each(order, payloads)
    middle = len(payloads) // 2
    with ThreadPoolExecutor(1) as beside:
        second = beside.submit(_call_each, order, payloads[middle:])
        return _call_each(order, payloads[:middle]) + second.result()


def _call_each(order: dict[str, Any], payloads: Sequence[bytes]) -> list[Any]:
    results: list[Any] = []
    failures = 0
    while len(results) < len(payloads):
        with _children.one() as child:
            if child.obeys(order, _next_together(payloads, len(results)), results):
                continue
        failures += 1  # once: its idle time was over just then
        if failures > AT_ONCE:
            raise RuntimeError(f"{order['function']} can't be called in a process of its own")
    return results


def call(function: str, payload: bytes, **limits: Any) -> Any:
    """The same for one payload. Raises `BadPayload` where nothing comes of it."""
    [result] = call_many(function, [payload], **limits)
    if isinstance(result, Unreadable):
        raise BadPayload(result.why)
    return result


def _next_together(payloads: Sequence[bytes], start: int) -> Sequence[bytes]:
    size, end = 0, start
    while end < len(payloads) and (end == start or size + len(payloads[end]) <= TOGETHER):
        size += len(payloads[end])
        end += 1
    return payloads[start:end]


# ── this side ──────────────────────────────────────────────────────────────

_LENGTH = struct.Struct("!I")
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
    " from tertulia.core import sandbox; sandbox.serve(int(sys.argv[2]), float(sys.argv[3]))"
)
_TO_START = 30.0
_GRACE = 5.0
"""How much longer than the child itself this side waits: the child's own limits come first."""


class _Child:
    def __init__(self) -> None:
        self._order: dict[str, Any] = {}
        self._wire, theirs = socket.socketpair()
        with theirs:
            # Isolated, and with an empty environment: passwords and addresses of the house are in ours.
            self._process = subprocess.Popen(  # noqa: S603 — our own interpreter with our own words
                [sys.executable, "-I", "-c", _START, json.dumps(sys.path), str(theirs.fileno()), str(IDLE)],
                pass_fds=[theirs.fileno()],
                env={},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def obeys(self, order: dict[str, Any], payloads: Sequence[bytes], results: list[Any]) -> bool:
        """Add what comes of the payloads; one that it dies of is the last.

        False when it doesn't live or can't find the function. It is given everything before it says anything more than
        that it has found it: neither side can wait for the other.
        """
        self._order = order
        is_given = False
        try:
            self._wire.settimeout(_TO_START)
            _send(self._wire, json.dumps(order).encode(), _LENGTH.pack(len(payloads)), *payloads)
            is_given = True
        except OSError:
            pass  # whether before or after it was ready is told now
        try:
            _receive(self._wire, 16)
        except OSError:
            self.end()
            return False
        if is_given:
            self._hear(payloads, results)
        else:
            results.append(Unreadable(TOO_MUCH))
            self.end()
        return True

    def _hear(self, payloads: Sequence[bytes], results: list[Any]) -> None:
        self._wire.settimeout(self._order["seconds"] + _GRACE)
        for _payload in payloads:
            try:
                kind, said = json.loads(_receive(self._wire, self._order["largest"] + 1024))
            except (OSError, ValueError, TypeError) as error:
                results.append(Unreadable(self._cause(error)))
                self.end()
                return
            results.append(said if kind == "result" else Unreadable(str(said)))
            if said == TOO_MUCH:
                self.end()  # its memory is in pieces
                return

    def _cause(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return TOO_LONG
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return NOT_READ
        return TOO_LONG if code in {-signal.SIGALRM, -signal.SIGXCPU} else NOT_READ

    def end(self) -> None:
        self._wire.close()
        self._process.kill()
        self._process.wait()


class _Children:
    """Those that are idle wait here for the next call of any thread."""

    def __init__(self) -> None:
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._idle: list[_Child] = []

    @contextmanager
    def one(self) -> Iterator[_Child]:
        with self._turns:
            child = self._wake() or _Child()
            try:
                yield child
            except BaseException:
                child.end()
                raise
            if child.is_alive:
                self._idle.append(child)

    def _wake(self) -> _Child | None:
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            child.end()
        return None

    def end(self) -> None:
        while self._idle:
            self._idle.pop().end()


_children = _Children()


def _begin_anew() -> None:
    """After a fork: the children are our parent's, only the wires came along."""
    global _children
    _children = _Children()


os.register_at_fork(after_in_child=_begin_anew)
atexit.register(lambda: _children.end())


# ── the other side ─────────────────────────────────────────────────────────


def serve(wire: int, idle: float) -> None:
    """A child's whole life: orders, one after the other, until none comes or nobody is left to give one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with socket.socket(fileno=wire) as parent:
        while select.select([parent], [], [], idle)[0]:
            try:
                _obey(parent, json.loads(_receive(parent, 65_536)))
            except OSError:
                return


def _obey(parent: socket.socket, order: dict[str, Any]) -> None:
    _limit(resource.RLIMIT_AS, order["memory"])
    function = _named(order["function"])
    _send(parent, b"ready")
    [count] = _LENGTH.unpack(_receive(parent, _LENGTH.size))
    payloads = [_receive(parent, 2**32 - 1) for _ in range(count)]
    payloads.reverse()
    while payloads:
        # The alarm has its deadly default: it ends even what never comes back to Python, and outlives our parent.
        signal.setitimer(signal.ITIMER_REAL, order["seconds"])
        answer = _answer(function, payloads.pop(), order["largest"])
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(parent, answer)


def _limit(what: int, most: int) -> None:
    _soft, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _named(name: str) -> Callable[[bytes], Any]:
    module, _, function = name.partition(":")
    found: Callable[[bytes], Any] = getattr(import_module(module), function)
    return found


def _answer(function: Callable[[bytes], Any], payload: bytes, largest: int) -> bytes:
    try:
        answer = json.dumps(["result", function(payload)]).encode()
    except BadPayload as bad:
        return _failed(bad.why or NOT_READ)
    except MemoryError:
        return _failed(TOO_MUCH)
    except Exception:  # noqa: BLE001 — what a stranger's bytes do to a parser is told to nobody but as this
        return _failed(NOT_READ)
    return answer if len(answer) <= largest else _failed(TOO_LARGE)


def _failed(why: str) -> bytes:
    return json.dumps(["failed", why]).encode()


# ── the wire ───────────────────────────────────────────────────────────────


def _send(wire: socket.socket, *said: bytes) -> None:
    wire.sendall(b"".join(part for each in said for part in (_LENGTH.pack(len(each)), each)))


def _receive(wire: socket.socket, most: int) -> bytes:
    [length] = _LENGTH.unpack(_exactly(wire, _LENGTH.size))
    if length > most:
        raise ConnectionError
    return _exactly(wire, length)


def _exactly(wire: socket.socket, length: int) -> bytes:
    said = bytearray(length)
    view, at = memoryview(said), 0
    while at < length:
        count = wire.recv_into(view[at:])
        if not count:
            raise ConnectionError
        at += count
    return bytes(said)
