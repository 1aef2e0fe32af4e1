"""How much slower each view of the list is with a hundred times the conversations. Two desks stand side by side and are
asked in turns, page by page: a shared machine is not the same from one second to the next.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

from .figures import Figure, percentile
from .stage import Browser, Stage

WARM, ASKS = 10, 200
SLOWER = 1.2


def run(small: Stage, large: Stage) -> Iterator[Figure]:
    stages = (small, large)
    with ExitStack() as desks:
        for stage in stages:
            stage.prepare()
        said = [json.loads(desks.enter_context(stage.serving())) for stage in stages]
        browsers = [
            desks.enter_context(closing(Browser(stage.port, each["cookie"])))
            for stage, each in zip(stages, said, strict=True)
        ]
        for name in said[0]["views"]:
            took: list[list[float]] = [[], []]
            for turn in range(WARM + ASKS):
                for n in (0, 1) if turn % 2 else (1, 0):
                    began = time.perf_counter()
                    browsers[n].get(said[n]["views"][name])
                    if turn >= WARM:
                        took[n].append(time.perf_counter() - began)
            of_small, of_large = (percentile(each, 0.5) for each in took)
            yield Figure(f"list, {name}: p50, against {small.size:,}", of_large / of_small, "×", SLOWER)
