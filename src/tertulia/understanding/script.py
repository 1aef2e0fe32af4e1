"""Which writing a text is in: what the model of languages, which knows Latin letters, can't tell."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Final

UNKNOWN: Final = "und"
"""No language could be told (ISO 639-2, undetermined)."""

_LOOKED_AT = 200
"""Letters."""

_BY_SCRIPT: Final = {
    "ARABIC": ("ar", 0.8), "HEBREW": ("he", 0.9), "GREEK": ("el", 0.95), "CYRILLIC": ("ru", 0.6),
    "CJK": ("zh", 0.9), "HIRAGANA": ("ja", 0.99), "KATAKANA": ("ja", 0.99), "HANGUL": ("ko", 0.99),
    "THAI": ("th", 0.99), "DEVANAGARI": ("hi", 0.6), "BENGALI": ("bn", 0.8), "TAMIL": ("ta", 0.99),
    "ARMENIAN": ("hy", 0.99), "GEORGIAN": ("ka", 0.95), "ETHIOPIC": ("am", 0.7),
}  # fmt: skip
"""The language most written in it, and how sure that is."""


def language_by_script(text: str) -> tuple[str, float] | None:
    """The language and how sure it is when most letters aren't Latin; `und` and 0 when there are no letters at all."""
    letters = _letters(text)
    if not letters:
        return UNKNOWN, 0.0
    if sum(sign < "\u0250" for sign in letters) * 2 >= len(letters):
        return None
    scripts = Counter(unicodedata.name(sign, "?").split(" ")[0].split("-")[0] for sign in letters)
    del scripts["LATIN"]
    if scripts["HIRAGANA"] or scripts["KATAKANA"]:  # Japanese uses Chinese signs as well
        return _BY_SCRIPT["HIRAGANA"]
    most, count = scripts.most_common(1)[0] if scripts else ("?", 0)
    language, how_sure = _BY_SCRIPT.get(most, (UNKNOWN, 0.0))
    return language, round(how_sure * count / len(letters), 3)


def has_letters(text: str) -> bool:
    """Whether there is anything a language could be told by."""
    return bool(_letters(text))


def _letters(text: str) -> list[str]:
    """As the model reads them: bold and full-width ones are the letters they stand for."""
    plain = unicodedata.normalize("NFKD", text[: 5 * _LOOKED_AT])
    return [sign for sign in plain if sign.isalpha()][:_LOOKED_AT]
