"""The figures of the shipped model beside those of the last release: `docs/understanding.tsv`, written with the model card.

Why a figure fell since then is written into its last column by hand. It stays there until the figure falls further, or
until the next release, whose figures are compared with those of this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from tertulia.understanding.model import shipped

from .corpus import HERE

FILE = HERE.parent / "docs" / "understanding.tsv"
TOLERANCE = 30.0
"""By so many points, divided by the root of the number of messages, a figure may be below that of the last release: the
standard error where one in ten is read wrong. 1.3 points of 500 messages, 3 of 100."""

Name = tuple[str, str]
"""Field and language."""


@dataclass(frozen=True, slots=True)
class Figure:
    """In per cent, of so many messages; higher is better."""

    messages: int
    now: float
    last: float | None = None
    told: str = ""

    @property
    def is_fallen(self) -> bool:
        return self.last is not None and self.now < self.last - TOLERANCE / self.messages**0.5


@dataclass(frozen=True, slots=True)
class Kept:
    """Whose figures they are, whose are those of the last release (each a version and a model's name), and the figures."""

    now: str
    last: str
    figures: Mapping[Name, Figure]

    def untold(self) -> list[Name]:
        """What fell and nobody said why."""
        return [name for name, figure in self.figures.items() if figure.is_fallen and not figure.told]


def load() -> Kept:
    head, *lines = (line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines())
    return Kept(
        head[3], head[4],
        {
            (field, language): Figure(int(messages), float(now), float(last) if last else None, told)
            for field, language, messages, now, last, told in lines
        },
    )  # fmt: skip


def renewed(kept: Kept, found: Mapping[Name, tuple[int, float]], now: str = "") -> Kept:
    """With what was found (messages, figure) of what is shipped. `now` says what that is, if it isn't this version."""
    now = now or f"{version('tertulia')} {shipped().name}"
    is_next = now.split()[0] != kept.now.split()[0]
    figures = {}
    for name, (messages, value) in found.items():
        before = kept.figures.get(name)
        if before is None:
            figures[name] = Figure(messages, value)
        elif is_next:
            figures[name] = Figure(messages, value, before.now)
        else:
            figures[name] = Figure(messages, value, before.last, before.told if value >= before.now else "")
    return Kept(now, kept.now if is_next else kept.last, figures)


def keep(kept: Kept) -> None:
    lines = [("field", "language", "messages", kept.now, kept.last, "why it fell")]
    for (field, language), figure in kept.figures.items():
        last = "" if figure.last is None else f"{figure.last:.1f}"
        lines.append((field, language, str(figure.messages), f"{figure.now:.1f}", last, figure.told))
    FILE.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
