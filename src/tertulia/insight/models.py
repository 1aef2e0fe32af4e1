from __future__ import annotations

from django.db import models

from tertulia.brand.models import Brand


class DismissedQuestion(models.Model):
    """A question that is asked again and again and wants no saved reply: somebody said so."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=300)
    language = models.CharField(max_length=12, blank=True, default="")
    by_id = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.text
