"""From the one command on a fresh clone to the first page, with a warm package cache. Only asked for by name."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from .figures import Figure

REPOSITORY = Path(__file__).resolve().parent.parent


def run(port: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="tertulia-first-") as folder:
        clone = Path(folder) / "tertulia"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        bare = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"} or "PIP" in name}
        environment = bare | {"TERTULIA_HOME": f"{folder}/home", "TERTULIA_PORT": str(port)}
        started = time.monotonic()
        process = subprocess.Popen(
            ["make", "start"], cwd=clone, env=environment, stdout=subprocess.DEVNULL, process_group=0
        )
        try:
            yield Figure("first page after `make start`", _answered(port, process) - started, "s", 60)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def _answered(port: int, process: subprocess.Popen[bytes]) -> float:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                if answer.status == 200:
                    return time.monotonic()
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("make start ended")
