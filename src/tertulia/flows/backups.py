"""The daily backup, and one that somebody asks for.

Made by the command itself in a process of its own, which may take all the time it needs.
"""

from __future__ import annotations

import subprocess
import sys

from django.db import transaction

from tertulia.brand.models import Brand
from tertulia.core import clock, jobs
from tertulia.core.backup import keeping


class BackupFailed(Exception):
    """The command says why."""


@jobs.periodic("backups.daily", seconds=3600, attempts=1)
def daily() -> None:
    """Make one when the newest is a day old; what could not be made is tried again in the next hour."""
    since = Brand.objects.order_by("created_at").values_list("created_at", flat=True).first()
    if since is not None and keeping.is_due(clock.now(), since=since):
        _make()


@jobs.task("backups.asked_for", attempts=1, at_once=1)
def asked_for() -> None:
    """Make one whatever there is."""
    _make()


@transaction.atomic
def ask() -> None:
    """Have one made in the background; nothing more while one is on its way."""
    if not jobs.is_under_way(asked_for):
        jobs.enqueue(asked_for)


def is_under_way() -> bool:
    """Whether one that was asked for waits or is being made."""
    return jobs.is_under_way(asked_for)


def _make() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tertulia", "backup", "--daily"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        why = done.stderr.strip()[-300:]
        if keeping.failure() is None:  # it ended before it could say so itself
            keeping.note_failure(why, at=clock.now())
        raise BackupFailed(why)
