from __future__ import annotations

from django.db import models

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.team.models import User


class Mark(models.Model):
    """What an article is to one person: opened, kept with a star, or both."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField(null=True)
    starred_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "message"], name="mark_once")]
        indexes = [
            models.Index(fields=["user", "message"], name="mark_starred", condition=models.Q(starred_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.message_id}"


class CatchUp(models.Model):
    """Up to here a person has said that they have seen everything of a brand."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    up_to = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "brand"], name="catch_up_once")]

    def __str__(self) -> str:
        return f"{self.user_id} up to {self.up_to}"
