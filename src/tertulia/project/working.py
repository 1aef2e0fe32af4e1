"""`tertulia work`: the background work of this machine."""

from __future__ import annotations

import signal
import threading

from tertulia.core import clock, jobs


def work(_options: object) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.5):
        jobs.tick(at=clock.now())
        jobs.run_due(clock.now(), raises=False)
