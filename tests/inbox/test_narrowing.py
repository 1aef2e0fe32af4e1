"""The list narrowed down by what people's newest messages say: right, kept, and one index walk at any size."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.channels.models import Message
from tertulia.flows import inbound
from tertulia.inbox import actions, queries
from tertulia.inbox.models import Conversation, Label, SavedView
from tertulia.inbox.queries import Filters
from tertulia.understanding import lessons
from tertulia.understanding.models import MessageReading, Topic

pytestmark = pytest.mark.django_db

SAID = [
    Filters(kind="complaint"), Filters(sentiment="negative"), Filters(sentiment="neutral"), Filters(urgent=True),
    Filters(language="en"), Filters(offensive=True),
]  # fmt: skip
ALL = Filters(kind="complaint", sentiment="negative", urgent=True)


@pytest.fixture
def twelve(site, brand, alba):
    """Every second one complains, every third is upset, every fourth in a hurry, every fifth in English, every sixth
    offends; the first is all of it."""
    inbound.intake(
        site, [envelope(f"pan {n}", remote_id=f"m{n}", thread=f"p{n:02}", minutes=n) for n in range(12)], at=NOON
    )
    for n, one in enumerate(Conversation.objects.order_by("thread_id")):
        one.kind = "question" if n % 2 else "complaint"
        one.sentiment = "neutral" if n % 3 else "negative"
        one.urgency = 49 if n % 4 else 50
        one.language = "es-MX" if n % 5 else "en"
        one.is_offensive = not n % 6
        one.save()


def names(brand, user, filters, limit=2) -> list[str]:
    found, after = [], ""
    while True:
        page = queries.page(brand=brand, user=user, filters=filters, after=after, limit=limit)
        found += [row["member_name"] for row in page.rows]
        if not (after := page.after):
            return found


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        (Filters(kind="complaint"), ["P10", "P08", "P06", "P04", "P02", "P00"]),
        (Filters(sentiment="negative"), ["P09", "P06", "P03", "P00"]),
        (Filters(urgent=True), ["P08", "P04", "P00"]),
        (Filters(sentiment="neutral", urgent=True), ["P08", "P04"]),
        (Filters(language="en"), ["P10", "P05", "P00"]),
        (Filters(language="es", urgent=True), ["P08", "P04"]),
        (Filters(offensive=True), ["P06", "P00"]),
        (Filters(view="waiting", language="en", offensive=True), ["P00"]),
        (Filters(view="trouble", language="en", offensive=True), []),
        (ALL, ["P00"]),
        (Filters(view="waiting", urgent=True), ["P00", "P04", "P08"]),
        (Filters(view="nobody", kind="complaint", sentiment="negative"), ["P06", "P00"]),
        (Filters(view="closed", kind="complaint"), []),
        (Filters(kind="praise"), []),
    ],
)
def test_page_by_page_in_the_order_of_the_view(twelve, brand, alba, filters, shown):
    assert names(brand, alba, filters) == shown


def test_together_with_a_channel_a_label_and_the_mentions(twelve, brand, site, alba, bruno):
    label = Label.objects.create(brand=brand, name="Pan")
    for one in Conversation.objects.filter(thread_id__in=["p00", "p01", "p02"]):
        actions.add_label(conversation=one, label=label, by=alba, at=NOON)
        actions.add_note(conversation=one, text="@Bruno mira", by=alba, at=NOON)
    assert names(brand, alba, Filters(account=site.pk, urgent=True)) == ["P08", "P04", "P00"]
    assert names(brand, alba, Filters(channel="phone", urgent=True)) == []
    assert names(brand, alba, Filters(label=label.pk, kind="complaint")) == ["P02", "P00"]
    assert names(brand, bruno, Filters(view="mentions", kind="complaint", urgent=True)) == ["P00"]
    assert names(brand, bruno, Filters(view="mentions", language="es")) == ["P02", "P01"]
    assert names(brand, alba, Filters(label=label.pk, language="en", offensive=True)) == ["P00"]
    assert names(brand, alba, Filters(view="by_hand", language="en", offensive=True)) == []
    assert names(brand, alba, Filters(view="by_hand", kind="complaint")) == []


@pytest.mark.parametrize("filters", SAID)
@pytest.mark.parametrize("view", ["open", "closed"])
def test_one_walk_of_an_index_of_its_own(twelve, brand, alba, filters, view):
    index = f"conversation_{next(iter(filters.as_dict()))}"
    wanted = Filters(**{**filters.as_dict(), "view": view})
    queries._plain.cache_clear()
    for after in ("", f"{int(NOON.timestamp() * 1_000_000)}-5"):
        with CaptureQueriesContext(connection) as asked:
            queries.page(brand=brand, user=alba, filters=wanted, after=after)
        plan = explained(asked.captured_queries[0]["sql"])
        assert index in plan
        assert "sort" not in plan.lower()
        assert "TEMP" not in plan


def explained(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A handful of rows is read at once whatever the indexes; what matters is what can be done with many.
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
            )
            # And planned without knowing the values, as it is kept.
            cursor.execute(f"SET LOCAL plan_cache_mode = force_generic_plan; PREPARE asked AS {sql}")
            cursor.execute(f"EXPLAIN EXECUTE asked({', '.join(['NULL'] * len(set(re.findall(r'[$][0-9]+', sql))))})")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plan = "\n".join(str(row) for row in cursor.fetchall())
        if connection.vendor == "postgresql":
            cursor.execute("DEALLOCATE asked")
        return plan


def test_an_address_carries_it_and_nonsense_is_left_out():
    assert Filters.read({"kind": "complaint", "sentiment": "negative", "urgent": "1"}) == ALL
    assert Filters.read(ALL.as_dict()) == ALL
    more = Filters(sentiment="neutral", language="en", offensive=True, topic="refund", needs_answer=True)
    assert Filters.read({name: str(value) for name, value in more.as_dict().items()}) == more
    assert Filters.read(more.as_dict()) == more
    assert Filters.read({"kind": "x", "sentiment": "mixed", "urgent": "0"}) == Filters()
    assert Filters.read({"language": "xx", "offensive": "no", "topic": "' OR 1=1", "needs_answer": []}) == Filters()
    assert Filters.read({"topic": ["refund"], "language": None}) == Filters()
    assert Filters.read({"kind": ["complaint"], "sentiment": None, "urgent": False}) == Filters()


def test_the_list_offers_it_and_says_so(twelve, as_alba, brand):
    plain = as_alba.get("/b/horno-candela/inbox/").content.decode()
    assert 'href="/b/horno-candela/inbox/?kind=complaint"' in plain
    narrowed = as_alba.get("/b/horno-candela/inbox/?kind=complaint&sentiment=negative&urgent=1").content.decode()
    assert "Todas las abiertas · Queja · Descontento · Urgente" in narrowed
    assert '<h1 id="list-title">Todas las abiertas</h1>' in narrowed
    assert narrowed.count("Dejar de ver solo estas</span>") == 3
    assert 'href="/b/horno-candela/inbox/?sentiment=negative&amp;urgent=1" aria-current="true">Queja' in narrowed
    assert narrowed.count('class="row"') == 1
    empty = as_alba.get("/b/horno-candela/inbox/?kind=praise").content.decode()
    assert "Ver todas las abiertas" in empty


def test_a_saved_view_keeps_it(twelve, as_alba, brand):
    as_alba.post("/b/horno-candela/inbox/views/?kind=complaint&urgent=1", {"name": "Quejas urgentes"})
    assert SavedView.objects.get().filters == {"kind": "complaint", "urgent": True}
    shown = as_alba.get("/b/horno-candela/inbox/?kind=complaint&urgent=1").content.decode()
    assert '<a class="view" href="/b/horno-candela/inbox/?kind=complaint&amp;urgent=1" aria-current="page">' in shown


def test_words_and_what_was_read_together_page_by_page(twelve, brand, alba, monkeypatch):
    asked = Filters(q="pan", kind="complaint", sentiment="negative")
    assert names(brand, alba, asked, limit=1) == ["P06", "P00"]
    assert names(brand, alba, Filters(q="pan", urgent=True)) == ["P08", "P04", "P00"]
    assert names(brand, alba, Filters(q="pan 4", urgent=True)) == ["P04"]
    assert names(brand, alba, Filters(q="tarta", urgent=True)) == []
    monkeypatch.setattr(queries, "SEARCH_STEP", 2)
    monkeypatch.setattr(queries, "SEARCH_MOST", 4)
    assert names(brand, alba, asked) == ["P06", "P00"]


def test_the_search_keeps_what_the_list_was_narrowed_down_to(twelve, as_alba, brand):
    page = as_alba.get("/b/horno-candela/inbox/?q=pan&kind=complaint&urgent=1").content.decode()
    assert '<input type="hidden" name="kind" value="complaint">' in page
    assert '<input type="hidden" name="urgent" value="True">' in page
    assert 'href="/b/horno-candela/inbox/?urgent=1&amp;q=pan"' in page
    assert page.count('class="row"') == 3


@pytest.fixture
def read(twelve):
    """Every third one is about a refund, every fourth needs an answer."""
    for message in Message.objects.select_related("account"):
        n = int(message.remote_id[1:])
        MessageReading.objects.create(
            message=message, brand_id=message.account.brand_id, language="es", sentiment="neutral", kind="question",
            urgency=0, offensive=False, spam=False, needs_answer=not n % 4, topics=[] if n % 3 else ["refund"], at=NOON,
        )  # fmt: skip


@pytest.mark.parametrize("step", [1, 2, 5, 250])
@pytest.mark.parametrize("limit", [1, 2, 3, 25])
def test_by_topic_and_by_what_needs_an_answer_page_by_page(read, brand, alba, monkeypatch, step, limit):
    monkeypatch.setattr(queries, "SIFT_STEP", step)
    for filters, shown in [
        (Filters(topic="refund"), ["P09", "P06", "P03", "P00"]),
        (Filters(needs_answer=True), ["P08", "P04", "P00"]),
        (Filters(topic="refund", needs_answer=True), ["P00"]),
        (Filters(topic="refund", view="waiting"), ["P00", "P03", "P06", "P09"]),
        (Filters(topic="refund", kind="complaint"), ["P06", "P00"]),
        (Filters(topic="refund", q="pan"), ["P09", "P06", "P03", "P00"]),
        (Filters(topic="hours"), []),
    ]:
        assert names(brand, alba, filters, limit) == shown


def test_only_so_much_is_looked_through_for_one_page(read, brand, alba, monkeypatch):
    monkeypatch.setattr(queries, "SIFT_STEP", 2)
    monkeypatch.setattr(queries, "SIFT_MOST", 4)
    first = queries.page(brand=brand, user=alba, filters=Filters(topic="refund"))
    assert ([row["member_name"] for row in first.rows], bool(first.after)) == (["P09"], True)
    assert names(brand, alba, Filters(topic="refund")) == ["P09", "P06", "P03", "P00"]


def test_the_topic_of_an_older_message_is_none_of_the_conversation(read, site, brand, alba):
    inbound.process(conversation_ids=inbound.intake(
        site, [envelope("Hola", remote_id="m99", thread="p00", minutes=99)], at=NOON
    ))  # fmt: skip
    assert names(brand, alba, Filters(topic="refund")) == ["P09", "P06", "P03"]


def test_the_list_offers_topics_the_brand_s_own_too_and_keeps_a_view_of_one(read, as_alba, brand, alba):
    lessons.add_topic(brand=brand, name="Tartas de encargo", by=alba.pk, at=NOON)
    shown = as_alba.get("/b/horno-candela/inbox/?kind=complaint&topic=refund&needs_answer=1").content.decode()
    assert '<option value="tartas-de-encargo">Tartas de encargo</option>' in shown
    assert '<option value="refund" selected>' in shown
    assert '<input type="hidden" name="needs_answer" value="True">' in shown
    assert "Todas las abiertas · Queja · Necesita respuesta · devoluciones" in shown
    assert 'href="/b/horno-candela/inbox/?kind=complaint&amp;needs_answer=1" aria-current="true">devoluciones' in shown
    as_alba.post("/b/horno-candela/inbox/views/?topic=refund&language=en&offensive=1", {"name": "Reembolsos"})
    assert SavedView.objects.get().filters == {"topic": "refund", "language": "en", "offensive": True}
    assert "gone" in as_alba.get("/b/horno-candela/inbox/?topic=gone").content.decode()
    lessons.remove_topic(topic=Topic.objects.get(), by=alba.pk, at=NOON)
    assert "Tartas de encargo" not in as_alba.get("/b/horno-candela/inbox/").content.decode()
