"""How far an account has been read: the cursor, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from tertulia.connectors.contract import Envelope

WATCHED = 240
"""So many messages, the latest, are looked at again for edits and deletions that nobody tells of."""


@dataclass
class Place:
    """`notified` and `own` are the newest ids read; `watch` the latest messages by id, each with when it was sent and
    last changed and its thread; `turn` tells which of them come next; `lists` whether many can be read at once."""

    me: str = ""
    notified: str = ""
    own: str = ""
    watch: dict[str, list[str]] = field(default_factory=dict)
    turn: int = 0
    lists: bool = True

    @classmethod
    def read(cls, cursor: str) -> Place:
        """A cursor that can't be read begins anew: what is known already comes twice, and harmlessly."""
        try:
            return cls(**json.loads(cursor))
        except (ValueError, TypeError):
            return cls()

    def write(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    def note(self, envelope: Envelope) -> None:
        changed = envelope.changed_at or envelope.sent_at
        self.watch[envelope.remote_id] = [_brief(envelope.sent_at), _brief(changed), envelope.thread_id]

    def forget(self, ids: Iterable[str]) -> None:
        for id in ids:
            self.watch.pop(id, None)

    def trim(self) -> None:
        latest = sorted(self.watch.items(), key=lambda one: one[1][0], reverse=True)[:WATCHED]
        self.watch = dict(latest)

    def due(self, size: int) -> list[str]:
        """The latest messages, and a turn of the others."""
        ids = list(self.watch)
        turns = [ids[at : at + size] for at in range(size, len(ids), size)]
        return ids[:size] + (turns[self.turn % len(turns)] if turns else [])

    def is_news(self, envelope: Envelope) -> bool:
        known = self.watch.get(envelope.remote_id)
        return known is None or known[1] != _brief(envelope.changed_at or envelope.sent_at)


def _brief(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
