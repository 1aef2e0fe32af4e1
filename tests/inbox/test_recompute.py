"""What a conversation's row says, reckoned for many at once, must be what the database weighs for each alone."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.channels.models import Delivery, Message
from tertulia.flows import inbound
from tertulia.inbox import actions, filing
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db


def later(minutes):
    return NOON + timedelta(minutes=minutes)


def _talk(account, thread, chance):
    inbound.intake(account, [envelope("Hola", remote_id=f"{thread}-0", thread=thread)], at=NOON)
    rows = []
    for number in range(1, chance.randint(2, 9)):
        sent = later(chance.randint(1, 6))  # several at the same moment
        message = Message.objects.create(
            account=account, thread_id=thread, remote_id=f"{thread}-{number}", text=f"{number} {sent}", kind="chat",
            direction=chance.choice(["in", "out"]), sent_at=sent, received_at=later(chance.randint(1, 6)),
            deleted_at=chance.choice([None, None, None, NOON]), is_automatic=chance.random() < 0.2,
        )  # fmt: skip
        if message.direction == "out" and chance.random() < 0.7:
            state = chance.choice(["sent", "queued", "cancelled", "refused", "unknown"])
            key = f"{account.pk}-{message.remote_id}"
            facts = {
                "state": state,
                "due_at": NOON,
                "created_at": NOON,
                "read_to": chance.choice([None, message.pk - 1]),
            }
            rows.append(Delivery(account=account, thread_id=thread, message=message, key=key, **facts))
    Delivery.objects.bulk_create(rows)
    settled = chance.choice([None, None, rows[0].message_id if rows else None])
    state = chance.choice(["open", "open", "closed"])
    Conversation.objects.filter(account=account, thread_id=thread).update(settled_to=settled, state=state)


def _standing(conversations):
    return {row.pk: {**row.__dict__, "_state": None} for row in conversations}


@pytest.mark.parametrize("seed", range(6))
def test_for_many_at_once_as_for_each_alone(site, phone, seed, monkeypatch):
    chance = random.Random(seed)
    for number in range(12):
        _talk(site if number % 2 else phone, f"t{number // 2}", chance)
    many = list(Conversation.objects.order_by("pk"))
    filing.recompute_many(many, filing.snapshot(many), at=later(60))
    together = _standing(Conversation.objects.all())
    monkeypatch.setattr(filing, "LONG", -1)
    for conversation in Conversation.objects.all():
        filing.recompute(conversation, at=later(60))
    assert _standing(Conversation.objects.all()) == together
    assert len({row["preview"] for row in together.values()}) > 5


def test_many_outcomes_cost_hardly_more_questions_than_one(site, alba):
    deliveries = []
    for number in range(9):
        inbound.intake(site, [envelope(remote_id=f"m{number}", thread=f"t{number}")], at=NOON)
        conversation = Conversation.objects.get(thread_id=f"t{number}")
        deliveries.append(actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1)))
    Delivery.objects.update(state="sent", finished_at=later(2))
    rows = list(Delivery.objects.order_by("pk"))
    with CaptureQueriesContext(connection) as one:
        actions.record_outcomes(deliveries=rows[:1], at=later(2))
    with CaptureQueriesContext(connection) as eight:
        actions.record_outcomes(deliveries=rows[1:], at=later(2))
    assert len(eight) <= len(one) + 1
