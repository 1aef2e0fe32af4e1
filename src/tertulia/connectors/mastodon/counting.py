"""How long a text is to a Mastodon server: in characters as people see them, addresses and names shortened."""

from __future__ import annotations

import re

from tertulia.core.counting import graphemes

URL = re.compile(r"\bhttps?://[^\s<>\"]*[^\s<>\"'.,;:!?()\[\]{}»”’…]", re.IGNORECASE)
MENTION = re.compile(r"(?<![\w/@])@(\w++(?:[.-]++\w++)*+)@\w[\w.-]*\w")
URL_LENGTH = 23


def length(text: str, *, url_length: int = URL_LENGTH) -> int:
    """Every web address counts the same, and of @name@server only the name."""
    return graphemes(MENTION.sub(r"@\1", URL.sub("x" * url_length, text)))
