"""Names on the networks: whom texts name, and what each network calls them."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import handles
from ..access import RoomRequest
from ..forms import HandleForm
from ..models import Handle
from ..problems import Problem


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def show(request: RoomRequest, brand: Brand) -> HttpResponse:
    return _page(request, brand, None, "publishing/names.html")


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def change(request: RoomRequest, brand: Brand, handle_id: int) -> HttpResponse:
    return _page(request, brand, get_object_or_404(Handle, pk=handle_id, brand=brand), "publishing/name.html")


@require_POST
@brand_required("publishing.write")
def remove(request: RoomRequest, brand: Brand, handle_id: int) -> HttpResponse:
    handles.remove(handle=get_object_or_404(Handle, pk=handle_id, brand=brand), by=request.user, at=clock.now())
    return redirect("publishing:names", brand.slug)


def _page(request: RoomRequest, brand: Brand, handle: Handle | None, template: str) -> HttpResponse:
    form = HandleForm(request.POST if request.method == "POST" else None, brand=brand, handle=handle)
    if request.method == "POST" and form.is_valid():
        try:
            handles.keep(
                brand=brand, handle=handle, name=form.cleaned_data["name"], addresses=form.addresses(),
                by=request.user, at=clock.now(),
            )  # fmt: skip
        except Problem as problem:
            form.add_error("name", str(problem))
        else:
            return redirect("publishing:names", brand.slug)
    networks = list(form.networks.values())
    rows = [(one, [(net, one.addresses.get(net.key, "")) for net in networks]) for one in handles.handles(brand)]
    context = {"room": "settings", "section": "names", "form": form, "handle": handle, "rows": rows}
    return render(request, template, context | {"networks": networks}, status=422 if form.errors else 200)
