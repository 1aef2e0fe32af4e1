"""The family of processes: it comes up, what dies comes back, and nothing stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from .conftest import family, is_alive, link_in, wait_for


@pytest.fixture
def running(installation):
    """What the present run printed. Tests share a run as long as it lives."""
    if installation.process is None or installation.process.poll() is not None:
        installation.start()
    wait_for(lambda: len(installation.children("web")) == 3 and _answers(installation))
    return installation.log()


def is_ready(installation) -> bool:
    return installation.get("/readyz")[0] == 200


def test_start_prints_the_address_and_a_link_that_leads_to_the_set_up_page(installation, running):
    assert f"Tertulia is running: {installation.url}" in running
    status, page = installation.get(link_in(running).removeprefix(installation.url))
    assert (status, 'name="person_name"' in page) == (200, True)


def test_a_newer_link_makes_the_first_one_dead(installation, running):
    first = link_in(running).removeprefix(installation.url)
    second = link_in(installation.tertulia("setup").stdout).removeprefix(installation.url)

    assert (installation.get(first)[0], installation.get(second)[0]) == (404, 200)


def test_everything_is_ready_soon(installation, running):
    wait_for(lambda: is_ready(installation))
    assert json.loads(installation.get("/healthz")[1]) == {"is_ok": True}


def test_what_nobody_changes_is_in_memory_once(installation, running):
    """Forked from one process that has loaded everything: of the pages of each, many are the others' too."""
    for pid in (installation.children("web")[0], *installation.children("work")):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        held, share = (
            int(re.search(rf"^{name}:\s+(\d+)", rollup, re.MULTILINE)[1]) for name in ("Anonymous", "Pss_Anon")
        )
        assert share < held * 0.8


def test_a_killed_web_process_comes_back_and_clears_away_what_was_arriving(installation, running):
    first = installation.children("web")[0]
    (left := installation.home / "tmp" / "film.upload").write_bytes(b"x")
    os.kill(first, signal.SIGKILL)

    wait_for(lambda: not is_alive(first))
    wait_for(lambda: [pid for pid in installation.children("web") if pid != first])
    wait_for(lambda: _answers(installation))
    wait_for(lambda: not left.exists())


def test_a_killed_worker_of_the_web_server_comes_back(installation, running):
    workers = set(installation.children("web")[1:])
    os.kill(min(workers), signal.SIGKILL)

    wait_for(lambda: len(installation.children("web")) == 3 and set(installation.children("web")[1:]) != workers)
    wait_for(lambda: _answers(installation))


def test_a_killed_work_process_comes_back(installation, running):
    first = installation.children("work")[0]
    os.kill(first, signal.SIGKILL)

    wait_for(lambda: installation.children("work") not in ([], [first]))
    assert "The work process ended (SIGKILL)" in installation.log()


def test_nothing_survives_a_killed_supervisor(installation, running):
    assert len(family(installation.process.pid)) >= 4
    assert installation.stop(signal.SIGKILL) < 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_within_ten_seconds(installation, running, number):
    assert installation.stop(number) < 10
    assert installation.process.returncode == 0


def test_a_taken_port_is_a_sentence(installation):
    if installation.process is not None and is_alive(installation.process.pid):
        installation.stop()
    with socket.create_server(("127.0.0.1", installation.port)):
        done = installation.tertulia("start")

    assert done.returncode == 1
    assert done.stderr == (
        f"Tertulia can't listen on 127.0.0.1, port {installation.port}: Address already in use. Stop the program "
        f"that uses it, or choose another port: TERTULIA_PORT={installation.port + 1} tertulia start\n"
    )


def test_where_the_keys_come_from_the_environment_it_is_set_up_too(installation, tmp_path):
    said = {"TERTULIA_SECRET_KEY": "s" * 50, "TERTULIA_ENCRYPTION_KEYS": Fernet.generate_key().decode()}
    said |= {"TERTULIA_HOME": str(tmp_path / "data"), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-m", "tertulia", "setup"], env=installation.environment | said, capture_output=True, text=True
    )
    assert (done.returncode, "/setup/" in done.stdout) == (0, True), done.stderr
    folder = tmp_path / "data" / "keys"
    assert ([each.name for each in folder.iterdir()], folder.stat().st_mode & 0o777) == (["setup.hash"], 0o700)


ALONE = r"""
import fcntl, re, socket, struct, subprocess, sys, urllib.request
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
with socket.socket() as door:
    fcntl.ioctl(door, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
desk = subprocess.Popen(
    [sys.executable, "-m", "tertulia", "start"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
)
said = ""
for line in desk.stdout:
    said += line
    if "Ctrl+C" in line:
        break
print(said)
with urllib.request.urlopen(re.search(r"http://\S+/setup/[^/\s]+/", said)[0], timeout=60) as page:
    print("The first page:", page.status)
desk.terminate()
print(desk.communicate()[0])
"""


def test_it_starts_where_there_is_no_network_at_all(installation, tmp_path):
    """In a network of its own, in which nothing but itself can be reached."""
    apart = ["unshare", "--map-root-user", "--net"]
    try:
        subprocess.run([*apart, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as why:
        pytest.skip(f"no network of its own can be made here: {why}")
    said = {"TERTULIA_HOME": str(tmp_path), "DATABASE_URL": "", "TERTULIA_BROKER_URL": ""}
    done = subprocess.run(
        [*apart, sys.executable, "-c", ALONE], env=installation.environment | said, capture_output=True, text=True,
        timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The first page: 200" in done.stdout


def test_start_again_keeps_the_keys_and_does_nothing_twice(installation, running):
    kept = [installation.home / "keys" / "encryption.key", installation.home / "static" / "staticfiles.json"]
    before = [(path.read_text(), path.stat().st_mtime_ns) for path in kept]
    installation.stop()
    installation.start()

    assert [(path.read_text(), path.stat().st_mtime_ns) for path in kept] == before


def _answers(installation) -> bool:
    try:
        return installation.get("/healthz")[0] == 200
    except OSError:
        return False
