"""A worker that starts: the first lane before the others."""

from __future__ import annotations

import time

import pytest

from tertulia.core import clock, worker


class Lane:
    NEXT = ("SELECT min(created_at) FROM brand_brand",)
    """Always due."""

    def __init__(self, name):
        self.NAME, self.asked = name, 0

    def claim(self, **_):
        self.asked += 1
        return []

    def free_lost(self, *, at):
        return 0


@pytest.mark.django_db(transaction=True)
def test_what_has_its_moment_begins_before_everything_else(brand, monkeypatch):
    monkeypatch.setattr(worker, "HEAD_START_SECONDS", 0.2)
    first, other = Lane("first"), Lane("other")
    started = worker.Worker([(first, 1), (other, 1)])
    try:
        rest = started._once(clock.now())
        assert (first.asked, other.asked) == (1, 0)
        assert rest <= worker.NOTHING_FOUND_SECONDS  # it comes back for both of them soon enough
        time.sleep(0.21)
        started._once(clock.now())
        assert (first.asked, other.asked) == (2, 1)
    finally:
        started.finish()
