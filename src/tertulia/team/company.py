"""What the company's own sign-in (OpenID Connect) says of somebody: how they proved who they are, and that they left.

Both are kept with the session here, since both are about it and end with it: `sid` names the session at the company.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import jwt
import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest

Said = Mapping[str, Any]

_KEY = "company"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
"""Signatures by a key that only the provider has. None by a shared secret: a public key would pass for one."""
LONGEST_TOKEN = 16_384
LONGEST_WORD = 200
LEEWAY = 60
"""Seconds by which the provider's clock may differ from ours."""
OLDEST = 60 * 60
"""Seconds after which nothing of a token is believed, whatever end it gives itself: as long are ids remembered."""
FRESH = 5 * 60.0
PATIENCE = 10.0
"""Seconds between two questions for a provider's keys, whoever sends tokens that name unknown ones."""


class BadToken(Exception):
    """Why a token is not believed: words for whoever runs the provider."""


# How somebody signed in there


def said_of(login: SocialLogin | None) -> dict[str, Any]:
    """What the ID token of this signing in says: `provider`, `sub`, `sid`, `acr`, `amr`, `auth_time`, `iat`."""
    if login is None:
        return {}
    token = login.account.extra_data.get("id_token")
    claims = token if isinstance(token, dict) else {}
    amr = claims.get("amr")
    return {
        "provider": login.account.provider,
        "sub": login.account.uid,
        **{name: _word(claims.get(name)) for name in ("sid", "acr")},
        "amr": [_word(one) for one in amr[:20] if _word(one)] if isinstance(amr, list) else [],
        **{name: _seconds(claims.get(name)) for name in ("auth_time", "iat")},
    }


def names_another(login: SocialLogin) -> bool:
    """Whether the ID token is about somebody else than the answer to "who is it?" (OpenID Connect Core, 5.3.2)."""
    data = login.account.extra_data
    about = [
        part["sub"] for name in ("id_token", "userinfo") if isinstance(part := data.get(name), dict) and "sub" in part
    ]
    return len(set(map(str, about))) > 1


def is_too_weak(said: Said) -> bool:
    """Whether the installation demands another way of proving it than the company says it was."""
    acr, amr = settings.OIDC_ACR, settings.OIDC_AMR
    return bool(acr and said["acr"] not in acr) or bool(amr and not set(amr) & set(said["amr"]))


def keep(session: SessionBase, said: Said) -> None:
    """With the session that is about to begin; nothing when it begins otherwise."""
    if said:
        session[_KEY] = dict(said)
    else:
        session.pop(_KEY, None)


def in_words(said: Said) -> str:
    """For the log."""
    at = datetime.fromtimestamp(said["auth_time"], UTC).isoformat() if said["auth_time"] else ""
    told = {"acr": said["acr"], "amr": " ".join(said["amr"]), "auth_time": at}
    return ", ".join(f"{name} {value}" for name, value in told.items() if value) or "not said how"


def kept(session: SessionBase) -> dict[str, Any]:
    """What was kept with the session; nothing when it didn't begin at the company's."""
    said: dict[str, Any] = session.get(_KEY) or {}
    return said


def _word(value: object) -> str:
    return value[:LONGEST_WORD] if isinstance(value, str) else ""


def _seconds(value: object) -> int:
    is_moment = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**32
    return int(value) if is_moment else 0  # type: ignore[call-overload]


# That they left: https://openid.net/specs/openid-connect-backchannel-1_0.html


@dataclass(frozen=True, slots=True)
class Ended:
    sessions: int
    users: tuple[int, ...]


def end_sessions(request: HttpRequest, provider_id: str, token: str) -> Ended:
    """End what a logout token says: the sessions that began with the company's one (`sid`), else all of that person's
    that began at this provider; those that began with a password or a passkey go on.

    Raises `BadToken`, and `SocialApp.DoesNotExist` for a provider nobody set up.
    """
    adapter = OpenIDConnectOAuth2Adapter(request, provider_id)
    app = adapter.get_provider().app
    claims = _verified(token, adapter, app.client_id)
    return _end(app.provider_id, claims)


def has_ended(said: Said) -> bool:
    """Whether the company said meanwhile that this is over: a second step here leaves time for it."""
    if not said:
        return False
    by_session = cache.get(_remembered(said["provider"], "sid", said["sid"])) if said["sid"] else None
    of_person = cache.get(_remembered(said["provider"], "sub", said["sub"]))
    return by_session is not None or (of_person is not None and said["iat"] <= of_person)


@transaction.atomic
def _end(provider: str, claims: Mapping[str, Any]) -> Ended:
    """All or nothing: a token counts as used when it was carried out."""
    if not cache.add(_remembered(provider, "jti", claims["jti"]), True, OLDEST + 2 * LEEWAY):
        raise BadToken("this token was used already")
    sub, sid = claims.get("sub", ""), claims.get("sid", "")
    name, value = ("sid", sid) if sid else ("sub", sub)
    cache.set(_remembered(provider, name, value), claims["iat"], OLDEST)
    ended = []
    known = {one.session_key: one for one in UserSession.objects.all()}
    for session in Session.objects.filter(session_key__in=known):
        if _is_meant(session.get_decoded().get(_KEY) or {}, provider, sub, sid):
            one = known[session.session_key]
            one.end()
            ended.append(one.user_id)
    return Ended(len(ended), tuple(sorted(set(ended))))


def _is_meant(said: Said, provider: str, sub: str, sid: str) -> bool:
    if said.get("provider") != provider or (sub and said["sub"] != sub):
        return False
    # Of a session that began without a name for it only the person is known.
    return not sid or said["sid"] == sid or bool(sub and not said["sid"])


def _remembered(provider: str, name: str, value: str) -> str:
    """A name in the cache, whatever the provider's own names look like."""
    return "team.company:" + sha256(f"{provider}\0{name}\0{value}".encode(errors="replace")).hexdigest()


def _verified(token: str, adapter: OpenIDConnectOAuth2Adapter, client_id: str) -> dict[str, Any]:
    """The claims of a logout token in which everything is as 2.6 of the specification demands."""
    if not token or len(token) > LONGEST_TOKEN:
        raise BadToken("there is no logout_token, or it is far too long")
    try:
        header = jwt.get_unverified_header(token)
        algorithm = str(header.get("alg"))
        if algorithm not in ALGORITHMS or str(header.get("typ", "JWT")).lower() not in {"jwt", "logout+jwt"}:
            raise BadToken("it is signed otherwise than a logout token may be, or is a token of another kind")
        issuer, key = _issuer_and_key(adapter, header)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "aud", "iat", "exp", "jti", "events"]},
        )
    except jwt.PyJWTError as error:
        raise BadToken(str(error)[:LONGEST_WORD]) from None
    _check(claims, client_id)
    return claims


def _check(claims: Mapping[str, Any], client_id: str) -> None:
    events = claims["events"]
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise BadToken("it tells of no back-channel logout")
    if "nonce" in claims:
        raise BadToken("it has a nonce: it is an ID token")
    if claims["aud"] not in (client_id, [client_id]):
        raise BadToken("it is for others too")
    if claims["iat"] < time.time() - OLDEST - LEEWAY:
        raise BadToken("it was issued too long ago")
    words = [claims[name] for name in ("sub", "sid", "jti") if name in claims]
    if not all(isinstance(one, str) and 0 < len(one) <= LONGEST_WORD for one in words) or len(words) < 2:
        raise BadToken("it names neither a person nor a session, or not in words")


@dataclass(frozen=True, slots=True)
class _Provider:
    """What a provider says of itself, as of a moment of the process's own clock; without keys when it couldn't be
    asked."""

    asked_at: float
    issuer: str = ""
    keys: tuple[dict[str, Any], ...] = ()


_providers: dict[str, _Provider] = {}
_asking = threading.Lock()


def _issuer_and_key(adapter: OpenIDConnectOAuth2Adapter, header: Mapping[str, Any]) -> tuple[str, Any]:
    """Asked for again when they are old, or don't hold the key: providers change keys without notice."""
    address = adapter.get_provider().server_url
    with _asking:
        known = _providers.get(address)
        age = time.monotonic() - known.asked_at if known else FRESH
        if known is None or age >= FRESH or (age >= PATIENCE and _fitting(known.keys, header) is None):
            known = _providers[address] = _asked(adapter)
    if not known.issuer:
        raise BadToken("the keys of the provider could not be fetched")
    found = _fitting(known.keys, header)
    if found is None:
        raise BadToken("the provider has no such key")
    return known.issuer, jwt.PyJWK(found, algorithm=header["alg"]).key


def _asked(adapter: OpenIDConnectOAuth2Adapter) -> _Provider:
    try:
        config = adapter.openid_config
        with get_adapter().get_requests_session() as session:
            answer = session.get(config["jwks_uri"])
            answer.raise_for_status()
            keys = answer.json()["keys"]
        return _Provider(time.monotonic(), str(config["issuer"]), tuple(one for one in keys if isinstance(one, dict)))
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return _Provider(time.monotonic())


def _fitting(keys: Iterable[dict[str, Any]], header: Mapping[str, Any]) -> dict[str, Any] | None:
    """The one key this can be signed with; None when there is none, or no telling which."""
    algorithm, kid = str(header["alg"]), header.get("kid")
    found = [
        one
        for one in keys
        if one.get("kty") == KINDS[algorithm[:2]]
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (kid is None or one.get("kid") == kid)
    ]
    return found[0] if len(found) == 1 else None
