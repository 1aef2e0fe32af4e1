"""A bad line between us and a network on 127.0.0.1: what it does to each request is decided by the test.

`choose(method, path, body)` gives one word for each request: "" lets it through; "late", "slow" (byte by byte),
"never" (it reaches nobody and nobody answers), "silent" (it is done, and nobody answers), "twice" (it is done two
times), "429", "500", "html"; "ask:K" and "answer:K" cut the line after K bytes of the request or the answer (a negative
K counts from the end), "half:K" closes only its own direction there and stays.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

CANNED = {
    "429": b"HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    "500": b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    "html": b"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>",
}
LATE, SILENT, DROP = 0.3, 2.5, 0.002
"""Seconds: a little late, longer than anybody waits, and between two bytes."""

Choose = Callable[[str, str, bytes], str]


class Line:
    def __init__(self, url: str, choose: Choose) -> None:
        self.port, self.choose = urlsplit(url).port, choose
        self.done: list[str] = []
        """What it did, one word for each request."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            body = await reader.readexactly(int(names.get(b"content-length", 0)))
            method, path = head.split(b" ", 2)[:2]
            what = self.choose(method.decode(), path.decode(), body)
            self.done.append(what.partition(":")[0])
            await self.do(what, head + body, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        finally:
            writer.close()

    async def do(self, what: str, asked: bytes, writer: asyncio.StreamWriter) -> None:
        word, _, place = what.partition(":")
        if word == "never":
            await asyncio.sleep(SILENT)
            return
        if word in CANNED:
            writer.write(CANNED[word])
            await writer.drain()
            return
        if word == "late":
            await asyncio.sleep(LATE)
        answer = await self.ask(asked[: int(place)] if word == "ask" else asked)
        if word == "twice":
            answer = await self.ask(asked)
        if word == "ask":
            return
        if word == "silent":
            await asyncio.sleep(SILENT)
            return
        if word in {"answer", "half"}:
            answer = answer[: int(place)]
        for part in [answer] if word != "slow" else [bytes([byte]) for byte in answer]:
            writer.write(part)
            await writer.drain()
            if word == "slow":
                await asyncio.sleep(DROP)
        if word == "half":
            writer.write_eof()
            await asyncio.sleep(LATE)

    async def ask(self, asked: bytes) -> bytes:
        """Say it to the network and hear it out. A request that was cut ends there."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(asked)
            writer.write_eof()
            return await reader.read()
        except OSError:
            return b""
        finally:
            writer.close()


@contextmanager
def line_to(url: str, choose: Choose) -> Iterator[tuple[str, Line]]:
    """The address of the line, and the line."""
    line, loop = Line(url, choose), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(line.handle, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", line
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        server.close()
        loop.run_until_complete(asyncio.sleep(0.1))  # what is closed says so once more
        loop.close()
