"""Outgoing webhooks by the standard of standardwebhooks.com.

A periodic job turns the activity feed into events, one row per webhook and activity, and hands each webhook that has
something due to a job of its own. That job delivers one event after the other under a lease, so that a slow address
holds one worker thread and no more. What is not taken is repeated with growing waits for a day, under the same id.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from standardwebhooks.webhooks import Webhook as Signer

from tertulia.core import activity, clock, jobs
from tertulia.core.addresses import is_allowed, may_be_plain
from tertulia.core.http import NOT_AN_ADDRESS, NOT_ENCRYPTED, NOT_FOUND, NOT_PUBLIC, Door, numbers_of
from tertulia.core.models import Activity
from tertulia.core.outcomes import Outcome
from tertulia.team import notices
from tertulia.team.models import Membership

from . import activities
from .models import Event, Webhook

LOOK_BACK = 1_000
"""Ids of activities that are read again: on PostgreSQL a lower id may be committed after a higher one."""
LATE = timedelta(days=1)
"""No transaction takes longer."""
BATCH = 500
WAITS = (
    timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30),
    timedelta(hours=1), timedelta(hours=3), timedelta(hours=6),
)  # fmt: skip
GIVEN_UP_AFTER = timedelta(hours=24)
FAILING_AFTER = 3
"""Failed tries in a row, about six minutes, before the managers are told."""
TURN = timedelta(seconds=20)
"""How long one job delivers before it makes room for others."""
LEASE = timedelta(seconds=90)
TEST = "webhook.test"
PAUSED = gettext_noop("The webhook was paused.")
MAX_URL = 500
PRUNE_BATCH = 2_000
KEPT_FOR = timedelta(days=30)

door = Door(total=10, largest=1_000_000)
"""The answer's status is all that counts; a receiver that says more than this is not well."""


class BadAddress(ValueError):
    """Nothing may be sent to this address; the message says why."""


def offered_types() -> dict[str, activity.ActivityType]:
    """The kinds of event a webhook can hear of."""
    return {name: kind for name, kind in sorted(activity.types().items()) if kind.is_public}


def check_address(url: str) -> None:
    """Raises `BadAddress` for what is no web address, one inside the house, or plain http.

    It asks the name's addresses: not to be called inside a transaction. What counts is that the door asks again with
    every delivery.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise BadAddress(_(NOT_AN_ADDRESS)) from None
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or len(url) > MAX_URL:
        raise BadAddress(_(NOT_AN_ADDRESS))
    try:
        numbers = numbers_of(host, port)
    except (OSError, UnicodeError):
        raise BadAddress(_(NOT_FOUND)) from None
    allowed = tuple(settings.ALLOWED_ADDRESSES)
    if not numbers or not all(is_allowed(number, allowed) for number in numbers):
        raise BadAddress(_(NOT_PUBLIC))
    if parts.scheme == "http" and not all(may_be_plain(number, allowed) for number in numbers):
        raise BadAddress(_(NOT_ENCRYPTED))


# From activities to events


def collect(*, at: datetime) -> None:
    """Turn what happened into events, and set going each webhook that has something due."""
    for webhook in Webhook.objects.exclude(state=Webhook.State.OFF):
        _collect_for(webhook.pk, at=at)
        go_on(webhook, at=at)


@transaction.atomic
def _collect_for(webhook_id: int, *, at: datetime) -> None:
    webhook = Webhook.objects.select_for_update().filter(pk=webhook_id).exclude(state=Webhook.State.OFF).first()
    if webhook is None:
        return
    known = Event.objects.filter(webhook=webhook, activity_id__gt=webhook.sent_until - LOOK_BACK)
    fresh = _activities_for(webhook, at).exclude(id__in=known.values("activity_id"))
    new = list(fresh.order_by("id")[:BATCH])
    Event.objects.bulk_create(_event(webhook, line, at=at) for line in new)
    if new:
        webhook.sent_until = max(webhook.sent_until, new[-1].id)
        webhook.save(update_fields=["sent_until"])


def _activities_for(webhook: Webhook, at: datetime) -> QuerySet[Activity]:
    """What happened since, and what may have been committed late: of that only the last day's, since events are known
    again no longer than they are kept."""
    types = set(webhook.types or offered_types()) & offered_types().keys()
    late = Q(id__gt=webhook.sent_until - LOOK_BACK, at__gt=at - LATE)
    return Activity.objects.filter(
        late | Q(id__gt=webhook.sent_until), brand_id=webhook.brand_id, type__in=types, at__gte=webhook.since
    )


def _event(webhook: Webhook, line: Activity, *, at: datetime) -> Event:
    body = _body(line.type, line.at, {
        "activity": line.id,
        "brand": line.brand_id,
        "on": {"kind": line.on_kind.rpartition(".")[2], "id": line.on_id},
        "by": line.by_id,
        "facts": line.data,
    })  # fmt: skip
    return Event(webhook=webhook, activity_id=line.id, type=line.type, body=body, due_at=at, created_at=at)


def hello(webhook: Webhook, *, by: int, at: datetime) -> Event:
    """An event that says nothing, to try the way."""
    body = _body(TEST, at, {"brand": webhook.brand_id, "by": by})
    return Event.objects.create(webhook=webhook, type=TEST, body=body, due_at=at, created_at=at)


def _body(type: str, at: datetime, data: Mapping[str, Any]) -> str:
    """The text that is signed and sent. It carries ids and facts, never what somebody wrote."""
    moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": type, "timestamp": moment, "data": data}, ensure_ascii=False, separators=(",", ":"))


def go_on(webhook: Webhook, *, at: datetime) -> None:
    """Enqueue the delivering job when there is something to deliver and nobody is at it."""
    if _due(webhook, at).exists():
        jobs.enqueue("webhooks.deliver", webhook_id=webhook.pk)


def _due(webhook: Webhook, at: datetime) -> QuerySet[Event]:
    is_free = (Q(webhook__hold_until=None) | Q(webhook__hold_until__lte=at)) & (
        Q(webhook__lease_until=None) | Q(webhook__lease_until__lte=at)
    )
    return _waiting(webhook).filter(is_free, due_at__lte=at).exclude(webhook__state=Webhook.State.OFF)


def _waiting(webhook: Webhook) -> QuerySet[Event]:
    return Event.objects.filter(webhook=webhook, state=Event.State.WAITING)


# Delivering


def deliver(*, webhook_id: int) -> None:
    """Send what is due, one after the other, until it is all sent, one try fails or the turn is over."""
    at = begun = clock.now()
    webhook = _take(webhook_id, at=at)
    if webhook is None:
        return
    try:
        while at < begun + TURN and (
            event := _waiting(webhook).filter(due_at__lte=at).order_by("due_at", "id").first()
        ):
            went_well = _try(webhook, event, at=at)
            at = clock.now()
            if not went_well:
                break
    finally:
        Webhook.objects.filter(pk=webhook_id, lease_until=webhook.lease_until).update(lease_until=None)
    webhook.lease_until = None
    go_on(webhook, at=at)


def _take(webhook_id: int, *, at: datetime) -> Webhook | None:
    free = Webhook.objects.filter(
        Q(lease_until=None) | Q(lease_until__lte=at), Q(hold_until=None) | Q(hold_until__lte=at), pk=webhook_id
    ).exclude(state=Webhook.State.OFF)
    return Webhook.objects.get(pk=webhook_id) if free.update(lease_until=at + LEASE) else None


def _try(webhook: Webhook, event: Event, *, at: datetime) -> bool:
    """One try; True when the rest may follow at once."""
    try:
        answer = door.request("POST", webhook.url, headers=headers(webhook, event, at=at), content=event.body.encode())
    except Outcome as outcome:
        return _failed(webhook, event, outcome.why, at=at, holds=True)
    if 200 <= answer.status < 300:
        return _taken(webhook, event, f"HTTP {answer.status}", at=at)
    if answer.status == 410:
        return _gone(webhook, event, at=at)
    return _failed(webhook, event, f"HTTP {answer.status}", at=at, holds=answer.status >= 500 or answer.status == 429)


def headers(webhook: Webhook, event: Event, *, at: datetime) -> dict[str, str]:
    """Both secrets sign while the receiver changes over from the old to the new one."""
    secrets = [webhook.secrets["current"]]
    if webhook.previous_until and webhook.previous_until > at and "previous" in webhook.secrets:
        secrets.append(webhook.secrets["previous"])
    return {
        "content-type": "application/json",
        "user-agent": "Tertulia-Webhooks/1",
        "webhook-id": event.key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(event.key, at, event.body) for secret in secrets),
    }


@transaction.atomic
def _taken(webhook: Webhook, event: Event, says: str, *, at: datetime) -> bool:
    Event.objects.filter(pk=event.pk).update(
        state=Event.State.SENT, answer=says, finished_at=at, attempts=F("attempts") + 1
    )
    alive = Webhook.objects.filter(pk=webhook.pk)
    alive.update(failures=0, hold_until=None, last_tried_at=at, last_answer=says)
    alive.filter(state=Webhook.State.FAILING).update(state=Webhook.State.ACTIVE)
    return True


@transaction.atomic
def _failed(webhook: Webhook, event: Event, says: str, *, at: datetime, holds: bool) -> bool:
    """`holds`: nobody is there, so the rest waits as well; else only this event was not to their liking."""
    says = says[:200]
    event.attempts += 1
    wait = _wait(event.attempts)
    Event.objects.filter(pk=event.pk).update(attempts=event.attempts, answer=says, due_at=at + wait)
    mine = Webhook.objects.filter(pk=webhook.pk)
    mine.update(failures=F("failures") + 1, last_tried_at=at, last_answer=says, hold_until=at + wait if holds else None)
    old = _waiting(webhook).filter(created_at__lte=at - GIVEN_UP_AFTER)
    (old if holds else old.filter(pk=event.pk)).update(state=Event.State.GIVEN_UP, answer=says, finished_at=at)
    has_turned = mine.filter(state=Webhook.State.ACTIVE, failures__gte=FAILING_AFTER).update(
        state=Webhook.State.FAILING
    )
    if has_turned:
        _tell(activities.WEBHOOK_FAILING, webhook, at=at, answer=says)
    return not holds


@transaction.atomic
def _gone(webhook: Webhook, event: Event, *, at: datetime) -> bool:
    """410 is how a receiver says, by the standard, that it wants no more."""
    Webhook.objects.filter(pk=webhook.pk).update(
        state=Webhook.State.OFF, last_tried_at=at, last_answer="HTTP 410", failures=F("failures") + 1
    )
    Event.objects.filter(pk=event.pk).update(attempts=F("attempts") + 1)
    give_up_waiting(webhook, at=at, why="HTTP 410")
    _tell(activities.WEBHOOK_GONE, webhook, at=at)
    return False


def give_up_waiting(webhook: Webhook, *, at: datetime, why: str) -> None:
    _waiting(webhook).update(state=Event.State.GIVEN_UP, answer=why[:200], finished_at=at)


def _tell(name: str, webhook: Webhook, *, at: datetime, **facts: Any) -> None:
    """Into the feed, and to everybody who may do something about it."""
    line = activity.record(name, on=webhook, brand=webhook.brand_id, at=at, url=webhook.url, **facts)
    url = reverse("api:webhook", args=[webhook.brand.slug, webhook.pk])
    people = Membership.objects.filter(brand_id=webhook.brand_id, user__is_active=True).select_related("user")
    managers = [each.user_id for each in people if each.may("api.manage")]
    notices.tell(users=managers, line=line, reason="webhook", url=url, at=at)


def _wait(attempts: int) -> timedelta:
    return WAITS[min(attempts, len(WAITS)) - 1] * random.uniform(0.9, 1.1)  # noqa: S311 — scatter, not secrecy


def prune(*, at: datetime) -> None:
    """Forget events that ended a month ago."""
    old = Event.objects.filter(finished_at__lt=at - KEPT_FOR).values_list("pk", flat=True)[:PRUNE_BATCH]
    Event.objects.filter(pk__in=list(old)).delete()
