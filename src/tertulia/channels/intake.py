"""The idempotent door: what a network said, folded into one row per message.

Deliveries may be lost, doubled, late or out of order; each envelope only ever moves a message forward, so the same set
of envelopes ends in the same state in whatever order it came: the latest text shows, a deletion stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tertulia.connectors.contract import Author, Envelope
from tertulia.core import bulk
from tertulia.core.html import tidy

from . import search
from .models import Account, Delivery, Identity, Message, MessageVersion

MAX_TEXT = 1_000_000
"""Characters of a message that are kept as its text; the raw payload beside it is never cut."""
ID_LENGTH = 255
PENDING = "pending:"
"""What we wrote is called so, with its key behind, until the network's own name for it is known."""
CLOCKS_DIFFER = timedelta(minutes=2)
"""By so much a network's clock may be off from ours when an echo is told from the same words said again."""


@dataclass(slots=True)
class Recorded:
    """What an intake changed, for the rooms above: all of it in the network's order."""

    new: list[Message] = field(default_factory=list)
    changed: list[Message] = field(default_factory=list)
    """Messages that were there and now have another text, were deleted, or learnt who wrote them."""


def record(account: Account, envelopes: Sequence[Envelope], *, at: datetime) -> Recorded:
    """Fold the envelopes into messages, inside the caller's transaction, which holds the account's row lock.

    Returns what is new and what changed; nothing for what was already known.
    """
    stories = _stories(envelopes)
    if not stories:
        return Recorded()
    known = _known(account, stories.values())
    identities = _identities(account, [story.author for story in stories.values() if story.author])
    recorded = Recorded()
    for remote_id, story in stories.items():
        message = known.get(remote_id)
        if message is None:
            recorded.new.append(story.begin(account, identities, at=at))
        elif story.carry_on(message, identities):
            recorded.changed.append(message)
    _insert(account, recorded.new)
    _insert_versions(stories, [*recorded.new, *known.values()])
    recorded.new.sort(key=lambda message: (message.sent_at, message.id))
    return recorded


@dataclass(slots=True)
class _Story:
    """All that a batch says of one message."""

    first: Envelope
    """The envelope that tells most of where it belongs: its creation when the batch has it."""
    texts: dict[datetime, tuple[str, str]] = field(default_factory=dict)
    deleted_at: datetime | None = None

    def add(self, envelope: Envelope) -> None:
        changed_at = envelope.changed_at or envelope.sent_at
        if envelope.verb == "deleted":
            self.deleted_at = min(self.deleted_at or changed_at, changed_at)
        else:
            moment = envelope.sent_at if envelope.verb == "created" else changed_at
            self.texts.setdefault(moment, (tidy(envelope.text)[:MAX_TEXT], tidy(envelope.html)))
        if self.first.verb != "created" and (envelope.verb == "created" or self.first.verb == "deleted"):
            self.first = envelope

    @property
    def author(self) -> Author | None:
        return self.first.author if self.first.author.remote_id else None

    def begin(self, account: Account, identities: dict[str, Identity], *, at: datetime) -> Message:
        first = self.first
        moment = max(self.texts, default=first.sent_at)
        text, html = self.texts.get(moment, ("", ""))
        identity = identities.get(_id(first.author))
        message = bulk.new(
            Message,
            account_id=account.pk,
            remote_id=first.remote_id[:ID_LENGTH],
            thread_id=first.thread_id[:ID_LENGTH],
            identity_id=identity and identity.pk,
            author_name=tidy(first.author.name)[:200],
            direction=Message.Direction.OUT if first.is_ours else Message.Direction.IN,
            kind=first.kind,
            subject=tidy(first.subject)[:300],
            text=text,
            html=html,
            in_reply_to=first.in_reply_to[:ID_LENGTH],
            url=first.url[:500],
            sent_at=first.sent_at,
            received_at=at,
            edited_at=moment if moment > first.sent_at else None,
            deleted_at=self.deleted_at,
            attachments=[dict(attachment) for attachment in first.attachments],
            raw=storable(first.raw),
        )
        message.account, message.identity = account, identity
        return message

    def carry_on(self, message: Message, identities: dict[str, Identity]) -> bool:
        """Move a known message forward; True when something people see has changed."""
        fields: set[str] = set()
        before = _words(message)
        if not message.thread_id and self.first.thread_id:  # its deletion or edit had come first
            self._complete(message, identities)
            fields |= {
                "thread_id",
                "identity",
                "author_name",
                "direction",
                "kind",
                "subject",
                "in_reply_to",
                "url",
                "sent_at",
                "raw",
            }
        current = message.edited_at or message.sent_at
        newest = max(self.texts, default=current)
        if newest > current or (newest == current and not message.text and self.texts):
            text, html = self.texts[newest]
            if text != message.text or html != message.html:
                if message.text:
                    self.texts.setdefault(current, (message.text, message.html))
                message.text, message.html = text, html
                fields |= {"text", "html"}
            if newest > message.sent_at:
                message.edited_at = newest
                fields.add("edited_at")
        if self.deleted_at and message.deleted_at is None:
            message.deleted_at = self.deleted_at
            fields.add("deleted_at")
        if fields:
            message.save(update_fields=fields)
        if (after := _words(message)) != before:
            brand_id = message.account.brand_id
            search.reindex(
                message.id, before=search.document(brand_id, *before), after=search.document(brand_id, *after)
            )
        return bool(fields)

    def _complete(self, message: Message, identities: dict[str, Identity]) -> None:
        first = self.first
        message.thread_id = first.thread_id[:ID_LENGTH]
        message.identity = identities.get(_id(first.author))
        message.author_name = tidy(first.author.name)[:200]
        message.direction = Message.Direction.OUT if first.is_ours else Message.Direction.IN
        message.kind, message.subject = first.kind, tidy(first.subject)[:300]
        message.in_reply_to, message.url = first.in_reply_to[:ID_LENGTH], first.url[:500]
        message.sent_at, message.raw = first.sent_at, storable(first.raw)


def _stories(envelopes: Iterable[Envelope]) -> dict[str, _Story]:
    stories: dict[str, _Story] = {}
    for envelope in envelopes:
        story = stories.setdefault(envelope.remote_id[:ID_LENGTH], _Story(envelope))
        story.add(envelope)
    return stories


def _known(account: Account, stories: Iterable[_Story]) -> dict[str, Message]:
    """Messages that are already here, by the remote id the network knows them under.

    What we sent ourselves waits under its key until the network's id is known; an echo that carries the key finds it.
    """
    stories = list(stories)
    known = {
        message.remote_id: message
        for message in Message.objects.filter(
            account=account, remote_id__in=[story.first.remote_id[:ID_LENGTH] for story in stories]
        ).defer("raw", "attachments")
    }
    keys = {s.first.key: s.first.remote_id for s in stories if s.first.key and s.first.remote_id not in known}
    if keys:
        for delivery in Delivery.objects.filter(account=account, key__in=keys).select_related("message"):
            delivery.message.remote_id = keys[delivery.key][:ID_LENGTH]
            delivery.message.save(update_fields=["remote_id"])
            known[delivery.message.remote_id] = delivery.message
    known |= _decided(account, [story for story in stories if story.first.remote_id[:ID_LENGTH] not in known])
    for message in known.values():
        message.account = account
    return known


def _decided(account: Account, stories: Iterable[_Story]) -> dict[str, Message]:
    """Echoes without a key of what a person decided had been sent: the same words, between writing and deciding."""
    echoes = [s for s in stories if s.first.is_ours and s.first.verb == "created" and not s.first.key]
    if not echoes:
        return {}
    waiting = list(
        Message.objects.filter(
            account=account,
            thread_id__in={story.first.thread_id[:ID_LENGTH] for story in echoes},
            direction=Message.Direction.OUT,
            remote_id__startswith=PENDING,
            delivery__state=Delivery.State.SENT,
        )
        .select_related("delivery")
        .order_by("id")
    )
    found: dict[str, Message] = {}
    for story in echoes:
        for message in waiting:
            if _is_echo(story, message):
                waiting.remove(message)
                del story.texts[story.first.sent_at]  # it stands here already
                _name(message, story.first.remote_id[:ID_LENGTH], story.first.url[:500], story.first.sent_at)
                found[message.remote_id] = message
                break
    return found


def _is_echo(story: _Story, message: Message) -> bool:
    delivery, sent_at = message.delivery, story.first.sent_at
    return (
        message.thread_id == story.first.thread_id[:ID_LENGTH]
        and story.texts[sent_at][0].strip() == message.text
        and delivery.finished_at is not None
        and delivery.created_at - CLOCKS_DIFFER <= sent_at <= delivery.finished_at + CLOCKS_DIFFER
    )


def adopt_echo(delivery: Delivery, *, at: datetime) -> None:
    """Make one row of an answer that had arrived after all and its echo without a key, when that had come first."""
    message = delivery.message
    echoes = Message.objects.filter(
        account_id=message.account_id,
        thread_id=message.thread_id,
        direction=Message.Direction.OUT,
        text=message.text,
        delivery__isnull=True,
        received_at__gte=delivery.created_at,
        sent_at__range=(delivery.created_at - CLOCKS_DIFFER, at + CLOCKS_DIFFER),
    )
    echo = echoes.select_related("account").defer("account__secrets").order_by("sent_at", "id").first()
    if echo and message.remote_id.startswith(PENDING):
        forget_message(echo)
        _name(message, echo.remote_id, echo.url, echo.sent_at)


def _name(message: Message, remote_id: str, url: str, sent_at: datetime) -> None:
    message.remote_id, message.url = remote_id, url or message.url
    message.sent_at = max(sent_at, message.sent_at)
    message.save(update_fields=["remote_id", "url", "sent_at"])


def _id(author: Author) -> str:
    return author.remote_id[:ID_LENGTH]


_AUTHOR_FIELDS = {"name": 200, "handle": 200, "email": 254, "phone": 32, "language": 12}


def _identities(account: Account, authors: Sequence[Author]) -> dict[str, Identity]:
    """The authors as this account knows them, created or brought up to date (an empty value forgets nothing)."""
    latest = {_id(author): author for author in authors}
    known = {row.remote_id: row for row in Identity.objects.filter(account=account, remote_id__in=latest)}
    fresh = []
    for remote_id, author in latest.items():
        facts = {name: tidy(getattr(author, name))[:length] for name, length in _AUTHOR_FIELDS.items()}
        row = known.get(remote_id)
        if row is None:
            fresh.append(bulk.new(Identity, account_id=account.pk, remote_id=remote_id, **facts))
            continue
        news = {name: fact for name, fact in facts.items() if fact and fact != getattr(row, name)}
        if news:
            for name, fact in news.items():
                setattr(row, name, fact)
            row.save(update_fields=news)
    bulk.insert(fresh)
    return known | {row.remote_id: row for row in fresh}


def _insert(account: Account, messages: list[Message]) -> None:
    bulk.insert(messages)
    search.index((message.id, _document(message)) for message in messages)


def _insert_versions(stories: dict[str, _Story], messages: Iterable[Message]) -> None:
    """Keep the earlier texts, those included that arrive after the later ones."""
    versions = [
        MessageVersion(message=message, text=text, html=html, at=moment)
        for message in messages
        for moment, (text, html) in stories[message.remote_id].texts.items()
        if moment < (message.edited_at or message.sent_at)
    ]
    if versions:
        MessageVersion.objects.bulk_create(versions, ignore_conflicts=True)


def _document(message: Message) -> str:
    return search.document(message.account.brand_id, *_words(message))


def _words(message: Message) -> tuple[str, str, str]:
    return (message.author_name, message.subject, message.text)


def index_message(message: Message) -> None:
    """Make one message findable: for those that don't come in through `record`."""
    search.index([(message.id, _document(message))])


def forget_message(message: Message) -> None:
    """Delete a row that turned out to be another one's double."""
    search.forget(message.id, _document(message))
    message.delete()


def storable(raw: Any) -> Any:
    """The payload as JSON that both databases hold; what they refuse (NUL, lone surrogates, NaN) is kept as text."""
    if raw is None:
        return None
    try:
        text = json.dumps(raw, ensure_ascii=False, allow_nan=False, default=str)
        text.encode()
    except (ValueError, UnicodeEncodeError, RecursionError):
        return {"as_text": repr(raw)[:MAX_TEXT]}
    return {"as_text": text.replace("\\u0000", "\\u2400")} if "\\u0000" in text else raw
