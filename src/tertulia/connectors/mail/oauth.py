"""Access that somebody gives on Google's or Microsoft's own page, for an app that the house has registered there."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tertulia.connectors.contract import (
    Account,
    BadPayload,
    Consent,
    Granted,
    Http,
    Reconnect,
    Retry,
    Unknown,
    Unsupported,
)

from . import texts
from .servers import address_of, kind_of, word


@dataclass(frozen=True, slots=True)
class Provider:
    """`{tenant}` in an address stands for the organisation."""

    ask: str
    give: str
    scope: str
    extra: Mapping[str, str]


PROVIDERS = {
    "google": Provider(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://mail.google.com/",
        {"access_type": "offline", "prompt": "consent"},  # else a second consent brings no refresh token
    ),
    "microsoft": Provider(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access",
        {"prompt": "select_account"},
    ),
}


def begin(account: Account, back_to: str, state: str) -> Consent:
    provider, client = _provider(account), _client(account)
    verifier = secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": back_to,
        "scope": provider.scope,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "login_hint": address_of(account),
        **provider.extra,
    }
    return Consent(f"{provider.ask}?{urlencode(query)}", {"verifier": verifier})


def finish(http: Http, account: Account, back_to: str, kept: Mapping[str, str], code: str) -> Granted:
    said = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back_to,
        "code_verifier": kept.get("verifier", ""),
        **_client(account),
    }
    granted = _granted(_ask(http, account, said, texts.NO_CODE))
    if not granted.secrets["refresh"]:
        raise Reconnect(texts.NO_CODE)  # it would end within the hour, and nobody could tell why
    return granted


def renew(http: Http, account: Account) -> Granted:
    """A fresh access token; Microsoft gives a new refresh token along with it, too."""
    if kind_of(account) == "password":
        raise Reconnect(texts.WRONG_PASSWORD)
    refresh = account.secrets.get("refresh", "")
    if not refresh:
        raise Reconnect(texts.NO_CONSENT if not account.secrets.get("token") else texts.TOKEN_ENDED)
    said = {"grant_type": "refresh_token", "refresh_token": refresh, **_client(account)}
    return _granted(_ask(http, account, said, texts.TOKEN_ENDED))


def _ask(http: Http, account: Account, said: Mapping[str, str], refusal: str) -> dict[str, Any]:
    try:
        answer = http.request("POST", _provider(account).give, data=said)
        body = answer.json()
    except (Unknown, BadPayload):
        raise Retry(texts.PROVIDER_TROUBLE) from None  # to ask for a token again does no harm
    if answer.status == 429 or answer.status >= 500:
        raise Retry(texts.PROVIDER_TROUBLE)
    if answer.status != 200 or not isinstance(body, dict) or not word(body.get("access_token")):
        raise Reconnect(refusal)
    return body


def _granted(said: Mapping[str, Any]) -> Granted:
    seconds = said.get("expires_in")
    lasts = timedelta(seconds=seconds) if isinstance(seconds, int) and 0 < seconds < 10**7 else None
    return Granted(
        secrets={"token": word(said.get("access_token")), "refresh": word(said.get("refresh_token"))},
        expires_at=datetime.now(UTC) + lasts if lasts else None,
        scopes=word(said.get("scope")).split(),
    )


def _client(account: Account) -> dict[str, str]:
    """A public app has no secret."""
    client_id = word(account.settings.get("client_id"))
    if not client_id:
        raise Reconnect(texts.NO_CLIENT)
    secret = account.secrets.get("client_secret", "")
    return {"client_id": client_id} | ({"client_secret": secret} if secret else {})


def _provider(account: Account) -> Provider:
    provider = PROVIDERS.get(kind_of(account))
    if provider is None:
        raise Unsupported(texts.PASSWORD_WILL_DO)
    tenant = word(account.settings.get("tenant")) or "common"
    if not tenant.replace("-", "").replace(".", "").isalnum():
        raise Reconnect(texts.NO_CLIENT)
    return Provider(
        provider.ask.format(tenant=tenant), provider.give.format(tenant=tenant), provider.scope, provider.extra
    )
