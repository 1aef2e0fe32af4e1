"""The web process: granian with a few forked workers, each of them pages and live streams on one port."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import threading
from functools import cache
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from django.utils.translation import gettext as _
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from tertulia.flows import watch

from . import live, rsgi
from .sorry import Sorry
from .supervisor import GRACE, watch_parent

log = logging.getLogger(__name__)

NAME = "web"
ADDRESS_IN_USE = 98


class PortTaken(Exception):
    """Somebody else listens there."""


class WebServer(MPServer):
    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Let the workers close their live streams before they are asked to stop."""
        for worker in multiprocessing.active_children():
            os.kill(worker.pid or 0, signal.SIGUSR1)
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]


def web(_options: object) -> None:
    """`tertulia web`: serve until a signal comes."""
    try:
        check_port(settings.HOST, settings.PORT)
    except PortTaken as taken:
        raise Sorry(str(taken)) from None
    _sweep()
    desk = rsgi.Desk(pages(), live.Streams(), threads=settings.WEB_THREADS)

    main = os.getpid()

    def in_worker() -> Any:
        watch_parent(main)
        threading.Thread(target=watch.run, name="watch", daemon=True).start()
        return desk

    # Loaded once and forked: the workers share what they never change.
    multiprocessing.set_start_method("fork", force=True)
    gc.collect()
    gc.freeze()
    WebServer(
        "tertulia",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.WEB_WORKERS,
        runtime_blocking_threads=1,
        backlog=2048,
        backpressure=live.MOST_STREAMS + 512,
        log_level=LogLevels.warning,
        log_dictconfig={"handlers": {}, "loggers": {"_granian": {}, "granian.access": {}}},  # as all others log
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=int(GRACE) - 4,
    ).serve(target_loader=in_worker, wrap_loader=False)


def _sweep() -> None:
    """Empty the folder where bodies wait: what lies there was for a server that was killed."""
    if settings.FILE_UPLOAD_TEMP_DIR.exists():
        shutil.rmtree(settings.FILE_UPLOAD_TEMP_DIR)
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700)


def check_port(host: str, port: int) -> None:
    """Raises `PortTaken`. Needed because several processes may share a port by asking for it the same way."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            says = _(
                "Tertulia can't listen on {host}, port {port}: {why}. "
                "Stop the program that uses it, or choose another port: TERTULIA_PORT={other} tertulia start"
            )
            why = os.strerror(error.errno or ADDRESS_IN_USE)
            raise PortTaken(says.format(host=host, port=port, why=why, other=port + 1)) from None


@cache
def pages() -> Any:
    """What answers them, with every page loaded: to be shared by what is forked afterwards."""
    pages = get_wsgi_application()
    get_resolver().url_patterns  # noqa: B018
    return pages
