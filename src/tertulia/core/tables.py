"""Tables that people bring from elsewhere, and take along: CSV as Excel, LibreOffice and everybody else write it.

Read is what was meant, whatever the encoding and the sign between cells; what can't be read says so with its line.
Cells are texts: nothing in them is ever worked out, and what a spreadsheet would work out is written so that it won't.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .html import tidy

LARGEST = 20 * 1024 * 1024
"""Bytes."""
MOST_ROWS = 10_000
MOST_COLUMNS = 200
LONGEST_CELL = 100_000
DELIMITERS = ";,\t"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
csv.field_size_limit(LARGEST)
_FORMULA = tuple("=+-@\t\r＝＋－＠")
"""What a spreadsheet takes for the beginning of a formula, in its wide forms too."""


class Unreadable(ValueError):
    """The file as a whole is no table; the message is for people."""


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    """Where it begins in the file, the first line being 1."""
    cells: Mapping[str, str]
    """By the name of the column as `named` writes it."""
    given: Sequence[str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    header: Sequence[str]
    """As it was written."""
    columns: Sequence[str]
    """As `named` writes it."""
    rows: Sequence[Row]
    encoding: str


def too_large() -> str:
    return _("The file is too large: {limit} MB at most.").format(limit=LARGEST // 1024**2)


def named(text: str) -> str:
    """How a column is looked up: "Título " and "TITULO" are both "titulo"."""
    plain = unicodedata.normalize("NFD", text.strip().casefold())
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())


def read(content: bytes | str) -> Table:
    """A table whose first line names its columns. Raises `Unreadable`."""
    if len(content) > LARGEST:
        raise Unreadable(too_large())
    text, encoding = (content, "utf-8") if isinstance(content, str) else decoded(content)
    text, delimiter, skipped = _delimiter(text)
    lines = _records(text, delimiter, skipped)
    header = next((cells for _line, cells in lines if any(cell.strip() for cell in cells)), None)
    if header is None:
        raise Unreadable(_("The file is empty."))
    if len(header) > MOST_COLUMNS:
        raise Unreadable(_("The file has more than {limit} columns.").format(limit=MOST_COLUMNS))
    columns = [named(tidy(cell)) for cell in header]
    if twice := next((name for name in columns if name and columns.count(name) > 1), ""):
        raise Unreadable(_("Two columns are called “{name}”.").format(name=twice[:80]))
    rows: list[Row] = []
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) == MOST_ROWS:
            raise Unreadable(_("The file has more than {limit} rows. Bring it in parts.").format(limit=MOST_ROWS))
        rows.append(_row(line, cells, columns))
    return Table([tidy(cell) for cell in header], columns, rows, encoding)


def decoded(content: bytes) -> tuple[str, str]:
    """The text of a file, and in which encoding it was. Raises `Unreadable`."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(_("This is a workbook, not a CSV file. In Excel: Save as… → CSV."))
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "") or _unmarked(content)
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        says = _("The file can't be read as text (line {line}). Save it as CSV UTF-8.")
        raise Unreadable(says.format(line=line)) from None


def _unmarked(content: bytes) -> str:
    """Of a file without a mark. Windows-1252 is what Excel writes in most of Europe when not told otherwise."""
    head = content[:4_000]
    if b"\0" in head:
        return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter(text: str) -> tuple[str, str, int]:
    """The text without the line that Excel may begin with ("sep=;"), what parts its cells, and how many lines went."""
    first, _break, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        return rest, first.strip()[4], 1
    outside: list[str] = []
    is_quoted = False
    for sign in text[:20_000]:
        if sign == '"':
            is_quoted = not is_quoted
        elif sign == "\n" and not is_quoted and any(not one.isspace() for one in outside):
            break
        elif not is_quoted:
            outside.append(sign)
    return text, max(DELIMITERS, key=outside.count), 0


def _records(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of each record. A quote that never ends would swallow the rest: it is said where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            says = _("A quote is opened on line {line} and never closed, or closed in the middle of a cell.")
            raise Unreadable(says.format(line=line)) from None
        yield line, cells


def _row(line: int, cells: Sequence[str], columns: Sequence[str]) -> Row:
    problem = ""
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        problem = _("It has {n} cells, the first line {columns}.").format(n=len(cells), columns=len(columns))
    if any(len(cell) > LONGEST_CELL for cell in cells):
        problem = _("A cell is longer than {limit} characters.").format(limit=LONGEST_CELL)
    by_name = {name: tidy(cell).strip() for name, cell in zip(columns, cells, strict=False) if name}
    return Row(line, by_name, [tidy(cell) for cell in cells], problem)


def write(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """As Excel opens it with a double click in Spain: UTF-8 with its mark, and semicolons."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([harmless(cell) for cell in header])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def harmless(cell: object) -> str:
    """A cell that no spreadsheet works out: an apostrophe goes before what looks like a formula, blanks or none."""
    text = tidy(str(cell if cell is not None else ""))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(("\t", "\r")) else text


def meant(cell: str) -> str:
    """What `harmless` was given: without the apostrophe that it sets, and only that one."""
    return cell[1:] if cell.startswith("'") and harmless(cell[1:]) == cell else cell
