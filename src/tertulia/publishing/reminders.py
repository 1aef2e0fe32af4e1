"""Reminders of what waits for somebody: before its moment and once it has passed, each once.

What was due while no worker ran is one reminder, never several.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from tertulia.brand import hours
from tertulia.channels.models import Account, Delivery
from tertulia.connectors import registry
from tertulia.core import activity
from tertulia.core.models import Activity

from . import activities, approval, verdicts
from .models import ApprovalRequest, Experiment, Post, Sending, Stop

MOST = 2_000
"""How many of a kind one run takes on; the rest is for the next."""
BEFORE = timedelta(hours=1)
"""So long before it is to be put somewhere by hand."""
DAY = timedelta(days=1)
REMINDERS = 3
"""Of what is done by hand: before, an hour of opening time later, and on the next working day."""


# Approvals.


def remind_of_approvals(*, at: datetime) -> int:
    """Remind those who are to approve: a day before the post's time, or when half of what was left has passed, and once
    it is over; of a post without a time after one day and after three."""
    waiting = ApprovalRequest.objects.filter(
        outcome=ApprovalRequest.Outcome.OPEN, reminders__lt=2, post__cancelled_at__isnull=True
    )
    open_hours: dict[int, hours.Hours] = {}
    told = 0
    for request in waiting.select_related("post__brand").order_by("asked_at", "pk")[:MOST]:
        brand = request.post.brand
        clocks = open_hours.setdefault(brand.pk, open_hours.get(brand.pk) or hours.of(brand))
        passed = sum(moment is not None and moment <= at for moment in _moments(request, clocks))
        if passed > request.reminders:
            is_late = passed == 2 and _has_time(request)
            told += approval.remind(request=request, reminders=passed, is_late=is_late, at=at)
    return told


def _moments(request: ApprovalRequest, clocks: hours.Hours) -> tuple[datetime | None, datetime | None]:
    asked_at, leaves_at = request.asked_at, request.post.publish_at
    if leaves_at is None or not _has_time(request):
        return clocks.next_opening(asked_at + DAY), clocks.next_opening(asked_at + 3 * DAY)
    return leaves_at - min(DAY, (leaves_at - asked_at) / 2), leaves_at


def _has_time(request: ApprovalRequest) -> bool:
    """One that was over already when somebody asked is none."""
    return request.post.publish_at is not None and request.post.publish_at > request.asked_at


# Experiments.


def tell_of_experiments(*, at: datetime) -> int:
    """Say once of each experiment that all of it is in, so that it can be closed. The feed knows which were told."""
    waiting = Experiment.objects.filter(~Exists(_told(OuterRef("pk"))), closed_at__isnull=True)
    some = waiting.select_related("brand", "post", "account").defer("account__secrets").order_by("pk")
    return sum(_tell_ready(one.pk, at=at) for one in some if not verdicts.closing(one, at=at).is_early)


def _told(experiment: OuterRef | int) -> QuerySet[Activity]:
    kind = Experiment._meta.label_lower
    return Activity.objects.filter(on_kind=kind, on_id=experiment, type=activities.READY)


@transaction.atomic
def _tell_ready(id: int, *, at: datetime) -> bool:
    one = Experiment.objects.select_for_update().filter(pk=id, closed_at__isnull=True).first()
    if one is None or _told(id).exists():  # somebody has closed it, or another worker has told, meanwhile
        return False
    activity.record(activities.READY, on=one, brand=one.brand_id, at=at, title=one.title)
    return True


# What is published by hand.


def remind_before_hand(*, at: datetime) -> int:
    """Say of each post that it is soon to be put somewhere by hand, unless it was scheduled only just now."""
    kinds = [key for key, connector in registry.all_connectors().items() if connector.capabilities.by_hand]
    soon = Delivery.objects.filter(
        state=Delivery.State.QUEUED, act="post", due_at__gt=at, due_at__lte=at + BEFORE, reminders=0,
        account__kind__in=kinds, account__state=Account.State.ACTIVE,
    ).exclude(account__brand__in=Stop.objects.values("brand"))  # fmt: skip
    due = [task.pk for task in soon.order_by("due_at", "pk")[:MOST] if task.created_at <= task.due_at - BEFORE]
    return _remind(dict.fromkeys(due, 1), Delivery.State.QUEUED, activities.BY_HAND_SOON, at=at)


def remind_by_hand(*, at: datetime) -> int:
    """Remind of each post that nobody has ticked off since its time."""
    waiting = Delivery.objects.filter(
        state=Delivery.State.BY_HAND, post__isnull=False, reminders__lt=REMINDERS, due_at__lte=at - hours.REMIND_AFTER
    ).select_related("account__brand")
    open_hours: dict[int, hours.Hours] = {}
    due: dict[int, int] = {}
    for task in waiting.defer("account__secrets").order_by("due_at", "pk")[:MOST]:
        brand = task.account.brand
        clocks = open_hours.setdefault(brand.pk, open_hours.get(brand.pk) or hours.of(brand))
        passed = sum(moment is not None and moment <= at for moment in clocks.reminders(task.due_at))
        if passed and 1 + passed > task.reminders:
            due[task.pk] = 1 + passed
    return _remind(due, Delivery.State.BY_HAND, activities.BY_HAND_WAITS, at=at)


@transaction.atomic
def _remind(due: Mapping[int, int], state: str, name: str, *, at: datetime) -> int:
    """Those that still wait, once: several reminders that were missed are one."""
    held = Delivery.objects.select_for_update(of=("self",)).filter(pk__in=due, state=state).order_by("pk")
    tasks = {task.post_id: task for task in held if task.reminders < due[task.pk]}
    for task in tasks.values():
        task.reminders = due[task.pk]
    Delivery.objects.bulk_update(tasks.values(), ["reminders"])
    sendings = Sending.objects.filter(remote__in=tasks).select_related("version__post", "version__account")
    lines: dict[int, list[tuple[str, Post, dict[str, Any]]]] = {}
    for sending in sendings.order_by("pk"):
        post, account, task = sending.version.post, sending.version.account, tasks[sending.remote_id]
        facts = {
            "title": post.title, "account": account.name, "account_id": account.pk, "version": sending.version_id,
            "delivery": task.pk, "author": task.created_by_id or post.scheduled_by_id,
        }  # fmt: skip
        lines.setdefault(post.brand_id, []).append((name, post, facts))
    for brand_id, some in lines.items():
        activity.record_many(some, brand=brand_id, at=at)
    return sum(map(len, lines.values()))
