"""What happens by itself as time passes: promises run out, what was put aside comes back, nothing stays ownerless.

Every run looks for what is due by an index of its own, does it in small transactions and leaves what somebody changed
meanwhile; run twice, it does nothing the second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from time import monotonic as time_passed
from time import sleep
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from tertulia.brand import hours
from tertulia.brand.models import Brand
from tertulia.channels.models import Delivery
from tertulia.core import activity, clock, jobs
from tertulia.core.models import Activity
from tertulia.inbox import actions, activities, promises, rereading, routing
from tertulia.inbox.models import Conversation, Promise
from tertulia.publishing import actions as publishing
from tertulia.publishing import approval, clicks, queries, relays, reminders, rhythm, sharing
from tertulia.team.models import Membership, User
from tertulia.team.permissions import PERMISSIONS

BATCH = 200
MOST = 2_000
"""How many of a kind one run takes on; the rest is for the next."""
REMINDERS = 2
REREAD_SECONDS, REREAD_PAUSE = 15.0, 0.5
"""Of each minute, and between two steps."""


_PROMISED = (
    "SELECT 1 FROM inbox_conversation WHERE promise_due_at IS NOT NULL AND broken_at IS NULL"
    " AND (promise_due_at <= %s OR warned_at IS NULL)"
)
_PUT_ASIDE = "SELECT 1 FROM inbox_conversation WHERE state = 'snoozed' AND snoozed_until <= %s"
_OWNERLESS = "SELECT 1 FROM inbox_conversation WHERE state = 'open' AND owner_id IS NULL"


@jobs.periodic("promises.tick", seconds=30, when=_PROMISED)
def promises_tick() -> None:
    at = clock.now()
    tell_broken(at=at)
    tell_at_risk(at=at)


@jobs.periodic("deliveries.by_hand", seconds=60)
def by_hand_tick() -> None:
    remind_by_hand(at=clock.now())


@jobs.periodic("publishing.reminders", seconds=60)
def reminders_tick() -> None:
    at = clock.now()
    publishing.follow_roles(at=at)
    reminders.remind_of_approvals(at=at)
    reminders.remind_before_hand(at=at)
    reminders.remind_by_hand(at=at)


@jobs.periodic("publishing.experiments", seconds=600)
def experiments_tick() -> None:
    reminders.tell_of_experiments(at=clock.now())


@jobs.periodic("publishing.permissions", seconds=60)
def permissions_tick() -> None:
    sharing.note_questions(at=clock.now())


@jobs.periodic("publishing.relays", seconds=60)
def relays_tick() -> None:
    relays.run(at=clock.now())


@jobs.periodic("publishing.clocks", seconds=3600)
def clocks_tick() -> None:
    publishing.follow_clocks(at=clock.now())


@jobs.periodic("publishing.rules", seconds=3600)
def rules_tick() -> None:
    """By what was learnt since a post can be about something else than when it was scheduled."""
    for post in queries.scheduled().filter(brand__in=approval.shifting()):
        publishing.follow_rules(posts=[post], by=None, at=clock.now())


@jobs.periodic("publishing.best_hours", seconds=21_600)
def best_hours_tick() -> None:
    rhythm.learn_hours(at=clock.now())


@jobs.periodic("publishing.day_keys", seconds=900)
def day_keys_tick() -> None:
    clicks.forget_days(at=clock.now())


@jobs.periodic("inbox.wake", seconds=10, when=_PUT_ASIDE)
def wake_tick() -> None:
    wake_snoozed(at=clock.now())


@jobs.periodic("inbox.ownerless", seconds=10, when=_OWNERLESS)
def ownerless_tick() -> None:
    route_ownerless(at=clock.now())


@jobs.periodic("inbox.hand_on", seconds=60)
def hand_on_tick() -> None:
    hand_on(at=clock.now())


@jobs.periodic("inbox.reread", seconds=60)
def reread_tick() -> None:
    reread(seconds=REREAD_SECONDS)


# Promises


def tell_broken(*, at: datetime) -> int:
    """Say once of each promise that its time has passed."""
    past = Conversation.objects.filter(promise_due_at__lte=at, broken_at__isnull=True)
    return _tell(past.order_by("promise_due_at", "pk")[:MOST], activities.BROKEN, "broken_at", at=at)


def tell_at_risk(*, at: datetime) -> int:
    """Say once of each promise that little of its time is left, while somebody is there to do something about it."""
    clocks = {
        brand.pk: promises.clocks_for(brand) for brand in Brand.objects.filter(pk__in=Promise.objects.values("brand"))
    }
    soon = max((_soon(each, at) for each in clocks.values()), default=at + promises.RISK_TIME)
    running = Conversation.objects.filter(
        promise_due_at__gt=at, promise_due_at__lte=soon, warned_at__isnull=True, broken_at__isnull=True
    )
    found: list[Conversation] = []
    for conversation in running.order_by("promise_due_at", "pk").iterator(chunk_size=BATCH):
        if _is_at_risk(conversation, clocks.get(conversation.brand_id), at):
            found.append(conversation)
        if len(found) == MOST:
            break
    return _tell(found, activities.AT_RISK, "warned_at", at=at)


def _soon(clocks: promises.Clocks, at: datetime) -> datetime:
    """Nothing that is due later than this is at risk already."""
    ends = (clocks.hours_of(term).add(at, term.warns_at) for term in clocks.terms())
    return max((*ends, at + promises.RISK_TIME))


def _is_at_risk(conversation: Conversation, clocks: promises.Clocks | None, at: datetime) -> bool:
    found = promises.left_open(conversation, clocks, at) if clocks else None
    if found is None:  # the promise was taken away since, but what was promised is owed
        return conversation.promise_due_at is not None and conversation.promise_due_at - at <= promises.RISK_TIME
    term, left, open_hours = found
    return left <= term.warns_at and open_hours.is_open(at)


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
    if name == activities.BROKEN:
        promises.note_broken(still, at=at)
    lines: dict[int, list[tuple[str, Conversation, dict[str, Any]]]] = defaultdict(list)
    for each in still:
        data = {"person": each.member_name, "promise": promises.which_is_due(each), "due": _iso(each.promise_due_at)}
        lines[each.brand_id].append((name, each, data))
    for brand_id, told in lines.items():
        activity.record_many(told, brand=brand_id, at=at)
    return len(still)


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


# What is to be done by hand


def remind_by_hand(*, at: datetime) -> int:
    """Remind of each task that nobody has ticked off: after an hour of opening time, and on the next working day."""
    waiting = Delivery.objects.filter(
        state=Delivery.State.BY_HAND,
        post__isnull=True,
        reminders__lt=REMINDERS,
        created_at__lte=at - hours.REMIND_AFTER,
    ).select_related("account__brand")
    open_hours: dict[int, hours.Hours] = {}
    due: dict[int, int] = {}
    for task in waiting.defer("account__secrets").order_by("created_at", "pk")[:MOST]:
        brand = task.account.brand
        clocks = open_hours.setdefault(brand.pk, open_hours.get(brand.pk) or hours.of(brand))
        passed = sum(moment is not None and moment <= at for moment in clocks.reminders(task.created_at))
        if passed > task.reminders:
            due[task.pk] = passed
    return _remind(due, at=at) if due else 0


@transaction.atomic
def _remind(due: dict[int, int], *, at: datetime) -> int:
    """Those that still wait, once: several reminders that were missed are one."""
    held = Delivery.objects.select_for_update(of=("self",)).filter(pk__in=due, state=Delivery.State.BY_HAND)
    tasks = [task for task in held.order_by("pk") if task.reminders < due[task.pk]]
    for task in tasks:
        task.reminders = due[task.pk]
    Delivery.objects.bulk_update(tasks, ["reminders"])
    return actions.remind_by_hand(deliveries=tasks, at=at)


# What could not be read when it came


def reread(*, seconds: float) -> int:
    """Read some of what no model, or an older one, has read, with pauses that leave the machine to people."""
    until, read = time_passed() + seconds, 0
    while time_passed() < until and (more := rereading.step(at=clock.now())) is not None:
        read += more
        sleep(REREAD_PAUSE)
    return read


# What was put aside


def wake_snoozed(*, at: datetime) -> int:
    """Bring back what was put aside until now."""
    due = Conversation.objects.filter(state=Conversation.State.SNOOZED, snoozed_until__lte=at)
    woken = list(due.order_by("snoozed_until", "pk")[:MOST])
    for conversation in woken:
        actions.wake(conversation=conversation, at=at, until=conversation.snoozed_until)
    return len(woken)


# Nothing without an owner


def route_ownerless(*, at: datetime) -> int:
    """Give away whatever is open and nobody's; of what nobody may answer, say so once."""
    able = set(_may_answer().values_list("brand", flat=True))
    unable = [pk for pk in Brand.objects.values_list("pk", flat=True) if pk not in able]
    told = Activity.objects.filter(
        on_kind=Conversation._meta.label_lower, on_id=OuterRef("pk"), type=activities.OWNERLESS
    )
    here = list(_ownerless(able)[:MOST])
    nowhere = list(_ownerless(unable).filter(~Exists(told))[:MOST]) if unable else []
    return len(routing.route_many([*here, *nowhere], at=at)) if here or nowhere else 0


def hand_on(*, at: datetime) -> int:
    """Give away again what waits with somebody who is away, or may not answer any more."""
    able: dict[int, set[int]] = defaultdict(set)
    for brand_id, user_id in _may_answer().values_list("brand", "user"):
        able[brand_id].add(user_id)
    everybody = set(User.objects.values_list("pk", flat=True))
    given = 0
    for brand in Brand.objects.order_by("pk"):
        stuck = routing.away_on(brand, at) | (everybody - able[brand.pk])
        given += _hand_on(list(_held_by(stuck, brand)[:MOST]), at=at)
    return given


# Both name brand, owner and state and no order, so that SQLite walks the index that begins with these three: what it
# costs is what is found, not what there is.


def _ownerless(brands: Collection[int]) -> QuerySet[Conversation]:
    return Conversation.objects.filter(brand__in=brands, owner__isnull=True, state=Conversation.State.OPEN)


def _held_by(owners: Collection[int], brand: Brand) -> QuerySet[Conversation]:
    open_ones = Conversation.objects.filter(brand__in=[brand.pk], owner__in=owners, state=Conversation.State.OPEN)
    return open_ones.filter(waiting_since__isnull=False)


def _hand_on(conversations: Sequence[Conversation], *, at: datetime) -> int:
    before = {each.pk: each.owner_id for each in conversations}
    chosen = routing.route_many(conversations, at=at)
    return sum(choice.user.pk != before[pk] for pk, choice in chosen.items())


def _may_answer() -> QuerySet[Membership]:
    return Membership.objects.filter(role__in=PERMISSIONS["inbox.reply"], user__is_active=True)
