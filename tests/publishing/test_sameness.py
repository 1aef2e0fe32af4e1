"""The index of boredom: what is said over and over raises it, another format lowers it."""

import base64
from datetime import datetime, timedelta

import pytest
from publishing_cast import *  # noqa: F403

from conftest import NOON
from tertulia.channels.models import Account
from tertulia.publishing import actions, library, sameness
from tertulia.publishing.saying import Piece, Shown, Wanted

pytestmark = pytest.mark.django_db
GIF = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=")
VARIED = [
    "Mañana abrimos a las siete por el puente", "¿Qué pan llevarías tú a una isla desierta?",
    "Carmen lleva treinta años amasando con nosotros", "Receta de torrijas con pan del día anterior",
    "Buscamos a alguien para las madrugadas del obrador", "Gracias por las doscientas reseñas de este mes",
    "El centeno viene de un molino de Palencia", "Taller infantil de galletas el sábado por la tarde",
    "Hoy hemos sacado del horno una hogaza de tres kilos", "Cerramos el lunes para reparar la amasadora",
]  # fmt: skip


@pytest.fixture
def publish(brand, alba):
    board = Account.objects.create(brand=brand, kind="manual", name="Tablón", created_at=NOON)
    moments = iter(datetime(2026, 11, 24, 9) + timedelta(hours=n) for n in range(100))

    def publish(*texts: str, pictures=()) -> None:
        pieces = [Piece(text, pictures=tuple(pictures) if not number else ()) for number, text in enumerate(texts)]
        post = actions.create(brand=brand, by=alba, at=NOON, pieces=pieces, versions={board.pk: Wanted()})
        actions.plan(post=post, wall=next(moments), by=alba, at=NOON)
        actions.schedule(post=post, by=alba, at=NOON)

    return publish


def test_ten_posts_that_say_nearly_the_same_raise_it_above_its_threshold_and_another_format_lowers_it(
    brand, alba, publish, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    for number in range(10):
        publish(f"Hoy tenemos pan de pueblo recién hecho en el horno de la plaza, bandeja {number}")
    [before] = sameness.of_brand(brand)
    assert before.index > sameness.REPEATS
    assert (before.tone, before.alike, before.share, before.commonest) == ("late", 9, 10, "text")
    picture = library.add(brand=brand, name="pan.gif", content=GIF, by=alba, at=NOON)
    publish("Así se ve el obrador a las cinco de la mañana", pictures=[Shown(picture.pk)])
    [after] = sameness.of_brand(brand)
    assert after.index < before.index
    publish("Primero la masa madre", "Luego doce horas de espera", "Y al final el horno de leña")
    assert sameness.of_brand(brand)[0].index < after.index


def test_posts_that_say_different_things_stay_under_it(brand, publish):
    for text in VARIED:
        publish(text)
    [found] = sameness.of_brand(brand)
    assert (found.tone, found.index) == ("good", 30)


def test_of_few_posts_nothing_is_said(brand, publish):
    for _ in range(sameness.FEWEST - 1):
        publish("Pan")
    assert sameness.of_brand(brand) == []
