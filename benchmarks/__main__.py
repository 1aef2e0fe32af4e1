"""The promises about speed and memory, measured and printed with the physical limit of the same machine beside them.

python -m benchmarks                              the quick parts, on SQLite
python -m benchmarks lists search                 some parts
python -m benchmarks --scale full                 everything, with 5,000,000 messages (made once, kept)
python -m benchmarks --database postgres://user@host:5432/name     beside that database, never in it
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from . import figures, first_page, page, slower
from .figures import Figure
from .stage import EMPTY, LARGE, MIDDLE, SMALL, TINY, Stage

GROWING = (TINY, SMALL, MIDDLE, LARGE)

PARTS = {
    "limits": (EMPTY, *GROWING),
    "lists": GROWING,
    "counters": GROWING,
    "thread": GROWING,
    "search": GROWING,
    "intake": (EMPTY, TINY, MIDDLE, LARGE),  # last: what it adds is for nobody else to find
    "live": (SMALL,),
    "calendar": (SMALL,),
    "links": (SMALL,),
    "memory": (SMALL,),
    "mail": (EMPTY,),
    "lateness": (EMPTY,),
    "polling": (EMPTY,),
    "understanding": (EMPTY,),
}
"""Each part and the databases it is measured on."""
APART = ("first_page", "slower")
"""What no child of one database can measure."""
Found = dict[str, dict[int, list[Figure]]]
"""Figures by part and by the size of the database."""


def main(argv: Sequence[str] | None = None) -> None:
    options = _options(argv)
    home = os.environ.get("TERTULIA_HOME", "")
    folder = options.folder or Path(home or tempfile.gettempdir()) / ("benchmarks" if home else "tertulia-benchmarks")
    usual = [*PARTS, "slower"] if options.scale == "full" else [name for name in PARTS if name != "lateness"]
    names = options.names or usual
    found: Found = {}
    sizes = {EMPTY: EMPTY, TINY: TINY, options.small: SMALL, MIDDLE: MIDDLE, options.large: LARGE}
    for size, kind in sizes.items():
        parts = [name for name in ["limits", *names] if kind in PARTS.get(name, ())]
        # The limits of the machine are asked on the empty one, for a part alone, too.
        is_asked = parts != ["limits"] or kind == EMPTY or "limits" in names
        if not is_asked or kind not in (EMPTY, SMALL) and options.scale == "quick":
            continue
        stage = Stage(options.database, size, folder, options.port)
        stage.prepare()
        for part, lines in _play(stage, parts, options.scale):
            found.setdefault(part, {})[size] = lines
    if "first_page" in names:
        found["first_page"] = {EMPTY: list(first_page.run(options.port))}
    if "slower" in names:
        stages = [
            Stage(options.database, size, folder, options.port + n)
            for n, size in enumerate((options.small, options.large))
        ]
        try:
            found["slower"] = {options.large: list(slower.run(*stages))}
        except (OSError, RuntimeError, ValueError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"slower failed: {error}. What the other parts measured stands.\n")
    measured = _measured(found)
    sys.stdout.write("\n\n".join(f"### {part}\n\n{page.table(one)}" for part, one in measured.items()) + "\n")
    if options.write:
        vendor = "sqlite" if options.database == "sqlite" else "postgresql"
        kept = page.read()
        if "limits" not in names:
            measured.pop("limits", None)
        kept[vendor] = {**kept.get(vendor, {}), **measured}
        page.write(kept, [*APART, *PARTS])


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument(
        "names", nargs="*", choices=[*PARTS, *APART, []], metavar="part", help=", ".join([*PARTS, *APART])
    )
    parser.add_argument("--scale", choices=["quick", "full"], default="quick")
    parser.add_argument("--database", default="sqlite", help="sqlite, or the address of a PostgreSQL database")
    parser.add_argument("--folder", type=Path, help="where the databases are kept between runs")
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--small", type=int, default=SMALL, help="conversations of the small database")
    parser.add_argument("--large", type=int, default=LARGE, help="conversations of the large database")
    parser.add_argument("--write", action="store_true", help="keep the table in docs/performance.md")
    options = parser.parse_args(argv)
    if "slower" in options.names and options.scale == "quick":
        parser.error("slower compares with the large database: add --scale full")
    return options


def _play(stage: Stage, parts: Sequence[str], scale: str) -> Iterator[tuple[str, list[Figure]]]:
    for part in dict.fromkeys(parts):
        if find_spec(f"benchmarks.{part}") is None:
            continue
        sys.stderr.write(f"{page.NAMES[stage.vendor]}, {stage.size:,} conversations: {part} …\n")
        try:
            lines = json.loads(stage.child(part, str(stage.size), scale))
        except subprocess.CalledProcessError:
            sys.stderr.write(f"{part} failed: see above. The other parts go on.\n")
            continue
        figures_of_part = [Figure(**line) for line in lines]
        for figure in figures_of_part:
            sys.stderr.write(f"  {figure.what}: {figures.number(figure.value)} {figure.unit}\n")
        yield part, figures_of_part


def _measured(found: Found) -> dict[str, page.Measured]:
    at, machine = f"{datetime.now(UTC):%Y-%m-%d}", _machine()
    known: dict[str, Figure] = {}
    limits: dict[int, dict[str, Figure]] = {}
    for size in sorted({size for by_size in found.values() for size in by_size}):
        known |= {each.what: each for by_size in found.values() for each in by_size.get(size, ())}
        limits[size] = dict(known)  # what was measured only on a smaller one holds here, too
    return {
        part: page.Measured(
            at, machine, by_size, {size: _named(lines, limits[size]) for size, lines in by_size.items()}
        )
        for part, by_size in found.items()
    }


def _named(lines: Sequence[Figure], limits: Mapping[str, Figure]) -> list[Figure]:
    return [limits[name] for name in dict.fromkeys(figure.limit for figure in lines) if name in limits]


def _machine() -> str:
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} × {model}, {memory:.0f} GB, Linux, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
