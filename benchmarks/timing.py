"""How long a call takes."""

from __future__ import annotations

import time
from collections.abc import Callable

from .figures import percentile, typical

ROUNDS = 5


def percentiles(call: Callable[[], object], times: int) -> tuple[float, float]:
    """p50 and p99 in ms: each the median of several rounds."""
    p50, p99 = [], []
    for _ in range(ROUNDS):
        took = []
        for _ in range(times):
            started = time.perf_counter()
            call()
            took.append((time.perf_counter() - started) * 1_000)
        p50.append(percentile(took, 0.5))
        p99.append(percentile(took, 0.99))
    return typical(p50), typical(p99)
