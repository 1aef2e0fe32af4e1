"""Backup, restoring and moving are killed or broken at one system call after another; then what is there is read.

    python tests/proofs/prove_backups.py [--points 60] [--hands 1]

As `prove_publishing.py`, whose points, faults and strace these are. `tertulia backup` is made while somebody writes;
`tertulia restore --over` takes the place of another installation; with PostgreSQL `tertulia move` goes there from
SQLite. After each point there is a whole backup of one moment or none under its name; an installation as it was or as
the backup has it, or one that says that it was left half way and won't start, and that the same command brings to its
end; a database with every row or an empty one. Nothing of what was there before may be gone. A command that ends
otherwise than with a sentence counts as untold. What is restored has posts for two networks that were due when the
backup was made and left after it: once it is in place publishing goes on for two hours, and what is there twice then
is doubled.
"""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from importlib import import_module
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import urlsplit

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from proofs import prove_publishing as proof
from proofs.prove_publishing import DOT, FAILS, Hand, Point, Tally

proof.HANGS = 120.0  # making all tables on PostgreSQL is slow on a busy machine
AT = datetime.fromisoformat("2026-11-24T09:00:00+00:00")
FAILING = FAILS | {
    "rename": ("EIO", "ENOSPC"), "mkdir": ("ENOSPC",), "copy_file_range": ("ENOSPC",), "read": ("EIO",),
    "lseek": ("EIO",), "utimensat": ("EIO",),
}  # fmt: skip
"""And what moves whole files."""
ENDED, TOLD = 0, 1 << 8
"""How a command ends that did it, or said why not, as `waitpid` has it."""
State = Mapping[str, Any]


class Desk(Hand):
    """One installation at which commands are run."""

    share = 1.0
    """Of the points that are asked for."""

    def __init__(self, home: Path, *, is_forgetful: bool = False) -> None:
        self.home = home / "desk"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            os.environ["TERTULIA_PORT"] = str(probe.getsockname()[1])
        self._prepare(home)
        super().__init__(self.home)

    def _prepare(self, home: Path) -> None:
        """Before Django is."""
        self.beside, self.log = home, home / "calls"

    kinds = ()

    def _furnish(self) -> None:
        from tertulia.core import clock
        from tertulia.core.backup import archive
        from tertulia.flows import first_run
        from tertulia.project import commands, installing, moving, restoring, saving
        from tertulia.team.models import User

        _play_back(Path(os.environ["PROOF_STATEMENTS"]))
        assert all((commands, moving, restoring, saving))  # loaded once, here: points are where the work is done

        clock.now = lambda: AT  # type: ignore[misc]
        installing.prepare()
        self.by = User.objects.create(email="alba@proof.example", name="Alba")
        first_run.add_sample(user=self.by, at=AT)
        for name in ("pan.gif", "vino.gif"):
            (self.home / "media" / name[0]).mkdir(parents=True, exist_ok=True)
            (self.home / "media" / name[0] / name).write_bytes(DOT + name.encode())
        self._fill()
        self.file = self.beside / "before.zip"
        archive.make(self.file, at=AT, with_keys=True)

    def _fill(self) -> None:
        """What else is in the backup."""

    def run(self, command: str, strace: Sequence[str] = (), **options: Any) -> int:
        """The command, in a process of its own; returns how it ended."""
        arrived, arrive = os.pipe()
        begin, go = os.pipe()
        if (pid := os.fork()) == 0:
            os.close(go)
            os.close(arrived)
            talks = os.environ.get("PROOF_TALKS")
            if not talks:
                quiet = os.open(os.devnull, os.O_WRONLY)
                os.dup2(quiet, 1)
                os.dup2(quiet, 2)
            os.write(arrive, b"!")
            try:
                with suppress(OSError):  # the first call that is looked on
                    os.read(begin, 1)
                status = import_module("tertulia.project.commands").run(command, argparse.Namespace(**options))
                import_module("django.db").connections.close_all()
            except BaseException as error:  # noqa: BLE001 — what a person would see as a traceback
                if talks:
                    import_module("traceback").print_exception(error)
                os._exit(3)
            os._exit(status)
        os.close(begin)
        os.close(arrive)
        os.read(arrived, 1)
        looker = proof._attach(pid, strace) if strace else None
        os.close(arrived)
        os.write(go, b"!")
        os.close(go)
        status = proof._end_of(pid)
        if looker:
            looker.wait()
        return status

    def _work_on(self, strace: Sequence[str]) -> int:
        """The command that is looked on, once."""
        raise NotImplementedError

    def baseline(self) -> list[Counter[str]]:
        self.lay_out()
        status = self._work_on(["-o", str(self.log)])
        calls: dict[str, Counter[str]] = {}
        for thread, call in proof.re.findall(r"^(\d+) +(\w+)\(", self.log.read_text(), proof.re.MULTILINE):
            calls.setdefault(thread, Counter())[call] += call not in proof.NOT_OURS
        tally = self._judged(Point("", 0, "nothing"), status)
        if status != ENDED or tally.wrong or not tally.sent:
            raise SystemExit(f"Undisturbed, everything should end well: {status} {tally}")
        most: Counter[str] = Counter()
        for each in calls.values():
            most |= each
        return [most]

    def choose(self, threads: Sequence[Counter[str]], number: int) -> list[Point]:
        """Each call in turn, the seldom ones (that move and sync files) as often as others; two thirds kill."""
        [calls] = threads
        number = max(1, round(number * self.share))
        kills = [[Point(call, nth, "KILL") for nth in range(1, many + 1)] for call, many in sorted(calls.items())]
        fails = [
            [Point(call, nth, what) for nth in range(1, calls[call] + 1)]
            for call, some in FAILING.items()
            for what in some
            if calls[call]
        ]
        return _in_turn(fails, number // 3) + _in_turn(kills, number - number // 3)

    def try_point(self, point: Point) -> Tally:
        self.lay_out()
        status = self._work_on(["-o", str(self.log), *proof._injection(point)])
        is_hit = "(INJECTED)" in self.log.read_text() or status == signal.SIGKILL
        tally = self._judged(point, status)
        tally.points, tally.hit = 1, int(is_hit)
        return tally

    def _judged(self, point: Point, status: int) -> Tally:
        tally = Tally(tried=1)
        if status not in {ENDED, TOLD, signal.SIGKILL}:
            tally.untold += 1
            tally.wrong.append(f"{self.command}, {point}: ended without a sentence ({status})")
        for wrong in self._amiss(status, tally):
            tally.lost += 1
            tally.wrong.append(f"{self.command}, {point} ({status}): {wrong}")
        self._close_connections()
        return tally

    command = ""

    def _amiss(self, status: int, tally: Tally) -> Iterator[str]:
        """What is not as it should be; counts in `sent` whether what was asked for is there."""
        raise NotImplementedError

    def _rows(self) -> dict[str, Any]:
        """All that is in the installation's own database."""
        from tertulia.core.backup import archive, databases, tables

        own = archive.own_database()
        try:
            of = tables.tables(databases.applied(own))
            if own.vendor == "postgresql":
                return tables.contents(own, of)
            with closing(sqlite3.connect(own.settings_dict["NAME"])) as file:
                return tables.contents(file, of)
        finally:
            self._close_connections()


def _in_turn(queues: list[list[Point]], number: int) -> list[Point]:
    """So many of all of them, as even as can be; of each spread from its beginning to its end."""
    shares = [0] * len(queues)
    number = min(number, sum(map(len, queues)))
    while sum(shares) < number:
        for at, queue in enumerate(queues):
            if shares[at] < len(queue) and sum(shares) < number:
                shares[at] += 1
    return [point for queue, share in zip(queues, shares, strict=True) for point in proof._spread(queue, share)]


def _play_back(folder: Path) -> None:
    """Let the migrations of an empty database run their statements without Django thinking them up each time.

    That takes it twenty seconds, and it is looked on a hundred times.
    """
    from django.db import transaction

    from tertulia.core.backup import databases

    migrate = databases.migrate

    def quickly(database: Any, steps: Any = None) -> None:
        if databases.applied(database):
            migrate(database, steps)
            return
        kept = folder / database.vendor
        if not kept.exists():
            said: list[tuple[str, Any]] = []

            def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
                if not sql.lstrip().upper().startswith(("SELECT", "BEGIN")):
                    said.extend((sql, each) for each in (params if many else [params]))
                return execute(sql, params, many, context)

            with database.execute_wrapper(listen):
                migrate(database, steps)
            kept.write_bytes(pickle.dumps(said))
            return
        with database.constraint_checks_disabled(), transaction.atomic(), database.cursor() as cursor:
            for sql, params in pickle.loads(kept.read_bytes()):
                cursor.execute(sql, params)

    databases.migrate = quickly


# ── backup, while somebody writes ──────────────────────────────────────────


class Saver(Desk):
    command = "backup"

    def _furnish(self) -> None:
        super()._furnish()
        self._close_connections()
        self.writer, theirs = Pipe()
        self._process = Process(target=_write_on, args=(theirs,), daemon=True)
        self._process.start()
        self.writer.recv()

    def lay_out(self) -> None:
        self.target = self.beside / "kept.zip"
        self.target.unlink(missing_ok=True)

    def _work_on(self, strace: Sequence[str]) -> int:
        return self.run(
            "backup", strace, file=str(self.target), daily=False, encrypt=False, passphrase_file="", with_keys=True
        )

    def _amiss(self, status: int, tally: Tally) -> Iterator[str]:
        from tertulia.core.models import Activity

        self.writer.send("?")
        written = self.writer.recv()
        if isinstance(written, str):
            yield f"whoever works meanwhile could not: {written}"
        elif (there := Activity.objects.filter(type="proof").count()) < 2 * written:
            yield f"{there} rows of {2 * written}"
        if self.target.exists():
            tally.sent += 1
            yield from self._amiss_in_it()
        elif status == ENDED:
            yield "it said it was done, and there is none"

    def _amiss_in_it(self) -> Iterator[str]:
        from tertulia.core.backup import archive, tables

        room = self.beside / "unpacked"
        shutil.rmtree(room, ignore_errors=True)
        try:
            with archive.opened(self.target) as backup:
                backup.unpack(room)
                manifest = backup.manifest
        except archive.Refused as refused:
            yield f"a half one: {refused}"
            return
        if not {"media/p/pan.gif", "media/v/vino.gif", *archive.KEYS} <= set(manifest.files):
            yield f"not all files: {sorted(manifest.files)}"
        with closing(sqlite3.connect(room / archive.DATABASE)) as file:
            if tables.contents(file, tables.tables(manifest.steps)) != manifest.tables:
                yield "not the rows it speaks of"
            if file.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                yield "a damaged database"
            ask = "SELECT count(*) FROM core_activity WHERE type = 'proof' GROUP BY on_id HAVING count(*) <> 2"
            if file.execute(ask).fetchall():
                yield "half of a transaction"

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        super().end()


def _write_on(answer: Connection) -> None:
    """Two rows in each transaction, until killed; says how many transactions there were, or what went wrong."""
    from django.db import transaction

    from tertulia.core.models import Activity

    number, wrong = 0, ""
    while True:
        try:
            with transaction.atomic():
                for _half in range(2):
                    Activity.objects.create(
                        brand_id=1, type="proof", on_kind="proof", on_id=number, by_id=None, at=AT, data={}
                    )
            number += 1
        except Exception as error:  # noqa: BLE001 — told to whoever asks
            wrong = repr(error)
        if number == 1:
            answer.send(number)
        if answer.poll(0.05):
            answer.recv()
            answer.send(wrong or number)


# ── restoring over another installation ────────────────────────────────────


PARTS = 3


def take_doubles(network: Any) -> tuple[int, int]:
    """How many posts there are, and how many too many; those are taken away."""
    once = {post["key"]: post for post in network.posts}
    too_many = len(network.posts) - len(once)
    network.posts[:] = once.values()
    return len(once), too_many


class Restorer(Desk):
    command = "restore"
    kinds = ("fake-looking", "fake-blind")

    def _fill(self) -> None:
        """A thread with a comment on each network, due by now."""
        from fakes.connector import KINDS as FAKES
        from fakes.network import SIGNING, TOKEN
        from tertulia.brand.models import Brand
        from tertulia.channels.models import Account
        from tertulia.connectors import registry
        from tertulia.publishing import actions
        from tertulia.publishing.saying import Piece, Wanted

        installed = registry.all_connectors()
        registry.all_connectors = lambda: {**installed, **FAKES}  # type: ignore[assignment]
        brand = Brand.objects.create(slug="proof", name="Proof", created_at=AT)
        accounts = [
            Account.objects.create(
                brand=brand, kind=kind, name=kind, created_at=AT, settings={"url": self.networks[kind].url},
                secrets={"token": TOKEN, "signing": SIGNING},
            )
            for kind in self.kinds
        ]  # fmt: skip
        pieces = [Piece("Pan de pueblo"), Piece("Y más pan"), Piece("¿Lo pruebas?", "comment")]
        wanted = {account.pk: Wanted() for account in accounts}
        post = actions.create(brand=brand, by=self.by, at=AT, pieces=pieces, versions=wanted)
        actions.publish_now(post=post, by=self.by, at=AT - timedelta(minutes=5))

    def _send(self, since: datetime, minutes: int) -> None:
        """Only what is due on these networks, the sample's channels rest."""
        from tertulia.channels.models import Account
        from tertulia.core import clock
        from tertulia.flows import outbound

        Account.objects.exclude(kind__in=self.kinds).update(state="paused")
        for minute in range(minutes):
            at = since + timedelta(minutes=minute)
            clock.now = lambda at=at: at  # type: ignore[misc]
            outbound.run_due(at)
        clock.now = lambda: AT  # type: ignore[misc]
        self._close_connections()

    def _sent_again(self) -> int:
        """Somebody lets publishing go on; so much more is on the networks then."""
        from tertulia.publishing.models import Stop

        Stop.objects.all().delete()
        self._send(AT, 120)
        return sum(network.ask(take_doubles)[1] for network in self.networks.values())

    def _furnish(self) -> None:
        from tertulia.brand.models import Brand
        from tertulia.core.backup import archive

        super()._furnish()
        self._send(AT, 10)
        if [network.ask(take_doubles) for network in self.networks.values()] != [(PARTS, 0)] * len(self.kinds):
            raise SystemExit("Undisturbed, everything should have been sent.")
        # The installation it comes into is another one: other rows, other pictures, other keys.
        Brand.objects.create(slug="former", name="Former", created_at=AT)
        (self.home / "media" / "p" / "pan.gif").write_bytes(b"another")
        (self.home / "media" / "f").mkdir()
        (self.home / "media" / "f" / "former.gif").write_bytes(DOT)
        for name in archive.KEYS:
            (self.home / name).write_text(import_module("cryptography.fernet").Fernet.generate_key().decode())
        self.kept = self.beside / "former"
        self._close_connections()
        self._keep()
        self.former = self._state()
        self.lay_out()
        if self._work_on(()) != ENDED:
            raise SystemExit("Undisturbed, it should be restored.")
        self.restored = self._state()
        if self.restored == self.former:
            raise SystemExit("It should be another one.")

    def _keep(self) -> None:
        shutil.copytree(self.home, self.kept)
        if proof._is_on_postgresql():
            self.name = urlsplit(os.environ["DATABASE_URL"]).path.lstrip("/")
            self._on_server(f"CREATE DATABASE {self.name}_former TEMPLATE {self.name}")

    def _on_server(self, *statements: str) -> None:
        psycopg = import_module("psycopg")
        admin = urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl()
        with psycopg.connect(admin, autocommit=True) as server:
            for each in statements:
                server.execute(each)

    def lay_out(self) -> None:
        self._close_connections()
        shutil.rmtree(self.home)
        shutil.copytree(self.kept, self.home)
        if proof._is_on_postgresql():
            self._on_server(
                f"DROP DATABASE {self.name} WITH (FORCE)", f"CREATE DATABASE {self.name} TEMPLATE {self.name}_former"
            )

    def _work_on(self, strace: Sequence[str]) -> int:
        return self.run("restore", strace, file=str(self.file), over=True, passphrase_file="")

    def _state(self) -> State:
        from tertulia.core.backup import archive

        there = {name: (self.home / name).read_bytes() for name in archive.KEYS if (self.home / name).exists()}
        database = self.home / archive.DATABASE
        is_there = proof._is_on_postgresql() or database.exists()
        return {"rows": self._rows() if is_there else None, "media": _files(self.home / "media"), **there}

    def _amiss(self, status: int, tally: Tally) -> Iterator[str]:
        state = self._state()
        tally.sent += state == self.restored
        says_so = self.run("setup", for_start=False) == TOLD
        if status == ENDED and (state != self.restored or says_so):
            yield f"it said it was done, and it is not ({says_so})"
        if not says_so and state not in (self.former, self.restored):
            yield f"half of each, and nobody is told: {[name for name in state if state[name] != self.former[name]]}"
        if says_so or state != self.restored:
            if (again := self._work_on(())) != ENDED:
                yield f"it can't be repeated ({again})"
            elif self._state() != self.restored:
                yield "repeated, it is not what the backup has"
            if self.run("setup", for_start=False) != ENDED:
                yield "repeated, it does not start"
        yield from self._gone()
        if again := self._sent_again():
            tally.doubled += again
            tally.wrong.append(f"{self.command} ({status}): {again} posts are there twice")

    def _gone(self) -> Iterator[str]:
        """What was there before has to lie aside."""
        from tertulia.core.backup import archive, databases, tables

        asides = list(self.home.glob("before-restore-*"))
        if self.former["media"] not in [_files(aside / "media") for aside in asides]:
            yield "the former pictures are gone"
        for name in archive.KEYS:
            if self.former[name] not in [(aside / name).read_bytes() for aside in asides if (aside / name).exists()]:
                yield f"the former {name} is gone"
        if proof._is_on_postgresql():
            from django.db import connection

            with connection.cursor() as cursor:
                cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before-restore-%'")
                schemas = [name for (name,) in cursor.fetchall()]
                found = []
                for name in schemas:
                    cursor.execute(f'SELECT count(*) FROM "{name}".brand_brand WHERE slug = %s', ["former"])
                    found += cursor.fetchone()
            if 1 not in found:
                yield f"the former rows are gone: {schemas}"
            return
        for aside in asides:
            if (aside / archive.DATABASE).exists():
                with closing(sqlite3.connect(aside / archive.DATABASE)) as file:
                    of = tables.tables(databases.applied(archive.own_database()))
                    if tables.contents(file, of) == self.former["rows"]:
                        return
        yield "the former rows are gone"

    def end(self) -> None:
        super().end()
        if proof._is_on_postgresql():
            self._on_server(f"DROP DATABASE {self.name}_former WITH (FORCE)")


def _files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


# ── moving to PostgreSQL ───────────────────────────────────────────────────


class Mover(Desk):
    """Its own database is a file; PostgreSQL is where it goes."""

    command = "move"

    def _prepare(self, home: Path) -> None:
        super()._prepare(home)
        server = urlsplit(os.environ.pop("DATABASE_URL"))
        self.admin = server._replace(path="/postgres").geturl()
        self.name = f"tertulia_moved_{os.getpid()}"
        self.url = server._replace(path=f"/{self.name}").geturl()

    def _furnish(self) -> None:
        from tertulia.core.backup import databases

        super()._furnish()
        self.lay_out()
        target = self._target()
        with databases.as_default(target):
            databases.migrate(target)
        self.own = self._rows()
        self._close_connections()

    def lay_out(self) -> None:
        with import_module("psycopg").connect(self.admin, autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {self.name}")

    def _work_on(self, strace: Sequence[str]) -> int:
        return self.run("move", strace, to=self.url)

    def _amiss(self, status: int, tally: Tally) -> Iterator[str]:
        if self._rows() != self.own:
            yield "the own rows are others"
        there = self._there()
        tally.sent += there == self.own
        if there and there != self.own:
            yield "half of it is there"
        if status == ENDED and not there:
            yield "it said it was done, and nothing is there"
        if self.run("setup", for_start=False) != ENDED:
            yield "here it does not start any more"

    def _target(self) -> Any:
        from tertulia.core.backup import databases

        return databases.opened(dict(import_module("dj_database_url").parse(self.url)))

    def _there(self) -> dict[str, Any]:
        """Its tables; empty where there is nothing at all."""
        from tertulia.core.backup import databases, tables

        target = self._target()
        with databases.as_default(target):
            with target.cursor() as cursor:
                # A killed one's server process notices after its next word.
                while True:
                    cursor.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                    )
                    if cursor.fetchone() == (0,):
                        break
                    time.sleep(0.05)
                cursor.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
                if cursor.fetchone() == (0,):
                    return {}
            return tables.contents(target, tables.tables(databases.applied(target)))

    def end(self) -> None:
        super().end()
        with import_module("psycopg").connect(self.admin, autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


# ── all of them ────────────────────────────────────────────────────────────


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--points", type=int, default=60, help="of each command; a third of them to move")
    options.add_argument("--hands", type=int, default=1)
    options.add_argument("--json", action="store_true", help="print the sums as JSON")
    options.add_argument("--only", choices=["backup", "restore", "move"])
    asked = options.parse_args()
    if not which("strace"):
        raise SystemExit("This needs strace (Debian: apt install strace).")
    kinds: list[type[Desk]] = [Saver, Restorer, *([Mover] if proof._is_on_postgresql() else [])]
    by_kind: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory(prefix="tertulia-proof-") as folder:
        os.environ["PROOF_STATEMENTS"] = folder
        for kind in kinds:
            if asked.only in {None, kind.command}:
                with proof.hands(kind, asked.points, asked.hands, is_forgetful=False) as ends:
                    for end in ends:
                        proof._collect(end, by_kind, asked.points * len(kinds))
    proof._tell(by_kind, "Backup, restoring, moving", asked.json)


if __name__ == "__main__":
    main()
