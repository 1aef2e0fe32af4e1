"""`tertulia keys rotate` as people run it, beside a desk that runs, and killed as machines kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

ACCOUNTS = 120
MAKE = f"""
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import clock
brand = Brand.objects.create(name="Horno", slug="horno-of-keys", created_at=clock.now())
Account.objects.bulk_create([
    Account(brand=brand, kind="site", name="S", created_at=clock.now(), secrets={{"token": f"canary-{{number}}"}})
    for number in range({ACCOUNTS})
])
answer = True
"""
READ = """
from tertulia.channels.models import Account
answer = [dict(one.secrets)["token"] for one in Account.objects.filter(brand__slug="horno-of-keys").order_by("pk")]
"""


@pytest.fixture(scope="module")
def desk(installation):
    assert installation.tertulia("setup").returncode == 0
    installation.ask(MAKE)
    return installation


def keys_of(desk) -> list[str]:
    return (desk.home / "keys" / "encryption.key").read_text().split()


def test_killed_again_and_again_nothing_is_lost(desk):
    """The helper is a process that runs all the while: it follows every change of the file."""
    wanted = [f"canary-{number}" for number in range(ACCOUNTS)]
    command = [sys.executable, "-m", "tertulia", "keys", "rotate", "--wait", "0"]
    begun, killed = keys_of(desk), 0
    for attempt in range(40):
        process = subprocess.Popen(command, env=desk.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        until = time.monotonic() + 10
        while len(keys_of(desk)) == 1 and keys_of(desk) == begun and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.002)
        time.sleep(0.15 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        if process.wait() == 0 or (len(keys_of(desk)) == 1 and keys_of(desk) != begun):
            break  # it had done all of it
        killed += 1
        process.stdout.close()
        assert desk.ask(READ) == wanted
        assert keys_of(desk)[-1] in begun
    process.stdout.close()
    assert killed >= 3
    assert desk.ask(READ) == wanted


def test_what_it_says_when_all_is_done(desk):
    desk.tertulia("keys", "rotate", "--wait", "0")
    (before,) = keys_of(desk)
    done = desk.tertulia("keys", "rotate", "--wait", "0")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"({ACCOUNTS} anew)" in done.stdout
    (after,) = keys_of(desk)
    assert after != before
    assert before not in done.stdout + done.stderr
    assert after not in done.stdout + done.stderr
    assert desk.ask(READ) == [f"canary-{number}" for number in range(ACCOUNTS)]


def test_keys_of_the_environment_stay_with_whoever_set_them(desk):
    keys = keys_of(desk)
    elsewhere = {**desk.environment, "TERTULIA_ENCRYPTION_KEYS": " ".join(keys)}
    done = type(desk)(desk.home, desk.port, elsewhere).tertulia("keys", "rotate", "--wait", "0")
    assert (done.returncode, "TERTULIA_ENCRYPTION_KEYS (0 anew)" in done.stdout) == (0, True)
    assert keys_of(desk) == keys
