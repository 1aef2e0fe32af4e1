"""What is done to connected accounts."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tertulia.brand.models import Brand
from tertulia.connectors import registry
from tertulia.connectors.contract import Connector

from .models import Account

SECRET_BYTES = 32


def connect(
    *, brand: Brand, kind: str, name: str, at: datetime, settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Account:  # fmt: skip
    """Add an account. Secrets that nobody types are made here. Raises `registry.UnknownConnector`."""
    connector = registry.get(kind)
    return Account.objects.create(
        brand=brand,
        kind=kind,
        name=name,
        settings=dict(settings or {}),
        secrets={**generated(connector), **(secrets or {})},
        next_poll_at=at if connector.capabilities.polls else None,
        created_at=at,
    )


def generated(connector: type[Connector]) -> dict[str, str]:
    """Fresh secrets for the fields that the desk fills in itself."""
    return {field.name: random.token_urlsafe(SECRET_BYTES) for field in connector.fields if field.is_generated}


def pause(account: Account) -> None:
    """Neither read nor write there until it is resumed; what is queued waits."""
    account.state = Account.State.PAUSED
    account.save(update_fields=["state"])


def resume(account: Account, *, at: datetime) -> None:
    account.state, account.trouble = Account.State.ACTIVE, ""
    account.next_poll_at = at if account.capabilities.polls else None
    account.save(update_fields=["state", "trouble", "next_poll_at"])
