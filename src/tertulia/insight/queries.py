"""The guarantees, counted from the rows themselves each time they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count

from tertulia.brand.models import Brand
from tertulia.channels import queries as channels
from tertulia.channels.models import Account, Delivery, Message, Reconciliation
from tertulia.connectors import registry
from tertulia.inbox import acting
from tertulia.inbox.models import Conversation

End = Literal[
    "answered", "no_answer", "handed_on", "moderated", "spam", "duplicate", "withdrawn", "waiting", "ownerless"
]
ENDS: tuple[End, ...] = (
    "answered", "no_answer", "handed_on", "moderated", "spam", "duplicate", "withdrawn", "waiting", "ownerless",
)  # fmt: skip
"""How a message that somebody wrote to us can stand. The last two have not ended yet; the very last may not exist."""

TICK = timedelta(seconds=30)
"""Longer than this nothing may be open without somebody in charge: three rounds of the routing."""
DAYS = 14


def ends(brand: Brand, *, since: datetime) -> dict[End, int]:
    """Every message that people wrote since then, by how it stands; each counts once.

    A message is answered when we wrote after it. One that nobody answered has the reason its conversation was closed
    for; one that was hidden, removed or marked as spam was moderated, and one its writer deleted was withdrawn.
    """
    settling = sorted(acting.SETTLING)
    marks = ", ".join(["%s"] * len(settling))
    sql = f"""
SELECT CASE
    WHEN EXISTS (SELECT 1 FROM {Delivery._meta.db_table} act WHERE act.on_id = message.id AND act.act IN ({marks})
        AND NOT act.is_undo AND act.state IN ('queued', 'sending', 'sent')
        AND NOT EXISTS (SELECT 1 FROM {Delivery._meta.db_table} later WHERE later.on_id = message.id
            AND later.act = act.act AND later.is_undo AND later.id > act.id)) THEN 'moderated'
    WHEN message.deleted_at IS NOT NULL THEN 'withdrawn'
    WHEN conversation.state <> 'closed' AND conversation.waiting_since IS NOT NULL
        AND message.sent_at >= conversation.waiting_since
        THEN CASE WHEN conversation.owner_id IS NULL THEN 'ownerless' ELSE 'waiting' END
    WHEN conversation.last_outbound_at IS NOT NULL AND message.sent_at <= conversation.last_outbound_at THEN 'answered'
    WHEN conversation.state = 'closed' THEN conversation.close_reason
    ELSE 'no_answer' END AS ending, count(*)
FROM {Conversation._meta.db_table} conversation
JOIN {Message._meta.db_table} message
    ON message.account_id = conversation.account_id AND message.thread_id = conversation.thread_id
WHERE conversation.brand_id = %s AND conversation.last_activity_at >= %s AND message.sent_at >= %s
    AND message.direction = 'in' AND NOT message.is_automatic
GROUP BY ending
"""  # noqa: S608 — our own tables' names
    with connection.cursor() as cursor:
        cursor.execute(sql, [*settling, brand.pk, since, since])
        found = dict(cursor.fetchall())
    return {end: found.get(end, 0) for end in ENDS}


def ownerless(brand: Brand, *, at: datetime) -> int:
    """Open conversations that nobody has been in charge of for longer than a worker's tick: always none."""
    rows = Conversation.objects.filter(brand=brand, owner__isnull=True, state=Conversation.State.OPEN)
    return rows.filter(last_activity_at__lt=at - TICK).count()


def outgoing(brand: Brand, *, since: datetime) -> dict[str, int]:
    """Answers and acts that were to leave since then, by how they stand."""
    rows = Delivery.objects.filter(account__brand=brand, created_at__gte=since, post__isnull=True).values_list("state")
    return dict(rows.annotate(n=Count("pk")))


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's days, newest last; a day that was not counted is None. `can` is False where nothing can be."""

    account: Account
    can: bool
    days: list[Reconciliation | None]


def balances(brand: Brand, *, at: datetime) -> tuple[list[date], list[Balance]]:
    """The last days of every account that holds messages from elsewhere."""
    today = at.astimezone(ZoneInfo(brand.time_zone)).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    rows = Reconciliation.objects.filter(account__brand=brand, day__gte=days[0])
    counted: Mapping[tuple[int, date], Reconciliation] = {(row.account_id, row.day): row for row in rows}
    found = [
        Balance(account, _can(account), [counted.get((account.pk, day)) for day in days])
        for account in channels.accounts(brand)
    ]
    return days, found


def _can(account: Account) -> bool:
    known = registry.all_connectors()
    return account.kind in known and known[account.kind].capabilities.history is not None
