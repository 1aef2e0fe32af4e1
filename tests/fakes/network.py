"""A network on 127.0.0.1 that misbehaves on request and keeps the true list of what exists: the oracle of the tests.

What it holds is in `messages` (what people wrote, in its last state) and `posts` (what we published). How it answers
the next requests stands in `faults`, one word each, taken from the left; an empty queue answers as it should.
"""

from __future__ import annotations

import hmac
import json
import random
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-3f9c1e-that-nobody-may-see"
SIGNING = "signing-77aa02-that-nobody-may-see"
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

FAULTS_BEFORE = {"429", "401", "400", "500", "503", "echo_secret_500", "cut_before", "html_502"}
"""The act certainly did not happen."""
FAULTS_AFTER = {"accept_then_hang", "accept_then_cut", "accept_then_html", "accept_then_half", "accept_then_504"}
"""It did, and nobody is told."""


@dataclass
class Network:
    honours_keys: bool = False
    url: str = ""
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    """Messages it no longer shows us, though they stand."""
    posts: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[dict[str, Any]] = field(default_factory=list)
    """Handed in, published or not."""
    deleted: set[str] = field(default_factory=set)
    """Posts that were taken down."""
    refresh: int = 0
    """The number of the refresh token that is good now."""
    remembers_last: bool = True
    """Whether the one before still is, as long as nobody has used this one."""
    faults: deque[str] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)
    hang_seconds: float = 2.0
    _clock: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # What people do there; each returns the event a webhook would tell.

    def write(self, thread: str, text: str) -> dict[str, Any]:
        return self._change(
            "created", {"id": f"m{len(self.messages)}", "thread": thread, "text": text, "deleted": False}
        )

    def edit(self, id: str, text: str) -> dict[str, Any]:
        return self._change("edited", {**self.messages[id], "text": text})

    def delete(self, id: str) -> dict[str, Any]:
        return self._change("deleted", {**self.messages[id], "text": "", "deleted": True})

    def _change(self, verb: str, message: dict[str, Any]) -> dict[str, Any]:
        self._clock += 1
        at = (START + timedelta(seconds=self._clock)).isoformat()
        message = {"sent_at": at, **message, "changed_at": at}
        self.messages[message["id"]] = message
        self.changes.pop(message["id"], None)
        self.changes[message["id"]] = self._clock
        return {"verb": verb, "message": message}

    # What it tells of its own accord.

    def signed(self, events: list[dict[str, Any]]) -> tuple[dict[str, str], bytes]:
        """Headers and body of one webhook delivery."""
        body = json.dumps({"events": events}).encode()
        return {"x-signature": hmac.new(SIGNING.encode(), body, sha256).hexdigest()}, body

    # What it is asked.

    def page(self, after: int, limit: int) -> dict[str, Any]:
        newer = [(seq, id) for id, seq in self.changes.items() if seq > after and id not in self.hidden]
        part = newer[:limit]
        cursor = part[-1][0] if part else after
        return {"items": [self.messages[id] for _seq, id in part], "cursor": str(cursor), "more": len(newer) > limit}

    def publish(self, post: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if self.honours_keys and (known := self.find(post["key"])):
                return known[0]
            made = {**post, "id": f"p{len(self.posts)}"}
            self.posts.append(made)
            return made

    def hand_in(self, picture: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.pictures.append({**picture, "id": f"i{len(self.pictures)}"})
            return self.pictures[-1]

    def renew(self, said: dict[str, Any]) -> dict[str, Any]:
        """Empty for a token that is no longer good."""
        with self._lock:
            if said["refresh"] == str(self.refresh):
                self.refresh += 1
            elif not self.remembers_last or said["refresh"] != str(self.refresh - 1):
                return {"refresh": ""}
            return {"refresh": str(self.refresh)}

    def take_down(self, said: dict[str, Any]) -> dict[str, Any]:
        self.deleted.add(said["id"])
        return {}

    def find(self, key: str) -> list[dict[str, Any]]:
        return [post for post in self.posts if post["key"] == key]

    def next_fault(self) -> str:
        with self._lock:
            return self.faults.popleft() if self.faults else ""


def misbehave(
    events: list[dict[str, Any]], *, rng: random.Random, lost: float, doubled: float, reordered: float
) -> list[list[dict[str, Any]]]:
    """The events as a bad webhook sender delivers them: batches of one to 600, some missing, twice, or late."""
    delivered: list[tuple[float, dict[str, Any]]] = []
    for place, event in enumerate(events):
        if rng.random() < lost:
            continue
        for _copy in range(2 if rng.random() < doubled else 1):
            delivered.append((place + (rng.uniform(-3000, 3000) if rng.random() < reordered else 0), event))
    delivered.sort(key=lambda one: one[0])
    batches, at = [], 0
    while at < len(delivered):
        size = rng.randint(1, 600)
        batches.append([event for _place, event in delivered[at : at + size]])
        at += size
    return batches


class _Handler(BaseHTTPRequestHandler):
    network: Network

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        self._handle(lambda: self._read(address.path, asked))

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["content-length"])))
        acts = {
            "/posts": self.network.publish, "/pictures": self.network.hand_in, "/deletions": self.network.take_down,
            "/renewals": self.network.renew,
        }  # fmt: skip
        self._handle(lambda: acts[urlsplit(self.path).path](said))

    def _read(self, path: str, asked: dict[str, str]) -> Any:
        if path == "/messages":
            return self.network.page(int(asked.get("after") or 0), int(asked.get("limit", 500)))
        return {"posts": self.network.find(asked["key"])}

    def _handle(self, act: Any) -> None:
        self.network.requests.append(f"{self.command} {self.path}")
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._say(401, b"{}")
        fault = self.network.next_fault()
        if fault in FAULTS_BEFORE:
            return self._fail(fault)
        answer = json.dumps(act()).encode()
        if fault in FAULTS_AFTER:
            return self._fall_silent(fault, answer)
        if fault == "hang":
            time.sleep(self.network.hang_seconds)
        return self._say(200, answer)

    def _fail(self, fault: str) -> None:
        if fault == "cut_before":
            return self._cut()
        if fault == "429":
            return self._say(429, b"{}", {"Retry-After": "90"})
        if fault == "echo_secret_500":
            return self._say(500, json.dumps({"sent": dict(self.headers)}).encode())
        if fault == "html_502":
            return self._say(502, b"<html><h1>Bad gateway</h1></html>", {"Content-Type": "text/html"})
        return self._say(int(fault), json.dumps({"error": f"no {TOKEN}"}).encode())

    def _fall_silent(self, fault: str, answer: bytes) -> None:
        if fault == "accept_then_hang":
            time.sleep(self.network.hang_seconds)
            return self._cut()
        if fault == "accept_then_cut":
            return self._cut()
        if fault == "accept_then_html":
            return self._say(200, b"<html>Your session has expired</html>", {"Content-Type": "text/html"})
        if fault == "accept_then_half":
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer[: len(answer) // 2])
            return self._cut()
        return self._say(504, b"{}")

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections cut on purpose."""


@contextmanager
def running(network: Network):
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"network": network}))
    network.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield network
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
