"""Proves what Tertulia promises, on SQLite and on PostgreSQL, and writes down the numbers.

    cd tests && python -m proofs [--night] [--only NAME …] [--much N] [--hands 3]

Prints one line for each proof and database (tried, lost, doubled, leaked, unknown) and ends with 1 when a promised zero
isn't one; its last lines name those proofs, and of them apart those whose tests failed and that counted nothing. The
numbers of a whole run (no `--only`) go to docs/guarantees.md and to the page of the guarantees. PostgreSQL and Redis
are servers of this run's own; what isn't installed is told in the table.

A proof is a script of this folder (or of `engine`) that prints its counts as JSON in the last line, or a choice of
tests; those tell how much they tried by pytest's `record_property("tried", …)`, else each counts as one.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from shutil import which
from typing import Any

from django.conf import settings

if not settings.configured:
    settings.configure()  # no database, no folder: only what marks texts asks for them

from tertulia.insight import proofs
from tertulia.insight.proofs import Line, Run

from .chosen import SUITE, Tests, marked
from .cluster import Cluster, binaries
from .page import PAGE, page

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
COUNTS = ("tried", "lost", "doubled", "leaked", "unknown")
Found = Mapping[str, Any]


@dataclass(frozen=True)
class Rig:
    """A script and what it is given, in the place of `N` how much it tries: at every merge (0: nothing), and at night.
    `read` makes lines of what it prints; `proves` are their names."""

    proves: tuple[str, ...]
    script: str
    given: tuple[str, ...]
    merge: int
    night: int
    read: Callable[[Found], list[dict[str, Any]]]
    databases: tuple[str, ...] = (SQLITE, POSTGRESQL)
    needs: tuple[str, ...] = ()


def _plain(proof: str) -> Callable[[Found], list[dict[str, Any]]]:
    return lambda found: [{"proof": proof, **found}]


def _by_kind(room: str) -> Callable[[Found], list[dict[str, Any]]]:
    """Of a script that kills and breaks: its kinds of points, brought together."""

    def read(found: Found) -> list[dict[str, Any]]:
        lines: dict[str, dict[str, Any]] = {}
        for kind, tally in found["by_kind"].items():
            end = "kills" if kind == "kill -9" else "faults"
            if room == "publishing" and kind.startswith("the network"):
                end = "silence"
            line = lines.setdefault(f"{room}_{end}", dict.fromkeys(("tried", "lost", "doubled", "unknown", "parts"), 0))
            line["tried"] += tally["hit"]
            line["lost"] += tally["lost"] + tally["untold"] + tally["unknown_though_askable"]
            line["doubled"] = None if room == "renewal" else line["doubled"] + tally["doubled"]
            line["unknown"] += tally["unknown"]
            line["parts"] += tally["tried"]
        return [
            _met({"proof": proof, "note": f"{line.pop('parts')} looked at", **line}) for proof, line in lines.items()
        ]

    return read


def _met(line: dict[str, Any]) -> dict[str, Any]:
    """A line that counts what was met with: where that is nothing, nothing was proved."""
    return line if line["tried"] else {**line, "lost": line["lost"] + 1, "note": "none of its points was met with"}


def _of_backups(found: Found) -> list[dict[str, Any]]:
    """Of the script that kills backup, restoring and moving: one line; what was not told was lost, too."""
    kills = found["by_kind"]["kill -9"]["hit"]
    line = {
        "proof": "backup_kills",
        "tried": found["hit"],
        "lost": found["lost"] + found["untold"],
        "doubled": found["doubled"],
        "unknown": found["unknown"],
        "note": f"{kills} kills, {found['hit'] - kills} faults",
    }
    return [_met(line)]


def _of_workers(proof: str, **more: str) -> Callable[[Found], list[dict[str, Any]]]:
    lost = (
        "lost", "other_states", "unknown_of_networks_with_memory", "sent_without_a_name", "jobs_lost", "jobs_not_done",
        "messages_lost",
    )  # fmt: skip

    def read(found: Found) -> list[dict[str, Any]]:
        line = {
            "proof": proof,
            "tried": found["answers"] + found["jobs"] + found["messages"],
            "lost": sum(found[name] for name in lost) + abs(found["told_wrongly"]),
            "doubled": found["doubled"] + found["messages_doubled"],
            "unknown": found["unknown_of_blind_networks"],
            "note": ", ".join(f"{found[name]} {said}" for name, said in (more or {"kills": "kills"}).items()),
        }
        return [line]

    return read


def _of_soak(found: Found) -> list[dict[str, Any]]:
    """What grew too much is counted among what is lost, and as failed: no message and no post went with it."""
    grown = {name: memory["percent"] for name, memory in found["memory"].items()}
    failed = sum(percent >= MOST_GROWTH for percent in grown.values()) if found["minutes"] >= WARM_AFTER else 0
    lost = (
        "lost", "messages_lost", "answers_lost", "unknown_of_networks_with_memory", "pages_refused", "jobs_failed",
    )  # fmt: skip
    said = ", ".join(f"{name} {percent:+.1f} %" for name, percent in grown.items())
    wrong = "".join(f"; {name.replace('_', ' ')}: {found[name]}" for name in lost if found[name])
    line = {
        "proof": "soak",
        "tried": found["messages"] + found["posts"] + found["answers"],
        "lost": sum(found[name] for name in lost) + failed,
        "doubled": found["doubled"] + found["messages_doubled"],
        "unknown": found["unknown_of_blind_networks"],
        "failed": failed,
        "note": f"{found['minutes']:g} min, {found['kills']} kills; memory after the first quarter: {said}{wrong}",
    }
    return [line]


MOST_GROWTH = 5.0
"""Percent, from the end of the first quarter on, of a process that lives all the time."""
WARM_AFTER = 30
"""Minutes a run has to have for that: before, whatever a process meets for the first time is most of what it grows."""
N = "N"
POINTS = ("--json", "--hands", "1", "--points", N)
RIGS = (
    Rig(("backup_kills",), "proofs/prove_backups.py", POINTS, 1, 12, _of_backups, (POSTGRESQL,), ("strace",)),
    Rig(("publishing_kills", "publishing_faults", "publishing_silence"), "proofs/prove_publishing.py", POINTS, 20, 500,
        _by_kind("publishing"), needs=("strace",)),
    Rig(("intake_kills", "intake_faults"), "proofs/prove_intake.py", POINTS, 16, 250, _by_kind("intake"),
        needs=("strace",)),
    Rig(("renewal_kills", "renewal_faults"), "proofs/prove_intake.py", (*POINTS, "--renewal"), 12, 120,
        _by_kind("renewal"), needs=("strace",)),
    Rig(("backup_kills",), "proofs/prove_backups.py", POINTS, 5, 80, _of_backups, (SQLITE,), ("strace",)),
    Rig(("power_cuts",), "proofs/prove_power_cuts.py", ("--cuts", N), 100, 1000, _plain("power_cuts"), (SQLITE,),
        ("strace",)),
    Rig(("power_cuts",), "proofs/prove_power_cuts.py", ("--cuts", N), 10, 150, _plain("power_cuts"), (POSTGRESQL,)),
    Rig(("soak",), "engine/soak.py", ("--minutes", N), 0, 5, _of_soak),
    Rig(("workers_killed",), "engine/rig.py", ("kills", "embedded", N), 10, 200, _of_workers("workers_killed")),
    Rig(("broker_emptied",), "engine/rig.py", ("kills", "broker", N, "3"), 4, 60,
        _of_workers("broker_emptied", kills="kills", emptied="times emptied"), needs=("redis-server",)),
    Rig(("database_restarts",), "engine/rig.py", ("restarts", "embedded", N), 5, 75,
        _of_workers("database_restarts", stopped="stops", cut="connections cut"), (POSTGRESQL,)),
)  # fmt: skip
NOT_REACHED = (Line("database_restarts", SQLITE, why_not=proofs.NO_OTHER),)


# ── what is there ──────────────────────────────────────────────────────────


def missing(needs: Iterable[str]) -> str:
    """Why it can't be tried on this machine; empty when it can."""
    reasons = {"strace": proofs.NO_STRACE, "redis-server": proofs.NO_REDIS}
    return next((reasons[each] for each in needs if not which(each)), "")


@contextmanager
def redis():
    """The address of a broker of this run's own; empty where there is none."""
    if not which("redis-server"):
        yield ""
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/9"
    finally:
        server.kill()
        server.wait()


# ── trying ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Ground:
    """Where proofs stand: the address of PostgreSQL, that of the broker, whether there is a whole night."""

    postgresql: str
    broker: str
    is_night: bool
    much: int = 0
    """What scripts try, in the place of what is laid down for them."""

    def many(self, merge: int, night: int) -> str:
        return str(night if self.is_night else merge)

    def environment(self, database: str, home: Path) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TERTULIA_", "DATABASE_", "DJANGO_"))}
        more = {
            "TERTULIA_HOME": str(home), "TERTULIA_BROKER_URL": self.broker,
            "TERTULIA_TEST_EXAMPLES": self.many(15, 150), "TERTULIA_TEST_PARTS": self.many(20, 200),
            "TERTULIA_TEST_TIMES": self.many(500, 10_000),
            "TERTULIA_LOG_LEVEL": "CRITICAL", "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(TESTS)]),
        }  # fmt: skip
        if database == POSTGRESQL:
            more["DATABASE_URL"] = self.postgresql
        return kept | more


def run_rig(rig: Rig, database: str, ground: Ground) -> list[Line]:
    much = str(ground.much or ground.many(rig.merge, rig.night))
    why = missing(rig.needs) or ("" if database == SQLITE or ground.postgresql else proofs.NO_POSTGRESQL)
    why = proofs.ONLY_AT_NIGHT if much == "0" else why
    if why:
        return [Line(proof, database, why_not=why) for proof in rig.proves]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tertulia-prove-") as home:
        given = [much if each == N else each for each in rig.given]
        command = [sys.executable, str(TESTS / rig.script), *given]
        done = subprocess.run(command, env=ground.environment(database, Path(home)), capture_output=True, text=True)
    seconds = round(time.monotonic() - began, 1)
    try:
        lines = rig.read(json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError, KeyError):
        said = (done.stderr.strip() or "nothing").splitlines()[-1]
        said = f"It ended before its time: {said}"
        return [Line(rig.proves[0], database, lost=1, failed=1, seconds=seconds, note=said)]
    # They ran together: each is given its share of the time.
    share = round(seconds / len(lines), 1)
    return [Line(database=database, seconds=share, **line) for line in lines]


def run_suite(suite: Sequence[Tests], database: str, ground: Ground) -> list[Line]:
    here = [each for each in suite if each.chosen]
    absent = [Line(each.proof, database, why_not=proofs.NOT_BUILT) for each in suite if not each.chosen]
    if database == POSTGRESQL and not ground.postgresql:
        return absent + [Line(each.proof, database, why_not=proofs.NO_POSTGRESQL) for each in here]
    with tempfile.TemporaryDirectory(prefix="tertulia-prove-") as home:
        report = Path(home) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", "-o", "addopts=--strict-markers",
            "-o", "junit_family=xunit1", f"--junitxml={report}", f"--rootdir={ROOT}",
            *(str(TESTS / address) for each in here for address in each.chosen),
        ]  # fmt: skip
        done = subprocess.run(
            command, env=ground.environment(database, Path(home)), cwd=ROOT, capture_output=True, text=True
        )
        if done.returncode not in {0, 1}:  # passed, or some failed; whatever else, they did not all run
            raise SystemExit(f"pytest did not end as it should:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        cases = list(ET.parse(report).getroot().iter("testcase"))
    return absent + [_line(each, database, [case for case in cases if _is_of(case, each)]) for each in here]


def _is_of(case: ET.Element, each: Tests) -> bool:
    path = Path(case.get("file", "")).relative_to("tests")
    name = case.get("name", "").partition("[")[0]
    return str(path) in each.chosen or f"{path}::{name}" in each.chosen


def _line(each: Tests, database: str, cases: Sequence[ET.Element]) -> Line:
    counts: dict[str, Any] = {each.breaks: 0, "tried": 0, "unknown": 0}
    wrong, made, seconds = [], 0, 0.0
    for case in cases:
        seconds += float(case.get("time", 0))
        if case.find("skipped") is not None:
            continue
        made += 1
        told = {one.get("name"): int(one.get("value", 0)) for one in case.iter("property") if one.get("name") in COUNTS}
        for name, count in ({"tried": 1} | told).items():
            counts[str(name)] = (counts.get(str(name)) or 0) + count
        if case.find("failure") is not None or case.find("error") is not None:
            counts[each.breaks] += 1
            wrong.append(case.get("name", ""))
    if not cases:
        return Line(each.proof, database, note="none of its tests ran", **{each.breaks: 1})
    if not made:
        return Line(each.proof, database, why_not=proofs.SKIPPED)
    note = f"{made} tests" + (f"; failed: {', '.join(wrong)}" if wrong else "")
    return Line(each.proof, database, failed=len(wrong), seconds=round(seconds, 1), note=note, **counts)


def prove(only: Sequence[str], hands: int, *, is_night: bool, much: int = 0) -> list[Line]:
    with ExitStack() as stack:
        cluster = Cluster() if binaries() else None
        if cluster:
            stack.callback(cluster.end)
        ground = Ground(cluster.url if cluster else "", stack.enter_context(redis()), is_night, much)
        suite = [each for each in (*SUITE, *marked()) if not only or each.proof in only]
        # What takes longest begins first, and the short ones fill up what is left: at the end no hand is idle for long.
        jobs: list[tuple[Callable[..., list[Line]], Any, str]] = []
        if suite:
            jobs += [(run_suite, suite, database) for database in (POSTGRESQL, SQLITE)]
        jobs += [
            (run_rig, rig, database)
            for rig in RIGS
            for database in rig.databases
            if not only or set(only) & set(rig.proves)
        ]
        with ThreadPoolExecutor(hands) as pool:
            waiting = [pool.submit(work, what, database, ground) for work, what, database in jobs]
            lines = []
            for each in as_completed(waiting):
                lines += each.result()
                print(told(each.result()), file=sys.stderr, flush=True)
    lines += [line for line in NOT_REACHED if not only or line.proof in only]
    return sorted(lines, key=lambda line: (list(proofs.NAMES).index(line.proof), line.database != SQLITE))


# ── telling ────────────────────────────────────────────────────────────────


def told(lines: Sequence[Line]) -> str:
    head = f"{'':74}{'':12}" + "".join(f"{name:>9}" for name in (*COUNTS, "seconds"))
    rows = [head]
    for line in lines:
        begin = f"{line.name:74}{line.database:12}"
        if line.why_not:
            rows.append(f"{begin}  not reached: {line.why_not}")
            continue
        figures = [getattr(line, name) for name in COUNTS]
        said = "".join(f"{'–' if figure is None else figure:>9}" for figure in figures)
        rows.append(f"{begin}{said}{line.seconds:>9}  {line.note}")
    return "\n".join(rows)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--night", action="store_true", help="many more of everything: some hours")
    options.add_argument("--only", nargs="+", choices=list(proofs.NAMES), default=[], metavar="NAME")
    options.add_argument("--much", type=int, default=0, help="so much of scripts: points, kills, minutes; with --only")
    options.add_argument("--hands", type=int, default=3, help="so many proofs at once")
    asked = options.parse_args()
    began = time.monotonic()
    lines = prove(asked.only, asked.hands, is_night=asked.night, much=asked.much if asked.only else 0)
    seconds = round(time.monotonic() - began)
    print(told(lines))
    print(f"{seconds} s in all")
    if not asked.only:
        command = "make prove-night" if asked.night else "make prove"
        machine = f"{os.cpu_count()} cores"
        proofs.write(Run(command, datetime.now(UTC), version("tertulia"), machine, seconds, tuple(lines)))
        PAGE.write_text(page(proofs.read()))
    if broken := [line for line in lines if line.broken]:
        print(verdict(broken))
        raise SystemExit(1)


def verdict(broken: Sequence[Line]) -> str:
    """The names of what isn't as promised: first of what counted it, then of what may pass if it is tried again."""
    said = {"Not as promised": False, "Worth another try": True}
    names = {
        begin: dict.fromkeys(line.proof for line in broken if line.is_worth_another_try is is_worth)
        for begin, is_worth in said.items()
    }
    return "\n".join(f"{begin}: {', '.join(some)}" for begin, some in names.items() if some)


if __name__ == "__main__":
    main()
