"""Puts an answer into the form of a mail. Nothing that strangers wrote can become a header of ours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from tertulia.connectors.contract import Account, Letter, Refused, Target

from . import ids, texts
from .servers import address_of, is_address, word

MOST_REFERENCES = 20
AUTOMATIC = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}
"""So that no machine answers (RFC 3834, 5; the second is Exchange's own)."""
ANSWERED = re.compile(r"^\s*(?:re|aw|sv|antw|r|res)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_ID = re.compile(r"[\x21-\x3b=?-\x7e]{3,250}")


def answer(account: Account, to: Target, text: str, key: str, *, at: datetime) -> tuple[str, str, bytes]:
    """The mail's id, its recipient's address, and the mail. Raises `Refused`."""
    recipient = _deliverable(to.hints.get("reply_to") or to.person_id)
    id, sender = ids.made(account, key, to.thread_id), address_of(account)
    headers = {
        "From": _person(sender, word(account.settings.get("sender"))),
        "To": _person(recipient, to.name if recipient == to.person_id else ""),
        "Subject": _words(_subject(to.subject)),
        "Date": format_datetime(at),
        "Message-ID": f"<{id}>",
        ids.HEADER: id,
        **_answered(to.hints),
        **(AUTOMATIC if to.is_automatic else {}),
    }
    body = EmailMessage(policy=SMTP)
    body.set_content(text.replace("\r\n", "\n") + "\n", cte="quoted-printable")
    return id, recipient, "".join(f"{name}: {said}\r\n" for name, said in headers.items()).encode() + body.as_bytes()


def letter(account: Account, letter: Letter, key: str, *, at: datetime) -> tuple[str, str, bytes]:
    """As `answer`, for a subscriber of a list: in plain text and in HTML with its pictures (RFC 2046, 2387)."""
    recipient, sender = _deliverable(letter.to), address_of(account)
    id = ids.made(account, key, f"letter {key}")
    headers = {
        "From": _person(sender, letter.sender or word(account.settings.get("sender"))),
        "To": recipient,
        "Subject": _words(one_line(letter.subject)),
        "Date": format_datetime(at),
        "Message-ID": f"<{id}>",
        ids.HEADER: id,
        **({"Content-Language": letter.language} if re.fullmatch(r"[a-z]{2}", letter.language) else {}),
        **_listed(letter, sender),
    }
    body = EmailMessage(policy=SMTP)
    body.set_content(letter.text.replace("\r\n", "\n") + "\n", cte="quoted-printable")
    body.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    [_plain, shown] = body.iter_parts()
    for picture in letter.pictures:
        kind, _slash, subtype = picture.type.partition("/")
        shown.add_related(
            picture.content, kind, subtype, cid=f"<{picture.id}>", filename=one_line(picture.name), disposition="inline"
        )
    return id, recipient, "".join(f"{name}: {said}\r\n" for name, said in headers.items()).encode() + body.as_bytes()


def _listed(letter: Letter, sender: str) -> dict[str, str]:
    """What list mail carries (RFC 2919, 2369, 8058), so that one press ends it and no machine answers (RFC 3834)."""
    told = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if not letter.leave:
        return told
    name = _words(one_line(letter.list_name).replace('"', "").replace("\\", ""))
    id = f"<{letter.list_id.lower()}.{sender.rpartition('@')[2]}>"
    return {
        **told,
        "Precedence": "bulk",
        "List-Id": f'"{name}" {id}' if name.isascii() and not name.startswith("=?") else f"{name} {id}",
        "List-Unsubscribe": f"<{letter.leave}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _deliverable(address: str) -> str:
    """With its domain as the mail servers write it."""
    if not is_address(address):
        raise Refused(texts.NOBODY_TO_ANSWER)
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        raise Refused(texts.NOBODY_TO_ANSWER) from None


def _person(address: str, name: str) -> str:
    name = _words(one_line(name))
    if name.isascii() and not name.startswith("=?"):
        name = '"' + name.replace("\\", "").replace('"', "") + '"'
    return f"{name} <{address}>" if name != '""' else address


def _words(text: str) -> str:
    """Text in a header. The library's own headers read encoded words back, line ends in them included: not here."""
    is_plain = text.isascii() and "=?" not in text
    return text if is_plain else Header(text, "utf-8", maxlinelen=75).encode(linesep="\r\n")


def _answered(hints: Mapping[str, str]) -> dict[str, str]:
    answered = hints.get("message_id", "")
    if not _ID.fullmatch(answered):
        return {}
    references = _references(hints.get("references", ""), answered)
    return {"In-Reply-To": f"<{answered}>", "References": "\r\n ".join(f"<{one}>" for one in references)}


def _subject(subject: str) -> str:
    subject = one_line(subject)
    return subject if not subject or ANSWERED.match(subject) else f"Re: {subject}"


def _references(before: str, answered: str) -> list[str]:
    """Where the talk began and the last of its mails, so many as fit."""
    chain = [one for one in dict.fromkeys(before.split()) if _ID.fullmatch(one) and one != answered] + [answered]
    return chain if len(chain) <= MOST_REFERENCES else [chain[0], *chain[1 - MOST_REFERENCES :]]


def one_line(words: str) -> str:
    """Without anything that could end a header: line ends of any alphabet and control characters."""
    kept = (" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp", "Cs"} else sign for sign in words)
    return " ".join("".join(kept).split())[:300]
