"""Reading networks: each account by one reader, messages and cursor together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError

from conftest import NOON, envelope
from tertulia.channels.models import Account, Message, Quarantine
from tertulia.connectors.contract import BadPayload, Page, Reconnect, Retry
from tertulia.core.models import Activity
from tertulia.flows import inbound, polling

pytest_plugins = ("engine_cast",)
pytestmark = pytest.mark.django_db


@pytest.fixture
def account(account_of) -> Account:
    polling._failures.clear()
    return account_of("tests-memory", next_poll_at=NOON)


def later(**amount):
    return NOON + timedelta(**amount)


def test_what_is_new_is_taken_in_with_the_place_to_read_on_from(account, network):
    network.pages[:] = [
        Page([envelope("uno", remote_id="1")], "1", more=True),
        Page([envelope("dos", remote_id="2")], "2"),
    ]
    assert polling.run_due(NOON) == 1
    account.refresh_from_db()
    assert (account.cursor, account.poll_lease_until, account.last_success_at) == ("2", None, NOON)
    assert timedelta(seconds=57) <= account.next_poll_at - NOON <= timedelta(seconds=63)
    assert sorted(Message.objects.values_list("text", flat=True)) == ["dos", "uno"]
    assert polling.run_due(later(seconds=30)) == 0


def test_one_reader_at_a_time_and_another_after_its_lease(account):
    (first,) = polling.claim(at=NOON, limit=5)
    assert polling.claim(at=later(seconds=59), limit=5) == []
    (second,) = polling.claim(at=later(seconds=60), limit=5)
    assert second.fence == first.fence + 1


def test_a_reader_thought_dead_changes_nothing(account, network):
    (late,) = polling.claim(at=NOON, limit=5)
    (successor,) = polling.claim(at=later(seconds=60), limit=5)
    network.pages[:] = [Page([envelope("uno", remote_id="1")], "1")]
    result = polling.run(late)
    assert polling.settle([result], at=later(seconds=61)) == 1
    account.refresh_from_db()
    assert (account.cursor, Message.objects.count(), account.poll_fence) == ("", 0, successor.fence)


def test_trouble_waits_longer_each_time_and_is_shown(account, network):
    network.pages[:] = [Retry("The server can't be reached.")] * 3
    waits = []
    for hours in (0, 1, 2):
        polling.run_due(later(hours=hours))
        account.refresh_from_db()
        waits.append(account.next_poll_at - later(hours=hours))
    assert (account.state, account.trouble) == ("active", "The server can't be reached.")
    polling.run_due(later(hours=3))
    account.refresh_from_db()
    assert account.trouble == ""


def test_the_network_says_how_long_to_wait(account, network):
    network.pages[:] = [Retry("Slower.", after=timedelta(hours=1))]
    polling.run_due(NOON)
    account.refresh_from_db()
    assert account.next_poll_at == later(hours=1)


def test_dead_credentials_stop_the_reading_and_are_told(account, network):
    network.pages[:] = [Reconnect("The token is no longer valid.")]
    polling.run_due(NOON)
    account.refresh_from_db()
    assert (account.state, account.trouble) == ("attention", "The token is no longer valid.")
    assert Activity.objects.filter(type="account.attention").count() == 1
    assert polling.run_due(later(days=1)) == 0


@pytest.mark.parametrize("mistake", [BadPayload("no JSON"), KeyError("id")])
def test_a_connectors_mistake_is_a_trouble_of_its_account_alone(account, network, mistake):
    network.pages[:] = [mistake]
    polling.run_due(NOON)
    account.refresh_from_db()
    assert (account.state, account.cursor) == ("active", "")
    assert account.next_poll_at > NOON


def test_a_message_that_cannot_be_taken_in_is_set_aside_and_the_others_arrive(account, network, monkeypatch):
    intake = inbound.intake

    def choosy(account, envelopes, **more):
        if any(each.remote_id == "2" for each in envelopes):
            raise ValueError("poison")
        return intake(account, envelopes, **more)

    monkeypatch.setattr(inbound, "intake", choosy)
    network.pages[:] = [Page([envelope(remote_id=id, raw={"id": id}) for id in "123"], "3")]
    polling.run_due(NOON)
    account.refresh_from_db()
    assert account.cursor == "3"
    assert sorted(Message.objects.values_list("remote_id", flat=True)) == ["1", "3"]
    assert bytes(Quarantine.objects.get().body) == b'{"remote_id": "2", "raw": {"id": "2"}}'


def test_a_database_that_fails_for_a_moment_sets_no_message_aside(account, network, monkeypatch):
    intake = inbound.intake

    def choosy(account, envelopes, **more):
        if len(envelopes) == 3:
            raise ValueError("poison")
        if any(each.remote_id == "2" for each in envelopes):
            raise OperationalError("deadlock detected")
        return intake(account, envelopes, **more)

    monkeypatch.setattr(inbound, "intake", choosy)
    network.pages[:] = [Page([envelope(remote_id=id) for id in "123"], "3")]
    polling.run_due(NOON)
    account.refresh_from_db()
    assert (account.cursor, Quarantine.objects.count()) == ("", 0)
    assert account.next_poll_at > NOON


def test_accounts_without_a_time_are_given_one(account_of):
    fresh = account_of("tests-memory")
    blind = account_of("tests-blind")
    polling.begin()
    fresh.refresh_from_db()
    blind.refresh_from_db()
    assert (fresh.next_poll_at is not None, blind.next_poll_at) == (True, None)


def test_a_ticket_that_comes_twice_is_used_once(account):
    (ticket,) = polling.hold(at=NOON, limit=5)
    assert polling.take(ticket, at=NOON) is not None
    assert polling.take(ticket, at=NOON) is None
