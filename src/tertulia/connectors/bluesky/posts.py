"""Posts as the AppView shows them, checked, and as the messages they are to us."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tertulia.connectors.contract import About, Act, Author, Envelope

from . import facets

COLLECTION = "app.bsky.feed.post"
POST = re.compile(r"at://(did:[a-z0-9]+:[A-Za-z0-9._:%-]+)/app\.bsky\.feed\.post/([A-Za-z0-9._:~-]+)")
LONGEST_URI = 200
ABOUT = 300
"""So much of the post above is shown beside a message."""


class Unreadable(ValueError):
    """Not a post as the network describes posts."""


@dataclass(frozen=True, slots=True)
class Post:
    """`root`, `parent` and `quoted` are addresses ("" for none); a post that answers nothing is its own root."""

    uri: str
    cid: str
    author: Author
    text: str
    html: str
    sent_at: datetime
    root: str
    root_cid: str
    parent: str
    quoted: str
    replies: int
    attachments: tuple[Mapping[str, Any], ...]
    closed: str
    """Why it can't be answered, by the codes of `texts.REASONS`."""
    raw: Mapping[str, Any]


def read(view: Any) -> Post:
    """Raises `Unreadable`."""
    view = _object(view)
    record, writer = _object(view.get("record")), _object(view.get("author"))
    uri, did = uri_of(view.get("uri")), text_of(writer.get("did"))
    if did != writer_of(uri):
        raise Unreadable("author")
    reply = record.get("reply")
    root, parent = (_reference(_object(reply).get(name)) for name in ("root", "parent")) if reply else (("", ""),) * 2
    quoted = _quoted(record.get("embed"))
    return Post(
        uri=uri,
        cid=text_of(view.get("cid")),
        author=author(writer, record.get("langs")),
        text=text_of(record.get("text")),
        html=facets.html(text_of(record.get("text")), record.get("facets")),
        sent_at=sent_at(record.get("createdAt"), view.get("indexedAt")),
        root=root[0] or uri,
        root_cid=root[1] or text_of(view.get("cid")),
        parent=parent[0],
        quoted=quoted,
        replies=replies if type(replies := view.get("replyCount")) is int else 0,
        attachments=tuple(_attachments(view.get("embed"), record.get("embed"))),
        closed=_closed(view, writer),
        raw=view,
    )


def envelope(post: Post, me: str, person: str, about: Post | None) -> Envelope:
    """The message that a post is to us, in the talk with that person under its root."""
    is_ours, is_under_ours = writer_of(post.uri) == me, writer_of(post.root) == me
    return Envelope(
        remote_id=post.uri,
        thread_id=f"{post.root}:{person}",
        sent_at=post.sent_at,
        author=post.author,
        kind="comment" if is_under_ours or writer_of(post.parent) == me else "mention",
        text=post.text,
        html=post.html,
        in_reply_to=post.parent,
        is_ours=is_ours,
        url=url(post.uri),
        attachments=post.attachments,
        raw=post.raw,
        hints={"cid": post.cid, "root": post.root, "root_cid": post.root_cid},
        about=_about(post, about),
        cannot={} if is_ours else _cannot(post, is_under_ours),
    )


def deleted(uri: str, at: datetime) -> Envelope:
    """That a post is gone; to whom it belonged is known from before."""
    return Envelope(uri, "", at, Author(writer_of(uri)), kind="mention", verb="deleted", changed_at=at)


def edited(message: Envelope, at: datetime) -> Envelope:
    return replace(message, verb="edited", changed_at=max(at, message.sent_at))


def uri_of(value: Any) -> str:
    """An address of a post, checked. Raises `Unreadable`."""
    if isinstance(value, str) and len(value) <= LONGEST_URI and POST.fullmatch(value):
        return value
    raise Unreadable("address")


def writer_of(uri: str) -> str:
    """Whose post it is: that stands in its address."""
    found = POST.fullmatch(uri)
    return found[1] if found else ""


def record_key(uri: str) -> str:
    found = POST.fullmatch(uri)
    return found[2] if found else ""


def url(uri: str) -> str:
    return f"https://bsky.app/profile/{writer_of(uri)}/post/{record_key(uri)}"


def author(profile: Mapping[str, Any], languages: Any = None) -> Author:
    """Raises `Unreadable`."""
    did, handle, avatar = (text_of(profile.get(name)) for name in ("did", "handle", "avatar"))
    if not did:
        raise Unreadable("author")
    return Author(
        remote_id=did,
        name=text_of(profile.get("displayName")) or handle,
        handle=handle,
        language=text_of(languages[0]) if isinstance(languages, list) and languages else "",
        avatar_url=avatar if avatar.startswith("https://") else "",
    )


def sent_at(created: Any, indexed: Any) -> datetime:
    """When it was written, as its writer says, but never after the network had seen it: so it sorts posts, too.

    Raises `Unreadable`.
    """
    moments = [moment for value in (created, indexed) if (moment := moment_of(value))]
    if not moments:
        raise Unreadable("time")
    return min(moments)


def moment_of(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _about(post: Post, about: Post | None) -> About | None:
    above = post.root if post.root != post.uri else post.quoted
    if not above:
        return None
    return About(remote_id=above, url=url(above), text=about.text[:ABOUT] if about else "")


def _cannot(post: Post, is_under_ours: bool) -> dict[Act, str]:
    cannot: dict[Act, str] = {}
    if not is_under_ours:
        cannot["hide"] = "not_ours"
    if post.closed:
        cannot["reply"] = post.closed
    return cannot


def _closed(view: Mapping[str, Any], writer: Mapping[str, Any]) -> str:
    here, there = view.get("viewer"), writer.get("viewer")
    if isinstance(there, dict) and there.get("blockedBy") is True:
        return "blocked"
    return "closed" if isinstance(here, dict) and here.get("replyDisabled") is True else ""


def _reference(value: Any) -> tuple[str, str]:
    value = _object(value)
    return uri_of(value.get("uri")), text_of(value.get("cid"))


def _quoted(embed: Any) -> str:
    """The address of the post that this one shows inside itself."""
    inner = embed.get("record") if isinstance(embed, dict) else None
    while isinstance(inner, dict) and isinstance(inner.get("record"), dict):
        inner = inner["record"]
    address = inner.get("uri") if isinstance(inner, dict) else None
    is_post = isinstance(address, str) and len(address) <= LONGEST_URI and POST.fullmatch(address)
    return str(address) if is_post else ""


def _attachments(shown: Any, stored: Any) -> Iterator[dict[str, Any]]:
    """Pictures, a video and a linked page, with the addresses that the AppView serves them at."""
    if not isinstance(shown, dict):
        return
    if isinstance(media := shown.get("media"), dict):
        yield from _attachments(media, stored.get("media") if isinstance(stored, dict) else None)
    for name in ("images", "items"):
        pictures = shown.get(name)
        for number, picture in enumerate(pictures if isinstance(pictures, list) else []):
            address = picture.get("fullsize") if isinstance(picture, dict) else None
            if _is_web(address):
                blob = _blob(stored, name, number)
                ending = blob["type"].rpartition("/")[2]
                yield {"name": f"{number + 1}.{ending}", **blob, "url": address, **_alt(picture)}
    if _is_web(shown.get("playlist")):
        yield {"name": "video.m3u8", "type": "application/vnd.apple.mpegurl", "url": shown["playlist"], **_alt(shown)}
    page = shown.get("external")
    if isinstance(page, dict) and _is_web(page.get("uri")):
        yield {"name": text_of(page.get("title")) or page["uri"], "type": "text/html", "url": page["uri"]}


def _blob(stored: Any, name: str, number: int) -> dict[str, Any]:
    """Kind and size of a picture, which only the record tells."""
    pictures = stored.get(name) if isinstance(stored, dict) else None
    picture = pictures[number] if isinstance(pictures, list) and number < len(pictures) else None
    blob = picture.get("image") if isinstance(picture, dict) else None
    kind, size = (blob.get("mimeType"), blob.get("size")) if isinstance(blob, dict) else (None, None)
    told: dict[str, Any] = {"type": text_of(kind) or "image/jpeg"}
    return told | ({"size": size} if type(size) is int and 0 <= size < 2**53 else {})


def _alt(picture: Mapping[str, Any]) -> dict[str, str]:
    alt = text_of(picture.get("alt"))
    return {"alt": alt} if alt else {}


def _is_web(address: Any) -> bool:
    return isinstance(address, str) and address.startswith(("https://", "http://"))


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable("shape")
    return value


def text_of(value: Any) -> str:
    """A text as every database takes it; "" for anything else."""
    return value.replace("\0", "").encode(errors="replace").decode() if isinstance(value, str) else ""
