"""docs/guarantees.md, written from the numbers that the product carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tertulia.insight.proofs import Line, Run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guarantees.md"
HEAD = """# What is guaranteed, and how often it was tried

Written by `make prove` and `make prove-night`; don't edit it by hand. The page *Guarantees* of every installation shows
the same numbers.

- **Lost**: confirmed to somebody, or shown by a network, and not there afterwards; or nobody was told how it ended.
- **Doubled**: more than one of what there should be one of, on the network or here.
- **Leaked**: somebody or something got to see, change or reach what they must not.
- **Unknown**: a network that can neither be asked nor knows keys fell silent; a person is asked, nothing is repeated.

"–": that proof doesn't ask. The first three are promised to be zero: the commands fail when one isn't. Counted are
kill points, cuts, stories' steps, requests, answers or texts, whatever the proof tries.
"""


GOALS = (
    (
        "Kill points of publishing, reading and renewing",
        ("publishing_kills", "intake_kills", "renewal_kills"),
        300,
        3_000,
    ),
    ("Faults of disk, memory and line", ("publishing_faults", "intake_faults", "renewal_faults"), 300, 3_000),
    ("Power cuts", ("power_cuts",), 200, 2_000),
    ("Steps of stories", ("posts_machine",), 10_000, 100_000),
)
"""How much was meant to be tried of what, at every merge and at night, on both databases together."""


def page(runs: Sequence[Run]) -> str:
    return "\n".join([HEAD, *(_run(run) for run in runs)])


def _run(run: Run) -> str:
    rows = [
        f"## `{run.command}`",
        "",
        f"Version {run.version}, {run.at:%Y-%m-%d %H:%M} UTC, {run.machine}, {run.seconds} s.",
        "",
        "| | | tried | lost | doubled | leaked | unknown | seconds | |",
        "|---|---|--:|--:|--:|--:|--:|--:|---|",
        *(_row(line) for line in run.lines),
        "",
        *_goals(run),
    ]
    return "\n".join(rows)


def _goals(run: Run) -> Iterator[str]:
    yield from ("| On both databases together | tried | goal |", "|---|--:|--:|")
    for says, names, merge, night in GOALS:
        tried = sum(line.tried for line in run.lines if line.proof in names)
        yield f"| {says} | {tried:,} | {night if run.command.endswith('night') else merge:,} |"
    yield ""


def _row(line: Line) -> str:
    if line.why_not:
        return f"| {line.name} | {line.database} | not reached | | | | | | {line.why_not} |"
    figures = ("–" if each is None else f"{each:,}" for each in line.promised)
    return (
        f"| {line.name} | {line.database} | {line.tried:,} | {' | '.join(figures)} | {line.unknown:,} | {line.seconds} "
        f"| {line.note} |"
    )
