"""What the desk has told the reader, and that they have seen it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team import notices
from tertulia.team.access import brand_required
from tertulia.team.models import Notification

PAGE = 50


@require_GET
@brand_required("inbox.read")
def show(request: Any, brand: Brand) -> HttpResponse:
    mine = Notification.objects.of(request.membership).order_by("-id")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit():
        mine = mine.filter(pk__lt=int(before[:18]))
    found = list(mine[: PAGE + 1])
    return render(
        request,
        "team/notifications.html",
        {"lines": notices.lines(found[:PAGE]), "before": found[PAGE - 1].pk if len(found) > PAGE else None},
    )


@require_POST
@brand_required("inbox.read")
def read_all(request: Any, brand: Brand) -> HttpResponse:
    Notification.objects.of(request.membership).unread().update(read_at=clock.now())
    return redirect("team:notifications", brand.slug)


@require_POST
@brand_required("inbox.read")
def follow(request: Any, brand: Brand, notification_id: int) -> HttpResponse:
    """Mark it read and go to what it speaks of."""
    notification = get_object_or_404(Notification.objects.of(request.membership), pk=notification_id)
    Notification.objects.filter(pk=notification.pk, read_at=None).update(read_at=clock.now())
    return redirect(notification.url)
