"""What the model is trained on and judged by, and that training gives the same everywhere."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import numpy as np
from benchmarks.figures import Figure
from training import corpus, fit, report

from tertulia.understanding import features
from tertulia.understanding.model import shipped
from tertulia.understanding.reading import KINDS, LANGUAGES, SENTIMENTS

TRAINING = Path(__file__).parents[2] / "training"
JUDGED = ("aside", "afterwards", "posts")
"""Folders of what is judged by."""


def test_every_label_is_one_there_is():
    topics = set(shipped().fields["topics"].classes)
    judged = {folder: list(corpus.own(folder)) for folder in JUDGED}
    assert all(judged.values()), {folder: len(rows) for folder, rows in judged.items()}
    for row in [*corpus.own(), *(row for rows in judged.values() for row in rows)]:
        assert row.kind in KINDS, row
        assert row.sentiment in SENTIMENTS, row
        assert row.language in LANGUAGES, row
        assert 0 <= row.urgency <= 3, row
        assert row.topics <= topics, row
        assert row.text, row


def test_thousands_were_written_in_spanish_and_hundreds_in_each_other_language():
    rows = list(corpus.own())
    counts = {language: sum(row.language == language for row in rows) for language in LANGUAGES}
    assert counts["es"] > 5_000
    assert min(counts.values()) >= 400


def test_nothing_is_learnt_from_what_it_is_judged_by():
    def words(row):
        return " ".join(re.findall(r"\w+", features.normalised(row.text)))

    learnt = {words(row) for row in corpus.own() if len(row.text) > 25}
    assert learnt.isdisjoint(words(row) for folder in JUDGED for row in corpus.own(folder))


def test_every_public_source_names_where_it_is_from_and_its_licence():
    for folder in (TRAINING / "public").iterdir():
        assert (folder / "SOURCE.txt").stat().st_size > 50
        assert (folder / "LICENCE.txt").stat().st_size > 50


def test_training_gives_the_same_bytes_on_every_machine():
    """The sum was written down on another machine than the one this runs on, sooner or later."""
    people, things = (
        ("Ana", "Luis", "Marta", "Joan", "Inés"),
        ("pan", "horno", "pedido", "mesa", "precio", "bici", "luz"),
    )
    texts = [f"{who} {what} {n % 7}" for n, (who, what) in enumerate((w, t) for w in people for t in things)]
    is_so = np.array(["pan" in text or "Luis" in text for text in texts])
    weights, bias = fit.weights(fit.matrix(texts), is_so, np.ones(len(texts)))
    step = np.abs(weights).max() / 127
    rounded = np.rint(weights / step).astype(np.int8)
    assert hashlib.sha256(rounded.tobytes()).hexdigest()[:12] == "2c51b88a8aba"
    assert round(bias, 4) == -0.4389


def test_the_net_is_the_same_on_every_machine(monkeypatch):
    """However its arithmetic rounds: what differs in the last digits is gone after every step."""
    monkeypatch.setattr(fit, "EPOCHS", 30)
    random = np.random.default_rng(5)
    x = random.normal(size=(600, 12))
    truth = np.stack([x[:, 0] > 0, x[:, 0] <= 0, x[:, 1] * x[:, 2] > 0], 1).astype(float)
    found = fit.net(x, truth, [slice(0, 2)])
    numbers = np.rint(found.out * len(fit.SEEDS) * fit.GRID).astype(np.int64)
    assert hashlib.sha256(numbers.tobytes()).hexdigest()[:12] == "497f796c30af"
    again = fit.net(x * (1 + 1e-15 * random.normal(size=x.shape)), truth, [slice(0, 2)])
    assert np.array_equal(found.out, again.out)
    assert ((found.logits(x)[:, 2] > 0) == truth[:, 2]).mean() > 0.9


def test_the_second_reader_read_what_the_first_had_written():
    for language in ("es", "en"):
        first = [row for row in corpus.own("aside") if row.source == language]
        second = corpus.second(language)  # each line names its text
        assert {row.kind for row in second} <= set(KINDS)
        same = sum(a.kind == b.kind for a, b in zip(first, second, strict=True))
        assert 0.9 * len(first) < same < len(first)


def test_the_learning_curve_is_of_topics_the_model_does_not_know():
    for path in [*(TRAINING / "topics").iterdir(), *(TRAINING / "tried").iterdir()]:
        counts = Counter(line.split("\t")[0] for line in path.read_text(encoding="utf-8").splitlines())
        assert min(count for topic, count in counts.items() if topic) >= 20, path.name
        assert counts.keys().isdisjoint(shipped().fields["topics"].classes)


def test_what_learns_is_tried_on_other_messages_than_it_is_judged_by():
    def texts(folder):
        lines = (line for path in (TRAINING / folder).iterdir() for line in path.read_text("utf-8").splitlines())
        return {line.split("\t")[1] for line in lines}

    judged = texts("topics") | {row.text for row in corpus.own("aside")}
    assert texts("tried").isdisjoint(judged)


def test_the_model_card_tells_what_it_costs_beside_its_goals(monkeypatch):
    monkeypatch.setattr(report.understanding, "run", lambda: [Figure("messages", 5_400, "1/s", 2_000, better="more")])
    told = report._cost().splitlines()
    assert any("size of the shipped model" in line and "≤ 25.0" in line and "met" in line for line in told)
    assert any("messages" in line and "≥ 2,000" in line and "met" in line for line in told)
