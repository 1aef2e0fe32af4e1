from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand


class Handle(models.Model):
    """Somebody whom texts name as `@{Obrador Lola}`, and how each network calls them.

    `addresses` by network (`handles.network_of`), without the `@`: {"mastodon": "lola@mastodon.social"}.
    """

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=120)
    folded = models.CharField(max_length=120)
    """The name as it is looked for: in small letters, one blank between words."""
    addresses = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "folded"], name="handle_unique")]

    def __str__(self) -> str:
        return self.name
