"""Figures of a profile that somebody types in, day by day. A day without one has none: missing is never zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .models import Account, Metric

KNOWN: Mapping[str, str | Promise] = {
    "followers": _("Followers"),
    "reach": _("Reach"),
    "views": pgettext_lazy("a figure", "Views"),
    "interactions": _("Interactions"),
}
"""What most platforms count. Any other name is the company's own, and shown as it was typed."""
SHOWN = timedelta(days=92)
ROWS = 31
WIDTH, HEIGHT, EDGE = 600, 120, 8

Point = tuple[date, int]


@dataclass(frozen=True, slots=True)
class Dot:
    x: str
    y: str
    says: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The line of one figure: `runs` from day to day, `gaps` over days of which nothing is known."""

    name: str
    latest: str
    change: str
    lowest: str
    highest: str
    first: date
    last: date
    dots: list[Dot]
    runs: str
    gaps: str


@transaction.atomic
def keep(*, account: Account, on: date, values: Mapping[str, int], at: datetime, by: int | None = None) -> None:
    """Keep the figures of a day; typed again, the later one stands."""
    for name, value in values.items():
        facts = {"value": value, "by_id": by, "at": at}
        Metric.objects.update_or_create(account=account, name=name, on=on, defaults=facts)


def names(account: Account) -> list[str]:
    """Those most platforms have, then the account's own."""
    own = Metric.objects.filter(account=account).exclude(name__in=KNOWN).order_by("name")
    return [*KNOWN, *own.values_list("name", flat=True).distinct()]


def called(name: str) -> str:
    return str(KNOWN.get(name, name))


def charts(account: Account, *, today: date) -> list[Chart]:
    """One for each figure that was typed in lately."""
    points: dict[str, list[Point]] = {}
    for name, on, value in _lately(account, today):
        points.setdefault(name, []).append((on, value))
    return [_chart(name, points[name]) for name in names(account) if name in points]


def table(account: Account, *, today: date) -> tuple[list[str], list[tuple[date, list[tuple[str, str]]]]]:
    """The headings, and the days that have something, newest first, each figure with its heading."""
    days: dict[date, dict[str, int]] = {}
    for name, on, value in _lately(account, today):
        days.setdefault(on, {})[name] = value
    shown = [name for name in names(account) if any(name in day for day in days.values())]
    rows = [
        (on, [(called(name), _written(days[on][name]) if name in days[on] else "") for name in shown])
        for on in sorted(days, reverse=True)[:ROWS]
    ]
    return [called(name) for name in shown], rows


def _lately(account: Account, today: date) -> Iterable[tuple[str, date, int]]:
    rows = Metric.objects.filter(account=account, on__gt=today - SHOWN).order_by("name", "on")
    return rows.values_list("name", "on", "value")


def _chart(name: str, points: Sequence[Point]) -> Chart:
    (first, _value), (last, latest) = points[0], points[-1]
    lowest, highest = min(value for _on, value in points), max(value for _on, value in points)
    across, up = max((last - first).days, 1), max(highest - lowest, 1)

    def place(point: Point) -> tuple[float, float]:
        x = EDGE + (WIDTH - 2 * EDGE) * ((point[0] - first).days / across)
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * ((point[1] - lowest) / up)
        return round(x, 1), round(y if highest > lowest else HEIGHT / 2, 1)

    steps = {True: "", False: ""}
    for before, after in zip(points, points[1:], strict=False):
        (x, y), (to_x, to_y) = place(before), place(after)
        steps[(after[0] - before[0]).days == 1] += f"M{x} {y}L{to_x} {to_y}"
    return Chart(
        name=called(name),
        latest=_written(latest),
        change=_change(points),
        lowest=_written(lowest),
        highest=_written(highest),
        first=first,
        last=last,
        dots=[_dot(point, *place(point)) for point in points],
        runs=steps[True],
        gaps=steps[False],
    )


def _dot(point: Point, x: float, y: float) -> Dot:
    on, value = point
    return Dot(str(x), str(y), f"{formats.date_format(on, 'SHORT_DATE_FORMAT')}: {_written(value)}")


def _change(points: Sequence[Point]) -> str:
    """Against the figure before; nothing where there is none, or it is the same."""
    change = points[-1][1] - points[-2][1] if len(points) > 1 else 0
    return f"{'+' if change > 0 else ''}{_written(change)}" if change else ""


def _written(value: int) -> str:
    return formats.number_format(value, force_grouping=True)
