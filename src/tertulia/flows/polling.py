"""Reading networks that don't call us: each account when its time has come, by one reader at a time.

Messages and the place to read on from are stored in one transaction behind the fence of the claim, so that a reader
thought dead can neither repeat nor skip anything.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Case, F, Value, When

from tertulia.channels import actions, tokens
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.connectors.contract import Outcome, Reconnect, Retry
from tertulia.core import clock, due, jobs, wake
from tertulia.core.crypto import UnreadableSecret
from tertulia.core.redact import describe, redact

from . import inbound
from .outbound import NO_CONNECTOR, UNREADABLE
from .slow import Slow

log = logging.getLogger(__name__)

NAME = "polling"
NEXT = ("SELECT min(next_poll_at) FROM tertulia_channels_account WHERE next_poll_at IS NOT NULL AND state = 'active'",)
LEASE = timedelta(seconds=60)
BEGIN = "poll_fence = poll_fence + 1, hinted_at = NULL, poll_lease_until = %s, next_poll_at = %s"
PAGES = 20
"""So many pages are read in one go; an account with more makes room for others in between."""
LONGEST_WAIT = timedelta(minutes=15)
TROUBLE_AFTER = 3
"""Failures in a row that people are told of."""

_failures: Counter[int] = Counter()
slow = Slow()


@dataclass(frozen=True, slots=True)
class Claim:
    """An account this worker reads."""

    id: int
    fence: int
    kind: str

    @property
    def group(self) -> int:
        return self.id


@dataclass(frozen=True, slots=True)
class Result:
    """Nothing, when all was read; `more` when there is more at once."""

    claim: Claim
    ended: Outcome | None = None
    more: bool = False
    is_stale: bool = False


def claim(*, at: datetime, limit: int, busy: Mapping[int, int] = jobs.NOBODY) -> list[Claim]:
    """Take accounts whose time has come; when the reader dies their time comes again at the end of the lease."""
    known = sorted(slow.accounts())
    found = _begin(at=at, limit=limit, without=known)
    if known:
        found += _begin(at=at, limit=min(limit - len(found), slow.room(busy)), only=known)
    return found


def hold(*, at: datetime, limit: int) -> list[due.Ticket]:
    return [(claimed.id, claimed.fence) for claimed in _begin(at=at, limit=limit)]


def _begin(
    *, at: datetime, limit: int, only: Sequence[int] = (), without: Sequence[int] = ()
) -> list[Claim]:  # fmt: skip
    if limit <= 0:
        return []
    which, ids = due.among("id", only) if only else due.outside("id", without)
    found = due.change(
        "tertulia_channels_account",
        BEGIN,
        where=due.one_of(
            "SELECT id FROM tertulia_channels_account WHERE next_poll_at IS NOT NULL"  # noqa: S608 — our own numbers
            f" AND state = 'active' AND next_poll_at <= %s AND {which} ORDER BY next_poll_at LIMIT %s"
        ),
        params=[at + LEASE, at + LEASE, at, *ids, limit],
        returning="id, poll_fence, kind",
    )
    return [Claim(*row) for row in sorted(found)]


def take(ticket: due.Ticket, *, at: datetime) -> Claim | None:
    found = due.change(
        "tertulia_channels_account",
        BEGIN,
        where="id = %s AND poll_fence = %s AND state = 'active'",
        params=[at + LEASE, at + LEASE, *ticket],
        returning="id, poll_fence, kind",
    )
    return Claim(*found[0]) if found else None


def renew(tickets: Iterable[due.Ticket], *, at: datetime) -> None:
    """One after the other: an account is held through each intake of its reader, and still needs its lease then."""
    for ticket in tickets:
        lease = "poll_lease_until = %s, next_poll_at = %s"
        mine = "id = %s AND poll_fence = %s"
        due.change("tertulia_channels_account", lease, where=mine, params=[at + LEASE, at + LEASE, *ticket])


def free_lost(*, at: datetime) -> int:
    """A lost account is due again by its own moment."""
    return 0


def run(claimed: Claim) -> Result:
    """Read the account on and take in what is new. Raises nothing."""
    try:
        with slow.timed(claimed.id):
            return _read(claimed, Account.objects.get(pk=claimed.id))
    except inbound.StaleReading:
        return Result(claimed, is_stale=True)
    except Outcome as outcome:
        return Result(claimed, outcome)
    except registry.UnknownConnector:
        return Result(claimed, Reconnect(NO_CONNECTOR))
    except UnreadableSecret:
        return Result(claimed, Reconnect(UNREADABLE))
    except Exception as error:  # noqa: BLE001 — a connector's mistake must not end the reading of the others
        log.error("Account %s can't be read: %s", claimed.id, describe(error))
        return Result(claimed, Retry(describe(error)))


def _read(claimed: Claim, account: Account) -> Result:
    connector, cursor = account.connector, account.cursor
    for _number in range(PAGES):
        page = tokens.use(account, partial(connector.fetch, account, cursor))
        for unread in page.unread:
            inbound.keep_unread(account, unread, at=clock.now())
        if page.envelopes or page.cursor != cursor:
            inbound.take_in(account, page.envelopes, at=clock.now(), cursor=page.cursor, fence=claimed.fence)
        cursor = page.cursor
        if not page.more:
            return Result(claimed)
    return Result(claimed, more=True)


def settle(results: Sequence[Result], *, at: datetime) -> int:
    """Set when each account is read next; returns how many had found another reader meanwhile."""
    with transaction.atomic():
        written = sum(_settle(result, at=at) for result in sorted(results, key=lambda result: result.claim.id))
    return len(results) - written


def _settle(result: Result, *, at: datetime) -> bool:
    if result.is_stale:
        return False
    if result.ended is None:
        _failures.pop(result.claim.id, None)
        wait = timedelta() if result.more else _interval(result.claim.kind)
        return _put_back(
            result.claim,
            "next_poll_at = COALESCE(hinted_at, %s), last_success_at = %s,"
            " trouble = CASE WHEN state = 'active' THEN '' ELSE trouble END",
            [at + wait, at],
        )
    _failures[result.claim.id] += 1
    failures = _failures[result.claim.id]
    wait = max(_interval(result.claim.kind), min(jobs.backoff(failures), LONGEST_WAIT))
    if isinstance(result.ended, Retry) and result.ended.after:
        wait = max(wait, result.ended.after)
    put_back = _put_back(result.claim, "next_poll_at = %s", [at + wait])
    if put_back and isinstance(result.ended, Reconnect):
        actions.ask_for_attention(account_id=result.claim.id, why=result.ended.why, at=at)
    elif put_back and failures >= TROUBLE_AFTER:
        Account.objects.filter(pk=result.claim.id).update(trouble=redact(result.ended.why, longest=300))
    return put_back


def _put_back(claimed: Claim, assignments: str, params: Sequence[object]) -> bool:
    """In one statement: accounts with nothing new are read all day long."""
    mine = "id = %s AND poll_fence = %s"
    changed = due.change(
        "tertulia_channels_account",
        f"poll_lease_until = NULL, {assignments}",
        where=mine,
        params=[*params, claimed.id, claimed.fence],
    )
    return bool(changed)


def hint(account: Account, *, at: datetime) -> None:
    """Somebody said that there is news: read the account now, or once more when it is just being read."""
    Account.objects.filter(pk=account.pk).update(
        hinted_at=at,
        next_poll_at=Case(
            When(poll_lease_until__isnull=True, next_poll_at__gt=at, then=Value(at)), default=F("next_poll_at")
        ),
    )
    wake.ring()


def _interval(kind: str) -> timedelta:
    """The connector's interval, scattered a little so that accounts don't fall into step."""
    try:
        seconds = registry.get(kind).capabilities.poll_seconds
    except registry.UnknownConnector:
        seconds = 600
    return timedelta(seconds=seconds * random.uniform(0.95, 1.05))  # noqa: S311 — scatter, not secrecy


@jobs.periodic("polling.begin", seconds=30)
def begin() -> None:
    """Accounts that were connected or set going again and have no time yet are read at once."""
    polling = [kind for kind, connector in registry.all_connectors().items() if connector.capabilities.polls]
    if polling:
        fresh = Account.objects.filter(kind__in=polling, state=Account.State.ACTIVE, next_poll_at__isnull=True)
        fresh.update(next_poll_at=clock.now())


def run_due(at: datetime) -> int:
    """Read every account whose time has come, in the calling thread; returns how many. For tests."""
    claims = due.begin(claim, hold, take, at=at, limit=1000)
    settle([run(claimed) for claimed in claims], at=at)
    return len(claims)
