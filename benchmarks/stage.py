"""Where the benchmarks play: databases of three sizes, kept between runs, and the product's own processes."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent
EMPTY, TINY, SMALL, MIDDLE, LARGE = 0, 2_000, 10_000, 100_000, 1_000_000
"""Conversations."""
MESSAGES_EACH = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """One database with its home folder. `database` is "sqlite" or the address of a PostgreSQL server."""

    database: str
    size: int
    folder: Path
    port: int

    @property
    def name(self) -> str:
        return f"{self.vendor}_{self.size}"

    @property
    def vendor(self) -> str:
        return "sqlite" if self.database == "sqlite" else "postgresql"

    @property
    def home(self) -> Path:
        return self.folder / self.name

    @property
    def url(self) -> str:
        """The database's own address; on a PostgreSQL server a database beside the one that was named."""
        if self.vendor == "sqlite":
            return f"sqlite:///{self.home / 'tertulia.sqlite3'}"
        parts = urlsplit(self.database)
        return urlunsplit(parts._replace(path=f"{parts.path}_{self.size}"))

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
        return own | {
            "TERTULIA_HOME": str(self.home),
            "TERTULIA_PORT": str(self.port),
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "tertulia.project.settings",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        }

    def prepare(self) -> None:
        """Make and fill the database unless a run before has done so; one with little in it is made anew each time,
        since what a part adds would be much there."""
        mark = self.home / ".filled"
        schema = _schema()
        if self.size < SMALL or not mark.exists() or mark.read_text() != schema:
            self._begin_anew()
            self._run("-m", "tertulia", "setup")
            if self.size:
                self._run("-m", "benchmarks.child", "fill", str(self.size))
            mark.write_text(schema)
        else:
            self._run("-m", "tertulia", "setup")

    def _begin_anew(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        if self.vendor == "postgresql":
            name = urlsplit(self.url).path.strip("/")
            with psycopg.connect(self.database, autocommit=True) as server:
                server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                server.execute(f'CREATE DATABASE "{name}"')

    def _run(self, *args: str) -> None:
        subprocess.run([sys.executable, *args], env=self.environment(), check=True, stdout=sys.stderr)

    def child(self, part: str, *args: str) -> str:
        """Run a part in a process of its own, as the product would have it, and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.child", part, *args],
            env=self.environment(), check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The desk, open until the end of the block; gives what it says of itself: see `lists.serve`."""
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child", "serve", str(self.size)],
            env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as desk:  # fmt: skip
            assert desk.stdin
            assert desk.stdout
            try:
                yield desk.stdout.readline()
            finally:
                desk.stdin.close()


def _schema() -> str:
    """Changes with every migration: a database filled before is of no use then."""
    state = hashlib.sha256()
    for file in sorted((ROOT / "src").glob("tertulia/*/migrations/*.py")):
        lines = [line.strip() for line in file.read_text().splitlines() if not line.startswith("#")]
        state.update("".join(lines).encode())
    return state.hexdigest()


class Memory(NamedTuple):
    """MB. `needed` has no other place to be (anonymous and shared memory); `whole` counts mapped pages of files too, of
    programs, of SQLite's database and of the model, which the kernel drops and reads again when memory is short."""

    needed: float
    whole: float


class Server:
    """`tertulia web` or `tertulia start` as people run it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def family(self) -> list[int]:
        """The process and all it started."""
        parents: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        found = [self.process.pid]
        for pid in found:
            found += parents.get(pid, [])
        return found

    def memory(self) -> Memory:
        """Pages that several of the family, or others, use count by their share (PSS)."""
        needed = whole = 0
        for pid in self.family():
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            kilobytes = {name: int(value) for name, value in re.findall(r"^(Pss\w*):\s+(\d+)", rollup, re.MULTILINE)}
            needed += kilobytes["Pss_Anon"] + kilobytes["Pss_Shmem"]
            whole += kilobytes["Pss"]
        return Memory(needed / 1024, whole / 1024)

    def cpu_seconds(self) -> float:
        """Processor time of the family so far: what a busy machine can't make longer."""
        ticks = 0
        for pid in self.family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(
    *command: str,
    port: int,
    environment: dict[str, str] | None = None,
    wait: float = 60,
    first: Callable[[], None] | None = None,
) -> Iterator[Server]:
    """Start it, wait until its port answers, and end it. `first` is what the new process does before anything else."""
    process = subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=sys.stderr, process_group=0, preexec_fn=first
    )
    try:
        limit = time.monotonic() + wait
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"{' '.join(command)} does not answer on port {port}")
            time.sleep(0.02)
        yield Server(process, port)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Browser:
    """One kept connection with somebody's cookie."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Cookie": cookie, "Accept-Language": "es", "Accept": "text/html"}

    def get(self, path: str) -> bytes:
        """The page; raises RuntimeError for anything but 200."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:300]!r}")
        return body

    def close(self) -> None:
        self._connection.close()
