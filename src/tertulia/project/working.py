"""`tertulia work`: the background work of this machine."""

from __future__ import annotations

import os
import signal
import threading
from importlib import import_module

from django.conf import settings

from tertulia.flows import schedule

from .supervisor import GRACE

NAME = "work"


def work(_options: object) -> None:
    """Until a signal comes; what is under way ends first, or is left to its lease: in ten seconds all is over."""
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        last = threading.Timer(GRACE, os._exit, [os.EX_OK])
        last.daemon = True
        last.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    if settings.BROKER_URL:
        import_module("tertulia.project.celery").work(stop)  # 15 MB that the embedded way does without
    else:
        schedule.work(stop)
