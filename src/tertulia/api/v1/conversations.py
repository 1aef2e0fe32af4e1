"""Conversations and all that is done with them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from ninja import Path, Query, Router

from tertulia.channels.models import Delivery
from tertulia.core import clock
from tertulia.inbox import actions, queries
from tertulia.inbox.models import Conversation, Label, Note, Read
from tertulia.team.models import Membership, User

from .. import paging
from ..access import Call, door
from ..errors import invalid, not_found
from ..idempotency import once
from .shapes import (
    AssignmentBody,
    ClosureBody,
    ConversationParameters,
    ConversationShape,
    Id,
    ListParameters,
    MessageShape,
    NoteBody,
    NoteShape,
    Page,
    ReplyBody,
    ReplyShape,
    SnoozeBody,
)

router = Router(tags=["Conversations"])

Found = TypeVar("Found")
READS = door("conversations:read", "inbox.read")
ORGANISES = door("conversations:write", "inbox.organise")


@router.get("/conversations", response=Page[ConversationShape], **READS)
def conversations(request: Call, filters: Query[ConversationParameters]) -> Page[ConversationShape]:
    """A page of the brand's conversations.

    `view` also decides the order: `waiting` longest waiting first, all others newest first. With `q` the newest match
    comes first and `view` is passed over. Send `next` as `after` for the page that follows: with `q`, `topic` or
    `needs_answer` a page may have fewer items than `limit`, even none, and still have a `next`.
    """
    wanted = queries.Filters(
        view=filters.view, channel=filters.channel, account=filters.channel_id, label=filters.label_id,
        owner=filters.owner_id, q=filters.q, kind=filters.kind or "", sentiment=filters.sentiment or "",
        urgent=filters.urgent, language=filters.language or "", offensive=filters.offensive, topic=filters.topic,
        needs_answer=filters.needs_answer,
    )  # fmt: skip
    caller = request.auth
    try:
        page = queries.page(
            brand=caller.brand, user=caller.user, filters=wanted, after=filters.after, limit=filters.limit
        )
    except queries.BadCursor:
        raise paging.bad_cursor() from None
    return Page[ConversationShape](items=[_row(row) for row in page.rows], next=page.after or None)


@router.get("/conversations/{int:conversation_id}", response=ConversationShape, **READS)
def conversation(request: Call, conversation_id: Path[Id]) -> ConversationShape:
    """One conversation. 404 for another brand's."""
    return _answer(request, conversation_id)


@router.get("/conversations/{int:conversation_id}/messages", response=Page[MessageShape], **READS)
def messages(request: Call, conversation_id: Path[Id], page: Query[ListParameters]) -> Page[MessageShape]:
    """What was said in a conversation, newest first; answers that were taken back are not part of it."""
    conversation = _conversation(request, conversation_id)
    try:
        thread = queries.thread(conversation, before=page.after, limit=page.limit)
    except queries.BadCursor:
        raise paging.bad_cursor() from None
    statuses = conversation.account.connector.statuses
    items = [_message(item, statuses) for item in reversed(thread.items) if item.kind == "message"]
    return Page[MessageShape](items=items, next=thread.before or None)


# Organising


@router.put("/conversations/{int:conversation_id}/assignment", response=ConversationShape, **ORGANISES)
def assign(request: Call, conversation_id: Path[Id], body: AssignmentBody) -> ConversationShape:
    """Put a teammate in charge, or nobody.

    404 when they do not belong to the brand, 422 when their role can't answer.
    """
    conversation = _conversation(request, conversation_id)
    to = _colleague(request, body.to) if body.to is not None else None
    actions.assign(conversation=conversation, to=to, by=request.auth.user, at=clock.now())
    return _answer(request, conversation_id)


@router.put("/conversations/{int:conversation_id}/labels/{int:label_id}", response=ConversationShape, **ORGANISES)
def put_label(request: Call, conversation_id: Path[Id], label_id: Path[Id]) -> ConversationShape:
    """Put a label on. Putting it on twice changes nothing."""
    conversation, label = _conversation(request, conversation_id), _label(request, label_id)
    actions.add_label(conversation=conversation, label=label, by=request.auth.user, at=clock.now())
    return _answer(request, conversation_id)


@router.delete("/conversations/{int:conversation_id}/labels/{int:label_id}", response=ConversationShape, **ORGANISES)
def take_label(request: Call, conversation_id: Path[Id], label_id: Path[Id]) -> ConversationShape:
    """Take a label off. Taking off what is not on changes nothing."""
    conversation, label = _conversation(request, conversation_id), _label(request, label_id)
    actions.remove_label(conversation=conversation, label=label, by=request.auth.user, at=clock.now())
    return _answer(request, conversation_id)


@router.put("/conversations/{int:conversation_id}/snooze", response=ConversationShape, **ORGANISES)
def snooze(request: Call, conversation_id: Path[Id], body: SnoozeBody) -> ConversationShape:
    """Put it aside until a moment, or until the person writes again. 422 for a moment that has passed."""
    conversation = _conversation(request, conversation_id)
    actions.snooze(conversation=conversation, until=body.until, by=request.auth.user, at=clock.now())
    return _answer(request, conversation_id)


@router.delete("/conversations/{int:conversation_id}/snooze", response=ConversationShape, **ORGANISES)
def wake(request: Call, conversation_id: Path[Id]) -> ConversationShape:
    """Bring it back at once. Changes nothing when it is not put aside."""
    actions.wake(conversation=_conversation(request, conversation_id), at=clock.now(), by=request.auth.user)
    return _answer(request, conversation_id)


@router.put("/conversations/{int:conversation_id}/closure", response=ConversationShape, **ORGANISES)
def close(request: Call, conversation_id: Path[Id], body: ClosureBody) -> ConversationShape:
    """Close it with a reason. A new message of the person opens it again; closing it twice changes nothing."""
    conversation = _conversation(request, conversation_id)
    actions.close(conversation=conversation, reason=body.reason, by=request.auth.user, at=clock.now())
    return _answer(request, conversation_id)


@router.delete("/conversations/{int:conversation_id}/closure", response=ConversationShape, **ORGANISES)
def reopen(request: Call, conversation_id: Path[Id]) -> ConversationShape:
    """Open it again. Changes nothing when it is open."""
    actions.reopen(conversation=_conversation(request, conversation_id), by=request.auth.user, at=clock.now())
    return _answer(request, conversation_id)


# Notes


@router.get("/conversations/{int:conversation_id}/notes", response=Page[NoteShape], **READS)
def notes(request: Call, conversation_id: Path[Id], page: Query[ListParameters]) -> Page[NoteShape]:
    """The team's notes, newest first."""
    rows = Note.objects.filter(conversation=_conversation(request, conversation_id))
    found, after = paging.newest(rows, "at", after=page.after, limit=page.limit)
    return Page[NoteShape](items=[_note(note) for note in found], next=after)


@router.post(
    "/conversations/{int:conversation_id}/notes", response={201: NoteShape}, **door("conversations:write", "inbox.note")
)
def add_note(request: Call, conversation_id: Path[Id], body: NoteBody) -> NoteShape:
    """Write for the team's eyes. Every call writes a new note."""
    conversation = _conversation(request, conversation_id)
    return _note(actions.add_note(conversation=conversation, text=body.text, by=request.auth.user, at=clock.now()))


# Replies


@router.post(
    "/conversations/{int:conversation_id}/replies",
    response={201: ReplyShape},
    **door("replies:write", "inbox.reply", needs_key=True),
)
def reply(request: Call, conversation_id: Path[Id], body: ReplyBody) -> ReplyShape:
    """Answer the person, once.

    The answer is queued and leaves at `due_at`, after the brand's time to take it back. The header `Idempotency-Key`
    (1 to 255 characters, new for each answer) is required: a repeat with the same key and body gives the first
    answer again and sends nothing; the same key with another body gives 409 `idempotency_key_reused`.
    Where the brand shortens the links in answers, `text` comes back with these.

    409 `answered` when somebody has answered since `turn`: the error names who (`by`) and when (`at`); read the
    conversation again. 409 `cannot_reply` when the channel takes no answers or is paused. 422 when the text is empty
    or too long for the channel.
    """
    conversation = _conversation(request, conversation_id)
    if body.turn > conversation.turn:
        raise invalid({"turn": _("The conversation has not come that far.")})
    at = clock.now()

    def answer() -> dict[str, Any]:
        delivery = actions.reply(conversation=conversation, text=body.text, by=request.auth.user, turn=body.turn, at=at)
        return _reply(delivery, conversation.id).model_dump(mode="json")

    return ReplyShape.model_validate(once(request, body.model_dump(), answer, at=at))


@router.get("/replies/{int:reply_id}", response=ReplyShape, **READS)
def get_reply(request: Call, reply_id: Path[Id]) -> ReplyShape:
    """How a reply is doing: whether it left, arrived or was refused."""
    delivery = _delivery(request, reply_id)
    return _reply(delivery, _conversation_of(delivery))


@router.delete("/replies/{int:reply_id}", response=ReplyShape, **door("replies:write", "inbox.reply"))
def withdraw(request: Call, reply_id: Path[Id]) -> ReplyShape:
    """Take a reply back before it leaves; its text becomes the user's draft. 409 `too_late` once it is leaving."""
    delivery = _delivery(request, reply_id)
    actions.withdraw(delivery=delivery, by=request.auth.user, at=clock.now())
    delivery.refresh_from_db()
    return _reply(delivery, _conversation_of(delivery))


# Finding, within the brand


def _conversation(request: Call, id: int) -> Conversation:
    try:
        return queries.conversation_of(brand=request.auth.brand, id=id)
    except Conversation.DoesNotExist:
        raise not_found() from None


def _delivery(request: Call, id: int) -> Delivery:
    rows = Delivery.objects.select_related("message").filter(account__brand=request.auth.brand, act="reply")
    return _or_404(rows.filter(pk=id).first())


def _conversation_of(delivery: Delivery) -> int:
    return Conversation.objects.get(account_id=delivery.account_id, thread_id=delivery.thread_id).pk


def _label(request: Call, id: int) -> Label:
    return _or_404(Label.objects.filter(brand=request.auth.brand, pk=id).first())


def _colleague(request: Call, id: int) -> User:
    membership = Membership.objects.select_related("user").filter(brand=request.auth.brand, user_id=id).first()
    return _or_404(membership).user


def _or_404(found: Found | None) -> Found:
    if found is None:
        raise not_found()
    return found


# Telling


def _answer(request: Call, id: int) -> ConversationShape:
    conversation = _conversation(request, id)
    read = Read.objects.filter(conversation=conversation, user=request.auth.user).first()
    is_unread = queries.is_unread(
        conversation.turn,
        read=read.turn if read else 0,
        answered=conversation.answered_turn,
        waits=conversation.waiting_since is not None,
    )
    return _row({**vars(conversation), "unread": is_unread})


def _row(row: Mapping[str, Any]) -> ConversationShape:
    return ConversationShape(
        channel_id=row["account_id"], person_id=row["member_id"], person_name=row["member_name"],
        label_ids=row["labels"], is_unread=row["unread"],
        **{name: row[name] for name in ConversationShape.model_fields if name in row},
    )  # fmt: skip


def _message(item: queries.Item, statuses: Container[str]) -> MessageShape:
    message, delivery = item.of, item.delivery
    status = "" if message.deleted_at else message.hints.get("status", "")
    return MessageShape(
        id=message.id, direction=message.direction, kind=message.kind, author_id=message.author_id,
        author_name=message.author_name or str(message.identity or ""), subject=message.subject,
        text="" if message.deleted_at else message.text, is_automatic=message.is_automatic,
        sent_at=message.sent_at, edited_at=message.edited_at, deleted_at=message.deleted_at,
        status=status if status in statuses else "",
        reply_id=delivery.id if delivery else None, reply_state=delivery.state if delivery else None,
    )  # fmt: skip


def _note(note: Note) -> NoteShape:
    return NoteShape(id=note.id, author_id=note.by_id, text=note.text, mentions=note.mentions, at=note.at)


def _reply(delivery: Delivery, conversation_id: int) -> ReplyShape:
    return ReplyShape(
        id=delivery.id, conversation_id=conversation_id, message_id=delivery.subject.pk, state=delivery.state,
        why=delivery.why, text=delivery.subject.text, due_at=delivery.due_at, finished_at=delivery.finished_at,
    )  # fmt: skip
