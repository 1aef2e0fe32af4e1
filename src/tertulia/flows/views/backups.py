"""The backups of this installation, for whoever decides about a brand."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.core.backup import keeping
from tertulia.team.access import BrandRequest, brand_required

from .. import backups


@require_GET
@brand_required("brand.manage")
def show(request: BrandRequest, brand: Brand) -> HttpResponse:
    """All there are, the newest first. They are of all brands and are fetched from the server, never from here."""
    context = {
        "section": "backups",
        "is_under_way": backups.is_under_way(),  # before the folder is read: one that ends meanwhile is shown next time
        "backups": keeping.kept(),
        "failure": keeping.failure(),
        "is_late": keeping.is_late(clock.now(), since=brand.created_at),
        "is_on": settings.BACKUPS,
        "folder": keeping.folder(),
    }
    return render(request, "flows/backups.html", context)


@require_POST
@brand_required("brand.manage")
def make(request: BrandRequest, brand: Brand) -> HttpResponse:
    """Have one made now, where this installation makes any."""
    if not settings.BACKUPS:
        raise Http404
    backups.ask()
    return redirect("backups", brand.slug)
