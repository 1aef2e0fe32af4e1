"""Forty marks of one person, planted through the doors they come in by: a copy of her data holds all, erasing leaves
none in the whole database nor in the data folder, and what others wrote stays as it was."""

from __future__ import annotations

import base64
import email
import io
import json
import logging
import zipfile
import zlib
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from conftest import NOON, envelope
from tertulia.api.models import Event, KeptAnswer
from tertulia.channels.models import Account, Erased, Message, Quarantine
from tertulia.community import actions as community
from tertulia.community import models as people
from tertulia.community import requests
from tertulia.community.models import Consent, Erasure, Export, Member
from tertulia.connectors.contract import About, Author, Inbound
from tertulia.core import clock, jobs, logs, personal
from tertulia.core.models import Activity
from tertulia.flows import inbound, phone
from tertulia.flows import personal as flow
from tertulia.inbox import actions, joining
from tertulia.inbox.models import Conversation
from tertulia.publishing import actions as publishing
from tertulia.publishing import conversions, mailing
from tertulia.publishing.models import Subscriber
from tertulia.publishing.saying import Piece
from tertulia.team import mail
from tertulia.understanding import lessons
from tertulia.understanding.models import Brain, BrainCall, Correction, MessageReading, Translation
from world import World

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]

MARKS = [f"quetzal{number:02}" for number in range(1, 41)]
FIRST, SECOND, THIRD, ORDERS = (f"ana.{MARKS[number]}@correo.example" for number in (0, 1, 2, 37))
NAME = f"Ana {MARKS[3].capitalize()}"
HANDLE = f"@ana_{MARKS[4]}"
LATER = NOON + timedelta(days=1)

ATTACHED = base64.b64encode(f"concepto;{MARKS[10]}\n".encode() * 9).decode()
MAIL = f"""From: {NAME} <{FIRST}>\r
To: hola@horno.example\r
Subject: Pedido {MARKS[5]}\r
Message-ID: <{MARKS[6]}@correo.example>\r
Date: Mon, 23 Nov 2026 11:00:00 +0000\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="B"\r
\r
--B\r
Content-Type: text/plain; charset=utf-8\r
\r
Me llamo Ana, ¿tenéis {MARKS[7]} para el sábado?\r
\r
El lun, 23 nov 2026 a las 10:00, Horno (<hola@horno.example>) escribió:\r
> {MARKS[8]}\r
--B\r
Content-Type: text/csv; name="{MARKS[9]}.csv"\r
Content-Disposition: attachment; filename="{MARKS[9]}.csv"\r
Content-Transfer-Encoding: base64\r
\r
{ATTACHED}\r
--B--\r
"""


@pytest.fixture
def planted(brand, alba, monkeypatch, caplog):
    """All the marks, and beside them a whole world of somebody else's; what is logged meanwhile holds none of them."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="tertulia")  # whatever the installation is told to log
    monkeypatch.setattr(clock, "now", lambda: LATER)
    world = World(brand, alba, name="otra")
    ana = plant(brand, alba, world)
    jobs.run_due(LATER)
    return ana, world


def plant(brand, alba, world) -> Member:
    box = Account.objects.get(brand=brand, kind="mail")
    said = box.connector.read_original(box, MAIL.encode())
    inbound.intake(box, [replace(said, raw={"uid": MARKS[11]})], at=NOON)
    by_mail = Conversation.objects.get(account=box)

    # A comment on a network: edited twice, deleted at last; with what it stands under.
    board = Account.objects.create(brand=brand, kind="manual", name="Instagram", created_at=NOON)
    who = Author(remote_id=HANDLE, name=NAME, handle=HANDLE, email=SECOND)
    first = envelope(
        f"Vaya {MARKS[12]}", remote_id="c1", thread="c1", author=who, kind="comment",
        url=f"https://red.example/{MARKS[13]}", about=About("p1", title=MARKS[14], text=f"Foto {MARKS[15]}"),
    )  # fmt: skip
    again = replace(first, verb="edited", text=f"Vaya {MARKS[16]}", changed_at=NOON + timedelta(minutes=2))
    inbound.intake(board, [first, again], at=NOON)
    gone = envelope(f"Borrado {MARKS[17]}", remote_id="c2", thread="c1", author=who, kind="comment", minutes=3)
    inbound.intake(board, [gone, replace(gone, verb="deleted", changed_at=NOON + timedelta(minutes=4))], at=NOON)

    # The site's chat, with HTML and a raw payload; a call written down.
    visitor = Author(remote_id=f"visitor-{MARKS[18]}", name=NAME, email=THIRD)
    chat = envelope(f"Hola {MARKS[19]}", remote_id="s1", thread="s1", author=visitor, html=f"<p>{MARKS[20]}</p>",
                    raw={"from": {"ip": MARKS[21]}})  # fmt: skip
    inbound.intake(world.site, [chat], at=NOON)
    buyer = Author(remote_id=f"visitor-{MARKS[37]}", name=NAME, email=ORDERS)
    inbound.intake(world.site, [envelope("¿Llega mi pedido?", remote_id="s2", thread="s2", author=buyer)], at=NOON)
    aloud = Account.objects.create(brand=brand, kind="phone", name="Teléfono", created_at=NOON)
    called = phone.note_call(
        brand=brand, account=aloud, by=alba, at=LATER, kind="call", direction="in", name=NAME, phone="600 111 222",
        email="", member=None, text=f"Quiere {MARKS[22]}", happened_at=NOON,
    )  # fmt: skip

    # One person, of four records.
    ana = by_mail.member
    chats = Conversation.objects.filter(thread_id__in=["s1", "s2"]).order_by("pk")
    for other in [Conversation.objects.get(account=board), *chats, called]:
        joining.join(kept=ana, other=Member.objects.get(pk=other.member_id), by=alba, at=NOON)
    ana.refresh_from_db()
    ana.about = f"Viene los sábados, {MARKS[23]}"
    community.change_member(member=ana, by=alba, at=NOON)
    community.note_consent(
        member=ana, purpose="Sorteo", wording=f"Acepto {MARKS[24]}", source=Consent.Source.PAPER, given_at=NOON,
        by=alba, at=NOON,
    )  # fmt: skip

    praise = people.Testimonial(
        brand=brand, member=ana, said_by=NAME, text=f"El pan de Candela {MARKS[23]} es el mejor", said_on=NOON.date(),
        source=f"https://resenas.example/{MARKS[24]}", created_by_id=alba.pk, created_at=NOON,
    )  # fmt: skip
    community.keep_testimonial(testimonial=praise, by=alba, at=NOON)
    community.settle_consent(
        testimonial=praise, consent="given", on=NOON.date(), wording=f"Sí, {MARKS[24]}", until=None, by=alba, at=NOON
    )
    publishing.create(brand=brand, by=alba, at=NOON, pieces=[Piece(f"Nos dicen: «{praise.text}»")])

    for whose, about in ((ana, f"Pide {MARKS[24]}"), (None, f"Llamó {NAME}, de {SECOND}")):
        requests.note(brand=brand, kind="access", about=about, known_at=NOON, member=whose, by=alba, at=NOON)

    # What the team wrote: an answer, a draft, notes here and elsewhere, an act with its reason.
    actions.reply(conversation=by_mail, text=f"Claro, {MARKS[25]}", by=alba, turn=1, at=NOON)
    actions.save_draft(conversation=by_mail, user=alba, text=f"Y además {MARKS[26]}", at=NOON)
    actions.add_note(conversation=by_mail, text=f"Ojo: {MARKS[27]}", by=alba, at=NOON)
    actions.add_note(conversation=world.other, text=f"Lo mismo que {SECOND}", by=alba, at=NOON)
    Activity.objects.create(
        brand_id=brand.pk, type="message.acted", on_kind="inbox.conversation", on_id=by_mail.pk, at=NOON,
        data={"act": "hide", "reason": f"Insulta a {MARKS[28]}"},
    )  # fmt: skip

    # What was understood, corrected, learnt and asked of another model.
    wrote = Message.objects.get(account=box, direction="in")
    jobs.run_due(LATER)
    MessageReading.objects.filter(message=wrote).update(questions=[f"¿Y {MARKS[29]}?"], why={"kind": [MARKS[30]]})
    lines = [
        {"text": wrote.text, "field": "kind", "value": "purchase"},
        {"text": FIRST, "field": "kind", "value": "other"},
    ]
    lessons.import_lines(
        brand=brand, content="\n".join(map(json.dumps, lines)).encode(), name="b.jsonl", by=alba.pk, at=NOON
    )
    BrainCall.objects.create(brain=Brain.objects.get(brand=brand), at=NOON, messages=[wrote.pk], sent=f"¿{MARKS[31]}?")
    Translation.objects.create(
        message=wrote, brand=brand, language="en", text=f"Write to {SECOND}", model="big", by_id=alba.pk, at=NOON
    )

    # Other programs, background work, what could not be read.
    [line, *_] = Activity.objects.filter(on_kind="inbox.conversation", on_id=by_mail.pk)
    Event.objects.create(
        webhook=world.webhook, activity_id=line.pk,
        body=json.dumps({"facts": MARKS[32]}), created_at=NOON, due_at=NOON,
    )  # fmt: skip
    KeptAnswer.objects.create(token=world.token, key="k", body={"email": SECOND, "text": MARKS[33]}, at=NOON)
    jobs.enqueue(
        mail.send,
        to="bruno@horno.example",
        subject="Te esperan",
        text=f"{NAME} espera: {MARKS[34]} https://t.example/b/{brand.slug}/inbox/1/",
    )
    inbound.quarantine(
        world.site, Inbound({"x-who": MARKS[35]}, {}, f'{{"of": "{THIRD}", "say": "{MARKS[36]}'.encode(), NOON), why="?"
    )
    conversions.record(
        brand=brand, order=conversions.Order(ORDERS, 100, "EUR", NOON),
        kind=conversions.Kind.API, by=alba, at=NOON,
    )  # fmt: skip
    mailing.bring(list=world.list, content=f"Email\n{FIRST}".encode(), basis=f"Feria {MARKS[38]}", by=alba, at=NOON)
    community.restrict(member=ana, because=f"Lo pide {MARKS[39]}", by=alba, at=NOON)
    return ana


def test_a_copy_holds_forty_of_forty_and_erasing_leaves_none(planted, brand, alba, caplog, record_property):
    ana, world = planted
    record_property("tried", len(MARKS))
    export = flow.ask_export(member=ana, by=alba, at=LATER)
    jobs.run_due(LATER)
    copy = in_the_copy(flow.take_along(export=export, by=alba, at=LATER))
    assert [mark for mark in MARKS if mark not in copy] == []

    before = other_people(ana)
    flow.ask_erasure(member=ana, why="Lo pide por escrito", by=alba, at=LATER)
    jobs.run_due(LATER)

    assert Erasure.objects.get(member=ana).done_at == LATER
    whole = everything()
    left = [mark for mark in MARKS if mark in whole or mark.encode() in in_files()]
    record_property("leaked", len(left))
    assert left == []
    assert other_people(ana) == before
    assert not Export.objects.filter(member=ana).exists()
    assert in_the_log(caplog) == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL quotes the row that it refuses")
def test_a_message_that_the_database_refuses_is_not_quoted_in_the_log(brand, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="tertulia")  # whatever the installation is told to log
    board = Account.objects.create(brand=brand, kind="manual", name="Instagram", created_at=NOON)
    who = Author(remote_id=HANDLE, name=NAME, handle=HANDLE, email=SECOND)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tertulia_channels_message ADD CONSTRAINT refuses CHECK (text = '') NOT VALID")
        try:
            inbound.take_in(board, [envelope(f"Vaya {MARKS[12]}", remote_id=MARKS[6], author=who)], at=NOON)
        finally:
            cursor.execute("ALTER TABLE tertulia_channels_message DROP CONSTRAINT refuses")
    assert "is set aside" in caplog.text
    assert in_the_log(caplog) == []


def test_reading_the_channel_again_brings_nothing_back_but_what_she_writes_anew(planted, brand, alba, record_property):
    ana, world = planted
    record_property("tried", len(MARKS))
    flow.ask_erasure(member=ana, why="", by=alba, at=LATER)
    jobs.run_due(LATER)
    Erased.objects.update(kept_out=0)
    box = Account.objects.get(brand=brand, kind="mail")
    said = box.connector.read_original(box, MAIL.encode())
    edited = replace(said, verb="edited", text=f"Otra vez {MARKS[7]}", changed_at=LATER + timedelta(days=2))
    older = replace(said, remote_id="<older@correo.example>", thread_id="older", sent_at=NOON - timedelta(days=3))
    inbound.take_in(box, [said, edited, older], at=LATER + timedelta(days=2))

    jobs.run_due(LATER + timedelta(days=2))
    whole = everything()
    assert [mark for mark in MARKS if mark in whole] == []
    assert sum(Erased.objects.values_list("kept_out", flat=True)) == 3
    anew = replace(said, remote_id="<new@correo.example>", thread_id="new", sent_at=LATER + timedelta(days=1))
    inbound.take_in(box, [anew], at=LATER + timedelta(days=2))
    assert Message.objects.get(remote_id="<new@correo.example>").identity.email == FIRST


def test_every_table_says_what_it_holds_of_people(record_property):
    record_property("tried", 0)  # it plants nothing
    assert [
        model._meta.label for model in apps.get_models(include_auto_created=True) if not personal.declared.knows(model)
    ] == []


def in_the_copy(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as parcel:
        assert {"data.json", "index.html"} <= set(parcel.namelist())
        return " ".join(
            [*parcel.namelist(), *(parcel.read(name).decode(errors="replace") for name in parcel.namelist())]
        ).lower()


def everything() -> str:
    """The whole database as text: every column of every table, bytes as they are, and the words of the index."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("message_search") and connection.vendor == "sqlite":
                continue  # contentless: its words are read below
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [_as_text(value) for row in cursor.fetchall() for value in row]
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE VIRTUAL TABLE IF NOT EXISTS temp.all_words USING fts5vocab('main', 'message_search', 'row')"
            )
            cursor.execute("SELECT term FROM temp.all_words")
            found += [term for (term,) in cursor.fetchall()]
    return "\n".join(found).lower()


def _as_text(value) -> str:
    if not isinstance(value, bytes | memoryview):
        return str(value)
    content = bytes(value)
    with suppress(zlib.error):
        content = zlib.decompress(content)
    parts = [each.get_payload(decode=True) or b"" for each in email.message_from_bytes(content).walk()]
    return b"\n".join([content, *parts]).decode(errors="replace")


def in_the_log(caplog) -> list[str]:
    """The marks in what was logged, as it stands in the file."""
    records = [*caplog.get_records("setup"), *caplog.records]
    text = "\n".join(map(logs.Line().format, records)).lower()
    return [mark for mark in MARKS if mark in text]


def in_files() -> bytes:
    """The data folder and, on SQLite, the file of the database with its log, page by page."""
    folder = Path(settings.HOME)
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()).lower()


def other_people(ana: Member) -> list[object]:
    """What others said and what the team noted of them."""
    others = Conversation.objects.exclude(member=ana)
    messages = Message.objects.filter(thread_id__in=others.values("thread_id"))
    return [
        sorted(messages.values_list("pk", "remote_id", "text", "author_name", "raw")),
        sorted(others.values_list("pk", "member_name", "subject", "preview", "state")),
        sorted(Member.objects.exclude(pk=ana.pk).values_list("pk", "name", "email")),
        sorted(Correction.objects.values_list("pk", "field")),
        sorted(Quarantine.objects.filter(digest="otra").values_list("pk")),
        sorted(Subscriber.objects.exclude(address="").exclude(address=FIRST).values_list("pk", "address")),
    ]
