"""The clock of opening hours: when a brand answers, and how much of that time lies between two moments.

Hours are written in wall time of the brand's zone and counted in UTC: a day on which the clock changes
is as long as it really is. A brand that has declared no hours is always open, holidays included: a clock that
never ran would be a promise that nobody has to keep. `23:59` as closing time means midnight.

Load once, ask often: `of(brand)` costs two queries, everything after it none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.translation import get_language
from holidays import country_holidays

from tertulia.core import bulk

from . import zones
from .models import Brand, Holiday, OpeningHours

Stretch = tuple[int, time, time]
"""Weekday (Monday is 0), from, to."""
Span = tuple[datetime, datetime]

HORIZON = timedelta(days=3660)
"""No walk goes further: a moment more than ten years ahead is as good as never."""
REMIND_AFTER = timedelta(hours=1)
_DAY = timedelta(days=1)
_NONE = timedelta(0)
_MIDNIGHT = time(23, 59)


class Hours:
    """The week of a brand, or of somebody's shift, in its zone and without the days it keeps closed."""

    def __init__(
        self,
        zone: str,
        stretches: Iterable[Stretch] = (),
        is_closed_on: Callable[[date], bool] = lambda day: False,
    ) -> None:
        self.zone = ZoneInfo(zone)
        self._week = _week(stretches)
        self._is_closed_on = is_closed_on
        self._days: dict[date, tuple[Span, ...]] = {}
        self.is_always_open = not any(self._week)

    def with_stretches(self, stretches: Iterable[Stretch]) -> Hours:
        """The same zone and closed days with another week: somebody's shift."""
        return Hours(self.zone.key, stretches, self._is_closed_on)

    def is_open(self, at: datetime) -> bool:
        if self.is_always_open:
            return True
        starts, ends = next(self._spans(at), (None, None))
        return starts is not None and ends is not None and starts <= at < ends

    def next_opening(self, at: datetime) -> datetime | None:
        """`at` itself while open, else when it next opens; None when it does not within ten years."""
        if self.is_always_open:
            return at.astimezone(UTC)
        return next((max(starts, at.astimezone(UTC)) for starts, ends in self._spans(at)), None)

    def add(self, start: datetime, amount: timedelta) -> datetime:
        """When this much open time has passed since `start`: at closing time rather than the next morning."""
        start = start.astimezone(UTC)
        if self.is_always_open:
            return start + min(amount, HORIZON)
        left = amount
        for starts, ends in self._spans(start):
            starts = max(starts, start)
            if left <= ends - starts:
                return starts + left
            left -= ends - starts
        return start + HORIZON

    def reminders(self, since: datetime) -> tuple[datetime, datetime | None]:
        """When to remind of what waits since then: after an hour of open time, and on the next working day. Who is
        always open is not called at midnight, but a day later."""
        first = self.add(since, REMIND_AFTER)
        if self.is_always_open:
            return first, first + _DAY
        tomorrow = datetime.combine(first.astimezone(self.zone).date() + _DAY, time(), self.zone)
        return first, self.next_opening(tomorrow)

    def between(self, a: datetime, b: datetime) -> timedelta:
        """How much open time lies between two moments; none when b comes first."""
        a, b = a.astimezone(UTC), b.astimezone(UTC)
        if b <= a:
            return _NONE
        if self.is_always_open:
            return b - a
        total = _NONE
        for starts, ends in self._spans(a):
            if starts >= b:
                break
            total += min(ends, b) - max(starts, a)
        return total

    def _spans(self, at: datetime) -> Iterator[Span]:
        """The openings that end after `at`, begun a day early: a clock set back repeats an evening."""
        first = at.astimezone(self.zone).date() - _DAY
        for number in range(HORIZON.days):
            for span in self._on(first + number * _DAY):
                if span[1] > at:
                    yield span

    def _on(self, day: date) -> tuple[Span, ...]:
        if day not in self._days:
            self._days[day] = tuple(self._opened(day))
        return self._days[day]

    def _opened(self, day: date) -> Iterator[Span]:
        if self._is_closed_on(day):
            return
        for opens, closes in self._week[day.weekday()]:
            until = datetime.combine(day, closes) if closes < _MIDNIGHT else datetime.combine(day + _DAY, time())
            starts = zones.moment(datetime.combine(day, opens), self.zone)
            ends = zones.moment(until, self.zone)
            if starts < ends:
                yield starts, ends


def of(brand: Brand) -> Hours:
    """The brand's opening hours, loaded once."""
    return ask(brand)()


def ask(brand: Brand) -> Callable[[], Hours]:
    """As `of`, for a block that asks `ahead`: they are wanted when it is called."""
    asked = bulk.ask(OpeningHours, "brand_id", [brand.pk])
    free = bulk.ask(Holiday, "brand_id", [brand.pk], without=("name",))

    def hours() -> Hours:
        own = frozenset(row.on for row in free.rows())
        return Hours(
            brand.time_zone,
            [(row.weekday, row.opens, row.closes) for row in asked.rows()],
            lambda day: day in own or day in _public(brand.country, brand.region, day.year, ""),
        )

    return hours


def is_open(brand: Brand, at: datetime) -> bool:
    return of(brand).is_open(at)


def next_opening(brand: Brand, at: datetime) -> datetime | None:
    return of(brand).next_opening(at)


def holidays(brand: Brand, year: int) -> dict[date, str]:
    """The closed days of a year, of the country, the region and the brand itself, in the reader's language.

    Where the country's holidays have no names in it, in the country's own language or in English.
    """
    names = dict(_public(brand.country, brand.region, year, (get_language() or brand.language)[:2]))
    names.update(Holiday.objects.filter(brand=brand, on__year=year).values_list("on", "name"))
    return dict(sorted(names.items()))


@lru_cache(maxsize=512)
def _public(country: str, region: str, year: int, language: str) -> dict[date, str]:
    found = country_holidays(
        country,
        subdiv=region if country == "ES" and region else None,
        years=year,
        language={"es": "es", "en": "en_US"}.get(language),
    )
    return dict(found.items())


def _week(stretches: Iterable[Stretch]) -> tuple[tuple[tuple[time, time], ...], ...]:
    """By weekday, in order, overlapping stretches made one."""
    days: list[list[tuple[time, time]]] = [[] for _ in range(7)]
    for weekday, opens, closes in sorted(stretches):
        day = days[weekday]
        if day and opens <= day[-1][1]:
            day[-1] = (day[-1][0], max(day[-1][1], closes))
        else:
            day.append((opens, closes))
    return tuple(tuple(day) for day in days)
