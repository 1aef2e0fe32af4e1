"""What is done to connected accounts. `by` is empty at the console and for the sample company."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from tertulia.brand.models import Brand
from tertulia.connectors import registry
from tertulia.connectors.contract import Granted, Health, Outcome, Reconnect
from tertulia.core import activity
from tertulia.core.redact import redact

from . import activities, tokens
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
        secrets={**connector.generated_secrets(), **(secrets or {})},
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


def mend(
    *, account: Account, name: str, settings: Mapping[str, Any], secrets: Mapping[str, str], at: datetime,
    by: int | None = None,
) -> Health:  # fmt: skip
    """Change an account and see how it is then; one that had stopped goes on when it works again.

    New secrets take the place of the old ones only once the network has taken them. Raises what it says otherwise: then
    nothing was changed. Never inside a transaction: it may take a while.
    """
    if secrets:
        health = tokens.exchange(account, Granted(secrets, settings))
    changed = change(account=account, name=name, settings={} if secrets else settings, secrets={}, at=at, by=by)
    if not secrets:
        health = _ask(changed)
    _go_on(changed, health, at=at, by=by)
    return health


def reconnect(*, account: Account, name: str, given: Granted, at: datetime, by: int) -> Health:
    """Put what somebody was granted in place of what there was; settings and history stay. Raises as `mend` does."""
    health = tokens.exchange(account, given)
    Account.objects.filter(pk=account.pk).update(name=name)
    _record(activities.RECONNECTED, account, by=by, at=at)
    _go_on(account, health, at=at, by=by)
    return health


def _go_on(account: Account, health: Health, *, at: datetime, by: int | None) -> None:
    keep(account, health, at=at)
    if health.is_ok and account.state == Account.State.ATTENTION:
        resume(account=account, at=at, by=by)


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


def look(*, account: Account, at: datetime) -> Health:
    """Ask the network how the connection is, and keep what it says. Never inside a transaction: it may take a while."""
    health = _ask(account)
    keep(account, health, at=at)
    return health


def _ask(account: Account) -> Health:
    try:
        return tokens.use(account, lambda: account.connector.check(account))
    except Outcome as outcome:
        return Health(is_ok=False, says=outcome.why, is_shut=isinstance(outcome, Reconnect))


@transaction.atomic
def ask_for_attention(*, account_id: int, why: str, at: datetime) -> None:
    """Stop an account whose credentials no longer work and tell people, once. Its answers wait."""
    trouble = redact(why, longest=300)
    active = Account.objects.filter(pk=account_id, state=Account.State.ACTIVE)
    if active.update(state=Account.State.ATTENTION, trouble=trouble):
        account = Account.objects.defer("secrets").get(pk=account_id)
        _record(activities.ATTENTION, account, by=None, at=at, trouble=trouble)


@transaction.atomic
def keep(account: Account, health: Health, *, at: datetime) -> None:
    """Note what the network said of the connection."""
    held = Account.objects.select_for_update().get(pk=account.pk)
    told: dict[str, Any] = {
        "scopes": list(health.scopes) or held.health.get("scopes", []),
        "quota_left": health.quota_left,
        "quota_resets_at": health.quota_resets_at and health.quota_resets_at.isoformat(),
        "who": health.who or held.health.get("who", ""),
    }
    held.health = {"is_ok": health.is_ok, "says": redact(health.says, longest=300), "at": at.isoformat(), **told}
    held.settings = {**held.settings, **health.facts}
    held.expires_at = health.expires_at or held.expires_at
    held.last_success_at = at if health.is_ok else held.last_success_at
    held.save(update_fields=["health", "settings", "expires_at", "last_success_at"])
    account.settings, account.health, account.expires_at = held.settings, held.health, held.expires_at
    account.state = held.state


@transaction.atomic
def settle(*, quarantined: Quarantine, at: datetime, by: int | None = None) -> None:
    """Say that somebody has dealt with it; the original stays."""
    if Quarantine.objects.filter(pk=quarantined.pk, settled_at=None).update(settled_at=at):
        _record(activities.SETTLED, quarantined.account, by=by, at=at, quarantine=quarantined.pk)


def _record(name: str, account: Account, *, by: int | None, at: datetime, **facts: Any) -> None:
    activity.record(name, on=account, brand=account.brand_id, by=by, at=at, account=account.name, **facts)
