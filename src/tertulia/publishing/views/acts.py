"""What is done with a post that is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tertulia.brand.models import Brand
from tertulia.channels.models import Delivery
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import actions, checks, leaving, queries
from ..access import RoomRequest
from ..forms import CompletionForm, DecisionForm, StopForm, TimeForm
from ..models import Post
from ..problems import Problem


@require_POST
@brand_required("publishing.publish")
def schedule(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    """Give it a time and let it leave then."""
    form = TimeForm(request.POST)

    def change(post: Post, at: datetime) -> None:
        if not form.is_valid():
            raise Problem(_("Say on which day and at what time."))
        wall = datetime.combine(form.cleaned_data["on"], form.cleaned_data["time"])  # a time on the wall
        with leaving.only_seen(request, brand, post, wall=wall):
            odd = actions.plan(post=post, wall=wall, zone=post.zone, by=request.user, at=at)
            actions.schedule(post=post, by=request.user, at=at)
        if odd:
            messages.info(request, checks.clock_says(odd))

    return _done(request, brand, post_id, change)


@require_POST
@brand_required("publishing.publish")
def publish_now(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    def change(post: Post, at: datetime) -> None:
        with leaving.only_seen(request, brand, post):
            actions.publish_now(post=post, by=request.user, at=at)

    return _done(request, brand, post_id, change)


@require_POST
@brand_required("publishing.publish")
def cancel(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    return _done(request, brand, post_id, lambda post, at: actions.cancel(post=post, by=request.user, at=at))


@require_POST
@brand_required("publishing.publish")
def delete(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    """Delete it wherever it was published."""
    return _done(request, brand, post_id, lambda post, at: actions.delete(post=post, by=request.user, at=at))


@require_POST
@brand_required("publishing.publish")
def retry(request: RoomRequest, brand: Brand, posting_id: int) -> HttpResponse:
    return _settled(request, brand, posting_id, lambda one, at: actions.retry(delivery=one, by=request.user, at=at))


@require_POST
@brand_required("publishing.publish")
def decide(request: RoomRequest, brand: Brand, posting_id: int) -> HttpResponse:
    """Somebody has looked whether it is there."""
    form = DecisionForm(request.POST)

    def settle(delivery: Delivery, at: datetime) -> None:
        if not form.is_valid():
            raise Problem(_("Something was missing. Try it again."))
        was_sent, url = form.cleaned_data["was_sent"] == "yes", form.cleaned_data["url"]
        actions.decide(delivery=delivery, was_sent=was_sent, url=url, by=request.user, at=at)

    return _settled(request, brand, posting_id, settle)


@require_POST
@brand_required("publishing.publish")
def complete(request: RoomRequest, brand: Brand, posting_id: int) -> HttpResponse:
    """Tick off what somebody published by hand, be it after the network had refused it."""
    form = CompletionForm(request.POST)
    url = form.cleaned_data["url"] if form.is_valid() else ""
    return _settled(
        request, brand, posting_id,
        lambda one, at: actions.finish_by_hand(delivery=one, url=url, by=request.user, at=at),
    )  # fmt: skip


@require_POST
@brand_required("publishing.publish")
def abandon(request: RoomRequest, brand: Brand, posting_id: int) -> HttpResponse:
    """Leave out what waits for a hand, was refused or missed."""
    return _settled(request, brand, posting_id, lambda one, at: actions.give_up(delivery=one, by=request.user, at=at))


@require_POST
@brand_required("publishing.stop")
def stop(request: RoomRequest, brand: Brand) -> HttpResponse:
    form = StopForm(request.POST)
    said = form.cleaned_data if form.is_valid() else {}
    actions.stop(brand=brand, by=request.user, at=clock.now(), **said)
    return redirect("publishing:posts", brand.slug)


@require_POST
@brand_required("publishing.stop")
def resume(request: RoomRequest, brand: Brand) -> HttpResponse:
    actions.resume(brand=brand, by=request.user, at=clock.now())
    return redirect("publishing:posts", brand.slug)


def _done(
    request: RoomRequest, brand: Brand, post_id: int, change: Callable[[Post, datetime], object]
) -> HttpResponse:  # fmt: skip
    post = get_object_or_404(queries.whole(brand), pk=post_id)
    problem = _try(request, lambda at: change(post, at))
    return redirect(leaving.page_of(post, brand, problem))


def _settled(
    request: RoomRequest, brand: Brand, posting_id: int, settle: Callable[[Delivery, datetime], object]
) -> HttpResponse:
    delivery = get_object_or_404(queries.waiting_for_people(brand), pk=posting_id)
    _try(request, lambda at: settle(delivery, at))
    found = queries.post_of(delivery)
    return redirect("publishing:post", brand.slug, found[0].pk) if found else redirect("publishing:posts", brand.slug)


def _try(request: RoomRequest, act: Callable[[datetime], object]) -> Problem | None:
    try:
        act(clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return problem
    return None
