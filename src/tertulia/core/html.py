"""The one HTML renderer. Whatever a stranger wrote passes here, last of all, before any page, mail or export."""

from __future__ import annotations

import re
from html import unescape

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

MAX_HTML = 300_000
"""Characters of HTML worth cleaning; of anything longer the plain text is shown."""
MAX_DEPTH = 100
"""nh3 takes time that grows with the square of the nesting: 100,000 nested elements hold it for minutes."""

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub",
    "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
_REL = "noopener noreferrer nofollow ugc"
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)[^>]*>?")
_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`{}|\\^\u200b-\u200f\u202a-\u202e]{1,2000}", re.IGNORECASE)
_TRAILING = ".,;:!?)]}»”’…"
# Controls have no place in a text; PostgreSQL refuses NUL altogether, and lone surrogates can't be stored at all.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def tidy(text: str) -> str:
    """The text as it may be stored: no controls, no lone surrogates, line ends as \\n."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def render(text: str, html: str = "") -> SafeString:
    """What a stranger wrote as safe HTML: their HTML cleaned, or their plain text with its links.

    No image is loaded and no attribute survives but the few above, so nothing can run, phone home or look like ours.
    """
    if html and len(html) <= MAX_HTML:
        return _clean(html)
    return _from_text(text or unescape(_TAG.sub(" ", html[:MAX_HTML])))


def _clean(html: str) -> SafeString:
    cleaned = nh3.clean(
        _cut_nesting(html),
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "template", "noscript", "iframe", "svg", "math"},
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=_REL,
        strip_comments=True,
    )
    return mark_safe(cleaned)  # noqa: S308 — the one place where cleaned HTML is declared safe


def _cut_nesting(html: str) -> str:
    """Leave out the elements that would stand deeper than `MAX_DEPTH`."""
    stack: list[str] = []

    def keep(match: re.Match[str]) -> str:
        name = match[2].lower()
        if name in _VOID:
            return match[0]
        if not match[1]:
            if len(stack) >= MAX_DEPTH:
                return ""
            stack.append(name)
        elif name in stack:
            while stack.pop() != name:
                pass
        return match[0]

    return _TAG.sub(keep, html)


def _from_text(text: str) -> SafeString:
    parts: list[str] = []
    end = 0
    for match in _ADDRESS.finditer(text):
        address = match[0].rstrip(_TRAILING)
        parts.append(escape(text[end : match.start()]))
        parts.append(f'<a href="{escape(address)}" rel="{_REL}">{escape(address)}</a>')
        end = match.start() + len(address)
    parts.append(escape(text[end:]))
    paragraphs = re.split(r"\n{2,}", "".join(parts).strip("\n"))
    body = "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)
    return mark_safe(body)  # noqa: S308 — everything was escaped above
