"""Reads a JSON body strictly: what two parsers could read differently is refused, and so is what can't be stored."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.parser import Parser
from ninja.types import DictStrAny

from .errors import ApiError

MAX_BODY = 1_500_000
"""Bytes. The longest text a channel takes is far below."""
MAX_DIGITS = 30


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> DictStrAny:
        if request.content_type != "application/json":
            raise _bad(
                415, "not_json", _("The body must be JSON."), _("Send the header “Content-Type: application/json”.")
            )
        if len(request.body) > MAX_BODY:
            raise ApiError(413, "too_large", _("The body is too large."))
        return read(request.body)


def read(body: bytes) -> DictStrAny:
    """Raises `ApiError` 400 for anything but one plain JSON object in UTF-8."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_int,
            parse_float=_float,
        )
        json.dumps(value, ensure_ascii=False).encode()  # lone surrogates can be written as \ud800 but not stored
    except (ValueError, RecursionError) as error:  # UnicodeError and JSONDecodeError are ValueErrors
        raise _bad(400, "bad_json", _("The body is not plain JSON in UTF-8."), _why(error)) from None
    if not isinstance(value, dict):
        raise _bad(400, "bad_json", _("The body must be a JSON object."), "")
    return value


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return _("Look at line {line}, column {column}.").format(line=error.lineno, column=error.colno)
    return str(error) if isinstance(error, _Refused) else ""


class _Refused(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused(_("A name stands twice in one object."))
    return value


def _constant(name: str) -> NoReturn:
    raise _Refused(_("{name} is not JSON.").format(name=name))


def _int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _Refused(_("A number has too many digits."))
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if value in {float("inf"), float("-inf")}:
        raise _Refused(_("A number is too large."))
    return value


def _bad(status: int, code: str, message: str, what_to_do: str) -> ApiError:
    return ApiError(status, code, message, what_to_do=what_to_do)
