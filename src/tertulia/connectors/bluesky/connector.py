from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tertulia.connectors.contract import (
    REPLY,
    Account,
    Act,
    BadPayload,
    Can,
    Capabilities,
    Connector,
    Draft,
    Field,
    Figure,
    Films,
    Granted,
    Health,
    Kind,
    Look,
    Names,
    Page,
    Picture,
    Pictures,
    Publishes,
    Receipt,
    Refused,
    Retry,
    Target,
    Tells,
    Unknown,
    Unsupported,
    counts,
)
from tertulia.core import clock

from . import direct, facets, lengths, posts, session, texts
from .client import CHAT, SERVICE, Client, Missing, Swapped, expiry, moment_of
from .reader import Reader

MAX_TEXT = 300
MAX_DIRECT = 1_000
MAX_HIDDEN = 300
SWAPS = 3
"""So often a record that somebody else changes at the same time is read and written again."""
POST = posts.COLLECTION
GATE = "app.bsky.feed.threadgate"
RECORDS: Mapping[Act, str] = {"like": "app.bsky.feed.like", "boost": "app.bsky.feed.repost"}
BLOCK = "app.bsky.graph.block"
PUBLIC: frozenset[Kind] = frozenset({"comment", "mention"})
COMMENTS: frozenset[Kind] = frozenset({"comment"})
PUBLISHES = Publishes(
    kinds=frozenset({"post", "part", "comment"}),
    counted="bluesky",
    longest=MAX_TEXT,
    pictures=Pictures(most=4, largest=2_000_000, alt=2_000),
    films=Films(largest=50_000_000, longest=180, alt=1_000),
    hints=frozenset({"language"}),
    deletes=True,
    names=Names(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", "@lola.bsky.social"),
    look=Look(tint="sky", lines=25, over=24, wide=300, card=True),
    cards=True,
    finds=True,
    shows_own_within=30,
    repeats_safely=True,
)
TELLS = Tells(
    of_posts=frozenset({"likes", "reposts", "replies", "quotes"}), of_account=frozenset({"followers"}), at_once=25
)
"""Twenty-five posts is the most that `getPosts` takes."""
COUNTS: Mapping[str, Figure] = {
    "likeCount": "likes",
    "repostCount": "reposts",
    "replyCount": "replies",
    "quoteCount": "quotes",
}
LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
KEYS_FROM = datetime(2025, 1, 1, tzinfo=UTC)
KEYS_YEARS = timedelta(days=730)


class Bluesky(Connector):
    """Posts that answer, mention or quote us, and direct messages, on Bluesky or any server of the AT Protocol."""

    key = "bluesky"
    name = {"en": "Bluesky", "es": "Bluesky"}
    about = {
        "en": "Answers, mentions and direct messages; posts with pictures and films.",
        "es": "Respuestas, menciones y mensajes directos; publicaciones con imágenes y vídeos.",
    }
    fields = (
        Field("handle", texts.HANDLE, help=texts.HANDLE_HELP),
        Field("app_password", texts.PASSWORD, kind="secret", help=texts.PASSWORD_HELP),
        Field(
            "service",
            texts.SERVICE,
            kind="url",
            help=texts.SERVICE_HELP,
            default=SERVICE,
            is_required=False,
            is_rare=True,
        ),
    )
    capabilities = Capabilities(
        reads=frozenset({"comment", "mention", "direct"}),
        can=(
            REPLY,
            Can("like", on=PUBLIC, undoes=True),
            Can("boost", on=PUBLIC, undoes=True),
            Can("hide", on=COMMENTS, undoes=True, note=texts.HIDE_NOTE),
            Can("mute", undoes=True, note=texts.MUTE_NOTE),
            Can("block", undoes=True, note=texts.BLOCK_NOTE),
            Can("report", is_once=True, note=texts.REPORT_NOTE),
            Can("delete", on=PUBLIC, whose="ours", note=texts.DELETE_NOTE),
        ),
        cannot=texts.CANNOT,
        max_text=MAX_TEXT,
        polls=True,
        poll_seconds=30,
        finds=True,
        shows_own_within=30,
        repeats_safely=True,
        send_gap=1.0,
        history=timedelta(days=30),
        renews=True,
        publishes=PUBLISHES,
        tells=TELLS,
    )
    reasons = texts.REASONS
    sentences = texts.SENTENCES
    facts = {"name": {"en": "Account there", "es": "Cuenta allí"}}

    def check(self, account: Account) -> Health:
        client = Client(self.http, account)
        said = client.get("com.atproto.server.getSession")
        if said.get("active") is False:
            return Health(is_ok=False, says=texts.SUSPENDED, is_shut=True)
        headers = client.last.headers if client.last else {}
        left = headers.get("ratelimit-remaining", "")
        return Health(
            is_ok=True,
            says=self._trouble_with_direct(client),
            expires_at=expiry(client.token),
            quota_left=int(left) if left.isdecimal() else None,
            quota_resets_at=moment_of(headers.get("ratelimit-reset", "")),
            facts={"did": client.did, "name": posts.text_of(said.get("handle"))},
            who=client.did,
        )

    def renew(self, account: Account) -> Granted:
        return session.renew(self.http, account)

    def fetch(self, account: Account, cursor: str) -> Page:
        return Reader(Client(self.http, account), clock.now()).fetch(cursor)

    def reread(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        return Reader(Client(self.http, account), clock.now()).reread(since, until, cursor)

    def gone(self, account: Account, missing: Sequence[Target]) -> Iterator[str]:
        """Posts whose record is no longer in its writer's repository. Of direct messages `fetch` is told."""
        reader = Reader(Client(self.http, account), clock.now())
        return (one.remote_id for one in missing if not one.hints.get("convo") and reader.is_gone(one.remote_id))

    def home(self, account: Account) -> str:
        handle = account.settings.get("name") or account.settings.get("handle")
        return f"https://bsky.app/profile/{handle}" if handle else ""

    def look(self, account: Account) -> Look:
        handle = account.settings.get("name") or account.settings.get("handle")
        return replace(PUBLISHES.look, handle=f"@{handle}" if handle else "")

    def text_length(self, account: Account, text: str) -> int:
        return lengths.length(text)

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        if to.hints.get("convo"):
            return self._reply_directly(account, to, text)
        if lengths.length(text) > MAX_TEXT:
            raise Refused(texts.TOO_LONG)
        parent = _reference(to)
        root = {"uri": to.hints.get("root") or parent["uri"], "cid": to.hints.get("root_cid") or parent["cid"]}
        client = Client(self.http, account)
        said, record = _write(client, {"text": text, "reply": {"root": root, "parent": parent}}, key)
        return _receipt(said, record)

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        self.check_fit(account, draft)
        more: dict[str, Any] = {"langs": [draft.language]} if draft.language else {}
        if draft.above:
            parent = _reference(draft.above)
            root = {"uri": draft.above.hints.get("root", ""), "cid": draft.above.hints.get("root_cid", "")}
            more["reply"] = {"root": root if all(root.values()) else parent, "parent": parent}
        if draft.pictures and draft.pictures[0].is_film:
            shown = _shown(draft.pictures[0])
            more["embed"] = {"$type": "app.bsky.embed.video", "video": shown.pop("image"), **shown}
        elif draft.pictures:
            more["embed"] = {"$type": "app.bsky.embed.images", "images": [_shown(one) for one in draft.pictures]}
        elif card := draft.card:
            external = {"uri": card.address, "title": card.title, "description": card.about}
            more["embed"] = {"$type": "app.bsky.embed.external", "external": external}
        return _published(*_write(Client(self.http, account), {"text": draft.text, **more}, key))

    def attach(self, account: Account, picture: Picture, key: str) -> str:
        """The network's whole reference to the picture or film, which the post repeats. A film goes to one's own
        server as a picture does, which is documented as the simple way: the network begins to work at it once the post
        is there, and until then shows for some seconds that it is coming (docs.bsky.app, Uploading Video)."""
        said = Client(self.http, account).upload(picture.content, picture.type)
        if not isinstance(said.get("blob"), dict):
            raise Unknown(texts.NOT_READABLE)
        return json.dumps(said["blob"])

    def find_post(self, account: Account, draft: Draft, key: str) -> Receipt | None:
        try:
            stored = _stored(Client(self.http, account), POST, record_key(key))
        except Missing:
            return None
        return _published(stored, stored["value"])

    def figures(self, account: Account, posts: Sequence[Target]) -> Mapping[str, Mapping[str, int]]:
        said = Client(self.http, account).get("app.bsky.feed.getPosts", uris=[one.remote_id for one in posts])
        views = said.get("posts")
        if not isinstance(views, list):
            raise BadPayload(texts.NOT_READABLE)
        asked = {one.remote_id for one in posts}
        shown = {view["uri"]: view for view in views if isinstance(view, dict) and isinstance(view.get("uri"), str)}
        return {uri: counts(view, COUNTS) for uri, view in shown.items() if uri in asked}

    def account_figures(self, account: Account) -> Mapping[str, int]:
        client = Client(self.http, account)
        return counts(client.get("app.bsky.actor.getProfile", actor=client.did), {"followersCount": "followers"})

    def find(self, account: Account, key: str) -> Receipt | None:
        """One's own server shows at once what it has taken. Direct messages carry no key: `reply` itself looks."""
        try:
            stored = _stored(Client(self.http, account), POST, record_key(key))
        except Missing:
            return None
        return _receipt(stored, stored["value"])

    def act(
        self, account: Account, act: Act, on: Target, key: str, *, undo: bool = False, because: str = ""
    ) -> Receipt:
        client = Client(self.http, account)
        if act in RECORDS:
            record = {"subject": _reference(on)}
            return _mark(client, RECORDS[act], on.remote_id, record, undo=undo)
        if act == "block":
            return _mark(client, BLOCK, _person(on), {"subject": _person(on)}, undo=undo)
        if act == "mute":
            client.post(f"app.bsky.graph.{'unmuteActor' if undo else 'muteActor'}", {"actor": _person(on)})
            return Receipt(_person(on))
        if act == "hide":
            return self._hide(client, on, undo=undo)
        if act == "report":
            return _report(client, on, because)
        if act == "delete" and posts.writer_of(on.remote_id) == client.did:
            _delete(client, POST, posts.record_key(on.remote_id))
            return Receipt(on.remote_id)
        raise Unsupported(texts.NOT_OFFERED)

    def _reply_directly(self, account: Account, to: Target, text: str) -> Receipt:
        """The service knows no keys. So that nothing arrives twice, the same words after the message that they
        answer are taken for this very answer."""
        if lengths.length(text) > MAX_DIRECT:
            raise Refused(texts.TOO_LONG_DIRECT)
        client, convo = Client(self.http, account), to.hints["convo"]
        for message in _after(client, convo, to.hints.get("message", "")):
            sender = message.get("sender")
            if message.get("text") == text and isinstance(sender, dict) and sender.get("did") == client.did:
                return _sent(convo, message)
        found = facets.detect(text, lambda handle: _did(client, handle))
        message = {"text": text, **({"facets": found} if found else {})}
        said = client.post("chat.bsky.convo.sendMessage", {"convoId": convo, "message": message}, headers=CHAT)
        return _sent(convo, said)

    def _hide(self, client: Client, on: Target, *, undo: bool) -> Receipt:
        """The gate of a thread belongs to whoever began it and names what is hidden; others may be writing it, too."""
        root = on.hints.get("root", "")
        if posts.writer_of(root) != client.did:
            raise Refused(texts.NOT_OURS)
        key = posts.record_key(root)
        for _ in range(SWAPS):
            try:
                gate, cid = _gate(client, root)
                hidden = [uri for uri in gate.get("hiddenReplies") or [] if uri != on.remote_id]
                if len(hidden) >= MAX_HIDDEN and not undo:
                    raise Refused(texts.HIDDEN_FULL)
                record = {**gate, "hiddenReplies": hidden if undo else [*hidden, on.remote_id]}
                return Receipt(_put(client, GATE, key, record, cid)["uri"])
            except Swapped:
                continue
        raise Retry(texts.TOO_BUSY_THREAD)

    def _trouble_with_direct(self, client: Client) -> str:
        if not direct.may_read(client):
            return texts.NO_DIRECT
        try:
            client.get("chat.bsky.convo.listConvos", headers=CHAT, limit=1)
        except (Retry, Refused, Unsupported, BadPayload):
            return texts.NO_DIRECT_NOW
        return ""


# Records: the first writes one where none is, the second what is known to be there; both say so when it isn't so.


def _write(client: Client, said: Mapping[str, Any], key: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """A post with its links and mentions marked: what the server says of it, and the record that is there."""
    found = facets.detect(said["text"], lambda handle: _did(client, handle))
    record = {"$type": POST, "createdAt": _now(), **said, **({"facets": found} if found else {})}
    try:
        return _create(client, POST, record_key(key), record), record
    except Swapped:  # an earlier try had arrived
        stored = _stored(client, POST, record_key(key))
        if stored["value"].get("text") != said["text"]:
            raise Refused(texts.OTHER_RECORD) from None
        return stored, stored["value"]


def _shown(picture: Picture) -> dict[str, Any]:
    size = {"width": picture.width, "height": picture.height}
    return {"image": json.loads(picture.id), "alt": picture.alt, "aspectRatio": size}


def _create(client: Client, collection: str, key: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Raises `Swapped` when a record has this key already."""
    return _put(client, collection, key, record, None)


def _put(client: Client, collection: str, key: str, record: Mapping[str, Any], swap: str | None) -> dict[str, Any]:
    body = {"repo": client.did, "collection": collection, "rkey": key, "record": record, "swapRecord": swap}
    said = client.post("com.atproto.repo.putRecord", body)
    if not isinstance(said.get("uri"), str):
        raise Unknown(texts.NOT_READABLE)
    return said


def _stored(client: Client, collection: str, key: str) -> dict[str, Any]:
    """Raises `Missing`."""
    said = client.get("com.atproto.repo.getRecord", repo=client.did, collection=collection, rkey=key)
    if not isinstance(said.get("uri"), str) or not isinstance(said.get("value"), dict):
        raise Retry(texts.NOT_READABLE)
    return said


def _delete(client: Client, collection: str, key: str) -> None:
    """What is gone already counts as deleted."""
    client.post("com.atproto.repo.deleteRecord", {"repo": client.did, "collection": collection, "rkey": key})


def _mark(client: Client, collection: str, subject: str, record: Mapping[str, Any], *, undo: bool) -> Receipt:
    """A record whose key comes from what it is about: done twice it is there once, and it is found to be undone."""
    key = record_key(f"{collection} {subject}")
    if undo:
        _delete(client, collection, key)
    else:
        with suppress(Swapped):
            _create(client, collection, key, {"$type": collection, **record, "createdAt": _now()})
    return Receipt(f"at://{client.did}/{collection}/{key}")


def _gate(client: Client, root: str) -> tuple[dict[str, Any], str | None]:
    """The gate of a thread and its hash; an open one where there is none yet."""
    try:
        stored = _stored(client, GATE, posts.record_key(root))
    except Missing:
        return {"$type": GATE, "post": root, "createdAt": _now()}, None
    return stored["value"], stored.get("cid")


def _report(client: Client, on: Target, because: str) -> Receipt:
    subject: dict[str, str] = {"$type": "com.atproto.repo.strongRef"}
    if on.hints.get("convo"):
        message = {"did": _person(on), "convoId": on.hints["convo"], "messageId": on.hints.get("message", "")}
        subject = {"$type": "chat.bsky.convo.defs#messageRef", **message}
    else:
        subject |= _reference(on)
    said = {"reasonType": "com.atproto.moderation.defs#reasonOther", "reason": because, "subject": subject}
    made = client.post("com.atproto.moderation.createReport", said, is_once=True)
    return Receipt(f"report:{made.get('id', '')}")


def record_key(key: str) -> str:
    """A record key that always comes out the same for the same key, in the form the network wants: a moment in
    microseconds and a number, 13 signs. The moment, drawn from the key, lies within two years and means nothing."""
    drawn = int.from_bytes(hashlib.sha256(key.encode()).digest())
    moment = int(KEYS_FROM.timestamp() * 1_000_000) + (drawn >> 10) % int(KEYS_YEARS.total_seconds() * 1_000_000)
    number = moment << 10 | drawn & 1023
    return "".join(LETTERS[number >> shift & 31] for shift in range(60, -1, -5))


def _reference(on: Target) -> dict[str, str]:
    """Which post, and which state of it."""
    cid = on.hints.get("cid", "")
    if not posts.writer_of(on.remote_id) or not cid:
        raise Refused(texts.NO_POST)
    return {"uri": on.remote_id, "cid": cid}


def _person(on: Target) -> str:
    did = on.person_id or posts.writer_of(on.remote_id)
    if not did:
        raise Refused(texts.NO_POST)
    return did


def _did(client: Client, handle: str) -> str:
    """Whose handle it is; "" for nobody's."""
    try:
        return posts.text_of(client.get("com.atproto.identity.resolveHandle", handle=handle).get("did"))
    except (Refused, Unsupported):
        return ""


def _after(client: Client, convo: str, answered: str) -> Iterator[Mapping[str, Any]]:
    """What was written after a message, newest first; only so much of it as one page shows."""
    said = client.get("chat.bsky.convo.getMessages", headers=CHAT, convoId=convo, limit=direct.PAGE)
    shown = said.get("messages")
    for message in shown if isinstance(shown, list) else []:
        if isinstance(message, dict):
            if message.get("id") == answered:
                return
            yield message


def _sent(convo: str, message: Mapping[str, Any]) -> Receipt:
    id = posts.text_of(message.get("id"))
    if not id:
        raise Unknown(texts.NOT_READABLE)
    return Receipt(direct.remote_id(convo, id), at=posts.moment_of(message.get("sentAt")))


def _receipt(said: Mapping[str, Any], record: Mapping[str, Any]) -> Receipt:
    return Receipt(said["uri"], at=posts.moment_of(record.get("createdAt")), url=posts.url(said["uri"]))


def _published(said: Mapping[str, Any], record: Mapping[str, Any]) -> Receipt:
    """With what is needed to write below it: its state, and where its thread begins."""
    receipt, reply = _receipt(said, record), record.get("reply")
    root = reply.get("root") if isinstance(reply, dict) else None
    root = root if isinstance(root, dict) else {"uri": said["uri"], "cid": said.get("cid")}
    hints = {"cid": said.get("cid"), "root": root.get("uri"), "root_cid": root.get("cid")}
    return replace(receipt, hints={name: value for name, value in hints.items() if isinstance(value, str)})


def _now() -> str:
    return clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


connector = Bluesky
