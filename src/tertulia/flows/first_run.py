"""The first minutes of an installation: the one-time link, and everything that follows from one form."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from django.conf import settings

TOKEN_BYTES = 24


class NotYours(Exception):
    """The link is not, or no longer, the one that was printed."""


def new_link() -> str:
    """A fresh token for the address `/setup/<token>/`. Only its hash is kept; the one before is dead."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(_hash(token))
    fresh.replace(file)
    return token


def check_link(token: str) -> None:
    """Raises `NotYours`."""
    try:
        kept = _file().read_text()
    except OSError:
        kept = ""
    if not kept or not hmac.compare_digest(kept, _hash(token)):
        raise NotYours


def _file() -> Path:
    return Path(settings.HOME) / "keys" / "setup.hash"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
