"""A clamd that knows one malware: speaks its INSTREAM and VERSION, over a Unix socket."""

from __future__ import annotations

import socketserver
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Written apart, so that no program that looks for it finds it in this file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    """`seen`: what was shown to it. `limit` bytes at most; `says` another answer than a verdict."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.seen: list[bytes] = []
        self.limit = 0
        self.says = ""
        self.version = "ClamAV 1.4.6"


def _holds_it(content: bytes) -> bool:
    """As it is, or within a mail."""
    return EICAR in content or b64encode(EICAR) in content.replace(b"\n", b"")


@contextmanager
def running(path: Path) -> Iterator[Clamd]:
    clamd = Clamd(path)

    class Asked(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                command = b""
                while not command.endswith(b"\0"):
                    command += self.rfile.read(1)
                self.wfile.write(self._answer(command).encode() + b"\0")

        def _answer(self, command: bytes) -> str:
            if command == b"zVERSION\0":
                return clamd.version
            content = b""
            while size := int.from_bytes(self.rfile.read(4), "big"):
                if clamd.limit and len(content) + size > clamd.limit:
                    return "INSTREAM size limit exceeded. ERROR"
                content += self.rfile.read(size)
            clamd.seen.append(content)
            return clamd.says or ("stream: Eicar-Test FOUND" if _holds_it(content) else "stream: OK")

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with Server(clamd.path, Asked) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield clamd
        server.shutdown()
