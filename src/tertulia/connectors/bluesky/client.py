"""The way to speak to a server of the AT Protocol, and what its answers mean."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tertulia.connectors.contract import (
    Account,
    Answer,
    BadPayload,
    Http,
    Reconnect,
    Refused,
    Retry,
    Unknown,
    Unsupported,
)
from tertulia.core import clock
from tertulia.core.redact import redact

from . import texts

SERVICE = "https://bsky.social"
CHAT = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}
"""Direct messages live with a service of their own; one's server passes the call on."""
TOKEN_ERRORS = {"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"}
ACCOUNT_ERRORS = {"AccountTakedown", "AccountSuspended", "AccountDeactivated"}
MISSING = {"RecordNotFound", "NotFound", "HandleNotFound"}
WAIT = timedelta(minutes=1)


class Missing(Refused):
    """What was asked for isn't there."""


class Swapped(Refused):
    """The record isn't, or is no longer, what the writer took it for."""


class Client:
    """One account's server, in its session."""

    def __init__(self, http: Http, account: Account) -> None:
        self.http = http
        self.account = account
        self.token = account.secrets.get("access", "")
        self.did = str(claims(self.token).get("sub") or "")
        self.last: Answer | None = None
        """The newest answer: its headers tell how many calls are left."""
        if not self.did or not is_in_session(account):
            raise Reconnect(texts.NO_SESSION)

    def get(self, method: str, *, headers: Mapping[str, str] | None = None, **asked: Any) -> dict[str, Any]:
        """Ask. Raises `BadPayload` for an answer that can't be read."""
        query = urlencode([(name, value) for name, value in asked.items() if value not in ("", [])], doseq=True)
        address = f"{xrpc(self.account, method)}?{query}" if query else xrpc(self.account, method)
        try:
            answer = self._send("GET", address, headers)
            if bad := meaning(answer, self.account):
                raise bad
        except Unknown as silence:  # to ask changes nothing, so nothing is left open
            raise Retry(silence.why) from None
        return _object(answer)

    def post(
        self, method: str, body: Any, *, headers: Mapping[str, str] | None = None, is_once: bool = False
    ) -> dict[str, Any]:
        """Write. With `is_once` any trouble of the server leaves open whether it happened."""
        answer = self._send("POST", xrpc(self.account, method), headers, json=body)
        if bad := meaning(answer, self.account):
            raise Unknown(bad.why) if is_once and answer.status in {500, 502} else bad
        return _written(answer)

    def upload(self, content: bytes, kind: str) -> dict[str, Any]:
        """Hand a file in; what no record names is forgotten there after a while."""
        headers = {"content-type": kind}
        answer = self._send("POST", xrpc(self.account, "com.atproto.repo.uploadBlob"), headers, content=content)
        if bad := meaning(answer, self.account):
            raise bad
        return _written(answer)

    def _send(self, verb: str, address: str, headers: Mapping[str, str] | None, **said: Any) -> Answer:
        allowed = {"authorization": f"Bearer {self.token}", **(headers or {})}
        self.last = self.http.request(verb, address, headers=allowed, **said)
        return self.last


def service(account: Account) -> str:
    """Where one signs in, as people type it."""
    typed = str(account.settings.get("service") or SERVICE).strip().rstrip("/")
    return typed if "://" in typed else f"https://{typed}"


def handle(account: Account) -> str:
    return str(account.settings.get("handle") or "").strip().removeprefix("@").lower()


def sign_in(account: Account) -> str:
    """A mark of what is signed in with. Another password may allow more, another handle is another account."""
    said = (service(account), handle(account), account.secrets.get("app_password", "").strip())
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def is_in_session(account: Account) -> bool:
    """Whether the tokens come from what is typed in now."""
    return account.secrets.get("session_of") in (None, "", sign_in(account))


def xrpc(account: Account, method: str) -> str:
    """The account's own server, where signing in has told it, else the one that was signed in at."""
    return f"{account.settings.get('pds') or service(account)}/xrpc/{method}"


def meaning(answer: Answer, account: Account) -> Reconnect | Retry | Refused | Unknown | Unsupported | None:
    """What an answer's status says; None when all is well."""
    status = answer.status
    if status < 300:
        return None
    error, said = _words(answer, account)
    if error in ACCOUNT_ERRORS:
        return Reconnect(texts.SUSPENDED)
    if status == 401 or error in TOKEN_ERRORS:
        return Reconnect(texts.NO_SESSION)
    if status == 429:
        return Retry(texts.TOO_MANY, after=_wait(answer.headers))
    if status == 501:
        return Unsupported(texts.NOT_OFFERED)
    if status == 504:
        return Unknown(texts.BUSY)
    if status >= 500:
        return Retry(texts.BUSY)
    kind = Missing if error in MISSING else Swapped if error == "InvalidSwap" else Refused
    return kind(texts.refused(said))


def claims(token: str) -> dict[str, Any]:
    """What a session's token says of itself. It isn't ours to verify: the server made it for itself."""
    try:
        part = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def expiry(token: str) -> datetime | None:
    seconds = claims(token).get("exp")
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None
    except (OverflowError, OSError, ValueError):
        return None


def moment_of(seconds: str) -> datetime | None:
    """A Unix time from a header."""
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() and len(seconds) < 12 else None


def _wait(headers: Mapping[str, str]) -> timedelta:
    after = headers.get("retry-after", "")
    if after.isdecimal() and len(after) < 8:
        return timedelta(seconds=int(after))
    until = moment_of(headers.get("ratelimit-reset", ""))
    return max(until - clock.now(), timedelta(seconds=1)) if until else WAIT


def _words(answer: Answer, account: Account) -> tuple[str, str]:
    """The name of an error, and the network's own words without anything that is secret."""
    try:
        said = _object(answer)
    except BadPayload:
        return "", ""
    error, message = said.get("error"), said.get("message")
    words = message if isinstance(message, str) else error if isinstance(error, str) else ""
    for secret in account.secrets.values():
        words = words.replace(secret, "•••") if secret else words
    return error if isinstance(error, str) else "", redact(words, longest=150)


def _written(answer: Answer) -> dict[str, Any]:
    if not answer.body:
        return {}
    try:
        return _object(answer)
    except BadPayload:
        raise Unknown(texts.NOT_READABLE) from None


def _object(answer: Answer) -> dict[str, Any]:
    said = answer.json()
    if not isinstance(said, dict):
        raise BadPayload(texts.NOT_READABLE)
    return said
