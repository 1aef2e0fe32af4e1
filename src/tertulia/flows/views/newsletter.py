"""The public doors of a newsletter: asking for it, saying that it was oneself, and leaving. No cookie is read or set.

A look changes nothing, since programs that check mail open every link in it: it takes a POST. Leaving takes one and no
more (RFC 8058), from the mail program or from the page.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from tertulia.channels.models import Account
from tertulia.core import clock
from tertulia.core.proxies import client_address
from tertulia.flows import limits
from tertulia.publishing import mailing
from tertulia.publishing.models import Subscriber
from tertulia.publishing.problems import Problem

SALT = "newsletter.sign_up"
TOO_SOON, TOO_LATE = timedelta(seconds=2), timedelta(hours=12)
ASKING = (limits.Limit(5, timedelta(minutes=1)), limits.Limit(30, timedelta(hours=1)))
"""Of one address of the internet."""


# No token against cross-site requests: nothing here acts in the name of a cookie. What a form on another page may do is
# to fill an address in; the page then asks once more.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest, public_key: str) -> HttpResponse:
    list = Account.objects.select_related("brand").filter(public_key=public_key).first()
    if list is None or not mailing.is_list(list) or list.state == Account.State.PAUSED:
        return HttpResponseNotFound()
    at = clock.now()
    with translation.override(list.brand.language):
        if request.method != "POST":
            return _form(list, at=at)
        address, ticket = request.POST.get("address", "")[:300], request.POST.get("ticket", "")
        if not ticket:
            return _form(list, at=at, address=address)
        if says := _odd(request, public_key, ticket, at=at):
            return _form(list, at=at, address=address, says=says, status=422)
        try:
            limits.writes.count(f"newsletter:{limits.network(client_address(request))}", ASKING, at)
            mailing.ask(list=list, address=address, at=at)
        except Problem as problem:
            return _form(list, at=at, address=address, says=str(problem), status=422)
        except limits.TooMany as many:
            says = _("Too many at once. Try again in {seconds} seconds.").format(seconds=many.seconds)
            return _form(list, at=at, address=address, says=says, status=429)
        return _page(list, "asked", status=200)


def _odd(request: HttpRequest, public_key: str, ticket: str, *, at: datetime) -> str:
    """Why this looks like a program; "" when it doesn't."""
    if request.POST.get("website"):
        return _("A hidden field was filled in, as programs do. Leave it empty and send it again.")
    try:
        key, came = signing.loads(ticket, salt=SALT)
        since = at - datetime.fromisoformat(came)
    except (signing.BadSignature, ValueError, TypeError):
        key, since = "", TOO_LATE
    if key != public_key or not timedelta() <= since < TOO_LATE:
        return _("The page has been open for too long. Send it once more.")
    return _("That was faster than anyone types. Wait two seconds and send it again.") if since < TOO_SOON else ""


def _form(list: Account, *, at: datetime, address: str = "", says: str = "", status: int = 200) -> HttpResponse:
    ticket = signing.dumps([list.public_key, at.isoformat()], salt=SALT)
    said = {"address": address, "says": says, "ticket": ticket, "consent": mailing.consent_of(list)}
    return _page(list, "form", status=status, **said)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, subscription_token: str) -> HttpResponse:
    subscriber = _subscriber(subscription_token)
    if subscriber is None:
        return HttpResponseNotFound()
    with translation.override(subscriber.list.brand.language):
        if request.method != "POST":
            is_on = subscriber.state == Subscriber.State.CONFIRMED
            return _page(subscriber.list, "confirmed" if is_on else "confirm", consent=subscriber.consent)
        is_on = mailing.confirm(subscriber=subscriber, at=clock.now())
        return _page(subscriber.list, "confirmed" if is_on else "over")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, subscription_token: str) -> HttpResponse:
    subscriber = _subscriber(subscription_token)
    if subscriber is None:
        return HttpResponseNotFound()
    with translation.override(subscriber.list.brand.language):
        if request.method == "POST":
            mailing.leave(subscriber=subscriber, at=clock.now())
            return _page(subscriber.list, "left")
        is_on = subscriber.state in {Subscriber.State.CONFIRMED, Subscriber.State.ASKED}
        return _page(subscriber.list, "leave" if is_on else "left")


def _subscriber(token: str) -> Subscriber | None:
    try:
        return mailing.subscription(token)
    except Subscriber.DoesNotExist:
        return None


def _page(list: Account, step: str, *, status: int = 200, **said: Any) -> HttpResponse:
    facts = {"list": list, "brand": list.brand, "language": list.brand.language, "step": step, "home": "", **said}
    answer = HttpResponse(render_to_string("flows/newsletter.html", facts), status=status)
    answer["Content-Language"] = list.brand.language
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
