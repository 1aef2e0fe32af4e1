"""The daily balance: what the source has against what is here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from conftest import NOON, envelope
from fakes.connector import KINDS, Looking
from fakes.network import SIGNING, START, TOKEN, Network, running
from tertulia.channels.models import Account, Delivery, Message, Quarantine, Reconciliation
from tertulia.connectors import registry
from tertulia.connectors.contract import Inbound, Retry, Unread
from tertulia.core import jobs
from tertulia.flows import inbound, reconcile
from tertulia.inbox import acting, actions
from tertulia.inbox.models import Conversation
from tertulia.insight import queries

pytestmark = pytest.mark.django_db
DAY = START.date()
EVENING = START + timedelta(hours=10)


@pytest.fixture
def network():
    registry.all_connectors().update(KINDS)
    with running(Network()) as network:
        yield network
    for key in KINDS:
        registry.all_connectors().pop(key)


@pytest.fixture
def account(network, brand):
    return Account.objects.create(
        brand=brand, kind=Looking.key, name="Red", created_at=START, settings={"url": network.url},
        secrets={"token": TOKEN, "signing": SIGNING},
    )  # fmt: skip


def deliver(account, network, events) -> None:
    """What of its events reached us."""
    headers, body = network.signed(events)
    connector = account.connector
    inbound.take_in(account, connector.receive(account, Inbound(headers, {}, body, EVENING)), at=EVENING)


def shown() -> dict[str, str]:
    return {m.remote_id: m.text for m in Message.objects.filter(deleted_at__isnull=True)}


def test_what_was_lost_is_found_and_taken_in(account, network):
    told = [network.write(f"p{n}", f"Hola {n}") for n in range(20)]
    deliver(account, network, told[::2])
    row = reconcile.reconcile(account, DAY, at=EVENING)
    assert (row.at_source, row.stored, row.found_again, row.gone, row.trouble) == (20, 10, 10, 0, "")
    assert shown() == {id: one["text"] for id, one in network.messages.items()}
    again = reconcile.reconcile(account, DAY, at=EVENING)
    assert (again.at_source, again.stored, again.found_again) == (20, 20, 10)


def test_edits_and_deletions_nobody_told_us_of_are_seen(account, network):
    deliver(account, network, [network.write(f"p{n}", f"Hola {n}") for n in range(5)])
    network.edit("m1", "Adiós")
    network.delete("m2")
    row = reconcile.reconcile(account, DAY, at=EVENING)
    assert (row.at_source, row.stored, row.gone) == (4, 4, 1)
    assert "m2" not in shown()
    assert shown()["m1"] == "Adiós"


def test_what_the_network_only_hides_still_stands(account, network):
    deliver(account, network, [network.write(f"p{n}", f"Hola {n}") for n in range(3)])
    network.hidden.add("m1")
    network.delete("m2")
    row = reconcile.reconcile(account, DAY, at=EVENING)
    assert (row.at_source, row.gone) == (1, 1)
    assert set(shown()) == {"m0", "m1"}


def test_a_network_that_falls_silent_when_asked_what_is_gone_is_asked_again(account, network, monkeypatch):
    deliver(account, network, [network.write(f"p{n}", f"Hola {n}") for n in range(3)])
    for n in (1, 2):
        network.delete(f"m{n}")

    def half(connector, account, missing):
        yield "m1"
        raise Retry("Busy.")

    with monkeypatch.context() as here:
        here.setattr(Looking, "gone", half)
        row = reconcile.reconcile(account, DAY, at=EVENING)
    assert (row.gone, row.trouble) == (1, "Busy.")
    assert reconcile.reconcile(account, DAY, at=EVENING).gone == 2
    assert set(shown()) == {"m0"}


def test_a_network_that_suddenly_shows_little_is_not_believed(account, network):
    deliver(account, network, [network.write(f"p{n}", f"Hola {n}") for n in range(40)])
    for n in range(30):
        network.delete(f"m{n}")
    row = reconcile.reconcile(account, DAY, at=EVENING)
    assert (row.gone, row.trouble) == (0, reconcile.DOUBTFUL)
    assert len(shown()) == 40


def test_a_network_that_does_not_answer_leaves_the_count_as_it_was(account, network):
    deliver(account, network, [network.write("p", "Hola")])
    reconcile.reconcile(account, DAY, at=EVENING)
    network.faults.append("503")
    row = reconcile.reconcile(account, DAY, at=EVENING)
    assert (row.at_source, row.stored) == (1, 1)
    assert row.trouble
    assert shown() == {"m0": "Hola"}


def test_the_days_to_count_are_the_last_three_and_those_that_never_were(account):
    at = datetime(2026, 12, 3, 12, tzinfo=UTC)
    over = [date(2026, 11, day) for day in range(16, 30)]
    for day in over:
        Reconciliation.objects.create(account=account, day=day, at_source=0, stored=0, checked_at=at)
    Reconciliation.objects.filter(day=date(2026, 11, 20)).update(trouble="No answer.")
    Reconciliation.objects.filter(day=date(2026, 11, 21)).update(checked_at=datetime(2026, 11, 21, 12, tzinfo=UTC))
    days = reconcile.days_to_count(account, at=at)
    assert days == [date(2026, 12, day) for day in (3, 2, 1)] + [date(2026, 11, day) for day in (30, 21, 20)]


def test_the_clock_counts_every_active_account_that_can_be(account, site):
    jobs.run_due(EVENING)
    reconcile.begin()
    assert jobs.run_due(EVENING + timedelta(days=900)) > 0
    assert set(Reconciliation.objects.values_list("account", flat=True)) == {account.pk}


def test_what_can_not_be_read_is_kept_once(account):
    for _ in range(2):
        inbound.keep_unread(account, Unread({"id": 7}, "No text."), at=NOON)
    assert Quarantine.objects.get().why == "No text."


# Nothing unanswered


def test_every_message_stands_in_exactly_one_place(site, alba, brand):
    def conversation_of(person: str, **fields) -> Conversation:
        inbound.intake(site, [envelope(f"Soy {person}", thread=person, remote_id=person, **fields)], at=NOON)
        return Conversation.objects.select_related("account", "brand").get(thread_id=person)

    for person in ("a", "b"):
        actions.reply(conversation=conversation_of(person), text="Sí", by=alba, turn=1, at=NOON)
    actions.close(conversation=conversation_of("c"), reason="no_answer", by=alba, at=NOON)
    actions.close(conversation=conversation_of("d"), reason="handed_on", by=alba, at=NOON)
    actions.close(conversation=conversation_of("e"), reason="spam", by=alba, at=NOON)
    conversation_of("f", is_automatic=True)
    waiting = conversation_of("g")
    actions.assign(conversation=waiting, to=alba, by=None, at=NOON)
    conversation_of("h")
    inbound.intake(site, [envelope("", remote_id="g2", thread="g", verb="deleted", changed_at=NOON)], at=NOON)
    moderated = Message.objects.get(remote_id=conversation_of("i").thread_id)
    Delivery.objects.create(
        account=site, thread_id="i", on=moderated, act="hide", key="k", state="sent", due_at=NOON, created_at=NOON
    )
    found = queries.ends(brand, since=NOON - timedelta(days=1))
    assert found == {
        "answered": 2, "no_answer": 1, "handed_on": 1, "moderated": 1, "spam": 1, "duplicate": 0, "withdrawn": 1,
        "waiting": 1, "ownerless": 1,
    }  # fmt: skip
    assert sum(found.values()) == Message.objects.filter(direction="in", is_automatic=False).count()
    assert (
        queries.ownerless(brand, at=NOON + timedelta(minutes=1))
        == Conversation.objects.filter(owner=None).exclude(state="closed").count()
    )
    assert acting.SETTLING


def test_a_later_message_of_somebody_answered_waits_again(site, alba, brand):
    inbound.intake(site, [envelope()], at=NOON)
    actions.reply(conversation=Conversation.objects.get(), text="Sí", by=alba, turn=1, at=NOON)
    inbound.intake(site, [envelope("¿Y mañana?", remote_id="m2", minutes=9)], at=NOON + timedelta(minutes=9))
    found = queries.ends(brand, since=NOON - timedelta(days=1))
    assert (found["answered"], found["waiting"]) == (1, 1)
