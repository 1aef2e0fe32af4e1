"""The context of the pages of what comes back, built in one place."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.brand.models import Brand
from tertulia.core import dates

from . import calendar, evergreen, queries, series
from .models import LAST_DAY, Evergreen, Occurrence, PlannedDay, Post, Repetition, Series

SHOWN_BACK, SHOWN_AHEAD = 5, 24


def overview(brand: Brand, *, on: str, at: datetime) -> dict[str, Any]:
    """Every series, and every text that doesn't age with whether it is free on a day."""
    today = at.astimezone(ZoneInfo(brand.time_zone)).date()
    wanted = _day(on, today)
    mine = Series.objects.filter(brand=brand).select_related("model").order_by("ended_at", "title", "pk")
    return {
        "room": "publishing", "on": wanted, "time": "10:00", "says_on": dates.day(wanted),
        "series": [(one, says(one), _next(one, today)) for one in mine],
        "pool": [(one, one.why_not(wanted)) for one in evergreen.pool(brand)],
    }  # fmt: skip


def _day(text: str, today: date) -> date:
    try:
        on = date.fromisoformat(text[:10])
    except ValueError:
        return today + timedelta(days=1)
    return on if today <= on < today + timedelta(days=3650) else today + timedelta(days=1)


def _next(one: Series, today: date) -> date | None:
    if one.ended_at:
        return None
    skipped = set(one.occurrences.filter(skipped_at__isnull=False).values_list("on", flat=True))
    ahead = (on for _number, on in series.days(one, today + timedelta(days=3660)) if on >= today)
    return next((on for on in ahead if on not in skipped), None)


def page(one: Series, *, at: datetime) -> dict[str, Any]:
    """A series with its days: some that were, those that are made, those that will be."""
    today = at.astimezone(ZoneInfo(one.zone)).date()
    made = {each.on: each for each in one.occurrences.select_related("post")}
    posts = [each.post for each in made.values() if each.post]
    standings = queries.standings(posts)
    until = today + timedelta(days=366)
    coming = [] if one.ended_at else [on for _n, on in series.days(one, until) if on >= today and on not in made]
    before = sorted(on for on in made if on < today)[-SHOWN_BACK:]
    after = sorted({*coming, *(on for on in made if on >= today)})[:SHOWN_AHEAD]
    days = [_line(on, made.get(on), standings, one) for on in (*before, *after)]
    return {
        "room": "publishing", "series": one, "says": says(one), "days": days, "today": today,
        "has_one_text": one.model_id is not None and not one.texts,
    }  # fmt: skip


def _line(on: date, made: Occurrence | None, standings: dict[int, queries.Standing], one: Series) -> dict[str, Any]:
    post = made.post if made else None
    state = standings[post.pk].state if post else ""
    return {
        "on": on, "says": dates.day(on), "post": post, "why": made.why if made else "",
        "is_skipped": bool(made and made.skipped_at), "is_touched": bool(made and post and series.is_touched(made)),
        "state": Post.State(state).label if state else "", "tone": calendar.TONES.get(state, ""),
        "is_open": state in {"", Post.State.DRAFT, Post.State.SCHEDULED},
    }  # fmt: skip


def of_post(post: Post) -> dict[str, Any]:
    """What a post has to do with others: the series or the pool it is the model of, or what it came from."""
    occurrence = Occurrence.objects.filter(post=post).select_related("series").first()
    repetition = Repetition.objects.filter(post=post).select_related("evergreen__model").first()
    return {
        "series": Series.objects.filter(model=post).first(), "evergreen": Evergreen.objects.filter(model=post).first(),
        "occurrence": occurrence, "repetition": repetition,
        "planned": PlannedDay.objects.filter(post=post).select_related("action__plan", "action__owner").first(),
    }  # fmt: skip


def says(one: Series) -> str:
    """The rule in words: «Cada 2 semanas: lunes, jueves, 09:00 (Europe/Madrid)»."""
    return _("{rule}, {time} ({zone})").format(rule=rhythm(one), time=f"{one.time:%H:%M}", zone=one.zone)


def rhythm(one: Series | series.Rule) -> str:
    """On which days: «Cada 2 semanas: lunes, jueves»."""
    n = one.every
    if one.unit == Series.Unit.DAY:
        return ngettext("Every day", "Every {n} days", n).format(n=n)
    if one.unit == Series.Unit.WEEK:
        names = [whole for _short, whole in dates.weekdays()]
        on = ", ".join(names[number] for number in one.weekdays or [one.starts_on.weekday()])
        return ngettext("Every week: {days}", "Every {n} weeks: {days}", n).format(n=n, days=on)
    if one.month_day == LAST_DAY:
        return ngettext("Every month, on its last day", "Every {n} months, on the last day", n).format(n=n)
    return ngettext("Every month, on day {day}", "Every {n} months, on day {day}", n).format(n=n, day=one.month_day)


def rule_of(one: Series) -> dict[str, Any]:
    """As its form shows it."""
    rule = {each.name: getattr(one, each.name) for each in fields(series.Rule)}
    return rule | {"texts": "\n---\n".join(one.texts)}


def first_rule(brand: Brand, post: Post | None, today: date) -> dict[str, Any]:
    """Where the form of a new series begins: from the post's own time on."""
    on = max(post.on, today) if post and post.on else today
    return {
        "time": post.time if post and post.time else time(10), "zone": post.zone if post else brand.time_zone,
        "starts_on": on, "weekdays": [on.weekday()], "month_day": on.day,
        "ahead_days": 30 if post else 7,
    }  # fmt: skip
