"""The door of every operation: whose token it is, what it may do, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.models import Membership, User
from tertulia.team.permissions import PERMISSIONS

from . import allowance
from .errors import ApiError, invalid, unauthorised
from .models import Token, secret_hash
from .scopes import SCOPES


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a token acts as its user, in its brand, with the role they have there now."""

    token: Token
    user: User
    brand: Brand
    membership: Membership


class Call(HttpRequest):
    """A request that has passed the door."""

    auth: Caller


class TokenAuth(HttpBearer):
    """Opens an operation to tokens that have the scope, while their user's role has the permission."""

    openapi_bearerFormat = "tt_…"

    def __init__(self, scope: str, permission: str) -> None:
        super().__init__()
        self.scope, self.permission = scope, permission

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        caller = _caller(token)
        wait = allowance.take(caller.token, at=clock.now())
        if wait:
            raise ApiError(
                429, "too_many_calls", _("This token has used up its calls of this minute."),
                what_to_do=_("Repeat the call in {seconds} seconds.").format(seconds=wait),
                headers={"Retry-After": str(wait)},
            )  # fmt: skip
        self.check(caller)
        _check_parameters(request)
        return caller

    def check(self, caller: Caller) -> None:
        """Raises `ApiError` 403."""
        if self.scope and self.scope not in caller.token.scopes:
            raise ApiError(
                403, "scope_missing", _("This token was not given the scope {scope}.").format(scope=self.scope),
                what_to_do=_("Make a token that has it."),
            )  # fmt: skip
        if self.permission and not caller.membership.may(self.permission):
            raise ApiError(
                403, "not_allowed", _("The role of the token's user does not allow this."),
                what_to_do=_("Ask a manager of the brand for another role, or use a token of somebody who may."),
            )  # fmt: skip


def door(scope: str = "", permission: str = "", *, needs_key: bool = False) -> dict[str, Any]:
    """What an operation is declared with: `@router.get("/labels", **door("conversations:read", "inbox.read"))`.

    Without arguments any valid token passes. `needs_key`: the header Idempotency-Key is required. All of it also stands
    in the OpenAPI document, where the tests find it.
    """
    if scope and scope not in SCOPES:
        raise LookupError(scope)
    if permission and permission not in PERMISSIONS:
        raise LookupError(permission)
    extra: dict[str, Any] = {"x-scope": scope or None, "x-permission": permission or None}
    if needs_key:
        extra["parameters"] = [_KEY_HEADER]
    return {"auth": TokenAuth(scope, permission), "openapi_extra": extra}


_KEY_HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "A value of your own, new for each thing you ask for; the same when you repeat the call",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def _caller(secret: str) -> Caller:
    token = (
        Token.objects.select_related("user", "brand").filter(hash=secret_hash(secret)).first()
        if secret.isascii()
        else None
    )
    if token is None:
        raise unauthorised("bad_token", _("There is no such token."), _("Check that it was copied whole."))
    another = _("Make a new token under Settings › API and webhooks.")
    if token.revoked_at is not None:
        raise unauthorised("token_revoked", _("This token was revoked."), another)
    if token.has_expired(clock.now()):
        raise unauthorised("token_expired", _("This token has expired."), another)
    membership = Membership.objects.filter(user_id=token.user_id, brand_id=token.brand_id).first()
    if membership is None or not token.user.is_active:
        raise unauthorised("no_member", _("The token's user no longer belongs to the brand."), another)
    membership.user, membership.brand = token.user, token.brand
    return Caller(token, token.user, token.brand, membership)


# Unknown parameters


def names_parameters(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Tell the door which parameters the operation knows, so that a mistyped filter is not passed over in silence."""
    known = {
        name
        for model in run.__self__.models  # type: ignore[attr-defined]
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    }

    @wraps(run)
    def named(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.known_parameters = known
        return run(request, *args, **kwargs)

    return named


def _check_parameters(request: Any) -> None:
    wrong: dict[str, str] = {}
    for name, values in request.GET.lists():
        if name not in request.known_parameters:
            wrong[name[:60]] = _("There is no such parameter.")
        elif len(values) > 1:
            wrong[name] = _("This may be given once only.")
    if wrong:
        raise invalid(wrong)
