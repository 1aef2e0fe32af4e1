"""What the lab's servers stand on: a folder that outlives the clone, free ports, programs that start and end."""

from __future__ import annotations

import base64
import fcntl
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

LAB = Path(os.environ.get("TERTULIA_LAB_DIR") or Path(tempfile.gettempdir()) / "tertulia-lab")
HOGAZA = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEUlEQVR4nGM4sSABjhiI4wAA69IcgSjnDbMAAAAASUVORK5CYII="
)
"""A picture, four points wide and high."""
STEP_SECONDS = 900
"""A step of an installation takes no longer."""


class Unavailable(Exception):
    """The server can't be started here, and why."""


@contextmanager
def alone(name: str) -> Iterator[Path]:
    """The server's folder, which no other run on this machine uses meanwhile."""
    folder = LAB / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def install(name: str, wanted: str, make: Callable[[], None]) -> None:
    """What `wanted` says, once for all runs. With TERTULIA_LAB_INSTALL=0 nothing is installed: it was to be there by
    now. Raises `Unavailable`."""
    folder = LAB / name
    done, failed = folder / "installed", folder / "failed"
    if done.exists() and done.read_text() == wanted:
        return
    if os.environ.get("TERTULIA_LAB_INSTALL") == "0":
        raise Unavailable(failed.read_text() if failed.exists() else "it was not installed in time")
    folder.mkdir(parents=True, exist_ok=True)
    for mark in (done, failed):
        mark.unlink(missing_ok=True)
    try:
        make()
    except Unavailable as why:
        failed.write_text(str(why))
        raise
    done.write_text(wanted)


def run(
    command: list[str],
    said: str = "",
    *,
    cwd: Path = LAB,
    env: dict[str, str] | None = None,
    seconds: float = STEP_SECONDS,
) -> str:
    """What it prints, its complaints last. Raises `Unavailable`."""
    what = " ".join(Path(word).name for word in command[:3])
    try:
        made = subprocess.run(command, input=said.encode(), capture_output=True, timeout=seconds, cwd=cwd, env=env)
    except FileNotFoundError:
        raise Unavailable(f"{command[0]} is needed") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what} took longer than {seconds:.0f} s") from None
    told = "\n".join(part.decode(errors="replace") for part in (made.stdout, made.stderr))
    if made.returncode:
        raise Unavailable(f"{what} failed: {' '.join(told.split())[-300:]}")
    return told


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    with closing(socket.socket()) as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def wait_for(probe: Callable[[], Any], seconds: float, what: str) -> Any:
    until = time.monotonic() + seconds
    while not (found := probe()):
        if time.monotonic() > until:
            raise Unavailable(f"{what} doesn't answer")
        time.sleep(0.1)
    return found


def start(command: list[str], log: Path, **environment: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as lines:
        return subprocess.Popen(command, stdout=lines, stderr=lines, env={**os.environ, **environment}, cwd=log.parent)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
