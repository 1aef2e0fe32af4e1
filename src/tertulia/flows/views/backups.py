"""The backups of this installation, for whoever decides about a brand."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.core.backup import keeping
from tertulia.team.access import BrandRequest, brand_required


@require_GET
@brand_required("brand.manage")
def show(request: BrandRequest, brand: Brand) -> HttpResponse:
    """All there are, the newest first. They are of all brands and are fetched from the server, never from here."""
    context = {
        "section": "backups",
        "backups": keeping.kept(),
        "failure": keeping.failure(),
        "is_late": keeping.is_late(clock.now(), since=brand.created_at),
        "is_on": settings.BACKUPS,
        "folder": keeping.folder(),
    }
    return render(request, "flows/backups.html", context)
