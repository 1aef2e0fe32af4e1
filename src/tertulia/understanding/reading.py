"""What a text says: the one way in to understanding, for the command, the API and the inbox alike.

    [reading] = read(["¿Abrís el lunes festivo?"])
    reading.kind, reading.confidence["kind"], reading.why["kind"]

Nothing is asked of anybody and nothing leaves the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from . import features
from .learning import NOTHING, OWN_FROM, Layer
from .model import Field, Floats, Model, shipped
from .questions import questions_in
from .script import UNKNOWN, has_letters, language_by_script

LANGUAGES: Final = ("es", "en", "pt", "fr", "it", "de", "ca")
"""What the model has learnt to read."""
SENTIMENTS: Final = ("negative", "neutral", "positive")
KINDS: Final = ("question", "complaint", "suggestion", "praise", "purchase", "support", "spam", "other")
TOLD_FROM = 0.4
"""A language is told from this probability on. Of 17,200 texts that the model learnt from two were below, of 504 others
none: what is there, was written in no language at all."""
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
_EXPLAINED = ("sentiment", "kind", "urgency", "offensive")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of one text.

    `confidence` gives each field a probability between 0 and 1 of being right; `why` gives sentiment, kind, urgency and
    offence up to three words of the text that weighed most by themselves, as they stand in it; what the net makes of
    all their meanings has no words of its own.
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
    reasons = _reasons(plain, model, layer, likely)
    readings = [_reading(text, n, model.fields, likely, reasons) for n, text in enumerate(texts)]
    return [_with_own(reading, layer.own, own[n]) for n, reading in enumerate(readings)] if layer.own else readings


def _with_own(reading: Reading, topics: Sequence[str], scores: Floats) -> Reading:
    likely = 1 / (1 + np.exp(-np.clip(scores, -50, 50)))
    named = [int(at) for at in np.argsort(-likely, kind="stable")[:MOST_OWN_TOPICS] if likely[at] >= OWN_TOPIC_FROM]
    if not named or not reading.confidence["language"]:
        return reading
    sure = [*likely[named], *([reading.confidence["topics"]] if reading.topics else [])]
    return replace(
        reading,
        topics=[*(topics[at] for at in named), *reading.topics],
        confidence={**reading.confidence, "topics": round(float(min(sure)), 3)},
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

    language, sure_language = language_by_script(text) or best("language")
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
    }
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
        why={name: words[n] for name, words in reasons.items() if words[n]},
    )


def _readable(text: str, language: str, sure: float) -> tuple[float, float]:
    """What confidence is multiplied by, and the most it is for feeling and kind."""
    if language != UNKNOWN:
        return (1.0 if language in LANGUAGES and sure >= TOLD_FROM else ANOTHER), 1.0
    return (UNREADABLE, 1.0) if has_letters(text) else (1.0, WITHOUT_LETTERS)


def _reasons(plain: Sequence[str], model: Model, layer: Layer, likely: dict[str, Floats]) -> dict[str, list[list[str]]]:
    """For each text the words that weighed most in what was decided; a piece's weight is shared by its words."""
    signs = features.Signs(plain)
    if not len(signs.first):
        return {name: [[] for _ in plain] for name in _EXPLAINED}
    keys, first, last = features.every(signs)
    document, row = features.parts(keys)
    share = 1 / (last - first + 1)
    words_of = signs.document[signs.first].astype(int)
    words = [plain_words for text in plain for plain_words in text.split()]
    reasons = {}
    for name in _EXPLAINED:
        column, sign = _decided(model.fields[name], likely[name])
        weight = model.weights[row, column[document]] * model.gain[column][document]
        if layer.blocks:
            weight = weight + layer.weights_at(row, column[document])
        weight = weight * sign[document] * share
        total = np.zeros(len(words) + 1)
        for shift in range(int((last - first).max()) + 1):
            inside = first + shift <= last
            total += np.bincount((first + shift)[inside], weight[inside], len(words) + 1)
        reasons[name] = _heaviest(words, words_of, total, len(plain))
    return reasons


def _decided(field: Field, likely: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Of each text, the column of the class that was chosen, and whether words speak for it (1) or against it (−1)."""
    if field.is_one_of:
        return field.first + likely.argmax(1), np.ones(len(likely))
    at = np.full(len(likely), len(field.classes) // 2)
    return field.first + at, np.where(likely[np.arange(len(likely)), at] >= 0.5, 1.0, 0.0)


def _heaviest(words: Sequence[str], text_of: np.ndarray, total: Floats, size: int) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(size)]
    for at in np.argsort(-total[: len(words)], kind="stable"):
        if total[at] <= 0:
            break
        mine, word = found[text_of[at]], words[at]
        if (
            len(mine) < WORDS_WHY
            and word not in mine
            and (word[0].isalnum() or not word.isascii())
            and word[0] < "\ue000"
        ):
            mine.append(word)
    return found
