"""The idempotent door: what a network said, folded into one row per message.

Deliveries may be lost, doubled, late or out of order; each envelope only ever moves a message forward, so the same set
of envelopes ends in the same state in whatever order it came: the latest text shows, a deletion stays.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from tertulia.connectors.contract import About, Author, Envelope, Receipt
from tertulia.core import bulk
from tertulia.core.html import tidy

from . import erasures, search
from .models import Account, Delivery, Identity, Message, MessageVersion, Original

INDEXED_AT_ONCE = 1_000

MAX_TEXT = 1_000_000
"""Characters of a message that are kept as its text; the raw payload beside it is never cut."""
ID_LENGTH = 255
MAX_ABOUT = 2_000
"""Characters kept of what a message was written under."""
LARGE = 64 * 1024
"""Bytes of an original that is compressed as what has files in it."""
PENDING = "pending:"
"""What we wrote is called so, with its key behind, until the network's own name for it is known."""
CLOCKS_DIFFER = timedelta(minutes=2)
"""By so much a network's clock may be off from ours when an echo is told from the same words said again."""


@dataclass(slots=True)
class Recorded:
    """What an intake changed, for the rooms above: all of it in the network's order."""

    new: list[Message] = field(default_factory=list)
    changed: list[Message] = field(default_factory=list)
    """Messages that were there and now have another text, stand otherwise, were deleted, or learnt who wrote
    them."""
    returned: list[Delivery] = field(default_factory=list)
    """What had been sent and came back."""


def record(account: Account, envelopes: Sequence[Envelope], *, at: datetime) -> Recorded:
    """Fold the envelopes into messages, inside the caller's transaction, which holds the account's row lock.

    Returns what is new and what changed; nothing for what was already known.
    """
    envelopes, returned = _take_back(account, erasures.keep_out(account, envelopes, at=at), at=at)
    stories = _stories(envelopes)
    if not stories:
        return Recorded()
    people = {_id(story.person): story.person for story in stories.values() if story.person.remote_id}
    asked = bulk.ask(Identity, "remote_id", people, account_id=account.pk)
    known = _known(account, stories.values())
    identities = _identities(account, people, asked.rows())
    recorded = Recorded(returned=returned)
    for remote_id, story in stories.items():
        message = known.get(remote_id)
        if message is None:
            recorded.new.append(story.begin(account, identities, at=at))
        elif story.carry_on(message, identities):
            recorded.changed.append(message)
    _insert(account, recorded.new)
    _insert_versions(stories, [*recorded.new, *known.values()])
    _keep_originals(stories, recorded.new)
    recorded.new.sort(key=lambda message: (message.sent_at, message.id))
    return recorded


@dataclass(slots=True)
class _Story:
    """All that a batch says of one message."""

    first: Envelope
    """The envelope that tells most of where it belongs: its creation when the batch has it."""
    last: Envelope
    """The one with the newest text."""
    texts: dict[datetime, tuple[str, str]] = field(default_factory=dict)
    deleted_at: datetime | None = None
    judged: Envelope | None = None
    """The one with the newest word on how it stands there, when that is all it tells."""

    def add(self, envelope: Envelope) -> None:
        changed_at = envelope.changed_at or envelope.sent_at
        if envelope.verb == "deleted":
            self.deleted_at = min(self.deleted_at or changed_at, changed_at)
        else:
            is_judged = envelope.verb == "judged"
            if is_judged and (self.judged is None or changed_at >= (self.judged.changed_at or self.judged.sent_at)):
                self.judged = envelope
            moment = envelope.sent_at
            if envelope.verb == "edited":  # where clocks don't tell the two apart, it comes after what it corrects
                moment = max(changed_at, moment + timedelta.resolution)
            if moment >= max(self.texts, default=moment):
                self.last = envelope
            self.texts.setdefault(moment, (tidy(envelope.text)[:MAX_TEXT], tidy(envelope.html)))
        if self.first.verb != "created" and (envelope.verb == "created" or self.first.verb == "deleted"):
            self.first = envelope

    @property
    def person(self) -> Author:
        """Whom it comes from, or to whom we wrote."""
        return self.first.person or self.first.author

    def begin(self, account: Account, identities: dict[str, Identity], *, at: datetime) -> Message:
        first = self.first
        moment = max(self.texts, default=first.sent_at)
        text, html = self.texts.get(moment, ("", ""))
        identity = identities.get(_id(self.person))
        message = bulk.new(
            Message,
            account_id=account.pk,
            remote_id=first.remote_id[:ID_LENGTH],
            thread_id=first.thread_id[:ID_LENGTH],
            identity_id=identity and identity.id,
            author_name=tidy(first.author.name)[:200],
            direction=Message.Direction.OUT if first.is_ours else Message.Direction.IN,
            kind=first.kind,
            subject=tidy(first.subject)[:300],
            text=text,
            html=html,
            in_reply_to=first.in_reply_to[:ID_LENGTH],
            url=_web_address(first.url),
            sent_at=first.sent_at,
            received_at=at,
            edited_at=moment if moment > first.sent_at else None,
            deleted_at=self.deleted_at,
            raw=storable(first.raw),
            **_extras(first),
        )
        bulk.relate(message, account=account, identity=identity)
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
                *_extras(self.first),
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
                if self.last.attachments or self.last.hints or self.last.cannot:
                    fields |= _set(message, _extras(self.last))
            if newest > message.sent_at:
                message.edited_at = newest
                fields.add("edited_at")
        if self.judged:
            now = _extras(self.judged)
            stands = {name: now[name] for name in ("hints", "is_automatic") if now[name] != getattr(message, name)}
            fields |= _set(message, stands)
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
        message.identity = identities.get(_id(self.person))
        message.author_name = tidy(first.author.name)[:200]
        message.direction = Message.Direction.OUT if first.is_ours else Message.Direction.IN
        message.kind, message.subject = first.kind, tidy(first.subject)[:300]
        message.in_reply_to, message.url = first.in_reply_to[:ID_LENGTH], _web_address(first.url)
        message.sent_at, message.raw = first.sent_at, storable(first.raw)
        _set(message, _extras(first))


def _extras(envelope: Envelope) -> dict[str, Any]:
    """What only some messages carry; nothing of it is read from the database to be compared."""
    return {
        "attachments": storable([dict(each) for each in envelope.attachments]) if envelope.attachments else [],
        "quoted": tidy(envelope.quoted)[:MAX_TEXT] if envelope.quoted else "",
        "hints": storable(dict(envelope.hints)) if envelope.hints else {},
        "about": storable(_about(envelope.about)) if envelope.about else {},
        "cannot": dict(envelope.cannot),
        "is_automatic": envelope.is_automatic,
    }


def _about(about: About) -> dict[str, str]:
    return {**asdict(about), "url": _web_address(about.url), "text": tidy(about.text)[:MAX_ABOUT]}


def _web_address(url: str) -> str:
    """An address that a page may link to; of any other kind nothing is kept."""
    return url if url.startswith(("https://", "http://")) and len(url) <= 500 else ""


def _set(message: Message, values: dict[str, Any]) -> set[str]:
    for name, value in values.items():
        setattr(message, name, value)
    return set(values)


def target(message: Message) -> dict[str, Any]:
    """What a connector is told of a message that is answered or acted on: the fields of `Target`."""
    return {
        "thread_id": message.thread_id,
        "remote_id": message.remote_id,
        "person_id": message.identity.remote_id if message.identity else "",
        "hints": message.hints,
        "kind": message.kind,
        "subject": message.subject,
        "name": message.author_name,
        "url": message.url,
        "is_ours": message.direction == Message.Direction.OUT,
    }


def _take_back(
    account: Account, envelopes: Sequence[Envelope], *, at: datetime
) -> tuple[list[Envelope], list[Delivery]]:
    """Marks what came back, on the answer it belongs to.

    The notice itself is kept like any message but belongs to no thread. One about something we never sent is a message
    like any other.
    """
    if not any(envelope.verb == "returned" for envelope in envelopes):
        return list(envelopes), []
    notices = {e.in_reply_to[:ID_LENGTH]: e for e in envelopes if e.verb == "returned" and e.in_reply_to}
    sent = Delivery.objects.filter(account=account, act="reply", message__remote_id__in=notices)
    deliveries = {row.subject.remote_id: row for row in sent.select_related("message")}
    returned = []
    for remote_id, delivery in deliveries.items():
        why = tidy(notices[remote_id].text)[:300]
        back = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.SENT)
        if back.update(state=Delivery.State.REFUSED, why=why, finished_at=at):
            delivery.state, delivery.why, delivery.finished_at = Delivery.State.REFUSED, why, at
            returned.append(delivery)
    kept = []
    for envelope in envelopes:
        if envelope.verb == "returned":
            is_known = envelope.in_reply_to[:ID_LENGTH] in deliveries
            envelope = replace(envelope, verb="created", thread_id="" if is_known else envelope.thread_id)
        kept.append(envelope)
    return kept, returned


def _keep_originals(stories: dict[str, _Story], messages: Iterable[Message]) -> None:
    """Beside each new message that arrived as a file, the file."""
    originals = [
        bulk.new(Original, message_id=message.id, content=_packed(content), size=len(content))
        for message in messages
        if (content := stories[message.remote_id].first.original)
    ]
    bulk.add(originals)


def _packed(content: bytes) -> bytes:
    """Compressed. Most of a large one is a file that is compressed already, of which nothing but the letters it is
    written in can be saved: looking for more takes twice as long and finds nothing."""
    strategy = zlib.Z_DEFAULT_STRATEGY if len(content) < LARGE else zlib.Z_HUFFMAN_ONLY
    packing = zlib.compressobj(level=1, strategy=strategy)
    return packing.compress(content) + packing.flush()


def _stories(envelopes: Iterable[Envelope]) -> dict[str, _Story]:
    stories: dict[str, _Story] = {}
    for envelope in envelopes:
        story = stories.setdefault(envelope.remote_id[:ID_LENGTH], _Story(envelope, envelope))
        story.add(envelope)
    return stories


def _known(account: Account, stories: Iterable[_Story]) -> dict[str, Message]:
    """Messages that are already here, by the remote id the network knows them under.

    What we sent ourselves waits under its key until the network's id is known; an echo that carries the key finds it.
    """
    stories = list(stories)
    names = [story.first.remote_id[:ID_LENGTH] for story in stories]
    there = bulk.find(Message, "remote_id", names, without=("raw", "attachments"), account_id=account.pk)
    known = {message.remote_id: message for message in there}
    keys = {s.first.key: s.first.remote_id for s in stories if s.first.key and s.first.remote_id not in known}
    if keys:
        for message in Message.objects.filter(account=account, delivery__key__in=keys).select_related("delivery"):
            message.remote_id = keys[message.delivery.key][:ID_LENGTH]
            message.save(update_fields=["remote_id"])
            known[message.remote_id] = message
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
                _name(message, story.first.remote_id[:ID_LENGTH], _web_address(story.first.url), story.first.sent_at)
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
    message = delivery.subject
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


def note_act(delivery: Delivery, receipt: Receipt, *, at: datetime) -> None:
    """What an act that was done makes of the message itself: how it stands there now, or that it does no more."""
    if delivery.on is None:
        return
    message = Message.objects.filter(pk=delivery.on.pk)
    if delivery.act in {"delete", "remove"}:
        message.update(deleted_at=None if delivery.is_undo else at)
    if receipt.hints:
        for hints in message.values_list("hints", flat=True):
            message.update(hints={**hints, **storable(dict(receipt.hints))})


def _name(message: Message, remote_id: str, url: str, sent_at: datetime) -> None:
    message.remote_id, message.url = remote_id, url or message.url
    message.sent_at = max(sent_at, message.sent_at)
    message.save(update_fields=["remote_id", "url", "sent_at"])


def _id(author: Author) -> str:
    return author.remote_id[:ID_LENGTH]


_AUTHOR_FIELDS = (("name", 200), ("handle", 200), ("email", 254), ("phone", 32), ("language", 12))


def _identities(account: Account, latest: dict[str, Author], there: Iterable[Identity]) -> dict[str, Identity]:
    """The authors as this account knows them, created or brought up to date (an empty value forgets nothing)."""
    known = {row.remote_id: row for row in there}
    fresh, renewed = [], []
    for remote_id, author in latest.items():
        facts = {name: tidy(value)[:length] for name, length in _AUTHOR_FIELDS if (value := getattr(author, name))}
        row = known.get(remote_id)
        if row is None:
            fresh.append(bulk.new(Identity, account_id=account.pk, remote_id=remote_id, **facts))
            continue
        news = {name: fact for name, fact in facts.items() if fact and fact != getattr(row, name)}
        if news:
            row.__dict__.update(news)
            renewed.append(row)
    bulk.update(renewed, [name for name, _ in _AUTHOR_FIELDS])
    bulk.insert(fresh)
    for row in fresh:
        row.is_new = True
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


def index_all() -> None:
    """Make all messages findable, in a database whose index is empty."""
    brands = dict(Account.objects.values_list("pk", "brand_id"))
    rows = Message.objects.order_by("pk").values_list("pk", "account_id", "author_name", "subject", "text")
    found = rows.iterator(INDEXED_AT_ONCE)
    while batch := list(islice(found, INDEXED_AT_ONCE)):
        search.index((id, search.document(brands[account], *words)) for id, account, *words in batch)


def unindex_message(message: Message) -> None:
    """Make one message not findable any more, as it stands: before its words change."""
    search.forget(message.id, _document(message))


def forget_message(message: Message) -> None:
    """Delete a row that turned out to be another one's double."""
    unindex_message(message)
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
