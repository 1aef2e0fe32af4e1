from __future__ import annotations

from collections.abc import Iterable

from django import template

from tertulia.core import dates
from tertulia.team.models import Shift, Skill

register = template.Library()


@register.simple_tag
def skill_name(names: dict[tuple[str, str], str], skill: Skill) -> str:
    """How what somebody knows is called on the page: «Inglés» for en, «Nuestra página» for site."""
    return names.get((skill.kind, skill.value), skill.value)


@register.filter
def week(shifts: Iterable[Shift]) -> list[str]:
    """Shifts in few words, days with the same hours together: «lun–vie 08:30–17:00», «sáb 08:30–14:30»."""
    days: dict[int, list[str]] = {}
    for shift in sorted(shifts, key=lambda one: (one.weekday, one.starts)):
        days.setdefault(shift.weekday, []).append(f"{shift.starts:%H:%M}–{shift.ends:%H:%M}")
    runs: list[tuple[int, int, str]] = []
    for day, hours in days.items():
        text = ", ".join(hours)
        if runs and runs[-1][1] == day - 1 and runs[-1][2] == text:
            runs[-1] = (runs[-1][0], day, text)
        else:
            runs.append((day, day, text))
    return [f"{_days(first, last)} {text}" for first, last, text in runs]


def _days(first: int, last: int) -> str:
    names = [short for short, _whole in dates.weekdays()]
    return names[first] if first == last else f"{names[first]}–{names[last]}"
