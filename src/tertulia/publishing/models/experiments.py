from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.team.models import User

from .posts import Post, seed

FEWEST_PAIRS = 6
"""Of five pairs even all five for the same wording happen by chance in 2 of 32."""


class Experiment(models.Model):
    """Something tried on purpose: what is expected, by which figure it is judged and how much of a difference matters
    were said before anything left, and none of it changes afterwards.

    Of two wordings `post` is the model that a series or a text that doesn't age copies: its turns say A or B. Of a
    newsletter it is the one that leaves: of `account`, its list, half gets what it says and half B. Of something new it
    is the one post that tries it on `account`, beside what that account usually has.
    """

    class Kind(models.TextChoices):
        WORDING = "wording", _("two wordings")
        LETTER = "letter", _("two wordings of a newsletter")
        FORMAT = "format", _("something new")

    class Measure(models.TextChoices):
        """What the desk truly knows. Who has only looked, nobody tells it."""

        CLICKS = "clicks", _("people who follow its links")
        LIKES = "likes", _("likes")
        REPOSTS = "reposts", _("reposts")
        REPLIES = "replies", _("comments and answers")
        LEAVES = "leaves", _("people who leave the list")

    class Arm(models.TextChoices):
        A = "a", "A"
        B = "b", "B"

    class After(models.IntegerChoices):
        """How old a post is when it is judged, in hours: ages at which its figures are asked for."""

        DAY = 24, _("one day")
        DAYS = 72, _("three days")
        WEEK = 168, _("a week")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    title = models.CharField(_("name"), max_length=200)
    hypothesis = models.TextField(_("what you expect, and why"), max_length=2000)
    measure = models.CharField(_("judged by"), max_length=7, choices=Measure)
    expects = models.CharField(_("which one you expect to win"), max_length=1, choices=Arm, default=Arm.B)
    matters = models.PositiveSmallIntegerField(
        _("how much more matters, in %"), default=20, validators=[MinValueValidator(1), MaxValueValidator(500)]
    )
    pairs = models.PositiveSmallIntegerField(
        _("pairs of turns"), default=8, validators=[MinValueValidator(FEWEST_PAIRS), MaxValueValidator(100)]
    )
    """So many are compared, no fewer and no more: who may stop when it looks best finds a winner by chance. Of a
    newsletter so many people have to click, or leave, in all: below that no winner is named."""
    hours = models.PositiveSmallIntegerField(_("judged after"), choices=After, default=After.DAY)
    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("who sees to it")
    )
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="+")
    format = models.CharField(_("format"), max_length=8, blank=True, default="")
    """What is new, as `sameness` names it."""
    title_a = models.CharField(max_length=200, blank=True, default="")
    title_b = models.CharField(_("subject B"), max_length=200, blank=True, default="")
    """Of a newsletter; "" for the subject it has."""
    text_a = models.TextField(blank=True, default="")
    text_b = models.TextField(_("wording B"), blank=True, default="")
    seed = models.CharField(max_length=32, default=seed)
    """Deals the turns: the same seed, the same turns."""
    learned = models.TextField(_("what was learned"), max_length=2000, blank=True, default="")
    result = models.JSONField(default=dict)
    """As it stood when it was closed: `verdicts.Verdict` as plain data."""
    begun_by_id = models.BigIntegerField()
    begun_at = models.DateTimeField()
    closed_by_id = models.BigIntegerField(null=True)
    closed_at = models.DateTimeField(null=True)
    went_on_at = models.DateTimeField(null=True)
    """Since when what comes back says the wording that won."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post"], name="experiment_open_once", condition=Q(closed_at__isnull=True)),
            models.CheckConstraint(
                condition=~Q(hypothesis="") & Q(measure__in=["clicks", "likes", "reposts", "replies", "leaves"]),
                name="experiment_says_what_it_expects",
            ),
            models.CheckConstraint(
                condition=Q(kind="wording", account__isnull=True) & ~Q(text_a="") & ~Q(text_b="")
                | Q(kind="letter", account__isnull=False) & (~Q(text_b="") | ~Q(title_b=""))
                | Q(kind="format", account__isnull=False) & ~Q(format=""),
                name="experiment_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | ~Q(learned=""), name="experiment_closed_with_learned"
            ),
            models.CheckConstraint(condition=Q(pairs__gte=FEWEST_PAIRS), name="experiment_pairs_enough"),
        ]
        indexes = [models.Index(fields=["brand", "begun_at", "id"], name="experiment_newest")]

    def __str__(self) -> str:
        return self.title

    def text_of(self, arm: str) -> str:
        return self.text_a if arm == self.Arm.A else self.text_b


class Turn(models.Model):
    """A post that says one of two wordings. Turns 0 and 1 are a pair, 2 and 3 the next: one of each."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="turns", db_index=False)
    number = models.PositiveIntegerField()
    arm = models.CharField(max_length=1, choices=Experiment.Arm)
    post = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "number"], name="turn_once")]

    def __str__(self) -> str:
        return f"{self.number} ({self.arm}) of {self.experiment_id}"

    @property
    def text(self) -> str:
        return self.experiment.text_of(self.arm)
