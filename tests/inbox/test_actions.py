"""What people do with a conversation, and what is refused."""

from datetime import timedelta

import pytest

from conftest import NOON, envelope, person
from tertulia.channels.models import Account, Delivery, Message, MessageVersion
from tertulia.core.activity import Activity
from tertulia.flows import inbound
from tertulia.inbox import actions, queries
from tertulia.inbox.models import Assignment, Conversation, ConversationLabel, Draft, Label, Note, Promise

pytestmark = pytest.mark.django_db


def later(minutes):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def conversation(site) -> Conversation:
    inbound.intake(site, [envelope("¿Abrís el domingo?")], at=NOON)
    return Conversation.objects.get()


def said(conversation):
    return [item.of.text for item in queries.thread(conversation).items if item.kind == "message"]


def test_a_reply_is_queued_behind_the_undo_window(conversation, alba):
    delivery = actions.reply(conversation=conversation, text=" Sí, de 9 a 14. ", by=alba, turn=1, at=later(1))
    conversation.refresh_from_db()
    assert (delivery.state, delivery.due_at) == ("queued", later(1) + timedelta(seconds=10))
    assert (delivery.message.text, delivery.to["remote_id"]) == ("Sí, de 9 a 14.", "m1")
    assert (conversation.waiting_since, conversation.turn, conversation.owner) == (None, 2, alba)


def test_the_second_to_answer_is_stopped_and_nothing_is_sent(conversation, alba, bruno):
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    with pytest.raises(actions.Answered, match="Alba"):
        actions.reply(conversation=conversation, text="Claro que sí", by=bruno, turn=1, at=later(1))
    assert Delivery.objects.count() == 1


def test_a_double_click_sends_once(conversation, alba):
    first = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    again = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    assert again.pk == first.pk
    assert Message.objects.filter(direction="out").count() == 1


def test_the_same_words_after_taking_them_back_do_not_pass_for_sent(conversation, alba):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    actions.withdraw(delivery=delivery, by=alba, at=later(1))
    with pytest.raises(actions.Answered):
        actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    conversation.refresh_from_db()
    again = actions.reply(conversation=conversation, text="Sí", by=alba, turn=conversation.turn, at=later(1))
    assert (again.pk != delivery.pk, again.state) == (True, "queued")


def test_a_new_question_meanwhile_does_not_stop_the_answer(conversation, site, alba):
    inbound.intake(site, [envelope("¿Y el lunes?", remote_id="m2", minutes=1)], at=later(1))
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(2))
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(("text", "error"), [("", actions.Empty), (" \n\t", actions.Empty), ("\0", actions.Empty)])
def test_nothing_is_no_answer(conversation, alba, text, error):
    with pytest.raises(error):
        actions.reply(conversation=conversation, text=text, by=alba, turn=1, at=NOON)
    assert not Delivery.objects.exists()


def test_a_text_over_the_channels_limit_is_said_not_cut(conversation, alba):
    limit = conversation.account.capabilities.max_text
    with pytest.raises(actions.TooLong, match=str(limit)):
        actions.reply(conversation=conversation, text="ñ" * (limit + 1), by=alba, turn=1, at=NOON)
    assert not Delivery.objects.exists()


def test_a_paused_channel_takes_no_answer(conversation, alba):
    Account.objects.update(state="paused")
    with pytest.raises(actions.CannotReply):
        actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=NOON)


def test_taken_back_in_time_it_waits_again_and_the_words_are_kept(conversation, alba):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    assert actions.withdraw(delivery=delivery, by=alba, at=later(1)) == "Sí"
    conversation.refresh_from_db()
    assert (conversation.waiting_since, said(conversation)) == (NOON, ["¿Abrís el domingo?"])
    assert Draft.objects.get().text == "Sí"
    assert Delivery.objects.get().state == "cancelled"


@pytest.mark.parametrize(("begun", "draft"), [("Y el lunes", "Sí\n\nY el lunes"), ("Sí ", "Sí")])
def test_words_taken_back_come_before_those_begun_meanwhile(conversation, alba, begun, draft):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    actions.save_draft(conversation=conversation, user=alba, text=begun, at=later(1))
    assert actions.withdraw(delivery=delivery, by=alba, at=later(1)) == draft
    assert Draft.objects.get().text == draft


def test_words_taken_back_never_carry_a_note_along_as_an_answer(conversation, alba):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    actions.save_draft(conversation=conversation, user=alba, text="Es un pesado", at=later(1), is_note=True)
    actions.withdraw(delivery=delivery, by=alba, at=later(1))
    drafts = dict(Draft.objects.values_list("is_note", "text"))
    assert drafts == {False: "Sí", True: "Es un pesado"}


def test_too_late_to_take_back_once_it_is_on_its_way(conversation, alba):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    Delivery.objects.update(state="sending")
    with pytest.raises(actions.TooLate):
        actions.withdraw(delivery=delivery, by=alba, at=later(2))


def test_what_the_page_did_not_show_still_waits(conversation, site, alba):
    inbound.intake(site, [envelope("¿Y el lunes?", remote_id="m2", minutes=1)], at=later(1))
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(2))
    conversation.refresh_from_db()
    assert conversation.waiting_since == later(1)
    assert Delivery.objects.get().read_to == Message.objects.get(remote_id="m1").id


def test_what_the_page_did_not_show_stays_unread_for_who_has_not_read_it(conversation, site, brand, alba, bruno):
    inbound.intake(site, [envelope("¿Y el lunes?", remote_id="m2", minutes=1)], at=later(1))
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(2))
    assert (is_unread(brand, bruno), is_unread(brand, alba)) == (True, False)
    conversation.refresh_from_db()
    actions.mark_read(conversation=conversation, user=bruno)
    assert not is_unread(brand, bruno)


def test_what_is_answered_is_unread_for_nobody(conversation, brand, alba, bruno):
    assert is_unread(brand, bruno)
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(2))
    assert not is_unread(brand, bruno)


def is_unread(brand, user):
    (row,) = queries.page(brand=brand, user=user, filters=queries.Filters()).rows
    return row["unread"]


def test_what_the_page_showed_in_the_meantime_is_answered(conversation, site, alba):
    inbound.intake(site, [envelope("¿Y el lunes?", remote_id="m2", minutes=1)], at=later(1))
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, seen=2, at=later(2))
    conversation.refresh_from_db()
    assert conversation.waiting_since is None


def test_unseen_it_waits_whatever_the_clocks_say(conversation, site, alba):
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(5))
    inbound.intake(site, [envelope("¿Y el lunes?", remote_id="m2", minutes=9)], at=later(4))
    inbound.intake(site, [envelope("Hola", remote_id="m3", minutes=-9)], at=later(4))  # late: counted anew
    conversation.refresh_from_db()
    assert conversation.waiting_since == later(-9)


def test_nothing_is_closed_while_something_unseen_waits(conversation, site, alba):
    inbound.intake(site, [envelope("¿Y el lunes?", remote_id="m2", minutes=1)], at=later(1))
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(2), closes=True)
    conversation.refresh_from_db()
    assert (conversation.state, conversation.waiting_since) == ("open", later(1))


def test_closed_settles_what_had_come_whatever_the_clocks_say(conversation, site, alba):
    actions.close(conversation=conversation, reason="no_answer", by=alba, at=later(5))
    inbound.intake(site, [envelope("¿Y el lunes?", remote_id="m2", minutes=9)], at=later(4))
    inbound.intake(site, [envelope("Ay", remote_id="m0", minutes=-9, verb="edited", changed_at=later(6))], at=later(7))
    conversation.refresh_from_db()
    assert (conversation.state, conversation.waiting_since) == ("open", later(-9))


def test_sent_and_closed_is_answered_and_waits_for_nobody(conversation, alba):
    actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1), closes=True)
    conversation.refresh_from_db()
    assert (conversation.state, conversation.close_reason, conversation.waiting_since) == ("closed", "answered", None)
    assert list(Activity.objects.order_by("-id").values_list("type", flat=True)[:2]) == [
        "conversation.closed", "conversation.replied",
    ]  # fmt: skip


def test_taken_back_it_opens_what_it_closed(conversation, site, alba):
    actions.close(conversation=conversation, reason="no_answer", by=alba, at=later(1))
    inbound.intake(site, [envelope("¿Y el lunes?", remote_id="m2", minutes=2)], at=later(2))
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=2, at=later(3), closes=True)
    actions.withdraw(delivery=delivery, by=alba, at=later(3))
    conversation.refresh_from_db()
    assert (conversation.state, conversation.close_reason, conversation.closed_at) == ("open", "", None)
    assert conversation.waiting_since == later(2)  # what had been closed before stays settled
    assert Activity.objects.filter(type="conversation.reopened", by_id=alba.id).count() == 1


def test_taken_back_it_leaves_closed_what_somebody_closed_afterwards(conversation, alba, bruno):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1), closes=True)
    actions.reopen(conversation=conversation, by=bruno, at=later(2))
    actions.close(conversation=conversation, reason="spam", by=bruno, at=later(3))
    actions.withdraw(delivery=delivery, by=alba, at=later(3))
    conversation.refresh_from_db()
    assert (conversation.state, conversation.close_reason) == ("closed", "spam")


def test_a_refused_answer_opens_what_it_closed(conversation, alba):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1), closes=True)
    Delivery.objects.update(state="refused", why="bloqueado")
    delivery.refresh_from_db()
    actions.record_outcome(delivery=delivery, at=later(2))
    conversation.refresh_from_db()
    assert (conversation.state, conversation.waiting_since) == ("open", NOON)


def test_a_refused_answer_shows_trouble_and_the_person_waits_again(conversation, alba):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    Delivery.objects.update(state="refused", why="bloqueado")
    delivery.refresh_from_db()
    actions.record_outcome(delivery=delivery, at=later(2))
    conversation.refresh_from_db()
    assert (conversation.has_trouble, conversation.waiting_since) == (True, NOON)
    assert Activity.objects.filter(type="delivery.refused").count() == 1


def test_an_unknown_one_is_settled_once_by_a_person(conversation, alba, bruno):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    Delivery.objects.update(state="unknown")
    actions.decide_unknown(delivery=delivery, was_sent=True, by=alba, at=later(3))
    with pytest.raises(actions.Problem):
        actions.decide_unknown(delivery=delivery, was_sent=False, by=bruno, at=later(3))
    assert Delivery.objects.get().state == "sent"


@pytest.mark.parametrize("echo_at", [2, 20])
def test_the_echo_of_one_that_had_arrived_is_the_same_message(conversation, site, alba, echo_at):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    Delivery.objects.update(state="unknown")
    echo = envelope("Sí", remote_id="theirs", minutes=2, is_ours=True)
    if echo_at == 2:
        inbound.intake(site, [echo], at=later(2))
    actions.decide_unknown(delivery=delivery, was_sent=True, by=alba, at=later(9))
    for _ in range(2):
        inbound.intake(site, [echo], at=later(20))
    message = Message.objects.get(direction="out")
    assert (message.id, message.remote_id, message.edited_at) == (delivery.message_id, "theirs", None)
    assert not MessageVersion.objects.exists()


@pytest.mark.parametrize(("text", "minutes"), [("Sí", 30), ("No", 2), ("Sí", -10)])
def test_other_words_or_the_same_at_another_time_are_a_message_of_their_own(conversation, site, alba, text, minutes):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=later(1))
    Delivery.objects.update(state="unknown")
    actions.decide_unknown(delivery=delivery, was_sent=True, by=alba, at=later(9))
    inbound.intake(site, [envelope(text, remote_id="theirs", minutes=minutes, is_ours=True)], at=later(40))
    assert Message.objects.filter(direction="out").count() == 2


def test_assigning_leaves_a_trace_and_only_to_those_who_may_answer(conversation, alba, bruno, carla):
    actions.assign(conversation=conversation, to=bruno, by=alba, at=NOON)
    actions.assign(conversation=conversation, to=bruno, by=alba, at=NOON)
    with pytest.raises(actions.NotAllowedHere):
        actions.assign(conversation=conversation, to=carla, by=alba, at=NOON)
    conversation.refresh_from_db()
    assert conversation.owner == bruno
    assert list(Assignment.objects.values_list("to", "by_id")) == [(bruno.id, alba.id)]


def test_a_label_taken_off_by_hand_stays_off(conversation, brand, alba):
    label = Label.objects.create(brand=brand, name="Horarios", words=["domingo"])
    inbound.label_by_words(conversation, at=NOON)
    conversation.refresh_from_db()
    assert conversation.labels == [label.id]
    actions.remove_label(conversation=conversation, label=label, by=alba, at=NOON)
    inbound.label_by_words(conversation, at=NOON)
    conversation.refresh_from_db()
    assert conversation.labels == []


def test_a_deleted_label_leaves_every_conversation_and_no_clock_is_touched(site, brand, alba, monkeypatch):
    monkeypatch.setattr(actions, "LABELS_AT_ONCE", 2)
    inbound.intake(site, [envelope(remote_id=f"m{n}", thread=f"t{n}") for n in range(5)], at=NOON)
    gone, kept = (Label.objects.create(brand=brand, name=name) for name in ("Horarios", "Pan"))
    for conversation in Conversation.objects.all():
        actions.put_on_labels(conversation=conversation, labels=[gone, kept], by=alba, at=NOON)
    monkeypatch.setattr(actions.promises, "recompute", None)
    actions.delete_label(label=gone, at=later(1))
    assert list(Label.objects.all()) == [kept]
    assert list(Conversation.objects.values_list("labels", flat=True)) == [[kept.id]] * 5
    assert set(ConversationLabel.objects.values_list("label", flat=True)) == {kept.id}


def test_with_a_label_goes_what_was_promised_for_it(conversation, brand, alba):
    label = Label.objects.create(brand=brand, name="Urgente")
    Promise.objects.create(brand=brand, label=label, first_response_minutes=10, in_business_hours=False)
    actions.add_label(conversation=conversation, label=label, by=alba, at=NOON)
    conversation.refresh_from_db()
    assert (conversation.labels, conversation.promise_due_at) == ([label.id], later(10))
    actions.delete_label(label=label, at=later(1))
    conversation.refresh_from_db()
    assert (conversation.labels, conversation.promise_due_at) == ([], None)


def test_another_brands_label_is_refused(conversation, other_brand, alba):
    foreign = Label.objects.create(brand=other_brand, name="Tornillos")
    with pytest.raises(actions.NotAllowedHere):
        actions.add_label(conversation=conversation, label=foreign, by=alba, at=NOON)


def test_a_note_tells_those_it_names(conversation, brand, alba, bruno):
    note = actions.add_note(conversation=conversation, text="@Bruno ¿lo ves tú? @nadie", by=alba, at=NOON)
    assert note.mentions == [bruno.id]
    assert actions.mentioned("escribe a info@bruno.example y a Bruno", brand.pk) == []
    bruna = person("Bruno María", brand)
    assert actions.mentioned("@bruno maría, mira", brand.pk) == [bruna.pk], "of two that begin alike the longer"
    assert Activity.objects.get(type="note.added").data["mentions"] == [bruno.id]


def test_a_note_never_becomes_a_message(conversation, alba):
    actions.add_note(conversation=conversation, text="Cliente difícil", by=alba, at=NOON)
    assert Note.objects.count() == 1
    assert not Message.objects.filter(direction="out").exists()
    assert not Delivery.objects.exists()


def test_put_aside_it_comes_back_at_its_hour(conversation, alba):
    actions.snooze(conversation=conversation, until=later(60), by=alba, at=NOON)
    conversation.refresh_from_db()
    assert (conversation.state, conversation.waiting_since) == ("snoozed", None)
    actions.wake(conversation=conversation, at=later(60))
    conversation.refresh_from_db()
    assert (conversation.state, conversation.waiting_since) == ("open", NOON)


def test_brought_back_by_hand_it_says_by_whom(conversation, alba):
    actions.snooze(conversation=conversation, until=later(60), by=alba, at=NOON)
    actions.wake(conversation=conversation, at=later(5), by=alba)
    assert Activity.objects.get(type="conversation.woken").by_id == alba.pk  # and so she isn't told of it


def test_put_aside_anew_meanwhile_it_stays_aside(conversation, alba):
    actions.snooze(conversation=conversation, until=later(60), by=alba, at=NOON)
    actions.snooze(conversation=conversation, until=later(600), by=alba, at=later(59))
    actions.wake(conversation=conversation, at=later(60), until=later(60))
    conversation.refresh_from_db()
    assert (conversation.state, conversation.snoozed_until) == ("snoozed", later(600))


def test_put_aside_it_comes_back_when_the_person_writes(conversation, site, alba):
    actions.snooze(conversation=conversation, until=later(600), by=alba, at=NOON)
    inbound.intake(site, [envelope("¿Hola?", remote_id="m2", minutes=5)], at=later(5))
    conversation.refresh_from_db()
    assert (conversation.state, conversation.snoozed_until) == ("open", None)


def test_the_past_is_no_time_to_put_aside_to(conversation, alba):
    with pytest.raises(actions.Problem):
        actions.snooze(conversation=conversation, until=NOON, by=alba, at=NOON)


def test_closing_needs_a_reason_and_reopening_brings_the_wait_back(conversation, alba):
    with pytest.raises(actions.Problem):
        actions.close(conversation=conversation, reason="", by=alba, at=NOON)
    actions.close(conversation=conversation, reason="no_answer", by=alba, at=later(1))
    conversation.refresh_from_db()
    assert (conversation.state, conversation.close_reason, conversation.waiting_since) == ("closed", "no_answer", None)
    actions.reopen(conversation=conversation, by=alba, at=later(2))
    conversation.refresh_from_db()
    assert (conversation.state, conversation.close_reason, conversation.waiting_since) == ("open", "", NOON)


def test_every_act_is_in_the_feed_with_who_and_when(conversation, alba, bruno):
    actions.assign(conversation=conversation, to=bruno, by=alba, at=later(1))
    actions.snooze(conversation=conversation, until=later(60), by=bruno, at=later(2))
    actions.close(conversation=conversation, reason="spam", by=bruno, at=later(3))
    lines = Activity.objects.filter(on_id=conversation.id, by_id__isnull=False).order_by("id")
    assert list(lines.values_list("type", "by_id", "at")) == [
        ("conversation.assigned", alba.id, later(1)),
        ("conversation.snoozed", bruno.id, later(2)),
        ("conversation.closed", bruno.id, later(3)),
    ]
