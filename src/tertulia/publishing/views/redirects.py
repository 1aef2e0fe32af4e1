"""The public door of our links: to where they lead, and the pixel. No cookie is read or set here."""

from __future__ import annotations

import logging
import re
from base64 import b64decode

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tertulia.core import clock
from tertulia.core.proxies import client_address
from tertulia.core.redact import describe

from .. import clicks, conversions
from ..conversions import Kind, Order
from ..models import Link, LinkSettings
from ..problems import Problem

log = logging.getLogger(__name__)
_CODE, _KEY = re.compile(r"[0-9A-Za-z]{1,12}"), re.compile(r"[0-9A-Za-z_-]{1,22}")
_DOT = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@require_safe
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Lead on to where the link leads: to what the database says, never to what the request says."""
    link = Link.objects.select_related("brand").filter(code=code.lower()).first() if _CODE.fullmatch(code) else None
    if link is None:
        return _open(render(request, "publishing/no_link.html", status=404))
    if link.ended_at is not None:
        return _open(render(request, "publishing/no_link.html", {"ended": link}, status=410))
    try:
        click = clicks.record(
            link, method=request.method or "", headers=request.headers, address=client_address(request), at=clock.now()
        )
    except DatabaseError as error:  # whoever clicked is let through all the same
        log.error("A click on link %s was not counted: %s", link.pk, describe(error))
        click = None
    return _open(HttpResponseRedirect(clicks.destination(link, click)))


@require_safe
def pixel(request: HttpRequest) -> HttpResponse:
    """A dot on a shop's page of thanks tells of an order: `k` names the brand, `ref` and `value` the order, and `tt`,
    `coupon` or `utm` where it came from. Whatever it is told, it answers a dot; 400 when that can't be used."""
    is_taken = clicks.is_robot(request.method or "", request.headers) or _told(request)
    answer = HttpResponse(_DOT, "image/gif", status=200 if is_taken else 400)
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return _open(answer)


def _told(request: HttpRequest) -> bool:
    told, at = request.GET, clock.now()
    key = told.get("k", "")
    found = LinkSettings.objects.select_related("brand").filter(pixel_key=key) if _KEY.fullmatch(key) else None
    settings = found.first() if found is not None else None
    if settings is None:
        return False
    try:
        order = Order(
            conversions.reference(told.get("ref", "")), conversions.cents(told.get("value", "")),
            conversions.currency(told.get("currency", ""), settings.currency), at, told.get("tt", "")[:100],
            told.get("coupon", "")[:100], told.get("utm", "")[:2000],
        )  # fmt: skip
        conversions.record(brand=settings.brand, order=order, kind=Kind.PIXEL, by=None, at=at)
    except Problem:
        return False
    return True


def _open(answer: HttpResponse) -> HttpResponse:
    """Kept by nobody, listed by nobody, and telling the next page nothing."""
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
