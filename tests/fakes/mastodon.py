"""A Mastodon server on 127.0.0.1, as far as the connector uses one, that misbehaves on request and keeps the true list.

`statuses` is all that stands there; who wrote it is `ME` or one of the people. What the account is told of stands in
`notices`. `is_old` makes a server before 4.3, which doesn't show many statuses at once; `knows_keys` off one that
makes a second status of the same key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import threading
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fakes.network import FAULTS_AFTER, FAULTS_BEFORE
from fakes.speaker import Seen, Speaker
from tertulia.connectors.contract import Target
from tertulia.connectors.mastodon.connector import Mastodon

TOKEN = "mastodon-token-that-nobody-may-see"
CLIENT_SECRET = "mastodon-client-secret-that-nobody-may-see"
ME = "100"
LARGEST_PAGE = 80
UNDOING = {"unfavourite": "like", "unreblog": "boost", "unmute": "mute", "unblock": "block"}
DOING = {"favourite": "like", "reblog": "boost", "mute": "mute", "block": "block"}


class Refusal(Exception):
    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status, self.says = status, says


@dataclass
class Server:
    url: str = ""
    knows_keys: bool = True
    is_old: bool = False
    max_text: int = 500
    holds_back: set[str] = field(default_factory=set)
    """People whose notifications the account's policy holds back."""
    blocked_by: set[str] = field(default_factory=set)
    """People who let the account see nothing of theirs."""
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    notices: list[dict[str, Any]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    acts: list[tuple[str, bool]] = field(default_factory=list)
    reports: list[dict[str, str]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    """For calls that write."""
    rng: random.Random | None = None
    """Makes a tenth of the calls that read fail."""
    requests: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Pictures that were handed in."""
    media_waits: int = 0
    """So often a picture is asked for before the server is done with it."""
    events: deque[tuple[str, str]] = field(default_factory=deque)
    challenges: dict[str, str] = field(default_factory=dict)
    hang_seconds: float = 2.2
    start: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(days=4))
    _ids: int = 1000
    _clock: int = 0

    # What people do there.

    def write(self, who: str, text: str, **said: Any) -> dict[str, Any]:
        """Somebody writes. Those who are named or answered hear of it, as on Mastodon."""
        status = self._new(who, text, **said)
        answered = self.statuses.get(status["in_reply_to_id"] or "")
        is_told = "@tienda" in text or (answered and answered["account"]["id"] == ME)
        if who != ME and is_told:
            self.tell("mention", who, status)
        return status

    def edit(self, id: str, text: str) -> None:
        self.statuses[id].update(content=f"<p>{text}</p>", edited_at=self._now())

    def delete(self, id: str) -> None:
        """Its notification goes with it, and what answered it answers nothing."""
        self.statuses.pop(id)
        self.notices = [one for one in self.notices if not one["status"] or one["status"]["id"] != id]
        self.posts = [post for post in self.posts if post["id"] != id]
        for status in self.statuses.values():
            if status["in_reply_to_id"] == id:
                status.update(in_reply_to_id=None, in_reply_to_account_id=None)

    def tell(self, kind: str, who: str, status: dict[str, Any] | None = None) -> None:
        notice = {"id": self._next_id(), "type": kind, "created_at": self._now(), "account": person(who)}
        self.notices.append({**notice, "status": status, **({"filtered": True} if who in self.holds_back else {})})

    def _new(self, who: str, text: str, to: str = "", visibility: str = "public", **said: Any) -> dict[str, Any]:
        id, answered = self._next_id(), self.statuses.get(to)
        status = {
            "id": id, "created_at": self._now(), "edited_at": None, "account": person(who), "visibility": visibility,
            "content": f"<p>{text}</p>", "spoiler_text": "", "url": f"{self.url}/@{who}/{id}", "reblog": None,
            "in_reply_to_id": to or None, "in_reply_to_account_id": answered and answered["account"]["id"],
            "media_attachments": [], "mentions": [], **said,
        }  # fmt: skip
        self.statuses[id] = status
        return status

    def _next_id(self) -> str:
        self._ids += 1
        return str(self._ids)

    def _now(self) -> str:
        self._clock += 1
        return (self.start + timedelta(seconds=self._clock)).isoformat().replace("+00:00", ".000Z")

    # What it is asked.

    def read(self, path: str, asked: dict[str, list[str]]) -> Any:
        match path.strip("/").split("/")[1:]:
            case ["v1", "accounts", "verify_credentials"]:
                return {**person(ME), "source": {}}
            case ["v1", "apps", "verify_credentials"]:
                return {"name": "Tertulia", "scopes": ["read", "write"]}
            case ["v2", "instance"]:
                version = "4.2.1" if self.is_old else "4.6.0"
                version = version if self.knows_keys else "0.17.3+git-abc"
                statuses = {"max_characters": self.max_text, "characters_reserved_per_url": 23}
                statuses |= {"max_media_attachments": 4}
                media = {"supported_mime_types": ["image/jpeg", "image/png", "video/mp4"], "description_limit": 1500}
                polls = {
                    "max_options": 5,
                    "max_characters_per_option": 60,
                    "min_expiration": 600,
                    "max_expiration": "no",
                }
                said = {
                    "statuses": statuses,
                    "media_attachments": media,
                    "polls": polls,
                    "urls": {"streaming": self.url},
                }
                return {"version": version, "configuration": said}
            case ["v1", "notifications"]:
                unwanted = set(asked.get("exclude_types[]", []))
                shows_held = asked.get("include_filtered") == ["true"]
                return self._page(
                    [n for n in self._within(self.notices, asked)
                     if n["type"] not in unwanted and (shows_held or "filtered" not in n)], asked
                )  # fmt: skip
            case ["v1", "accounts", id, "statuses"]:
                mine = [one for one in self.statuses.values() if one["account"]["id"] == id]
                return self._page(self._within(mine, asked), asked)
            case ["v1", "media", id]:
                self.media_waits -= 1
                return self._media(id)
            case ["v1", "statuses"] if not self.is_old:
                wanted = asked.get("id[]", [])[:20]
                return [self.statuses[id] for id in wanted if id in self.statuses and not self._is_hidden(id)]
            case ["v1", "accounts", "relationships"]:
                return [{"id": id, "blocked_by": id in self.blocked_by} for id in asked.get("id[]", [])]
            case ["v1", "statuses", id]:
                return self._status(id)
            case ["v1", "statuses", id, "context"]:
                return {"ancestors": self._ancestors(self._status(id)), "descendants": []}
        raise Refusal(404, "Not Found")

    def _within(self, entries: list[dict[str, Any]], asked: dict[str, list[str]]) -> list[dict[str, Any]]:
        begin, end = 0, len(entries)
        for name in ("min_id", "since_id"):
            if name in asked:
                begin = bisect_right(entries, int(asked[name][0]), key=lambda one: int(one["id"]))
        if "max_id" in asked:
            end = bisect_left(entries, int(asked["max_id"][0]), key=lambda one: int(one["id"]))
        return entries[begin:end]

    def _page(self, entries: list[dict[str, Any]], asked: dict[str, list[str]]) -> list[dict[str, Any]]:
        limit = min(int(asked.get("limit", ["20"])[0]), LARGEST_PAGE)
        return (entries[:limit] if "min_id" in asked else entries[-limit:])[::-1]

    def _status(self, id: str) -> dict[str, Any]:
        if id not in self.statuses or self._is_hidden(id):
            raise Refusal(404, "Record not found")
        return self.statuses[id]

    def _is_hidden(self, id: str) -> bool:
        return self.statuses[id]["account"]["id"] in self.blocked_by

    def _ancestors(self, status: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while (parent := self.statuses.get(status["in_reply_to_id"] or "")) is not None:
            found.insert(0, parent)
            status = parent
        return found

    def _media(self, id: str) -> dict[str, Any]:
        one = self.media[id]
        url = f"{self.url}/files/{id}" if self.media_waits <= 0 else None
        return {"id": id, "type": one["type"].partition("/")[0], "url": url, "description": one["alt"]}

    # What it is told to do.

    def hand_in(self, kind: str, body: bytes) -> dict[str, Any]:
        form = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.get_payload()}
        id = self._next_id()
        alt = parts["description"].get_payload(decode=True).decode()
        self.media[id] = {
            "alt": alt,
            "type": parts["file"].get_content_type(),
            "bytes": parts["file"].get_payload(decode=True),
        }
        return self._media(id)

    def change(
        self,
        method: str,
        path: str,
        said: dict[str, str],
        key: str,
        media: list[str] | None = None,
        options: list[str] | None = None,
    ) -> dict[str, Any]:
        match path.strip("/").split("/"):
            case ["api", "v1", "statuses"]:
                return self._publish(said, key, media or [], options or [])
            case ["api", "v1", "statuses", id] if method == "DELETE":
                status = self._status(id)
                self.delete(id)
                self.acts.append(("delete", False))
                return status
            case ["api", "v1", ("statuses" | "accounts") as kind, id, verb]:
                if kind == "statuses":
                    self._status(id)
                self.acts.append((UNDOING[verb], True) if verb in UNDOING else (DOING[verb], False))
                return {"id": id}
            case ["api", "v1", "reports"]:
                self.reports.append(said)
                self.acts.append(("report", False))
                return {"id": str(len(self.reports))}
            case ["api", "v1", "apps"]:
                return {"client_id": "client-1", "client_secret": CLIENT_SECRET}
            case ["oauth", "token"]:
                return self._token(said)
        raise Refusal(404, "Not Found")

    def _publish(self, said: dict[str, str], key: str, media: list[str], options: list[str]) -> dict[str, Any]:
        if self.knows_keys and key in self.keys:
            return self.statuses[self.keys[key]]
        if not said.get("status", "").strip() and not media:
            raise Refusal(422, "Validation failed: Text can't be blank")
        if len(said["status"]) + len(said.get("spoiler_text", "")) > self.max_text:
            raise Refusal(422, "Validation failed: Text character limit exceeded")
        to, visibility = said.get("in_reply_to_id", ""), said.get("visibility", "public")
        if media and options:
            raise Refusal(422, "Validation failed: Cannot attach a poll to media")
        shown = [self._media(id) for id in media]
        if any(one["type"] == "video" for one in shown) and len(shown) > 1:
            raise Refusal(422, "Validation failed: Cannot attach a video to a post that already contains images")
        if any(one["url"] is None for one in shown):
            raise Refusal(422, "Validation failed: Cannot attach files that have not finished processing")
        poll = (options, int(said["poll[expires_in]"]), said["poll[multiple]"] == "true") if options else None
        status = self._new(
            ME, said["status"], to, visibility, spoiler_text=said.get("spoiler_text", ""), media_attachments=shown,
            poll=poll,
        )  # fmt: skip
        self.keys[key] = status["id"]
        self.posts.append(status)
        return status

    def _token(self, said: dict[str, str]) -> dict[str, Any]:
        digest = hashlib.sha256(said["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if self.challenges.get(said["code"]) != challenge or said["client_secret"] != CLIENT_SECRET:
            raise Refusal(400, "invalid_grant")
        return {"access_token": TOKEN, "token_type": "Bearer", "scope": said["scope"], "created_at": 1795634800}


def person(who: str) -> dict[str, Any]:
    name = "tienda" if who == ME else who
    return {
        "id": who, "username": name, "acct": name, "display_name": name.capitalize(), "bot": who.startswith("bot"),
        "avatar_static": f"https://files.example/{name}.png",
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    server_: Server

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/api/v1/streaming/user":
            return self._stream()
        self._handle(lambda: self.server_.read(unquote(address.path), parse_qs(address.query)), self._read_fault)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path, key = unquote(urlsplit(self.path).path), self.headers.get("idempotency-key") or ""
        if path == "/api/v2/media":
            kind = self.headers["content-type"]
            return self._handle(lambda: self.server_.hand_in(kind, body), self._write_fault)
        form = parse_qs(body.decode(), keep_blank_values=True)
        said, media = {name: values[-1] for name, values in form.items()}, form.get("media_ids[]", [])
        options = form.get("poll[options][]", [])
        return self._handle(
            lambda: self.server_.change(self.command, path, said, key, media, options), self._write_fault
        )

    do_DELETE = do_POST

    def _write_fault(self) -> str:
        return self.server_.faults.popleft() if self.server_.faults else ""

    def _read_fault(self) -> str:
        rng = self.server_.rng
        return rng.choice(["429", "500", "cut_before", "html_502"]) if rng and rng.random() < 0.1 else ""

    def _handle(self, act: Any, next_fault: Any) -> None:
        self.server_.requests.append(f"{self.command} {self.path}")
        is_open = self.path.startswith(("/oauth/", "/api/v1/apps", "/api/v2/instance"))
        if not is_open and self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._say(401, {"error": "The access token is invalid"})
        fault = next_fault()
        if fault in FAULTS_BEFORE:
            return self._fail(fault)
        try:
            answer = act()
        except Refusal as refusal:
            return self._say(refusal.status, {"error": refusal.says})
        if fault in FAULTS_AFTER:
            return self._fall_silent(fault, json.dumps(answer).encode())
        return self._say(200, answer)

    def _stream(self) -> None:
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._say(401, {"error": "The access token is invalid"})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b":)\n")
        while self.server_.events:
            name, data = self.server_.events.popleft()
            self.wfile.write(f"event: {name}\ndata: {data}\n\n".encode())
        return self._cut()

    def _fail(self, fault: str) -> None:
        if fault == "cut_before":
            return self._cut()
        if fault == "429":
            return self._say(429, {"error": "Too many requests"}, {"Retry-After": "90"})
        if fault == "html_502":
            return self._say(502, b"<html><h1>Bad gateway</h1></html>")
        if fault == "echo_secret_500":
            return self._say(500, {"error": dict(self.headers)})
        return self._say(int(fault), {"error": f"no {TOKEN}"})

    def _fall_silent(self, fault: str, answer: bytes) -> None:
        if fault == "accept_then_hang":
            time.sleep(self.server_.hang_seconds)
        if fault in {"accept_then_hang", "accept_then_cut"}:
            return self._cut()
        if fault == "accept_then_html":
            return self._say(200, b"<html>Your session has expired</html>")
        if fault == "accept_then_half":
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer[: len(answer) // 2])
            return self._cut()
        return self._say(504, {})

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()

    def _say(self, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        remaining = {"X-RateLimit-Remaining": "299", "X-RateLimit-Reset": "2026-11-25T20:00:00.000000Z"}
        for name, value in {**remaining, **(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections cut on purpose."""


@contextmanager
def running(server: Server | None = None) -> Iterator[Server]:
    server = server or Server()
    http = _Listening(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_": server}))
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


@contextmanager
def _with_a_question() -> Iterator[Server]:
    """Ana has asked (1001), and we have written something that can be deleted (1003)."""
    with running() as server:
        server.write("ana", "@tienda ¿Abrís el domingo?")
        server.write(ME, "Pan de pueblo")
        yield server


def account(server: Server) -> Any:
    """Not checked yet: what the server says of itself isn't known here."""
    return SimpleNamespace(id=1, settings={"server": server.url}, secrets={"token": TOKEN})


QUESTION = Target(
    "1001:ana",
    remote_id="1001",
    person_id="ana",
    hints={"acct": "ana", "visibility": "public", "spoiler": ""},
    kind="mention",
)
SPEAKER = Speaker(
    Mastodon,
    _with_a_question,
    account,
    QUESTION,
    (TOKEN, CLIENT_SECRET),
    targets={"delete": Target("1003:ana", remote_id="1003", is_ours=True)},
    published=lambda server: [
        Seen(
            status["content"][3:-4], status["in_reply_to_id"] or "",
            [one["description"] for one in status["media_attachments"]], status["poll"],
            sum(one["type"] == "video" for one in status["media_attachments"]),
        )
        for status in server.posts
    ],
)  # fmt: skip
