"""What the model is trained on and judged by, and that training gives the same everywhere."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
from benchmarks.figures import Figure
from training import corpus, fit, kept, report

from tertulia.understanding import features
from tertulia.understanding.model import shipped
from tertulia.understanding.reading import KINDS, LANGUAGES, SENTIMENTS

ROOT = Path(__file__).parents[2]
TRAINING = ROOT / "training"
JUDGED = ("aside", "afterwards", "posts", "criticism")
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


def test_the_report_is_written_and_its_figures_are_those_that_are_kept(monkeypatch, tmp_path):
    """So no model ships without its figures: whoever changes it, or how it reads, runs `make understanding-report`."""
    for module, name in ((report, "REPORT"), (kept, "FILE")):
        shown = getattr(module, name)
        monkeypatch.setattr(module, name, Path(shutil.copy(shown, tmp_path)))
    monkeypatch.setattr(report, "RESAMPLED", 2)
    monkeypatch.setattr(report.curve, "section", lambda: "(the curve takes minutes)")
    monkeypatch.setattr(report.understanding, "run", list)
    report.main()
    assert kept.FILE.read_text("utf-8") == (ROOT / "docs" / kept.FILE.name).read_text("utf-8")
    assert shipped().name in (ROOT / "docs" / "understanding.md").read_text("utf-8")
    told = report.REPORT.read_text("utf-8")
    assert "| harsh ones, both | 400 |" in told
    assert "| language |" in told
    assert "| topics, each that is named |" in told


def test_nothing_is_read_worse_than_in_the_last_release_unless_a_sentence_says_why():
    assert kept.load().untold() == []


def test_figures_are_held_against_those_of_the_last_release():
    names = ("kind", "es"), ("kind", "en"), ("posts", "es")
    before = kept.Kept("1.0 abc", "0.9 xyz", {name: kept.Figure(400, 90.0, 92.0, "Told.") for name in names})
    found = dict(zip(names, ((400, 90.0), (400, 89.9), (400, 91.0)), strict=True))

    same = kept.renewed(before, found, "1.0 def")  # another model of the same release
    assert (same.now, same.last) == ("1.0 def", "0.9 xyz")
    assert [figure.last for figure in same.figures.values()] == [92.0] * 3
    assert [figure.told for figure in same.figures.values()] == ["Told.", "", "Told."]  # the second fell further
    assert same.untold() == [("kind", "en")]
    assert not same.figures["posts", "es"].is_fallen  # by 1.0: no more than chance with 400 messages

    after = kept.renewed(same, dict.fromkeys([*names, ("kind", "new")], (400, 85.0)), "1.1 ghi")
    assert (after.now, after.last) == ("1.1 ghi", "1.0 def")
    assert [figure.last for figure in after.figures.values()] == [90.0, 89.9, 91.0, None]
    assert after.untold() == list(names)


def test_the_figures_are_kept_as_they_are(monkeypatch, tmp_path):
    monkeypatch.setattr(kept, "FILE", tmp_path / "figures.tsv")
    some = kept.Kept(
        "1.0 abc",
        "0.9 xyz",
        {("kind", "es"): kept.Figure(500, 91.2, 93.2, "Why."), ("spam", "en"): kept.Figure(9, 50.0)},
    )
    kept.keep(some)
    assert kept.load() == some
