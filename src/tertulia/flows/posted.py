"""What was written on a platform without an API joins the inbox, brought there by somebody of the team."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels import erasures
from tertulia.channels.models import Account, Message
from tertulia.connectors import registry
from tertulia.connectors.contract import About, Kind, Noted
from tertulia.core import activity
from tertulia.core.html import tidy
from tertulia.inbox.models import Conversation
from tertulia.team.models import User

from . import activities
from . import inbound as inbound_flow
from .names import called, person_id

_RULE = re.compile(r"^[ \t]*(?:-{3,}|_{3,}|={3,}|\*{3,})[ \t]*$", re.MULTILINE)
_BLANK = re.compile(r"\n[ \t]*\n")
_SAID = re.compile(r"([^:\n]{1,60}):\s+(\S.*)", re.DOTALL)
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Posted:
    """One message that stands on a platform. `key` names the note of it: handed in twice, it is taken once."""

    key: str
    who: str
    text: str
    happened_at: datetime
    url: str = ""


class CannotNote(ValueError):
    """The account takes no such notes; the message is for programmers, forms check before."""


class KeptOut(Exception):
    """It is from before its writer's data was erased; the message says so."""


def accounts(brand: Brand) -> list[Account]:
    """Where messages can be written down, by name."""
    kinds = [key for key, connector in registry.all_connectors().items() if connector.capabilities.is_posted]
    found = Account.objects.filter(brand=brand, kind__in=kinds).exclude(state=Account.State.PAUSED)
    return list(found.defer("secrets").order_by("name", "pk"))


def note(
    *, account: Account, by: User, at: datetime, kind: Kind, messages: Sequence[Posted], about: About | None = None
) -> list[Conversation]:
    """Take in what somebody found on a platform, all of it or nothing. Raises `CannotNote`, `KeptOut`."""
    if not account.capabilities.is_posted or kind not in account.connector.noted_kinds(account):
        raise CannotNote(f"account {account.pk} takes no {kind}")
    envelopes = [account.connector.write_down(account, _noted(each, kind, about)) for each in messages]
    if len(erasures.keep_out(account, envelopes, at=at)) < len(envelopes):
        raise KeptOut(_("This person's data was erased. What happened before that can't be written down any more."))
    names = [envelope.remote_id for envelope in envelopes]
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)  # handed in twice, one after the other
        known = set(Message.objects.filter(account=account, remote_id__in=names).values_list("remote_id", flat=True))
        inbound_flow.intake(account, envelopes, at=at)
        taken = Message.objects.filter(account=account, remote_id__in=names).in_bulk(field_name="pk").values()
        threads = {message.thread_id for message in taken}
        found = {row.thread_id: row for row in Conversation.objects.filter(account=account, thread_id__in=threads)}
        fresh = [message for message in taken if message.remote_id not in known]
        lines = [
            (activities.MESSAGE_NOTED, row, {"person": row.member_name, "message": message.pk})
            for message in fresh
            if (row := found[message.thread_id])
        ]
        activity.record_many(lines, brand=account.brand_id, by=by.pk, at=at)
    return list(found.values())


def _noted(posted: Posted, kind: Kind, about: About | None) -> Noted:
    name, handle = called(posted.who)
    return Noted(
        key=posted.key,
        person_id=person_id(name, handle),
        kind=kind,
        text=tidy(posted.text).strip(),
        happened_at=posted.happened_at,
        name=name or handle,
        handle=handle,
        url=posted.url,
        about=about,
    )


def split(text: str) -> list[tuple[str, str]]:
    """Several messages that were pasted at once, each as who wrote it («» where that can't be told) and what.

    They are divided by lines of dashes where there are any, else by empty lines.
    """
    text = text.replace("\r\n", "\n")
    parts = (_RULE if _RULE.search(text) else _BLANK).split(text)
    return [_by_whom(part.strip()) for part in parts if part.strip()]


def _by_whom(part: str) -> tuple[str, str]:
    first, _, rest = part.partition("\n")
    if rest.strip() and len(first) <= LONGEST_NAME and not re.search(r"[.!?…]$", first.strip()):
        return first.strip().rstrip(":"), rest.strip()
    said = _SAID.fullmatch(part)
    return (said[1].strip(), said[2].strip()) if said else ("", part)
