"""The product against a network that loses, doubles, reorders, hangs and lies; the network's own list is the judge."""

import random
from datetime import timedelta

import pytest
from django.test import Client

from conftest import NOON
from fakes.connector import KINDS
from fakes.network import FAULTS_AFTER, SIGNING, TOKEN, Network, misbehave, running
from tertulia.channels import models as channels
from tertulia.channels.models import Account, Delivery, Message, Quarantine
from tertulia.connectors import registry
from tertulia.connectors.contract import Inbound
from tertulia.core.http import Door
from tertulia.flows import inbound, outbound, polling
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db

HONEST_FAULTS = ["429", "500", "503", "cut_before", "html_502", "echo_secret_500"]


@pytest.fixture
def network(monkeypatch, record_property):
    installed = registry.all_connectors()
    monkeypatch.setattr(registry, "all_connectors", lambda: {**installed, **KINDS})
    monkeypatch.setattr(channels, "http", Door(total=1.5))
    with running(Network(hang_seconds=2.2)) as network:
        yield network
        if network.posts:
            record_property("doubled", len(network.posts) - len({post["key"] for post in network.posts}))


def connected(network: Network, brand, kind: str = "fake-blind") -> Account:
    network.honours_keys = kind == "fake-keyed"
    return Account.objects.create(
        brand=brand,
        kind=kind,
        name="De prueba",
        created_at=NOON,
        settings={"url": network.url},
        secrets={"token": TOKEN, "signing": SIGNING},
        next_poll_at=NOON,
    )


def poll(account: Account, network: Network) -> None:
    """Let the hours go by until the account has read all that the network has."""
    for minutes in range(0, 600, 3):
        polling.run_due(NOON + timedelta(minutes=minutes))
        account.refresh_from_db(fields=["cursor"])
        if account.cursor == str(max(network.changes.values(), default=0)):
            return


def deliver(network: Network, account: Account, events: list[dict]) -> None:
    headers, body = network.signed(events)
    inbound.receive(account, Inbound(headers=headers, query={}, body=body, at=NOON))


@pytest.mark.proof_heavy
def test_twenty_thousand_messages_over_a_bad_line_are_each_shown_once(network, brand, record_property):
    rng = random.Random(20_000)
    account = connected(network, brand)
    events = [network.write(f"visitor {rng.randrange(16)}", f"Pregunta número {number}") for number in range(20_000)]
    events += [network.edit(id, f"Corregido: {id}") for id in rng.sample(sorted(network.messages), 2_000)]
    events += [network.edit(id, f"Otra vez: {id}") for id in rng.sample(sorted(network.messages), 500)]
    events += [network.delete(id) for id in rng.sample(sorted(network.messages), 1_000)]

    for batch in misbehave(events, rng=rng, lost=0.2, doubled=0.1, reordered=0.1):
        deliver(network, account, batch)
    assert Message.objects.count() < 20_000  # what was lost is really missing until the network is read
    poll(account, network)

    shown = Message.objects.values_list("remote_id", "thread_id", "text", "deleted_at")
    here = {id: (thread, "" if deleted else text, deleted is not None) for id, thread, text, deleted in shown}
    there = {id: (m["thread"], m["text"], m["deleted"]) for id, m in network.messages.items()}
    record_property("tried", len(there))
    record_property("lost", sum(here.get(id) != said for id, said in there.items()))
    record_property("doubled", len(shown) - len(here))
    assert (len(shown), here) == (20_000, there)
    assert set(Conversation.objects.values_list("thread_id", flat=True)) == {
        m["thread"] for m in network.messages.values()
    }


def conversation_on(account: Account, network: Network) -> Conversation:
    deliver(network, account, [network.write("diego", "¿Abrís el domingo?")])
    return Conversation.objects.get(account=account)


def send(conversation: Conversation, alba, network: Network, faults: list[str]) -> Delivery:
    """Answer, and let a quarter of an hour of background work go by, second by second where something is due."""
    delivery = actions.reply(conversation=conversation, text="El domingo descansamos.", by=alba, turn=1, at=NOON)
    network.faults.extend(faults)
    for seconds in range(0, 3600, 10):
        outbound.run_due(NOON + timedelta(seconds=seconds))
        delivery.refresh_from_db()
        if delivery.finished_at:
            break
    return delivery


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("fault", ["", *HONEST_FAULTS])
def test_a_fault_before_the_act_ends_in_one_answer_or_in_the_truth(network, brand, alba, kind, fault):
    delivery = send(conversation_on(connected(network, brand, kind), network), alba, network, [fault] if fault else [])
    if fault == "cut_before" and kind == "fake-blind":
        assert (delivery.state, network.posts) == ("unknown", [])
    else:
        assert (delivery.state, len(network.posts)) == ("sent", 1)
        assert delivery.message.remote_id == "p0"


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("fault", sorted(FAULTS_AFTER))
def test_a_fault_after_the_act_never_sends_it_again(network, brand, alba, kind, fault):
    delivery = send(conversation_on(connected(network, brand, kind), network), alba, network, [fault])
    assert len(network.posts) == 1
    assert delivery.state == ("unknown" if kind == "fake-blind" else "sent")


def test_a_network_that_fails_again_and_again_still_gets_the_answer_once(network, brand, alba):
    faults = ["503", "accept_then_hang", "429", "accept_then_cut", "500"]
    delivery = send(conversation_on(connected(network, brand, "fake-keyed"), network), alba, network, faults)
    assert (delivery.state, len(network.posts)) == ("sent", 1)


def test_what_is_unknown_is_shown_and_a_person_decides(network, brand, alba):
    conversation = conversation_on(connected(network, brand), network)
    delivery = send(conversation, alba, network, ["accept_then_cut"])
    conversation.refresh_from_db()
    assert (delivery.state, conversation.has_trouble) == ("unknown", True)
    actions.decide_unknown(delivery=delivery, was_sent=True, by=alba, at=NOON)
    outbound.run_due(NOON + timedelta(days=1))
    assert len(network.posts) == 1


def test_a_refused_token_stops_the_account_and_asks_for_a_person(network, brand, alba):
    delivery = send(conversation_on(connected(network, brand), network), alba, network, ["401"])
    account = Account.objects.get()
    assert (delivery.state, account.state, network.posts) == ("queued", "attention", [])


def test_no_call_is_made_before_the_network_said_so(network, brand, alba):
    conversation = conversation_on(connected(network, brand), network)
    actions.reply(conversation=conversation, text="Abrimos el lunes.", by=alba, turn=1, at=NOON)
    network.faults.append("429")
    asked = []
    for seconds in range(0, 200, 5):
        outbound.run_due(NOON + timedelta(seconds=seconds))
        asked.append(len(network.requests))
    first = asked.index(1) * 5
    assert asked.index(2) * 5 >= first + 90


def test_a_secret_that_the_network_echoes_is_written_nowhere(network, brand, alba, caplog):
    caplog.set_level("DEBUG")
    account = connected(network, brand)
    network.faults.extend(["echo_secret_500"] * 3)
    poll(account, network)
    send(conversation_on(account, network), alba, network, ["400"])
    account.refresh_from_db()
    told = (
        caplog.text + account.trouble + "".join(Delivery.objects.values_list("why", flat=True)) + repr(account.secrets)
    )
    assert TOKEN not in told
    assert SIGNING not in told


def test_the_door_takes_what_is_signed_keeps_what_is_unreadable_and_refuses_what_is_forged(network, brand, site):
    account = connected(network, brand)
    door = f"/in/{account.public_key}/"
    headers, body = network.signed([network.write("diego", "Hola")])
    assert Client().post(door, body, content_type="application/json", headers=headers).status_code == 200
    headers, broken = network.signed([{"verb": "created"}])
    assert Client().post(door, broken, content_type="application/json", headers=headers).status_code == 200
    assert Client().post(door, body, content_type="application/json", headers=headers).status_code == 403
    assert Client().post(f"/in/{site.public_key}/", body, content_type="application/json").status_code == 404
    assert (Message.objects.count(), Quarantine.objects.count()) == (1, 1)


def test_the_door_sets_aside_the_one_message_that_cannot_be_stored_and_takes_the_others(network, brand):
    account = connected(network, brand)
    events = [network.write(thread, "Hola") for thread in ("diego", "elena", "flora")]
    events[1]["message"] = {**events[1]["message"], "id": "\ud800"}  # half a character: no database takes it
    headers, body = network.signed(events)
    for _again in range(2):
        answer = Client().post(f"/in/{account.public_key}/", body, content_type="application/json", headers=headers)
        assert answer.status_code == 200
    assert sorted(Message.objects.values_list("thread_id", flat=True)) == ["diego", "flora"]
    kept = Quarantine.objects.get()
    assert (kept.why, b"elena" in bytes(kept.body)) == (inbound.UNREAD, True)


def test_a_forged_delivery_leaves_nothing(network, brand):
    account = connected(network, brand)
    headers, body = network.signed([network.write("diego", "Hola")])
    for wrong in ({}, {"x-signature": ""}, {"x-signature": headers["x-signature"].upper()}, {"x-signature": "é" * 64}):
        with pytest.raises(inbound.BadPayload) as bad:
            inbound.receive(account, Inbound(headers=wrong, query={}, body=body, at=NOON))
        assert bad.value.forged
    assert Message.objects.count() == 0
