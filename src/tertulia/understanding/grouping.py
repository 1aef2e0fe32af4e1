"""What a period's messages are about: topics, in them what is said, and the words people said it in.

    said = [Said("El pedido llegó tarde", person=7, topics=["delivery"], sentiment="negative"), …]
    for topic in group(said, [Own("Roscón", ["roscones"])]).topics:
        topic.name, topic.messages, topic.people, topic.quotes, topic.parts

A topic is a word of the brand's own, one of the general topics a reading names, or something else that several say. In
each, what is said more than once is a part of its own, named in the words of those who said it. Nothing is random: the
same messages give the same topics.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tertulia.core.folding import fold

from .folding import leaders
from .phrases import Words, most_written, pairs, phrases, said, words_of

FEWEST: Final = 3
"""Messages, and people, that make a topic of what no list knows; messages of more than one that make a part."""
SINGLE: Final = 5
"""Messages that make a topic of a single word no list knows: with fewer it says too little."""
MOST_QUOTES: Final = 3
QUOTE: Final = 220
"""Characters of a quote."""
JOINED: Final = 0.12
"""What is said belongs together from this mean likeness (cosine) on."""
OF_THE_TOPIC: Final = 0.4
"""A part belongs to the topic that this share of its messages has."""
NAMED: Final = 0.34
"""So many of a part's messages say the words it is named by, or it is none."""
_WEIGHT_OF_TOPICS = 0.3
_AT_ONCE = 1_800
_CELLS = 8_000_000
_ROUNDS = 3

Vectors = NDArray[np.float32]
Kind = Literal["own", "general", "said"]


@dataclass(frozen=True, slots=True)
class Said:
    """A message, and what was understood of it."""

    text: str
    person: int
    topics: Sequence[str] = ()
    sentiment: str = "neutral"
    language: str = ""
    is_before: bool = False
    """Of the period before, to compare with: it counts there alone and is never quoted."""


@dataclass(frozen=True, slots=True)
class Own:
    """Something the brand has a word for, and the other ways to write it."""

    name: str
    spellings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """`at`: the number of the message; `alike`: how many others say the same nearly word for word."""

    at: int
    text: str
    alike: int


@dataclass(slots=True)
class Topic:
    kind: Kind
    name: str
    """The brand's own word, the code of a general topic, or the words of those who said it."""
    members: list[int]
    """The numbers of its messages, as they were given."""
    people: int = 0
    before: int = 0
    """Its messages in the period before."""
    feelings: dict[str, int] = field(default_factory=dict)
    quotes: list[Quote] = field(default_factory=list)
    parts: list[Topic] = field(default_factory=list)

    @property
    def messages(self) -> int:
        return len(self.members)

    @property
    def key(self) -> str:
        """What the topic is called in addresses."""
        return f"{self.kind}-{'-'.join(fold(self.name).split())}"


@dataclass(frozen=True, slots=True)
class Grouping:
    topics: list[Topic]
    """The most spoken of first."""
    loose: int
    """Messages of the period that are in no topic."""
    leaders: list[int]
    """For each message the number of the first that says the same, nearly word for word."""


def group(messages: Sequence[Said], own: Sequence[Own] = ()) -> Grouping:
    """The topics of messages. 20,000 take a few seconds of one core."""
    words = [words_of(each.text, each.language) for each in messages]
    first = leaders(words)
    heads = [n for n, leader in enumerate(first) if leader == n]
    followers: dict[int, list[int]] = defaultdict(list)
    for n, leader in enumerate(first):
        followers[leader].append(n)
    found = own_words(words, own)
    labels = [
        [*(("own", name) for name in found[n]), *(("general", name) for name in messages[n].topics)]
        for n in range(len(messages))
    ]
    vectors = _vectors([words[n] for n in heads], [[name for kind, name in labels[n]] for n in heads])
    crowd = _Crowd(messages, words, heads, followers, vectors)
    themes = [theme for theme in _themes(vectors) if crowd.counts(theme)]
    return Grouping(*_topics(crowd, themes, labels), first)


def own_words(words: Sequence[Words], own: Sequence[Own]) -> list[list[str]]:
    """Of each text, the brand's words that stand in it, whole, whatever their capitals and accents."""
    known: dict[str, dict[tuple[str, ...], str]] = defaultdict(dict)
    for each in own:
        for spelling in (each.name, *each.spellings):
            if parts := tuple(fold(spelling).split()):
                known[parts[0]].setdefault(parts, each.name)
    return [list(dict.fromkeys(_known_in(text, known))) for text in words]


def _known_in(text: Words, known: dict[str, dict[tuple[str, ...], str]]) -> Iterator[str]:
    for n, word in enumerate(text.folded):
        for parts, name in known.get(word, {}).items():
            if text.folded[n : n + len(parts)] == parts:
                yield name


class _Crowd:
    """The messages, those who said it first in their numbers among themselves (`heads`), and what all say."""

    def __init__(
        self, messages: Sequence[Said], words: Sequence[Words], heads: Sequence[int], followers: dict[int, list[int]],
        vectors: Vectors,
    ) -> None:  # fmt: skip
        self.messages, self.words, self.heads, self.followers, self.vectors = messages, words, heads, followers, vectors
        self.row = {n: row for row, head in enumerate(heads) for n in followers[head]}
        self.size = max(len(heads), 1)
        self.holding: Counter[str] = Counter()
        for n in heads:
            self.holding.update(set(words[n].content()))

    def counts(self, theme: Sequence[int]) -> bool:
        """Whether enough messages of the period, and more than one person, are in it."""
        now = [n for n in self.everybody(theme) if not self.messages[n].is_before]
        return len(now) >= FEWEST and len({self.messages[n].person for n in now}) > 1

    def everybody(self, theme: Iterable[int]) -> list[int]:
        return sorted(n for head in theme for n in self.followers[self.heads[head]])

    def topic(self, kind: Kind, name: str, members: Sequence[int]) -> Topic:
        """With its figures and quotes."""
        now = [n for n in members if not self.messages[n].is_before]
        feelings = Counter(self.messages[n].sentiment for n in now)
        return Topic(
            kind, name, now, people=len({self.messages[n].person for n in now}), before=len(members) - len(now),
            feelings={each: feelings[each] for each in ("negative", "neutral", "positive")},
            quotes=self.quotes(members),
        )  # fmt: skip

    def quotes(self, members: Sequence[int]) -> list[Quote]:
        """Up to three: what most come near to, neither short nor long, of different people and in different words."""
        inside = set(members)
        rows = [row for row in self._rows_of(members) if self._now(row, inside)]
        if not rows:
            return []
        own = self.vectors[rows]
        middle = own.mean(0)
        alike = [len(self._now(row, inside)) for row in rows]
        worth = own @ middle * [_handy(self.messages[self.heads[row]].text) for row in rows] + 0.05 * np.log(alike)
        chosen: list[int] = []
        for at in np.argsort(-worth, kind="stable"):
            if all(self._differ(rows[at], rows[other]) for other in chosen):
                chosen.append(int(at))
            if len(chosen) == MOST_QUOTES:
                break
        return [self._quote(self._now(rows[at], inside)) for at in chosen]

    def _quote(self, saying: Sequence[int]) -> Quote:
        return Quote(saying[0], _cut(self.messages[saying[0]].text), len(saying) - 1)

    def _differ(self, one: int, other: int) -> bool:
        a, b = self.heads[one], self.heads[other]
        words, others = set(self.words[a].folded), set(self.words[b].folded)
        return self.messages[a].person != self.messages[b].person and len(words & others) < 0.7 * len(words | others)

    def _now(self, row: int, inside: set[int]) -> list[int]:
        return [n for n in self.followers[self.heads[row]] if n in inside and not self.messages[n].is_before]

    def _rows_of(self, members: Sequence[int]) -> list[int]:
        return sorted({self.row[n] for n in members})

    def name(self, theme: Sequence[int], of: str = "") -> str:
        """The most telling words of those who said it, in their order; not those alone that name the topic it is of."""
        known = {*words_of(of, "es").stems, *words_of(of, "en").stems}
        holding: Counter[tuple[str, ...]] = Counter()
        forms: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for row in theme:
            words = self.words[self.heads[row]]
            mine = {stems: (first, end) for stems, first, end in phrases(words)}
            holding.update(mine.keys())
            for stems, (first, end) in mine.items():
                forms[stems].append(said(words, first, end))
        least = max(min(2, len(theme)), NAMED * len(theme))
        telling = {
            stems: self._telling(stems, count, len(theme))
            for stems, count in holding.items()
            if count >= least and not known.issuperset(stems)
        }
        if not telling:
            return ""
        best = min(telling, key=lambda stems: (-telling[stems], -len(stems), stems))
        return most_written(forms[best])

    def _telling(self, stems: tuple[str, ...], count: int, size: int) -> float:
        """How much of the theme says it, how seldom others say its words, and a little for every word more."""
        rare = np.mean([np.log((self.size + 1) / (self.holding[stem] or self.size)) for stem in stems])
        return float((count / size) ** 0.75 * rare * (1 + 0.55 * min(len(stems) - 1, 2)))


def _topics(
    crowd: _Crowd, themes: Sequence[Sequence[int]], labels: Sequence[Sequence[tuple[str, str]]]
) -> tuple[list[Topic], int]:  # fmt: skip
    members: dict[tuple[str, str], set[int]] = defaultdict(set)
    parts: dict[tuple[str, str], list[Sequence[int]]] = defaultdict(list)
    for n, mine in enumerate(labels):
        for label in mine:
            members[label].add(n)
    free: list[Sequence[int]] = []
    for theme in themes:
        if (of := _label_of([labels[crowd.heads[row]] for row in theme])) is not None:
            members[of].update(crowd.everybody(theme))
            parts[of].append(theme)
        else:
            free.append(theme)
    topics = [each for each in _parts(crowd, free) if each.people >= FEWEST and _says_enough(each)]
    for (kind, name), everybody in members.items():
        topic = crowd.topic("own" if kind == "own" else "general", name, sorted(everybody))
        topic.parts = _parts(crowd, parts[kind, name], name if kind == "own" else "")
        topics.append(topic)
    kept = [each for each in topics if each.messages >= (1 if each.kind == "own" else FEWEST)]
    inside = {n for each in kept for n in each.members}
    loose = sum(not each.is_before and n not in inside for n, each in enumerate(crowd.messages))
    return sorted(kept, key=lambda each: (-each.messages, -each.people, each.key)), loose


def _says_enough(topic: Topic) -> bool:
    return " " in topic.name or topic.messages >= SINGLE


def _parts(crowd: _Crowd, themes: Sequence[Sequence[int]], of: str = "") -> list[Topic]:
    named: dict[str, list[int]] = {}
    for theme in themes:
        if name := crowd.name(theme, of):
            named.setdefault(name, []).extend(crowd.everybody(theme))
    found = [crowd.topic("said", name, sorted(members)) for name, members in named.items()]
    return sorted(found, key=lambda each: (-each.messages, each.key))


def _label_of(labels: Sequence[Sequence[tuple[str, str]]]) -> tuple[str, str] | None:
    """What most of a part are about: a word of the brand's before a general topic."""
    counted = Counter(label for mine in labels for label in mine)
    for kind, share in (("own", 0.5), ("general", OF_THE_TOPIC)):
        of_kind = [(-count, label) for label, count in counted.items() if label[0] == kind]
        if of_kind and -min(of_kind)[0] >= share * len(labels):
            return min(of_kind)[1]
    return None


# Likeness


def _vectors(words: Sequence[Words], labels: Sequence[Sequence[str]]) -> Vectors:
    """Each text as a unit vector over its words and pairs of words, the seldom ones heavier, and its topics."""
    said_in = [list(dict.fromkeys((*text.content(), *pairs(text)))) for text in words]
    holding = Counter(each for mine in said_in for each in mine)
    most = max(0.25 * len(words), 12)
    column = {each: n for n, each in enumerate(sorted(each for each, count in holding.items() if 2 <= count <= most))}
    weight = np.array([np.log(1 + len(words) / holding[each]) * (1.2 if " " in each else 1.0) for each in column])
    spoken = _spread([[column[each] for each in mine if each in column] for mine in said_in], weight)
    names = sorted({name for mine in labels for name in mine})
    topical = _spread([sorted({names.index(name) for name in mine}) for mine in labels], np.ones(len(names)))
    both = np.hstack([spoken, topical * np.float32(_WEIGHT_OF_TOPICS)])
    length = np.linalg.norm(both, axis=1, keepdims=True)
    both[length[:, 0] <= _WEIGHT_OF_TOPICS + 1e-3] = 0  # about the same, but nothing in common is said of it
    unit: Vectors = both / np.maximum(length, 1e-6)
    return unit


def _spread(columns: Sequence[Sequence[int]], weight: NDArray[np.float64]) -> Vectors:
    """Unit rows with these columns filled; where there are too many columns they are laid over each other by signs."""
    size = max(len(columns), 1)
    wide = len(weight)
    broad = max(256, _CELLS // size)
    rows = np.zeros((len(columns), min(wide, broad)), np.float32)
    signs = _signs(wide, broad) if wide > broad else None
    for n, mine in enumerate(columns):
        if not mine:
            continue
        if signs is None:
            rows[n, mine] = weight[mine]
        else:
            rows[n] = weight[mine].astype(np.float32) @ signs[mine]
        rows[n] /= np.linalg.norm(rows[n]) or 1
    return rows


def _signs(wide: int, broad: int) -> Vectors:
    seed = zlib.crc32(b"themes")
    signs = np.random.default_rng(seed).integers(0, 2, (wide, broad), np.int8)
    spread: Vectors = (signs * 2 - 1).astype(np.float32) / np.float32(broad**0.5)
    return spread


def _themes(vectors: Vectors) -> list[list[int]]:
    """What is said alike, as numbers of rows: of a sample each time, and then of all that comes near to it."""
    left = np.flatnonzero(vectors.any(1))
    found: list[list[int]] = []
    for _round in range(_ROUNDS):
        if len(left) < 2:
            break
        sample = left[:: max(1, -(-len(left) // _AT_ONCE))]
        groups = [sample[each] for each in _agglomerated(vectors[sample]) if len(each) > 1]
        if len(sample) == len(left) or not groups:
            found += [_tight(vectors, np.sort(each)) for each in groups]
            break
        middles = np.array([vectors[each].mean(0) for each in groups])
        near = vectors[left] @ middles.T
        best = near.argmax(1)
        taken = near[np.arange(len(left)), best] >= JOINED
        found += [[int(row) for row in left[taken & (best == n)]] for n in range(len(groups))]
        left = left[~taken]
    return found


def _tight(vectors: Vectors, rows: NDArray[np.int64]) -> list[int]:
    """Without those that are not, themselves, as alike to the others as the others are."""
    own = vectors[rows]
    to_others = (own @ own.sum(0) - 1) / max(len(rows) - 1, 1)
    return [int(row) for row in rows[to_others >= JOINED]]


def _agglomerated(vectors: Vectors) -> list[list[int]]:
    """Joined from the most alike on, while what is joined is alike on the average (by chains of nearest neighbours)."""
    size = len(vectors)
    like = vectors @ vectors.T
    np.fill_diagonal(like, -1)
    weight = np.ones(size)
    members = {n: [n] for n in range(size)}
    chain: list[int] = []
    open_ = set(range(size))
    while open_:
        if not chain:
            chain.append(min(open_))
        last = chain[-1]
        best = int(like[last].argmax())
        if like[last, best] < JOINED:
            open_.discard(last)
            chain.pop()
            like[last, :] = like[:, last] = -1
        elif len(chain) > 1 and like[last, chain[-2]] >= like[last, best]:
            one, other = sorted((last, chain[-2]))
            del chain[-2:]
            total = weight[one] + weight[other]
            merged = (like[one] * weight[one] + like[other] * weight[other]) / total
            gone = (like[one] == -1) | (like[other] == -1)
            merged[gone] = -1
            like[one], like[:, one], weight[one] = merged, merged, total
            like[other, :] = like[:, other] = -1
            members[one] += members.pop(other)
            open_.discard(other)
        else:
            chain.append(best)
    return sorted(members.values(), key=lambda each: (-len(each), min(each)))


# Quotes


def _handy(text: str) -> float:
    """A quote is best as long as a sentence or two."""
    size = len(text)
    return 0.6 if size < 25 else 1.0 if size <= QUOTE else 0.85


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= QUOTE else text[:QUOTE].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"
