"""The bigger brains as the pages show them, and what one says of a text beside the shipped model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from tertulia.brand.models import Brand
from tertulia.core.sentences import told
from tertulia.understanding import brains, words
from tertulia.understanding.learning import TOPIC
from tertulia.understanding.masking import masked
from tertulia.understanding.models import Brain, BrainMonth
from tertulia.understanding.reading import read
from tertulia.understanding.teaching import own_topics


@dataclass(frozen=True, slots=True)
class Shown:
    of: Brain
    fields: str
    tokens: int
    calls: int
    share: int
    """Of the month's budget, per cent."""
    trouble: str
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """Field by field what the shipped model says and what the brain said, and what left for it."""

    lines: list[tuple[str, str, str]]
    sent: str
    why: str
    tokens: int


def shown(brand: Brand, *, at: datetime, only: int | None = None) -> list[Shown]:
    found = Brain.objects.filter(brand=brand).order_by("pk")
    month = at.date().replace(day=1)
    used = {each.brain_id: each for each in BrainMonth.objects.filter(brain__brand=brand, month=month)}
    names = words.all_fields()
    return [
        Shown(
            brain,
            ", ".join(names[name] for name in brain.fields if name in names),
            tokens := used[brain.pk].tokens if brain.pk in used else 0,
            used[brain.pk].calls if brain.pk in used else 0,
            min(100, round(100 * tokens / brain.monthly_tokens)) if brain.monthly_tokens else 100,
            told(brain.trouble),
            bool(brain.paused_until and brain.paused_until > at),
        )
        for brain in (found.filter(pk=only) if only else found)
    ]


def tried(brain: Brain, text: str, *, at: datetime) -> Trial:
    sent = masked(text, brains.known_names(brain.brand_id))
    [own] = read([text])
    said = brains.ask(brain, [sent], at=at)
    values = said.values.get(0, {})
    mine = {**own.as_dict(), "urgency": round(own.urgency * 100)}
    names = words.all_fields()
    topics = own_topics(brain.brand_id)
    lines = [
        (names[name], _say(name, mine[name], topics), _say(name, values.get(name), topics)) for name in brain.fields
    ]
    return Trial(lines, sent, told(said.why), said.tokens)


def _say(name: str, value: Any, own: Mapping[str, str]) -> str:
    if value is None:
        return "–"
    match name:
        case "kind":
            return words.kinds()[value]
        case "sentiment":
            return words.sentiments()[value]
        case "urgency":
            return words.urgencies()[words.nearest(value)]
        case "topics":
            return ", ".join(words.field(TOPIC + each, own) for each in value) or "–"
        case "questions":
            return " · ".join(value) or "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(value)
