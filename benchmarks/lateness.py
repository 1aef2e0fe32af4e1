"""How late background work begins: jobs due at random moments of a minute, in one worker process, 20 ms each; and, at
full scale, 5,000 scheduled posts due within a minute over 50 accounts of networks that take 20 ms, by one worker
process and by three, of which one, chosen at random, is killed (SIGKILL) every two seconds and started again at once.

A post is late by the time from its moment until its first claim stands in the database; a second claim, of what a
killed worker had begun, counts no more. While a lone worker starts nobody claims: what comes due then is late by that,
and it is part of the figures; so is a claim whose worker died before it could note it, by the moment of the next claim,
three seconds later here. What a worker imports is imported already when it begins, as in a process that forks them.
Doubled is what the network has twice, lost what it doesn't have though it counts as sent and what nobody claimed or
finished at all; on networks that can't be asked what was under way ends as unknown, which is neither.

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
from typing import Any

from django.db import connection

from .figures import Figure

RIG = Path(__file__).resolve().parent.parent / "tests" / "engine" / "rig.py"
JOBS = {"quick": 500, "full": 5_000}
"""Due at 83 a second: 5,000 in a minute."""
POSTS = 5_000
COMMIT = "a durable commit, mean"
"""A claim is one: nothing can be less late."""


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    found = _measured("lateness", "embedded", str(JOBS[scale]))
    yield Figure("jobs, 83 a second: late by, p50", found["jobs"]["p50"], "ms", 10, limit=COMMIT)
    yield Figure("jobs, 83 a second: late by, p99", found["jobs"]["p99"], "ms", 100, limit=COMMIT)
    yield Figure("jobs, 83 a second: begun too early", found["jobs"]["early"], "jobs", 0)
    yield Figure("jobs, 83 a second: CPU", found["jobs"]["cpu"], "% of a core")
    yield Figure("answers, 20 a second: late by, p50", found["answers"]["p50"], "ms", limit=COMMIT)
    yield Figure("answers, 20 a second: late by, p99", found["answers"]["p99"], "ms", limit=COMMIT)
    yield Figure("answers, 20 a second: CPU", found["answers"]["cpu"], "% of a core")
    yield Figure("worker with nothing to do: CPU", found["idle_cpu"], "% of a core", 0.3)
    yield Figure("worker: memory", found["memory_mb"], "MB")
    if scale == "full":
        for workers in (1, 3):
            yield from _posts(workers)


def _posts(workers: int) -> Iterator[Figure]:
    found = _measured("posts", "embedded", str(POSTS), str(workers))
    what = f"posts, 5,000 in a minute, {workers} {'worker' if workers == 1 else 'workers'}, {found['kills']} kills"
    yield Figure(f"{what}: claimed late by, p50", found["p50"], "ms", 10, limit=COMMIT)
    yield Figure(f"{what}: claimed late by, p99", found["p99"], "ms", 100, limit=COMMIT)
    yield Figure(f"{what}: claimed late by, at the most", found["max"], "ms", limit=COMMIT)
    for name in ("early", "doubled", "lost", "missed", "unknown_of_networks_with_memory"):
        yield Figure(f"{what}: {name.replace('_', ' ')}", found[name], "posts", 0)
    yield Figure(f"{what}: CPU of all workers", found["cpu"], "% of a core")


def _measured(*command: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="tertulia-lateness-") as home:
        environment = {**os.environ, "TERTULIA_HOME": home}
        if connection.vendor == "sqlite":
            environment.pop("DATABASE_URL", None)
        done = subprocess.run(
            [sys.executable, str(RIG), *command], env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
