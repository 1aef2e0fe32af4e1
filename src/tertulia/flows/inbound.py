"""The way in: connector → intake → inbox → labels → the right person.

`intake` is one short transaction and the only thing that must not fail; what is clever happens afterwards, in jobs that
may run twice. A message that nothing else understands is in the inbox all the same.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import DataError, IntegrityError, transaction
from django.db import Error as DatabaseError
from django.utils.translation import gettext_noop as _

from tertulia.channels import intake as facts
from tertulia.channels.models import Account, Message, Quarantine
from tertulia.connectors.contract import BadPayload, Envelope, Inbound
from tertulia.core import clock, jobs
from tertulia.core.html import tidy
from tertulia.core.redact import describe
from tertulia.inbox import filing, labelling, routing
from tertulia.inbox.actions import put_on_labels
from tertulia.inbox.models import Conversation, Label

log = logging.getLogger(__name__)

UNREAD = _("A message couldn't be taken in. It is kept whole.")


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
    Raises `StaleReading`.
    """
    with transaction.atomic():
        held = Account.objects.select_for_update(of=("self",), no_key=True).select_related("brand").get(pk=account.pk)
        if fence is not None and held.poll_fence != fence:
            raise StaleReading
        recorded = facts.record(held, envelopes, at=at)
        conversations = filing.file(held, recorded, at=at)
        if conversations:
            jobs.enqueue(process, conversation_ids=[conversation.id for conversation in conversations])
        if cursor is not None:
            Account.objects.filter(pk=held.pk).update(cursor=cursor, last_success_at=at)
    return [conversation.id for conversation in conversations]


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
    body = json.dumps({"remote_id": envelope.remote_id, "raw": envelope.raw}, default=str).encode()
    Quarantine.objects.get_or_create(
        account=account,
        digest=hashlib.sha256(body).hexdigest(),
        defaults={"received_at": at, "why": UNREAD, "headers": {}, "body": body},
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
            "headers": {tidy(name): tidy(value) for name, value in inbound.headers.items()},
            "body": inbound.body,
        },
    )


@jobs.task("inbound.process", attempts=10)
def process(*, conversation_ids: list[int]) -> None:
    """Label and route what has come in; every step may be repeated."""
    at = clock.now()
    for conversation in Conversation.objects.filter(id__in=conversation_ids).select_related("brand"):
        label_by_words(conversation, at=at)
    fresh = Conversation.objects.filter(id__in=conversation_ids, owner__isnull=True, state=Conversation.State.OPEN)
    routing.route_many(list(fresh.select_related("brand")), at=at)


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
