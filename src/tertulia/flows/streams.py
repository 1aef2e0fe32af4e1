"""Networks that tell at once: one held connection for each account that can, in one process of all.

What they say is only a hint that brings the next reading forward; a connection that dies or lies costs nothing but the
time until the ordinary reading, which is the net below.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import Q

from tertulia.channels import tokens
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.connectors.contract import Outcome
from tertulia.core import clock, due
from tertulia.core.redact import describe

from . import polling

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
LEASE = timedelta(seconds=90)
RENEW_AFTER = timedelta(seconds=30)
MOST = 100
"""Connections one process holds: each is a thread that sleeps. Accounts beyond them are read by their interval."""
REST_SECONDS = (5, 15, 60, 300)
"""How long an account is left alone after its connection failed: once, twice …"""


class Streams:
    """The held connections of one process. `run` until `stop` is set."""

    def __init__(self) -> None:
        self._threads: dict[int, threading.Thread] = {}
        self._rests: dict[int, tuple[int, datetime]] = {}
        """Failures in a row of an account, and until when it is left alone."""

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(LOOK_SECONDS):
                try:
                    self.look(stop, at=clock.now())
                except DatabaseError as error:
                    log.error("Held connections wait for the database: %s", describe(error))
                    connection.close()
        finally:
            connection.close()

    def look(self, stop: threading.Event, *, at: datetime) -> None:
        """Begin to listen for accounts that nobody listens for."""
        self._threads = {id: thread for id, thread in self._threads.items() if thread.is_alive()}
        for account in self._free(at)[: MOST - len(self._threads)]:
            if self._claim(account, at=at):
                thread = threading.Thread(target=self._hold, args=(account, stop), name=f"listen {account.pk}")
                thread.daemon = True
                self._threads[account.pk] = thread
                thread.start()

    def _free(self, at: datetime) -> list[Account]:
        kinds = [key for key, one in registry.all_connectors().items() if one.capabilities.listens]
        if not kinds:
            return []
        listens, keys = due.among("kind", kinds, of="text")
        free = due.rows(  # asked all day long, mostly for nothing
            f"SELECT id FROM tertulia_channels_account WHERE state = 'active' AND {listens}"  # noqa: S608
            " AND (listen_lease_until IS NULL OR listen_lease_until <= %s)",
            [*keys, at],
        )
        resting = {id for id, (_failures, until) in self._rests.items() if until > at}
        left = {id for (id,) in free} - self._threads.keys() - resting
        return list(Account.objects.filter(pk__in=left).order_by("pk")) if left else []

    def _claim(self, account: Account, *, at: datetime) -> bool:
        free = Q(listen_lease_until__isnull=True) | Q(listen_lease_until__lte=at)
        return bool(Account.objects.filter(free, pk=account.pk).update(listen_lease_until=at + LEASE))

    def _hold(self, account: Account, stop: threading.Event) -> None:
        """Listen until the connection ends, the account is stopped, or somebody else holds it."""
        failures, _until = self._rests.get(account.pk, (0, None))
        try:
            tokens.use(account, lambda: self._listen(account, stop))
            self._rests[account.pk] = (0, clock.now() + timedelta(seconds=1))
        except Exception as error:  # noqa: BLE001 — whatever it is, the reading goes on by its interval
            rest = REST_SECONDS[min(failures, len(REST_SECONDS) - 1)]
            self._rests[account.pk] = (failures + 1, clock.now() + timedelta(seconds=rest))
            says = error.why if isinstance(error, Outcome) else describe(error)
            log.info("Account %s: its held connection ended: %s", account.pk, says)
        finally:
            Account.objects.filter(pk=account.pk).update(listen_lease_until=None)
            connection.close()

    def _listen(self, account: Account, stop: threading.Event) -> None:
        renew_at = clock.now() + RENEW_AFTER
        for has_news in account.connector.listen(account, stop.is_set):
            at = clock.now()
            if stop.is_set():
                return
            if has_news:
                polling.hint(account, at=at)
            if at >= renew_at:
                active = Account.objects.filter(pk=account.pk, state=Account.State.ACTIVE)
                if not active.update(listen_lease_until=at + LEASE):
                    return
                renew_at = at + RENEW_AFTER
