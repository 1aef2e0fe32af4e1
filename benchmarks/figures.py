"""What a benchmark found, and how it is printed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Better = Literal["less", "more"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `limit` names the physical limit it is held against."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    better: Better = "less"
    limit: str = ""

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "less" else self.value >= self.goal

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: of 100 values, the 99 % is the second largest's successor, never an invented one."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def typical(rounds: Iterable[float]) -> float:
    """The median of several rounds: on a busy machine a single one says little."""
    return statistics.median(rounds)


def number(value: float) -> str:
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def row(figure: Figure, limit: Figure | None) -> tuple[str, ...]:
    """What it is, its value, unit and goal, the limit, how many times that it is, and whether the goal is met."""
    sign = "≤" if figure.better == "less" else "≥"
    goal = f"{sign} {number(figure.goal)}" if figure.goal is not None else ""
    against = f"{number(limit.value)} {limit.unit} ({limit.what})" if limit else ""
    ratio = f"{figure.value / limit.value:.3g}" if limit and limit.value else ""
    says = {True: "met", False: "missed", None: ""}[figure.is_met]
    return figure.what, number(figure.value), figure.unit, goal, against, ratio, says


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well in a terminal."""
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(head), line(["-" * width for width in widths]), *(line(cells) for cells in lines)])
