"""The calendar, and the page of one post."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Delivery
from tertulia.core import clock
from tertulia.team.access import brand_required
from tertulia.team.models import User

from .. import (
    actions,
    approval,
    calendar,
    checks,
    experiments,
    figures,
    filling,
    ideas,
    kits,
    leaving,
    mailing,
    queries,
    reactions_page,
    recurring,
    rhythm,
)
from ..access import RoomRequest
from ..finding import Filters
from ..forms import DecidingForm, MoveForm, SlotForm, StopForm, TimeForm
from ..models import Post, Version
from ..problems import Problem, Unseen

YEARS = range(1990, 2200)


@require_GET
@brand_required("publishing.read")
def show(request: RoomRequest, brand: Brand) -> HttpResponse:
    context = _calendar(request, brand)
    if request.htmx:
        return render(request, "publishing/_calendar.html", context)
    if context["view"] == "all" or context["filters"] != calendar.NOTHING or "sift" in request.GET:
        context |= calendar.choices(brand)
    context |= calendar.aside(brand) | {
        "stop_form": StopForm(),
        "to_approve": approval.waiting_for(brand, request.user),
        "left_behind": _left_behind(request, brand),
    }
    return render(request, "publishing/posts.html", context)


def _left_behind(request: RoomRequest, brand: Brand) -> list[Post]:
    return queries.left_behind(brand, at=clock.now()) if request.membership.may("publishing.publish") else []


@require_POST
@brand_required("publishing.publish")
def settle_zone(request: RoomRequest, brand: Brand) -> HttpResponse:
    """Whether what was planned by the clock of another time zone follows the brand to the new one."""
    stuck = actions.settle_zone(brand=brand, moves="moves" in request.POST, by=request.user, at=clock.now())
    if stuck:
        names = ", ".join(f"“{post.title}”" for post in stuck)
        messages.error(request, _("These keep their time, look at each: {names}").format(names=names))
    return redirect("publishing:posts", brand.slug)


@require_POST
@brand_required("publishing.write")
def move(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    """Give it another day, and another time where one is named; on the wall of its own zone."""
    post = get_object_or_404(queries.whole(brand), pk=post_id)
    form = MoveForm(request.POST)
    try:
        _move(request, brand, post, form)
    except Unseen as unseen:
        return _look_first(request, brand, post, unseen)
    except Problem as problem:
        messages.error(request, str(problem))
    if request.htmx:
        return render(request, "publishing/_moved.html", _calendar(request, brand))
    return redirect("publishing:post", brand.slug, post.pk)


def _look_first(request: RoomRequest, brand: Brand, post: Post, unseen: Unseen) -> HttpResponse:
    messages.error(request, str(unseen))
    address = leaving.page_of(post, brand, unseen)
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _move(request: RoomRequest, brand: Brand, post: Post, form: MoveForm) -> None:
    if not form.is_valid():
        raise Problem(_("Say on which day and at what time."))
    on, at = form.cleaned_data["on"], form.cleaned_data["time"] or post.time
    if at is None:
        raise Problem(_("Say on which day and at what time."))
    standing = queries.standing(post)
    is_missed = standing.state in {Post.State.MISSED, Post.State.PARTLY}
    if is_missed and not request.membership.may("publishing.publish"):  # a new time schedules it anew
        raise PermissionDenied
    wall = datetime.combine(on, at)  # a time on the wall
    leaves = Post.State.SCHEDULED in standing.versions.values()
    amiss = leaving.new_at(request, brand, post, wall=wall) if leaves else []
    with leaving.only_seen(request, brand, post, wall=wall) if is_missed else nullcontext():
        odd = actions.plan(post=post, wall=wall, zone=post.zone, by=request.user, at=clock.now())
    if odd and not leaves:
        messages.info(request, checks.clock_says(odd))
    for says in amiss:
        messages.info(request, says)


@require_POST
@brand_required("publishing.publish")
def enqueue(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    """Schedule it for the next free slot, or for the one that is named."""
    post = get_object_or_404(queries.whole(brand), pk=post_id)
    form = SlotForm(request.POST)
    try:
        if not form.is_valid():
            raise Problem(_("Say on which day and at what time."))
        with leaving.only_seen(request, brand, post, wall=form.wall):
            wall = rhythm.enqueue(post=post, by=request.user, at=clock.now(), wall=form.wall)
        messages.info(request, rhythm.queued_says(wall, brand, at=clock.now()))
    except Unseen as unseen:
        return _look_first(request, brand, post, unseen)
    except Problem as problem:
        messages.error(request, str(problem))
    if request.htmx:
        return render(request, "publishing/_moved.html", _calendar(request, brand))
    if request.POST.get("view"):
        return redirect("publishing:posts", brand.slug)
    return redirect("publishing:post", brand.slug, post.pk)


@require_GET
@brand_required("publishing.read")
def show_post(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    post = get_object_or_404(queries.whole(brand), pk=post_id)
    standing = queries.standing(post)
    tasks, letters = queries.tasks(standing), mailing.progress_of(post)
    stop = queries.stopped(brand)
    legs = [
        (version, Post.State(state).label if (state := standing.versions.get(version.pk)) else "",
         calendar.TONES.get(state or "", ""),
         [] if state == Post.State.SCHEDULED
         else [replace(leg, task=tasks.get(leg.delivery)) for leg in standing.legs.get(version.pk, [])],
         version.account.connector.home(version.account) if tasks else "",
         letters.get(version.pk), None if stop else _late_turn(version, standing))
        for version in post.versions.all()
    ]  # fmt: skip
    links, earned = figures.of_post(post)
    comes_back, wall = recurring.of_post(post), _wished(request, post)
    shown = wall or post.wall
    may_time = standing.is_open and request.membership.may("publishing.write")
    may_time = may_time and not (comes_back["series"] or comes_back["evergreen"])
    context = {
        "links": links, "earned": earned,
        "room": "publishing", "post": post, "standing": standing, "state": Post.State(standing.state).label,
        "tone": calendar.TONES.get(standing.state, ""), "legs": legs, "states": dict(Delivery.State.choices),
        "deletions": queries.deletions_of(post),
        "common": [part for part in post.parts.all() if part.version_id is None], "stop": stop,
        "own": {part.version_id for part in post.parts.all() if part.version_id},
        "time_form": TimeForm(initial={"on": shown.date(), "time": f"{shown:%H:%M}"} if shown else {}),
        "checked": leaving.of_post(request, brand, post, wall=wall) if may_time else None,
        "lists": {version.pk for version in post.versions.all() if mailing.is_list(version.account)},
        "is_out": any(leg.state == Delivery.State.SENT and not leg.is_deleted for leg in queries.all_legs(standing)),
        **_approval(request, post),
        "comes_back": comes_back, "idea": ideas.of_post(post),
        "experiments": experiments.of_post(post, may=request.membership.may),
        "has_slots": rhythm.has_slots(brand),
        "is_scheduled": set(standing.versions.values()) == {Post.State.SCHEDULED},
        "is_open": standing.is_open, "kits": kits.beside(brand, of=post), "kit_of": f"post={post.pk}",
    }  # fmt: skip
    context["may_kit"] = context["is_out"]
    return render(request, "publishing/post.html", context | reactions_page.of_post(request, brand, post))


def _wished(request: RoomRequest, post: Post) -> datetime | None:
    """When it would leave, on the wall: as whoever is to look at something first has wished, else as it is planned."""
    if "on" not in request.GET:
        return post.wall
    form = TimeForm(request.GET)
    return datetime.combine(form.cleaned_data["on"], form.cleaned_data["time"]) if form.is_valid() else None


def _late_turn(version: Version, standing: queries.Standing) -> datetime | None:
    """When it is its turn on an account where more is late."""
    catching_up = (leg.due_at for leg in standing.legs.get(version.pk, []) if leg.is_catching_up)
    return next(catching_up, None) if version.account.state == Account.State.ACTIVE else None


def _approval(request: RoomRequest, post: Post) -> dict[str, object]:
    """Who has to approve it, and who has approved what."""
    requests = approval.requests_of(post)
    newest = requests[0] if requests else None
    place = approval.place_of(newest) if newest and newest.outcome == "" else None
    asked = User.objects.filter(pk__in=place.users).order_by("name") if place else ()
    rules = approval.rules_for(post)
    return {
        "rules": [approval.summary(rule) for rule in rules], "lacks": approval.lacks(post, rules),
        "requests": requests, "newest": newest, "place": place, "asked": asked,
        "may_decide": approval.may_decide(newest, request.user), "deciding": DecidingForm(),
    }  # fmt: skip


def _calendar(request: RoomRequest, brand: Brand) -> dict[str, object]:
    asked = request.GET if request.method in {"GET", "HEAD"} else request.POST
    now = clock.now()
    ahead = rhythm.ahead(brand, at=now)
    filling.fill(ahead, brand, at=now)
    return calendar.context(
        brand, view=asked.get("view", "") if asked.get("view", "") in calendar.VIEWS else "month",
        on=_day(asked.get("shown") or asked.get("on", "")) or now.astimezone(ZoneInfo(brand.time_zone)).date(),
        after=after if (after := asked.get("after", "")).isdecimal() and len(after) < 19 else "", now=now,
        can_write=request.membership.may("publishing.write"), ahead=ahead, filters=Filters.read(asked),
    )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        on = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return on if on.year in YEARS else None
