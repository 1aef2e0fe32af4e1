"""Calls that arrive in the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from callers import Program, program
from django.conf import settings
from django.db import connection

from conftest import NOON, envelope
from tertulia.api.models import KeptAnswer
from tertulia.channels.models import Delivery
from tertulia.flows import inbound
from tertulia.inbox.models import Conversation

# Naming the apps lets PostgreSQL empty the search index, which is no model, together with the messages.
pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


@pytest.fixture(autouse=True)
def _a_database_that_bears_it(transactional_db):
    if connection.vendor == "sqlite" and "memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("SQLite in memory answers a second writer at once with an error; in a file it lets it wait")


@pytest.fixture
def conversation(site) -> Conversation:
    inbound.intake(site, [envelope()], at=NOON)
    return Conversation.objects.get()


def at_once(calls):
    """Run them in threads that start together; what each was answered."""
    barrier = Barrier(len(calls))

    def run(call):
        try:
            barrier.wait(10)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def reply(key: Program, conversation: Conversation, idempotency_key: str, text: str = "Sí"):
    body = {"text": text, "turn": 1}
    return key.post(f"/conversations/{conversation.id}/replies", body, **{"Idempotency-Key": idempotency_key})


def test_the_same_call_six_times_at_once_answers_once(conversation, alba, brand):
    key = program(alba, brand)
    programs = [Program(key.secret) for _ in range(6)]
    told = at_once([lambda each=each: reply(each, conversation, "same") for each in programs])
    assert [answer.status_code for answer in told] == [201] * 6
    assert len({answer.data["id"] for answer in told}) == 1
    assert (Delivery.objects.count(), KeptAnswer.objects.count()) == (1, 1)


def test_two_people_at_once_and_one_wins(conversation, alba, bruno, brand):
    keys = [program(alba, brand), program(bruno, brand)]
    told = at_once([lambda key=key, n=n: reply(key, conversation, f"k{n}", f"texto {n}") for n, key in enumerate(keys)])
    assert sorted(answer.status_code for answer in told) == [201, 409]
    assert Delivery.objects.count() == 1
