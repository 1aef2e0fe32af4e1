"""Takes out of a text what tells who wrote it, before it leaves the machine.

What stands in its place says what it was: `[mail]`, `[phone]`. Rules, not guesses: addresses, telephones, numbers of
accounts, cards and papers, links, handles, streets with a number, names that are known and those after a greeting or at
the end. A name in the middle of a sentence that nobody knows can stay, and so can what only its story tells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

LONGEST: Final = 4_000
"""Characters: what a message wants stands there, and no text can keep the rules below busy."""

_NAME = r"[A-ZÁÉÍÓÚÜÑÇÀÈÌÒÙÂÊÔÃÕÄÖ][\w'’-]+"
_NAMES = rf"{_NAME}(?:[ ](?:(?:de|del|la|las|los|da|do|dos|von|van|y|i)[ ])*{_NAME}){{0,3}}"
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|00)?\(?\d(?:[\s().-]{0,2}\d){7,14}(?![\w]|[.,]\d)")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")

_LINK: Final = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_MAIL: Final = re.compile(r"[\w.+%'-]{1,64}\s?(?:@|\(at\)|\[at\])\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.IGNORECASE)
_HANDLE: Final = re.compile(r"(?<![\w@])@[\w.]*\w(?:@[\w.-]*\w)?")
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}\b", re.IGNORECASE)
_PAPERS: Final = (
    re.compile(r"\b[XYZ]?[ -]?\d{7,8}[ -]?[A-Z]\b", re.IGNORECASE),  # DNI, NIE
    re.compile(r"\b[ABCDEFGHJNPQRSUVW][ -]?\d{7}[ -]?[0-9A-J]\b", re.IGNORECASE),  # CIF
    re.compile(r"\b\d{1,2}\.?\d{3}\.?\d{3}-[\dK]\b", re.IGNORECASE),  # RUT
    re.compile(r"\b\d{2}-\d{8}-\d\b"),  # CUIT
    re.compile(r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b"),  # CPF
    re.compile(r"\b[A-ZÑ&]{4}\d{6}[HM]?[A-Z0-9]{3,8}\b"),  # RFC, CURP
    re.compile(
        r"\b(?:dni|nif|nie|cif|rut|ruc|curp|c[eé]dula|pasaporte|passport|nss)\W{0,3}(?:n[.ºo°]*\s*)?[\w.-]*\d[\w.-]*",
        re.IGNORECASE,
    ),
)  # fmt: skip
_STREET: Final = re.compile(
    r"\b(?:calle|c/|avda?\.?|avenida|av\.|plaza|pza\.?|paseo|p[º°]\.?|camino|carretera|ronda|traves[ií]a|urbanizaci[oó]n"
    r"|carrer|rua|rue|via|jir[oó]n|jr\.|carrera|cra\.?|colonia|col\.)\s{1,4}[^\n,;.!?]{2,50}?[,\s]{1,4}(?:n[.ºúo°]{0,3}\s{0,4})?\d{1,5}\b"
    r"(?:\s{0,4}[,\-]?\s{0,4}(?:\d{1,2}[ºª°]\s{0,4}\w?\b|piso\s{0,4}\w+|pta\.?\s{0,4}\w+))?",
    re.IGNORECASE,
)
_ENGLISH_STREET: Final = re.compile(rf"\b\d{{1,5}} (?:{_NAME} ){{1,3}}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive)\b")
_SAYS_NAME: Final = re.compile(
    rf"(?i:\b(?:me llamo|mi nombre es|soy|le habla|habla|atentamente|saludos|un saludo|gracias|firmado|fdo\.?"
    rf"|a nombre de|my name is|this is|regards|thanks|cheers|sincerely|je m'appelle|ich bin|mi chiamo|meu nome [eé]"
    rf"|em dic))"
    rf"[\s,.:!-]{{1,4}}({_NAMES})"
)
_SIGNED: Final = re.compile(rf"\n[^\S\n]*(?:[-–—][^\S\n]*)?({_NAMES})[\s.]*\Z")
_KEEPS: Final = frozenset({
    "Hola", "Buenas", "Buenos", "Gracias", "Saludos", "Atentamente", "Hello", "Thanks", "Regards", "Cheers", "Todo",
    "Nada", "Muy", "Por", "Para", "Pero", "Y", "El", "La", "Los", "Las", "Un", "Una", "Cliente", "Clienta", "Socio",
    "Socia", "Vecino", "Vecina", "Usuario", "Usuaria",
})  # fmt: skip
"""Begin a sentence, or say no more than what somebody is."""


def masked(text: str, names: Iterable[str] = ()) -> str:
    """The beginning of the text, `LONGEST` characters, without what tells who wrote it.

    `names` are those the desk knows: the person's own, those of colleagues and of others whom the brand has named.
    """
    text = unicodedata.normalize("NFC", text[:LONGEST])[:LONGEST]
    text = _LINK.sub("[link]", text)
    text = _MAIL.sub("[mail]", text)
    text = _HANDLE.sub("[handle]", text)
    text = _IBAN.sub("[account]", text)
    for paper in _PAPERS:
        text = paper.sub("[document]", text)
    text = _CARD.sub(_if(_is_card, "[card]"), text)
    text = _PHONE.sub(_if(_is_phone, "[phone]"), text)
    text = _ENGLISH_STREET.sub("[street]", _STREET.sub("[street]", text))
    for pattern in (_SAYS_NAME, _SIGNED):
        text = pattern.sub(_name_taken_out, text)
    return _without(text, names)


def _if(is_so: Callable[[str], bool], stands: str) -> Callable[[re.Match[str]], str]:
    return lambda found: stands if is_so(found[0]) else found[0]


def _is_card(said: str) -> bool:
    """By its check digit (ISO/IEC 7812-1, Luhn)."""
    digits = [int(sign) for sign in reversed(said) if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return 13 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_phone(said: str) -> bool:
    digits = sum(sign.isdigit() for sign in said)
    return 9 <= digits <= 15 and not _DATE.search(said) or (digits >= 8 and said.lstrip().startswith(("+", "00")))


def _name_taken_out(found: re.Match[str]) -> str:
    if found[1].split()[0] in _KEEPS:
        return found[0]
    begins, ends = found.start(1) - found.start(), found.end(1) - found.start()
    return f"{found[0][:begins]}[name]{found[0][ends:]}"


def _without(text: str, names: Iterable[str]) -> str:
    """Whole names and each part of them that is long enough to be one; one of three letters, like Eva and Mar, only as
    it is written or in capitals. Capitals and accents make no difference otherwise."""
    if not (pattern := _pattern(tuple(sorted({_bare(unicodedata.normalize("NFC", name.strip())) for name in names})))):
        return text
    found = [each.span() for each in pattern.finditer(_bare(text))]
    for begins, ends in reversed(found):
        text = f"{text[:begins]}[name]{text[ends:]}"
    return text


@lru_cache(maxsize=64)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    whole = {name for name in names if len(name) > 2}
    parts = {part for name in whole for part in name.split() if len(part) > 2 and part[0].isupper()} - whole
    short = {written for part in parts if len(part) == 3 for written in (part, part.upper())}
    long = whole | {part for part in parts if len(part) > 3}
    ways = [*((name, f"(?i:{re.escape(name)})") for name in long), *((name, re.escape(name)) for name in short)]
    ways.sort(key=lambda way: (-len(way[0]), way))
    return re.compile(rf"(?<!\w)(?:{'|'.join(way for _name, way in ways)})(?!\w)") if ways else None


def _bare(text: str) -> str:
    """Without accents, sign for sign, so that a place in it is the same place in the text."""
    apart = (unicodedata.normalize("NFD", sign) for sign in text)
    return "".join(
        signs[0] if unicodedata.combining(signs[-1]) else sign for sign, signs in zip(text, apart, strict=True)
    )
