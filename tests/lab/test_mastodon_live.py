"""Servers of the Mastodon API, through the connector: everything of its table, and what people do on their own pages.

Runs with TERTULIA_LAB=1 and prints a line for each operation.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.error
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from film_cast import PAN
from lab import mastodon_mock, snac
from lab.ground import HOGAZA
from lab.lines import Lines, NotPossible
from lab.mastodon_api import Lab
from tertulia.connectors.contract import (
    Draft,
    Envelope,
    Page,
    Picture,
    Poll,
    Receipt,
    Reconnect,
    Refused,
    Target,
    Unknown,
    Unsupported,
)
from tertulia.connectors.mastodon.client import in_path, lasting
from tertulia.connectors.mastodon.connector import Mastodon
from tertulia.connectors.mastodon.reading import plain
from tertulia.core.http import Door

pytestmark = pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1")
CHANNEL = "mastodon"
BACK = "http://127.0.0.1:9/back"


@pytest.fixture(params=[mastodon_mock, snac], ids=["mastodon_mock", "snac"])
def lab(request, lines: Lines) -> Iterator[tuple[Lab, Lines]]:
    here = Lines(f"{CHANNEL}/{request.param.NAME}", lines.say)
    with here.server(request.param.running) as lab:
        yield lab, here


class Desk:
    """The company's account, read on and on; `known` is the last that was heard of each message."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.connector = lab, Mastodon(Door())
        self.account = SimpleNamespace(id=1, settings={"server": lab.url}, secrets={})
        self.cursor, self.known = "", dict[str, Envelope]()

    def read(self) -> None:
        page = Page((), self.cursor, more=True)
        while page.more:
            page = self.connector.fetch(self.account, page.cursor)
            self.known |= {one.remote_id: one for one in page.envelopes}
        self.cursor = page.cursor

    def until(self, probe: Callable[[Envelope], bool]) -> Envelope:
        """Read until there is such a message."""
        ends = time.monotonic() + self.lab.seconds
        while True:
            self.read()
            for one in self.known.values():
                if probe(one):
                    return one
            assert time.monotonic() < ends, [one.text for one in self.known.values()]
            time.sleep(0.5)

    def hears(self, words: str) -> Envelope:
        return self.until(lambda one: words in one.text)

    def act(self, act: Any, on: Envelope, **said: Any) -> None:
        self.connector.act(self.account, act, target(on), f"key-{uuid.uuid4()}", **said)

    def status(self, on: Envelope) -> dict[str, Any]:
        found: dict[str, Any] = self.lab.call("tienda", "GET", f"/api/v1/statuses/{on.raw['id']}")
        return found


def target(on: Envelope) -> Target:
    person = on.author.remote_id
    return Target(on.thread_id, on.remote_id, person, on.hints, on.kind, is_ours=on.is_ours)


REFUSED_THERE = {"report", "mute"}
"""Acts that are tried even where the server lacks them: people must be told so."""


def test_the_whole_round_trip(lab):
    server, lines = lab
    for part, them in operations(server).items():
        for operation, check in them.items():
            why_not = server.lacks.get(operation, "")
            if why_not and operation not in REFUSED_THERE:
                lines.lacks(part, operation, why_not)
            else:
                lines.tries(part, operation, refused(check, why_not) if why_not else check)
    lines.check()


def refused(check: Callable[[], None], why: str) -> Callable[[], None]:
    def tried() -> None:
        with pytest.raises((Refused, Unsupported)) as told:
            check()
        raise NotPossible(f"{why} (“{told.value}”)")

    return tried


def operations(lab: Lab) -> dict[str, dict[str, Callable[[], None]]]:
    desk, run = Desk(lab), uuid.uuid4().hex[:6]
    connector, account, company = desk.connector, desk.account, lab.company
    there: dict[str, Any] = {}

    def sign_in() -> None:
        consent = connector.begin_consent(account, BACK, "state-1")
        came_back = parse_qs(urlsplit(lab.sign_in(consent.url, "tienda")).query)
        assert came_back.get("state", ["state-1"]) == ["state-1"]
        account.secrets = dict(connector.finish_consent(account, BACK, consent.kept, came_back["code"][0]).secrets)

    def health() -> None:
        told = connector.check(account)
        assert told.is_ok
        assert told.facts["max_text"] >= 500
        account.settings |= told.facts
        desk.read()

    def mention() -> None:
        lab.write("carmen", f"{company} ¿Abrís el lunes? {run}")
        found = desk.hears(f"lunes? {run}")
        assert found.author.handle == "carmen@otro.test"
        there["mention"] = found

    def comment() -> None:
        post = lab.write("tienda", f"Pan de pueblo {run}")
        lab.write("ana", f"{company} ¿Queda? {run}", in_reply_to_id=post["id"])
        found = desk.hears(f"Queda? {run}")
        assert f"Pan de pueblo {run}" in getattr(found.about, "text", "")
        there["comment"] = found

    def direct() -> None:
        lab.write("carmen", f"{company} en privado {run}", visibility="direct")
        found = desk.hears(f"privado {run}")
        assert found.thread_id == f"direct:{found.author.remote_id}"
        there["direct"] = found

    def kinds() -> None:
        assert {name: one.kind for name, one in there.items()} == {
            name: name for name in ("mention", "comment", "direct")
        }

    def held() -> None:
        lab.call("tienda", "PATCH", "/api/v2/notifications/policy", for_not_following="filter")
        lab.write("luis", f"{company} soy nuevo {run}")
        assert lab.call("tienda", "GET", "/api/v1/notifications/requests")
        desk.hears(f"nuevo {run}")
        lab.call("tienda", "PATCH", "/api/v2/notifications/policy", for_not_following="accept")

    def notice(who: str, words: str) -> dict[str, Any]:
        """What somebody is told of, once they are."""
        ends = time.monotonic() + lab.seconds
        while True:
            for one in lab.call(who, "GET", "/api/v1/notifications?limit=40"):
                if words in (one.get("status") or {}).get("content", ""):
                    return dict(one)
            assert time.monotonic() < ends, f"{who} never heard of it"
            time.sleep(0.5)

    def answer(name: str) -> Callable[[], None]:
        def check() -> None:
            asked = there[name]
            receipt = connector.reply(account, target(asked), f"Sí, a {name} {run}", f"key-{name}-{run}")
            echo = desk.until(lambda one: one.is_ours and f"a {name} {run}" in one.text)
            assert (echo.remote_id, echo.thread_id) == (receipt.remote_id, asked.thread_id)
            assert echo.hints["visibility"] == asked.hints["visibility"]
            assert f"@{asked.author.handle}" in echo.text or f"@{asked.author.handle.partition('@')[0]}" in echo.text
            notice(asked.author.handle.partition("@")[0], f"a {name} {run}")
            there[f"answer to {name}"] = echo

        return check

    def warned() -> None:
        lab.write("ana", f"{company} he comido {run}", spoiler_text="Comida")
        asked = desk.hears(f"comido {run}")
        connector.reply(account, target(asked), f"Qué bien {run}", f"key-warned-{run}")
        echo = desk.until(lambda one: one.is_ours and f"bien {run}" in one.text)
        assert (asked.subject, echo.subject) == ("Comida", "Comida")

    def once() -> None:
        one, again = (
            connector.reply(account, target(there["comment"]), f"Una vez {run}", f"k-{run}") for _ in range(2)
        )
        assert one.remote_id == again.remote_id
        assert connector.find(account, f"k-{run}") == one
        assert connector.find(account, f"another-{run}") is None

    def unknown_key() -> None:
        before = len(lab.call("tienda", "GET", "/api/v1/timelines/home?limit=40"))
        if account.settings["knows_keys"]:
            assert connector.find(account, f"never-{run}") is None
        else:
            with pytest.raises(Unknown):
                connector.find(account, f"never-{run}")
        assert len(lab.call("tienda", "GET", "/api/v1/timelines/home?limit=40")) == before

    def applaud(act: Any, shows: str) -> Callable[[], None]:
        def check() -> None:
            desk.act(act, there["mention"])
            assert desk.status(there["mention"])[shows] is True
            desk.act(act, there["mention"])
            desk.act(act, there["mention"], undo=True)
            assert desk.status(there["mention"])[shows] is False

        return check

    def report() -> None:
        desk.act("report", there["mention"], because="Norma 3")

    def relate(act: Any) -> Callable[[], None]:
        def check() -> None:
            desk.act(act, there["mention"])
            desk.act(act, there["mention"])
            desk.act(act, there["mention"], undo=True)

        return check

    def blocked() -> None:
        lab.write("trol", f"{company} hola {run}")
        troll = desk.hears(f"hola {run}")
        desk.act("block", troll)
        lab.write("trol", f"{company} otra vez {run}")
        time.sleep(min(lab.seconds, 12))
        desk.read()
        assert not any(f"otra vez {run}" in one.text for one in desk.known.values())
        desk.act("block", troll, undo=True)

    def edited() -> None:
        status = lab.write("carmen", f"{company} con un herror {run}")
        found = desk.hears(f"herror {run}")
        time.sleep(1.1)  # snac tells times in whole seconds
        lab.call("carmen", "PUT", f"/api/v1/statuses/{status['id']}", status=f"{company} sin error {run}")
        now = desk.until(lambda one: one.remote_id == found.remote_id and "sin error" in one.text)
        assert now.verb == "edited"
        assert now.thread_id == found.thread_id

    def taken_back() -> None:
        person = there["mention"].author.remote_id
        lab.call("tienda", "POST", f"/api/v1/accounts/{person}/follow")  # snac tells only followers of a deletion
        time.sleep(min(lab.seconds, 12))
        status = lab.write("carmen", f"{company} me arrepiento {run}")
        found = desk.hears(f"arrepiento {run}")
        lab.call("carmen", "DELETE", f"/api/v1/statuses/{status['id']}")
        desk.until(lambda one: one.remote_id == found.remote_id and one.verb == "deleted")

    def delete() -> None:
        echo = there["answer to mention"]
        desk.act("delete", echo)
        desk.act("delete", echo)
        desk.until(lambda one: one.remote_id == echo.remote_id and one.verb == "deleted")

    def reread() -> set[str]:
        now, shown, page = datetime.now(UTC), set[str](), Page((), "", more=True)
        while page.more:
            page = connector.reread(account, now - timedelta(days=1), now + timedelta(minutes=5), page.cursor)
            shown |= {one.remote_id for one in page.envelopes}
        return shown

    def counted() -> None:
        shown = reread()
        standing = {id for id, one in desk.known.items() if one.verb != "deleted"}
        assert standing <= shown, [desk.known[id].text for id in standing - shown]

    def cleared() -> None:
        lab.call("tienda", "POST", "/api/v1/notifications/clear", all="true")
        missing = [target(one) for one in desk.known.values() if not one.is_ours]
        assert {one.remote_id for one in missing} - reread()
        deleted = {id for id, one in desk.known.items() if one.verb == "deleted"}
        assert set(connector.gone(account, missing)) <= deleted

    def at_once() -> None:
        told: list[float] = []
        stop = threading.Event()

        def hear() -> None:
            for news in connector.listen(account, stop.is_set):
                told.append(time.monotonic()) if news else None

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        time.sleep(1.5)
        began = time.monotonic()
        lab.write("ana", f"{company} ahora mismo {run}")
        while not told and time.monotonic() < began + 10:
            time.sleep(0.05)
        stop.set()
        thread.join(20)
        assert told
        assert told[0] - began < 5
        assert not thread.is_alive()

    def no_stream() -> None:
        with pytest.raises(Unsupported):
            list(connector.listen(account, lambda: False))

    def too_long() -> None:
        limit = connector.longest_text(account) or 500
        with pytest.raises(Refused):
            connector.reply(account, target(there["comment"]), "x" * (limit + 1), f"long-{run}")

    def wrong_token() -> None:
        with pytest.raises(Reconnect):
            connector.check(SimpleNamespace(id=2, settings={"server": lab.url}, secrets={"token": "wrong"}))

    def shown(receipt: Receipt) -> dict[str, Any]:
        """The post as its server shows it."""
        found: dict[str, Any] = lab.call("tienda", "GET", f"/api/v1/statuses/{in_path(receipt.remote_id)}")
        return found

    def published() -> None:
        picture = Picture("hogaza.png", "image/png", len(HOGAZA), 4, 4, "Una hogaza en la mesa", content=HOGAZA)
        id = connector.attach(account, picture, f"picture-{run}")
        draft = Draft(f"Hoy, pan de centeno ñ 🥖 {run}", pictures=[replace(picture, id=id)], language="es")
        there["post"] = connector.publish(account, draft, f"post-{run}")
        status = shown(there["post"])
        assert plain(status["content"]) == draft.text
        (kept,) = status["media_attachments"]
        assert (kept["type"], kept["description"]) == ("image", "Una hogaza en la mesa")
        assert connector.http.request("GET", kept["url"]).body == HOGAZA
        assert status["visibility"] == "public"

    def film_published() -> None:
        film = Picture("horno.mp4", "video/mp4", len(PAN), 160, 90, "Cómo se amasa", content=PAN, seconds=1)
        id = connector.attach(account, film, f"film-{run}")
        draft = Draft(f"Así lo hacemos {run}", pictures=[replace(film, id=id)], language="es")
        (kept,) = shown(connector.publish(account, draft, f"film-post-{run}"))["media_attachments"]
        assert (kept["type"], kept["description"]) == ("video", "Cómo se amasa")
        assert connector.http.request("GET", kept["url"]).body == PAN

    def below() -> None:
        above = Target("", there["post"].remote_id, hints=there["post"].hints, kind="post", is_ours=True)
        there["part"] = connector.publish(account, Draft(f"Y de espelta {run}", "part", above=above), f"part-{run}")
        answered = shown(there["part"])["in_reply_to_id"]
        assert lasting(answered) == there["post"].remote_id

    def named() -> None:
        draft = Draft(f"Con harina de @carmen@otro.test, gracias {run}")
        there["named"] = connector.publish(account, draft, f"named-{run}")
        there["heard"] = notice("carmen", f"gracias {run}")
        assert there["heard"]["type"] == "mention"

    def figures(receipt: Receipt) -> dict[str, int]:
        on = Target("", receipt.remote_id, hints=receipt.hints, kind="post", is_ours=True)
        return dict(connector.figures(account, [on]).get(receipt.remote_id, {}))

    def come_to(receipt: Receipt, **wanted: int) -> None:
        ends = time.monotonic() + lab.seconds
        while (told := figures(receipt)) != wanted | {name: told.get(name) for name in ("quotes",) if name in told}:
            assert time.monotonic() < ends, told
            time.sleep(0.5)

    def reacted() -> None:
        post, hers = there["named"], f"/api/v1/statuses/{there['heard']['status']['id']}"
        come_to(post, likes=0, reposts=0, replies=0)
        lab.call("carmen", "POST", f"{hers}/favourite")
        lab.call("carmen", "POST", f"{hers}/reblog")
        lab.call("ana", "POST", f"/api/v1/statuses/{in_path(post.remote_id)}/favourite")
        lab.write("carmen", f"{company} de nada {run}", in_reply_to_id=there["heard"]["status"]["id"])
        come_to(post, likes=2, reposts=1, replies=1)
        lab.call("ana", "POST", f"/api/v1/statuses/{in_path(post.remote_id)}/unfavourite")
        come_to(post, likes=1, reposts=1, replies=1)

    def followed() -> None:
        before = connector.account_figures(account).get("followers", 0)  # of none, snac says nothing
        company_there = there["heard"]["status"]["account"]["id"]
        lab.call("carmen", "POST", f"/api/v1/accounts/{company_there}/follow")
        ends = time.monotonic() + lab.seconds
        while (told := connector.account_figures(account)) != {"followers": before + 1}:
            assert time.monotonic() < ends, told
            time.sleep(0.5)

    def asked() -> None:
        rules = connector.polls_taken(account)
        poll = Poll(("Centeno", "Espelta", "Maíz"), max(rules.shortest_time, 3600), multiple=True)
        draft = Draft(f"@carmen@otro.test ¿De qué el domingo? {run}", poll=poll)
        there["poll"] = connector.publish(account, draft, f"poll-{run}")
        said = shown(there["poll"])["poll"]
        assert [one["title"] for one in said["options"]] == list(poll.options)
        assert (said["multiple"], said["expired"]) == (True, False)
        left = datetime.fromisoformat(said["expires_at"]) - datetime.now(UTC)
        assert abs(left.total_seconds() - poll.seconds) < 60
        with pytest.raises(Refused):
            connector.publish(account, replace(draft, poll=replace(poll, options=("Sí",))), f"lone-{run}")
        many = tuple(map(str, range(rules.most + 1)))
        with pytest.raises(Refused):
            connector.publish(account, replace(draft, poll=replace(poll, options=many)), f"many-{run}")

    def voted() -> None:
        poll = shown(there["poll"])["poll"]
        lab.call("ana", "POST", f"/api/v1/polls/{poll['id']}/votes", choices__="2")
        ends, hers = time.monotonic() + lab.seconds, list[Any]()
        while not hers:  # snac notifies nobody of a poll
            assert time.monotonic() < ends, "carmen never saw it"
            time.sleep(0.5)
            home = lab.call("carmen", "GET", "/api/v1/timelines/home?limit=40")
            hers = [one["poll"] for one in home if f"domingo? {run}" in one["content"]]
        lab.call("carmen", "POST", f"/api/v1/polls/{hers[0]['id']}/votes", choices__="2")
        ends = time.monotonic() + lab.seconds
        while (told := figures(there["poll"])) | {"votes:0": 0, "votes:1": 0, "votes:2": 2} != told:
            assert time.monotonic() < ends, told
            time.sleep(0.5)
        assert told.get("voters", 2) == 2

    def posted_once() -> None:
        again = connector.publish(account, Draft(f"Solo una vez {run}"), f"once-{run}")
        assert connector.publish(account, Draft(f"Solo una vez {run}"), f"once-{run}") == again
        assert connector.find_post(account, Draft(""), f"once-{run}") == again
        assert connector.find_post(account, Draft(""), f"nobody-{run}") is None

    def too_long_a_post() -> None:
        limit = connector.longest_post(account, Draft("")) or 500
        with pytest.raises(Refused):
            connector.publish(account, Draft("n" * (limit + 1)), f"too-long-{run}")

    def unpublished() -> None:
        for name in ("part", "post"):
            gone = Target("", there[name].remote_id, hints=there[name].hints, kind="post", is_ours=True)
            connector.act(account, "delete", gone, f"delete-{name}-{run}")
            connector.act(account, "delete", gone, f"delete-{name}-{run}")
            with pytest.raises(urllib.error.HTTPError):
                shown(there[name])

    return {
        "access": {
            "signed in on the server's own page": sign_in,
            "health": health,
            "a wrong token asks for a person": wrong_token,
        },
        "in": {
            "mention from another server": mention,
            "comment under our post": comment,
            "private message": direct,
            "held back by the server's policy, and read": held,
        },
        "kind": {"mention, comment, direct": kinds},
        "answered": {
            "a mention": answer("mention"),
            "a comment": answer("comment"),
            "a private message": answer("direct"),
            "behind the same warning": warned,
            "too long an answer stays here": too_long,
            "one key makes one answer": once,
            "looking makes nothing": unknown_key,
        },
        "published": {
            "a post, with a picture read back byte by byte and its description": published,
            "a film, read back byte by byte": film_published,
            "a further part below it": below,
            "a name on another server, who hears of it": named,
            "likes, reposts and answers, counted": reacted,
            "followers, counted": followed,
            "a poll": asked,
            "a poll's votes, of here and of another server, counted": voted,
            "one key makes one post": posted_once,
            "a sign too many stays here": too_long_a_post,
            "taken down again, part by part": unpublished,
        },
        "moderated": {
            "like": applaud("like", "favourited"),
            "boost": applaud("boost", "reblogged"),
            "report": report,
            "mute": relate("mute"),
            "block": relate("block"),
            "a blocked person stays out": blocked,
        },
        "edited there": {"by its writer": edited},
        "deleted there": {"by its writer": taken_back, "our own answer, by us": delete},
        "more": {
            "a day read again": counted,
            "cleared notifications delete nothing": cleared,
            "told at once": at_once,
            **({"no streaming is said": no_stream} if "told at once" in lab.lacks else {}),
        },
    }
