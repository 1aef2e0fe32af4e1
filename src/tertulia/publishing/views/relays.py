"""Feeds whose new articles become posts."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import relays
from ..access import RoomRequest
from ..forms import RelayForm
from ..models import Relay

SHOWN = 30


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.settings")
def show(request: RoomRequest, brand: Brand) -> HttpResponse:
    return _page(request, brand, Relay(brand=brand))


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.settings")
def change(request: RoomRequest, brand: Brand, relay_id: int) -> HttpResponse:
    return _page(request, brand, get_object_or_404(relays.relays(brand), pk=relay_id))


def _page(request: RoomRequest, brand: Brand, relay: Relay) -> HttpResponse:
    form = RelayForm(request.POST if request.method == "POST" else None, instance=relay, brand=brand)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        kept = relays.keep(
            relay=form.save(commit=False), accounts=list(said["accounts"]), is_on=said["is_on"], by=request.user,
            at=clock.now(),
        )  # fmt: skip
        return redirect("publishing:relay", brand.slug, kept.pk)
    context = {
        "room": "publishing", "form": form, "relay": relay if relay.pk else None, "sources": relays.sources(brand),
        "relays": relays.relays(brand), "made": relays.newest(relay, SHOWN) if relay.pk else [],
    }  # fmt: skip
    return render(request, "publishing/relays.html", context, status=422 if form.errors else 200)


@require_POST
@brand_required("publishing.settings")
def remove(request: RoomRequest, brand: Brand, relay_id: int) -> HttpResponse:
    relays.remove(relay=get_object_or_404(relays.relays(brand), pk=relay_id), by=request.user, at=clock.now())
    return redirect("publishing:relays", brand.slug)
