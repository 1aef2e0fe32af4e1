"""How long networks take a text to be. Each counts by a rule of its own, and `len` is none of them."""

from __future__ import annotations

import re
from unicodedata import normalize

from wcwidth import iter_graphemes

X_ADDRESS = 23
"""What every web address counts on X, however long it is."""
_X_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Of the signs in these ranges one counts one, of all others two (twitter-text, config/v3.json)."""
_X_LINK = re.compile(
    r"(?<![\w@#$/.-])(?:https?://[^\s<>\"]+|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:com|org|net|info|biz|edu|gov|int|mil|app|dev|shop|store|online|site|blog|cat|gal|eus|xyz)\b"
    r"(?:[/?#][^\s<>\"]*)?|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2}(?=/)[^\s<>\"]*)",
    re.IGNORECASE,
)
_ENDING = ".,;:!?…'\"»”’)]}"
_EMOJI = re.compile(
    "[\u203c\u2049\u20e3\u2139\u231a-\u23ff\u25aa-\u27bf\u2934-\u2b55\u3030\u303d\u3297\u3299]|[\U0001f000-\U0001faff]"
)
_AS_PICTURE, _AS_TEXT = "\ufe0f", "\ufe0e"


def graphemes(text: str) -> int:
    """Signs as people see them (Unicode's extended grapheme clusters, UAX 29): Mastodon, Bluesky."""
    return sum(1 for _ in iter_graphemes(text))


def utf8(text: str) -> int:
    """Bytes: Matrix, YouTube, and Bluesky's second limit."""
    return len(text.encode(errors="replace"))


def utf16(text: str) -> int:
    """Code units, of which an emoji takes two or more: Telegram."""
    return len(text.encode("utf-16-le", errors="replace")) // 2


def x_weighted(text: str) -> int:
    """As X counts (twitter-text, weighted, version 3): an address 23, an emoji with all that belongs to it 2, a Latin
    letter 1, most others 2. Names without http:// are taken for addresses by the commonest endings only."""
    text = normalize("NFC", text)
    length = at = 0
    for link in _X_LINK.finditer(text):
        length += _x_plain(text[at : link.start()]) + X_ADDRESS * 100
        at = link.start() + len(_without_ending(link[0]))
    return (length + _x_plain(text[at:])) // 100


def _x_plain(text: str) -> int:
    return sum(200 if _is_emoji(sign) else sum(map(_x_weight, sign)) for sign in iter_graphemes(text))


def _x_weight(sign: str) -> int:
    return 100 if any(first <= ord(sign) <= last for first, last in _X_LIGHT) else 200


def _is_emoji(cluster: str) -> bool:
    if _AS_TEXT in cluster:
        return False
    return _AS_PICTURE in cluster or bool(_EMOJI.search(cluster))


def _without_ending(address: str) -> str:
    """A sentence's own punctuation isn't part of the address, nor is a bracket that was opened before it."""
    while address[-1:] in _ENDING and not (address.endswith(")") and address.count("(") >= address.count(")")):
        address = address[:-1]
    return address
