"""Puts messages into conversations: the step between the facts and the work.

`file` is written for batches: a handful of statements for any number of messages. What it does per message is
arithmetic on rows already in memory; anything unusual (an older message, an edit, a deletion) goes through
`recompute`, which reads the conversation's messages anew and is right in every case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from django.db.models import Max, Min, Q, QuerySet
from django.db.models.functions import Left

from tertulia.brand.models import Brand
from tertulia.channels.intake import Recorded
from tertulia.channels.models import Account, Delivery, Identity, Message
from tertulia.community import recognition
from tertulia.community.models import Member
from tertulia.core import activity, bulk

from . import activities, promises
from .models import PREVIEW_LENGTH, Conversation, ConversationLabel, PromiseOutcome

_UNSENT = [Delivery.State.CANCELLED, Delivery.State.REFUSED, Delivery.State.BY_HAND]
LONG = 200
"""Turns. The messages of a longer conversation are not read one by one in order to know how it stands."""

_Thread = tuple[int, str]
"""Account and thread id."""


def file(account: Account, recorded: Recorded, *, at: datetime) -> list[Conversation]:
    """File what an intake recorded, in its transaction. Returns the conversations that have something new."""
    new = [message for message in recorded.new if _belongs(message)]
    changed = [message for message in recorded.changed if _belongs(message)]
    asked = promises.ask_clocks(account.brand)
    conversations, before = _conversations(account, [*new, *changed], at=at)
    clocks = asked()
    odd = {message.thread_id for message in changed}
    for delivery in recorded.returned:
        _note_return(account, delivery, at=at)
    received: dict[str, list[Message]] = {}
    ended: list[tuple[Conversation, PromiseOutcome]] = []
    for message in new:
        conversation = conversations[message.thread_id]
        if ends := _ends(conversation, message):
            ended.append((conversation, ends))
        in_order = message.deleted_at is None and message.sent_at >= conversation.last_activity_at
        _take_in(conversation, message, clocks)
        conversation.rank()
        if not in_order:
            odd.add(message.thread_id)
        received.setdefault(message.thread_id, []).append(message)
    fresh = [row for row in conversations.values() if row.pk is None]
    bulk.insert(fresh)
    if ended:
        for conversation, ends in ended:
            ends.conversation_id = conversation.pk
        promises.keep_outcomes(ends for _conversation, ends in ended)
    before |= {row.pk: _values(row.__dict__) for row in fresh}
    for thread_id in odd:
        recompute(conversations[thread_id], at=at, save=False, clocks=clocks)
    _save(conversations.values(), before)
    _tell(account, conversations, received, changed, at=at)
    return list(conversations.values())


def _ends(conversation: Conversation, message: Message) -> PromiseOutcome | None:
    """How the promise of a first response ends that this message answers from elsewhere, if it does."""
    since = conversation.waiting_since
    if message.direction == Message.Direction.IN or message.is_automatic or since is None or message.sent_at < since:
        return None
    return promises.outcome(conversation, promises.FIRST_RESPONSE, at=message.sent_at)


def _belongs(message: Message) -> bool:
    """What was written to nobody in particular is read elsewhere, and has no conversation."""
    return bool(message.thread_id) and message.kind != "article"


def _note_return(account: Account, delivery: Delivery, *, at: datetime) -> None:
    """What came back was not answered after all: its person waits again, and its writer is told."""
    conversation = Conversation.objects.select_for_update().get(account=account, thread_id=delivery.thread_id)
    conversation.account, conversation.brand = account, account.brand
    recompute(conversation, at=at)
    data = {"account": account.pk, "thread": delivery.thread_id, "message": delivery.message_id}
    lines = [(activities.REFUSED, conversation, {**data, "author": delivery.created_by_id})]
    activity.record_many(lines, brand=account.brand_id, at=at)


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
    held = bulk.find(Conversation, "thread_id", first, account_id=account.pk, is_locked=True)
    known = {row.thread_id: row for row in held}
    before = snapshot(held)
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
        listed_at=message.sent_at,
        created_at=message.sent_at,
    )
    conversation.account, conversation.brand = account, account.brand
    return conversation


def _take_in(conversation: Conversation, message: Message, clocks: promises.Clocks) -> None:
    if message.is_automatic and message.direction == Message.Direction.OUT:
        return  # nobody has answered
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
    if message.is_automatic:
        return
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
    return _preview(message.text)


def _preview(text: str) -> str:
    return " ".join(text[: PREVIEW_LENGTH * 3].split())[:PREVIEW_LENGTH]


def recompute(
    conversation: Conversation, *, at: datetime, save: bool = True, clocks: promises.Clocks | None = None
) -> None:
    """Set everything that follows from the messages, from the messages themselves.

    An answer that was taken back or refused counts as not given; a message its writer deleted needs none.
    """
    _recompute(conversation, _read([conversation]), at=at, clocks=clocks)
    if save:
        bulk.update([conversation], _SAVED)
        _save_labels([conversation])


def recompute_many(
    conversations: Sequence[Conversation], before: dict[int, tuple[Any, ...]], *, at: datetime
) -> None:  # fmt: skip
    """As `recompute`, in as many statements as for one. `before`: the `snapshot` of how they stand in the database."""
    brands = Brand.objects.in_bulk({row.brand_id for row in conversations})
    clocks = {id: promises.clocks_for(brand) for id, brand in brands.items()}
    lines = promises.lines_of(conversations)
    known = _read(conversations)
    for row in conversations:
        _recompute(row, known, at=at, clocks=clocks[row.brand_id], lines=lines.get(row.id, []))
    _save(conversations, before)


def snapshot(conversations: Iterable[Conversation]) -> dict[int, tuple[Any, ...]]:
    return {row.id: _values(row.__dict__) for row in conversations}


def _recompute(
    conversation: Conversation,
    known: _Known,
    *,
    at: datetime,
    clocks: promises.Clocks | None,
    lines: Sequence[tuple[str, datetime]] | None = None,
) -> None:
    thread = conversation.account_id, conversation.thread_id
    found = known.threads[thread]
    conversation.last_outbound_at = found.last_outbound_at
    conversation.last_inbound_at = found.last_inbound_at
    conversation.preview = known.previews.get(found.last_id, "") if found.last_id else ""
    if found.last_activity_at:
        conversation.last_activity_at = found.last_activity_at
    is_open = conversation.state == Conversation.State.OPEN
    conversation.waiting_since = found.waiting_since if is_open else None
    conversation.has_trouble = thread in known.troubled
    conversation.rank()
    promises.recompute(conversation, at=at, clocks=clocks, lines=lines)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the messages of one thread say."""

    last_outbound_at: datetime | None
    last_inbound_at: datetime | None
    last_activity_at: datetime | None
    last_id: int | None
    """The newest message that was not deleted."""
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True)
class _Known:
    threads: dict[_Thread, _Found]
    previews: dict[int, str]
    """By the id of the message."""
    troubled: set[_Thread]


class _Line(NamedTuple):
    """Of a message, what counts here."""

    account_id: int
    thread_id: str
    id: int
    direction: str
    sent_at: datetime
    deleted_at: datetime | None
    is_automatic: bool
    delivery: int | None
    """Set when it was sent from here."""
    delivery__read_to: int | None


def _read(conversations: Sequence[Conversation]) -> _Known:
    """The messages of these conversations. A long thread's are weighed by the database, the others' all at once."""
    short = {(row.account_id, row.thread_id): row for row in conversations if row.turn <= LONG}
    lines: dict[_Thread, list[_Line]] = {thread: [] for thread in short}
    if short:
        for line in map(_Line._make, _counted(short).values_list(*_Line._fields)):
            if (mine := lines.get((line.account_id, line.thread_id))) is not None:
                mine.append(line)
    threads = {thread: _weigh(short[thread], mine) for thread, mine in lines.items()}
    threads |= {(row.account_id, row.thread_id): _weigh_long(row) for row in conversations if row.turn > LONG}
    newest = Message.objects.filter(id__in=[found.last_id for found in threads.values() if found.last_id])
    texts = newest.values_list("id", Left("text", PREVIEW_LENGTH * 3))
    return _Known(threads, {id: _preview(text) for id, text in texts}, _troubled(threads))


def _counted(threads: Iterable[_Thread]) -> QuerySet[Message]:
    """The messages of these threads, without what never left and what we answered by machine: perhaps some of a thread
    of the same name besides."""
    accounts, names = {account for account, _ in threads}, {name for _, name in threads}
    left = Message.objects.filter(account_id__in=accounts, thread_id__in=names).filter(
        Q(delivery__isnull=True) | ~Q(delivery__state__in=_UNSENT)
    )
    return left.exclude(direction=Message.Direction.OUT, is_automatic=True)


def _troubled(threads: Iterable[_Thread]) -> set[_Thread]:
    accounts, names = {account for account, _ in threads}, {name for _, name in threads}
    troubled = Delivery.objects.filter(
        account_id__in=accounts, thread_id__in=names, state__in=[Delivery.State.REFUSED, Delivery.State.UNKNOWN]
    )
    return set(troubled.values_list("account_id", "thread_id"))


def _weigh(conversation: Conversation, lines: Sequence[_Line]) -> _Found:
    alive = [line for line in lines if line.deleted_at is None]
    answers = [line for line in alive if line.direction == Message.Direction.OUT]
    inbound = [line for line in alive if line.direction == Message.Direction.IN]
    last = max(alive, key=_place, default=None)
    sent_after = max((line.sent_at for line in answers if not line.delivery), default=_EVER)
    after = _settled_to(conversation, max((line.delivery__read_to or 0 for line in answers), default=0))
    return _Found(
        last_outbound_at=max((line.sent_at for line in answers), default=None),
        last_inbound_at=max((line.sent_at for line in inbound), default=None),
        last_activity_at=max((line.sent_at for line in lines), default=None),
        last_id=last.id if last else None,
        waiting_since=min(
            (
                line.sent_at
                for line in inbound
                if not line.is_automatic and line.sent_at > sent_after and line.id > after
            ),
            default=None,
        ),
    )


def _weigh_long(conversation: Conversation) -> _Found:
    messages = _counted([(conversation.account_id, conversation.thread_id)])
    alive = messages.filter(deleted_at__isnull=True)
    inbound = alive.filter(direction=Message.Direction.IN)
    answers = alive.filter(direction=Message.Direction.OUT).aggregate(
        last=Max("sent_at"),
        here=Max("delivery__read_to"),
        elsewhere=Max("sent_at", filter=Q(delivery__isnull=True)),
    )
    after = _settled_to(conversation, answers["here"])
    unanswered = inbound.filter(is_automatic=False, sent_at__gt=answers["elsewhere"] or _EVER, id__gt=after)
    return _Found(
        last_outbound_at=answers["last"],
        last_inbound_at=inbound.aggregate(last=Max("sent_at"))["last"],
        last_activity_at=messages.aggregate(last=Max("sent_at"))["last"],
        last_id=alive.order_by("-sent_at", "-id").values_list("id", flat=True).first(),
        waiting_since=unanswered.aggregate(first=Min("sent_at"))["first"],
    )


def _settled_to(conversation: Conversation, read_to: int | None) -> int:
    """The last message that somebody here had before them when we last answered or closed.

    Those of an account are numbered in the order in which they got here, one intake after the other, so the number of
    the newest on the writer's page tells, and no clock. What was delivered late counts as late, however early it was
    written: else a lost delivery that is found again after an answer would pass for answered.
    """
    return max(read_to or 0, conversation.settled_to or 0)


def newest_read(conversation: Conversation, *, turn: int) -> int:
    """The id of the person's newest message on a page that showed `turn`, with nothing of ours after it; 0 for none."""
    inbound = Message.objects.filter(
        account_id=conversation.account_id, thread_id=conversation.thread_id, direction=Message.Direction.IN
    ).exclude(kind="article")
    unseen = max(0, conversation.turn - turn)
    return next(iter(inbound.order_by("-id").values_list("id", flat=True)[unseen : unseen + 1]), 0)


_EVER = datetime(1, 1, 2, tzinfo=UTC)
_place = attrgetter("sent_at", "id")


_SAVED = (
    "state", "close_reason", "closed_at", "settled_to", "snoozed_until", "snoozed_by_id", "preview", "last_activity_at",
    "last_inbound_at", "last_outbound_at", "waiting_since", "ranked_at", "listed_at",
    "first_response_due_at", "first_responded_at",
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
    moved: list[Conversation] = []
    for changed, rows in alike.items():
        bulk.update(rows, changed)
        if "state" in changed or "last_activity_at" in changed:
            moved += rows
    _save_labels(moved)


def _save_labels(conversations: Iterable[Conversation]) -> None:
    """State and last activity, once more where the lists of a label are walked."""
    by_id = {row.id: row for row in conversations if row.labels}
    links = bulk.find(ConversationLabel, "conversation_id", by_id)
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
        by_machine = all(message.is_automatic for message in messages)
        ours = activities.ACKNOWLEDGED if by_machine else activities.REPLIED
        name = activities.RECEIVED if inbound else ours
        data = {"account": account.id, "thread": thread_id, "count": len(messages)}
        lines.append((name, conversations[thread_id], {**data, "person": conversations[thread_id].member_name}))
    for message in changed:
        conversation = conversations[message.thread_id]
        name = activities.DELETED if message.deleted_at else activities.EDITED
        lines.append((name, conversation, {"message": message.id, "person": conversation.member_name}))
    activity.record_many(lines, brand=account.brand_id, at=at)
