"""Topics and repeated questions, for a program."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from callers import program

from conftest import NOON, envelope
from tertulia.flows import inbound
from tertulia.understanding import lessons
from tertulia.understanding.models import MessageReading, Topic

pytestmark = pytest.mark.django_db
LATE = [
    "Otra vez retraso en la entrega, llegó a las once",
    "Hay mucho retraso en la entrega del pedido",
    "Qué retraso en la entrega, así no se puede",
]
BREAD = ["¿Tenéis pan de espelta?", "hola, teneis pan de espelta?", "¿Hay pan de espelta?"]


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def test_a_program_reads_the_same(alba, brand, site):
    said = [envelope(text, remote_id=f"p{n}", thread=f"p{n}") for n, text in enumerate([*LATE, *BREAD])]
    inbound.process(conversation_ids=inbound.intake(site, said, at=NOON))
    api = program(alba, brand)
    told = api.get("/topics?days=7").data
    [late] = [topic for topic in told["items"] if topic["name"] == "delivery"]
    assert (late["kind"], late["messages"], late["before"]) == ("general", 3, None)
    assert late["parts"][0]["name"] == "retraso en la entrega"
    assert late["channels"] == {str(site.pk): 3}
    assert late["quotes"][0]["text"] in LATE
    assert told["period"] == {"first": "2026-11-17", "last": "2026-11-23", "messages": 6, "is_cut": False}
    [question] = api.get("/questions").data["items"]
    assert (question["text"], question["people"], len(question["asked_in"])) == ("¿Tenéis pan de espelta?", 3, 3)
    assert api.get("/topics?days=8").status_code == 422
    assert api.get("/topics?first=2026-11-17").status_code == 422
    assert api.get("/topics?channel_id=999999").data["error"]["fields"].keys() == {"channel_id"}


def test_an_own_topic_has_no_count_of_before_until_that_was_read_for_it(alba, brand, site):
    before = envelope("Otra cosa", remote_id="b", thread="b", sent_at=NOON - timedelta(days=9))
    said = [envelope(text, remote_id=f"p{n}", thread=f"p{n}") for n, text in enumerate(LATE)]
    inbound.process(conversation_ids=inbound.intake(site, [before, *said], at=NOON))
    topic = lessons.add_topic(brand=brand, name="Tartas", by=alba.pk, at=NOON)
    MessageReading.objects.filter(message__text__in=LATE).update(topics=[topic.slug])
    for read_since, count in ((None, None), (NOON - timedelta(days=20), 0)):
        Topic.objects.update(read_since=read_since)
        told = program(alba, brand).get("/topics?days=7").data["items"]
        [own] = [each for each in told if each["name"] == topic.slug]
        assert [each["before"] for each in (own, *own["parts"])] == [count, count]
