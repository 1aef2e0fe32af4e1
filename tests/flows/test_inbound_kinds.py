"""What only some networks' messages are: a machine's mail, a notice of return, an article, a file."""

import zlib
from datetime import timedelta

import pytest

from conftest import NOON, envelope
from tertulia.channels import intake
from tertulia.channels.models import Delivery, Message
from tertulia.connectors.contract import About, Target
from tertulia.core.activity import Activity
from tertulia.flows import inbound, outbound
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db


def test_what_a_machine_wrote_is_filed_and_nobody_waits(site):
    inbound.intake(site, [envelope("Estoy de vacaciones", is_automatic=True)], at=NOON)
    conversation = Conversation.objects.get()
    assert (conversation.preview, conversation.waiting_since) == ("Estoy de vacaciones", None)
    inbound.intake(site, [envelope("Estoy de vacaciones", is_automatic=True, verb="edited", minutes=1)], at=NOON)
    assert Conversation.objects.get().waiting_since is None


def test_a_machines_word_does_not_open_what_was_closed(site, alba):
    inbound.intake(site, [envelope()], at=NOON)
    conversation = Conversation.objects.select_related("brand", "account").get()
    actions.close(conversation=conversation, reason="answered", by=alba, at=NOON)
    inbound.intake(site, [envelope("Ausente", remote_id="m2", minutes=3, is_automatic=True)], at=NOON)
    assert Conversation.objects.get().state == "closed"


def test_an_article_is_kept_and_is_no_conversation(site):
    inbound.intake(site, [envelope("Feria del pan", kind="article")], at=NOON)
    assert Message.objects.get().text == "Feria del pan"
    assert not Conversation.objects.exists()


def test_what_it_was_written_under_and_what_it_takes_to_answer_are_kept(site):
    about = About("p1", title="Roscón", url="https://blog.example/roscon", text="Ya está aquí")
    said = envelope(
        "¿Lleva almendra?", about=about, hints={"root": "p1"}, cannot={"hide": "not-yours"}, quoted="> Hola"
    )
    inbound.intake(site, [said], at=NOON)
    message = Message.objects.get()
    assert (message.about["title"], message.quoted) == ("Roscón", "> Hola")
    target = Target(**intake.target(message))
    assert (target.hints, target.remote_id, message.cannot) == ({"root": "p1"}, "m1", {"hide": "not-yours"})


@pytest.mark.parametrize("times", [1, 10_000])
def test_a_file_is_kept_as_it_came(site, times):
    mail = b"From: diego\r\n\r\nHola" * times
    inbound.intake(site, [envelope("Hola", original=mail)], at=NOON)
    original = Message.objects.get().original
    assert (zlib.decompress(original.content), original.size) == (mail, len(mail))
    assert len(original.content) < max(len(mail) * 0.8, 30)


def test_a_notice_of_return_stands_on_the_answer_and_the_person_waits_again(site, alba):
    inbound.intake(site, [envelope()], at=NOON)
    conversation = Conversation.objects.select_related("brand", "account").get()
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=NOON)
    outbound.run_due(delivery.due_at)
    sent = Message.objects.get(direction="out")
    notice = envelope("550 No such mailbox", remote_id="m9", verb="returned", in_reply_to=sent.remote_id, minutes=2)
    for _ in range(2):
        inbound.intake(site, [notice], at=NOON)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why) == (Delivery.State.REFUSED, "550 No such mailbox")
    conversation.refresh_from_db()
    assert (conversation.has_trouble, conversation.waiting_since) == (True, NOON)
    assert Message.objects.get(remote_id="m9").thread_id == ""
    assert Activity.objects.filter(type="delivery.refused").count() == 1


def test_a_notice_about_something_we_never_sent_is_a_message_like_any_other(site):
    inbound.intake(site, [envelope("550 No such mailbox", verb="returned", in_reply_to="elsewhere")], at=NOON)
    assert Conversation.objects.get().preview == "550 No such mailbox"


def test_a_verdict_changes_how_a_message_stands_and_nothing_else(site):
    inbound.intake(site, [envelope("Hola", kind="comment", hints={"status": "hold"})], at=NOON)
    verdict = {"kind": "comment", "verb": "judged"}
    approved = envelope("Hola", **verdict, hints={"status": "approved"}, changed_at=NOON + timedelta(minutes=2))
    held = envelope("Hola", **verdict, hints={"status": "hold"}, changed_at=NOON + timedelta(minutes=1))
    for _time in range(2):
        inbound.intake(site, [approved, held], at=NOON)
        message = Message.objects.get()
        assert (message.hints, message.text, message.edited_at) == ({"status": "approved"}, "Hola", None)
    assert Conversation.objects.get().turn == 1
    assert not message.versions.exists()


def test_a_verdict_on_what_is_not_known_yet_is_the_message(site):
    inbound.intake(site, [envelope("Hola", verb="judged", hints={"status": "hold"}, changed_at=NOON)], at=NOON)
    inbound.intake(site, [envelope("Hola", hints={"status": "hold"})], at=NOON)
    message = Message.objects.get()
    assert (message.text, message.edited_at, message.hints) == ("Hola", None, {"status": "hold"})
