"""How fast what customers write is taken in, by the product's one door, search index and all."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.db.models import Max

from tertulia.channels.models import Account, Message
from tertulia.connectors.contract import Author, Envelope
from tertulia.core.models import Job
from tertulia.flows.inbound import intake

from .data import END, Language, found_company
from .figures import Figure, typical
from .people import brand
from .stage import LARGE, MESSAGES_EACH

GOALS = {"sqlite": 3_500, "postgresql": 2_500}
ROUNDS = 3
RECENT = 20_000
"""Who writes again has written lately: one of so many conversations."""


class Customers:
    """Every fifth message is somebody's first; the others go on with a conversation of the last days."""

    def __init__(self, size: int, start: int, seed: int) -> None:
        self._chance = random.Random(seed)
        self._language = Language(self._chance)
        self._people, self._next = size or 1, start

    def write(self, count: int) -> list[Envelope]:
        return [self._message() for _ in range(count)]

    def _message(self) -> Envelope:
        self._next += 1
        if self._next % MESSAGES_EACH == 0:
            self._people += 1
            who = self._people
        else:
            who = self._chance.randint(max(1, self._people - RECENT), self._people)
        person, text = f"p{who:09d}", self._language.say()[0]
        return Envelope(
            remote_id=f"m{self._next:010d}", thread_id=person, sent_at=END + timedelta(seconds=self._next / 100),
            author=Author(person, name=f"Persona {who}"), kind="chat", text=text,
            raw={"id": self._next, "text": text, "from": person},
        )  # fmt: skip


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    company = found_company().brand if size == "0" else brand()
    account = Account.objects.filter(brand=company, kind="site").get()
    newest = Message.objects.aggregate(newest=Max("id"))["newest"] or 0
    customers = Customers(newest // MESSAGES_EACH, newest, seed=newest)
    for _ in range(3):
        intake(account, customers.write(500), at=END)
    most = 2_000 if scale == "quick" else 4_000
    for batch in (1, 10, 100, 500):
        batches = max(most // 10 // batch, 20) if batch < 100 else most // batch
        rounds = [_round(account, customers, batch, batches) for _ in range(ROUNDS)]
        goal = GOALS[connection.vendor] if batch == 500 and size in {"0", str(LARGE)} else None
        limit = "500 rows in each durable commit" if batch > 1 else "durable commits, one row each"
        what = f"intake, {batch} at once" if batch > 1 else "intake, one by one"
        yield Figure(what, typical(wall for wall, _ in rounds), "messages/s", goal, "more", limit)
        yield Figure(f"{what}: own CPU time", typical(cpu for _, cpu in rounds), "ms each")
    Job.objects.filter(state=Job.State.WAITING).delete()


def _round(account: Account, customers: Customers, batch: int, batches: int) -> tuple[float, float]:
    """Messages per second, and milliseconds of this process's processor for each."""
    given = [customers.write(batch) for _ in range(batches)]
    started, spent = time.perf_counter(), time.process_time()
    for envelopes in given:
        intake(account, envelopes, at=END)
    wall, cpu = time.perf_counter() - started, time.process_time() - spent
    return batch * batches / wall, cpu * 1_000 / (batch * batches)
