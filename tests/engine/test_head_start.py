"""A worker that starts: the first lane before the others, and its threads one by one."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

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
        self.begun, self.may_go_on = 0, threading.Event()

    def run(self, claimed):
        self.begun += 1
        self.may_go_on.wait(20)
        return claimed

    def settle(self, results, *, at):
        return 0


@dataclass(frozen=True)
class Given:
    id: int
    fence: int = 1
    group: str = "all"


@pytest.fixture
def opening(monkeypatch):
    """Lets the threads of the lane have their connections one by one: `[0]` those that asked, `[1]` gives one."""
    asked, given, ensure = [], threading.Semaphore(0), BaseDatabaseWrapper.ensure_connection

    def slowly(own):
        if (name := threading.current_thread().name).startswith("lane-") and name not in asked:
            asked.append(name)
            given.acquire(timeout=20)
        ensure(own)

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", slowly)
    return asked, given.release


def until(what):
    deadline = time.monotonic() + 20
    while not what() and time.monotonic() < deadline:
        time.sleep(0.005)
    return what()


@pytest.mark.django_db(transaction=True)
def test_threads_start_one_after_the_other_and_no_more_than_are_needed(opening):
    """Each opens a connection: a dozen at once would hold up what comes due next."""
    (asked, give_one), lane = opening, Slow("lane")
    started = worker.Worker([(lane, 4)])
    [hands] = started._hands
    try:
        hands.give([Given(1), Given(2), Given(3)])
        for number in (1, 2, 3):
            assert until(lambda number=number: len(asked) == number)
            time.sleep(0.05)
            assert len(asked) == number  # the next one waits for the one before
            give_one()
        assert until(lambda: lane.begun == 3)
        assert (len(asked), hands._threads) == (3, 3)  # three for three, of the four there may be
    finally:
        lane.may_go_on.set()
        started.finish()
    assert hands.busy == 0


@pytest.mark.django_db(transaction=True)
def test_a_lane_gets_no_more_threads_than_its_share():
    lane = Slow("lane")
    started = worker.Worker([(lane, 2)])
    [hands] = started._hands
    try:
        hands.give([Given(number) for number in range(6)])
        assert until(lambda: lane.begun == 2)
        assert hands._threads == 2
    finally:
        lane.may_go_on.set()
        started.finish()
    assert (lane.begun, hands.busy) == (6, 0)


@pytest.mark.django_db(transaction=True)
def test_where_the_machine_gives_no_further_thread_those_that_are_there_go_on(monkeypatch):
    lane, start = Slow("lane"), threading.Thread.start

    def refuse_the_second(thread):
        if thread.name == "lane-2":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_the_second)
    started = worker.Worker([(lane, 4)])
    lane.may_go_on.set()
    started._hands[0].give([Given(1), Given(2), Given(3)])
    started.finish()
    assert (lane.begun, started._hands[0].busy) == (3, 0)


@pytest.mark.django_db(transaction=True)
def test_what_runs_by_the_clock_is_written_down_after_the_head_start(monkeypatch):
    monkeypatch.setattr(worker, "HEAD_START_SECONDS", 0.2)
    started = worker.Worker([(Lane("first"), 1)])
    try:
        started._once(clock.now())
        assert not Job.objects.exists()
        time.sleep(0.21)
        started._once(clock.now())
        always = {name for name, each in jobs.periodics.items() if not each.when}
        assert {job.task for job in Job.objects.all()} == always
    finally:
        started.finish()
