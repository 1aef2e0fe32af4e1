"""What is done to tokens and webhooks. Every change leaves a line in the activity feed."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.core import activity
from tertulia.core.crypto import Secrets
from tertulia.core.models import Activity
from tertulia.team.models import Membership, User

from . import activities, webhooks
from .models import Event, KeptAnswer, Token, Webhook, secret_hash
from .scopes import SCOPES

PREFIX = "tt_"
SHOWN = 12
"""Characters of a token that are kept: enough to recognise it, and nothing without the other 200 bits."""
OLD_SECRET_SIGNS = timedelta(hours=24)
ANSWERS_KEPT = timedelta(days=7)
MAX_WEBHOOKS = 20


class Problem(Exception):
    """Something that can't be done; the message is for the person who tried."""


class NotAMember(Problem):
    """A token acts in a brand for one of its people, nobody else."""


class UnknownScope(Problem):
    """There is no such scope, or none was given."""


class UnknownType(Problem):
    """There is no such kind of event."""


# Tokens


@transaction.atomic
def create_token(
    *, user: User, brand: Brand, name: str, scopes: Iterable[str], expires_at: datetime | None, at: datetime,
    by: User | None = None,
) -> tuple[Token, str]:  # fmt: skip
    """Make a key that acts as `user` in `brand`; the secret is in the answer and nowhere else, ever.

    `by` is who made it when that is somebody else. Raises `NotAMember`, `UnknownScope`, `Problem`.
    """
    wanted = _scopes(scopes)
    if not Membership.objects.filter(user=user, brand=brand, user__is_active=True).exists():
        raise NotAMember(_("{name} does not belong to this brand.").format(name=user))
    if expires_at is not None and expires_at <= at:
        raise Problem(_("Choose a moment that is still to come."))
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        user=user, brand=brand, name=name.strip()[:60], prefix=secret[:SHOWN], hash=secret_hash(secret), scopes=wanted,
        created_at=at, expires_at=expires_at,
    )  # fmt: skip
    maker = by or user
    activity.record(
        activities.TOKEN_CREATED, on=token, brand=brand.id, by=maker.id, at=at, token=token.name, scopes=wanted
    )
    return token, secret


def _scopes(scopes: Iterable[str]) -> list[str]:
    wanted = set(scopes)
    if not wanted or wanted - SCOPES.keys():
        raise UnknownScope(_("Choose what the token may do."))
    return [scope for scope in SCOPES if scope in wanted]


@transaction.atomic
def revoke_token(*, token: Token, by: User, at: datetime) -> None:
    """From now on it opens nothing. Revoking it twice changes nothing."""
    if Token.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at):
        activity.record(activities.TOKEN_REVOKED, on=token, brand=token.brand_id, by=by.id, at=at, token=token.name)


def forget_old_answers(*, at: datetime) -> None:
    """After a week a repeated call is a new one."""
    KeptAnswer.objects.filter(at__lt=at - ANSWERS_KEPT).delete()


# Webhooks


def add_webhook(*, brand: Brand, url: str, types: Sequence[str], by: User, at: datetime) -> tuple[Webhook, str]:
    """Let an address hear of what happens from now on; the signing secret is in the answer.

    Raises `webhooks.BadAddress`, `UnknownType`, `Problem`.
    """
    webhooks.check_address(url)
    if Webhook.objects.filter(brand=brand).count() >= MAX_WEBHOOKS:
        raise Problem(_("A brand can have {count} webhooks at most.").format(count=MAX_WEBHOOKS))
    secret = _new_secret()
    newest = Activity.objects.filter(brand_id=brand.id).aggregate(Max("id"))["id__max"] or 0
    with transaction.atomic():
        webhook = Webhook(brand=brand, url=url, types=_types(types), created_at=at, since=at, sent_until=newest)
        webhook.secrets = Secrets(current=secret)
        webhook.save()
        _record(activities.WEBHOOK_ADDED, webhook, by=by, at=at)
    return webhook, secret


def change_webhook(*, webhook: Webhook, url: str, types: Sequence[str], by: User, at: datetime) -> None:
    """Raises `webhooks.BadAddress`, `UnknownType`."""
    webhooks.check_address(url)
    webhook.url, webhook.types = url, _types(types)
    with transaction.atomic():
        webhook.save(update_fields=["url", "types"])
        _record(activities.WEBHOOK_CHANGED, webhook, by=by, at=at)


@transaction.atomic
def rotate_secret(*, webhook: Webhook, by: User, at: datetime) -> str:
    """A new signing secret, which is returned; for a day both the old one and the new one sign."""
    webhook = Webhook.objects.select_for_update().get(pk=webhook.pk)
    secret = _new_secret()
    webhook.secrets = Secrets(current=secret, previous=webhook.secrets["current"])
    webhook.previous_until = at + OLD_SECRET_SIGNS
    webhook.save(update_fields=["secrets", "previous_until"])
    _record(activities.WEBHOOK_ROTATED, webhook, by=by, at=at)
    return secret


@transaction.atomic
def pause_webhook(*, webhook: Webhook, by: User, at: datetime) -> None:
    """It hears nothing more; what was waiting for it is given up and can be sent again by hand."""
    if not Webhook.objects.filter(pk=webhook.pk).exclude(state=Webhook.State.OFF).update(state=Webhook.State.OFF):
        return
    webhooks.give_up_waiting(webhook, at=at, why=webhooks.PAUSED)
    _record(activities.WEBHOOK_CHANGED, webhook, by=by, at=at, state=Webhook.State.OFF)


@transaction.atomic
def resume_webhook(*, webhook: Webhook, by: User, at: datetime) -> None:
    """It hears of what happens from now on, not of what happened meanwhile."""
    paused = Webhook.objects.filter(pk=webhook.pk, state=Webhook.State.OFF)
    if paused.update(state=Webhook.State.ACTIVE, since=at, failures=0, hold_until=None):
        _record(activities.WEBHOOK_CHANGED, webhook, by=by, at=at, state=Webhook.State.ACTIVE)


@transaction.atomic
def remove_webhook(*, webhook: Webhook, by: User, at: datetime) -> None:
    _record(activities.WEBHOOK_REMOVED, webhook, by=by, at=at)
    webhook.delete()


@transaction.atomic
def test_webhook(*, webhook: Webhook, by: User, at: datetime) -> Event:
    """Queue an event that says nothing but hello. Raises `Problem` while the webhook is paused."""
    if webhook.state == Webhook.State.OFF:
        raise Problem(_("It is paused. Set it going again first."))
    event = webhooks.hello(webhook, by=by.id, at=at)
    webhooks.go_on(webhook, at=at)
    return event


@transaction.atomic
def repeat_event(*, event: Event, at: datetime) -> None:
    """Send what was given up once more, under the same id. Raises `Problem` when it is not given up, or paused."""
    if event.webhook.state == Webhook.State.OFF:
        raise Problem(_("It is paused. Set it going again first."))
    given_up = Event.objects.filter(pk=event.pk, state=Event.State.GIVEN_UP)
    if not given_up.update(state=Event.State.WAITING, due_at=at, attempts=0, created_at=at, finished_at=None):
        raise Problem(_("It is on its way already."))
    webhooks.go_on(event.webhook, at=at)


def _types(types: Sequence[str]) -> list[str]:
    """Which kinds of event; none at all means every kind, also those to come."""
    offered = webhooks.offered_types()
    if unknown := [name for name in types if name not in offered]:
        raise UnknownType(_("There is no event type {name}.").format(name=unknown[0]))
    return sorted(set(types))


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _record(name: str, webhook: Webhook, *, by: User, at: datetime, **data: str) -> None:
    activity.record(name, on=webhook, brand=webhook.brand_id, by=by.id, at=at, url=webhook.url, **data)
