"""The numbers beside the views."""

from __future__ import annotations

from collections.abc import Iterator

from tertulia.inbox import queries

from .figures import Figure
from .people import brand, colleagues
from .timing import percentiles


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    company, user = brand(), colleagues()[1]
    p50, p99 = percentiles(lambda: queries.counters(brand=company, user=user), 30 if scale == "quick" else 60)
    yield Figure("counters of all views: p50", p50, "ms", limit="25 rows by index, raw SQL, p50")
    yield Figure("counters of all views: p99", p99, "ms", limit="25 rows by index, raw SQL, p50")
