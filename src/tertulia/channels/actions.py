"""What is done to connected accounts. `by` is empty at the console and for the sample company."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from tertulia.brand.models import Brand
from tertulia.connectors import registry
from tertulia.connectors.contract import Health, Outcome
from tertulia.core import activity

from . import activities
from .models import Account, Quarantine


@transaction.atomic
def connect(
    *, brand: Brand, kind: str, name: str, at: datetime, settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None, by: int | None = None,
) -> Account:  # fmt: skip
    """Add an account. Secrets that nobody types are made here. Raises `registry.UnknownConnector`."""
    connector = registry.get(kind)
    account = Account.objects.create(
        brand=brand,
        kind=kind,
        name=name,
        settings=dict(settings or {}),
        secrets={**connector.generated_secrets(), **(secrets or {})},  # type: ignore[misc]
        next_poll_at=at if connector.capabilities.polls else None,
        created_at=at,
    )
    _record(activities.CONNECTED, account, by=by, at=at, kind=kind)
    return account


@transaction.atomic
def change(
    *, account: Account, name: str, settings: Mapping[str, Any], secrets: Mapping[str, str], at: datetime,
    by: int | None = None,
) -> Account:  # fmt: skip
    """Set name and settings, and those secrets that were given; the others, and all history, stay."""
    held = Account.objects.select_for_update().get(pk=account.pk)
    held.name = name
    held.settings = {**held.settings, **settings}
    held.secrets = {**held.secrets, **{field: value for field, value in secrets.items() if value}}
    held.save(update_fields=["name", "settings", "secrets"])
    _record(activities.CHANGED, held, by=by, at=at)
    return held


@transaction.atomic
def renew_keys(*, account: Account, at: datetime, by: int | None = None) -> None:
    """Make the secrets that nobody types anew: what was signed with the old ones no longer counts."""
    fresh = registry.get(account.kind).generated_secrets()
    change(account=account, name=account.name, settings={}, secrets=fresh, at=at, by=by)


@transaction.atomic
def pause(*, account: Account, at: datetime, by: int | None = None) -> None:
    """Neither read nor write there until it is resumed; what is queued waits."""
    if Account.objects.filter(pk=account.pk).exclude(state=Account.State.PAUSED).update(state=Account.State.PAUSED):
        _record(activities.PAUSED, account, by=by, at=at)


@transaction.atomic
def resume(*, account: Account, at: datetime, by: int | None = None) -> None:
    """Work again, from where it stopped: the cursor is kept, so nothing is missed or read twice."""
    stopped = Account.objects.filter(pk=account.pk).exclude(state=Account.State.ACTIVE)
    polls = account.capabilities.polls
    if stopped.update(state=Account.State.ACTIVE, trouble="", next_poll_at=at if polls else F("next_poll_at")):
        _record(activities.RESUMED, account, by=by, at=at)


def look(*, account: Account) -> Health:
    """Ask the network whether the account works. Never inside a transaction: it may take a while."""
    try:
        return account.connector.check(account)
    except Outcome as outcome:
        return Health(is_ok=False, says=outcome.why)


@transaction.atomic
def settle(*, quarantined: Quarantine, at: datetime, by: int | None = None) -> None:
    """Say that somebody has dealt with it; the original stays."""
    if Quarantine.objects.filter(pk=quarantined.pk, settled_at=None).update(settled_at=at):
        _record(activities.SETTLED, quarantined.account, by=by, at=at, quarantine=quarantined.pk)


def _record(name: str, account: Account, *, by: int | None, at: datetime, **facts: Any) -> None:
    activity.record(name, on=account, brand=account.brand_id, by=by, at=at, account=account.name, **facts)
