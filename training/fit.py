"""Linear classifiers over hashed features, the same on every machine.

Each class has a linear support vector machine of its own (dual coordinate descent in liblinear, which uses no BLAS and
a seed of ours) on features weighed by naive Bayes: Wang and Manning, "Baselines and Bigrams", ACL 2012. What comes out is one
number a row and class; how sure it is, is learnt afterwards from what each part of the corpus gets from the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from tertulia.understanding import features

SMOOTHING = 1.0
FOLDS = 5


def matrix(texts: Sequence[str]) -> sparse.csr_matrix:
    """A row a text, each of length 1."""
    found = features.of([features.normalised(text) for text in texts])
    values = np.repeat(1 / np.sqrt(np.maximum(found.counts, 1)), found.counts)
    pointers = np.append(found.starts, len(found.keys))
    return sparse.csr_matrix((values, found.rows, pointers), shape=(len(texts), features.ROWS))


def weights(
    x: sparse.csr_matrix, is_so: np.ndarray, how_much: np.ndarray, *, strength: float = 1.0, blend: float = 0.25
) -> tuple[np.ndarray, float]:
    """Of one class: a number for each row, and where the scale begins."""
    present = x.sign()
    yes = SMOOTHING + np.asarray((sparse.diags_array(how_much * is_so) @ present).sum(0)).ravel()
    no = SMOOTHING + np.asarray((sparse.diags_array(how_much * ~is_so) @ present).sum(0)).ravel()
    ratio = np.log((yes / yes.sum()) / (no / no.sum()))
    ratio[np.asarray(present.sum(0)).ravel() < 2] = 0.0  # what stands in one text only says nothing of others
    scale = blend + np.abs(ratio)
    scale[ratio == 0.0] = 0.0
    model = LinearSVC(C=strength, dual=True, random_state=20261128, intercept_scaling=1.0, max_iter=2000, tol=0.01)
    model.fit(x @ sparse.diags_array(scale), is_so.astype(int), sample_weight=how_much)
    return model.coef_[0] * scale, float(model.intercept_[0])


def mixture(scores: np.ndarray, truth: np.ndarray, is_one_of: bool) -> tuple[np.ndarray, np.ndarray]:
    """How the scores of all classes add up to those of some (score × class), and where each scale begins.

    Solved to the end, so that the last digits of a machine's arithmetic don't show.
    """
    if is_one_of:
        model = _mixer().fit(scores, truth.argmax(1))
        return model.coef_.T, model.intercept_
    found = [_mixer().fit(scores, is_so) for is_so in truth.T]
    return np.stack([each.coef_[0] for each in found], 1), np.array([float(each.intercept_[0]) for each in found])


def _mixer() -> LogisticRegression:
    return LogisticRegression(C=0.1, solver="newton-cholesky", tol=1e-10, max_iter=200)


# What a text's meaning says, in whatever words: a net with one hidden layer on the sums of `meaning.of`.

HIDDEN = 128
SEEDS = (1, 2, 3)
"""So many nets are learnt, each from another beginning; their mean is right more often than any of them."""
EPOCHS, BATCH, RATE, MOMENTUM, DECAY, DROPPED = 40, 256, 0.1, 0.9, 1e-4, 0.2
GRID = 2.0**20
"""After each step every number is moved to a multiple of 1/GRID: the last digits, in which machines differ, are gone
before they can grow."""


@dataclass(frozen=True)
class Net:
    """`max(x @ hidden + bias, 0) @ out + base` are the logits, a column for each class."""

    hidden: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    base: np.ndarray

    def logits(self, x: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.maximum(x @ self.hidden + self.bias, 0) @ self.out + self.base
        return found


def net(x: np.ndarray, truth: np.ndarray, alone: Sequence[slice]) -> Net:
    """The mean of several nets on one hidden layer; of the columns of each slice in `alone` exactly one holds, each
    of the others for itself."""
    some = [_one_net(x, truth, alone, seed) for seed in SEEDS]
    return Net(
        np.concatenate([each.hidden for each in some], 1), np.concatenate([each.bias for each in some]),
        np.concatenate([each.out for each in some]) / len(some), np.mean([each.base for each in some], 0),
    )  # fmt: skip


def _one_net(x: np.ndarray, truth: np.ndarray, alone: Sequence[slice], seed: int) -> Net:
    """Gradients with momentum, in steps that grow smaller."""
    random = np.random.default_rng(seed)
    scale = 1 / x.std(0)
    x = x * scale
    values = [
        _on_grid(random.normal(size=(x.shape[1], HIDDEN)) * np.sqrt(2 / x.shape[1])),
        np.zeros(HIDDEN), np.zeros((HIDDEN, truth.shape[1])), np.zeros(truth.shape[1]),
    ]  # fmt: skip
    speeds = [np.zeros_like(each) for each in values]
    steps = [at for _epoch in range(EPOCHS) for at in _batches(random, len(x))]
    for number, at in enumerate(steps):
        hidden, bias, out, base = values
        seen = x[at] * (random.random((len(at), x.shape[1])) >= DROPPED) / (1 - DROPPED)
        inner = np.maximum(seen @ hidden + bias, 0)
        wrong = (_shares(inner @ out + base, alone) - truth[at]) / len(at)
        back = (wrong @ out.T) * (inner > 0)
        slopes = [seen.T @ back + DECAY * hidden, back.sum(0), inner.T @ wrong + DECAY * out, wrong.sum(0)]
        rate = RATE * (1 + np.cos(np.pi * number / len(steps))) / 2
        speeds = [_on_grid(MOMENTUM * speed - rate * slope) for speed, slope in zip(speeds, slopes, strict=True)]
        values = [value + speed for value, speed in zip(values, speeds, strict=True)]
    hidden, bias, out, base = values
    return Net(scale[:, None] * hidden, bias, out, base)


def _batches(random: np.random.Generator, size: int) -> Iterator[np.ndarray]:
    order = random.permutation(size)
    return (order[at : at + BATCH] for at in range(0, size, BATCH))


def _on_grid(values: np.ndarray) -> np.ndarray:
    moved: np.ndarray = np.rint(values * GRID) / GRID
    return moved


def _shares(logits: np.ndarray, alone: Sequence[slice]) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    for columns in alone:
        powers = np.exp(logits[:, columns] - logits[:, columns].max(1, keepdims=True))
        found[:, columns] = powers / powers.sum(1, keepdims=True)
    return found
