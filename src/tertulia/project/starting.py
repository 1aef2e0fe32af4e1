"""`tertulia start`: everything is loaded once, then web and work are forked from it and kept alive."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import sys
from functools import partial

from django.db import connections

from . import commands, serve, supervisor, working


def start(options: object) -> int:
    """Set up what is missing, then run the family until a signal comes; returns the exit code of what failed, or 0."""
    # In a process of its own: what migrations leave in memory would stay there as long as the desk runs.
    setup = [sys.executable, "-m", "tertulia", "setup", "--for-start"]
    prepared = subprocess.run(setup, stdout=subprocess.PIPE, check=False)  # noqa: S603
    if prepared.returncode:
        return prepared.returncode
    facts = json.loads(prepared.stdout)
    serve.pages()
    connections.close_all()
    family = supervisor.Supervisor(
        [supervisor.Child(name, partial(commands.run, name, options)) for name in (serve.NAME, working.NAME)]
    )
    family.when(lambda: _listens(facts["host"], facts["port"]), lambda: print(facts["says"], flush=True))  # noqa: T201
    gc.collect()
    gc.freeze()  # else the first collection writes into every page that is shared
    family.run()
    return 0


def _listens(host: str, port: int) -> bool:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 — read, not bound
    try:
        socket.create_connection((reachable, port), timeout=0.5).close()
    except OSError:
        return False
    return True
