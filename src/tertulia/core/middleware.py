"""Middleware of every page."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from . import logs, metrics
from .proxies import client_address

log = logging.getLogger("tertulia.requests")
REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
"""Told with the address; what another brand has is "not found" to who is signed in, and told, too."""

Handler = Callable[[HttpRequest], HttpResponse]


def followed(get_response: Handler) -> Handler:
    """Each request has an id, which its answer, what is logged and the jobs it leads to carry, and is counted."""

    def handle(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        id = logs.id_of(request, is_trusted=settings.IS_BEHIND_PROXY)
        with logs.following(id, request):
            response = get_response(request)
            seconds = time.perf_counter() - began
            metrics.count_request(response.status_code, seconds)
            route = request.resolver_match.route if request.resolver_match else "–"  # the address may hold a token
            who, status = logs.who(request), response.status_code
            is_refused = status in REFUSED or (status == HTTPStatus.NOT_FOUND and bool(who))
            told = {"who": who, "address": client_address(request) if is_refused else ""}
            level = logging.WARNING if is_refused else logging.INFO
            log.log(level, "%s /%s: %s in %.0f ms", request.method, route, status, seconds * 1000, extra=told)
        response["X-Request-ID"] = id
        return response

    return handle


def private_pages(get_response: Handler) -> Handler:
    """What a signed-in person sees is stored by no cache on the way."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        return response

    return handle
