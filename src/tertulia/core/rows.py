"""The Jinja2 environment for what every page shows or a page shows by the dozen, where Django's own templates cost more
than the database."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from django.template import engines
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from jinja2 import Environment
from markupsafe import Markup, escape

from . import marks


def environment(**options: Any) -> Environment:
    env = Environment(**{"autoescape": True, **options})  # noqa: S701 — always on
    env.globals |= {"icon": marks.icon, "logo": marks.logo, "avatar": marks.avatar, "url": url}
    return env


def draw(template_name: str, values: Mapping[str, Any]) -> SafeString:
    """A template of this environment, in the reader's language."""
    words = _words(get_language() or "")
    drawn: str = _template(template_name).render({**values, "_": words.__getitem__})
    return mark_safe(drawn)  # noqa: S308 — Jinja2 escapes


@cache
def _template(name: str) -> Any:
    engine: Any = engines["jinja2"]
    return engine.env.get_template(name)


class _Words(dict[str, Markup]):
    """The texts of the templates in one language, each looked up once."""

    def __missing__(self, text: str) -> Markup:
        self[text] = escape(gettext(text))
        return self[text]


@cache
def _words(_language: str) -> _Words:
    return _Words()


def url(name: str, *args: Any) -> str:
    """An address as `reverse` says it, empty where there is none; always the same, so asked once."""
    return _url(name, args, get_script_prefix(), get_urlconf())


@lru_cache(maxsize=2_000)
def _url(name: str, args: tuple[Any, ...], _prefix: str, urlconf: str | None) -> str:
    try:
        return reverse(name, urlconf, args)
    except NoReverseMatch:
        return ""
