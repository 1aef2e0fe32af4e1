"""Small marks drawn the same everywhere: icons of the sprite, initials, the hues of labels."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from django.templatetags.static import static
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

TINTS = 6
HUE_STEP = 30
HUES = [
    (0, _("crimson")), (30, _("red")), (60, _("orange")), (90, _("yellow")), (120, _("lime")), (150, _("green")),
    (180, _("turquoise")), (210, _("sky")), (240, _("sea")), (270, _("blue")), (300, _("violet")), (330, _("pink")),
]  # fmt: skip
"""What labels and pillars are drawn in, by name."""


@lru_cache(maxsize=500)
def icon(name: str, size: str = "") -> SafeString:
    """A drawing of the sprite; `size` "small" or "large"."""
    classes = f"icon icon--{escape(size)}" if size else "icon"
    return mark_safe(  # noqa: S308 — every part is escaped
        f'<svg class="{classes}" aria-hidden="true"><use href="{_sprite()}#{escape(name)}"/></svg>'
    )


@cache
def logo() -> SafeString:
    use = f'<use href="{_sprite()}#tertulia"/>'
    return mark_safe(f'<svg class="logo" aria-hidden="true">{use}</svg>')  # noqa: S308


def avatar(person: Any, size: str = "") -> SafeString:
    """The initials of a user or a member, in a tint of their own; a dashed ring for nobody."""
    classes = f"avatar avatar--{escape(size)}" if size else "avatar"
    if person is None:
        name = escape(gettext("Nobody's"))
        return mark_safe(  # noqa: S308
            f'<span class="{classes} avatar--nobody" title="{name}"><span class="visually-hidden">{name}</span></span>'
        )
    return _avatar(person.pk, str(person), classes)


@lru_cache(maxsize=1_000)
def _avatar(key: int, name: str, classes: str) -> SafeString:
    return mark_safe(  # noqa: S308 — every part is escaped
        f'<span class="{classes}" data-tint="{tint(key)}" title="{escape(name)}">{escape(initials(name))}</span>'
    )


def initials(name: str) -> str:
    """«Lucía Ferrer» → LF, «Marisa» → M; letters only, so that an odd name stays two signs long."""
    words = [letters for word in name.split() if (letters := "".join(c for c in word if c.isalnum()))]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def tint(key: int) -> int:
    return key % TINTS + 1


def hue(value: Any) -> int:
    """The nearest of the twelve hues that labels are drawn in."""
    return round(int(value or 0) / HUE_STEP) * HUE_STEP % 360


@cache
def _sprite() -> str:
    return static("core/icons.svg")
