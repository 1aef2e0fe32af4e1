"""Whether a picture may be shown on a day: until when its rights last, and whether a customer has allowed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from tertulia.brand.models import Brand

from . import queries, saying
from .models import Media, Version
from .problems import Problem

SOON = queries.ENDING
"""So long before its end somebody is told."""


class Unallowed(Problem):
    """A picture may not be shown on the day on which the post leaves."""


def forbids(media: Media, on: date) -> Iterator[str]:
    """Why the picture may not be published on that day."""
    if media.is_customers and not media.permission.strip():
        says = _("{picture} is a customer's, and nobody has noted how they allowed it. Note it in the library first.")
        yield says.format(picture=media.name)
    if media.rights_until and on > media.rights_until:
        says = _("{picture} may be used until {day} only.")
        yield says.format(picture=media.name, day=f"{media.rights_until:%d/%m/%Y}")


def warns(media: Media, on: date) -> Iterator[str]:
    """What is still allowed on that day, and not for much longer."""
    if media.rights_until and on <= media.rights_until < on + SOON:
        says = _("The rights to {picture} end on {day}: it has to be taken down by then.")
        yield says.format(picture=media.name, day=f"{media.rights_until:%d/%m/%Y}")


def day_of(moment: datetime, brand: Brand) -> date:
    """The day that counts for rights: the brand's own."""
    return moment.astimezone(ZoneInfo(brand.time_zone)).date()


def check(versions: Iterable[Version], *, brand: Brand, leaves_at: datetime) -> None:
    """Raises `Unallowed` with all that stands in the way."""
    ids = {picture["media"] for version in versions for said in saying.spoken(version) for picture in said["pictures"]}
    on = day_of(leaves_at, brand)
    found = [why for one in Media.objects.filter(pk__in=ids).order_by("pk") for why in forbids(one, on)]
    if found:
        raise Unallowed(" ".join(found))
