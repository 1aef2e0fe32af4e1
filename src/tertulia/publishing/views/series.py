"""What comes back: series by a rule, and texts that don't age."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import dealing, evergreen, experiments, leaving, queries, recurring, series
from ..access import RoomRequest
from ..checks import Checked
from ..forms import EvergreenForm, RepetitionForm, SeriesForm, SkipForm
from ..models import Evergreen, Post, Series
from ..problems import Problem


@require_GET
@brand_required("publishing.read")
def show_all(request: RoomRequest, brand: Brand) -> HttpResponse:
    """Everything that comes back; `?on=2026-12-03` to fill that day."""
    return render(
        request, "publishing/recurring.html", recurring.overview(brand, on=request.GET.get("on", ""), at=clock.now())
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def begin(request: RoomRequest, brand: Brand) -> HttpResponse:
    """Let a post come back by a rule, or texts that don't age."""
    id = request.GET.get("post", "")
    post = get_object_or_404(Post, pk=int(id), brand=brand) if id.isdecimal() and len(id) < 19 else None
    may_publish = request.membership.may("publishing.publish")
    if request.method != "POST":
        today = clock.now().astimezone(ZoneInfo(brand.time_zone)).date()
        initial = recurring.first_rule(brand, post, today)
        return _form(request, brand, SeriesForm(initial=initial, has_model=bool(post), may_publish=may_publish), post)
    form = SeriesForm(request.POST, has_model=bool(post), may_publish=may_publish)
    if not form.is_valid():
        return _form(request, brand, form, post, status=422)
    try:
        with _only_seen(request, brand, post, form.rule):
            made = series.begin(brand=brand, post=post, rule=form.rule, by=request.user, at=clock.now())
    except Problem as problem:
        return _form(request, brand, form, post, status=422, problem=str(problem))
    return redirect("publishing:series", brand.slug, made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.read")
def change(request: RoomRequest, brand: Brand, series_id: int) -> HttpResponse:
    one = get_object_or_404(Series.objects.select_related("model"), pk=series_id, brand=brand)
    may = {"has_model": one.model_id is not None, "may_publish": request.membership.may("publishing.publish")}
    if request.method != "POST":
        return _page(request, brand, one, SeriesForm(initial=recurring.rule_of(one), **may))
    _check_right(request, one)
    form = SeriesForm(request.POST, **may)
    if not form.is_valid():
        return _page(request, brand, one, form, status=422)
    try:
        with _only_seen(request, brand, one.model, form.rule):
            series.change(series=one, rule=form.rule, by=request.user, at=clock.now())
    except Problem as problem:
        return _page(request, brand, one, form, status=422, problem=str(problem))
    return redirect("publishing:series", brand.slug, one.pk)


@require_POST
@brand_required("publishing.write")
def skip(request: RoomRequest, brand: Brand, series_id: int) -> HttpResponse:
    """Leave a day out."""
    return _day(request, brand, series_id, series.skip)


@require_POST
@brand_required("publishing.write")
def take_up(request: RoomRequest, brand: Brand, series_id: int) -> HttpResponse:
    """Put a day in again."""
    return _day(request, brand, series_id, series.take_up)


@require_POST
@brand_required("publishing.write")
def end(request: RoomRequest, brand: Brand, series_id: int) -> HttpResponse:
    one = get_object_or_404(Series, pk=series_id, brand=brand)
    _check_right(request, one)
    series.end(series=one, by=request.user, at=clock.now())
    return redirect("publishing:series", brand.slug, one.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def pool(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    """Put a post among the texts that don't age."""
    post = get_object_or_404(Post, pk=post_id, brand=brand)
    form = EvergreenForm(request.POST if request.method == "POST" else None)
    problem = ""
    if form.is_bound and form.is_valid():
        try:
            evergreen.add(post=post, by=request.user, at=clock.now(), **form.cleaned_data)
            return redirect("publishing:recurring", brand.slug)
        except Problem as found:
            problem = str(found)
    context = {"room": "publishing", "post": post, "form": form, "problem": problem}
    return render(request, "publishing/evergreen.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def change_evergreen(request: RoomRequest, brand: Brand, evergreen_id: int) -> HttpResponse:
    one = get_object_or_404(Evergreen.objects.select_related("model"), pk=evergreen_id, brand=brand)
    bound = request.POST if request.method == "POST" else None
    form = EvergreenForm(bound, instance=Evergreen.objects.get(pk=one.pk))
    if form.is_bound and form.is_valid():
        evergreen.change(evergreen=one, by=request.user, at=clock.now(), **form.cleaned_data)
        return redirect("publishing:recurring", brand.slug)
    tried = experiments.of_post(one.model, may=request.membership.may)
    context = {"room": "publishing", "post": one.model, "form": form, "evergreen": one, "experiments": tried}
    return render(request, "publishing/evergreen.html", context, status=422 if form.is_bound else 200)


@require_POST
@brand_required("publishing.write")
def repeat(request: RoomRequest, brand: Brand, evergreen_id: int) -> HttpResponse:
    """A draft of it on that day."""
    one = get_object_or_404(Evergreen, pk=evergreen_id, brand=brand)
    form = RepetitionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say on which day and at what time."))
        return redirect("publishing:recurring", brand.slug)
    wall = datetime.combine(form.cleaned_data["on"], form.cleaned_data["time"])  # a time on the wall
    try:
        post = evergreen.repeat(evergreen=one, wall=wall, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("publishing:recurring", brand.slug)
    return redirect("publishing:post", brand.slug, post.pk)


@require_POST
@brand_required("publishing.write")
def unpool(request: RoomRequest, brand: Brand, evergreen_id: int) -> HttpResponse:
    one = get_object_or_404(Evergreen.objects.select_related("model"), pk=evergreen_id, brand=brand)
    evergreen.remove(evergreen=one, by=request.user, at=clock.now())
    return redirect("publishing:recurring", brand.slug)


def _day(request: RoomRequest, brand: Brand, series_id: int, act: Callable[..., None]) -> HttpResponse:
    one = get_object_or_404(Series, pk=series_id, brand=brand)
    _check_right(request, one)
    form = SkipForm(request.POST)
    try:
        if not form.is_valid():
            raise Problem(_("The series has nothing on that day."))
        act(series=one, on=form.cleaned_data["on"], by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("publishing:series", brand.slug, one.pk)


def _check_right(request: RoomRequest, one: Series) -> None:
    """What leaves by itself is for those who may publish."""
    needed = "publishing.publish" if one.then == Series.Then.SCHEDULE else "publishing.write"
    if not request.membership.may(needed):
        raise PermissionDenied


def _only_seen(
    request: RoomRequest, brand: Brand, post: Post | None, rule: series.Rule
) -> AbstractContextManager[None]:
    """What leaves by itself is let do so by somebody who has seen what may be amiss with it."""
    if post is None or rule.then != Series.Then.SCHEDULE:
        return nullcontext()
    wordings = dealing.wordings(post, rule.texts)
    return leaving.only_seen(request, brand, queries.whole(brand).get(pk=post.pk), wordings=wordings)


def _checked(request: RoomRequest, brand: Brand, post: Post | None, form: SeriesForm) -> Checked | None:
    if post is None:
        return None
    wordings = dealing.wordings(post, form.cleaned_data.get("texts") if form.is_bound else None)
    return leaving.of_post(request, brand, queries.whole(brand).get(pk=post.pk), wall=None, wordings=wordings)


def _form(
    request: RoomRequest, brand: Brand, form: SeriesForm, post: Post | None, *, status: int = 200, problem: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {"room": "publishing", "form": form, "post": post, "problem": problem}
    context["checked"] = _checked(request, brand, post, form)
    return render(request, "publishing/series_new.html", context, status=status)


def _page(
    request: RoomRequest, brand: Brand, one: Series, form: SeriesForm, *, status: int = 200, problem: str = ""
) -> HttpResponse:
    context = recurring.page(one, at=clock.now()) | {"form": form, "problem": problem}
    may_publish = request.membership.may("publishing.publish")
    may_write = request.membership.may("publishing.write")
    context["may_change"] = may_publish if one.then == Series.Then.SCHEDULE else may_write
    context["checked"] = _checked(request, brand, one.model, form) if context["may_change"] else None
    context["experiments"] = experiments.of_post(one.model, may=request.membership.may)
    return render(request, "publishing/series.html", context, status=status)
