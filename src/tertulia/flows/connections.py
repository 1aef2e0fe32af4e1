"""How the connections are: each is looked at by the clock, and people hear in time when one is about to end."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from tertulia.channels import actions, activities, consents
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.connectors.contract import Connector
from tertulia.core import activity, clock, jobs

LOOK_EVERY = 3600
"""Seconds."""
WARN_BEFORE = (timedelta(days=7), timedelta(hours=24))


@jobs.periodic("connections.look", seconds=LOOK_EVERY)
def look_tick() -> None:
    """Every active account of a network, each by a job of its own: one that hangs holds up no other.

    They are spread over the time until the next tick: neither we nor a network that many of them share has a rush.
    """
    consents.forget(at=clock.now())
    kinds = [key for key, connector in registry.all_connectors().items() if _has_network(connector)]
    accounts = Account.objects.filter(kind__in=kinds, state=Account.State.ACTIVE).order_by("pk")
    ids, at = accounts.values_list("pk", flat=True), clock.now()
    for number, pk in enumerate(ids):
        jobs.enqueue(look, account_id=pk, due_at=at + timedelta(seconds=LOOK_EVERY * number / len(ids)))


def _has_network(connector: type[Connector]) -> bool:
    return not connector.capabilities.hosted and not connector.capabilities.by_hand


@jobs.task("connections.look_at", attempts=1)
def look(*, account_id: int) -> None:
    account = Account.objects.filter(pk=account_id, state=Account.State.ACTIVE).first()
    if account is None:
        return
    health = actions.look(account=account, at=clock.now())
    if health.is_shut:
        actions.ask_for_attention(account_id=account.pk, why=health.says, at=clock.now())


@jobs.periodic("connections.warn", seconds=600)
def warn_tick() -> None:
    warn(at=clock.now())


def warn(*, at: datetime) -> int:
    """Tell people of access that ends, a week and a day before; credentials that renew themselves are no news."""
    told = 0
    for account in Account.objects.filter(expires_at__gt=at, expires_at__lte=at + WARN_BEFORE[0]).select_related(
        "brand"
    ):
        if account.kind in registry.all_connectors() and not account.capabilities.renews:
            told += _warn(account, at=at)
    return told


def _local(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


@transaction.atomic
def _warn(account: Account, *, at: datetime) -> bool:
    assert account.expires_at  # noqa: S101 — selected by it
    moment = max(account.expires_at - before for before in WARN_BEFORE if account.expires_at - before <= at)
    fresh = Account.objects.filter(pk=account.pk).exclude(warned_for=moment)
    if not fresh.update(warned_for=moment):
        return False
    ends = _local(account.expires_at, account.brand.time_zone)
    activity.record(activities.EXPIRING, on=account, brand=account.brand_id, at=at, account=account.name, ends=ends)
    return True
