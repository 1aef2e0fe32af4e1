"""A new key for stored secrets: everything can be read at every moment, and in the end the old key opens nothing."""

from __future__ import annotations

import json
import threading

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.apps import apps
from django.db import connection

from conftest import NOON
from tertulia.api import actions as api
from tertulia.api.models import Webhook
from tertulia.channels.models import Account, Admission
from tertulia.core import crypto, rotation

pytestmark = pytest.mark.django_db


@pytest.fixture
def key_file(settings, tmp_path):
    file = tmp_path / "encryption.key"
    file.write_text(Fernet.generate_key().decode())
    settings.ENCRYPTION_KEYS, settings.ENCRYPTION_KEY_FILE = [], file
    return file


@pytest.fixture
def world(key_file, brand, alba):
    for number in range(7):
        Account.objects.create(
            brand=brand, kind="site", name=f"S{number}", created_at=NOON, secrets={"token": f"canary-{number}"}
        )
    Account.objects.create(brand=brand, kind="phone", name="P", created_at=NOON)
    Admission.objects.create(
        brand=brand,
        kind="site",
        name="x",
        by_id=1,
        ticket_hash="h",
        expires_at=NOON,
        secrets={"a": "b"},
        kept={"c": "d"},
    )
    api.add_webhook(brand=brand, url="http://127.0.0.1:9/", types=["conversation.received"], by=alba, at=NOON)
    TOTP.activate(alba, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(alba)


def read_everything() -> list[object]:
    """Every secret there is, as the desk reads it."""
    found: list[object] = [dict(one.secrets) for one in Account.objects.order_by("pk")]
    found += [(dict(one.secrets), dict(one.kept)) for one in Admission.objects.all()]
    found += [dict(one.secrets) for one in Webhook.objects.all()]
    for one in Authenticator.objects.order_by("pk"):
        found += [crypto.decrypt(one.data[name]) for name in ("secret", "seed") if name in one.data]
    return found


def stored_tokens() -> list[str]:
    """What stands encrypted in the database, wherever it is."""
    tokens = [one.data[name] for one in Authenticator.objects.all() for name in ("secret", "seed") if name in one.data]
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, crypto.SecretsField):
                with connection.cursor() as cursor:
                    cursor.execute(f'SELECT "{field.column}" FROM "{model._meta.db_table}"')
                    tokens += [token for (token,) in cursor.fetchall() if token]
    return tokens


def test_everything_is_under_the_new_key_and_the_old_one_is_gone(world, key_file):
    before, old = read_everything(), key_file.read_text().strip()
    assert rotation.rotate(key_file, wait=0) == len(stored_tokens()) == 12
    (new,) = key_file.read_text().split()
    assert new != old
    assert read_everything() == before
    assert [Fernet(new).decrypt(token) for token in stored_tokens()]
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_every_moment_it_can_be_killed_at_leaves_everything_readable(world, key_file, monkeypatch):
    """Killed before the first step, before the second, and so on, until it comes through."""
    before, steps, count = read_everything(), 0, 0

    class Killed(BaseException):
        pass

    def counting(call):
        def counted(*args, **named):
            nonlocal count
            count += 1
            if count > steps:
                raise Killed
            return call(*args, **named)

        return counted

    monkeypatch.setattr(rotation, "_write", counting(rotation._write))
    monkeypatch.setattr(crypto, "renewed", counting(crypto.renewed))
    while True:
        try:
            rotation.rotate(key_file, wait=0)
        except Killed:
            assert read_everything() == before
            assert len(key_file.read_text().split()) == (1 if steps == 0 else 2)
            steps, count = steps + 1, 0
        else:
            break
    assert steps > 12
    assert read_everything() == before
    assert len(key_file.read_text().split()) == 1


def test_one_that_was_killed_is_ended_with_the_key_it_had_begun(world, key_file):
    old = key_file.read_text().strip()
    key_file.write_text(f"{(new := Fernet.generate_key().decode())}\n{old}\n")
    rotation.rotate(key_file, wait=0)
    assert key_file.read_text().split() == [new]


def test_somebody_who_was_just_writing_is_waited_for(world, key_file, monkeypatch):
    """They had read the old key, and write only after everything else is done."""
    old = Fernet(key_file.read_text().strip())
    late = old.encrypt(json.dumps({"token": "late"}).encode()).decode()

    def write_meanwhile(seconds):
        if seconds == 12 and late not in stored_tokens() and not written:
            written.append(True)
            with connection.cursor() as cursor:
                cursor.execute("UPDATE tertulia_channels_account SET secrets = %s WHERE name = 'S0'", [late])

    written: list[bool] = []
    monkeypatch.setattr(rotation.time, "sleep", write_meanwhile)
    rotation.rotate(key_file, wait=12)
    assert written
    assert Account.objects.get(name="S0").secrets == {"token": "late"}
    assert len(key_file.read_text().split()) == 1


def test_whoever_runs_follows_the_file(world, key_file):
    """Without a restart: what is written and read after a rotation is so with the new key."""
    old = key_file.read_text().strip()
    token = crypto.encrypt("before")
    key_file.write_text(f"{Fernet.generate_key().decode()}\n{old}\n")
    assert crypto.decrypt(token) == "before"
    assert Fernet(crypto.key_ring()[0]).decrypt(crypto.encrypt("after")) == b"after"


def test_secret_that_no_key_opens_keeps_every_key(world, key_file):
    with connection.cursor() as cursor:
        strange = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
        cursor.execute("UPDATE tertulia_channels_account SET secrets = %s WHERE name = 'S3'", [strange])
    old = key_file.read_text().strip()
    with pytest.raises(crypto.UnreadableSecret):
        rotation.rotate(key_file, wait=0)
    assert key_file.read_text().split()[1] == old
    assert Account.objects.get(name="S0").secrets == {"token": "canary-0"}


def test_only_one_rotates_at_a_time(world, key_file):
    began, go_on = threading.Event(), threading.Event()

    def hold():
        with rotation._alone(key_file):
            began.set()
            go_on.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    began.wait(10)
    try:
        with pytest.raises(rotation.Busy):
            rotation.rotate(key_file, wait=0)
    finally:
        go_on.set()
        holder.join()
    assert len(key_file.read_text().split()) == 1


def test_keys_of_the_environment_are_followed_and_left_alone(world, settings, key_file):
    old, new = key_file.read_text().strip(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]
    before = read_everything()
    assert rotation.renew_all(wait=0) == 12
    settings.ENCRYPTION_KEYS = [new]
    assert read_everything() == before
