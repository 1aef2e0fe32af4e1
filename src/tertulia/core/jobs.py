"""Background jobs: what has to happen is a row with a moment, written in the transaction of its cause.

    @jobs.task("inbound.process", attempts=8)
    def process(*, message_ids: list[int]) -> None: ...

    jobs.enqueue(process, message_ids=[7])      # leaves with the caller's transaction

    @jobs.periodic("promises.tick", seconds=60)
    def tick() -> None: ...

Arguments are JSON-able, best ids. Every job may run twice (after a crash), so each step must bear repeating.
This is the only file that knows how: a due table with leases and fences, see `due.py`.
"""

from __future__ import annotations

import json
import logging
import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from django.db import transaction

from . import bulk, clock, due, logs, wake
from .models import Job
from .redact import describe

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""How long a claim holds without a sign of life; the worker renews the leases of what it still runs."""
LOOKS_ANYWAY = timedelta(seconds=0.5)
"""The worker never sleeps longer than this."""
AT_ONCE = 6
"""Jobs of one task under way at the same time, in one process."""
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
KEEP_DONE = timedelta(days=3)
KEEP_FAILED = timedelta(days=60)
PRUNE_BATCH = 2_000

NAME = "jobs"
NEXT = (
    "SELECT min(due_at) FROM core_job WHERE state = 'waiting'",
    "SELECT min(lease_until) FROM core_job WHERE state = 'running'",
)
NOBODY: Mapping[Any, int] = MappingProxyType({})
_CLAIM = "id, fence, task, args, attempts, request"
_DUE = "SELECT id FROM core_job WHERE state = 'waiting' AND due_at <= %s ORDER BY due_at, id LIMIT %s"

Function = TypeVar("Function", bound=Callable[..., None])


class UnknownTask(LookupError):
    """No task of this name is installed (yet): the job waits for a worker that knows it."""


class TwoTasks(ValueError):
    """Two functions claim one name."""


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    function: Callable[..., None]
    attempts: int
    at_once: int = AT_ONCE


@dataclass(frozen=True, slots=True)
class Periodic:
    task: Task
    seconds: int
    when: str = ""

    def key(self, at: datetime) -> str:
        return f"{self.task.name}@{self.number(at)}"

    def number(self, at: datetime) -> int:
        return int(at.timestamp() // self.seconds)

    def next_after(self, at: datetime) -> datetime:
        return datetime.fromtimestamp((self.number(at) + 1) * self.seconds, UTC)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of this worker."""

    id: int
    fence: int
    task: str
    args: Mapping[str, Any]
    attempts: int
    request: str = ""

    @property
    def group(self) -> str:
        return self.task


@dataclass(frozen=True, slots=True)
class Result:
    """How a claimed job ended: without an error, or with one."""

    claim: Claim
    error: str = ""


tasks: dict[str, Task] = {}
periodics: dict[str, Periodic] = {}


def task(name: str, *, attempts: int = 8, at_once: int = AT_ONCE) -> Callable[[Function], Function]:
    """Register a function as the job `name`; it takes keyword arguments only and stays a function.

    `at_once`: no more of them run at the same time in one process.
    """

    def register(function: Function) -> Function:
        known = tasks.get(name)
        if known and _place(known.function) != _place(function):
            raise TwoTasks(name)
        tasks[name] = Task(name, function, attempts, at_once)
        function.task_name = name  # type: ignore[attr-defined]
        return function

    return register


def periodic(name: str, *, seconds: int, attempts: int = 3, when: str = "") -> Callable[[Function], Function]:
    """Register a function without arguments that runs once per tick, on however many hosts workers run.

    Ticks missed while no worker ran are not made up for. `when`: a select that gives a row while there may be something
    to do, `%s` in it the present moment; at a tick at which it gives none no job is written. Asking costs a small part
    of a job, and a desk at rest does little else. An index has to answer it: the loop that claims waits for it.
    """

    def register(function: Function) -> Function:
        task(name, attempts=attempts)(function)
        periodics[name] = Periodic(tasks[name], seconds, when)
        return function

    return register


def enqueue(
    what: Callable[..., None] | str, /, *, due_at: datetime | None = None, key: str | None = None, **args: Any
) -> None:
    """Let a task run once, at `due_at` or as soon as the present transaction is committed.

    `what` a registered function, or the name of one in a higher room. With a `key`, nothing happens
    when a job of that key exists already, even a finished one (those are kept for three days).
    """
    now = clock.now()
    name = what if isinstance(what, str) else what.task_name  # type: ignore[attr-defined]
    request = logs.request_id.get()
    job = bulk.new(Job, task=name, args=args, key=key, due_at=due_at or now, created_at=now, request=request)
    if key is None:
        bulk.add([job])
    else:
        Job.objects.bulk_create([job], ignore_conflicts=True)
    if job.due_at <= now + LOOKS_ANYWAY:
        wake.after_commit()


def is_under_way(what: Callable[..., None]) -> bool:
    """Whether a job of this task waits or runs."""
    open_states = [Job.State.WAITING, Job.State.RUNNING]
    return Job.objects.filter(task=what.task_name, state__in=open_states).exists()  # type: ignore[attr-defined]


def take_along(what: Callable[..., None], *, at: datetime, limit: int) -> list[Mapping[str, Any]]:
    """The arguments of jobs of this task that are due and wait: they are done with the caller's transaction.

    For a task whose work costs the same for one as for many. What was tried before and failed is left alone.
    """
    found = due.change(
        "core_job",
        "state = 'done', fence = fence + 1, finished_at = %s",
        where=due.one_of(
            "SELECT id FROM core_job WHERE state = 'waiting' AND due_at <= %s AND task = %s AND attempts = 0"
            " ORDER BY due_at, id LIMIT %s"
        ),
        params=[at, at, what.task_name, limit],  # type: ignore[attr-defined]
        returning="args",
    )
    return [json.loads(args) if isinstance(args, str) else args for (args,) in found]


def take_back(what: Callable[..., None]) -> list[Mapping[str, Any]]:
    """Of a task nothing more is done: the arguments of what was still to come."""
    mine = Job.objects.filter(task=what.task_name, state__in=[Job.State.WAITING, Job.State.RUNNING])  # type: ignore[attr-defined]
    given = list(mine.values_list("args", flat=True))
    mine.delete()
    return given


def run_due(at: datetime, *, raises: bool = True) -> int:
    """Run all that is due, and what that enqueues, in the calling thread; returns how many ran. For tests.

    A failing job is put back as in the worker; then its error is raised, unless told not to.
    """
    ran = 0
    while claims := due.begin(claim, hold, take, at=at, limit=20):
        results = [_attempt(claimed) for claimed in claims]
        settle([result for result, _ in results], at=at)
        ran += len(claims)
        for _, error in results:
            if error and raises:
                raise error
    return ran


# ── what the worker does ───────────────────────────────────────────────────


def claim(*, at: datetime, limit: int, busy: Mapping[str, int] = NOBODY) -> list[Claim]:
    """Take jobs that are due: they run now, under a lease.

    `busy` says how many of each task this process runs already; no task takes more than its share of the threads,
    so that a mail server that hangs does not keep messages from being routed.
    """
    with transaction.atomic():
        chosen = _choose(at=at, limit=limit, busy=busy)
        if not chosen:
            return []
        among, ids = due.among("id", chosen)
        found = due.change(
            "core_job",
            "state = 'running', fence = fence + 1, attempts = attempts + 1, lease_until = %s",
            where=due.one_of(f"SELECT id FROM core_job WHERE {among} AND (state = 'waiting') IS TRUE"),  # noqa: S608
            params=[at + LEASE, *ids],
            returning=_CLAIM,
        )
    return [_claim(row) for row in sorted(found)]


def _choose(*, at: datetime, limit: int, busy: Mapping[str, int]) -> list[int]:
    others, full = due.outside("task", [name for name, count in busy.items() if count >= _at_once(name)], of="text")
    running: Counter[str] = Counter(busy)
    chosen: list[int] = []
    candidates = due.rows(
        f"SELECT id, task FROM core_job WHERE state = 'waiting' AND due_at <= %s AND {others}"  # noqa: S608
        " ORDER BY due_at, id LIMIT %s",
        [at, *full, limit * 4],
    )
    for id, name in candidates:
        if len(chosen) < limit and running[name] < _at_once(name):
            running[name] += 1
            chosen.append(id)
    return chosen


def _at_once(name: str) -> int:
    return tasks[name].at_once if name in tasks else AT_ONCE


def hold(*, at: datetime, limit: int) -> list[due.Ticket]:
    """Take jobs that are due in order to hand them to somebody else: their moment moves to a lease's end.

    When the message is lost they are simply due again then.
    """
    found = due.change(
        "core_job",
        "fence = fence + 1, due_at = %s",
        where=due.one_of(_DUE),
        params=[at + LEASE, at, limit],
        returning="id, fence",
    )
    return [(id, fence) for id, fence in sorted(found)]


def take(ticket: due.Ticket, *, at: datetime) -> Claim | None:
    """Begin a job that was handed over; None when its ticket was used already or is out of date."""
    found = due.change(
        "core_job",
        "state = 'running', fence = fence + 1, attempts = attempts + 1, lease_until = %s",
        where="id = %s AND fence = %s AND state = 'waiting'",
        params=[at + LEASE, *ticket],
        returning=_CLAIM,
    )
    return _claim(found[0]) if found else None


def run(claimed: Claim) -> Result:
    """Do the work of one claim. Nothing leaves this function but a result."""
    return _attempt(claimed)[0]


def settle(results: Iterable[Result], *, at: datetime) -> int:
    """Write down how jobs ended, all in one transaction; returns how many the fence refused."""
    results = list(results)
    done = [(result.claim.id, result.claim.fence) for result in results if not result.error]
    written = 0
    with transaction.atomic():
        if done:
            mine, whose = due.tickets(done)
            changed = due.change(
                "core_job",
                "state = 'done', finished_at = %s, lease_until = NULL, error = ''",
                where=f"state = 'running' AND {mine}",
                params=[at, *whose],
            )
            written += len(changed)
        written += sum(_put_back(result, at=at) for result in results if result.error)
    return len(results) - written


def renew(tickets: Iterable[due.Ticket], *, at: datetime) -> None:
    """Say that these are still being run. One that is just being written down needs no lease any more."""
    if given := list(tickets):
        mine, whose = due.tickets(given)
        running = due.one_of(f"SELECT id FROM core_job WHERE state = 'running' AND {mine}")  # noqa: S608
        due.change("core_job", "lease_until = %s", where=running, params=[at + LEASE, *whose])


def free_lost(*, at: datetime) -> int:
    """Put back what a worker that died was running; what killed its worker too often has failed."""
    lost = due.rows(
        f"SELECT {_CLAIM} FROM core_job WHERE state = 'running' AND lease_until < %s LIMIT 100",  # noqa: S608
        [at],
    )
    if lost:
        settle([Result(_claim(row), "The worker stopped while it ran.") for row in lost], at=at)
    return len(lost)


def tick(*, at: datetime, since: datetime | None = None) -> datetime | None:
    """Enqueue the present tick of the work whose tick began after `since`, unless another worker was quicker.

    Returns when the next one is due.
    """
    begun = [each for each in periodics.values() if since is None or each.number(since) != each.number(at)]
    if wanted := _wanted(begun, at=at):
        Job.objects.bulk_create(
            [Job(task=each.task.name, key=each.key(at), due_at=at, created_at=at) for each in wanted],
            ignore_conflicts=True,
        )
    return min((each.next_after(at) for each in periodics.values()), default=None)


def _wanted(begun: Sequence[Periodic], *, at: datetime) -> list[Periodic]:
    """Those of which there may be something to do, asked together."""
    asking = [each for each in begun if each.when]
    if not asking:
        return list(begun)
    moments = [at for each in asking for _ in range(each.when.count("%s"))]
    (found,) = due.rows("SELECT " + ", ".join(f"EXISTS ({each.when})" for each in asking), moments)
    idle = {each.task.name for each, is_any in zip(asking, found, strict=True) if not is_any}
    return [each for each in begun if each.task.name not in idle]


def prune(*, at: datetime) -> int:
    """Forget what was done some days ago and what failed long ago, in small steps that hold up nobody."""
    done = Job.objects.filter(state=Job.State.DONE, finished_at__lt=at - KEEP_DONE)
    failed = Job.objects.filter(state=Job.State.FAILED, finished_at__lt=at - KEEP_FAILED)
    pruned = 0
    for old in (done, failed):
        ids = list(old.values_list("pk", flat=True)[:PRUNE_BATCH])
        pruned += Job.objects.filter(pk__in=ids).delete()[0]
    return pruned


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many tries: doubling, and scattered, so that a crowd returns one by one."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 20), LONGEST_WAIT)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 — scatter, not secrecy


def _place(function: Callable[..., None]) -> tuple[str, str]:
    return function.__module__, function.__qualname__


def _claim(row: tuple[Any, ...]) -> Claim:
    id, fence, name, args, attempts, request = row
    return Claim(id, fence, name, json.loads(args) if isinstance(args, str) else args, attempts, request)


def _attempt(claimed: Claim) -> tuple[Result, Exception | None]:
    with logs.following(claimed.request):
        try:
            _function(claimed.task)(**claimed.args)
        except Exception as error:  # noqa: BLE001 — whatever it is, it is this job's error and stays with it
            log.warning("Job %s %s failed: %s (%s)", claimed.id, claimed.task, describe(error), _where(error))
            return Result(claimed, describe(error)), error
    return Result(claimed), None


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-3:]
    return ", ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in last)


def _function(name: str) -> Callable[..., None]:
    try:
        return tasks[name].function
    except KeyError:
        raise UnknownTask(f"No task is named {name}.") from None


def _put_back(result: Result, *, at: datetime) -> int:
    claimed = result.claim
    attempts = tasks[claimed.task].attempts if claimed.task in tasks else 8
    mine = Job.objects.filter(pk=claimed.id, fence=claimed.fence, state=Job.State.RUNNING)
    if claimed.attempts < attempts:
        later = at + backoff(claimed.attempts)
        return mine.update(state=Job.State.WAITING, due_at=later, lease_until=None, error=result.error)
    return mine.update(state=Job.State.FAILED, finished_at=at, lease_until=None, error=result.error)
