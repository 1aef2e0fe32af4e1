"""The words a brand avoids: kept a line each, found whole, whatever their accents, capitals and simple plurals."""

from __future__ import annotations

import pytest

from conftest import NOON
from tertulia.brand import actions, avoided
from tertulia.brand.models import AvoidedWord

WORDS = "/b/horno-candela/settings/avoided-words/"


def test_words_come_back_as_they_were_and_a_bad_line_changes_nothing(as_alba, brand):
    text = "barato = asequible\nlow cost\nvoz"
    assert as_alba.post(WORDS, {"avoided": text}).status_code == 302
    assert as_alba.get("/b/horno-candela/settings/").context["avoided_form"]["avoided"].value() == text
    for bad, line in [("caro\nCARO", "2"), ("= nada", "1"), ("x" * 61, "1"), ("¡!", "1")]:
        answer = as_alba.post(WORDS, {"avoided": bad})
        assert answer.status_code == 422
        assert line in str(answer.context["avoided_form"].errors)
    assert AvoidedWord.objects.count() == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("El pan más BARÁTO del barrio", ["barato"]),
        ("Panes baratos", ["barato"]),
        ("Una compra baratísima", []),
        ("Vuelos low-cost", ["low cost"]),
        ("Lowcost y low", []),
        ("Dos voces y dos papeles", ["papel", "voz"]),
        ("Papelera", []),
    ],
)
def test_whole_words_and_simple_plurals_are_found(brand, other_brand, text, found):
    mine = [("barato", "asequible"), ("low cost", ""), ("papel", ""), ("voz", "")]
    actions.avoid(brand=brand, words=mine, at=NOON)
    actions.avoid(brand=other_brand, words=[("pan", "")], at=NOON)
    assert [one.word for one in avoided.found(text, brand)] == found
