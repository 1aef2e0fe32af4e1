from __future__ import annotations

from django.db import models

from tertulia.strategy.models import PlannedAction

from .initiatives import Initiative
from .posts import Post


class PlannedDay(models.Model):
    """A day of a planned action on the calendar, once and for all: the post or the action outside that it became.

    Whoever removes that there has decided about the day: the plan doesn't put it back.
    """

    action = models.ForeignKey(PlannedAction, on_delete=models.CASCADE, related_name="days", db_index=False)
    on = models.DateField()
    post = models.OneToOneField(Post, on_delete=models.SET_NULL, null=True, related_name="planned_day")
    initiative = models.OneToOneField(Initiative, on_delete=models.SET_NULL, null=True, related_name="planned_day")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "on"], name="planned_day_once")]

    def __str__(self) -> str:
        return f"{self.action_id} on {self.on}"
