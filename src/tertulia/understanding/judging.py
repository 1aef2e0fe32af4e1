"""How right the shipped model and a brand's layers are on what the brand set aside, by field; plain numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from . import features
from .learning import TOPIC, Example, Layer
from .model import Floats, Model
from .reading import LEVELS, OWN_TOPIC_FROM, TOPIC_FROM

ENOUGH: Final = 10
"""Set-aside messages that say something of a field: with fewer it can't be judged whether it got better. With ten, one
message more or less is still chance; it is a reason to look, no proof."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Of one field: how many set-aside texts say something of it, and how many each reads right.

    Of a topic the shares are F1, since most texts aren't about it; `true` is how many are.
    """

    judged: int
    true: int
    shipped: float | None
    """0 to 1; None for a brand's own topic, which the shipped model doesn't know."""
    before: float
    """By the layer in use until now, or the shipped model where that says nothing of the field."""
    now: float

    @property
    def is_enough(self) -> bool:
        return self.judged >= ENOUGH

    def floor(self, *, may_be_worse_than_shipped: bool) -> float:
        """The share below which it has got worse."""
        return self.before if may_be_worse_than_shipped else max(self.before, self.shipped or 0.0)

    def is_worse(self, *, may_be_worse_than_shipped: bool) -> bool:
        """While there is not enough to judge it by (`is_enough`) that may be chance."""
        return self.now < self.floor(may_be_worse_than_shipped=may_be_worse_than_shipped)

    def told(self, name: str, share: float) -> str:
        """A share as people count few messages: «6/8»; of a topic, which has no such count, «75 %»."""
        return f"{100 * share:.0f} %" if name.startswith(TOPIC) else f"{share * self.judged:.0f}/{self.judged}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def judged(
    aside: Sequence[Example], before: Layer, now: Layer, names: Sequence[str], model: Model
) -> dict[str, Figure]:
    """The figure of each named field of which the set-aside texts say something."""
    if not aside:
        return {}
    found = features.of([features.normalised(each.text) for each in aside])
    base = model.scores(found)
    by = {}
    for name, layer in (("before", before), ("now", now)):
        scores, own = layer.scores(found, base)
        by[name] = (scores, dict(zip(layer.own, own.T, strict=True)))
    by["shipped"] = (base, {})
    figures = {}
    for name in names:
        truth = [(n, each.said[name]) for n, each in enumerate(aside) if name in each.said]
        if truth:
            right = {who: _right(name, truth, *scores, model) for who, scores in by.items()}
            is_own = name.startswith(TOPIC) and name.removeprefix(TOPIC) not in model.fields["topics"].classes
            true = sum(value is True for _n, value in truth) if name.startswith(TOPIC) else len(truth)
            shipped = None if is_own else right["shipped"]
            figures[name] = Figure(len(truth), true, shipped, right["before"], right["now"])
    return figures


def _right(name: str, truth: Sequence[tuple[int, Any]], scores: Floats, own: dict[str, Floats], model: Model) -> float:
    at = [n for n, _value in truth]
    said = [value for _n, value in truth]
    if not name.startswith(TOPIC):
        got = _got(name, scores[at], model)
        return round(sum(bool(a == b) for a, b in zip(said, got, strict=True)) / len(said), 4)
    topic, of = name.removeprefix(TOPIC), model.fields["topics"]
    if topic in of.classes:
        named = _sigmoid(scores[at, of.first + of.classes.index(topic)]) >= TOPIC_FROM
    else:
        named = _sigmoid(own[topic][at]) >= OWN_TOPIC_FROM if topic in own else np.zeros(len(at), bool)
    return _f1(np.array(said, bool), named)


def _f1(true: np.ndarray, named: np.ndarray) -> float:
    """1 where there is nothing to name and nothing was named."""
    both = int(true.sum() + named.sum())
    return round(2 * int((true & named).sum()) / both, 4) if both else 1.0


def _got(name: str, scores: Floats, model: Model) -> list[Any]:
    field = model.fields[name]
    likely = model.probabilities(scores, field)
    if field.is_one_of:
        return [field.classes[at] for at in likely.argmax(1)]
    if name == "urgency":
        return [min(LEVELS, key=lambda level: (abs(level - 100 * each), -level)) for each in likely.mean(1)]
    return [bool(each) for each in likely[:, 0] >= 0.5]


def _sigmoid(scores: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -50, 50))))
