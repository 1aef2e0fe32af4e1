"""Background work that falls silent is told by mail, by one of however many web processes."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail as outbox

from conftest import NOON
from tertulia.core import worker
from tertulia.core.backup import keeping
from tertulia.core.models import Heartbeat
from tertulia.flows import watch
from tertulia.team import mail

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mail_is_set_up(settings):
    settings.EMAIL_HOST = "smtp.example"


def after(**time: int):
    return NOON + timedelta(**time)


def test_silence_is_mailed_once_to_who_manages(alba, bruno, carla):
    assert watch.look(at=NOON) == 0  # it never ran
    worker.beat(NOON)
    assert (watch.look(at=after(seconds=119)), watch.look(at=after(seconds=121))) == (0, 2)
    assert watch.look(at=after(minutes=5)) == 0
    assert sorted(letter.to[0] for letter in outbox.outbox) == [alba.email, carla.email]
    assert "2026-11-23 11:00 UTC" in outbox.outbox[0].body


def test_it_is_told_again_after_a_day_and_when_it_falls_silent_anew(alba):
    worker.beat(NOON)
    assert watch.look(at=after(minutes=3)) == 1
    assert (watch.look(at=after(hours=24)), watch.look(at=after(hours=24, minutes=4))) == (0, 1)
    worker.beat(after(hours=24, minutes=30))
    assert watch.look(at=after(hours=24, minutes=35)) == 0  # an hour has not passed
    assert watch.look(at=after(hours=25, minutes=10)) == 1


def test_mail_that_does_not_leave_is_tried_again(alba, monkeypatch):
    worker.beat(NOON)

    def refuse(**_fields):
        raise SMTPServerDisconnected("gone")

    with monkeypatch.context() as failing:
        failing.setattr(mail, "send", refuse)
        assert watch.look(at=after(minutes=3)) == 0
    assert watch.look(at=after(minutes=4)) == 1
    assert Heartbeat.objects.get(name=watch.SILENCE_TOLD).at == after(minutes=4)


def test_backup_that_failed_is_mailed_once_a_day_until_one_is_made(alba, settings, tmp_path):
    settings.BACKUPS, settings.HOME = True, tmp_path
    keeping.note_failure("The disk is full.", at=NOON)
    assert (watch.look(at=after(minutes=1)), watch.look(at=after(minutes=2))) == (1, 0)
    assert "The disk is full." in outbox.outbox[0].body
    keeping.note_failure("The disk is full.", at=after(hours=1))
    assert (watch.look(at=after(hours=2)), watch.look(at=after(hours=24, minutes=2))) == (0, 1)
    keeping.note_success()
    assert watch.look(at=after(hours=49)) == 0


def test_each_web_process_leaves_a_sign_of_life_before_it_waits(monkeypatch):
    def end(_seconds):
        raise StopIteration

    monkeypatch.setattr(watch.time, "sleep", end)
    monkeypatch.setattr(watch.connection, "close", lambda: None)  # it is this test's
    with pytest.raises(StopIteration):
        watch.run()
    assert Heartbeat.objects.filter(name=watch.HEARTBEAT).exists()
