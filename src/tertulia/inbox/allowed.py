"""What a network allows with a message: its own table (`Capabilities.can`), asked for one item at one moment."""

from __future__ import annotations

from datetime import datetime

from tertulia.channels.models import Message
from tertulia.connectors import registry
from tertulia.connectors.contract import Item, Possibility

from .models import Conversation


def possibilities(message: Message, conversation: Conversation, *, at: datetime) -> list[Possibility]:
    """What can be done with a message, and until when, or why not; nothing where the connector is gone."""
    if conversation.channel not in registry.all_connectors():
        return []
    item = Item(
        kind=message.kind, is_ours=message.direction == Message.Direction.OUT, sent_at=message.sent_at,
        person_wrote_at=conversation.last_inbound_at, cannot=message.cannot, is_deleted=message.deleted_at is not None,
    )  # fmt: skip
    return registry.get(conversation.channel).possibilities(item, at)


def last_inbound(conversation: Conversation) -> Message | None:
    """The newest message of the person: what an answer answers."""
    inward = Message.objects.filter(
        account_id=conversation.account_id, thread_id=conversation.thread_id, direction=Message.Direction.IN
    )
    return inward.select_related("identity").order_by("-sent_at", "-id").first()


def reply(conversation: Conversation, *, at: datetime) -> Possibility | None:
    """Whether the conversation can be answered here, and until when; None where nothing of the kind is possible.

    That the message was deleted there doesn't matter: the network says so itself when it can't be answered.
    """
    last = last_inbound(conversation)
    if last is None:
        return None
    last.deleted_at = None
    return next((one for one in possibilities(last, conversation, at=at) if one.can.act == "reply"), None)
