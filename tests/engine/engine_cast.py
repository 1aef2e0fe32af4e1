"""The cast of these tests: accounts of an invented network, and answers on their way out."""

from __future__ import annotations

import invented_networks as networks
import pytest

from conftest import NOON, envelope
from tertulia.channels.models import Account, Delivery
from tertulia.flows import inbound
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation


@pytest.fixture
def network():
    networks.install()
    for memory in (networks.Memory.sent, networks.Memory.script, networks.Memory.pages, networks.Memory.found):
        memory.clear()
    yield networks.Memory
    networks.remove()


@pytest.fixture
def account_of(network, brand):
    """`account_of("tests-memory")`: an account of that network."""

    def make(kind: str, **fields) -> Account:
        return Account.objects.create(brand=brand, kind=kind, name=kind, created_at=NOON, **fields)

    return make


@pytest.fixture
def answer(alba):
    """`answer(account, "Sí")`: Alba's answer to Diego, due at noon."""

    def write(account: Account, text: str = "Sí, de nueve a dos.", *, thread: str = "diego") -> Delivery:
        inbound.intake(account, [envelope(remote_id=f"{thread}-{text}", thread=thread)], at=NOON)
        conversation = Conversation.objects.get(account=account, thread_id=thread)
        delivery = actions.reply(conversation=conversation, text=text, by=alba, turn=conversation.turn, at=NOON)
        Delivery.objects.filter(pk=delivery.pk).update(due_at=NOON)
        return delivery

    return write
