"""Strangers' bytes are read by a process that may die of them; the others of their batch are none the worse."""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from tertulia.core import sandbox
from tertulia.core.outcomes import BadPayload
from tertulia.core.sandbox import Unreadable

READ = "core.poison:read"


@pytest.fixture(autouse=True)
def no_child_is_left():
    yield
    sandbox._children.end()


def read(*words: str, **limits):
    return sandbox.call_many(READ, [word.encode() for word in words], **limits)


def said(word: str) -> dict:
    return {"said": word, "half": "\ud800"}


def test_each_payload_gives_its_result_in_its_place():
    assert read(*"abc") == [said("a"), said("b"), said("c")]
    assert read() == []


@pytest.mark.parametrize(
    ("poison", "why"),
    [
        ("sleep 60", sandbox.TOO_LONG),
        ("spin", sandbox.TOO_LONG),
        ("backtrack", sandbox.TOO_LONG),
        ("hoard", sandbox.TOO_MUCH),
        ("deep", sandbox.NOT_READ),
        ("crash", sandbox.NOT_READ),
        ("leave", sandbox.NOT_READ),
        ("shout 2000000", sandbox.TOO_LARGE),
        ("unsayable", sandbox.NOT_READ),
    ],
)
def test_poison_is_unreadable_and_the_others_are_read(poison, why):
    began = time.monotonic()
    assert read("a", poison, "b", poison, "c", seconds=0.5, largest=1_000_000) == [
        said("a"),
        Unreadable(why),
        said("b"),
        Unreadable(why),
        said("c"),
    ]
    assert time.monotonic() - began < 8


def test_nothing_of_the_house_is_known_there():
    [[environment, has_django, pid, kilobytes]] = read("look")
    assert set(environment) <= {"LC_CTYPE"}
    assert not has_django
    assert pid != os.getpid()
    assert kilobytes < 30_000


def test_it_writes_no_file_and_what_it_prints_is_lost(tmp_path):
    assert read("print", f"write {tmp_path / 'x'}") == [said("print"), Unreadable(sandbox.NOT_READ)]


def test_one_child_reads_batch_after_batch():
    pids = {read("look")[0][2] for _ in range(5)}
    assert len(pids) == 1


def test_two_children_share_many_and_each_dies_for_itself():
    pids = {found[2] for found in read(*["look"] * 2 * sandbox.WORTH_TWO)}
    assert len(pids) == 2
    words = [f"{number}" if number % 7 else "crash" for number in range(50)]
    dead = Unreadable(sandbox.NOT_READ)
    assert read(*words) == [dead if word == "crash" else said(word) for word in words]
    with pytest.raises(RuntimeError):
        sandbox.call_many("core.poison:absent", [b"a"] * sandbox.WORTH_TWO)


def test_a_batch_larger_than_the_wire_holds_is_read(monkeypatch):
    monkeypatch.setattr(sandbox, "TOGETHER", 3_000_000)
    words = [letter * 1_000_000 for letter in "abcdefgh"]
    assert read(*words) == [said(word) for word in words]


def test_one_payload_is_a_result_or_an_outcome():
    assert sandbox.call(READ, b"a") == said("a")
    with pytest.raises(BadPayload) as bad:
        sandbox.call(READ, b"crash")
    assert bad.value.why == sandbox.NOT_READ


def test_a_function_that_isnt_there_is_a_mistake_of_ours():
    with pytest.raises(RuntimeError):
        sandbox.call_many("core.poison:absent", [b"a"])


def test_threads_share_the_children_and_none_takes_anothers_answer():
    found: dict[int, list] = {}

    def work(number: int) -> None:
        found[number] = read(*(f"{number}-{item}" for item in range(50)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [said(f"{number}-{item}") for item in range(50)] for number in range(6)}
    assert len(sandbox._children._idle) <= sandbox.AT_ONCE


def test_an_idle_child_ends_and_the_next_call_has_a_new_one(monkeypatch):
    monkeypatch.setattr(sandbox, "IDLE", 0.2)
    [[_, _, first, _]] = read("look")
    time.sleep(0.6)
    assert sandbox._children._idle[0]._process.poll() == 0
    assert read("look")[0][2] != first


@pytest.mark.parametrize("word", ["a", "spin"])
def test_a_child_ends_with_its_parent(word):
    program = f"""
import os, threading, time
from glob import glob
from tertulia.core import sandbox
call = threading.Thread(target=sandbox.call_many, args=({READ!r}, [{word.encode()!r}]), kwargs={{"seconds": 2}})
call.start()
time.sleep(0.8)
children = [open(name).read().split() for name in glob("/proc/self/task/*/children")]
print(*sum(children, []), flush=True)
os.kill(os.getpid(), 9)
"""
    path = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": path}, capture_output=True, timeout=20)
    pid = int(done.stdout)
    end = time.monotonic() + 4
    with suppress(ProcessLookupError):
        while time.monotonic() < end and "zombie" not in state(pid):
            os.kill(pid, 0)
            time.sleep(0.05)
        assert "zombie" in state(pid)


def state(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/status") as status:
            return status.read()
    except FileNotFoundError:
        raise ProcessLookupError from None
