from __future__ import annotations

from django.db import models

from tertulia.brand.models import Brand


class LinkLook(models.Model):
    """What an address answered when it was last asked. One that nobody has looked at yet has no `looked_at`."""

    class State(models.TextChoices):
        WAITING = "waiting"
        ALIVE = "alive"
        DEAD = "dead"
        UNSURE = "unsure"
        """It answers, but says neither: what wants a person in front of it, or has no time now."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    url = models.TextField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    why = models.CharField(max_length=300, blank=True, default="")
    asked_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "digest"], name="link_look_unique")]
        indexes = [models.Index(fields=["asked_at"], name="link_look_old")]

    def __str__(self) -> str:
        return f"{self.url[:80]}: {self.state}"
