"""What can't be done, and why: each says it to the person who tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from tertulia.channels.forms import said
from tertulia.connectors.contract import Misfit


class Problem(Exception):
    """The message is for people."""


class Changed(Problem):
    """Somebody else has changed the post since the writer's page showed it."""

    def __init__(self) -> None:
        super().__init__(_("Somebody has changed this post meanwhile. Look at it as it is now, then change it."))


class Settled(Problem):
    """Somebody has decided it, sent it again or ticked it off already."""


class NotHere(Problem):
    """An account, a picture or a time that isn't this brand's, or isn't one."""


class NotAsked(NotHere):
    """It is for somebody else to approve at this point."""

    def __init__(self) -> None:
        super().__init__(_("It isn't you who is asked at this point."))


class TooLate(Problem):
    """It has left already, or is just leaving."""


class NotApproved(Problem):
    """It may not leave before somebody has approved it as it is."""

    def __init__(self) -> None:
        super().__init__(_("This has to be approved as it is before it leaves. Ask for approval."))


class Unfit(Problem):
    """Some network doesn't take it as it is: `misfits` by the name of the account."""

    def __init__(self, misfits: Mapping[str, Sequence[Misfit]]) -> None:
        self.misfits = misfits
        lines = [f"{name}: {said(one.says)}" for name, some in misfits.items() for one in some]
        super().__init__(" ".join(lines))


class Unseen(Problem):
    """Whoever lets it leave hasn't seen all that may not be meant so; `wall` is when it was to leave, None at once."""

    def __init__(self, wall: datetime | None = None) -> None:
        self.wall = wall
        super().__init__(_("Look at this first. If it is meant so, press the button again."))
