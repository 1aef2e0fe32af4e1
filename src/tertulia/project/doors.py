"""Who may listen to which live stream. Every function here runs in the live thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie

from tertulia.channels.models import Account
from tertulia.connectors.contract import BadPayload
from tertulia.flows import visitors
from tertulia.team import second_step
from tertulia.team.models import Membership

NOWHERE = (0, "")


@dataclass(frozen=True)
class Place:
    """What a stream listens to, and how to ask whether it still may."""

    kind: str
    who: str
    brand_id: int
    still_open: Callable[[datetime], bool]
    thread: tuple[int, str] = NOWHERE
    headers: Sequence[tuple[str, str]] = ()


class Closed(Exception):
    """No stream for this request."""

    def __init__(self, status: int, why: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(why)
        self.status, self.why, self.headers = status, why, headers


def knock(path: str, headers: Mapping[str, str], query: Mapping[str, Sequence[str]], at: datetime) -> Place:
    """Raises `Closed`."""
    match path.strip("/").split("/"):
        case ["live", "desk", slug]:
            return _desk(slug, parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME, ""))
        case ["live", "site", key]:
            return _site(key, (query.get("visitor") or [""])[0], headers)
    raise Closed(404, "There is nothing here.")


def _desk(slug: str, session_key: str) -> Place:
    user_id = _signed_in(session_key)
    if not user_id:
        raise Closed(401, "Sign in first.")
    membership = _membership(user_id, brand__slug=slug)
    if membership is None:
        raise Closed(404, "There is nothing here.")
    brand_id = membership.brand_id

    def still_open(_at: datetime) -> bool:
        return _signed_in(session_key) == user_id and _membership(user_id, brand_id=brand_id) is not None

    return Place("desk", f"user {user_id}", brand_id, still_open)


def _site(key: str, token: str, headers: Mapping[str, str]) -> Place:
    origin = headers.get("origin", "")
    try:
        account = visitors.account_of(key)
        if origin and not visitors.is_allowed(account, origin, own=_own_origin(headers)):
            raise Closed(403, "This page may not use the chat.")
        allow = (("access-control-allow-origin", origin), ("vary", "Origin")) if origin else ()
        thread_id = visitors.recognise(account, token)
    except (Account.DoesNotExist, visitors.Closed):
        raise Closed(404, "There is nothing here.") from None
    except BadPayload:
        raise Closed(401, "Ask for a new visitor token.", allow) from None

    def still_open(_at: datetime) -> bool:
        try:
            return visitors.recognise(visitors.account_of(key), token) == thread_id
        except (Account.DoesNotExist, visitors.Closed, BadPayload):
            return False

    who = f"visitor {account.pk} {thread_id}"
    return Place("site", who, account.brand_id, still_open, (account.pk, thread_id), allow)


def _own_origin(headers: Mapping[str, str]) -> str:
    return f"{urlsplit(settings.PUBLIC_URL).scheme}://{headers.get('host', '')}"


def _signed_in(session_key: str) -> int | None:
    """Whose the session is, with everything Django checks on a page: life, password, active user."""
    if not session_key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return get_user(request).pk


def _membership(user_id: int, **brand: object) -> Membership | None:
    found = Membership.objects.select_related("user").filter(user_id=user_id, **brand).first()
    return found if found and found.may("inbox.read") and not second_step.is_missing(found) else None
