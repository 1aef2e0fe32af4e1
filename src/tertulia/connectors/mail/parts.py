"""The parts of a mail. Headers are the standard library's to read; bodies are cut here, as a whole.

Its own parser goes line by line, which takes most of the time of an ordinary mail and seconds of a large one, and it
breaks on one that is nested without end.
"""

from __future__ import annotations

import re
from email.message import Message
from email.parser import HeaderParser

DEEPEST = 20
"""What is nested deeper is shown as it came."""
_HEAD_END = re.compile(rb"\r?\n\r?\n|\r\r|\A\r?\n")
_LINE_TAIL = re.compile(rb"(--)?[ \t]*(?:\r?\n|\r|\Z)")
_HEADS = HeaderParser()


def parse(raw: bytes, depth: int = 0) -> Message:
    """A mail or a part of one, with all that is in it."""
    head, body = split(raw)
    part = _HEADS.parsestr(head.decode("ascii", "surrogateescape"))
    if rest := _after_headers(part):
        body = rest + b"\n\n" + body
    inside = _inside(part, body) if depth < DEEPEST else []
    if inside:
        part.set_payload([parse(each, depth + 1) for each in inside])
    else:
        part.set_payload(body.decode("ascii", "surrogateescape"))
    return part


def split(raw: bytes) -> tuple[bytes, bytes]:
    """The headers and the body."""
    end = _HEAD_END.search(raw)
    return (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")


def children(part: Message) -> list[Message]:
    payload = part.get_payload() if part.is_multipart() else None
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def encoding(part: Message) -> str:
    return str(part.get("content-transfer-encoding", "")).strip().lower()


def _after_headers(part: Message) -> bytes:
    """Where a line among the headers is none, the body began there."""
    try:
        rest = part.get_payload()
    except (ValueError, TypeError):
        return b""
    return rest.encode("utf-8", "surrogateescape") if isinstance(rest, str) else b""


def _inside(part: Message, body: bytes) -> list[bytes]:
    kind = part.get_content_type()
    if kind == "message/rfc822" and encoding(part) not in {"base64", "quoted-printable"}:
        return [body]
    if not kind.startswith("multipart/"):
        return []
    try:
        boundary = (part.get_boundary() or "").encode("utf-8", "surrogateescape")
    except (ValueError, LookupError, TypeError):
        return []
    return _between(body, boundary) if boundary else []


def _between(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the lines of this boundary, up to its last one."""
    mark, found = b"--" + boundary, []
    start, at = -1, body.find(mark)
    while at >= 0:
        end = at + len(mark)
        tail = _LINE_TAIL.match(body, end)
        if tail and (at == 0 or body[at - 1 : at] in b"\r\n"):
            if start >= 0:
                found.append(body[start:at].removesuffix(b"\n").removesuffix(b"\r"))
            start = -1 if tail[1] else tail.end()
            if tail[1]:
                break
        at = body.find(mark, end)
    if start >= 0:
        found.append(body[start:])
    return found
