"""The names of mails and of talks.

What we send is called `key.talk.seal@domain`: the same on every try, and nobody who lacks the account's secret can
guess one, so that a mail which names it belongs to that talk.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tertulia.connectors.contract import Account

from .servers import address_of

HEADER = "X-Tertulia-Id"
"""Carries the name once more: some servers give a mail another Message-ID on its way."""
_OURS = re.compile(r"([\w-]{1,64})\.([0-9a-f]{20})\.([0-9a-f]{24})@[^\s<>@]+")


@dataclass(frozen=True, slots=True)
class Ours:
    """A mail that we sent: under which key and in which talk."""

    id: str
    key: str
    talk: str


def made(account: Account, key: str, talk: str) -> str:
    """The Message-ID, without its brackets."""
    talk = talk if re.fullmatch("[0-9a-f]{20}", talk) else talk_of(talk)
    return f"{key}.{talk}.{_seal(account, key, talk)}@{address_of(account).rpartition('@')[2]}"


def recognised(account: Account, id: str) -> Ours | None:
    """None for every name that we did not give."""
    found = _OURS.fullmatch(id)
    if not found or not account.secrets.get("signing"):
        return None
    key, talk, seal = found.groups()
    return Ours(id, key, talk) if hmac.compare_digest(seal, _seal(account, key, talk)) else None


def first_of_ours(account: Account, ids: Iterable[str]) -> Ours | None:
    return next((ours for id in ids if (ours := recognised(account, id))), None)


def talk_of(*parts: str) -> str:
    """A short name that is the same for the same parts."""
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:20]


def _seal(account: Account, key: str, talk: str) -> str:
    secret = account.secrets["signing"].encode()
    return hmac.new(secret, f"{key}.{talk}".encode(), hashlib.sha256).hexdigest()[:24]
