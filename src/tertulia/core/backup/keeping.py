"""The folder of the backups that are made by themselves: one a day, and the older the fewer."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

DAYS, WEEKS, MONTHS, UPGRADES = 7, 4, 6, 3
"""Of so many days, weeks and months the newest is kept, and the newest of those made before an upgrade."""
EVERY = timedelta(hours=23)
"""An hour less than a day, because it is looked for every hour."""
LATE = timedelta(hours=26)
_NAME = re.compile(r"tertulia-(\d{4}-\d\d-\d\dT\d{6})Z(?:-before-upgrade-from-(.+?))?\.zip(\.sealed)?")


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup in the folder. It stands there under its name because it was opened and read."""

    path: Path
    made_at: datetime
    checked_at: datetime
    size: int
    """Bytes."""
    from_version: str
    """Of one that was made before an upgrade: the version that was replaced."""
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """The last one that could not be made."""

    at: datetime
    why: str


def folder() -> Path:
    return Path(settings.HOME) / "backups"


def new_name(at: datetime, *, is_sealed: bool, from_version: str = "") -> Path:
    before = f"-before-upgrade-from-{from_version}" if from_version else ""
    return folder() / f"tertulia-{at.astimezone(UTC):%Y-%m-%dT%H%M%S}Z{before}.zip{'.sealed' if is_sealed else ''}"


def kept() -> list[Kept]:
    """The newest first."""
    found = []
    for path in folder().glob("tertulia-*"):
        if said := _NAME.fullmatch(path.name):
            stands = path.stat()
            checked_at = datetime.fromtimestamp(stands.st_mtime, UTC)
            found.append(Kept(path, _moment(said[1]), checked_at, stands.st_size, said[2] or "", bool(said[3])))
    return sorted(found, key=lambda each: each.made_at, reverse=True)


def newest_at() -> datetime | None:
    """When the newest of the daily ones was made. By the names alone: pages ask for it."""
    try:
        names = sorted(os.listdir(folder()), reverse=True)
    except FileNotFoundError:
        return None
    said = (_NAME.fullmatch(name) for name in names)
    return next((_moment(each[1]) for each in said if each and not each[2]), None)


def _moment(written: str) -> datetime:
    return datetime.strptime(written, "%Y-%m-%dT%H%M%S").replace(tzinfo=UTC)


def is_late(at: datetime, *, since: datetime) -> bool:
    """Whether there should be a newer one, in an installation that is there since then."""
    return settings.BACKUPS and (newest_at() or since) < at - LATE


def is_due(at: datetime, *, since: datetime) -> bool:
    return settings.BACKUPS and (newest_at() or since) <= at - EVERY


def thin_out() -> list[Path]:
    """Delete those that are too many; returns them."""
    gone = _too_many(kept())
    for each in gone:
        each.path.unlink(missing_ok=True)
    return [each.path for each in gone]


def _too_many(found: Iterable[Kept]) -> list[Kept]:
    daily = [each for each in found if not each.from_version]
    before = [each for each in found if each.from_version]
    stay = {each.path for each in before[:UPGRADES]}
    for period, most in (("%Y-%m-%d", DAYS), ("%G-%V", WEEKS), ("%Y-%m", MONTHS)):
        newest: dict[str, Path] = {}
        for each in daily:
            newest.setdefault(f"{each.made_at:{period}}", each.path)
        stay.update(list(newest.values())[:most])
    return [each for each in found if each.path not in stay]


def failure() -> Failure | None:
    """What went wrong the last time, until one is made again; None where backups are switched off."""
    if not settings.BACKUPS:
        return None
    try:
        said = json.loads((folder() / "failed.json").read_text())
        return Failure(datetime.fromisoformat(said["at"]), str(said["why"]))
    except (FileNotFoundError, ValueError, KeyError):
        return None  # a full disk may have cut it off


def note_failure(why: str, *, at: datetime) -> None:
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder() / "failed.json").write_text(json.dumps({"at": at.isoformat(), "why": why}))


def note_success() -> None:
    (folder() / "failed.json").unlink(missing_ok=True)
