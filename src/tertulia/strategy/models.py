from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.team.models import User


class Campaign(models.Model):
    """Several actions for one goal, from one day to another. Once it is closed its results no longer change."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=120)
    tag = models.SlugField(_("tag"), max_length=60)
    """What links carry of it: `utm_campaign`."""
    goal = models.TextField(_("what it is for"), blank=True, default="")
    audience = models.TextField(_("for whom"), blank=True, default="")
    messages = models.TextField(_("what it says"), blank=True, default="")
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    budget = models.DecimalField(
        _("budget"), max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("in charge")
    )
    words = models.TextField(_("words by which people speak of it"), max_length=2_000, blank=True, default="")
    """A word or a phrase a line (`wording`)."""
    learned = models.TextField(_("what was learned"), blank=True, default="")
    results = models.JSONField(default=list)
    """As they stood when it was closed: pairs of what and how much."""
    closed_at = models.DateTimeField(null=True)
    closed_by_id = models.BigIntegerField(null=True)
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("brand", Lower("tag"), name="campaign_tag_unique"),
            models.CheckConstraint(
                condition=models.Q(starts_on__isnull=True)
                | models.Q(ends_on__isnull=True)
                | models.Q(ends_on__gte=models.F("starts_on")),
                name="campaign_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.name
