"""Direct messages, which a service of their own keeps (`chat.bsky.convo.*`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tertulia.connectors.contract import Author, Envelope

from . import facets, posts
from .client import CHAT, Client, claims
from .posts import Unreadable, text_of

PAGE = 100
CONVERSATIONS = 20
"""So many pages of conversations are looked through; the log tells of the rest once somebody writes."""
ID = "dm:"
FORBIDDEN = "com.atproto.appPass"
"""The scope of an app password that may not read direct messages."""


@dataclass
class Convo:
    """A conversation with its members by DID. `rev` grows with everything that happens in it."""

    id: str
    rev: str = ""
    last_at: datetime | None = None
    members: dict[str, Author] = field(default_factory=dict)


def may_read(client: Client) -> bool:
    """Whether the session was made with a password that may read them."""
    return claims(client.token).get("scope") != FORBIDDEN


def is_nowhere(client: Client) -> bool:
    """Whether the last call failed because the server knows no such service: its gateway would say 502 of trouble."""
    return client.last is not None and client.last.status == 500


def convos(client: Client) -> Iterator[Convo]:
    """All conversations, those with the newest message first."""
    page = ""
    for _ in range(CONVERSATIONS):
        said = client.get("chat.bsky.convo.listConvos", headers=CHAT, limit=PAGE, cursor=page)
        for view in _list(said.get("convos")):
            if convo := _convo(view):
                yield convo
        page = text_of(said.get("cursor"))
        if not page:
            return


def convo(client: Client, id: str) -> Convo:
    """One conversation, for the names in it."""
    said = client.get("chat.bsky.convo.getConvo", headers=CHAT, convoId=id)
    return _convo(said.get("convo")) or Convo(id)


def messages(client: Client, convo_id: str, since: datetime) -> Iterator[Mapping[str, Any]]:
    """What was written in a conversation since then, newest first, as the network tells it."""
    page = ""
    while True:
        said = client.get("chat.bsky.convo.getMessages", headers=CHAT, convoId=convo_id, limit=PAGE, cursor=page)
        shown = _list(said.get("messages"))
        for message in shown:
            sent_at = posts.moment_of(message.get("sentAt")) if isinstance(message, dict) else None
            if sent_at and sent_at < since:
                return
            yield message
        page = text_of(said.get("cursor"))
        if not page or not shown:
            return


def log(client: Client, cursor: str) -> tuple[list[Any], str]:
    """What has happened in all conversations since, oldest first, and the place to read on from."""
    said = client.get("chat.bsky.convo.getLog", headers=CHAT, cursor=cursor)
    return _list(said.get("logs")), text_of(said.get("cursor")) or cursor


def envelope(message: Any, convo: Convo, me: str) -> Envelope:
    """Raises `Unreadable`."""
    if not isinstance(message, dict):
        raise Unreadable("shape")
    id, sender = text_of(message.get("id")), message.get("sender")
    did = text_of(sender.get("did")) if isinstance(sender, dict) else ""
    sent_at = posts.moment_of(message.get("sentAt"))
    if not id or not did or sent_at is None:
        raise Unreadable("message")
    is_deleted = text_of(message.get("$type")).endswith("#deletedMessageView")
    text = text_of(message.get("text"))
    return Envelope(
        remote_id=remote_id(convo.id, id),
        thread_id=f"{ID}{convo.id}",
        sent_at=sent_at,
        author=convo.members.get(did) or Author(did),
        kind="direct",
        verb="deleted" if is_deleted else "created",
        text=text,
        html=facets.html(text, message.get("facets")),
        is_ours=did == me,
        attachments=tuple(_shared(message.get("embed"))),
        raw=message,
        hints={"convo": convo.id, "message": id},
    )


def remote_id(convo_id: str, id: str) -> str:
    return f"{ID}{convo_id}/{id}"[:255]


def _shared(embed: Any) -> Iterator[dict[str, Any]]:
    """A post that was sent along."""
    record = embed.get("record") if isinstance(embed, dict) else None
    try:
        address = posts.uri_of(record.get("uri") if isinstance(record, dict) else None)
    except Unreadable:
        return
    yield {"name": posts.url(address), "type": "text/html", "url": posts.url(address)}


def _convo(view: Any) -> Convo | None:
    id = text_of(view.get("id")) if isinstance(view, dict) else ""
    if not id:
        return None
    newest = view.get("lastMessage")
    members = {}
    for profile in _list(view.get("members")):
        if isinstance(profile, dict) and (did := text_of(profile.get("did"))):
            members[did] = posts.author(profile)
    last_at = posts.moment_of(newest.get("sentAt")) if isinstance(newest, dict) else None
    return Convo(id, text_of(view.get("rev")), last_at, members)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
