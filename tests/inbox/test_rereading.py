"""What was there before it could be read: read bit by bit, open conversations first, then from the newest back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from conftest import NOON, envelope
from tertulia.channels.models import Message
from tertulia.core.models import Job
from tertulia.flows import inbound, learning, schedule, ticks
from tertulia.inbox import actions, rereading, understood
from tertulia.inbox.models import Conversation
from tertulia.project import administering
from tertulia.understanding import lessons, teaching
from tertulia.understanding.models import MessageReading, Topic

pytestmark = pytest.mark.django_db
ANGRY = "Es una vergüenza, llevo tres semanas esperando y nadie me contesta"


@pytest.fixture
def six(site, alba):
    """A message each in six conversations, never read; only the oldest two are open."""
    inbound.intake(
        site, [envelope(ANGRY, remote_id=f"m{n}", thread=f"p{n}", minutes=n) for n in range(6)], at=NOON
    )  # fmt: skip
    for one in Conversation.objects.filter(thread_id__in=["p2", "p3", "p4", "p5"]):
        actions.close(conversation=one, reason="no_answer", by=alba, at=NOON)


def read() -> set[str]:
    return set(MessageReading.objects.values_list("message__remote_id", flat=True))


def test_open_ones_first_then_from_the_newest_back_until_done(six, monkeypatch):
    monkeypatch.setattr(rereading, "MESSAGES", 2)
    steps = []
    while rereading.step(at=NOON) is not None:
        steps.append(read())
    assert steps[:3] == [{"m0", "m1"}, {"m0", "m1", "m4", "m5"}, {f"m{n}" for n in range(6)}]
    assert set(Conversation.objects.values_list("kind", flat=True)) == {"complaint"}


def test_one_that_breaks_the_reading_keeps_no_other_from_it(six, monkeypatch):
    real = understood.understanding.read_messages

    def breaks(messages, *, at):
        if any(message.thread_id == "p3" for message in messages):
            raise ValueError("nobody foresaw this")
        return real(messages, at=at)

    monkeypatch.setattr(understood.understanding, "read_messages", breaks)
    while rereading.step(at=NOON) is not None:
        pass
    assert read() == {"m0", "m1", "m2", "m4", "m5"}


def test_nothing_to_do_costs_one_look_up(six):
    while rereading.step(at=NOON) is not None:
        pass
    with CaptureQueriesContext(connection) as asked:
        assert rereading.step(at=NOON) is None
    assert len(asked) == 1


def test_what_an_older_model_read_is_read_again_and_what_people_said_stands(six, alba):
    conversation, message = Conversation.objects.get(thread_id="p0"), Message.objects.get(remote_id="m0")
    understood.read_new([conversation.pk], at=NOON)
    understood.correct(conversation=conversation, message=message, field="kind", value="support", by=alba, at=NOON)
    MessageReading.objects.update(by="older", sentiment="positive")
    assert ticks.reread(seconds=0.1) >= 1
    reading = MessageReading.objects.get(pk=message.pk)
    assert (reading.kind, reading.sentiment) == ("support", "negative")
    assert reading.by != "older"


def test_all_at_once_from_the_console_and_nothing_twice(six, capsys):
    with translation.override("en"):
        administering.understand_stored(None)
        assert "6 messages were read." in capsys.readouterr().out
        administering.understand_stored(None)
        assert "0 messages were read." in capsys.readouterr().out


@pytest.fixture
def cakes(site, brand, alba):
    """Closed ones of three, a hundred and 250 days ago, read before anybody taught what a cake is."""
    with time_machine.travel(NOON, tick=False):
        for days in (3, 100, 250):
            sent_at = NOON - timedelta(days=days)
            one = envelope("Una tarta de cumpleaños", remote_id=f"{days}", thread=f"{days}", sent_at=sent_at)
            inbound.process(conversation_ids=inbound.intake(site, [one], at=NOON))
        for one in Conversation.objects.all():
            actions.close(conversation=one, reason="no_answer", by=alba, at=NOON)
        lines = [
            json.dumps({"text": f"{text} {n}", "field": "topic:cakes", "value": value, "name": "Tartas"})
            for text, value in (("Una tarta de cumpleaños", True), ("La barra de pan", False))
            for n in range(12)
        ]
        lessons.import_lines(brand=brand, content="\n".join(lines).encode(), name="a", by=alba.pk, at=NOON)
        schedule.run_due(NOON + timedelta(minutes=5))
        yield


def about_cakes() -> set[str]:
    read = MessageReading.objects.values_list("message__remote_id", "topics")
    return {name for name, topics in read if "cakes" in topics}


def test_older_messages_are_read_for_an_own_topic_bit_by_bit_and_so_far_it_is_compared(cakes, monkeypatch):
    monkeypatch.setattr(learning, "BACK_SECONDS", 0)
    monkeypatch.setattr(rereading, "CONVERSATIONS", 1)
    assert (about_cakes(), Topic.objects.get().read_since) == (set(), None)
    schedule.run_due(NOON + timedelta(hours=7))
    assert about_cakes() == {"3", "100"}
    assert Topic.objects.get().read_since == NOON - teaching.BACK
    assert Job.objects.filter(task="flows.read_back").count() == 3


def test_a_topic_that_was_taught_before_older_messages_were_read_for_it_has_that_done(cakes, brand):
    Job.objects.filter(task="flows.read_back").delete()
    learning.learn_anew()
    assert Job.objects.filter(task="flows.read_back").count() == 1
    schedule.run_due(NOON + timedelta(hours=7))
    assert Topic.objects.get().read_since == NOON - teaching.BACK
    Job.objects.all().delete()
    learning.learn_anew()
    Topic.objects.update(slug="not-taught", read_since=None)
    learning.learn_anew()
    assert not Job.objects.exists()


def test_a_topic_that_is_not_read_any_more_is_not_compared_any_more(cakes, brand, alba):
    for stop in (
        lambda: teaching.switch(brand=brand.pk, is_on=False, by=alba.pk, at=NOON),
        lambda: teaching.unlearn(brand=brand.pk, at=NOON),
        lambda: teaching.forget(brand=brand, by=alba.pk, at=NOON),
        lambda: lessons.remove_topic(topic=Topic.objects.get(), by=alba.pk, at=NOON),
    ):
        Topic.objects.update(read_since=NOON)
        stop()
        assert Topic.objects.get().read_since is None
        teaching.switch(brand=brand.pk, is_on=True, by=alba.pk, at=NOON)


def test_what_was_forgotten_meanwhile_counts_as_not_read(cakes, brand, alba):
    teaching.forget(brand=brand, by=alba.pk, at=NOON)
    schedule.run_due(NOON + timedelta(hours=7))
    teaching.note_read_back(brand.pk, ["cakes"], since=NOON)
    assert (about_cakes(), Topic.objects.get().read_since) == (set(), None)
