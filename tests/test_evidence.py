"""What docs/security.md and docs/bad-input.md claim can be looked up: each test is there, each count is right."""

from __future__ import annotations

import pytest

from evidence import COUNTS, DOCUMENTS, ROOT, STANDS, counts, names_in, rows


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_named_test_is_there(document):
    missing = [
        (row.id, f"{file}::{test}")
        for row in rows(document)
        for file, test in row.tests
        if not (ROOT / "tests" / file).exists() or test not in names_in(ROOT / "tests" / file)
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_row_is_shown_by_a_test_or_says_why_not(document):
    for row in rows(document):
        assert row.stands in STANDS, row
        assert bool(row.tests) == (row.stands in {"test", "in part"}), row
        assert row.shown, row


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_counts_at_the_top_are_those_of_the_rows(document):
    """`python tests/evidence.py` writes them."""
    assert COUNTS.search(DOCUMENTS[document].read_text())[0] == counts(document)


def test_no_requirement_and_no_case_is_left_out():
    asked = rows("security")
    assert len({row.id for row in asked}) == len(asked) == 253
    assert [sum(row.level == level for row in asked) for level in "12"] == [70, 183]
    ids = {row.id for row in rows("bad-input")}
    sizes = {"A": 20, "B": 12, "C": 14, "D": 8, "E": 12, "F": 5, "G": 6, "H": 5, "I": 12, "J": 4, "K": 8}
    assert ids == {f"{letter}{number:02}" for letter, size in sizes.items() for number in range(1, size + 1)}
