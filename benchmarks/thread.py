"""One conversation with everything in it: the query, and its page over HTTP."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

from tertulia.inbox import queries

from .figures import Figure
from .people import brand, colleagues, sign_in
from .stage import Browser, running
from .timing import percentiles


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    company, chance, times = brand(), random.Random(1), 30 if scale == "quick" else 60

    def any_one() -> int:
        return chance.randint(1, int(size))

    p50, p99 = percentiles(lambda: queries.thread(queries.conversation_of(brand=company, id=any_one())), times)
    yield Figure("one conversation with its thread: p50", p50, "ms", limit="25 rows by index, raw SQL, p50")
    yield Figure("one conversation with its thread: p99", p99, "ms", limit="25 rows by index, raw SQL, p50")
    port, cookie = int(os.environ["TERTULIA_PORT"]), sign_in(colleagues()[1])
    with running("-m", "tertulia", "web", port=port):
        browser = Browser(port, cookie)
        browser.get(f"/b/{company.slug}/inbox/1/")
        p50, p99 = percentiles(lambda: browser.get(f"/b/{company.slug}/inbox/{any_one()}/"), times // 2)
    yield Figure("page of a conversation beside the list: p50", p50, "ms", limit="an empty answer over HTTP, p50")
    yield Figure("page of a conversation beside the list: p99", p99, "ms", limit="an empty answer over HTTP, p50")
