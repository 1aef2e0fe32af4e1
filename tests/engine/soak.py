"""A day in half an hour: real workers and a real desk by a clock that is 48 times as fast, beside a fake network.

    soak.py --minutes 30 [--channels 50] [--messages 20000] [--posts 2000] [--kill-every 30]

Two of three workers and one of two desks are killed at random, again and again; somebody answers at that desk all the
time. The third worker and the other desk, at which people read, live on from beginning to end: their memory is watched.
All that runs by the clock runs. Prints what became of each message, post and answer, by the network's own list, as
JSON.

Only what time it is goes faster (`clock.now`, and with it whatever is due). Waits, time limits and the network stay as
they are, and so do leases: told in the fast time, they are made as much longer. That all is late by seconds, which are
minutes of such a day, is no fault: no post is missed for it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing.sharedctypes import RawValue
from types import SimpleNamespace

import rig
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.crypto import get_random_string

from tertulia.channels.models import Account, Delivery, Message
from tertulia.connectors.contract import Outcome
from tertulia.core import jobs, worker
from tertulia.core.backup.databases import migrate
from tertulia.core.models import Job
from tertulia.flows import outbound, polling
from tertulia.inbox import queries
from tertulia.inbox.models import Conversation
from tertulia.project import memory
from tertulia.team.models import User

sys.path.append(str(rig.HERE.parent.parent))
from benchmarks.stage import Server

SPEED = 48
HALF_HOUR = {"messages": 20_000, "posts": 2_000}
POLL_SECONDS = 120
WORKERS = 3
INBOX = "/b/rig/inbox/"
TOKEN = get_random_string(32)


class FastClock:
    """As fast as any other until it is told to begin. All processes forked from this one share it."""

    def __init__(self) -> None:
        self._began = RawValue("d", float("inf"))

    def begin(self) -> None:
        self._began.value = time.time()

    def now(self) -> datetime:
        real = time.time()
        return datetime.fromtimestamp(real + max(real - self._began.value, 0) * (SPEED - 1), UTC)


def soak(*, minutes: float, channels: int, messages: int, posts: int, kill_every: float) -> dict[str, object]:
    fast, day = FastClock(), minutes * 60 * SPEED
    timezone.now = fast.now
    each = messages // channels
    network = rig.Network(0.03, messages=each, more=(each / (day * 0.97), SPEED))
    workers, desk, dying_desk = rig.Workers("embedded"), Desk(), Desk()
    migrate(connection)
    call_command("collectstatic", verbosity=0)
    rows = rig.write_posts(network, posts, channels=channels)
    rig.spread(rows, day)
    desk.start()
    dying_desk.start()
    people = People(desk, dying_desk)
    people.start()
    fast.begin()
    alive = [workers.start() for _ in range(WORKERS)]
    watched = {"desk": desk.server, "worker": Server(SimpleNamespace(pid=alive[0]), 0)}
    held: dict[str, list[float]] = {name: [] for name in watched}
    end, kill_at, kills = time.monotonic() + minutes * 60, time.monotonic() + kill_every, 0
    while (now := time.monotonic()) < end:
        for name, server in watched.items():
            held[name].append(server.memory().needed)
        if now >= kill_at:
            victim = random.randrange(WORKERS)
            if victim:
                workers.kill(alive[victim])
                alive[victim] = workers.start()
            else:
                dying_desk.kill()
                dying_desk.start()
            kills += 1
            kill_at = now + kill_every * random.uniform(0.5, 1.5)
        time.sleep(1)
    people.stop()
    rig.wait_for(
        lambda: rig.what_is_left(each * channels - all_here()), lambda left: not left, seconds=300 + minutes * 60
    )
    for pid in alive:
        workers.stop(pid)
    workers.end()
    desk.end()
    dying_desk.end()
    tried_once = [name for name, task in jobs.tasks.items() if task.attempts == 1]  # by the clock: next time does it
    failed = Counter(Job.objects.filter(state="failed").exclude(task__in=tried_once).values_list("task", flat=True))
    written = set(Message.objects.filter(direction="out").values_list("text", flat=True))
    ids = {row.pk for row in rows} | set(Delivery.objects.values_list("pk", flat=True))
    found = rig.judge_posts(network, ids) | judge_messages(each) | {
        "minutes": minutes, "kills": kills, "posts": posts, "answers": len(people.confirmed),
        "answers_lost": len(people.confirmed - written),
        "pages": people.pages, "pages_refused": len(people.refused), "refusals": people.refused[:3],
        "jobs_failed": failed.total(), "failures": dict(failed),
        "memory": {name: growth(samples) for name, samples in held.items()},
    }  # fmt: skip
    network.close()
    return found


def all_here() -> int:
    return Message.objects.filter(direction="in").count()


def judge_messages(each: int) -> dict[str, int]:
    """How often each message of every account is shown in its conversation."""
    shown = Counter(
        (conversation.account_id, message.remote_id)
        for conversation in Conversation.objects.all()
        for message in queries.messages(conversation)
        if message.direction == "in"
    )
    there = {(account.pk, f"in-{number}") for account in Account.objects.all() for number in range(1, each + 1)}
    return {
        "messages": len(there),
        "messages_lost": len(there - shown.keys()),
        "messages_doubled": shown.total() - len(there & shown.keys()),
    }


class Desk:
    """The pages on a port of their own: a process with its children."""

    def __init__(self) -> None:
        self.port = settings.PORT = rig.free_port()  # a process forked now keeps it
        self._processes = rig.Workers("web")

    def start(self) -> None:
        self.server = Server(SimpleNamespace(pid=self._processes.start()), self.port)

    def kill(self) -> None:
        main, *children = self.server.family()
        self._processes.kill(main)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def end(self) -> None:
        self.kill()
        self._processes.end()


class People:
    """Two look at one page after the other at the desk that lives; one more answers at the desk that dies."""

    def __init__(self, desk: Desk, dying_desk: Desk) -> None:
        self.pages, self.refused, self.confirmed = 0, list[str](), set[str]()
        client = Client()
        client.force_login(User.objects.get())
        self._cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
        self._desk, self._dying_desk, self._is_over = desk, dying_desk, threading.Event()
        self._threads = [threading.Thread(target=act, daemon=True) for act in (self._read, self._read, self._answer)]

    def start(self) -> None:
        for desk in (self._desk, self._dying_desk):
            rig.wait_for(partial(self._ask, desk, INBOX), bool)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        while not self._is_over.wait(0.2):
            try:
                for path in [*self._some(self._desk, 3), "/b/rig/posts/"]:
                    self._ask(self._desk, path)
                    self.pages += 1
            except (Outcome, RuntimeError) as error:
                self.refused.append(str(error)[:300])

    def _answer(self) -> None:
        """Whoever gets no answer was promised nothing; what was confirmed has to be there."""
        number = 0
        while not self._is_over.wait(0.5):
            with suppress(Outcome, RuntimeError):
                for path in self._some(self._dying_desk, 1):
                    turn = re.findall(r'name="turn" value="(\d+)"', self._ask(self._dying_desk, path))[0]
                    text = f"Abrimos a las {(number := number + 1)}."
                    self._ask(self._dying_desk, f"{path}replies/", {"text": text, "turn": turn})
                    self.confirmed.add(text)

    def _some(self, desk: Desk, many: int) -> list[str]:
        found = re.findall(rf'href="({INBOX}\d+/)', self._ask(desk, INBOX))
        return random.sample(found, min(len(found), many))

    def _ask(self, desk: Desk, path: str, data: dict[str, str] | None = None) -> str:
        """The page; raises RuntimeError for a refusal."""
        headers = {"cookie": f"{self._cookie}; {settings.CSRF_COOKIE_NAME}={TOKEN}", "x-csrftoken": TOKEN}
        address = f"http://127.0.0.1:{desk.port}{path}"
        answer = rig.http.request("POST" if data else "GET", address, headers=headers, data=data)
        if answer.status >= 400:
            raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:200]!r}")
        return answer.body.decode()


def growth(samples: Sequence[float]) -> dict[str, float]:
    """From what follows on the first quarter to the last tenth of the time; the middle of what was seen in each."""
    whole = len(samples)
    first = statistics.median(samples[int(whole * 0.25) : int(whole * 0.35) + 1])
    last = statistics.median(samples[int(whole * 0.9) :])
    return {"first_mb": round(first, 1), "last_mb": round(last, 1), "percent": round(100 * (last / first - 1), 1)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--channels", type=int, default=50)
    for what, many in HALF_HOUR.items():
        options.add_argument(f"--{what}", type=int, help=f"{many} in half an hour")
    options.add_argument("--kill-every", type=float, default=30)
    asked = vars(options.parse_args())
    for what, many in HALF_HOUR.items():
        asked[what] = asked[what] or int(many * asked["minutes"] / 30)
    memory.keep_little()  # as the `tertulia` command does; all processes are forked from this one
    rig.invented_networks.install()
    for kind in rig.KINDS:
        be_busy(kind)
    for lane in (jobs, outbound, polling):
        lane.LEASE *= SPEED
    worker.RENEW_FOR *= SPEED
    try:
        print(json.dumps(soak(**asked)))
    finally:
        if rig.drop_database:
            connection.close()
            rig.drop_database()


def be_busy(kind: str) -> None:
    """Its accounts are read, too; and where it shows what was sent within a second, that is one of ours."""
    connector = rig.invented_networks.registry.get(kind)
    can, own = connector.capabilities, {"shows_own_within": SPEED}
    finds = can.finds and can.publishes.finds
    publishes = replace(can.publishes, **own) if finds else can.publishes
    busy = replace(can, polls=True, poll_seconds=POLL_SECONDS, publishes=publishes)
    connector.capabilities = replace(busy, **own) if finds else busy


if __name__ == "__main__":
    main()
