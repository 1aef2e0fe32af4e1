from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.strategy.models import Campaign

from .links import Link
from .posts import Post


class Kit(models.Model):
    """What colleagues without an account may share of a post, or of all posts of a campaign that are out: a page behind
    a link of which only the hash is kept."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, null=True, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, null=True, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    intro = models.CharField(_("A word to your colleagues"), max_length=500, blank=True, default="")
    disclosure = models.CharField(_("How they say that they work here"), max_length=120)
    """Ends every text: who speaks of the company they work for says so."""
    names = models.JSONField(default=list)
    """Of colleagues who have links of their own, as they are to be called on the page."""
    counts = models.BooleanField(_("Count the clicks"), default=True)
    last_on = models.DateField(_("Open until"))
    """The last day, in the brand's time zone."""
    ended_at = models.DateTimeField(null=True)
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(post__isnull=False, campaign__isnull=True)
                | models.Q(post__isnull=True, campaign__isnull=False),
                name="kit_of_one",
            ),
        ]
        indexes = [models.Index(fields=["brand", "id"], name="kit_of_brand")]

    def __str__(self) -> str:
        return str(self.post or self.campaign)


class KitLink(models.Model):
    """A short link in the texts of a kit; of one colleague, or of whoever says no name."""

    kit = models.ForeignKey(Kit, on_delete=models.CASCADE, related_name="links", db_index=False)
    link = models.OneToOneField(Link, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60, blank=True, default="")
    target = models.CharField(max_length=2000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kit", "name", "target"], name="kit_link_once")]

    def __str__(self) -> str:
        return f"{self.name or '–'}: {self.target}"
