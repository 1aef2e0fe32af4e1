"""The one HTML renderer. Whatever a stranger wrote passes here, last of all, before any page, mail or export."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import unquote

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

MAX_HTML = 300_000
"""Characters of HTML worth cleaning; of anything longer the plain text is shown."""
MAX_DEPTH = 100
"""nh3 takes time that grows with the square of the nesting: 100,000 nested elements hold it for minutes."""

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong",
    "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
    "img": {"src", "alt", "width", "height"},
}
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_REL = "noopener noreferrer nofollow ugc"
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)[^>]*>?")
_DECLARATION = re.compile(r"<[!?][^<>]*>")
_HALF_A_TAG = re.compile(r"<(?!/?[a-zA-Z][^<>]*>)")
_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`{}|\\^\u200b-\u200f\u202a-\u202e]{1,2000}", re.IGNORECASE)
_CLEANED_TAG = re.compile(r'<[a-z/](?:[^">]|"[^"]*")*>')
_CLEANED_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')
_SIDE = re.compile(r"[1-9]\d{0,3}")
_TRAILING = ".,;:!?)]}»”’…"
# Controls have no place in a text; PostgreSQL refuses NUL altogether, and lone surrogates can't be stored at all.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def tidy(text: str) -> str:
    """The text as it may be stored: no controls, no lone surrogates, line ends as \\n."""
    if text.isprintable():
        return text  # as most are: this costs a tenth
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def whole_tags(html: str) -> str:
    """The HTML for Python's own parser: what opens no whole tag is text, and comments are gone.

    That parser looks to the end for the end of each tag and comment: of a megabyte of "<a <a <a" it takes hours.
    """
    return _HALF_A_TAG.sub("&lt;", _DECLARATION.sub("", html))


Picture = Callable[[str], str]
"""The address in our own house of the picture that came along under this name; "" when there is none to show."""


def render(text: str, html: str = "", picture: Picture = lambda name: "") -> SafeString:
    """What a stranger wrote as safe HTML: their HTML cleaned, or their plain text with its links.

    No attribute survives but the few above, and no picture is loaded but what came along and `picture` knows, so
    nothing can run, phone home or look like ours. Where a picture isn't shown its description stands in its place.
    """
    if html and len(html) <= MAX_HTML:
        return _clean(html, picture)
    return _from_text(text or unescape(_TAG.sub(" ", html[:MAX_HTML])))


def _named(address: str) -> str:
    """The name in an address of something that came along (`cid:`, RFC 2392); "" in any other."""
    scheme, _, name = address.strip().partition(":")
    return unquote(name) if scheme.lower() == "cid" else ""


def _clean(html: str, picture: Picture) -> SafeString:
    cleaned = nh3.clean(
        _cut_nesting(html),
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "template", "noscript", "iframe", "svg", "math"},
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        url_relative="deny",  # it would lead into our own house, or to another by the scheme of our page
        link_rel=_REL,
        strip_comments=True,
        attribute_filter=_apart,
    )
    if "<img" in cleaned:
        cleaned = _CLEANED_TAG.sub(lambda tag: _placed(tag, picture), cleaned)
    return mark_safe(cleaned)  # noqa: S308 — the one place where cleaned HTML is declared safe


def _apart(_tag: str, attribute: str, value: str) -> str | None:
    """Pictures have names alone and links have none: no address elsewhere ever stands in a `src`."""
    if attribute in {"href", "src"} and bool(_named(value)) is not (attribute == "src"):
        return None
    return value


def _placed(tag: re.Match[str], picture: Picture) -> str:
    """A picture's own address, or its description. The tags are as nh3 writes them: that is what makes this safe."""
    if not tag[0].startswith("<img"):
        return tag[0]
    said = dict(_CLEANED_ATTRIBUTE.findall(tag[0]))
    name = _named(unescape(said.get("src", "")))
    address = picture(name) if name else ""
    if not address:
        return escape(unescape(said.get("alt", "")))
    sides = "".join(f' {side}="{said[side]}"' for side in ("width", "height") if _SIDE.fullmatch(said.get(side, "")))
    return f'<img src="{escape(address)}" alt="{said.get("alt", "")}"{sides} loading="lazy">'


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
