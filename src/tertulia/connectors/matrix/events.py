"""What an event of a room says, as envelopes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from tertulia.connectors.contract import About, Author, Envelope, Kind

from . import texts
from .client import MESSAGES, table, word
from .place import Room

KEY, TO = "tertulia.key", "tertulia.to"
"""What our own messages carry beside their text: the key of the delivery, and whom it answers."""
LONGEST_ID = 255
MOST_OF_ABOUT = 500
FOLLOWED = 5
"""So many of our own messages that answer one another are gone through for the person they began with."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FALLBACK = re.compile(r"(?:> ?.*\n)+\n?")
FILES = ("m.image", "m.file", "m.audio", "m.video")

Look = Callable[[str], "Mapping[str, Any] | None"]


class Odd(Exception):
    """An event that isn't what the specification says."""


@dataclass
class Reader:
    """Reads one room's events for the account `me`. `look` finds an event of the room by its id, `names` are known."""

    me: str
    room: Room
    is_private: bool
    look: Look
    names: dict[str, str] = field(default_factory=dict)

    def happened(self, event: Mapping[str, Any]) -> list[Envelope]:
        """What this event changes. Raises `Odd`."""
        if event.get("type") == "m.room.redaction":
            return self._deletion(event)
        if event.get("type") not in MESSAGES or "state_key" in event or is_redacted(event):
            return []
        return self._correction(event) if corrected(event) else self._message(event)

    def stands(self, event: Mapping[str, Any]) -> list[Envelope]:
        """What there is of this message now, its last correction included. Raises `Odd`."""
        if event.get("type") not in MESSAGES or "state_key" in event or is_redacted(event) or corrected(event):
            return []
        last = table(table(table(event.get("unsigned")).get("m.relations")).get("m.replace"))
        said = self._message(event)
        return [*said, *self._corrected(event, last)] if said and last else said

    def _message(self, event: Mapping[str, Any]) -> list[Envelope]:
        content, sender = table(event.get("content")), person(event)
        parent, root = relation(content)
        answered = self.look(parent) if parent else None
        is_ours = sender == self.me
        talks_to = self._talks_to(content, answered) if is_ours else sender
        if not talks_to and not self.is_private:
            return []  # the company said it to the whole room: that is no talk with anybody
        body, html, quoted = words(event, has_parent=bool(parent))
        return [
            Envelope(
                remote_id=(id := event_id(event)),
                thread_id=self.room.id if self.is_private else thread_of(self.room.id, talks_to),
                sent_at=moment(event),
                author=Author(sender, name=self.names.get(sender, ""), handle=sender),
                kind=self._kind(answered),
                text=body,
                html=html,
                quoted=quoted,
                in_reply_to=parent,
                is_ours=is_ours,
                key=self._key(event) if is_ours else "",
                url=link(self.room.id, id),
                attachments=attachments(event, link(self.room.id, id)),
                raw=event,
                hints={"room": self.room.id, **({"root": root} if root else {})},
                about=self._about(answered),
                cannot=self._cannot(event, sender),
                is_automatic=content.get("msgtype") == "m.notice" and not is_ours,
            )
        ]

    def _talks_to(self, content: Mapping[str, Any], answered: Mapping[str, Any] | None) -> str:
        """Whom a message of our own answers, be it written here or in another program."""
        for _step in range(FOLLOWED):
            if writer := word(content.get(TO)):
                return writer
            if answered is not None and (writer := word(answered.get("sender"))) != self.me:
                return writer
            named = table(content.get("m.mentions")).get("user_ids")
            if isinstance(named, list) and len(named) == 1 and word(named[0]):
                return word(named[0])
            if answered is None:
                return ""
            content = table(answered.get("content"))
            before, _root = relation(content)
            answered = self.look(before) if before else None
        return ""

    def _key(self, event: Mapping[str, Any]) -> str:
        given = word(table(event.get("content")).get(KEY))
        return given or word(table(event.get("unsigned")).get("transaction_id"))

    def _kind(self, answered: Mapping[str, Any] | None) -> Kind:
        if self.is_private:
            return "direct"
        return "comment" if answered is not None and answered.get("sender") == self.me else "mention"

    def _about(self, answered: Mapping[str, Any] | None) -> About | None:
        if self.is_private:
            return None
        if answered is None or not word(answered.get("event_id")):
            return About(self.room.id, title=self.room.name, url=link(self.room.id))
        said = word(table(answered.get("content")).get("body"))[:MOST_OF_ABOUT]
        id = word(answered.get("event_id"))
        return About(id, title=self.room.name, url=link(self.room.id, id), text=said)

    def _cannot(self, event: Mapping[str, Any], sender: str) -> dict[Any, str]:
        cannot = self.room.forbids(self.me, sender)
        if self.is_private:
            cannot |= {"kick": "private", "ban": "private"}
        if event.get("type") == "m.room.encrypted":
            cannot["reply"] = "encrypted"
        return cannot

    def _correction(self, event: Mapping[str, Any]) -> list[Envelope]:
        original = self.look(corrected(event))
        return [] if original is None or is_redacted(original) else self._corrected(original, event)

    def _corrected(self, original: Mapping[str, Any], event: Mapping[str, Any]) -> list[Envelope]:
        """Only its writer corrects a message; whatever else says so is not one."""
        before, now = table(original.get("content")), table(event.get("content")).get("m.new_content")
        if person(original) != person(event) or corrected(original):
            return []
        if event.get("type") == "m.room.encrypted":
            now = {}
        if not isinstance(now, dict):
            raise Odd
        ours = {name: before[name] for name in (KEY, TO, "m.relates_to", "m.mentions") if name in before}
        said = self._message({**original, "content": {**now, **ours}})
        return [replace(one, verb="edited", changed_at=moment(event), raw=event) for one in said]

    def _deletion(self, event: Mapping[str, Any]) -> list[Envelope]:
        """It names no thread: what nobody has seen yet leaves no talk behind, what is known has one."""
        id = word(table(event.get("content")).get("redacts")) or word(event.get("redacts"))
        gone = self.look(id) if id else None
        if gone is None or gone.get("type") not in MESSAGES:
            return []
        return [
            Envelope(
                remote_id=event_id(gone),
                thread_id="",
                sent_at=moment(gone),
                author=Author(person(gone)),
                kind="direct" if self.is_private else "mention",
                verb="deleted",
                changed_at=moment(event),
                is_ours=person(gone) == self.me,
                raw=event,
            )
        ]


def words(event: Mapping[str, Any], *, has_parent: bool) -> tuple[str, str, str]:
    """Text, HTML and what is quoted of the message it answers."""
    content = table(event.get("content"))
    if event.get("type") == "m.room.encrypted":
        return texts.ENCRYPTED_MESSAGE, "", ""
    body, html, quoted = word(content.get("body")), "", ""
    if content.get("format") == "org.matrix.custom.html":
        html = word(content.get("formatted_body"))
        html = html.rpartition("</mx-reply>")[2]
    if has_parent and (fallback := _FALLBACK.match(body)):
        quoted, body = fallback[0].strip(), body[fallback.end() :]
    if content.get("msgtype") in FILES and body == (word(content.get("filename")) or body):
        body = ""  # only the name of the file
    if content.get("msgtype") == "m.emote":
        body = f"* {body}"
    return body, html, quoted


def attachments(event: Mapping[str, Any], url: str) -> list[dict[str, Any]]:
    """Files can't be fetched without the account's token, so they are opened in the room itself."""
    content = table(event.get("content"))
    is_sticker = event.get("type") == "m.sticker"
    if not is_sticker and content.get("msgtype") not in FILES:
        return []
    info, body = table(content.get("info")), word(content.get("body"))
    file: dict[str, Any] = {"name": word(content.get("filename")) or body or "—", "url": url}
    if kind := word(info.get("mimetype")):
        file["type"] = kind
    if isinstance(size := info.get("size"), int) and not isinstance(size, bool) and 0 <= size < 2**53:
        file["size"] = size
    if is_sticker:
        file["alt"] = body
    return [file]


def relation(content: Mapping[str, Any]) -> tuple[str, str]:
    """The message it answers and the root of its thread, each empty where there is none.

    In a thread, programs that know no threads are shown the last message as if it were answered: that one is not meant.
    """
    relates = table(content.get("m.relates_to"))
    parent = word(table(relates.get("m.in_reply_to")).get("event_id"))
    root = word(relates.get("event_id")) if relates.get("rel_type") == "m.thread" else ""
    if root and (relates.get("is_falling_back") is True or not parent):
        parent = root
    return parent[:LONGEST_ID], root[:LONGEST_ID]


def corrected(event: Mapping[str, Any]) -> str:
    """The message whose text this one replaces."""
    relates = table(table(event.get("content")).get("m.relates_to"))
    return word(relates.get("event_id")) if relates.get("rel_type") == "m.replace" else ""


def is_redacted(event: Mapping[str, Any]) -> bool:
    return "redacted_because" in table(event.get("unsigned"))


def thread_of(room: str, who: str) -> str:
    thread = f"{room} {who}"
    return thread if len(thread) <= LONGEST_ID else hashlib.sha256(thread.encode()).hexdigest()


def link(room: str, event: str = "") -> str:
    return "https://matrix.to/#/" + "/".join(quote(part, safe="!$:@") for part in (room, event) if part)


def event_id(event: Mapping[str, Any]) -> str:
    return _id(event.get("event_id"))


def person(event: Mapping[str, Any]) -> str:
    return _id(event.get("sender"))


def _id(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or word(value) != value:
        raise Odd
    return value


def moment(event: Mapping[str, Any]) -> datetime:
    time = event.get("origin_server_ts")
    if not isinstance(time, int) or isinstance(time, bool) or not 0 <= time < 10**14:
        raise Odd
    return _EPOCH + timedelta(milliseconds=time)
