"""What is said to everybody in the room for news: messages, one below the other in a thread of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tertulia.connectors.contract import Account, Draft, Films, Look, Names, Pictures, Publishes

from .client import table, word
from .events import KEY

PERSON = r"[\w.=/+-]+:[\w.-]*\w(?::\d{1,5})?"
LONGEST = 60_000
"""Bytes: an event may have 65,536; the rest is for what is not text."""
PUBLISHES = Publishes(
    kinds=frozenset({"post", "part", "comment"}),
    counted="bytes",
    longest=LONGEST,
    pictures=Pictures(most=1, largest=50 * 1024 * 1024),
    films=Films(types=frozenset({"video/mp4", "video/quicktime", "video/webm"}), largest=50 * 1024 * 1024),
    deletes=True,
    names=Names(PERSON, "@lola:matrix.org"),
    look=Look("bubble", tint="green"),
    finds=True,
    repeats_safely=True,
    keys_live=24 * 3600,
)


def content(draft: Draft, key: str) -> dict[str, Any]:
    """The event. A picture or film carries the text as its caption (spec 1.10); descriptions have no place in it."""
    said: dict[str, Any] = {"msgtype": "m.text", "body": draft.text}
    for one in draft.pictures:
        info = {"mimetype": one.type, "size": one.size, "w": one.width, "h": one.height}
        info |= {"duration": round(one.seconds * 1000)} if one.seconds else {}
        said = {
            "msgtype": "m.video" if one.is_film else "m.image",
            "body": draft.text or one.name,
            "filename": one.name,
            "url": one.id,
            "info": info,
        }
    if draft.above:
        root = draft.above.hints.get("root") or draft.above.remote_id
        above = {"m.in_reply_to": {"event_id": draft.above.remote_id}, "is_falling_back": True}
        said["m.relates_to"] = {"rel_type": "m.thread", "event_id": root, **above}
    if named := re.findall(rf"(?<![\w@])@{PERSON}", draft.text):
        said["m.mentions"] = {"user_ids": list(dict.fromkeys(named))}
    return {**said, KEY: key}


def look(account: Account) -> Look:
    return replace(PUBLISHES.look, handle=str(account.settings.get("user_id") or ""))


def hints(room: str, event: str, said: object) -> dict[str, str]:
    """What is needed to write below it, or to take it away."""
    relates = table(table(said).get("m.relates_to"))
    root = word(relates.get("event_id")) if relates.get("rel_type") == "m.thread" else event
    return {"room": room, "root": root}
