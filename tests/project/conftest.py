"""Installations of their own, run by the real command as real processes."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

_HELPER = """
import json, sys, django
django.setup()
for line in sys.stdin:
    scope = {}
    exec(json.loads(line), scope)
    print(json.dumps(scope.get("answer")), flush=True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition: Callable[[], object], seconds: float = 15) -> object:
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.05)
    return found


def family(pid: int) -> list[int]:
    """The children of a process and theirs."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        own = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [*own, *(each for child in own for each in family(child))]


def is_alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:4]
    except OSError:
        return False


@dataclass
class Installation:
    """A data folder and a port; `start` runs `tertulia start` on them."""

    home: Path
    port: int
    environment: dict[str, str]
    command: list[str] = field(default_factory=lambda: [sys.executable, "-m", "tertulia"])
    process: subprocess.Popen[str] | None = None
    _helpers: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def tertulia(self, *words: str, says: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *words], env=self.environment, input=says, text=True,
            capture_output=True, check=False, timeout=180,
        )  # fmt: skip

    def start(self) -> str:
        """Returns what it printed, once it answers."""
        signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # what ran these tests may ignore it, and it is inherited
        self.said = (self.home / "said.txt").open("w+")
        self.process = subprocess.Popen(
            [*self.command, "start"], env=self.environment, stdout=self.said, stderr=self.said, text=True,
        )  # fmt: skip
        wait_for(lambda: "Ctrl+C" in self.log() or self.process.poll() is not None, 120)
        return self.log()

    def log(self) -> str:
        return (self.home / "said.txt").read_text()

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Returns how long it took until the last process was gone."""
        everybody = family(self.process.pid)
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        wait_for(lambda: not any(is_alive(pid) for pid in everybody), 20)
        self.said.close()
        return time.monotonic() - began

    def children(self, name: str) -> list[int]:
        """The processes that are called `tertulia <name>`: the first one, and what it forked."""
        found = []
        for pid in family(self.process.pid):
            try:
                called = Path(f"/proc/{pid}/comm").read_text().strip()
            except OSError:
                continue
            if called == f"tertulia {name}" and is_alive(pid):
                found.append(pid)
        return found

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def ask(self, code: str) -> object:
        """Run code inside the installation and return what it leaves in `answer`."""
        if not self._helpers:
            self._helpers.append(
                subprocess.Popen(
                    [sys.executable, "-c", _HELPER], env=self.environment, text=True, stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )  # fmt: skip
        helper = self._helpers[0]
        helper.stdin.write(json.dumps(code) + "\n")
        helper.stdin.flush()
        return json.loads(helper.stdout.readline())

    def close(self) -> None:
        for helper in self._helpers:
            helper.communicate()
        if self.process and self.process.poll() is None:
            self.stop()


@pytest.fixture(scope="module")
def own_database() -> Iterator[str]:
    """A database of its own when the suite runs on PostgreSQL; else empty, and the installation uses SQLite."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield ""
        return
    name = f"tertulia_project_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def installation(tmp_path_factory, own_database) -> Iterator[Installation]:
    home, port = tmp_path_factory.mktemp("home"), free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TERTULIA_", "DATABASE_"))}
    environment = {
        **kept,
        "TERTULIA_HOME": str(home),
        "TERTULIA_PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "tertulia.project.settings",
        "TERTULIA_BACKUPS": "no",
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
    }
    if own_database:
        environment["DATABASE_URL"] = own_database
    here = Installation(home, port, environment)
    yield here
    here.close()


def link_in(said: str) -> str:
    return re.search(r"http://\S+/setup/[^/\s]+/", said)[0]
