"""How moments are written: short where space is short, whole with the zone on hover; quick to write."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.dates import MONTHS, MONTHS_AP, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext


def months_after(moment: datetime, months: int) -> datetime:
    """The same day so many months later (earlier, below 0), or the last of a month that is too short for it."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def short(moment: datetime, *, now: datetime, zone: str) -> str:
    """The hour today, then the day: «12:19», «ayer», «lun.», «22 nov.», «22 nov. 2025»."""
    local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    return f"{local:%H:%M}" if local.date() == today else short_day(local.date(), today=today)


def on_day(moment: datetime, *, now: datetime, zone: str) -> str:
    """The day as a point in a history: «hoy», «ayer», «22 nov.», «22 nov. 2025»."""
    on, today = moment.astimezone(ZoneInfo(zone)).date(), now.astimezone(ZoneInfo(zone)).date()
    if on == today:
        return gettext("today")
    return gettext("yesterday") if on == today - timedelta(days=1) else _date(on, today)


def short_day(on: date, *, today: date) -> str:
    """«ayer», «mañana», «lun.» within a week, else «22 nov.» and the year when it is another."""
    days = (today - on).days
    if abs(days) == 1:
        return gettext("yesterday") if days == 1 else gettext("tomorrow")
    names = _names(get_language() or "en")
    if 0 < abs(days) < 7:
        return names.weekdays_short[on.weekday()]
    return _date(on, today)


def calendar_day(on: date, *, today: date) -> str:
    """«22 nov.», and the year when it is another; however near it is."""
    return _date(on, today)


def _date(on: date, today: date) -> str:
    month = _names(get_language() or "en").months_short[on.month]
    return f"{on.day} {month} {on.year}" if on.year != today.year else f"{on.day} {month}"


def until(moment: datetime, *, now: datetime, zone: str) -> str:
    """A moment to come, with its hour: «11:45», «mañana 09:00», «22 nov. 09:00»."""
    local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    return f"{local:%H:%M}" if local.date() == today else f"{short_day(local.date(), today=today)} {local:%H:%M}"


def hour(moment: datetime, *, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


def full(moment: datetime, *, zone: str) -> str:
    """«domingo, 22 de noviembre de 2026, 12:19 (Europe/Madrid)»."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{day(local.date())}, {local:%H:%M} ({zone})"


def day(on: date) -> str:
    """«domingo, 22 de noviembre de 2026»."""
    return _day(on, get_language() or "en")


@lru_cache(maxsize=1_000)
def _day(on: date, language: str) -> str:
    names = _names(language)
    weekday, month = names.weekdays[on.weekday()], names.months[on.month]
    return names.day.format(weekday=weekday, day=on.day, month=month, year=on.year)


def day_heading(on: date, *, today: date) -> str:
    """How a day is called in a thread: «Hoy», «Ayer», or its date with a capital."""
    if on == today:
        return gettext("Today")
    if on == today - timedelta(days=1):
        return gettext("Yesterday")
    names = _names(get_language() or "en")
    weekday, month = names.weekdays[on.weekday()], names.months[on.month]
    form = names.day_this_year if on.year == today.year else names.day
    words = form.format(weekday=weekday, day=on.day, month=month, year=on.year)
    return words[:1].upper() + words[1:]


def weekdays() -> list[tuple[str, str]]:
    """Monday first, each short and whole: («lun.», «lunes»)."""
    names = _names(get_language() or "en")
    return list(zip(names.weekdays_short, names.weekdays, strict=True))


def month(on: date) -> str:
    """«Noviembre de 2026»."""
    names = _names(get_language() or "en")
    words = names.month_year.format(month=names.months[on.month], year=on.year)
    return words[:1].upper() + words[1:]


def days(first: date, last: date) -> str:
    """«23 nov. – 29 nov. 2026»."""
    names = _names(get_language() or "en")
    begins, ends = f"{first.day} {names.months_short[first.month]}", f"{last.day} {names.months_short[last.month]}"
    return f"{begins} – {ends} {last.year}"


def span(minutes: int, *, in_hours: bool = False) -> str:
    """«14 min», «1 h 5 min», «3 d» where they are whole; with `in_hours` «72 h», for hours that are no whole day's."""
    if minutes < 60:
        return f"{minutes} min"
    if in_hours or minutes % (24 * 60):
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} d"


_UNITS = {
    1: ("", "m", "min", "mins", "minuto", "minutos", "minute", "minutes"),
    60: ("h", "hs", "hora", "horas", "hour", "hours"),
    24 * 60: ("d", "día", "días", "dia", "dias", "day", "days"),
}
_SPAN = re.compile(r"(\d+(?:[.,]\d+)?)\s*([^\W\d]*)")


def minutes(text: str) -> int:
    """How long people mean by «30», «30 min», «1 h 30», «1,5 horas» or «2 días». Raises `ValueError`."""
    by = {name: unit for unit, names in _UNITS.items() for name in names}
    said = _SPAN.findall(text[:40].casefold())
    if not said or _SPAN.sub("", text.casefold()).strip() or any(unit not in by for _number, unit in said):
        raise ValueError(text)
    return round(sum(float(number.replace(",", ".")) * by[unit] for number, unit in said))


def tag(moment: datetime, text: str, *, zone: str) -> SafeString:
    """A <time> that says `text`, with the whole date and its zone on hover."""
    title = escape(full(moment, zone=zone))
    return mark_safe(  # noqa: S308 — every part is escaped
        f'<time datetime="{moment.isoformat()}" title="{title}">{escape(text)}</time>'
    )


class _Names:
    """The names of one language, resolved once: lazy translations in a loop cost more than the query."""

    def __init__(self, language: str) -> None:
        self.weekdays = [str(WEEKDAYS[i]) for i in range(7)]
        self.weekdays_short = [str(WEEKDAYS_ABBR[i]) for i in range(7)]
        self.months = {i: str(MONTHS[i]) for i in range(1, 13)}
        self.months_short = {i: str(MONTHS_AP[i]) for i in range(1, 13)}
        if language.startswith("en"):  # «3 Nov»: with the day before the month nobody writes the dot
            self.months_short = {i: name.removesuffix(".") for i, name in self.months_short.items()}
        else:  # the catalogue writes them with a capital, as nobody does in a sentence
            self.weekdays = [name.lower() for name in self.weekdays]
            self.weekdays_short = [name.lower() for name in self.weekdays_short]
            self.months_short = {i: name.lower() for i, name in self.months_short.items()}
        self.day = gettext("{weekday}, {day} {month} {year}")
        self.month_year = gettext("{month} {year}")
        self.day_this_year = gettext("{weekday}, {day} {month}")


@lru_cache(maxsize=8)
def _names(language: str) -> _Names:
    return _Names(language)
