"""How much memory the C library keeps for itself."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, ARENA_MAX = -1, -8
"""As malloc.h numbers them."""
KEPT = 128 * 1024
"""Bytes that are free at the end of the heap."""


def keep_little() -> None:
    """What is freed goes back to the machine. To be called before there are threads; does nothing without glibc.

    Otherwise each of twenty threads has a heap of its own that never shrinks: of the 430 MB that background work held
    after a day's messages half was free. Python lets one thread run at a time, so they rarely wait for one heap.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(ARENA_MAX, 1)
        mallopt(TRIM_THRESHOLD, KEPT)
