"""Finding words among all messages."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tertulia.channels import search

from .data import FREQUENT, MEDIUM, Language
from .figures import Figure
from .people import brand
from .stage import LARGE
from .timing import percentiles


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    brand_id, times = brand().pk, 20 if scale == "quick" else 40
    chance = random.Random(7)
    rare = Language(chance).rare
    cases = {
        "rare": lambda: chance.choice(rare),
        "medium": lambda: MEDIUM,
        "frequent": lambda: FREQUENT,
        "in nearly all": lambda: "de",
        "two words": lambda: f"{MEDIUM} {FREQUENT}",
        "frequent and rare": lambda: f"{FREQUENT} {chance.choice(rare)}",
        "beginning of a word": lambda: "cumplea",
        "not there": lambda: "zzyzx",
    }
    for name, words in cases.items():
        p50, p99 = percentiles(lambda words=words: search.find(brand_id, words()), times)  # type: ignore[misc]
        yield Figure(f"search, {name}: p50", p50, "ms", limit="25 rows by index, raw SQL, p50")
        goal = 10 if int(size) == LARGE else None
        yield Figure(f"search, {name}: p99", p99, "ms", goal, limit="25 rows by index, raw SQL, p50")
