from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.strategy.models import Campaign
from tertulia.team.models import User
from tertulia.team.permissions import Role

from .ideas import Pillar
from .posts import Post


class ApprovalRule(models.Model):
    """Which posts somebody has to approve before they leave: those that meet all that is set here."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("channel")
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("campaign")
    )
    author = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("written by")
    )
    words = models.TextField(_("words in the text"), blank=True, default="", max_length=2_000)
    """One a line; any of them is enough. Empty: whatever it says."""
    topic = models.CharField(_("what it is about"), max_length=60, blank=True, default="")
    """As readings name it: a topic of those that are known everywhere, or one of the brand's own by its slug."""
    pillar = models.ForeignKey(
        Pillar, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("pillar")
    )
    """That of the idea that the post was made of."""
    allows_own = models.BooleanField(_("whoever wrote it may approve it too"), default=False)

    def __str__(self) -> str:
        return f"{self.pk} of {self.brand_id}"


class ApprovalStep(models.Model):
    """Who approves, one step after the other: named people, everybody of a role, and people from outside by address."""

    rule = models.ForeignKey(ApprovalRule, on_delete=models.CASCADE, related_name="steps", db_index=False)
    number = models.PositiveSmallIntegerField()
    users = models.ManyToManyField(User, blank=True, related_name="+", verbose_name=_("people"))
    role = models.CharField(_("or everybody of a role"), max_length=10, choices=Role, blank=True, default="")
    outside = models.JSONField(default=list)
    """Addresses of people without an account."""
    needs_all = models.BooleanField(_("all of them"), default=False)
    """Else one of them is enough."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="approval_step_unique")]

    def __str__(self) -> str:
        return f"{self.number} of {self.rule_id}"


class ApprovalRequest(models.Model):
    """Somebody asks that a post be approved as it is. `said` is what would be published on each account, so that it is
    known for ever what was approved; `steps` who was asked, as the rules were then."""

    class Outcome(models.TextChoices):
        OPEN = "", _("waits")
        APPROVED = "approved", _("approved")
        CHANGES = "changes", _("changes wanted")
        OVERTAKEN = "overtaken", _("overtaken by a change")
        NOBODY = "nobody", _("nobody was left to approve it")

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="approvals", db_index=False)
    revision = models.PositiveIntegerField()
    said = models.JSONField()
    steps = models.JSONField()
    """Of each: `users`, `outside`, `all`; and where the users come from: `named`, `role`, and `own`, whether whoever
    asked may decide too."""
    schedules = models.BooleanField()
    """Once approved it is scheduled by itself, if its time is still to come."""
    asked_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    asked_at = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True, default=Outcome.OPEN)
    ended_at = models.DateTimeField(null=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    """How often people were reminded that it waits, for the time its post has now."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post"], name="approval_open_once", condition=models.Q(outcome="")),
        ]
        indexes = [models.Index(fields=["post", "revision"], name="approval_of_revision")]

    def __str__(self) -> str:
        return f"{self.post_id} at {self.revision}"


class ApprovalDecision(models.Model):
    """What one person said to a request. One without an account has an address in place of `by`."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.CASCADE, related_name="decisions", db_index=False)
    step = models.PositiveSmallIntegerField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    address = models.EmailField(blank=True, default="")
    name = models.CharField(max_length=120, blank=True, default="")
    is_approved = models.BooleanField()
    comment = models.TextField(blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "step", "by", "address"], name="approval_decision_unique")
        ]

    def __str__(self) -> str:
        return f"{'yes' if self.is_approved else 'no'} to {self.request_id}"

    @property
    def who(self) -> str:
        return self.by.name if self.by else self.name or self.address


class GuestPass(models.Model):
    """A link by which somebody without an account sees one post and decides; only its hash is kept."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.CASCADE, related_name="passes")
    address = models.EmailField()
    step = models.PositiveSmallIntegerField()
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.address

    def is_open(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at
