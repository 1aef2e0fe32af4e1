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
from collections.abc import Callable, Sequence
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


def rates(a: int, of_a: int, b: int, of_b: int) -> Compared:
    """The same of people who did something, `a` of `of_a` and `b` of `of_b`: how many times as likely with B.

    Given how many there were in all, those with B are binomial with the share q = r·of_b / (of_a + r·of_b)
    (Przyborowski and Wilenski, Biometrika 31, 1940), and the interval of q is that of Clopper and Pearson (Biometrika
    26, 1934).
    """
    many = a + b
    if not many or not of_a or not of_b:
        return Compared(None, 0.0, None, 1.0)
    share, even = of_a / of_b, of_b / (of_a + of_b)
    low = _share_at(lambda q: 1 - _at_most(b - 1, many, q) > SURE / 2) if b else 0.0
    high = _share_at(lambda q: _at_most(b, many, q) <= SURE / 2) if a else 1.0
    return Compared(
        ratio=(b / of_b) / (a / of_a) if a else None,
        low=low / (1 - low) * share,
        high=high / (1 - high) * share if a else None,
        chance=min(1.0, 2 * min(_at_most(b, many, even), 1 - _at_most(b - 1, many, even))),
    )


def _at_most(most: int, many: int, share: float) -> float:
    """How likely so many or fewer are, of a binomial."""
    if most < 0:
        return 0.0
    so_far = np.arange(1, most + 1)
    ways = np.concatenate([[0.0], np.cumsum(np.log((many - so_far + 1) / so_far))])
    numbers = np.arange(most + 1)
    return min(1.0, float(np.exp(ways + numbers * math.log(share) + (many - numbers) * math.log1p(-share)).sum()))


def _share_at(is_over: Callable[[float], bool]) -> float:
    """The share from which on it is so, by halving."""
    low, high = 0.0, 1.0
    for _step in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if is_over(middle) else (middle, high)
    return (low + high) / 2


def more_needed(found: Compared, pairs: int, *, wanted: int, matters: float) -> int:
    """About how many pairs more it takes to tell a difference that matters from none, where the rest are spread as
    these are: the interval shrinks with the root of their number. `matters` as a share: 0.2 for a fifth more."""
    missing = max(wanted - pairs, 1)
    if not found.low or found.high is None:
        return missing
    wide = math.log(found.high / found.low) / 2
    return max(missing, math.ceil(pairs * (wide / math.log1p(matters)) ** 2) - pairs)
