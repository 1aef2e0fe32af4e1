"""Somebody lets us in on the network's own page. They leave with a state and come back with it and a code.

The state is signed for the session it was begun in, so nobody else can finish what one began, nor have one finish what
they began; behind it stands an `Admission`, taken away before it is used. What comes back of it is tried first: until
the network takes it, what there was stays.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext_noop as _

from tertulia.connectors.contract import Granted, Health, Refused
from tertulia.core.crypto import Secrets

from . import actions, tokens
from .models import Account, Admission

LASTS = timedelta(minutes=30)

TOO_LATE = _("What came back doesn't belong to this session, or took too long. Begin again.")
NO_PAGE = _("The network gave no page to go to.")


def begin(
    *, account: Account, name: str, typed: Granted, back_to: str, session: str, by: int, at: datetime
) -> str:  # fmt: skip
    """The address to send the person to. What was typed counts, and a new account is stored, once they are back.

    Raises an outcome. Never inside a transaction: some networks are asked first.
    """
    ticket = secrets.token_urlsafe(32)
    consent = account.connector.begin_consent(tokens.having(account, typed), back_to, _signer(session).sign(ticket))
    if not consent.url.startswith(("https://", "http://")):
        raise Refused(NO_PAGE)
    forget(at=at)
    Admission.objects.create(
        brand=account.brand, account=account if account.pk else None, kind=account.kind, name=name,
        settings=dict(typed.settings), secrets=Secrets(typed.secrets), kept=Secrets(consent.kept), by_id=by,
        ticket_hash=_hash(ticket), expires_at=at + LASTS,
    )  # fmt: skip
    return consent.url


def take(*, state: str, session: str, by: int, at: datetime) -> Admission:
    """What was begun with this state; whoever asks again gets nothing. Raises `Refused`."""
    try:
        ticket = _signer(session).unsign(state)
    except signing.BadSignature:
        raise Refused(TOO_LATE) from None
    waiting = Admission.objects.filter(ticket_hash=_hash(ticket), by_id=by, expires_at__gt=at)
    begun = waiting.select_related("brand", "account").first()
    if begun is None or not waiting.delete()[0]:
        raise Refused(TOO_LATE)
    return begun


def finish(*, begun: Admission, code: str, back_to: str, by: int, at: datetime) -> tuple[Account, Health]:
    """Turn the code into credentials, and connect with them once they work. Raises an outcome: nothing was changed."""
    account = begun.account or Account(brand=begun.brand, kind=begun.kind)
    typed = Granted(begun.secrets, begun.settings)
    given = account.connector.finish_consent(tokens.having(account, typed), back_to, begun.kept, code)
    given = tokens.together(typed, given)
    if account.pk:
        return account, actions.reconnect(account=account, name=begun.name, given=given, by=by, at=at)
    given, health = tokens.try_out(account, given)
    with transaction.atomic():
        made = actions.connect(brand=begun.brand, kind=begun.kind, name=begun.name, by=by, at=at)
        actions.keep(tokens.store(made, given), health, at=at)
    return made, health


def forget(*, at: datetime) -> None:
    """Those who went and didn't come back in time."""
    Admission.objects.filter(expires_at__lte=at).delete()


def _signer(session: str) -> signing.Signer:
    return signing.Signer(salt=f"tertulia.channels.consents {session}")


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
