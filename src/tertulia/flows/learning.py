"""From a correction to the next similar message: the brand's layer is learnt in the background, then what is open is
read by it, and slowly what is older, so that the brand's own topics can be compared with the time before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic as time_passed

from tertulia.core import clock, jobs
from tertulia.inbox import rereading, understood
from tertulia.understanding import layers, teaching

BACK_SECONDS = 5.0
"""Older messages are read so long at a time, with pauses that leave the machine to people."""
BACK_PAUSE = timedelta(seconds=15)


@jobs.task(teaching.LEARN, attempts=4, at_once=1)
def learn(*, brand_id: int) -> None:
    teaching.learn(brand=brand_id, at=clock.now())


@jobs.task(teaching.READ_AGAIN, attempts=4, at_once=1)
def read_again(*, brand_id: int) -> None:
    understood.read_again(brand_id, at=clock.now())


@jobs.task(teaching.READ_BACK, attempts=4, at_once=1)
def read_back(*, brand_id: int, began: str = "", own: Sequence[str] = (), below: int | None = None) -> None:
    """Read older messages for the brand's own topics: all that were known when this `began`, from there on."""
    at = clock.now()
    if not began:
        began, own = at.isoformat(), layers.of_one(brand_id).own
    since = datetime.fromisoformat(began) - teaching.BACK
    until = time_passed() + BACK_SECONDS
    for here in rereading.back(brand_id, since=since, below=below, at=at):
        if time_passed() >= until:
            due = at + BACK_PAUSE
            jobs.enqueue(read_back, due_at=due, brand_id=brand_id, began=began, own=list(own), below=here)
            return
    teaching.note_read_back(brand_id, own, since=since)


@jobs.periodic("flows.learn_anew", seconds=1800)
def learn_anew() -> None:
    """After an update with another model what stood on the one before is learnt again; and own topics that were taught
    before older messages were read for them have that done."""
    for layer in teaching.layers_of_another_model():
        teaching.ask(layer.brand_id, at=clock.now())
    for brand in teaching.never_read_back():
        teaching.ask_back(brand, at=clock.now())
