"""Figures of what was published, fetched from the networks that tell them: each account by a job of its own.

An account that fails says why, waits longer each time and holds up no other; one post that a network refuses to speak
of holds up none of the others.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet

from tertulia.channels import actions, figures, reactions, tokens
from tertulia.channels.models import Account, AccountWatch, PostWatch, RemotePost
from tertulia.connectors import registry
from tertulia.connectors.contract import Outcome, Reconnect, Refused, Retry, Target
from tertulia.core import clock, jobs
from tertulia.core.crypto import UnreadableSecret
from tertulia.core.redact import describe, redact
from tertulia.publishing import actions as publishing

from .outbound import NO_CONNECTOR, UNREADABLE

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
MOST = 500
"""Posts of an account that one job asks for; the rest waits for the next minute."""
LONGEST_WAIT = timedelta(hours=6)


@jobs.periodic("reactions.begin", seconds=60)
def begin() -> None:
    """A job for each account of which something is to be asked now."""
    at = clock.now()
    accounts = _telling()
    reactions.watch_new(accounts, at=at)
    for account in _due(accounts, at=at):
        jobs.enqueue(read, account_id=account.pk)


def _telling() -> list[Account]:
    kinds = [key for key, one in registry.all_connectors().items() if one.capabilities.tells]
    active = Account.objects.filter(kind__in=kinds, state=Account.State.ACTIVE)
    return list(active.select_related("brand").defer("secrets").order_by("pk"))


def _due(accounts: Sequence[Account], *, at: datetime) -> list[Account]:
    watches = {row.account_id: row for row in AccountWatch.objects.filter(account__in=accounts)}
    waiting = set(_waiting(at).filter(post__account__in=accounts).values_list("post__account", flat=True).distinct())

    def is_due(account: Account) -> bool:
        watch = watches.get(account.pk)
        if watch and ((watch.not_before and watch.not_before > at) or (watch.lease_until and watch.lease_until > at)):
            return False
        is_counted = watch is not None and watch.counted_on == _today(account, at)
        return account.pk in waiting or (bool(reactions.told_by(account).of_account) and not is_counted)

    return [account for account in accounts if is_due(account)]


def _waiting(at: datetime) -> QuerySet[PostWatch]:
    return PostWatch.objects.filter(due_at__lte=at, post__deleted_at__isnull=True)


@jobs.task("reactions.read", attempts=1)
def read(*, account_id: int) -> None:
    account = Account.objects.select_related("brand").filter(pk=account_id, state=Account.State.ACTIVE).first()
    if account and _claim(account, at=clock.now()):
        take(account, at=clock.now())


def _claim(account: Account, *, at: datetime) -> bool:
    AccountWatch.objects.get_or_create(account=account)
    free = AccountWatch.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lte=at), account=account)
    return bool(free.update(lease_until=at + LEASE))


def take(account: Account, *, at: datetime) -> None:
    """Ask for all figures of an account that are due, and keep how that went. Raises nothing."""
    try:
        _take(account, at=at)
    except Outcome as outcome:
        _failed(account, outcome, at=at)
    except registry.UnknownConnector:
        _failed(account, Reconnect(NO_CONNECTOR), at=at)
    except UnreadableSecret:
        _failed(account, Reconnect(UNREADABLE), at=at)
    except Exception as error:  # noqa: BLE001 — a connector's mistake must not end the counting of the others
        log.error("The figures of account %s can't be read: %s", account.pk, describe(error))
        _failed(account, Retry(describe(error)), at=at)
    else:
        row = AccountWatch.objects.filter(account=account)
        row.update(lease_until=None, not_before=None, failures=0, trouble="")


def _take(account: Account, *, at: datetime) -> None:
    at_once = reactions.told_by(account).at_once
    due = _waiting(at).filter(post__account=account).select_related("post").order_by("due_at", "pk")[:MOST]
    posts = [watch.post for watch in due]
    for first in range(0, len(posts), at_once):
        batch = posts[first : first + at_once]
        told = _ask(account, batch)
        with transaction.atomic():
            publishing.tell_absent(remotes=reactions.note(batch, told, at=at), at=at)
    _count_account(account, at=at)


def _ask(account: Account, posts: Sequence[RemotePost]) -> Mapping[str, Mapping[str, int]]:
    """What is told of them; where one of many is refused, of each alone. Raises an outcome, also when each is."""
    try:
        return _told(account, posts)
    except Refused:
        if len(posts) == 1:
            return {}
    told, refused = dict[str, Mapping[str, int]](), []
    for post in posts:
        try:
            told |= _told(account, [post])
        except Refused as refusal:
            refused.append(refusal)
    if len(refused) == len(posts):
        raise refused[0]
    return told


def _told(account: Account, posts: Sequence[RemotePost]) -> Mapping[str, Mapping[str, int]]:
    targets = [Target(**post.target) for post in posts]
    return tokens.use(account, lambda: account.connector.figures(account, targets))


def _count_account(account: Account, *, at: datetime) -> None:
    """The account's own figures, once a day."""
    today, watch = _today(account, at), AccountWatch.objects.filter(account=account)
    if not reactions.told_by(account).of_account or watch.filter(counted_on=today).exists():
        return
    told = tokens.use(account, lambda: account.connector.account_figures(account))
    figures.keep(account=account, on=today, values=told, at=at)
    watch.update(counted_on=today)


def _failed(account: Account, outcome: Outcome, *, at: datetime) -> None:
    watch, _is_new = AccountWatch.objects.get_or_create(account=account)
    watch.failures = min(watch.failures + 1, 100)
    wait = min(jobs.backoff(watch.failures), LONGEST_WAIT)
    if isinstance(outcome, Retry) and outcome.after:
        wait = max(wait, outcome.after)
    watch.not_before, watch.lease_until = at + wait, None
    watch.trouble = redact(outcome.why, longest=300)
    watch.save(update_fields=["failures", "not_before", "lease_until", "trouble"])
    if isinstance(outcome, Reconnect):
        actions.ask_for_attention(account_id=account.pk, why=outcome.why, at=at)


def _today(account: Account, at: datetime) -> date:
    return at.astimezone(ZoneInfo(account.brand.time_zone)).date()
