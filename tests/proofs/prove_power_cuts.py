"""Power cuts: a process works and says what it has confirmed; then the power goes. What it confirmed has to be there.

    python tests/proofs/prove_power_cuts.py [--cuts 200]

SQLite: strace writes down every byte the process wrote and everything it synced. From that the files are built as the
disk would hold them after a cut at many a moment: of what was not synced nothing, or any part of it, torn within a
sector. The product's own connection does the work, checkpoints included. As a counter-check the same is done with
`synchronous=NORMAL`, which has to lose something: else this proof could not see a loss.

PostgreSQL: a server of its own is killed while the process works, and started again ("immediate", nothing is written
any more). Unsynced bytes are not taken from it.

Prints its counts as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from shutil import copy
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
SECTOR = 512
CALLS = "pwrite64,write,fsync,fdatasync,ftruncate,unlink"
LINE = re.compile(r"^\d+ +(\w+)\((?:\d+<([^>]*)>|\"([^\"]*)\")(?:, (.*))?\) += (-?\d+)")
COUNTER_CUTS = 20


@dataclass
class Confirmed:
    """What was said to be done: messages taken in, answers claimed with their fence, the newest credentials."""

    messages: set[str] = field(default_factory=set)
    claims: dict[int, int] = field(default_factory=dict)
    credentials: int = 0

    def add(self, line: str) -> None:
        what, *said = line.split()
        if what == "message":
            self.messages.add(said[0])
        elif what == "claim":
            self.claims[int(said[0])] = int(said[1])
        else:
            self.credentials = int(said[0])

    def __len__(self) -> int:
        return len(self.messages) + len(self.claims) + (self.credentials > 0)

    def missing(self, ask: Callable[[str], list[tuple[Any, ...]]]) -> tuple[int, int]:
        """How much of it isn't there, and how much is there twice."""
        there = [row[0] for row in ask("SELECT remote_id FROM tertulia_channels_message WHERE direction = 'in'")]
        fences = dict(ask("SELECT id, fence FROM tertulia_channels_delivery WHERE state = 'sending'"))
        [(settings,)] = ask("SELECT settings FROM tertulia_channels_account")
        number = (settings if isinstance(settings, dict) else json.loads(settings)).get("number", 0)
        lost = len(self.messages - set(there))
        lost += sum(fences.get(id, -1) < fence for id, fence in self.claims.items())
        return lost + (number < self.credentials), len(there) - len(set(there))


# ── the process that works ─────────────────────────────────────────────────


def furnish(answers: int) -> None:
    """A brand, a channel and so many answers that are due."""
    import_module("django").setup()
    import_module("tertulia.core.backup.databases").migrate(import_module("django.db").connection)
    import invented_networks

    from tertulia.brand.models import Brand
    from tertulia.channels.models import Account, Delivery
    from tertulia.flows import inbound
    from tertulia.inbox import actions
    from tertulia.inbox.models import Conversation
    from tertulia.team.models import Membership, User

    invented_networks.install()
    now = datetime.now(UTC)
    brand = Brand.objects.create(slug="proof", name="Proof", created_at=now)
    alba = User.objects.create(email="alba@proof.example", name="Alba")
    Membership.objects.create(user=alba, brand=brand, role="manager", created_at=now)
    account = Account.objects.create(brand=brand, kind="tests-memory", name="A", created_at=now, secrets={"token": "0"})
    inbound.intake(account, [_envelope(f"first-{number}") for number in range(answers)], at=now)
    for conversation in Conversation.objects.select_related("account", "brand"):
        actions.reply(conversation=conversation, text="Sí.", by=alba, turn=conversation.turn, at=now)
    Delivery.objects.update(due_at=now)
    import_module("django.db").connection.close()


def _envelope(name: str) -> Any:
    from tertulia.connectors.contract import Author, Envelope

    return Envelope(name, name, datetime.now(UTC), Author(name, name=name), text="¿Abrís el domingo?")


def work(commits: int, confirm: int) -> None:
    """Commit again and again; write down what is confirmed, after each."""
    from django.db import Error, connection

    acts = [_take_in, _claim, _keep_credentials]
    number = 0
    while number < commits:
        try:
            for line in acts[number % len(acts)](number):
                os.write(confirm, f"{line}\n".encode())
            if number % 20 == 19 and connection.vendor == "sqlite":
                with connection.cursor() as cursor:  # as the work process does it
                    cursor.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if number % 60 == 59 else 'PASSIVE'})")
        except Error:
            connection.close()
            time.sleep(0.02)
            continue
        number += 1
    connection.close()


def _take_in(number: int) -> Iterator[str]:
    from tertulia.channels.models import Account
    from tertulia.flows import inbound

    names = [f"m{number}-{each}-{os.urandom(3).hex()}" for each in range(random.randint(1, 4))]
    inbound.intake(Account.objects.get(), [_envelope(name) for name in names], at=datetime.now(UTC))
    yield from (f"message {name}" for name in names)


def _claim(number: int) -> Iterator[str]:
    from tertulia.flows import outbound

    yield from (f"claim {each.id} {each.fence}" for each in outbound.claim(at=datetime.now(UTC), limit=1))


def _keep_credentials(number: int) -> Iterator[str]:
    from tertulia.channels import tokens
    from tertulia.channels.models import Account
    from tertulia.connectors.contract import Granted

    tokens.store(Account.objects.get(), Granted({"token": str(number)}, settings={"number": number}))
    yield f"credentials {number}"


# ── SQLite: what the disk would hold ───────────────────────────────────────


@dataclass
class OnDisk:
    """A file: what was synced, and what was written since."""

    synced: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Where which bytes were written; None: the file was cut off there."""

    def sync(self) -> None:
        self.synced, self.since = self.after(self.since), []

    def after(self, writes: list[tuple[int, bytes | None]]) -> bytearray:
        found = bytearray(self.synced)
        for at, content in writes:
            if content is None:
                del found[at:]
                found.extend(bytes(at - len(found)))
            else:
                found.extend(bytes(max(0, at - len(found))))
                found[at : at + len(content)] = content
        return found

    def torn(self, chance: random.Random) -> bytearray:
        """Any part of what was not synced has reached the disk all the same, sector by sector."""
        writes = []
        for at, content in self.since:
            if content is None:
                if chance.random() < 0.5:
                    writes.append((at, content))
                continue
            for begin in range(0, len(content), SECTOR):
                if chance.random() < 0.5:
                    writes.append((at + begin, content[begin : begin + SECTOR]))
        return self.after(writes)


def watched(home: Path, commits: int, *, normal: bool) -> tuple[bytes, list[str]]:
    """The database before the work began, and what strace saw of it."""
    from django.conf import settings

    from proofs.prove_publishing import _attach

    database = home / "tertulia.sqlite3"
    before = copy(database, home / "before")
    begin, go = os.pipe()
    confirmed = os.open(home / "confirmed", os.O_CREAT | os.O_WRONLY)
    if (pid := os.fork()) == 0:
        os.read(begin, 1)
        if normal:
            options = settings.DATABASES["default"]["OPTIONS"]
            options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=NORMAL")
        work(commits, confirmed)
        os._exit(0)
    log = home / "trace"
    looker = _attach(pid, ["-o", str(log), "-y", "-xx", "-s", "100000", "-e", f"trace={CALLS}"])
    os.write(go, b"!")
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("The process that works has ended before its time.")
    looker.wait()
    return Path(before).read_bytes(), log.read_text().splitlines()


def cut(home: Path, before: bytes, trace: list[str], cuts: int) -> dict[str, int]:
    """Cut the power at so many moments of what strace saw, evenly spread."""
    name = str(home / "tertulia.sqlite3")
    disk, confirmed = {name: OnDisk(bytearray(before))}, Confirmed()
    chance, tally = random.Random(0), {"tried": 0, "lost": 0, "doubled": 0, "rows": 0}
    moments = {int((each + 1) * len(trace) / cuts) - 1 for each in range(cuts)}
    for place, line in enumerate(trace):
        if found := LINE.match(line):
            _happen(found, name, disk, confirmed)
        elif name in line:
            raise SystemExit(f"This line of strace can't be read: {line[:200]}")
        if place in moments:
            files = {path: one.torn(chance) if tally["tried"] % 2 else one.synced for path, one in disk.items()}
            lost, doubled = _look(files, name, confirmed)
            for count, value in (("tried", 1), ("lost", lost), ("doubled", doubled), ("rows", len(confirmed))):
                tally[count] += value
    return tally


def _happen(found: re.Match[str], name: str, disk: dict[str, OnDisk], confirmed: Confirmed) -> None:
    call, path, removed, rest, answer = found.groups()
    path = _bytes(path or removed or "").decode()
    if path.endswith("/confirmed"):
        for line in _bytes(rest.split('"')[1]).decode().splitlines():
            confirmed.add(line)
    if not path.startswith(name) or path.endswith("-shm") or int(answer) < 0:
        return
    one = disk.setdefault(path, OnDisk())
    if call == "pwrite64":
        content, at = _bytes(rest.split('"')[1]), int(rest.rsplit(", ", 1)[1])
        one.since.append((at, content[: int(answer)]))
    elif call == "ftruncate":
        one.since.append((int(rest), None))
    elif call == "unlink":
        del disk[path]
    elif call in {"fsync", "fdatasync"}:
        one.sync()
    else:
        raise SystemExit(f"{call} on a database was not foreseen.")


def _bytes(said: str) -> bytes:
    return bytes.fromhex(said.replace("\\x", "")) if said.startswith("\\x") else said.encode()


def _look(files: dict[str, bytearray], name: str, confirmed: Confirmed) -> tuple[int, int]:
    """Open what the disk holds. A file that can't be opened has lost everything."""
    with tempfile.TemporaryDirectory(prefix="tertulia-cut-") as folder:
        for path, content in files.items():
            Path(folder, Path(path).name).write_bytes(content)
        connection = sqlite3.connect(Path(folder, Path(name).name))
        try:
            [(state,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
            if state != "ok":
                return len(confirmed) or 1, 0
            return confirmed.missing(lambda sql: connection.execute(sql).fetchall())
        except sqlite3.DatabaseError:
            return len(confirmed) or 1, 0
        finally:
            connection.close()


def on_sqlite(home: Path, cuts: int) -> dict[str, Any]:
    furnish(60 + cuts)
    counter = cut(home, *watched(home, COUNTER_CUTS * 3, normal=True), COUNTER_CUTS)
    if not counter["lost"]:
        raise SystemExit("With synchronous=NORMAL nothing was lost: this proof can't see a loss.")
    (home / "confirmed").unlink()
    tally = cut(home, *watched(home, max(cuts // 2, 60), normal=False), cuts)
    rows = tally.pop("rows")
    note = (
        f"{rows:,} confirmed rows looked for; with synchronous=NORMAL {counter['lost']} of {counter['rows']} were lost"
    )
    return {**tally, "note": note}


# ── PostgreSQL: a server that is killed ────────────────────────────────────


def on_postgresql(home: Path, cuts: int) -> dict[str, Any]:
    import psycopg

    from proofs.cluster import Cluster

    cluster = Cluster()
    os.environ["DATABASE_URL"] = cluster.url
    try:
        furnish(60 + 5 * cuts)
        confirmed = os.open(home / "confirmed", os.O_CREAT | os.O_WRONLY)
        if (pid := os.fork()) == 0:
            work(1_000_000, confirmed)
            os._exit(0)
        for _ in range(cuts):
            time.sleep(random.uniform(0.05, 0.6))
            cluster.stop(signal.SIGQUIT)
            cluster.start()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        facts = Confirmed()
        for line in (home / "confirmed").read_text().splitlines():
            facts.add(line)
        with psycopg.connect(cluster.url) as connection:
            lost, doubled = facts.missing(lambda sql: connection.execute(sql).fetchall())
    finally:
        cluster.end()
    note = (
        f"{len(facts):,} confirmed rows looked for; the server is killed, bytes that were not synced are not taken away"
    )
    return {"tried": cuts, "lost": lost, "doubled": doubled, "note": note}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cuts", type=int, default=200)
    asked = options.parse_args()
    sys.path[:0] = [str(TESTS), str(TESTS / "engine")]
    os.environ["DJANGO_SETTINGS_MODULE"] = "tertulia.project.settings"
    is_on_postgresql = os.environ.pop("DATABASE_URL", "").startswith("postgres")
    with tempfile.TemporaryDirectory(prefix="tertulia-proof-") as home:
        os.environ["TERTULIA_HOME"] = home
        prove = on_postgresql if is_on_postgresql else on_sqlite
        print(json.dumps(prove(Path(home), asked.cuts)))


if __name__ == "__main__":
    main()
