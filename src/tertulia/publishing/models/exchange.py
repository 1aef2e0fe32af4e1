from __future__ import annotations

from django.db import models

from tertulia.brand.models import Brand
from tertulia.team.models import User

from .posts import Post


class Import(models.Model):
    """A file of posts that somebody has brought: looked through, then taken in row by row.

    `content` is kept for some days, so that the rows in which something is wrong can be given back.
    """

    class State(models.TextChoices):
        CHECKED = "checked"
        RUNNING = "running"
        DONE = "done"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    content = models.BinaryField()
    state = models.CharField(max_length=7, choices=State, default=State.CHECKED)
    schedules = models.BooleanField(default=False)
    """Its posts are scheduled; otherwise they are drafts with a day."""
    total = models.PositiveIntegerField()
    known = models.PositiveIntegerField(default=0)
    """Rows that were imported before."""
    added = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    """Of each row in which something is wrong, its line and what it is."""
    notes = models.JSONField(default=list)
    """About the whole file."""
    next_row = models.PositiveIntegerField(default=0)
    """Every row before this one has been dealt with."""
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Imported(models.Model):
    """A row that has become a post, so that the same one never becomes a second."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    post = models.ForeignKey(Post, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "digest"], name="imported_once")]

    def __str__(self) -> str:
        return self.digest[:12]


class Feed(models.Model):
    """The secret address under which a person's own calendar reads a brand's. Whoever has it reads along."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    token_hash = models.CharField(max_length=64, unique=True)
    """A plain hash is enough: a token is 256 random bits."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "brand"], name="feed_unique")]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.brand_id}"
