"""Each condition broken once, and the sentence that says so."""

from __future__ import annotations

import json
import os
import shutil
import socketserver
from collections import namedtuple
from datetime import timedelta
from email.utils import format_datetime
from threading import Thread
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from django.db import DatabaseError, connection
from django.utils import translation

from conftest import NOON, envelope
from tertulia.channels.models import Account
from tertulia.core import clock, health, worker
from tertulia.core.models import Activity, Heartbeat, Job
from tertulia.flows import health as readiness
from tertulia.flows import inbound
from tertulia.flows.views import health as views
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation
from tertulia.project import doctor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _nobody_asked_just_now(monkeypatch, settings):
    monkeypatch.setattr(views, "_last", None)
    settings.METRICS_TOKEN = "of-the-monitor"


@pytest.fixture
def working(monkeypatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    Heartbeat.objects.create(name="work", at=NOON)


def unwell(client) -> dict[str, str]:
    views._last = None
    answer = client.get("/readyz", headers={"Authorization": "Bearer of-the-monitor"})
    found = {name: each["says"] for name, each in json.loads(answer.content)["checks"].items() if not each["is_ok"]}
    assert answer.status_code == (503 if found.keys() - {"channels", "time"} else 200)
    return found


def test_all_is_well(working, client):
    assert unwell(client) == {}


def test_the_process_answers_without_the_database(client, django_db_blocker):
    with django_db_blocker.block():
        assert client.get("/healthz").json() == {"is_ok": True}


def test_work_that_never_ran(client):
    assert "has never run here" in unwell(client)["work"]


def test_work_that_fell_silent(working, client):
    Heartbeat.objects.filter(name="work").update(at=NOON - timedelta(seconds=31))
    assert unwell(client) == {
        "work": "Background work has been silent for 31 s: nothing is sent or fetched. Start it again."
    }


@pytest.mark.parametrize("token", ["of-the-monitor", ""])
def test_strangers_hear_what_is_not_well_and_nothing_of_the_machine(client, settings, token):
    settings.METRICS_TOKEN = token
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer another"}):
        answer = client.get("/readyz", headers=headers)
        checks = json.loads(answer.content)["checks"]
        assert (answer.status_code, checks["work"]) == (503, {"is_ok": False})
        assert all(each.keys() == {"is_ok"} for each in checks.values())


def test_who_asks_again_at_once_has_nothing_written(working, client, monkeypatch, django_assert_num_queries):
    client.get("/readyz")
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(seconds=1.9))
    with django_assert_num_queries(0):
        assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(seconds=31))
    assert client.get("/readyz").status_code == 503


def test_people_are_told_after_two_minutes_of_silence():
    Heartbeat.objects.create(name="work", at=NOON)
    assert not health.work_is_silent(NOON + timedelta(seconds=119))
    assert health.work_is_silent(NOON + timedelta(seconds=121))


def test_a_late_job(working, client):
    Job.objects.create(task="x", due_at=NOON - timedelta(seconds=75), created_at=NOON)
    assert "waits for 75 s" in unwell(client)["jobs"]


def test_a_late_delivery(working, client, site, alba):
    inbound.intake(site, [envelope()], at=NOON)
    conversation = Conversation.objects.get()
    delivery = actions.reply(
        conversation=conversation, text="Sí", by=alba, turn=conversation.turn, at=NOON - timedelta(seconds=100)
    )
    assert "waits for" in unwell(client)["deliveries"]
    actions.withdraw(delivery=delivery, by=alba, at=delivery.due_at - timedelta(seconds=1))
    assert "deliveries" not in unwell(client)


def test_a_disk_that_is_almost_full(working, client, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 96 * 10**10, 4 * 10**10))
    assert "MB are free" in unwell(client)["disk"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 0, 4 * 10**8))
    assert "Make room" in unwell(client)["disk"]


def test_a_database_that_takes_nothing(working, monkeypatch):
    def refuse(*_args, **_options):
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(Heartbeat.objects, "bulk_create", refuse)
    monkeypatch.setattr(connection, "close", lambda: None)
    (found, *_) = readiness.readiness(NOON)
    assert (found.is_ok, "database or disk is full" in found.says) == (False, True)


def test_channel_that_is_not_heard_of_is_told_and_turns_nobody_away(working, client, brand):
    feed = Account.objects.create(
        brand=brand, kind="mastodon", name="Blog de la casa", created_at=NOON - timedelta(minutes=29)
    )
    assert readiness.channels(NOON).is_ok
    Account.objects.update(last_success_at=NOON - timedelta(minutes=31))
    answer = client.get("/readyz", headers={"Authorization": "Bearer of-the-monitor"})
    found = json.loads(answer.content)
    assert (answer.status_code, found["is_ok"], found["checks"]["channels"]["is_ok"]) == (200, True, False)
    assert found["checks"]["channels"]["says"].startswith(f"Channel {feed.pk} (mastodon) doesn't work")
    assert b"Blog de la casa" not in answer.content
    Account.objects.update(last_success_at=NOON)
    assert readiness.channels(NOON).is_ok
    Account.objects.update(state="attention")
    assert not readiness.channels(NOON).is_ok
    Account.objects.update(state="paused")
    assert readiness.channels(NOON).is_ok


@pytest.mark.parametrize(
    ("seconds", "says"), [(40, "40 s behind"), (-300, "300 s ahead"), (20, "agrees"), (None, "No other")]
)
def test_clock_that_differs_from_that_of_the_networks_is_told(monkeypatch, seconds, says):
    monkeypatch.setattr(clock, "now", lambda: NOON)
    monkeypatch.setattr(clock, "_heard", type(clock._heard)())
    if seconds is not None:
        for host, ahead in (("liar.example", 9_000), ("one.example", seconds), ("two.example", seconds)):
            clock.hear(host, format_datetime(NOON + timedelta(seconds=ahead)))
        clock.hear("odd.example", "yesterday")
    worker.beat(NOON)
    assert says in health.time(NOON).says
    assert "No other" in health.time(NOON + timedelta(hours=1)).says


# The doctor


def test_an_open_data_folder_is_pointed_out(settings, tmp_path):
    settings.HOME = tmp_path
    tmp_path.chmod(0o755)
    assert doctor.folder(NOON).says.endswith(f"Close it: chmod 700 {tmp_path}")


def test_a_broken_key_is_pointed_out(settings):
    settings.ENCRYPTION_KEYS = ["not a key"]
    assert not doctor.keys(NOON).is_ok


def test_secrets_of_another_key_are_pointed_out(settings, site):
    assert doctor.secrets(NOON).is_ok
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert "Put the old key" in doctor.secrets(NOON).says


def test_a_broker_that_is_not_there_is_pointed_out(settings):
    settings.BROKER_URL = "redis://user:secret@127.0.0.1:1/0"
    found = doctor.broker(NOON)
    assert (found.is_ok, "127.0.0.1:1" in found.says, "secret" in found.says) == (False, True, False)


def test_an_address_of_a_broker_that_is_none_is_told_without_its_password(settings):
    settings.BROKER_URL = "redis://:ab/cd@localhost:6379/0"
    found = doctor.broker(NOON)
    assert (found.is_ok, "%2F" in found.says, "ab" in found.says.replace("TERTULIA", "")) == (False, True, False)


class _Denying(socketserver.StreamRequestHandler):
    """Redis in protected mode, to whoever isn't on its own machine."""

    def handle(self):
        self.wfile.write(b"-DENIED Redis is running in protected mode.\r\n")


def test_a_broker_that_lets_nobody_in_is_pointed_out(settings):
    with socketserver.TCPServer(("127.0.0.1", 0), _Denying) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings.BROKER_URL = f"redis://127.0.0.1:{server.server_address[1]}/0"
        found = doctor.broker(NOON)
        server.shutdown()
    assert (found.is_ok, "protected mode" in found.says) == (False, True)


def test_a_broker_that_takes_work_is_in_order(settings):
    settings.BROKER_URL = os.environ.get("TERTULIA_TEST_BROKER_URL", "")
    if not settings.BROKER_URL:
        pytest.skip("TERTULIA_TEST_BROKER_URL names no broker")
    found = doctor.broker(NOON)
    assert found.is_ok, found.says


def test_missing_static_files_are_pointed_out(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    assert "tertulia setup" in doctor.static(NOON).says


def test_a_clock_that_runs_behind_is_pointed_out(brand):
    Activity.objects.create(brand_id=brand.pk, type="x", on_kind="x", on_id=1, at=NOON)
    assert doctor.time(NOON).is_ok
    assert not doctor.time(NOON - timedelta(minutes=3)).is_ok


def test_missing_migrations_are_pointed_out(monkeypatch):
    monkeypatch.setattr(doctor.MigrationExecutor, "migration_plan", lambda *_: [1, 2])
    assert doctor.migrations(NOON).says == "The database is 2 steps behind. Bring it up to date: tertulia setup"


def test_the_doctor_leaves_with_one_when_something_is_wrong(capsys):
    assert doctor.check(SimpleNamespace(json=False)) == 1
    assert "✗ Background work has never run here" in capsys.readouterr().out
