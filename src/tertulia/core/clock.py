"""The one place that reads the time. Views, tasks and commands call `now()`; everything below is told `at`."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median

from django.utils import timezone

REMEMBERED = 20
_heard: OrderedDict[str, float] = OrderedDict()


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return timezone.now()


def hear(host: str, date: str) -> None:
    """What a server says the time is, in the `Date` of its answer. Nonsense is passed over."""
    try:
        said = parsedate_to_datetime(date)
    except ValueError:
        return
    said = said if said.tzinfo else said.replace(tzinfo=UTC)
    _heard[host] = (said - now()).total_seconds()
    _heard.move_to_end(host)
    while len(_heard) > REMEMBERED:
        _heard.popitem(last=False)


def upstream() -> datetime | None:
    """What the time is according to the servers this process has spoken to last; None when it has spoken to none.

    The middle of what they say: a single one may be wrong.
    """
    said = list(_heard.values())
    return now() + timedelta(seconds=median(said)) if said else None
