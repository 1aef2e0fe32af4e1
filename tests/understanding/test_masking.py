"""What is taken out of a text before it leaves the machine, and what stays."""

import pytest

from tertulia.understanding.masking import LONGEST, masked

KNOWN = ["Diego Sanz", "Nerea", "Eva García"]


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("mi correo es ana.perez+x@correo.example, gracias", "ana.perez"),
        ("escríbeme a ana (at) correo.example", "correo.example"),
        ("llámame al 612 34 56 78", "612 34"),
        ("tel +34 612-345-678 por las tardes", "345"),
        ("mi cel es 55 1234 5678 90", "1234"),
        ("0034 912 345 678", "912"),
        ("ES91 2100 0418 4502 0005 1332 es la cuenta", "0418"),
        ("la tarjeta 4111 1111 1111 1111 caduca", "1111"),
        ("DNI 12345678Z", "12345678"),
        ("mi NIE: X1234567L", "1234567"),
        ("CIF B12345678", "B12345678"),
        ("rut 12.345.678-5", "345.678"),
        ("CUIT 20-12345678-6", "12345678"),
        ("CPF 123.456.789-09", "456"),
        ("pasaporte AAB123456", "AAB123456"),
        ("https://tienda.example/p?token=abc123 no va", "abc123"),
        ("lo dijo @maria.lopez ayer", "maria"),
        ("@ana@social.example mira", "social"),
        ("vivo en la calle Mayor, 12, 3º B", "Mayor"),
        ("Av. de la Constitución 45", "Constitución"),
        ("C/ Sol 7, Madrid", "Sol 7"),
        ("I live at 12 Baker Street", "Baker"),
        ("Hola, soy Marta Gil y no me llega", "Marta"),
        ("me llamo José Luis de la Fuente.", "Fuente"),
        ("no me abre la app\nUn saludo,\nNuria Campos", "Nuria"),
        ("My name is Sam Porter and", "Porter"),
        ("el pedido es de DIEGO, ya lo sabéis", "DIEGO"),
        ("nerea, la de la tienda, me gritó", "nerea"),
        ("la que lo hizo fue Garcia", "Garcia"),
        ("me atendió EVA y muy mal", "EVA"),
        ("y Eva lo sabe", "Eva"),
        ("Neréa\u0301 no estaba", "Ner"),
    ],
)
def test_what_tells_who_it_is_goes(said, secret):
    assert secret not in masked(said, names=KNOWN)


@pytest.mark.parametrize(
    "said",
    [
        "el 42 en negro por 1.234,50 €, no 39.95",
        "pedido 4471 del 28/11/2026 a las 18:30",
        "Abrís el lunes 30 de noviembre de 9 a 14?",
        "somos 12 y tenemos 3 niños de 2015",
        "Gracias. Todo perfecto, un saludo. Muy amables",
        "mi calle está llena de basura",
        "10.000 kilómetros en 24 h",
        "eva es un nombre y garcias no, nereas tampoco",
    ],
)
def test_what_a_message_is_about_stays(said):
    assert masked(said, names=KNOWN) == said


def test_a_hostile_text_takes_no_longer():
    """Were it read whole this would not end: some of the rules go back and forth over what they look at."""
    for text in ("a@" * 200_000, "1 " * 500_000, "calle " * 200_000, "Soy " + "De La " * 100_000, "+" * 1_000_000):
        assert len(masked(text)) <= 2 * LONGEST


@pytest.mark.parametrize("text", ["\n" * 2_500 + "A", "calle" + " " * 3_500 + "A"])
def test_no_text_keeps_it_busy(text):
    """Both took minutes once."""
    assert masked(text) == text
