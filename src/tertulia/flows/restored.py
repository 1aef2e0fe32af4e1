"""After a backup was put back: nothing leaves by itself, and what may have left since it was made is not sent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import translation
from django.utils.translation import gettext

from tertulia.brand.models import Brand
from tertulia.channels.models import LETTER, POSTING, Account, Delivery
from tertulia.core import jobs
from tertulia.core.models import Heartbeat
from tertulia.publishing import actions as publishing

STOPPABLE = (*POSTING, LETTER, "reply")
"""What a stop holds; other acts are left to people at once."""
SHOWN = 20
"""So many planned posts are named."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What leaves of one brand once somebody lets it go on, and what people decide about before."""

    brand: Brand
    planned: list[tuple[datetime, str, str]]
    """The next posts that are due later: when, on which account, their first words."""
    more: int
    """Planned posts that aren't named."""
    answers: int
    """Answers and letters that were not due yet when the backup was put back."""
    doubtful: int
    """Posts, answers and letters that were due since it was made: they are looked for where that can be done."""
    acts: int
    """Other acts that may have been done since: people decide."""


@transaction.atomic
def hold_everything(*, made_at: datetime, at: datetime) -> list[Waiting]:
    """Stop every brand, answers too, as of a database that was true at `made_at`; returns what waits in each."""
    Session.objects.all().delete()  # those that were ended since would live again
    Heartbeat.objects.all().delete()
    acts = Delivery.objects.exclude(act__in=STOPPABLE).filter(state__in=[Delivery.State.QUEUED, Delivery.State.SENDING])
    doubtful = Delivery.objects.filter(act__in=STOPPABLE).filter(
        Q(state=Delivery.State.QUEUED, due_at__lte=at) | Q(state=Delivery.State.SENDING)
    )
    counted = {
        brand.pk: (acts.filter(account__brand=brand).count(), doubtful.filter(account__brand=brand).count())
        for brand in Brand.objects.all()
    }
    _leave_to_people(list(acts.values_list("pk", flat=True)), at=at)
    doubtful.update(
        in_doubt_since=Coalesce("in_doubt_since", Greatest("due_at", Value(made_at))),
        attempts=Greatest("attempts", Value(1)), state=Delivery.State.SENDING, lease_until=at, fence=F("fence") + 1,
    )  # fmt: skip
    Account.objects.filter(next_poll_at__isnull=False).update(next_poll_at=at)
    Account.objects.update(poll_lease_until=None, renew_lease_until=None, listen_lease_until=None)
    return [_held(brand, *counted[brand.pk], at=at) for brand in Brand.objects.order_by("name", "pk")]


def _leave_to_people(ids: list[int], *, at: datetime) -> None:
    why = gettext("A backup was restored. It may have been done since that was made.")
    Delivery.objects.filter(pk__in=ids).update(
        state=Delivery.State.UNKNOWN, why=why, lease_until=None, finished_at=at, fence=F("fence") + 1
    )
    if ids:
        jobs.enqueue("outbound.tell_inbox", delivery_ids=ids)


def _held(brand: Brand, acts: int, doubtful: int, *, at: datetime) -> Waiting:
    with translation.override(brand.language):
        because = gettext("A backup was restored.")
    publishing.stop(brand=brand, by=None, at=at, because=because, holds_answers=True)
    later = Delivery.objects.filter(account__brand=brand, state=Delivery.State.QUEUED)
    posts = later.filter(act="post").order_by("due_at", "pk")
    planned = posts.select_related("account", "post").defer("account__secrets")[:SHOWN]
    return Waiting(
        brand,
        [(each.due_at, each.account.name, _words(each)) for each in planned],
        max(posts.count() - SHOWN, 0),
        later.exclude(act__in=POSTING).count(),
        doubtful,
        acts,
    )


def _words(delivery: Delivery) -> str:
    text = str(delivery.post.draft.get("text", "")) if delivery.post else ""
    return " ".join(text.split())[:60]


def told(waiting: list[Waiting]) -> Iterator[str]:
    """In sentences, for whoever restored."""
    for each in waiting:
        yield gettext("{brand}: nothing leaves until somebody lets it go on.").format(brand=each.brand)
        for due_at, account, words in each.planned:
            yield f"  {due_at:%Y-%m-%d %H:%M} UTC  {account}: {words}"
        if each.more:
            yield "  " + gettext("and {n} more posts that are planned").format(n=each.more)
        if each.answers:
            yield "  " + gettext("{n} answers and letters wait").format(n=each.answers)
        if each.doubtful:
            says = gettext(
                "{n} that were due since the backup was made may be out already: they are looked for on the network,"
                " and where nobody can look a person is asked"
            )
            yield "  " + says.format(n=each.doubtful)
        if each.acts:
            says = gettext("{n} other acts may have been done since: a person is asked")
            yield "  " + says.format(n=each.acts)
