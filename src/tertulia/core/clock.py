"""The one place that reads the time. Views, tasks and commands call `now()`; everything below is told `at`."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return timezone.now()
