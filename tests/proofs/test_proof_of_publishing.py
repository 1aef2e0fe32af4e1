"""A few of the points of `make prove-publishing`, on whatever database the tests run on."""

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

PROOF = Path(__file__).with_name("prove_publishing.py")

pytestmark = [
    pytest.mark.kill,
    pytest.mark.proof_heavy,
    pytest.mark.skipif(not which("strace"), reason="strace is not installed: it kills at a chosen system call"),
]


def proved(*arguments: str) -> tuple[int, dict]:
    command = [sys.executable, PROOF, "--json", "--hands", "1", *arguments]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=300)
    assert done.stdout, done.stderr[-3000:]
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_killed_or_broken_at_any_system_call_nothing_is_lost_or_doubled():
    status, found = proved("--points", "10")
    assert (found["points"], found["tried"] - found["deletions"]) == (10, 90)
    assert found["deletions"] > 0
    assert found["hit"] >= 8
    for wrong in ("lost", "doubled", "unknown_though_askable", "untold"):
        assert (wrong, found[wrong]) == (wrong, 0), found["wrong"]
    assert status == 0


def test_the_proof_notices_a_network_that_forgets_the_keys_it_promised_to_know():
    status, found = proved("--points", "6", "--forgetful")
    assert found["doubled"] > 0
    assert status == 1
