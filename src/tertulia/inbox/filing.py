"""Puts messages into conversations: the step between the facts and the work.

`file` is written for batches: a handful of statements for any number of messages. What it does per message is
arithmetic on rows already in memory; anything unusual (an older message, an edit, a deletion) goes through
`recompute`, which reads the conversation's messages anew and is right in every case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db.models import Max, Q, QuerySet

from tertulia.channels.intake import Recorded
from tertulia.channels.models import Account, Delivery, Identity, Message
from tertulia.community import recognition
from tertulia.community.models import Member
from tertulia.core import activity, bulk

from . import activities, promises
from .models import PREVIEW_LENGTH, Conversation, ConversationLabel

_UNSENT = [Delivery.State.CANCELLED, Delivery.State.REFUSED]


def file(account: Account, recorded: Recorded, *, at: datetime) -> list[Conversation]:
    """File what an intake recorded, in its transaction. Returns the conversations that have a new message."""
    new = [message for message in recorded.new if message.thread_id]
    changed = [message for message in recorded.changed if message.thread_id]
    conversations, before = _conversations(account, [*new, *changed], at=at)
    clocks = promises.clocks_for(account.brand)
    odd = {message.thread_id for message in changed}
    received: dict[str, list[Message]] = {}
    for message in new:
        conversation = conversations[message.thread_id]
        in_order = message.deleted_at is None and message.sent_at >= conversation.last_activity_at
        _take_in(conversation, message, clocks)
        if not in_order:
            odd.add(message.thread_id)
        received.setdefault(message.thread_id, []).append(message)
    fresh = [row for row in conversations.values() if row.pk is None]
    bulk.insert(fresh)
    before |= {row.pk: _values(row.__dict__) for row in fresh}
    for thread_id in odd:
        recompute(conversations[thread_id], at=at, save=False, clocks=clocks)
    _save(conversations.values(), before)
    _tell(account, conversations, received, changed, at=at)
    return [conversations[thread_id] for thread_id in received]


def _conversations(
    account: Account, messages: Sequence[Message], *, at: datetime
) -> tuple[dict[str, Conversation], dict[int, tuple[Any, ...]]]:
    """The conversation of each thread, begun or locked where the database can; and by id how the known ones stood."""
    first: dict[str, Message] = {}
    for message in messages:
        best = first.setdefault(message.thread_id, message)
        if best.direction == Message.Direction.OUT and message.direction == Message.Direction.IN:
            first[message.thread_id] = message
    # In the order in which everybody locks several: else two of them could wait for one another.
    held = Conversation.objects.select_for_update().filter(account=account, thread_id__in=first).order_by("pk")
    known = {row.thread_id: row for row in held}
    before = {row.pk: _values(row.__dict__) for row in known.values()}
    identities = {m.identity_id: m.identity for m in messages if m.identity and m.direction == Message.Direction.IN}
    starters = {m.identity_id: m.identity for m in first.values() if m.identity and m.thread_id not in known}
    people: dict[int, Identity] = {id: who for id, who in {**identities, **starters}.items() if id and who}
    members = recognition.recognise(people.values(), brand_id=account.brand_id, at=at)
    named = recognition.learn(people.values(), members, at=at)
    fresh = [_begin(account, message, members) for thread, message in first.items() if thread not in known]
    known |= {row.thread_id: row for row in fresh}
    for member in named:
        for conversation in known.values():
            if conversation.member_id == member.id:
                conversation.member_name = (member.name or member.email)[:200]
    return known, before


def _begin(account: Account, message: Message, members: dict[int, Member]) -> Conversation:
    if message.identity_id is None:
        raise ValueError(f"message {message.id} has a thread but no author")
    member = members[message.identity_id]
    conversation = bulk.new(
        Conversation,
        brand_id=account.brand_id,
        account_id=account.pk,
        thread_id=message.thread_id,
        member_id=member.pk,
        channel=account.kind,
        member_name=(member.name or member.email)[:200],
        subject=message.subject,
        language=member.language,
        last_activity_at=message.sent_at,
        created_at=message.sent_at,
    )
    conversation.account, conversation.brand = account, account.brand
    return conversation


def _take_in(conversation: Conversation, message: Message, clocks: promises.Clocks) -> None:
    conversation.turn += 1
    conversation.last_activity_at = max(conversation.last_activity_at, message.sent_at)
    conversation.preview = preview_of(message)
    if message.direction == Message.Direction.OUT:
        conversation.answered_turn = conversation.turn
        conversation.last_outbound_at = message.sent_at
        promises.on_reply(conversation, at=message.sent_at)
        conversation.waiting_since = None
        return
    conversation.last_inbound_at = message.sent_at
    if conversation.state != Conversation.State.OPEN:
        _open_again(conversation)
    if conversation.waiting_since is None:
        conversation.waiting_since = message.sent_at
        first, resolution = clocks.due(conversation.account_id, conversation.labels, message.sent_at)
        promises.start(conversation, first, resolution)


def _open_again(conversation: Conversation) -> None:
    conversation.state = Conversation.State.OPEN
    conversation.close_reason, conversation.closed_at = "", None
    conversation.snoozed_until, conversation.snoozed_by_id = None, None


def preview_of(message: Message) -> str:
    return " ".join(message.text[: PREVIEW_LENGTH * 3].split())[:PREVIEW_LENGTH]


def recompute(
    conversation: Conversation, *, at: datetime, save: bool = True, clocks: promises.Clocks | None = None
) -> None:
    """Set everything that follows from the messages, from the messages themselves.

    An answer that was taken back or refused counts as not given; a message its writer deleted needs none.
    """
    messages = (
        Message.objects.filter(account_id=conversation.account_id, thread_id=conversation.thread_id)
        .filter(Q(delivery__isnull=True) | ~Q(delivery__state__in=_UNSENT))
        .order_by("-sent_at", "-id")
    )
    alive = messages.filter(deleted_at__isnull=True)
    answers = alive.filter(direction=Message.Direction.OUT).aggregate(
        last=Max("sent_at"),
        here=Max("received_at", filter=Q(delivery__isnull=False)),
        elsewhere=Max("sent_at", filter=Q(delivery__isnull=True)),
    )
    conversation.last_outbound_at = answers["last"]
    inbound = alive.filter(direction=Message.Direction.IN)
    last_in = inbound.first()
    conversation.last_inbound_at = last_in.sent_at if last_in else None
    last = alive.first()
    conversation.preview = preview_of(last) if last else ""
    newest = messages.first()
    if newest:
        conversation.last_activity_at = newest.sent_at
    waiting = _unanswered(conversation, inbound, answers).last()
    is_open = conversation.state == Conversation.State.OPEN
    conversation.waiting_since = waiting.sent_at if waiting and is_open else None
    conversation.has_trouble = Delivery.objects.filter(
        message__account_id=conversation.account_id,
        message__thread_id=conversation.thread_id,
        state__in=[Delivery.State.REFUSED, Delivery.State.UNKNOWN],
    ).exists()
    promises.recompute(conversation, at=at, clocks=clocks)
    if save:
        bulk.update([conversation], _SAVED)
        _save_labels([conversation])


def _unanswered(
    conversation: Conversation, inbound: QuerySet[Message], answers: Mapping[str, datetime | None]
) -> QuerySet[Message]:
    """The person's messages that nobody here can have had before them when we last answered or closed.

    What was delivered late counts from when it got here, however early it was written: else a lost delivery that is
    found again after an answer would pass for answered.
    """
    if answers["elsewhere"]:
        inbound = inbound.filter(sent_at__gt=answers["elsewhere"])
    for seen_at in (answers["here"], conversation.settled_at):
        if seen_at:
            inbound = inbound.filter(received_at__gt=seen_at)
    return inbound


_SAVED = (
    "state", "close_reason", "closed_at", "settled_at", "snoozed_until", "snoozed_by_id", "preview", "last_activity_at",
    "last_inbound_at", "last_outbound_at", "waiting_since", "first_response_due_at", "first_responded_at",
    "resolution_due_at", "promise_due_at", "warned_at", "broken_at", "has_trouble", "turn", "answered_turn",
    "member_name",
)  # fmt: skip


_values = itemgetter(*_SAVED)


def _save(conversations: Iterable[Conversation], before: dict[int, tuple[Any, ...]]) -> None:
    """Write what has changed of each row and nothing else: an index whose columns stay is left alone."""
    alike: dict[tuple[str, ...], list[Conversation]] = {}
    for row in conversations:
        pairs = zip(_SAVED, before[row.pk], _values(row.__dict__), strict=True)
        changed = tuple(name for name, old, new in pairs if old != new)
        alike.setdefault(changed, []).append(row)
    for changed, rows in alike.items():
        bulk.update(rows, changed)
        if "state" in changed or "last_activity_at" in changed:
            _save_labels(rows)


def _save_labels(conversations: Iterable[Conversation]) -> None:
    """State and last activity, once more where the lists of a label are walked."""
    by_id = {row.id: row for row in conversations if row.labels}
    links = list(ConversationLabel.objects.filter(conversation__in=by_id)) if by_id else []
    for link in links:
        link.state = by_id[link.conversation_id].state
        link.last_activity_at = by_id[link.conversation_id].last_activity_at
    bulk.update(links, ["state", "last_activity_at"])


def _tell(
    account: Account,
    conversations: dict[str, Conversation],
    received: dict[str, list[Message]],
    changed: Sequence[Message],
    *,
    at: datetime,
) -> None:
    lines = []
    for thread_id, messages in received.items():
        inbound = sum(message.direction == Message.Direction.IN for message in messages)
        name = activities.RECEIVED if inbound else activities.REPLIED
        data = {"account": account.id, "thread": thread_id, "count": len(messages)}
        lines.append((name, conversations[thread_id], {**data, "person": conversations[thread_id].member_name}))
    for message in changed:
        conversation = conversations[message.thread_id]
        name = activities.DELETED if message.deleted_at else activities.EDITED
        lines.append((name, conversation, {"message": message.id, "person": conversation.member_name}))
    activity.record_many(lines, brand=account.brand_id, at=at)
