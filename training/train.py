"""Makes the model that Tertulia ships: `make model` writes src/tertulia/understanding/shipped/.

The same corpus gives the same bytes on every machine. Takes some minutes on one core.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse
from sklearn.metrics import f1_score

from tertulia.understanding import features, meaning
from tertulia.understanding.meaning import FOLDER
from tertulia.understanding.reading import LANGUAGES

from . import corpus, fit
from .corpus import Labelled

WORKERS = 2


@dataclass(frozen=True)
class Task:
    """What is learnt: `of` gives the classes that hold for a text, or None when its source does not say."""

    name: str
    classes: tuple[str, ...]
    is_one_of: bool
    of: Callable[[Labelled], frozenset[str] | None]
    public: float = 0.0
    """What a public text counts beside one of ours; 0: only ours are learnt from."""
    strength: float = 1.0
    is_seen_together: bool = False
    """Whether what the other tasks say of a text counts too; not where most is learnt from texts of another kind."""


def _one(value: object) -> frozenset[str] | None:
    return None if value is None else frozenset([str(value)])


def _flag(name: str, value: bool | None) -> frozenset[str] | None:
    return None if value is None else frozenset([name] if value else [])


def tasks(rows: Sequence[Labelled]) -> list[Task]:
    topics = tuple(sorted({topic for row in rows for topic in row.topics or ()}))
    languages = tuple(sorted({row.language for row in rows}))
    return [
        Task(
            "sentiment",
            ("negative", "neutral", "positive"),
            True,
            lambda row: _one(row.sentiment),
            0.05,
            is_seen_together=True,
        ),
        Task("kind", corpus.KINDS, True, lambda row: _one(row.kind), is_seen_together=True),
        Task(
            "urgency",
            ("1", "2", "3"),
            False,
            lambda row: None if row.urgency is None else frozenset("123"[: row.urgency]),
            is_seen_together=True,
        ),
        Task("offensive", ("offensive",), False, lambda row: _flag("offensive", row.offensive), 0.5),
        Task("spam", ("spam",), False, lambda row: _flag("spam", row.spam), 0.5),
        Task(
            "needs_answer",
            ("needs_answer",),
            False,
            lambda row: _flag("needs_answer", row.needs_answer),
            is_seen_together=True,
        ),
        Task("topics", topics, False, lambda row: row.topics, is_seen_together=True),
        Task("language", languages, True, lambda row: _one(row.language), 0.3, 0.3),
    ]


def rows() -> list[Labelled]:
    return [*corpus.own(), *corpus.other_languages(), *corpus.public()]


def part_of(text: str) -> int:
    """Which of the parts a text belongs to when one is learnt from the others."""
    return hashlib.sha256(text.encode()).digest()[0] % fit.FOLDS


@dataclass(frozen=True)
class Part:
    """What one task is learnt from."""

    at: np.ndarray
    """Numbers of the labelled texts."""
    x: sparse.csr_matrix
    truth: np.ndarray
    how_much: np.ndarray
    fold: np.ndarray
    is_own: np.ndarray


Column = tuple[np.ndarray, float, np.ndarray]
"""The weights of one class, where its scale begins, and what each of our texts gets from what was learnt without it."""


def column(part: Part, number: int, strength: float) -> Column:
    is_so, without = part.truth[:, number], np.full(part.x.shape[0], np.nan)
    for fold in range(fit.FOLDS):
        rest, held = np.flatnonzero(part.fold != fold), np.flatnonzero((part.fold == fold) & part.is_own)
        if is_so[rest].any():
            weights, bias = fit.weights(part.x[rest], is_so[rest], part.how_much[rest], strength=strength)
            without[held] = part.x[held] @ weights + bias
    weights, bias = fit.weights(part.x, is_so, part.how_much, strength=strength)
    return weights, bias, without


def calibrated(scores: np.ndarray, truth: np.ndarray, is_one_of: bool) -> tuple[np.ndarray, np.ndarray]:
    """How scores become probabilities: a factor and an offset for each class, which make the truth likeliest."""
    count = scores.shape[1]

    def loss(found: np.ndarray) -> float:
        if is_one_of:
            z = scores * found[0] + found[1:]
            z = z - z.max(1, keepdims=True)
            return float(-(z[truth > 0] - np.log(np.exp(z).sum(1))).mean() + 1e-4 * (found[1:] ** 2).sum())
        z = scores * found[:count] + found[count:]
        return float((np.logaddexp(0, z) - truth * z).mean())

    start = np.r_[1.0, np.zeros(count)] if is_one_of else np.r_[np.ones(count), np.zeros(count)]
    found = optimize.minimize(loss, start, method="L-BFGS-B").x.round(3)
    return (np.full(count, found[0]), found[1:]) if is_one_of else (found[:count], found[count:])


@dataclass(frozen=True)
class Learnt:
    """Of a task: weights (row × class), where each scale begins, and what each text gets from what never saw it."""

    weights: np.ndarray
    bias: np.ndarray
    without: np.ndarray
    """A row for each labelled text; not a number where it can't be told."""
    out: np.ndarray | float = 0.0
    """What the net's hidden numbers add (hidden × class)."""


@dataclass(frozen=True)
class Meant:
    """What the net says of all tasks that are seen together, by the meaning of a text's words."""

    net: fit.Net
    without: np.ndarray
    """A row for each labelled text: its logits by a net that never saw it; not a number where it isn't ours."""


def main() -> None:
    began = time.monotonic()
    labelled = rows()
    x, fold = fit.matrix([row.text for row in labelled]), np.array([part_of(row.text) for row in labelled])
    first = {task: learnt(part_for(task, labelled, x, fold), task, len(labelled)) for task in tasks(labelled)}
    print(f"All classes, each for itself: {time.monotonic() - began:.0f} s", flush=True)
    meant = by_meaning(labelled, list(first), fold)
    print(f"The net of what words mean: {time.monotonic() - began:.0f} s", flush=True)
    fields: list[dict[str, object]] = []
    outs: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    gains: list[float] = []
    offsets: list[float] = []
    for task in first:
        part = part_for(task, labelled, x, fold)
        found = together(task, first, meant, part) if task.is_seen_together else first[task]
        judged = part.at[part.is_own & ~np.isnan(found.without[part.at]).any(1)]
        truth = part.truth[np.isin(part.at, judged)]
        gain, offset = calibrated(found.without[judged], truth.astype(float), task.is_one_of)
        field = {"name": task.name, "classes": list(task.classes), "first": len(columns), "is_one_of": task.is_one_of}
        fields.append(field)
        outs.append(np.broadcast_to(found.out, (fit.HIDDEN * len(fit.SEEDS), len(task.classes))) * gain)
        for weights, bias, a, b in zip(found.weights.T, found.bias, gain, offset, strict=True):
            step = float(np.abs(weights).max()) / 127 or 1.0
            columns.append(np.rint(weights / step).astype(np.int8))
            gains.append(round(step * float(a), 7))
            offsets.append(round(float(bias) * float(a) + float(b), 4))
        said = say(task, [labelled[n] for n in judged], found.without[judged] * gain + offset, truth)
        print(f"{task.name}, {len(judged):,} texts: {said}; {time.monotonic() - began:.0f} s", flush=True)
    weights = np.stack(columns, 1)
    net, steps = packed(meant.net, np.concatenate(outs, 1))
    keep(weights, net, {"fields": fields, "gain": gains, "offset": offsets, "net": steps})
    print(f"{weights.nbytes / 1e6:.1f} MB, from {len(labelled):,} texts, in {time.monotonic() - began:.0f} s")


def by_meaning(labelled: Sequence[Labelled], every: Sequence[Task], fold: np.ndarray) -> Meant:
    """One net for all that is seen together: learnt from our own texts, of which each says all of it."""
    some = [task for task in every if task.is_seen_together]
    ours = [n for n, row in enumerate(labelled) if all(task.of(row) is not None for task in some)]
    x = meaning.of(features.of([features.normalised(labelled[n].text) for n in ours])).astype(np.float64)
    truth = np.concatenate([_truth(task, [labelled[n] for n in ours]) for task in some], 1).astype(np.float64)
    ends = np.cumsum([len(task.classes) for task in some])
    alone = [slice(end - len(task.classes), end) for task, end in zip(some, ends, strict=True) if task.is_one_of]
    parts = [np.flatnonzero(fold[ours] != number) for number in range(fit.FOLDS)]
    with ProcessPoolExecutor(WORKERS) as pool:
        *nets, whole = pool.map(
            fit.net, *zip(*((x[at], truth[at], alone) for at in [*parts, np.arange(len(ours))]), strict=True)
        )
    without = np.full((len(labelled), truth.shape[1]), np.nan)
    for number, each in enumerate(nets):
        held = np.flatnonzero(fold[ours] == number)
        without[np.array(ours)[held]] = each.logits(x[held])
    return Meant(whole, without)


def _truth(task: Task, rows: Sequence[Labelled]) -> np.ndarray:
    return np.array([[name in (task.of(row) or ()) for name in task.classes] for row in rows])


def packed(net: fit.Net, out: np.ndarray) -> tuple[np.ndarray, dict[str, list[float]]]:
    """The net as `model.shipped` reads it: one signed byte for what each hidden number takes of a meaning, and for what it
    adds to each class; beside them how large a step of each is, and where each hidden number begins."""
    wide, adds = (np.abs(each).max(0) / 127 for each in (net.hidden, out))
    adds[adds == 0] = 1.0
    bytes = np.concatenate([np.rint(net.hidden / wide), np.rint(out / adds).T]).astype(np.int8)
    return bytes, {
        "wide": [float(f"{each:.4g}") for each in wide], "begin": [float(f"{each:.4g}") for each in net.bias],
        "adds": [float(f"{each:.4g}") for each in adds],
    }  # fmt: skip


def together(task: Task, first: dict[Task, Learnt], meant: Meant, part: Part) -> Learnt:
    """The task again, as a sum of what all tasks say: praise is glad, a complaint waits, and each language has its ways.

    Learnt from what each text got when it was left out. A sum of linear scores is one, so that it costs nothing later.
    """
    rows = np.flatnonzero(part.is_own)
    chosen = [(each, n) for each in first for n in _told_by(each)]
    scores = np.stack([first[each].without[part.at[rows], n] for each, n in chosen], 1)
    scores = np.concatenate([scores, meant.without[part.at[rows]]], 1)
    told = np.flatnonzero(~np.isnan(scores).any(1))
    scores, at, fold, truth = scores[told], part.at[rows][told], part.fold[rows][told], part.truth[rows][told]
    without = np.full((len(first[task].without), len(task.classes)), np.nan)
    for number in range(fit.FOLDS):
        mix, shift = fit.mixture(scores[fold != number], truth[fold != number], task.is_one_of)
        without[at[fold == number]] = scores[fold == number] @ mix + shift
    mix, shift = fit.mixture(scores, truth, task.is_one_of)
    weights = np.stack([first[each].weights[:, n] for each, n in chosen], 1)
    bias = np.array([first[each].bias[n] for each, n in chosen])
    of_words, of_meaning = mix[: len(chosen)], mix[len(chosen) :]
    base = bias @ of_words + meant.net.base @ of_meaning + shift
    return Learnt(weights @ of_words, base, without, meant.net.out @ of_meaning)


def _told_by(task: Task) -> list[int]:
    return [n for n, name in enumerate(task.classes) if task.name != "language" or name in LANGUAGES]


def part_for(task: Task, labelled: Sequence[Labelled], x: sparse.csr_matrix, fold: np.ndarray) -> Part:
    at = np.array([n for n, row in enumerate(labelled) if _is_for(task, row, int(fold[n]))])
    is_own = np.array([labelled[n].source not in PUBLIC for n in at])
    truth = _truth(task, [labelled[n] for n in at])
    return Part(at, x[at], truth, np.where(is_own, 1.0, task.public), fold[at], is_own)


def _is_for(task: Task, row: Labelled, fold: int) -> bool:
    if task.of(row) is None or (row.source in PUBLIC and not task.public):
        return False
    return task.name != "language" or row.source not in PUBLIC or fold == 0  # of languages a part of them is enough


def learnt(part: Part, task: Task, size: int) -> Learnt:
    with ProcessPoolExecutor(WORKERS) as pool:
        jobs = [pool.submit(column, part, number, task.strength) for number in range(len(task.classes))]
        weights, bias, without = (np.stack(each, -1) for each in zip(*(job.result() for job in jobs), strict=True))
    every = np.full((size, len(task.classes)), np.nan)
    every[part.at] = without
    return Learnt(weights, bias, every)


def keep(weights: np.ndarray, net: np.ndarray, said: dict[str, object]) -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    np.save(FOLDER / "weights.npy", weights)
    np.save(FOLDER / "net.npy", net)
    named = {"name": name_of(weights, net, said), **said}
    (FOLDER / "model.json").write_text(json.dumps(named, indent=1) + "\n")


def name_of(weights: np.ndarray, net: np.ndarray, said: Mapping[str, object]) -> str:
    """A sum over all that decides what the model says."""
    beside = json.dumps([said["gain"], said["offset"], said["net"]]).encode()
    made_of = weights.tobytes() + net.tobytes() + meaning.FILE.read_bytes() + beside
    return hashlib.sha256(made_of).hexdigest()[:12]


PUBLIC = {path.name for path in (corpus.HERE / "public").iterdir()}


def say(task: Task, chosen: Sequence[Labelled], z: np.ndarray, truth: np.ndarray) -> str:
    """Macro-F1 by language, of texts that were left out when what judges them was learnt."""
    right, got = (truth.argmax(1), z.argmax(1)) if task.is_one_of else (truth, z > 0)
    languages = np.array([row.language for row in chosen])
    here = {"all": np.full(len(chosen), True)}
    if task.name not in ("language", "topics", "urgency"):
        here |= {each: languages == each for each in sorted(set(languages.tolist()))}
    return ", ".join(
        f"{name} {100 * float(f1_score(right[at], got[at], average='macro', zero_division=0)):.1f}"
        for name, at in here.items()
    )


if __name__ == "__main__":
    main()
