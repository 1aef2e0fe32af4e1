"""A worker that starts: the first lane before the others, and its threads one by one."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest

from tertulia.core import clock, jobs, worker
from tertulia.core.models import Job


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


class Slow(Lane):
    """Whatever is given to it waits until it may go on."""

    def __init__(self, name):
        super().__init__(name)
        self.may_go_on = threading.Event()

    def run(self, claimed):
        self.may_go_on.wait(20)
        return claimed

    def settle(self, results, *, at):
        return 0


@dataclass(frozen=True)
class Given:
    id: int
    fence: int = 1
    group: str = "all"


@pytest.mark.django_db(transaction=True)
def test_threads_start_one_after_the_other_and_no_more_than_are_needed(monkeypatch):
    """Each opens a connection: a dozen at once would hold up what comes due next."""
    monkeypatch.setattr(worker, "ONE_MORE_SECONDS", 0.05)
    lane = Slow("lane")
    started = worker.Worker([(lane, 4)])
    [hands] = started._hands
    try:
        hands.give([Given(1), Given(2), Given(3)])
        assert hands._threads == 1
        assert hands.grow()  # still short, but the last one has only just started
        assert hands._threads == 1
        time.sleep(0.06)
        hands.grow()
        assert hands._threads == 2
        time.sleep(0.06)
        hands.grow()
        time.sleep(0.06)
        assert not hands.grow()  # three for three, of the four there may be
        assert hands._threads == 3
    finally:
        lane.may_go_on.set()
        started.finish()
    assert hands.busy == 0


@pytest.mark.django_db(transaction=True)
def test_a_lane_gets_no_more_threads_than_its_share(monkeypatch):
    monkeypatch.setattr(worker, "ONE_MORE_SECONDS", 0.0)
    lane = Slow("lane")
    started = worker.Worker([(lane, 2)])
    [hands] = started._hands
    try:
        hands.give([Given(number) for number in range(6)])
        while hands.grow():
            pass
        assert hands._threads == 2
    finally:
        lane.may_go_on.set()
        started.finish()
    assert hands.busy == 0


@pytest.mark.django_db(transaction=True)
def test_what_runs_by_the_clock_is_written_down_after_the_head_start(monkeypatch):
    monkeypatch.setattr(worker, "HEAD_START_SECONDS", 0.2)
    started = worker.Worker([(Lane("first"), 1)])
    try:
        started._once(clock.now())
        assert not Job.objects.exists()
        time.sleep(0.21)
        started._once(clock.now())
        assert {job.task for job in Job.objects.all()} == set(jobs.periodics)
    finally:
        started.finish()
