"""A short link as a visitor follows it, over HTTP: the click is written down before the answer leaves."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from datetime import UTC, datetime

from tertulia.publishing import linking
from tertulia.publishing.models import Click

from .figures import Figure
from .people import brand, colleagues
from .stage import running
from .timing import ROUNDS, percentiles

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    link = linking.make(
        brand=brand(), target="https://tienda.example/pan", by=colleagues()[0], at=datetime.now(UTC), source="carta"
    )
    port, asks = int(os.environ["TERTULIA_PORT"]), 100 if scale == "quick" else 1_000
    with running("-m", "tertulia", "web", port=port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def follow() -> None:
            connection.request("GET", f"/l/{link.code}", headers={"User-Agent": BROWSER})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 302:
                raise RuntimeError(f"the link answered {answer.status}")

        follow()
        p50, p99 = percentiles(follow, asks)
        connection.close()
    kept, asked = Click.objects.filter(link=link).count(), ROUNDS * asks + 1
    if kept != asked:
        raise RuntimeError(f"{kept} clicks were kept of {asked}")
    yield Figure("a short link, click kept: p50", p50, "ms")
    yield Figure("a short link, click kept: p99", p99, "ms", 50)
