"""Linear classifiers over hashed features, the same on every machine.

Each class has a linear support vector machine of its own (dual coordinate descent in liblinear, which uses no BLAS and
a seed of ours) on features weighed by naive Bayes: Wang and Manning, "Baselines and Bigrams", ACL 2012. What comes out is one
number a row and class; how sure it is, is learnt afterwards from what each part of the corpus gets from the others.
"""

from __future__ import annotations

from collections.abc import Sequence

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
