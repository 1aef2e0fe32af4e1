"""The way in: connector → intake → inbox → what it says → labels → the right person → what it speaks of.

`intake` is one short transaction and the only thing that must not fail; what is clever happens afterwards, in jobs that
may run twice. A message that nothing else understands is in the inbox all the same.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

from django.db import DataError, IntegrityError, transaction
from django.db import Error as DatabaseError
from django.utils.translation import gettext_noop as _

from tertulia.brand.models import Brand
from tertulia.channels import intake as facts
from tertulia.channels.actions import settle
from tertulia.channels.models import Account, Identity, Message, Quarantine
from tertulia.community.models import Member
from tertulia.connectors.contract import BadPayload, Envelope, Inbound, Outcome, Unread, Unsupported
from tertulia.core import bulk, clock, jobs
from tertulia.core.html import tidy
from tertulia.core.redact import describe
from tertulia.inbox import automatic, filing, labelling, routing, rules, understood
from tertulia.inbox.actions import put_on_labels
from tertulia.inbox.models import Conversation, Label
from tertulia.publishing import ideas, spoken

from . import brains, forwarded, mailing

log = logging.getLogger(__name__)

MASK = "\ue000{}\ue001"
"""Stands for a secret by its name. No header can hold these two signs."""
SHORTEST_SECRET = 8

UNREAD = _("A message couldn't be taken in. It is kept whole.")
NO_DELIVERY = _("This is one message of a delivery, not a delivery that its connector could read.")
READ_AT_ONCE = 50
FEW = 3
"""Messages that are written one after the other sooner than copied."""
TOGETHER = 100
"""So many waiting jobs become one."""


class StaleReading(Exception):
    """Another worker has read this account on in the meantime; what this one read is thrown away unharmed."""


def intake(
    account: Account,
    envelopes: Sequence[Envelope],
    *,
    at: datetime,
    cursor: str | None = None,
    fence: int | None = None,
) -> list[int]:
    """Take in what a network said, once, however often it says it.

    With `cursor`, the place to read on from is stored in the same transaction as the messages before it; with `fence`,
    only if the reader still holds its claim. Returns the ids of conversations that have something new.
    Mail to the tag of another account is written down there first; repeated, that changes nothing.
    Raises `StaleReading`.
    """
    envelopes, elsewhere = forwarded.sort_out(account, envelopes)
    for other, envelope in elsewhere:
        intake(other, [envelope], at=at)
    is_short = len(envelopes) <= FEW
    with transaction.atomic(), bulk.ahead() if is_short else nullcontext():
        held = _held(account, is_short=is_short)
        if fence is not None and held.poll_fence != fence:
            raise StaleReading
        if held.capabilities.letters:
            envelopes = mailing.sort_out(held, envelopes, at=at)
        recorded = facts.record(held, envelopes, at=at)
        conversations = filing.file(held, recorded, at=at)
        if conversations:
            jobs.enqueue(process, conversation_ids=[conversation.id for conversation in conversations])
        if cursor is not None:
            held.cursor, held.last_success_at = cursor, at
            bulk.update([held], ["cursor", "last_success_at"])
    return [conversation.id for conversation in conversations]


def _held(account: Account, *, is_short: bool) -> Account:
    """The account as it stands now, held until the transaction ends."""
    asked = bulk.ask(Account, "id", [account.pk], without=("secrets",), is_locked=True)
    if is_short:
        bulk.reserve(Identity, Message, Member, Conversation)
    [brand] = bulk.find(Brand, "id", [account.brand_id])
    [held] = asked.rows()
    bulk.relate(held, brand=brand)
    return held


def take_in(
    account: Account,
    envelopes: Sequence[Envelope],
    *,
    at: datetime,
    cursor: str | None = None,
    fence: int | None = None,
) -> list[int]:
    """As `intake`, but one message that nobody foresaw doesn't stop the others: it is set aside whole."""
    try:
        return intake(account, envelopes, at=at, cursor=cursor, fence=fence)
    except Exception as error:
        if _will_pass(error):
            raise
        log.error("Account %s: messages can't be taken in together: %s", account.pk, describe(error))
    touched: set[int] = set()
    for envelope in envelopes:
        try:
            touched.update(intake(account, [envelope], at=at, fence=fence))
        except Exception as error:
            if _will_pass(error):
                raise
            log.error("Account %s: a message is set aside: %s", account.pk, describe(error))
            _set_aside(account, envelope, at=at)
    if cursor is not None:
        intake(account, [], at=at, cursor=cursor, fence=fence)
    return sorted(touched)


def _will_pass(error: Exception) -> bool:
    """Whether the trouble is not the message's: another reader, or a database that is busy or away."""
    if isinstance(error, DatabaseError):
        return not isinstance(error, DataError | IntegrityError)
    return isinstance(error, StaleReading)


def _set_aside(account: Account, envelope: Envelope, *, at: datetime) -> None:
    keep_unread(account, Unread({"remote_id": envelope.remote_id, "raw": envelope.raw}, UNREAD), at=at)


def keep_unread(account: Account, unread: Unread, *, at: datetime) -> None:
    """Keep what a reading brought and nobody could understand, once and whole."""
    body = unread.raw if isinstance(unread.raw, bytes) else json.dumps(unread.raw, default=str).encode()
    Quarantine.objects.get_or_create(
        account=account,
        digest=hashlib.sha256(body).hexdigest(),
        defaults={"received_at": at, "why": unread.why[:300], "headers": {}, "body": body},
    )


def receive(account: Account, inbound: Inbound) -> list[int]:
    """What the webhook door does with a request: verified and read by the connector, or set aside whole.

    Raises `BadPayload` with `forged` set when the signature is wrong: nothing of it is kept.
    """
    try:
        envelopes = account.connector.receive(account, inbound)
    except BadPayload as bad:
        if bad.forged:
            raise
        quarantine(account, inbound, why=bad.why)
        return []
    return take_in(account, envelopes, at=inbound.at)


def quarantine(account: Account, inbound: Inbound, *, why: str) -> None:
    """Keep a delivery nobody could read, once, with what is needed to read it again."""
    Quarantine.objects.get_or_create(
        account=account,
        digest=hashlib.sha256(inbound.body).hexdigest(),
        defaults={
            "received_at": inbound.at,
            "why": why[:300],
            "headers": {tidy(name): _masked(tidy(value), account) for name, value in inbound.headers.items()},
            "body": inbound.body,
        },
    )


def _masked(value: str, account: Account) -> str:
    """Some networks prove themselves by a secret in a header. Its name is kept instead, until it is read again."""
    for name, secret in account.secrets.items():
        if len(secret) >= SHORTEST_SECRET:
            value = value.replace(secret, MASK.format(name))
    return value


def _unmasked(value: str, account: Account) -> str:
    for name, secret in account.secrets.items():
        value = value.replace(MASK.format(name), secret)
    return value


class NotReadable(Exception):
    """It still can't be read; the message says why, and so does the row from now on."""


def read_again(quarantined: Quarantine, *, by: int | None, at: datetime) -> None:
    """Give a kept delivery to its connector once more, as if it arrived when it did; settle it when it goes through.

    May be repeated: what was taken in is known by its id. Raises `NotReadable`.
    """
    account = Account.objects.select_related("brand").get(pk=quarantined.account_id)
    why = ""
    try:
        for envelope in account.connector.receive(account, _as_it_came(account, quarantined)):
            why = _take_in_again(account, envelope, at=at) or why
    except Outcome as outcome:
        why = outcome.why or UNREAD
    if why:
        Quarantine.objects.filter(pk=quarantined.pk, settled_at=None).update(why=why[:300])
        raise NotReadable(why)
    settle(quarantined=quarantined, by=by, at=at)


def _take_in_again(account: Account, envelope: Envelope, *, at: datetime) -> str:
    """Why it can't be taken in; empty when it was. It doesn't hold up the others of its delivery."""
    try:
        intake(account, [envelope], at=at)
    except Exception as error:
        if _will_pass(error):
            raise
        log.error("Account %s: a message can't be taken in again: %s", account.pk, describe(error))
        return UNREAD
    return ""


def _as_it_came(account: Account, quarantined: Quarantine) -> Inbound:
    if not quarantined.is_delivery:
        raise Unsupported(NO_DELIVERY)
    headers = {name: _unmasked(value, account) for name, value in quarantined.headers.items()}
    return Inbound(headers, {}, bytes(quarantined.body), quarantined.received_at)


def read_all_again(account: Account, *, by: int | None, at: datetime) -> tuple[int, int]:
    """Read what is kept of an account again, oldest first: as much at once as a page can wait for, the rest in a job.

    Returns how many went through and how many are still kept, of those read at once.
    """
    return _read_some_again(account.pk, by=by, at=at, after=0)


@jobs.task("inbound.read_on", attempts=3)
def read_on(*, account_id: int, by: int | None, after: int) -> None:
    _read_some_again(account_id, by=by, at=clock.now(), after=after)


def _read_some_again(account_id: int, *, by: int | None, at: datetime, after: int) -> tuple[int, int]:
    waiting = Quarantine.objects.filter(account=account_id, settled_at=None, pk__gt=after).exclude(headers={})
    some = list(waiting.order_by("pk")[: READ_AT_ONCE + 1])
    kept = 0
    for quarantined in some[:READ_AT_ONCE]:
        try:
            read_again(quarantined, by=by, at=at)
        except NotReadable:
            kept += 1
    if len(some) > READ_AT_ONCE:
        jobs.enqueue(read_on, account_id=account_id, by=by, after=some[READ_AT_ONCE - 1].pk)
    return len(some[:READ_AT_ONCE]) - kept, kept


@jobs.task("inbound.process", attempts=10, at_once=2)
def process(*, conversation_ids: list[int]) -> None:
    """Read and label what has come in, let the rules act, give it away, say that it arrived, link it to what it names.

    All may be repeated. One that fails doesn't keep the others.
    """
    at = clock.now()
    if len(conversation_ids) < TOGETHER:
        _put_together(at=at)
    try:
        _process(conversation_ids, at=at)
    except Exception as error:
        if len(conversation_ids) == 1 or _will_pass(error):
            raise
        log.error("What came in can't be gone through together: %s", describe(error))
        with transaction.atomic():
            for id in conversation_ids:
                jobs.enqueue(process_alone, conversation_id=id)


@jobs.task("inbound.process_alone", attempts=10, at_once=2)
def process_alone(*, conversation_id: int) -> None:
    _process([conversation_id], at=clock.now())


@transaction.atomic
def _put_together(*, at: datetime) -> None:
    """Make one job of what else waits: of many, each costs a fifth of what it costs alone."""
    waiting = jobs.take_along(process, at=at, limit=TOGETHER)
    if waiting:
        ids = sorted({id for each in waiting for id in each["conversation_ids"]})
        jobs.enqueue(process, conversation_ids=ids)


def _process(conversation_ids: Sequence[int], *, at: datetime) -> None:
    understand(conversation_ids, at=at)
    conversations = list(Conversation.objects.filter(id__in=conversation_ids).select_related("brand"))
    for conversation in conversations:
        label_by_words(conversation, at=at)
    for rule, case in rules.apply(conversation_ids, at=at):
        ideas.add_by_rule(brand=case.conversation.brand, message=case.message, rule=rule.name, at=at)
    fresh = Conversation.objects.filter(id__in=conversation_ids, owner__isnull=True, state=Conversation.State.OPEN)
    routing.route_many(list(fresh.select_related("brand")), at=at)
    for conversation in automatic.waiting(conversation_ids):
        automatic.acknowledge(conversation, at=at)
    spoken.note({(row.account_id, row.thread_id): row.brand for row in conversations}, at=at)


def understand(conversation_ids: Sequence[int], *, at: datetime) -> None:
    """Read what was written. Where that fails the message goes its way all the same, only without being understood."""
    try:
        if read := understood.read_new(conversation_ids, at=at):
            brains.ask_for_more(read)
    except Exception as error:
        if _will_pass(error):
            raise
        log.error("What came in can't be read: %s", describe(error))


def label_by_words(conversation: Conversation, *, at: datetime) -> None:
    """Put on the labels whose words the person's newest messages hold."""
    texts = (
        Message.objects.filter(
            account_id=conversation.account_id,
            thread_id=conversation.thread_id,
            direction=Message.Direction.IN,
        )
        .order_by("-sent_at", "-id")
        .values_list("text", flat=True)[:5]
    )
    labels = list(Label.objects.filter(brand_id=conversation.brand_id).exclude(words=[]))
    found = labelling.labels_for("\n".join(texts), labels)
    put_on_labels(conversation=conversation, labels=found, at=at)
