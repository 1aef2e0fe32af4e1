from __future__ import annotations

from django.db import models

from tertulia.brand.models import Brand
from tertulia.channels.models import Message


class MessageReading(models.Model):
    """What was understood of a message, or, of the fields in `corrected`, what people said it means."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="reading")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    language = models.CharField(max_length=12)
    sentiment = models.CharField(max_length=8)
    kind = models.CharField(max_length=10)
    urgency = models.PositiveSmallIntegerField()
    """Per cent: 0 can wait, 33 within the day, 67 today, 100 now."""
    offensive = models.BooleanField()
    spam = models.BooleanField()
    needs_answer = models.BooleanField()
    topics = models.JSONField(default=list)
    questions = models.JSONField(default=list)
    confidence = models.JSONField(default=dict)
    why = models.JSONField(default=dict)
    by = models.CharField(max_length=40)
    """The name of the model that read it."""
    at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    """As it stood in the message that was read: a later one there asks for another reading."""
    corrected = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.message_id}: {self.kind}"


class Correction(models.Model):
    """What somebody said a message means, against what was read; of each field the last that was not undone holds."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="corrections", db_index=False)
    field = models.CharField(max_length=9)
    was = models.JSONField()
    """What the model had read."""
    value = models.JSONField()
    by_id = models.BigIntegerField()
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "field"], name="correction_live", condition=models.Q(undone_at__isnull=True)
            ),
        ]
        indexes = [models.Index(fields=["message", "field"], name="correction_message")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.field}: {self.was} → {self.value}"
