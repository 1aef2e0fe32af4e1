"""What a mail says: their own words apart from what they quote, files, notices, and strangers' bytes."""

import base64
import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.connectors.mail import reading
from tertulia.connectors.mail.pages import lines_of
from tertulia.connectors.mail.quotes import split_html, split_text
from tertulia.connectors.mail.reading import open_part, read
from tertulia.core import sandbox
from tertulia.core.outcomes import BadPayload

MAILS = Path(__file__).parent.parent / "mails"
SETS = {
    folder.name: json.loads((folder / "own.json").read_text()) for folder in sorted(MAILS.iterdir()) if folder.is_dir()
}
ALL = [(folder, name) for folder, names in SETS.items() for name in names]


def raw(folder, name):
    return (MAILS / folder / f"{name}.eml").read_bytes()


def words(text):
    return text.split()


def shown_by(html):
    """Its words; a sign that only begins a list's item is no word."""
    return [word for line in lines_of(html) for word in words(line.text) if word != "-"]


def mail(body=b"Hola", *heads):
    return b"\r\n".join([b"From: Ana <ana@x.example>", b"Message-ID: <1@x>", *heads, b"", body])


def multipart(kind, *parts, heads=()):
    inside = b"".join(b"--B\r\n" + part + b"\r\n" for part in parts)
    return mail(inside + b"--B--\r\n", b"Content-Type: multipart/" + kind + b'; boundary="B"', *heads)


def part(kind, body, *heads):
    return b"\r\n".join([b"Content-Type: " + kind, *heads, b"", body])


# What they wrote, and what they quote.


@pytest.mark.parametrize(("folder", "name"), ALL)
def test_own_words_are_told_from_the_quoted(folder, name):
    said = read(raw(folder, name))
    assert words(said["text"]) == words(SETS[folder][name])


@pytest.mark.parametrize(("folder", "name"), ALL)
def test_the_html_says_what_the_text_says(folder, name):
    said = read(raw(folder, name))
    if said["html"]:
        assert shown_by(said["html"]) == [word for word in words(said["text"]) if word != "-"]


PIECES = [
    "Hola, ¿cuándo llega?", "La 42.", "", "> ¿Qué talla?", "> > antes", "-- ", "Ana", "De: Madrid", "Para: Barcelona",
    "Fecha: 3 de mayo", "De: Ana <ana@x.example>", "Enviado el: lunes, 3 de noviembre de 2025 10:00",
    "Asunto: RE: Talla",
    "El lun, 3 nov 2025 a las 10:00, Ana (<ana@x.example>)", "escribió:",
    "On 3 Nov 2025, at 10:00, Ana <a@x.example> wrote:",
    "-----Mensaje original-----", "________________________________", "Inicio del mensaje reenviado:", "Me escribió:",
    "Te respondo debajo en rojo", "Enviado desde mi iPhone",
]  # fmt: skip
OPENINGS = [
    "<div>", "<p>", "<blockquote>", '<blockquote type="cite">', '<div class="gmail_quote">', '<div class="gmail_attr">',
    '<blockquote class="gmail_quote">', '<div id="divRplyFwdMsg">', '<div class="yahoo_quoted">', "</div>", "</p>",
    "</blockquote>", "<br>", "<table><tr><td>", "</table>", "<b>", "</b>", "<pre>", "</pre>", "<li>", "<!-- x -->",
    '<div class="moz-cite-prefix">', "<hr>",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25))
@settings(max_examples=500, deadline=None)
def test_no_line_of_a_text_is_lost(lines):
    text = "\n".join(lines)
    split = split_text(text)
    assert sorted(words(f"{split.text}\n{split.quoted}")) == sorted(words(text))


@given(st.lists(st.sampled_from(PIECES + OPENINGS), max_size=40))
@settings(max_examples=1_000, deadline=None)
def test_no_word_of_a_page_is_lost(pieces):
    html = "\n".join(
        piece if piece in OPENINGS else piece.replace("<", "&lt;").replace(">", "&gt;") for piece in pieces
    )
    split = split_html(html)
    own, quoted = ([word for word in words(side) if word != "-"] for side in (split.text, split.quoted))
    assert sorted(own + quoted) == sorted(shown_by(html))
    assert shown_by(split.html) == own


def test_a_first_mail_is_quoted_nothing():
    said = read(mail(b"Hola.\r\n\r\nEl pedido 4471 no ha llegado.\r\nAdi\xc3\xb3s"))
    assert (said["text"], said["quoted"], said["html"]) == ("Hola.\n\nEl pedido 4471 no ha llegado.\nAdiós", "", "")


def test_flowed_text_is_whole_paragraphs_again():
    flowed = mail(b"Una frase \r\nlarga.\r\n-- \r\nAna", b"Content-Type: text/plain; format=flowed")
    assert read(flowed)["text"] == "Una frase larga.\n-- \nAna"
    glued = mail(b"Donau \r\ndampf\r\n", b"Content-Type: text/plain; format=flowed; delsp=yes")
    assert read(glued)["text"] == "Donaudampf"


# Headers, charsets, identity.


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        (b"=?utf-8?q?Devoluci=C3=B3n?= =?utf-8?B?IHVyZ2VudGU=?=", "Devolución urgente"),
        (b"=?utf-8?B?RGV2b2x1Y2k=?= =?utf-8?B?w7Nu?=", "Devolución"),
        (b"=?utf-8?Q?Devoluci=C3?=\r\n =?utf-8?Q?=B3n?=", "Devolución"),
        (b"=?x-unknown?Q?Devoluci=F3n?=", "Devolución"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"Devoluci\xc3\xb3n", "Devolución"),
        (b"Devoluci\xf3n", "Devolución"),
        (b"a\x00b\x07c =?utf-8?Q?d=0D=0ABcc:_x@evil.example?=", "abc d Bcc: x@evil.example"),
        (b"=?utf-8?Q?broken", "=?utf-8?Q?broken"),
    ],
)
def test_subjects_as_programs_write_them(written, subject):
    assert read(mail(b"Hola", b"Subject: " + written))["subject"] == subject


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        (b"x-unknown", "Año".encode(), "Año"),
        (b"x-unknown", "Año".encode("latin-1"), "Año"),
        (b"us-ascii", "Año".encode(), "Año"),
        (b"us-ascii", "Año".encode("latin-1"), "Año"),
        (b"iso-8859-1", "Año 5 €".encode("cp1252"), "Año 5 €"),
        (b"iso-8859-1", "Año".encode(), "Año"),
        (b"utf-8", "Año de nieves".encode("latin-1"), "Año de nieves"),
        (b"utf-8", "Año, ñ, é, ú, í, ó".encode() + b" \xf1", "Año, ñ, é, ú, í, ó \ufffd"),
        (b"utf-7", b"A+APE-o", "Año"),
        (b"utf-16", "Año".encode("utf-16"), "Año"),
        (b"iso-2022-jp", "日本".encode("iso-2022-jp"), "日本"),
        (b"gb2312", "中国".encode("gbk"), "中国"),
        (b"rot13", b"Hola", "Hola"),
        (b"punycode", b"Ao-hda", "Ao-hda"),
        (b"unicode_escape", b"A\\u0041", "A\\u0041"),
        (b"\x00", "Año".encode("latin-1"), "Año"),
        (b"utf-8", b"a\x00b\x1b[31mc\xc2\x85", "ab[31mc"),
        (b"", "Año".encode("latin-1"), "Año"),
    ],
)
def test_charsets_as_they_are_and_as_they_are_called(charset, body, text):
    encoded = base64.encodebytes(body)
    heads = (b"Content-Type: text/plain; charset=" + charset, b"Content-Transfer-Encoding: base64")
    assert read(mail(encoded, *heads))["text"] == text


def test_people_and_their_addresses():
    one = read(
        b'From: =?utf-8?Q?Luc=C3=ADa?= <Lucia@X.example>\nReply-To: "Otra, cuenta" <otra@x.example>\n'
        b"To: A <a@x.example>, b@X.example\nCc: a@x.example\nDelivered-To: tag+1@x.example\n\nHola"
    )
    assert one["from"] == {"name": "Lucía", "address": "lucia@x.example"}
    assert one["reply_to"] == {"name": "Otra, cuenta", "address": "otra@x.example"}
    assert one["to"] == ["a@x.example", "b@x.example", "tag+1@x.example"]
    assert read(b"From: Ana Gil ana@x.example\n\nHola")["from"]["address"] == "ana@x.example"
    assert read(b"From: \n\nHola")["from"] == {"name": "", "address": ""}


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        (b"Mon, 3 Nov 2025 10:00:00 +0100", "2025-11-03T09:00:00+00:00"),
        (b"3 Nov 2025 10:00:00", "2025-11-03T10:00:00+00:00"),
        (b"Mon, 3 Nov 1801 10:00:00 +0000", ""),
        (b"Mon, 3 Nov 99999999999 10:00:00 +99999999", ""),
        (b"ayer", ""),
        (b"", ""),
    ],
)
def test_dates(date, moment):
    assert read(mail(b"Hola", b"Date: " + date))["date"] == moment


def test_a_mail_is_known_again_by_its_body():
    one, other = read(mail(b"Hola\r\n")), read(mail(b"Otra cosa"))
    assert one["body_hash"] == read(mail(b"Hola", b"Received: later").replace(b"\r\n", b"\n"))["body_hash"]
    assert one["body_hash"] != other["body_hash"]
    nameless = [read(b"From: a@x.example\nSubject: " + each + b"\n\nHola") for each in (b"1", b"1", b"2")]
    assert nameless[0]["message_id"] == ""
    assert nameless[0]["fallback_id"] == nameless[1]["fallback_id"] != nameless[2]["fallback_id"]


def test_ids_lose_their_brackets_and_never_grow():
    said = read(
        b"From: a@x.example\nMessage-ID: <" + b"m" * 5_000 + b"@x>\nIn-Reply-To: <b@x> (Ana)\n"
        b"References: " + b" ".join(b"<%d@x>" % n for n in range(300)) + b"\n\nHola"
    )
    assert (len(said["message_id"]), said["in_reply_to"]) == (500, "b@x")
    assert (len(said["references"]), said["references"][-1]) == (100, "299@x")


# Files.


def test_files_are_named_and_opened():
    picture = base64.encodebytes(bytes(range(256)))
    whole = multipart(
        b"related",
        part(b"text/html", b'<p>Mira:</p><img alt="Caja rota" src="cid:foto@x">'),
        part(b"image/png", picture, b"Content-Transfer-Encoding: base64", b"Content-ID: <foto@x>"),
        part(b"application/pdf", picture, b"Content-Transfer-Encoding: base64",
             b"Content-Disposition: attachment; filename*=utf-8''a%2F..%2F%E2%80%8B.htaccess"),
        part(b"text/plain", b"nota", b"Content-Disposition: attachment; filename=nota.txt"),
    )  # fmt: skip
    said = read(whole)
    assert [{**each} for each in said["attachments"]] == [
        {"name": "image.png", "type": "image/png", "size": 256, "part": "2", "inline": True, "cid": "foto@x",
         "alt": "Caja rota", "picture": ""},
        {"name": "htaccess", "type": "application/pdf", "size": 256, "part": "3", "inline": False, "cid": "",
         "alt": "", "picture": ""},
        {"name": "nota.txt", "type": "text/plain", "size": 4, "part": "4", "inline": False, "cid": "", "alt": "",
         "picture": ""},
    ]  # fmt: skip
    assert said["text"] == "Mira:"
    assert open_part(whole, "2") == open_part(whole, "3") == bytes(range(256))
    assert base64.b64decode(reading.open_packed(b"4\n" + whole)) == b"nota"
    for missing in ("5", "2.1", "x", "", "-1", "1.1.1"):
        with pytest.raises(BadPayload):
            open_part(whole, missing)


GIF = b"R0lGODlhAQABAAAAACwAAAAAAQABAAA="


def picture(kind=b"image/gif", content=GIF, name=b"a@x"):
    return part(kind, content, b"Content-Transfer-Encoding: base64", b"Content-ID: <" + name + b">")


def related(html, *pictures):
    return multipart(b"related", part(b"text/html; charset=utf-8", html.encode()), *pictures)


def test_a_picture_is_known_by_its_bytes():
    said = read(
        related(
            '<p>Mira</p><img src="cid:a%40x" alt="1 &amp; 2"><img src="cid:b@x"><img src="cid:c@x"><img src="cid:-">',
            picture(b"application/octet-stream"),
            picture(b"image/png", base64.b64encode(b"<svg onload='alert(1)'/>"), b"b@x"),
            picture(b"image/svg+xml", base64.b64encode(b"<svg/>"), b"c@x"),
        )
    )
    assert [each["picture"] for each in said["attachments"]] == ["image/gif", "", ""]
    assert [(each["inline"], each["alt"]) for each in said["attachments"][:2]] == [(True, "1 & 2"), (True, "")]
    assert 'src="cid:a%40x"' in said["html"]


def test_only_what_has_a_name_of_its_own_is_looked_at():
    said = read(multipart(b"mixed", part(b"image/gif", GIF, b"Content-Transfer-Encoding: base64")))
    assert said["attachments"][0]["picture"] == ""


@pytest.mark.parametrize(
    "before", ["<p>Mira:</p><img src='cid:a@x'>", "<p>Mira: <img src='cid:a@x'></p>", "<img src='cid:a@x'><p>Mira:</p>"]
)
def test_a_picture_between_their_words_and_the_quote_is_theirs(before):
    quote = (
        '<div class="gmail_quote"><div class="gmail_attr">El lun, 23 nov 2026 a las 10:12, Horno (&lt;h@x.example&gt;) '
        'escribió:<br></div><blockquote class="gmail_quote">Hola<img src="cid:b@x"></blockquote></div>'
    )
    said = read(related(before + quote, picture(), picture(name=b"b@x")))
    assert (said["text"], said["quoted"].endswith("Hola")) == ("Mira:", True)
    assert ("cid:a@x" in said["html"], "cid:b@x" in said["html"]) == (True, False)


@pytest.mark.parametrize("plain", [[], [part(b"text/plain", b"[image: foto.gif]")]])
def test_a_mail_that_is_only_a_picture_shows_it(plain):
    html = part(b"text/html", b'<div><img src="cid:a@x"></div>')
    both = b'multipart/alternative; boundary="C"\r\n\r\n' + b"".join(b"--C\r\n" + p + b"\r\n" for p in [*plain, html])
    said = read(multipart(b"related", b"Content-Type: " + both + b"--C--", picture()))
    assert (said["html"], said["text"]) == ('<div><img src="cid:a@x"></div>', "[image: foto.gif]" if plain else "")


def test_html_without_words_nor_pictures_is_shown_as_its_source():
    assert read(related('<img src="cid:none">', picture()))["text"] == '<img src="cid:none">'


def test_a_mail_in_a_mail_is_a_file():
    inner = b"From: b@x.example\r\nSubject: El original\r\n\r\nDentro"
    whole = multipart(b"mixed", part(b"text/plain", b"Mira esto"), part(b"message/rfc822", inner))
    said = read(whole)
    assert (said["text"], said["attachments"][0]["name"]) == ("Mira esto", "El original.eml")
    assert open_part(whole, "2").replace(b"\r\n", b"\n") == inner.replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (b"application/ms-tnef", "winmail.dat"),
        (b"application/pkcs7-mime; smime-type=enveloped-data", "smime.p7m"),
        (b"text/calendar; method=REQUEST", "invite.ics"),
        (b"application/pdf", "application.pdf"),
    ],
)
def test_a_mail_that_is_nothing_but_a_file(kind, name):
    whole = mail(base64.encodebytes(b"xyz"), b"Content-Type: " + kind, b"Content-Transfer-Encoding: base64")
    said = read(whole)
    assert said["text"] == ""
    assert [(each["name"], each["part"], each["size"]) for each in said["attachments"]] == [(name, "0", 3)]
    assert open_part(whole, "0") == b"xyz"


def test_many_files_and_an_invitation_beside_the_text():
    files = [part(b"image/jpeg", b"x", b"Content-Disposition: attachment; filename=%d.jpg" % n) for n in range(26)]
    assert len(read(multipart(b"mixed", part(b"text/plain", b"Hola"), *files))["attachments"]) == 26
    said = read(multipart(b"alternative", part(b"text/plain", b"Cita"), part(b"text/calendar", b"BEGIN:VCALENDAR")))
    assert (said["text"], said["attachments"][0]["name"]) == ("Cita", "invite.ics")


def test_a_text_between_pictures_is_whole():
    """Apple Mail writes a text, a picture and the rest of the text as three parts."""
    said = read(multipart(
        b"mixed", part(b"text/plain", b"Antes"), part(b"image/png", b"x"), part(b"text/html", b"<b>Despu&eacute;s</b>")
    ))  # fmt: skip
    assert words(said["text"]) == ["Antes", "Después"]
    assert shown_by(said["html"]) == ["Antes", "Después"]


def test_empty_mails():
    said = read(mail(b""))
    assert (said["text"], said["quoted"], said["html"], said["attachments"]) == ("", "", "", [])
    assert read(b"Content-Type: text/x-one\n\nBlah")["attachments"]
    for nothing in (b"", b"\n\n", b"\x00\x01\x02"):
        with pytest.raises(BadPayload):
            read(nothing)


# Machines.


@pytest.mark.parametrize(
    ("heads", "automatic"),
    [
        ((), ""),
        ((b"Auto-Submitted: no",), ""),
        ((b"Auto-Submitted: auto-replied (vacation)",), "reply"),
        ((b"Auto-Submitted: auto-generated",), "bulk"),
        ((b"Precedence: bulk",), "bulk"),
        ((b"Precedence: auto_reply",), "reply"),
        ((b"List-Id: <lista.x.example>",), "bulk"),
        ((b"X-Auto-Response-Suppress: DR, OOF, AutoReply",), "bulk"),
        ((b"X-Auto-Response-Suppress: DR",), ""),
        ((b"X-Autoreply: yes",), "reply"),
        ((b"Return-Path: <>",), "reply"),
        ((b"Return-Path: <ana@x.example>",), ""),
        ((b"Subject: =?utf-8?Q?Respuesta_autom=C3=A1tica:_Pedido?=",), "reply"),
        ((b"Subject: Re: Respuesta autom\xc3\xa1tica: Pedido",), ""),
    ],
)
def test_what_machines_write_is_known(heads, automatic):
    assert read(mail(b"Hola", *heads))["automatic"] == automatic


@pytest.mark.parametrize(
    ("sender", "automatic"),
    [
        ("no-reply@x.example", "bulk"),
        ("noreply+12@x.example", "bulk"),
        ("do_not_reply@x.example", "bulk"),
        ("noresponder@x.example", "bulk"),
        ("MAILER-DAEMON@x.example", "reply"),
        ("nora@x.example", ""),
        ("noelia.reply@x.example", ""),
        ("reply@x.example", ""),
        ("responder@x.example", ""),
    ],
)
def test_addresses_nobody_reads(sender, automatic):
    assert read(f"From: X <{sender}>\n\nHola".encode())["automatic"] == automatic


def test_the_list_it_came_by_is_told():
    said = read(mail(b"Hola", b"List-Id: Soporte <soporte.x.example>", b"List-Post: <mailto:soporte@x.example>"))
    assert said["list"] == "soporte@x.example"


# What came back.

ORIGINAL = (
    b"From: hola@x.example\r\nTo: nadie@y.example\r\nMessage-ID: <42.tertulia@x.example>\r\nSubject: Hola\r\n\r\nTexto"
)
REPORT = (
    b"Reporting-MTA: dns; mx.y.example\r\n\r\nFinal-Recipient: rfc822; Nadie@y.example\r\nAction: %s\r\n"
    b"Status: %s\r\nDiagnostic-Code: smtp; 550 5.1.1 <nadie@y.example>:\r\n    User unknown\r\n"
)
NOTICE = b"This is the mail system at host mx.x.example. Your message could not be delivered."


def report(action=b"failed", status=b"5.1.1", original=b"message/rfc822"):
    return b"Return-Path: <>\r\n" + multipart(
        b'report; report-type="delivery-status"',
        part(b"text/plain", NOTICE),
        part(b"message/delivery-status", REPORT % (action, status)),
        part(original, ORIGINAL),
    ).replace(b"ana@x.example", b"MAILER-DAEMON@mx.x.example")


@pytest.mark.parametrize("original", [b"message/rfc822", b"text/rfc822-headers"])
def test_a_standard_notice_tells_what_came_back(original):
    said = read(report(original=original))
    assert said["automatic"] == "bounce"
    assert said["bounce"] == {
        "message_id": "42.tertulia@x.example", "recipient": "nadie@y.example", "status": "5.1.1", "permanent": True,
        "says": "550 5.1.1 <nadie@y.example>: User unknown",
    }  # fmt: skip


def test_a_delay_is_not_for_good_and_a_receipt_is_no_bounce():
    delayed = read(report(b"delayed", b"4.4.1"))["bounce"]
    assert (delayed["permanent"], delayed["status"]) == (False, "4.4.1")
    assert read(report(b"delivered", b"2.1.5"))["bounce"] is None
    assert read(report(b"delivered", b"2.1.5"))["automatic"] == "reply"


def test_prose_that_calls_itself_a_report_stands_in_no_reports_way():
    prose = part(b"message/delivery-status", b"This Message was undeliverable:\r\n\r\n<nadie@y.example> is unknown")
    begins = b"--B\r\nContent-Type: message/delivery-status"
    told = report().replace(begins, b"--B\r\n" + prose + b"\r\n" + begins, 1)
    assert read(told)["bounce"] == read(report())["bounce"]
    bare = read(report().replace(b"Final-Recipient", b"X").replace(b"Action", b"X"))["bounce"]
    assert (bare["message_id"], bare["status"], bare["permanent"]) == ("42.tertulia@x.example", "5.0.0", True)


QMAIL = """Hi. This is the qmail-send program at x.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<nadie@y.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 no mailbox here

--- Below this line is a copy of the message.

Return-Path: <hola@x.example>
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  nadie@y.example
    host mx.y.example [192.0.2.1]: 550 User unknown

------ This is a copy of the message, including all the headers. ------

"""
EXCHANGE = """No se ha podido entregar el mensaje a los siguientes destinatarios:

nadie@y.example
No se encontró la dirección de correo electrónico que especificó.

Información de diagnóstico para administradores:
#550 5.1.10 RESOLVER.ADR.RecipientNotFound ##

Encabezados de mensajes originales:

"""


@pytest.mark.parametrize(
    ("text", "heads", "status"),
    [
        (QMAIL, (b"Return-Path: <>", b"Subject: failure notice"), "5.1.1"),
        (EXIM, (b"X-Failed-Recipients: nadie@y.example", b"Subject: Mail delivery failed"), "5.0.0"),
        (EXCHANGE, (b"Return-Path: <>", b"Subject: No se puede entregar: Hola"), "5.1.10"),
    ],
)
def test_notices_in_prose_tell_what_came_back(text, heads, status):
    said = read(mail(text.encode() + ORIGINAL, b"Content-Type: text/plain; charset=utf-8", *heads))
    assert said["automatic"] == "bounce"
    bounce = said["bounce"]
    assert (bounce["message_id"], bounce["recipient"]) == ("42.tertulia@x.example", "nadie@y.example")
    assert (bounce["status"], bounce["permanent"]) == (status, True)
    assert bounce["says"]


def test_a_customer_who_forwards_a_notice_is_no_machine():
    said = read(mail(QMAIL.encode() + ORIGINAL, b"Subject: Fwd: failure notice"))
    assert (said["bounce"], said["automatic"]) == (None, "")


# Strangers' bytes: through the door they take.


def nested(depth):
    inside = (b'--b%d\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % (n, n + 1) for n in range(depth))
    return mail(b"".join(inside), b'Content-Type: multipart/mixed; boundary="b0"')


HTML = b"Content-Type: text/html"
BOMBS = {
    "nested": nested(3_000),
    "nested like real ones": nested(12),
    "comments": mail(b"x", b"To: " + b"(" * 20_000, b"Cc: " + b"(" * 20_000),
    "from": b"From: " + b"(" * 20_000 + b" a@x.example\r\nMessage-ID: <1@x>\r\n\r\nx",
    "addresses": mail(b"x", b"To: " + b", ".join(b"a%d@x.example" % n for n in range(20_000))),
    "subject": mail(b"x", b"Subject: " + b"\r\n ".join([b"=?utf-8?Q?=C3=B1?="] * 20_000)),
    "long subject": mail(b"x", b"Subject: " + b"s" * 320_000),
    "headers": mail(b"x", *(b"X-%d: y" % n for n in range(100_000))),
    "same headers": mail(b"x", *(b"Received: y" for n in range(100_000))),
    "divs": mail(b"<div>" * 100_000 + b"x", HTML),
    "blockquotes": mail(b"<blockquote type=cite>" * 50_000 + b"x" + b"</div></blockquote>" * 50_000, HTML),
    "open tags": mail(b"<a " * 300_000, HTML),
    "open values": mail(b"<a b='\"" * 200_000, HTML),
    "styles": mail(b"<style>" * 100_000, HTML),
    "comments in a page": mail(b"<!--" * 200_000, HTML),
    "signs": mail(b">" * 1_000_000),
    "wrote": mail(b"El 3 nov 2025, Ana\r\n" * 50_000 + b"escribi\xc3\xb3:\r\n"),
    "heads": mail(b"De: a@x.example\r\n" * 50_000),
    "spaces": mail(b" " * 1_000_000 + b"x"),
    "lines": mail(b"\r\n" * 500_000),
    "parts": multipart(b"mixed", *[part(b"image/png", b"x")] * 20_000),
    "parameters": mail(b"x", b"Content-Type: text/plain" + b"; a=b" * 20_000),
    "quotes": mail(b"x", b'Content-Type: text/plain; charset="' + b'\\"' * 50_000),
    "file name": multipart(b"mixed", part(b"image/png", b"x", b"Content-Disposition: x; filename*=" + b"%C3" * 30_000)),
    "control": mail(b"a\x00b" * 100_000),
    "large": multipart(b"mixed", part(b"text/plain", b"Hola"), part(
        b"application/zip", base64.encodebytes(bytes(25_000_000)), b"Content-Transfer-Encoding: base64")),
    "long text": mail("ñandú ".encode() * 600_000, b"Content-Type: text/plain; charset=utf-8"),
    "digits": mail(b"Fecha: 3 nov 10:00\r\nDe: " + b"1" * 1_000_000 + b"\r\nAsunto: x"),
    "forwarded": mail(b"-----Original message" + b" " * 1_000_000 + b"x"),
    "open ends": mail(b"<style>" + b"</style" * 150_000, HTML),
    "open tag": mail(
        b"<p>Si</p><div><div class=gmail_quote>El 3 nov 2025 10:00, Ana &lt;ana@x.example&gt; wrote:<blockquote>q"
        b"</blockquote></div><" + b"a1" * 500_000 + b"<b></div><p>Adios", HTML),
    "open pictures": multipart(b"mixed", part(b"text/html", b"<img " * 200_000), part(b"image/png", b"x")),
    "no boundary": mail(b"--x\r\n\r\nHola", b"Content-Type: multipart/mixed"),
}  # fmt: skip


def test_bombs_harm_nobody_but_themselves():
    """Each is read, and an ordinary mail after each."""
    payloads = [payload for bomb in BOMBS.values() for payload in (bomb, mail(b"Hola"))]
    results = sandbox.call_many("tertulia.connectors.mail.reading:read", payloads, seconds=20)
    assert all(result["text"] == "Hola" for result in results[1::2])
    unread = {
        name: one.why for name, one in zip(BOMBS, results[::2], strict=True) if isinstance(one, sandbox.Unreadable)
    }
    assert unread == {}
    read_ = dict(zip(BOMBS, results[::2], strict=True))
    assert read_["long text"]["is_cut"]
    assert not read_["large"]["is_cut"]
    assert read_["large"]["attachments"][0]["size"] == 25_000_000
    assert len(read_["addresses"]["to"]) <= 200
    assert read_["subject"]["subject"].startswith("ñ" * 900)
    assert len(read_["long subject"]["subject"]) == 1_000
    assert "Hola" in read_["no boundary"]["text"]


@pytest.mark.parametrize(("folder", "name"), ALL)
def test_damaged_mails_are_read_or_refused_in_words(folder, name):
    chance = random.Random(name)
    whole = raw(folder, name)
    for _ in range(30):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 30)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randint(0, 3)] = chance.choice(
                (b"", b"\0", b"\xff", b"\n", b">", b"<", b'"', b"=", b";")
            )
        try:
            said = read(bytes(damaged[: chance.randint(1, len(damaged))]))
        except BadPayload as bad:
            assert bad.why in reading.SENTENCES  # noqa: PT017
        else:
            assert not re.search(r"[\x00-\x08\ud800-\udfff]", json.dumps(said, ensure_ascii=False))
