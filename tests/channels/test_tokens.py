"""Credentials that end are renewed once, whoever needs them, and a good one is never lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import ClassVar

import pytest
from django.conf import settings
from django.db import connection

from conftest import NOON
from tertulia.channels import actions, tokens
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.connectors.contract import Capabilities, Connector, Granted, Health, Reconnect, Retry
from tertulia.core import clock


class Rotating(Connector):
    """A network whose refresh token works once: a second use of the same one shuts the account."""

    key = "tests-rotating"
    name: ClassVar = {"en": "Rotating", "es": "Rotatoria"}
    capabilities = Capabilities(renews=True)
    number: ClassVar[int] = 0
    renewals: ClassVar[list[str]] = []
    lock: ClassVar[threading.Lock] = threading.Lock()

    def check(self, account):
        if account.secrets.get("access") != f"access-{self.number}":
            raise Reconnect("The access token no longer works.")
        return Health(is_ok=True, scopes=["read"], quota_left=7, facts={"handle": "@candela"})

    def renew(self, account):
        with self.lock:
            self.renewals.append(account.secrets["refresh"])
            if account.secrets["refresh"] != f"refresh-{self.number}":
                raise Reconnect("Connect the account again.")
            Rotating.number += 1
            return Granted(
                {"access": f"access-{self.number}", "refresh": f"refresh-{self.number}", "password": ""},
                expires_at=clock.now() + timedelta(hours=2),
            )


@pytest.fixture
def account(brand):
    registry.all_connectors()[Rotating.key] = Rotating
    Rotating.number, Rotating.renewals[:] = 0, []
    yield Account.objects.create(
        brand=brand, kind=Rotating.key, name="R", created_at=NOON,
        secrets={"access": "access-0", "refresh": "refresh-0", "password": "p"},
    )  # fmt: skip
    del registry.all_connectors()[Rotating.key]


def stored(account: Account) -> Account:
    return Account.objects.get(pk=account.pk)


@pytest.mark.django_db
def test_credentials_about_to_end_are_renewed_before_the_call(account):
    Account.objects.update(expires_at=clock.now() + timedelta(minutes=1))
    account.refresh_from_db()
    assert tokens.use(account, lambda: account.secrets["access"]) == "access-1"
    assert stored(account).secrets == {"access": "access-1", "refresh": "refresh-1", "password": "p"}


@pytest.mark.django_db
def test_a_call_that_was_refused_is_made_again_with_fresh_ones(account):
    Account.objects.filter(pk=account.pk).update(secrets={**account.secrets, "access": "of yesterday"})
    health = actions.look(account=stored(account), at=NOON)
    assert (health.is_ok, Rotating.renewals) == (True, ["refresh-0"])
    found = stored(account)
    assert (found.health["quota_left"], found.health["scopes"], found.settings) == (7, ["read"], {"handle": "@candela"})
    assert found.renew_lease_until is None


@pytest.mark.django_db
def test_when_only_a_person_can_help_nothing_is_lost(account):
    Account.objects.filter(pk=account.pk).update(
        secrets={**account.secrets, "access": "of yesterday", "refresh": "used"}
    )
    health = actions.look(account=stored(account), at=NOON)
    assert (health.is_ok, health.is_shut, health.says) == (False, True, "Connect the account again.")
    assert stored(account).secrets["password"] == "p"
    assert stored(account).renew_lease_until is None


@pytest.mark.django_db
def test_whoever_dies_renewing_holds_up_the_others_for_a_minute_at_most(account):
    Account.objects.update(renew_lease_until=clock.now() - timedelta(seconds=1))
    tokens.renew(account)
    assert account.secrets["access"] == "access-1"


@pytest.mark.django_db
def test_somebody_who_takes_long_is_waited_for_and_then_left(account, monkeypatch):
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 0.05)
    Account.objects.update(renew_lease_until=clock.now() + timedelta(minutes=1))
    with pytest.raises(Retry):
        tokens.renew(account)
    assert Rotating.renewals == []


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_many_at_once_renew_once(account):
    if connection.vendor == "sqlite" and "memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("SQLite in memory answers a second writer at once with an error; in a file it lets it wait")
    Account.objects.filter(pk=account.pk).update(secrets={**account.secrets, "access": "of yesterday"})
    found, start = [], threading.Barrier(16)

    def look() -> None:
        mine = stored(account)
        start.wait(10)
        found.append(tokens.use(mine, lambda: mine.connector.check(mine)).is_ok)
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [True] * 16
    assert Rotating.renewals == ["refresh-0"]
