"""Middleware of every page."""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from . import logs, metrics

log = logging.getLogger("tertulia.requests")

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
            log.info("%s /%s: %s in %.0f ms", request.method, route, response.status_code, seconds * 1000)
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
