from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.channels.models import Account, Delivery, RemotePost


def token() -> str:
    """What opens one subscription and nothing else: 192 random bits."""
    return secrets.token_urlsafe(24)


class Subscriber(models.Model):
    """Somebody on a list (an account that publishes by letter), and how that came about.

    Only who has confirmed gets letters. `digest` knows the address again after it was erased, so that nobody who left
    is ever put back by a file.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("asked to confirm")
        CONFIRMED = "confirmed", _("on the list")
        LEFT = "left", _("left")
        BOUNCED = "bounced", _("mail comes back")
        COMPLAINED = "complained", _("complained")

    class Source(models.TextChoices):
        FORM = "form", _("the form")
        FILE = "file", _("a file")

    list = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(_("address"), max_length=254, blank=True, default="")
    digest = models.CharField(max_length=64)
    token = models.CharField(max_length=32, unique=True, default=token)
    state = models.CharField(max_length=10, choices=State)
    source = models.CharField(max_length=4, choices=Source)
    consent = models.TextField(blank=True, default="")
    """What they agreed to, in the words they read; of a file, on what basis its owner has them."""
    why = models.CharField(max_length=300, blank=True, default="")
    """What the server said of mail that came back."""
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "digest"], name="subscriber_unique")]
        indexes = [models.Index(fields=["list", "state", "id"], name="subscriber_state")]

    def __str__(self) -> str:
        return self.address or f"subscriber {self.pk}"


class Letter(models.Model):
    """A post of a list on its way to one subscriber: the row comes first, then the mail. Or what belongs to no mailing
    (`is_welcome`): the question whether they want to be on it, and a test, which nobody on the list gets."""

    post = models.ForeignKey(RemotePost, on_delete=models.CASCADE, related_name="+", db_index=False)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, null=True, related_name="letters")
    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="+")
    is_welcome = models.BooleanField(default=False)
    remote_id = models.CharField(max_length=255, blank=True, default="")
    """What the mail is called: a notice that it came back names it."""
    released_at = models.DateTimeField(null=True)
    """When it was let go, at the pace of its list; once it is out, when it left."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["post", "subscriber"], name="letter_once", condition=models.Q(is_welcome=False)
            )
        ]
        indexes = [
            models.Index(fields=["post", "released_at"], name="letter_pace"),
            models.Index(fields=["remote_id"], name="letter_remote", condition=~models.Q(remote_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.post_id} to {self.subscriber_id}"
