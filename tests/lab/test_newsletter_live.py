"""A newsletter by Dovecot and Postfix: two hundred letters, those that come back, and the press that ends it.

Runs with TERTULIA_LAB=1 and prints a line for each operation.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from django.test import Client

from lab import mail
from lab.lines import Lines
from lab.mail import COMPANY, DIEGO, PASSWORD, Post
from publishing.publishing_cast import png
from tertulia.channels import models as channels
from tertulia.channels.models import Account
from tertulia.core import clock, jobs
from tertulia.core.http import Door
from tertulia.flows import inbound, outbound
from tertulia.publishing import actions, library, mailing
from tertulia.publishing.models import Letter, Subscriber
from tertulia.publishing.saying import Piece, Shown, Wanted

pytestmark = [
    pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1"),
    pytest.mark.django_db,
]
CHANNEL = "newsletter"
READERS = [DIEGO.replace("@", f"+{number}@") for number in range(200)]
"""All of them are Diego, who sees by the address which letter is for whom."""
GONE = "nadie@rebota.test"
SECONDS = 60


@pytest.fixture
def post(lines: Lines) -> Iterator[Post]:
    with lines.server(mail.running) as post:
        yield post


def test_the_whole_round_trip(post, lines, brand, alba, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT, settings.PUBLIC_URL = tmp_path / "media", "https://desk.horno.example"
    monkeypatch.setattr(channels, "http", Door(trust=post.trust))
    for part, them in operations(post, brand, alba).items():
        for operation, check in them.items():
            lines.tries(part, operation, check)
    for part in ("in", "kind", "answered", "moderated"):
        lines.lacks(part, "by its readers", "what they write comes into the mailbox, a channel of its own")
    lines.lacks("edited there", "by its writer", "a mail that was sent stays as it is")
    lines.lacks("deleted there", "by its writer", "nobody can take back a mail that left")
    lines.check()


def operations(post: Post, brand, alba) -> dict[str, dict[str, Callable[[], str | None]]]:
    now = clock.now()
    box = Account.objects.create(
        brand=brand, kind="mail", name="Correo", created_at=now,
        settings={
            "address": COMPANY, "sender": "Horno Candela", "imap_server": f"localhost:{post.ports['imaps']}",
            "smtp_server": f"localhost:{post.ports['smtps']}", "encryption": "tls",
        },
        secrets={"password": PASSWORD, "signing": "s" * 43},
    )  # fmt: skip
    weekly = Account.objects.create(
        brand=brand, kind="newsletter", name="El pan de la semana", created_at=now,
        settings={"footer": ["Horno Candela", "Calle del Molino, 12, 28012 Madrid"], "per_hour": "1000"},
        secrets={"signing": "k" * 43},
    )  # fmt: skip

    def until(done: Callable[[], bool]) -> None:
        ends = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < ends, [*Letter.objects.values_list("delivery__state", "delivery__says")][:5]
            at = clock.now()
            mailing.release(at=at)
            outbound.run_due(at)
            jobs.run_due(at)

    def brought() -> None:
        rows = "\n".join(["Email", *READERS, GONE])
        found = mailing.bring(list=weekly, content=rows.encode(), basis="Hoja de altas", by=alba, at=clock.now())
        assert found.added == len(READERS) + 1

    def sent() -> str:
        picture = library.add(brand=brand, name="pan.png", content=png(), by=alba, at=clock.now(), alt="Un pan")
        pieces = [Piece("Ya están los roscones, ¡con nata! ñ €", pictures=(Shown(picture.pk),))]
        wanted = {weekly.pk: Wanted(hints=(("title", "Roscones de reyes"),))}
        began = time.monotonic()
        written = actions.create(brand=brand, by=alba, at=clock.now(), pieces=pieces, versions=wanted)
        actions.publish_now(post=written, by=alba, at=clock.now())
        until(lambda: Letter.objects.filter(delivery__state="sent").count() == len(READERS) + 1)
        return f"{len(READERS) + 1} letters in {time.monotonic() - began:.1f} s"

    def each_once() -> None:
        ends = time.monotonic() + SECONDS
        while len(letters := arrived(post)) < len(READERS):
            assert time.monotonic() < ends, len(letters)
            time.sleep(0.5)
        assert sorted(letter["To"] for letter in letters) == sorted(READERS)

    def as_written() -> None:
        letter = arrived(post)[0]
        text, html = (letter.get_body((form,)).get_content() for form in ("plain", "html"))
        [picture] = [part for part in letter.walk() if part.get_content_type() == "image/png"]
        assert (letter["Subject"], letter["From"]) == ("Roscones de reyes", f"Horno Candela <{COMPANY}>")
        assert all("¡con nata! ñ €" in said for said in (text, html))
        assert all("Calle del Molino" in said for said in (text, html))
        assert picture.get_content() == png()

    def left_with_one_press() -> None:
        letter = arrived(post)[0]
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        path = re.fullmatch(r"<https://desk\.horno\.example(/.+)>", letter["List-Unsubscribe"])[1]
        answer = Client().post(path, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code < 300
        assert Subscriber.objects.get(address=letter["To"]).state == "left"

    def came_back() -> None:
        cursor, ends = "", time.monotonic() + SECONDS
        while Subscriber.objects.get(address=GONE).state != "bounced":
            assert time.monotonic() < ends
            page = box.connector.fetch(box, cursor)
            inbound.intake(box, page.envelopes, at=clock.now())
            jobs.run_due(clock.now() + timedelta(minutes=1))
            cursor = page.cursor

    return {
        "people": {"a list is brought in": brought},
        "sent": {
            "to everybody on it": sent,
            "each reader has one letter": each_once,
            "both forms, the picture, who writes and from where": as_written,
        },
        "ended": {
            "by the press that mail programs offer (RFC 8058)": left_with_one_press,
            "because the address is no more": came_back,
        },
    }


def arrived(post: Post) -> list[EmailMessage]:
    """What lies in Diego's mailbox."""
    with post.mailbox(DIEGO) as box:
        box.select("INBOX", readonly=True)
        _, found = box.fetch("1:*", "(BODY.PEEK[])")
    return [message_from_bytes(part[1], policy=default) for part in found if isinstance(part, tuple)]
