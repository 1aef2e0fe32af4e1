"""Time zones, and what a time on the wall means in them."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)


def prefer_our_own() -> None:
    """Read zones from the `tzdata` package alone.

    zoneinfo looks at the machine's own files first, and a server that is seldom updated still changes the
    clock where the law no longer does: every promise there would be an hour off. The package is pinned and
    updated with us. (PYTHONTZPATH does the same, but would have to be set before Python starts.)
    """
    zoneinfo.reset_tzpath(to=())
    ZoneInfo.clear_cache()


@lru_cache(maxsize=10_000)
def moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which clocks on the wall there show this (naive) time.

    A time that happens twice means the first; one that is skipped means the first minute after the gap.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    return _end_of_gap(wall, zone)


def oddity(wall: datetime, zone: ZoneInfo) -> Literal["", "skipped", "twice"]:
    """Whether clocks on the wall there never show this (naive) time, or show it twice."""
    readings = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    if readings[0] == readings[1]:
        return ""
    return "twice" if readings[0].astimezone(zone).replace(tzinfo=None) == wall else "skipped"


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """Halve the stretch between the two readings of a skipped time until the change itself is left."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    while after - before > _MINUTE:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)
