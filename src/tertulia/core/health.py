"""How the installation is doing, in sentences: for `/readyz`, for `tertulia check`, for the banner on every page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils.translation import gettext as _

from . import worker
from .models import Heartbeat, Job

WORK_BEATS = timedelta(seconds=30)
SILENT = timedelta(minutes=2)
LATE = timedelta(seconds=60)
ASTRAY = timedelta(seconds=30)
HEARD = timedelta(minutes=10)
FREE_SHARE, FREE_BYTES = 0.05, 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `says` what is the case, and what to do when it isn't well. `stops` is False for
    what the desk can go on with: people should know of it, and nobody is sent away."""

    name: str
    is_ok: bool
    says: str
    stops: bool = True


Look = Callable[[datetime], Finding]


def work_is_silent(at: datetime) -> bool:
    """Whether background work has given no sign of life for so long that people should know."""
    return not Heartbeat.objects.filter(name=worker.HEARTBEAT, at__gt=at - SILENT).exists()


def database(at: datetime) -> Finding:
    """It can be written to, durably."""
    with asked("database") as found:
        Heartbeat.leave({"ready": at})
        found.append(Finding("database", True, _("The database takes what is written to it.")))
    return found[-1]


def work(at: datetime) -> Finding:
    with asked("work") as found:
        beat = Heartbeat.objects.filter(name=worker.HEARTBEAT).first()
        if beat is None:
            says = _("Background work has never run here. Start it: tertulia work (tertulia start does it by itself).")
            found.append(Finding("work", False, says))
        elif at - beat.at > WORK_BEATS:
            says = _("Background work has been silent for {seconds} s: nothing is sent or fetched. Start it again.")
            found.append(Finding("work", False, says.format(seconds=round((at - beat.at).total_seconds()))))
        else:
            found.append(Finding("work", True, _("Background work is running.")))
    return found[-1]


def jobs(at: datetime) -> Finding:
    waiting = Job.objects.filter(state=Job.State.WAITING).order_by("due_at")
    return lateness("jobs", _("jobs"), lambda: waiting.values_list("due_at", flat=True).first(), at)


def lateness(name: str, plural: str, oldest: Callable[[], datetime | None], at: datetime) -> Finding:
    """Nothing of a due table waits longer than it may. `plural` is what its rows are called."""
    with asked(name) as found:
        due_at = oldest()
        late = at - due_at if due_at else timedelta()
        if late > LATE:
            says = _("The oldest of the {name} that are due waits for {seconds} s. Is background work keeping up?")
            found.append(Finding(name, False, says.format(name=plural, seconds=round(late.total_seconds()))))
        else:
            found.append(Finding(name, True, _("Nothing among the {name} is late.").format(name=plural)))
    return found[-1]


def disk(_at: datetime) -> Finding:
    folder: Path = settings.HOME
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return Finding("disk", False, _("{folder} can't be read: {why}.").format(folder=folder, why=error.strerror))
    free = usage.free // 1024 // 1024
    if usage.free < FREE_BYTES or usage.free < usage.total * FREE_SHARE:
        says = _("Only {free} MB are free where {folder} is. Make room: below 500 MB or 5 % messages may be refused.")
        return Finding("disk", False, says.format(free=free, folder=folder))
    return Finding("disk", True, _("{free} MB are free.").format(free=free))


def time(at: datetime) -> Finding:
    """This machine's clock beside those of the servers that background work has just spoken to."""
    with asked("time") as found:
        rows = dict(Heartbeat.objects.filter(name__in=[worker.HEARD, worker.UPSTREAM]).values_list("name", "at"))
        heard, upstream = rows.get(worker.HEARD), rows.get(worker.UPSTREAM)
        if heard is None or upstream is None or abs(at - heard) > HEARD:
            found.append(Finding("time", True, _("No other server has told the time lately."), stops=False))
        elif abs(upstream - heard) > ASTRAY:
            seconds = round((upstream - heard).total_seconds())
            says = _("The clock here is {seconds} s behind the networks': posts leave late. Set it: timedatectl")
            if seconds < 0:
                says = _("The clock here is {seconds} s ahead of the networks': posts leave early. Set it: timedatectl")
            found.append(Finding("time", False, says.format(seconds=abs(seconds)), stops=False))
        else:
            found.append(Finding("time", True, _("The clock agrees with that of the networks."), stops=False))
    return found[-1]


@contextmanager
def asked(name: str) -> Iterator[list[Finding]]:
    """A database that doesn't answer is a finding, not an error."""
    found: list[Finding] = []
    try:
        yield found
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        says = _("The database doesn't answer: {why}. Is it running, is there room on its disk?")
        found.append(Finding(name, False, says.format(why=" ".join(str(error).split()))))
