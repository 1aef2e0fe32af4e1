"""What was there before it could be read, or was read by an older model: read bit by bit, until there is nothing left.

Open conversations come first, then all messages from the newest to the oldest, each in the order of their ids, so that
every step is a short walk of a primary key. How far it has got is a row for each model (`Rereading`); once that says
all, asking costs one look-up. What arrives meanwhile is read on arrival.

What a brand has taught since is read for `back` to where its topics are compared from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Max, Q, QuerySet

from tertulia.channels.models import Message
from tertulia.understanding import layers
from tertulia.understanding.model import shipped

from . import understood
from .models import Conversation, Rereading

CONVERSATIONS = 20
MESSAGES = 256
"""Looked at in one step."""
MOST_OF_ONE = 200
"""Of an open conversation, the newest messages; the others come in their turn."""


def step(*, at: datetime) -> int | None:
    """Read some more. Returns how many messages were read; None when there is nothing left to look at."""
    place = _place()
    if place.conversations_below:
        return _conversations(place, at=at)
    return _messages(place, at=at) if place.messages_below else None


def back(brand: int, *, since: datetime, below: int | None, at: datetime) -> Iterator[int]:
    """Read what was written to a brand from `since` on by the layer it reads by, step by step, the newest conversations
    first: those with ids under `below`, which each step gives for the next."""
    recent = Conversation.objects.filter(
        brand=brand,
        state__in=Conversation.State.values,
        last_activity_at__gte=since,
        **({"pk__lt": below} if below else {}),
    )
    rows = sorted(recent.values_list("pk", "account_id", "thread_id"), reverse=True)
    for first in range(0, len(rows), CONVERSATIONS):
        some = rows[first : first + CONVERSATIONS]
        if (by := layers.of([brand]).get(brand)) is None:
            return
        theirs = reduce(or_, (Q(account_id=account, thread_id=thread) for _pk, account, thread in some))
        messages = Message.objects.filter(theirs, sent_at__gte=since)
        understood.read_through([pk for pk, *_ in some], messages, by=by[0], at=at)
        yield some[-1][0]


def begin_again() -> None:
    """Let all be looked through once more: what has been read by the present model is not read again."""
    Rereading.objects.filter(model=shipped().name).delete()


def left() -> int:
    """An upper bound of how many messages are still to be looked at after the open conversations."""
    return _place().messages_below


def _place() -> Rereading:
    model = shipped().name
    found = Rereading.objects.filter(model=model).first()
    if found is None:
        tops = {
            "conversations_below": (Conversation.objects.aggregate(top=Max("pk"))["top"] or -1) + 1,
            "messages_below": (Message.objects.aggregate(top=Max("pk"))["top"] or -1) + 1,
        }
        found, _is_new = Rereading.objects.get_or_create(model=model, defaults=tops)
    return found


def _conversations(place: Rereading, *, at: datetime) -> int:
    below = Conversation.objects.filter(pk__lt=place.conversations_below, state=Conversation.State.OPEN)
    rows = list(below.order_by("-pk").only("account_id", "thread_id")[:CONVERSATIONS])
    ids = [id for row in rows for id in _newest_of(row)]
    read = understood.read_through([row.pk for row in rows], _of(ids), by=place.model, at=at)
    below_those = rows[-1].pk if len(rows) == CONVERSATIONS else 0
    Rereading.objects.filter(pk=place.pk).update(conversations_below=below_those)
    return read


def _newest_of(row: Conversation) -> Sequence[int]:
    messages = Message.objects.filter(account_id=row.account_id, thread_id=row.thread_id)
    return list(messages.order_by("-sent_at", "-pk").values_list("pk", flat=True)[:MOST_OF_ONE])


def _messages(place: Rereading, *, at: datetime) -> int:
    below = Message.objects.filter(pk__lt=place.messages_below).order_by("-pk")
    rows = list(below.values_list("pk", "account_id", "thread_id")[:MESSAGES])
    threads = {(account, thread) for _pk, account, thread in rows}
    read = understood.read_through(_conversations_of(threads), _of([pk for pk, *_ in rows]), by=place.model, at=at)
    below_those = rows[-1][0] if len(rows) == MESSAGES else 0
    Rereading.objects.filter(pk=place.pk).update(messages_below=below_those)
    return read


def _of(ids: Collection[int]) -> QuerySet[Message]:
    return Message.objects.filter(pk__in=ids)


def _conversations_of(threads: Collection[tuple[int, str]]) -> list[int]:
    accounts, names = {account for account, _ in threads}, {name for _, name in threads}
    found = Conversation.objects.filter(account_id__in=accounts, thread_id__in=names)
    return [pk for pk, *thread in found.values_list("pk", "account_id", "thread_id") if tuple(thread) in threads]
