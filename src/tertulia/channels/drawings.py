"""Each channel's own drawing, from its connector's folder."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from tertulia.connectors import registry
from tertulia.connectors.contract import Connector


@cache
def channel_icon(kind: str) -> SafeString:
    """The drawing of this kind; the page carries each once (`channel_symbols`)."""
    return mark_safe(f'<svg class="icon" aria-hidden="true"><use href="#channel-{escape(kind)}"/></svg>')  # noqa: S308


@cache
def channel_symbols() -> SafeString:
    """Every connector's icon.svg as a symbol that `channel_icon` refers to."""
    symbols = [_symbol(key, _drawing(connector)) for key, connector in registry.all_connectors().items()]
    return mark_safe(f'<svg hidden aria-hidden="true">{"".join(symbols)}</svg>')  # noqa: S308 — installed code's own


def _drawing(connector: type[Connector]) -> str:
    folder = connector.__module__.rpartition(".")[0]
    file = resources.files(folder) / "icon.svg" if folder else None
    return file.read_text() if file and file.is_file() else ""


def _symbol(key: str, svg: str) -> str:
    box = re.search(r'viewBox="([\d\s.-]+)"', svg)
    inside = re.search(r"<svg\b[^>]*>(.*)</svg>", svg, re.DOTALL)
    drawing = inside[1] if inside else ""
    return f'<symbol id="channel-{escape(key)}" viewBox="{box[1] if box else "0 0 24 24"}">{drawing}</symbol>'
