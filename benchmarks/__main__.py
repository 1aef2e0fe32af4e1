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
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from . import figures, first_page, growth
from .figures import Figure
from .stage import EMPTY, LARGE, MESSAGES_EACH, MIDDLE, SMALL, TINY, Stage

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
SLOWER = 1.2
REPORT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

Found = dict[int, list[Figure]]
"""Figures by the size of the database."""


def main(argv: Sequence[str] | None = None) -> None:
    options = _options(argv)
    home = os.environ.get("TERTULIA_HOME", "")
    folder = options.folder or Path(home or tempfile.gettempdir()) / ("benchmarks" if home else "tertulia-benchmarks")
    names = options.names or [name for name in PARTS if name != "lateness" or options.scale == "full"]
    found: Found = {}
    sizes = {EMPTY: EMPTY, TINY: TINY, options.small: SMALL, MIDDLE: MIDDLE, options.large: LARGE}
    for size, kind in sizes.items():
        parts = [name for name in ["limits", *names] if kind in PARTS.get(name, ())]
        if kind not in (EMPTY, SMALL) and options.scale == "quick" or parts == ["limits"] and "limits" not in names:
            continue
        stage = Stage(options.database, size, folder, options.port)
        stage.prepare()
        found[size] = list(_play(stage, parts, options.scale))
    if "first_page" in names:
        found.setdefault(EMPTY, []).extend(first_page.run(options.port))
    if options.scale == "full":
        found.setdefault(options.large, []).extend(_compare(found, options))
    text = _report(found)
    sys.stdout.write(text + "\n")
    if options.write:
        _keep(text + _drawn(found, options), options)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*PARTS, "first_page", []], metavar="part", help=", ".join(PARTS))
    parser.add_argument("--scale", choices=["quick", "full"], default="quick")
    parser.add_argument("--database", default="sqlite", help="sqlite, or the address of a PostgreSQL database")
    parser.add_argument("--folder", type=Path, help="where the databases are kept between runs")
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--small", type=int, default=SMALL, help="conversations of the small database")
    parser.add_argument("--large", type=int, default=LARGE, help="conversations of the large database")
    parser.add_argument("--write", action="store_true", help="keep the table in docs/performance.md")
    return parser.parse_args(argv)


def _play(stage: Stage, parts: Sequence[str], scale: str) -> Iterator[Figure]:
    for part in dict.fromkeys(parts):
        if find_spec(f"benchmarks.{part}") is None:
            continue
        sys.stderr.write(f"{NAMES[stage.vendor]}, {stage.size:,} conversations: {part} …\n")
        try:
            lines = json.loads(stage.child(part, str(stage.size), scale))
        except subprocess.CalledProcessError:
            sys.stderr.write(f"{part} failed: see above. The other parts go on.\n")
            continue
        figures_of_part = [Figure(**line) for line in lines]
        for figure in figures_of_part:
            sys.stderr.write(f"  {figure.what}: {figures.number(figure.value)} {figure.unit}\n")
        yield from figures_of_part


def _compare(found: Found, options: argparse.Namespace) -> Iterator[Figure]:
    """How much slower the list is with a hundred times the conversations."""
    small = {figure.what: figure.value for figure in found.get(options.small, [])}
    for figure in found.get(options.large, []):
        if figure.what.startswith("list, ") and figure.what.endswith("p50") and small.get(figure.what):
            yield Figure(f"{figure.what}, against {options.small:,}", figure.value / small[figure.what], "×", SLOWER)


def _report(found: Found) -> str:
    parts = []
    limits: dict[str, Figure] = {}
    for size, lines in found.items():
        limits |= {figure.what: figure for figure in lines}
        if size not in (TINY, MIDDLE):  # these are in the table of growth
            rows = figures.table(figures.rows(lines, limits))
            parts.append(f"### {size:,} conversations, {size * MESSAGES_EACH:,} messages\n\n{rows}")
    if grown := growth.table(found):
        parts.append(f"### From little to much\n\n{grown}")
    return "\n\n".join(parts)


def _drawn(found: Found, options: argparse.Namespace) -> str:
    """The line that shows the drawing of growth, which is written beside the page; empty when there is none."""
    vendor = "sqlite" if options.database == "sqlite" else "postgresql"
    if not (drawing := growth.drawing(found, f"{NAMES[vendor]}: time of a page as messages grow")):
        return ""
    (REPORT.parent / "images" / f"growth-{vendor}.svg").write_text(drawing)
    return f"\n\n![{NAMES[vendor]}: milliseconds from 10,000 to 5,000,000 messages](images/growth-{vendor}.svg)"


def _keep(text: str, options: argparse.Namespace) -> None:
    """Replace this database's part of the page; the other's stays as it was last measured."""
    name = NAMES["sqlite" if options.database == "sqlite" else "postgresql"]
    head = f"## {name}"
    command = f"python -m benchmarks {' '.join([*options.names, '--scale', options.scale])}".rstrip()
    command += "" if options.database == "sqlite" else " --database postgres://…"
    measured = f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}: `{command}`"
    old = REPORT.read_text() if REPORT.exists() else "# Speed and memory, measured\n"
    before, _, rest = old.partition(f"\n{head}\n")
    after = rest.partition("\n## ")
    kept = f"\n## {after[2]}" if after[1] else ""
    REPORT.write_text(f"{before.rstrip()}\n\n{head}\n\n{measured}\n\n{text}\n{kept}".rstrip() + "\n")


def _machine() -> str:
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} × {model}, {memory:.0f} GB, Linux, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
