"""A connection to a server that speaks no HTTP, as far as a line protocol needs it. `core.http` opens it."""

from __future__ import annotations

import socket
import ssl
import time

CHUNK = 65_536


class Wire:
    """Every step ends by one deadline, however small the steps are, and none waits longer than `silence` seconds.

    It passes for a socket and its file where imaplib and smtplib take theirs. Raises `OSError` (a `TimeoutError` when
    the time is up).
    """

    def __init__(
        self,
        connected: socket.socket,
        *,
        host: str,
        trust: ssl.SSLContext,
        silence: float,
        deadline: float,
        largest: int,
    ) -> None:
        self._socket = connected
        self._host = host
        self._trust = trust
        self._silence = silence
        self._deadline = deadline
        self._left_to_read = largest
        self._heard = bytearray()
        self._has_ended = False

    def sendall(self, said: bytes) -> None:
        rest = memoryview(said)
        while rest:
            self._socket.settimeout(self._patience())
            rest = rest[self._socket.send(rest[:CHUNK]) :]

    def read(self, size: int) -> bytes:
        """So many bytes; fewer when the other side has hung up."""
        while len(self._heard) < size and self._listen(self._patience()):
            pass
        return self._take(size)

    def readline(self, limit: int = -1) -> bytes:
        """Up to the end of the line, or `limit` bytes, or as much as came before the other side hung up."""
        searched = 0
        while (end := self._heard.find(b"\n", searched)) < 0:
            searched = len(self._heard)
            if 0 <= limit <= searched or not self._listen(self._patience()):
                break
        size = end + 1 if end >= 0 else len(self._heard)
        return self._take(size if limit < 0 else min(size, limit))

    def wait(self, seconds: float) -> bool:
        """Whether there is something to read within so many seconds; the end of the connection is, too."""
        if self._heard or self._has_ended:
            return True
        try:
            self._listen(min(seconds, self._until_the_end()))
        except TimeoutError:
            return False
        return True

    def start_tls(self) -> None:
        """What was said before, unprotected, must not be taken for what comes after."""
        if self._heard:
            raise ConnectionError("The server spoke out of turn.")
        self._socket.settimeout(self._patience())
        self._socket = self._trust.wrap_socket(self._socket, server_hostname=self._host)

    def makefile(self, mode: str = "rb") -> Wire:
        return self

    def close(self) -> None:
        self._socket.close()

    def _take(self, size: int) -> bytes:
        taken = bytes(self._heard[:size])
        del self._heard[:size]
        return taken

    def _listen(self, patience: float) -> bool:
        if self._has_ended:
            return False
        self._socket.settimeout(patience)
        chunk = self._socket.recv(CHUNK)
        self._has_ended = not chunk
        self._left_to_read -= len(chunk)
        if self._left_to_read < 0:
            raise ConnectionError("The server says too much.")
        self._heard += chunk
        return bool(chunk)

    def _patience(self) -> float:
        return min(self._silence, self._until_the_end())

    def _until_the_end(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
