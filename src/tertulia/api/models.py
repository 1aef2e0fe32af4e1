from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.core.crypto import SecretsField
from tertulia.team.models import User


def secret_hash(secret: str) -> str:
    """A plain hash is enough: a token is 256 random bits, not a password."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Token(models.Model):
    """A key to one brand's API. Only its hash is kept; `prefix` lets people recognise it, and leak searches find it."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    prefix = models.CharField(max_length=12)
    hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    """To the minute: written when calls are taken from the allowance, not with every call."""
    revoked_at = models.DateTimeField(null=True)
    minute = models.BigIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    """Calls taken from the allowance of `minute` (minutes since 1970)."""

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def has_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at


class KeptAnswer(models.Model):
    """What a call made under an Idempotency-Key was answered, so that a repeat changes nothing and hears the same."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    """Of the address and the body: the same key for something else is a mistake, not a repeat."""
    body = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="kept_answer_once")]
        indexes = [models.Index(fields=["at"], name="kept_answer_age")]

    def __str__(self) -> str:
        return f"{self.token_id}: {self.key}"


class Webhook(models.Model):
    """An address of somebody else's that hears of what happens, signed by the standard of standardwebhooks.com."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        FAILING = "failing", _("failing")
        OFF = "off", _("paused")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    url = models.URLField(_("address"), max_length=500)
    secrets = SecretsField(default=dict)
    """`current`, and `previous` until `previous_until`: both sign while the receiver changes over."""
    previous_until = models.DateTimeField(null=True)
    types = models.JSONField(default=list)
    state = models.CharField(max_length=7, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField()
    since = models.DateTimeField()
    """What happened before is none of its business: the moment it was added or switched on again."""
    sent_until = models.BigIntegerField(default=0)
    """Id of the last activity that was turned into events for it."""
    failures = models.PositiveIntegerField(default=0)
    """Failed tries since the last that went through."""
    hold_until = models.DateTimeField(null=True)
    """While the address does not answer, everything waits until then instead of knocking once each."""
    lease_until = models.DateTimeField(null=True)
    """One worker at a time delivers to it, so a slow address holds one thread and no more."""
    last_tried_at = models.DateTimeField(null=True)
    last_answer = models.CharField(max_length=200, blank=True, default="")

    def __str__(self) -> str:
        return self.url


def event_key() -> str:
    return f"msg_{secrets.token_urlsafe(18)}"


class Event(models.Model):
    """One activity on its way to one webhook. Repeated until taken or given up; the receiver tells by its key."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("delivered")
        GIVEN_UP = "given_up", _("given up")

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="+")
    activity_id = models.BigIntegerField(null=True)
    """Empty for a test."""
    key = models.CharField(max_length=40, unique=True, default=event_key)
    """The `webhook-id` on every try."""
    type = models.CharField(max_length=64)
    body = models.TextField()
    """The exact text that is signed and sent, the same on every try."""
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "activity_id"], name="event_once")]
        indexes = [
            models.Index(fields=["webhook", "due_at", "id"], name="event_due", condition=Q(state="waiting")),
            models.Index(fields=["webhook", "-id"], name="event_newest"),
            models.Index(fields=["finished_at"], name="event_finished", condition=Q(finished_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.key} {self.state}"
