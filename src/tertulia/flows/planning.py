"""What becomes of plans by itself: series are laid out some weeks ahead, files that were brought are taken in."""

from __future__ import annotations

from tertulia.core import clock, jobs
from tertulia.publishing import exchange, looking, series
from tertulia.publishing.models import Series


@jobs.periodic("publishing.series", seconds=3600)
def series_tick() -> None:
    """Every series that goes on, each by a job of its own: one that fails holds up no other."""
    for id in Series.objects.filter(ended_at__isnull=True).order_by("pk").values_list("pk", flat=True):
        jobs.enqueue(lay_out, series_id=id)


@jobs.task("publishing.lay_out", attempts=3)
def lay_out(*, series_id: int) -> None:
    if one := Series.objects.filter(pk=series_id).first():
        series.lay_out(series=one, at=clock.now())


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
