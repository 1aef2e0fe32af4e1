from __future__ import annotations

from django.db import models

from tertulia.brand.models import Brand
from tertulia.core.crypto import SecretsField
from tertulia.team.models import User


class Token(models.Model):
    """A key to one brand's API. Only its hash is kept; `prefix` lets people recognise it, and leak searches find it."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12)
    hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Webhook(models.Model):
    """An address of somebody else's that hears of what happens, signed by the standard of standardwebhooks.com."""

    class State(models.TextChoices):
        ACTIVE = "active"
        FAILING = "failing"
        OFF = "off"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    url = models.URLField(max_length=500)
    secrets = SecretsField(default=dict)
    types = models.JSONField(default=list)
    state = models.CharField(max_length=7, choices=State, default=State.ACTIVE)
    sent_until = models.BigIntegerField(default=0)
    """Id of the last activity that was turned into events for it."""
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.url


class Event(models.Model):
    """One activity on its way to one webhook. Repeated until taken or given up; the receiver tells by its id."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        GIVEN_UP = "given_up"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="+")
    activity_id = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "activity_id"], name="event_once")]

    def __str__(self) -> str:
        return f"{self.webhook_id}:{self.activity_id} {self.state}"
