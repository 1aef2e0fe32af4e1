"""The loop that carries out due tables: claims what is due, lets threads do it, writes down how it ended.

A *lane* is one due table with threads of its own, so that a network that hangs holds up nobody else's work. One
thread claims for all lanes, in batches; one more writes all outcomes: a durable commit costs the disk one flush however
many rows it holds, and SQLite knows only one writer at a time.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from . import clock, due, jobs
from .models import Heartbeat
from .redact import describe
from .sqlite3.base import hurry
from .wake import Bell

log = logging.getLogger(__name__)

LOOK_SECONDS = jobs.LOOKS_ANYWAY.total_seconds()
NOTHING_FOUND_SECONDS = 0.05
"""How long to leave a lane alone whose due rows were all somebody else's."""
TROUBLE_SECONDS = 2.0
RENEW_SECONDS = 20.0
RENEW_FOR = timedelta(minutes=15)
"""Work that takes longer than this counts as stuck: its lease runs out."""
BEAT_SECONDS = 10.0
HEAD_START_SECONDS = 0.25
"""The first lane's when a worker starts: all is slow then, and what has its moment must not wait for the rest."""
LOOK_AT_CONNECTION_SECONDS = 1.0
"""A thread asks so often whether its connection still stands, and after each error: asked each time, that is one more
question to PostgreSQL for every row."""
STOP_SECONDS = 7.0
"""How long what is under way may still take after a request to stop."""
BATCH = 100
SWITCH_SECONDS = 0.001
"""How long a busy thread may keep the others waiting; a claim must not wait for somebody's long computation."""
HEARTBEAT = "work"
HEARD, UPSTREAM = "clock here", "clock upstream"
"""The same moment by this machine's clock and by those of the networks."""


class Claimed(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def fence(self) -> int: ...
    @property
    def group(self) -> Hashable:
        """What it shares a limit with: the same task, the same account."""


class Lane(Protocol):
    """One due table. A module with these functions is a lane: `core.jobs`, `flows.outbound`, `flows.polling`."""

    NAME: str
    NEXT: Sequence[str]
    """Selects of one moment each: when something of this table is due next, and, second, when a lease of it ends."""

    def claim(self, *, at: datetime, limit: int, busy: Mapping[Any, int]) -> Sequence[Any]:
        """Take rows to be worked on now, durably. `busy`: how many of each group are under way already."""

    def hold(self, *, at: datetime, limit: int) -> Sequence[due.Ticket]:
        """Take rows to be handed to another process; they are due again when nobody begins them."""

    def take(self, ticket: due.Ticket, *, at: datetime) -> Any | None:
        """Begin a row that was handed over, unless its ticket was used already."""

    def run(self, claimed: Any) -> Any:
        """Do the work, outside of any transaction. Raises nothing."""

    def settle(self, results: Sequence[Any], *, at: datetime) -> int:
        """Write down how it ended, where the fence still holds."""

    def renew(self, tickets: Iterable[due.Ticket], *, at: datetime) -> None:
        """Prolong the leases of what is under way."""

    def free_lost(self, *, at: datetime) -> int:
        """Put back what a worker that died had begun."""


class Worker:
    """One process's share of the work. `run` returns after `stop` is set and what was under way has ended."""

    def __init__(
        self,
        lanes: Sequence[tuple[Lane, int]],
        *,
        hand_over: Callable[[str, Sequence[due.Ticket]], None] | None = None,
    ) -> None:
        """`lanes` in the order they are served, with the number of threads each may use; `hand_over` sends claims to
        other processes instead."""
        self._hand_over = hand_over
        self._bell = Bell()
        self._writer = _Writer()
        self._hands = [_Hands(lane, most, self._writer, self._bell.ring) for lane, most in lanes]
        self._others_from = time.monotonic() + HEAD_START_SECONDS
        self._leave_alone = {lane.NAME: self._others_from for lane, _ in lanes[1:]}
        self._ticked_at: datetime | None = None
        self._next_tick: datetime | None = None
        self._renew_at, self._beat_at = 0.0, self._others_from

    def run(self, stop: threading.Event) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        hurry()
        while not stop.is_set():
            try:
                seconds = self._once(clock.now())
            except (DatabaseError, OSError) as error:
                log.error("Background work waits for its database: %s", describe(error))
                _forget_connection()
                seconds = TROUBLE_SECONDS
            self._bell.wait(seconds)
        self.finish()

    def finish(self) -> None:
        """Let what is under way end and be written down; what takes too long is found again by its lease."""
        deadline = time.monotonic() + STOP_SECONDS
        while any(hands.busy for hands in self._hands) and time.monotonic() < deadline:
            time.sleep(0.01)
        for hands in self._hands:
            hands.close()
        self._writer.close(max(deadline - time.monotonic(), 1.0))
        self._bell.close()
        connection.close()

    def _once(self, at: datetime) -> float:
        _look_at_connection()
        self._keep_alive(at)
        is_time = self._next_tick is None or at >= self._next_tick
        if is_time and time.monotonic() >= self._others_from:
            self._next_tick = jobs.tick(at=at, since=self._ticked_at)
            self._ticked_at = at
        wait = LOOK_SECONDS
        for hands, (moment, lease_ends) in zip(self._hands, self._next_moments(), strict=True):
            free = hands.free if self._hand_over is None else BATCH
            if moment is None or free <= 0:
                continue
            seconds = (moment - at).total_seconds()
            if seconds <= 0:
                seconds = self._serve(hands, at, free, is_any_lost=lease_ends is not None and lease_ends <= at)
            wait = min(wait, seconds)
        return wait

    def _serve(self, hands: _Hands, at: datetime, free: int, *, is_any_lost: bool) -> float:
        """Take what is due in one lane; returns after how many seconds to look again."""
        lane, now = hands.lane, time.monotonic()
        if (rest := self._leave_alone.get(lane.NAME, 0.0) - now) > 0:
            return rest
        lost = lane.free_lost(at=at) if is_any_lost else 0
        if self._hand_over is None:
            taken: Sequence[Any] = lane.claim(at=at, limit=free, busy=hands.under_way.groups())
        else:
            taken = lane.hold(at=at, limit=free)
        if not taken:
            self._leave_alone[lane.NAME] = now + NOTHING_FOUND_SECONDS
            return 0.0 if lost else NOTHING_FOUND_SECONDS
        if self._hand_over is None:
            hands.give(taken)
        else:
            self._send(lane, taken)
        return 0.0

    def _send(self, lane: Lane, tickets: Sequence[due.Ticket]) -> None:
        assert self._hand_over  # noqa: S101 — for the type checker
        try:
            self._hand_over(lane.NAME, tickets)
        except Exception as error:  # noqa: BLE001 — a broker raises what it likes; the rows are due again by themselves
            log.error("The broker can't be reached: %s", describe(error))
            self._leave_alone[lane.NAME] = time.monotonic() + TROUBLE_SECONDS

    def _next_moments(self) -> list[tuple[datetime | None, datetime | None]]:
        """Of each lane when something is due next, and when a lease ends."""
        selects = [select for hands in self._hands for select in hands.lane.NEXT]
        found = iter(due.moments(selects))
        moments = [[moment for _, moment in zip(hands.lane.NEXT, found, strict=False)] for hands in self._hands]
        return [(min(filter(None, each), default=None), (*each, None)[1]) for each in moments]

    def _keep_alive(self, at: datetime) -> None:
        now = time.monotonic()
        if now >= self._renew_at:
            self._renew_at = now + RENEW_SECONDS
            for hands in self._hands:
                hands.under_way.renew(at)
        if now >= self._beat_at:
            self._beat_at = now + BEAT_SECONDS
            beat(at)


def beat(at: datetime) -> None:
    """Leave a sign of life, so that pages can say when background work is silent; and what the time is elsewhere."""
    signs = {HEARTBEAT: at}
    if upstream := clock.upstream():
        signs |= {HEARD: clock.now(), UPSTREAM: upstream}
    Heartbeat.leave(signs)


def perform(lane: Lane, ticket: due.Ticket) -> bool:
    """Do one row that another process claimed and handed over; False when its ticket no longer counts."""
    close_old_connections()
    claimed = lane.take(ticket, at=clock.now())
    if claimed is None:
        return False
    with _keeper.keeping(lane, claimed):
        result = lane.run(claimed)
        write_down(lane, [result])
    return True


def write_down(lane: Lane, results: Sequence[Any]) -> None:
    """Until it is written: an outcome is known here and nowhere else."""
    while True:
        try:
            _look_at_connection()
            refused = lane.settle(results, at=clock.now())
        except (DatabaseError, OSError) as error:
            log.error("Outcomes wait for the database: %s", describe(error))
            _forget_connection()
            time.sleep(TROUBLE_SECONDS)
            continue
        except Exception:  # one that can't be written must not take the others, or this thread, with it
            log.exception("%s: an outcome can't be written down.", lane.NAME)
            if len(results) > 1:
                for result in results:
                    write_down(lane, [result])
        else:
            if refused:
                log.warning("%s: %s late outcomes refused, somebody had taken over.", lane.NAME, refused)
        return


class UnderWay:
    """The tickets this process works on in one lane."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._began: dict[due.Ticket, tuple[datetime, Hashable]] = {}

    def add(self, claimed: Claimed) -> None:
        self._began[claimed.id, claimed.fence] = clock.now(), claimed.group

    def remove(self, claimed: Claimed) -> None:
        self._began.pop((claimed.id, claimed.fence), None)

    def groups(self) -> Counter[Hashable]:
        return Counter(group for _, group in list(self._began.values()))

    def renew(self, at: datetime) -> None:
        tickets = [ticket for ticket, (began, _) in list(self._began.items()) if at - began < RENEW_FOR]
        if tickets:
            self._lane.renew(tickets, at=at)


class _Hands:
    """The threads of one lane, started when they are first needed."""

    def __init__(self, lane: Lane, most: int, writer: _Writer, when_free: Callable[[], None]) -> None:
        self.lane = lane
        self.under_way = UnderWay(lane)
        self._most = most
        self._writer = writer
        self._when_free = when_free
        self._given: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._count = threading.Lock()
        self._threads = self._open = 0
        self._is_starting = False
        self.busy = 0

    @property
    def free(self) -> int:
        return self._most - self.busy

    def give(self, claims: Sequence[Any]) -> None:
        with self._count:
            self.busy += len(claims)
            self._open += len(claims)
        for claimed in claims:
            self.under_way.add(claimed)
            self._given.put(claimed)
        self._grow()

    def _grow(self) -> None:
        """Start one more thread while there is more to do than threads; it does the same once it has its connection.
        One after the other: a dozen that open one at once leave the database no time for what comes due next."""
        with self._count:
            if self._is_starting or self._threads >= min(self._open, self._most):
                return
            self._is_starting = True
            self._threads += 1
        try:
            threading.Thread(target=self._work, name=f"{self.lane.NAME}-{self._threads}", daemon=True).start()
        except RuntimeError as error:
            with self._count:
                self._is_starting = False
                self._threads -= 1
            if not self._threads:
                raise
            log.error("%s: %s Those that are there go on.", self.lane.NAME, describe(error))

    def close(self) -> None:
        for _ in range(self._threads):
            self._given.put(None)

    def done(self, *claims: Any) -> None:
        """Their outcomes are written: only now are the hands free, so that a crash leaves no more open than hands."""
        for claimed in claims:
            self.under_way.remove(claimed)
        with self._count:
            self.busy -= len(claims)
        self._when_free()

    def _work(self) -> None:
        try:
            connection.ensure_connection()
        except (DatabaseError, OSError) as error:  # what is to be done says so too
            log.error("%s: %s", self.lane.NAME, describe(error))
        with self._count:
            self._is_starting = False
        self._grow()
        while (claimed := self._given.get()) is not None:
            self._work_on(claimed)
            with self._count:
                self._open -= 1
        connection.close()

    def _work_on(self, claimed: Any) -> None:
        try:
            _look_at_connection()
            result = self.lane.run(claimed)
        except BaseException as error:  # noqa: BLE001 — a thread that ends would be missed for ever
            log.error("%s %s: %s", self.lane.NAME, claimed.id, describe(error))
            self.done(claimed)  # its lease runs out, then it counts as lost
        else:
            self._writer.put(self, claimed, result)


class _Writer:
    """One thread writes all outcomes; what has ended while the last commit was under way shares the next.

    PostgreSQL would take them from many threads at once, but one statement for many costs both sides far less.
    """

    def __init__(self) -> None:
        self._ended: queue.SimpleQueue[tuple[_Hands, Any, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def put(self, hands: _Hands, claimed: Any, result: Any) -> None:
        self._ended.put((hands, claimed, result))

    def close(self, seconds: float) -> None:
        self._ended.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        hurry()
        while True:
            batch = [self._ended.get()]
            while len(batch) < BATCH and batch[-1] is not None:
                try:
                    batch.append(self._ended.get_nowait())
                except queue.Empty:
                    break
            self._settle([entry for entry in batch if entry])
            if batch[-1] is None:
                connection.close()
                return

    def _settle(self, batch: Sequence[tuple[_Hands, Any, Any]]) -> None:
        for lane_hands in dict.fromkeys(hands for hands, _, _ in batch):
            mine = [(claimed, result) for hands, claimed, result in batch if hands is lane_hands]
            write_down(lane_hands.lane, [result for _, result in mine])
            lane_hands.done(*(claimed for claimed, _ in mine))


class _Keeper:
    """Prolongs the leases of what `perform` does, from a thread that is started when it is first needed."""

    def __init__(self) -> None:
        self._under_way: dict[str, UnderWay] = {}
        self._lock = threading.Lock()
        self._process = 0

    @contextmanager
    def keeping(self, lane: Lane, claimed: Claimed) -> Iterator[None]:
        with self._lock:
            mine = self._under_way.setdefault(lane.NAME, UnderWay(lane))
            if self._process != os.getpid():  # a forked worker has no thread yet
                self._process = os.getpid()
                threading.Thread(target=self._run, name="keeper", daemon=True).start()
        mine.add(claimed)
        try:
            yield
        finally:
            mine.remove(claimed)

    def _run(self) -> None:
        while True:
            time.sleep(RENEW_SECONDS)
            try:
                close_old_connections()
                for mine in list(self._under_way.values()):
                    mine.renew(clock.now())
            except (DatabaseError, OSError) as error:
                log.error("Leases can't be prolonged: %s", describe(error))
                _forget_connection()


_keeper = _Keeper()


_looked = threading.local()


def _look_at_connection() -> None:
    now = time.monotonic()
    if connection.errors_occurred or now - getattr(_looked, "at", 0.0) >= LOOK_AT_CONNECTION_SECONDS:
        _looked.at = now
        close_old_connections()


def _forget_connection() -> None:
    try:
        connection.close()
    except (DatabaseError, OSError):
        connection.connection = None
