"""Dovecot and Postfix, through the connector: everything it does with a mailbox, and what the world does to one.

Runs with TERTULIA_LAB=1 and prints a line for each operation.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from types import SimpleNamespace
from typing import Any

import pytest

from lab import mail
from lab.lines import Lines
from lab.mail import ABSENT, COMPANY, DIEGO, FULL, PASSWORD, Post
from tertulia.connectors.contract import Envelope, Page, Reconnect, Refused, Retry, Target
from tertulia.connectors.mail.connector import MailBox
from tertulia.core.http import Door

pytestmark = pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1")
CHANNEL = "mail"
SECONDS = 20.0
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63fccfc0500f00048501"
    "80a98c21000000004945 4e44ae426082".replace(" ", "")
)


@pytest.fixture
def post(lines: Lines) -> Iterator[Post]:
    with lines.server(mail.running) as post:
        yield post


class Desk:
    """The company's account, read on and on; `known` is all that was heard."""

    def __init__(self, post: Post, **settings: str) -> None:
        self.post, self.connector = post, MailBox(Door(trust=post.trust))
        given = {
            "address": COMPANY,
            "sender": "Horno Candela",
            "imap_server": f"localhost:{post.ports['imaps']}",
            "smtp_server": f"localhost:{post.ports['smtps']}",
            "encryption": "tls",
            **settings,
        }
        self.account = SimpleNamespace(id=1, settings=given, secrets={"password": PASSWORD, "signing": "s" * 43})
        self.cursor, self.known = "", dict[str, Envelope]()

    def read(self) -> None:
        page = Page((), self.cursor, more=True)
        while page.more:
            page = self.connector.fetch(self.account, page.cursor)
            assert not page.unread
            self.known |= {one.remote_id: one for one in page.envelopes}
        self.cursor = page.cursor

    def until(self, probe: Callable[[Envelope], bool]) -> Envelope:
        ends = time.monotonic() + SECONDS
        while True:
            self.read()
            for one in self.known.values():
                if probe(one):
                    return one
            assert time.monotonic() < ends, [one.text for one in self.known.values()]
            time.sleep(0.3)

    def hears(self, words: str) -> Envelope:
        return self.until(lambda one: words in one.text and not one.is_ours)

    def answer(self, to: Target, text: str, key: str) -> str:
        return self.connector.reply(self.account, to, text, key).remote_id


def target(said: Envelope) -> Target:
    return Target(
        said.thread_id, said.remote_id, said.author.remote_id, said.hints, said.kind, said.subject, said.author.name
    )


def arrived(post: Post, user: str, words: str) -> Any:
    """The mail with these words in somebody's mailbox, as their program shows it."""
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        with post.mailbox(user) as box:
            box.select("INBOX", readonly=True)
            for uid in box.uid("SEARCH", "BODY", f'"{words}"')[1][0].split():
                return message_from_bytes(box.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1], policy=default)
        time.sleep(0.3)
    raise AssertionError(f"“{words}” did not arrive")


def test_the_whole_round_trip(post, lines):
    for part, them in operations(post).items():
        for operation, check in them.items():
            lines.tries(part, operation, check)
    for act, why in MailBox.capabilities.cannot.items():
        lines.lacks("moderated", act, why["en"])
    lines.lacks("edited there", "by its writer", "a mail that was sent stays as it is")
    lines.lacks("deleted there", "by its writer", "nobody can take back a mail that came")
    lines.check()


def operations(post: Post) -> dict[str, dict[str, Callable[[], str | None]]]:
    desk = Desk(post)

    def checked() -> None:
        health = desk.connector.check(desk.account)
        assert health.is_ok, health.says
        assert health.facts == {"sent": "Sent", "tells_at_once": True}

    def by_starttls() -> None:
        ports = {
            "imap_server": f"localhost:{post.ports['imap']}",
            "smtp_server": f"localhost:{post.ports['submission']}",
        }
        assert desk.connector.check(Desk(post, encryption="starttls", **ports).account).is_ok

    def wrong_password() -> None:
        other = Desk(post)
        other.account.secrets["password"] = "otra"
        with pytest.raises(Reconnect):
            other.connector.check(other.account)

    def wrong_certificate() -> None:
        with pytest.raises(Retry, match="certificate"):
            MailBox(Door()).check(desk.account)

    def by_token() -> None:
        other = Desk(post, access="google")
        other.account.secrets["token"] = mail.token(COMPANY)
        assert other.connector.check(other.account).is_ok
        for bad in (mail.token(COMPANY, secret="x" * 40), mail.token(COMPANY, seconds=-60), mail.token(DIEGO)):
            other.account.secrets["token"] = bad
            with pytest.raises(Reconnect):
                other.connector.check(other.account)

    def comes_in() -> str:
        desk.read()
        began = time.monotonic()
        post.write(f"Diego <{DIEGO}>", "¿Abrís el domingo? ñ €", subject="Domingo: ¿abrís?")
        said = desk.hears("¿Abrís el domingo? ñ €")
        assert (said.subject, said.author.name) == ("Domingo: ¿abrís?", "Diego")
        return f"after {time.monotonic() - began:.1f} s"

    def kind() -> None:
        said = desk.hears("¿Abrís el domingo?")
        assert (said.kind, said.is_automatic, said.verb) == ("email", False, "created")

    def answered() -> None:
        said = desk.hears("¿Abrís el domingo?")
        id = desk.answer(target(said), "El domingo cerramos.\n.\nEl lunes, no.", "key-1")
        there = arrived(post, DIEGO, "El domingo cerramos.")
        assert there["Message-ID"] == f"<{id}>"
        assert there["In-Reply-To"] == f"<{said.hints['message_id']}>"
        assert there["Subject"] == "Re: Domingo: ¿abrís?"
        assert there["From"] == f"Horno Candela <{COMPANY}>"
        assert there.get_content().splitlines() == ["El domingo cerramos.", ".", "El lunes, no."]

    def in_the_sent_folder() -> None:
        echo = desk.until(lambda one: one.key == "key-1")
        assert echo.is_ours
        assert echo.thread_id == desk.hears("¿Abrís el domingo?").thread_id
        assert desk.connector.find(desk.account, "key-1").remote_id == echo.remote_id
        assert desk.connector.find(desk.account, "key-0") is None

    def in_its_talk() -> None:
        ours = desk.until(lambda one: one.key == "key-1")
        quote = "Pues el martes.\n\nEl lun, 23 nov 2026 a las 10:12, Horno escribió:\n> El domingo cerramos."
        post.write("diego@otra.test", quote, In_Reply_To=f"<{ours.remote_id}>")
        said = desk.hears("Pues el martes.")
        assert (said.thread_id, said.text) == (ours.thread_id, "Pues el martes.")
        assert "El domingo cerramos." in said.quoted

    def with_only_a_subject() -> None:
        post.write(DIEGO, "Tarta de tres pisos", subject="Tarta «ñ»")
        first = desk.hears("Tarta de tres pisos")
        post.write(DIEGO, "Y de cuatro", subject="RE: Tarta «ñ»")
        assert desk.hears("Y de cuatro").thread_id == first.thread_id

    def told_at_once() -> str:
        signs = desk.connector.listen(desk.account, lambda: False)
        threading.Timer(1.0, lambda: post.write(DIEGO, "Al momento")).start()
        began = time.monotonic()
        assert next(sign for sign in signs if sign)
        assert time.monotonic() - began < 5
        signs.close()
        return f"{time.monotonic() - began - 1:.1f} s after it was sent"

    def left_unread() -> None:
        desk.read()
        with post.mailbox(COMPANY) as box:
            box.select("INBOX")
            assert box.uid("SEARCH", "SEEN")[1][0] == b""
            assert box.uid("SEARCH", "UNSEEN")[1][0]

    def with_files() -> None:
        letter = EmailMessage(policy=SMTP)
        letter["From"], letter["To"], letter["Subject"], letter["Message-ID"] = (
            DIEGO,
            COMPANY,
            "Foto",
            "<foto@correo.test>",
        )
        letter.set_content("Va la foto")
        letter.add_alternative(
            "<p>Va la <b>foto</b> <img src='cid:f1' alt='miga'><script>1</script></p>", subtype="html"
        )
        letter.get_payload()[1].add_related(PIXEL, "image", "png", cid="<f1>")
        letter.add_attachment(b"\x00\xff" * 300_000, maintype="application", subtype="pdf", filename="factura ñ.pdf")
        post.deliver(letter.as_bytes(), DIEGO)
        said = desk.hears("Va la foto")
        picture, file = said.attachments
        assert (picture["cid"], picture["alt"], picture["inline"]) == ("f1", "miga", True)
        assert (file["name"], file["type"]) == ("factura ñ.pdf", "application/pdf")
        assert desk.connector.open_part(said.original, picture["part"]) == PIXEL
        assert desk.connector.open_part(said.original, file["part"]) == b"\x00\xff" * 300_000

    def to_a_plus_address() -> None:
        post.write(DIEGO, "Con etiqueta", to=COMPANY.replace("@", "+mi-tiktok-0123abcd@"))
        assert COMPANY.replace("@", "+mi-tiktok-0123abcd@") in desk.hears("Con etiqueta").to

    def returned(person: str, status: str, key: str) -> None:
        id = desk.answer(Target("0" * 20, "m", person, subject="Hola"), "¿Estás?", key)
        back = desk.until(lambda one: one.verb == "returned" and one.in_reply_to == id)
        assert status in back.text, back.text
        assert (back.is_automatic, dict(back.cannot)) == (True, {"reply": "returned"})

    def absence() -> None:
        id = desk.answer(Target("0" * 20, "m", ABSENT, subject="Hola"), "¿Estás?", "key-4")
        note = desk.until(lambda one: "vacaciones" in one.text)
        assert (note.is_automatic, note.in_reply_to) == (True, id)

    def refused_now() -> None:
        with pytest.raises(Refused, match="550"):
            desk.answer(Target("0" * 20, "m", "nadie@horno.test"), "¿Estás?", "key-5")
        other = Desk(post, address=DIEGO, user=COMPANY)
        with pytest.raises(Refused):
            desk.connector.reply(other.account, Target("0" * 20, "m", DIEGO), "Soy otro", "key-6")

    def waits_as_told() -> None:
        with pytest.raises(Retry) as waits:
            desk.answer(Target("0" * 20, "m", "x@luego.test"), "¿Estás?", "key-7")
        assert waits.value.after == timedelta(seconds=90)

    def written_elsewhere() -> None:
        letter = b"From: hola@horno.test\r\nTo: nueva@correo.test\r\nMessage-ID: <pc@horno.test>\r\n\r\nOtro programa"
        with post.mailbox(COMPANY) as box:
            box.append("Sent", r"(\Seen)", None, letter)
        said = desk.until(lambda one: one.remote_id == "pc@horno.test")
        assert (said.is_ours, said.person.remote_id) == (True, "nueva@correo.test")

    def numbered_anew() -> None:
        desk.read()
        before = set(desk.known)
        with post.mailbox(COMPANY) as box:
            box.create("Aparte")
            box.select("INBOX")
            box.uid("COPY", "1:*", "Aparte")
        other = Desk(post, **{"folders": ["Aparte"]})
        other.read()
        assert set(other.known) == before

    def many() -> str:
        began = time.monotonic()
        for number in range(120):
            post.write(f"p{number}@correo.test", f"Ráfaga {number}.")
        desk.hears("Ráfaga 119.")
        assert sum("Ráfaga" in one.text for one in desk.known.values()) == 120
        return f"120 mails in {time.monotonic() - began:.1f} s from sending to reading"

    def read_again() -> None:
        now = datetime.now(UTC)
        found, cursor = set[str](), ""
        while True:
            page = desk.connector.reread(desk.account, now - timedelta(days=1), now + timedelta(hours=1), cursor)
            found |= {one.remote_id for one in page.envelopes}
            if not (cursor := page.cursor):
                break
        desk.read()
        assert found == set(desk.known)

    return {
        "access": {
            "checked over TLS": checked,
            "checked over STARTTLS": by_starttls,
            "with a token (XOAUTH2), and not with a bad one": by_token,
            "a wrong password is told": wrong_password,
            "a stranger's certificate is not trusted": wrong_certificate,
        },
        "in": {
            "from a customer": comes_in,
            "told at once (IDLE)": told_at_once,
            "nothing is marked as read": left_unread,
            "HTML, a picture inside and a file": with_files,
            "to a plus-address": to_a_plus_address,
            "a burst": many,
        },
        "kind": {
            "a customer's mail": kind,
            "an absence note waits for nobody": absence,
            "returned: no such person": lambda: returned("nadie@rebota.test", "5.1.1", "key-2"),
            "returned: full mailbox": lambda: returned(FULL, "5.2.2", "key-3"),
        },
        "answered": {
            "in the thread": answered,
            "our answer lies in the Sent folder and is found by its key": in_the_sent_folder,
            "and answered from another address, our words folded": in_its_talk,
            "and answered by somebody who names only the subject": with_only_a_subject,
            "refused at once: unknown here, or not ours to send as": refused_now,
            "asked to wait 90 seconds": waits_as_told,
        },
        "more": {
            "written in another program": written_elsewhere,
            "the same mails under other numbers are the same": numbered_anew,
            "a day read again": read_again,
        },
    }
