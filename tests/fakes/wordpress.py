"""A WordPress on 127.0.0.1 as far as its comments go: the REST API as 6.1 speaks it, and people who write on the blog.

`comments` is the true list. It behaves as the real one of `lab/wordpress.py` was seen to: a wrong password is a visitor
wherever the context isn't "edit", any update replaces the writer's address, an unknown status is ignored, and the same
words under the same comment are refused the second time.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fakes import network
from fakes.speaker import Seen, Speaker
from tertulia.connectors.contract import Target
from tertulia.connectors.wordpress.connector import WordPress

USER = "alba"
PASSWORD = "abcd EFGH ijkl MNOP that nobody may see"
PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
ME = 7
STATES = {"approved": "approved", "approve": "approved", "hold": "hold", "spam": "spam", "trash": "trash"}
ACTS = {"spam": "spam", "trash": "remove"}


@dataclass
class Blog:
    url: str = ""
    path: str = "/"
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=lambda: {4: "Roscón de Reyes", 5: "Pan de masa madre"})
    acts: list[tuple[str, bool]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    """For calls that write; `reading_faults` for the others."""
    reading_faults: deque[str] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)
    hang_seconds: float = 2.2
    holds_ours: bool = False
    has_trash: bool = True
    moderates: bool = True
    hidden: set[int] = field(default_factory=set)
    """Comments of posts this user may not see: counted, but not shown."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(days=1))
    honours_keys: bool = False
    articles: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Posts that were written from outside."""
    media: dict[int, dict[str, Any]] = field(default_factory=dict)
    _next_id: int = 1
    _last_act: dict[int, tuple[str, bool]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def posts(self) -> list[dict[str, Any]]:
        return [one for one in self.comments.values() if one["author"] == ME and one["agent"].startswith("Tertulia/")]

    # What people do there.

    def write(self, text: str, *, post: int = 4, name: str = "Ana", email: str = "", **more: Any) -> int:
        """A visitor (or with `author` a user) comments; with `at` at another time than the blog's own."""
        with self._lock:
            id, self._next_id = self._next_id, self._next_id + 1
            self.now += timedelta(seconds=1)
            said = {"post": post, "parent": 0, "author": 0, "author_name": name, "author_email": email}
            kept = {"author_ip": "198.51.100.9", "agent": "Navegador/1", "raw": text, "status": "approved"}
            self.comments[id] = {"id": id, **said, **kept, "at": self.now, **more}
            return id

    def edit(self, id: int, text: str) -> None:
        self.comments[id]["raw"] = text

    def delete(self, id: int) -> None:
        """For good: answers to it move up to what it answered."""
        with self._lock:
            parent = self.comments.pop(id)["parent"]
            for one in self.comments.values():
                if one["parent"] == id:
                    one["parent"] = parent

    # What it is asked.

    def list(self, asked: dict[str, str]) -> tuple[list[dict[str, Any]], int]:
        with self._lock:
            found = list(self.comments.values())
        if asked.get("status", "approve") != "any":
            found = [one for one in found if one["status"] == "approved"]
        if "include" in asked:
            wanted = {int(id) for id in asked["include"].split(",")}
            found = [one for one in found if one["id"] in wanted]
        if "author" in asked:
            found = [one for one in found if one["author"] == int(asked["author"])]
        if "after" in asked:
            found = [one for one in found if _moment(asked["after"]) < one["at"] < _moment(asked["before"])]
        if asked.get("order", "desc") == "desc":
            found.reverse()
        size = int(asked.get("per_page", 10))
        start = int(asked.get("offset", (int(asked.get("page", 1)) - 1) * size))
        shown = [self.shown(one) for one in found[start : start + size] if one["id"] not in self.hidden]
        if asked.get("_embed") != "up":
            shown = [{name: value for name, value in one.items() if name != "_embedded"} for one in shown]
        return shown, len(found)

    def shown(self, one: dict[str, Any]) -> dict[str, Any]:
        home = f"{self.url}/2026/11/post-{one['post']}/"
        fields = ("id", "post", "parent", "author", "author_name", "author_email", "author_ip", "status")
        up = {"id": one["post"], "title": {"rendered": escape(self.titles[one["post"]])}, "link": home}
        return {
            **{name: one[name] for name in fields},
            "author_user_agent": one["agent"],
            "date_gmt": one["at"].strftime("%Y-%m-%dT%H:%M:%S"),
            "content": {"raw": one["raw"], "rendered": f"<p>{one['raw']}</p>\n"},
            "link": f"{home}#comment-{one['id']}",
            "_embedded": {"up": [up]},
        }

    def create(self, said: dict[str, Any]) -> tuple[int, Any]:
        with self._lock:
            same = ("post", "parent", "raw", "author")
            new = {"post": said["post"], "parent": said["parent"], "raw": said["content"], "author": ME}
            for one in self.comments.values():
                if all(one[name] == new[name] for name in same) and one["status"] != "trash":
                    return 409, _error("comment_duplicate", "Comentario duplicado detectado.", 409)
            status = "hold" if self.holds_ours else "approved"
            id = self.write(said["content"], name="Alba", email="alba@blog.example", status=status, **new,
                            author_ip="127.0.0.1", agent=said["author_user_agent"])  # fmt: skip
            return 201, self.shown(self.comments[id])

    def publish(self, said: dict[str, Any]) -> tuple[int, Any]:
        """An address that is taken gets a number behind it, as the real one does it."""
        taken = [one["slug"] for one in self.articles.values()]
        slug = said["slug"] if said["slug"] not in taken else f"{said['slug']}-2"
        id = 100 + len(self.articles)
        self.articles[id] = {**said, "slug": slug, "id": id}
        return 201, self.article(id)

    def article(self, id: int) -> dict[str, Any]:
        one = self.articles[id]
        link = f"{self.url}/{one['slug']}/"
        return {"id": id, "status": one["status"], "slug": one["slug"], "link": link, "date_gmt": "2026-11-23T12:00:00"}

    def find_articles(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        found = [one for one in self.articles.values() if one["slug"] == asked["slug"] and one["status"] != "trash"]
        return [self.article(one["id"]) for one in found]

    def trash_article(self, id: int) -> tuple[int, Any]:
        if self.articles[id]["status"] == "trash":
            return 410, _error("rest_already_trashed", "La entrada ya está en la papelera.", 410)
        self.articles[id]["status"] = "trash"
        return 200, self.article(id)

    def hand_in(self, kind: str, named: str, content: bytes) -> tuple[int, Any]:
        id = 500 + len(self.media)
        self.media[id] = {"type": kind, "named": named, "bytes": content, "alt": ""}
        return 201, {"id": id, "source_url": f"{self.url}/wp-content/uploads/{id}.{kind.rpartition('/')[2]}"}

    def describe(self, id: int, said: dict[str, Any]) -> tuple[int, Any]:
        self.media[id]["alt"] = said["alt_text"]
        return 200, {"id": id}

    def update(self, id: int, said: dict[str, Any]) -> tuple[int, Any]:
        one = self.comments.get(id)
        if one is None:
            return 404, _error("rest_comment_invalid_id", "ID de comentario no válido.", 404)
        one["author_ip"] = said.get("author_ip", "127.0.0.1")
        one["agent"] = said.get("author_user_agent", "Tertulia")
        status = said["status"]
        if status in {"unspam", "untrash"}:  # whatever it is now: a second time it ends up waiting
            self._become(one, one.pop("before", "hold"), (ACTS[status[2:]], True))
        elif status in STATES:
            self._become(one, STATES[status], None)
        return 200, self.shown(one)

    def remove(self, id: int, asked: dict[str, str]) -> tuple[int, Any]:
        one = self.comments.get(id)
        if one is None:
            return 404, _error("rest_comment_invalid_id", "ID de comentario no válido.", 404)
        if asked.get("force") == "true":
            self.delete(id)
            self.acts.append(("delete", False))
            return 200, {"deleted": True, "previous": self.shown(one)}
        if not self.has_trash:
            return 501, _error("rest_trash_not_supported", "El comentario no admite la papelera.", 501)
        if one["status"] == "trash":
            return 410, _error("rest_already_trashed", "El comentario ya está en la papelera.", 410)
        self._become(one, "trash", None)
        return 200, self.shown(one)

    def _become(self, one: dict[str, Any], status: str, act: tuple[str, bool] | None) -> None:
        if one["status"] == status:
            return
        if status in ACTS:
            one["before"] = one["status"]
        taken_back = {"approved": ("hold", True), "hold": ("approve", True)}.get(status)
        plain = (ACTS.get(status) or {"approved": "approve", "hold": "hold"}[status], False)
        is_back = taken_back and self._last_act.get(one["id"]) == (taken_back[0], False)
        act = act or (taken_back if is_back and taken_back else plain)
        one["status"] = status
        self._last_act[one["id"]] = act
        self.acts.append(act)


def _moment(said: str) -> datetime:
    return datetime.fromisoformat(said.replace("Z", "+00:00"))


def _error(code: str, message: str, status: int) -> dict[str, Any]:
    return {"code": code, "message": message, "data": {"status": status}}


class _Handler(network._Handler):
    blog: Blog

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(json.loads(body) if "json" in self.headers["content-type"] else {"body": body})

    def do_DELETE(self) -> None:
        self._answer({})

    def _answer(self, said: dict[str, Any]) -> None:
        blog, address = self.blog, urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        route = asked.get("rest_route", "").removeprefix("/wp/v2/")
        blog.requests.append(f"{self.command} {route}")
        if address.path != blog.path or not route:
            return self._say(404, b"<html>No est\xc3\xa1 aqu\xc3\xad</html>", {"Content-Type": "text/html"})
        faults = blog.reading_faults if self.command == "GET" else blog.faults
        fault = faults.popleft() if faults else ""
        if fault in network.FAULTS_BEFORE:
            return self._fail(fault)
        if fault.isdecimal():
            return self._say(int(fault), b"{}")
        if fault == "html":
            return self._say(200, b"<html>Hola</html>", {"Content-Type": "text/html"})
        if refusal := self._refusal(asked):
            return self._say(refusal["data"]["status"], json.dumps(refusal).encode())
        status, data, headers = self._do(route, asked, said)
        body = json.dumps(data).encode()
        if fault in network.FAULTS_AFTER:
            return self._fall_silent(fault, body)
        return self._say(status, body, headers)

    def _refusal(self, asked: dict[str, str]) -> dict[str, Any] | None:
        is_ours = self.headers.get("authorization") == f"Basic {PAIR}"
        if not is_ours and (self.command != "GET" or asked.get("context") == "edit"):
            return _error("rest_forbidden_context", "Lo siento, no tienes permisos.", 401)
        if not self.blog.moderates and asked.get("rest_route") != "/wp/v2/users/me":
            return _error("rest_forbidden_context", "Lo siento, no tienes permisos.", 403)
        return None

    def _do(self, route: str, asked: dict[str, str], said: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        blog, (kind, _, id) = self.blog, route.partition("/")
        if kind == "users":
            can = {"moderate_comments": blog.moderates, "edit_others_posts": blog.moderates}
            return 200, {"id": ME, "name": "Alba", "roles": ["editor"], "capabilities": can}, {}
        if kind == "media":
            told = (self.headers["content-type"], self.headers["content-disposition"], said.get("body", b""))
            return *(blog.describe(int(id), said) if id else blog.hand_in(*told)), {}
        if kind == "posts" and self.command == "GET":
            return 200, blog.find_articles(asked), {}
        if kind == "posts":
            return *(blog.trash_article(int(id)) if id else blog.publish(said)), {}
        if kind != "comments":
            return 404, _error("rest_no_route", "No se ha encontrado ninguna ruta.", 404), {}
        if self.command == "GET" and not id:
            items, total = blog.list(asked)
            return 200, items, {"X-WP-Total": str(total)}
        if self.command == "GET":
            one = blog.comments.get(int(id))
            gone = _error("rest_comment_invalid_id", "ID de comentario no válido.", 404)
            return (200, blog.shown(one), {}) if one else (404, gone, {})
        if self.command == "DELETE":
            return *blog.remove(int(id), asked), {}
        return *(blog.update(int(id), said) if id else blog.create(said)), {}


@contextmanager
def running(blog: Blog):
    server = network._Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"blog": blog, "network": blog}))
    blog.url = f"http://127.0.0.1:{server.server_port}{blog.path.rstrip('/')}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield blog
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def with_comments() -> Blog:
    """An approved comment, one that waits, and an answer of ours."""
    blog = Blog()
    blog.write("¿Lo hay sin gluten?", email="ana@correo.example")
    blog.write("Barato en http://spam.example", name="Oferta", email="x@spam.example", status="hold")
    blog.write("Gracias por venir.", name="Alba", author=ME, parent=1)
    return blog


def account(blog: Any) -> Any:
    return SimpleNamespace(id=1, settings={"url": blog.url, "user": USER}, secrets={"password": PASSWORD})


def _seen(article: dict[str, Any]) -> Seen:
    """As a reader of the page sees it."""
    text, *_figures = re.split("\n\n(?:<!-- wp:video [^>]*-->\n)?<figure", article["content"])
    paragraphs = [unescape(re.sub("<[^>]*>", "", one)) for one in text.split("</p>")]
    alts = [unescape(alt) for alt in re.findall('alt="([^"]*)"', article["content"])]
    alts += [unescape(alt) for alt in re.findall("<figcaption[^>]*>([^<]*)<", article["content"])]
    films = article["content"].count("<video controls")
    return Seen("\n\n".join(one.strip() for one in paragraphs if one.strip()), alts=alts, films=films)


SPEAKER = Speaker(
    WordPress,
    lambda: running(with_comments()),
    account,
    Target("4:mail-x", remote_id="1"),
    (PASSWORD, PAIR),
    published=lambda blog: [_seen(one) for one in blog.articles.values() if one["status"] == "publish"],
    targets={"approve": Target("4:mail-x", remote_id="2"), "delete": Target("4:mail-x", remote_id="3", is_ours=True)},
)
