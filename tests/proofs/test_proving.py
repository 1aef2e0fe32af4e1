"""What the command says of what it found, and that everybody is shown the same."""

from __future__ import annotations

import ast
import json
import subprocess
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext, override

from tertulia.insight import proofs
from tertulia.insight.proofs import Line, Run

from . import chosen
from .__main__ import RIGS, Ground, _line, run_rig, run_suite, verdict
from .chosen import SUITE, TESTS
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


@pytest.mark.parametrize("address", [address for each in SUITE for address in each.chosen])
def test_what_is_chosen_is_there(address):
    path, _, name = address.partition("::")
    functions = [one.name for one in ast.parse((TESTS / path).read_text()).body if isinstance(one, ast.FunctionDef)]
    assert name in functions if name else any(each.startswith("test_") for each in functions)


@pytest.mark.parametrize("status", [2, 3, 4, 5])
def test_tests_that_did_not_all_run_are_no_proof(monkeypatch, status):
    done = SimpleNamespace(returncode=status, stdout="ERROR: not found", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *said, **more: done)
    with pytest.raises(SystemExit, match="not found"):
        run_suite(SUITE, "SQLite", Ground("", "", is_night=False))


def test_a_proof_none_of_whose_tests_ran_is_broken():
    line = _line(chosen.Tests("loops", "doubled", ("test_x.py",)), "SQLite", [])
    assert (line.doubled, line.why_not) == (1, "")


def test_what_was_counted_is_told_apart_from_tests_that_failed():
    failed = Line("loops", "SQLite", tried=4, doubled=2, failed=2)
    ended = Line("power_cuts", "SQLite", lost=1, failed=1)
    counted = Line("bad_line", "SQLite", tried=4, lost=2, failed=1)
    assert verdict([failed, ended, counted, BAD]) == (
        "Not as promised: bad_line, strangers\nWorth another try: loops, power_cuts"
    )
    assert verdict([failed]) == "Worth another try: loops"
    assert not GOOD.is_worth_another_try


def test_points_that_were_not_met_with_prove_nothing():
    nothing = dict.fromkeys(("hit", "lost", "untold", "unknown_though_askable", "doubled", "unknown"), 0)
    tally = {**nothing, "points": 3, "tried": 27}
    publishing, backups = (
        next(rig for rig in RIGS if name in rig.proves) for name in ("publishing_kills", "backup_kills")
    )
    assert [Line(database="SQLite", **line).broken for line in publishing.read({"by_kind": {"kill -9": tally}})] == [1]
    assert [line["tried"] for line in publishing.read({"by_kind": {"kill -9": {**tally, "hit": 2}}})] == [2]
    assert backups.read({**tally, "by_kind": {"kill -9": tally}})[0]["lost"] == 1


def test_a_proof_says_nothing_of_what_it_does_not_count():
    renewal = next(rig for rig in RIGS if "renewal_kills" in rig.proves)
    nothing = dict.fromkeys(("lost", "untold", "unknown_though_askable", "doubled", "unknown"), 0)
    [line] = renewal.read({"by_kind": {"kill -9": {**nothing, "hit": 2, "tried": 4}}})
    assert (line["lost"], line["doubled"]) == (0, None)
    case = ET.fromstring('<testcase name="test_a" time="1"/>')
    said = ET.fromstring(
        '<testcase name="test_b"><properties><property name="lost" value="2"/></properties></testcase>'
    )
    tests = chosen.Tests("loops", "doubled", ("test_x.py",))
    assert [_line(tests, "SQLite", some).promised for some in ([case], [case, said])] == [(None, 0, None), (2, 0, None)]


SOAKED = {
    "minutes": 5.0, "kills": 9, "messages": 3_333, "posts": 333, "answers": 500, "unknown_of_blind_networks": 4,
    "memory": {"desk": {"percent": -0.2}, "worker": {"percent": 4.9}},
    **dict.fromkeys(("lost", "doubled", "messages_lost", "messages_doubled", "answers_lost"), 0),
    **dict.fromkeys(("unknown_of_networks_with_memory", "pages_refused", "jobs_failed"), 0),
}  # fmt: skip
GROWN = {"desk": {"percent": 5.0}, "worker": {"percent": 12.3}}


@pytest.mark.parametrize(
    ("found", "lost", "doubled", "is_worth_another_try"),
    [
        ({}, 0, 0, False),
        ({"messages_lost": 2, "lost": 1, "answers_lost": 1}, 4, 0, False),
        ({"unknown_of_networks_with_memory": 1, "pages_refused": 1, "jobs_failed": 1}, 3, 0, False),
        ({"messages_doubled": 2, "doubled": 1}, 0, 3, False),
        ({"minutes": 30.0, "memory": GROWN}, 2, 0, True),
        ({"minutes": 5.0, "memory": GROWN}, 0, 0, False),
    ],
)
def test_hours_that_lose_double_or_grow_are_not_as_promised(found, lost, doubled, is_worth_another_try):
    soak = next(rig for rig in RIGS if rig.proves == ("soak",))
    [line] = [Line(database="SQLite", **each) for each in soak.read(SOAKED | found)]
    assert (line.tried, line.lost, line.doubled, line.unknown) == (4_166, lost, doubled, 4)
    assert line.is_worth_another_try is is_worth_another_try
    assert ("pages refused: 1; jobs failed: 1" in line.note) is ("jobs_failed" in found)
    if not found:
        assert line.note == "5 min, 9 kills; memory after the first quarter: desk -0.2 %, worker +4.9 %"


def test_what_takes_long_is_told_and_not_tried_at_every_merge(monkeypatch):
    given = []
    done = SimpleNamespace(stdout=json.dumps(SOAKED), stderr="")
    monkeypatch.setattr(subprocess, "run", lambda command, **more: given.append(command[-1]) or done)
    soak = next(rig for rig in RIGS if rig.proves == ("soak",))
    [line] = run_rig(soak, "SQLite", Ground("", "", is_night=False))
    assert (line.why_not, given) == (proofs.ONLY_AT_NIGHT, [])
    run_rig(soak, "SQLite", Ground("", "", is_night=True))
    run_rig(soak, "SQLite", Ground("", "", is_night=False, much=30))
    assert given == [str(soak.night), "30"]


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
