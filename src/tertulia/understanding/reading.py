"""What a text says: the one way in to understanding, for the command, the API and the inbox alike.

    [reading] = read(["¿Abrís el lunes festivo?"])
    reading.kind, reading.confidence["kind"], reading.why["kind"]

Nothing is asked of anybody and nothing leaves the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import features
from .features import Places
from .learning import NOTHING, OWN_FROM, TOPIC, Layer
from .model import Field, Floats, Model, shipped
from .questions import questions_in
from .script import UNKNOWN, has_letters, language_by_script

LANGUAGES: Final = ("es", "en", "pt", "fr", "it", "de", "ca")
"""What the model has learnt to read."""
SENTIMENTS: Final = ("negative", "neutral", "positive")
KINDS: Final = ("question", "complaint", "suggestion", "praise", "purchase", "support", "spam", "other")
TOLD_FROM = 0.45
"""A language is told from this probability on. Of 58,477 texts that the model learnt from three were below, of 3,168
others none: what is there, was written in no language at all."""
ANOTHER, UNREADABLE = 0.5, 0.3
"""What confidence is multiplied by in another language or in none, and in a writing that nobody here knows."""
WITHOUT_LETTERS = 0.7
"""The most that feeling and kind of a text without a letter are sure. Of 69 that the model learnt from, what the others
with the same signs say is right in 61 % of feelings and 70 % of kinds."""

BATCH = 256
MOST_TOPICS = 3
TOPIC_FROM = 0.3
"""A topic is named from this probability on: of thirty, most are rare, and one missed costs more than one too many."""
MOST_OWN_TOPICS = 3
OWN_TOPIC_FROM = OWN_FROM
"""An own topic's own threshold is moved there when it is learnt."""
LEVELS: Final = (0, 33, 67, 100)
"""Urgencies one can say, in per cent: it can wait, within the day, today, now."""
WORDS_WHY = 3
_EXPLAINED = ("language", "sentiment", "kind", "urgency", "offensive", "needs_answer")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of one text.

    `confidence` gives each field a probability between 0 and 1 of being right, and each topic that is named, as
    `topic:price`; that of `topics` is the lowest of theirs. `why` gives all but spam and questions, and each topic,
    up to three words of the text that weighed most by themselves, as they stand in it; what the net makes of all their
    meanings has no words of its own, nor has what is not the case, or a language that its writing tells.
    """

    language: str
    """ISO 639-1, or `und` when none could be told."""
    sentiment: str
    kind: str
    urgency: float
    """0: it can wait; a third: within the day; two thirds: today; 1: now."""
    offensive: bool
    spam: bool
    needs_answer: bool
    topics: list[str]
    """Of the thirty that are shipped; a brand's own come first, by their slugs."""
    questions: list[str]
    confidence: dict[str, float]
    why: dict[str, list[str]]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read(texts: Sequence[str], layer: Layer = NOTHING) -> list[Reading]:
    """The readings of texts, in their order, by the shipped model and what a brand has taught (`layer`).

    Any text will do; it is never refused and never takes long.
    """
    model = shipped()
    return [
        reading
        for first in range(0, len(texts), BATCH)
        for reading in _read_batch(texts[first : first + BATCH], model, layer)
    ]  # fmt: skip


def _read_batch(texts: Sequence[str], model: Model, layer: Layer) -> list[Reading]:
    plain = [features.normalised(text) for text in texts]
    found = features.of(plain)
    scores, own = layer.scores(found, model.scores(found)) if layer.blocks else (model.scores(found), np.zeros((0, 0)))
    likely = {field.name: model.probabilities(scores, field) for field in model.fields.values()}
    words = _Words(plain)
    reasons = _reasons(words, model, layer, likely)
    readings = [_reading(text, n, model.fields, likely, reasons) for n, text in enumerate(texts)]
    if layer.own:
        readings = [_with_own(reading, layer.own, own[n]) for n, reading in enumerate(readings)]
    _explain_topics(readings, words, model, layer)
    return readings


def _with_own(reading: Reading, topics: Sequence[str], scores: Floats) -> Reading:
    likely = 1 / (1 + np.exp(-np.clip(scores, -50, 50)))
    named = [int(at) for at in np.argsort(-likely, kind="stable")[:MOST_OWN_TOPICS] if likely[at] >= OWN_TOPIC_FROM]
    if not named or not reading.confidence["language"]:
        return reading
    sure = {TOPIC + topics[at]: round(float(likely[at]), 3) for at in named}
    least = min(*sure.values(), reading.confidence["topics"] if reading.topics else 1.0)
    return replace(
        reading,
        topics=[*(topics[at] for at in named), *reading.topics],
        confidence={**reading.confidence, **sure, "topics": least},
    )


def _reading(
    text: str, n: int, fields: dict[str, Field], likely: dict[str, Floats], reasons: dict[str, list[list[str]]]
) -> Reading:
    def best(name: str) -> tuple[str, float]:
        at = int(likely[name][n].argmax())
        return fields[name].classes[at], float(likely[name][n, at])

    def flag(name: str) -> tuple[bool, float]:
        how_likely = float(likely[name][n, 0])
        return how_likely >= 0.5, max(how_likely, 1 - how_likely)

    by_script = language_by_script(text)
    language, sure_language = by_script or best("language")
    is_empty = not text.strip()
    known, most = (0.0, 0.0) if is_empty else _readable(text, language, sure_language)
    sentiment, sure_sentiment = best("sentiment")
    kind, sure_kind = best("kind")
    offensive, sure_offensive = flag("offensive")
    spam, sure_spam = flag("spam")
    if kind == "spam" and not spam:
        spam, sure_spam = True, sure_kind
    needs_answer, sure_answer = flag("needs_answer")
    levels = likely["urgency"][n]
    topics = np.argsort(-likely["topics"][n], kind="stable")[:MOST_TOPICS]
    chosen = [int(at) for at in topics if likely["topics"][n, at] >= TOPIC_FROM]
    sure = {
        "language": 0.0 if is_empty else sure_language,
        "sentiment": min(sure_sentiment * known, most),
        "kind": min(sure_kind * known, most),
        "urgency": float(levels[1] if levels.mean() >= 0.5 else 1 - levels[1]) * known,  # of being today's work, or not
        "offensive": sure_offensive * known,
        "spam": sure_spam * known,
        "needs_answer": sure_answer * known,
        "topics": float(min((likely["topics"][n, at] for at in chosen), default=1 - likely["topics"][n].max())) * known,
        **{TOPIC + fields["topics"].classes[at]: float(likely["topics"][n, at]) * known for at in chosen if known},
    }
    why = {name: words[n] for name, words in reasons.items() if words[n]}
    if by_script:
        why.pop("language", None)
    if spam:
        why.pop("needs_answer", None)
    return Reading(
        language=language,
        sentiment="neutral" if is_empty else sentiment,
        kind="other" if is_empty else kind,
        urgency=0.0 if is_empty else round(float(levels.mean()), 3),
        offensive=offensive and not is_empty,
        spam=spam and not is_empty,
        needs_answer=needs_answer and not spam and not is_empty,
        topics=[] if is_empty else [fields["topics"].classes[at] for at in chosen],
        questions=[] if spam else questions_in(text, is_question=kind in ("question", "purchase", "support")),
        confidence={name: round(value, 3) for name, value in sure.items()},
        why=why,
    )


def _readable(text: str, language: str, sure: float) -> tuple[float, float]:
    """What confidence is multiplied by, and the most it is for feeling and kind."""
    if language != UNKNOWN:
        return (1.0 if language in LANGUAGES and sure >= TOLD_FROM else ANOTHER), 1.0
    return (UNREADABLE, 1.0) if has_letters(text) else (1.0, WITHOUT_LETTERS)


class _Words:
    """The words of texts, and which features they have part in; a piece's weight is shared by its words."""

    def __init__(self, plain: Sequence[str]) -> None:
        signs = features.Signs(plain)
        self.size = len(plain)
        self.words = [word for text in plain for word in text.split()]
        self.is_empty = not len(signs.first)
        if self.is_empty:
            return
        keys, first, last = features.every(signs)
        self.text, self.row = features.parts(keys)
        self.text_of = signs.document[signs.first].astype(int)
        self.share = 1 / (last - first + 1)
        spans = [np.flatnonzero(first + shift <= last) for shift in range(int((last - first).max(initial=0)) + 1)]
        self.feature = np.concatenate(spans)
        """Of each word that has part in a feature, one after the other, the feature; and in `word` the word."""
        self.word = np.concatenate([first[at] + shift for shift, at in enumerate(spans)])

    def heaviest(self, column: Places, is_so: NDArray[np.bool_], weights: _Weights) -> list[list[str]]:
        """For each text that `is_so` the words that weighed most in its column."""
        if self.is_empty or not is_so.any():
            return [[] for _ in range(self.size)]
        if is_so.all():
            weight = weights(self.row, column[self.text]) * self.share
        else:
            at = np.flatnonzero(is_so[self.text])
            weight = np.zeros(len(self.row))
            weight[at] = weights(self.row[at], column[self.text[at]]) * self.share[at]
        total = np.asarray(np.bincount(self.word, weight[self.feature], len(self.words)), np.float64)
        return _heaviest(self.words, self.text_of, total, self.size)


_Weights = Callable[[Places, Places], Floats]
"""What rows of features weigh in columns."""


def _shipped_weights(model: Model, layer: Layer) -> _Weights:
    whole, width = model.weights.ravel(), model.weights.shape[1]

    def weights(rows: Places, columns: Places) -> Floats:
        found: Floats = whole.take(rows * width + columns)
        # What all words of a text are multiplied with makes none of them heavier, unless a layer's weights are added.
        return found * model.gain[columns] + layer.weights_at(rows, columns) if layer.blocks else found

    return weights


def _reasons(words: _Words, model: Model, layer: Layer, likely: dict[str, Floats]) -> dict[str, list[list[str]]]:
    """For each text the words that weighed most in what was decided."""
    weights = _shipped_weights(model, layer)
    return {
        name: words.heaviest(*_decided(model.fields[name], likely[name]), weights) for name in _EXPLAINED
    }  # fmt: skip


def _decided(field: Field, likely: Floats) -> tuple[Places, NDArray[np.bool_]]:
    """Of each text, the column of the class that was chosen, and whether it holds: of what doesn't no words tell."""
    if field.is_one_of:
        return field.first + likely.argmax(1), np.ones(len(likely), bool)
    at = np.full(len(likely), len(field.classes) // 2)
    return field.first + at, likely[np.arange(len(likely)), at] >= 0.5


def _explain_topics(readings: Sequence[Reading], words: _Words, model: Model, layer: Layer) -> None:
    """Give each reading the words for its topics: of all texts the first topic at once, then the second …"""
    field = model.fields["topics"]
    shipped_ones = {topic: field.first + n for n, topic in enumerate(field.classes)}
    own = {topic: n for n, topic in enumerate(layer.own)}
    for columns, weights in ((shipped_ones, _shipped_weights(model, layer)), (own, layer.own_weights_at)):
        named = [[topic for topic in reading.topics if topic in columns] for reading in readings]
        for n in range(max(map(len, named), default=0)):
            column = np.array([columns[each[n]] if n < len(each) else 0 for each in named])
            found = words.heaviest(column, np.array([n < len(each) for each in named]), weights)
            for reading, each, why in zip(readings, named, found, strict=True):
                if why:
                    reading.why[TOPIC + each[n]] = why


def _heaviest(words: Sequence[str], text_of: Places, total: Floats, size: int) -> list[list[str]]:
    some = np.flatnonzero(total > 0)
    some = some[np.lexsort((-total[some], text_of[some]))]
    ends, heavy = np.searchsorted(text_of[some], np.arange(size + 1)), some.tolist()
    return [_first_words(words[at] for at in heavy[ends[n] : ends[n + 1]]) for n in range(size)]


def _first_words(words: Iterable[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        if word not in found and (word[0].isalnum() or not word.isascii()) and word[0] < "\ue000":
            found.append(word)
            if len(found) == WORDS_WHY:
                break
    return found
