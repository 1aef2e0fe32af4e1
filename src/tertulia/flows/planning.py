"""What becomes of plans by itself: series are laid out some weeks ahead, what a long plan wants done and files
that were brought are taken in."""

from __future__ import annotations

from tertulia.core import clock, jobs
from tertulia.publishing import exchange, looking, planned, series
from tertulia.publishing.models import Series
from tertulia.strategy.models import Plan
from tertulia.team.models import User


@jobs.periodic("publishing.series", seconds=3600)
def series_tick() -> None:
    """Every series that goes on, each by a job of its own: one that fails holds up no other."""
    for id in Series.objects.filter(ended_at__isnull=True).order_by("pk").values_list("pk", flat=True):
        jobs.enqueue(lay_out, series_id=id)


@jobs.task("publishing.lay_out", attempts=3)
def lay_out(*, series_id: int) -> None:
    if one := Series.objects.filter(pk=series_id).first():
        series.lay_out(series=one, at=clock.now())


@jobs.task("publishing.lay_out_plan", attempts=3, at_once=1)
def lay_out_plan(*, plan_id: int, by_id: int) -> None:
    """What is left of a plan that was put to work; whatever happens on the way, each day comes once."""
    plan, by = Plan.objects.filter(pk=plan_id).first(), User.objects.filter(pk=by_id).first()
    while plan and by and planned.lay_out(plan=plan, by=by, at=clock.now()).left:
        pass


@jobs.task(exchange.TAKE_IN, attempts=8, at_once=1)
def take_in(*, import_id: int) -> None:
    exchange.take_in(import_id=import_id, at=clock.now())


@jobs.periodic("publishing.forget_files", seconds=86_400)
def forget_files() -> None:
    exchange.forget_files(at=clock.now())


@jobs.task(looking.LOOK, attempts=3, at_once=2)
def look_at_link(*, look_id: int, draft_id: int | None) -> None:
    looking.look_at(look_id=look_id, draft_id=draft_id, at=clock.now())


@jobs.periodic("publishing.forget_links", seconds=86_400)
def forget_links() -> None:
    looking.forget(at=clock.now())
