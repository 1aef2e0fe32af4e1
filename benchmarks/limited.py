"""A group of processes that may take so much memory and no more, pages of files included: the kernel's own (cgroup)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Group:
    folder: Path

    def enter(self) -> None:
        """The calling process, and what it starts from now on."""
        (self.folder / "cgroup.procs").write_text("0")

    @property
    def killed(self) -> int:
        """Processes that the kernel ended because it found no more memory for them."""
        events = next(self.folder.glob("memory.events"), self.folder / "memory.oom_control").read_text()
        return int(re.search(r"^oom_kill (\d+)", events, re.MULTILINE)[1])  # type: ignore[index]


@contextmanager
def group(megabytes: int) -> Iterator[Group | None]:
    """Below the group this process is in, so that what holds for that goes on holding. None where the kernel or whoever
    runs this machine doesn't let us: then nothing is limited."""
    folder = _own() / f"tertulia-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        yield None
        return
    try:
        yield Group(folder) if _limit(folder, megabytes * 2**20) else None
    finally:
        for _ in range(50):
            try:
                folder.rmdir()
                break
            except OSError:  # the last process is still ending
                time.sleep(0.1)


def _own() -> Path:
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    paths = {controllers: path.strip("/") for _number, controllers, path in lines}
    return ROOT / "memory" / paths["memory"] if "memory" in paths else ROOT / paths.get("", "")


def _limit(folder: Path, most: int) -> bool:
    try:
        next(folder.glob("memory.max"), folder / "memory.limit_in_bytes").write_text(str(most))
    except OSError:
        return False
    return True
