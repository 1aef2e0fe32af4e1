"""One line for each operation of a channel: its part of the round trip, what was tried, how long it took, how it ended.

Most operations of a channel go on from what an earlier one left, so they are tried in order by one test.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import pytest

from lab.ground import Unavailable

PARTS = ("in", "kind", "answered", "moderated", "edited there", "deleted there")
"""What is asked of every channel; where its network knows no such thing, a line says why."""
Server = TypeVar("Server")


class NotPossible(Exception):
    """Why the network, or this server, can't be asked for it."""


class Lines:
    """What was tried on a channel, one operation after the other."""

    def __init__(self, channel: str, say: Callable[[str], None]) -> None:
        self.channel, self.say = channel, say
        self.told: set[str] = set()
        self.failed: list[str] = []

    def line(self, part: str, operation: str, ended: str, *, began: float | None = None) -> None:
        took = "        " if began is None else f"{time.monotonic() - began:6.1f} s"
        self.told.add(part)
        self.say(f"{self.channel:<23}{part:<15}{operation:<66}{took}  {ended}")

    def tries(self, part: str, operation: str, check: Callable[[], object]) -> None:
        """What `check` gives is told if it is a text. After a failure the next operation is tried all the same."""
        began = time.monotonic()
        try:
            noticed = check()
        except NotPossible as why:
            self.line(part, operation, f"not possible: {why}", began=began)
        except Exception as error:  # noqa: BLE001 — the next operations are tried all the same
            self.failed.append(operation)
            self.line(
                part, operation, f"FAILED {type(error).__name__}: {' '.join(str(error).split())[:300]}", began=began
            )
            self.say(traceback.format_exc())
        else:
            self.line(part, operation, f"ok, {noticed}" if isinstance(noticed, str) else "ok", began=began)

    def lacks(self, part: str, operation: str, why: str) -> None:
        self.line(part, operation, f"not possible: {why}")

    def check(self) -> None:
        """Nothing failed, and every part of the round trip has its line."""
        assert self.failed == []
        assert [part for part in PARTS if part not in self.told] == []

    @contextmanager
    def server(self, running: Callable[[], AbstractContextManager[Server]]) -> Iterator[Server]:
        """The channel's server, or the test is skipped."""
        began = time.monotonic()
        with ExitStack() as stack:
            try:
                server = stack.enter_context(running())
            except Unavailable as why:
                self.line("server", "can't be started here", f"skipped: {why}", began=began)
                pytest.skip(f"{self.channel}: {why}")
            self.line("server", "started", "ok", began=began)
            yield server
