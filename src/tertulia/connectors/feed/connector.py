"""The feed of any blog, forum or newspaper: articles for the reading list, or comments for the inbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urldefrag

from tertulia.connectors.contract import (
    About,
    Account,
    Author,
    ByHand,
    Can,
    Capabilities,
    Connector,
    Envelope,
    Field,
    Health,
    Page,
    Receipt,
    Reconnect,
    Refused,
    Retry,
    Target,
    Unread,
)
from tertulia.core import sandbox

from . import texts
from .fetching import Fetched, fetch

SECONDS = 10.0
FIRST_ITEMS = 200
FIRST_DAYS = timedelta(days=7)
"""Older comments are taken as read when the channel is connected; articles are all kept."""
REMEMBERED = 1_000
LONGEST_ID = 255
SHELF = "articles"
"""The thread of every article: they belong to no talk."""


class Feed(Connector):
    """Reads and never writes: there is no network to write to, so answers are given by hand."""

    key = "feed"
    reads_open = True
    name = {"en": "Blog, forum or news (RSS)", "es": "Blog, foro o noticias (RSS)"}
    about = {
        "en": "To read what your trade publishes, and to gather the comments of a blog.",
        "es": "Para leer lo que publica tu sector y recoger los comentarios de un blog.",
    }
    fields = (
        Field("address", {"en": "Address", "es": "Dirección"}, kind="url", help=texts.ADDRESS_HELP),
        Field(
            "comments",
            {"en": "It is the feed of comments of our own page", "es": "Es el canal de comentarios de nuestra página"},
            kind="flag",
            help=texts.COMMENTS_HELP,
            is_required=False,
        ),
        Field(
            "ours",
            {"en": "Names under which we comment", "es": "Nombres con los que comentamos"},
            kind="lines",
            help=texts.OURS_HELP,
            is_required=False,
        ),
    )
    capabilities = Capabilities(
        reads=frozenset({"article", "comment"}),
        can=(Can("reply", on=frozenset({"comment"}), note=texts.BY_HAND_NOTE),),
        cannot=texts.CANNOT,
        polls=True,
        poll_seconds=600,
    )
    sentences = texts.SENTENCES
    facts = {"feed_title": {"en": "Title", "es": "Título"}}

    def check(self, account: Account) -> Health:
        """Look at the address; of a page, which feeds it names and which one is read."""
        address = _address(account)
        fetched = fetch(self.http, address)
        said = _read(fetched)
        links = said.get("links", [])
        url = _chosen(links, account) if links else address
        if links:
            said = _read(fetch(self.http, url))
        if "items" not in said:
            raise Refused(texts.NOT_A_FEED)
        facts = {
            "feed": {"address": address, "url": url},
            "feed_title": said["title"][:200],
            "feeds": [link["url"] for link in links],
        }
        return Health(is_ok=True, says=texts.FOLLOWS if links else "", facts=facts)

    def fetch(self, account: Account, cursor: str) -> Page:
        place = Place.read(cursor, _address(account))
        now = datetime.now(UTC)
        if now.timestamp() < place.rests_until:
            return Page((), cursor)
        is_first = not place.url
        place.url = place.url or _known_feed(account)
        fetched = fetch(self.http, place.url, etag=place.etag, modified=place.modified)
        if not place.is_news(fetched):
            place.rest(fetched, now)
            return Page((), place.write())
        said = _read(fetched)
        if links := said.get("links"):
            url = _chosen(links, account)
            if is_first and url != place.url:
                place.url = url
                return Page((), place.write(), more=True)
            raise Retry(texts.NOT_A_FEED)
        place.note(fetched, now)
        return self._page(account, place, said, now, is_first=not place.seen)

    def _page(self, account: Account, place: Place, said: Mapping[str, Any], now: datetime, *, is_first: bool) -> Page:
        envelopes, unread = [], []
        for number, item in enumerate(said["items"]):
            id = _id_of(item)
            if not id:
                unread.append(Unread(item, texts.ODD_ITEM))
                continue
            # A feed is told newest first; what has no date comes in the order in which it stands there.
            envelope = self._envelope(account, id, item, said, now - timedelta(microseconds=number))
            before, mark = place.seen.get(id[:12]), _mark(item)
            place.remember(id, mark)
            if envelope is None or before == mark:
                continue
            if before:
                # Its own date often stays when it is corrected, and a second correction has to come after the first.
                envelope = replace(envelope, verb="edited", changed_at=now)
            elif is_first and _is_bygone(envelope, number, now):
                continue
            envelopes.append(envelope)
        envelopes.sort(key=lambda one: one.sent_at)
        return Page(envelopes, place.write(), unread=unread)

    def _envelope(
        self, account: Account, id: str, item: Mapping[str, Any], feed: Mapping[str, Any], now: datetime
    ) -> Envelope | None:
        url = _web(item["link"])
        article = Envelope(
            remote_id=item["id"] if 0 < len(item["id"]) <= LONGEST_ID else id,
            thread_id=SHELF,
            sent_at=_moment(item["published"], now) or _moment(item["updated"], now) or now,
            author=Author(_person(item) or f"feed {feed['link'] or feed['title']}"[:LONGEST_ID], name=item["author"]),
            kind="article",
            subject=item["title"],
            text=item["text"],
            html=item["html"],
            url=url,
            raw=item,
            attachments=[
                {"name": file["url"].rpartition("/")[2][:200] or "—", "type": file["type"], "url": file["url"]}
                for file in item["files"]
                if _web(file["url"])
            ],
            about=About(_web(feed["link"]) or SHELF, title=feed["title"][:300], url=_web(feed["link"])),
        )
        return self._comment(account, article, item) if account.settings.get("comments") else article

    def _comment(self, account: Account, article: Envelope, item: Mapping[str, Any]) -> Envelope | None:
        """Under each post each person is a talk; somebody without a name is somebody new each time."""
        if item["author"].casefold() in {name.casefold() for name in _lines(account, "ours")}:
            return None
        post = urldefrag(_web(item["answers"]) or article.url).url or item["answers"]
        who = _person(item) or f"comment {article.remote_id}"[:LONGEST_ID]
        thread = f"{post} {who}"
        return replace(
            article,
            thread_id=thread if len(thread) <= LONGEST_ID else _digest(thread),
            kind="comment",
            subject="",
            author=Author(who, name=item["author"], email=item["email"]),
            about=About(post[:LONGEST_ID], title=item["title"], url=_web(post)),
            hints={"post": post} if post else {},
        )

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        raise ByHand(texts.ANSWER_THERE, text=text, url=to.url or to.hints.get("post", ""))


@dataclass
class Place:
    """The cursor: the address the account had then, where the feed stands, what it said of its age, what was seen.

    `seen` holds the beginning of each item's digest with the digest of what it said.
    """

    address: str = ""
    url: str = ""
    etag: str = ""
    modified: str = ""
    body: str = ""
    rests_until: float = 0.0
    seen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str, address: str) -> Place:
        """A new address begins anew."""
        told = json.loads(cursor) if cursor else {}
        return cls(**told) if told.get("address") == address else cls(address=address)

    def write(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    def is_news(self, fetched: Fetched) -> bool:
        return fetched.body is not None and _digest(fetched.body) != self.body

    def note(self, fetched: Fetched, now: datetime) -> None:
        self.body = _digest(fetched.body or b"")
        self.etag, self.modified = fetched.etag, fetched.modified
        self.rest(fetched, now)

    def rest(self, fetched: Fetched, now: datetime) -> None:
        """Stands still where the feed says nothing about it, so that an unchanged feed costs no write."""
        self.url = fetched.url
        self.rests_until = (now + fetched.rest).timestamp() if fetched.rest else 0.0

    def remember(self, id: str, mark: str) -> None:
        self.seen.pop(id[:12], None)
        self.seen[id[:12]] = mark
        while len(self.seen) > REMEMBERED:
            del self.seen[next(iter(self.seen))]


def _is_bygone(envelope: Envelope, number: int, now: datetime) -> bool:
    """What the first reading takes as read."""
    return number >= FIRST_ITEMS or (envelope.kind == "comment" and envelope.sent_at < now - FIRST_DAYS)


def _read(fetched: Fetched) -> dict[str, Any]:
    """Raises `Retry`: a feed that can't be read today is mended tomorrow."""
    payload = b"\n".join([fetched.came_from.encode(), fetched.media_type.encode(), fetched.body or b""])
    [said] = sandbox.call_many("tertulia.connectors.feed.parsing:read", [payload], seconds=SECONDS)
    if isinstance(said, sandbox.Unreadable):
        raise Retry(said.why)
    return dict(said)


def _chosen(links: list[dict[str, str]], account: Account) -> str:
    """Of several feeds of a page the first one that is of comments, or that is not."""
    wanted = bool(account.settings.get("comments"))
    fitting = [link for link in links if ("comment" in f"{link['url']} {link['title']}".lower()) is wanted]
    return (fitting or links)[0]["url"]


def _known_feed(account: Account) -> str:
    """Where `check` found it, if that was for the address of today."""
    address, found = _address(account), account.settings.get("feed")
    if isinstance(found, dict) and found.get("address") == address:
        return str(found.get("url", address))
    return address


def _address(account: Account) -> str:
    address = account.settings.get("address")
    if not isinstance(address, str) or not address.strip():
        raise Reconnect(texts.NO_ADDRESS)
    return address.strip()


def _id_of(item: Mapping[str, Any]) -> str:
    """A digest of what the item is called by: its own id, else its link, else what it says."""
    called = item["id"] or item["link"] or f"{item['title']}\n{item['text']}".strip()
    return _digest(called) if called else ""


def _mark(item: Mapping[str, Any]) -> str:
    return _digest("\n".join([item["title"], item["html"] or item["text"], item["link"]]))[:12]


def _person(item: Mapping[str, Any]) -> str:
    name = item["email"] or item["author"]
    return f"by {name.casefold()}"[:LONGEST_ID] if name else ""


def _moment(seconds: Any, now: datetime) -> datetime | None:
    """A date to come is a mistake, would stand above everything and would come after its own corrections."""
    if not isinstance(seconds, int) or not 0 < seconds < now.timestamp():
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _web(url: str) -> str:
    return url if url.startswith(("http://", "https://")) else ""


def _digest(said: str | bytes) -> str:
    return hashlib.sha256(said.encode() if isinstance(said, str) else said).hexdigest()


def _lines(account: Account, name: str) -> list[str]:
    given = account.settings.get(name)
    lines = given.splitlines() if isinstance(given, str) else given if isinstance(given, list) else []
    return [line.strip() for line in lines if isinstance(line, str) and line.strip()]


connector = Feed
