"""docs/performance.md, made of the last figures of every part: one that is measured again replaces its own alone."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import growth
from .figures import Figure, markdown, number, row
from .stage import MESSAGES_EACH

KEPT = Path(__file__).with_name("measured.jsonl")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
HEAD = """# Speed and memory, measured

Written by `make bench ARGS="--scale full --write"`, or part by part: `python -m benchmarks PART --scale full --write`.
Above each stands when it was measured last, and on which machine; above the columns, how many messages there were.

A limit is what this machine does at best without Tertulia, in the same run: a durable commit, rows by index, an empty
answer over HTTP. None was measured for how fast hundreds of open pages can be told something, nor for what a share of
a core or some megabytes have to be: live, polling and memory stand for themselves.
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one part found, and what that is held against of the same run, by the number of conversations."""

    at: str
    machine: str
    found: Mapping[int, Sequence[Figure]]
    limits: Mapping[int, Sequence[Figure]]

    def as_dict(self) -> dict[str, Any]:
        return {"at": self.at, "machine": self.machine, "found": _plain(self.found), "limits": _plain(self.limits)}


def _plain(by_size: Mapping[int, Sequence[Figure]]) -> dict[int, list[dict[str, Any]]]:
    return {size: [figure.as_dict() for figure in figures] for size, figures in by_size.items()}


Kept = dict[str, dict[str, Measured]]
"""By vendor of the database and by part."""


def read() -> Kept:
    """All that was kept; nothing when nothing was."""
    kept: Kept = {}
    for line in KEPT.read_text().splitlines() if KEPT.exists() else ():
        one = json.loads(line)
        found, limits = (
            {int(size): [Figure(**each) for each in figures] for size, figures in one[name].items()}
            for name in ("found", "limits")
        )
        kept.setdefault(one["database"], {})[one["part"]] = Measured(one["at"], one["machine"], found, limits)
    return kept


def write(kept: Kept, order: Sequence[str]) -> None:
    """Keep it, and make the page and its drawings of it; parts stand in this order."""
    lines = [
        json.dumps({"database": vendor, "part": part, **kept[vendor][part].as_dict()}, ensure_ascii=False) + "\n"
        for vendor in NAMES
        for part in order
        if part in kept.get(vendor, {})
    ]
    KEPT.write_text("".join(lines))
    texts = [HEAD]
    for vendor, name in NAMES.items():
        if parts := kept.get(vendor):
            texts += [f"## {name}\n", *_drawn(vendor, parts), *(_section(p, parts[p]) for p in order if p in parts)]
    PAGE.write_text("\n".join(texts))


def _drawn(vendor: str, parts: Mapping[str, Measured]) -> Iterator[str]:
    found: dict[int, list[Figure]] = {}
    for part in parts.values():
        for size, figures in part.found.items():
            found.setdefault(size, []).extend(figures)
    if drawing := growth.drawing(found, f"{NAMES[vendor]}: time of a page as messages grow"):
        (PAGE.parent / "images" / f"growth-{vendor}.svg").write_text(drawing)
        yield f"![{NAMES[vendor]}: milliseconds from 10,000 to 5,000,000 messages](images/growth-{vendor}.svg)\n"


def _section(part: str, one: Measured) -> str:
    source = Path(__file__).with_name(f"{part}.py").read_text()  # importing it would ask for a database
    says = " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split())
    head = f"### {part.replace('_', ' ').capitalize()}\n\n{says}\n\nMeasured {one.at}, {one.machine}.\n"
    return f"{head}\n{table(one)}\n"


def table(one: Measured) -> str:
    """A line for each figure with a column for each size it was measured at; held against its limit at the largest."""
    sizes = sorted(size for size in one.found if one.found[size])
    by_size = {size: {figure.what: figure for figure in one.found[size]} for size in sizes}
    limits = {size: {figure.what: figure for figure in one.limits.get(size, ())} for size in sizes}
    lines = []
    for what in dict.fromkeys(figure.what for size in sizes for figure in one.found[size]):
        measured = {size: by_size[size][what] for size in sizes if what in by_size[size]}
        size, last = max(measured.items())
        _, _, unit, goal, limit, ratio, _ = row(last, limits[size].get(last.limit))
        values = [number(measured[size].value) if size in measured else "–" for size in sizes]
        lines.append((what, *values, unit, goal, limit, ratio, _says(measured)))
    head = ("what", *(f"{size * MESSAGES_EACH:,}" for size in sizes), "unit", "goal", "limit there", "ratio", "")
    return markdown(head, lines)


def _says(measured: Mapping[int, Figure]) -> str:
    missed = [f"{size * MESSAGES_EACH:,}" for size, figure in measured.items() if figure.is_met is False]
    if not any(figure.goal is not None for figure in measured.values()):
        return ""
    return f"missed at {', '.join(missed)}" if missed else "met"
