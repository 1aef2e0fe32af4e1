"""Wakes the worker of this machine the moment something is due, from whichever process wrote it.

A datagram socket in the data folder, because it costs a few microseconds, needs no service and no connection,
and serves both databases alike. `LISTEN/NOTIFY` would reach other hosts too, but PostgreSQL takes one global
lock for every commit that notifies; other hosts look twice a second anyway, so that a lost ring is harmless.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import select
import socket
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

LONGEST_PATH = 100
"""An address of a unix socket holds 104 to 108 bytes, depending on the system."""


def after_commit() -> None:
    """Ring once the present transaction is durable; at once outside of one."""
    if all(waiting[1] is not ring for waiting in connection.run_on_commit):
        transaction.on_commit(ring, robust=True)


def ring() -> None:
    """Wake every worker of this machine that serves the same data folder."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for name in os.listdir(_folder()):
            _send(sender, str(_folder() / name))


def _send(sender: socket.socket, address: str) -> None:
    try:
        sender.sendto(b"!", address)
    except (ConnectionRefusedError, FileNotFoundError):
        Path(address).unlink(missing_ok=True)  # its worker was killed
    except OSError:
        pass  # the bell's queue is full: it rings already


class Bell:
    """A worker's ear: `wait` returns early when somebody rings."""

    def __init__(self) -> None:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{os.getpid()}-{secrets.token_hex(3)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(self.path))
        self._own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._own.setblocking(False)

    def ring(self) -> None:
        """Wake this worker alone, from another of its threads."""
        with contextlib.suppress(OSError):
            self._own.sendto(b"!", str(self.path))

    def wait(self, seconds: float) -> bool:
        """Whether somebody rang within the time. Rings that piled up count as one."""
        if not select.select([self._socket], [], [], max(seconds, 0))[0]:
            return False
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(16)
        return True

    def close(self) -> None:
        self.path.unlink(missing_ok=True)
        self._socket.close()
        self._own.close()


def _folder() -> Path:
    folder: Path = settings.HOME / "run"
    if len(os.fsencode(folder)) <= LONGEST_PATH - 20:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tertulia-{os.getuid()}-{digest}"
