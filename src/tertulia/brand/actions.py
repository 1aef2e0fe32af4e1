"""What is done to a brand. `by` is empty at the console and for the sample company."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import date, datetime, time

from django.db import transaction
from django.utils.text import slugify

from tertulia.core import activity
from tertulia.core.folding import fold

from . import activities
from .models import AvoidedWord, Brand, Holiday, OpeningHours, OwnWord

Stretch = tuple[int, time, time]
"""Weekday (Monday is 0), from, to."""
Word = tuple[str, str, list[str]]
"""Kind, name, other spellings."""
SLUG_LENGTH = 60
WORKING_WEEK: list[Stretch] = [(day, time(9), time(18)) for day in range(5)]
"""What a new brand begins with; its hours are on the settings page."""


class DayTaken(Exception):
    """That day is closed already."""


@transaction.atomic
def create(
    *, name: str, at: datetime, language: str = "es", time_zone: str = "Europe/Madrid", treatment: str = "tu",
    country: str = "ES", region: str = "", by: int | None = None,
) -> Brand:  # fmt: skip
    """A new brand with an address of its own and a working week."""
    brand = Brand.objects.create(
        name=name, slug=free_slug(name), language=language, time_zone=time_zone, treatment=treatment,
        country=country, region=region, created_at=at,
    )  # fmt: skip
    OpeningHours.objects.bulk_create(
        OpeningHours(brand=brand, weekday=day, opens=opens, closes=closes) for day, opens, closes in WORKING_WEEK
    )
    activity.record(activities.CREATED, on=brand, brand=brand.pk, by=by, at=at, title=name)
    return brand


def free_slug(name: str) -> str:
    """The name as it stands in addresses; with a few letters behind it when that is taken."""
    slug = slugify(name)[: SLUG_LENGTH - 8].strip("-") or "marca"
    while Brand.objects.filter(slug=slug).exists():
        slug = f"{slug[: SLUG_LENGTH - 8]}-{secrets.token_hex(2)}"
    return slug


@transaction.atomic
def change(*, brand: Brand, at: datetime, by: int | None = None) -> None:
    """Keep what a form has set on the brand. The feed keeps the time zone that it had, where that is another now."""
    before = Brand.objects.values_list("time_zone", flat=True).get(pk=brand.pk)
    brand.save()
    facts = {"zone_before": before} if before != brand.time_zone else {}
    activity.record(activities.CHANGED, on=brand, brand=brand.pk, by=by, at=at, **facts)


@transaction.atomic
def set_hours(*, brand: Brand, stretches: Iterable[Stretch], at: datetime, by: int | None = None) -> None:
    """The whole week at once. Promises that are running keep the moment they were given."""
    OpeningHours.objects.filter(brand=brand).delete()
    OpeningHours.objects.bulk_create(
        OpeningHours(brand=brand, weekday=day, opens=opens, closes=closes) for day, opens, closes in stretches
    )
    activity.record(activities.HOURS_CHANGED, on=brand, brand=brand.pk, by=by, at=at)


@transaction.atomic
def set_words(*, brand: Brand, words: Iterable[Word], at: datetime, by: int | None = None) -> None:
    """All of the brand's own words at once; no two may be the same but for capitals and accents."""
    OwnWord.objects.filter(brand=brand).delete()
    OwnWord.objects.bulk_create(
        OwnWord(brand=brand, kind=kind, name=name, folded=fold(name), spellings=spellings)
        for kind, name, spellings in words
    )
    activity.record(activities.WORDS_CHANGED, on=brand, brand=brand.pk, by=by, at=at)


@transaction.atomic
def avoid(*, brand: Brand, words: Iterable[tuple[str, str]], at: datetime, by: int | None = None) -> None:
    """All the words the brand avoids at once, each with what to say instead (or nothing); no two may be the same but
    for capitals and accents."""
    AvoidedWord.objects.filter(brand=brand).delete()
    AvoidedWord.objects.bulk_create(
        AvoidedWord(brand=brand, word=word, folded=fold(word), instead=instead) for word, instead in words
    )
    activity.record(activities.AVOIDED_CHANGED, on=brand, brand=brand.pk, by=by, at=at)


@transaction.atomic
def close_on(*, brand: Brand, on: date, name: str, at: datetime, by: int | None = None) -> Holiday:
    """Raises `DayTaken`."""
    holiday, is_new = Holiday.objects.get_or_create(brand=brand, on=on, defaults={"name": name})
    if not is_new:
        raise DayTaken
    activity.record(activities.HOLIDAY_ADDED, on=brand, brand=brand.pk, by=by, at=at, on_day=on.isoformat(), title=name)
    return holiday


@transaction.atomic
def open_on(*, holiday: Holiday, at: datetime, by: int | None = None) -> None:
    activity.record(
        activities.HOLIDAY_REMOVED, on=holiday.brand, brand=holiday.brand_id, by=by, at=at,
        on_day=holiday.on.isoformat(),
    )  # fmt: skip
    holiday.delete()
