"""How long a text is to a Mastodon server: in characters as people see them, addresses and names shortened."""

from __future__ import annotations

import re
import unicodedata

URL = re.compile(r"\bhttps?://[^\s<>\"]*[^\s<>\"'.,;:!?()\[\]{}»”’…]", re.IGNORECASE)
MENTION = re.compile(r"(?<![\w/@])@(\w+(?:[\w.-]*\w)?)@\w[\w.-]*\w")
URL_LENGTH = 23
ZWJ = "\u200d"


def length(text: str, *, url_length: int = URL_LENGTH) -> int:
    """Every web address counts the same, and of @name@server only the name."""
    return graphemes(MENTION.sub(r"@\1", URL.sub("x" * url_length, text)))


def graphemes(text: str) -> int:
    """Characters as people see them: an emoji with all that belongs to it is one, a letter with its accents too."""
    count = flags = 0
    previous = ""
    for sign in text:
        is_flag = "\U0001f1e6" <= sign <= "\U0001f1ff"
        flags = flags + 1 if is_flag else 0
        if not previous or not _belongs(sign, previous, second_of_flag=flags % 2 == 0 and is_flag):
            count += 1
        previous = sign
    return count


def _belongs(sign: str, previous: str, *, second_of_flag: bool) -> bool:
    """Whether a sign goes on with the character before it."""
    if previous == "\r":
        return sign == "\n"
    if previous in "\n" or sign in "\r\n":
        return False
    if second_of_flag or sign in (ZWJ, "\u200c") or previous == ZWJ:
        return True
    if "\U0001f3fb" <= sign <= "\U0001f3ff" or "\U000e0020" <= sign <= "\U000e007f":
        return True  # a skin colour, the letters of a region's flag
    if "\u1160" <= sign <= "\u11ff":
        return "\u1100" <= previous <= "\u11ff" or "\uac00" <= previous <= "\ud7a3"  # a Korean syllable in its parts
    return unicodedata.category(sign) in {"Mn", "Me", "Mc"}
