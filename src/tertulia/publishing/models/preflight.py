from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand


class LinkLook(models.Model):
    """An address that somebody wrote, and how it answered when it was last asked."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    target = models.CharField(max_length=2000)
    asked_at = models.DateTimeField(null=True)
    """None: not yet."""
    status = models.PositiveSmallIntegerField(default=0)
    """Of HTTP, after any redirects; 0 where there was no answer."""
    trouble = models.CharField(max_length=200, blank=True, default="")
    """Why there was none, in English."""
    title = models.CharField(max_length=300, blank=True, default="")
    about = models.CharField(max_length=500, blank=True, default="")
    """What the page says of itself."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "target"], name="link_look_unique")]

    def __str__(self) -> str:
        return f"{self.target}: {self.status or self.trouble or '–'}"


class SavedPiece(models.Model):
    """Something that posts say again and again: a text, a group of hashtags, a signature.

    Variables stand in braces: {marca} {brand}, and {enlace:name} {link:name} for a link of the brand's own.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("text")
        HASHTAGS = "hashtags", _("hashtags")
        SIGNATURE = "signature", _("signature")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=9, choices=Kind, default=Kind.TEXT)
    title = models.CharField(_("title"), max_length=80)
    text = models.TextField(_("text"), max_length=5_000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "title"], name="saved_piece_unique")]

    def __str__(self) -> str:
        return self.title
