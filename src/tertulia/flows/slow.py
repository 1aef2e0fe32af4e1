"""Networks that hang. Together they get a few of a lane's threads, so that all the others are served as ever."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

SLOW_SECONDS = 4.0
"""A call that takes longer marks its account as slow, until one is quick again."""
AT_ONCE = 2
"""Threads that all slow accounts together hold in one lane of one process."""


class Slow:
    """The accounts of one lane, in this process, whose last call took long."""

    def __init__(self) -> None:
        self._accounts: set[int] = set()

    @contextmanager
    def timed(self, account_id: int) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            change = self._accounts.add if time.monotonic() - began > SLOW_SECONDS else self._accounts.discard
            change(account_id)

    def accounts(self) -> set[int]:
        return set(self._accounts)

    def room(self, busy: Mapping[int, int]) -> int:
        """How many more of them may be begun, with so many of each account under way."""
        return max(AT_ONCE - sum(count for account_id, count in busy.items() if account_id in self._accounts), 0)

    def forget(self) -> None:
        self._accounts.clear()
