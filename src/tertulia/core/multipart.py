"""A form with files in it, as a body (RFC 7578)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import quote

File = tuple[str, str, str, bytes]
"""The field's name, the file's own, its type, its bytes."""


def encode(fields: Mapping[str, str], files: Iterable[File]) -> tuple[str, bytes]:
    """The body's type, which names the line between its parts, and the body."""
    line = secrets.token_hex(16)
    parts = [_part(line, f'name="{_safe(name)}"', "", value.encode(errors="replace")) for name, value in fields.items()]
    for field, name, kind, content in files:
        parts.append(_part(line, f'name="{_safe(field)}"; filename="{_safe(name)}"', kind, content))
    return f"multipart/form-data; boundary={line}", b"".join([*parts, f"--{line}--\r\n".encode()])


def _part(line: str, named: str, kind: str, content: bytes) -> bytes:
    head = f"--{line}\r\nContent-Disposition: form-data; {named}\r\n" + (f"Content-Type: {kind}\r\n" if kind else "")
    return f"{head}\r\n".encode() + content + b"\r\n"


def _safe(name: str) -> str:
    """As browsers write it: nothing in it ends the line or the quotes."""
    return quote(name, safe=" !#$&'()+,-.;=@[]^_`{}~áéíóúüñÁÉÍÓÚÜÑ", errors="replace")
