"""Credentials that end. Fresh ones are fetched in good time, by one process at a time, and stored before they are used.

A network that gives each refresh token only once would lock us out for good if two of us used the same one, or if one
of us used the new pair and died before writing it down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop as _

from tertulia.connectors.contract import Granted, Health, Reconnect, Refused, Retry
from tertulia.core import clock
from tertulia.core.crypto import Secrets

from .models import Account

RENEW_BEFORE = timedelta(minutes=5)
LEASE = timedelta(seconds=60)
WAIT_SECONDS = 20.0
LOOK_SECONDS = 0.1

BEING_RENEWED = _("The credentials of this channel are just being renewed.")
ANOTHER = _("That is another account than the one connected here. Add it as a channel of its own.")

Value = TypeVar("Value")


def use(account: Account, call: Callable[[], Value]) -> Value:
    """Make a call with credentials that hold; `account` is brought up to date in place when they had to be renewed.

    Raises what the call raises, and `Reconnect` when only a person can help. A call that the network refused for its
    credentials did nothing, so it is made once more with fresh ones.
    """
    if not account.capabilities.renews:
        return call()
    if account.expires_at and account.expires_at - clock.now() < RENEW_BEFORE:
        renew(account)
    try:
        return call()
    except Reconnect:
        renew(account)
    return call()


def renew(account: Account) -> None:
    """Fetch fresh credentials unless somebody else has done so since this account was read.

    Raises `Reconnect`, or `Retry` while somebody else is at it for long.
    """
    with _alone(account) as stored:
        if stored.secrets == account.secrets:
            stored = store(stored, stored.connector.renew(stored))
    _bring_up_to_date(account, stored)


def exchange(account: Account, given: Granted) -> Health:
    """Put new credentials in the place of the old ones, once the network has taken them: else those stay as they are.

    Raises as `try_out` does, and `Refused` for those of another account there.
    """
    with _alone(account) as stored:
        given, health = try_out(stored, given)
        if health.who and health.who != (stored.health.get("who") or health.who):
            raise Refused(ANOTHER)
        store(stored, given)
    return health


def try_out(account: Account, given: Granted) -> tuple[Granted, Health]:
    """What the network says of new credentials, and what they were exchanged for; nothing is stored.

    Raises what `check` raises, and `Refused` when the account would be worse off with them.
    """
    connector = account.connector
    try:
        health = connector.check(having(account, given))
    except Reconnect:
        if not account.capabilities.renews:
            raise
        given = together(given, connector.renew(having(account, given)))
        health = connector.check(having(account, given))
    if health.is_shut or (account.health.get("is_ok") and not health.is_ok):
        raise Refused(health.says)
    return given, health


def having(account: Account, given: Granted) -> Account:
    """The account as it would be with these; not to be saved."""
    tried = copy(account)
    tried.secrets = Secrets({**account.secrets, **_full(given)})
    tried.settings, tried.expires_at = {**account.settings, **given.settings}, given.expires_at
    return tried


def together(given: Granted, more: Granted) -> Granted:
    """Both, `more` over the other."""
    return replace(
        more, secrets={**given.secrets, **_full(more)}, settings={**given.settings, **more.settings},
        scopes=more.scopes or given.scopes,
    )  # fmt: skip


def _full(given: Granted) -> dict[str, str]:
    """A value that came empty never takes the place of one that is there."""
    return {name: value for name, value in given.secrets.items() if value}


@contextmanager
def _alone(account: Account) -> Iterator[Account]:
    """The account as it is stored, while nobody else changes its credentials. Raises `Retry`."""
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        until = clock.now() + LEASE
        free = Q(renew_lease_until__isnull=True) | Q(renew_lease_until__lte=clock.now())
        if Account.objects.filter(free, pk=account.pk).update(renew_lease_until=until):
            break
        if time.monotonic() > give_up:
            raise Retry(BEING_RENEWED, after=timedelta(seconds=10))
        time.sleep(LOOK_SECONDS)
    try:
        yield Account.objects.get(pk=account.pk)
    finally:
        Account.objects.filter(pk=account.pk, renew_lease_until=until).update(renew_lease_until=None)


@transaction.atomic
def store(account: Account, granted: Granted) -> Account:
    """Keep what the network gave."""
    held = Account.objects.select_for_update().get(pk=account.pk)
    held.secrets = {**held.secrets, **_full(granted)}
    held.settings = {**held.settings, **granted.settings}
    if granted.scopes:
        held.health = {**held.health, "scopes": list(granted.scopes)}
    held.expires_at = granted.expires_at
    held.save(update_fields=["secrets", "settings", "health", "expires_at"])
    return held


def _bring_up_to_date(account: Account, stored: Account) -> None:
    account.secrets, account.settings, account.expires_at = stored.secrets, stored.settings, stored.expires_at
