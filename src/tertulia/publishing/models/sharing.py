from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tertulia.brand.models import Brand
from tertulia.channels.models import Message


class Share(models.Model):
    """Something that somebody else made and the brand passes on: whose it is, where it stands, and whether they allowed
    it.

    Posts made of it and pictures taken from it point here, and leave only while `is_allowed`.
    """

    class State(models.TextChoices):
        NEEDED = "needed", pgettext_lazy("permission", "not asked yet")
        FREE = "free", pgettext_lazy("permission", "not needed")
        ASKED = "asked", pgettext_lazy("permission", "asked")
        GIVEN = "given", pgettext_lazy("permission", "given")
        REFUSED = "refused", pgettext_lazy("permission", "refused")
        ENDED = "ended", pgettext_lazy("permission", "ended")

    ALLOWED = (State.FREE, State.GIVEN)

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(_("who made it"), max_length=120)
    url = models.CharField(_("where it can be seen"), max_length=500, blank=True, default="")
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    """What they wrote, or the article: what was made, and where they are asked."""
    state = models.CharField(max_length=7, choices=State, default=State.NEEDED)
    because = models.CharField(_("why"), max_length=300, blank=True, default="")
    """Why no permission is needed, or why it ended."""
    question = models.TextField(_("in which words"), max_length=2_000, blank=True, default="")
    prepared_at = models.DateTimeField(null=True)
    """Since when an answer that asks lies ready in the conversation: the one that leaves after it has asked."""
    asked_at = models.DateTimeField(_("when"), null=True)
    asked_on = models.CharField(_("where"), max_length=100, blank=True, default="")
    answer = models.TextField(_("what they said"), max_length=2_000, blank=True, default="")
    answered_at = models.DateTimeField(_("when"), null=True)
    evidence = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    """The message that says so; its words are kept here too, should it be deleted."""
    ended_at = models.DateTimeField(null=True)
    recorded_by_id = models.BigIntegerField()
    """Who wrote down the state it has."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="free") | ~models.Q(because=""), name="share_free_has_reason"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="given") | models.Q(answered_at__isnull=False), name="share_given_has_day"
            ),
        ]
        indexes = [
            models.Index(fields=["brand", "changed_at", "id"], name="share_newest"),
            models.Index(
                fields=["prepared_at"],
                name="share_prepared",
                condition=models.Q(state="needed", prepared_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_allowed(self) -> bool:
        return self.state in self.ALLOWED
