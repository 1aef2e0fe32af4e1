"""What the whole family of processes holds in memory: at rest after the start, and after some work."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from tertulia.channels.models import Account
from tertulia.core import clock
from tertulia.flows.inbound import intake

from .figures import Figure
from .intake import Customers
from .people import brand, colleagues, sign_in
from .stage import Browser, running

REST = {"quick": 5, "full": 10}


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
