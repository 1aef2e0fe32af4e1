"""Reads what the widget posts. Everything in it was written by a stranger."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from tertulia.connectors.contract import BadPayload

MAX_BODY = 256 * 1024
"""10,000 characters of the widest kind, escaped, and room for the rest."""

UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters, which no keyboard writes and PostgreSQL refuses, and halves of characters."""


@dataclass(frozen=True, slots=True)
class VisitorMessage:
    visitor: str
    ticket: str
    id: UUID
    text: str
    name: str
    email: str
    honeypot: str
    page: str
    language: str
    raw: Mapping[str, object]


def read(body: bytes) -> VisitorMessage:
    """Raises `BadPayload` for anything but the widget's own JSON."""
    data = _object(body)
    return VisitorMessage(
        visitor=_text(data, "visitor", 200),
        ticket=_text(data, "ticket", 200),
        id=_uuid(data.get("id")),
        text=_text(data, "text").strip(),
        name=" ".join(_text(data, "name", 200).split()),
        email=_email(_text(data, "email", 254).strip()),
        honeypot=_text(data, "website"),
        page=_page(_text(data, "page").strip()),
        language=_language(_text(data, "language", 12)),
        raw=data,
    )


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise BadPayload(f"The body is larger than {MAX_BODY // 1024} kB.")
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadPayload("The body isn't JSON in UTF-8.") from error
    if not isinstance(data, dict):
        raise BadPayload("The body isn't a JSON object.")
    return {name: _storable(value) for name, value in data.items() if name in _NAMES}


_NAMES = frozenset({"visitor", "ticket", "id", "text", "name", "email", "website", "page", "language"})


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _storable(value: object) -> object:
    return UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else value


def _text(data: Mapping[str, Any], name: str, limit: int = MAX_BODY) -> str:
    value = data.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadPayload(f"“{name}” isn't a text.")
    return value[:limit]


def _uuid(value: object) -> UUID:
    try:
        return UUID(value) if isinstance(value, str) else _not_uuid()
    except ValueError:
        return _not_uuid()


def _not_uuid() -> UUID:
    raise BadPayload("“id” isn't a UUID.")


def _email(value: str) -> str:
    """What looks like an address; anything else is the visitor's slip and stays in the raw data only."""
    return value if re.fullmatch(r"[^\s@<>\"',;]+@[^\s@<>\"',;]+\.[^\s@<>\"',;.]{2,}", value) else ""


def _page(value: str) -> str:
    """The page they wrote from, without its query: that may hold what is nobody's business."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:500]


def _language(value: str) -> str:
    return value.lower() if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?", value) else ""
