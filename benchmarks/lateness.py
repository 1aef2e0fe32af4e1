"""How late background work begins: jobs due at random moments of a minute, in one worker process, 20 ms each.

The worker, its database and the network it speaks to are processes of their own: see tests/engine/rig.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from .figures import Figure

RIG = Path(__file__).resolve().parent.parent / "tests" / "engine" / "rig.py"
JOBS = {"quick": 500, "full": 5_000}
"""Due at 83 a second: 5,000 in a minute."""


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    found = _measured("embedded", JOBS[scale])
    yield Figure("jobs, 83 a second: late by, p50", found["jobs"]["p50"], "ms", 10)
    yield Figure("jobs, 83 a second: late by, p99", found["jobs"]["p99"], "ms", 100)
    yield Figure("jobs, 83 a second: begun too early", found["jobs"]["early"], "jobs", 0)
    yield Figure("jobs, 83 a second: CPU", found["jobs"]["cpu"], "% of a core")
    yield Figure("answers, 20 a second: late by, p50", found["answers"]["p50"], "ms")
    yield Figure("answers, 20 a second: late by, p99", found["answers"]["p99"], "ms")
    yield Figure("answers, 20 a second: CPU", found["answers"]["cpu"], "% of a core")
    yield Figure("worker with nothing to do: CPU", found["idle_cpu"], "% of a core", 0.3)
    yield Figure("worker: memory", found["memory_mb"], "MB")


def _measured(way: str, jobs: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="tertulia-lateness-") as home:
        environment = {**os.environ, "TERTULIA_HOME": home}
        if connection.vendor == "sqlite":
            environment.pop("DATABASE_URL", None)
        command = [sys.executable, str(RIG), "lateness", way, str(jobs)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
