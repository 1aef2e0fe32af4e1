"""The page kit's tags and filters."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, RadioSelect, Select
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language

from tertulia.core import clock, dates, devices, marks, rows, sentences

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """A drawing of the sprite: {% icon "inbox" %}, {% icon "check" "small" %}."""
    return marks.icon(name, size)


@register.simple_tag
def constant(template_name: str) -> SafeString:
    """A template that says the same to everybody, drawn once per language: {% constant "core/_styles.html" %}."""
    return _constant(template_name, get_language() or "")


@cache
def _constant(template_name: str, language: str) -> SafeString:
    return render_to_string(template_name)


@register.simple_tag(takes_context=True)
def drawn(context: Context, template_name: str, **more: Any) -> SafeString:
    """A part that every page shows, drawn by Jinja2: {% drawn "core/_topbar.jinja" %}. It sees all the page sees."""
    seen: dict[Any, Any] = context.flatten()
    return rows.draw(template_name, seen | more)


@register.simple_tag
def logo() -> SafeString:
    return marks.logo()


@register.simple_tag
def avatar(person: Any, size: str = "") -> SafeString:
    """The initials of a user or a member, in a tint of their own; a dashed ring for nobody."""
    return marks.avatar(person, size)


@register.simple_tag(takes_context=True)
def when(context: Context, moment: datetime | None, form: str = "short") -> SafeString | str:
    """A moment in the brand's zone: {% when message.sent_at %}; "hour", "day", "until", "full"."""
    if moment is None:
        return ""
    zone = _zone(context)
    if form == "full":
        text = dates.full(moment, zone=zone)
    elif form == "day":
        text = dates.on_day(moment, now=clock.now(), zone=zone)
    elif form == "until":
        text = dates.until(moment, now=clock.now(), zone=zone)
    elif form == "hour":
        text = dates.hour(moment, zone=zone)
    else:
        text = dates.short(moment, now=clock.now(), zone=zone)
    return dates.tag(moment, text, zone=zone)


@register.inclusion_tag("core/_field.html")
def field(bound: BoundField, kind: str = "") -> dict[str, Any]:
    """A form field with its label, hint and errors; "wide" takes the whole row of a form."""
    widget = bound.field.widget
    bound.field.widget.attrs.setdefault("aria-describedby", f"{bound.id_for_label}-says")
    if bound.errors:
        widget.attrs["aria-invalid"] = "true"
    if bound.form.errors:  # where to go on: the first that is wrong
        widget.attrs["autofocus"] = bound.name == next(iter(bound.form.errors))
    return {
        "field": bound,
        "kind": kind,
        "is_check": isinstance(widget, CheckboxInput),
        "is_choice": isinstance(widget, RadioSelect),
        "is_select": isinstance(widget, Select),  # its first entry says what leaving it means
    }


@register.filter
def calendar_day(on: date) -> str:
    """«22 nov.», and the year when it is another."""
    return dates.calendar_day(on, today=clock.now().date())


@register.filter
def told(why: str) -> str:
    """What an outcome says, in the reader's language."""
    return sentences.told(why)


@register.filter
def hue(value: Any) -> int:
    """The nearest of the twelve hues that labels are drawn in."""
    return marks.hue(value)


@register.filter
def span(minutes: int | None, in_hours: bool = False) -> str:
    """Minutes as people say them: «45 min», «2 h», «1 h 30 min»; {{ 2880|span:True }} is «48 h»."""
    return dates.span(minutes, in_hours=in_hours) if minutes else ""


@register.filter
def device(agent: str) -> str:
    """A browser as people call it: «Firefox en Windows»; what nobody knows, as it calls itself."""
    return devices.named(agent) or Truncator(agent).chars(60)


def _zone(context: Context) -> str:
    brand = context.get("brand")
    if brand is None and (brands := context.get("brands")):  # pages about oneself
        brand = brands[0]
    return brand.time_zone if brand is not None else "UTC"
