"""What happens by itself as time passes: promises run out, what was put aside comes back, nothing stays ownerless.

Every run looks for what is due by an index of its own, does it in small transactions and leaves what somebody changed
meanwhile; run twice, it does nothing the second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from tertulia.brand.models import Brand
from tertulia.core import activity, clock, jobs
from tertulia.core.models import Activity
from tertulia.inbox import actions, activities, promises, routing
from tertulia.inbox.models import Conversation
from tertulia.team.models import Membership
from tertulia.team.permissions import PERMISSIONS

BATCH = 200
MOST = 2_000
"""How many of a kind one run takes on; the rest is for the next."""


@jobs.periodic("promises.tick", seconds=30)
def promises_tick() -> None:
    at = clock.now()
    tell_broken(at=at)
    tell_at_risk(at=at)


@jobs.periodic("inbox.wake", seconds=10)
def wake_tick() -> None:
    wake_snoozed(at=clock.now())


@jobs.periodic("inbox.ownerless", seconds=10)
def ownerless_tick() -> None:
    route_ownerless(at=clock.now())


@jobs.periodic("inbox.hand_on", seconds=60)
def hand_on_tick() -> None:
    hand_on(at=clock.now())


# Promises


def tell_broken(*, at: datetime) -> int:
    """Say once of each promise that its time has passed."""
    past = Conversation.objects.filter(promise_due_at__lte=at, broken_at__isnull=True)
    return _tell(past.order_by("promise_due_at", "pk")[:MOST], activities.BROKEN, "broken_at", at=at)


def tell_at_risk(*, at: datetime) -> int:
    """Say once of each promise that little of its time is left, while somebody is there to do something about it."""
    return sum(
        _tell(_at_risk(brand, at), activities.AT_RISK, "warned_at", at=at)
        for brand in Brand.objects.order_by("pk")
        if _running(brand.pk, at).exists()
    )


def _at_risk(brand: Brand, at: datetime) -> list[Conversation]:
    clocks = promises.clocks_for(brand)
    soon = max((clocks.hours_of(term).add(at, term.warns_at) for term in clocks.terms()), default=at)
    running = _running(brand.pk, at).filter(promise_due_at__lte=max(soon, at + promises.RISK_TIME))
    found: list[Conversation] = []
    for conversation in running.order_by("promise_due_at", "pk").iterator(chunk_size=BATCH):
        if len(found) < MOST and _is_at_risk(conversation, clocks, at):
            found.append(conversation)
    return found


def _running(brand_id: int, at: datetime) -> QuerySet[Conversation]:
    return Conversation.objects.filter(
        brand=brand_id, promise_due_at__gt=at, warned_at__isnull=True, broken_at__isnull=True
    )


def _is_at_risk(conversation: Conversation, clocks: promises.Clocks, at: datetime) -> bool:
    found = promises.left_open(conversation, clocks, at)
    if found is None or conversation.promise_due_at is None:
        return conversation.promise_due_at is not None and conversation.promise_due_at - at <= promises.RISK_TIME
    term, left = found
    return left <= term.warns_at and clocks.hours_of(term).is_open(at)


def _tell(conversations: Iterable[Conversation], name: str, field: str, *, at: datetime) -> int:
    rows = list(conversations)
    batches = (rows[first : first + BATCH] for first in range(0, len(rows), BATCH))
    return sum(_tell_batch(batch, name, field, at=at) for batch in batches)


@transaction.atomic
def _tell_batch(conversations: Sequence[Conversation], name: str, field: str, *, at: datetime) -> int:
    """Mark those whose promise is still the one we saw, and write it into the feed."""
    seen = {each.pk: each.promise_due_at for each in conversations}
    held = Conversation.objects.select_for_update().filter(pk__in=seen, **{f"{field}__isnull": True}).order_by("pk")
    still = [each for each in held if each.promise_due_at == seen[each.pk]]
    Conversation.objects.filter(pk__in=[each.pk for each in still]).update(**{field: at})
    lines: dict[int, list[tuple[str, Conversation, dict[str, Any]]]] = defaultdict(list)
    for each in still:
        data = {"person": each.member_name, "promise": promises.which_is_due(each), "due": _iso(each.promise_due_at)}
        lines[each.brand_id].append((name, each, data))
    for brand_id, told in lines.items():
        activity.record_many(told, brand=brand_id, at=at)
    return len(still)


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


# What was put aside


def wake_snoozed(*, at: datetime) -> int:
    """Bring back what was put aside until now."""
    due = Conversation.objects.filter(state=Conversation.State.SNOOZED, snoozed_until__lte=at)
    woken = list(due.order_by("snoozed_until", "pk")[:MOST])
    for conversation in woken:
        actions.wake(conversation=conversation, at=at)
    return len(woken)


# Nothing without an owner


def route_ownerless(*, at: datetime) -> int:
    """Give away whatever is open and nobody's; of what nobody may answer, say so once."""
    ownerless = Conversation.objects.filter(state=Conversation.State.OPEN, owner__isnull=True)
    if not ownerless.exists():
        return 0
    able = _may_answer().values("brand")
    told = Activity.objects.filter(
        on_kind=Conversation._meta.label_lower, on_id=OuterRef("pk"), type=activities.OWNERLESS
    )
    here = _oldest(ownerless.filter(brand__in=able))
    nowhere = _oldest(ownerless.exclude(brand__in=able).filter(~Exists(told)))
    return len(routing.route_many([*here, *nowhere], at=at))


def hand_on(*, at: datetime) -> int:
    """Give away again what waits with somebody who is away, or may not answer any more."""
    given = 0
    for brand in Brand.objects.order_by("pk"):
        able = _may_answer().filter(brand=brand).values("user")
        stuck = Q(owner__in=routing.away_on(brand, at)) | ~Q(owner__in=able)
        waiting = Conversation.objects.filter(
            brand=brand, state=Conversation.State.OPEN, waiting_since__isnull=False, owner__isnull=False
        )
        given += _hand_on(list(_oldest(waiting.filter(stuck))), at=at)
    return given


def _hand_on(conversations: Sequence[Conversation], *, at: datetime) -> int:
    before = {each.pk: each.owner_id for each in conversations}
    chosen = routing.route_many(conversations, at=at)
    return sum(choice.user.pk != before[pk] for pk, choice in chosen.items())


def _may_answer() -> QuerySet[Membership]:
    return Membership.objects.filter(role__in=PERMISSIONS["inbox.reply"], user__is_active=True)


def _oldest(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    return conversations.select_related("brand").order_by("created_at", "pk")[:MOST]
