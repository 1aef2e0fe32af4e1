"""Questions that several people ask: brought together by what they ask for, and held against what is answered already.

Two questions mean the same when the words that matter in them do: whatever their form and their order, with the few
words everybody swaps (to have, to make, to sell; a price, what it costs) taken for one another. A paraphrase without a
word in common is not seen.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log, sqrt
from typing import Final

from .phrases import stem_of, words_of

FEWEST: Final = 3
"""Of different people."""
ALIKE: Final = 0.6
"""Likeness (cosine of the words' weights) from which two questions mean the same."""
ANSWERED: Final = 0.7
"""A text answers a question when it holds this much of the weight of its words."""
MOST_VARIANTS: Final = 5
FITS: Final = 2
"""An answer speaks of what was said from so many words in common on, or one of its title."""
MOST_FITTING: Final = 3

_GREETINGS = re.compile(
    r"^(?:\W*(?:hola|buenas|buenos|dias|tardes|noches|oye|perdon|perdona|disculpa|disculpad|una|pregunta|duda|hi|hello|hey"
    r"|good|morning|afternoon|evening|sorry|excuse|me)\b)+",
    re.IGNORECASE,
)
_SWAPPED: Final = {
    "price": "cuesta cuestan costaria vale valen precio precios sale salen cobrais cobran euro euros price cost much",
    "open": "abris abrir abre abren abrimos abierto abierta abiertos abriis open opens opening",
    "close": "cerrais cerrar cierra cierran cierre close closes closing",
    "order": "encargar encargo encargos encargais reservar reserva reservo pedir pido encarga reserve",
    "where": "donde direccion ubicacion calle plaza avenida where address located street",
    "when": "cuando fecha when",
    "vegan": "vegano vegana veganos veganas vegan",
    "send": "envio envios envia enviar enviais envian mandar mandais mandan ship shipping ships deliver delivery send",
    "return": "devolver devuelve devolverlo devolveis devolucion devoluciones return returns returning",
    "gluten": "gluten celiaco celiaca celiacos celiacas coeliac celiac",
}
"""Words that ask for the same thing."""
_ANY_QUESTION: Final = """
a eh al algo algun alguna algunas alguno algunos alguien aqui asi aun cada como con cual cuales cuanto cuanta cuantos
cuantas de del desde el ella ellos en entonces es esa ese eso esta este esto estas estos estais están estan estar fue
ha habeis hay han hacer haceis hacen hace ir vais va van ibais la las le les lo los mas me mi mis muy nos o os para
partir pero poder podeis podemos podria podriais podrian puede pueden puedo por porfa favor pues que quien quiero
queria quisiera saber sabeis saben sabe se sea ser si sigue siguen son soy su sus tambien te tener teneis tenemos
tendreis tiene tienen tienes todo todos toda todas todavia trabajais tu tus u un una unas uno unos usted ustedes
vender vendeis venden vosotros vuestra vuestro vuestras vuestros y ya yo x q queda quedan quedaran hija hijo padre
madre gracias dia hola hago isla islas posible possible about also am an and any anything are at be by can could d did
do does for from get give got has have how i if in into is it its just know let like ll make my need of on one or our
please re s sell sells shall should some something still t tell thank thanks that the their them there these they this
those to too up us ve want was we what which will with would you your
"""
_EMPTY: Final = frozenset(_ANY_QUESTION.split())
_LINKING: Final = {"otra", "otras", "otro", "otros", "cos", "adem", "other", "anoth", "thing", "els", "besid"}
"""Stems that go from one question to the next."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, who asked it, and what it is of: the number of its message."""

    text: str
    person: int
    at: int
    language: str = ""


@dataclass(frozen=True, slots=True)
class Repeated:
    text: str
    """As the most have put it; of ways as frequent, the shortest."""
    askings: list[Asked]
    people: int
    variants: list[str]
    """Other ways it was put, the most frequent first."""


@cache
def _swapped() -> Mapping[str, str]:
    return {word: f"={name}" for name, words in _SWAPPED.items() for word in words.split()}


def meaning(text: str, language: str = "") -> frozenset[str]:
    """What matters in a question: its words as stems, without those that any question might have."""
    words = words_of(_GREETINGS.sub("", text).replace("€", " euros "), language).folded
    kept = [word for word in words if word and word not in _EMPTY and (len(word) > 1 or word.isdigit())]
    return frozenset(_swapped().get(word) or stem_of(word, language) for word in kept)


def repeated(asked: Sequence[Asked], *, fewest: int = FEWEST) -> list[Repeated]:
    """The questions that so many different people asked, the most asked first."""
    meanings = [meaning(each.text, each.language) for each in asked]
    asking: dict[frozenset[str], list[int]] = defaultdict(list)
    for n, words in enumerate(meanings):
        if words:
            asking[words].append(n)
    weights = Weights(asking)
    found = [
        _told([asked[n] for words in group for n in asking[words]])
        for group in _together(
            sorted(asking, key=lambda words: (-len(asking[words]), len(words), sorted(words))), weights
        )
    ]
    enough = [each for each in found if each.people >= fewest]
    return sorted(enough, key=lambda each: (-each.people, -len(each.askings), each.text))


@dataclass(frozen=True, slots=True)
class Answer:
    """A text that is kept to answer with."""

    title: str
    text: str
    language: str = ""


def fitting(said: str, answers: Sequence[Answer], *, language: str = "", most: int = MOST_FITTING) -> list[int]:
    """Which of the answers speak of what somebody said, by their number, the nearest first.

    A word of the title counts twice, one that many of the answers have not at all: it tells none from another. Of two
    that are as near, the one with more of its title said comes first.
    """
    asks = meaning(said, language) - _LINKING
    titles = [meaning(each.title, each.language) for each in answers]
    texts = [meaning(each.text, each.language) | title for each, title in zip(answers, titles, strict=True)]
    having = Counter(word for words in texts for word in words)
    telling = {word for word in asks if 0 < having[word] <= max(1, len(answers) // 3)}
    scores = [len(telling & text) + len(telling & title) for text, title in zip(texts, titles, strict=True)]
    near = [n for n, score in enumerate(scores) if score >= FITS]
    return sorted(near, key=lambda n: (-scores[n], -len(telling & titles[n]) / max(1, len(titles[n])), n))[:most]


class Weights:
    """How much a word says: the fewer questions have it, the more."""

    def __init__(self, questions: Iterable[frozenset[str]]) -> None:
        self.having = Counter(word for words in questions for word in words)
        self.size = 1 + max(self.having.values(), default=1)

    def of(self, word: str) -> float:
        return 1 + log(self.size / max(self.having[word], 1)) / 4

    def norm(self, words: Iterable[str]) -> float:
        return sum(self.of(word) ** 2 for word in words)

    def likeness(self, one: frozenset[str], other: frozenset[str]) -> float:
        if not one or not other or _decisive(one) != _decisive(other):
            return 0.0
        return self.norm(one & other) / sqrt(self.norm(one) * self.norm(other))


def _decisive(words: frozenset[str]) -> frozenset[str]:
    """What two questions can't differ in and still mean the same."""
    return frozenset(word for word in words if word == "=price" or word.isdigit())


def answered_by(question: Repeated, texts: Sequence[frozenset[str]]) -> int | None:
    """The number of the text, by `meaning`, that holds the most of what most askings of a question ask for; None where
    none holds enough of it."""
    meanings = [meaning(each.text, each.language) for each in question.askings]
    weights = Weights(meanings)
    asks = frozenset(
        word for word, n in Counter(w for each in meanings for w in each).items() if 2 * n >= len(meanings)
    )
    said = asks - {"=when", "=where"} or asks  # an answer names the day or the place rather than asks for it
    held = [0.0 if "=price" in said - text else weights.norm(said & text) for text in texts]
    most = max(held, default=0.0)
    return held.index(most) if most and most >= ANSWERED * weights.norm(said) else None


def is_among(question: Repeated, others: Sequence[str]) -> bool:
    """Whether one of these questions is meant by it."""
    meanings = [meaning(each.text, each.language) for each in question.askings]
    weights = Weights(meanings)
    return any(
        weights.likeness(words, meaning(other, asking.language)) >= ALIKE
        for other in others
        for asking, words in zip(question.askings, meanings, strict=True)
    )


def _together(meanings: Sequence[frozenset[str]], weights: Weights) -> list[list[frozenset[str]]]:
    """Each to the most asked that means the same, or to those to come."""
    groups: list[list[frozenset[str]]] = []
    having: dict[str, list[int]] = defaultdict(list)
    for words in meanings:
        near = Counter(n for word in words for n in having[word])
        like = [(weights.likeness(groups[n][0], words), -n) for n, _count in near.most_common(60)]
        best = max(like, default=(0.0, 0))
        if best[0] >= ALIKE:
            groups[-best[1]].append(words)
        else:
            for word in words:
                having[word].append(len(groups))
            groups.append([words])
    return groups


def _told(askings: list[Asked]) -> Repeated:
    ways: dict[str, list[str]] = defaultdict(list)
    for each in askings:
        ways[_plain(each.text)].append(each.text)
    told = [(-len(texts), _best_written(texts)) for texts in ways.values()]
    texts = [
        text for _count, text in sorted(told, key=lambda way: (way[0], not way[1].startswith("¿"), len(way[1]), way[1]))
    ]
    return Repeated(texts[0], askings, len({each.person for each in askings}), texts[1 : MOST_VARIANTS + 1])


def _best_written(texts: Sequence[str]) -> str:
    """With its marks and accents, and without a greeting before it."""
    return min(texts, key=lambda text: (not text.startswith("¿"), text.isascii(), len(text), text))


def _plain(text: str) -> str:
    return " ".join(word for word in words_of(_GREETINGS.sub("", text)).folded if word)
