"""How connections are looked at, and how people hear of one that is about to end."""

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
from tertulia.connectors.contract import Capabilities, Connector, Health, Page, Reconnect, Retry
from tertulia.core import clock
from tertulia.core.models import Activity
from tertulia.flows import connections, notify, polling
from tertulia.flows.streams import Streams
from tertulia.team.models import Notification


class Streaming(Connector):
    """Tells of news as the test says: True, False, or an exception."""

    key = "tests-streaming"
    name: ClassVar = {"en": "Streaming", "es": "Continua"}
    capabilities = Capabilities(polls=True, listens=True)
    signs: ClassVar[list[object]] = []
    held: ClassVar[list[int]] = []

    def check(self, account):
        if account.secrets.get("token") != "good":
            raise Reconnect("The token no longer works.")
        return Health(is_ok=True, says="", expires_at=NOON + timedelta(days=30))

    def fetch(self, account, cursor):
        return Page((), cursor)

    def listen(self, account, stop):
        self.held.append(account.id)
        for sign in self.signs:
            if isinstance(sign, Exception):
                raise sign
            yield bool(sign)


@pytest.fixture
def account(brand):
    registry.all_connectors()[Streaming.key] = Streaming
    Streaming.signs[:], Streaming.held[:] = [], []
    yield Account.objects.create(
        brand=brand, kind=Streaming.key, name="Red", created_at=NOON, secrets={"token": "good"},
        next_poll_at=clock.now() + timedelta(hours=1),
    )  # fmt: skip
    del registry.all_connectors()[Streaming.key]


def looked(streams: Streams, at) -> None:
    """One look, and the threads it began are waited for."""
    streams.look(threading.Event(), at=at)
    for thread in streams._threads.values():
        thread.join(10)
    connection.close()


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_news_bring_the_reading_forward_and_signs_of_life_do_not(account):
    before = account.next_poll_at
    Streaming.signs[:] = [False, False]
    looked(Streams(), NOON)
    account.refresh_from_db()
    assert (account.next_poll_at, account.listen_lease_until) == (before, None)
    Streaming.signs[:] = [False, True]
    looked(Streams(), NOON)
    account.refresh_from_db()
    assert account.next_poll_at <= clock.now()


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_only_one_process_listens_and_a_dead_one_is_followed_after_its_lease(account):
    Account.objects.update(listen_lease_until=NOON + timedelta(seconds=90))
    looked(Streams(), NOON + timedelta(seconds=89))
    assert Streaming.held == []
    looked(Streams(), NOON + timedelta(seconds=90))
    assert Streaming.held == [account.pk]


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_a_connection_that_fails_rests_longer_each_time(account):
    Streaming.signs[:] = [Retry("Not now.")]
    streams = Streams()
    for _ in range(3):
        looked(streams, clock.now())
    assert Streaming.held == [account.pk]
    looked(streams, clock.now() + timedelta(seconds=6))
    assert Streaming.held == [account.pk] * 2
    looked(streams, clock.now() + timedelta(seconds=6))
    assert Streaming.held == [account.pk] * 2


@pytest.mark.django_db
def test_a_hint_during_a_reading_brings_another_at_once(account):
    Account.objects.update(next_poll_at=NOON)
    (claimed,) = polling.claim(at=NOON, limit=1)
    polling.hint(account, at=NOON)
    polling.settle([polling.Result(claimed)], at=NOON)
    account.refresh_from_db()
    assert account.next_poll_at == NOON
    assert polling.run_due(NOON) == 1
    account.refresh_from_db()
    assert account.next_poll_at > NOON


@pytest.mark.django_db
def test_a_connection_that_died_is_told_at_once(account):
    Account.objects.update(secrets={"token": "bad"})
    for _ in range(2):
        connections.look(account_id=account.pk)
    account.refresh_from_db()
    assert (account.state, account.trouble) == ("attention", "The token no longer works.")
    assert account.health["is_ok"] is False
    assert Activity.objects.filter(type="account.attention").count() == 1


@pytest.mark.django_db
def test_people_hear_a_week_and_a_day_before_access_ends(account, alba):
    ends = NOON + timedelta(days=30)
    connections.look(account_id=account.pk)
    told = []
    for hours in range(0, 31 * 24):
        if connections.warn(at=NOON + timedelta(hours=hours)):
            told.append(ends - NOON - timedelta(hours=hours))
    assert told == [timedelta(days=7), timedelta(hours=24)]
    lines = Activity.objects.filter(type="account.expiring")
    notify.tell(activity_ids=[line.pk for line in lines])
    assert Notification.objects.filter(user=alba, reason="expiring").count() == 2
