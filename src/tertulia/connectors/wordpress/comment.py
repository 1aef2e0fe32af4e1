"""A comment as WordPress gives it to a moderator, and as the desk understands it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

from tertulia.connectors.contract import About, Author, Envelope, Verb
from tertulia.core.html import whole_tags

TRASH = "trash"
MARK = "Tertulia/"
"""Before the key, as the user agent of what we write: the one thing of a comment that is ours to choose, comes back,
and is shown to nobody who visits the blog."""
_LARGEST_ID = 2**53


@dataclass(frozen=True, slots=True)
class Comment:
    id: int
    post: int
    parent: int
    author: int
    name: str
    email: str
    agent: str
    status: str
    written: str
    html: str
    sent_at: datetime
    url: str
    about: About
    raw: Any

    @classmethod
    def read(cls, item: Any) -> Comment:
        """Raises `ValueError`."""
        try:
            content = item["content"]
            post = _id(item["post"])
            return cls(
                id=_id(item["id"], least=1),
                post=post,
                parent=_id(item.get("parent", 0)),
                author=_id(item.get("author", 0)),
                name=_plain(_text(item.get("author_name"))),
                email=_text(item.get("author_email")),
                agent=_text(item.get("author_user_agent")),
                status=_text(item["status"]),
                written=_text(content.get("raw", content.get("rendered"))),
                html=_text(content.get("rendered")),
                sent_at=_moment(item["date_gmt"]),
                url=_address(item.get("link")),
                about=_about(post, item),
                raw={name: value for name, value in item.items() if name not in {"_links", "_embedded"}},
            )
        except (KeyError, TypeError, AttributeError, OverflowError):
            raise ValueError("not a comment") from None

    @property
    def is_in_trash(self) -> bool:
        return self.status.endswith(TRASH)  # "post-trashed", too: its post went there

    @property
    def person(self) -> str:
        """Who wrote it, the same for all they write: the blog's user, or else their e-mail. With neither nobody can
        tell two people of one name apart, so each such comment is a person of its own."""
        if self.author:
            return f"user-{self.author}"
        if self.email:
            return "mail-" + sha256(self.email.strip().lower().encode()).hexdigest()[:24]
        return f"comment-{self.id}"

    @property
    def thread(self) -> str:
        """The talk with one person under one post."""
        return f"{self.post}:{self.person}"

    @property
    def print(self) -> str:
        """A short mark of what is written, to notice edits by."""
        return base64.b64encode(sha256(self.written.encode()).digest()[:3]).decode()

    def envelope(self, thread: str, *, me: int, verb: Verb = "created", changed_at: datetime | None = None) -> Envelope:
        is_ours = self.author == me
        return Envelope(
            remote_id=str(self.id),
            thread_id=thread,
            sent_at=self.sent_at,
            author=Author(self.person, name=self.name, email=self.email),
            kind="comment",
            verb=verb,
            text=_plain(self.written),
            html=self.html,
            in_reply_to=str(self.parent) if self.parent else "",
            changed_at=changed_at,
            is_ours=is_ours,
            key=self.agent.removeprefix(MARK) if is_ours and self.agent.startswith(MARK) else "",
            url=self.url,
            raw=self.raw,
            hints={"status": self.status, "post": str(self.post)},
            about=self.about,
            is_automatic=self.status == "spam",  # nobody waits for an answer to it
        )


def _about(post: int, item: dict[str, Any]) -> About:
    """The post; its title and address come along, unless it is one that isn't shown (any more)."""
    try:
        [shown] = item["_embedded"]["up"]
        return About(str(post), title=_plain(_text(shown["title"]["rendered"])), url=_address(shown.get("link")))
    except (KeyError, TypeError, ValueError, AttributeError):
        return About(str(post))


def _id(value: Any, least: int = 0) -> int:
    if type(value) is not int or not least <= value < _LARGEST_ID:
        raise ValueError("not a number of WordPress's")
    return value


def _text(value: Any) -> str:
    """Without what no database takes."""
    return value.replace("\x00", "").encode(errors="ignore").decode() if isinstance(value, str) else ""


def _address(value: Any) -> str:
    address = _text(value)
    return address if address.startswith(("https://", "http://")) else ""


def _moment(said: str) -> datetime:
    """`date_gmt` has no zone of its own."""
    return datetime.fromisoformat(said).replace(tzinfo=UTC)


def _plain(html: str) -> str:
    """The text of a comment: WordPress keeps its lines as lines and what people typed as entities."""
    reader = _Plain()
    reader.feed(whole_tags(html))
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.parts)).strip()


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"br", "p", "div", "li", "blockquote"}:
            self.parts.append("\n")
