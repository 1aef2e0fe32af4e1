"""How the account gets in: where its server is, and the token that a user and a password give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tertulia.connectors.contract import Account, BadPayload, Granted, Http, Reconnect, Refused, Retry

from . import texts
from .client import address_of, ask, server_of, table, word, words_of

LONG = timedelta(hours=1)
"""Tokens that end sooner are renewed when the server refuses them, not by the clock."""


def find_server(http: Http, account: Account) -> str:
    """The address of the client API: the one given, or the one to which the server's name leads."""
    given = server_of(account.settings)
    if not given:
        raise Reconnect(texts.NO_ADDRESS)
    if _is_matrix(http, given):
        return given
    status, said = ask(http, "GET", f"{given}/.well-known/matrix/client")
    base = word(table(said.get("m.homeserver")).get("base_url")).rstrip("/") if status == 200 else ""
    if not base or not _is_matrix(http, base):
        raise Refused(texts.NOT_MATRIX)
    return base


def _is_matrix(http: Http, base: str) -> bool:
    try:
        status, said = ask(http, "GET", f"{base}/_matrix/client/versions")
    except Retry as retry:
        if retry.why != texts.UNREADABLE:
            raise
        return False
    return status == 200 and isinstance(said.get("versions"), list)


def renew(http: Http, account: Account) -> Granted:
    """A fresh token: with the refresh token where the server gave one, else by signing in again as the same device."""
    address = address_of(account.settings)
    if refresh := account.secrets.get("refresh_token"):
        status, said = ask(http, "POST", f"{address}/v3/refresh", json={"refresh_token": refresh})
        if status == 200:
            return _granted(said, account)
    user, password = word(account.settings.get("user")), account.secrets.get("password", "")
    if not user or not password:
        raise Reconnect(texts.NO_CREDENTIALS)
    if not account.settings.get("found"):
        address = f"{find_server(http, account)}/_matrix/client"
    return _sign_in(http, account, address, user, password)


def _sign_in(http: Http, account: Account, address: str, user: str, password: str) -> Granted:
    body: dict[str, Any] = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user},
        "password": password,
        "initial_device_display_name": "Tertulia",
        "refresh_token": True,
    }
    if device := word(account.settings.get("device_id")):
        body["device_id"] = device
    status, said = ask(http, "POST", f"{address}/v3/login", json=body)
    if status == 403:
        raise Reconnect(texts.NO_LOGIN)
    if word(said.get("errcode")) in {"M_UNKNOWN", "M_UNRECOGNIZED"}:
        raise Reconnect(texts.NO_PASSWORD_LOGIN)
    if status != 200:
        raise Refused(f"Matrix: {words_of(status, said).replace(password, '•••')}")
    return _granted(said, account)


def _granted(said: dict[str, Any], account: Account) -> Granted:
    token = word(said.get("access_token"))
    if not token:
        raise BadPayload(texts.UNREADABLE)
    ends_in = said.get("expires_in_ms")
    life = timedelta(milliseconds=ends_in) if isinstance(ends_in, int) and 0 < ends_in < 10**13 else None
    device = word(said.get("device_id")) or word(account.settings.get("device_id"))
    return Granted(
        secrets={"token": token, "refresh_token": word(said.get("refresh_token"))},
        settings={"device_id": device} if device else {},
        expires_at=datetime.now(UTC) + life if life and life > LONG else None,
    )
