"""What people of a team can be said to know: lists that higher rooms offer, as they alone know them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand

from .models import Skill

Choice = tuple[str, str]
"""The value as it is kept, and how it is called."""
Source = Callable[[Brand], list[Choice]]

LANGUAGES: Final = [
    ("es", _("Spanish")),
    ("ca", _("Catalan")),
    ("gl", _("Galician")),
    ("eu", _("Basque")),
    ("en", _("English")),
    ("pt", _("Portuguese")),
    ("fr", _("French")),
    ("it", _("Italian")),
    ("de", _("German")),
    ("ar", _("Arabic")),
    ("ro", _("Romanian")),
    ("zh", _("Chinese")),
]

_sources: dict[str, Source] = {Skill.Kind.LANGUAGE: lambda brand: languages()}


def languages() -> list[Choice]:
    return [(code, str(name)) for code, name in LANGUAGES]


def offer(kind: str, source: Source) -> None:
    """Let a higher room list what can be known of a kind: the labels, the channels."""
    _sources[kind] = source


def choices(kind: str, brand: Brand) -> list[Choice]:
    return _sources[kind](brand) if kind in _sources else []


def names(brand: Brand) -> dict[tuple[str, str], str]:
    """How each value is called, by (kind, value)."""
    return {(kind, value): name for kind in _sources for value, name in choices(kind, brand)}
