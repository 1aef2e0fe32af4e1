"""What a team's corrections add to the shipped model: a small linear layer for each brand, plain numpy.

A field of the shipped model keeps its scores, and what is learnt is added to them, by the same hashed features:
logistic regression with a penalty on the square of the weights, solved one example at a time in the dual (Yu, Huang and
Lin, "Dual coordinate descent methods for logistic regression and maximum entropy models", Machine Learning 2011), with
the bound of the curvature for its step. With few corrections little changes elsewhere.

A brand's own topic has no scores to begin with. It is learnt from the features of the texts it holds for, weighed by
naive Bayes against the brand's other messages: ridge regression in closed form. Its name is one more text it holds for.
Beside the words counts what they mean (`meaning`): a text that says the same in other words is near. Once there are
enough texts, what the shipped model says is listened to as well. Of both counts how far that is from the brand's other
messages. From which score on it is named is judged on texts left out.

No chance is involved: the same examples give the same layer.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import features, meaning
from .features import Features, Places
from .model import Floats, Model

TOPIC: Final = "topic:"
"""What the name of a field begins with that says whether one topic holds."""
LEARNT: Final = ("kind", "spam", "sentiment", "urgency", "offensive", "needs_answer")
"""The fields of the shipped model, besides its topics, that corrections change."""
OWN_FROM: Final = 0.3
"""The probability that the threshold of an own topic is moved to: the one from which a topic is named."""
MOST_ROWS: Final = 20_000
"""Rows of features that are kept of one field, those that weigh most."""
SHAPE: Final = 3
"""In which shape a layer is packed, and on which table of meanings it stands: raise it when an older one can't be
unpacked any more, or when the table is made anew; the layer is learnt anew then."""
MOST_OWN, MOST_OTHERS = 200, 600
"""Texts that an own topic is learnt from, the newest it holds for and those it doesn't."""

_ROUNDS = 12
_SETTLED = 0.05
_PENALTY = 0.005
_SEEN_ELSEWHERE = 50
"""Texts without a feature that are counted beside those at hand when it is judged how rare it is."""
_HEARD = 3.0
"""How long what is heard of a text is, where its words are as long as they are telling."""
_MEANT = 2.5
"""How long what a text means is, beside that."""
_SPREAD = 0.1
"""What is added to the spread of a score: one that never changes tells nothing."""
_MOST_TOLD = 8_000
"""Rows of features that an own topic is learnt from."""
_PARTS = 5
_FEW, _MANY = 5, 50
"""Texts that an own topic holds for, and others: with fewer, what is heard of them is chance."""
_RARELY = 0.985
"""The share of the other texts that a threshold should leave below."""
_BLUR = 0.4
"""Of the spread of the other texts' scores: how far off a score is taken to be where the threshold is chosen."""
_LIKELIER = 4.0
"""How fast an own topic becomes likelier with its score."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what is known of it.

    `said` gives fields their values: `kind`, `sentiment` as named, `urgency` as per cent, `offensive`,
    `needs_answer` and `topic:…` true or false. `weight` below 1: nobody said so outright.
    """

    text: str
    said: Mapping[str, Any]
    weight: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """What is added to some columns: a weight for each row of features and column, and where each begins."""

    columns: tuple[int, ...]
    """Of the shipped model; empty for an own topic."""
    rows: NDArray[np.int32]
    weights: NDArray[np.float16]
    bias: Floats
    heard: Floats
    """Own topics only, of each of the shipped model's scores: its weight, and mean and spread in the brand's texts."""
    meant: Floats
    """Own topics only, of what a text means: the weight of each number, and its mean in the brand's texts."""


@dataclass(frozen=True)
class Layer:
    """What a brand has taught, by field (`kind`, `topic:price`, …); reads by `scores` and `own`."""

    blocks: Mapping[str, Block]

    def only(self, names: Iterable[str]) -> Layer:
        return Layer({name: self.blocks[name] for name in names if name in self.blocks})

    def over(self, before: Layer) -> Layer:
        """This layer's fields, and those of the one before that it says nothing of."""
        return Layer({**before.blocks, **self.blocks})

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The brand's own topics that it knows."""
        return tuple(name.removeprefix(TOPIC) for name, block in self.blocks.items() if not block.columns)

    def scores(self, found: Features, base: Floats) -> tuple[Floats, Floats]:
        """The shipped model's scores with what was learnt added, and the logits of the own topics; a row a text."""
        sums = np.zeros((found.size, self._weights.shape[1]))
        some = np.flatnonzero(found.counts)
        if len(some) and self._weights.shape[1]:
            taught = self._weights[self._places[found.rows]]
            sums[some] = np.add.reduceat(taught, found.starts[some], axis=0)
        sums = sums / np.sqrt(np.maximum(found.counts, 1))[:, None] + self._bias
        changed, first = base.copy(), len(self._columns)
        changed[:, self._columns] += sums[:, :first]
        own = sums[:, first:]
        if len(self._heard):
            weights, mean, spread = self._heard.transpose(1, 0, 2)
            own += (heard(base[:, None, : weights.shape[1]], mean, spread) * weights).sum(2)
            weights, mean = self._meant.transpose(1, 0, 2)
            vectors = meaning.of(found)
            # `meant` of every text for every topic, without a number for each of the three.
            apart = vectors @ weights.T - (weights * mean).sum(1)
            square = (vectors**2).sum(1, keepdims=True) - 2 * vectors @ mean.T + (mean**2).sum(1)
            own += _MEANT * apart / np.sqrt(np.maximum(square, 1e-9))
        return changed, own

    def weights_at(self, rows: Places, columns: Places) -> Floats:
        """What was learnt of single features, for the shipped model's columns."""
        if not len(self._columns):
            return np.zeros(len(rows))
        places = np.full(max(int(columns.max(initial=0)), int(self._columns.max(initial=0))) + 1, -1)
        places[self._columns] = np.arange(len(self._columns))
        at = places[columns]
        found: Floats = np.where(at >= 0, self._weights[self._places[rows], at], 0.0)
        return found

    def own_weights_at(self, rows: Places, numbers: Places) -> Floats:
        """The same for own topics, by their numbers in `own`."""
        return self._weights[self._places[rows], len(self._columns) + numbers].astype(np.float64)

    @cached_property
    def _parts(self) -> tuple[list[Block], list[Block]]:
        blocks = list(self.blocks.values())
        return [block for block in blocks if block.columns], [block for block in blocks if not block.columns]

    @cached_property
    def _columns(self) -> NDArray[np.int64]:
        return np.array([column for block in self._parts[0] for column in block.columns], np.int64)

    @cached_property
    def _heard(self) -> Floats:
        return np.array([block.heard for block in self._parts[1]])

    @cached_property
    def _meant(self) -> Floats:
        return np.array([block.meant for block in self._parts[1]])

    @cached_property
    def _bias(self) -> Floats:
        return np.concatenate([np.zeros(0), *(block.bias for part in self._parts for block in part)])

    @cached_property
    def _rows(self) -> NDArray[np.int32]:
        return np.unique(np.concatenate([np.zeros(0, np.int32), *(block.rows for block in self.blocks.values())]))

    @cached_property
    def _places(self) -> NDArray[np.int32]:
        """Where the weights of each row of features stand; 0 for what was never met."""
        places = np.zeros(features.ROWS, np.int32)
        places[self._rows] = np.arange(1, len(self._rows) + 1)
        return places

    @cached_property
    def _weights(self) -> NDArray[np.float32]:
        weights = np.zeros((len(self._rows) + 1, len(self._bias)), np.float32)
        at = 0
        for block in (each for part in self._parts for each in part):
            width = block.weights.shape[1]
            weights[self._places[block.rows], at : at + width] = block.weights
            at += width
        return weights

    def packed(self) -> bytes:
        """The layer as bytes, for `unpacked`."""
        held: dict[str, Any] = {"names": np.array(list(self.blocks), dtype=str)}
        for n, block in enumerate(self.blocks.values()):
            held |= {f"{n}.columns": np.array(block.columns, np.int32), f"{n}.rows": block.rows,
                     f"{n}.weights": block.weights, f"{n}.bias": block.bias, f"{n}.heard": block.heard,
                     f"{n}.meant": block.meant}  # fmt: skip
        target = io.BytesIO()
        np.savez_compressed(target, **held)
        return target.getvalue()


def unpacked(content: bytes) -> Layer:
    """The layer out of its bytes."""
    with np.load(io.BytesIO(content), allow_pickle=False) as held:
        return Layer({
            str(name): Block(
                tuple(int(column) for column in held[f"{n}.columns"]),
                *(held[f"{n}.{part}"] for part in ("rows", "weights", "bias", "heard", "meant")),
            )
            for n, name in enumerate(held["names"])
        })  # fmt: skip


def heard(base: Floats, mean: Floats, spread: Floats) -> Floats:
    """The shipped model's scores as an own topic is learnt from them: which stand out, whatever their scale."""
    apart = (base - mean) / spread
    return np.asarray(_HEARD * apart / np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-9))


def meant(vectors: Floats | meaning.Vectors, mean: Floats) -> Floats:
    """What texts mean as an own topic is learnt from it: how it differs from what the brand's other texts mean."""
    apart = vectors - mean
    return np.asarray(_MEANT * apart / np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-9))


NOTHING: Final = Layer({})


def fit(examples: Sequence[Example], others: Sequence[str], own: Sequence[str], model: Model) -> Layer:
    """Learn a layer from examples.

    `others` are texts of the brand of which nobody said anything: they tell what is common there, and what an own topic
    is not. `own` are the brand's own topics by their slugs; one without a single text that it holds for isn't learnt.
    """
    if not examples:
        return NOTHING
    texts = [*(example.text for example in examples), *others, *(topic.replace("-", " ") for topic in own)]
    found = features.of([features.normalised(text) for text in texts])
    learner = _Learner(examples, found, model.scores(found), model, own)
    blocks = {name: block for name in LEARNT if (block := learner.field(name))}
    for topic in model.fields["topics"].classes:
        if block := learner.topic(topic):
            blocks[TOPIC + topic] = block
    for topic in own:
        if block := learner.own(TOPIC + topic):
            blocks[TOPIC + topic] = block
    return Layer(blocks)


class _Line(NamedTuple):
    """What tells of a topic: rows of features and what each weighs, where it begins, and what the model's scores weigh
    and, behind them, what a text means."""

    rows: Places
    weights: Floats
    bias: float
    ears: Floats


class _Learner:
    """Examples and other texts as arrays: `rows` of each text are local numbers, its `values` sum up to a text.

    The names of the brand's own topics are the last of them, and count nowhere else.
    """

    def __init__(
        self, examples: Sequence[Example], found: Features, base: Floats, model: Model, own: Sequence[str]
    ) -> None:
        self.examples, self.base, self.model = examples, base, model
        self.size = found.size - len(own)
        self.names = {TOPIC + topic: self.size + n for n, topic in enumerate(own)}
        said = base[: self.size, : model.fields["language"].first]
        self.usual = np.array([said.mean(0), said.std(0) + _SPREAD])
        self.vectors = meaning.of(found)
        self.meaning = self.vectors[: self.size].mean(0)
        self.met, self.local = np.unique(found.rows, return_inverse=True)
        self.ends = np.append(found.starts, len(found.keys))
        self.length = 1 / np.sqrt(np.maximum(found.counts, 1))
        self.number = np.repeat(np.arange(found.size), found.counts)
        seen = np.bincount(self.local[: self.ends[self.size]], minlength=len(self.met))
        all_there_are = _SEEN_ELSEWHERE + self.size
        self.rarity = np.log(all_there_are / np.maximum(seen, 1)) / np.log(all_there_are)

    def field(self, name: str) -> Block | None:
        of = self.model.fields[name]
        return self._block(name, list(range(of.first, of.first + len(of.classes))), is_one_of=of.is_one_of)

    def topic(self, topic: str) -> Block | None:
        of = self.model.fields["topics"]
        return self._block(TOPIC + topic, [of.first + of.classes.index(topic)], is_one_of=False)

    def _block(self, name: str, columns: list[int], *, is_one_of: bool) -> Block | None:
        said = {n: value for n, each in enumerate(self.examples) if (value := _said(each, name)) is not None}
        if not said:
            return None
        texts = np.array(list(said))
        truth = np.array([_truth(name, value, self.model) for value in said.values()])
        source = "kind" if name == "spam" else name
        weight = np.array([self.examples[n].weight.get(source, 1.0) for n in said])
        values = self.rarity[self.local] * self.length[self.number]
        solved, bias = self._solve(texts, truth, weight, self.base[texts][:, columns], values, is_one_of)
        return self._kept(tuple(columns), solved * self.rarity[:, None], bias, np.zeros(0), np.zeros(0))

    def own(self, name: str) -> Block | None:
        """A topic of the brand alone: from the texts it holds for, against all others."""
        said = {n: bool(value) for n, each in enumerate(self.examples) if (value := _said(each, name)) is not None}
        yes = [n for n, value in said.items() if value and self.examples[n].weight.get(name, 1) == 1][-MOST_OWN:]
        no = [n for n in range(self.size) if n not in said or not said[n]][-MOST_OTHERS:]
        if not yes:
            return None
        texts, is_so = np.array(yes + no), np.append(np.ones(len(yes)), -np.ones(len(no)))
        ears = heard(self.base[texts, : self.usual.shape[1]], *self.usual) * (len(yes) >= _FEW and len(no) >= _MANY)
        ears = np.hstack([ears, meant(self.vectors[texts], self.meaning)])
        line = self._ridge(name, texts, ears, is_so)
        threshold = _threshold(self._without(name, texts, ears, is_so), is_so)
        bias = _LIKELIER * (line.bias - threshold) + float(np.log(OWN_FROM / (1 - OWN_FROM)))
        whole = np.zeros((len(self.met), 1))
        whole[line.rows, 0] = _LIKELIER * line.weights
        of_scores, of_meaning = np.split(_LIKELIER * line.ears, [self.usual.shape[1]])
        told = np.vstack([of_scores, self.usual]), np.vstack([of_meaning, self.meaning])
        return self._kept((), whole, np.array([bias]), *told)

    def _ridge(self, name: str, texts: Places, ears: Floats, is_so: Floats) -> _Line:
        """From the texts and the name, of which only the words and what they mean count."""
        texts, is_so = np.append(texts, self.names[name]), np.append(is_so, 1)
        called = meant(self.vectors[self.names[name]], self.meaning)
        ears = np.vstack([ears, np.append(np.zeros(self.usual.shape[1]), called)])
        yes = np.bincount(self._rows_of(texts[is_so > 0])[0], minlength=len(self.met))
        no = np.bincount(self._rows_of(texts[is_so < 0])[0], minlength=len(self.met))
        so, other = int((is_so > 0).sum()), int((is_so < 0).sum())
        ratio = np.abs(np.log((yes + 0.5) / (so + 1)) - np.log((no + 0.5) / (other + 1)))
        tell = np.sort(np.argsort(-yes * ratio, kind="stable")[: min(_MOST_TOLD, np.count_nonzero(yes))])
        where = np.full(len(self.met), -1)
        where[tell] = np.arange(len(tell))
        rows, number = self._rows_of(texts)
        at = where[rows] >= 0
        rows, number = rows[at], number[at]
        x = np.zeros((len(texts), len(tell)), np.float32)
        x[number, where[rows]] = ratio[rows] * self.length[texts[number]]
        weight = np.where(is_so > 0, 1 / so, 1 / max(other, 1)) * 50
        given = np.linalg.solve(x @ x.T + ears @ ears.T + 1.0 + np.diag(1 / weight), is_so)
        return _Line(tell, (given @ x) * ratio[tell], float(given.sum()), given @ ears)

    def _without(self, name: str, texts: Places, ears: Floats, is_so: Floats) -> Floats:
        """The score of each text by what was learnt without it."""
        so = int((is_so > 0).sum())
        parts = min(_PARTS, max(so, 2))
        part = np.append(np.arange(so) % parts, np.arange(len(texts) - so) % parts)
        without = np.full(len(texts), -1.0)
        for n in range(parts):
            if (is_so[part != n] > 0).any():
                line = self._ridge(name, texts[part != n], ears[part != n], is_so[part != n])
                held = texts[part == n]
                whole = np.zeros(len(self.met))
                whole[line.rows] = line.weights
                found, number = self._rows_of(held)
                sums = np.bincount(number, whole[found], len(held)) * self.length[held]
                without[part == n] = sums + line.bias + ears[part == n] @ line.ears
        return without

    def _rows_of(self, texts: Places) -> tuple[Places, Places]:
        """The local rows of some texts, and which of the texts each is of."""
        counts = np.diff(self.ends)[texts]
        first = np.repeat(self.ends[texts] - np.append(0, np.cumsum(counts)[:-1]), counts)
        return self.local[first + np.arange(counts.sum())], np.repeat(np.arange(len(texts)), counts)

    def _solve(
        self, texts: Places, truth: Floats, weight: Floats, offset: Floats, values: Floats, is_one_of: bool,
    ) -> tuple[Floats, Floats]:  # fmt: skip
        """The weights of each row met, and where the scale begins."""
        solved, bias = np.zeros((len(self.met), truth.shape[1])), np.zeros(truth.shape[1])
        given = np.zeros_like(truth)
        curve = 0.5 if is_one_of else 0.25
        for _round in range(_ROUNDS):
            moved = 0.0
            for n, text in enumerate(texts):
                at = slice(self.ends[text], self.ends[text + 1])
                rows, value = self.local[at], values[at]
                score = offset[n] + value @ solved[rows] + bias
                step = weight[n] * (truth[n] - _likely(score, is_one_of)) - _PENALTY * given[n]
                step /= _PENALTY + weight[n] * curve * (value @ value + _BEGINS)
                solved[rows] += value[:, None] * step
                bias += _BEGINS * step
                given[n] += step
                moved = max(moved, float(np.abs(step).max()))
            if moved < _SETTLED:
                break
        return solved, bias

    def _kept(self, columns: tuple[int, ...], weights: Floats, bias: Floats, ears: Floats, meant: Floats) -> Block:
        heavy = np.abs(weights).max(1)
        at = np.sort(np.argsort(-heavy, kind="stable")[:MOST_ROWS])
        at = at[heavy[at] > 1e-4]
        return Block(columns, self.met[at].astype(np.int32), weights[at].astype(np.float16), bias, ears, meant)


_BEGINS = 0.02
"""How readily the beginning of the scale moves: what is said of one text is rarely true of all."""


def _likely(score: Floats, is_one_of: bool) -> Floats:
    if is_one_of:
        high = np.exp(score - score.max())
        return np.asarray(high / high.sum())
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -50, 50))))


def _said(example: Example, name: str) -> Any:
    return example.said.get("kind" if name == "spam" else name)


def _truth(name: str, value: Any, model: Model) -> list[float]:
    """What each column of a field should say."""
    if name == "spam":
        return [float(value == "spam")]
    if name == "urgency":
        return [float(value > least) for least in (16, 50, 83)]
    if name in model.fields and model.fields[name].is_one_of:
        return [float(value == each) for each in model.fields[name].classes]
    return [float(bool(value))]


def _threshold(without: Floats, is_so: Floats) -> float:
    """From which score on a text counts, by what was learnt without it: where F1 is best, were each a little off.

    With so few texts that is chance in part: half of it is where hardly one of the others is.
    """
    so = int((is_so > 0).sum())
    if so == len(is_so):
        return 0.0
    rare = float(np.quantile(without[is_so < 0], _RARELY))
    if so < _FEW:
        return rare
    order = np.sort(without)
    blur = _BLUR * without[is_so < 0].std() + 1e-9
    named = _likely((without - order[:, None]) / blur, is_one_of=False)
    f1 = 2 * named[:, is_so > 0].sum(1) / (named.sum(1) + so)
    return (float(order[f1.argmax()]) + rare) / 2
