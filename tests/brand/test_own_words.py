"""The brand's own words: many pasted at once, each problem said with its line."""

from __future__ import annotations

import pytest

from tertulia.brand.models import OwnWord
from tertulia.core.models import Activity

WORDS = "/b/horno-candela/settings/words/"
PAGE = "/b/horno-candela/settings/"


def stored() -> list[tuple[str, str, list[str]]]:
    return list(OwnWord.objects.order_by("kind", "name").values_list("kind", "name", "spellings"))


def test_words_are_pasted_a_line_each_and_come_back_as_they_were(as_alba, brand):
    sent = {"product": "Roscón = roscones,  rosco de Reyes\n\nHogaza", "person": "Nerea", "place": ""}
    assert as_alba.post(WORDS, sent).status_code == 302
    assert stored() == [
        ("person", "Nerea", []),
        ("product", "Hogaza", []),
        ("product", "Roscón", ["roscones", "rosco de Reyes"]),
    ]
    assert Activity.objects.filter(type="brand.words_changed").count() == 1
    form = as_alba.get(PAGE).context["words_form"]
    assert form["product"].value() == "Hogaza\nRoscón = roscones, rosco de Reyes"


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("product", "Hogaza\nHOGAZA", "HOGAZA"),
        ("place", "Hogaza\nAtocha = hogazá", "Hogaza"),
        ("product", "= rosca", "1"),
        ("product", "¡!", "¡!"),
        ("product", "x" * 61, "60"),
        ("product", "Pan = " + ",".join(f"p{n}" for n in range(21)), "20"),
        ("product", "\n".join(f"pan {n}" for n in range(501)), "500"),
    ],
)
def test_what_cannot_be_found_or_told_apart_is_refused_and_nothing_changes(as_alba, brand, field, text, says):
    as_alba.post(WORDS, {"product": "Hogaza"})
    answer = as_alba.post(WORDS, {field: text})
    assert answer.status_code == 422
    assert any(says in error for error in answer.context["words_form"].errors[field])
    assert stored() == [("product", "Hogaza", [])]
