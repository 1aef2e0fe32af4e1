"""Links, mentions and tags inside a text. The network points at them by UTF-8 bytes, not by characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

Resolve = Callable[[str], str]

LINK = re.compile(r"(?<![\w/])https?://[^\s<>\"]+", re.IGNORECASE)
MENTION = re.compile(
    r"(?<![\w.@/])@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)", re.I
)
TAG = re.compile(r"(?<!\S)[#\uff03](?=\S*[^\W\d_])([^\s#\uff03]+)")
ENDING = ".,;:!?…'\"»”’"
LONGEST_TAG = 64


def detect(text: str, resolve: Resolve) -> list[dict[str, Any]]:
    """The facets of a text. `resolve` gives the DID of a handle, or "" for nobody's: that one stays plain text."""
    found = [*_links(text), *_mentions(text, resolve), *_tags(text)]
    facets: list[dict[str, Any]] = []
    end = 0
    for start, stop, feature in sorted(found, key=lambda one: one[:2]):
        if start >= end:
            index = {"byteStart": len(text[:start].encode()), "byteEnd": len(text[:stop].encode())}
            facets.append({"index": index, "features": [feature]})
            end = stop
    return facets


def _links(text: str) -> Iterator[tuple[int, int, dict[str, str]]]:
    for match in LINK.finditer(text):
        address = _without_ending(match[0])
        yield (
            match.start(),
            match.start() + len(address),
            {"$type": "app.bsky.richtext.facet#link", "uri": address},
        )


def _without_ending(address: str) -> str:
    """A sentence's own punctuation isn't part of the address, nor is a bracket that was opened before it."""
    while True:
        shorter = address.rstrip(ENDING)
        if shorter.endswith(")") and shorter.count("(") < shorter.count(")"):
            shorter = shorter[:-1]
        if shorter == address:
            return address
        address = shorter


def _mentions(text: str, resolve: Resolve) -> Iterator[tuple[int, int, dict[str, str]]]:
    for match in MENTION.finditer(text):
        if did := resolve(match[1].lower()):
            yield match.start(), match.end(), {"$type": "app.bsky.richtext.facet#mention", "did": did}


def _tags(text: str) -> Iterator[tuple[int, int, dict[str, str]]]:
    for match in TAG.finditer(text):
        tag = match[1].rstrip(ENDING + ")")
        if 0 < len(tag) <= LONGEST_TAG:
            yield match.start(), match.start(1) + len(tag), {"$type": "app.bsky.richtext.facet#tag", "tag": tag}


def html(text: str, facets: Any) -> str:
    """The text with its links, where their whole address isn't in the words; "" when it has none."""
    links = sorted(_addresses(facets))
    if not links:
        return ""
    raw = text.encode(errors="replace")
    parts, at = [], 0
    for start, end, address in links:
        if at <= start < end <= len(raw):
            words = escape(_decoded(raw[start:end]))
            parts.append(f'{escape(_decoded(raw[at:start]))}<a href="{escape(address)}">{words}</a>')
            at = end
    return "".join([*parts, escape(_decoded(raw[at:]))]).replace("\n", "<br>") if parts else ""


def _addresses(facets: Any) -> Iterator[tuple[int, int, str]]:
    for facet in facets if isinstance(facets, list) else []:
        index, features = (facet.get("index"), facet.get("features")) if isinstance(facet, dict) else (None, None)
        if not isinstance(index, dict) or not isinstance(features, list):
            continue
        start, end = index.get("byteStart"), index.get("byteEnd")
        if type(start) is not int or type(end) is not int:
            continue
        for feature in features:
            address = feature.get("uri") if isinstance(feature, dict) else None
            if isinstance(address, str) and address.startswith(("https://", "http://")) and "\0" not in address:
                yield start, end, address.encode(errors="replace").decode()


def _decoded(raw: bytes) -> str:
    return raw.decode(errors="replace")
