"""The daily backup. Made by the command itself in a process of its own, which may take all the time it needs."""

from __future__ import annotations

import subprocess
import sys

from tertulia.brand.models import Brand
from tertulia.core import clock, jobs
from tertulia.core.backup import keeping


class BackupFailed(Exception):
    """The command says why."""


@jobs.periodic("backups.daily", seconds=3600, attempts=1)
def daily() -> None:
    """Make one when the newest is a day old; what could not be made is tried again in the next hour."""
    since = Brand.objects.order_by("created_at").values_list("created_at", flat=True).first()
    if since is None or not keeping.is_due(clock.now(), since=since):
        return
    done = subprocess.run(
        [sys.executable, "-m", "tertulia", "backup", "--daily"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BackupFailed(done.stderr.strip()[-300:])
