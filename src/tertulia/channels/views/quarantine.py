"""What arrived and could not be read: kept whole until somebody has dealt with it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tertulia.brand.models import Brand
from tertulia.channels import actions, queries, screening
from tertulia.channels.models import Quarantine
from tertulia.core import clock
from tertulia.team.access import brand_required

PAGE = 50


@require_GET
@brand_required("channels.manage")
def show(request: Any, brand: Brand) -> HttpResponse:
    waiting = list(queries.quarantined(brand)[: PAGE + 1])
    page = {"room": "settings", "section": "channels", "waiting": waiting[:PAGE], "has_more": len(waiting) > PAGE}
    page["accounts"] = queries.readable_again(brand)
    return render(request, "channels/quarantine.html", page)


@require_GET
@brand_required("channels.manage")
@screening.guarded
def original(request: Any, brand: Brand, quarantine_id: int) -> HttpResponse:
    """The body as it came, to download and never to open: strangers wrote it."""
    found = get_object_or_404(Quarantine.objects.filter(account__brand=brand), pk=quarantine_id)
    response = HttpResponse(screening.check_bytes(bytes(found.body)), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="original-{found.pk}.bin"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@require_POST
@brand_required("channels.manage")
def settle(request: Any, brand: Brand, quarantine_id: int) -> HttpResponse:
    found = get_object_or_404(queries.quarantined(brand), pk=quarantine_id)
    actions.settle(quarantined=found, by=request.user.pk, at=clock.now())
    return redirect("channels:quarantine", brand.slug)
