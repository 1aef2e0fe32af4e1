"""Words as they are compared: capitals, accents, invisible signs and punctuation make no difference."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """The words of a text in lower case without accents, with one space between; symbols (🎂) are words too."""
    return " ".join("".join(map(_sign, unicodedata.normalize("NFKD", text).casefold())).split())


def _sign(sign: str) -> str:
    if sign.isalnum():
        return sign
    kind = unicodedata.category(sign)
    if kind in ("Mn", "Me", "Cf"):
        return ""
    return f" {sign} " if kind in ("So", "Sc") else " "
