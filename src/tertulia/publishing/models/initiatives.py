from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.strategy.models import Campaign
from tertulia.team.models import User


class Initiative(models.Model):
    """What a brand does for a goal outside of its networks: a fair, a mailing, an advert in the paper."""

    class Kind(models.TextChoices):
        FAIR = "fair", _("fair or event")
        MAILING = "mailing", _("mailing")
        ADVERT = "advert", _("offline advert")
        PRESS = "press", _("press")
        SPONSORING = "sponsoring", _("sponsoring")
        OTHER = "other", _("something else")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.FAIR)
    title = models.CharField(_("title"), max_length=200)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    place = models.CharField(_("place"), max_length=200, blank=True, default="")
    cost = models.DecimalField(
        _("cost"), max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("who sees to it")
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("campaign")
    )
    notes = models.TextField(_("notes"), max_length=5000, blank=True, default="")
    words = models.TextField(_("words by which people speak of it"), max_length=2_000, blank=True, default="")
    """A word or a phrase a line (`strategy.wording`)."""
    done_at = models.DateTimeField(null=True)
    done_by_id = models.BigIntegerField(null=True)
    result = models.TextField(_("what came of it"), max_length=2000, blank=True, default="")
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="initiative_ends_after_start"
            ),
        ]
        indexes = [models.Index(fields=["brand", "starts_on", "id"], name="initiative_days")]

    def __str__(self) -> str:
        return self.title


class SpokenOf(models.Model):
    """That somebody's message speaks of an action or a campaign; for good, whatever words those are known by later."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", db_index=False)
    initiative = models.ForeignKey(Initiative, on_delete=models.CASCADE, null=True, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "initiative"], name="initiative_spoken_of_once"),
            models.UniqueConstraint(fields=["message", "campaign"], name="campaign_spoken_of_once"),
            models.CheckConstraint(
                condition=models.Q(initiative__isnull=False, campaign__isnull=True)
                | models.Q(initiative__isnull=True, campaign__isnull=False),
                name="spoken_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} of {self.initiative or self.campaign}"
