from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import OpeningHours
from tertulia.channels.models import Account


class Promise(models.Model):
    """How often we publish on an account: so many times a week, counted from the first Monday on or after `starts_on`.

    Weeks are the brand's own, Monday to Sunday. With `weekdays` (0 is Monday) only what is published on these counts.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    per_week = models.PositiveSmallIntegerField(
        _("times a week"), validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    starts_on = models.DateField(_("from"))
    weekdays = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(per_week__gte=1, per_week__lte=50), name="publishing_promise_sensible"
            )
        ]

    def __str__(self) -> str:
        return f"{self.per_week} a week on {self.account_id}"


class BestHour(models.Model):
    """An hour of the week, on the wall of the brand's zone, at which an account is known to be reacted to most; the
    best has place 0. Worked out anew some times a day: of an account without any nothing is known."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    weekday = models.PositiveSmallIntegerField(choices=OpeningHours.Weekday)
    hour = models.PositiveSmallIntegerField()
    place = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "weekday", "hour"], name="best_hour_unique")]

    def __str__(self) -> str:
        return f"{self.weekday} {self.hour}:00 on {self.account_id}"


class Slot(models.Model):
    """A time of the week at which an account usually publishes, on the wall of the brand's zone: what is put into the
    queue takes the next one that is free."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    weekday = models.PositiveSmallIntegerField(choices=OpeningHours.Weekday)
    time = models.TimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "weekday", "time"], name="slot_unique")]

    def __str__(self) -> str:
        return f"{self.weekday} {self.time:%H:%M} on {self.account_id}"
