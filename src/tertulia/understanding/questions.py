"""The questions a message asks, in its own words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from hashlib import sha256
from typing import Final

QUESTION: Final = "question:"
"""What the name of a field begins with that says whether one of the sentences is a question."""

LONGEST: Final = 300
"""Characters of a question; what is longer is cut at its beginning, since a question ends with what it asks."""
MOST: Final = 5
_LOOKED_AT = 6000

_SENTENCE = re.compile(r"[^.!?…\n¿¡]*[¿¡]?[^.!?…\n]*(?:[.!?…]+|\n|$)")
_OPENS: Final = re.compile(
    r"(?:(?:hola|buenas|buenos dias|buenas tardes|oye|perdon|perdona|una pregunta|hi|hello|oi|ola|bonjour|ciao|hallo"
    r"|salut)\W+)*(?:a )?"
    r"(?:que|cual|cuales|cuando|cuanto|cuanta|cuantos|cuantas|donde|adonde|como|quien|por que|xq|hay|tenei?s|tienen"
    r"|abris|abren|se puede|puedo|podria|podriais|podrian|sabeis|saben|os queda|les queda"
    r"|what|when|where|which|who|why|how|is there|are there|do you|does|can i|can you|could you|are you|is it"
    r"|quando|onde|quanto|quanta|qual|quais|ha|tem|voces|da para"
    r"|quand|combien|ou|quel|quelle|comment|pourquoi|est-ce|avez-vous|y a-t-il|puis-je|peut-on"
    r"|dove|come|quale|perche|avete|si puo|c'e|posso"
    r"|wann|wo|wie|was|welche|welcher|warum|gibt es|habt ihr|haben sie|kann man|kann ich"
    r"|quan|quant|on|com|teniu|obriu|es pot)\b",
)


def questions_in(text: str, *, is_question: bool = False) -> list[str]:
    """Up to 5, in order. What bears no question mark counts only in a message that asks as a whole (`is_question`)."""
    found = [sentence for each in _SENTENCE.findall(text[:_LOOKED_AT]) if (sentence := " ".join(each.split()))]
    asked = [sentence for sentence in found if "?" in sentence or "¿" in sentence]
    if not asked and is_question:
        asked = [sentence for sentence in found if _OPENS.match(_plain(sentence))]
    return [_short(sentence) for sentence in dict.fromkeys(asked) if any(map(str.isalpha, sentence))][:MOST]


def _plain(text: str) -> str:
    return text.lower().translate(str.maketrans("áéíóúàèìòùâêîôûãõäöü", "aeiouaeiouaeiouaoaou"))


def _short(sentence: str) -> str:
    if "¿" in sentence:
        sentence = sentence[sentence.index("¿") :]
    return sentence if len(sentence) <= LONGEST else "…" + sentence[1 - LONGEST :]


def field_of(question: str) -> str:
    """The name of the field that says whether this is a question."""
    return QUESTION + sha256(question.encode()).hexdigest()[:16]


def still_asked(questions: Iterable[str], corrected: Collection[str]) -> list[str]:
    """Those that nobody took off."""
    return [each for each in questions if field_of(each) not in corrected]
