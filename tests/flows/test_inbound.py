"""The way in, told from envelope to conversation."""

import itertools
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.channels.models import Message, MessageVersion, Quarantine
from tertulia.connectors.contract import Author, Inbound
from tertulia.core import clock, jobs
from tertulia.core.activity import Activity
from tertulia.core.models import Job
from tertulia.flows import inbound
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db


def later(minutes):
    return NOON + timedelta(minutes=minutes)


def test_a_first_message_opens_a_conversation_that_waits(site):
    inbound.intake(site, [envelope("¿Abrís el domingo?")], at=NOON)
    conversation = Conversation.objects.get()
    assert (conversation.member_name, conversation.preview) == ("Diego", "¿Abrís el domingo?")
    assert (conversation.state, conversation.waiting_since, conversation.turn) == ("open", NOON, 1)
    assert conversation.channel == "site"


def test_the_same_delivery_again_changes_nothing(site):
    for _ in range(3):
        inbound.intake(site, [envelope()], at=NOON)
    assert Message.objects.count() == 1
    assert Conversation.objects.get().turn == 1
    assert Activity.objects.filter(type="conversation.received").count() == 1


def test_one_person_keeps_one_conversation_on_an_account(site):
    inbound.intake(site, [envelope("Hola", remote_id="m1")], at=NOON)
    inbound.intake(site, [envelope("¿Hay alguien?", remote_id="m2", minutes=2)], at=later(2))
    conversation = Conversation.objects.get()
    assert (conversation.preview, conversation.waiting_since, conversation.turn) == ("¿Hay alguien?", NOON, 2)


def test_an_edit_shows_the_latest_text_and_keeps_the_earlier(site):
    inbound.intake(site, [envelope("Quiero 2 barras")], at=NOON)
    edit = envelope("Quiero 3 barras", verb="edited", changed_at=later(5))
    inbound.intake(site, [edit, edit], at=later(5))
    message = Message.objects.get()
    assert (message.text, message.edited_at) == ("Quiero 3 barras", later(5))
    assert list(MessageVersion.objects.values_list("text", "at")) == [("Quiero 2 barras", NOON)]
    assert Conversation.objects.get().preview == "Quiero 3 barras"


@pytest.mark.parametrize("changed_at", [NOON, NOON - timedelta(minutes=5)])
@pytest.mark.parametrize("is_first", [True, False])
def test_an_edit_no_later_than_its_message_shows_all_the_same(site, changed_at, is_first):
    created, edit = envelope("Quiero 2 barras"), envelope("Quiero 3 barras", verb="edited", changed_at=changed_at)
    for said in (edit, created) if is_first else (created, edit):
        inbound.intake(site, [said], at=later(5))
    assert Message.objects.get().text == "Quiero 3 barras"
    assert list(MessageVersion.objects.values_list("text", "at")) == [("Quiero 2 barras", NOON)]


def test_a_deleted_message_waits_for_nobody(site):
    inbound.intake(site, [envelope()], at=NOON)
    inbound.intake(site, [envelope(verb="deleted", changed_at=later(1))], at=later(1))
    assert Message.objects.get().deleted_at == later(1)
    assert Conversation.objects.get().waiting_since is None


STORY = [
    envelope("uno", remote_id="m1"),
    envelope("uno corregido", remote_id="m1", verb="edited", changed_at=later(3)),
    envelope("uno definitivo", remote_id="m1", verb="edited", changed_at=later(6)),
    envelope("dos", remote_id="m2", minutes=1),
    envelope("", remote_id="m2", verb="deleted", changed_at=later(4), minutes=1),
    envelope("tres", remote_id="m3", minutes=2),
]


def _end_state():
    messages = Message.objects.order_by("remote_id").values_list(
        "remote_id", "thread_id", "text", "sent_at", "edited_at", "deleted_at", "author_name"
    )
    versions = MessageVersion.objects.order_by("message__remote_id", "at").values_list("message__remote_id", "text")
    conversation = Conversation.objects.values("preview", "waiting_since", "last_activity_at", "state", "turn").get()
    return list(messages), list(versions), conversation


def test_every_order_of_delivery_ends_in_the_same_state(site):
    expected = None
    shuffles = random.Random(7)
    for order in shuffles.sample(list(itertools.permutations(STORY)), 24):
        deliveries = [*order, *shuffles.choices(STORY, k=4)]
        step = shuffles.choice([1, 2, len(deliveries)])
        for start in range(0, len(deliveries), step):
            inbound.intake(site, deliveries[start : start + step], at=later(10))
        state = _end_state()
        expected = expected or state
        assert state == expected
        Conversation.objects.all().delete()
        Message.objects.all().delete()
    assert [row[2] for row in expected[0]] == ["uno definitivo", "dos", "tres"]


def test_a_message_reopens_what_was_closed(site, alba):
    inbound.intake(site, [envelope()], at=NOON)
    Conversation.objects.update(state="closed", close_reason="answered", closed_at=NOON, waiting_since=None)
    inbound.intake(site, [envelope("Otra cosa", remote_id="m2", minutes=9)], at=later(9))
    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.close_reason, conversation.waiting_since) == ("open", "", later(9))


def test_our_own_words_from_elsewhere_are_an_answer(site):
    inbound.intake(site, [envelope()], at=NOON)
    ours = envelope("Sí, de 9 a 14", remote_id="m2", minutes=3, is_ours=True, author=Author("horno", "Horno"))
    inbound.intake(site, [ours], at=later(3))
    conversation = Conversation.objects.get()
    assert (conversation.waiting_since, conversation.last_outbound_at) == (None, later(3))
    assert conversation.member_name == "Diego"


def test_what_cannot_be_read_is_set_aside_whole_and_once(site):
    for _ in range(2):
        inbound.quarantine(site, Inbound({}, {}, b"\x00[broken", NOON), why="not JSON")
    kept = Quarantine.objects.get()
    assert (bytes(kept.body), kept.why) == (b"\x00[broken", "not JSON")


def test_nul_bytes_and_lone_surrogates_do_not_stop_a_message(site):
    odd = envelope("a\0b\ud800c", raw={"text": "a\0b\ud800c"}, author=Author("diego", "Di\0ego"))
    inbound.intake(site, [odd], at=NOON)
    assert Message.objects.get().text == "abc"
    assert Conversation.objects.get().member_name == "Diego"


def test_a_million_signs_are_kept(site):
    inbound.intake(site, [envelope("ñ" * 1_000_000)], at=NOON)
    assert len(Message.objects.get().text) == 1_000_000
    assert len(Conversation.objects.get().preview) == 200


def test_after_the_jobs_nothing_is_without_somebody(site, alba, bruno):
    inbound.intake(site, [envelope()], at=NOON)
    jobs.run_due(NOON + timedelta(days=3650))
    assert Conversation.objects.get().owner_id in {alba.id, bruno.id}


def test_one_batch_costs_the_same_number_of_queries_whatever_its_size(site, django_assert_max_num_queries):
    batch = [envelope(f"hola {n}", remote_id=f"m{n}", thread=f"d{n % 40}", minutes=n) for n in range(200)]
    with django_assert_max_num_queries(45):
        inbound.intake(site, batch, at=later(300))
    assert Message.objects.count() == 200
    assert Conversation.objects.count() == 40


def test_a_stale_reader_stores_nothing(site):
    with pytest.raises(inbound.StaleReading):
        inbound.intake(site, [envelope()], at=NOON, cursor="5", fence=41)
    assert not Message.objects.exists()
    site.refresh_from_db()
    assert site.cursor == ""


def test_what_was_lost_and_comes_after_our_answer_still_waits(site, alba):
    inbound.intake(site, [envelope("Y otra cosa", remote_id="m2", minutes=5)], at=later(5))
    conversation = Conversation.objects.get()
    actions.reply(conversation=conversation, text="Claro", by=alba, turn=1, at=later(6))
    inbound.intake(site, [envelope("¿Abrís el domingo?", remote_id="m1", minutes=0)], at=later(10))
    conversation.refresh_from_db()
    assert conversation.waiting_since == NOON


def test_what_we_answered_elsewhere_before_we_read_it_here_waits_no_more(site):
    ours = envelope("Sí", remote_id="m2", minutes=3, is_ours=True, author=Author("horno", "Horno"))
    inbound.intake(site, [ours], at=later(10))
    inbound.intake(site, [envelope("¿Abrís?", remote_id="m1")], at=later(11))
    assert Conversation.objects.get().waiting_since is None


def test_after_a_closing_the_wait_begins_with_the_new_message(site, alba):
    inbound.intake(site, [envelope("¡Qué rico todo!")], at=NOON)
    conversation = Conversation.objects.get()
    actions.close(conversation=conversation, reason="no_answer", by=alba, at=later(5))
    inbound.intake(site, [envelope("¿Abrís?", remote_id="m2", minutes=60)], at=later(60))
    inbound.intake(site, [envelope("¿Abrís hoy?", remote_id="m2", verb="edited", changed_at=later(61))], at=later(61))
    conversation.refresh_from_db()
    assert conversation.waiting_since == later(60)


def test_an_intake_holds_its_account_and_leaves_the_brand_to_its_other_channels(site):
    with CaptureQueriesContext(connection) as asked:
        inbound.intake(site, [envelope()], at=NOON)
    locked = [query["sql"].split(" FROM ")[1].split()[0] for query in asked if "FOR NO KEY UPDATE" in query["sql"]]
    held = ["tertulia_channels_account", "inbox_conversation"]
    assert locked == (held if connection.vendor == "postgresql" else [])


def test_what_waits_is_gone_through_together_and_one_that_fails_keeps_no_other(site, bruno, monkeypatch):
    at = clock.now()
    for n in range(4):
        inbound.intake(site, [envelope("Hola", remote_id=f"m{n}", thread=f"t{n}", author=Author(f"p{n}"))], at=at)
    bad = Conversation.objects.get(thread_id="t2")
    asked, label = [], inbound.label_by_words

    def fail(conversation, *, at):
        asked.append(conversation.pk)
        if conversation == bad:
            raise ValueError("bad")
        label(conversation, at=at)

    monkeypatch.setattr(inbound, "label_by_words", fail)
    for _ in range(3):
        jobs.run_due(clock.now(), raises=False)
    assert set(Conversation.objects.filter(owner=None)) == {bad}
    waiting = Job.objects.exclude(state=Job.State.DONE).get(task__startswith="inbound.")
    # Handed over to other machines they have been gone through one by one from the beginning.
    alone = {"inbound.process_alone": {"conversation_id": bad.pk}, "inbound.process": {"conversation_ids": [bad.pk]}}
    assert (alone[waiting.task], waiting.attempts) == (waiting.args, 1)


def test_what_waits_is_one_job_and_what_failed_before_is_left_alone(site):
    ids = []
    for n in range(4):
        ids += inbound.intake(site, [envelope(remote_id=f"m{n}", thread=f"t{n}", author=Author(f"p{n}"))], at=NOON)
    Job.objects.filter(task="inbound.process", args={"conversation_ids": ids[3:]}).update(attempts=1)
    inbound.process(conversation_ids=ids[:1])
    waiting = Job.objects.filter(task="inbound.process", state=Job.State.WAITING).order_by("pk")
    assert [job.args["conversation_ids"] for job in waiting] == [ids[3:], ids[:3]]
