"""The layer a brand teaches: what similar texts become, what others stay, and that it is told when one reads worse."""

from __future__ import annotations

import numpy as np
import pytest

from tertulia.understanding import features, judging, learning
from tertulia.understanding.learning import NOTHING, Example, fit
from tertulia.understanding.model import shipped
from tertulia.understanding.reading import read

QUEUE = "vaya cola otra vez en la panadería"
CHEESE = "¿Tenéis tarta de queso para el sábado?"
OTHERS = [
    "Gracias por todo", "¿Abrís el domingo?", "La web no me deja pagar", "Quiero una mesa para cuatro",
    "El pan estaba duro", "¿Qué lleva el roscón?", "Mi pedido no ha llegado", "Sois los mejores",
]  # fmt: skip


def kinds(texts, layer=NOTHING):
    return [each.kind for each in read(texts, layer)]


def test_the_next_similar_message_is_read_right_and_others_stay():
    assert kinds([CHEESE]) == ["purchase"]
    layer = fit([Example(CHEESE, {"kind": "support"})], OTHERS, [], shipped())
    similar = ["¿Tenéis tarta de queso para el viernes?", "¿Tendréis tarta de queso el sábado?",
               "¿Os queda tarta de queso para el sábado?"]  # fmt: skip
    assert kinds([CHEESE, *similar], layer) == ["support"] * 4
    assert kinds(OTHERS, layer) == kinds(OTHERS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sentiment", "positive"), ("urgency", 100), ("offensive", True), ("needs_answer", False),
        ("topic:price", True),
    ],
)  # fmt: skip
def test_every_field_can_be_taught(field, value):
    def has(reading) -> object:
        if field.startswith("topic:"):
            return "price" in reading.topics
        return round(100 * reading.urgency) > 83 if field == "urgency" else getattr(reading, field)

    text = CHEESE if field == "needs_answer" else QUEUE
    wanted = True if field == "urgency" else value
    [before] = read([text])
    assert has(before) != wanted
    layer = fit([Example(text, {field: value})], OTHERS, [], shipped())
    assert has(read([text], layer)[0]) == wanted


def test_what_is_no_longer_spam_is_none_any_more():
    text = "gana dinero facil desde tu casa info al privado"
    assert read([text])[0].spam
    [after] = read([text], fit([Example(text, {"kind": "other"})], OTHERS, [], shipped()))
    assert (after.kind, after.spam) == ("other", False)


def test_an_own_topic_is_learnt_and_named_first():
    yes = ["¿Hay algo sin gluten?", "Soy celíaca, ¿qué puedo comer sin gluten?", "pan sin gluten para celíacos",
           "la tarta sin gluten estaba seca", "menú sin gluten por favor", "hacéis pizza sin gluten"]  # fmt: skip
    layer = fit([Example(text, {"topic:sin-gluten": True}) for text in yes], OTHERS, ["sin-gluten"], shipped())
    assert layer.own == ("sin-gluten",)
    [found, other] = read(["¿El bizcocho es sin gluten?", "¿Abrís el lunes?"], layer)
    assert found.topics[0] == "sin-gluten"
    assert 0.3 <= found.confidence["topics"] <= found.confidence["topic:sin-gluten"] <= 1
    assert "gluten" in found.why["topic:sin-gluten"]
    assert "sin-gluten" not in other.topics


def test_what_a_topic_is_called_is_one_more_example():
    def topics(name):
        examples = [Example("¿Se puede entrar con mi labrador?", {f"topic:{name}": True})]
        return read(["¿Los perros pueden subir?"], fit(examples, OTHERS, [name], shipped()))[0].topics

    assert "perros" in topics("perros")
    assert "asunto" not in topics("asunto")


def test_names_of_topics_change_nothing_else():
    examples = [Example(QUEUE, {"kind": "praise"})]
    assert fit(examples, OTHERS, ["cola"], shipped()).packed() == fit(examples, OTHERS, [], shipped()).packed()


def test_a_topic_is_learnt_without_any_other_message():
    layer = fit([Example("pan sin gluten", {"topic:sin-gluten": True})], [], ["sin-gluten"], shipped())
    assert all(np.isfinite(block.weights).all() and np.isfinite(block.bias).all() for block in layer.blocks.values())
    assert "sin-gluten" in read(["pan sin gluten"], layer)[0].topics


def test_why_and_how_sure_know_of_what_was_taught():
    layer = fit([Example(QUEUE, {"kind": "praise"})], OTHERS, [], shipped())
    [before], [after] = read([QUEUE]), read([QUEUE], layer)
    assert (before.kind, after.kind) == ("other", "praise")
    assert after.confidence["kind"] != before.confidence["kind"]
    assert {"vaya", "cola", "otra", "vez", "panaderia"} >= set(after.why["kind"]) != set()


def test_the_same_examples_give_the_same_bytes_and_come_back_from_them():
    examples = [Example(text, {"kind": "praise", "topic:x": n % 2 == 0}) for n, text in enumerate([QUEUE, *OTHERS])]
    layer, again = fit(examples, OTHERS, ["x"], shipped()), fit(examples, OTHERS, ["x"], shipped())
    assert layer.packed() == again.packed()
    back = learning.unpacked(layer.packed())
    assert read([QUEUE, *OTHERS], back) == read([QUEUE, *OTHERS], layer)
    assert len(layer.packed()) < 300_000


def test_a_layer_can_be_cut_by_field_and_laid_over_another():
    one = fit([Example(QUEUE, {"kind": "praise"})], OTHERS, [], shipped())
    two = fit([Example(QUEUE, {"kind": "spam", "sentiment": "positive"})], OTHERS, [], shipped())
    [both] = read([QUEUE], two.only(["sentiment"]).over(one))
    assert (both.kind, both.sentiment) == ("praise", "positive")


def test_of_several_texts_each_gets_what_it_gets_alone():
    layer = fit([Example(QUEUE, {"kind": "praise"})], OTHERS, [], shipped())
    texts = ["", QUEUE, "👍", CHEESE, " ", "ok"]
    assert read(texts, layer) == [read([text], layer)[0] for text in texts]


def test_an_empty_layer_changes_no_score():
    found = features.of([features.normalised(QUEUE)])
    base = shipped().scores(found)
    scores, own = NOTHING.scores(found, base)
    assert np.array_equal(scores, base)
    assert own.shape == (1, 0)


def test_a_field_is_worse_than_the_shipped_model_too_unless_somebody_wants_it_so():
    worse = {"true": 9, "shipped": 0.9, "before": 0.8, "now": 0.7}
    assert judging.Figure(judged=10, **worse).is_worse(may_be_worse_than_shipped=False)
    assert judging.Figure(judged=9, **worse).is_worse(may_be_worse_than_shipped=False)
    assert [judging.Figure(judged=n, **worse).is_enough for n in (9, 10)] == [False, True]
    better = {**worse, "now": 0.85}
    assert judging.Figure(judged=10, **better).is_worse(may_be_worse_than_shipped=False)
    assert not judging.Figure(judged=10, **better).is_worse(may_be_worse_than_shipped=True)


def test_what_is_set_aside_is_judged_by_field():
    aside = [Example(QUEUE, {"kind": "praise", "topic:price": False}), Example(CHEESE, {"kind": "purchase"})]
    layer = fit([Example(QUEUE, {"kind": "praise"})], OTHERS, [], shipped())
    found = judging.judged(aside, NOTHING, layer, ["kind", "sentiment", "topic:price", "topic:own"], shipped())
    assert found["kind"] == judging.Figure(judged=2, true=2, shipped=0.5, before=0.5, now=1.0)
    assert found["topic:price"] == judging.Figure(judged=1, true=0, shipped=1.0, before=1.0, now=1.0)
    assert set(found) == {"kind", "topic:price"}
