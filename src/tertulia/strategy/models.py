from __future__ import annotations

from datetime import time

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
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


class Plan(models.Model):
    """What a brand wants to reach on its networks in a period, and how: put together step by step (`plans.STEPS`), in
    any order. Once it is put to work its actions stand on the calendar; whoever adds to it later does that again."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=120)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    situation = models.TextField(_("where we stand"), max_length=100_000, blank=True, default="")
    messages = models.TextField(_("what we say"), max_length=100_000, blank=True, default="")
    measuring = models.TextField(_("how it is measured"), max_length=100_000, blank=True, default="")
    at_work_at = models.DateTimeField(null=True)
    at_work_by_id = models.BigIntegerField(null=True)
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="plan_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Audience(models.Model):
    """Some of those a plan wants to reach."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="audiences")
    name = models.CharField(_("who they are"), max_length=120)
    about = models.TextField(_("what they want, and where they are"), max_length=5_000, blank=True, default="")

    def __str__(self) -> str:
        return self.name


class Objective(models.Model):
    """What should be so at the end of a plan that isn't so now. Agreed once the plan was put to work with it."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="objectives")
    title = models.CharField(_("what is to be reached"), max_length=200)
    because = models.TextField(_("what the company has of it"), max_length=5_000, blank=True, default="")
    agreed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.title

    @property
    def is_measurable(self) -> bool:
        """Whether an indicator tells if it was reached, and somebody looks after that."""
        return any(kpi.owner_id for kpi in self.kpis.all())


class Kpi(models.Model):
    """A number by which an objective is known to be reached: from what to what, until when, and who answers for it."""

    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="kpis")
    name = models.CharField(_("what is counted"), max_length=200)
    source = models.CharField(_("where the number comes from"), max_length=200)
    baseline = models.DecimalField(_("starting value"), max_digits=14, decimal_places=2)
    target = models.DecimalField(_("target"), max_digits=14, decimal_places=2)
    due_on = models.DateField(_("by when"))
    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("who answers for it")
    )

    def __str__(self) -> str:
        return self.name


class PlanChannel(models.Model):
    """A place where a plan speaks: an account of the brand, or one that isn't connected, with what it is for."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="channels")
    account = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    name = models.CharField(_("what it is called"), max_length=120)
    purpose = models.TextField(_("what it is for"), max_length=5_000, blank=True, default="")
    per_week = models.PositiveSmallIntegerField(
        _("times a week"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "account"], name="plan_channel_once")]

    def __str__(self) -> str:
        return self.name


class PlannedAction(models.Model):
    """Something a plan wants done, on one day or again and again within its period: a post on an account, or outside
    of the networks. What it became on the calendar `publishing.PlannedDay` knows."""

    class Repeats(models.TextChoices):
        ONCE = "once", _("once, on that day")
        WEEKLY = "weekly", _("every week")
        FORTNIGHTLY = "fortnight", _("every two weeks")
        MONTHLY = "monthly", _("every month, on that day")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="actions")
    title = models.CharField(_("what is done"), max_length=200)
    text = models.TextField(_("what it says"), max_length=5_000, blank=True, default="")
    is_outside = models.BooleanField(default=False)
    account = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    """Where it is published; none outside, nor once the account is gone."""
    on = models.DateField(_("day"))
    time = models.TimeField(_("time"), default=time(10))
    repeats = models.CharField(_("how often"), max_length=9, choices=Repeats, default=Repeats.ONCE)
    weekdays = models.JSONField(default=list)
    """0 is Monday; of those that repeat by weeks. None: the weekday of `on`."""
    campaign = models.ForeignKey(
        Campaign, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("campaign")
    )
    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("who sees to it")
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_outside=False) | models.Q(account__isnull=True), name="planned_outside_or_account"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Duty(models.Model):
    """What somebody does for a plan: a member of the team, or somebody from outside by name."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="duties")
    user = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("member of the team")
    )
    name = models.CharField(_("or somebody from outside"), max_length=120, blank=True, default="")
    does = models.TextField(_("what they do"), max_length=5_000)

    def __str__(self) -> str:
        return self.user.name if self.user else self.name
