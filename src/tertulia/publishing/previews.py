"""How a part of a post looks on its network: cut where that cuts it, its words with their marks, the card of its link.
Nothing is fetched for it: of the linked page it shows what is known since its address was asked, but its picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from tertulia.connectors.contract import Card, Look

from . import addresses


@dataclass(frozen=True, slots=True)
class Run:
    """Some signs of a text that look the same."""

    text: str
    kind: Literal["text", "link", "mark"] = "text"
    """A "mark" is a name or a tag: what a network colours."""


@dataclass(frozen=True, slots=True)
class View:
    """`rest` is what one sees after asking for more; `card` the host of the linked page that the network shows, and
    `page` what is known of it."""

    head: Sequence[Run]
    rest: Sequence[Run]
    card: str
    page: Card | None
    most_pictures: int
    """So many are seen at once; the `others` are counted on the last."""
    others: int


def view(said: Mapping[str, Any], look: Look, *, leads_to: str, page: Card | None = None) -> View:
    """`leads_to` is the text with the addresses that its own links lead to."""
    head, rest = cut(said["text"], look)
    is_bare = not said["pictures"] and not said.get("poll") and not said.get("warning")
    card = _host(leads_to) if look.card and is_bare else ""
    many = len(said["pictures"])
    most = 1 if look.grid == "carousel" else 4 if look.shape == "post" else many
    return View(list(runs(head)), list(runs(rest)), card, page if card else None, most, max(0, many - most))


def cut(text: str, look: Look) -> tuple[str, str]:
    """What is seen of it at first, and the rest."""
    if look.signs and len(text) > look.signs:
        at = text.rfind(" ", 0, look.signs + 1)
        at = at if at > look.signs // 2 else look.signs
        return text[:at], text[at:]
    if not look.lines:
        return text, ""
    ends = list(_line_ends(text, look.wide))
    if len(ends) <= look.over:
        return text, ""
    at = ends[look.lines - 1]
    return text[:at].rstrip("\n"), text[at:]


def _line_ends(text: str, wide: int) -> Iterator[int]:
    """Where each line ends on a page so wide, words kept whole where they can be."""
    at = 0
    for line in text.split("\n"):
        end = at + len(line)
        while end - at > wide:
            blank = text.rfind(" ", at + 1, at + wide + 1)
            at = blank + 1 if blank > at else at + wide
            yield at
        yield end
        at = end + 1


_MARK = re.compile(r"(?<![\w@/#.])(?:#\w*[^\W\d_]\w*|@[\w.+=-]*\w(?:[@:][\w.-]*\w)?)")


def runs(text: str) -> Iterator[Run]:
    last = 0
    for begin, end in addresses.found(text):
        yield from _marked(text[last:begin])
        yield Run(text[begin:end], "link")
        last = end
    yield from _marked(text[last:])


def _marked(text: str) -> Iterator[Run]:
    last = 0
    for found in _MARK.finditer(text):
        if last < found.start():
            yield Run(text[last : found.start()])
        yield Run(found[0], "mark")
        last = found.end()
    if text[last:]:
        yield Run(text[last:])


def _host(text: str) -> str:
    for address in addresses.listed(text):
        try:
            return (urlsplit(address).hostname or "").removeprefix("www.")
        except ValueError:
            continue
    return ""
