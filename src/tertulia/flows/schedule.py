"""All background work at a glance: the due tables, what runs by the clock, and the loop that carries it out.

| due table | what | when |
|---|---|---|
| `core.jobs` | ordinary jobs | as soon as their cause is committed, or at their moment |
| `flows.outbound` | answers on their way out | after the undo window; again with growing gaps |
| `flows.polling` | accounts of networks that don't call us | every `poll_seconds` of their connector |

By the clock, each tick once on however many machines: whatever is declared with `jobs.periodic`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.urls import get_resolver

from tertulia.core import clock, due, jobs
from tertulia.core.redact import describe
from tertulia.core.worker import Lane, Worker

from . import outbound, polling
from .streams import Streams

log = logging.getLogger(__name__)

LANES: dict[str, Lane] = {lane.NAME: lane for lane in (outbound, jobs, polling)}
"""In the order in which they are served: what leaves has its moment, what follows from it has none."""

SHARES = {"jobs": 2.0, "outbound": 1.0, "polling": 1.0}
"""Threads of each lane, in parts of settings.WORK_THREADS."""
CHECKPOINT_SECONDS = 1.0
SMALL_LOG = 4 * 1024 * 1024
LARGE_LOG = 128 * 1024 * 1024


@jobs.periodic("engine.prune", seconds=900)
def prune() -> None:
    """Forget jobs that were done days ago."""
    jobs.prune(at=clock.now())


def work(stop: threading.Event, *, hand_over: Callable[[str, Sequence[due.Ticket]], None] | None = None) -> None:
    """Do background work until `stop` is set; ends within ten seconds after it.

    With `hand_over` this process only claims, and other processes do what is handed to them (`perform`).
    """
    # Else the first notification, which names a page, loads them all within its transaction: half a second in which
    # nobody else writes on SQLite, and nothing leaves.
    get_resolver().url_patterns  # noqa: B018
    listeners = threading.Thread(target=Streams().run, args=(stop,), name="streams", daemon=True)
    listeners.start()
    checkpoints = threading.Thread(target=keep_log_small, args=(stop,), name="checkpoints", daemon=True)
    checkpoints.start()
    lanes = [(lane, max(round(settings.WORK_THREADS * SHARES[name]), 1)) for name, lane in LANES.items()]
    Worker(lanes, hand_over=hand_over).run(stop)
    checkpoints.join(2)
    listeners.join(2)


def run_due(at: datetime) -> int:
    """Do all that is due and what follows from it at the same moment, in the calling thread. For tests."""
    done = 0
    while some := jobs.run_due(at) + outbound.run_due(at) + polling.run_due(at):
        done += some
    return done


def keep_log_small(stop: threading.Event) -> None:
    """SQLite: copy the write-ahead log back into the file from a thread of its own, so that no writer has to."""
    if connection.vendor != "sqlite":
        return
    log_file = Path(f"{connection.settings_dict['NAME']}-wal")
    while not stop.wait(CHECKPOINT_SECONDS):
        try:
            size = log_file.stat().st_size
            if size > SMALL_LOG:
                _checkpoint("TRUNCATE" if size > LARGE_LOG else "PASSIVE")
        except FileNotFoundError:
            continue
        except (DatabaseError, OSError) as error:
            log.warning("The database's log could not be written back: %s", describe(error))
    connection.close()


def _checkpoint(mode: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 200")  # TRUNCATE waits for readers, and writers for it
        cursor.execute(f"PRAGMA wal_checkpoint({mode})")
        cursor.fetchall()
