"""Real worker processes, killed and stopped, on a real database; the fake network's own list is the judge.

0 lost, 0 doubled, in every way of working and on both databases; "unknown" only where the network neither knows keys
nor can be read. A few kills here, more in `make prove`, as many as you like with TERTULIA_TEST_KILLS=1000 (half a
second each; with a broker two).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RIG = Path(__file__).with_name("rig.py")
KILLS = int(os.environ.get("TERTULIA_TEST_KILLS", "8"))
BROKER = os.environ.get("TERTULIA_TEST_BROKER_URL", "")

pytestmark = pytest.mark.kill
without_broker = pytest.mark.skipif(
    not BROKER, reason="TERTULIA_TEST_BROKER_URL names no broker (redis://127.0.0.1:6379/9 or amqp://…)"
)
in_every_way = pytest.mark.parametrize("way", ["embedded", pytest.param("broker", marks=without_broker)])


@pytest.fixture
def rig(tmp_path):
    def run(scenario: str, way: str, number: int) -> dict:
        environment = {**os.environ, "TERTULIA_HOME": str(tmp_path), "TERTULIA_BROKER_URL": BROKER}
        command = [sys.executable, RIG, scenario, way, str(number)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120 + 4 * number)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.proof_heavy
@in_every_way
def test_killed_workers_lose_nothing_and_send_nothing_twice(rig, way):
    found = rig("kills", way, KILLS)
    blind = found["answers"] // 3
    assert found["sent"] + found["unknown_of_blind_networks"] == found["answers"]
    assert found["unknown_of_blind_networks"] <= blind
    for wrong in ("lost", "doubled", "unknown_of_networks_with_memory", "other_states", "sent_without_a_name"):
        assert (wrong, found[wrong]) == (wrong, 0)
    for wrong in ("told_wrongly", "jobs_lost", "jobs_not_done"):
        assert (wrong, found[wrong]) == (wrong, 0)


@in_every_way
def test_three_workers_tick_once_and_stop_in_the_middle_of_sending(rig, way):
    found = rig("stop", way, 60)
    assert (found["runs"], found["attempts"]) == (found["ticks"], [1])
    assert found["seconds"] < 10
    assert found["sent"] == found["posts"]
    assert found["sent"] + found["queued"] == found["answers"]


def test_a_worker_has_loaded_all_pages_before_it_begins(tmp_path):
    """Else whoever names the first one does it inside of a transaction, and nothing leaves for half a second."""
    script = (
        "import django, threading; django.setup()\n"
        "from django.urls import get_resolver\n"
        "from tertulia.flows import schedule\n"
        "before, stop = 'url_patterns' in vars(get_resolver()), threading.Event()\n"
        "stop.set(); schedule.work(stop)\n"
        "print(before, 'url_patterns' in vars(get_resolver()))"
    )
    environment = {**os.environ, "TERTULIA_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "tertulia.project.settings"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout == "False True\n", done.stderr
