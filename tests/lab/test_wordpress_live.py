"""WordPress itself, through the connector: everything of its table, and what people do on the blog's own pages.

Runs with TERTULIA_LAB=1 and prints a line for each operation.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest

from film_cast import PAN
from lab import wordpress as lab
from lab.ground import HOGAZA
from lab.lines import Lines
from tertulia.connectors.contract import Draft, Envelope, Picture, Reconnect, Refused, Target
from tertulia.connectors.wordpress.connector import WordPress
from tertulia.core.http import Door

pytestmark = pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1")
CHANNEL = "wordpress"


@pytest.fixture(scope="module")
def blog(lines: Lines) -> Iterator[lab.Blog]:
    with lines.server(lab.running) as blog:
        yield blog


class Desk:
    """An account on the blog, read on and on; `known` is the last that was heard of each comment."""

    def __init__(self, blog: lab.Blog, user: str = lab.EDITOR) -> None:
        password = {"password": blog.passwords[user]}
        self.account = SimpleNamespace(id=1, settings={"url": blog.url, "user": user}, secrets=password)
        self.connector = WordPress(Door())
        self.cursor, self.known = "", dict[str, Envelope]()

    def read(self) -> list[Envelope]:
        news, more = [], True
        while more:
            page = self.connector.fetch(self.account, self.cursor)
            self.cursor, more = page.cursor, page.more
            news += page.envelopes
            assert not page.unread
        self.known |= {one.remote_id: one for one in news}
        return news

    def act(self, act: Any, id: str, *, undo: bool = False) -> None:
        self.connector.act(self.account, act, Target("", remote_id=id), "key", undo=undo)


def test_the_whole_round_trip(blog, lines):
    run = secrets.token_hex(4)  # the blog remembers who was approved in an earlier one
    desk, connector = Desk(blog), WordPress(Door())
    account, post = desk.account, blog.post("Roscón de Reyes")
    desk.read()

    def status_of(id: str) -> str:
        return blog.api("GET", f"comments/{id}", context="edit")["status"]  # type: ignore[index, no-any-return]

    def health() -> None:
        told = connector.check(account)
        assert (told.is_ok, list(told.scopes)) == (True, ["editor"])
        account.settings |= told.facts

    def comes_in() -> None:
        blog.comment(post, "¿Lo hay sin gluten?\n\nGracias & <3", name="Ana", email=f"ana.{run}@correo.example")
        [came] = desk.read()
        assert (came.author.name, came.text) == ("Ana", "¿Lo hay sin gluten?\n\nGracias & <3")
        assert came.about is not None
        assert (came.about.title, came.about.remote_id) == ("Roscón de Reyes", str(post))

    def kind() -> None:
        [came] = [one for one in desk.known.values() if one.author.name == "Ana" and one.about.remote_id == str(post)]
        assert (came.kind, came.hints["status"]) == ("comment", "hold")

    there: dict[str, Any] = {}

    def published() -> None:
        picture = Picture("hogaza.png", "image/png", len(HOGAZA), 4, 4, "Una hogaza «buena» & más", content=HOGAZA)
        id = connector.attach(account, picture, f"picture-{run}")
        text = "Hoy, <b>pan</b> & más ñ 🥖\n\nhttps://horno.example/pan."
        draft = Draft(text, title="Pan de centeno & espelta", pictures=[replace(picture, id=id)])
        made = there["post"] = connector.publish(account, draft, f"post-{run}")
        article = blog.api("GET", f"posts/{made.remote_id.removeprefix('post:')}")
        assert (article["status"], unescape(article["title"]["rendered"])) == ("publish", draft.title)  # type: ignore[index]
        html = article["content"]["rendered"]  # type: ignore[index]
        assert "Hoy, &lt;b&gt;pan&lt;/b&gt; &amp; más ñ" in html
        assert '<a href="https://horno.example/pan">https://horno.example/pan</a>.' in html
        media = blog.api("GET", f"media/{id.partition(' ')[0]}")
        address = id.partition(" ")[2]
        assert (media["alt_text"], address in html) == (picture.alt, True)  # type: ignore[index]
        assert connector.http.request("GET", address).body == HOGAZA
        assert "Una hogaza" in connector.http.request("GET", made.url).body.decode()

    def film_published() -> None:
        film = Picture("horno.mp4", "video/mp4", len(PAN), 160, 90, "Cómo se amasa & más", content=PAN, seconds=1)
        id = connector.attach(account, film, f"film-{run}")
        draft = Draft("Así lo hacemos", title="El obrador", pictures=[replace(film, id=id)])
        made = connector.publish(account, draft, f"film-post-{run}")
        article = blog.api("GET", f"posts/{made.remote_id.removeprefix('post:')}")
        html = article["content"]["rendered"]  # type: ignore[index]
        address = id.partition(" ")[2]
        assert f'src="{address}"' in html
        assert "<video" in html
        assert "Cómo se amasa &amp; más</figcaption>" in html
        assert connector.http.request("GET", address).body == PAN

    def found_again() -> None:
        draft = Draft("", title="Pan de centeno & espelta")
        assert connector.find_post(account, draft, f"post-{run}") == there["post"]
        assert connector.find_post(account, draft, f"nobody-{run}") is None

    def counted_under_it() -> None:
        made = there["post"]
        on = [Target("", made.remote_id, kind="post", is_ours=True), Target("", f"post:{post}", kind="post")]

        def told() -> dict[str, Any]:
            return {name: dict(figures) for name, figures in connector.figures(account, on).items()}

        id = int(made.remote_id.removeprefix("post:"))
        assert told() == {made.remote_id: {"replies": 0}, f"post:{post}": {"replies": 0}}
        for name in ("Bea", "Leo"):
            blog.comment(id, f"Qué pinta, dice {name}", name=name, email=f"{name}.{run}@correo.example")
        assert told()[made.remote_id] == {"replies": 0}  # both wait for approval, and nobody sees them
        first, second = blog.api("GET", "comments", post=id, status="hold", order="asc")  # type: ignore[misc]
        for one in (first, second):
            blog.api("POST", f"comments/{one['id']}", {"status": "approved"})
        assert told() == {made.remote_id: {"replies": 2}, f"post:{post}": {"replies": 0}}
        blog.api("DELETE", f"comments/{second['id']}")
        assert told()[made.remote_id] == {"replies": 1}
        blog.api("POST", f"posts/{id}", {"comment_status": "closed"})
        assert told()[made.remote_id] == {"replies": 1}
        blog.api("DELETE", f"comments/{first['id']}", force="true")
        assert told()[made.remote_id] == {}  # nobody may answer, so nobody stays silent

    def taken_down() -> None:
        on = Target("", there["post"].remote_id, kind="post", is_ours=True)
        for _again in range(2):
            connector.act(account, "delete", on, "key")
        assert connector.http.request("GET", there["post"].url).status == 404
        desk.read()
        desk.read()

    lines.tries("access", "health, and who we are there", health)
    lines.tries("published", "a post, with a picture read back byte by byte and its description", published)
    lines.tries("published", "a film, read back byte by byte", film_published)
    lines.tries("published", "found again by its key", found_again)
    lines.tries("published", "its comments, counted as visitors see them", counted_under_it)
    lines.lacks("published", "likes and reposts, counted", "WordPress of its own accord knows neither")
    lines.tries("published", "taken down again", taken_down)
    lines.tries("in", "a comment, beside its post", comes_in)
    lines.tries("kind", "it is a comment, and waits for approval", kind)
    [ana] = [one for one in desk.known.values() if one.author.name == "Ana" and one.about.remote_id == str(post)]
    before = blog.api("GET", f"comments/{ana.remote_id}", context="edit")

    def answer(text: str, key: str) -> Any:
        to = Target(ana.thread_id, remote_id=ana.remote_id, hints=ana.hints)
        return connector.reply(account, to, text, key)

    def held() -> None:
        with pytest.raises(Refused):
            answer("Sí", "k0")

    def act(name: str, became: str) -> None:
        desk.act(name, ana.remote_id)
        desk.act(name, ana.remote_id)
        assert status_of(ana.remote_id) == became

    def undone(name: str, became: str) -> None:
        desk.act(name, ana.remote_id, undo=True)
        desk.act(name, ana.remote_id, undo=True)
        assert status_of(ana.remote_id) == became

    def keeps_address() -> None:
        now = blog.api("GET", f"comments/{ana.remote_id}", context="edit")
        assert [now[name] for name in ("author_ip", "author_user_agent")] == [  # type: ignore[index]
            before[name]
            for name in ("author_ip", "author_user_agent")  # type: ignore[index]
        ]

    lines.tries("answered", "not before it is approved", held)
    for name, became, back in (
        ("approve", "approved", "hold"), ("approve", "approved", ""), ("hold", "hold", "approved"),
        ("spam", "spam", "approved"), ("remove", "trash", "approved"),
    ):  # fmt: skip
        lines.tries("moderated", f"{name}, twice", lambda name=name, became=became: act(name, became))
        if back:
            lines.tries("moderated", f"{name} taken back, twice", lambda name=name, back=back: undone(name, back))
    lines.tries("moderated", "the commenter's address outlives it", keeps_address)

    def judged() -> None:
        [news] = desk.read()
        assert (news.remote_id, news.verb, news.hints["status"]) == (ana.remote_id, "judged", "approved")
        assert desk.read() == []

    lines.tries("moderated", "how it stands now is told once", judged)

    def replies() -> None:
        first = answer('Sí: <script>alert(1)</script> & "gracias"...', "k1")
        assert answer('Sí: <script>alert(1)</script> & "gracias"...', "k1") == first
        assert connector.find(account, "k1") == first
        assert connector.find(account, "k2") is None
        [echo] = desk.read()
        assert (echo.remote_id, echo.key, echo.is_ours, echo.thread_id) == (first.remote_id, "k1", True, ana.thread_id)
        assert echo.text == 'Sí: <script>alert(1)</script> & "gracias"...'
        shown = blog.api("GET", f"comments/{first.remote_id}")
        assert "<script" not in shown["content"]["rendered"]  # type: ignore[index, call-overload]
        with pytest.raises(Refused):
            answer('Sí: <script>alert(1)</script> & "gracias"...', "another key")

    def on_the_page() -> None:
        made = blog.api("POST", "comments", {"post": post, "parent": int(ana.remote_id), "content": "Desde el blog"})
        [echo] = desk.read()
        assert (echo.remote_id, echo.is_ours, echo.key) == (str(made["id"]), True, "")  # type: ignore[index]
        assert echo.thread_id == ana.thread_id

    def edited() -> None:
        blog.api("POST", f"comments/{ana.remote_id}", {"content": "¿Y sin lactosa?"})
        [news] = desk.read()
        assert (news.remote_id, news.verb, news.text) == (ana.remote_id, "edited", "¿Y sin lactosa?")
        assert desk.read() == []

    def deleted() -> None:
        blog.comment(post, "Esto sobra", name="Eva", email="eva@correo.example")
        [eva] = desk.read()
        blog.api("DELETE", f"comments/{eva.remote_id}", force="true")
        [news] = desk.read()
        assert (news.remote_id, news.verb) == (eva.remote_id, "deleted")

    def own_deleted() -> None:
        ours = connector.find(account, "k1")
        assert ours is not None
        desk.act("delete", ours.remote_id)
        assert (connector.find(account, "k1"), [one.verb for one in desk.read()]) == (None, ["deleted"])

    def counted() -> None:
        now = datetime.now(UTC)
        again = connector.reread(account, now - timedelta(hours=1), now + timedelta(minutes=1), "")
        here = {one.remote_id for one in again.envelopes if one.about and one.about.remote_id == str(post)}
        assert here == {one["id"] and str(one["id"]) for one in blog.api("GET", "comments", post=post, status="any")}  # type: ignore[attr-defined, index]

    def strangers() -> None:
        wrong = SimpleNamespace(id=1, settings=account.settings, secrets={"password": "abcd efgh"})
        for call in (lambda: connector.check(wrong), lambda: connector.fetch(wrong, desk.cursor)):
            with pytest.raises(Reconnect):
                call()
        author = Desk(blog, "autor")
        assert not connector.check(author.account).is_ok
        with pytest.raises(Reconnect):
            author.read()

    lines.tries("answered", "sent twice with one key, there once, found, with its echo", replies)
    lines.tries("in", "what we write on the blog's own page is in that person's thread", on_the_page)
    lines.tries("edited there", "the comment has other words", edited)
    lines.tries("deleted there", "the comment is gone for good", deleted)
    lines.tries("deleted there", "our own answer, by us", own_deleted)
    lines.tries("more", "a day read again is what stands there", counted)
    lines.tries("access", "not with a wrong password, nor as somebody who may not moderate", strangers)
    for act_name, why in connector.capabilities.cannot.items():
        lines.lacks("moderated", act_name, why["en"])
    lines.check()
