"""Setting up the bigger brains of a brand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from tertulia.brand.models import Brand
from tertulia.core import activity

from . import activities
from .models import Brain


@transaction.atomic
def add(*, brand: Brand, by: int, at: datetime, key: str, **said: Any) -> Brain:
    """Keep another model: `said` are fields of `Brain`, `key` its secret, which is stored encrypted."""
    brain = Brain.objects.create(brand=brand, secrets={"key": key} if key else {}, created_at=at, **said)
    _record(activities.BRAIN_SET, brain, by=by, at=at)
    return brain


@transaction.atomic
def change(*, brain: Brain, by: int, at: datetime, key: str, **said: Any) -> None:
    """As `add`; an empty `key` leaves the one that is kept, unless the address leads to another server now."""
    if key or said.get("address", brain.address) != brain.address:
        brain.secrets = {"key": key} if key else {}
    for name, value in said.items():
        setattr(brain, name, value)
    brain.failures, brain.trouble, brain.paused_until = 0, "", None
    brain.save()
    _record(activities.BRAIN_SET, brain, by=by, at=at)


@transaction.atomic
def remove(*, brain: Brain, by: int, at: datetime) -> None:
    _record(activities.BRAIN_REMOVED, brain, by=by, at=at)
    Brain.objects.filter(pk=brain.pk).delete()


def _record(name: str, brain: Brain, *, by: int, at: datetime) -> None:
    activity.record(name, on=brain, brand=brain.brand_id, by=by, at=at, model=brain.model)
