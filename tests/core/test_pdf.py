"""Documents as PDF: what people wrote is there word for word, and nothing of it is ever obeyed."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from conftest import NOON
from tertulia.core import pdf
from tertulia.core.outcomes import BadPayload
from tertulia.core.pdf import Document, Section, Table

HOSTILE = (
    '#import "@preview/x:1.0.0": *',
    '#read("/etc/passwd") #panic("no")',
    "*negrita* _cursiva_ `code` $x^2$ @ref <label>",
    "= Título // no comment /* ni esto */",
    "<script>alert(1)</script> \\ ~ #",
    "¿Qué? ¡Sí! ñ á ü € 1.000,50 — “así” «así» 🎄 🥖 ❤️ ✓",
)


def printed(*blocks: str | Table, title: str = "Navidad", language: str = "es") -> PdfReader:
    document = Document(title, "Diciembre", "Horno Candela", language, "Contenido", [Section("Situación", blocks)])
    return PdfReader(BytesIO(pdf.made(document, at=NOON)))


def words(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\u200b", "").split())


def test_hostile_words_are_words_wherever_they_stand():
    reader = printed("\n".join(HOSTILE), Table(HOSTILE[:2], [HOSTILE[2:4]]), title=HOSTILE[0])
    said = words(reader)
    for line in HOSTILE:
        assert line in said
    assert reader.metadata.title == HOSTILE[0]
    assert reader.metadata.author == "Horno Candela"
    assert "root:" not in said


def test_every_page_says_its_number_and_a_long_document_what_is_in_it():
    short, long = printed("Pan."), printed("\n\n".join(f"Párrafo {n}. {'masa madre ' * 40}" for n in range(40)))
    assert [len(short.pages), len(long.pages) > 4] == [1, True]
    assert "1 / 1" in words(short)
    assert "Contenido" not in words(short)
    for number, page in enumerate(long.pages, 1):
        assert f"{number} / {len(long.pages)}" in page.extract_text()
    assert "Contenido" in long.pages[0].extract_text()
    assert "Navidad" in long.pages[1].extract_text()


@pytest.mark.parametrize("text", ["x" * 100_000, "pan " * 25_000, "#{" * 50_000])
def test_a_hundred_thousand_signs_are_all_there_and_none_leaves_the_page(text):
    reader = printed(text)
    assert words(reader).replace(" ", "").count(text[:2].strip()) >= 25_000
    edge = float(reader.pages[1].mediabox.width)
    places: list[float] = []
    reader.pages[1].extract_text(visitor_text=lambda _text, _cm, tm, _font, _size: places.append(tm[4]))
    assert max(places) < edge


def test_the_same_document_gives_the_same_bytes():
    document = Document("Navidad", "", "Horno", "es", "Contenido", [Section("Situación", ["Pan 🎄"])])
    assert pdf.made(document, at=NOON) == pdf.made(document, at=NOON)


def test_what_is_too_much_for_it_is_said_and_harms_nobody_else(monkeypatch):
    document = Document("Navidad", "", "Horno", "es", "Contenido", [Section("Situación", ["pan " * 250_000])])
    monkeypatch.setattr(pdf, "SECONDS", 0.2)
    with pytest.raises(BadPayload):
        pdf.made(document, at=NOON)
    monkeypatch.undo()
    assert len(printed("Pan.").pages) == 1
