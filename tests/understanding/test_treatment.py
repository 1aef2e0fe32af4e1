"""tú or usted: a false alarm is worse than silence.

`treatment_first.tsv` was written before the code and is what it was fitted to. The second set was written with it and
not fitted to, but by the same hand that then wrote the lists of words; the third one afterwards, to be hard.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tertulia.understanding.treatment import read, strays


def judged(name: str) -> tuple[int, int, int, int]:
    """Of the texts that are right and of those that aren't: how many, and how many are told of."""
    rows = [line.split("\t") for line in Path(__file__).with_name(f"treatment_{name}.tsv").read_text().splitlines()]
    told = [(expected, bool(strays(text, treatment=how, country=at))) for expected, how, at, text in rows]
    right, wrong = ([is_told for expected, is_told in told if expected == one] for one in ("ok", "off"))
    return len(right), sum(right), len(wrong), sum(wrong)


@pytest.mark.parametrize(("name", "most_false", "least_found"), [("first", 0, 20), ("second", 0, 20), ("third", 1, 11)])
def test_what_addresses_people_otherwise_is_told_and_little_else(name, most_false, least_found):
    right, false, wrong, found = judged(name)
    assert (right, wrong) == (20, 20)
    assert false <= most_false
    assert found >= least_found


def test_words_are_named_by_their_form_and_silence_is_an_answer():
    assert read("Usted elige; ustedes pagan. Le esperamos.") == {
        "usted": ["Usted", "Le esperamos"],
        "ustedes": ["ustedes"],
    }
    assert read("Pan de centeno, su corteza y su miga.") == {}
    assert read("usted " * 200_000)["usted"] == ["usted"]
