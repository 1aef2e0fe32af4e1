"""Pictures inside a mail, from its bytes to the page."""

import base64
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from conftest import NOON
from tertulia.channels.models import Account, Message
from tertulia.connectors import mail
from tertulia.core import clock
from tertulia.core.pictures import LARGEST
from tertulia.flows import inbound
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db
SAMPLE = json.loads((Path(mail.__file__).parent / "samples" / "pictures.in.json").read_text())
GIF = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAA=")


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(days=3))


@pytest.fixture
def mailbox(brand) -> Account:
    return Account.objects.create(brand=brand, kind="mail", name="Correo", created_at=NOON, **SAMPLE["account"])


def arrive(mailbox, content):
    """The page of the conversation that this mail begins."""
    said = mailbox.connector.read_original(mailbox, content)
    inbound.intake(mailbox, [said], at=NOON)
    message = Message.objects.get(remote_id=said.remote_id)
    conversation = Conversation.objects.get(thread_id=message.thread_id)
    return message, f"/b/horno-candela/inbox/{conversation.pk}/"


def letter(html, *parts):
    heads = ["From: Ana <ana@x.example>", "Message-ID: <1@x>", 'Content-Type: multipart/related; boundary="B"', ""]
    body = ["--B", "Content-Type: text/html; charset=utf-8", "", html]
    for name, kind, content in parts:
        disposition = f'Content-Disposition: inline; filename="{name}"'
        encoding = "Content-Transfer-Encoding: base64"
        body += ["--B", f"Content-Type: {kind}", f"Content-ID: <{name}>", disposition, encoding, ""]
        body.append(base64.encodebytes(content).decode())
    return "\r\n".join([*heads, *body, "--B--", ""]).encode()


def text_of(page):
    """The message, and what stands under it."""
    return page.partition('<div class="message__text"')[2].partition("</li>")[0]


def files_of(page):
    listed = re.search(r'<ul class="files">(.*?)</ul>', page, re.S)
    return re.findall(r"<bdi>(.*?)</bdi>", listed[1]) if listed else []


def test_two_pictures_stand_in_their_place_and_are_not_listed_again(as_alba, mailbox):
    message, address = arrive(mailbox, SAMPLE["body"].encode())
    page = text_of(as_alba.get(address).content.decode())
    base = f"/b/horno-candela/messages/{message.pk}/files"
    assert f'<img src="{base}/0/" alt="Tarta partida por la mitad" width="452" height="339" loading="lazy">' in page
    assert f'<img src="{base}/1/" alt="Logotipo de Papelería Vidal" width="96" height="28" loading="lazy">' in page
    assert page.index("venía así") < page.index(f"{base}/0/") < page.index("¿Me la podéis") < page.index(f"{base}/1/")
    assert files_of(page) == []
    assert "seguimiento.example" not in page


def test_a_picture_comes_out_of_the_original_as_what_it_is(as_alba, mailbox):
    message, _address = arrive(mailbox, SAMPLE["body"].encode())
    for number, kind in enumerate(("image/jpeg", "image/png")):
        answer = as_alba.get(f"/b/horno-candela/messages/{message.pk}/files/{number}/")
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert len(b"".join(answer.streaming_content)) == message.attachments[number]["size"]
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["Cache-Control"].startswith("private")


def test_only_whoever_reads_the_brand_gets_a_picture(client, as_carla, mailbox):
    message, _address = arrive(mailbox, SAMPLE["body"].encode())
    address = f"messages/{message.pk}/files/0/"
    assert as_carla.get(f"/b/horno-candela/{address}").status_code == 404
    assert as_carla.get(f"/b/ferreteria-ruiz/{address}").status_code == 404
    assert client.get(f"/b/horno-candela/{address}").status_code == 302


def test_what_lies_is_described_and_stays_a_file(as_alba, mailbox):
    lies = {
        "guion.png": ("image/png", b"<html><script>alert(1)</script>"),
        "dibujo.svg": ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        "enorme.gif": ("image/gif", GIF + bytes(LARGEST)),
    }
    html = "".join(f'<p><img src="cid:{name}" alt="Lleva {name}"></p>' for name in [*lies, "nadie"])
    message, address = arrive(mailbox, letter(html + "<p>Mira</p>", *((name, *lie) for name, lie in lies.items())))
    page = as_alba.get(address).content.decode()
    assert "<img" not in text_of(page)
    assert re.findall(r"<p>Lleva (.*?)</p>", page) == [*lies, "nadie"]
    assert files_of(page) == list(lies)
    for number in range(3):
        answer = as_alba.get(f"/b/horno-candela/messages/{message.pk}/files/{number}/")
        assert answer["Content-Type"] == "application/octet-stream"


def test_a_picture_called_something_else_is_shown(as_alba, mailbox):
    html = '<p>Mira <img src="cid:a.bin"></p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">'
    message, address = arrive(mailbox, letter(html, ("a.bin", "application/octet-stream", GIF)))
    page = as_alba.get(address).content.decode()
    assert re.findall("<img[^>]*>", text_of(page)) == [
        f'<img src="/b/horno-candela/messages/{message.pk}/files/0/" alt="" loading="lazy">'
    ]


def test_a_picture_nobody_names_is_a_file(as_alba, mailbox):
    _message, address = arrive(mailbox, letter("<p>Mira</p>", ("a.gif", "image/gif", GIF)))
    assert files_of(as_alba.get(address).content.decode()) == ["a.gif"]


def test_of_a_long_mail_the_beginning_has_its_pictures_as_files(as_alba, mailbox):
    html = '<p><img src="cid:a.gif"></p>' + "<p>Mira</p>" * 3_000
    message, address = arrive(mailbox, letter(html, ("a.gif", "image/gif", GIF)))
    assert files_of(as_alba.get(address).content.decode()) == ["a.gif"]
    assert files_of(as_alba.get(f"{address}?whole={message.pk}").content.decode()) == []


def test_not_even_a_thousand_pictures_keep_the_desk_busy(as_alba, mailbox):
    names = [f"{number}.gif" for number in range(45)]
    html = "<p>Mira</p>" + "".join(f'<img src="cid:{name}"><img src="cid:{name}">' for name in names)
    _message, address = arrive(mailbox, letter(html, *((name, "image/gif", GIF) for name in names)))
    page = as_alba.get(address).content.decode()
    assert (text_of(page).count("<img"), files_of(page)) == (80, names[40:])
