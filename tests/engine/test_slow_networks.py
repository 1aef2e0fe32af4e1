"""One network that hangs, storms or dribbles never holds up another."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import ClassVar

import pytest
from django.conf import settings
from django.db import connection

from conftest import NOON
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.connectors.contract import Capabilities, Connector, Page, Retry
from tertulia.core import clock
from tertulia.core.worker import Worker
from tertulia.flows import polling, slow

HANGING, WELL, WANTED, THREADS = 6, 2, 8, 4


class Hanging(Connector):
    """Answers nothing until the others have been served; then it is let go."""

    key = "tests-hanging"
    capabilities = Capabilities(polls=True, poll_seconds=1)
    let_go: ClassVar[threading.Event] = threading.Event()

    def fetch(self, account, cursor):
        assert self.let_go.wait(60), "the others were never served"
        raise Retry("It took ten minutes.", after=timedelta(minutes=1))


class Well(Connector):
    key = "tests-well"
    capabilities = Capabilities(polls=True, poll_seconds=0)
    reads: ClassVar[list[int]] = []

    def fetch(self, account, cursor):
        self.reads.append(account.id)
        if len(self.reads) >= WANTED:
            Hanging.let_go.set()
        return Page((), cursor)


@pytest.fixture
def networks():
    for one in (Hanging, Well):
        registry.all_connectors()[one.key] = one
    Hanging.let_go.clear()
    Well.reads.clear()
    polling.slow.forget()
    yield
    polling.slow.forget()
    for one in (Hanging, Well):
        del registry.all_connectors()[one.key]


def accounts(brand, kind: str, count: int) -> list[Account]:
    return [
        Account.objects.create(brand=brand, kind=kind, name=kind, created_at=NOON, next_poll_at=clock.now())
        for _ in range(count)
    ]


def test_slow_accounts_wait_for_each_other_and_for_nobody_else():
    lane = slow.Slow()
    for account_id in (1, 2, 3):
        lane._accounts.add(account_id)
    assert (lane.room({}), lane.room({1: 1, 9: 5}), lane.room({1: 1, 2: 1})) == (2, 1, 0)
    with lane.timed(2):
        pass
    assert (lane.accounts(), lane.room({1: 1, 2: 1})) == ({1, 3}, 1)


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_networks_that_are_known_to_hang_leave_the_threads_to_the_others(networks, brand):
    if connection.vendor == "sqlite" and "memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("SQLite in memory answers a second writer at once with an error; in a file it lets it wait")
    for account in accounts(brand, Hanging.key, HANGING):
        polling.slow._accounts.add(account.pk)
    accounts(brand, Well.key, WELL)
    stop = threading.Event()
    worker = threading.Thread(target=Worker([(polling, THREADS)]).run, args=(stop,))
    worker.start()
    was_served = Hanging.let_go.wait(50)
    stop.set()
    Hanging.let_go.set()
    worker.join(20)
    assert was_served
    assert len(set(Well.reads)) == WELL
