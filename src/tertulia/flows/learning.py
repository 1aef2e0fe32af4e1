"""From a correction to the next similar message: the brand's layer is learnt in the background, then what is open is
read by it."""

from __future__ import annotations

from tertulia.core import clock, jobs
from tertulia.inbox import understood
from tertulia.understanding import teaching


@jobs.task(teaching.LEARN, attempts=4, at_once=1)
def learn(*, brand_id: int) -> None:
    teaching.learn(brand=brand_id, at=clock.now())


@jobs.task(teaching.READ_AGAIN, attempts=4, at_once=1)
def read_again(*, brand_id: int) -> None:
    understood.read_again(brand_id, at=clock.now())


@jobs.periodic("flows.learn_anew", seconds=1800)
def learn_anew() -> None:
    """After an update with another model: what stood on the one before is learnt again."""
    for layer in teaching.layers_of_another_model():
        teaching.ask(layer.brand_id, at=clock.now())
