"""What the whole family of processes holds in memory: at rest after the start, after some work, and at the most while a
day's messages come in and ten people read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tertulia.channels.models import Account
from tertulia.core import clock
from tertulia.flows.inbound import intake

from .figures import Figure
from .intake import Customers
from .people import brand, colleagues, sign_in
from .stage import Browser, Server, running

REST = {"quick": 5, "full": 10}
DAY = {"quick": 1_000, "full": 20_000}
"""Messages."""
AT_ONCE = 20
READERS = 10


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    port, company = int(os.environ["TERTULIA_PORT"]), brand()
    cookie, account = sign_in(colleagues()[1]), Account.objects.filter(brand=company, kind="site").get()
    with running("-m", "tertulia", "start", port=port) as server:
        time.sleep(REST[scale])
        yield Figure("memory of all processes at rest (PSS)", server.memory(), "MB", 300)
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
        yield Figure("memory of all processes after some work (PSS)", server.memory(), "MB")
        with highest(server) as seen, reading(port, cookie, company.slug):
            for _number in range(0, DAY[scale], AT_ONCE):
                intake(account, customers.write(AT_ONCE), at=clock.now())
        yield Figure(f"memory at the most, {DAY[scale]:,} messages and {READERS} readers (PSS)", max(seen), "MB", 512)


@contextmanager
def highest(server: Server) -> Iterator[list[float]]:
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
def reading(port: int, cookie: str, slug: str) -> Iterator[None]:
    """People who open lists and conversations as fast as they are given them."""
    over = threading.Event()

    def read(who: int) -> None:
        browser, number = Browser(port, cookie), who
        while not over.is_set():
            browser.get(f"/b/{slug}/inbox/?view={('open', 'mine', 'closed')[number % 3]}")
            browser.get(f"/b/{slug}/inbox/{number % 100 + 1}/")
            number += READERS
        browser.close()

    threads = [threading.Thread(target=read, args=(who,)) for who in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
