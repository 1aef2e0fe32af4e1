"""Mail that belongs to a platform without an API, by the tag in its address."""

from __future__ import annotations

import zlib

import pytest

from conftest import NOON, envelope
from tertulia.channels import tagging
from tertulia.channels.models import Account, Message
from tertulia.connectors.contract import Author
from tertulia.flows import forwarded, inbound
from tertulia.flows.names import called
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db

GMAIL = """Mirad esto.

---------- Forwarded message ---------
De: Marina Lee <marina@correo.example>
Date: lun, 23 nov 2026 a las 10:12
Subject: Alérgenos
To: <hola@horno.example>

¿El roscón lleva almendra?

Gracias"""
OUTLOOK = """De: Toni Vidal [mailto:toni@correo.example]
Enviado el: lunes, 23 de noviembre de 2026 10:12
Para: hola@horno.example
Asunto: Precios

Vaya precios."""
QUOTED = """Begin forwarded message:

> From: "Lola" <LOLA@correo.example>
> Date: 23 November 2026
>
> Un aplauso."""


@pytest.fixture
def tiktok(brand) -> Account:
    return Account.objects.create(brand=brand, kind="manual", name="Mi TikTok", settings={}, created_at=NOON)


def mail(account, text=GMAIL, *, to=None, remote_id="<1@x>", **facts):
    to = (f"Hola+{tagging.tag(account)}@horno.example",) if to is None else to
    author = Author("ana@horno.example", name="Ana", email="ana@horno.example")
    plain = {"kind": "email", "author": author, "subject": "Fwd: Alérgenos", "original": b"From: ana", "to": to}
    return envelope(text, remote_id=remote_id, thread="ana", **{**plain, **facts})


@pytest.mark.parametrize(
    ("subject", "text", "said"),
    [
        ("Fwd: x", GMAIL, ("Marina Lee", "marina@correo.example", "¿El roscón lleva almendra?\n\nGracias")),
        ("RV: Precios", OUTLOOK, ("Toni Vidal", "toni@correo.example", "Vaya precios.")),
        ("Fwd: x", QUOTED, ("Lola", "LOLA@correo.example", "Un aplauso.")),
        ("Fwd: x", "Sin nada que se entienda", ("Ana", "ana@horno.example", "Sin nada que se entienda")),
        ("Hola", "De: Madrid al cielo\n\nya", ("Ana", "ana@horno.example", "De: Madrid al cielo\n\nya")),
    ],
)  # fmt: skip
def test_author_and_text_are_those_of_the_forwarded_message(tiktok, subject, text, said):
    found = forwarded.read(mail(tiktok, text, subject=subject))
    assert (found.name, found.email, found.text) == said


@pytest.mark.parametrize(("begin", "run"), [("", "@"), ("a", "@."), ("a", " "), ("<", " "), ("<", "@"), ("<", "a@")])
def test_a_megabyte_of_any_shape_is_gone_through_once(tiktok, begin, run):
    """Gone through anew at every sign, this would never end."""
    name = begin + run * (1_000_000 // len(run)) + ")"
    assert forwarded.read(mail(tiktok, f"De: {name}\nAsunto: x\n\nHola")).text == "Hola"
    assert len(called(name)) == 2


def test_what_is_forwarded_to_the_tag_is_written_down_there_and_opens_no_mail(site, tiktok):
    for _ in range(2):
        inbound.intake(site, [mail(tiktok), envelope("Otro", remote_id="m2")], at=NOON)
    message = Message.objects.get(account=tiktok)
    assert (message.author_name, message.kind) == ("Marina Lee", "direct")
    assert message.text.startswith("¿El roscón")
    assert zlib.decompress(message.original.content) == b"From: ana"
    assert {row.account_id: row.waiting_since for row in Conversation.objects.all()} == {tiktok.pk: NOON, site.pk: NOON}
    assert Message.objects.get(account=site, remote_id="<1@x>").thread_id == ""


def test_the_tag_stays_when_the_account_is_renamed(tiktok):
    before = tagging.tag(tiktok)
    Account.objects.filter(pk=tiktok.pk).update(name="Otro nombre")
    assert before.startswith("mi-tiktok-")
    assert tagging.account_of(tiktok.brand, [f"x+{before}@y.example"]) == tiktok


def test_another_brands_tag_and_any_other_plus_address_are_just_mail(site, tiktok, other_brand):
    theirs = Account.objects.create(brand=other_brand, kind="manual", name="Suyo", created_at=NOON)
    for number, to in enumerate(
        [(f"hola+{tagging.tag(theirs)}@x.example",), ("hola+pedido-12345678@x.example",), ("x",)]
    ):
        inbound.intake(site, [mail(tiktok, to=to, remote_id=f"<{number}@y>")], at=NOON)
    assert set(Message.objects.values_list("account", flat=True)) == {site.pk}
    assert Conversation.objects.get().turn == 3


def test_what_we_sent_to_the_tag_ourselves_comes_in_once(site, tiktok):
    inbound.intake(site, [mail(tiktok, is_ours=True, remote_id="<1@sent>"), mail(tiktok)], at=NOON)
    assert Message.objects.filter(account=tiktok).count() == 1
    assert Conversation.objects.get().account_id == tiktok.pk


def test_a_file_that_came_with_it_is_named_and_the_mail_itself_is_there_to_open(site, tiktok):
    files = [{"name": "foto.jpg", "type": "image/jpeg", "part": "2"}]
    inbound.intake(site, [mail(tiktok, attachments=files)], at=NOON)
    assert Message.objects.get(account=tiktok).attachments == [{"name": "foto.jpg", "type": "image/jpeg"}]
