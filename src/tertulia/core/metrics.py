"""Figures for monitors: the OpenMetrics text, and the counts that the web processes of one start share."""

from __future__ import annotations

import mmap
import os
import re
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_UNITS = ("seconds", "bytes")

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]
"""The ending of the figure's name, labels, value."""


@dataclass(frozen=True, slots=True)
class Family:
    """A figure. `kind` is OpenMetrics' type."""

    name: str
    kind: str
    says: str
    samples: Sequence[Sample] = field(default_factory=list)


def text(families: Iterable[Family]) -> str:
    """As an OpenMetrics scrape wants it."""
    return "".join(line + "\n" for family in families for line in _lines(family)) + "# EOF\n"


def _lines(family: Family) -> Iterator[str]:
    yield f"# TYPE {family.name} {family.kind}"
    if unit := next((each for each in _UNITS if family.name.endswith(f"_{each}")), ""):
        yield f"# UNIT {family.name} {unit}"
    yield f"# HELP {family.name} {_escaped(family.says)}"
    for ending, labels, value in family.samples:
        named = ",".join(f'{name}="{_escaped(given)}"' for name, given in labels.items())
        yield f"{family.name}{ending}{f'{{{named}}}' if named else ''} {value:.15g}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def buckets(limits: Sequence[float], counts: Sequence[float], labels: Labels) -> list[Sample]:
    """The cumulated samples of a histogram; `counts` has one more than `limits`, for what is larger than all."""
    found: list[Sample] = []
    total = 0.0
    for limit, count in zip([*(f"{each:g}" for each in limits), "+Inf"], counts, strict=True):
        total += count
        found.append(("_bucket", {**labels, "le": limit}, total))
    return found


def sorted_into(limits: Sequence[float], values: Iterable[float]) -> list[int]:
    counts = [0] * (len(limits) + 1)
    for value in values:
        counts[bisect_left(limits, value)] += 1
    return counts


# What web processes count. The pages are shared with every process that is forked after this is loaded; each has a row
# of its own, so that nobody waits for a lock that another one died with.

TIMES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
_COUNTED = ("webhook_refusals",)
_OF_CLASS = len(TIMES) + 2
"""A count for each time, one for what took longer, and the sum."""
_COLUMNS = len(_CLASSES) * _OF_CLASS + len(_COUNTED)
_ROWS = 64

_pages = memoryview(mmap.mmap(-1, _ROWS * _COLUMNS * 8)).cast("d")
_lock = threading.Lock()
_row = _forks = 0


def _before_fork() -> None:
    global _forks
    _forks += 1


def _in_child() -> None:
    global _row, _lock
    _row, _lock = _forks % _ROWS, threading.Lock()


os.register_at_fork(before=_before_fork, after_in_child=_in_child)


def count_request(status: int, seconds: float) -> None:
    first = _row * _COLUMNS + (min(max(status // 100, 1), 5) - 1) * _OF_CLASS
    with _lock:
        _pages[first + bisect_left(TIMES, seconds)] += 1
        _pages[first + _OF_CLASS - 1] += seconds


def count(name: str) -> None:
    """Raises ValueError for a name that isn't counted here."""
    with _lock:
        _pages[_row * _COLUMNS + len(_CLASSES) * _OF_CLASS + _COUNTED.index(name)] += 1


def of_web() -> Iterator[Family]:
    """What the web processes have counted since they were started, and what they hold in memory."""
    totals = [sum(_pages[column::_COLUMNS]) for column in range(_COLUMNS)]
    samples: list[Sample] = []
    for number, name in enumerate(_CLASSES):
        *counts, seconds = totals[number * _OF_CLASS : (number + 1) * _OF_CLASS]
        status = {"status": name}
        samples += [*buckets(TIMES, counts, status), ("_count", status, sum(counts)), ("_sum", status, seconds)]
    yield Family(
        "tertulia_http_request_seconds", "histogram", "Pages and calls, by the class of their status.", samples
    )
    refused = totals[len(_CLASSES) * _OF_CLASS + _COUNTED.index("webhook_refusals")]
    says = "Deliveries of networks that were refused."
    yield Family("tertulia_webhook_refusals", "counter", says, [("_total", {}, refused)])
    says = "Memory of the web processes; pages that several of them use count once."
    yield Family("tertulia_web_memory_bytes", "gauge", says, [("", {}, memory())])


def memory() -> float:
    """Bytes of this process, or of the whole web server when it is one of its workers."""
    parent = os.getppid()
    pids = [parent, *_children(parent)] if _row else [os.getpid()]
    return sum(_share(pid) for pid in pids)


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return [os.getpid()]


def _share(pid: int) -> int:
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0  # it has just ended, or isn't ours to look at
    return int(found[1]) * 1024 if found else 0
