"""What a brand does outside of its networks, on the same calendar: fairs, mailings, adverts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from tertulia.brand.models import Brand
from tertulia.core import activity, jobs
from tertulia.core.html import tidy
from tertulia.strategy import wording
from tertulia.team.models import User

from . import activities, spoken
from .models import Initiative

MOST_SHOWN = 500
"""In one view of the calendar."""


@transaction.atomic
def add(*, brand: Brand, by: User, at: datetime, **said: Any) -> Initiative:
    """Put it on the calendar; `said` as its form gives it. Its words are those of its title, where none are said."""
    one = Initiative(brand=brand, created_by_id=by.pk, created_at=at, changed_at=at, **said)
    one.words = one.words or wording.telling(one.title, brand, before=one.starts_on, at=at)
    one.save()
    _record(activities.INITIATED, one, by=by, at=at)
    jobs.enqueue(spoken.look_back, initiative_id=one.pk)
    return one


@transaction.atomic
def change(*, initiative: Initiative, by: User, at: datetime, **said: Any) -> None:
    for name, value in said.items():
        setattr(initiative, name, value)
    initiative.changed_at = at
    initiative.save()
    _record(activities.REVISED, initiative, by=by, at=at)
    jobs.enqueue(spoken.look_back, initiative_id=initiative.pk)


@transaction.atomic
def finish(*, initiative: Initiative, by: User, at: datetime, result: str = "") -> None:
    """It has been done, and this came of it."""
    is_new = initiative.done_at is None
    initiative.done_at, initiative.done_by_id = initiative.done_at or at, initiative.done_by_id or by.pk
    initiative.result, initiative.changed_at = tidy(result).strip()[:2000], at
    initiative.save(update_fields=["done_at", "done_by_id", "result", "changed_at"])
    _record(activities.FINISHED if is_new else activities.REVISED, initiative, by=by, at=at)


@transaction.atomic
def reopen(*, initiative: Initiative, by: User, at: datetime) -> None:
    initiative.done_at = initiative.done_by_id = None
    initiative.changed_at = at
    initiative.save(update_fields=["done_at", "done_by_id", "changed_at"])
    _record(activities.REOPENED, initiative, by=by, at=at)


@transaction.atomic
def remove(*, initiative: Initiative, by: User, at: datetime) -> None:
    _record(activities.DROPPED, initiative, by=by, at=at)
    initiative.delete()


def between(brand: Brand, first: date, last: date) -> QuerySet[Initiative]:
    """Those that touch any day from the first to the last."""
    some = Initiative.objects.filter(brand=brand, starts_on__lte=last, ends_on__gte=first)
    return some.order_by("starts_on", "pk")


def by_day(some: Sequence[Initiative], first: date, last: date) -> dict[date, list[Initiative]]:
    """On each day that is shown, what goes on."""
    days: dict[date, list[Initiative]] = defaultdict(list)
    for one in some:
        begin, end = max(one.starts_on, first), min(one.ends_on, last)
        for number in range((end - begin).days + 1):
            days[begin + timedelta(days=number)].append(one)
    return days


def _record(name: str, initiative: Initiative, *, by: User, at: datetime) -> None:
    activity.record(name, on=initiative, brand=initiative.brand_id, by=by.pk, at=at, title=initiative.title)
