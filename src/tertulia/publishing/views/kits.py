"""What employees share, for those who set it up; the page itself is a door of `flows`."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.strategy.models import Campaign
from tertulia.team.access import brand_required

from .. import kits, rights
from ..access import RoomRequest
from ..forms import KitForm
from ..models import Kit, Post
from ..problems import Problem

LASTS = timedelta(days=30)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.publish")
def begin(request: RoomRequest, brand: Brand) -> HttpResponse:
    """`?post=7` or `?campaign=3` is what it is of. Its address is shown this once."""
    of, today = _of(request, brand), rights.day_of(clock.now(), brand)
    with translation.override(brand.language):
        disclosure = _("I work at {brand}.").format(brand=brand.name)[:120]
    initial = {"disclosure": disclosure, "last_on": today + LASTS}
    form = KitForm(request.POST if request.method == "POST" else None, initial=initial, today=today)
    if request.method == "POST" and form.is_valid():
        try:
            kit, address = kits.begin(brand=brand, of=of, by=request.user, at=clock.now(), **form.cleaned_data)
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            return _page(request, kit, address=address)
    context = {"room": "publishing", "of": of, "form": form, "field": "post" if isinstance(of, Post) else "campaign"}
    return render(request, "publishing/kit_new.html", context, status=422 if form.errors else 200)


def _of(request: RoomRequest, brand: Brand) -> Post | Campaign:
    given = {name: request.POST.get(name) or request.GET.get(name) or "" for name in ("post", "campaign")}
    ids = {name: int(one) for name, one in given.items() if one.isdecimal() and one.isascii() and len(one) < 19}
    if "post" in ids:
        return get_object_or_404(Post, pk=ids["post"], brand=brand)
    if "campaign" in ids:
        return get_object_or_404(Campaign, pk=ids["campaign"], brand=brand)
    raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.publish")
def show(request: RoomRequest, brand: Brand, kit_id: int) -> HttpResponse:
    """What it earned; a POST says anew what stands on it."""
    kit, today = _kit(brand, kit_id), rights.day_of(clock.now(), brand)
    if request.method != "POST":
        return _page(request, kit)
    form = KitForm(request.POST, instance=_kit(brand, kit_id), today=today)
    if not form.is_valid():
        return _page(request, kit, form=form)
    kits.change(kit=kit, by=request.user, at=clock.now(), **form.cleaned_data)
    return redirect("publishing:kit", brand.slug, kit.pk)


@require_POST
@brand_required("publishing.publish")
def renew(request: RoomRequest, brand: Brand, kit_id: int) -> HttpResponse:
    kit = _kit(brand, kit_id)
    address = kits.renew(kit=kit, by=request.user, at=clock.now())
    return _page(request, _kit(brand, kit_id), address=address)


@require_POST
@brand_required("publishing.publish")
def end(request: RoomRequest, brand: Brand, kit_id: int) -> HttpResponse:
    kit = _kit(brand, kit_id)
    kits.end(kit=kit, by=request.user, at=clock.now())
    return redirect("publishing:kit", brand.slug, kit.pk)


def _page(request: RoomRequest, kit: Kit, *, form: KitForm | None = None, address: str = "") -> HttpResponse:
    at = clock.now()
    by_name, total = kits.earned(kit)
    context = {
        "room": "publishing", "kit": kit, "is_open": kits.is_open(kit, at=at), "by_name": by_name, "earned": total,
        "form": form or KitForm(instance=kit, today=rights.day_of(at, kit.brand)), "address": address,
        "shown": len(kits.texts(kit, at=at)),
    }  # fmt: skip
    return render(request, "publishing/kit.html", context, status=422 if form else 200)


def _kit(brand: Brand, kit_id: int) -> Kit:
    return get_object_or_404(kits.kits(brand), pk=kit_id)
