"""Keeps the processes of the family alive. They are forked from this one, which has loaded everything: what none of
them changes is in memory once, and one that died is back at once.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import FrameType

GRACE = 9.0
"""Seconds the family has to end by itself, before it is made to."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
SETTLED = 60.0
"""A process that lived so long starts again without waiting."""
_OURS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass
class Child:
    name: str
    run: Callable[[], int]
    """Does its work and returns its exit code."""
    process: ForkProcess | None = None
    born: float = 0.0
    wait: float = FIRST_WAIT / 2
    starts_at: float = field(default=0.0)

    def start(self, now: float) -> None:
        self.process = multiprocessing.get_context("fork").Process(
            target=self._live, args=(os.getpid(),), name=self.name
        )
        # One that comes before it has its own way of ending would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
        self.born = now

    def _live(self, parent: int) -> None:
        # A group of its own: Ctrl+C reaches the supervisor alone, who ends the others in order.
        os.setpgid(0, 0)
        with suppress(OSError):  # only Linux knows it
            Path("/proc/self/comm").write_text(f"tertulia {self.name}")  # what `top` and `pgrep` call it
        for number in _OURS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
        watch_parent(parent)
        sys.exit(self.run())

    def plan_restart(self, now: float) -> None:
        self.process = None
        self.wait = FIRST_WAIT if now - self.born > SETTLED else min(self.wait * 2, LONGEST_WAIT)
        self.starts_at = now + self.wait


class Supervisor:
    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children
        self._is_stopping = threading.Event()
        self._awaited: list[tuple[Callable[[], bool], Callable[[], None]]] = []

    def when(self, condition: Callable[[], bool], act: Callable[[], None]) -> None:
        """Do it once, as soon as the condition holds; it is asked a few times a second."""
        self._awaited.append((condition, act))

    def run(self) -> None:
        """Until a signal comes."""
        for number in _OURS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._stop)
        try:
            while not self._is_stopping.is_set():
                self._look_after(time.monotonic())
                self._await()
                self._is_stopping.wait(0.1 if self._awaited else 0.5)
        finally:
            self._end()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping.set()

    def _await(self) -> None:
        for waiting in list(self._awaited):
            condition, act = waiting
            if condition():
                self._awaited.remove(waiting)
                act()

    def _look_after(self, now: float) -> None:
        for child in self._children:
            if child.process is None:
                if now >= child.starts_at:
                    child.start(now)
            elif (code := child.process.exitcode) is not None:
                child.plan_restart(now)
                _say(f"The {child.name} process ended ({_reason(code)}); starting it again in {child.wait:g} s.")

    def _end(self) -> None:
        living = [child.process for child in self._children if child.process and child.process.is_alive()]
        for process in living:
            process.terminate()
        limit = time.monotonic() + GRACE
        for process in living:
            process.join(max(0.1, limit - time.monotonic()))
            if process.is_alive():
                os.killpg(process.pid or 0, signal.SIGKILL)
                process.join()


def watch_parent(parent: int) -> None:
    """End this process when the one that started it is gone, however it went.

    The parent's id has to be told: asked for here, it would be wrong for whoever lost it while starting.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _reason(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"code {code}"


def _say(text: str) -> None:
    if os.environ.get("TERTULIA_LOG_FORMAT", "").strip() == "json":
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        text = json.dumps(
            {"time": now, "level": "WARNING", "logger": __name__, "message": text, "process": os.getpid()}
        )
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
