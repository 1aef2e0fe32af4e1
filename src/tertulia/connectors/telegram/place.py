"""Where the reading of a bot's updates stands."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

FRESH = timedelta(days=6)
"""After a week without updates Telegram goes on with any number, also a smaller one: till then ours is good."""
LOOK_AGAIN = timedelta(minutes=5)


@dataclass
class Place:
    """`offset` the next update, told as it was at `at`; `moved` the first number of groups that became supergroups, by
    the one they have now; `webhook` what Telegram was told to call, and when we last looked whether it does."""

    offset: int = 0
    at: str = ""
    moved: dict[str, str] = field(default_factory=dict)
    webhook: str = ""
    looked_at: str = ""

    @classmethod
    def read(cls, cursor: str) -> Place:
        return cls(**json.loads(cursor)) if cursor else cls()

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value}, separators=(",", ":"))

    def after(self) -> dict[str, Any]:
        """What lies before it Telegram may forget: by now it is stored here."""
        return {"offset": self.offset} if self.offset and _is_within(self.at, FRESH) else {}

    def passed(self, number: int) -> None:
        before = self.offset if _is_within(self.at, FRESH) else 0
        self.offset = max(before, number + 1)
        self.at = _now().isoformat()

    def note_move(self, new: int, old: int) -> None:
        """A group that moves keeps its talks."""
        self.moved[str(new)] = self.moved.get(str(old), str(old))

    def is_time_to_look(self, mark: str) -> bool:
        return self.webhook != mark or not _is_within(self.looked_at, LOOK_AGAIN)

    def looked(self, mark: str) -> None:
        self.webhook, self.looked_at = mark, _now().isoformat()

    def is_recent(self, stamp: object) -> bool:
        return type(stamp) is int and _now().timestamp() - stamp < 2 * LOOK_AGAIN.total_seconds()


def _is_within(said: str, time: timedelta) -> bool:
    return bool(said) and _now() - datetime.fromisoformat(said) < time


def _now() -> datetime:
    return datetime.now(UTC)
