"""Takes secrets out of a text before it is logged, stored or shown: whatever looks like one is masked."""

from __future__ import annotations

import re

from django.db import Error as DatabaseFailure

MASK = "•••"
LONGEST = 500

# Each begins where a run of signs begins, never inside of it: a run is read once, however long it is.
_PATTERNS = (
    # https://user:password@host
    (re.compile(r"(?<=://)[^/\s@]+@"), f"{MASK}@"),
    # the whole query: tokens, codes and signatures travel in it
    (
        re.compile(r"(https?://[^\s?#'\"]*+)([?#][^\s'\"]*+)?"),
        lambda found: found[1] + (f"?{MASK}" if found[2] else ""),
    ),
    (re.compile(r"(?i)\b(bearer|basic|token|digest)\s++[\w.~+/=-]{6,}"), rf"\1 {MASK}"),
    (
        re.compile(
            r"(?i)((?<![\w-])(?=[\w-]*?(?:password|passwd|secret|token|api[_-]?key|authorization|signature|cookie))[\w-]++"
            r"[\"']?\s*+[:=]\s*+)(\"[^\"]*\"|'[^']*'|[^\s,;&}]+)"
        ),
        rf"\1{MASK}",
    ),
    # a long run of random signs that holds both letters and digits
    (re.compile(r"(?<![\w+/=-])([+/=-]*+)(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[\w+/=-]{24,}"), rf"\1{MASK}"),
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def redact(text: str, *, longest: int = LONGEST) -> str:
    """One printable line, without what looks like a secret, cut to `longest` signs."""
    text = without_secrets(without_control(text[: longest * 8]))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def without_secrets(text: str) -> str:
    """The text with whatever looks like a secret masked."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def without_control(text: str) -> str:
    """One line, without signs that would move a terminal's cursor."""
    return _CONTROL.sub(" ", text)


def words_of(error: BaseException) -> str:
    """What an error says, without the rows it quotes: below its first line PostgreSQL shows what it was given."""
    text = str(error)
    return text.partition("\n")[0] if isinstance(error, DatabaseFailure) else text


def describe(error: BaseException) -> str:
    """What went wrong, for a table or a log: the kind of error and its text, redacted."""
    text = words_of(error)
    return redact(f"{type(error).__name__}: {text}" if text else type(error).__name__)
