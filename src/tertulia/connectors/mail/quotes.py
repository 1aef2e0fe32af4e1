"""Tells what somebody wrote from what they quote: in plain text and in HTML, by the shapes mail programs leave.

A quote that is shown whole costs a second; a word of theirs that is folded away costs the customer. So only what is
certain is cut, an answer written between the quoted lines is left whole, and every line goes to one side or the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .pages import Line, lines_of, without


@dataclass(frozen=True, slots=True)
class Split:
    """`text` and `quoted` hold every line between them; `html` is the source without what is quoted."""

    text: str
    quoted: str
    html: str = ""


def split_text(text: str) -> Split:
    """Of plain text."""
    lines = [Line(line, mark=int(line.lstrip().startswith(">"))) for line in text.split("\n")]
    ranges = _quoted(lines)
    return Split(*_sides(lines, ranges))


def split_html(html: str) -> Split:
    """Of HTML. The text is empty when it shows no words."""
    lines = lines_of(html)
    ranges = _quoted(lines)
    return Split(*_sides(lines, ranges), without(html, lines, ranges))


def _sides(lines: Sequence[Line], ranges: Sequence[range]) -> tuple[str, str]:
    quoted = {number for each in ranges for number in each}
    sides: tuple[list[str], list[str]] = [], []
    for number, line in enumerate(lines):
        sides[number in quoted].append(line.text)
    own, theirs = ("\n".join(side) for side in sides)
    return _tidy(own), _tidy(theirs)


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n").rstrip()


# ── where a quote begins ───────────────────────────────────────────────────

_SEPARATOR = re.compile(
    r"^[\s>*]*(?:-{2,}|_{5,})\s*(?:forwarded message|original message|mensaje (?:original|reenviado)"
    r"|mensagem (?:original|encaminhada)|message (?:d'origine|original|transféré)|ursprüngliche nachricht"
    r"|weitergeleitete nachricht|messaggio (?:originale|inoltrato)|missatge (?:original|reenviat))\s*+-*+\s*+$"
    r"|^[\s>*]*(?:begin forwarded message|inicio del mensaje reenviado|début du message (?:réexpédié|transféré)"
    r"|início da mensagem (?:re)?encaminhada|anfang der weitergeleiteten nachricht|inizio messaggio inoltrato)\s*:\s*$",
    re.IGNORECASE,
)
_NAMES = {
    "from": "de|from|von|da|remitente|expéditeur",
    "date": r"enviado(?: el| em)?|enviada(?: em)?|fecha|sent|date|envoyé|gesendet|datum|inviato|data",
    "to": "para|to|a|à|an|pour|destinatario|cc|cco|bcc|reply-to|responder a",
    "subject": "asunto|subject|objet|betreff|oggetto|assunto|assumpte",
}
_FIELD = re.compile(
    r"^[\s>*_]*(?:"
    + "|".join(f"(?P<{name}>{words})" for name, words in _NAMES.items())
    + r")\s?\*{0,2}\s?:(?!//)(?P<said>.*)",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"\b(?:escribi[óo]|ha escrito|wrote|a écrit|ha scritto|escreveu|schrieb|va escriure|escribiu)\b.{0,120}:\W*$"
    r"|^missatge de .+ del dia .+:$",
    re.IGNORECASE,
)
_BY_ADDRESS = re.compile(r"@[\w.-]+[\s>)\]*]*(?:,\s*)?(?:ha |a |va )?\w+:\W*$|@[\w.-]+[\s>)\]*]*:\W*$")
"""Between an address and "wrote" stands nothing: "Ana (ana@x), who then wrote:" is a sentence of somebody's."""
_DATED = re.compile(
    r"^[\s>*-]*(?:(?:el|on|en|le|il(?: giorno)?|em|no dia|am|den|o|a|em)\s+)?"
    r"(?:[^\W\d]{2,14}\.?,?\s+){0,3}(?:\d{1,2}\b|\d{4}-\d\d-\d\d)|^missatge de\b",
    re.IGNORECASE,
)
_DAY = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2}\b")
_TIME = re.compile(r"\d{1,2}[:.h]\d\d")
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w.-]+\.\w")
_RULE = re.compile(r"^[\s>]*[-_*=]{5,}\s*$")
_INSIDE = re.compile(
    r"\b(?:respond|contest|coment|answer|repl|comment|respuesta|indic)\w*\b[^.\n]{0,40}"
    r"\b(?:debajo|abajo|dentro|entre l[ií]neas|en (?:rojo|azul|verde|negrita|may[uú]sculas)|below|inline"
    r"|in (?:red|blue|green|bold|caps))\b",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"^\s*(?:enviado desde|sent from|obtener outlook|get outlook|enviado do meu|envoyé de)\b", re.IGNORECASE
)
_MAY_BEGIN = re.compile(r"[:@]|--|__|\b(?:19|20)\d\d\b|\d[/.]\d")
LONGEST_HEAD, MOST_OTHERS = 14, 4
LONGEST_INTRODUCTION = 400
MOST_HEADS, MOST_TRIES = 50, 3_000


@dataclass(frozen=True, slots=True)
class _Head:
    """The first and last line of what introduces a quote. `is_certain` even without a sign before each line;
    `is_answer` when it can't be the head of something forwarded."""

    first: int
    last: int
    is_certain: bool
    is_answer: bool


def _quoted(lines: Sequence[Line]) -> list[range]:
    """The lines that are quoted, or none where that isn't certain."""
    heads = _heads(lines)
    found = next((each for head in heads if (each := _extent(lines, head)) is not None), None)
    if found is None:
        found = _unannounced(lines)
    if not found:
        return []
    ranges = [_with_rule(lines, found)]
    later = next((head for head in heads if head.first >= found.stop and head.is_certain and not head.is_answer), None)
    if later:
        ranges.append(_with_rule(lines, range(later.first, _end_of_box(lines, later.last))))
    quoted = {number for each in ranges for number in each}
    own = [line.text for number, line in enumerate(lines) if number not in quoted and line.text.strip()]
    head = next((head for head in heads if head.first in found), None)
    is_bare = all(_DEVICE.match(text) for text in own)
    if (is_bare and not (head and head.is_answer)) or any(_INSIDE.search(text) for text in own[:12]):
        return []
    return ranges


def _heads(lines: Sequence[Line]) -> list[_Head]:
    heads: list[_Head] = []
    tries = 0
    for number, line in enumerate(lines):
        if heads and number <= heads[-1].last:
            continue
        if _MAY_BEGIN.search(line.text):
            tries += 1
            if tries > MOST_TRIES:
                break
            head = _separated(lines, number) or _fields(lines, number) or _introduced(lines, number)
            if head:
                heads.append(head)
                if len(heads) == MOST_HEADS:
                    break
    return heads


def _separated(lines: Sequence[Line], number: int) -> _Head | None:
    """ "-----Mensaje original-----", and what follows it."""
    if not _SEPARATOR.match(lines[number].text):
        return None
    for next_ in range(number + 1, min(number + 6, len(lines))):
        text = lines[next_].text
        if text.strip():
            follows = _fields(lines, next_) or _introduced(lines, next_)
            if follows:
                return _Head(number, follows.last, True, False)
            if _FIELD.match(text):
                return _Head(number, next_, True, False)
            return None
    return None


def _fields(lines: Sequence[Line], number: int) -> _Head | None:
    """De, Enviado, Para and Asunto on lines of their own.

    From, Subject and a date with its time are asked for: who wants to travel writes De, Para and Fecha, and who writes
    a formal letter leaves out the hour. Who books a table may write all three, but begins with another one and names
    no address.
    """
    first = _FIELD.match(lines[number].text)
    if not first:
        return None
    seen: dict[str, int] = {}
    others = 0
    for at in range(number, min(number + LONGEST_HEAD, len(lines))):
        text = lines[at].text
        if field := _FIELD.match(text):
            name = next(name for name in _NAMES if field[name])
            if name != "date" or _TIME.search(field["said"]):
                seen.setdefault(name, at)
        elif text.strip(" >\t\xa0"):
            others += 1  # a long list of recipients goes on
            if others > MOST_OTHERS or seen.keys().isdisjoint(("from", "to")):
                return None
        if {"from", "date", "subject"} <= seen.keys():
            last = max(seen.values())
            while last + 1 < len(lines) and _FIELD.match(lines[last + 1].text):
                last += 1
            is_head = first["from"] or any(_ADDRESS.search(line.text) for line in lines[number : last + 1])
            return _Head(number, last, True, False) if is_head else None
    return None


def _introduced(lines: Sequence[Line], number: int) -> _Head | None:
    """ "El lun, 3 nov 2025 a las 10:00, Ana (<a@x>) escribió:", on up to three lines; `number` is where it begins."""
    said = ""
    for last in range(number, min(number + 4, len(lines))):
        line = lines[last].text.strip()
        if not line.strip("> ") or lines[last].mark != lines[number].mark:
            return None
        said = f"{said} {line.lstrip('> ')}".strip() if said else line
        if len(said) > LONGEST_INTRODUCTION:
            return None
        if line.endswith(":") or line.endswith((":*", ":_")):
            break
        if line.endswith((".", "!", "?", ",")) and not _ADDRESS.search(line) and not _DATED.match(line):
            return None
    else:
        return None
    is_dated = bool(_DATED.match(said) and _DAY.search(said))
    has_address = bool(_ADDRESS.search(said))
    if _WROTE.search(said):
        if last > number and not is_dated:
            return None  # a line of theirs may stand first
        is_certain = is_dated and bool(_BY_ADDRESS.search(said))
        return _Head(number, last, is_certain, True)
    if is_dated and has_address and re.search(r">\)?:$", said):  # "2025-11-03 10:00 GMT+01:00 Ana <a@x>:"
        return _Head(number, last, False, True)
    return None


# ── and where it ends ──────────────────────────────────────────────────────


def _extent(lines: Sequence[Line], head: _Head) -> range | None:
    """The whole of a quote with its head; None where it isn't certain."""
    if lines[head.first].box and head.is_certain and not head.is_answer:
        return range(head.first, _end_of_box(lines, head.last))
    if lines[head.first].mark:
        return _signed(lines, head.first)
    after = next((n for n in range(head.last + 1, len(lines)) if lines[n].text.strip()), None)
    if after is None:
        return range(head.first, len(lines)) if head.is_certain else None
    if not lines[after].mark:
        return range(head.first, _end_of_box(lines, head.last)) if head.is_certain else None
    found = _signed(lines, head.first)
    if found and not (head.is_certain or lines[after].mark == 2):
        # "My colleague wrote:" may be a sentence of theirs, so it may not stand in between.
        is_between = _says_something(lines[: found.start]) and _says_something(lines[found.stop :])
        return None if is_between else found
    return found


def _says_something(lines: Sequence[Line]) -> bool:
    return any(line.text.strip() for line in lines)


def _signed(lines: Sequence[Line], first: int) -> range | None:
    """From here to the last line with a sign; None when they wrote in between."""
    last = max(number for number in range(first, len(lines)) if lines[number].mark)
    started = next(number for number in range(first, len(lines)) if lines[number].mark)
    between = any(not line.mark and line.text.strip() for line in lines[started:last])
    return None if between else range(first, last + 1)


def _end_of_box(lines: Sequence[Line], number: int) -> int:
    box = lines[number].box
    if not box:
        return len(lines)
    return next((n for n in range(number, len(lines)) if lines[n].box != box and lines[n].text.strip()), len(lines))


def _unannounced(lines: Sequence[Line]) -> range | None:
    """A quote that nothing introduces: only at the very end, and only when it can't be a list of theirs."""
    last = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].text.strip()), None)
    if last is None or not lines[last].mark:
        return None
    first = last
    while first and (lines[first - 1].mark or not lines[first - 1].text.strip()):
        first -= 1
    first = next(n for n in range(first, last + 1) if lines[n].mark)
    has_more_before = any(line.mark for line in lines[:first])
    words = [line for line in lines[first : last + 1] if line.text.strip(" >")]
    is_certain = lines[first].mark == 2 or len(words) > 2
    return range(first, last + 1) if is_certain and not has_more_before else None


def _with_rule(lines: Sequence[Line], found: range) -> range:
    first = found.start
    while first and (not lines[first - 1].text.strip() or _RULE.match(lines[first - 1].text)):
        first -= 1
    return range(first, found.stop)
