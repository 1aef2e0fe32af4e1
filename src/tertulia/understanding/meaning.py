"""What a text means, whatever its words: the sum of their vectors, in which words that mean about the same lie close.

`training/meaning.py` makes the table: 192 numbers a word at two bits each, the words of seven languages in one space.
Brands' own topics are learnt from it, so that "umbrella" comes near "scarf", and "paraguas" too; and the model's net.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .features import Features

FOLDER: Final = Path(__file__).parent / "shipped"
FILE: Final = FOLDER / "meaning.npy"
SIZE: Final = 192
"""Numbers a vector has."""
ROW: Final = np.dtype([("word", "<u4"), ("length", "<f2"), ("signs", "u1", (SIZE // 4,))])
"""A word: the upper half of its hash, by which the table is sorted, how long its vector is, and four numbers a byte."""
STEPS: Final = np.array([-1.51, -0.4528, 0.4528, 1.51], np.float32)
"""What two bits stand for: the four values that are nearest to normally spread numbers."""

Vectors = NDArray[np.float32]


class _Table(NamedTuple):
    words: NDArray[np.uint32]
    rows: NDArray[np.void]
    four: Vectors
    """By byte, the numbers it stands for."""


def of(found: Features) -> Vectors:
    """A row of numbers a text; all 0 where no word is known."""
    document, hashed = found.words
    table = _table()
    at = np.minimum(np.searchsorted(table.words, hashed), len(table.words) - 1)
    known = np.flatnonzero(table.words[at] == hashed)
    vectors = np.zeros((found.size, SIZE), np.float32)
    if not len(known):
        return vectors
    rows, of_text = table.rows[at[known]], document[known]
    each = table.four[rows["signs"]].reshape(-1, SIZE) * rows["length"].astype(np.float32)[:, None]
    texts, first, count = np.unique(of_text, return_index=True, return_counts=True)
    vectors[texts] = np.add.reduceat(each, first, axis=0) / np.sqrt(count, dtype=np.float32)[:, None]
    return vectors


@cache
def _table() -> _Table:
    rows = np.load(FILE, mmap_mode="r").view(np.ndarray)
    bits = np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3
    return _Table(np.ascontiguousarray(rows["word"]), rows, STEPS[bits])
