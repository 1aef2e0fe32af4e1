"""Where the reading of a blog stands.

WordPress tells of no edit and no deletion and has no cursor; it numbers comments upwards and can start at any of them.
So a reading begins a little before where the last one ended, among comments it knows, and goes on to the end: that no
comment was skipped is certain when the page begins with one that is known. How the newest comments looked is kept, to
see what was edited; what is missing between two that are there was deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tertulia.connectors.contract import Verb

from .client import PER_PAGE, Listing
from .comment import Comment

OVERLAP = PER_PAGE // 2
"""So many of a page are comments that were read before."""
WATCHED = 5_000
"""So many of the newest comments are looked at again for edits and deletions."""
BEGINNING = 200
"""So many are read at first, as far as they are no older than `RECENT` or still wait for approval."""
RECENT = timedelta(days=7)

APPROVED, TRASHED, OLD = "+", "t", "o"
"""What became of a comment: it can be seen; it lies in the trash; it is from before our time."""
SHOWN = {"approved": APPROVED, "hold": "h", "spam": "s"}
"""The desk has it, and by its state it looks so."""


@dataclass
class Place:
    """`count` comments were there up to the last one read; `seen` is how the newest of them looked, by id; `sweep`
    where the next look at older ones begins; `changed_at` the latest moment given to a change. What was written before
    `since` is left alone, unless it still waits for approval."""

    since: datetime
    changed_at: datetime
    count: int = 0
    sweep: int = 0
    seen: dict[int, str] = field(default_factory=dict)

    @classmethod
    def at_first(cls, total: int, *, now: datetime) -> Place:
        return cls(since=now - RECENT, changed_at=now, count=max(0, total - BEGINNING) + OVERLAP)

    @classmethod
    def read(cls, cursor: str) -> Place:
        said = json.loads(cursor)
        since, changed_at = (datetime.fromisoformat(said[name]) for name in ("since", "changed_at"))
        return cls(since, changed_at, said["count"], said["sweep"], dict(_unpacked(said["seen"])))

    def __str__(self) -> str:
        moments = {"since": self.since.isoformat(), "changed_at": self.changed_at.isoformat()}
        told = {**moments, "count": self.count, "sweep": self.sweep, "seen": _packed(self.seen)}
        return json.dumps(told, separators=(",", ":"))

    @property
    def begins_at(self) -> int:
        """Where to read on."""
        return max(0, self.count - OVERLAP)

    @property
    def last(self) -> int:
        """The newest comment that was read."""
        return max(self.seen, default=0)

    def next_sweep(self) -> int | None:
        """Where to look again at older comments: one page at a time, the next one at the next reading."""
        first = max(0, self.count - len(self.seen))
        if first >= self.begins_at:
            return None
        here = self.sweep if first <= self.sweep < self.begins_at else first
        after = here + PER_PAGE - 1  # the last one again: what was deleted between two pages is missed as well
        self.sweep = after if after < self.begins_at else 0
        return here

    def changes(self, listing: Listing) -> Iterator[tuple[Comment, Verb]]:
        """What happened to the comments of a page, noting how all of them look now."""
        oldest = min(self.seen, default=0)
        for comment in listing.comments:
            before = self.seen.get(comment.id)
            if before is None and comment.id < oldest:
                continue  # no longer watched
            verb, became = self._change(comment, before)
            self.seen[comment.id] = comment.print + became
            if verb:
                yield comment, verb

    def _change(self, comment: Comment, before: str | None) -> tuple[Verb | None, str]:
        was = before[-1] if before else ""
        if comment.is_in_trash:
            return "deleted" if was in SHOWN.values() else None, was if was == OLD else TRASHED
        if not before and comment.sent_at < self.since and comment.status != "hold":
            return None, OLD
        now = SHOWN.get(comment.status, APPROVED)
        if was in {"", TRASHED}:
            return "created", now
        if before and before[:-1] != comment.print:
            return "edited", now
        return (None, was) if was in {OLD, now} else ("judged", now)

    def missing(self, listing: Listing) -> list[int]:
        """Those that should be on this page and aren't."""
        there = {comment.id for comment in listing.comments}
        if not there:
            return [] if listing.total else list(self.seen)
        first = min(there) if listing.offset else 0
        last = self.last if listing.is_last else max(there)
        return [id for id in self.seen if first <= id <= last and id not in there]

    def forget(self, id: int) -> bool:
        """A comment that no longer exists; True when the desk still has it."""
        return self.seen.pop(id)[-1] in SHOWN.values()

    def end(self, listing: Listing) -> None:
        """The page was read."""
        self.count = listing.ends_at
        self.seen = dict(sorted(self.seen.items())[-WATCHED:])

    def moment_of_change(self, now: datetime, after: datetime) -> datetime:
        """When we noticed, later than every change noticed before: WordPress doesn't say."""
        step = timedelta(microseconds=1)
        self.changed_at = max(now, self.changed_at + step, after + step)
        return self.changed_at


def _packed(seen: dict[int, str]) -> str:
    """Each id as its distance from the one before, followed by its five signs."""
    ids = [0, *sorted(seen)]
    return ",".join(f"{id - before:x}{seen[id]}" for before, id in zip(ids, ids[1:], strict=False))


def _unpacked(text: str) -> Iterator[tuple[int, str]]:
    id = 0
    for entry in text.split(",") if text else ():
        id += int(entry[:-5], 16)
        yield id, entry[-5:]
