"""A homeserver on 127.0.0.1 as far as the connector uses one, with a true list of what stands in its rooms.

What people do is told through `write`, `edit` and `delete`; `truth` is what every reader must end up with.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fakes.network import FAULTS_AFTER, FAULTS_BEFORE, START, _Handler, _Server
from fakes.speaker import Seen, Speaker
from tertulia.connectors.contract import Target
from tertulia.connectors.matrix.connector import Matrix

TOKEN = "syt_b2ZpY2luYQ_thatNobodyMaySee_0a1b2c"
PASSWORD = "contraseña-que-nadie-ve-7"
ME, DIEGO, TROL = "@horno:lab.test", "@diego:lab.test", "@trol:lab.test"
PLAZA, TALK = "!plaza:lab.test", "!a-solas:lab.test"
QUESTION, OURS = "$question", "$ours"


@dataclass
class Homeserver:
    url: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    """Every event of every room, in the order in which the server had them; redacted ones without content."""
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)
    rooms: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The state of each room that the account is in: {type: content}."""
    invited: dict[str, dict[str, Any]] = field(default_factory=dict)
    account_data: dict[str, Any] = field(default_factory=lambda: {"m.direct": {DIEGO: [TALK]}})
    posts: list[dict[str, Any]] = field(default_factory=list)
    acts: list[tuple[str, bool]] = field(default_factory=list)
    media: list[bytes] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    """For calls that write."""
    read_faults: deque[str] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    """The event of each transaction."""
    token: str = TOKEN
    honours_keys: bool = True
    hang_seconds: float = 2.2
    start: datetime = START
    _clock: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        for room in (PLAZA, TALK):
            self.open_room(room)
        self.rooms[PLAZA]["m.room.name"] = {"name": "Plaza del Horno"}

    # What people do.

    def open_room(self, room: str) -> None:
        self.rooms[room] = {
            "m.room.create": {"room_version": "11"},
            "m.room.power_levels": {"users": {ME: 100}, "events": {}, "redact": 50, "kick": 50, "ban": 50},
        }

    def write(self, person: str, text: str, *, room: str = PLAZA, id: str = "", **content: Any) -> dict[str, Any]:
        return self.add(room, person, "m.room.message", {"msgtype": "m.text", "body": text, **content}, id=id)

    def edit(self, id: str, text: str) -> dict[str, Any]:
        old, new = self.by_id[id], {"msgtype": "m.text", "body": text}
        relates = {"rel_type": "m.replace", "event_id": id}
        said = {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": relates}
        made = self.add(old["room_id"], old["sender"], "m.room.message", said)
        old.setdefault("unsigned", {})["m.relations"] = {"m.replace": made}
        return made

    def delete(self, id: str, by: str = "") -> dict[str, Any]:
        event = self.by_id[id]
        made = self.add(event["room_id"], by or event["sender"], "m.room.redaction", {"redacts": id})
        event["content"] = {}
        event["unsigned"] = {"redacted_because": {name: made[name] for name in ("event_id", "sender", "type")}}
        return made

    def add(self, room: str, sender: str, kind: str, content: dict[str, Any], *, id: str = "") -> dict[str, Any]:
        with self._lock:
            self._clock += 1
            event = {
                "event_id": id or f"$e{len(self.events)}",
                "room_id": room,
                "sender": sender,
                "type": kind,
                "content": content,
                "origin_server_ts": int(self.start.timestamp() * 1000) + self._clock * 1000,
            }
            self.events.append(event)
            self.by_id[event["event_id"]] = event
            return event

    def truth(self) -> dict[str, tuple[str, str, str]]:
        """Room, writer and text of every message that stands."""
        standing: dict[str, tuple[str, str, str]] = {}
        for event in self.events:
            content = event["content"]
            if event["type"] != "m.room.message" or not content or "m.new_content" in content:
                continue
            last = event.get("unsigned", {}).get("m.relations", {}).get("m.replace")
            text = last["content"]["m.new_content"]["body"] if last else content["body"]
            standing[event["event_id"]] = (event["room_id"], event["sender"], text)
        return standing

    # What it is asked.

    def answer(self, method: str, path: str, asked: dict[str, str], body: Any) -> tuple[int, Any]:
        with self._lock:
            parts = [unquote(part) for part in path.removeprefix("/_matrix/client/").split("/")]
            match method, *parts:
                case "POST", "", "_matrix", "media", "v3", "upload":
                    self.media.append(body)
                    return 200, {"content_uri": f"mxc://lab.test/{len(self.media)}"}
                case "GET", "versions":
                    return 200, {"versions": ["v1.11"]}
                case "POST", "v3", "login":
                    if body["password"] != PASSWORD:
                        return 403, {"errcode": "M_FORBIDDEN", "error": "Invalid username or password"}
                    return 200, {"access_token": TOKEN, "device_id": "TERTULIA", "user_id": ME}
                case "GET", "v3", "account", "whoami":
                    return 200, {"user_id": ME}
                case "GET", "v3", "joined_rooms":
                    return 200, {"joined_rooms": list(self.rooms)}
                case "GET", "v3", "sync":
                    return 200, self._sync(asked)
                case "POST", "v3", "join", room:
                    self.open_room(room)
                    self.invited.pop(room, None)
                    return 200, {"room_id": room}
                case "GET" | "PUT", "v3", "user", _, "account_data", name:
                    return self._account_data(method, name, body)
                case _, "v3" | "v1", "rooms", room, *rest:
                    return self._in_room(method, room, rest, asked, body)
        return 404, {"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"}

    def _in_room(self, method: str, room: str, rest: list[str], asked: dict[str, str], body: Any) -> tuple[int, Any]:
        match method, *rest:
            case _ if room not in self.rooms:
                return 403, {"errcode": "M_FORBIDDEN", "error": "You aren't a member of the room"}
            case "GET", "messages":
                return 200, self._messages(room, asked)
            case "GET", "event", id:
                event = self.by_id.get(id)
                return (200, event) if event else (404, {"errcode": "M_NOT_FOUND"})
            case "GET", "state", kind, *_:
                content = self.rooms[room].get(kind)
                return (200, content) if content is not None else (404, {"errcode": "M_NOT_FOUND"})
            case "GET", "relations", id, *_:
                return 200, {"chunk": [event for event in self.events if _annotates(event, id)]}
            case "PUT", "send", kind, transaction:
                return 200, {"event_id": self._once(transaction, lambda: self._send(room, kind, body, transaction))}
            case "PUT", "redact", id, transaction:
                return 200, {"event_id": self._once(transaction, lambda: self._redact(id))}
            case "POST", "kick" | "ban" | "unban" as act:
                self.acts.append(("ban" if act == "unban" else act, act == "unban"))
                return 200, {}
            case "POST", "report", _:
                self.acts.append(("report", False))
                return 200, {}
        return 404, {"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"}

    def _once(self, transaction: str, act: Any) -> str:
        if transaction not in self.sent:
            self.sent[transaction] = act()["event_id"]
        return self.sent[transaction]

    def _send(self, room: str, kind: str, content: dict[str, Any], transaction: str) -> dict[str, Any]:
        event = self.add(room, ME, kind, content)
        if kind == "m.reaction":
            self.acts.append(("like", False))
        else:
            event["unsigned"] = {"transaction_id": transaction}
            self.posts.append(event)
        return event

    def _redact(self, id: str) -> dict[str, Any]:
        event = self.by_id[id]
        is_ours = event["sender"] == ME
        is_like = event["type"] == "m.reaction"
        self.acts.append(("like", True) if is_like else ("delete" if is_ours else "remove", False))
        return self.delete(id, by=ME)

    def _account_data(self, method: str, name: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            known = self.account_data.get(name)
            return (200, known) if known is not None else (404, {"errcode": "M_NOT_FOUND"})
        self.account_data[name] = body
        if name == "m.ignored_user_list":
            self.acts.append(("mute", not body["ignored_users"]))
        return 200, {}

    def _sync(self, asked: dict[str, str]) -> dict[str, Any]:
        since = int(asked.get("since", "s0")[1:])
        wanted = json.loads(asked["filter"])["room"]["timeline"]
        joined = {}
        for room, state in self.rooms.items():
            fitting = [
                event
                for event in self.events[since:]
                if event["room_id"] == room
                and event["type"] in wanted["types"]
                and event["sender"] in wanted.get("senders", [event["sender"]])
            ]
            if fitting or "since" not in asked:
                joined[room] = {
                    "timeline": {
                        "events": fitting[-wanted["limit"] :],
                        "limited": len(fitting) > wanted["limit"],
                        "prev_batch": f"s{since}",
                    },
                    "state": {"events": self._state(room, state)},
                }
        private = {"type": "m.direct", "content": self.account_data["m.direct"]}
        invited = {room: {"invite_state": {"events": [event]}} for room, event in self.invited.items()}
        return {
            "next_batch": f"s{len(self.events)}",
            "account_data": {"events": [private]},
            "rooms": {"join": joined, "invite": invited},
        }

    def _state(self, room: str, state: dict[str, Any]) -> list[dict[str, Any]]:
        events = [{"type": kind, "state_key": "", "sender": ME, "content": content} for kind, content in state.items()]
        writers = sorted({event["sender"] for event in self.events if event["room_id"] == room})
        return [*events, *(_member(writer) for writer in writers)]

    def _messages(self, room: str, asked: dict[str, str]) -> dict[str, Any]:
        types = json.loads(asked["filter"])["types"]
        backwards, limit = asked["dir"] == "b", int(asked["limit"])
        start = int(asked.get("from", f"s{len(self.events) if backwards else 0}")[1:])
        end = int(asked.get("to", f"s{0 if backwards else len(self.events)}")[1:])
        places = range(start - 1, end - 1, -1) if backwards else range(start, end)
        found = [place for place in places if self._fits(place, room, types)]
        chunk = [self.events[place] for place in found[:limit]]
        said = {"chunk": chunk, "state": [_member(who) for who in sorted({event["sender"] for event in chunk})]}
        if len(found) > limit:
            last = found[limit - 1]
            said["end"] = f"s{last if backwards else last + 1}"
        return said

    def _fits(self, place: int, room: str, types: list[str]) -> bool:
        return self.events[place]["room_id"] == room and self.events[place]["type"] in types


def _annotates(event: dict[str, Any], id: str) -> bool:
    return event["type"] == "m.reaction" and event["content"].get("m.relates_to", {}).get("event_id") == id


def _member(who: str) -> dict[str, Any]:
    shown = who[1:].partition(":")[0].capitalize()
    return {"type": "m.room.member", "state_key": who, "sender": who, "content": {"displayname": shown}}


class _Client(_Handler):
    network: Homeserver  # type: ignore[assignment]

    def do_GET(self) -> None:
        self._answer(None, self.network.read_faults)

    def do_PUT(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))), self.network.faults)

    def do_POST(self) -> None:
        if "/_matrix/media/" not in self.path:
            return self.do_PUT()
        body = self.rfile.read(int(self.headers["content-length"]))
        return self._answer(body, self.network.faults)

    def _answer(self, body: Any, faults: deque[str]) -> None:
        self.network.requests.append(f"{self.command} {self.path}")
        address = urlsplit(self.path)
        is_open = address.path.endswith(("/versions", "/login"))
        if not is_open and self.headers.get("authorization") != f"Bearer {self.network.token}":
            return self._say(401, json.dumps({"errcode": "M_UNKNOWN_TOKEN", "error": f"no {TOKEN}"}).encode())
        fault = faults.popleft() if faults else ""
        if fault in FAULTS_BEFORE:
            return self._fail(fault)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        status, said = self.network.answer(self.command, address.path, asked, body)
        if fault in FAULTS_AFTER:
            return self._fall_silent(fault, json.dumps(said).encode())
        return self._say(status, json.dumps(said).encode())


@contextmanager
def running(network: Homeserver):
    server: ThreadingHTTPServer = _Server(("127.0.0.1", 0), type("Client", (_Client,), {"network": network}))
    network.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield network
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def with_a_question():
    """A homeserver where Diego has asked and the company has written."""
    network = Homeserver()
    network.write(DIEGO, "¿Abrís el domingo?", id=QUESTION)
    network.write(ME, "Buenos días", id=OURS)
    with running(network):
        yield network


@dataclass
class _Account:
    id: int
    settings: dict[str, Any]
    secrets: dict[str, str]


def account(network: Homeserver) -> _Account:
    return _Account(1, {"homeserver": network.url, "news": PLAZA}, {"token": TOKEN, "password": PASSWORD})


TARGET = Target(f"{PLAZA} {DIEGO}", QUESTION, DIEGO, {"room": PLAZA}, kind="mention")
SPEAKER = Speaker(
    Matrix,
    with_a_question,
    account,
    TARGET,
    (TOKEN, PASSWORD),
    published=lambda network: [
        Seen(
            one["content"]["body"],
            one["content"].get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id", ""),
            [""] if one["content"]["msgtype"] in {"m.image", "m.video"} else [],
            films=int(one["content"]["msgtype"] == "m.video"),
        )
        for one in network.posts
        if one["content"]
    ],
    targets={"delete": Target(f"{PLAZA} {DIEGO}", OURS, ME, {"room": PLAZA}, kind="mention", is_ours=True)},
)
