"""Whether one of two wordings did better, judged by nothing but how their turns were dealt.

Turns come in pairs (a, b), one of each wording, in an order that was drawn. Suppose B makes of every post r times what
A would have made of it. Had the order been the other way round, b - r·a would have changed its sign and nothing else;
so each of the 2^n ways to change signs was as likely as what happened. Turned into shares of sets S of pairs, where
r(S) = sum of b in S / sum of a in S:

    p(B no better than r times A) = (1 + how many S have r(S) <= r) / 2^n        over all S that aren't empty
    p(B no worse than r times A)  = (1 + how many S have r(S) >= r) / 2^n

`chance` is twice the smaller of the two at r = 1, and the interval holds every r at which that is above 5 %: its ends
are the k-th smallest and the k-th largest r(S), k the whole part of 0.025 · 2^n. Nothing is assumed of how counts are
spread. With many pairs 9,999 sets are drawn in place of all.

Sources: Fisher, The Design of Experiments (1935), §21, and Pitman, J. R. Stat. Soc. Suppl. 4 (1937), for the test;
Hartigan, J. Am. Stat. Assoc. 64 (1969), for intervals out of subsets; Rosenbaum, Observational Studies (2002), §5.4,
for effects that multiply; Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010), for the one that is added.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

SURE: Final = 0.05
ALL_OF: Final = 16
"""Pairs of which every set is looked at: 65,535 of them."""
DRAWS: Final = 9_999

Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Compared:
    """How many times what A makes B makes, and between what it surely lies. `ratio` is None where A made nothing at
    all, `high` None where nothing bounds it."""

    ratio: float | None
    low: float
    high: float | None
    chance: float
    """How often a difference as great comes of dealing alike wordings: the p value, on both sides."""


def compare(pairs: Pairs) -> Compared:
    """Pairs in which both made nothing tell nothing."""
    telling = [pair for pair in pairs if any(pair)]
    if not telling:
        return Compared(None, 0.0, None, 1.0)
    ratios = np.sort(_ratios(telling))
    size = len(ratios) + 1
    no_better, no_worse = (1 + int(np.count_nonzero(at)) for at in (ratios <= 1, ratios >= 1))
    edge = int(SURE / 2 * size)
    a, b = (sum(side) for side in zip(*telling, strict=True))
    return Compared(
        ratio=b / a if a else None,
        low=float(ratios[edge - 1]) if edge else 0.0,
        high=float(ratios[-edge]) if edge and math.isfinite(ratios[-edge]) else None,
        chance=min(1.0, 2 * min(no_better, no_worse) / size),
    )


def _ratios(pairs: Pairs) -> npt.NDArray[np.float64]:
    """Of sets of pairs that aren't empty: what B made in them, in times of what A did."""
    many = len(pairs)
    if many <= ALL_OF:
        sets = np.arange(1, 2**many)[:, None] >> np.arange(many) & 1
    else:
        sets = np.random.default_rng(many).integers(0, 2, (DRAWS, many))  # the same pairs, the same answer
        sets = sets[sets.any(axis=1)]
    a, b = (sets @ np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    ratios: npt.NDArray[np.float64] = np.full(len(sets), np.inf)
    np.divide(b, a, out=ratios, where=a > 0)
    return ratios


def more_needed(found: Compared, pairs: int, *, wanted: int, matters: float) -> int:
    """About how many pairs more it takes to tell a difference that matters from none, where the rest are spread as
    these are: the interval shrinks with the root of their number. `matters` as a share: 0.2 for a fifth more."""
    missing = max(wanted - pairs, 1)
    if not found.low or found.high is None:
        return missing
    wide = math.log(found.high / found.low) / 2
    return max(missing, math.ceil(pairs * (wide / math.log1p(matters)) ** 2) - pairs)
