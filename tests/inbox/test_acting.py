"""What is done with a message on its network, from the button to the network's answer."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest

from conftest import NOON, envelope
from tertulia.channels.models import Account, Delivery, Message
from tertulia.connectors import registry
from tertulia.connectors.contract import (
    REPLY,
    ByHand,
    Can,
    Capabilities,
    Connector,
    Receipt,
    Refused,
    Unknown,
)
from tertulia.core.models import Activity
from tertulia.flows import inbound, outbound
from tertulia.inbox import acting, actions, pages, queries
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db


class Square(Connector):
    """A public square with every kind of act; `does` says how the next calls end."""

    key = "tests-square"
    name: ClassVar = {"en": "Square", "es": "Plaza"}
    capabilities = Capabilities(
        reads=frozenset({"comment"}),
        can=(
            REPLY,
            Can("like", undoes=True),
            Can("hide", undoes=True),
            Can("remove", within=timedelta(hours=48)),
            Can("report", is_once=True),
            Can("delete", whose="ours"),
        ),
    )
    reasons: ClassVar = {"not-yours": {"en": "It stands under somebody else's post.", "es": "Está en otro lugar."}}
    done: ClassVar[list[tuple[str, str, bool, str]]] = []
    does: ClassVar[list[Exception]] = []

    def act(self, account, act, on, key, *, undo=False, because=""):
        if self.does:
            raise self.does.pop(0)
        self.done.append((act, on.remote_id, undo, because))
        return Receipt(on.remote_id)

    def reply(self, account, to, text, key):
        if self.does:
            raise self.does.pop(0)
        return Receipt(f"r-{key}")


@pytest.fixture
def square(brand):
    registry.all_connectors()[Square.key] = Square
    Square.done[:], Square.does[:] = [], []
    yield Account.objects.create(brand=brand, kind=Square.key, name="Plaza", created_at=NOON)
    del registry.all_connectors()[Square.key]


@pytest.fixture
def message(square):
    inbound.intake(square, [envelope("Sois unos ladrones", kind="comment")], at=NOON)
    return Message.objects.select_related("identity").get()


def do(message, act, alba, *, at=NOON, **said):
    return acting.act(message=message, act=act, by=alba, at=at, **said)


def test_a_like_leaves_at_once_and_is_taken_back(message, alba):
    delivery = do(message, "like", alba)
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert (delivery.state, Square.done) == ("sent", [("like", "m1", False, "")])
    do(message, "like", alba, undo=True)
    outbound.run_due(NOON)
    assert Square.done[-1] == ("like", "m1", True, "")


def test_a_double_click_does_it_once(message, alba):
    assert do(message, "like", alba) == do(message, "like", alba)
    outbound.run_due(NOON)
    assert len(Square.done) == 1


def test_what_is_done_against_somebody_needs_a_reason_that_is_kept(message, alba):
    with pytest.raises(acting.NeedsReason):
        do(message, "hide", alba)
    assert not Delivery.objects.exists()
    do(message, "hide", alba, because="Norma 2: insultos")
    outbound.run_due(NOON)
    assert Square.done == [("hide", "m1", False, "Norma 2: insultos")]
    assert Activity.objects.get(type="message.acted").data["reason"] == "Norma 2: insultos"


def test_what_cannot_be_undone_leaves_after_the_undo_window(message, alba, brand):
    delivery = do(message, "remove", alba, because="Norma 2")
    outbound.run_due(NOON)
    assert Square.done == []
    acting.withdraw(delivery=delivery, by=alba, at=NOON)
    outbound.run_due(NOON + timedelta(seconds=brand.undo_seconds))
    assert Square.done == []
    with pytest.raises(actions.TooLate):
        acting.withdraw(delivery=delivery, by=alba, at=NOON)


def test_moderating_the_only_message_that_waits_ends_it_with_its_reason(message, alba):
    do(message, "hide", alba, because="Norma 2")
    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.close_reason) == ("closed", "moderated")
    outbound.run_due(NOON)
    do(message, "hide", alba, undo=True)
    assert Conversation.objects.get().state == "open"


def test_a_message_that_was_removed_stands_there_no_more(message, alba, brand):
    do(message, "remove", alba, because="Norma 2")
    outbound.run_due(NOON + timedelta(seconds=brand.undo_seconds))
    message.refresh_from_db()
    assert message.deleted_at == NOON + timedelta(seconds=brand.undo_seconds)


def test_nothing_is_done_after_its_time_or_where_the_message_forbids_it(message, alba, square):
    with pytest.raises(acting.CannotAct, match="plazo que da la red"):
        do(message, "remove", alba, because="Norma 2", at=NOON + timedelta(hours=48))
    inbound.intake(square, [envelope(remote_id="m2", kind="comment", cannot={"hide": "not-yours"}, minutes=1)], at=NOON)
    with pytest.raises(acting.CannotAct, match="otro lugar"):
        do(Message.objects.get(remote_id="m2"), "hide", alba, because="Norma 2")
    with pytest.raises(acting.CannotAct):
        do(message, "ban", alba, because="Norma 2")
    with pytest.raises(acting.CannotAct):
        do(message, "like", alba, undo=True)
    assert not Delivery.objects.exists()


def test_after_silence_an_act_is_repeated_unless_it_would_happen_twice(message, alba, brand):
    Square.does[:] = [Unknown("No answer.")]
    like = do(message, "like", alba)
    outbound.run_due(NOON)
    outbound.run_due(NOON + timedelta(minutes=5))
    like.refresh_from_db()
    assert (like.state, len(Square.done)) == ("sent", 1)
    Square.does[:] = [Unknown("No answer.")]
    report = do(message, "report", alba, because="Norma 2")
    later = NOON + timedelta(minutes=10)
    outbound.run_due(later)
    outbound.run_due(later + timedelta(hours=1))
    report.refresh_from_db()
    assert (report.state, len(Square.done)) == ("unknown", 1)


def test_a_refused_act_says_so_and_can_be_tried_again(message, alba):
    Square.does[:] = [Refused("You are not an administrator.")]
    delivery = do(message, "like", alba)
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why) == ("refused", "You are not an administrator.")
    assert Activity.objects.filter(type="act.refused").count() == 1
    again = do(message, "like", alba)
    outbound.run_due(NOON)
    again.refresh_from_db()
    assert again.state == "sent"


def test_the_menu_says_what_can_be_done_and_why_the_rest_cannot(message, alba):
    conversation = queries.conversation_of(brand=message.account.brand, id=Conversation.objects.get().id)
    late = NOON + timedelta(hours=49)
    (entry,) = [
        one
        for one in pages.entries(
            queries.thread(conversation), conversation=conversation, people={}, user=alba, now=late
        )
        if one.kind == "message"
    ]
    assert [(way.act, bool(way.why_not)) for way in entry.ways] == [
        ("like", False),
        ("hide", False),
        ("report", False),
        ("remove", True),
    ]


def test_an_answer_by_hand_waits_as_a_task_and_the_person_waits_until_it_is_ticked(message, alba, brand):
    Square.does[:] = [ByHand("Here no program may write.", url="https://plaza.example/m1")]
    conversation = Conversation.objects.get()
    delivery = actions.reply(conversation=conversation, text="Lo sentimos.", by=alba, turn=1, at=NOON)
    at = NOON + timedelta(seconds=brand.undo_seconds)
    outbound.run_due(at)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.task) == ("by_hand", {"text": "Lo sentimos.", "url": "https://plaza.example/m1"})
    conversation.refresh_from_db()
    assert conversation.waiting_since == NOON
    acting.finish_by_hand(delivery=delivery, by=alba, at=at, url="https://plaza.example/m1#r")
    conversation.refresh_from_db()
    delivery.refresh_from_db()
    assert (conversation.waiting_since, delivery.state) == (None, "sent")
    assert Message.objects.get(direction="out").url == "https://plaza.example/m1#r"
    with pytest.raises(actions.Problem):
        acting.finish_by_hand(delivery=delivery, by=alba, at=at)


def test_an_answer_by_hand_that_is_given_up_returns_to_the_composer(message, alba, brand):
    Square.does[:] = [ByHand()]
    delivery = actions.reply(conversation=Conversation.objects.get(), text="Lo sentimos.", by=alba, turn=1, at=NOON)
    outbound.run_due(NOON + timedelta(seconds=brand.undo_seconds))
    assert acting.give_up_by_hand(delivery=delivery, by=alba, at=NOON) == "Lo sentimos."
    delivery.refresh_from_db()
    assert delivery.state == "cancelled"
