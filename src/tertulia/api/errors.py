"""One shape for everything that goes wrong: {"error": {"code", "message", "what_to_do"?, "fields"?}}.

`code` is stable and for programs; the rest is for people, in the language of Accept-Language.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

log = logging.getLogger(__name__)

Text = str | Promise
View = Callable[..., HttpResponse]


class ApiError(Exception):
    """A refusal, ready to be answered."""

    def __init__(
        self, status: int, code: str, message: Text, *, what_to_do: Text = "",
        fields: Mapping[str, Text] | None = None, headers: Mapping[str, str] | None = None, **facts: Any,
    ) -> None:  # fmt: skip
        super().__init__(code)
        self.status, self.code, self.message, self.what_to_do = status, code, message, what_to_do
        self.fields, self.headers, self.facts = fields or {}, headers or {}, facts

    def response(self) -> HttpResponse:
        error: dict[str, Any] = {"code": self.code, "message": str(self.message)}
        if self.what_to_do:
            error["what_to_do"] = str(self.what_to_do)
        if self.fields:
            error["fields"] = {name: str(says) for name, says in self.fields.items()}
        return JsonResponse({"error": error | self.facts}, status=self.status, headers=dict(self.headers))


def not_found() -> ApiError:
    return ApiError(404, "not_found", _("There is nothing here."), what_to_do=_("Check the address and the id."))


def invalid(fields: Mapping[str, Text]) -> ApiError:
    message = _("Some of what was sent can't be used.")
    return ApiError(422, "invalid", message, what_to_do=_("See the fields."), fields=fields)


def unauthorised(code: str, message: Text, what_to_do: Text) -> ApiError:
    return ApiError(401, code, message, what_to_do=what_to_do, headers={"WWW-Authenticate": 'Bearer realm="Tertulia"'})


_SAYS: dict[str, Text] = {
    "missing": gettext_lazy("This is required."),
    "extra_forbidden": gettext_lazy("There is no such field."),
    "string_type": gettext_lazy("This must be a text."),
    "int_type": gettext_lazy("This must be a whole number."),
    "int_parsing": gettext_lazy("This must be a whole number."),
    "int_from_float": gettext_lazy("This must be a whole number."),
    "bool_type": gettext_lazy("This must be true or false."),
    "list_type": gettext_lazy("This must be a list."),
    "model_type": gettext_lazy("This must be an object."),
    "model_attributes_type": gettext_lazy("This must be an object."),
    "string_too_short": gettext_lazy("This must not be empty."),
    "string_too_long": gettext_lazy("This is too long."),
    "too_long": gettext_lazy("This has too many entries."),
    "too_short": gettext_lazy("This has too few entries."),
    "greater_than_equal": gettext_lazy("This number is too small."),
    "less_than_equal": gettext_lazy("This number is too large."),
    "literal_error": gettext_lazy("This is none of the choices: {expected}."),
}


def from_validation(error: ValidationError) -> ApiError:
    """What pydantic found, in our words; an id in the path that can't be one is simply not found."""
    if any(each["loc"] and each["loc"][0] == "path" for each in error.errors):
        return not_found()
    return invalid({_field(each["loc"]): _says(each) for each in error.errors})


def _field(loc: Sequence[Any]) -> str:
    # ("body", "body", "text") → text: where it stood, then the name of our parameter, say nothing to the caller.
    inner = [str(part) for part in loc[1:]]
    if loc and loc[0] in {"body", "query"} and inner[:1] in (["body"], ["query"]):
        inner = inner[1:]
    return ".".join(inner)[:200] or "body"


def _says(each: Mapping[str, Any]) -> str:
    if each["type"] == "value_error":
        return str(each["ctx"]["error"])
    expected = each.get("ctx", {}).get("expected", "")
    return str(_SAYS.get(each["type"], gettext_lazy("This value can't be used."))).format(expected=expected)


def install(api: NinjaAPI) -> None:
    """Let every exception that can leave an operation be answered in our shape."""
    handlers: dict[type[Exception], Callable[[Any], ApiError]] = {
        ApiError: lambda error: error,
        Http404: lambda _error: not_found(),
        ValidationError: from_validation,
        AuthenticationError: lambda _error: unauthorised(
            "no_token",
            _("This needs a token."),
            _("Send the header “Authorization: Bearer tt_…”; tokens are made under Settings › API and webhooks."),
        ),
        HttpError: _from_ninja,
        RequestDataTooBig: _too_large,
        TooManyFieldsSent: _too_large,
        TooManyFilesSent: _too_large,
        UnreadablePostError: _not_whole,
        MultiPartParserError: _not_whole,
        DatabaseError: _busy,
        Exception: _unforeseen,
    }
    for kind, answer in handlers.items():
        api.add_exception_handler(kind, _handler(answer))


def _from_ninja(error: HttpError) -> ApiError:
    """Whatever the parser raises arrives as the cause of an HttpError."""
    cause = error.__cause__
    return cause if isinstance(cause, ApiError) else ApiError(error.status_code, "refused", str(error))


def _handler(answer: Callable[[Any], ApiError]) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda _request, error: answer(error).response()


def _too_large(_error: Exception) -> ApiError:
    return ApiError(413, "too_large", _("The body is too large."))


def _not_whole(_error: Exception) -> ApiError:
    return ApiError(400, "unreadable", _("The body did not arrive whole."))


def _busy(error: DatabaseError) -> ApiError:
    log.error("The database failed under an API call", exc_info=error)
    return ApiError(
        503, "busy", _("The database is not available just now."), what_to_do=_("Repeat the call."),
        headers={"Retry-After": "5"},
    )  # fmt: skip


def _unforeseen(error: Exception) -> ApiError:
    log.error("An API call failed", exc_info=error)
    return ApiError(
        500, "unforeseen", _("Something failed here; nothing was changed."),
        what_to_do=_("Repeat the call; if it fails again, the log of the installation says why."),
    )  # fmt: skip


def in_our_shape(view: View) -> View:
    """Also what is answered before an operation is reached: a method that is not allowed, the bare root.

    No CSRF check: no browser sends a token by itself.
    """

    @csrf_exempt
    @wraps(view)
    def shaped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return not_found().response()
        if response.status_code != 405:
            return response
        allowed = response.get("Allow", "")
        return ApiError(
            405, "method_not_allowed", _("This address does not take that method."),
            what_to_do=_("It takes: {methods}.").format(methods=allowed), headers={"Allow": allowed},
        ).response()  # fmt: skip

    return shaped


@csrf_exempt
def nothing_here(request: HttpRequest, **_parts: str) -> HttpResponse:
    """Every address below /api/ that is not one."""
    return not_found().response()


def dumps(value: Any) -> str:
    """One text for one value, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
