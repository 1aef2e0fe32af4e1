"""What a mail says, as plain data. Runs in a process of its own, called by name through `core.sandbox`.

Only the structure is the standard library's: its readings of single headers raise on what strangers send.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from email.message import Message
from hashlib import sha256
from html import escape, unescape
from typing import Any
from urllib.parse import unquote

from tertulia.core import pictures
from tertulia.core.outcomes import BadPayload

from . import bounces
from .headers import Heads, decode, ids, moment, one_line, tidy, words
from .pages import LONGEST_HTML
from .parts import children, parse, split
from .quotes import split_html, split_text

NOT_A_MAIL = "It has neither a sender nor a text: it isn't a mail."
NO_SUCH_PART = "The mail has no such part."
SENTENCES = {
    NOT_A_MAIL: "No tiene ni remitente ni texto: no es un correo.",
    NO_SUCH_PART: "El correo no tiene esa parte.",
}
LONGEST_TEXT = 500_000
LONGEST_QUOTE = 300_000
LONGEST_SHOWN = 300_000
"""Characters of HTML: longer, the page shows the text, so it isn't kept."""
MOST_FILES = 500
ROOT = "0"
"""The `part` of a mail that is nothing but one file."""
_BODIES = frozenset(("text/plain", "text/html", "text/enriched", "text/richtext"))
_REPETITIONS = frozenset(("text/x-amp-html", "text/watch-html"))
_IMG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_CID = re.compile(r"""\bsrc\s*=\s*["']?cid:([^"'\s>]+)""", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_HIDDEN = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")


def read(raw: bytes) -> dict[str, Any]:
    """What a mail says.

    `message_id`, `in_reply_to`, `references`  without their brackets, "" or [] when there are none
    `fallback_id`, `body_hash`  hashes of stable headers with the body, and of the body: they stay the same whatever
                 this module learns to read
    `subject`, `from` {"name", "address"}, `reply_to` (the same or None), `to` [address], `date` (ISO, UTC, or "")
    `text`, `quoted`  what they wrote and what they quote; together they hold every word
    `html`       theirs, raw and without the quote; "" without one, or when it is longer than the pages show
    `attachments` [{"name", "type", "size", "part", "inline", "cid", "alt", "picture"}]; `size` in bytes, `picture` the
                 type by the bytes of one that has a `cid` and can be shown
    `automatic`  "", "reply", "bulk" or "bounce"
    `list`       the address of the mailing list it came by: mail that came by a list of ours may be anybody's
    `bounce`     None or {"message_id", "recipient", "status", "permanent", "says"}
    `is_cut`     something was too long to be kept whole

    Raises `BadPayload` with one of `SENTENCES`.
    """
    mail = parse(raw)
    heads = Heads(mail)
    body = _Body()
    body.take(mail, ROOT)
    text, quoted, html = body.split()
    sender = heads.person("from") or heads.person("sender")
    if not (sender or text or body.files or "message-id" in heads):
        raise BadPayload(NOT_A_MAIL)
    sender = sender or {"name": heads.words("from")[:200], "address": ""}
    bounce = bounces.read(mail, heads, sender["address"], f"{text}\n{quoted}")
    content = _content(raw)
    stable = "\n".join(heads.first(name) for name in ("from", "date", "subject", "to"))
    return {
        "message_id": next(iter(ids(heads.first("message-id"))), ""),
        "fallback_id": sha256(stable.encode(errors="surrogateescape") + b"\n\n" + content).hexdigest(),
        "body_hash": sha256(content).hexdigest(),
        "in_reply_to": next(iter(ids(heads.first("in-reply-to"))), ""),
        "references": ids(heads.first("references")),
        "subject": heads.words("subject")[:1_000],
        "from": sender,
        "reply_to": heads.person("reply-to"),
        "to": heads.addresses("to", "cc", "delivered-to", "x-original-to"),
        "date": moment(heads.first("date")),
        "text": text[:LONGEST_TEXT],
        "quoted": quoted[:LONGEST_QUOTE],
        "html": html if len(html) <= LONGEST_SHOWN else "",
        "attachments": body.files[:MOST_FILES],
        "automatic": bounces.kind(heads, sender["address"], bounce),
        "list": bounces.list_of(heads),
        "bounce": bounce,
        "is_cut": body.is_cut
        or len(text) > LONGEST_TEXT
        or len(quoted) > LONGEST_QUOTE
        or len(body.files) > MOST_FILES,
    }


def open_part(raw: bytes, part: str) -> bytes:
    """The content of an attachment. Raises `BadPayload`."""
    found = parse(raw)
    for step in part.split(".") if part != ROOT else ():
        inside = children(found)
        if not step.isdecimal() or not 0 < int(step) <= len(inside):
            raise BadPayload(NO_SUCH_PART)
        found = inside[int(step) - 1]
    if not children(found):
        return _bytes_of(found)
    try:
        return b"\n".join(child.as_bytes() for child in children(found))
    except (ValueError, LookupError, TypeError, RecursionError):
        raise BadPayload(NO_SUCH_PART) from None


def open_packed(payload: bytes) -> str:
    """`open_part` for the sandbox: the part's name, a line end and the mail; gives base64."""
    part, _, raw = payload.partition(b"\n")
    return b64encode(open_part(raw, part.decode("ascii", "replace"))).decode()


def _content(raw: bytes) -> bytes:
    """The body as it came, but for the ends of its lines: the same in every copy."""
    return split(raw)[1].replace(b"\r\n", b"\n").rstrip()


def _bytes_of(part: Message) -> bytes:
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _text_of(part: Message) -> str:
    try:
        charset = part.get_param("charset") or ""
        charset = charset[2] if isinstance(charset, tuple) else str(charset)
    except (ValueError, LookupError, TypeError):
        charset = ""
    return tidy(decode(_bytes_of(part), charset))


@dataclass(slots=True)
class _Piece:
    """One stretch of what the mail shows, in the forms it offers."""

    plain: str = ""
    html: str = ""


@dataclass(slots=True)
class _Body:
    pieces: list[_Piece] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    is_cut: bool = False

    def take(self, part: Message, path: str, *, choice: _Piece | None = None) -> None:
        """Add what this part shows; the forms of one `choice` are the same text."""
        kind = part.get_content_type()
        inside = children(part)
        if kind.startswith("multipart/") and inside:
            if kind == "multipart/alternative" and choice is None:
                choice = _Piece()
                self.pieces.append(choice)
            for number, child in enumerate(inside, 1):
                self.take(child, str(number) if path == ROOT else f"{path}.{number}", choice=choice)
        elif not self._is_file(part, kind):
            self._show(part, kind, choice)
        elif not (choice and kind in _REPETITIONS):
            self.files.append(_describe(part, kind, path))

    def _is_file(self, part: Message, kind: str) -> bool:
        if part.get_content_disposition() == "attachment":
            return True
        is_body = kind in _BODIES or kind.startswith("multipart/")
        return not is_body or bool(_name(part))

    def _show(self, part: Message, kind: str, choice: _Piece | None) -> None:
        piece = choice
        if piece is None:
            piece = _Piece()
            self.pieces.append(piece)
        text = _text_of(part)
        if kind == "text/html":
            piece.html += text
        elif _says(part, "format") == "flowed":
            piece.plain += _unfolded(text, spaces_count=_says(part, "delsp") != "yes")
        else:
            piece.plain += text

    def split(self) -> tuple[str, str, str]:
        """What they wrote, what they quote, and their HTML, which leads: in it a quote is an element."""
        html = "\n".join(piece.html or _as_html(piece.plain) for piece in self.pieces)
        shown = ""
        if any(piece.html for piece in self.pieces) and len(html) <= LONGEST_HTML:
            split = split_html(html)
            has_pictures = self._name_pictures(html)
            if split.text or split.quoted:
                return split.text, split.quoted, split.html
            shown = html if has_pictures else ""
        plain = "\n".join(piece.plain or ("" if shown else piece.html) for piece in self.pieces)
        self.is_cut = self.is_cut or len(html) > LONGEST_HTML
        split = split_text(plain[:LONGEST_HTML])
        return split.text, split.quoted, shown

    def _name_pictures(self, html: str) -> bool:
        """Whether it shows any that came along."""
        has_any = False
        # Up to the last ">": no end is looked for in vain.
        for tag in _IMG.findall(html[: html.rfind(">") + 1]) if self.files else ():
            if not (picture := _CID.search(tag)):
                continue
            alt, name = _ALT.search(tag), unquote(unescape(picture[1]))
            for file in self.files:
                if file["cid"] and file["cid"] == name:
                    has_any = file["inline"] = True
                    file["alt"] = one_line(unescape(alt[1] or alt[2] or "") if alt else "")[:500]
        return has_any


def _as_html(plain: str) -> str:
    return f"<pre>{escape(plain)}</pre>" if plain.strip() else ""


def _says(part: Message, name: str) -> str:
    try:
        return str(part.get_param(name, "")).lower()
    except (ValueError, LookupError, TypeError):
        return ""


def _unfolded(text: str, *, spaces_count: bool) -> str:
    """Paragraphs that were broken to be sent (RFC 3676), whole again."""
    lines: list[str] = []
    is_open, depth = False, 0
    for line in text.split("\n"):
        signs = len(line) - len(line.lstrip(">"))
        said = line[signs:].removeprefix(" ")
        if is_open and signs == depth and said.rstrip(" ") != "--":
            lines[-1] = (lines[-1] if spaces_count else lines[-1][:-1]) + said
        else:
            lines.append(f"{'>' * signs} {said}" if signs else said)
        is_open, depth = said.endswith(" ") and said != "-- ", signs
    return "\n".join(lines)


def _describe(part: Message, kind: str, path: str) -> dict[str, Any]:
    cid = one_line(str(part.get("content-id", ""))).strip("<> ")[:LONGEST_CID]
    content = _bytes_of(part) if cid and not part.is_multipart() else b""
    return {
        "name": _name(part) or _title(part, kind),
        "type": kind,
        "size": _size(part),
        "part": path,
        "inline": part.get_content_disposition() == "inline" and kind.startswith("image/"),
        "cid": cid,
        "alt": "",
        "picture": pictures.kind_of(content),
    }


LONGEST_CID = 500


def _name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        name = one_line(str(part.get("content-disposition", "")).partition("name")[2])
    return _HIDDEN.sub("", words(name)).replace("\\", "/").rpartition("/")[2].strip(". ")[:200]


def _title(part: Message, kind: str) -> str:
    """What to call a file without a name."""
    if kind == "message/rfc822":
        subject = Heads(children(part)[0]).words("subject") if children(part) else ""
        return f"{subject.replace('/', '-')[:190] or 'mail'}.eml"
    return (
        _NAMES.get(kind) or f"{kind.partition('/')[0]}.{re.sub(r'[^a-z0-9]', '', kind.partition('/')[2])[:10] or 'bin'}"
    )


_NAMES = {
    "text/calendar": "invite.ics", "application/ms-tnef": "winmail.dat", "application/pkcs7-mime": "smime.p7m",
    "application/pkcs7-signature": "smime.p7s", "message/delivery-status": "delivery-status.txt",
    "text/rfc822-headers": "headers.txt", "image/jpeg": "image.jpg", "application/octet-stream": "file.bin",
}  # fmt: skip


def _size(part: Message) -> int:
    return sum(map(_size, children(part))) if part.is_multipart() else len(_bytes_of(part))
