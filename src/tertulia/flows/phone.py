"""What was said aloud joins the inbox: a call, or a talk in the shop, written down by whoever had it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse

from tertulia.brand.models import Brand
from tertulia.channels import erasures
from tertulia.channels.models import Account, Identity, Message
from tertulia.community.models import Member, MemberIdentity
from tertulia.connectors.contract import Noted
from tertulia.core import activity
from tertulia.inbox.models import Conversation
from tertulia.team.models import User

from . import activities
from . import inbound as inbound_flow

KINDS = {"call": activities.CALL_NOTED, "visit": activities.VISIT_NOTED}


class CannotNote(ValueError):
    """`field` of the form that has to be mended; the text says how."""

    def __init__(self, field: str, says: str) -> None:
        super().__init__(says)
        self.field = field


def note_call(
    *,
    brand: Brand,
    account: Account,
    by: User,
    at: datetime,
    kind: Literal["call", "visit"],
    direction: Literal["in", "out"],
    name: str,
    phone: str,
    email: str,
    member: Member | None,
    text: str,
    happened_at: datetime,
    key: str = "",
) -> Conversation:
    """Take a note in through the same door as any message: same person, same promise.

    `member` is who the writer chose; without one, the same number or address says who it is. `key` names this note:
    handed in twice, it is taken once. Raises `CannotNote`.
    """
    text, email, number = text.strip(), email.strip(), e164(phone, brand.country)
    _check(brand, account, member, text=text, happened_at=happened_at, at=at)
    key = key or str(uuid4())
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(
            pk=account.pk
        )  # two notes on one person, one after the other
        member = member or _known(brand, number, email)
        person_id = _person_id(account, member) if member else _stranger_id(number, email, key)
        noted = Noted(
            key=key,
            person_id=person_id,
            kind=kind,
            text=text,
            happened_at=happened_at,
            is_ours=direction == "out",
            name=" ".join(name.split()) or (member.name if member else ""),
            phone=number or (member.phone if member else ""),
            email=email or (member.email if member else ""),
        )
        return _take_in(account, noted, by=by, at=at)


def e164(phone: str, country: str) -> str:
    """The number as the whole world dials it; empty for an empty one. Raises `CannotNote`."""
    if not phone.strip():
        return ""
    try:
        number = parse(phone, country)
    except NumberParseException:
        number = None
    if number is None or not is_possible_number(number):
        raise CannotNote("phone", _("That is not a whole phone number. Check it, or leave it empty."))
    return format_number(number, PhoneNumberFormat.E164)


def _check(
    brand: Brand, account: Account, member: Member | None, *, text: str, happened_at: datetime, at: datetime
) -> None:
    if account.brand_id != brand.pk or not account.capabilities.is_aloud:
        raise CannotNote("text", _("This channel takes no notes by hand."))
    if member and member.brand_id != brand.pk:
        raise CannotNote("member", _("Choose somebody from the list."))
    if not text:
        raise CannotNote("text", _("Write what was said first."))
    if happened_at > at:
        raise CannotNote("happened_at", _("That is still to come. Write when it happened."))


def _known(brand: Brand, number: str, email: str) -> Member | None:
    """Whose number or address this is. It was typed by one of us, so it says more than a visitor's own word."""
    people = Member.objects.filter(brand=brand).order_by("-last_seen_at", "-id")
    by_number = people.filter(phone=number).first() if number else None
    return by_number or (people.filter(email__iexact=email).first() if email else None)


def _person_id(account: Account, member: Member) -> str:
    """The member as this account knows them: where we talked last, or a name of their own."""
    talked = Conversation.objects.filter(account=account, member=member).order_by("-last_activity_at", "-id").first()
    if talked:
        return talked.thread_id
    identity, _made = Identity.objects.get_or_create(account=account, remote_id=f"member:{member.pk}")
    MemberIdentity.objects.get_or_create(identity=identity, defaults={"member": member, "is_verified": True})
    return identity.remote_id


def _stranger_id(number: str, email: str, key: str) -> str:
    if number:
        return f"tel:{number}"
    return f"mailto:{email.lower()}" if email else f"note:{key}"


def _take_in(account: Account, noted: Noted, *, by: User, at: datetime) -> Conversation:
    envelope = account.connector.write_down(account, noted)
    if not erasures.keep_out(account, [envelope], at=at):
        says = _("This person's data was erased. What happened before that can't be written down any more.")
        raise CannotNote("happened_at", says)
    inbound_flow.intake(account, [envelope], at=at)
    message = Message.objects.get(account=account, remote_id=envelope.remote_id)
    conversation = Conversation.objects.get(account=account, thread_id=message.thread_id)
    if message.author_id is None:
        message.author_id = by.pk
        if noted.is_ours:
            message.author_name = by.name
        message.save(update_fields=["author_id", "author_name"])
        activity.record(KINDS[noted.kind], on=conversation, brand=account.brand_id, by=by.pk, at=at, message=message.pk)
    return conversation
