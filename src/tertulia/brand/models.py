from __future__ import annotations

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .choices import COUNTRIES, SPANISH_REGIONS, time_zones


class Brand(models.Model):
    """A company, or one of its brands: an island. Nothing of one brand is ever seen from another."""

    class Language(models.TextChoices):
        SPANISH = "es", "Español"
        ENGLISH = "en", "English"

    class Treatment(models.TextChoices):
        """How the brand addresses people in Spanish."""

        FAMILIAR = "tu", _("tú")
        FORMAL = "usted", _("usted")

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.SPANISH)
    time_zone = models.CharField(_("time zone"), max_length=64, choices=time_zones, default="Europe/Madrid")
    treatment = models.CharField(_("form of address"), max_length=5, choices=Treatment, default=Treatment.FAMILIAR)
    country = models.CharField(_("country"), max_length=2, choices=COUNTRIES, default="ES")
    region = models.CharField(_("region"), max_length=3, choices=SPANISH_REGIONS, blank=True, default="")
    colour = models.CharField(
        _("colour"), max_length=7, default="#8a3b1f", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z")]
    )
    undo_seconds = models.PositiveSmallIntegerField(
        _("seconds to take a reply back"), default=10, validators=[MaxValueValidator(120)]
    )
    is_sample = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class OpeningHours(models.Model):
    """A stretch of a weekday in which the brand answers, in the brand's own time zone."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(opens__lt=models.F("closes")), name="hours_open_before_close"),
            models.UniqueConstraint(fields=["brand", "weekday", "opens"], name="hours_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens}–{self.closes}"


class Holiday(models.Model):
    """A day the brand keeps closed besides the holidays of its country and region: local ones, an inventory."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    on = models.DateField()
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "on"], name="holiday_unique")]

    def __str__(self) -> str:
        return f"{self.on} {self.name}"


class OwnWord(models.Model):
    """Something the brand has a name for, and the other ways people write it."""

    class Kind(models.TextChoices):
        PRODUCT = "product", _("product")
        PERSON = "person", _("person")
        PLACE = "place", _("place")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=7, choices=Kind)
    name = models.CharField(max_length=60)
    folded = models.CharField(max_length=120)
    """The name without capitals, accents and punctuation: what it is found by. NFKD may lengthen it."""
    spellings = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "folded"], name="own_word_unique")]

    def __str__(self) -> str:
        return self.name


class AvoidedWord(models.Model):
    """A word, or several in a row, that the brand doesn't use, and what it says instead."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    word = models.CharField(max_length=60)
    folded = models.CharField(max_length=120)
    instead = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "folded"], name="avoided_word_unique")]

    def __str__(self) -> str:
        return self.word
