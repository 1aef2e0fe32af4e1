"""What a page says of itself in its head: its title and a line about it, for the card of a link."""

from __future__ import annotations

import re
from html.parser import HTMLParser

TITLE, ABOUT = 300, 500
"""The longest that is kept, in characters."""
_CHARSET = re.compile(rb"""<meta[^>]+charset=["']?([\w-]+)""", re.IGNORECASE)
_READABLE = re.compile(
    r"utf-?8|us-ascii|iso-8859-\d+|latin-?1|windows-125\d|koi8-[ru]|shift_jis|euc-(jp|kr)|gb(2312|k|18030)|big5"
)
"""What pages are really written in: Python knows more, some of which take very long or refuse what others accept."""
_NAMES = {"og:title": "title", "twitter:title": "title", "og:description": "about", "twitter:description": "about",
          "description": "about"}  # fmt: skip


def said(beginning: bytes, charset: str = "") -> tuple[str, str]:
    """The title and the description of a page of which this is the beginning; "" for what it doesn't say. `charset` as
    its server names it, else as it does itself."""
    head = _Head()
    head.feed(_text(beginning, charset))
    title = head.found.get("title") or "".join(head.title)
    return _line(title, TITLE), _line(head.found.get("about", ""), ABOUT)


def _text(content: bytes, charset: str) -> str:
    named = _CHARSET.search(content[:2048])
    charset = (charset or (named[1].decode() if named else "")).lower()
    return content.decode(charset if _READABLE.fullmatch(charset) else "utf-8", errors="replace")


def _line(text: str, longest: int) -> str:
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


class _Head(HTMLParser):
    """Whatever stands first of a kind counts: pages name the same thing in several ways."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.title: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title" and not self.title
        if tag == "meta":
            of = dict(attrs)
            name = _NAMES.get((of.get("property") or of.get("name") or "").lower())
            if name and (content := (of.get("content") or "").strip()):
                self.found.setdefault(name, content)

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
