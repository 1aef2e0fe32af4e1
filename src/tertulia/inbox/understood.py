"""What the person's messages say, as the desk has it: readings of what came in, and on the conversation what the list
shows and finds of the newest one."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from tertulia.channels.models import Message
from tertulia.core import bulk
from tertulia.core.redact import describe
from tertulia.team.models import Membership, User
from tertulia.understanding import actions as understanding
from tertulia.understanding import lessons, words
from tertulia.understanding.learning import TOPIC
from tertulia.understanding.models import MessageReading
from tertulia.understanding.script import UNKNOWN

from .models import Conversation

log = logging.getLogger(__name__)

LONG = 1_000
"""Messages. Of a longer conversation only so many, the newest, are looked through for what was not read yet."""
AT_ONCE = 256
AGAIN = 500
"""Open conversations, those with the newest messages, that are read again when the brand reads differently."""
SURE_OF_LANGUAGE = 0.9
WORDS_OF_LANGUAGE = 4

_NEEDED = ("account_id", "identity_id", "subject", "text", "in_reply_to", "edited_at")
_KEPT = ("kind", "sentiment", "urgency", "is_offensive", "language", "ranked_at", "listed_at")


def read_new(conversation_ids: Collection[int], *, at: datetime) -> list[int]:
    """Read the messages of the persons in these conversations that were not read yet or were edited since.

    Returns their ids.
    """
    read: list[int] = []
    conversations = list(Conversation.objects.filter(pk__in=conversation_ids))
    for messages in _unread(conversations):
        read += _read(messages, at=at)
    _note(conversation_ids)
    return read


def note_messages(message_ids: Collection[int]) -> None:
    """Let the conversations of these messages know what their readings say now."""
    threads = set(Message.objects.filter(pk__in=message_ids).values_list("account_id", "thread_id"))
    accounts, names = {account for account, _ in threads}, {name for _, name in threads}
    found = Conversation.objects.filter(account_id__in=accounts, thread_id__in=names)
    _note([pk for pk, *thread in found.values_list("pk", "account_id", "thread_id") if tuple(thread) in threads])


def read_again(brand: int, *, at: datetime) -> None:
    """Read the messages of the brand's open conversations again, by what has been taught since."""
    open_ones = Conversation.objects.filter(brand=brand, state=Conversation.State.OPEN)
    threads = list(open_ones.order_by("-last_activity_at", "-id").values_list("pk", "account_id", "thread_id")[:AGAIN])
    accounts, names = {account for _pk, account, _name in threads}, {name for _pk, _account, name in threads}
    whole = _inbound(Message.objects.filter(account_id__in=accounts, thread_id__in=names, reading__isnull=False))
    for messages in _batches(whole, {(account, name) for _pk, account, name in threads}):
        _read(messages, at=at)
    _note([pk for pk, _account, _name in threads])


def read_through(conversation_ids: Collection[int], messages: QuerySet[Message], *, by: str, at: datetime) -> int:
    """Read those of the messages that this model (`by`, with or without a brand's layer) has not read, and keep on the
    conversations what follows.

    Returns how many were read.
    """
    ids = list(_unread_of(messages, by).order_by("pk").values_list("pk", flat=True))
    read = 0
    for first in range(0, len(ids), AT_ONCE):
        some = Message.objects.filter(pk__in=ids[first : first + AT_ONCE])
        read += len(_read(list(some.only(*_NEEDED)), at=at))
    if read:
        _note(conversation_ids)
    return read


def correct(*, conversation: Conversation, message: Message, field: str, value: Any, by: User, at: datetime) -> bool:
    """Say what a message means; whether that is something else than was read, and learnt from.

    Raises `understanding.actions.NotUnderstood`.
    """
    with transaction.atomic():
        said = understanding.correct(message=message, field=field, value=value, by=by.pk, at=at, on=conversation)
        _note_word(conversation, message, field)
    return said is not None and said.is_lesson


def put_topic(*, conversation: Conversation, message: Message, name: str, by: User, at: datetime) -> bool:
    """Say that a message is about a topic of the brand's own or a shipped one, by its name; a new one is added.
    Whether it wasn't read so. To bring back a removed one by its name takes the right to the settings.

    Raises `NotUnderstood` or `lessons.NoTopic`.
    """
    name = " ".join(name.split())
    shipped = {called.casefold(): slug for slug, called in words.topics().items()}
    with transaction.atomic():
        slug = shipped.get(name.casefold())
        if slug is None:
            if lessons.is_removed(conversation.brand, name) and not _may_settle(by, conversation.brand_id):
                raise lessons.NoTopic(
                    _("“{name}” was removed. Whoever manages the settings can bring it back.").format(name=name)
                )
            slug = lessons.add_topic(brand=conversation.brand, name=name, by=by.pk, at=at).slug
        return correct(conversation=conversation, message=message, field=TOPIC + slug, value=True, by=by, at=at)


def _may_settle(user: User, brand: int) -> bool:
    membership = Membership.objects.filter(brand=brand, user=user).select_related("user").first()
    return membership is not None and membership.may("inbox.settings")


def undo_correction(*, conversation: Conversation, message: Message, field: str, by: User, at: datetime) -> None:
    """Let what was read stand again. Raises `understanding.actions.NotUnderstood`."""
    with transaction.atomic():
        understanding.undo_correction(message=message, field=field, by=by.pk, at=at, on=conversation)
        _note_word(conversation, message, field)


def _note_word(conversation: Conversation, message: Message, field: str) -> None:
    """Let the conversation know. Whatever language a message is said to be in, they write, until a newer one surely
    says otherwise; once that is taken back, what stood without it."""
    if field == "language":
        reading = MessageReading.objects.get(pk=message.pk)
        row = Conversation.objects.select_for_update(of=("self",)).select_related("member").get(pk=conversation.pk)
        if "language" not in reading.corrected:
            row.language = _language(_written(row), row.language)
        else:
            row.language = "" if reading.language == UNKNOWN else _language(reading.language, row.language)
        row.save(update_fields=["language"])
    _note([conversation.pk])


def _written(row: Conversation) -> str:
    """The language they write in, by the newest message where it is sure; else the person's own, else as it began."""
    readings = MessageReading.objects.exclude(language=UNKNOWN).filter(
        message__account_id=row.account_id, message__thread_id=row.thread_id, message__direction=Message.Direction.IN,
        message__deleted_at__isnull=True, message__is_automatic=False,
    ).select_related("message").only("language", "confidence", "corrected", "brained", "message__text")  # fmt: skip
    known = list(readings.order_by("-message__sent_at", "-message_id")[:AT_ONCE])
    sure = (each.language for each in known if "language" in each.corrected or is_sure_of_language(each))
    return next(sure, "") or row.member.language or (known[-1].language if known else "")


def undo_of_message(*, message: Message, field: str, by: User, at: datetime) -> None:
    """The same for a message whose conversation isn't at hand. Raises `understanding.actions.NotUnderstood`."""
    found = Conversation.objects.filter(account_id=message.account_id, thread_id=message.thread_id).first()
    if found:
        undo_correction(conversation=found, message=message, field=field, by=by, at=at)
    else:
        understanding.undo_correction(message=message, field=field, by=by.pk, at=at)


def _read(messages: Sequence[Message], *, at: datetime) -> list[int]:
    """Read these; one that breaks the reading keeps none of the others from it. Returns the ids of what was read."""
    try:
        understanding.read_messages(messages, at=at)
    except DatabaseError:
        raise  # passes by itself
    except Exception as error:  # noqa: BLE001 — whatever it is, it must not keep what came before and after unread
        if len(messages) > 1:
            return [id for each in messages for id in _read([each], at=at)]
        log.error("Message %s can't be read: %s", messages[0].pk, describe(error))
        return []
    return [message.pk for message in messages]


def _unread(conversations: Sequence[Conversation]) -> Iterator[list[Message]]:
    threads = {(row.account_id, row.thread_id) for row in conversations if row.turn <= LONG}
    accounts, names = {account for account, _ in threads}, {name for _, name in threads}
    yield from _batches(_unread_of(Message.objects.filter(account_id__in=accounts, thread_id__in=names)), threads)
    for row in conversations:
        if row.turn > LONG:
            newest = Message.objects.filter(account_id=row.account_id, thread_id=row.thread_id)
            ids = list(newest.order_by("-sent_at", "-id").values_list("id", flat=True)[:LONG])
            yield from _batches(_unread_of(Message.objects.filter(pk__in=ids)), {(row.account_id, row.thread_id)})


def _unread_of(messages: QuerySet[Message], by: str = "") -> QuerySet[Message]:
    """With `by`, those too that another model has read."""
    is_later = Q(edited_at__isnull=False, reading__edited_at__isnull=True) | Q(edited_at__gt=F("reading__edited_at"))
    unread = Q(reading__isnull=True) | is_later
    return _inbound(messages).filter(unread | ~Q(reading__by__startswith=by) if by else unread)


def _inbound(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.filter(direction=Message.Direction.IN, deleted_at__isnull=True).exclude(kind="article")


def _batches(messages: QuerySet[Message], threads: set[tuple[int, str]]) -> Iterator[list[Message]]:
    """Some at a time: a thread of the same name on another account is left for its own turn."""
    rows = messages.order_by("pk").values_list("pk", "account_id", "thread_id") if threads else []
    ids = [pk for pk, *thread in rows if tuple(thread) in threads]
    for first in range(0, len(ids), AT_ONCE):
        some = Message.objects.filter(pk__in=ids[first : first + AT_ONCE])
        yield list(some.only(*_NEEDED))


def newest_readings(conversation_ids: Collection[int], readings: QuerySet[MessageReading]) -> dict[int, MessageReading]:
    """Of these conversations, what was read of the person's newest message; of `readings`, which say how much of it."""
    newest = Message.objects.filter(
        account_id=OuterRef("account_id"), thread_id=OuterRef("thread_id"), direction=Message.Direction.IN,
        deleted_at__isnull=True, is_automatic=False, reading__isnull=False,
    ).order_by("-sent_at", "-id")  # fmt: skip
    found = Conversation.objects.filter(pk__in=conversation_ids).annotate(newest=Subquery(newest.values("pk")[:1]))
    newest_of = {pk: message for pk, message in found.values_list("pk", "newest") if message}
    known = readings.in_bulk(list(newest_of.values()))
    return {pk: known[message] for pk, message in newest_of.items() if message in known}


@transaction.atomic
def _note(conversation_ids: Collection[int]) -> None:
    """Keep on the conversations what the person's newest message says, and in which language they write."""
    # Held first: what is read then is what a correction that was quicker has left.
    rows = bulk.find(Conversation, "id", conversation_ids, is_locked=True)
    readings = MessageReading.objects.select_related("message").only(
        "kind", "sentiment", "urgency", "offensive", "language", "confidence", "corrected", "brained", "message__text"
    )
    known = newest_readings(conversation_ids, readings)
    changed = []
    for row in rows:
        before = [getattr(row, name) for name in _KEPT]
        _take_over(row, known.get(row.pk))
        row.rank()
        if before != [getattr(row, name) for name in _KEPT]:
            changed.append(row)
    bulk.update(changed, _KEPT)


def _take_over(row: Conversation, reading: MessageReading | None) -> None:
    if reading is None:
        row.kind, row.sentiment, row.urgency, row.is_offensive = "", "", 0, False
        return
    row.kind, row.sentiment, row.urgency = reading.kind, reading.sentiment, reading.urgency
    row.is_offensive = reading.offensive
    if not row.language or is_sure_of_language(reading):
        row.language = _language(reading.language, row.language)


def is_sure_of_language(reading: MessageReading) -> bool:
    """Whether the text is long enough, and the language plain enough, to go by it."""
    words = len(reading.message.text[:200].split())
    is_sure = "language" in reading.brained or reading.sure_of("language") >= SURE_OF_LANGUAGE
    return is_sure and words >= WORDS_OF_LANGUAGE


def _language(read: str, before: str) -> str:
    """The one that was read, unless none could be told or the one before is the same more exactly (es-MX)."""
    return before if read == UNKNOWN or before.partition("-")[0] == read else read
