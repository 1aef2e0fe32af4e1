"""Two hundred accounts with nothing new, each read once a minute over HTTP by one worker: what that costs."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from django.conf import settings

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.connectors import contract, registry
from tertulia.connectors.contract import Capabilities, Connector, Page
from tertulia.core import clock
from tertulia.flows import schedule

from .data import company_brand
from .figures import Figure
from .stage import running

ACCOUNTS = 200
SECONDS = {"quick": 20, "full": 60}


class Quiet(Connector):
    """A network that answers at once and has nothing to say."""

    key = "benchmarks-quiet"
    name: ClassVar = {"en": "Quiet", "es": "Callada"}
    capabilities = Capabilities(polls=True, poll_seconds=60)
    reads: ClassVar[list[float]] = []

    def fetch(self, account: contract.Account, cursor: str) -> Page:
        self.http.request("GET", account.settings["url"], headers={"authorization": "Bearer x"})
        self.reads.append(time.monotonic())
        return Page((), cursor)


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    port, seconds = int(os.environ["TERTULIA_PORT"]), SECONDS[scale]
    company = company_brand()
    registry.all_connectors()[Quiet.key] = Quiet
    settings.ALLOWED_ADDRESSES = ["127.0.0.0/8"]
    _connect(company, f"http://127.0.0.1:{port}/")
    with running("-m", "benchmarks.nothing", str(port), port=port):
        spent = _work(seconds)
    Account.objects.filter(kind=Quiet.key).delete()
    share = 100 * spent / seconds
    yield Figure(f"{ACCOUNTS} quiet accounts, read once a minute: CPU of the worker", share, "% of a core", 5)
    yield Figure(f"{ACCOUNTS} quiet accounts: readings", len(Quiet.reads) / seconds, "1/s")


def _connect(company: Brand, url: str) -> None:
    at, chance = clock.now(), random.Random(7)
    Account.objects.bulk_create(
        Account(
            brand=company, kind=Quiet.key, name=f"Red {number}", created_at=at, settings={"url": url},
            next_poll_at=at + timedelta(seconds=60 * chance.random()),
        )
        for number in range(ACCOUNTS)
    )  # fmt: skip


def _work(seconds: float) -> float:
    """Processor seconds of a worker that runs so long."""
    stop = threading.Event()
    threading.Timer(seconds, stop.set).start()
    spent = time.process_time()
    schedule.work(stop)
    return time.process_time() - spent
