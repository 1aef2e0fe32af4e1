"""How figures grow with the messages there are: a drawing of the main ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from .figures import Figure, number
from .stage import MESSAGES_EACH

DRAWN = {
    "list, open: p50": "list, p50",
    "list, open: p99": "list, p99",
    "list, deep page: p50": "list far down, p50",
    "list, search: p50": "page of a search, p50",
    "page of a conversation beside the list: p50": "a conversation, p50",
    "search, medium: p99": "looking words up, p99",
    "25 rows by index, raw SQL, p50": "25 rows in raw SQL",
}
"""What is drawn, all in milliseconds, and what it is called there."""
FEWEST = 3
"""Sizes a figure was measured at, else it says nothing about growth."""
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 420, 56, 210, 44, 48
LINES = ("#c2410c", "#0f766e", "#7c3aed", "#1d4ed8", "#b45309", "#be185d", "#6b7280")
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2937 } .grid { stroke: #d1d5db } .quiet { fill: #6b7280 }
path { fill: none; stroke-width: 2 } rect { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e7eb } .grid { stroke: #374151 } .quiet { fill: #9ca3af } rect { fill: #111827 } }
"""

Found = Mapping[int, Sequence[Figure]]
"""Figures by the number of conversations."""
Line = list[tuple[int, float]]
"""Messages and the value at so many."""


def drawing(found: Found, title: str) -> str:
    """An SVG picture of `DRAWN`: messages to the right (each step ten times as many), milliseconds upwards."""
    lines: dict[str, Line] = {}
    for size in sorted(size for size in found if size):
        for figure in found[size]:
            if figure.what in DRAWN:
                lines.setdefault(figure.what, []).append((size * MESSAGES_EACH, figure.value))
    lines = {what: lines[what] for what in DRAWN if len(lines.get(what, [])) >= FEWEST}
    if not lines:
        return ""
    messages = sorted({count for line in lines.values() for count, _ in line})
    top = _round_up(max(value for line in lines.values() for _, value in line))

    def x(count: int) -> float:
        share = math.log(count / messages[0]) / math.log(messages[-1] / messages[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}"/>', f'<text x="{LEFT}" y="24">{escape(title)}</text>']
    for step in range(5):
        value = top * step / 4
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
            f'<text class="quiet" text-anchor="end" x="{LEFT - 8}" y="{y(value) + 4:.1f}">{value:g}</text>'
        )
    parts += [
        f'<text class="quiet" text-anchor="middle" x="{x(count):.1f}" y="{HEIGHT - BOTTOM + 20}">{count:,}</text>'
        for count in messages
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="quiet" text-anchor="middle" x="{middle}" y="{HEIGHT - 8}">messages</text>')
    parts.append(f'<text class="quiet" x="{LEFT - 40}" y="{TOP - 8}">ms</text>')
    places = _apart({what: y(line[-1][1]) for what, line in lines.items()})
    for (what, line), colour in zip(lines.items(), LINES, strict=False):
        way = "M" + " L".join(f"{x(count):.1f} {y(value):.1f}" for count, value in line)
        parts.append(f'<path stroke="{colour}" d="{way}"/>')
        parts += [f'<circle cx="{x(count):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>' for count, value in line]
        end, last, beside = x(line[-1][0]), line[-1][1], places[what]
        parts.append(
            f'<path stroke="{colour}" d="M{end + 6:.1f} {y(last):.1f} L{end + 18:.1f} {beside:.1f}"/>'
            f'<text x="{end + 22:.1f}" y="{beside + 4:.1f}">{escape(DRAWN[what])}: {number(last)}</text>'
        )
    body = "\n".join(parts)
    head = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"'
    return f"<svg {head}>\n<style>{STYLE}</style>\n{body}\n</svg>\n"


def _round_up(value: float) -> float:
    """The next of 1, 2, 4 or 10 times a power of ten: four steps of it are round."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 4, 10) if factor * power >= value)


def _apart(places: Mapping[str, float], gap: float = 17) -> dict[str, float]:
    """Where names stand so that none covers another, each as near to its line's end as that allows."""
    free: dict[str, float] = {}
    lowest = float(HEIGHT - BOTTOM)
    for what, place in sorted(places.items(), key=lambda item: -item[1]):
        free[what] = min(place, lowest)
        lowest = free[what] - gap
    return free
