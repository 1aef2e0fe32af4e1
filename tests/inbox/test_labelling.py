from __future__ import annotations

import time

import pytest

from tertulia.inbox.labelling import fold, labels_for
from tertulia.inbox.models import Label


def label(*words: str) -> Label:
    return Label(name=words[0], words=list(words))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("¿Llega hoy mi PEDIDO?", "pedido"),
        ("Soy celíaca, ¿tenéis algo?", "celiaca"),
        ("soy celiaca", "Celíaca"),
        ("una tarta\nde   boda para mayo", "tarta de boda"),
        ("una tarta, de boda", "tarta de boda"),
        ("alér\u200bgenos", "alérgenos"),
        ("ale\u0301rgenos", "alérgenos"),
        ("al\u00adérgenos", "alérgenos"),
        ("ＰＥＤＩＤＯ urgente", "pedido"),
        ("Quiero 🎂 para el sábado", "🎂"),
        ("¡feliz cumple!🎂🎂", "🎂"),
        ("cuesta 5€ la barra", "€"),
        ("La Straße", "strasse"),
        ("gluten-free please", "gluten free"),
    ],
)
def test_finds_the_word(text, word):
    mark = label(word)

    assert labels_for(text, [mark]) == [mark]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("los pedidos", "pedido"),
        ("despedido", "pedido"),
        ("tarta para una boda", "tarta de boda"),
        ("", "pedido"),
        ("cualquier cosa", ""),
        ("cualquier cosa", "\u200b"),
        ("cualquier cosa", "..."),
    ],
)
def test_leaves_other_words_alone(text, word):
    assert labels_for(text, [label(word)]) == []


def test_labels_come_back_in_their_own_order_and_once():
    orders, allergens, praise = label("pedido", "encargo"), label("gluten"), label("gracias")

    assert labels_for("Gracias: el pedido y el encargo", [praise, allergens, orders]) == [praise, orders]


def test_a_words_list_that_holds_no_words_does_no_harm():
    assert labels_for("algo", [Label(name="Raro", words=[None, 7, "algo"])])


def test_a_pattern_is_only_a_word():
    assert labels_for("aaaaaaaaaaaaaaaaaaaaaaaaaaaa!", [label("(a+)+$")]) == []


def test_a_million_signs_cost_little():
    before = time.perf_counter()
    labels_for("ñ\u0301" * 500_000, [label("pedido")])

    assert time.perf_counter() - before < 1


def test_folding_keeps_numbers_and_letters_of_every_script():
    assert fold("  Ça  và — №5 Ελλάς! ") == "ca va no5 ελλασ"
