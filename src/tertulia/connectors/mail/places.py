"""Where the reading of each folder stands: by UID, for as long as the server's UIDVALIDITY stays the same."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Folder:
    """`uid` the last that was dealt with, `arrived` when the newest of them did, `tries` of the one that comes next."""

    validity: int
    uid: int
    arrived: str = ""
    tries: int = 0

    def note(self, uid: int, arrived: datetime | None) -> None:
        if uid > self.uid:
            self.uid, self.tries = uid, 0
        if arrived:
            self.arrived = max(self.arrived, arrived.isoformat())


@dataclass(slots=True)
class Place:
    folders: dict[str, Folder] = field(default_factory=dict)
    sent: str = ""

    @classmethod
    def read(cls, cursor: str) -> Place:
        if not cursor:
            return cls()
        said = json.loads(cursor)
        return cls({name: Folder(**one) for name, one in said["folders"].items()}, said["sent"])

    def write(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))
