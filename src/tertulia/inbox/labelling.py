"""Labels that put themselves on: a label's words, found whole in what somebody wrote.

Capitals, accents, invisible signs and punctuation make no difference; a word with a space is a phrase whose words
follow each other. No pattern of anybody's is ever run over the text.
"""

from __future__ import annotations

from collections.abc import Iterable

from tertulia.core.folding import fold as fold

from .models import Label

MAX_TEXT = 100_000
"""What is read of a text; nobody puts the topic further down."""


def labels_for(text: str, labels: Iterable[Label]) -> list[Label]:
    """Those of the labels that have a word in the text, in their own order."""
    folded = f" {fold(text[:MAX_TEXT])} "
    return [label for label in labels if any(_holds(folded, word) for word in label.words)]


def holds_any(text: str, words: Iterable[str]) -> bool:
    """Whether the text has one of the words whole."""
    folded = f" {fold(text[:MAX_TEXT])} "
    return any(_holds(folded, word) for word in words)


def _holds(folded: str, word: object) -> bool:
    wanted = fold(word) if isinstance(word, str) else ""
    return bool(wanted) and f" {wanted} " in folded
