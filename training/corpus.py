"""The labelled messages: our own, and the public ones whose licence lets the model ship. See README.md beside this."""

from __future__ import annotations

import hashlib
import json
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FEELINGS = {"-": "negative", "0": "neutral", "+": "positive"}
KINDS = ("question", "complaint", "suggestion", "praise", "purchase", "support", "spam", "other")
_LINE = re.compile(r"(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+)(?:\t| \| )(.*)")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what is known of it; None where the source does not say."""

    text: str
    language: str
    source: str
    sentiment: str | None = None
    kind: str | None = None
    urgency: int | None = None
    offensive: bool | None = None
    spam: bool | None = None
    needs_answer: bool | None = None
    topics: frozenset[str] | None = None
    weight: float = field(default=1.0, compare=False)


def own(folder: str = "messages") -> Iterator[Labelled]:
    """What was written for this; `aside` is what nothing is trained on."""
    for path in sorted((HERE / folder).glob("*.tsv")):
        language = path.stem[:2]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
            if not (found := _LINE.fullmatch(line)):
                raise ValueError(f"{path.name}, line {number}: seven codes, a tab and the text are wanted")
            sentiment, kind, urgency, offence, answer, topics, _channel, text = found.groups()
            yield Labelled(
                text.replace("\\n", "\n").strip(), language, path.stem, FEELINGS[sentiment], kind, int(urgency),
                offence == "1", kind == "spam", answer == "y", frozenset(topics.split(",")) - {"none"},
            )  # fmt: skip


def second(language: str) -> list[Labelled]:
    """What a second reader, who saw the guide and the texts alone, said of `aside`, in the order of its lines."""
    first = [row for row in own("aside") if row.source == language]
    lines = (HERE / "second" / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    return [replace(row, **_as_second(row, line)) for row, line in zip(first, lines, strict=True)]


def _as_second(row: Labelled, line: str) -> dict[str, Any]:
    of, sentiment, kind, urgency, offence, answer = line.split()
    if of != hashlib.sha256(row.text.encode()).hexdigest()[:8]:
        raise ValueError(f"second/{row.source}.tsv: {line} was said of another text than {row.text[:40]!r}")
    return {
        "sentiment": FEELINGS[sentiment], "kind": kind, "urgency": int(urgency), "offensive": offence == "1",
        "spam": kind == "spam", "needs_answer": answer == "y",
    }  # fmt: skip


def other_languages(folder: str = "messages") -> Iterator[Labelled]:
    """Texts of which only the language is known: `code TAB text`."""
    for path in sorted((HERE / folder).glob("*.languages")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                language, _, text = line.partition("\t")
                yield Labelled(text.replace("\\n", "\n").strip(), language, path.stem)


def public() -> Iterator[Labelled]:
    for path in sorted((HERE / "public").glob("*/*.jsonl.xz")):
        source = path.parent.name
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                yield Labelled(row["text"], row["lang"], source, **_said(source, row))


def _said(source: str, row: dict[str, str]) -> dict[str, Any]:
    label = row["label"]
    match source:
        case "goemotions_en":
            return {"sentiment": label}
        case "offendes_es":
            return {"offensive": bool(row["offensive"])}
        case "germeval2018_de":
            return {"offensive": label == "offense"}
        case "mlma_hate":
            return {"offensive": label != "normal"}
        case "sms_spam_en" | "youtube_spam_en":
            return {"spam": label == "spam"}
    raise ValueError(f"{source}: nobody said what its labels mean")
