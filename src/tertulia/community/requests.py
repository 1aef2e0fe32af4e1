"""The register of what the law sets a term for: what people ask about their data (GDPR, Art. 12), and breaches (33)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Q, QuerySet

from tertulia.brand.models import Brand
from tertulia.core import activity
from tertulia.core.dates import months_after
from tertulia.team.models import User

from . import activities
from .models import DataRequest, Member

TO_ANSWER = 1
"""Months (Art. 12(3))."""
TO_NOTIFY = timedelta(hours=72)
"""After a breach became known, to the supervisory authority (Art. 33(1))."""
BEFORE, BEFORE_NOTIFYING = timedelta(days=3), timedelta(days=1)
"""So long before the term is over it is told."""
SHOWN = 100


@transaction.atomic
def note(
    *, brand: Brand, kind: str, about: str, known_at: datetime, member: Member | None, by: User, at: datetime
) -> DataRequest:
    """Write down that it was asked, or became known, at that moment. Its term begins then."""
    here = known_at.astimezone(ZoneInfo(brand.time_zone))  # a month of its calendar: elsewhere it is another day
    due_at = known_at + TO_NOTIFY if kind == DataRequest.Kind.BREACH else months_after(here, TO_ANSWER).astimezone(UTC)
    request = DataRequest.objects.create(
        brand=brand, member=member, kind=kind, about=about, known_at=known_at, due_at=due_at, by_id=by.pk
    )
    activity.record(activities.REQUEST_NOTED, on=request, brand=brand.pk, by=by.pk, at=at)
    return request


@transaction.atomic
def settle(*, request: DataRequest, outcome: str, by: User, at: datetime) -> None:
    """It was answered, or notified: `outcome` says how. Done twice, the first stands."""
    still = DataRequest.objects.filter(pk=request.pk, done_at=None)
    if still.update(done_at=at, done_by_id=by.pk, outcome=outcome):
        activity.record(activities.REQUEST_SETTLED, on=request, brand=request.brand_id, by=by.pk, at=at)


def register(brand: Brand) -> list[DataRequest]:
    """What is open, the most pressing first; then what was settled, the last first."""
    rows = DataRequest.objects.filter(brand=brand).select_related("member")
    return list(rows.order_by(F("done_at").desc(nulls_first=True), "due_at", "pk")[:SHOWN])


def to_warn(at: datetime) -> QuerySet[DataRequest]:
    breach = Q(kind=DataRequest.Kind.BREACH)
    near = (breach & Q(due_at__lte=at + BEFORE_NOTIFYING)) | (~breach & Q(due_at__lte=at + BEFORE))
    return DataRequest.objects.filter(near, done_at=None, warned_at=None).order_by("due_at", "pk")
