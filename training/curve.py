"""The learning curve: how many examples a brand's own topic takes. Runs alone too: `python -m training.curve`; of the
topics that what learns may be tried on, `python -m training.curve tried`.

`topics/` holds messages of topics that the shipped model doesn't know, a topic and a text a line; the messages of `aside/`
and of the other topics are the brand's other messages. Beside them, wide: topics of the guide, as if nobody had heard
of them. Of each draw a part of the messages is set aside for judging and nothing is learnt from it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tertulia.understanding import features
from tertulia.understanding.learning import OWN_FROM, TOPIC, Example, fit
from tertulia.understanding.model import Model, shipped

from . import corpus

EXAMPLES = (1, 2, 5, 10, 20, 50)
DRAWS = 10
JUDGED_OF = 3
"""One in so many of those it holds for is set aside, and half of the others."""
WIDE = ("booking", "delivery", "event", "hours", "stock", "technical")
LANGUAGES = ("es", "en")

Topics = dict[str, frozenset[str]]
"""By text, the topics it is about."""


def section(folder: str = "topics") -> str:
    """The table for the report."""
    lines = [
        "## How many examples a brand's own topic takes", "",
        f"F1 on set-aside messages after so many examples, the mean of {DRAWS} draws and its 95 % interval over draws. Nobody says",
        "anything of the brand's other messages: they are taken for not being about it, and here none is. Goal: 0.80 after 10.", "",
        "The narrow topics were written for this by the one who wrote what learns. Its first constants were chosen looking at the",
        "Spanish ones and at the wide ones; what was changed since, on topics written later (`training/tried/`) and on other topics",
        "of the guide, and these were judged once afterwards. Expect less from real life. The wide ones are topics of the guide,",
        "learnt as if nobody had heard of them; they keep their English names, which say nothing to a Spanish message.", "",
        "A topic's name counts as one example, so it should say what the topic is about. Wide topics and those told in ever other",
        "words (`lost-property`) remain far from the goal.", "",
        "| topic | " + " | ".join(map(str, EXAMPLES)) + " |", "|---" * (len(EXAMPLES) + 1) + "|",
    ]  # fmt: skip
    for language in LANGUAGES:
        narrow, wide = _narrow(language, folder), _wide(language)
        names = sorted({topic for topics in narrow.values() for topic in topics})
        lines += _rows(f"narrow, {language}", names, narrow) + _rows(f"wide, {language}", WIDE, wide)
    return "\n".join([*lines, ""])


def _rows(kind: str, names: Sequence[str], topics: Topics) -> list[str]:
    curves = {name: curve(name, topics) for name in names}
    lines = [
        f"| {name} ({kind}) | " + " | ".join(_cell(found.get(n)) for n in EXAMPLES) + " |"
        for name, found in curves.items()
    ]
    whole = {n: [f1 for found in curves.values() for f1 in found.get(n, [])] for n in EXAMPLES}
    return [
        *lines,
        f"| **{kind}** | " + " | ".join(f"**{_cell(whole[n])}**" if whole[n] else "" for n in EXAMPLES) + " |",
    ]


def _cell(found: Sequence[float] | None) -> str:
    if not found:
        return ""
    low, high = np.percentile(found, [2.5, 97.5])
    return f"{np.mean(found):.2f} ({low:.2f}–{high:.2f})"


def curve(name: str, topics: Topics) -> dict[int, list[float]]:
    """F1 of each draw, by the number of examples, as long as there are so many."""
    texts = list(topics)
    is_so = np.array([name in topics[text] for text in texts])
    model = _without(name)
    found: dict[int, list[float]] = {}
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(texts))
        yes, no = order[is_so[order]], order[~is_so[order]]
        judged = np.append(yes[: len(yes) // JUDGED_OF], no[: len(no) // 2])
        rest, others = yes[len(yes) // JUDGED_OF :], [texts[n] for n in no[len(no) // 2 :]]
        for count in EXAMPLES:
            if count <= len(rest):
                learnt = fit([Example(texts[n], {TOPIC + name: True}) for n in rest[:count]], others, [name], model)
                plain = features.of([features.normalised(texts[n]) for n in judged])
                _, scores = learnt.scores(plain, model.scores(plain))
                named = 1 / (1 + np.exp(-scores[:, 0])) >= OWN_FROM
                both = named.sum() + is_so[judged].sum()
                found.setdefault(count, []).append(float(2 * (named & is_so[judged]).sum() / both))
    return found


def _without(name: str) -> Model:
    """The shipped model, deaf to a topic."""
    field = shipped().fields["topics"]
    if name not in field.classes:
        return shipped()
    gain, offset, adds = shipped().gain.copy(), shipped().offset.copy(), shipped().net.adds.copy()
    column = field.first + field.classes.index(name)
    gain[column] = offset[column] = adds[:, column] = 0.0
    return replace(shipped(), gain=gain, offset=offset, net=replace(shipped().net, adds=adds))


def _narrow(language: str, folder: str) -> Topics:
    found: dict[str, set[str]] = {}
    for line in (corpus.HERE / folder / f"{language}.tsv").read_text(encoding="utf-8").splitlines():
        topic, _, text = line.partition("\t")
        found.setdefault(text.replace("\\n", "\n"), set()).update({topic} - {""})
    for text in _wide(language):
        found.setdefault(text, set())
    return {text: frozenset(topics) for text, topics in found.items()}


def _wide(language: str) -> Topics:
    return {row.text: row.topics or frozenset() for row in corpus.own("aside") if row.language == language}


if __name__ == "__main__":
    print(section(*sys.argv[1:]))
