"""The daily balance with each network: what it has of a day against what is stored here; what was lost is fetched.

Everything a network shows of a day goes through the ordinary intake once more, which changes nothing that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop as _

from tertulia.channels import erasures, tokens
from tertulia.channels.intake import target
from tertulia.channels.models import Account, Message, Reconciliation
from tertulia.connectors import registry
from tertulia.connectors.contract import Author, Envelope, Outcome, Page, Target
from tertulia.core import clock, jobs
from tertulia.core.redact import redact

from . import inbound

RECENT = 3
"""Days that are counted again at every run: their messages are still changing."""
LONGEST = 30
"""Days back that are counted at all, where the network's own history reaches so far."""
MOST_PAGES = 500
SUSPICIOUS = 20
"""More messages than these gone at once, and more than half of a day, are believed only when a person has looked."""

DOUBTFUL = _("The network shows far fewer messages of this day than before. Nothing was marked as deleted; look there.")
TOO_MANY = _("The day has more pages than are read at once; it was counted in part.")


@jobs.periodic("reconcile.begin", seconds=6 * 3600)
def begin() -> None:
    """Each account that can be read again, by a job of its own for each day that needs it."""
    at = clock.now()
    kinds = [key for key, one in registry.all_connectors().items() if one.capabilities.history is not None]
    active = Account.objects.filter(kind__in=kinds, state=Account.State.ACTIVE).select_related("brand").defer("secrets")
    for account in active:
        for day in days_to_count(account, at=at):
            jobs.enqueue(count_day, account_id=account.pk, day=day.isoformat())


def days_to_count(account: Account, *, at: datetime) -> list[date]:
    """The last days, and those of the network's history that were never counted when they were over; newest first."""
    history = account.capabilities.history or timedelta()
    today = at.astimezone(ZoneInfo(account.brand.time_zone)).date()
    first = max(today - min(history, timedelta(days=LONGEST)), account.created_at.date() - timedelta(days=7))
    days = [today - timedelta(days=back) for back in range((today - first).days + 1)]
    counted = Reconciliation.objects.filter(account=account, day__gte=first, trouble="")
    over = {row.day for row in counted if row.checked_at >= _bounds(account, row.day)[1]}
    return [day for number, day in enumerate(days) if number < RECENT or day not in over]


@jobs.task("reconcile.day", attempts=3)
def count_day(*, account_id: int, day: str) -> None:
    account = Account.objects.select_related("brand").filter(pk=account_id, state=Account.State.ACTIVE).first()
    if account:
        reconcile(account, date.fromisoformat(day), at=clock.now())


def reconcile(account: Account, day: date, *, at: datetime) -> Reconciliation:
    """Count a day of the brand's at the source, take in what is missing, note what is gone there."""
    since, until = _bounds(account, day)
    shown: dict[str, Envelope] = {}
    trouble = ""
    try:
        for page in _pages(account, since, until):
            shown |= {each.remote_id: each for each in page.envelopes if each.verb != "deleted"}
            for unread in page.unread:
                inbound.keep_unread(account, unread, at=at)
    except _TooMany:
        trouble = TOO_MANY
    except Outcome as outcome:
        return _note(account, day, at=at, trouble=redact(outcome.why, longest=300))
    of_day = {id for id, each in shown.items() if since <= each.sent_at < until}
    here = set(Message.objects.filter(account=account, remote_id__in=shown).values_list("remote_id", flat=True))
    here |= erasures.kept_out_ids(account, shown)  # what was erased is not missing
    inbound.take_in(account, list(shown.values()), at=at)
    gone: list[Message] = []
    if not trouble:
        gone, trouble = _gone(account, [one for one in _stored(account, since, until) if one.remote_id not in shown])
        if len(gone) > SUSPICIOUS and len(gone) * 2 > len(gone) + len(of_day & here):
            gone, trouble = [], DOUBTFUL
        inbound.take_in(account, [_deletion(one, at=at) for one in gone], at=at)
    return _note(
        account, day, at=at, trouble=trouble, at_source=len(of_day), stored=len(of_day & here),
        found_again=len(of_day - here), gone=len(gone),
    )  # fmt: skip


class _TooMany(Exception):
    """A day has more pages than are read at once."""


def _pages(account: Account, since: datetime, until: datetime) -> Iterator[Page]:
    connector, cursor = account.connector, ""
    for _number in range(MOST_PAGES):
        page = tokens.use(account, partial(connector.reread, account, since, until, cursor))
        yield page
        if not page.more:
            return
        cursor = page.cursor
    raise _TooMany


def _bounds(account: Account, day: date) -> tuple[datetime, datetime]:
    zone = ZoneInfo(account.brand.time_zone)
    midnights = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    begins, ends = (each.astimezone(UTC) for each in midnights)
    return begins, ends


def _stored(account: Account, since: datetime, until: datetime) -> list[Message]:
    """What came in on that day and still stands here."""
    rows = Message.objects.filter(account=account, sent_at__gte=since, sent_at__lt=until, deleted_at__isnull=True)
    return list(
        rows.filter(direction=Message.Direction.IN)
        .exclude(thread_id="")
        .exclude(remote_id__startswith=erasures.ERASED)
        .select_related("identity")
        .defer("raw")
    )


def _gone(account: Account, missing: list[Message]) -> tuple[list[Message], str]:
    """Those of them that were deleted there, and what kept the network from telling of all."""
    targets, found = [Target(**target(one)) for one in missing], set[str]()
    try:
        tokens.use(account, lambda: found.update(account.connector.gone(account, targets)))
        trouble = ""
    except Outcome as outcome:
        trouble = redact(outcome.why, longest=300)
    return [one for one in missing if one.remote_id in found], trouble


def _deletion(message: Message, *, at: datetime) -> Envelope:
    return Envelope(message.remote_id, message.thread_id, message.sent_at, Author(""), verb="deleted", changed_at=at)


def _note(account: Account, day: date, *, at: datetime, trouble: str, **counts: int) -> Reconciliation:
    """Keep the count; what was found again or gone adds up over the counts of one day."""
    before = Reconciliation.objects.filter(account=account, day=day).first()
    facts = {"at_source": before.at_source if before else 0, "stored": before.stored if before else 0, **counts}
    for name in ("found_again", "gone"):
        facts[name] = facts.get(name, 0) + (getattr(before, name) if before else 0)
    row, _is_new = Reconciliation.objects.update_or_create(
        account=account, day=day, defaults={**facts, "checked_at": at, "trouble": trouble}
    )
    return row
