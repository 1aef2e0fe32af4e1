"""At which hours of the week an account's posts are reacted to most, from its own posts alone.

Each post counts with what people did about it at one age, the same for all. Reactions are heavy-tailed, so their
logarithm is taken; what grows over time with the account (more followers, more reactions) is taken out. The mean of
an hour is drawn towards the mean of all, the more the fewer posts it has and the less hours differ at all. Whether any
hour stands out is judged by dealing the same posts out to the same hours at random: unless the best hour beats nearly
all of those, nothing is said. Hours nobody tried are never named.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean
from typing import Final, Literal
from zoneinfo import ZoneInfo

from tertulia.channels import reactions
from tertulia.channels.models import Account

LEAST_POSTS: Final = 20
"""Fewer say nothing: with twenty, spread over four or five hours, an hour that doubles the reactions begins to show."""
LEAST_IN_SLOT: Final = 3
"""One or two posts are an anecdote: a single one that went round would crown its hour."""
LEAST_SLOTS: Final = 2
"""With one hour there is nothing to compare it with."""
MOST_POSTS: Final = 400
"""The newest. What people did years ago at an hour is not what they do now."""
DEALS: Final = 399
CHANCE: Final = 0.05
"""An hour is said to stand out when fewer than this share of the deals at random has one that stands out as much."""
_AGES = (timedelta(hours=24), timedelta(days=3), timedelta(days=7), timedelta(hours=6))
"""Ages at which posts are compared; the first that nearly all have. A day is long enough for most of what there will
be, and the hour of publishing still matters."""
NEARLY: Final = 0.8
_SURE = 1.96

Slot = tuple[int, int]
"""A day of the week, 0 is Monday, and an hour on the clock of the brand."""


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the week: `times` the usual reactions, surely between `low` and `high`, from `posts` posts."""

    weekday: int
    hour: int
    posts: int
    times: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BestHours:
    """`best` are those that stand out, the best first; `hours` all with posts enough, from the best down. With a `why`
    nothing is known: too "few" posts, or all hours about "even"."""

    why: Literal["", "few", "even"]
    posts: int
    age: timedelta
    best: list[Hour] = field(default_factory=list)
    hours: list[Hour] = field(default_factory=list)
    counts: Mapping[Slot, int] = field(default_factory=dict)
    """How many posts each hour has had, those with too few as well."""

    @property
    def is_known(self) -> bool:
        return not self.why


def of(account: Account, at: datetime) -> BestHours:
    """The best hours of an account, as known at a moment; in the brand's time zone."""
    zone = ZoneInfo(account.brand.time_zone)
    courses = list(reactions.courses(reactions.published(account, before=at, most=MOST_POSTS)).values())
    known = {age: _alike(courses, age) for age in _AGES}
    most = max(len(posts) for posts in known.values())
    age = next(each for each in _AGES if len(known[each]) >= NEARLY * most)
    posts = sorted(known[age])
    return judge([(slot_of(moment, zone), total) for moment, total in posts], age)


def _alike(courses: Iterable[reactions.Course], age: timedelta) -> list[tuple[datetime, int]]:
    """What each post had at an age, of those of which the same figures are known: sums of different ones don't
    compare."""
    told = [(one.published_at, found) for one in courses if (found := one.reaction(age)) is not None]
    if not told:
        return []
    [(usual, _posts)] = Counter(names for _moment, (names, _total) in told).most_common(1)
    return [(moment, total) for moment, (names, total) in told if names == usual]


def slot_of(moment: datetime, zone: ZoneInfo) -> Slot:
    local = moment.astimezone(zone)
    return local.weekday(), local.hour


def judge(posts: Sequence[tuple[Slot, int]], age: timedelta = _AGES[0]) -> BestHours:
    """The same of posts in the order of their publishing, each with its hour and its reactions."""
    counts: dict[Slot, int] = defaultdict(int)
    for slot, _value in posts:
        counts[slot] += 1
    tried = [slot for slot, count in counts.items() if count >= LEAST_IN_SLOT]
    if len(posts) < LEAST_POSTS or len(tried) < LEAST_SLOTS:
        return BestHours("few", len(posts), age, counts=dict(counts))
    values = _without_trend([math.log1p(value) for _slot, value in posts])
    rows = [(slot, value) for (slot, _), value in zip(posts, values, strict=True) if counts[slot] >= LEAST_IN_SLOT]
    hours = sorted(_shrunk(rows), key=lambda one: (-one.times, one.weekday, one.hour))
    best = [one for one in hours if one.low > 1.0] if _stands_out(rows) else []
    return BestHours("" if best else "even", len(posts), age, best, hours, dict(counts))


def _without_trend(values: Sequence[float]) -> list[float]:
    """The values less the straight line through them, by their order."""
    middle, mean = (len(values) - 1) / 2, fmean(values)
    spread = sum((number - middle) ** 2 for number in range(len(values)))
    slope = sum((number - middle) * (value - mean) for number, value in enumerate(values)) / spread if spread else 0.0
    return [value - mean - slope * (number - middle) for number, value in enumerate(values)]


def _grouped(rows: Sequence[tuple[Slot, float]]) -> dict[Slot, list[float]]:
    groups: dict[Slot, list[float]] = defaultdict(list)
    for slot, value in rows:
        groups[slot].append(value)
    return groups


def _shrunk(rows: Sequence[tuple[Slot, float]]) -> list[Hour]:
    """The mean of each hour, drawn towards that of all by how far hours differ beyond chance (DerSimonian and Laird).

    The interval holds that of the drawn mean and that of the hour's own: where one hour alone stands out, drawing it
    towards the others is too careful, and only the second holds what is true as often as it says.
    """
    groups, n = _grouped(rows), len(rows)
    mean = fmean(value for _slot, value in rows)
    means = {slot: fmean(group) for slot, group in groups.items()}
    inside = sum((value - means[slot]) ** 2 for slot, value in rows) / max(n - len(groups), 1)
    between = sum(len(group) * (means[slot] - mean) ** 2 for slot, group in groups.items())
    scale = n - sum(len(group) ** 2 for group in groups.values()) / n
    apart = max((between - (len(groups) - 1) * inside) / scale, 0.0) if scale > 0 else 0.0
    hours = []
    for slot, group in groups.items():
        noise = inside / len(group)
        weight = apart / (apart + noise) if apart + noise > 0 else 0.0
        own, own_wide = means[slot] - mean, _SURE * math.sqrt(noise)
        drawn, wide = weight * own, _SURE * math.sqrt(weight * noise)
        low, high = min(own - own_wide, drawn - wide), max(own + own_wide, drawn + wide)
        hours.append(Hour(*slot, len(group), math.exp(drawn), math.exp(low), math.exp(high)))
    return hours


def _stands_out(rows: Sequence[tuple[Slot, float]]) -> bool:
    """Whether the best hour beats what dealing the posts out at random makes of the best. The same posts, the same
    answer."""
    sizes = [len(group) for group in _grouped(rows).values()]
    values = [value for group in _grouped(rows).values() for value in group]
    found, dice, as_good = _height(values, sizes), random.Random(len(values)), 1  # noqa: S311 — chance, not secrecy
    for _deal in range(DEALS):
        dice.shuffle(values)
        as_good += _height(values, sizes) >= found - 1e-12
    return as_good / (DEALS + 1) <= CHANCE


def _height(values: Sequence[float], sizes: Sequence[int]) -> float:
    """How far the highest of the groups lies above all, by what chance would let it."""
    mean, first, highest = fmean(values), 0, -math.inf
    for size in sizes:
        total = sum(values[first : first + size])
        highest = max(highest, (total - size * mean) / math.sqrt(size))
        first += size
    return highest
