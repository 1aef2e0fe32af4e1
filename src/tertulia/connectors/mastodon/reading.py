"""Makes envelopes of what the server says. Everything in it was written by strangers."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlsplit

from tertulia.connectors.contract import About, Act, Author, BadPayload, Envelope, Kind, Outcome, Retry
from tertulia.core.html import whole_tags

from . import texts
from .client import Server, in_path, lasting, moment

ID = re.compile(r"[\w.:-]{1,80}", re.ASCII)
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
LONGEST_ABOUT = 1000

Status = Mapping[str, Any]


class Reader:
    """Reads statuses for one account, and asks for what stands above them where that isn't known yet."""

    def __init__(self, server: Server, me: str) -> None:
        self.server, self.me = server, me
        self._known: dict[str, Status] = {}
        self._unseen: set[str] = set()
        """What stands above, but isn't shown to us."""

    def remember(self, statuses: Iterable[Any]) -> None:
        for status in statuses:
            if isinstance(status, dict) and (id := id_of(status.get("id"))):
                self._known[id] = status

    def envelope(self, status: object, *, is_quote: bool = False, is_held: bool = False) -> Envelope | None:
        """What was written to us, or by us to somebody; None for what belongs to no talk. Raises `BadPayload`."""
        if not isinstance(status, dict):
            raise BadPayload(texts.NOTHING)
        if isinstance(status.get("reblog"), dict):
            return None
        id, author, sent_at = id_of(status.get("id")), _author(status.get("account")), moment(status.get("created_at"))
        if not id or not author or not sent_at:
            raise BadPayload(texts.INCOMPLETE)
        self.remember([status])
        above = self._above(id, status)
        person = self._person(author, status, above)
        if not person:
            return None
        edited_at = moment(status.get("edited_at"))
        is_edited = edited_at is not None and edited_at > sent_at
        html = text_of(status, "content")
        visibility = text_of(status, "visibility") or "public"
        return Envelope(
            remote_id=id,
            thread_id=self._thread(id, status, above, person.remote_id),
            sent_at=sent_at,
            changed_at=edited_at if is_edited else None,
            verb="edited" if is_edited else "created",
            author=author,
            kind=self._kind(status, above),
            text=plain(html),
            html=html,
            subject=text_of(status, "spoiler_text"),
            in_reply_to=id_of(status.get("in_reply_to_id")),
            is_ours=author.remote_id == self.me,
            url=url_of(status.get("url")) or url_of(status.get("uri")),
            attachments=attachments(status.get("media_attachments")),
            raw=status,
            hints={
                "acct": person.handle,
                "visibility": visibility,
                "spoiler": text_of(status, "spoiler_text"),
                **({"held": "yes"} if is_held else {}),
            },
            about=about(_quoted(status) if is_quote else above[0] if above and visibility != "direct" else None),
            cannot={} if visibility in {"public", "unlisted"} else _NO_BOOST,
            is_automatic=_is_bot(status),
        )

    def _above(self, id: str, status: Status) -> list[Status]:
        """What this answers, from the top down; as far as it still stands and we may see it."""
        chain, missing = self._climb(id, status)
        if not missing or missing in self._unseen:
            return chain
        try:
            found = self.server.get(f"/api/v1/statuses/{in_path(id)}/context")
        except Retry:
            raise
        except Outcome:
            found = None
        ancestors = found.get("ancestors") if isinstance(found, dict) else None
        self.remember(ancestors if isinstance(ancestors, list) else [])
        chain, missing = self._climb(id, status)
        self._unseen.add(missing)
        return chain

    def _climb(self, id: str, status: Status) -> tuple[list[Status], str]:
        """What is known above, from the top down, and what is missing over that."""
        chain: list[Status] = []
        seen = {id}
        parent = id_of(status.get("in_reply_to_id"))
        while parent in self._known and parent not in seen:
            seen.add(parent)
            chain.insert(0, self._known[parent])
            parent = id_of(self._known[parent].get("in_reply_to_id"))
        return chain, "" if parent in seen else parent

    def _person(self, author: Author, status: Status, above: list[Status]) -> Author | None:
        """With whom this talk is: whoever wrote to us, or the one we answered or wrote to."""
        if author.remote_id != self.me:
            return author
        for answered in reversed(above):
            other = _author(answered.get("account"))
            if other and other.remote_id != self.me:
                return other
        mentions = status.get("mentions")
        named = list(map(_author, mentions)) if isinstance(mentions, list) else []
        answered_id = id_of(status.get("in_reply_to_account_id"))
        if answered_id and answered_id != self.me:  # what we answered is gone, or not for us to see
            return next((one for one in named if one and one.remote_id == answered_id), Author(answered_id))
        return next((one for one in named if one and one.remote_id != self.me), None)

    def _thread(self, id: str, status: Status, above: list[Status], person: str) -> str:
        if status.get("visibility") == "direct":
            return f"direct:{person}"
        top = above[0] if above else status
        return f"{id_of(top.get('in_reply_to_id')) or id_of(top.get('id')) or id}:{person}"

    def _kind(self, status: Status, above: list[Status]) -> Kind:
        if status.get("visibility") == "direct":
            return "direct"
        writers = [status.get("in_reply_to_account_id"), *(_author_id(above[0]) for _ in above[:1])]
        return "comment" if self.me in [id_of(one) for one in writers] else "mention"


_NO_BOOST: Mapping[Act, str] = {"boost": "private"}


def deleted(id: str, thread: str, sent_at: datetime, at: datetime) -> Envelope:
    return Envelope(id, thread, sent_at, Author(""), verb="deleted", changed_at=at)


def id_of(value: object) -> str:
    """An id as it lasts; empty for what can't be one."""
    return lasting(value) if isinstance(value, str) and ID.fullmatch(value) else ""


def text_of(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return UNSTORABLE.sub("", value) if isinstance(value, str) else ""


def url_of(value: object) -> str:
    """An address of the web; empty for anything else."""
    if not isinstance(value, str) or not value.startswith(("https://", "http://")) or UNSTORABLE.search(value):
        return ""
    return value if len(value) <= 2000 else ""


def about(status: object) -> About | None:
    if not isinstance(status, dict) or not (id := id_of(status.get("id"))):
        return None
    text = plain(text_of(status, "content"))
    return About(
        id, title=text_of(status, "spoiler_text")[:200], url=url_of(status.get("url")), text=text[:LONGEST_ABOUT]
    )


def attachments(found: object) -> list[dict[str, Any]]:
    """Pictures, films and sounds, by their address; nothing is fetched."""
    return [_attachment(each) for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _attachment(media: Mapping[str, Any]) -> dict[str, Any]:
    url = url_of(media.get("url")) or url_of(media.get("remote_url"))
    kind = text_of(media, "type")[:40]
    name = UNSTORABLE.sub("", unquote(urlsplit(url).path.rpartition("/")[2], errors="replace")) if url else ""
    return {
        "name": name[:200] or kind or "?",
        "type": mimetypes.guess_type(name)[0] or kind,
        "alt": text_of(media, "description")[:2000],
        **({"url": url} if url else {}),
    }


def _author(account: object) -> Author | None:
    if not isinstance(account, dict) or not (id := id_of(account.get("id"))):
        return None
    handle = text_of(account, "acct")[:255]
    return Author(
        id,
        name=(text_of(account, "display_name").strip() or text_of(account, "username"))[:200],
        handle=handle,
        avatar_url=url_of(account.get("avatar_static")) or url_of(account.get("avatar")),
    )


def _author_id(status: Status) -> object:
    account = status.get("account")
    return account.get("id") if isinstance(account, dict) else None


def _is_bot(status: Status) -> bool:
    account = status.get("account")
    return isinstance(account, dict) and account.get("bot") is True


def _quoted(status: Status) -> object:
    quote = status.get("quote")
    return quote.get("quoted_status") if isinstance(quote, dict) else None


def plain(html: str) -> str:
    """The text a reader of it sees, with its whole addresses."""
    page = _Plain()
    page.feed(whole_tags(html))
    page.close()
    lines = re.sub(r"\n{3,}", "\n\n", "".join(page.parts)).split("\n")
    return "\n".join(line.strip(" \t") for line in lines).strip()


class _Plain(HTMLParser):
    """Paragraphs become empty lines; what repeats a quote for servers that know none is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipped = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        elif tag in {"p", "blockquote", "li", "pre"} and self.parts:
            self.parts.append("\n" if tag == "li" else "\n\n")
        if tag in {"script", "style"} or "quote-inline" in (dict(attrs).get("class") or "").split():
            self._skipped = self._skipped or tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipped:
            self._skipped = ""

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.parts.append(data)
