"""What the whole family of processes holds in memory: at rest after the start, after some work, and at the most while a
day's messages come in, ten people read and background work does its part; and whether it all goes inside a limit.

Judged is what must be there: anonymous and shared memory. Mapped pages of files (programs, SQLite's database, the
model) are shown beside it, but the kernel takes them back when somebody needs the room, and reads them again from the
disk. That the desk works where they have little room is what the limit shows: it counts them, too.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tertulia.channels.models import Account
from tertulia.core import clock
from tertulia.core.models import Job
from tertulia.flows.inbound import intake

from .figures import Figure
from .intake import Customers
from .limited import group
from .people import brand, colleagues, sign_in
from .stage import Browser, Memory, Server, running

REST = {"quick": 5, "full": 10}
DAY = {"quick": 1_000, "full": 20_000}
"""Messages."""
AT_ONCE = 20
READERS = 10
RESTS_WITHIN, STILL = 180, 5
"""Seconds it may be busy after the start, and those in which it has to take less than a twentieth of a core to rest."""
DONE_WITHIN = 900
"""Seconds that background work may take for them."""
LIMIT = 512
"""MB: what deploy/tertulia.service gives it."""


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    port, company = int(os.environ["TERTULIA_PORT"]), brand()
    cookie, account = sign_in(colleagues()[1]), Account.objects.filter(brand=company, kind="site").get()
    with running("-m", "tertulia", "start", port=port) as server:
        with highest(server) as seen:
            _come_to_rest(server)
        yield from _held("at the most from the start until it rests", _most(seen), LIMIT)
        time.sleep(REST[scale])
        yield from _held("at rest", server.memory(), 300)
        spent, since = server.cpu_seconds(), time.monotonic()
        time.sleep(REST[scale])
        idle = (server.cpu_seconds() - spent) / (time.monotonic() - since)
        yield Figure("CPU of all processes at rest", idle * 100, "% of a core")
        start = int(time.time() * 100)
        customers = Customers(0, start, seed=start)
        for number in range(100):
            intake(account, customers.write(2), at=clock.now())
            browser = Browser(port, cookie)
            browser.get(f"/b/{company.slug}/inbox/?view={('open', 'mine', 'closed')[number % 3]}")
            browser.get(f"/b/{company.slug}/inbox/{number + 1}/")
            browser.close()
        time.sleep(2)
        yield from _held("after some work", server.memory())
        with highest(server) as seen, reading(port, cookie, company.slug):
            _pour(account, customers, DAY[scale])
        day = f"at the most, {DAY[scale]:,} messages and {READERS} readers"
        yield from _held(day, _most(seen), LIMIT)
    with group(LIMIT) as limited:
        if limited is None:
            return
        with (
            running("-m", "tertulia", "start", port=port, first=limited.enter) as server,
            reading(port, cookie, company.slug) as times,
        ):
            _pour(account, customers, DAY[scale])
        inside = f"inside {LIMIT} MB, pages of files and all, the same"
        yield Figure(f"{inside}: processes ended for want of memory", limited.killed, "", 0)
        yield Figure(f"{inside}: slowest page", max(times) * 1_000, "ms")


def _held(when: str, memory: Memory, goal: float | None = None) -> Iterator[Figure]:
    yield Figure(f"memory of all processes {when}", memory.needed, "MB", goal)
    yield Figure(f"memory of all processes {when}, with mapped pages of files (PSS)", memory.whole, "MB")


def _come_to_rest(server: Server) -> None:
    """A desk that is older than a day makes its backup as it starts, in a process of its own."""
    limit = time.monotonic() + RESTS_WITHIN
    family, spent = server.family(), server.cpu_seconds()
    while time.monotonic() < limit:
        time.sleep(STILL)
        before, family, spent = (family, spent), server.family(), server.cpu_seconds()
        if family == before[0] and spent - before[1] < 0.05 * STILL:
            return
    raise RuntimeError(f"It was still busy {RESTS_WITHIN} s after it started: rest can't be measured.")


def _most(seen: Sequence[Memory]) -> Memory:
    return Memory(max(each.needed for each in seen), max(each.whole for each in seen))


def _pour(account: Account, customers: Customers, messages: int) -> None:
    """Take them in, and wait until background work has done what they are for, or has had its time."""
    for _number in range(0, messages, AT_ONCE):
        intake(account, customers.write(AT_ONCE), at=clock.now())
    limit = time.monotonic() + DONE_WITHIN
    while Job.objects.filter(state__in=[Job.State.WAITING, Job.State.RUNNING], task="inbound.process").exists():
        if time.monotonic() > limit:
            sys.stderr.write("Background work is not done with the messages: they are not a whole day's work.\n")
            return
        time.sleep(0.5)


@contextmanager
def highest(server: Server) -> Iterator[list[Memory]]:
    """What the family held, each half second."""
    seen, over = [server.memory()], threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            seen.append(server.memory())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


@contextmanager
def reading(port: int, cookie: str, slug: str) -> Iterator[list[float]]:
    """People who open lists and conversations as fast as they are given them; the seconds that each page took."""
    over, times = threading.Event(), [0.0]

    def read(who: int) -> None:
        browser, number = Browser(port, cookie), who
        while not over.is_set():
            for page in (f"?view={('open', 'mine', 'closed')[number % 3]}", f"{number % 100 + 1}/"):
                asked = time.perf_counter()
                browser.get(f"/b/{slug}/inbox/{page}")
                times.append(time.perf_counter() - asked)
            number += READERS
        browser.close()

    threads = [threading.Thread(target=read, args=(who,)) for who in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield times
    finally:
        over.set()
        for thread in threads:
            thread.join()
