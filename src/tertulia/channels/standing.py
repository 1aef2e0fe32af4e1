"""How a connection stands, as its page and the list of channels show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from tertulia.connectors import registry
from tertulia.connectors.contract import Connector

from .forms import said
from .models import Account, Delivery

SOON = timedelta(days=7)
"""Access that ends within this time is shown as a warning."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`tone` of its badge. `ends_at` only where a person has to do something about it. `facts` as (name, value)."""

    account: Account
    channel: str
    tone: str
    trouble: str
    waiting: int
    """Answers and acts that are queued: on their way, or waiting until the account works again."""
    ends_at: datetime | None = None
    ends_soon: bool = False
    renews: bool = False
    polls: bool = False
    next_poll_at: datetime | None = None
    """Empty while nobody reads there."""
    is_listening: bool = False
    quota_left: int | None = None
    quota_resets_at: datetime | None = None
    scopes: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = field(default_factory=list)
    webhook: str = ""


def with_waiting(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Each with how many of its acts are queued (`waiting`). Posts wait for their moment, not for the account."""
    queued = Delivery.objects.filter(account=OuterRef("pk"), state=Delivery.State.QUEUED, post__isnull=True).order_by()
    counted = queued.values("account").annotate(n=Count("pk")).values("n")
    return accounts.annotate(waiting=Coalesce(Subquery(counted), 0))


def of(account: Account, *, at: datetime) -> Standing:
    """How an account read by `with_waiting` stands; of one whose connector is gone, what is known without it."""
    connector = registry.all_connectors().get(account.kind)
    is_active = account.state == Account.State.ACTIVE
    waiting = account.waiting  # type: ignore[attr-defined]
    if connector is None:
        return Standing(account, account.kind, _tone(account), account.trouble, waiting)
    can, told = connector.capabilities, account.health
    ends_at = None if can.renews else account.expires_at
    resets_at = told.get("quota_resets_at")
    return Standing(
        account, said(connector.name), _tone(account), _trouble(account), waiting,
        ends_at=ends_at, ends_soon=ends_at is not None and ends_at - at <= SOON, renews=can.renews, polls=can.polls,
        next_poll_at=account.next_poll_at if can.polls and is_active else None,
        is_listening=bool(is_active and account.listen_lease_until and account.listen_lease_until > at),
        quota_left=told.get("quota_left"), quota_resets_at=datetime.fromisoformat(resets_at) if resets_at else None,
        scopes=[said(connector.scopes.get(scope, {"en": scope})) for scope in told.get("scopes", [])],
        facts=_facts(account, connector), webhook=_webhook(account) if can.webhook else "",
    )  # fmt: skip


def _tone(account: Account) -> str:
    if account.state == Account.State.ATTENTION:
        return "late"
    if account.state == Account.State.PAUSED:
        return ""
    return "soon" if _trouble(account) else "good"


def _trouble(account: Account) -> str:
    """What is wrong, also while the account is still tried again and again."""
    if account.state == Account.State.PAUSED:
        return ""
    return account.trouble or ("" if account.health.get("is_ok", True) else str(account.health.get("says", "")))


def _facts(account: Account, connector: type[Connector]) -> list[tuple[str, str]]:
    given = ((said(name), account.settings.get(fact)) for fact, name in connector.facts.items())
    return [(name, str(value)) for name, value in given if isinstance(value, str | int) and str(value)]


def _webhook(account: Account) -> str:
    """The address to give to the network."""
    return settings.PUBLIC_URL + reverse("webhook", args=[account.public_key])
