"""What an outcome says, in the reader's language.

An outcome carries one English sentence (`Outcome.why`); so it is raised, stored and logged. Whoever shows it asks
`told`: the house's own sentences stand in the catalogue, a connector's in the connector, offered here by the room that
knows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from django.utils.translation import get_language, gettext

Spanish = Mapping[str, str]
"""By the English sentence. `{}` in both stands for words that are nobody's to translate: what a network said itself."""

_sources: list[Callable[[], Spanish]] = []


def offer(source: Callable[[], Spanish]) -> None:
    """Let a higher room bring sentences; asked each time, so that it may change its mind."""
    _sources.append(source)


def told(why: str) -> str:
    """The sentence in the present language; as it is where nobody knows it."""
    if not why or not (get_language() or "en").startswith("es"):
        return why
    for source in _sources:
        if found := in_spanish(why, source()):
            return found
    return gettext(why)


def in_spanish(why: str, sentences: Spanish) -> str:
    """The Spanish of one of these sentences; empty when it is none of them."""
    if why in sentences:
        return sentences[why]
    for sentence, spanish in sentences.items():
        if "{}" in sentence and (fits := _pattern(sentence).fullmatch(why)):
            return spanish.format(*fits.groups())
    return ""


@lru_cache(maxsize=500)
def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile("(.*)".join(re.escape(part) for part in sentence.split("{}")), re.DOTALL)
