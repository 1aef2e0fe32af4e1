"""How a call to a network can end without a value. Connectors speak of them through `connectors.contract`."""

from __future__ import annotations

from datetime import timedelta


class Outcome(Exception):
    """Why a call did not give a value. `why` is safe to show: it never holds a secret."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why


class Retry(Outcome):
    """The network asks to come back later. The act certainly did not happen."""

    def __init__(self, why: str = "", after: timedelta | None = None) -> None:
        super().__init__(why)
        self.after = after


class Refused(Outcome):
    """The network said no for good: the act did not happen and would not on another try."""


class Reconnect(Outcome):
    """The credentials no longer work; a person has to connect the account again."""


class Unknown(Outcome):
    """The act may or may not have happened (a time-out after sending). Never repeat it without looking."""


class BadPayload(Outcome):
    """What arrived can't be read or isn't signed as it should be. `forged` when the signature is wrong."""

    def __init__(self, why: str = "", *, forged: bool = False) -> None:
        super().__init__(why)
        self.forged = forged


class Unsupported(Outcome):
    """This network (or this account) can't do that."""


class ByHand(Outcome):
    """A person has to do it: `text` ready to copy, and where (`url`). It waits as a task until they say it is done."""

    def __init__(self, why: str = "", *, text: str = "", url: str = "") -> None:
        super().__init__(why)
        self.text, self.url = text, url
