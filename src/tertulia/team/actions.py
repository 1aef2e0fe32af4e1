"""What is done to a team: inviting, joining, changing, leaving. Every act leaves a line in the feed."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from tertulia.brand import actions as brand_actions
from tertulia.brand.models import Brand
from tertulia.core import activity, jobs

from . import activities, mail
from .models import Invitation, Membership, User
from .permissions import Role, may_grant

INVITATION_LASTS = timedelta(days=7)


class MayNot(Exception):
    """The role of whoever asks does not reach that far."""


class LastManager(Exception):
    """Without this person nobody could manage the brand any more."""


class AlreadyHere(Exception):
    """That address belongs to the team already."""


class InvitationSpent(Exception):
    """The link was used, withdrawn or left for a week, or never existed."""


class NotForYou(Exception):
    """The invitation names another address."""


@dataclass(frozen=True, slots=True)
class Invited:
    invitation: Invitation
    url: str
    """Shown once: only the hash of its token is kept."""
    is_mailed: bool


@transaction.atomic
def found_brand(*, by: User, at: datetime, **facts: Any) -> Brand:
    """Create a brand (see `brand.actions.create`) whose maker manages it and takes what nobody else can."""
    brand = brand_actions.create(by=by.pk, at=at, **facts)
    Membership.objects.create(user=by, brand=brand, role=Role.MANAGER, is_fallback=True, created_at=at)
    return brand


@transaction.atomic
def invite(*, brand: Brand, email: str, role: str, by: Membership, at: datetime) -> Invited:
    """Make a link into the brand for one address. Raises `MayNot`, `AlreadyHere`."""
    if role not in may_grant(by.role):
        raise MayNot(role)
    email = email.lower()
    if Membership.objects.of(brand).filter(user__email=email).exists():
        raise AlreadyHere(email)
    token = secrets.token_urlsafe(32)
    Invitation.objects.filter(brand=brand, email=email, used_at=None).delete()
    invitation = Invitation.objects.create(
        brand=brand, email=email, role=role, token_hash=_hash(token), invited_by=by.user,
        created_at=at, expires_at=at + INVITATION_LASTS,
    )  # fmt: skip
    activity.record(activities.INVITED, on=invitation, brand=brand.pk, by=by.user_id, at=at, email=email, role=role)
    url = settings.PUBLIC_URL + reverse("team:invitation", args=[token])
    return Invited(invitation, url, _mail(invitation, url))


def find_invitation(*, token: str, at: datetime) -> Invitation:
    """Raises `InvitationSpent`, the same for what is over and what never was."""
    found = Invitation.objects.select_related("brand", "invited_by").filter(token_hash=_hash(token)).first()
    if found is None or not found.is_open(at):
        raise InvitationSpent
    return found


@transaction.atomic
def join(*, token: str, user: User, at: datetime) -> Membership:
    """Take the invitation's place in the brand. Raises `InvitationSpent`, `NotForYou`."""
    invitation = find_invitation(token=token, at=at)
    if user.email.lower() != invitation.email:
        raise NotForYou
    taken = Invitation.objects.filter(pk=invitation.pk, used_at=None, expires_at__gt=at).update(used_at=at)
    if not taken:
        raise InvitationSpent
    membership, is_new = Membership.objects.get_or_create(
        user=user, brand=invitation.brand, defaults={"role": invitation.role, "created_at": at}
    )
    if is_new:
        activity.record(activities.JOINED, on=membership, brand=invitation.brand_id, by=user.pk, at=at)
    return membership


@transaction.atomic
def join_as_new(*, token: str, name: str, password: str, at: datetime) -> Membership:
    """Make the person the invitation names, and let them in. Raises `InvitationSpent`."""
    invitation = find_invitation(token=token, at=at)
    if User.objects.filter(email=invitation.email).exists():
        raise InvitationSpent
    language = translation.get_language() or invitation.brand.language
    user = User.objects.create_user(invitation.email, password, name=name, language=language)
    return join(token=token, user=user, at=at)


@transaction.atomic
def withdraw(*, invitation: Invitation, by: Membership, at: datetime) -> None:
    activity.record(
        activities.INVITATION_WITHDRAWN, on=invitation, brand=invitation.brand_id, by=by.user_id, at=at,
        email=invitation.email,
    )  # fmt: skip
    invitation.delete()


@transaction.atomic
def change(
    *, membership: Membership, role: str, capacity: int, is_fallback: bool, by: Membership, at: datetime
) -> None:
    """Set role and load. Raises `MayNot`, `LastManager`."""
    before = _held(membership).role
    if role != before:
        if role not in may_grant(by.role) or before not in may_grant(by.role):
            raise MayNot(role)
        if before == Role.MANAGER:
            _ensure_another_manager(membership)
    Membership.objects.filter(pk=membership.pk).update(role=role, capacity=capacity, is_fallback=is_fallback)
    if role != before:
        activity.record(
            activities.CHANGED, on=membership, brand=membership.brand_id, by=by.user_id, at=at,
            person=str(membership.user), role=role,
        )  # fmt: skip


@transaction.atomic
def remove(*, membership: Membership, by: Membership, at: datetime) -> None:
    """Take a person off the brand; they keep their account. Raises `MayNot`, `LastManager`."""
    role = _held(membership).role
    if role not in may_grant(by.role):
        raise MayNot(role)
    if role == Role.MANAGER:
        _ensure_another_manager(membership)
    activity.record(
        activities.REMOVED, on=membership, brand=membership.brand_id, by=by.user_id, at=at,
        person=str(membership.user), user=membership.user_id,
    )  # fmt: skip
    membership.delete()


def _held(membership: Membership) -> Membership:
    """The membership as it stands, with the brand held: two people demoting each other must queue."""
    Brand.objects.select_for_update().get(pk=membership.brand_id)
    return Membership.objects.get(pk=membership.pk)


def _ensure_another_manager(membership: Membership) -> None:
    others = Membership.objects.filter(brand=membership.brand_id, role=Role.MANAGER, user__is_active=True)
    if not others.exclude(pk=membership.pk).exists():
        raise LastManager


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _mail(invitation: Invitation, url: str) -> bool:
    if not mail.is_set_up():
        return False
    with translation.override(invitation.brand.language):
        facts = {"invitation": invitation, "url": url}
        jobs.enqueue(
            mail.send,
            to=invitation.email,
            subject=gettext("{who} invites you to the desk of {brand}").format(
                who=invitation.invited_by, brand=invitation.brand
            ),
            text=render_to_string("team/mail/invitation.txt", facts),
        )
    return True
