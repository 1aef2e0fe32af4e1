"""What words mean: those that mean about the same lie close, in any language, and a topic is known in other words."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest

from tertulia.understanding import features, learning, meaning
from tertulia.understanding.learning import Example, fit
from tertulia.understanding.model import shipped
from tertulia.understanding.reading import read

OTHERS = [
    "Gracias por todo", "¿Abrís el domingo?", "La web no me deja pagar", "Quiero una mesa para cuatro",
    "El pan estaba duro", "¿Cuánto cuesta el roscón?", "Mi pedido no ha llegado", "Sois los mejores",
    "¿Dónde se aparca?", "Necesito una factura", "El camarero fue muy simpático", "Se oye la música desde la calle",
]  # fmt: skip


def vectors(*texts):
    return meaning.of(features.of([features.normalised(text) for text in texts]))


def near(one, other):
    a, b = vectors(one, other)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@pytest.mark.parametrize(
    ("word", "same", "quite_another"),
    [("umbrella", "paraguas", "invoice"), ("cucaracha", "insects", "factura"), ("CALEFACCIÓN", "heating", "tarta")],
)
def test_what_means_about_the_same_lies_close(word, same, quite_another):
    assert near(word, same) > near(word, quite_another) + 0.2


def test_what_is_not_known_says_nothing():
    texts = ["", "👍", "qwxzqv 4711", "qwxzqv paraguas", "paraguas"]
    alone = np.concatenate([vectors(text) for text in texts])
    assert not alone[:3].any()
    assert np.array_equal(alone[3], alone[4])
    assert np.array_equal(vectors(*texts), alone)


def test_a_topic_is_known_in_other_words_and_in_another_language():
    examples = ["Hay hormigas por toda la cocina", "Me picó una avispa en el patio", "La cama tiene chinches",
                "¿Qué usáis contra los mosquitos?", "Una araña enorme en la ducha"]  # fmt: skip
    layer = fit([Example(each, {"topic:asunto": True}) for each in examples], OTHERS, ["asunto"], shipped())
    texts = ["Tres cucarachas muertas", "three dead cockroaches", "Tres camisas rotas", "three torn shirts"]
    assert ["asunto" in each.topics for each in read(texts, layer)] == [True, True, False, False]


def test_layers_stand_on_the_table_they_were_learnt_with():
    """A table made anew wants another `SHAPE`: then every layer is learnt anew."""
    assert (learning.SHAPE, zlib.crc32(meaning.FILE.read_bytes())) == (3, 0x74C4C2DE)


def test_a_layer_reads_a_text_as_it_learnt_it():
    layer = fit(
        [Example(text, {"topic:a": n < 6, "topic:b": n > 6}) for n, text in enumerate(OTHERS)],
        [],
        ["a", "b"],
        shipped(),
    )
    found = features.of([features.normalised(text) for text in [*OTHERS, ""]])
    blocks = [replace(block, meant=block.meant * [[0], [1]]) for block in layer.blocks.values()]
    base = shipped().scores(found)
    without = learning.Layer(dict(zip(layer.blocks, blocks, strict=True))).scores(found, base)[1]
    for n, block in enumerate(layer.blocks.values()):
        weights, mean = block.meant
        added = learning.meant(meaning.of(found), mean) @ weights
        assert np.abs(added).max() > 0.1
        assert np.allclose(layer.scores(found, base)[1][:, n] - without[:, n], added, atol=1e-4)
