from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import models


class Activity(models.Model):
    """One line of the feed. Ids, no foreign keys: it outlives what it speaks of and stands below every room."""

    brand_id = models.BigIntegerField()
    type = models.CharField(max_length=64)
    on_kind = models.CharField(max_length=64)
    on_id = models.BigIntegerField()
    by_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["on_kind", "on_id", "id"], name="activity_on"),
            models.Index(fields=["brand_id", "id"], name="activity_brand"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.on_kind}:{self.on_id}"


class Job(models.Model):
    """Something to do at a moment: the due table of ordinary work. `jobs.py` alone writes it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    task = models.CharField(max_length=100)
    args = models.JSONField(default=dict)
    key = models.CharField(max_length=120, null=True, unique=True)  # noqa: DJ001 — unique where present
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(default="", blank=True)
    request = models.CharField(max_length=64, default="", db_default="", blank=True)
    """The id of the request that it follows from, for the log."""
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "id"], name="job_due", condition=models.Q(state="waiting")),
            models.Index(fields=["lease_until"], name="job_lease", condition=models.Q(state="running")),
            models.Index(fields=["finished_at"], name="job_finished", condition=models.Q(state="done")),
            models.Index(fields=["finished_at"], name="job_failed", condition=models.Q(state="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.args}"


class Heartbeat(models.Model):
    """The last sign of life of a process of the family, so that pages can say when background work is silent."""

    name = models.CharField(max_length=100, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def leave(signs: Mapping[str, datetime]) -> None:
        """These names were alive at these moments, whatever stood there before."""
        Heartbeat.objects.bulk_create(
            [Heartbeat(name=name, at=at) for name, at in signs.items()],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["at"],
        )
