"""Judges the shipped model and writes docs/understanding.md: `make understanding-report`.

Judged is what the product says (`reading.read`) of messages that nothing was trained on: `aside/`, by another writer than
most of what was learnt from. The public judging sets of tweets aren't here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from benchmarks import figures, understanding
from benchmarks.figures import Figure
from sklearn.metrics import confusion_matrix, f1_score

from tertulia.understanding.meaning import FOLDER
from tertulia.understanding.model import shipped
from tertulia.understanding.reading import KINDS, SENTIMENTS, Reading, read

from . import corpus, curve
from .corpus import Labelled

REPORT = corpus.HERE.parent / "docs" / "understanding.md"
RESAMPLED = 1000
WORST = 8
BINS = 10

Truth = Callable[[Labelled], object]
Said = Callable[[Reading], object]
FIELDS: dict[str, tuple[Truth, Said, tuple[object, ...]]] = {
    "sentiment": (lambda row: row.sentiment, lambda reading: reading.sentiment, SENTIMENTS),
    "kind": (lambda row: row.kind, lambda reading: reading.kind, KINDS),
    "offensive": (lambda row: row.offensive, lambda reading: reading.offensive, (False, True)),
    "spam": (lambda row: row.spam, lambda reading: reading.spam, (False, True)),
    "needs_answer": (lambda row: row.needs_answer, lambda reading: reading.needs_answer, (False, True)),
    "urgency": (lambda row: (row.urgency or 0) >= 2, lambda reading: reading.urgency >= 0.5, (False, True)),
}
"""Each field: the truth, what was said, and the values it may have. Of urgency: whether it is for today."""
GOALS = {("sentiment", "es"): (80, 90), ("kind", "es"): (80, 92), ("kind", "en"): (75, 90)}
"""In per cent of macro-F1: the first step and the goal."""


def main() -> None:
    judged = list(corpus.own("aside"))
    readings = read([row.text for row in judged])
    text = "\n".join([_head(judged), _scores(judged, readings), _second(), _topics(judged, readings), _languages(judged, readings),
                      _criticism(judged, readings), _posts(), _afterwards(), _confusions(judged, readings), _calibration(judged, readings), curve.section(),
                      _worst(judged, readings), _cost()])  # fmt: skip
    REPORT.write_text(text, encoding="utf-8")
    print(text)


def _head(rows: Sequence[Labelled]) -> str:
    trained = Counter(row.source for row in [*corpus.own(), *corpus.other_languages(), *corpus.public()])
    own = sum(count for name, count in trained.items() if name not in _public())
    sources = ", ".join(f"{name} {trained[name]:,}" for name in sorted(_public()))
    judged = ", ".join(
        f"{language} {count}" for language, count in sorted(Counter(row.language for row in rows).items())
    )
    return f"""# Understanding: the model card

Written by `make understanding-report`; nothing in it is typed by hand.

**What it is**: model `{shipped().name}`, linear support vector machines over hashed words, pairs, triples and pieces of words,
weighed by naive Bayes, and a net with one hidden layer on what the words mean; one byte a weight. Made by `make model` from
`training/`. What words mean stands in a table that was learnt from another model's vectors (`training/meaning.py`; whose, says
`shipped/NOTICE.txt`); brands' own topics are learnt from it too.

**Trained on** {own:,} messages written for this (CC0) and on public texts: {sources}. Their licences lie beside them in
`training/public/` and go with the wheel's notices.

**Judged on** messages that nothing was trained on ({judged}), written for this by another writer to the same guide. Both
writers are language models that know the guide: expect less from real life. The public sets of tweets are judged
elsewhere and not at hand.

**Not meant for**: judging people. It reads messages so that somebody looks at the right one first; a person decides.
"""


def _public() -> set[str]:
    return {path.name for path in (corpus.HERE / "public").iterdir()}


def _scores(rows: Sequence[Labelled], readings: Sequence[Reading]) -> str:
    lines = ["## How right it is", "", "Macro-F1 in per cent, with the 95 % interval of 1,000 resamplings.", "",
             "| field | language | messages | macro-F1 | 95 % | first step | goal |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for field, (truth, said, _values) in FIELDS.items():
        for language in sorted({row.language for row in rows}):
            at = [n for n, row in enumerate(rows) if row.language == language]
            right, got = np.array([truth(rows[n]) for n in at]), np.array([said(readings[n]) for n in at])
            if len(set(right.tolist())) < 2:
                continue
            low, high = _interval(right, got)
            step, goal = GOALS.get((field, language), ("", ""))
            lines.append(
                f"| {field} | {language} | {len(at)} | **{_f1(right, got):.1f}** | {low:.1f}–{high:.1f} | {step} | {goal} |"
            )
    return "\n".join([*lines, ""])


def _f1(right: np.ndarray, got: np.ndarray) -> float:
    return 100 * float(f1_score(right, got, average="macro", labels=sorted(set(right.tolist())), zero_division=0))


def _interval(right: np.ndarray, got: np.ndarray) -> tuple[float, float]:
    chance = np.random.default_rng(7)
    drawn = (chance.integers(0, len(right), len(right)) for _ in range(RESAMPLED))
    found = np.percentile([_f1(right[at], got[at]) for at in drawn], [2.5, 97.5])
    return float(found[0]), float(found[1])


def _second() -> str:
    """How far two readers agree: a model can hardly be expected to agree more."""
    lines = ["Two readers of the same messages, the second of whom saw the guide and the texts alone, agree as far as the first column says "
             "(macro-F1 of the second by the first). Beside it what the model gets by the first, by the second, and where both say the same:", "",
             "| field | language | second by first | model by first | by second | by both |", "|---|---|---|---|---|---|"]  # fmt: skip
    for language in ("es", "en"):
        first, then = [row for row in corpus.own("aside") if row.source == language], corpus.second(language)
        readings = read([row.text for row in first])
        for field, (truth, said, _values) in FIELDS.items():
            one, two = (np.array([truth(row) for row in rows]) for rows in (first, then))
            got, same = np.array([said(reading) for reading in readings]), one == two
            found = (_f1(one, two), _f1(one, got), _f1(two, got), _f1(one[same], got[same]))
            lines.append(f"| {field} | {language} | " + " | ".join(f"{each:.1f}" for each in found) + " |")
    return "\n".join([*lines, ""])


def _topics(rows: Sequence[Labelled], readings: Sequence[Reading]) -> str:
    pairs = [(row.topics or frozenset(), set(reading.topics)) for row, reading in zip(rows, readings, strict=True)]
    hits = sum(len(truth & said) for truth, said in pairs)
    said, true = sum(len(said) for _, said in pairs), sum(len(truth) for truth, _ in pairs)
    precision, recall = hits / max(said, 1), hits / max(true, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return f"Topics ({len(shipped().fields['topics'].classes)}, up to three each): of those named {100 * precision:.0f} % are right, {100 * recall:.0f} % of the true ones are named (micro-F1 {100 * f1:.0f}).\n"


def _languages(rows: Sequence[Labelled], readings: Sequence[Reading]) -> str:
    whole = np.mean([row.language == reading.language for row, reading in zip(rows, readings, strict=True)])
    long = [row for row in rows if len(row.text.split()) >= 8]
    short = np.mean([
        row.language == reading.language
        for row, reading in zip(long, read([" ".join(row.text.split()[:4]) for row in long]), strict=True)
    ])  # fmt: skip
    return f"Language: {100 * whole:.1f} % of the messages; {100 * short:.1f} % of their first four words ({len(long)} of eight words or more).\n"


def _criticism(rows: Sequence[Labelled], readings: Sequence[Reading]) -> str:
    harsh = [
        reading for row, reading in zip(rows, readings, strict=True) if row.kind == "complaint" and not row.offensive
    ]
    wrong = sum(reading.offensive for reading in harsh)
    return f"Criticism taken for offence: {wrong} of {len(harsh)} complaints without an insult ({100 * wrong / max(len(harsh), 1):.1f} %; first step ≤ 2, goal ≤ 1).\n"


POSTS = {"es": (60, 66)}
"""In per cent, the first step and the goal of feeling in public posts; of the languages that aren't here: 58 and 66."""


def _posts() -> str:
    """Feeling in posts about anything, which is another thing than a message to a company."""
    lines = ["## Public posts about anything", "",
             "Posts as they stand on a microblog, a third of each feeling, which is often told only by what happened: written for this, to the "
             "guide, by a writer who saw none of those that are learnt from, and never learnt from. While posts were gathered it was looked at "
             "whether more of them help here. The goals are those for public sets of tweets, which aren't at hand.", "",
             "| language | posts | feeling, macro-F1 | 95 % | first step | goal |", "|---|---|---|---|---|---|"]  # fmt: skip
    rows = list(corpus.own("posts"))
    readings = read([row.text for row in rows])
    for language in sorted({row.language for row in rows}):
        at = [n for n, row in enumerate(rows) if row.language == language]
        right, got = np.array([rows[n].sentiment for n in at]), np.array([readings[n].sentiment for n in at])
        low, high = _interval(right, got)
        step, goal = POSTS.get(language, (58, 66))
        lines.append(f"| {language} | {len(at)} | **{_f1(right, got):.1f}** | {low:.1f}–{high:.1f} | {step} | {goal} |")
    return "\n".join([*lines, ""])


AFTERWARDS = {
    "": "Plain ones, as they come to a shop, a hotel, a clinic, written when an earlier model was made",
    "later": "Hard ones, told in many ways, written when an earlier model was made",
    "latest": "Those of an ordinary week, written when an earlier model was made",
    "newest": "Those of a second ordinary week, written when the model before this one was made",
    "fresh": "Those of a third ordinary week, written when what this model learnt from was complete",
}
"""The hundreds, by how their files' names end."""


def _afterwards() -> str:
    """Of messages that no model had learnt anything like when they were written: how many are read right, and those that
    are not, a hundred after the other."""
    sets: dict[str, list[Labelled]] = {each: [] for each in AFTERWARDS}
    for row in corpus.own("afterwards"):
        sets[row.source.partition("-")[2]].append(row)
    parts = [line for name, what in AFTERWARDS.items() for line in _hundred(sets[name], what)]
    return "\n".join(["## Messages written afterwards", "", *parts])


def _hundred(rows: Sequence[Labelled], what: str) -> list[str]:
    readings = read([row.text for row in rows])
    feeling = [row.sentiment == reading.sentiment for row, reading in zip(rows, readings, strict=True)]
    kind = [row.kind == reading.kind for row, reading in zip(rows, readings, strict=True)]
    both = sum(a and b for a, b in zip(feeling, kind, strict=True))
    wrong = [
        f"- {row.sentiment} {row.kind}, read as {reading.sentiment} {reading.kind}: “{' '.join(row.text.split())[:120]}”"
        for row, reading, a, b in zip(rows, readings, feeling, kind, strict=True)
        if not (a and b)
    ]
    return [
        f"{what}, and labelled before it was asked: of {len(rows)} feeling right in {sum(feeling)}, kind in {sum(kind)} "
        f"(goal ≥ 90 of 100 each), both at once in {both}. Read wrong:",
        "", *wrong, "",
    ]  # fmt: skip


def _confusions(rows: Sequence[Labelled], readings: Sequence[Reading]) -> str:
    parts = ["## What is taken for what", "", "Rows: the truth; columns: what was said.", ""]
    for field in ("sentiment", "kind"):
        truth, said, values = FIELDS[field]
        table = confusion_matrix(
            [truth(row) for row in rows], [said(reading) for reading in readings], labels=list(values)
        )
        parts += [f"| {field} | " + " | ".join(map(str, values)) + " |", "|---" * (len(values) + 1) + "|"]
        parts += [
            f"| **{value}** | " + " | ".join(map(str, line)) + " |" for value, line in zip(values, table, strict=True)
        ]
        parts.append("")
    return "\n".join(parts)


def _calibration(rows: Sequence[Labelled], readings: Sequence[Reading]) -> str:
    lines = ["## Whether it knows how sure it may be", "",
             "ECE: the mean distance between how sure it says it is and how often it is right (first step ≤ 0.07, goal ≤ 0.05). Then, of those "
             "about as sure, how many are right.", "", "| field | ECE | " + " | ".join(f"≤ {n / BINS:.1f}" for n in range(4, BINS + 1)) + " |",
             "|---" * (BINS - 1) + "|"]  # fmt: skip
    for field, (truth, said, _values) in FIELDS.items():
        sure = np.array([reading.confidence[field] for reading in readings])
        right = np.array([truth(row) == said(reading) for row, reading in zip(rows, readings, strict=True)])
        bins = np.minimum(np.ceil(sure * BINS).astype(int), BINS)
        ece = sum(
            abs(right[bins == n].mean() - sure[bins == n].mean()) * (bins == n).mean() for n in set(bins.tolist())
        )
        cells = [
            f"{100 * right[bins == n].mean():.0f} % of {(bins == n).sum()}" if (bins == n).any() else ""
            for n in range(4, BINS + 1)
        ]
        lines.append(f"| {field} | {ece:.3f} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _worst(rows: Sequence[Labelled], readings: Sequence[Reading]) -> str:
    lines = ["## Its worst errors", "", "Wrong, and surest of it.", ""]
    for field in ("sentiment", "kind", "offensive"):
        truth, said, _values = FIELDS[field]
        wrong = [n for n, row in enumerate(rows) if truth(row) != said(readings[n])]
        for n in sorted(wrong, key=lambda n: -readings[n].confidence[field])[:WORST]:
            quote = " ".join(rows[n].text.split())[:160]
            lines.append(
                f"- {field}, {readings[n].confidence[field]:.2f} sure: {said(readings[n])} for {truth(rows[n])}: “{quote}”"
            )
    return "\n".join([*lines, ""])


def _cost() -> str:
    size = sum(path.stat().st_size for path in FOLDER.iterdir()) / 1e6
    found = [Figure("size of the shipped model", size, "MB", 25), *understanding.run()]
    told = [figures.row(one, None) for one in found]
    lines = [(what, value, unit, goal, says) for what, value, unit, goal, _limit, _ratio, says in told]
    made = figures.markdown(("what", "value", "unit", "goal", ""), lines)
    return f"## What it costs\n\nOn one core of the machine that wrote this.\n\n{made}\n"


if __name__ == "__main__":
    main()
