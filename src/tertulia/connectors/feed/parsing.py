"""What a feed or a page says, as plain data. Runs in a process of its own, called by name through `core.sandbox`."""

from __future__ import annotations

import calendar
import io
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import feedparser

from tertulia.core.outcomes import BadPayload

MOST_ITEMS = 500
MOST_TEXT = 100_000
MOST_LINKS = 20
NEITHER = "It is neither a feed nor a page that names one."
_END = re.compile(rb"</(?:[\w.-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr"})
_SILENT = frozenset({"script", "style", "template"})


def read(payload: bytes) -> dict[str, Any]:
    """`payload` is the address and the media type, each on a line, and what came from there.

    Gives {"title", "link", "items"} of a feed, or {"links"} of a page that names feeds.
    """
    address, media_type, body = payload.split(b"\n", 2)
    if not body.strip():
        raise BadPayload(NEITHER)
    headers = {"content-location": address.decode(), "content-type": media_type.decode()}
    # As a stream: bytes alone that look like an address or a file's name would be fetched from there.
    found = feedparser.parse(io.BytesIO(shortened(body)), response_headers=headers, sanitize_html=False)
    if not found.version:
        links = links_of(body, address.decode())
        if not links:
            raise BadPayload(NEITHER)
        return {"links": links}
    feed = found.feed
    items = [_item(entry) for entry in found.entries[:MOST_ITEMS]]
    return {"title": _word(feed.get("title")), "link": _word(feed.get("link")), "items": items}


def shortened(body: bytes) -> bytes:
    """No more items than are read: a parser needs minutes for a hundred thousand."""
    ends = [end.end() for end in _END.finditer(body)]
    return body[: ends[MOST_ITEMS - 1]] + body[ends[-1] :] if len(ends) > MOST_ITEMS else body


def _item(entry: Any) -> dict[str, Any]:
    content = next((one for one in entry.get("content", []) if one.get("value")), None) or entry.get("summary_detail")
    content = content or {}
    value = _word(content.get("value"))
    is_html = content.get("type") != "text/plain"
    author = entry.get("author_detail") or {}
    answered = entry.get("thr_in-reply-to") or {}
    return {
        "id": _word(entry.get("id")),
        "link": _word(entry.get("link")),
        "title": text_of(_word(entry.get("title"))).replace("\n", " "),
        "author": _word(author.get("name")) or _word(entry.get("author")),
        "email": _word(author.get("email")),
        "html": value if is_html else "",
        "text": text_of(value) if is_html else value[:MOST_TEXT],
        "published": _moment(entry.get("published_parsed") or entry.get("created_parsed")),
        "updated": _moment(entry.get("updated_parsed") if "updated" in entry else None),
        "answers": _word(answered.get("href")) or _word(answered.get("ref")),
        "files": [_file(one) for one in entry.get("enclosures", [])[:10]],
    }


def _file(enclosure: Any) -> dict[str, str]:
    return {"url": _word(enclosure.get("href")), "type": _word(enclosure.get("type"))}


def _word(value: Any) -> str:
    return value.replace("\x00", "").encode(errors="ignore").decode().strip() if isinstance(value, str) else ""


def _moment(parsed: Any) -> int | None:
    try:
        return calendar.timegm(parsed) if parsed else None
    except (ValueError, OverflowError, TypeError):
        return None


def text_of(html: str) -> str:
    """The words of a piece of HTML, a line for each block."""
    if "<" not in html and "&" not in html:
        return html[:MOST_TEXT]
    reader = _Words()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.words).splitlines())
    return "\n".join(line for line in lines if line)[:MOST_TEXT]


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._silent += tag in _SILENT
        if tag in _BLOCKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        if tag in _BLOCKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def links_of(body: bytes, address: str) -> list[dict[str, str]]:
    """The feeds that a page names, in its order."""
    reader = _Links(address)
    reader.feed(body.decode("utf-8", "replace"))
    return reader.links[:MOST_LINKS]


class _Links(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[dict[str, str]] = []
        self._base = address

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "base" and said.get("href"):
            self._base = urljoin(self._base, said["href"])
        is_feed = said.get("type", "").partition(";")[0].strip().lower() in {
            "application/rss+xml",
            "application/atom+xml",
            "application/rdf+xml",
        }
        if tag == "link" and is_feed and "alternate" in said.get("rel", "").lower().split():
            url = urljoin(self._base, said.get("href", "").strip())
            if url.startswith(("http://", "https://")):
                self.links.append({"url": url, "title": _word(said.get("title"))[:200]})
