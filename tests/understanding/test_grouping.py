"""A month of a bakery in 117 messages (bakery_period.tsv): its topics, and what is said twice."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import mean

import pytest

from tertulia.understanding.grouping import Grouping, Own, Said, Topic, group
from tertulia.understanding.reading import read

ROWS = [
    line.split("\t")
    for line in Path(__file__).with_name("bakery_period.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
OWN = [Own("Roscón", ["roscones", "rosco de reyes"]), Own("Sucursal de Atocha")]


@pytest.fixture(scope="module")
def grouping() -> Grouping:
    readings = read([text for *_, text in ROWS])
    return group(
        [
            Said(row[4], n, each.topics, each.sentiment, each.language)
            for n, (row, each) in enumerate(zip(ROWS, readings, strict=True))
        ],
        OWN,
    )


def every(grouping: Grouping) -> list[Topic]:
    return [part for topic in grouping.topics for part in (topic, *topic.parts)]


def test_copies_are_folded_and_nothing_else_is(grouping):
    copies = defaultdict(set)
    for n, (_theme, copy, *_rest) in enumerate(ROWS):
        if copy != "-":
            copies[copy].add(n)
    folded = defaultdict(set)
    for n, leader in enumerate(grouping.leaders):
        folded[leader].add(n)
    assert sorted(map(sorted, copies.values())) == sorted(sorted(each) for each in folded.values() if len(each) > 1)


def test_themes_are_found_whole_and_clean(grouping):
    """The best topic or part for each theme, by F1: 0.85 on the average when measured, the worst 0.71."""
    themes = {row[0] for row in ROWS} - {"-"}
    best = {theme: max(_f1(topic, theme) for topic in every(grouping)) for theme in themes}
    assert len(themes) == 10
    assert mean(best.values()) > 0.8, best
    assert min(best.values()) > 0.6, best


def _f1(topic: Topic, theme: str) -> float:
    right = sum(ROWS[n][0] == theme for n in topic.members)
    return 2 * right / (topic.messages + sum(row[0] == theme for row in ROWS))


def test_names_are_words_that_people_wrote(grouping):
    names = [topic.name for topic in every(grouping)]
    assert {"retraso en la entrega", "pan sin gluten", "cobro doble", "cruasanes veganos", "Roscón"} <= set(names)
    text = " ".join(row[4] for row in ROWS).lower()
    assert [topic.name for topic in every(grouping) if topic.kind == "said" and topic.name not in text] == []


def test_the_brands_own_word_is_found_whole_in_any_spelling(grouping):
    [roscon] = [topic for topic in grouping.topics if topic.kind == "own"]
    assert {n for n, row in enumerate(ROWS) if row[0] == "roscon"} <= set(roscon.members)
    assert group([Said("La rosconera", 1)], OWN).topics == []


def test_quotes_are_of_different_people_and_say_how_many_say_the_same(grouping):
    late = next(topic for topic in every(grouping) if topic.name == "retraso en la entrega")
    assert len(late.quotes) == 3
    assert all(quote.at in late.members for quote in late.quotes)
    assert max(quote.alike for quote in late.quotes) == 2


def test_the_period_before_counts_apart():
    now, before = ([Said(f"Cobro doble número {n}", n, ["payment"], is_before=was) for n in range(3)] for was in (0, 1))
    [topic] = group([*now, *before]).topics
    assert (topic.messages, topic.people, topic.before) == (3, 3, 3)
    assert all(quote.at < 3 for quote in topic.quotes)


def test_nothing_and_oddities_make_no_topics():
    odd = ["", "   ", "🎂", "?!", "1234", "a", "\x00", "https://x.example/y"]
    assert group([]).topics == group([Said(text, n) for n, text in enumerate(odd)]).topics == []
