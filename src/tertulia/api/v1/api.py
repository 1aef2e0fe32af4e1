"""The API as a whole: its operations, its document, and how problems of the rooms below are answered."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from tertulia.inbox import actions as inbox
from tertulia.publishing import library as pictures
from tertulia.publishing import problems, rights

from .. import actions, errors, webhooks
from ..access import names_parameters
from ..body import StrictParser
from ..errors import ApiError
from . import conversations, conversions, desk, ideas, library, people, posts, readings, topics
from . import webhooks as webhook_operations

DESCRIPTION = """\
The desk for programs. Every call carries a token (`Authorization: Bearer tt_…`) made under Settings › API and
webhooks. A token belongs to one brand and acts as the person who made it: it may do what its scopes and their role
both allow, and it ends with their place in the brand.

Lists answer `{"items": […], "next": …}`; send `next` as `after` for the page that follows. Moments are ISO 8601 in
UTC. Whatever goes wrong is answered `{"error": {"code", "message", "what_to_do"?, "fields"?}}`: 400 unreadable, 401
no valid token, 403 not allowed, 404 not there or another brand's, 409 it collides with what is, 413 too large, 415
not JSON, 422 a value that can't be used, 429 too many calls (600 a minute; see `Retry-After`), 503 busy.
"""


class Api(NinjaAPI):
    @cached_property
    def document(self) -> OpenAPISchema:
        """The OpenAPI document: the same for everybody, so it is made once."""
        document = super().get_openapi_schema(path_prefix="/api/v1/")
        for methods in document["paths"].values():
            for operation in methods.values():
                operation["summary"] = operation["description"].split(". ")[0].split(".\n")[0].rstrip(".")
        return document

    def get_openapi_schema(self, **_parts: Any) -> OpenAPISchema:
        return self.document

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


def build() -> Api:
    api = Api(
        title="Tertulia", version="1.0.0", description=DESCRIPTION, urls_namespace="api:v1", parser=StrictParser(),
        openapi_extra={"webhooks": _documented_events()},
    )  # fmt: skip
    errors.install(api)
    _answer_problems(api)
    api.add_decorator(names_parameters, mode="view")
    for module in (
        desk,
        conversations,
        people,
        readings,
        topics,
        conversions,
        ideas,
        posts,
        library,
        webhook_operations,
    ):
        api.add_router("", module.router)
    return api


def _answer_problems(api: NinjaAPI) -> None:
    """Actions say why they can't be done; here it becomes a status and a code."""
    refusals: dict[type[Exception], tuple[int, str]] = {
        inbox.Problem: (422, "refused"),
        inbox.Empty: (422, "empty"),
        inbox.TooLong: (422, "too_long"),
        inbox.NotAllowedHere: (422, "not_allowed_here"),
        inbox.CannotReply: (409, "cannot_reply"),
        inbox.TooLate: (409, "too_late"),
        problems.Problem: (422, "refused"),
        problems.NotHere: (422, "not_here"),
        problems.NotAsked: (403, "not_asked"),
        problems.Settled: (409, "settled"),
        problems.Unfit: (422, "unfit"),
        problems.Changed: (409, "changed"),
        problems.NotApproved: (409, "not_approved"),
        problems.TooLate: (409, "too_late"),
        rights.Unallowed: (422, "not_allowed_here"),
        pictures.NotAPicture: (422, "not_a_picture"),
        webhooks.BadAddress: (422, "bad_address"),
        actions.Problem: (409, "refused"),
        actions.UnknownType: (422, "unknown_type"),
    }
    for kind, (status, code) in refusals.items():
        api.add_exception_handler(kind, _refusal(status, code))
    api.add_exception_handler(inbox.Answered, _answered)


def _refusal(status: int, code: str) -> Any:
    return lambda _request, problem: ApiError(status, code, str(problem)).response()


def _answered(request: HttpRequest, problem: Any) -> HttpResponse:
    facts = {"by": problem.by_name, "at": problem.at.isoformat().replace("+00:00", "Z")}
    return ApiError(409, "answered", str(problem), **facts).response()


def _documented_events() -> dict[str, Any]:
    """The `webhooks` part of the document: one entry for each kind of event there is."""
    with translation.override("en"):
        return {name: {"post": _event(name, str(kind.sentence))} for name, kind in webhooks.offered_types().items()}


def _event(name: str, sentence: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": name},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {
                "type": "object",
                "properties": {
                    "activity": {"type": "integer"},
                    "brand": {"type": "integer"},
                    "on": {
                        "type": "object",
                        "properties": {"kind": {"type": "string"}, "id": {"type": "integer"}},
                    },
                    "by": {"type": ["integer", "null"], "description": "The teammate who did it"},
                    "facts": {"type": "object"},
                },
            },
        },
    }
    return {
        "summary": sentence,
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {
            "2XX": {"description": "Taken. Anything else is repeated for a day under the same `webhook-id`."}
        },
    }


api = build()
