"""Where the reading of an account stands, and what is known of its rooms: the cursor, told as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tertulia.connectors.contract import Act

from .client import rows, table, word

HIGHEST = 2**53
"""A creator's power in rooms of version 12 and later: above every number."""


@dataclass
class Room:
    """What a room's state says that matters for reading and acting. `power` as the room's own event has it."""

    id: str
    name: str = ""
    aliases: list[str] = field(default_factory=list)
    is_encrypted: bool = False
    version: str = "1"
    creators: list[str] = field(default_factory=list)
    power: dict[str, Any] | None = None

    def learn(self, events: Iterable[Mapping[str, Any]]) -> None:
        for event in events:
            content = table(event.get("content"))
            match event.get("type"):
                case "m.room.name":
                    self.name = word(content.get("name"))[:300]
                case "m.room.canonical_alias":
                    others = content.get("alt_aliases")
                    named = [content.get("alias"), *(others if isinstance(others, list) else [])]
                    self.aliases = [word(alias) for alias in named if word(alias)]
                case "m.room.encryption":
                    self.is_encrypted = True
                case "m.room.create":
                    self.version = word(content.get("room_version")) or "1"
                    others = content.get("additional_creators")
                    named = [event.get("sender"), *(others if isinstance(others, list) else [])]
                    self.creators = [word(creator) for creator in named if word(creator)]
                case "m.room.power_levels":
                    self.power = {
                        "users": {who: level(value) for who, value in table(content.get("users")).items()},
                        "needs": {
                            "remove": level(content.get("redact"), 50),
                            "kick": level(content.get("kick"), 50),
                            "ban": level(content.get("ban"), 50),
                            "reply": self._needed(content, "m.room.message"),
                            "like": self._needed(content, "m.reaction"),
                        },
                        "default": level(content.get("users_default")),
                    }

    def _needed(self, content: Mapping[str, Any], kind: str) -> int:
        return level(table(content.get("events")).get(kind), level(content.get("events_default")))

    def rank(self, person: str) -> int:
        if person in self.creators and (self.power is None or _is_ranked_by_creation(self.version)):
            return HIGHEST if self.power else 100
        if self.power is None:
            return 0
        rank: int = self.power["users"].get(person, self.power["default"])
        return rank

    def forbids(self, me: str, person: str) -> dict[Act, str]:
        """What the account can't do with a message of this person's here, with the code of the reason."""
        mine = self.rank(me)
        needs: dict[Act, int] = self.power["needs"] if self.power else {"remove": 50, "kick": 50, "ban": 50}
        cannot: dict[Act, str] = {act: "power" for act, needed in needs.items() if mine < needed}
        if self.rank(person) >= mine:
            cannot = {"kick": "rank", "ban": "rank", **cannot}
        if self.is_encrypted:
            cannot["reply"] = "encrypted"
        return cannot


def _is_ranked_by_creation(version: str) -> bool:
    return version == "org.matrix.hydra.11" or (version.isdecimal() and int(version[:4]) >= 12)


def level(value: Any, default: int = 0) -> int:
    """A power level; old rooms have some that are written as texts."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < HIGHEST else default


@dataclass
class Stretch:
    """A part of a room's past that is still to be read: on from `start` to `end`, or back from `start`."""

    room: str
    start: str = ""
    end: str = ""
    backwards: bool = False


@dataclass
class Place:
    me: str = ""
    since: str = ""
    direct: list[str] = field(default_factory=list)
    """Rooms that are a private talk."""
    rooms: dict[str, Room] = field(default_factory=dict)
    left: list[Stretch] = field(default_factory=list)

    @classmethod
    def read(cls, cursor: str) -> Place:
        if not cursor:
            return cls()
        told = json.loads(cursor)
        told["rooms"] = {room["id"]: Room(**room) for room in told["rooms"]}
        told["left"] = [Stretch(**stretch) for stretch in told["left"]]
        return cls(**told)

    def write(self) -> str:
        told = {**asdict(self), "rooms": [_without_empty(asdict(room)) for room in self.rooms.values()]}
        return json.dumps(told, separators=(",", ":"))

    def learn_private(self, account_data: Mapping[str, Any]) -> None:
        """The account's own list of private talks, as it stands on the server."""
        for event in rows(account_data.get("events")):
            if event.get("type") == "m.direct":
                self.direct = private_rooms(table(event.get("content")))


def private_rooms(content: Mapping[str, Any]) -> list[str]:
    found = {word(room) for rooms in content.values() if isinstance(rooms, list) for room in rooms}
    return sorted(found - {""})


def _without_empty(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value not in ("", [], False, None)}
