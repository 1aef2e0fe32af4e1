"""Trust over time as its page draws it, and as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import formats
from django.utils.translation import gettext as _

from tertulia.core import tables

from .trust import PARTS, Name, Part, Standing

WIDTH, HEIGHT, EDGE = 600, 120, 8


@dataclass(frozen=True, slots=True)
class Dot:
    x: str
    y: str
    says: str
    is_partial: bool
    """Made of fewer parts than there are."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A line from 0 to 100: `runs` from month to month, `gaps` over months of which nothing is known, or between two
    that don't compare."""

    name: str
    latest: str
    """Of the last month of which it is known; empty for none."""
    latest_of: str
    dots: list[Dot]
    runs: str
    gaps: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a month in a table: what it says, and its raw numbers."""

    name: Name
    heading: str
    says: str
    """Empty where it isn't known."""
    raw: str
    of: int


@dataclass(frozen=True, slots=True)
class Line:
    standing: Standing
    month: str
    indicator: str
    made_of: str
    cells: list[Cell]


def names() -> dict[Name, str]:
    return {
        "feeling": _("Positive among messages with a feeling"),
        "promises": _("Promises kept in time"),
        "reviews": _("Average of the reviews' stars"),
    }


def charts(found: Sequence[Standing]) -> list[Chart]:
    """The indicator, then its parts."""
    parts = [_chart(called, found, _value_of(name)) for name, called in names().items()]
    return [_chart(_("Indicator"), found, lambda one: one.indicator, compares=True), *parts]


def _value_of(name: Name) -> Callable[[Standing], float | None]:
    return lambda one: one.parts[name].value


def _chart(
    name: str, found: Sequence[Standing], value: Callable[[Standing], float | None], *, compares: bool = False
) -> Chart:  # fmt: skip
    """`compares`: only months that are made of the same parts are joined by a whole line."""
    across = (WIDTH - 2 * EDGE) / max(len(found) - 1, 1)
    known = [(nth, one, said) for nth, one in enumerate(found) if (said := value(one)) is not None]
    places = [(round(EDGE + across * nth, 1), round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * said / 100, 1))
              for nth, _one, said in known]  # fmt: skip
    steps = {True: "", False: ""}
    for (before, (x, y)), (after, (to_x, to_y)) in zip(
        zip(known, places, strict=True), zip(known[1:], places[1:], strict=True), strict=False
    ):
        is_whole = after[0] - before[0] == 1 and (not compares or before[1].known == after[1].known)
        steps[is_whole] += f"M{x} {y}L{to_x} {to_y}"
    dots = [
        Dot(str(x), str(y), f"{month(one)}: {hundredths(said)}", compares and len(one.known) < len(PARTS))
        for (_nth, one, said), (x, y) in zip(known, places, strict=True)
    ]
    latest = known[-1] if known else None
    return Chart(
        name, hundredths(latest[2]) if latest else "", month(latest[1]) if latest else "", dots, steps[True],
        steps[False],
    )  # fmt: skip


def month(one: Standing) -> str:
    return formats.date_format(one.month.first, "YEAR_MONTH_FORMAT")


def hundredths(value: float) -> str:
    """0 to 100, as everybody writes it."""
    return formats.number_format(round(value, 1), 1)


def lines(found: Sequence[Standing]) -> list[Line]:
    """The months of a table, the newest first."""
    return [_line(one) for one in reversed(found)]


def _line(one: Standing) -> Line:
    called = names()
    known = [called[name] for name in one.known]
    indicator = one.indicator
    made_of = "" if indicator is None or len(known) == len(PARTS) else ", ".join(known)
    cells = [_cell(one.parts[name], called[name]) for name in PARTS]
    return Line(one, month(one), "" if indicator is None else hundredths(indicator), made_of, cells)


def _cell(part: Part, heading: str) -> Cell:
    value = part.value
    if part.name == "reviews":
        says = "" if value is None else f"{formats.number_format(round(part.average, 2), 2)} ★"
        raw = _("{sum} stars of {n}").format(sum=part.good, n=part.of)
    else:
        says = "" if value is None else f"{hundredths(value)} %"
        raw = _("{some} of {all}").format(some=part.good, all=part.of)
    return Cell(part.name, heading, says, raw, part.of)


_DIGITS: Final = 4


def table(found: Sequence[Standing]) -> bytes:
    """The months as CSV, the oldest first: the raw numbers, and what is made of them where it is known."""
    header = [
        _("Month"), _("Positive"), _("Negative"), names()["feeling"], _("Kept"), _("Broken"), names()["promises"],
        _("Reviews"), _("Stars"), names()["reviews"], _("Indicator"), _("Made of"),
    ]  # fmt: skip
    return tables.write(header, [_cells(one) for one in found])


def _cells(one: Standing) -> list[object]:
    feeling, promises, reviews = (one.parts[name] for name in PARTS)
    return [
        one.month.key, feeling.good, feeling.of - feeling.good, _figure(feeling.value), promises.good,
        promises.of - promises.good, _figure(promises.value), reviews.of, reviews.good,
        _figure(reviews.average if reviews.is_known else None), _figure(one.indicator),
        ", ".join(names()[name] for name in one.known),
    ]  # fmt: skip


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.{_DIGITS}f}"
