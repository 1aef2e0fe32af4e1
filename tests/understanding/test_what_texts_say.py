"""What is understood of a text: of ordinary ones, and of those that were written to break it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest
from benchmarks.understanding import ODD
from training import train

from tertulia.understanding import features
from tertulia.understanding.meaning import FOLDER
from tertulia.understanding.model import shipped
from tertulia.understanding.reading import BATCH, KINDS, SENTIMENTS, Reading, read

TEXTS = {
    "¿Abrís el lunes festivo?": ("es", "question", "neutral"),
    "Muchas gracias, sois un encanto, volveremos": ("es", "praise", "positive"),
    "Es una vergüenza, llevo tres semanas esperando y nadie me contesta": ("es", "complaint", "negative"),
    "Estaría bien que abrierais también los domingos": ("es", "suggestion", "neutral"),
    "No me llega el correo para cambiar la contraseña": ("es", "support", "neutral"),
    "What time do you close on Sundays?": ("en", "question", "neutral"),
    "Thank you so much, the staff were lovely": ("en", "praise", "positive"),
    "Gana dinero fácil desde casa, escríbeme al privado": ("es", "spam", "neutral"),
}


@pytest.mark.parametrize("text", TEXTS)
def test_what_people_write_is_understood(text):
    [reading] = read([text])
    assert (reading.language, reading.kind, reading.sentiment) == TEXTS[text]
    assert reading.offensive is False


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_whatever_comes_is_read_well_formed(text):
    [reading] = read([text])
    assert reading.kind in KINDS
    assert reading.sentiment in SENTIMENTS
    assert 0 <= reading.urgency <= 1
    topics = {f"topic:{topic}" for topic in reading.topics}
    names = {field.name for field in fields(Reading)} - {"questions", "confidence", "why"}
    assert set(reading.confidence) == names | topics
    assert all(0 <= value <= 1 for value in reading.confidence.values())


def test_each_topic_is_as_sure_as_it_is_itself_and_says_why():
    text = "Llevo dos semanas esperando el paquete y quiero que me devolváis el dinero del pedido"
    [reading] = read([text])
    sure = {topic: reading.confidence[f"topic:{topic}"] for topic in reading.topics}
    assert len(set(sure.values())) == len(sure) > 1
    assert reading.confidence["topics"] == min(sure.values())
    assert list(sure.values()) == sorted(sure.values(), reverse=True)
    why = {topic: set(reading.why[f"topic:{topic}"]) for topic in sure}
    assert "dinero" in why["refund"] - why["delivery"]
    assert "paquete" in why["delivery"] - why["refund"]


def test_language_and_whether_it_needs_an_answer_say_why():
    [asks, spam, russian] = read(
        ["¿Tenéis pan sin gluten?", "Gana dinero fácil desde casa, escríbeme", "привет, как дела?"]
    )
    assert asks.why["needs_answer"]
    assert asks.why["language"]
    assert "needs_answer" not in spam.why
    assert "language" not in russian.why


def test_of_nothing_nothing_is_claimed():
    [reading] = read([""])
    assert set(reading.confidence.values()) == {0.0}
    assert (reading.language, reading.needs_answer, reading.topics, reading.why) == ("und", False, [], {})


def test_another_language_is_said_to_be_so_and_trusted_less():
    [reading] = read(["привет, как дела?"])
    assert reading.language == "ru"
    assert max(reading.confidence[name] for name in ("kind", "sentiment", "offensive")) <= 0.5


@pytest.mark.parametrize("name", ["Telugu", "Khmer", "Cherokee"])
def test_of_a_writing_nobody_here_knows_next_to_nothing_is_claimed(name):
    [reading] = read([ODD[name]])
    assert reading.language == "und"
    assert max(reading.confidence.values()) <= 0.3


@pytest.mark.parametrize("name", ["a letter", "hyphens", "marks", "words of a letter", "other words each"])
def test_of_what_is_in_no_language_little_is_claimed(name):
    [reading] = read([ODD[name]])
    assert max(reading.confidence.values()) <= 0.5


@pytest.mark.parametrize(
    "name", ["emoji", "hearts", "laughing", "many emoji", "ten of ten", "digits", "a megabyte of signs"]
)
def test_signs_alone_are_never_sure(name):
    [reading] = read([ODD[name]])
    assert reading.language == "und"
    assert max(reading.confidence["sentiment"], reading.confidence["kind"]) <= 0.7


def test_hearts_and_thumbs_are_read_all_the_same():
    loved, liked, sick = read([ODD["hearts"], "👏👏👏👏", "🤮🤮"])
    assert [each.sentiment for each in (loved, liked, sick)] == ["positive", "positive", "negative"]


def test_letters_in_fancy_dress_are_letters():
    plain, bold, wide = read(
        [
            "Muchas gracias, sois un encanto",
            "𝗠𝘂𝗰𝗵𝗮𝘀 𝗴𝗿𝗮𝗰𝗶𝗮𝘀, 𝘀𝗼𝗶𝘀 𝘂𝗻 𝗲𝗻𝗰𝗮𝗻𝘁𝗼",
            "Ｍｕｃｈａｓ ｇｒａｃｉａｓ， ｓｏｉｓ ｕｎ ｅｎｃａｎｔｏ",
        ]
    )
    assert plain == bold == wide


def test_a_sign_that_is_many_letters_makes_a_text_no_longer():
    assert len(features.normalised("ﷺ" * 4_000)) < features.HEAD + features.TAIL + 10


@pytest.mark.parametrize("text", [
    "Sois la peor empresa que he conocido, un desastre absoluto",
    "Una vergüenza de servicio, no vuelvo jamás",
    "El peor café de mi vida",
])  # fmt: skip
def test_harsh_criticism_is_no_offence(text):
    [reading] = read([text])
    assert not reading.offensive
    assert reading.sentiment == "negative"


def test_an_insult_is_one():
    [reading] = read(["Eres un hijo de puta y un imbécil"])
    assert reading.offensive
    assert {"puta", "imbecil", "hijo"} & set(reading.why["offensive"])


def test_questions_are_given_in_their_own_words():
    [reading] = read(["Hola. ¿Tenéis roscón sin gluten? Es para el sábado. ¿Y hacéis envíos?"])
    assert reading.questions == ["¿Tenéis roscón sin gluten?", "¿Y hacéis envíos?"]
    assert read(["a que hora cerrais hoy"])[0].questions == ["a que hora cerrais hoy"]


def test_the_words_that_decided_are_words_of_the_text():
    text = "Muchísimas gracias por el trato, la comida estaba riquísima"
    [reading] = read([text])
    assert reading.why["kind"]
    assert all(word in features.normalised(text).split() for words in reading.why.values() for word in words)


def test_many_at_once_are_read_as_each_alone():
    texts = [*TEXTS, *ODD.values()] * (BATCH // len([*TEXTS, *ODD]) + 2)
    assert read(texts) == [read([text])[0] for text in texts]


def test_accents_capitals_and_long_drawn_letters_make_little_difference():
    plain = features.normalised("gracias")
    assert features.normalised("GRACIAS").split()[0] == plain.split()[0]
    assert features.normalised("grácias") == plain
    assert features.normalised("gra\u200bcias") == plain
    assert features.normalised("graciaaaaas").split()[0] == "graciaas"


def test_the_same_text_has_the_same_rows_on_every_machine():
    found = features.of([features.normalised("¿Abrís hoy?")])
    assert found.rows[:5].tolist() == sorted(found.rows.tolist())[:5]
    assert int(found.rows.sum()) == 5_582_241


def test_the_model_is_the_one_its_name_says_and_small():
    said = json.loads((FOLDER / "model.json").read_text())
    assert train.name_of(shipped().weights, np.load(FOLDER / "net.npy"), said) == said["name"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 25_000_000


def test_reading_starts_no_threads(tmp_path):
    asked = """
import os, django
django.setup()
from tertulia.understanding.reading import read
read(["hola"])
print(len(os.listdir("/proc/self/task")))
"""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {"DJANGO_SETTINGS_MODULE": "tertulia.project.settings", "TERTULIA_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "1"
