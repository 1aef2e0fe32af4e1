"""What a visitor carries: a signed name of their own, and a signed time for the time trap.

Both are signed with the account's secret `signing`, each under its own purpose so that one never passes for the
other. Without a secret nothing is signed and nothing is accepted.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256


def new_visitor(secret: str) -> str:
    """A token nobody can guess: 128 random bits and our mark on them."""
    return seal(secret, "visitor", secrets.token_urlsafe(16))


def seal(secret: str, purpose: str, value: str) -> str:
    """`value.mark`"""
    return f"{value}.{_mark(secret, purpose, value)}"


def unseal(secret: str, purpose: str, token: str) -> str | None:
    """The value under the mark; None when the mark isn't ours or no secret is set."""
    value, _, mark = token.rpartition(".")
    if not secret or not value or len(token) > 200:
        return None
    return value if hmac.compare_digest(_mark(secret, purpose, value).encode(), mark.encode(errors="replace")) else None


def ticket(secret: str, visitor: str, at: datetime) -> str:
    """Says when this visitor came."""
    return seal(secret, f"ticket for {visitor}", str(int(at.timestamp())))


def ticket_time(secret: str, visitor: str, token: str) -> datetime | None:
    """When the visitor of this ticket came; None for a ticket that isn't theirs."""
    seconds = unseal(secret, f"ticket for {visitor}", token)
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)


def _mark(secret: str, purpose: str, value: str) -> str:
    digest = hmac.digest(secret.encode(), f"{purpose}\n{value}".encode(errors="replace"), sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
