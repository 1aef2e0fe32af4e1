"""Tables as people really send them."""

from __future__ import annotations

import csv
import io

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from tertulia.core import tables

TEXT = "Título;Texto\r\nRoscón;Masa €, «café» y ñ\r\n"
CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_any_encoding_and_any_sign_between_cells(encoding, delimiter):
    text = TEXT.replace(", «", " «").replace(";", delimiter)
    table = tables.read(text.encode(encoding))
    assert table.columns == ["titulo", "texto"]
    assert [row.cells for row in table.rows] == [{"titulo": "Roscón", "texto": "Masa € «café» y ñ"}]


def test_lines_are_counted_as_in_the_file():
    table = tables.read(b'sep=;\r\na;b\r\n"x\r\ny";1\r\n\r\nz;2\r\n')
    assert [(row.line, row.cells["a"]) for row in table.rows] == [(3, "x\ny"), (6, "z")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04" + b"\0" * 20, "CSV"),
        (b"", "vacío"),
        (b'a;b\r\n1;"2\r\n3;4\r\n', "2"),
        (b"a;a\r\n1;2\r\n", "a"),
        (b"a;b\r\n\x81;\x8d\r\n", "2"),
        (b"\xff\xfea", "1"),
        (b"a\r\n" + b"1\r\n" * 10_001, "10000"),
        (b";".join(b"c%d" % n for n in range(300)), "200"),
    ],
)
def test_what_is_no_table_is_said(content, says):
    with override("es"), pytest.raises(tables.Unreadable, match=says):
        tables.read(content)


def test_one_bad_row_leaves_the_others():
    table = tables.read(b"a;b\r\n1;2;3\r\n1;2;\r\n%s;2\r\n4\r\n" % (b"x" * 150_000))
    assert [bool(row.problem) for row in table.rows] == [True, False, True, False]


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8))
def test_what_is_written_is_read_again_to_the_letter(rows):
    rows = [[cell.strip() for cell in row] for row in rows]
    rows = [row for row in rows if any(row)]
    table = tables.read(tables.write(["a", "b"], rows))
    assert [[tables.meant(row.cells[name]) for name in "ab"] for row in table.rows] == rows


@given(CELLS)
def test_no_cell_is_worked_out_by_a_spreadsheet(cell):
    (written,) = next(csv.reader(io.StringIO(tables.write([cell], []).decode("utf-8-sig")), delimiter=";"), [""])
    assert written.strip()[:1] not in set("=+-@＝＋－＠") or not written.strip()


@pytest.mark.parametrize("cell", ["=1+1", " =cmd|' /C calc'!A0", "+34 600", "-5", "@SUM(A1)", "\t=1", "＝1"])
def test_what_looks_like_a_formula_gets_an_apostrophe(cell):
    assert tables.harmless(cell).startswith("'")
    assert tables.meant(tables.harmless(cell)) == cell
