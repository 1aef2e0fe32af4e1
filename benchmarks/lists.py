"""The list as people see it: over HTTP, signed in, permissions, the whole page, every view."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator

from tertulia.inbox import queries
from tertulia.inbox.models import Conversation, Label

from .figures import Figure, percentile, typical
from .limits import at_once
from .people import brand, colleagues, sign_in
from .stage import LARGE, Browser, Server, running

ROUNDS = 5


def serve(size: str) -> None:
    """Holds the desk open for whoever compares two sizes, until standard input ends; prints the views and a cookie."""
    with running("-m", "tertulia", "web", port=int(os.environ["TERTULIA_PORT"])):
        views = _views(f"/b/{brand().slug}/inbox/", int(size))
        sys.stdout.write(json.dumps({"cookie": sign_in(colleagues()[1]), "views": views}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    port, asks = int(os.environ["TERTULIA_PORT"]), 20 if scale == "quick" else 40
    cookie = sign_in(colleagues()[1])
    paths = _views(f"/b/{brand().slug}/inbox/", int(size))
    is_large = int(size) == LARGE
    with running("-m", "tertulia", "web", port=port) as server:
        for path in [*paths.values()] * 4:
            Browser(port, cookie).get(path)
        for name, path in paths.items():
            p50, p99, cpu = _alone(server, path, cookie, asks)
            limit = "25 rows by index, raw SQL, p50"
            yield Figure(f"list, {name}: p50", p50, "ms", 12 if name == "open" or is_large else None, limit=limit)
            yield Figure(f"list, {name}: p99", p99, "ms", 30 if name == "open" or is_large else None, limit=limit)
            yield Figure(f"list, {name}: CPU of the web processes", cpu, "ms each")
        rounds = [at_once(port, [paths["open"]], cookie, 8, asks * 8) for _ in range(3)]
        yield Figure(
            "list, 8 people at once", typical(rounds), "1/s", 150, "more", "empty answers over HTTP, 8 at once"
        )


def _views(base: str, size: int) -> dict[str, str]:
    label = Label.objects.filter(brand=brand()).order_by("id")[0]
    half = Conversation.objects.filter(brand=brand(), id__lte=size // 2, state="open").order_by("-id")[0]
    return {
        "open": base,
        "mine": f"{base}?view=mine",
        "nobody's": f"{base}?view=nobody",
        "waiting": f"{base}?view=waiting",
        "snoozed": f"{base}?view=snoozed",
        "closed": f"{base}?view=closed",
        "label": f"{base}?label={label.pk}",
        "channel": f"{base}?channel=phone",
        "deep page": f"{base}?after={queries._cursor(half.listed_at, half.pk)}",
        "search": f"{base}?view=all&q=pedido",
    }


def _alone(server: Server, path: str, cookie: str, asks: int) -> tuple[float, float, float]:
    """p50 and p99 in ms as the medians of several rounds, and the processor time of a page."""
    browser = Browser(server.port, cookie)
    p50, p99, spent = [], [], server.cpu_seconds()
    for _ in range(ROUNDS):
        took = []
        for _ in range(asks):
            started = time.perf_counter()
            browser.get(path)
            took.append((time.perf_counter() - started) * 1_000)
        p50.append(percentile(took, 0.5))
        p99.append(percentile(took, 0.99))
    cpu = (server.cpu_seconds() - spent) * 1_000 / (ROUNDS * asks)
    return typical(p50), typical(p99), cpu
