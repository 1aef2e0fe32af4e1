"""Documents as PDF: a title, sections of texts and tables, page numbers, and a table of contents once it is long.

Set by Typst in the sandbox (`core.sandbox`), from our one template and plain data: what people wrote is handed over as
values and never becomes markup. Nothing is read but the template and the fonts that are named here, so the same data
give the same bytes on every machine. `made` is this side, `typesetting` the other one.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tertulia.core import sandbox

SECONDS = 30.0
MEMORY = 2 * 1024**3
"""Address space: the typesetter alone takes a part of it for its code, fonts and threads."""
LARGEST = 32 * 1024 * 1024
LONGEST_WORD = 48
"""Characters after which a word may be broken, so that none leaves the page."""
_LONG = re.compile(rf"\S{{{LONGEST_WORD}}}(?=\S)")


@dataclass(frozen=True, slots=True)
class Table:
    """Each row has as many cells as the head."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A headline, and below it texts (their line ends are kept) and tables, in their order."""

    title: str
    blocks: Sequence[str | Table]


@dataclass(frozen=True, slots=True)
class Document:
    """`language` ("es", "en") hyphenates and names the contents; `contents` is the headline above these."""

    title: str
    subtitle: str
    author: str
    language: str
    contents: str
    sections: Sequence[Section]


def made(document: Document, *, at: datetime) -> bytes:
    """The document as PDF, dated `at`. Raises `outcomes.BadPayload` with a sentence of the sandbox's when it is too
    much for it."""
    order = {"document": _breakable(asdict(document)), "at": int(at.timestamp())}
    said = sandbox.call(
        "tertulia.core.pdf.typesetting:typeset", json.dumps(order).encode(), seconds=SECONDS, memory=MEMORY,
        largest=LARGEST,
    )  # fmt: skip
    return b64decode(said)


def _breakable(data: Any) -> Any:
    """With a place to break, which nobody sees, in every word that is longer than a line."""
    if isinstance(data, str):
        return _LONG.sub("\\g<0>\u200b", data)
    if isinstance(data, dict):
        return {name: _breakable(value) for name, value in data.items()}
    return [_breakable(value) for value in data]
