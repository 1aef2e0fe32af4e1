"""`tertulia work`: the background work of this machine."""

from __future__ import annotations

import signal
import threading
from importlib import import_module

from django.conf import settings

from tertulia.flows import schedule


def work(_options: object) -> None:
    """Until a signal comes; what is under way ends first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if settings.BROKER_URL:
        import_module("tertulia.project.celery").work(stop)  # 15 MB that the embedded way does without
    else:
        schedule.work(stop)
