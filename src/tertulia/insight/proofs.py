"""What `make prove` and `make prove-night` found out before this version was handed out.

They write `proved.json` beside this file, so that every installation can show the numbers it was judged by.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop as _

FILE = Path(__file__).with_name("proved.json")
NAMES: Mapping[str, str] = {
    "publishing_kills": _("Publishing, killed at any system call"),
    "publishing_faults": _("Publishing, with disk, memory and line failing at any system call"),
    "publishing_silence": _("Publishing to networks that fall silent or answer nonsense"),
    "intake_kills": _("Reading messages, killed at any system call"),
    "intake_faults": _("Reading messages, with disk, memory and line failing at any system call"),
    "renewal_kills": _("Renewing credentials, killed at any system call"),
    "renewal_faults": _("Renewing credentials, with disk, memory and line failing at any system call"),
    "backup_kills": _("Backup, restoring and moving, killed or broken at any system call"),
    "power_cuts": _("Power cuts: what was confirmed is still there"),
    "workers_killed": _("Workers killed at random while they answer"),
    "soak": _("Hours at 48 times their pace, workers killed at random, memory watched"),
    "broker_emptied": _("Three Celery workers killed at random, the broker emptied"),
    "database_restarts": _("Database stopped, started and its connections cut while answers leave"),
    "bad_line": _("A line that delays, cuts, repeats and answers nonsense, between us and the networks"),
    "bad_network": _("20,000 messages of a network that loses, doubles and reorders them"),
    "posts_machine": _("Posts: stories made up at random, each step checked"),
    "time_cases": _("Changes of the clock and time zones"),
    "loops": _("Automatic answers facing each other"),
    "strangers": _("Every address asked by every role and by other brands, with foreign ids"),
    "forms": _("Every form without its token; headers of every page"),
    "address_guard": _("Forbidden addresses in every spelling"),
    "secrets": _("Planted secrets looked for in pages, logs, errors and exports"),
    "personal_data": _("Planted personal data after erasure and export"),
    "hostile_text": _("Hostile texts, pages and mails"),
    "security": _("Attacks that other products fell to"),
    "large_inputs": _("Inputs of 1 MB and 1 GB"),
}
"""Every proof there is, by the name its lines are stored under."""
DATABASES = ("SQLite", "PostgreSQL")
NOT_BUILT = _("it isn't written yet")
NO_STRACE = _("strace, which does the killing, isn't installed")
NO_POSTGRESQL = _("PostgreSQL's own programs aren't installed")
NO_REDIS = _("Redis isn't installed")
ONLY_AT_NIGHT = _("it takes long and is tried at night only")
NO_OTHER = _("the database is a file that has no server")
SKIPPED = _("its tests were skipped on this machine")


@dataclass(frozen=True, slots=True)
class Line:
    """One proof on one database. A count is None where the proof doesn't ask for it; `why_not` where it wasn't made."""

    proof: str
    database: str
    tried: int = 0
    lost: int | None = None
    doubled: int | None = None
    leaked: int | None = None
    unknown: int = 0
    failed: int = 0
    """So much of what is broken is tests that failed, or a script that ended before its time: nothing it counted."""
    seconds: float = 0.0
    note: str = ""
    why_not: str = ""

    @property
    def name(self) -> str:
        return NAMES[self.proof]

    @property
    def promised(self) -> tuple[int | None, ...]:
        return self.lost, self.doubled, self.leaked

    @property
    def broken(self) -> int:
        """How much of what was promised to be zero wasn't."""
        return sum(filter(None, self.promised))

    @property
    def is_worth_another_try(self) -> bool:
        """It may have missed its moment on a busy machine. What was counted as lost, doubled or leaked did happen."""
        return 0 < self.broken == self.failed


@dataclass(frozen=True, slots=True)
class Run:
    command: str
    at: datetime
    version: str
    machine: str
    seconds: int
    lines: tuple[Line, ...]

    @property
    def total(self) -> Line:
        """Everything together."""
        return _together("", self.lines)

    @property
    def by_proof(self) -> list[tuple[Line, list[Line]]]:
        """Each proof with its databases added up, and its line on each of `DATABASES`."""
        on = {(line.proof, line.database): line for line in self.lines}
        lines = {
            proof: [on.get((proof, database), Line(proof, database, why_not=SKIPPED)) for database in DATABASES]
            for proof in dict.fromkeys(line.proof for line in self.lines)
        }
        return [(_together(proof, each), each) for proof, each in lines.items()]


def _together(proof: str, lines: Iterable[Line]) -> Line:
    made = [line for line in lines if not line.why_not]

    def sum_of(name: str) -> int | None:
        counts = [count for line in made if (count := getattr(line, name)) is not None]
        return sum(counts) if counts else None

    return Line(
        proof, "", sum_of("tried") or 0, sum_of("lost"), sum_of("doubled"), sum_of("leaked"), sum_of("unknown") or 0
    )


def read() -> list[Run]:
    """The last run of each command, newest first."""
    stored = json.loads(FILE.read_text()) if FILE.exists() else []
    return sorted(map(_run, stored), key=lambda run: run.at, reverse=True)


def write(run: Run) -> None:
    """Keep it in the place of the last run of its command."""
    kept = [run, *(other for other in read() if other.command != run.command)]
    stored = [{**asdict(one), "at": one.at.isoformat(), "lines": [_full(line) for line in one.lines]} for one in kept]
    FILE.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n")


def _run(stored: Mapping[str, Any]) -> Run:
    lines = tuple(Line(**line) for line in stored["lines"])
    return Run(**{**stored, "at": datetime.fromisoformat(stored["at"]), "lines": lines})


def _full(line: Line) -> dict[str, Any]:
    return {each.name: value for each in fields(line) if (value := getattr(line, each.name)) != each.default}
