"""The benchmarks run and print what they promise. How fast is not asked here: a busy machine would decide."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from benchmarks import growth, page, slower
from benchmarks.figures import Figure, percentile, row
from benchmarks.stage import Browser, Stage

ROOT = Path(__file__).resolve().parent.parent


def test_a_percentile_is_a_value_that_was_measured():
    assert percentile([5.0, 1.0, 4.0, 2.0, 3.0], 0.5) == 3.0
    assert percentile(list(range(1, 101)), 0.99) == 99


def test_a_figure_is_held_against_its_goal_and_its_limit():
    limit = Figure("rows", 1_000, "rows/s", better="more")
    figure = Figure("intake", 250, "messages/s", 300, "more", "rows")

    assert row(figure, limit) == ("intake", "250", "messages/s", "≥ 300", "1,000 rows/s (rows)", "0.25", "missed")


def test_growth_is_drawn_of_what_was_measured_at_three_sizes_or_more():
    found = {size: [Figure("list, open: p50", 4 + size / 1e6, "ms")] for size in (2_000, 10_000, 1_000_000)}
    found[10_000].append(Figure("counters", 1, "ms"))

    drawn = ET.fromstring(growth.drawing(found, "SQLite"))

    assert len(drawn.findall(".//{*}circle")) == 3


def measured(at: str, *values: float) -> page.Measured:
    found = {
        size: [Figure("list", value, "ms", 4, limit="raw")] for size, value in zip((0, 2_000), values, strict=False)
    }
    return page.Measured(at, "a machine", found, {size: [Figure("raw", 2, "ms")] for size in found})


def test_a_part_has_a_column_for_each_size_and_says_where_it_missed_its_goal():
    head, _, line = (
        [cell.strip() for cell in row.split("|")[1:-1]] for row in page.table(measured("today", 3, 5)).splitlines()
    )
    assert head == ["what", "0", "10,000", "unit", "goal", "limit there", "ratio", ""]
    assert line == ["list", "3.00", "5.00", "ms", "≤ 4.00", "2.00 ms (raw)", "2.5", "missed at 10,000"]


def test_a_part_that_is_measured_again_replaces_its_own_figures_alone(tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    monkeypatch.setattr(page, "KEPT", tmp_path / "measured.jsonl")
    monkeypatch.setattr(page, "PAGE", tmp_path / "performance.md")
    order = ["lists", "search"]
    page.write({"sqlite": {part: measured("yesterday", 3, 3) for part in order}}, order)

    kept = page.read()
    kept["sqlite"]["search"] = measured("today", 1)
    page.write(kept, order)

    assert page.read() == kept
    written = page.PAGE.read_text()
    assert [line for line in written.splitlines() if line.startswith(("##", "Measured"))] == [
        "## SQLite", "### Lists", "Measured yesterday, a machine.", "### Search", "Measured today, a machine.",
    ]  # fmt: skip


PROMISED = {
    "intake": ["intake, one by one", "intake, 10 at once", "intake, 100 at once", "intake, 500 at once"],
    "mail": ["mails, only read and folded", "mails, 100 at once", "mails, one by one"],
    "search": ["search, rare: p99", "search, frequent: p99", "search, two words: p99"],
    "lists": ["list, open: p50", "list, deep page: p99", "list, 8 people at once"],
    "thread": ["one conversation with its thread: p50"],
}


def test_parts_print_every_promised_figure_held_against_what_http_costs_here(
    tmp_path: Path, unused_ports: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):  # fmt: skip
    """All of them in one run: each of its own would fill a database of its own."""
    command = [sys.executable, "-m", "benchmarks", *PROMISED, "--folder", str(tmp_path), "--small", "200"]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TERTULIA_", "DJANGO_"))}
    said = subprocess.run(
        [*command, "--port", str(unused_ports[0])], cwd=ROOT, env=own, capture_output=True, text=True, check=True
    ).stdout
    assert [name for names in PROMISED.values() for name in names if f"| {name}" not in said] == []
    assert "(an empty answer over HTTP, p50)" in said
    _check_two_desks(tmp_path, unused_ports, monkeypatch)


def _check_two_desks(filled: Path, ports: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both on the database that is there: what is compared is asked of both, page by page and in turns."""
    monkeypatch.setattr(slower, "WARM", 1)
    monkeypatch.setattr(slower, "ASKS", 2)
    monkeypatch.setattr(Stage, "prepare", lambda self: None)
    asked: list[str] = []
    get = Browser.get
    monkeypatch.setattr(Browser, "get", lambda self, path: (asked.append(self._headers["Cookie"]), get(self, path))[1])

    found = list(slower.run(*(Stage("sqlite", 200, filled, port) for port in ports)))

    assert {"list, open: p50, against 200", "list, search: p50, against 200"} <= {each.what for each in found}
    assert all(each.value > 0 and each.unit == "×" and each.goal == slower.SLOWER for each in found)
    one, other = asked[:2]
    assert one != other
    assert asked == [one, other, other, one, one, other] * len(found)


def test_whatever_a_figure_is_held_against_is_measured():
    sources = "\n".join(path.read_text() for path in (ROOT / "benchmarks").glob("*.py"))
    named = set(re.findall(r'(?:limit=|limit = |COMMIT = |(?<=commit") if batch > 1 else )"([^"]+)"', sources))
    assert len(named) >= 5
    measured = (ROOT / "benchmarks" / "limits.py").read_text()
    assert [name for name in named if f'Figure("{name}"' not in measured] == []


@pytest.fixture
def unused_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for free in (one, other):
            free.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])
