"""The public door of the company's own page. No cookie is read or set here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from tertulia.channels.models import Account
from tertulia.connectors.contract import BadPayload, TurnedAway
from tertulia.core import clock
from tertulia.core.proxies import client_address
from tertulia.flows import limits, visitors
from tertulia.flows.views.door import inbound_of

MAX_BODY = 256 * 1024
View = Callable[[HttpRequest, Account], HttpResponse]


def for_visitors(*methods: str) -> Callable[[View], Callable[[HttpRequest, str], HttpResponse]]:
    """Open a view to the pages of the account's allowed origins; what goes wrong is told in the visitor's language."""

    def decorate(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
        # No token against cross-site requests: nothing here acts in the name of a cookie. The visitor's signed token
        # stands in the request itself, and the origin is checked against the account's list.
        @csrf_exempt
        @wraps(view)
        def door(request: HttpRequest, public_key: str) -> HttpResponse:
            with translation.override(_language(request)):
                return _answer(view, request, public_key, methods)

        return door

    return decorate


@require_safe
def widget(request: HttpRequest) -> HttpResponse:
    """The one script, for every page: small, public, and asked for again every hour."""
    script = visitors.widget()
    etag = f'"{sha256(script).hexdigest()[:16]}"'
    is_known = request.headers.get("If-None-Match") == etag
    response = HttpResponseNotModified() if is_known else HttpResponse(script, "text/javascript; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=3600"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@for_visitors("GET")
def hello(request: HttpRequest, account: Account) -> HttpResponse:
    token, language = request.GET.get("visitor", ""), translation.get_language()
    return JsonResponse(
        visitors.greet(account, token=token, language=language, address=client_address(request), at=clock.now())
    )


@for_visitors("GET", "POST")
def messages(request: HttpRequest, account: Account) -> HttpResponse:
    if request.method == "POST":
        return _write(request, account)
    token, seen = request.GET.get("visitor", ""), request.GET.get("after", "")
    found = visitors.read(account, token=token, seen=seen, address=client_address(request), at=clock.now())
    return JsonResponse(found)


def _write(request: HttpRequest, account: Account) -> HttpResponse:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
        return _says(413, "too_long", _("The message is too long. Split it into several."))
    message, is_new = visitors.write(account, inbound_of(request))
    return JsonResponse({"message": message}, status=201 if is_new else 200)


def _answer(view: View, request: HttpRequest, public_key: str, methods: tuple[str, ...]) -> HttpResponse:
    try:
        account = visitors.account_of(public_key)
    except (Account.DoesNotExist, visitors.Closed):
        return _says(404, "no_chat", _("There is no chat here."))
    origin = request.headers.get("Origin", "")
    if not _is_from_an_allowed_page(request, account, origin):
        return _says(403, "origin", _("This page may not open the chat: its address isn't on the channel's list."))
    return _open_to(origin, _guarded(view, request, account, methods))


def _guarded(view: View, request: HttpRequest, account: Account, methods: tuple[str, ...]) -> HttpResponse:
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Access-Control-Allow-Methods": ", ".join(methods)})
    if request.method not in methods:
        return HttpResponse(status=405, headers={"Allow": ", ".join(methods)})
    try:
        return view(request, account)
    except TurnedAway as turned:
        return _says(422, turned.code, turned.says.get(translation.get_language()[:2], turned.says["en"]))
    except BadPayload as bad:
        code, status = ("visitor", 403) if bad.forged else ("unreadable", 400)
        return _says(status, code, _("The chat could not be read. Reload the page and try again."))
    except limits.TooMany as many:
        says = _("Too many messages at once. Try again in {seconds} seconds.").format(seconds=many.seconds)
        return _says(429, "too_many", says, headers={"Retry-After": str(many.seconds)})


def _is_from_an_allowed_page(request: HttpRequest, account: Account, origin: str) -> bool:
    """Browsers name the origin of every POST; with a GET it is missing only on the desk's own pages."""
    if not origin:
        return request.method != "POST"
    return visitors.is_allowed(account, origin, own=f"{request.scheme}://{request.get_host()}")


def _open_to(origin: str, response: HttpResponse) -> HttpResponse:
    response["Vary"] = "Origin"
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = "Retry-After"
        response["Access-Control-Allow-Headers"] = "Content-Type"
        response["Access-Control-Max-Age"] = "600"
    return response


def _says(status: int, code: str, says: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse({"error": code, "says": says}, status=status, headers=headers)


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("language", "")[:2].lower()
    return asked if asked in dict(settings.LANGUAGES) else translation.get_language() or settings.LANGUAGE_CODE
