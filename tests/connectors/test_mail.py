"""What is particular about mail: folders and their numbers, talks by what a mail answers, and sending into the dark."""

import json
import os
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from conftest import NOON
from fakes.mail import DIEGO, ME, PASSWORD, SIGNING, TARGET, TOKEN, TROL, Post, account, letter, running, settings_of
from tertulia.channels import models as channels
from tertulia.channels import tagging
from tertulia.channels.models import Account, Delivery, Message
from tertulia.connectors.contract import (
    BadPayload,
    Receipt,
    Reconnect,
    Refused,
    Retry,
    Target,
    Unknown,
    Unsupported,
)
from tertulia.connectors.mail import connector as module
from tertulia.connectors.mail import fetching, ids, oauth
from tertulia.connectors.mail.connector import MailBox
from tertulia.connectors.mail.imap import encoded
from tertulia.core.http import Answer, Door
from tertulia.flows import outbound, polling
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation

mail = MailBox(Door(total=1.5))


@pytest.fixture
def post():
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=10)
    with running(Post(start=start)) as post:
        yield post


def read(post, cursor="", *, of=None):
    """All that there is after the cursor, and the next one."""
    envelopes, unread = [], []
    while True:
        page = mail.fetch(of or account(post), cursor)
        envelopes += page.envelopes
        unread += page.unread
        cursor = page.cursor
        if not page.more:
            return envelopes, cursor, unread


def texts_of(envelopes):
    return [one.text for one in envelopes]


def sent(post):
    return post.posts[-1]["mail"]


def target(said):
    return Target(
        said.thread_id, said.remote_id, said.author.remote_id, said.hints, said.kind, said.subject, said.author.name
    )


# Reading.


def test_the_first_reading_takes_the_last_seven_days_and_two_hundred_mails_of_a_folder(post):
    post.start -= timedelta(days=9)
    post.write(DIEGO, "Hace mucho")
    post.start += timedelta(days=9)
    for number in range(250):
        post.write(DIEGO, f"Mensaje {number}")
    assert texts_of(read(post)[0]) == [f"Mensaje {number}" for number in range(50, 250)]


def test_nothing_in_the_mailbox_is_marked_or_changed_by_reading(post):
    post.write(DIEGO, "Hola")
    read(post)
    assert not {"IMAP SELECT", "IMAP STORE", "IMAP EXPUNGE"}.intersection(post.requests)


def test_with_nothing_new_no_folder_is_opened(post):
    cursor = read(post)[1]
    post.requests.clear()
    assert read(post, cursor) == ([], cursor, [])
    assert sum(asked == "IMAP STATUS" for asked in post.requests) == 2
    assert not {"IMAP EXAMINE", "IMAP SEARCH", "IMAP FETCH"}.intersection(post.requests)


def test_new_numbers_for_all_mails_lose_none_and_say_none_twice(post, brand):
    cursor = read(post)[1]
    first = post.write(DIEGO, "Uno")
    cursor = read(post, cursor)[1]
    post.write(DIEGO, "Dos")
    post.number_anew("INBOX")
    again = {one.remote_id: one.text for one in read(post, cursor)[0]}
    assert sorted(again.values()) == ["Dos", "Uno"]
    assert sum(first in id for id in again) == 1


def test_a_reading_that_is_cut_goes_on_after_the_last_whole_mail(post):
    cursor = read(post)[1]
    for number in range(5):
        post.write(DIEGO, f"Mensaje {number}")
    seen = []
    post.read_faults.extend(["cut_in_fetch"] * 4)
    for _each in range(8):
        page = mail.fetch(account(post), cursor)
        seen += texts_of(page.envelopes)
        cursor = page.cursor
    assert seen == [f"Mensaje {number}" for number in range(5)]


def test_a_mail_the_server_does_not_hand_out_is_set_aside_and_the_others_are_read(post):
    cursor = read(post)[1]
    for number in range(4):
        post.write(DIEGO, f"Mensaje {number}")
    post.withheld = {2}
    envelopes, cursor, unread = read(post, cursor)
    assert texts_of(envelopes) == ["Mensaje 0", "Mensaje 2", "Mensaje 3"]
    assert [one.raw["uid"] for one in unread] == [2]
    assert read(post, cursor)[0] == []


def test_a_mail_at_which_the_line_always_breaks_is_read_in_part_and_holds_up_nobody_for_ever(post):
    cursor = read(post)[1]
    post.write(DIEGO, "Enorme " * 50)
    post.write(DIEGO, "El siguiente")
    post.breaking = {1}
    seen = []
    for _each in range(fetching.WHOLE_TRIES + 2):
        page = mail.fetch(account(post), cursor)
        seen += page.envelopes
        cursor = page.cursor
    assert [one.text[:8] for one in seen] == ["Enorme E", "El sigui"]


def test_a_mail_that_is_too_large_is_read_in_part_and_says_so(post, monkeypatch):
    cursor = read(post)[1]
    monkeypatch.setattr(fetching, "LARGEST", 3_000_000)
    monkeypatch.setattr(fetching, "PART", "BODY.PEEK[]<0.1000>")
    post.write(DIEGO, "ñandú " * 1_000_000)
    post.write(DIEGO, "Otro")
    large, other = read(post, cursor)[0]
    assert large.text.startswith("[Este correo ocupa")
    assert "ñandú" in large.text
    assert (large.original, other.text) == (b"", "Otro")


def test_what_cannot_be_read_is_kept_as_it_came_and_the_next_is_read(post, monkeypatch):
    cursor = read(post)[1]
    post.deliver(b"\x00\x01")
    post.write(DIEGO, "Hola")
    envelopes, cursor, unread = read(post, cursor)
    assert (texts_of(envelopes), [one.raw for one in unread]) == (["Hola"], [b"\x00\x01"])
    assert read(post, cursor) == ([], cursor, [])


def test_a_mail_that_came_twice_is_one_and_another_text_of_the_same_name_is_two(post):
    cursor = read(post)[1]
    post.write(DIEGO, "Uno", id="same@x")
    post.write(DIEGO, "Uno", id="same@x")
    post.write(DIEGO, "Dos", id="same@x")
    ids_ = [one.remote_id for one in read(post, cursor)[0]]
    assert ids_[0] == ids_[1] != ids_[2]


def test_other_folders_are_read_when_they_are_named(post):
    post.folders["Pedidos &AOE-"] = type(post.folders["INBOX"])()
    one = account(post)
    one.settings["folders"] = ["Pedidos á", "No existe"]
    cursor = read(post, of=one)[1]
    post.write(DIEGO, "Hola")
    post.folders["Pedidos &AOE-"] = post.folders.pop("INBOX")
    post.folders["INBOX"] = type(post.folders["Enviados"])()
    assert texts_of(read(post, cursor, of=one)[0]) == ["Hola"]
    assert encoded("A&B ñ") == "A&-B &APE-"
    health = mail.check(one)
    assert (health.is_ok, health.says) == (False, "There is no folder of this name: No existe")


def test_the_time_is_the_senders_unless_it_cannot_be(post):
    cursor = read(post)[1]
    late = post.now - timedelta(hours=5)
    dates = [late, post.now + timedelta(days=400), post.now - timedelta(days=400)]
    for date in dates:
        said = f"Date: {date:%a, %d %b %Y %H:%M:%S} +0000"
        post.deliver(letter(f"From: {DIEGO}", f"Message-ID: <{date.year}{date.hour}@x>", said))
    assert [one.sent_at for one in read(post, cursor)[0]] == [late, post.now, post.now]


def test_the_sign_of_news_comes_at_once_and_the_line_is_not_held_for_ever(post, monkeypatch):
    stopped = threading.Event()
    signs = mail.listen(account(post), stopped.is_set)
    threading.Timer(0.2, lambda: post.write(DIEGO, "Hola")).start()
    began = time.monotonic()
    assert next(signs) is True
    assert time.monotonic() - began < 2
    stopped.set()
    assert list(signs) == []
    monkeypatch.setattr(module, "LISTEN_SECONDS", 0.3)
    assert list(mail.listen(account(post), lambda: False)) == [False]
    post.capabilities = "IMAP4rev1 AUTH=PLAIN"
    with pytest.raises(Unsupported, match="by itself"):
        next(mail.listen(account(post), lambda: False))


# Talks.


def test_a_talk_is_what_a_mail_answers_with_one_person(post):
    cursor = read(post)[1]
    first = post.write(DIEGO, "¿Abrís?")
    post.write(DIEGO, "¿Hola?", In_Reply_To=f"<{first}>", References=f"<{first}>")
    post.write(TROL, "Yo también", In_Reply_To=f"<{first}>", References=f"<{first}>")
    post.write(DIEGO, "Otra cosa", subject="Tarta")
    talks = [one.thread_id for one in read(post, cursor)[0]]
    assert talks[0] == talks[1]
    assert len(set(talks)) == 3


def test_what_names_only_the_last_mail_or_nothing_at_all_is_looked_for_in_the_mailbox(post):
    cursor = read(post)[1]
    first = post.write(DIEGO, "¿Abrís?", subject="El domingo «ñ»")
    second = post.write(DIEGO, "¿Hola?", References=f"<{first}>", In_Reply_To=f"<{first}>")
    post.write(DIEGO, "Tercero", In_Reply_To=f"<{second}>")
    post.write(DIEGO, "Cuarto", subject="RE: re: El domingo «ñ»")
    post.write(TROL, "Otro", subject="Re: El domingo «ñ»")
    talks = [one.thread_id for one in read(post, cursor)[0]]
    assert talks[0] == talks[1] == talks[2] == talks[3] != talks[4]


def test_an_answer_to_ours_belongs_to_its_talk_from_whatever_address_and_a_guessed_name_does_not(post):
    cursor = read(post)[1]
    id = mail.reply(account(post), TARGET, "El domingo no", "key-1").remote_id
    post.write("diego@otra.example", "¿Y el lunes?", In_Reply_To=f"<{id}>")
    key, talk, seal, *_ = id.replace("@", ".").split(".")
    forged = [id.replace(seal, "0" * 24), id.replace(talk, "f" * 20), id.replace(key, "key-2"), id.upper()]
    for name in forged:
        post.write(TROL, "Soy de la casa", In_Reply_To=f"<{name}>")
    genuine, *guessed = (one.thread_id for one in read(post, cursor)[0] if not one.is_ours)
    assert genuine == TARGET.thread_id
    assert TARGET.thread_id not in guessed


# Who.


def test_only_what_lies_in_the_sent_folder_is_ours(post):
    folder = post.folders.pop("Enviados")
    cursor = read(post)[1]
    post.folders["Enviados"] = folder  # made when the first mail was sent
    cursor = read(post, cursor)[1]
    post.write(ME, "Me hago pasar por la casa")
    elsewhere = letter(f"From: {ME}", f"To: Diego <{DIEGO}>", "Message-ID: <s1@horno.example>")
    post.deliver(elsewhere, folder="Enviados")
    post.deliver(letter(f"From: {ME}", f"To: {ME}", "Message-ID: <s2@horno.example>"), folder="Enviados")
    outside, ours = read(post, cursor)[0]
    assert (outside.is_ours, outside.is_automatic) == (False, True)
    assert (ours.is_ours, ours.person.remote_id, ours.remote_id) == (True, DIEGO, "s1@horno.example")


def test_a_form_on_the_own_page_is_its_writers(post):
    cursor = read(post)[1]
    post.write("noreply@horno.example", "Dos roscones", Reply_To="Marta <marta@correo.example>")
    said = read(post, cursor)[0][0]
    assert (said.author.remote_id, said.author.name, said.is_automatic) == ("marta@correo.example", "Marta", False)


@pytest.mark.parametrize(
    ("headers", "is_automatic"),
    [
        ({}, False),
        ({"Auto_Submitted": "no"}, False),
        ({"Auto_Submitted": "auto-replied"}, True),
        ({"Precedence": "bulk"}, True),
        ({"List_Id": "<news.otra.example>"}, True),
        ({"Precedence": "list", "List_Post": "<mailto:hola-equipo@horno.example>"}, False),
    ],
)
def test_nobody_waits_behind_a_machine(post, headers, is_automatic):
    cursor = read(post)[1]
    post.write(DIEGO, "Hola", **headers)
    assert read(post, cursor)[0][0].is_automatic is is_automatic


def test_a_mail_without_a_sender_is_shown_and_cannot_be_answered(post):
    cursor = read(post)[1]
    post.deliver(b"Message-ID: <x@x>\r\nSubject: Hola\r\n\r\nQuien sea")
    said = read(post, cursor)[0][0]
    assert (said.text, said.author.remote_id, dict(said.cannot)) == ("Quien sea", "?", {"reply": "nobody"})
    with pytest.raises(Refused):
        mail.reply(account(post), target(said), "Hola", "key")


def test_a_file_is_opened_out_of_the_original(post):
    cursor = read(post)[1]
    file = ["--x", 'Content-Disposition: attachment; filename="a.bin"', "", "\x01\x02ñ", "--x--"]
    body = "\r\n".join(["--x", "Content-Type: text/plain", "", "Va", *file])
    kind = "Content-Type: multipart/mixed; boundary=x"
    post.deliver(letter("From: d@x.example", "Message-ID: <f@x>", kind, body=body))
    said = read(post, cursor)[0][0]
    [file] = said.attachments
    assert mail.open_part(said.original, file["part"]) == "\x01\x02ñ".encode()
    with pytest.raises(BadPayload):
        mail.open_part(said.original, "9.9")


# Writing.


def test_an_answer_says_whom_and_what_it_answers_and_lands_in_the_sent_folder(post):
    cursor = read(post)[1]
    receipt = mail.reply(account(post), TARGET, "El domingo no.\n.\nEl lunes sí — ¡ven!", "key-9")
    said = sent(post)
    assert (said["From"], said["To"]) == (f"Horno Candela <{ME}>", f"Diego <{DIEGO}>")
    assert said["Subject"] == "Re: ¿Abrís el domingo?"
    assert said["In-Reply-To"] == "<m1@correo.example>"
    assert said["References"].split() == ["<m0@correo.example>", "<m1@correo.example>"]
    assert said["Message-ID"] == f"<{receipt.remote_id}>"
    assert said.get_content().splitlines() == ["El domingo no.", ".", "El lunes sí — ¡ven!"]
    assert "Auto-Submitted" not in said
    [echo] = read(post, cursor)[0]
    assert (echo.is_ours, echo.key, echo.thread_id, echo.remote_id) == (
        True, "key-9", TARGET.thread_id, receipt.remote_id,
    )  # fmt: skip


def test_a_server_that_gives_mails_other_names_is_seen_through(post):
    cursor = read(post)[1]
    receipt = mail.reply(account(post), TARGET, "Hola", "key-9")
    stored = post.folders["Enviados"].mails[1]
    stored.raw = stored.raw.replace(f"Message-ID: <{receipt.remote_id}>".encode(), b"Message-ID: <other@host>")
    assert mail.find(account(post), "key-9") == receipt
    assert read(post, cursor)[0][0].remote_id == receipt.remote_id


def test_a_server_that_keeps_copies_by_itself_gets_no_second(post, monkeypatch):
    monkeypatch.setattr(module, "KEEPS_COPIES", ("127.0.0.1",))
    mail.reply(account(post), TARGET, "Hola", "key-9")
    assert post.folders["Enviados"].mails == {}


def test_a_copy_that_cannot_be_kept_makes_no_doubt_of_what_was_sent(post):
    post.read_faults.append("503")
    assert isinstance(mail.reply(account(post), TARGET, "Hola", "key-9"), Receipt)
    post.marks_sent = False
    mail.reply(account(post), TARGET, "Hola", "key-10")
    assert len(post.posts) == 2
    assert len(post.folders["Enviados"].mails) == 1  # by its usual name


EVIL = "\r\nBcc: x@evil.example\r\n\u2028Bcc: y@evil.example\x00\x85"


@pytest.mark.parametrize("at", ["subject", "name", "sender", "message_id", "references"])
def test_nothing_that_strangers_wrote_becomes_a_header(post, at):
    one = account(post)
    hints = dict(TARGET.hints)
    if at == "sender":
        one.settings["sender"] = f"Horno{EVIL}"
    elif at in hints:
        hints[at] += EVIL
    facts = (
        {"subject": f"Hola{EVIL} =?utf-8?q?=0d=0aBcc:_z@evil.example?= %0d%0aBcc: w@evil.example"}
        if at == "subject"
        else {}
    )
    facts |= {"name": f"Diego{EVIL}"} if at == "name" else {}
    mail.reply(one, Target(TARGET.thread_id, TARGET.remote_id, DIEGO, hints, **facts), "Hola", "key-9")
    raw = post.posts[-1]["raw"]
    assert message_from_bytes(raw, policy=default)["Bcc"] is None
    assert not any(line.lower().startswith(b"bcc") for line in raw.replace(b"\r", b"\n").splitlines())
    assert post.posts[-1]["to"] == DIEGO


@pytest.mark.parametrize(
    "address",
    [
        "",
        "diego",
        "a@b\r\nRCPT TO:<x@evil.example>",
        "a@b>\x00",
        "a@b,c@d",
        "a b@c",
        "<a@b>",
        "a@b\u2028c",
        "x" * 250 + "@b.es",
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_said(post, address):
    with pytest.raises(Refused):
        mail.reply(account(post), Target(TARGET.thread_id, "m", address), "Hola", "key")
    assert post.requests == []


def test_letters_beyond_ascii_are_written_as_mail_servers_know_them(post):
    mail.reply(account(post), Target(TARGET.thread_id, "m", "ana@peña.example"), "Hola", "key")
    assert post.posts[-1]["to"] == "ana@xn--pea-8ma.example"
    with pytest.raises(Refused, match="such letters"):
        mail.reply(account(post), Target(TARGET.thread_id, "m", "peña@correo.example"), "Hola", "key")


@pytest.mark.parametrize(("fault", "outcome"), [("full", Refused), ("refused_mail", Refused), ("cut_before", Retry)])
def test_what_was_certainly_not_taken_is_known(post, fault, outcome):
    post.faults.append(fault)
    with pytest.raises(outcome):
        mail.reply(account(post), TARGET, "Hola", "key")
    assert post.posts == []


def test_after_silence_it_is_looked_for_and_a_copy_tells(post):
    post.faults.append("accept_then_cut")
    with pytest.raises(Unknown):
        mail.reply(account(post), TARGET, "Hola", "key-9")
    assert mail.find(account(post), "key-9") is None  # nobody kept a copy
    post.deliver(post.posts[0]["raw"], folder="Enviados")
    assert mail.find(account(post), "key-9").remote_id == sent(post)["Message-ID"].strip("<>")
    assert mail.find(account(post), "key-") is None


def test_the_same_key_gives_the_same_name_and_another_account_another(post):
    one, other = account(post), account(post)
    other.secrets["signing"] = "t" * 43
    assert ids.made(one, "key", "a" * 20) == ids.made(one, "key", "a" * 20) != ids.made(other, "key", "a" * 20)
    assert ids.recognised(other, ids.made(one, "key", "a" * 20)) is None


# Getting in.


def test_the_check_tries_both_servers_and_says_what_is_wrong(post):
    assert mail.check(account(post)).facts == {"sent": "Enviados", "tells_at_once": True}
    post.faults.append("401")
    with pytest.raises(Reconnect, match="doesn't let us send: 535") as refused:
        mail.check(account(post))
    assert PASSWORD not in refused.value.why
    wrong = account(post)
    wrong.secrets["password"] = "otra"
    with pytest.raises(Reconnect, match="user and password"):
        mail.check(wrong)
    del post.folders["Enviados"]
    assert mail.check(account(post)).says.startswith("No folder for sent mail")


@pytest.mark.parametrize(
    ("fault", "outcome"), [("429", Retry), ("401", Reconnect), ("html_502", Retry), ("cut_before", Retry)]
)
def test_what_a_mailbox_says_at_its_door_is_told_apart(post, fault, outcome):
    post.read_faults.append(fault)
    with pytest.raises(outcome):
        read(post)


def test_no_password_is_said_in_the_clear_to_another_machine(post):
    one = account(post)
    one.settings |= {"imap_server": "mail.horno.example", "smtp_server": "mail.horno.example"}
    for call in (lambda: read(post, of=one), lambda: mail.reply(one, TARGET, "Hola", "key")):
        with pytest.raises(Refused, match="Without encryption"):
            call()


@pytest.mark.parametrize(
    ("settings", "reads", "sends"),
    [
        ({"address": "a@gmail.com"}, ("imap.gmail.com", 993, "tls"), ("smtp.gmail.com", 465, "tls")),
        (
            {"address": "a@b.es", "access": "microsoft"},
            ("outlook.office365.com", 993, "tls"), ("smtp.office365.com", 587, "starttls"),
        ),
        (
            {"address": "a@b.es", "imap_server": "m.b.es:143", "smtp_server": "m.b.es:2525"},
            ("m.b.es", 143, "starttls"), ("m.b.es", 2525, "tls"),
        ),
        ({"address": "a@b.es"}, None, None),
        ({"address": "a@b.es", "imap_server": "m.b.es:x", "smtp_server": ":1"}, None, None),
    ],
)  # fmt: skip
def test_the_servers_are_those_given_or_those_everybody_knows(settings, reads, sends):
    one = account(Post(url="smtp://x:1"))
    one.settings = settings
    for server_of, expected in ((module.imap_of, reads), (module.smtp_of, sends)):
        if expected is None:
            with pytest.raises(Refused):
                server_of(one)
        else:
            found = server_of(one)
            assert (found.host, found.port, found.encryption) == expected


class Provider:
    """What stands at Google's or Microsoft's address for tokens."""

    def __init__(self, status=200, **said):
        self.status, self.said, self.asked = status, said, []

    def request(self, method, url, *, data):
        self.asked.append((url, data))
        return Answer(self.status, {}, json.dumps(self.said).encode())


def with_google(post):
    one = account(post)
    one.settings |= {"access": "google", "client_id": "app"}
    one.secrets = {"signing": SIGNING, "client_secret": "shh", "refresh": "r1"}
    return one


def test_access_is_asked_for_on_the_providers_own_page_and_renewed(post):
    one = with_google(post)
    consent = mail.begin_consent(one, "https://desk.example/back", "st")
    assert consent.url.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    assert "code_challenge=" in consent.url
    provider = Provider(access_token=TOKEN, refresh_token="r2", expires_in=3599, scope="https://mail.google.com/")
    granted = MailBox(provider).finish_consent(one, "https://desk.example/back", consent.kept, "code")
    assert granted.secrets == {"token": TOKEN, "refresh": "r2"}
    assert timedelta(minutes=59) < granted.expires_at - datetime.now(UTC) < timedelta(hours=1)
    assert MailBox(Provider(access_token=TOKEN)).renew(one).secrets == {"token": TOKEN, "refresh": ""}
    with pytest.raises(Reconnect):
        MailBox(Provider(access_token=TOKEN)).finish_consent(one, "https://desk.example/back", consent.kept, "code")
    with pytest.raises(Reconnect):
        MailBox(Provider(400, error="invalid_grant")).renew(one)
    with pytest.raises(Retry):
        MailBox(Provider(503)).renew(one)
    with pytest.raises(Unsupported):
        mail.begin_consent(account(post), "https://desk.example/back", "st")
    one.settings |= {"access": "microsoft", "tenant": "horno.example"}
    assert "microsoftonline.com/horno.example/" in oauth.begin(one, "https://desk.example/back", "st").url


def test_a_token_opens_both_servers_and_one_that_has_ended_asks_for_another(post):
    one = with_google(post)
    with pytest.raises(Reconnect, match="Nobody has given access"):
        read(post, of=one)
    one.secrets["token"] = "old"
    with pytest.raises(Reconnect, match="no longer takes"):
        read(post, of=one)
    with pytest.raises(Reconnect, match="doesn't let us send: 535"):
        mail.reply(one, TARGET, "Hola", "key")
    one.secrets["token"] = TOKEN
    mail.reply(one, TARGET, "Hola", "key")
    assert texts_of(read(post, of=one)[0]) == ["Hola"]


# Counting.


def test_a_stretch_of_time_read_again_gives_all_that_was_written_then(post):
    for number in range(250):
        post.write(DIEGO, f"Mensaje {number}")
    mail.reply(account(post), TARGET, "Nuestra", "key")
    since, until = post.start + timedelta(seconds=51), post.start + timedelta(seconds=201)
    texts, cursor = [], ""
    while True:
        page = mail.reread(account(post), since, until, cursor)
        texts += texts_of(page.envelopes)
        cursor = page.cursor
        if not page.more:
            break
    assert texts == [f"Mensaje {number}" for number in range(50, 200)]


# Through the whole product.


@pytest.fixture
def stored(post, brand, monkeypatch) -> Account:
    monkeypatch.setattr(channels, "http", Door(total=1.5))
    return Account.objects.create(
        brand=brand, kind="mail", name="Correo", created_at=NOON, next_poll_at=NOON,
        settings=settings_of(post), secrets={"password": PASSWORD, "signing": SIGNING},
    )  # fmt: skip


@pytest.mark.django_db
def test_an_answer_that_comes_back_is_shown_as_such_and_its_person_waits_again(post, stored, alba):
    polling.run_due(NOON)
    post.write(DIEGO, "¿Abrís el domingo?", subject="Domingo")
    polling.run_due(NOON + timedelta(hours=1))
    conversation = Conversation.objects.get()
    assert conversation.waiting_since
    at = NOON + timedelta(hours=1)
    actions.reply(conversation=conversation, text="El domingo no", by=alba, turn=conversation.turn, at=at)
    outbound.run_due(at + timedelta(minutes=1))
    id = sent(post)["Message-ID"]
    polling.run_due(at + timedelta(hours=1))
    conversation.refresh_from_db()
    assert conversation.waiting_since is None
    report = [
        "--y", "", "No", "--y", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; x", "",
        f"Final-Recipient: rfc822; {DIEGO}", "Action: failed", "Status: 5.2.2",
        "Diagnostic-Code: smtp; 552 5.2.2 Mailbox full", "--y", "Content-Type: text/rfc822-headers", "",
        f"Message-ID: {id}", "", "--y--",
    ]  # fmt: skip
    kind = "Content-Type: multipart/report; report-type=delivery-status; boundary=y"
    post.deliver(letter("Return-Path: <>", "From: MAILER-DAEMON@x", kind, body="\r\n".join(report)))
    polling.run_due(at + timedelta(hours=2))
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.why) == ("refused", "552 5.2.2 Mailbox full")
    conversation = Conversation.objects.get()
    assert (conversation.has_trouble, bool(conversation.waiting_since)) == (True, True)


@pytest.mark.django_db
def test_a_talk_that_we_began_elsewhere_is_with_whom_we_wrote_to(post, stored):
    polling.run_due(NOON)
    post.deliver(
        f"From: {ME}\r\nTo: {DIEGO}\r\nMessage-ID: <s1@horno.example>\r\nSubject: Su pedido\r\n\r\nYa está".encode(),
        folder="Enviados",
    )
    polling.run_due(NOON + timedelta(hours=1))
    conversation = Conversation.objects.get()
    assert (conversation.member.email, conversation.waiting_since) == (DIEGO, None)
    post.write(f"Diego <{DIEGO}>", "Voy", In_Reply_To="<s1@horno.example>", References="<s1@horno.example>")
    polling.run_due(NOON + timedelta(hours=2))
    conversation = Conversation.objects.get()
    assert (conversation.member_name, bool(conversation.waiting_since)) == ("Diego", True)


@pytest.mark.django_db
def test_what_is_forwarded_to_the_tag_of_a_platform_is_noted_there(post, stored):
    tiktok = Account.objects.create(brand=stored.brand, kind="manual", name="TikTok", settings={}, created_at=NOON)
    [address] = tagging.addresses(tiktok)
    polling.run_due(NOON)
    forwarded = "---------- Forwarded message ---------\nDe: Marina <marina@correo.example>\n\n¿Lleva almendra?"
    post.write("ana@horno.example", forwarded, to=address, subject="Fwd: Alérgenos")
    polling.run_due(NOON + timedelta(hours=1))
    message = Message.objects.get(account=tiktok)
    assert (message.author_name, message.text) == ("Marina", "¿Lleva almendra?")
    assert Conversation.objects.get().account == tiktok


def scenario(post: Post, stored: Account, count: int) -> dict[str, str]:
    """People write in bursts, the same mail comes up to three times, the line breaks, the server renumbers its mails,
    the news of mail are lost, and for days nobody reads. Gives the true list: the text of each by its name."""
    rng = random.Random(count)
    hour, truth = 0, {}

    def look() -> None:
        nonlocal hour
        hour += 1
        polling.run_due(NOON + timedelta(hours=hour))

    look()
    people = [f"p{number}@correo.example" for number in range(16)]
    first: dict[str, str] = {}
    while len(truth) < count:
        for _each in range(min(rng.choice([1, 7, 49, 99, 100, 101, count // 4]), count - len(truth))):
            person, text = rng.choice(people), f"N.º {len(truth)}"
            names = {"References": f"<{first[person]}>"} if person in first else {}
            id = post.write(person, text, **names)
            first.setdefault(person, id)
            truth[id] = text
            for _copy in range(rng.choice([0, 0, 0, 2])):
                post.deliver(post.folders["INBOX"].mails[post.folders["INBOX"].next_uid - 1].raw)
        if rng.random() < 0.05:
            post.number_anew("INBOX")
        if rng.random() < 0.7:  # else the sign of news was lost, or nobody was there to hear it
            post.read_faults.extend(rng.choices(["", "", "429", "500", "cut_before", "cut_in_fetch", "html_502"], k=6))
            for _copy in range(rng.choice([1, 3])):
                look()
        else:
            post.start += timedelta(minutes=3)
    post.read_faults.clear()
    for _each in range(200):
        look()
        if Message.objects.filter(account=stored).count() >= len(truth):
            look()
            return truth
    raise AssertionError("It never came to the end.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "count",
    [
        2_000,
        pytest.param(
            20_000, marks=pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1")
        ),
    ],
)
def test_over_a_bad_line_every_mail_is_shown_once(post, stored, count):
    truth = scenario(post, stored, count)
    rows = Message.objects.filter(account=stored)
    assert sorted(rows.values_list("text", flat=True)) == sorted(truth.values())
    assert {id.partition("#")[0] for id in rows.values_list("remote_id", flat=True)} == set(truth)
    assert Conversation.objects.count() == 16
