"""Words by which people speak of a campaign, or of anything else a brand does: a word or a phrase a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from tertulia.brand.avoided import forms_of, is_run
from tertulia.brand.models import Brand
from tertulia.channels import search
from tertulia.channels.models import Message
from tertulia.core.folding import fold
from tertulia.understanding.phrases import words_of

LOOKED_AT = 5_000
"""Characters of a message: what it is about is said by then."""
OFTEN = 10
"""What stood in so many messages of `A_WHILE` before something began is said anyway."""
A_WHILE = timedelta(days=30)

Entry = list[set[str]]
"""Of each word of a line, in their order, its forms."""


def entries(text: str, brand: Brand) -> list[Entry]:
    """What is looked for. A line of words of the brand's name alone is left out: messages about anything have it."""
    name = {form for word in fold(brand.name).split() for form in forms_of(word)}
    lines = [fold(line).split() for line in text.splitlines()]
    return [[_forms(word) for word in words] for words in lines if words and not name.issuperset(words)]


def _forms(word: str) -> set[str]:
    """Its plurals and, of a plural, what it may be one of: torrijas, torrija; cupones, cupón; luces, luz."""
    cuts = {"s": "", "es": "", "ces": "z"} if len(word) > 4 else {}
    ones = {word.removesuffix(end) + put for end, put in cuts.items() if word.endswith(end)}
    return {form for one in {word, *ones} for form in forms_of(one)}


def said(text: str) -> list[str]:
    """The words of a message, as `speaks` compares them."""
    return fold(text[:LOOKED_AT]).split()


def speaks(words: list[str], wanted: Sequence[Entry]) -> bool:
    """Whether any of the entries stands among a message's words: each word whole, and in either number."""
    there = set(words)  # most entries are ruled out by it, at once
    return any(not any(map(there.isdisjoint, entry)) and is_run(entry, words) for entry in wanted)


def telling(title: str, brand: Brand, *, before: date | None, at: datetime) -> str:
    """The words of a title by which messages can be known to speak of it, a line each: none without a meaning of its
    own, none of the brand's name, none that people wrote often before it began. Where none is left, the whole title."""
    words = words_of(title, brand.language)
    known = dict.fromkeys(word.lower() for word, stem in zip(words.written, words.stems, strict=True) if stem)
    until = min(at, datetime(before.year, before.month, before.day, tzinfo=at.tzinfo)) if before else at
    rare = [word for word in known if entries(word, brand) and not _is_often(word, brand, until)]
    whole = title.strip() if len(known) > 1 and entries(title, brand) else ""
    return "\n".join(rare) or whole


def _is_often(word: str, brand: Brand, until: datetime) -> bool:
    found = Message.objects.filter(
        pk__in=search.find(brand.pk, word, limit=5 * OFTEN), direction=Message.Direction.IN,
        received_at__gt=until - A_WHILE, received_at__lt=until,
    )  # fmt: skip
    wanted = entries(word, brand)
    return (
        sum(speaks(said(f"{subject} {text}"), wanted) for subject, text in found.values_list("subject", "text"))
        >= OFTEN
    )
