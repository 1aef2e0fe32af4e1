"""SQLite knows one writer at a time, and its way of waiting is to sleep and try again, longer each time: with a dozen
threads the unlucky one waits seconds for a lock that is free most of the time. Within a process we can do better:
whoever wants to write stands in line and gets the turn the moment it is given back. Between processes SQLite's own
way remains.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from tertulia.core.unaccented import unaccented

PATIENCE = 20.0


class Turn:
    """A lock that is handed on in the order of asking, to those in a hurry first."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._hurried: deque[threading.Lock] = deque()
        self._others: deque[threading.Lock] = deque()

    def take(self, *, in_a_hurry: bool, patience: float = PATIENCE) -> bool:
        """Wait for the turn; False when it didn't come in time."""
        line = self._hurried if in_a_hurry else self._others
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            line.append(mine)
        if mine.acquire(timeout=patience):
            return True
        with self._guard:
            if mine in line:
                line.remove(mine)
                return False
        return True  # it came in the last moment

    def give_back(self) -> None:
        with self._guard:
            line = self._hurried or self._others
            if line:
                line.popleft().release()
            else:
                self._is_taken = False


_guard = threading.Lock()
_turns: dict[str, Turn] = {}
_present = threading.local()


def hurry() -> None:
    """This thread's transactions are short and others wait for them: it goes before those that are in no hurry."""
    _present.in_a_hurry = True


def turn_of(database: str) -> Turn:
    with _guard:
        return _turns.setdefault(database, Turn())


def _begin_anew() -> None:
    global _guard
    _guard = threading.Lock()
    _turns.clear()


os.register_at_fork(after_in_child=_begin_anew)  # a thread that doesn't exist here may have held one


class DatabaseWrapper(base.DatabaseWrapper):
    _turn: Turn | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        made = super().get_new_connection(conn_params)
        made.create_function("unaccented", 1, lambda text: text and unaccented(text), deterministic=True)
        return made

    def _start_transaction_under_autocommit(self) -> None:
        turn = turn_of(str(self.settings_dict["NAME"]))
        if not turn.take(in_a_hurry=getattr(_present, "in_a_hurry", False)):
            raise OperationalError("database is locked: another thread of this process writes for too long")
        self._turn = turn
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_back()
            raise

    def _set_autocommit(self, autocommit: bool) -> None:
        try:
            super()._set_autocommit(autocommit)  # type: ignore[misc]
        finally:
            if autocommit:
                self._give_back()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._give_back()

    def _give_back(self) -> None:
        turn, self._turn = self._turn, None
        if turn:
            turn.give_back()
