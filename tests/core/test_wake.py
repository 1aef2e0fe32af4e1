"""A bell in the data folder: whoever writes something due wakes the worker, from any process of the machine."""

import subprocess
import sys
import time
from datetime import timedelta

import pytest

from conftest import NOON
from tertulia.core import clock, jobs, wake


@pytest.fixture
def bell(settings, tmp_path):
    settings.HOME = tmp_path
    bell = wake.Bell()
    yield bell
    bell.close()


@jobs.task("tests.nothing")
def nothing() -> None:
    pass


def test_a_ring_ends_the_wait_at_once_and_counts_once(bell):
    wake.ring()
    wake.ring()
    began = time.monotonic()
    assert bell.wait(5)
    assert time.monotonic() - began < 1
    assert not bell.wait(0)


def test_nobody_rings_and_the_wait_ends_by_itself(bell):
    assert not bell.wait(0.05)


def test_every_worker_of_the_machine_hears_it(bell):
    other = wake.Bell()
    wake.ring()
    assert bell.wait(1)
    assert other.wait(1)
    other.close()


def test_the_bell_of_a_killed_worker_is_cleared_away(bell, settings):
    code = "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(settings.HOME / "run" / "dead")], check=True)
    wake.ring()
    assert [path.name for path in (settings.HOME / "run").iterdir()] == [bell.path.name]


def test_a_long_folder_name_is_no_obstacle(settings, tmp_path):
    settings.HOME = tmp_path / ("n" * 120)
    bell = wake.Bell()
    wake.ring()
    assert bell.wait(1)
    bell.close()


def test_ringing_where_nobody_works_does_nothing(settings, tmp_path):
    settings.HOME = tmp_path / "nowhere"
    wake.ring()


@pytest.mark.django_db
def test_a_job_that_is_due_rings_and_one_of_tomorrow_does_not(bell, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue(nothing, due_at=clock.now() + timedelta(days=1))
    assert not bell.wait(0)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue(nothing, due_at=min(NOON, clock.now()))
    assert bell.wait(1)
