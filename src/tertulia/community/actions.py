"""What people do with the records of people."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tertulia.core import activity
from tertulia.team.models import User

from . import activities
from .models import Member


@transaction.atomic
def change_member(*, member: Member, by: User, at: datetime) -> None:
    """Keep what a form has set on the record."""
    member.save(update_fields=["name", "email", "phone", "language", "about"])
    activity.record(activities.CHANGED, on=member, brand=member.brand_id, by=by.id, at=at)
