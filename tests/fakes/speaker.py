"""How the contract suite reaches a connector whose network is a double on 127.0.0.1.

Each connector that speaks to a network has a module `fakes/<key>.py` with `SPEAKER`, a `Speaker` for its own double.
That keeps `posts` (what was published, one entry for each message that exists there), `acts` (each act as
(act, is_undo), in the order in which they took effect) and `faults` (words of `network.FAULTS_BEFORE` and
`FAULTS_AFTER`, taken from the left, one for each call that writes), and knows its `url`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tertulia.connectors import registry
from tertulia.connectors.contract import Act, Connector, Target


@dataclass(frozen=True)
class Seen:
    """Something published, as everybody sees it there: its text, what it stands below, and what its pictures are said
    to show ("" where the network carries no descriptions); of a poll the options, how long and whether several; how
    many of what it shows are films."""

    text: str
    above: str = ""
    alts: list[str] = field(default_factory=list)
    poll: tuple[list[str], int, bool] | None = None
    films: int = 0


@dataclass(frozen=True)
class Speaker:
    """`running` starts the double, `account` is one connected to it, `target` what a reply answers there.

    `targets` what each act is done on (`target` where it isn't named); `secrets` what may never be seen;
    `open` makes the connector, for those that need another door than HTTP's; `by_hand` where a person gives every
    answer: then nothing is ever written to the network. `published` what everybody sees of us, in its order, for a
    connector that publishes.
    """

    connector: type[Connector]
    running: Callable[[], AbstractContextManager[Any]]
    account: Callable[[Any], Any]
    target: Target
    secrets: tuple[str, ...]
    targets: Mapping[Act, Target] = field(default_factory=dict)
    open: Callable[[type[Connector], Any], Connector] = lambda connector, door: connector(door)
    by_hand: bool = False
    published: Callable[[Any], list[Seen]] | None = None


def speakers() -> dict[str, Speaker]:
    """Those of the installed connectors."""
    found = {}
    for key in registry.all_connectors():
        name = f"fakes.{key.replace('-', '_')}"
        if find_spec(name):
            found[key] = import_module(name).SPEAKER
    return found
