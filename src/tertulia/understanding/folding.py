"""Messages that say the same in nearly the same words: pasted complaints, a template with another name in it.

Candidates are found by MinHash over words and pairs of words; two are the same only when their words, one after the
other, say so, and no "not" stands in one of them alone.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .phrases import NEGATIONS, Words

ALIKE: Final = 0.84
"""From this share of words in common, in the same order, two texts are the same: of thirteen words two may differ."""
SHORTEST: Final = 7
"""Words. With fewer, one other word is another thing: they are the same only when every word is."""
_BANDS, _ROWS = 24, 3
_LIKELY = 4
_CROWDED = 50

_Hashes = NDArray[np.uint64]


def leaders(texts: Sequence[Words]) -> list[int]:
    """For each text the number of the first that says the same: its own when it is the first to say so."""
    plain = [tuple(word for word in text.folded if word) for text in texts]
    first = _exact(plain)
    long = [n for n, text in enumerate(plain) if first[n] == n and len(text) >= SHORTEST]
    for n, leader in _similar([plain[n] for n in long]):
        first[long[n]] = long[leader]
    return [first[leader] for leader in first]


def _exact(plain: Sequence[tuple[str, ...]]) -> list[int]:
    known: dict[tuple[str, ...], int] = {}
    return [n if not text else known.setdefault(text, n) for n, text in enumerate(plain)]


def _similar(texts: Sequence[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    """Those that say what one before them said, which said it first."""
    if len(texts) < 2:
        return
    buckets: dict[int, list[int]] = defaultdict(list)
    for n, (text, bands) in enumerate(zip(texts, _bands(_signatures(texts)), strict=True)):
        near = Counter(leader for band in bands for leader in buckets.get(band, ()))
        likely = sorted(near, key=lambda leader: (-near[leader], leader))[:_LIKELY]
        found = next((leader for leader in likely if is_same(texts[leader], text)), None)
        if found is not None:
            yield n, found
            continue
        for band in bands:
            if len(buckets[band]) < _CROWDED:
                buckets[band].append(n)


def is_same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two texts, as folded words, say the same but for a word or two."""
    if {*one} & NEGATIONS != {*other} & NEGATIONS:
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _signatures(texts: Sequence[tuple[str, ...]]) -> _Hashes:
    """For each text the least of its shingles' hashes, under 72 hashes."""
    shingles = [[*text, *(f"{a} {b}" for a, b in zip(text, text[1:], strict=False))] for text in texts]
    starts = np.cumsum([0, *(len(each) for each in shingles[:-1])])
    hashed = np.array([zlib.crc32(each.encode()) for text in shingles for each in text], np.uint64)
    found = np.empty((len(texts), _BANDS * _ROWS), np.uint64)
    for n in range(_BANDS * _ROWS):
        factor, shift = np.uint64(0x9E3779B97F4A7C15 * (2 * n + 1) & 0xFFFFFFFFFFFFFFFF), np.uint64(n * 0x5851F42D)
        mixed = (hashed + shift) * factor
        found[:, n] = np.minimum.reduceat((mixed ^ (mixed >> np.uint64(29))) * factor, starts)
    return found


def _bands(signatures: _Hashes) -> list[list[int]]:
    """Texts of which one of these is the same are candidates."""
    threes = signatures.reshape(len(signatures), _BANDS, _ROWS)
    mixed = (threes * np.array([1, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)).sum(2, dtype=np.uint64)
    apart: list[list[int]] = (mixed ^ (np.arange(_BANDS, dtype=np.uint64) << np.uint64(58))).tolist()
    return apart
