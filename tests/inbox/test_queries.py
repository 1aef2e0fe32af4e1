"""Lists: the right rows, in order, page by page, and always the same number of questions to the database."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from inbox.test_narrowing import explained
from tertulia.channels import search
from tertulia.flows import inbound
from tertulia.inbox import actions, queries
from tertulia.inbox.models import Conversation, Label
from tertulia.inbox.queries import Filters

pytestmark = pytest.mark.django_db


@pytest.fixture
def thirty(site, brand, alba, bruno):
    """Thirty people who wrote, a minute after each other; the third ones are Bruno's."""
    inbound.intake(
        site, [envelope(f"pan {n}", remote_id=f"m{n}", thread=f"p{n:02}", minutes=n) for n in range(30)], at=NOON
    )
    for conversation in Conversation.objects.all():
        if int(conversation.thread_id[1:]) % 3 == 0:
            actions.assign(conversation=conversation, to=bruno, by=alba, at=NOON)


def walk(brand, user, filters, limit=7):
    names, after = [], ""
    while True:
        page = queries.page(brand=brand, user=user, filters=filters, after=after, limit=limit)
        names += [row["member_name"] for row in page.rows]
        if not (after := page.after):
            return names


def test_newest_first_every_one_once(thirty, brand, alba):
    assert walk(brand, alba, Filters()) == [f"P{n:02}" for n in reversed(range(30))]


def test_waiting_longest_first(thirty, brand, alba):
    assert walk(brand, alba, Filters(view="waiting")) == [f"P{n:02}" for n in range(30)]


def test_mine_and_nobodys(thirty, brand, alba, bruno):
    assert len(walk(brand, bruno, Filters(view="mine"))) == 10
    assert walk(brand, alba, Filters(view="mine")) == []
    assert len(walk(brand, alba, Filters(view="nobody"))) == 20


def test_by_label_and_state(thirty, brand, alba):
    label = Label.objects.create(brand=brand, name="Pan")
    for conversation in Conversation.objects.filter(thread_id__in=["p01", "p02", "p03"]):
        actions.add_label(conversation=conversation, label=label, by=alba, at=NOON)
    closed = Conversation.objects.get(thread_id="p02")
    actions.close(conversation=closed, reason="answered", by=alba, at=NOON)
    assert walk(brand, alba, Filters(label=label.id), limit=1) == ["P03", "P01"]
    assert walk(brand, alba, Filters(label=label.id, view="closed")) == ["P02"]
    assert walk(brand, alba, Filters(label=label.id, view="nobody")) == ["P01"]


def test_by_words_page_by_page(thirty, brand, alba):
    assert walk(brand, alba, Filters(q="pan")) == [f"P{n:02}" for n in reversed(range(30))]
    assert walk(brand, alba, Filters(q="pan 7")) == ["P07"]


def test_a_conversation_is_found_once_whatever_the_page(thirty, site, brand, alba):
    inbound.intake(
        site, [envelope("más pan", remote_id=f"n{n}", thread="p03", minutes=60 + n) for n in range(9)], at=NOON
    )
    assert walk(brand, alba, Filters(q="pan"), limit=7) == ["P03", *(f"P{n:02}" for n in reversed(range(30)) if n != 3)]


def test_counters_are_exact_up_to_their_limit(thirty, brand, bruno, monkeypatch):
    assert queries.counters(brand=brand, user=bruno).views == {
        "open": 30, "mine": 10, "nobody": 20, "waiting": 30, "snoozed": 0, "trouble": 0, "mentions": 0, "by_hand": 0,
    }  # fmt: skip
    monkeypatch.setattr(queries, "COUNT_TO", 12)
    assert queries.counters(brand=brand, user=bruno).views["open"] == 12


def test_mentions_of_me_newest_first_until_i_open_them(thirty, brand, alba, bruno, carla, django_assert_num_queries):
    for minutes, thread in enumerate(["p03", "p11", "p20", "p03"]):
        conversation = Conversation.objects.get(thread_id=thread)
        actions.add_note(
            conversation=conversation, text="@Bruno mira esto, y @Alba", by=alba, at=NOON + timedelta(minutes=minutes)
        )
    actions.close(conversation=Conversation.objects.get(thread_id="p20"), reason="answered", by=alba, at=NOON)
    assert walk(brand, bruno, Filters(view="mentions"), limit=2) == ["P03", "P20", "P11"]
    assert walk(brand, alba, Filters(view="mentions")) == []  # one's own note calls oneself in vain
    assert queries.counters(brand=brand, user=bruno).views["mentions"] == 3
    actions.mark_read(conversation=conversation, user=bruno)
    with django_assert_num_queries(2):
        rows = queries.page(brand=brand, user=bruno, filters=Filters(view="mentions")).rows
    assert [row["unread"] for row in rows] == [False, True, True]
    assert queries.counters(brand=brand, user=bruno).views["mentions"] == 2
    assert walk(brand, bruno, Filters(view="mentions", label=1)) == []


def test_labels_and_channels_count_what_is_open_of_them(thirty, brand, alba, site, phone, other_brand, monkeypatch):
    label, rare = Label.objects.create(brand=brand, name="Pan"), Label.objects.create(brand=brand, name="Roscón")
    Label.objects.create(brand=other_brand, name="Tornillos")
    first, *rest = Conversation.objects.filter(brand=brand).order_by("id")[:14]
    for one in [first, *rest]:
        actions.add_label(conversation=one, label=label, by=alba, at=NOON)
    actions.close(conversation=first, reason="answered", by=alba, at=NOON)
    counted = queries.counters(brand=brand, user=alba)
    assert (counted.labels, counted.accounts) == ({label.pk: 13, rare.pk: 0}, {site.pk: 29, phone.pk: 0})
    monkeypatch.setattr(queries, "EACH_TO", 12)
    counted = queries.counters(brand=brand, user=alba)
    assert (counted.labels[label.pk], counted.accounts[site.pk]) == (12, 12)


def test_unread_until_somebody_answers_or_i_read(thirty, brand, alba, bruno):
    def unread(user):
        rows = queries.page(brand=brand, user=user, filters=Filters(), limit=30).rows
        return {row["member_name"] for row in rows if row["unread"]}

    first, second = Conversation.objects.filter(thread_id__in=["p00", "p01"]).order_by("thread_id")
    actions.mark_read(conversation=first, user=alba)
    actions.reply(conversation=second, text="Sí", by=bruno, turn=1, at=NOON)
    assert len(unread(alba)) == 28
    assert len(unread(bruno)) == 29


def test_a_page_costs_one_question_and_one_of_a_search_four(thirty, brand, alba, django_assert_num_queries):
    with django_assert_num_queries(1):
        queries.page(brand=brand, user=alba, filters=Filters())
    # Messages that hold the word, their conversations, their texts, the rows.
    search.find(brand.pk, "pan")
    with CaptureQueriesContext(connection) as found:
        search.find(brand.pk, "pan", limit=queries.SEARCH_STEP)
    with django_assert_num_queries(len(found) + 3):
        queries.page(brand=brand, user=alba, filters=Filters(q="pan"))
    with django_assert_num_queries(1):
        queries.counters(brand=brand, user=alba)


@pytest.mark.parametrize("after", ["x", "1-", "-1", "99999999999999999999-1", "1;DROP-2", "٣-٣"])
def test_a_made_up_cursor_is_refused(brand, alba, after):
    with pytest.raises(queries.BadCursor):
        queries.page(brand=brand, user=alba, filters=Filters(), after=after)


def test_another_brand_sees_nothing(thirty, other_brand, carla):
    assert walk(other_brand, carla, Filters(view="all")) == []
    assert walk(other_brand, carla, Filters(q="pan")) == []
    counted = queries.counters(brand=other_brand, user=carla)
    assert (set(counted.views.values()), counted.accounts, counted.labels) == ({0}, {}, {})


def test_nonsense_in_an_address_is_left_out():
    assert Filters.read({"view": "drop", "label": "1 OR 1", "owner": "٣", "q": "x" * 500}) == Filters(q="x" * 200)


def test_a_thread_reads_back_page_by_page_with_notes_between(site, alba):
    inbound.intake(site, [envelope(f"n{n}", remote_id=f"m{n}", minutes=n) for n in range(9)], at=NOON)
    conversation = Conversation.objects.get()
    actions.add_note(conversation=conversation, text="nota", by=alba, at=NOON + timedelta(minutes=5, seconds=30))
    last = queries.thread(conversation, limit=4)
    assert [item.of.text for item in last.items] == ["n5", "nota", "n6", "n7", "n8"]
    middle = queries.thread(conversation, before=last.before, limit=4)
    assert [item.of.text for item in middle.items] == ["n1", "n2", "n3", "n4"]
    assert [item.of.text for item in queries.thread(conversation, before=middle.before, limit=4).items] == ["n0"]


def test_others_here_are_those_seen_lately(site, alba, bruno):
    inbound.intake(site, [envelope()], at=NOON)
    conversation = Conversation.objects.get()
    actions.look(conversation=conversation, user=bruno, is_typing=True, at=NOON)
    actions.look(conversation=conversation, user=alba, is_typing=False, at=NOON)
    here = queries.others_here(conversation, user=alba, at=NOON + timedelta(seconds=20), seconds=30)
    assert [presence.user.name for presence in here] == ["Bruno"]
    assert queries.others_here(conversation, user=alba, at=NOON + timedelta(seconds=40), seconds=30) == []


def test_conversations_of_messages_are_looked_up_one_by_one(thirty, brand):
    queries._pairs.cache_clear()
    with CaptureQueriesContext(connection) as asked:
        found = queries._conversations_of(brand, search.find(brand.pk, "pan 7"), Filters())
    assert [id for _message, id in found] == [Conversation.objects.get(thread_id="p07").pk]
    if connection.vendor == "sqlite":  # PostgreSQL walks thirty as it likes
        assert "(account_id=? AND thread_id=?)" in explained(asked.captured_queries[-1]["sql"])
