"""A double of Bluesky on 127.0.0.1: one server of the AT Protocol with its AppView and the service of direct messages.

What exists there is in `records` (posts, likes, gates … by address) and `direct`; people write with `write`, `edit` and
`delete`. Its time is `now`, which every change moves on by a second.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fakes.network import FAULTS_AFTER, FAULTS_BEFORE, _Handler, _Server
from fakes.speaker import Seen, Speaker
from tertulia.connectors.bluesky.connector import Bluesky
from tertulia.connectors.contract import Target

POST, GATE = "app.bsky.feed.post", "app.bsky.feed.threadgate"
ACTS = {"app.bsky.feed.like": "like", "app.bsky.feed.repost": "boost", "app.bsky.graph.block": "block"}
ME, ANA, LUIS = (f"did:plc:{name * 6}"[:32] for name in ("tienda", "ana222", "luis22"))
NAMES = {ME: "tienda", ANA: "ana", LUIS: "luis"}
PASSWORD = "abcd-efgh-ijkl-that-nobody-may-see"
PRIVILEGED = "com.atproto.appPassPrivileged"
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def token(kind: str, number: int, scope: str = PRIVILEGED) -> str:
    """An access or refresh token as a server makes them for itself."""
    said = {"scope": scope, "sub": ME, "jti": f"{kind}{number}", "exp": 1_795_000_000 + number * 7200}
    parts = [{"typ": kind}, said]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, hashlib.sha256(f"{kind}{number}".encode()).hexdigest()])


ACCESS, REFRESH = token("access", 0), token("refresh", 0)


@dataclass
class Network:
    now: datetime = START
    url: str = ""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    direct: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    acts: list[tuple[str, bool]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    trouble: Callable[[], str] = lambda: ""
    """A word of FAULTS_BEFORE for a call that reads, or ""."""
    requests: list[str] = field(default_factory=list)
    hang_seconds: float = 2.2
    honours_keys: bool = True
    offers_direct: bool = True
    blocked: set[str] = field(default_factory=set)
    reports: list[dict[str, Any]] = field(default_factory=list)
    sessions: int = 0
    has_expired: bool = False
    """The access token; the refresh token still works."""
    scope: str = PRIVILEGED
    password: str = PASSWORD
    sign_ins: int = 0
    _children: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _notified: list[tuple[str, str]] = field(default_factory=list)
    _reasons: dict[str, str] = field(default_factory=dict)
    _own: list[tuple[str, str]] = field(default_factory=list)

    @property
    def posts(self) -> list[dict[str, Any]]:
        """Our answers."""
        return [r for uri, r in self.records.items() if f"{ME}/{POST}" in uri and "reply" in r["value"] and r["key"]]

    # What people do there.

    def write(
        self, did: str, text: str, under: str = "", *, quotes: str = "", tells: bool = True, late: int = 0, **more: Any
    ) -> str:
        """A new post, or an answer; `late` seconds pass before the network sees it. Returns its address."""
        value: dict[str, Any] = {"$type": POST, "text": text, "createdAt": self._tick(), **more}
        self.now += timedelta(seconds=late)
        if under:
            root = self.records[under]["value"].get("reply", {}).get("root", self.reference(under))
            value["reply"] = {"root": root, "parent": self.reference(under)}
        if quotes:
            value["embed"] = {"$type": "app.bsky.embed.record", "record": self.reference(quotes)}
        uri = f"at://{did}/{POST}/3k{len(self.records):0>11}"
        self.records[uri] = {"uri": uri, "value": value, "cid": cid(value), "seen": self._stamp(), "key": ""}
        self._index(uri, tells=tells)
        return uri

    def edit(self, uri: str, text: str) -> None:
        self._tick()
        value = {**self.records[uri]["value"], "text": text}
        self.records[uri] = {**self.records[uri], "value": value, "cid": cid(value)}

    def delete(self, uri: str) -> None:
        self._tick()
        record = self.records.pop(uri)
        if parent := record["value"].get("reply", {}).get("parent", {}).get("uri"):
            self._children[parent].remove(uri)

    def send(self, did: str, text: str, convo: str = "c1") -> str:
        """A direct message; returns its id."""
        id = f"m{len(self.direct)}"
        message = {
            "id": id,
            "rev": f"r{len(self.log):09}",
            "text": text,
            "sender": {"did": did},
            "sentAt": self._tick(),
        }
        self.direct[id] = {"$type": "chat.bsky.convo.defs#messageView", **message, "convo": convo}
        self._tell("logCreateMessage", id)
        return id

    def take_back(self, id: str) -> None:
        kept = {name: value for name, value in self.direct[id].items() if name != "text"}
        self.direct[id] = {**kept, "$type": "chat.bsky.convo.defs#deletedMessageView"}
        self._tell("logDeleteMessage", id)

    def reference(self, uri: str) -> dict[str, str]:
        return {"uri": uri, "cid": self.records[uri]["cid"]}

    def _tell(self, kind: str, id: str) -> None:
        told = {
            "$type": f"chat.bsky.convo.defs#{kind}",
            "rev": f"r{len(self.log):09}",
            "convoId": self.direct[id]["convo"],
        }
        self.log.append({**told, "message": self.direct[id]})

    def _tick(self) -> str:
        self.now += timedelta(seconds=1)
        return self._stamp()

    def _stamp(self) -> str:
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _index(self, uri: str, *, tells: bool = True) -> None:
        record = self.records[uri]
        value, sort = record["value"], min(record["value"]["createdAt"], record["seen"])
        if reply := value.get("reply"):
            self._children[reply["parent"]["uri"]].append(uri)
        if f"/{ME}/" in uri:
            return bisect.insort(self._own, (sort, uri))
        if tells and (reason := self._reason(value)):
            self._reasons[uri] = reason
            bisect.insort(self._notified, (sort, uri))
        return None

    def _reason(self, value: dict[str, Any]) -> str:
        about = [value.get("reply", {}).get(name, {}).get("uri", "") for name in ("parent", "root")]
        if any(f"/{ME}/" in uri for uri in about):
            return "reply"
        if f"/{ME}/" in value.get("embed", {}).get("record", {}).get("uri", ""):
            return "quote"
        features = [feature for facet in value.get("facets", []) for feature in facet["features"]]
        return "mention" if any(feature.get("did") == ME for feature in features) else ""

    # What the AppView shows.

    def view(self, uri: str) -> dict[str, Any]:
        record = self.records[uri]
        shown = {name: record[name] for name in ("uri", "cid")} | {
            "record": record["value"],
            "indexedAt": record["seen"],
        }
        return {**shown, "author": self._profile(writer(uri)), "replyCount": len(self._children[uri]), "viewer": {}}

    def _profile(self, did: str) -> dict[str, Any]:
        name = NAMES.get(did, did[8:20])
        return {"did": did, "handle": f"{name}.test", "displayName": name.capitalize(), "viewer": {"blockedBy": False}}

    def _is_shown(self, uri: str) -> bool:
        return uri in self.records and writer(uri) not in self.blocked

    def listNotifications(self, limit: str, cursor: str = "", **_: Any) -> Any:
        uris, following = self._page(self._notified, int(limit), cursor)
        told = [{**self.view(uri), "reason": self._reasons[uri]} for uri in uris if self._is_shown(uri)]
        return {"notifications": told, **following}

    def getAuthorFeed(self, actor: str, limit: str, cursor: str = "", **_: Any) -> Any:
        uris, following = self._page(self._own, int(limit), cursor)
        return {"feed": [{"post": self.view(uri)} for uri in uris if uri in self.records], **following}

    def _page(self, entries: list[tuple[str, str]], limit: int, cursor: str) -> tuple[list[str], dict[str, str]]:
        end = bisect.bisect_left(entries, tuple(cursor.split(" "))) if cursor else len(entries)
        part = entries[max(end - limit, 0) : end]
        return [uri for _, uri in reversed(part)], {"cursor": " ".join(part[0])} if end > limit else {}

    def getPosts(self, uris: list[str] | str, **_: Any) -> Any:
        wanted = [uris] if isinstance(uris, str) else uris
        if len(wanted) > 25:
            raise Bad(400, "InvalidRequest", "Error: uris must not have more than 25 elements")
        return {"posts": [self.view(uri) for uri in wanted if self._is_shown(uri)]}

    def getPostThread(self, uri: str, **_: Any) -> Any:
        if not self._is_shown(uri):
            raise Bad(400, "NotFound", f"Post not found: {uri}")
        answers = [{"post": self.view(each)} for each in self._children[uri] if self._is_shown(each)]
        return {"thread": {"post": self.view(uri), "replies": answers}}

    # What its server does.

    def createSession(self, identifier: str, password: str) -> Any:
        self.sign_ins += 1
        if (identifier, password) != ("tienda.test", self.password):
            raise Bad(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session()

    def refreshSession(self, **_: Any) -> Any:
        return self._session()

    def _session(self) -> Any:
        self.sessions += 1
        self.has_expired = False
        pair = {"accessJwt": self.token("access"), "refreshJwt": self.token("refresh")}
        home = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.url}
        return {**pair, "did": ME, "handle": "tienda.test", "active": True, "didDoc": {"service": [home]}}

    def token(self, kind: str) -> str:
        return token(kind, self.sessions, self.scope)

    def getSession(self, **_: Any) -> Any:
        return {"did": ME, "handle": "tienda.test", "active": True}

    def resolveHandle(self, handle: str, **_: Any) -> Any:
        found = [did for did, name in NAMES.items() if handle == f"{name}.test"]
        if not found:
            raise Bad(400, "InvalidRequest", "Unable to resolve handle")
        return {"did": found[0]}

    def getRecord(self, repo: str, collection: str, rkey: str, **_: Any) -> Any:
        uri = f"at://{repo}/{collection}/{rkey}"
        if uri not in self.records:
            raise Bad(400, "RecordNotFound", f"Could not locate record: {uri}")
        return {"uri": uri, "cid": self.records[uri]["cid"], "value": self.records[uri]["value"]}

    def putRecord(self, repo: str, collection: str, rkey: str, record: dict[str, Any], **more: Any) -> Any:
        uri = f"at://{repo}/{collection}/{rkey}"
        before = self.records.get(uri)
        if "swapRecord" in more and more["swapRecord"] != (before and before["cid"]):
            raise Bad(400, "InvalidSwap", f"Record was at {before and before['cid']}")
        self._tick()
        kept = {"uri": uri, "value": record, "cid": cid(record), "seen": self._stamp(), "key": rkey}
        self.records[uri] = kept
        if collection == POST and before is None:
            self._index(uri)
        if collection == GATE:
            hidden = len(before["value"].get("hiddenReplies", [])) if before else 0
            self.acts.append(("hide", len(record["hiddenReplies"]) < hidden))
        if collection in ACTS:
            self.acts.append((ACTS[collection], False))
            self.blocked |= {record["subject"]} if ACTS[collection] == "block" else set()
        return {"uri": uri, "cid": kept["cid"]}

    def uploadBlob(self, content: bytes, kind: str) -> Any:
        link = {"$link": cid({"bytes": content.hex()})}
        return {"blob": {"$type": "blob", "ref": link, "mimeType": kind, "size": len(content)}}

    def deleteRecord(self, repo: str, collection: str, rkey: str) -> Any:
        uri = f"at://{repo}/{collection}/{rkey}"
        if uri in self.records:
            self.acts.append((ACTS.get(collection, "delete"), collection in ACTS))
            if ACTS.get(collection) == "block":
                self.blocked.discard(self.records[uri]["value"]["subject"])
            self.delete(uri)
        return {}

    def muteActor(self, actor: str) -> Any:
        self.acts.append(("mute", False))

    def unmuteActor(self, actor: str) -> Any:
        self.acts.append(("mute", True))

    def createReport(self, **said: Any) -> Any:
        self.acts.append(("report", False))
        self.reports.append(said)
        return {"id": len(self.reports)}

    # Direct messages.

    def listConvos(self, **_: Any) -> Any:
        return {"convos": [self._convo(id) for id in dict.fromkeys(each["convo"] for each in self.direct.values())]}

    def getConvo(self, convoId: str, **_: Any) -> Any:
        return {"convo": self._convo(convoId)}

    def _convo(self, id: str) -> Any:
        written = [message for message in self.direct.values() if message["convo"] == id]
        rev = max(each["rev"] for each in self.log if each["convoId"] == id)
        return {"id": id, "rev": rev, "members": [self._profile(ME), self._profile(ANA)], "lastMessage": written[-1]}

    def getMessages(self, convoId: str, limit: str, cursor: str = "", **_: Any) -> Any:
        written = [message for message in self.direct.values() if message["convo"] == convoId]
        start = int(cursor or 0)
        page = written[::-1][start : start + int(limit)]
        return {"messages": page, **({"cursor": str(start + len(page))} if start + len(page) < len(written) else {})}

    def getLog(self, cursor: str, **_: Any) -> Any:
        news = [each for each in self.log if each["rev"] > cursor][:100]
        return {"logs": news, "cursor": news[-1]["rev"] if news else cursor}

    def sendMessage(self, convoId: str, message: dict[str, Any]) -> Any:
        return self.direct[self.send(ME, message["text"], convoId)]

    def next_fault(self) -> str:
        return self.faults.popleft() if self.faults else ""


class Bad(Exception):
    def __init__(self, status: int, error: str, message: str) -> None:
        self.status, self.said = status, {"error": error, "message": message}


def cid(value: Any) -> str:
    return "bafy" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:40]


def writer(uri: str) -> str:
    return uri.split("/")[2]


class _Bluesky(_Handler):
    network: Network  # type: ignore[assignment]

    def do_GET(self) -> None:
        asked = {name: values if len(values) > 1 else values[0] for name, values in self._query().items()}
        self._do(asked, fault=self.network.trouble())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        is_session = "com.atproto.server" in self.path
        if self.path.endswith("uploadBlob"):
            said = {"content": body, "kind": self.headers["content-type"]}
            return self._do(said, fault=self.network.next_fault())
        return self._do(json.loads(body or b"{}"), fault="" if is_session else self.network.next_fault())

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query)

    def _do(self, said: dict[str, Any], *, fault: str) -> None:
        method = urlsplit(self.path).path.removeprefix("/xrpc/")
        name = method.rpartition(".")[2]
        self.network.requests.append(name)
        if bad := self._refusal(method, name):
            return self._say(bad.status, json.dumps(bad.said).encode())
        if fault in FAULTS_BEFORE:
            return self._fail(fault)
        try:
            told = getattr(self.network, name)(**said)
        except Bad as bad:
            return self._say(bad.status, json.dumps(bad.said).encode())
        answer = b"" if told is None else json.dumps(told).encode()
        return self._fall_silent(fault, answer) if fault in FAULTS_AFTER else self._say(200, answer)

    def _refusal(self, method: str, name: str) -> Bad | None:
        given = self.headers.get("authorization", "").removeprefix("Bearer ")
        if name == "createSession":
            return None
        wanted = self.network.token("refresh" if name == "refreshSession" else "access")
        if given != wanted or (self.network.has_expired and name != "refreshSession"):
            return Bad(400, "ExpiredToken", "Token has expired")
        if method.startswith("chat.bsky.") and not (self.network.offers_direct and self.headers.get("atproto-proxy")):
            return Bad(501, "MethodNotImplemented", "Method Not Implemented")
        return None

    def _fail(self, fault: str) -> None:
        if fault.isdecimal() and fault != "429":
            return self._say(int(fault), json.dumps({"error": f"no {ACCESS}"}).encode())
        return super()._fail(fault)


@contextmanager
def running(network: Network | None = None) -> Iterator[Network]:
    """With a company's post on it, what Ana wrote under it, our answer, and a direct message of hers."""
    network = network or furnished()
    handler: type[BaseHTTPRequestHandler] = type("Handler", (_Bluesky,), {"network": network})
    server = _Server(("127.0.0.1", 0), handler)
    network.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield network
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def furnished() -> Network:
    network = Network()
    post = network.write(ME, "Hoy hay torrijas.")
    question = network.write(ANA, "¿Quedan?", post)
    network.write(ME, "Quedan seis.", question)
    return network


@dataclass
class Account:
    settings: dict[str, Any]
    secrets: dict[str, str]
    id: int = 1


def account(network: Network) -> Account:
    settings = {"service": network.url, "handle": "tienda.test"}
    tokens = {kind: network.token(kind) for kind in ("access", "refresh")}
    return Account(settings, {"app_password": PASSWORD, **tokens})


def target(network: Network, uri: str) -> Target:
    """What the house would say of this post."""
    record = network.records[uri]
    root = record["value"].get("reply", {}).get("root", network.reference(uri))
    hints = {"cid": record["cid"], "root": root["uri"], "root_cid": root["cid"]}
    return Target(f"{root['uri']}:{writer(uri)}", uri, writer(uri), hints, "comment", is_ours=writer(uri) == ME)


def _shown(embed: dict[str, Any]) -> list[dict[str, Any]]:
    """What the AppView would show: of a film only one, an MP4 that was handed in."""
    if embed.get("$type") != "app.bsky.embed.video":
        return embed.get("images", [])
    assert embed["video"]["mimeType"] == "video/mp4"
    assert embed["aspectRatio"]["width"] > 0
    return [embed]


_SAMPLE = furnished()
_QUESTION, _ANSWER = list(_SAMPLE.records)[1:]
SPEAKER = Speaker(
    Bluesky,
    running,
    account,
    target(_SAMPLE, _QUESTION),
    (ACCESS, REFRESH, PASSWORD),
    targets={"delete": target(_SAMPLE, _ANSWER)},
    published=lambda network: [
        Seen(
            one["value"]["text"], one["value"].get("reply", {}).get("parent", {}).get("uri", ""),
            [shown["alt"] for shown in _shown(one["value"].get("embed", {}))],
            films=len([shown for shown in _shown(one["value"].get("embed", {})) if "video" in shown]),
        )
        for uri, one in network.records.items()
        if f"{ME}/{POST}" in uri and one["key"]
    ],
)  # fmt: skip
