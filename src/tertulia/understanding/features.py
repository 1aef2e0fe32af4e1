"""What a text is made of, as numbers: its words, pairs of words and the pieces of its words, each hashed to a row.

All of it is array arithmetic over a whole batch, so that a message costs a tenth of a millisecond. The hash is our own
and the same on every machine and in every process.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

BITS: Final = 18
ROWS: Final = 1 << BITS
"""Features are hashed to this many rows."""

HEAD, TAIL = 3000, 1000
"""Characters: of a longer text its beginning and its end are read. What decides stands there; 1 MB costs no more."""
PIECES = (2, 3, 4, 5)
"""Lengths of the pieces of words, in characters."""
NEGATED_WORDS = 3
"""How far a "not" reaches."""

NEGATIONS = frozenset({
    "no", "ni", "sin", "nunca", "jamas", "tampoco", "nada", "nadie", "ningun", "ninguna", "not", "never", "without",
    "nor", "t", "nao", "nem", "sem", "pas", "ne", "jamais", "rien", "sans", "non", "mai", "senza", "nicht", "kein",
    "keine", "keinen", "nie", "ohne", "cap", "sense",
})  # fmt: skip
# What stands for a thing rather than itself. Of the private use area, so that no text brings them along.
LINK, MAIL, HANDLE, LONG_DRAWN, SHOUTED, EMPTY = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004", "\ue005"

_INVISIBLE = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\ue000-\ue00f]+"
)
_LINK = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]{1,63}\.(?:com|es|net|org|io|info|ly|me|mx|ar|cl|co|pe)\b(?:/\S*)?")
_MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,63}")
_HANDLE = re.compile(r"(?<!\w)@[\w.]*\w")
_DIGITS = re.compile(r"\d+")
_LONG = re.compile(r"([^\W\d_])\1{2,}")
_REPEATED = re.compile(r"(\W)\1{2,}")
_SHOUT = re.compile(r"\b[^\W\d_a-zà-öø-ÿ]{4,}\b")
_TOKEN = re.compile(r"[\w\ue000-\ue00f]+|[^\w\s]")

_Keys = NDArray[np.uint64]
Places = NDArray[np.int64]
_P = np.uint64(0x9E3779B97F4A7C15)
_P_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_Q = np.uint64(0xC2B2AE3D27D4EB4F)
_SALTS = np.cumsum(np.full(16, _Q))
"""By the kind of feature: the same signs as a word and as a piece are two things."""
_SPACE = ord(" ")


def normalised(text: str) -> str:
    """The text as it is counted: no accents, capitals, invisible signs, long-drawn letters; one blank between words."""
    text = unicodedata.normalize("NFKD", _ends(text).encode(errors="replace").decode())
    text = _ends(_INVISIBLE.sub("", text))  # again: one sign can be eighteen
    shouted = f" {SHOUTED}" if len(_SHOUT.findall(text)) > 1 else ""
    text = text.casefold()
    text = _HANDLE.sub(f" {HANDLE} ", _MAIL.sub(f" {MAIL} ", _LINK.sub(f" {LINK} ", text)))
    text = _DIGITS.sub(lambda found: "0" * min(len(found[0]), 4), text)
    text, drawn = _LONG.subn(r"\1\1", text)
    text = _REPEATED.sub(r"\1\1\1", text)
    long_drawn = f" {LONG_DRAWN}" if drawn else ""
    return f" {' '.join(_TOKEN.findall(text)) or EMPTY}{shouted}{long_drawn} "


def _ends(text: str) -> str:
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]} {text[-TAIL:]}"


@dataclass(frozen=True)
class Features:
    """The rows of each of a number of texts."""

    keys: _Keys
    """Sorted, each once: the number of the text and the row."""
    size: int
    signs: Signs

    @cached_property
    def words(self) -> tuple[Places, NDArray[np.uint32]]:
        """The words of the texts, one after the other: the number of its text, and the upper half of its hash."""
        document, words = _hashed(self.signs)
        return document.astype(np.int64), (words >> np.uint64(32)).astype(np.uint32)

    @cached_property
    def rows(self) -> Places:
        return parts(self.keys)[1]

    @cached_property
    def starts(self) -> Places:
        """Where the rows of each text begin."""
        return np.searchsorted(self.keys, np.arange(self.size, dtype=np.uint64) << np.uint64(BITS))

    @cached_property
    def counts(self) -> Places:
        return np.diff(np.append(self.starts, len(self.keys)))


def of(texts: Sequence[str]) -> Features:
    """The features of texts that are `normalised`."""
    signs = Signs(texts)
    return Features(np.unique(every(signs)[0]), len(texts), signs)


class Signs:
    """Normalised texts as one row of code points, and where their words are."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.signs = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32).astype(np.uint64)
        self.document = np.repeat(np.arange(len(texts), dtype=np.uint64), [len(text) for text in texts])
        self.is_space = self.signs == _SPACE
        word = ~self.is_space
        before = np.append(False, word[:-1])
        after = np.append(word[1:], False)
        self.first = np.flatnonzero(word & ~before)
        self.last = np.flatnonzero(word & ~after)
        self.word = np.cumsum(word & ~before) - 1
        """The number of the word that a sign belongs to; of a blank, the one before it."""


def every(signs: Signs) -> tuple[_Keys, Places, Places]:
    """The keys of all there is, repeated as it is, and the first and the last word each covers."""
    parts = [*_pieces(signs), *_words(signs)]
    keys, first, last = (np.concatenate(each) for each in zip(*parts, strict=True))
    return keys, first, last


def parts(keys: _Keys) -> tuple[Places, Places]:
    """The numbers of the texts, and the rows."""
    return (keys >> np.uint64(BITS)).astype(np.int64), (keys & np.uint64(ROWS - 1)).astype(np.int64)


def _pieces(signs: Signs) -> Iterator[tuple[_Keys, Places, Places]]:
    """Runs of 2 to 5 signs inside a word, its two ends counting as signs."""
    mixed = _mix(signs.signs + np.uint64(7))
    inner = np.cumsum(signs.is_space)
    run = mixed.copy()
    for length in range(2, PIECES[-1] + 1):
        run = run[:-1] * _P + mixed[length - 1 :]
        if length not in PIECES:
            continue
        count = len(run)
        spaces = inner[length - 2 : length - 2 + count] - inner[:count]
        at = np.flatnonzero((spaces == 0) & ~(signs.is_space[:count] & signs.is_space[length - 1 :]))
        at = at[signs.document[at] == signs.document[at + length - 1]]
        word = signs.word[at + signs.is_space[at]]
        yield _key(signs.document[at], run[at], length), word, word


def _words(signs: Signs) -> Iterator[tuple[_Keys, Places, Places]]:
    """Words, those a text opens and closes with, pairs, triples, and words that something denies."""
    if not len(signs.first):
        return
    document, words = _hashed(signs)
    number = np.arange(len(words))
    yield _key(document, words, 11), number, number
    opens = np.flatnonzero(np.append(True, document[1:] != document[:-1]))
    closes = np.append(opens[1:], len(words)) - 1
    for kind, at in ((8, opens), (9, (opens + 1)[opens < closes]), (10, closes)):
        yield _key(document[at], words[at], kind), at, at
    run = words
    for length in (2, 3):
        run = run[:-1] * _Q + words[length - 1 :]
        at = np.flatnonzero(document[: len(run)] == document[length - 1 :])
        yield _key(document[at], run[at], 10 + length), at, at + length - 1
    denies = np.flatnonzero(np.isin(words, _NEGATIONS))
    for reach in range(1, NEGATED_WORDS + 1):
        at = denies[denies + reach < len(words)]
        at = at[document[at] == document[at + reach]]
        yield _key(document[at], words[at + reach], 14), at + reach, at + reach


def _hashed(signs: Signs) -> tuple[_Keys, _Keys]:
    """The number of the text of each word, and the word's hash."""
    powers = np.cumprod(np.full(len(signs.signs), _P))
    inverse = np.cumprod(np.full(len(signs.signs), _P_INVERSE))
    sums = np.append(np.uint64(0), np.cumsum(_mix(signs.signs + np.uint64(7)) * powers))
    words = _mix((sums[signs.last + 1] - sums[signs.first]) * inverse[signs.first])
    return signs.document[signs.first], words


def _key(document: _Keys, hashed: _Keys, kind: int) -> _Keys:
    return (document << np.uint64(BITS)) | (_mix(hashed + _SALTS[kind]) >> np.uint64(64 - BITS))


def _mix(numbers: _Keys) -> _Keys:
    """Spreads what differs in a few bits over all of them."""
    numbers = (numbers ^ (numbers >> np.uint64(31))) * _P
    numbers = (numbers ^ (numbers >> np.uint64(29))) * _Q
    return numbers ^ (numbers >> np.uint64(32))


_NEGATIONS = _hashed(Signs([f" {word} " for word in sorted(NEGATIONS)]))[1]
