"""Middleware of whoever is signed in."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from tertulia.core import clock

from . import sessions

Handler = Callable[[HttpRequest], HttpResponse]


def session_lives_on(get_response: Handler) -> Handler:
    """With each page that somebody opens; not with what an open page asks for by itself."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate":
            sessions.live_on(request.session, clock.now())
        return get_response(request)

    return handle


def own_language(get_response: Handler) -> Handler:
    """The reader's own, when they chose one, before the browser's."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language
        return get_response(request)

    return handle
