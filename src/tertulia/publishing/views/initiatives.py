"""The pages of what a brand does outside of its networks."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import initiatives, spoken
from ..access import RoomRequest
from ..actions import YEARS
from ..forms import InitiativeForm, ResultForm
from ..models import Initiative


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def begin(request: RoomRequest, brand: Brand) -> HttpResponse:
    """A new one; `?on=2026-11-24` for that day."""
    if request.method != "POST":
        on = _day(request.GET.get("on", "")) or clock.now().astimezone(ZoneInfo(brand.time_zone)).date()
        form = InitiativeForm(brand=brand, initial={"starts_on": on, "ends_on": on, "owner": request.user.pk})
        return _page(request, form, None)
    form = InitiativeForm(request.POST, brand=brand)
    if not form.is_valid():
        return _page(request, form, None, status=422)
    made = initiatives.add(brand=brand, by=request.user, at=clock.now(), **form.cleaned_data)
    return redirect("publishing:initiative", brand.slug, made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.read")
def change(request: RoomRequest, brand: Brand, initiative_id: int) -> HttpResponse:
    one = get_object_or_404(Initiative.objects.select_related("owner", "campaign"), pk=initiative_id, brand=brand)
    if request.method != "POST":
        return _page(request, InitiativeForm(instance=one, brand=brand), one)
    if not request.membership.may("publishing.write"):
        raise PermissionDenied
    form = InitiativeForm(request.POST, instance=Initiative.objects.get(pk=one.pk), brand=brand)
    if not form.is_valid():
        return _page(request, form, one, status=422)
    initiatives.change(initiative=one, by=request.user, at=clock.now(), **form.cleaned_data)
    return redirect("publishing:initiative", brand.slug, one.pk)


@require_POST
@brand_required("publishing.write")
def finish(request: RoomRequest, brand: Brand, initiative_id: int) -> HttpResponse:
    one = get_object_or_404(Initiative, pk=initiative_id, brand=brand)
    form = ResultForm(request.POST)
    if not form.is_valid():
        return _page(request, InitiativeForm(instance=one, brand=brand), one, status=422, result=form)
    initiatives.finish(initiative=one, by=request.user, at=clock.now(), result=form.cleaned_data["result"])
    return redirect("publishing:initiative", brand.slug, one.pk)


@require_POST
@brand_required("publishing.write")
def reopen(request: RoomRequest, brand: Brand, initiative_id: int) -> HttpResponse:
    one = get_object_or_404(Initiative, pk=initiative_id, brand=brand)
    initiatives.reopen(initiative=one, by=request.user, at=clock.now())
    return redirect("publishing:initiative", brand.slug, one.pk)


@require_POST
@brand_required("publishing.write")
def remove(request: RoomRequest, brand: Brand, initiative_id: int) -> HttpResponse:
    one = get_object_or_404(Initiative, pk=initiative_id, brand=brand)
    initiatives.remove(initiative=one, by=request.user, at=clock.now())
    return redirect("publishing:posts", brand.slug)


def _day(text: str) -> date | None:
    try:
        on = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return on if on.year in YEARS else None


def _page(
    request: RoomRequest, form: InitiativeForm, one: Initiative | None, *, status: int = 200,
    result: ResultForm | None = None,
) -> HttpResponse:  # fmt: skip
    result = result or ResultForm(initial={"result": one.result if one else ""})
    speakers, newest = spoken.conversations(initiative=one) if one else (0, [])
    context = {
        "room": "publishing", "form": form, "initiative": one, "result_form": result, "speakers": speakers,
        "spoken": newest,
    }  # fmt: skip
    return render(request, "publishing/initiative.html", context, status=status)
