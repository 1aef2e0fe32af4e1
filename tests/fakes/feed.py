"""A server of feeds on 127.0.0.1: documents with their validators, redirects, and answers that go wrong."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from types import SimpleNamespace
from typing import Any

from fakes.network import FAULTS_BEFORE, _Handler, _Server
from fakes.speaker import Speaker
from tertulia.connectors.contract import Target
from tertulia.connectors.feed.connector import Feed


@dataclass
class Document:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Post:
    """An item of a feed in its present state."""

    id: str
    title: str
    text: str
    at: datetime
    author: str = "Alba"
    link: str = ""


@dataclass
class Site:
    url: str = ""
    documents: dict[str, Document] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    """What `/feed` tells, newest first, the newest `shown` of them."""
    shown: int = 10
    faults: deque[str] = field(default_factory=deque)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    hang_seconds: float = 2.2

    def answer(self, path: str) -> Document:
        if path == "/feed":
            return Document(rss(self.posts[: self.shown], self.url), headers={"Content-Type": "application/rss+xml"})
        return self.documents.get(path, Document(status=404))


def rss(posts: list[Post], site: str, extra: str = "") -> bytes:
    items = "".join(
        f"<item><title>{escape(post.title)}</title><link>{post.link or f'{site}/{post.id}'}</link>"
        f"<dc:creator><![CDATA[{post.author}]]></dc:creator><pubDate>{format_datetime(post.at)}</pubDate>"
        f'<guid isPermaLink="false">{post.id}</guid><description><![CDATA[<p>{post.text}</p>]]></description></item>'
        for post in posts
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>Blog del Horno</title><link>{site}</link>{extra}{items}</channel></rss>"
    ).encode()


class _Reader(_Handler):
    network: Site  # type: ignore[assignment]

    def do_GET(self) -> None:
        asked = {name.lower(): value for name, value in self.headers.items()}
        self.network.requests.append((self.path, asked))
        fault = self.network.faults.popleft() if self.network.faults else ""
        if fault in FAULTS_BEFORE:
            return self._fail(fault)
        document = self.network.answer(self.path)
        headers = dict(document.headers)
        etag = headers.get("ETag")
        if etag and asked.get("if-none-match") == etag:
            return self._say(304, b"", headers)
        return self._say(document.status, document.body, headers)


@contextmanager
def running(site: Site):
    server = _Server(("127.0.0.1", 0), type("Reader", (_Reader,), {"network": site}))
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def post(number: int, *, ago: timedelta = timedelta(), **said: Any) -> Post:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1) - ago
    return Post(f"p{number}", f"Entrada {number}", f"Texto <b>{number}</b>", at, **said)


def account(site: Site, path: str = "/feed", **settings: Any) -> Any:
    return SimpleNamespace(id=1, settings={"address": f"{site.url}{path}", **settings}, secrets={})


COMMENT = "https://blog.example/roscon/#comment-12"
SPEAKER = Speaker(
    Feed,
    lambda: running(Site()),
    account,
    Target("https://blog.example/roscon/ by diego", "12", "by diego", {}, kind="comment", url=COMMENT),
    (),
    by_hand=True,
)
