"""The shipped model: one signed byte for each row and class, a small net on what the words mean, and what turns their
sums into probabilities.

`training/train.py` makes the files. The bytes are mapped, not read: all processes of an installation share them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import meaning
from .features import Features
from .meaning import FOLDER

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Field:
    """Some columns of the weights, and whether exactly one of its classes holds (`is_one_of`) or each for itself."""

    name: str
    classes: tuple[str, ...]
    first: int
    is_one_of: bool

    @property
    def columns(self) -> slice:
        return slice(self.first, self.first + len(self.classes))


@dataclass(frozen=True)
class Net:
    """A layer of hidden numbers on what the words mean: what each takes of a meaning, where it begins, what it adds."""

    takes: Floats
    begins: Floats
    adds: Floats

    def scores(self, found: Features) -> Floats:
        """What it adds to the logit of each class, a row a text."""
        meant = np.maximum(meaning.of(found).astype(np.float64) @ self.takes + self.begins, 0) @ self.adds
        # Without the last digits, in which machines differ, and a text alone from the same among others.
        scores: Floats = meant.round(6)
        return scores


@dataclass(frozen=True)
class Model:
    name: str
    """What a reading says it was made by: changes with every training."""
    fields: dict[str, Field]
    weights: NDArray[np.int8]
    net: Net
    gain: Floats
    offset: Floats

    def scores(self, found: Features) -> Floats:
        """The logit of each class, a row a text."""
        sums = np.zeros((found.size, len(self.gain)), np.int32)
        some = np.flatnonzero(found.counts)
        if len(some):
            sums[some] = np.add.reduceat(self.weights[found.rows], found.starts[some], axis=0, dtype=np.int32)
        length = np.sqrt(np.maximum(found.counts, 1))[:, None]
        scores: Floats = sums * self.gain / length + self.net.scores(found) + self.offset
        return scores

    def probabilities(self, scores: Floats, field: Field) -> Floats:
        own = scores[:, field.columns]
        if not field.is_one_of:
            flags: Floats = 1 / (1 + np.exp(-np.clip(own, -50, 50)))
            return flags
        high = np.exp(own - own.max(1, keepdims=True))
        shares: Floats = high / high.sum(1, keepdims=True)
        return shares


@cache
def shipped() -> Model:
    """Raises `FileNotFoundError` when the package was built without its model."""
    said: dict[str, Any] = json.loads((FOLDER / "model.json").read_text())
    weights = np.load(FOLDER / "weights.npy", mmap_mode="r")
    return Model(
        said["name"],
        {
            each["name"]: Field(each["name"], tuple(each["classes"]), each["first"], each["is_one_of"])
            for each in said["fields"]
        },
        weights.view(np.ndarray),
        _net(said["net"]),
        np.array(said["gain"]),
        np.array(said["offset"]),
    )


def _net(steps: dict[str, list[float]]) -> Net:
    wide, begins, adds = (np.array(steps[name]) for name in ("wide", "begin", "adds"))
    takes, added = np.split(np.load(FOLDER / "net.npy").astype(np.float64), [meaning.SIZE])
    return Net(takes * wide, begins, added.T * adds)
