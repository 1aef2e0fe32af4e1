"""What the command says of what it found, and that everybody is shown the same."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext, override

from tertulia.insight import proofs
from tertulia.insight.proofs import Line, Run

from .page import PAGE, page

pytestmark = pytest.mark.django_db
GOOD = Line("power_cuts", "SQLite", tried=200, lost=0, doubled=0)
BAD = Line("strangers", "PostgreSQL", tried=12702, leaked=3, note="18 tests; failed: test_a_look")
ABSENT = Line("backup_kills", "SQLite", why_not=proofs.NOT_BUILT)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    def keep(command: str, *lines: Line, day: str) -> Run:
        at = proofs.datetime.fromisoformat(f"{day}T10:00+00:00")
        proofs.write(run := Run(command, at, "1.2.3", "2 cores", 800, lines))
        return run

    monkeypatch.setattr(proofs, "FILE", tmp_path / "proved.json")
    return keep


def test_only_a_promise_that_broke_counts():
    assert [line.broken for line in (GOOD, BAD, ABSENT)] == [0, 3, 0]


def test_the_last_run_of_each_command_is_kept(kept):
    kept("make prove", BAD, day="2026-11-01")
    night = kept("make prove-night", GOOD, day="2026-11-02")
    last = kept("make prove", GOOD, ABSENT, day="2026-11-03")
    assert proofs.read() == [last, night]


@pytest.mark.skipif(not proofs.FILE.exists(), reason="nothing has been proved yet")
def test_the_document_says_what_is_stored():
    assert PAGE.read_text() == page(proofs.read())


@pytest.mark.parametrize(("language", "said"), [("es", "Cortes de luz"), ("en", "Power cuts")])
def test_the_page_shows_the_numbers_and_what_was_not_reached(as_alba, alba, brand, kept, language, said):
    kept("make prove", GOOD, BAD, ABSENT, day="2026-11-01")
    alba.language = language
    alba.save()
    text = as_alba.get(reverse("insight:guarantees", args=[brand.slug])).content.decode()
    with override(language):
        assert escape(gettext(proofs.NOT_BUILT)) in text
    assert said in text
    text = text.replace("\xa0", "").replace(",", "")
    assert "<dd>12902</dd>" in text
    assert '<td data-label="PostgreSQL">12702</td>' in text
    assert 'data-tone="late">3</td>' in text
