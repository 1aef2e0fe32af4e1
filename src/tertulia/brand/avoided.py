"""Which of the words that a brand avoids stand in a text."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tertulia.core.folding import fold

from .models import AvoidedWord, Brand


def found(text: str, brand: Brand) -> list[AvoidedWord]:
    """By whole words, in their order on the list; capitals and accents make no difference, nor does a simple plural."""
    words = fold(text).split()
    listed = AvoidedWord.objects.filter(brand=brand).order_by("pk") if words else AvoidedWord.objects.none()
    return [one for one in listed if stands_in(one.folded.split(), words)]


def stands_in(wanted: list[str], words: list[str]) -> bool:
    """Whether folded words stand together in folded ones, each as it is or in a simple plural."""
    return is_run([forms_of(word) for word in wanted], words)


def is_run(forms: Sequence[Collection[str]], words: Sequence[str]) -> bool:
    """Whether some of the words, one after the other, are each one of the forms of its place."""
    last = len(words) - len(forms) + 1
    return any(all(words[at + n] in some for n, some in enumerate(forms)) for at in range(last))


def forms_of(word: str) -> set[str]:
    """The word and its plurals as Spanish and English make them: barato, baratos; papel, papeles; voz, voces."""
    return {word, f"{word}s", f"{word}es", *([f"{word[:-1]}ces"] if word.endswith("z") else [])}
