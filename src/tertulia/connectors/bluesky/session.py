"""Sessions: an access token for two hours, and a refresh token that is used once and gives the next pair."""

from __future__ import annotations

from typing import Any

from tertulia.connectors.contract import (
    Account,
    Answer,
    BadPayload,
    Granted,
    Http,
    Outcome,
    Reconnect,
    Refused,
    Retry,
    Unknown,
)

from . import texts
from .client import claims, expiry, handle, is_in_session, meaning, service, sign_in


def renew(http: Http, account: Account) -> Granted:
    """A fresh pair from the refresh token; where that is used up or too old, by signing in again.

    Signing in is the second choice: 30 times in five minutes and 300 a day are allowed. An answer that got lost does no
    harm in either case: for a while the old refresh token names the same successor.
    """
    token = account.secrets.get("refresh", "")
    if token and is_in_session(account):
        headers = {"authorization": f"Bearer {token}"}
        answer = _ask(http, account, "refreshSession", headers=headers)
        bad = meaning(answer, account)
        if not bad:
            return _granted(answer, account)
        if not isinstance(bad, Reconnect | Refused) or bad.why == texts.SUSPENDED:
            raise _harmless(bad)
    return _sign_in(http, account)


def _sign_in(http: Http, account: Account) -> Granted:
    identifier, password = handle(account), account.secrets.get("app_password", "").strip()
    if not identifier or not password:
        raise Reconnect(texts.WRONG_PASSWORD)
    answer = _ask(http, account, "createSession", json={"identifier": identifier, "password": password})
    bad = meaning(answer, account)
    if isinstance(bad, Reconnect):
        asks_for_code = b"AuthFactorTokenRequired" in answer.body
        why = texts.REAL_PASSWORD if asks_for_code else bad.why if bad.why == texts.SUSPENDED else texts.WRONG_PASSWORD
        raise Reconnect(why)
    if bad:
        raise _harmless(bad)
    return _granted(answer, account)


def _harmless(bad: Outcome) -> Outcome:
    """To ask for a session again does no harm, so nothing of it is ever left open."""
    return Retry(bad.why) if isinstance(bad, Unknown) else bad


def _ask(http: Http, account: Account, method: str, **said: Any) -> Answer:
    try:
        return http.request("POST", f"{service(account)}/xrpc/com.atproto.server.{method}", **said)
    except Unknown as silence:
        raise _harmless(silence) from None


def _granted(answer: Answer, account: Account) -> Granted:
    try:
        said = answer.json()
        access, refresh, document = said["accessJwt"], said["refreshJwt"], said.get("didDoc")
    except (BadPayload, KeyError, TypeError, AttributeError):
        raise Retry(texts.NOT_READABLE) from None
    if not isinstance(access, str) or not isinstance(refresh, str) or not claims(access).get("sub"):
        raise Retry(texts.NOT_READABLE)
    scope = claims(access).get("scope")
    return Granted(
        secrets={"access": access, "refresh": refresh, "session_of": sign_in(account)},
        settings={"pds": _server(document)},
        expires_at=expiry(access),
        scopes=[scope] if isinstance(scope, str) else [],
    )


def _server(document: Any) -> str:
    """Where the account lives: a large host signs people in at one address and keeps them at others."""
    services = document.get("service") if isinstance(document, dict) else None
    for each in services if isinstance(services, list) else []:
        if isinstance(each, dict) and str(each.get("id", "")).endswith("#atproto_pds"):
            address = each.get("serviceEndpoint")
            if isinstance(address, str) and address.startswith(("https://", "http://")):
                return address.rstrip("/")
    return ""
