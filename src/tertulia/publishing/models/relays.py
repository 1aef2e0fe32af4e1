from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Message

from .posts import Post


class Relay(models.Model):
    """A feed of the reading list each of whose new articles becomes a post of the brand."""

    class Then(models.TextChoices):
        DRAFT = "draft", _("a draft, for somebody to look at")
        QUEUE = "queue", _("a post in the queue, if nothing is amiss with it")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("Feed"))
    accounts = models.ManyToManyField(Account, related_name="+", verbose_name=_("Accounts"))
    template = models.TextField(_("Text"), max_length=2_000, default="{title}\n{link}")
    then = models.CharField(_("Each new article becomes"), max_length=5, choices=Then, default=Then.DRAFT)
    most_a_day = models.PositiveSmallIntegerField(
        _("At most so many a day"), default=3, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    on_at = models.DateTimeField(null=True)
    """Since when it takes what is published from then on; empty while it is switched off."""
    seen_to = models.BigIntegerField(null=True)
    """The newest message when it began: up to it all is old. Empty until its feed has been read since `on_at`."""
    changed_by_id = models.BigIntegerField()
    """In whose name its posts are made: who set it up, or changed it last."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["brand", "id"], name="relay_of")]

    def __str__(self) -> str:
        return f"{self.source_id}: {self.then}"


class Relayed(models.Model):
    """That a relay has made its post of an article: never again, under whatever number, date or address it returns."""

    relay = models.ForeignKey(Relay, on_delete=models.CASCADE, related_name="relayed", db_index=False)
    link = models.CharField(max_length=64)
    """Digest of where it leads, however that is written; of its id where it leads nowhere."""
    guid = models.CharField(max_length=64)
    """Digest of what its feed calls it."""
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.SET_NULL, null=True, related_name="+")
    why = models.CharField(max_length=500, blank=True, default="")
    """Why it has no post, or why its post doesn't leave by itself."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["relay", "link"], name="relayed_link_once"),
            models.UniqueConstraint(fields=["relay", "guid"], name="relayed_guid_once"),
        ]
        indexes = [models.Index(fields=["relay", "at", "id"], name="relayed_newest")]

    def __str__(self) -> str:
        return f"{self.message_id} by {self.relay_id}"
