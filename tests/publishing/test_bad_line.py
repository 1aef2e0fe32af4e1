"""Whatever the line between us and a network does: a post arrives once or somebody is asked, a message is read once."""

from __future__ import annotations

import json
import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from urllib.parse import parse_qs, urlsplit

import pytest
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE

from conftest import NOON
from fakes.connector import KINDS
from fakes.line import line_to
from tertulia.channels.models import Account, Delivery, Message
from tertulia.flows import polling

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof_heavy]

MANY = int(os.environ.get("TERTULIA_TEST_PARTS", "40"))
WORDS = ("", "late", "slow", "never", "silent", "429", "500", "html")
CUTS = ("ask", "answer", "half")


def faults_of_a_line(chance: random.Random, *, may_double: bool) -> Iterator[str]:
    """All that the line is capable of, again and again in another order, cut at any place."""
    while True:
        for word in chance.sample(hand := [*WORDS, *(["twice"] if may_double else []), *CUTS * 2], len(hand)):
            place = chance.choice([chance.randrange(1, 260), -chance.randrange(1, 60)])
            yield f"{word}:{place}" if word in CUTS else word


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_post_is_there_once_or_somebody_is_asked(network, account_of, post_on, go_on, kind, record_property):
    """The line spoils the first one or two requests about each post. Only to a network that knows keys it says things
    twice: what a line doubles on its own is out of anybody's hands elsewhere."""
    chance, faults = random.Random(kind), defaultdict(list)
    next_fault = faults_of_a_line(chance, may_double=kind == "fake-keyed")

    def choose(method: str, path: str, body: bytes) -> str:
        key = json.loads(body)["key"] if body else parse_qs(urlsplit(path).query)["key"][0]
        if key not in faults:
            faults[key] = list(islice(next_fault, chance.randint(1, 2)))
        return faults[key].pop(0) if faults[key] else ""

    with line_to(network.url, choose) as (url, line):
        for number in range(MANY):
            account = account_of(kind, name=f"{number}")
            Account.objects.filter(pk=account.pk).update(settings={"url": url})
            post_on(account, texts=(f"Pan {number}",))
        go_on(DUE, minutes=25)
        go_on(DUE + timedelta(minutes=25), minutes=100)

    there = Counter(post["key"] for post in network.posts)
    rows = list(Delivery.objects.filter(post__isnull=False))
    lost = [row for row in rows if row.state not in {"sent", "unknown"} or (row.state == "sent" and not there[row.key])]
    doubled = [key for key, count in there.items() if count > 1]
    unknown = [row for row in rows if row.state == "unknown"]
    for name, found in {"tried": rows, "lost": lost, "doubled": doubled, "unknown": unknown}.items():
        record_property(name, len(found))
    assert (len(rows), lost, doubled) == (MANY, [], [])
    assert not unknown or kind == "fake-blind"
    assert len(set(line.done)) > 8 or MANY < 15, "the line did many kinds of things"


def test_each_message_is_read_once(network, account_of, record_property):
    chance = random.Random(7)
    faults = faults_of_a_line(chance, may_double=True)
    with line_to(network.url, lambda *asked: next(faults)) as (url, line):
        account = account_of()
        Account.objects.filter(pk=account.pk).update(settings={"url": url}, next_poll_at=NOON)
        for step in range(MANY):
            network.write(f"visitor {step % 5}", f"Pregunta {step}")
            if step % 3 == 0:
                network.edit(f"m{chance.randrange(step + 1)}", f"Corregida {step}")
            Account.objects.update(next_poll_at=NOON + timedelta(minutes=step), state="active")
            polling.run_due(NOON + timedelta(minutes=step))
        line.choose = lambda *asked: ""
        Account.objects.update(next_poll_at=NOON + timedelta(hours=20), state="active")
        polling.run_due(NOON + timedelta(hours=20))
    here = dict(Message.objects.values_list("remote_id", "text"))
    there = {id: message["text"] for id, message in network.messages.items()}
    record_property("tried", len(there))
    record_property("lost", sum(here.get(id) != text for id, text in there.items()))
    record_property("doubled", Message.objects.count() - len(here))
    assert (here, Message.objects.count()) == (there, MANY)
