from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand

from .posts import Post

LAST_DAY = 31
"""As a day of a month: its last one, however long it is."""


class Evergreen(models.Model):
    """A text that may be published again and again, with rests in between.

    Like a series it has a post of its own as its model, which is never published itself; `origin` is the post that it
    was taken from, whose own publication counts as a use.
    """

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    model = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="evergreen")
    origin = models.ForeignKey(Post, on_delete=models.SET_NULL, null=True, related_name="+")
    rest_days = models.PositiveSmallIntegerField(
        _("days of rest between two uses"), default=60, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    most = models.PositiveSmallIntegerField(
        _("times at most"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"evergreen {self.model_id}"


class Repetition(models.Model):
    """One use of an evergreen text: the post that it became."""

    evergreen = models.ForeignKey(Evergreen, on_delete=models.CASCADE, related_name="repetitions")
    post = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="repetition")

    def __str__(self) -> str:
        return f"{self.evergreen_id} as {self.post_id}"


class Series(models.Model):
    """Posts that come back by a rule, at the same time on the wall of `zone` however clocks change.

    What they say is the `model`'s, a post that is never published itself; a series without one takes what has rested
    longest of the evergreen texts, on days on which nothing else is planned.
    """

    class Unit(models.TextChoices):
        DAY = "day", _("days")
        WEEK = "week", _("weeks")
        MONTH = "month", _("months")

    class Then(models.TextChoices):
        """What each occurrence becomes."""

        DRAFT = "draft", _("a draft, for somebody to look at")
        SCHEDULE = "schedule", _("scheduled, and it leaves by itself")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    model = models.OneToOneField(Post, on_delete=models.CASCADE, null=True, related_name="series")
    title = models.CharField(_("title"), max_length=200)
    texts = models.JSONField(default=list)
    """Other wordings of the first part, taken in turn after the model's own."""
    unit = models.CharField(max_length=5, choices=Unit, default=Unit.WEEK)
    every = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(99)])
    weekdays = models.JSONField(default=list)
    """Of a rule by weeks: Monday is 0."""
    month_day = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(LAST_DAY)]
    )
    """Of a rule by months. A month that is shorter has its last day instead."""
    time = models.TimeField(_("time"))
    zone = models.CharField(_("time zone"), max_length=64)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    most = models.PositiveSmallIntegerField(
        _("times at most"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    then = models.CharField(max_length=8, choices=Then, default=Then.DRAFT)
    ahead_days = models.PositiveSmallIntegerField(
        _("days ahead on the calendar"), default=30, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    ended_at = models.DateTimeField(null=True)
    changed_by_id = models.BigIntegerField()
    """In whose name its posts are made."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "series"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gte=models.F("starts_on")),
                name="series_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="series_going_on", condition=models.Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.title


class Occurrence(models.Model):
    """A day of a series, once and for all: laid out as a post, skipped, or with the reason why it is neither.

    What was laid out is remembered, to tell whether somebody has touched the post since.
    """

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="occurrences", db_index=False)
    on = models.DateField()
    number = models.PositiveIntegerField()
    """Which one of its series, from 0; says whose turn it is among the texts."""
    post = models.OneToOneField(Post, on_delete=models.SET_NULL, null=True, related_name="occurrence")
    time = models.TimeField()
    zone = models.CharField(max_length=64)
    revision = models.PositiveIntegerField(default=0)
    """Of its post when it was laid out."""
    model_revision = models.PositiveIntegerField(default=0)
    is_scheduled = models.BooleanField(default=False)
    why = models.CharField(max_length=500, blank=True, default="")
    """Why it isn't scheduled, or isn't there."""
    skipped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "on"], name="occurrence_once")]

    def __str__(self) -> str:
        return f"{self.series_id} on {self.on}"
