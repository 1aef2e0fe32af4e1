"""What people do with campaigns. Each action is one transaction and leaves its line in the activity feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.core import activity
from tertulia.core.html import tidy
from tertulia.team.models import User

from . import activities, wording
from .models import Campaign

FIELDS = ("name", "goal", "audience", "messages", "words", "starts_on", "ends_on", "budget", "currency",
          "owner")  # fmt: skip
"""What a form says of a campaign."""


class Problem(Exception):
    """Can't be done; the message is for people."""


@transaction.atomic
def begin(*, brand: Brand, by: User, at: datetime, **said: Any) -> Campaign:
    """Begin a campaign; `said` holds any of `FIELDS`, `name` among them. Its tag is made of its name and stays once
    links that are out carry it; its words are those of its name, where none are said. Raises `Problem`."""
    campaign = Campaign(brand=brand, created_by_id=by.pk, created_at=at)
    _take(campaign, said)
    campaign.words = campaign.words or wording.telling(campaign.name, brand, before=campaign.starts_on, at=at)
    campaign.tag = _tag(campaign)
    campaign.save()
    activity.record(activities.BEGUN, on=campaign, brand=brand.pk, by=by.pk, at=at, campaign=campaign.name)
    return campaign


@transaction.atomic
def change(*, campaign: Campaign, by: User, at: datetime, follows_name: bool = False, **said: Any) -> Campaign:
    """With `follows_name` its tag is made anew of a new name. Raises `Problem` when it is closed."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if campaign.closed_at:
        raise Problem(_("This campaign is closed. Open it again to change it."))
    before = campaign.name
    _take(campaign, said)
    if follows_name and campaign.name != before:
        campaign.tag = _tag(campaign)
    campaign.save()
    activity.record(activities.CHANGED, on=campaign, brand=campaign.brand_id, by=by.pk, at=at, campaign=campaign.name)
    return campaign


@transaction.atomic
def close(
    *, campaign: Campaign, learned: str, results: Sequence[Mapping[str, Any]], by: User, at: datetime
) -> None:  # fmt: skip
    """Keep its results as they stand, with what was learned. Raises `Problem` without that, or when it is closed."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if campaign.closed_at:
        raise Problem(_("Somebody has closed this campaign already."))
    if not (learned := tidy(learned).strip()):
        raise Problem(_("Say first what was learned: the next campaign begins there."))
    campaign.learned, campaign.results = learned, list(results)
    campaign.closed_at, campaign.closed_by_id = at, by.pk
    campaign.save(update_fields=["learned", "results", "closed_at", "closed_by_id"])
    activity.record(activities.CLOSED, on=campaign, brand=campaign.brand_id, by=by.pk, at=at, campaign=campaign.name)


@transaction.atomic
def reopen(*, campaign: Campaign, by: User, at: datetime) -> None:
    """Let it go on; what was learned and how it stood stay until it is closed anew. Raises `Problem`."""
    if not Campaign.objects.filter(pk=campaign.pk, closed_at__isnull=False).update(closed_at=None, closed_by_id=None):
        raise Problem(_("This campaign is open already."))
    activity.record(activities.REOPENED, on=campaign, brand=campaign.brand_id, by=by.pk, at=at, campaign=campaign.name)


def _take(campaign: Campaign, said: Mapping[str, Any]) -> None:
    for name in FIELDS:
        if name in said:
            value = said[name]
            setattr(campaign, name, tidy(value).strip() if isinstance(value, str) else value)
    if campaign.starts_on and campaign.ends_on and campaign.ends_on < campaign.starts_on:
        raise Problem(_("The last day comes before the first."))


def _tag(campaign: Campaign) -> str:
    """«Torrijas de Pascua» → `torrijas-de-pascua`, with a number when that is taken."""
    plain = slugify(campaign.name)[:50].strip("-") or "campaign"
    others = Campaign.objects.filter(brand=campaign.brand_id, tag__startswith=plain).exclude(pk=campaign.pk)
    taken = set(others.values_list("tag", flat=True))
    number, tag = 1, plain
    while tag in taken:
        number += 1
        tag = f"{plain}-{number}"
    return tag
