"""A web server with nothing behind it: `python -m benchmarks.nothing PORT`."""

from __future__ import annotations

import sys
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server


async def answer(_scope: Any, exchange: Any) -> None:
    exchange.response_bytes(200, [("content-type", "text/html")], b"")


if __name__ == "__main__":
    Server(
        "benchmarks.nothing:answer", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.RSGI,
        http=HTTPModes.http1, websockets=False, workers=2, log_level=LogLevels.warning,
    ).serve()  # fmt: skip
