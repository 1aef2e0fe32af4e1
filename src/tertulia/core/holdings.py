"""What this room holds of people (`personal`)."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from .models import Activity, Heartbeat
from .personal import Person, held, named, none

_CODE = re.compile(r"[a-z0-9_.:-]{1,40}\Z")
"""A word of ours, as in "answered" or "mail"; anything else may be something that somebody wrote."""


def _activities(person: Person) -> QuerySet[Activity]:
    mine = Q(on_kind="inbox.conversation", on_id__in=person.conversations)
    mine |= Q(on_kind="tertulia_channels.message", on_id__in=person.messages)
    if person.member:
        mine |= Q(on_kind="community.member", on_id=person.member)
    return Activity.objects.filter(mine, brand_id=person.brand)


def _without_words(rows: QuerySet[Activity], person: Person) -> None:
    for row in rows.iterator():
        bare = _bare(row.data)
        if bare != row.data:
            row.data = bare
            row.save(update_fields=["data"])


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_bare(each) for each in value]
    return value if not isinstance(value, str) or _CODE.match(value) else ""


held(Activity, _("What happened to their conversations"), rows=_activities, erase=_without_words)
named(Activity, _("What happened elsewhere"), "data", within=lambda p: Activity.objects.filter(brand_id=p.brand))
none("Signs of life of our own processes.", Heartbeat)
