"""What employees share: a page without sign-in behind an unguessable link. It writes nothing and sets no cookie of its
own, and says to the pages it leads to nothing of where they were reached from."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tertulia.core import clock, ranges
from tertulia.core.proxies import client_address
from tertulia.flows import limits
from tertulia.publishing import kits, library
from tertulia.publishing.models import Kit


def of_kit(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Asked too often it says for how long it rests; over, or never there, it is a page that says so."""

    @require_safe
    @wraps(view)
    def door(request: HttpRequest, token: str, **which: str) -> HttpResponseBase:
        at = clock.now()
        try:
            limits.count_look(address=client_address(request), at=at)
        except limits.TooMany as many:
            answer: HttpResponseBase = HttpResponse(status=429, headers={"Retry-After": str(many.seconds)})
            return _closed(answer)
        kit = kits.found(token, at=at)
        if kit is None:
            return _closed(render(request, "flows/kit_over.html", status=404))
        return _closed(view(request, kit, token=token, **which))

    return door


@of_kit
def show(request: HttpRequest, kit: Kit, token: str) -> HttpResponse:
    """`?who=2` is the second colleague of those who have links of their own, `server` their Mastodon's."""
    who, typed = request.GET.get("who", ""), request.GET.get("server", "")[:300]
    number = int(who) if who.isdecimal() and who.isascii() and len(who) < 4 else 0
    name = kit.names[number - 1] if 0 < number <= len(kit.names) else ""
    server = kits.server_of(typed)
    context = {
        "kit": kit, "token": token, "texts": kits.texts(kit, at=clock.now(), name=name, server=server), "name": name,
        "who": number if name else "", "server": server, "typed": typed, "is_wrong": bool(typed.strip()) and not server,
        "names": list(enumerate(kit.names, 1)) if kit.counts else [],
    }  # fmt: skip
    return render(request, "flows/kit.html", context)


@of_kit
def show_picture(request: HttpRequest, kit: Kit, token: str, digest: str) -> HttpResponseBase:
    """A picture or film of what the page shows now, and of nothing else of the brand."""
    said = kits.picture(kit, digest, at=clock.now())
    try:
        if said is None:
            raise FileNotFoundError
        file = library.opened(kit.brand_id, said["digest"])
    except FileNotFoundError:
        raise Http404 from None
    return ranges.answer(request, file, kind=said["type"], name=said["name"], tag=said["digest"])


def _closed(answer: HttpResponseBase) -> HttpResponseBase:
    """Kept by nobody, listed by nobody, and telling the next page nothing."""
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
