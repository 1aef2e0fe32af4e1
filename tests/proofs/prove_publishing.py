"""Publishing is killed, or something fails under it, at one system call after another; then the network's own list is
compared with ours.

    python tests/proofs/prove_publishing.py [--points 500] [--hands 2]

Prints a table (tried, lost, doubled, unknown) and ends with 1 when something was lost or doubled, or unknown where the
network could have been asked. Needs Linux and strace, which does the killing (`--inject`). `DATABASE_URL` names a
PostgreSQL server; without it it is SQLite. Each hand is a database, a network and a publisher of its own.

A point is a system call of the publisher and which time it comes: before it the process is killed, or it fails as full
disks, bad disks and broken lines make it fail; or the network takes a post and falls silent. Each point has a post of
its own, of three texts and a picture, for three networks: one that knows our keys, one that can be read, and one that
is neither; from the last the post before is deleted meanwhile. What is left is done by a publisher that nothing happens
to, hours later by the clock that all of them read.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import urlsplit

TESTS = Path(__file__).resolve().parent.parent
KINDS = ("fake-keyed", "fake-looking", "fake-blind")
SILENCES = (
    "accept_then_hang",
    "accept_then_cut",
    "accept_then_half",
    "accept_then_html",
    "accept_then_504",
    "cut_before",
)
FAILS = {
    "pwrite64": ("ENOSPC", "EIO"),
    "write": ("ENOSPC", "EPIPE"),
    "ftruncate": ("ENOSPC",),
    "fallocate": ("ENOSPC",),
    "fsync": ("EIO",),
    "fdatasync": ("EIO", "ENOSPC"),
    "openat": ("EMFILE", "ENOSPC"),
    "socket": ("EMFILE",),
    "connect": ("ECONNREFUSED", "ETIMEDOUT"),
    "sendto": ("EPIPE", "ECONNRESET"),
    "recvfrom": ("ECONNRESET", "ETIMEDOUT"),
    "pread64": ("EIO",),
    "mmap": ("ENOMEM",),
    "unlink": ("EIO",),
}
"""What these calls answer when disks are full or bad, memory or handles are short, or a line breaks."""
NOT_OURS = frozenset({"restart_syscall", "exit_group", "exit", "rt_sigreturn"})
STEP, SOON = timedelta(seconds=20), timedelta(minutes=10)
"""So often a publisher looks what is due; later every minute."""
HANGS = 30.0
"""Seconds. Python 3.11 waits for ever for a thread that found no memory to begin in."""
DOT = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
"""A picture of one point."""


@dataclass(frozen=True, slots=True)
class Point:
    """The `nth` time that one of its threads makes this `call`, counted from the beginning or from the request number
    `since` on (each request has a thread of its own). `call` "": nothing happens to the process, but `what` to what the
    network answers, at its `nth` request."""

    call: str
    nth: int
    what: str
    since: int = 0

    @property
    def kind(self) -> str:
        if not self.call:
            return f"the network: {self.what}"
        return "kill -9" if self.what == "KILL" else self.what


SILENT = [Point("", nth, what) for what in SILENCES for nth in range(7)]
"""A picture, three texts and, on one of the networks, three deletions."""


@dataclass(slots=True)
class Tally:
    """What became of the deliveries of some points. `hit`: so many of them were really met with."""

    points: int = 0
    hit: int = 0
    tried: int = 0
    deletions: int = 0
    sent: int = 0
    lost: int = 0
    doubled: int = 0
    unknown: int = 0
    unknown_though_askable: int = 0
    behind: int = 0
    """They wait behind a text of which it isn't known whether it is there."""
    refused: int = 0
    untold: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


# ── the hand: database, network, publisher ─────────────────────────────────


class Hand:
    """One database with its networks; `try_point` uses them for one point."""

    kinds: Sequence[str] = KINDS
    minutes, afterwards = 4, 150
    """Of the clock: while it is looked on, and while what is left is done."""
    last: Any = None
    """The post of the point before."""

    def __init__(self, home: Path, *, is_forgetful: bool = False) -> None:
        os.environ["TERTULIA_HOME"] = str(home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "tertulia.project.settings"
        os.environ["TERTULIA_LOG_LEVEL"] = "CRITICAL"
        os.environ["TERTULIA_ALLOWED_ADDRESSES"] = "127.0.0.0/8"
        os.environ.pop("TERTULIA_BROKER_URL", None)
        self._drop = _own_database()
        self.networks = {kind: Beside(kind == "fake-keyed" and not is_forgetful) for kind in self.kinds}
        import_module("django").setup()
        import_module("tertulia.core.backup.databases").migrate(import_module("django.db").connection)
        self._furnish()
        self._close_connections()

    def _furnish(self) -> None:
        from fakes.connector import KINDS as FAKES
        from fakes.network import SIGNING, TOKEN
        from tertulia.brand.models import Brand
        from tertulia.channels import models as channels
        from tertulia.channels.models import Account
        from tertulia.connectors import registry
        from tertulia.publishing import library
        from tertulia.team.models import Membership, User

        installed = registry.all_connectors()
        registry.all_connectors = lambda: {**installed, **FAKES}  # type: ignore[assignment]
        self.gate = channels.http = _gate()
        self.now = datetime.fromisoformat("2026-11-24T09:00:00+00:00")
        self.brand = Brand.objects.create(slug="proof", name="Proof", created_at=self.now, time_zone="Europe/Madrid")
        self.by = User.objects.create(email="alba@proof.example", name="Alba")
        Membership.objects.create(user=self.by, brand=self.brand, role="manager", created_at=self.now)
        self.accounts = [
            Account.objects.create(
                brand=self.brand, kind=kind, name=kind, created_at=self.now,
                settings={"url": self.networks[kind].url}, secrets={"token": TOKEN, "signing": SIGNING},
            )
            for kind in self.kinds
        ]  # fmt: skip
        self.picture = library.add(
            brand=self.brand, name="pan.gif", content=DOT, by=self.by, at=self.now, alt="Un pan de pueblo"
        )

    def _close_connections(self) -> None:
        """A child must not use its parent's."""
        import_module("django.db").connections.close_all()

    def lay_out(self) -> Any:
        """What is done at one point: a post, scheduled for a minute later, and the one before is deleted."""
        from tertulia.publishing import actions
        from tertulia.publishing.saying import Piece, Shown, Wanted

        self.now += timedelta(hours=12)
        deleted = self._have_last_deleted()
        pieces = [
            Piece(f"Pan de pueblo {self.now:%d %H}", pictures=(Shown(self.picture.pk),)), Piece("Y más pan"),
            Piece("¿Lo pruebas?", "comment"),
        ]  # fmt: skip
        post = actions.create(
            brand=self.brand, by=self.by, at=self.now, pieces=pieces,
            versions={account.pk: Wanted() for account in self.accounts},
        )  # fmt: skip
        wall = (self.now + timedelta(minutes=1)).astimezone(import_module("zoneinfo").ZoneInfo("Europe/Madrid"))
        actions.plan(post=post, wall=wall.replace(tzinfo=None), by=self.by, at=self.now)
        self.last = actions.schedule(post=post, by=self.by, at=self.now)
        self._close_connections()
        return [self.last, *deleted]

    def _have_last_deleted(self) -> list[Any]:
        """The last post, if any of it is being deleted from the network that can't be asked."""
        from tertulia.publishing import actions
        from tertulia.publishing.problems import Problem

        blind = [account.pk for account in self.accounts if account.kind == "fake-blind"]
        with suppress(Problem):  # nothing of it is known to be there
            if self.last and actions.delete(post=self.last, accounts=blind, by=self.by, at=self.now):
                return [self.last]
        return []

    def try_point(self, point: Point) -> Tally:
        subject = self.lay_out()
        if point.call:
            with tempfile.NamedTemporaryFile("r") as log:
                died = self.publish(
                    minutes=self.minutes,
                    after=timedelta(minutes=1),
                    strace=["-o", log.name, *_injection(point)],
                    since=point.since,
                )
                is_hit = "(INJECTED)" in log.read() or died == signal.SIGKILL
        else:
            for network in self.networks.values():
                network.misbehave([*[""] * point.nth, point.what])
            self.publish(minutes=self.minutes, after=timedelta(minutes=1))
            is_hit = not all(network.ask(attrgetter("faults")) for network in self.networks.values())
            for network in self.networks.values():
                network.misbehave([])
        self.publish(minutes=self.afterwards, after=timedelta(minutes=6))
        tally = self._judge(subject, point)
        tally.points, tally.hit = 1, int(is_hit)
        return tally

    def publish(self, *, minutes: int, after: timedelta, strace: Sequence[str] = (), since: int = 0) -> int | None:
        """A publisher of its own works for so many minutes of the clock. Returns how it ended, None when as it should.

        With `strace` that looks on from request number `since`.
        """
        arrived, arrive = os.pipe()
        begin, go = os.pipe()
        if (pid := os.fork()) == 0:
            os.close(go)
            os.close(arrived)
            self.gate.close(since if strace else -1, arrive, begin)
            try:
                self._work(self.now + after, minutes)
            except BaseException as error:  # noqa: BLE001 — a worker whose disk is full ends, and is started again
                sys.stderr.write(f"{error!r}\n" if os.environ.get("PROOF_TALKS") else "")
                os._exit(3)
            os._exit(0)
        os.close(begin)
        os.close(arrive)
        looker = _attach(pid, strace) if os.read(arrived, 1) else None  # nothing: it ended before
        os.close(arrived)
        with suppress(BrokenPipeError):
            os.write(go, b"!")
        os.close(go)
        status = _end_of(pid)
        if looker:
            looker.wait()
        return status or None

    def _work(self, since: datetime, minutes: int) -> None:
        from tertulia.core import clock, jobs
        from tertulia.flows import outbound

        at, end = since, since + timedelta(minutes=minutes)
        while at <= end:
            clock.now = lambda at=at: at  # type: ignore[misc]
            outbound.run_due(at)
            jobs.run_due(at, raises=False)
            at += STEP if at - since < SOON else 3 * STEP

    def _judge(self, subject: Any, point: Point) -> Tally:
        from tertulia.channels.models import Account, Delivery
        from tertulia.core.models import Activity

        tally = Tally()
        post, *deleted = subject
        rows = Delivery.objects.filter(post__in=post.versions.values("sendings__remote"))
        for one in deleted:
            rows |= Delivery.objects.filter(post__in=one.versions.values("sendings__remote"), act="delete")
        told = Counter(
            str(data["delivery"])
            for data in Activity.objects.filter(type__startswith="post.").values_list("data", flat=True)
            if "delivery" in data
        )
        for row in rows.select_related("account", "post", "after").order_by("pk"):
            network, is_deletion = self.networks[row.account.kind], row.act == "delete"
            there = int(network.has_deleted(row.post.remote_id)) if is_deletion else network.count(row.key)
            tally.tried += 1
            tally.deletions += is_deletion
            tally.sent += row.state == "sent"
            tally.doubled += there > 1
            is_lost = not (there if row.state == "sent" else _is_told(row, there, is_deletion=is_deletion))
            tally.lost += is_lost
            tally.unknown += row.state == "unknown"
            is_askable = row.account.kind != "fake-blind"
            tally.unknown_though_askable += row.state == "unknown" and is_askable
            tally.behind += row.state == "waiting"
            tally.refused += row.state == "refused"
            is_untold = row.state not in {"waiting"} and not told[str(row.pk)]
            tally.untold += is_untold
            if there > 1 or is_lost or is_untold or (row.state == "unknown" and is_askable):
                tally.wrong.append(f"{point}: {row.account.kind}, {row.act}: {row.state}, {there} there. {row.why}")
        Account.objects.update(state="active")
        self._close_connections()
        return tally

    def baseline(self) -> list[Counter[str]]:
        """How often each thread of an undisturbed publisher makes each system call: itself first, then its requests."""
        self._undisturbed()  # what is loaded only once is loaded then, and there is something to be deleted
        return self._undisturbed()

    def _undisturbed(self) -> list[Counter[str]]:
        subject = self.lay_out()
        with tempfile.NamedTemporaryFile("r") as log:
            self.publish(minutes=self.minutes, after=timedelta(minutes=1), strace=["-o", log.name])
            calls: dict[str, Counter[str]] = {}
            for thread, call in re.findall(r"^(\d+) +(\w+)\(", log.read(), re.MULTILINE):
                calls.setdefault(thread, Counter())[call] += call not in NOT_OURS
        tally = self._judge(subject, Point("", 0, "nothing"))
        if tally.sent != tally.tried or tally.wrong:
            raise SystemExit(f"Undisturbed, everything should end well: {tally}")
        return list(calls.values())

    def choose(self, threads: Sequence[Counter[str]], number: int) -> list[Point]:
        return choose(threads, number)

    def end(self) -> None:
        for network in self.networks.values():
            network.end()
        if self._drop:
            self._close_connections()
            self._drop()


def _is_told(row: Any, there: int, *, is_deletion: bool) -> bool:
    """Whether what wasn't sent stands for what is: refused and not there, not known where nobody can look, or behind
    one of these. Setting a deletion once more changes nothing, so that it comes to its end."""
    if is_deletion:
        return False
    if row.state == "waiting":
        return there == 0 and row.after.state in {"unknown", "refused", "waiting"}
    return row.state == "unknown" or (row.state == "refused" and there == 0)


def _is_on_postgresql() -> bool:
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


def _own_database() -> Any:
    """On PostgreSQL a database of this run's own; returns what drops it."""
    url = os.environ.get("DATABASE_URL", "")
    if not _is_on_postgresql():
        os.environ.pop("DATABASE_URL", None)
        return None
    psycopg = import_module("psycopg")
    base, name = urlsplit(url), f"tertulia_proof_{os.getpid()}"
    admin = base._replace(path="/postgres").geturl()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = base._replace(path=f"/{name}").geturl()

    def drop() -> None:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    return drop


def _gate() -> Any:
    from tertulia.core.http import Door

    class Gate(Door):
        """The door out, at which the publisher can be made to wait until somebody looks on."""

        def close(self, since: int, arrive: int, begin: int) -> None:
            """Wait before request number `since`, at once for 0, never for -1."""
            self._left, self._arrive, self._begin = since, arrive, begin
            if since == 0:
                self._wait()

        def request(self, *said: Any, **more: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                self._wait()
            return super().request(*said, **more)

        def _wait(self) -> None:
            os.write(self._arrive, b"!")
            os.read(self._begin, 1)
            os.close(self._arrive)

    return Gate(total=1.5)


class Beside:
    """The fake network in a process of its own."""

    def __init__(self, honours_keys: bool) -> None:
        self._ask, answer = Pipe()
        self._process = Process(target=_be_network, args=(answer, honours_keys), daemon=True)
        self._process.start()
        self.url: str = self._ask.recv()

    def _do(self, what: str, said: Any) -> Any:
        self._ask.send((what, said))
        return self._ask.recv()

    def count(self, key: str) -> int:
        """How many posts with this key exist there."""
        return int(self._do("count", key))

    def ask(self, what: Callable[[Any], Any]) -> Any:
        """What a function of a module makes of the network, over there."""
        return self._do("ask", what)

    def has_deleted(self, remote_id: str) -> bool:
        return remote_id in self.ask(attrgetter("deleted"))

    def misbehave(self, faults: Sequence[str]) -> None:
        self._do("faults", list(faults))

    def end(self) -> None:
        self._process.kill()


def _be_network(answer: Connection, honours_keys: bool) -> None:
    from fakes.network import Network, running

    with running(Network(honours_keys=honours_keys, hang_seconds=2.0)) as network:
        answer.send(network.url)
        while True:
            what, said = answer.recv()
            if what == "faults":
                network.faults.clear()
                network.faults.extend(said)
            answer.send(len(network.find(said)) if what == "count" else said(network) if callable(said) else None)


# ── what is done to it ─────────────────────────────────────────────────────


def _injection(point: Point) -> list[str]:
    how = "signal=KILL" if point.what == "KILL" else f"error={point.what}"
    return ["-e", f"trace={point.call}", "-e", f"inject={point.call}:{how}:when={point.nth}"]


def _end_of(pid: int) -> int:
    """How a publisher ended. One that hangs is killed, as whoever watches over workers would."""
    deadline = time.monotonic() + HANGS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def _attach(pid: int, arguments: Sequence[str]) -> subprocess.Popen[str]:
    looker = subprocess.Popen(["strace", "-f", *arguments, "-p", str(pid)], stderr=subprocess.PIPE, text=True)
    assert looker.stderr
    line = looker.stderr.readline()
    if "attached" not in line:
        os.kill(pid, signal.SIGKILL)
        raise SystemExit(f"strace can't look on: {line.strip()}")
    return looker


def choose(threads: Sequence[Counter[str]], number: int) -> list[Point]:
    """So many points, spread evenly over all that there are: three in five kill, a tenth silence the network."""
    places = [
        (call, nth, since)
        for since, calls in enumerate(threads)
        for call, count in sorted(calls.items())
        for nth in range(1, count + 1)
    ]
    kills = [Point(call, nth, "KILL", since) for call, nth, since in places]
    # A line to PostgreSQL that only claims to be broken: libpq waits for the last word of a server that has none.
    possible = {call: some for call, some in FAILS.items() if call != "sendto" or not _is_on_postgresql()}
    fails = [Point(call, nth, what, since) for call, nth, since in places for what in possible.get(call, ())]
    some = _spread(SILENT, number // 10) + _spread(fails, number * 3 // 10)
    return some + _spread(kills, number - len(some))


def _spread(points: Sequence[Point], number: int) -> list[Point]:
    number = min(number, len(points))
    return [points[int(at * len(points) / number)] for at in range(number)]


# ── several hands ──────────────────────────────────────────────────────────


def work(answer: Connection, kind: type[Hand], number: int, share: tuple[int, int], is_forgetful: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="tertulia-proof-") as home:
        hand = kind(Path(home), is_forgetful=is_forgetful)
        threads = hand.baseline()
        # The first request hands in the picture, the second publishes.
        chosen = [one for one in SILENT if one.nth == 1][:number] if is_forgetful else hand.choose(threads, number)
        begin, step = share
        for point in chosen[begin::step]:
            answer.send((point.kind, asdict(hand.try_point(point))))
        hand.end()
    answer.send(None)


@contextmanager
def hands(kind: type[Hand], number: int, many: int, *, is_forgetful: bool) -> Iterator[list[Connection]]:
    ends, processes = [], []
    for hand in range(many):
        ours, theirs = Pipe()
        processes.append(Process(target=work, args=(theirs, kind, number, (hand, many), is_forgetful)))
        processes[-1].start()
        theirs.close()
        ends.append(ours)
    try:
        yield ends
    finally:
        for process in processes:
            process.join(timeout=10)
            process.kill()


def main(kind: type[Hand] = Hand, said: str = __doc__, what: str = "Publishing") -> None:
    options = argparse.ArgumentParser(description=said, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--points", type=int, default=500)
    options.add_argument("--hands", type=int, default=2)
    options.add_argument(
        "--forgetful", action="store_true", help="let the network forget its keys: this must be noticed"
    )
    options.add_argument("--json", action="store_true", help="print the sums as JSON")
    asked = options.parse_args()
    if not which("strace"):
        raise SystemExit("This needs strace (Debian: apt install strace).")
    sys.path.insert(0, str(TESTS))
    by_kind: dict[str, Tally] = {}
    with hands(kind, asked.points, asked.hands, is_forgetful=asked.forgetful) as ends:
        for end in ends:
            _collect(end, by_kind, asked.points)
    _tell(by_kind, what, asked.json)


def _collect(end: Connection, by_kind: dict[str, Tally], points: int) -> None:
    while True:
        try:
            said = end.recv()
        except EOFError:
            raise SystemExit("A hand has ended before its time.") from None
        if said is None:
            return
        kind, found = said
        by_kind.setdefault(kind, Tally()).add(Tally(**found))
        done = sum(one.points for one in by_kind.values())
        if done % 50 == 0:
            print(f"{done} of {points}", file=sys.stderr)


def _tell(by_kind: dict[str, Tally], what: str, as_json: bool) -> None:
    whole = Tally()
    for tally in by_kind.values():
        whole.add(tally)
    if as_json:
        print(json.dumps({**asdict(whole), "by_kind": {kind: asdict(tally) for kind, tally in by_kind.items()}}))
    else:
        vendor = "PostgreSQL" if _is_on_postgresql() else "SQLite"
        print(f"{what} on {vendor}")
        head = (
            "", "points", "hit", "tried", "deletions", "sent", "lost", "doubled", "unknown", "behind", "refused",
            "untold",
        )  # fmt: skip
        print(f"{head[0]:32}" + "".join(f"{name:>10}" for name in head[1:]))
        for kind, tally in [*sorted(by_kind.items()), ("all", whole)]:
            figures = [getattr(tally, name) for name in head[1:]]
            print(f"{kind:32}" + "".join(f"{figure:>10}" for figure in figures))
        print(f"unknown on networks that can be asked: {whole.unknown_though_askable}")
        for line in whole.wrong[:40]:
            print(f"  {line}")
    if whole.lost or whole.doubled or whole.unknown_though_askable or whole.untold:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
