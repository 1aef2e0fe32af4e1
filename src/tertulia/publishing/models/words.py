"""What a brand keeps for its texts: words it avoids, pieces it says again and again, and whom it mentions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand


class AvoidedWord(models.Model):
    """A word or a claim that a brand doesn't publish, and what it says instead where it has something."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    text = models.CharField(_("word or claim"), max_length=100)
    folded = models.CharField(max_length=200)
    """Without capitals, accents and punctuation: what it is found by."""
    instead = models.CharField(_("better"), max_length=100, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "folded"], name="avoided_word_unique")]

    def __str__(self) -> str:
        return self.text


class Snippet(models.Model):
    """A piece of text that is put into posts again and again: hashtags, a signature, a legal line."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=60)
    text = models.TextField(_("text"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="snippet_unique")]

    def __str__(self) -> str:
        return self.name


class Handle(models.Model):
    """What somebody whom the brand mentions is called on the networks of one kind. Written as `@name` in a text, it
    becomes that there; on a network for which nothing is known, the plain name."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(max_length=40)
    handle = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "name", "kind"], name="handle_unique")]

    def __str__(self) -> str:
        return f"{self.name} = {self.handle}"
