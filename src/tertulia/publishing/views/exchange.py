"""Posts from tables and into them, and the calendar for other calendars."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from tertulia.brand.models import Brand
from tertulia.core import clock, tables
from tertulia.team.access import brand_required

from .. import exchange, feed
from ..access import RoomRequest
from ..forms import ExportForm, ImportForm
from ..models import Feed, Import
from ..problems import Problem

SHOWN_PROBLEMS = 50
SHOWN_IMPORTS = 10


@require_GET
@brand_required("publishing.read")
def show(request: RoomRequest, brand: Brand) -> HttpResponse:
    return _page(request, brand)


def _page(
    request: RoomRequest, brand: Brand, *, status: int = 200, problem: str = "", address: str = "",
    export_form: ExportForm | None = None,
) -> HttpResponse:  # fmt: skip
    today = clock.now().astimezone(ZoneInfo(brand.time_zone)).date()
    period = {"since": today.replace(day=1), "until": today + timedelta(days=92)}
    language = (translation.get_language() or "en")[:2]
    has_feed = Feed.objects.filter(brand=brand, user=request.user).exists()
    context = {
        "room": "publishing", "export_form": export_form or ExportForm(initial=period), "import_form": ImportForm(),
        "problem": problem, "address": address, "has_feed": has_feed,
        "columns": exchange.HEADINGS.get(language, exchange.HEADINGS["en"])[:-1], "most": tables.MOST_ROWS,
        "imports": Import.objects.filter(brand=brand).defer("content", "problems").order_by("-pk")[:SHOWN_IMPORTS],
    }  # fmt: skip
    return render(request, "publishing/exchange.html", context, status=status)


@require_GET
@brand_required("publishing.read")
def export(request: RoomRequest, brand: Brand) -> HttpResponse:
    """The posts of a period as a table."""
    form = ExportForm(request.GET)
    if not form.is_valid():
        return _page(request, brand, export_form=form)
    since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    return _table(exchange.export(brand, since, until), f"{brand.slug}-{since}-{until}.csv")


@require_POST
@brand_required("publishing.write")
def bring(request: RoomRequest, brand: Brand) -> HttpResponse:
    """Look a file through; nothing is imported yet."""
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, brand, status=422, problem=_("Choose a file."))
    file, schedules = form.cleaned_data["file"], form.cleaned_data["schedules"]
    if schedules and not request.membership.may("publishing.publish"):
        raise PermissionDenied
    try:
        if file.size > tables.LARGEST:
            raise tables.Unreadable(tables.too_large())
        brought = exchange.bring(
            brand=brand, name=file.name, content=file.read(), schedules=schedules, by=request.user, at=clock.now()
        )  # fmt: skip
    except tables.Unreadable as problem:
        return _page(request, brand, status=422, problem=f"{file.name}: {problem}")
    return redirect("publishing:import", brand.slug, brought.pk)


@require_GET
@brand_required("publishing.write")
def show_import(request: RoomRequest, brand: Brand, brought_id: int) -> HttpResponse:
    """What was found in a file, and how far it has been taken in."""
    brought = _brought(brand, brought_id)
    waiting = brought.total - brought.known - len(brought.problems)
    context = {
        "room": "publishing", "brought": brought, "good": waiting, "shown": brought.problems[:SHOWN_PROBLEMS],
        "more": max(len(brought.problems) - SHOWN_PROBLEMS, 0),
    }  # fmt: skip
    return render(request, "publishing/_import.html" if request.htmx else "publishing/import.html", context)


@require_POST
@brand_required("publishing.write")
def start(request: RoomRequest, brand: Brand, brought_id: int) -> HttpResponse:
    brought = _brought(brand, brought_id)
    if brought.schedules and not request.membership.may("publishing.publish"):
        raise PermissionDenied
    try:
        exchange.start(brought=brought, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("publishing:import", brand.slug, brought.pk)


@require_GET
@brand_required("publishing.write")
def problems(request: RoomRequest, brand: Brand, brought_id: int) -> HttpResponse:
    """The rows in which something is wrong, to be mended and brought again."""
    brought = get_object_or_404(Import, pk=brought_id, brand=brand)
    return _table(exchange.wrong_rows(brought), f"{brand.slug}-{brought.pk}.csv")


def _brought(brand: Brand, brought_id: int) -> Import:
    return get_object_or_404(Import.objects.defer("content"), pk=brought_id, brand=brand)


def _table(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# The calendar for other calendars.


@require_POST
@brand_required("publishing.read")
def open_feed(request: RoomRequest, brand: Brand) -> HttpResponse:
    """A new secret address, shown this once."""
    token = feed.open_feed(brand=brand, by=request.user, at=clock.now())
    address = settings.PUBLIC_URL + reverse("publishing:calendar_feed", args=[token])
    return _page(request, brand, address=address)


@require_POST
@brand_required("publishing.read")
def close_feed(request: RoomRequest, brand: Brand) -> HttpResponse:
    feed.close_feed(brand=brand, by=request.user, at=clock.now())
    return redirect("publishing:exchange", brand.slug)


@require_safe
def read_feed(request: HttpRequest, token: str) -> HttpResponse:
    """For a calendar program, which can't sign in: the address itself is the secret."""
    found = feed.found(token)
    if found is None:
        raise Http404
    with translation.override(found.user.language or found.brand.language):
        content = feed.written(found.brand, home=settings.PUBLIC_URL, at=clock.now())
    mark = f'"{sha256(content).hexdigest()[:32]}"'
    asked = {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}
    if mark in asked or "*" in asked:
        answer = HttpResponse(status=304)
    else:
        answer = HttpResponse(content, content_type="text/calendar; charset=utf-8")
        answer["Content-Disposition"] = 'inline; filename="calendar.ics"'
    answer["ETag"], answer["Cache-Control"], answer["X-Robots-Tag"] = mark, "private, no-cache", "noindex"
    return answer
