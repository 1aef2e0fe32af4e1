"""The hours of the week as a page draws them: a map for the eye, and the same in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.template.defaultfilters import floatformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.core import dates

from .best_hours import BestHours, Hour

NAMED = 5
"""Hours that are told in words."""
STEPS = (0.67, 0.87, 1.15, 1.5)
"""Where one shade of the map ends and the next begins, in times the usual."""


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour on the map: its shade from 0 (far less than usual) to 4 (far more), "few" with too few posts, "" with
    none."""

    shade: str
    says: str


@dataclass(frozen=True, slots=True)
class Day:
    name: str
    cells: list[Cell]


def drawn(found: BestHours) -> tuple[list[int], list[Day]]:
    """The hours that have been tried, from the first to the last, and the days with a cell for each."""
    tried = sorted(hour for _weekday, hour in found.counts)
    hours = list(range(tried[0], tried[-1] + 1)) if tried else []
    known = {(one.weekday, one.hour): one for one in found.hours}
    days = []
    for weekday, (short, whole) in enumerate(dates.weekdays()):
        cells = [_cell(whole, weekday, hour, found, known.get((weekday, hour))) for hour in hours]
        days.append(Day(short, cells))
    return hours, days


def _cell(day: str, weekday: int, hour: int, found: BestHours, known: Hour | None) -> Cell:
    posts = found.counts.get((weekday, hour), 0)
    at = f"{day}, {hour}:00"
    if known is None:
        says = ngettext("{at}: {n} post, too few", "{at}: {n} posts, too few", posts) if posts else _("{at}: no posts")
        return Cell("few" if posts else "", says.format(at=at, n=posts))
    shade = sum(known.times >= step for step in STEPS)
    return Cell(str(shade), f"{at}: {told(known)[1]}")


def told(hour: Hour) -> tuple[str, str]:
    """When, and what is known of it."""
    when = f"{dates.weekdays()[hour.weekday][1]}, {hour.hour}:00–{(hour.hour + 1) % 24}:00"
    says = ngettext(
        "{times} times the usual (between {low} and {high}), from {n} post",
        "{times} times the usual (between {low} and {high}), from {n} posts",
        hour.posts,
    ).format(times=_one(hour.times), low=_one(hour.low), high=_one(hour.high), n=hour.posts)
    return when, says


def age(after: timedelta) -> str:
    return dates.span(round(after.total_seconds() / 60))


def _one(value: float) -> str:
    return str(floatformat(value, 1))  # number_format cuts off what this rounds
