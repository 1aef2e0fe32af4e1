"""Who waits for something urgent stands further up, until they are answered or it wears off; by one index walk."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from inbox.test_narrowing import explained, names
from tertulia.channels.models import Message
from tertulia.flows import inbound
from tertulia.inbox import actions, queries, understood
from tertulia.inbox.models import Conversation
from tertulia.inbox.queries import Filters

pytestmark = pytest.mark.django_db
MINUTES = (0, 60, 120, 600)


@pytest.fixture
def four(site, brand, alba):
    """At noon, one, two and ten hours later; the first is urgent today, as alba says."""
    new = [envelope("Hola", remote_id=f"m{n}", thread=f"p{n}", minutes=n) for n in MINUTES]
    inbound.process(conversation_ids=inbound.intake(site, new, at=NOON))
    hurry("p0", 67, alba)


def hurry(thread: str, urgency: int, by) -> None:
    conversation, message = Conversation.objects.get(thread_id=thread), Message.objects.get(thread_id=thread)
    understood.correct(
        conversation=conversation, message=message, field="urgency", value=urgency, by=by, at=NOON
    )  # fmt: skip


@pytest.mark.parametrize("view", ["open", "mine"])
def test_what_is_urgent_stands_as_if_written_later_and_page_by_page(four, brand, alba, view):
    assert names(brand, alba, Filters(view=view), limit=1) == ["P600", "P0", "P120", "P60"]


def test_what_is_urgent_now_before_what_is_urgent_today_in_every_order(four, brand, site, alba):
    hurry("p120", 100, alba)
    assert names(brand, alba, Filters(), limit=1) == ["P120", "P600", "P0", "P60"]
    assert names(brand, alba, Filters(account=site.pk)) == ["P120", "P600", "P0", "P60"]
    assert names(brand, alba, Filters(view="waiting"), limit=1) == ["P120", "P0", "P60", "P600"]


def test_answered_closed_or_not_urgent_after_all_it_loses_its_place(four, brand, alba):
    first = Conversation.objects.get(thread_id="p0")
    actions.reply(conversation=first, text="Ya", by=alba, turn=first.turn, at=NOON + timedelta(minutes=90))
    first.refresh_from_db()
    assert (first.ranked_at, first.listed_at) == (None, first.last_activity_at)

    hurry("p60", 100, alba)
    hurry("p60", 0, alba)
    assert names(brand, alba, Filters()) == ["P600", "P120", "P0", "P60"]

    hurry("p120", 100, alba)
    actions.close(conversation=Conversation.objects.get(thread_id="p120"), reason="no_answer", by=alba, at=NOON)
    assert names(brand, alba, Filters(view="waiting")) == ["P60", "P600"]


@pytest.mark.parametrize(
    ("view", "index"), [("waiting", "waiting"), ("open", "state"), ("mine", "owner"), ("nobody", "owner")]
)
def test_one_walk_of_one_index(four, brand, alba, view, index):
    queries._plain.cache_clear()
    for after in ("", f"{int(NOON.timestamp() * 1_000_000)}-5"):
        with CaptureQueriesContext(connection) as asked:
            queries.page(brand=brand, user=alba, filters=Filters(view=view), after=after)
        plan = explained(asked.captured_queries[0]["sql"])
        assert f"conversation_{index}" in plan
        assert "sort" not in plan.lower()
        assert "TEMP" not in plan


def test_the_row_says_why_it_stands_ahead(four, brand, as_alba):
    assert 'title="Adelantada 4 horas, porque es urgente"' in as_alba.get("/b/horno-candela/inbox/").content.decode()


def test_who_waits_is_counted_in_one_index_alone(four, brand, alba):
    """Not by reading the table from its beginning, where all may be closed long since."""
    queries._counting.cache_clear()
    with CaptureQueriesContext(connection) as asked:
        queries.counters(brand=brand, user=alba)
    sql = asked.captured_queries[0]["sql"]
    plan = explained(sql)
    alone = "Index Only Scan using" if connection.vendor == "postgresql" else "USING COVERING INDEX"
    assert f"{alone} conversation_waiting" in plan
    assert sql.count("ORDER BY") == len(queries.COUNTED) + 1  # without it PostgreSQL may take another way
    assert queries.counters(brand=brand, user=alba).views["waiting"] == 4
