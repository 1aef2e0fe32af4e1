"""HTML as the lines it shows, each with its place in the source, so that some of them can be left out of it.

One pass over whatever strangers call HTML, in time that grows with its length and nothing else. Nothing is made safe
here: what it keeps is cleaned by the house's one renderer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape

LONGEST_HTML = 2_000_000
"""Characters that are read."""


@dataclass(slots=True)
class Line:
    """A line of a mail. `mark` says that a quote's sign stands before or around it: 1 any sign, 2 one that only mail
    programs make. `box` is the element that holds a whole quote, 0 outside. `start` and `end` are where its words stand
    in the source."""

    text: str
    mark: int = 0
    box: int = 0
    start: int = 0
    end: int = 0


_TAG = re.compile(
    r"<(?:!--.*?(?:-->|\Z)|[!?][^>]*>?"
    r"|(?P<close>/?)(?P<name>[a-zA-Z][^\s/>]*)(?P<attributes>(?>[^>=]+|=\s*\"[^\"]*\"|=\s*'[^']*'|=)*+)>?)",
    re.DOTALL,
)
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
    "section", "table", "tbody", "tfoot", "thead", "tr", "ul",
))  # fmt: skip
_APART = frozenset((
    "blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul",
))  # fmt: skip
_SILENT = frozenset(("script", "style", "title", "template"))
_NESTED = frozenset(("div", "blockquote"))
_SIGN = re.compile(
    r"""(?P<box>\bgmail_quote\b|\bmoz-forward-container\b)|(?P<tail>\b(?:x_)*divRplyFwdMsg\b)"""
    r"""|(?P<quote>type\s*=\s*["']?cite\b|\bgmail_attr\b|\bprotonmail_quote\b|\bzmail_extra\b|yahoo_quoted"""
    r"""|\bname\s*=\s*["']?quote\b)""",
    re.IGNORECASE,
)
"""What programs call the elements they quote in. A box holds a quote with its head; after a tail all is quoted."""
_NEXT_TAG = re.compile(r"\s*<(?P<close>/?)(?P<name>[a-zA-Z]\w*+)[^<>]*+>")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_WIDE = re.compile(r"[\t\r\n\f]|  ")
_FILLERS = re.compile("[\u200b\u2060\ufeff\u034f\u00ad]+")


def lines_of(html: str) -> list[Line]:
    """The lines it shows, each with its place in the source."""
    reader = _Reader(html[:LONGEST_HTML])
    reader.read()
    return reader.lines


class _Reader:
    def __init__(self, html: str) -> None:
        self.lines: list[Line] = []
        self._html = html
        self._words: list[str] = []
        self._start = self._end = 0
        self._is_apart = self._is_item = False
        self._open: list[tuple[str, int, int]] = []
        self._counts = dict.fromkeys(_NESTED, 0)
        self._strong = self._weak = self._box = 0
        self._is_tail = False
        self._unclosed: set[str] = set()
        self._preformatted = 0

    def read(self) -> None:
        html, at, search = self._html, 0, _TAG.search
        while tag := search(html, at):
            if tag.start() > at:
                self._say(html[at : tag.start()], at, tag.start())
            at = tag.end()
            name = tag["name"]
            if not name:
                continue
            name = name.lower()
            if name in _SILENT:
                at = at if tag["close"] else self._after(name, at)
            elif name == "br":
                self._break()
            elif name in _BLOCKS:
                self._block(name, bool(tag["close"]), tag["attributes"])
            elif name in ("td", "th"):
                self._words.append(" ")
        if at < len(html):
            self._say(html[at:], at, len(html))
        self._flush()

    def _after(self, name: str, at: int) -> int:
        """Behind an element whose content nobody sees; one that is never closed hides nothing."""
        if name in self._unclosed:
            return at
        end = re.compile(f"</{name}[^>]*+(>?)", re.IGNORECASE).search(self._html, at)
        if not end or not end[1]:  # without a ">" behind the first there is none behind any other
            self._unclosed.add(name)
            return at
        return end.end()

    def _say(self, said: str, start: int, end: int) -> None:
        if not self._preformatted:
            self._add(_SPACES.sub(" ", said) if _WIDE.search(said) else said, start, end)
            return
        for number, line in enumerate(said.split("\n")):
            if number:
                self._break()
            self._add(line, start, start + len(line))
            start += len(line) + 1

    def _add(self, said: str, start: int, end: int) -> None:
        if "&" in said:
            said = unescape(said)
        if not said or said == " " and not self._words:
            return
        if not said.isspace():
            if not any(word.strip() for word in self._words):
                self._start = start
            self._end = end
        self._words.append(said)

    def _break(self) -> None:
        if not self._flush():
            self.lines.append(Line("", self._mark(), self._box, self._last(), self._last()))

    def _last(self) -> int:
        return self.lines[-1].end if self.lines else 0

    def _mark(self) -> int:
        return 2 if self._strong or self._is_tail else int(bool(self._weak))

    def _flush(self) -> bool:
        """End the line; False when there was none."""
        if not self._words:
            return False
        said = "".join(self._words).replace("\xa0", " ").strip()
        if not said.isascii():
            said = _FILLERS.sub("", said).strip()
        self._words.clear()
        if not said:
            if self.lines and self.lines[-1].text:
                self.lines.append(Line("", self._mark(), self._box, self._last(), self._last()))
            return True
        if self._is_apart and self.lines and self.lines[-1].text:
            self.lines.append(Line("", self._mark(), self._box, self._last(), self._last()))
        mark = self._mark() or int(said.startswith(">"))
        said = f"- {said}" if self._is_item else said
        self._is_apart = self._is_item = False
        self.lines.append(Line(said, mark, self._box, self._start, self._end))
        return True

    def _block(self, name: str, is_end: bool, attributes: str) -> None:
        self._flush()
        if name in _APART and not (name == "p" and (is_end or "Mso" in attributes)):
            self._is_apart = True
        if name == "pre":
            self._preformatted = max(0, self._preformatted + (-1 if is_end else 1))
        if name == "li" and not is_end:
            self._is_item = True
        if name not in _NESTED:
            return
        if is_end:
            self._close(name)
            return
        mark, box = int(name == "blockquote"), self._box
        if attributes and (sign := _SIGN.search(attributes)):
            is_box = sign.lastgroup == "box" and name == "div"
            self._is_tail = self._is_tail or sign.lastgroup == "tail"
            self._box = self._box or (len(self.lines) + 1 if is_box else 0)
            mark = mark if is_box or sign.lastgroup == "tail" else 2
        self._open.append((name, mark, box))
        self._counts[name] += 1
        self._strong += mark == 2
        self._weak += mark == 1

    def _close(self, name: str) -> None:
        if not self._counts[name]:
            return
        while True:
            opened, mark, box = self._open.pop()
            self._counts[opened] -= 1
            self._strong -= mark == 2
            self._weak -= mark == 1
            self._box = box
            if opened == name:
                return


def without(html: str, lines: Sequence[Line], ranges: Sequence[range]) -> str:
    """The source without the words of these lines and the elements that hold nothing else."""
    kept: list[str] = []
    at = 0
    for each in ranges:
        words = [lines[number] for number in each if lines[number].text]
        if not words:
            continue
        before = next((lines[n].end for n in range(each.start - 1, -1, -1) if lines[n].text), 0)
        before = _after_pictures(html, before, words[0].start)
        if not any(line.text for line in lines[each.stop :]):
            return "".join((*kept, html[at:before]))
        kept.append(html[at:before])
        rest, at = _unmatched(html, before, words[-1].end)
        kept.append(rest)
    return "".join((*kept, html[at:]))


def _after_pictures(html: str, start: int, end: int) -> int:
    """Behind the last picture of a stretch without words: what stands before a quote is theirs."""
    pictures = (tag for tag in _TAG.finditer(html, start, end) if (tag["name"] or "").lower() == "img")
    return max((tag.end() for tag in pictures if "cid:" in tag["attributes"].lower()), default=start)


def _unmatched(html: str, start: int, end: int) -> tuple[str, int]:
    """The tags of a stretch whose partners stand outside it; and its end, after the closing of what it opened."""
    closes: list[str] = []
    opened: list[tuple[str, str]] = []
    for tag in _TAG.finditer(html, start, end):
        name = (tag["name"] or "").lower()
        if name not in _BLOCKS and name not in {"td", "th", "b", "i", "u", "strong", "em", "span", "font", "a"}:
            continue
        if not tag["close"]:
            opened.append((name, tag[0]))
        elif opened and opened[-1][0] == name:
            opened.pop()
        elif not opened:
            closes.append(tag[0])
    while opened and (next_ := _NEXT_TAG.match(html, end)):
        name = next_["name"].lower()
        if name != "br" and not (next_["close"] and opened[-1][0] == name):
            break
        if name != "br":
            opened.pop()
        end = next_.end()
    return "".join((*closes, *(tag for _name, tag in opened))), end
