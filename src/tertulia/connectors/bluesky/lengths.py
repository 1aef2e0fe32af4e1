"""How the network counts a text: 300 signs as people see them, and 3,000 bytes."""

from __future__ import annotations

from unicodedata import category

JOINER = "\u200d"
BYTES_A_SIGN = 10
"""3,000 bytes for 300 signs, 10,000 for 1,000: one number can stand for both limits."""


def length(text: str) -> int:
    """The larger of both counts, bytes ten to a sign: not above the limit in signs means that both limits hold."""
    return max(graphemes(text), -(-len(text.encode(errors="replace")) // BYTES_A_SIGN))


def graphemes(text: str) -> int:
    """Signs as people see them (Unicode's grapheme clusters).

    Where the standard needs tables that Python lacks (conjuncts of Indian scripts) it counts more, never less.
    """
    count = flags = 0
    first = last = ""
    for sign in text:
        flags = flags + 1 if _is_flag_letter(sign) else 0
        if not _continues(first, last, sign) and (flags == 0 or flags % 2):
            count += 1
            first = sign
        last = sign
    return count


def _continues(first: str, last: str, sign: str) -> bool:
    """Whether it belongs to the cluster that began with `first` and so far ends with `last`."""
    if not last:
        return False
    if category(last) in {"Cc", "Zl", "Zp"}:
        return last == "\r" and sign == "\n"
    if sign == JOINER or category(sign) in {"Mn", "Me", "Mc"} or _is_modifier(sign):
        return True
    if last == JOINER:
        return _is_picture(first) and _is_picture(sign)
    return _is_hangul_syllable(last, sign)


def _is_flag_letter(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def _is_modifier(sign: str) -> bool:
    """Skin tones, the letters of a region's flag, and what only keeps letters apart."""
    return "\U0001f3fb" <= sign <= "\U0001f3ff" or "\U000e0020" <= sign <= "\U000e007f" or sign == "\u200c"


def _is_picture(sign: str) -> bool:
    return category(sign) == "So" or sign in "‼⁉↔↕" or "\U0001f000" <= sign <= "\U0001faff"


def _is_hangul_syllable(before: str, sign: str) -> bool:
    """Korean letters that are written into one block."""
    if "\u1100" <= before <= "\u115f":
        return "\u1100" <= sign <= "\u11a7" or "\uac00" <= sign <= "\ud7a3"
    has_vowel = "\u1160" <= before <= "\u11a7" or ("\uac00" <= before <= "\ud7a3" and (ord(before) - 0xAC00) % 28 == 0)
    return (has_vowel and "\u1160" <= sign <= "\u11ff") or (
        ("\u11a8" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3") and "\u11a8" <= sign <= "\u11ff"
    )
