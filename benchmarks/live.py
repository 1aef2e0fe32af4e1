"""Hundreds of open pages: how long after it arrived does a message show on all of them, and what do they cost."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator

from tertulia.channels.models import Account
from tertulia.core import clock
from tertulia.flows.inbound import intake

from .figures import Figure, percentile
from .intake import Customers
from .people import brand, colleagues, sign_in
from .stage import Server, running

PAGES = {"quick": 500, "full": 500}
MESSAGES = {"quick": 5, "full": 10}


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    port, pages = int(os.environ["TERTULIA_PORT"]), PAGES[scale]
    cookies = [sign_in(user) for user in colleagues()]
    with running("-m", "tertulia", "web", port=port) as server:
        before = server.memory().whole
        found = asyncio.run(_watch(server, cookies, pages, MESSAGES[scale]))
    first, last, idle_cpu, memory = found
    yield Figure(f"live, {pages} pages: message shown on the first", percentile(first, 0.5), "s")
    yield Figure(f"live, {pages} pages: message shown on all, p50", percentile(last, 0.5), "s", 0.6)
    yield Figure(f"live, {pages} pages: message shown on all, slowest", max(last), "s", 1)
    yield Figure(f"live, {pages} pages: CPU while nothing happens", idle_cpu * 100, "% of a core")
    yield Figure(f"live, {pages} pages: memory they add", memory - before, "MB", 100)


async def _watch(
    server: Server, cookies: list[str], pages: int, messages: int
) -> tuple[list[float], list[float], float, float]:
    path = f"/live/desk/{await asyncio.to_thread(lambda: brand().slug)}/"
    readers = []
    for number in range(pages):
        readers.append(await _open(server.port, path, cookies[number % len(cookies)]))
    await asyncio.sleep(2)
    spent, since = server.cpu_seconds(), time.monotonic()
    await asyncio.sleep(5)
    idle, memory = (server.cpu_seconds() - spent) / (time.monotonic() - since), server.memory().whole
    account, customers = await asyncio.to_thread(_customers)
    first, last = [], []
    for _ in range(messages):
        seen = [asyncio.create_task(_until(reader, b"conversation.received")) for reader in readers]
        arrived = time.monotonic()
        await asyncio.to_thread(intake, account, customers.write(1), at=clock.now())
        moments = await asyncio.wait_for(asyncio.gather(*seen), 30)
        first.append(min(moments) - arrived)
        last.append(max(moments) - arrived)
        await asyncio.sleep(0.3)
    return first, last, idle, memory


def _customers() -> tuple[Account, Customers]:
    account = Account.objects.filter(brand=brand(), kind="site").get()
    start = int(time.time() * 100)
    return account, Customers(0, start, seed=start)


async def _open(port: int, path: str, cookie: str) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    _keep.append(writer)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head:
        raise RuntimeError(head.decode())
    await _until(reader, b"event: hello")
    return reader


_keep: list[asyncio.StreamWriter] = []
"""A stream whose writer is forgotten is closed."""


async def _until(reader: asyncio.StreamReader, words: bytes) -> float:
    while words not in (line := await reader.readline()):
        if not line:
            raise RuntimeError("A live page was let go.")
    return time.monotonic()
