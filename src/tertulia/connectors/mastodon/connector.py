"""Mastodon: what people write to an account, and what it answers."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from tertulia.connectors.contract import (
    REPLY,
    Account,
    Act,
    BadPayload,
    Can,
    Capabilities,
    Connector,
    Consent,
    Draft,
    Envelope,
    Field,
    Films,
    Granted,
    Health,
    Look,
    Outcome,
    Page,
    Picture,
    Pictures,
    Polls,
    Receipt,
    Reconnect,
    Refused,
    Retry,
    Target,
    Unknown,
    Unread,
    Unsupported,
)

from . import counting, counts, publishing, texts
from .client import Gone, Invalid, Missing, Server, in_path, is_snac, moment, order, root
from .places import Place
from .reading import Reader, deleted, id_of, text_of, url_of

SCOPES = "read write:statuses write:media write:favourites write:reports write:blocks write:mutes"
MAX_TEXT = 500
FIRST_DAYS = timedelta(days=7)
FIRST_ITEMS = 200
AT_ONCE = 80
"""Most a page of notifications holds; a server that gives fewer is asked again."""
OWN_AT_ONCE = 40
LOOK_AGAIN, LOOK_AGAIN_SINGLY = 20, 5
NOISE = ("follow", "favourite", "reblog", "poll", "follow_request")
"""Notifications that nobody can answer. New kinds are read and passed over here: old servers refuse unknown names."""
NEWS = {"notification", "status.update", "delete"}
STREAM_SECONDS = 3600.0
SNAC_SHOWS = 64

PATHS: dict[Act, tuple[str, str, str]] = {
    "like": ("statuses", "favourite", "unfavourite"),
    "boost": ("statuses", "reblog", "unreblog"),
    "mute": ("accounts", "mute", "unmute"),
    "block": ("accounts", "block", "unblock"),
}


class Mastodon(Connector):
    """Any server that speaks the Mastodon API, in so far as it does."""

    key = "mastodon"
    name = {"en": "Mastodon", "es": "Mastodon"}
    about = {
        "en": "Mentions, answers and private messages; posts, threads and polls.",
        "es": "Menciones, respuestas y mensajes privados; publicaciones, hilos y encuestas.",
    }
    fields = (
        Field("server", texts.SERVER, kind="url", help=texts.SERVER_HELP),
        Field("token", texts.TOKEN, kind="secret", help=texts.TOKEN_HELP, is_required=False, is_rare=True),
    )
    capabilities = Capabilities(
        reads=frozenset({"comment", "mention", "direct"}),
        can=(
            REPLY,
            Can("like", undoes=True),
            Can("boost", undoes=True),
            Can("report", is_once=True, note=texts.REPORT_NOTE),
            Can("mute", undoes=True),
            Can("block", undoes=True, note=texts.BLOCK_NOTE),
            Can("delete", whose="ours"),
        ),
        cannot={"remove": texts.NOT_REMOVABLE, "hide": texts.NOT_HIDEABLE},
        max_text=MAX_TEXT,
        polls=True,
        finds=True,
        repeats_safely=True,
        keys_live=3600,
        history=timedelta(days=90),
        listens=True,
        consents=True,
        publishes=publishing.PUBLISHES,
        tells=counts.TELLS,
    )
    reasons = {"private": texts.PRIVATE}
    sentences = texts.SENTENCES
    scopes = texts.SCOPES
    facts = texts.FACTS

    # How it stands.

    def check(self, account: Account) -> Health:
        server = Server(self.http, account)
        me = _myself(server)
        headers = server.answered
        left = headers.get("x-ratelimit-remaining", "")
        return Health(
            is_ok=True,
            scopes=_scopes_of(server),
            quota_left=int(left) if left.isdecimal() and len(left) < 9 else None,
            quota_resets_at=moment(headers.get("x-ratelimit-reset")),
            facts={
                "account_id": id_of(me.get("id")),
                "handle": text_of(me, "acct")[:255],
                "name": text_of(me, "display_name")[:200],
                **_limits(_instance(server)),
            },
            who=f"{id_of(me.get('id'))}@{urlsplit(server.url).netloc}",
        )

    # The way in.

    def fetch(self, account: Account, cursor: str) -> Page:
        """New notifications and own messages after the cursor; when there are none, a part of the latest once more."""
        server, place = Server(self.http, account), Place.read(cursor)
        place.me = place.me or _me(server, account)
        reader, gathered = Reader(server, place.me), _Gathered()
        is_first, before = not place.notified, (place.notified, place.own)
        notices = _recent(server) if is_first else _after(server, place.notified)
        own = _own(server, place.me, after=place.own)
        reader.remember(own)
        for notice in notices:
            gathered.add_notice(reader, notice)
        for status in own:
            gathered.add(reader, status)
        place.notified = _newest(notices, place.notified or "0")
        place.own = "" if is_snac(place.me) else _newest(own, place.own or "0")
        since = datetime.now(UTC) - FIRST_DAYS
        gathered.leave_out(lambda one: not place.is_news(one) or (is_first and one.sent_at < since))
        has_more = not is_first and (place.notified, place.own) != before
        if not has_more:
            gathered.envelopes += self._look_again(reader, place)
        for envelope in gathered.envelopes:
            place.note(envelope)
        place.forget(one.remote_id for one in gathered.envelopes if one.verb == "deleted")
        place.trim()
        return Page(gathered.oldest_first(), place.write(), more=has_more, unread=gathered.unread)

    def reread(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        """First what we were told of, then what we wrote, both from the newest back."""
        server = Server(self.http, account)
        me = _me(server, account)
        reader, gathered = Reader(server, me), _Gathered()
        part, _, below = cursor.partition(":")
        if part == "own":
            found = _own(server, me, before=below)
            reader.remember(found)
            for status in found:
                gathered.add(reader, status)
        else:
            found = server.listed("/api/v1/notifications", _notices(("max_id", below)))
            for notice in found:
                gathered.add_notice(reader, notice)
        oldest, is_whole = _oldest(found), _reached(found, since)
        if part != "own" and is_snac(me) and len(found) >= SNAC_SHOWS and not is_whole:
            raise Unsupported(texts.SHORT_MEMORY)
        gathered.leave_out(lambda envelope: not since <= envelope.sent_at < until)
        if oldest and oldest != below and not is_whole and not (part == "own" and is_snac(me)):
            cursor = f"{part or 'told'}:{oldest}"
        else:
            cursor = "" if part == "own" else "own:"
        return Page(gathered.oldest_first(), cursor, more=bool(cursor), unread=gathered.unread)

    def gone(self, account: Account, missing: Sequence[Target]) -> Iterator[str]:
        """Notifications also lack what was cleared there, and what somebody wrote whom we block or mute."""
        server = Server(self.http, account)
        standing, hidden = self._standing(server, Place(), [one.remote_id for one in missing]), _Hidden(server)
        for one in missing:
            if (
                one.remote_id not in standing
                and _status(server, one.remote_id) is None
                and not hidden.by(one.person_id)
            ):
                yield one.remote_id

    def listen(self, account: Account, stop: Callable[[], bool]) -> Iterator[bool]:
        server = Server(self.http, account)
        event = ""
        for line in server.events(_streaming_root(account), stop, STREAM_SECONDS):
            name, _, value = line.decode(errors="replace").partition(":")
            if name == "event":
                event = value.strip()
            elif name == "data":
                yield event in NEWS and not (event == "notification" and _is_noise(value))
            elif line == b"" or name == "":
                yield False

    # The way out.

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        """To the person by name, no wider than what they wrote, and behind the same warning."""
        spoiler = to.hints.get("spoiler", "")
        text = _addressed(text, to.hints.get("acct", ""))
        if self.text_length(account, spoiler + text) > (self.longest_text(account) or MAX_TEXT):
            raise Refused(texts.TOO_LONG)
        said = {
            "status": text,
            "in_reply_to_id": in_path(to.remote_id) if to.remote_id else "",
            "visibility": to.hints.get("visibility", "direct"),
            "spoiler_text": spoiler,
        }
        server = Server(self.http, account)
        return _receipt(server.change("POST", "/api/v1/statuses", {k: v for k, v in said.items() if v}, key))

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        self.check_fit(account, draft)
        server, form = Server(self.http, account), urlencode(publishing.fields(draft)).encode()
        made = server.send("POST", "/api/v1/statuses", "application/x-www-form-urlencoded", form, key)
        return _published(made)

    def find_post(self, account: Account, draft: Draft, key: str) -> Receipt | None:
        made = self._made_of(account, key)
        return _published(made) if made else None

    def attach(self, account: Account, picture: Picture, key: str) -> str:
        return publishing.upload(Server(self.http, account), picture, key)

    def figures(self, account: Account, posts: Sequence[Target]) -> Mapping[str, Mapping[str, int]]:
        return counts.of_posts(Server(self.http, account), [one.remote_id for one in posts])

    def account_figures(self, account: Account) -> Mapping[str, int]:
        return counts.of_account(_myself(Server(self.http, account)))

    def post_length(self, account: Account, draft: Draft) -> int:
        return self.text_length(account, draft.warning + draft.text)

    def longest_post(self, account: Account, draft: Draft) -> int | None:
        return self.longest_text(account)

    def pictures_taken(self, account: Account) -> Pictures:
        return publishing.rules(account.settings)

    def films_taken(self, account: Account) -> Films:
        return publishing.film_rules(account.settings)

    def polls_taken(self, account: Account) -> Polls:
        return publishing.poll_rules(account.settings)

    def named(self, account: Account, url: str) -> Receipt | None:
        whose = re.escape(str(account.settings.get("handle") or ""))
        server = re.escape(root(account.settings.get("server") or "-"))
        found = re.fullmatch(rf"{server}/(?:@|users/){whose}/(?:statuses/)?([^/?#]+)", url, re.IGNORECASE)
        id = id_of(found[1]) if found and whose else ""
        return Receipt(id, url=url) if id else None

    def home(self, account: Account) -> str:
        name, server = account.settings.get("handle"), root(account.settings.get("server") or "-")
        return f"{server}/@{name}" if name else ""

    def look(self, account: Account) -> Look:
        name, server = account.settings.get("handle"), urlsplit(root(account.settings.get("server") or "-")).netloc
        return replace(publishing.PUBLISHES.look, handle=f"@{name}@{server}" if name else "")

    def find(self, account: Account, key: str) -> Receipt | None:
        made = self._made_of(account, key)
        return _receipt(made) if made else None

    def _made_of(self, account: Account, key: str) -> dict[str, Any] | None:
        """Ask for what this key has made, with an empty text: Mastodon looks at the key first and gives back what it
        made, and never makes anything of nothing. Servers that don't know keys can't be asked."""
        server = Server(self.http, account)
        knows_keys = account.settings.get("knows_keys")
        if not isinstance(knows_keys, bool):
            knows_keys = _limits(_instance(server))["knows_keys"]
        if not knows_keys:
            raise Unknown(texts.CANNOT_LOOK)
        try:
            return server.change("POST", "/api/v1/statuses", {"status": ""}, key)
        except Invalid:
            return None
        except (Refused, Unsupported):
            raise Unknown(texts.CANNOT_LOOK) from None

    def act(
        self, account: Account, act: Act, on: Target, key: str, *, undo: bool = False, because: str = ""
    ) -> Receipt:
        server = Server(self.http, account)
        if act == "delete":
            return self._delete(server, on)
        if act == "report":
            said = {"account_id": on.person_id, "status_ids[]": in_path(on.remote_id), "comment": because[:1000]}
            made = server.change("POST", "/api/v1/reports", {**said, "category": "other"})
            return Receipt(id_of(made.get("id")) or on.remote_id)
        if act not in PATHS:
            raise Unsupported(act)
        kind, do, undone = PATHS[act]
        id = on.remote_id if kind == "statuses" else on.person_id
        path = in_path(id) if kind == "statuses" else id
        server.change("POST", f"/api/v1/{kind}/{path}/{undone if undo else do}")
        return Receipt(id)

    def _delete(self, server: Server, on: Target) -> Receipt:
        with suppress(Missing if is_snac(on.remote_id) else Gone):  # then it is as was wanted
            server.change("DELETE", f"/api/v1/statuses/{in_path(on.remote_id)}")
        return Receipt(on.remote_id)

    def text_length(self, account: Account, text: str) -> int:
        per_url = account.settings.get("url_length")
        return counting.length(text, url_length=per_url if isinstance(per_url, int) else counting.URL_LENGTH)

    def longest_text(self, account: Account) -> int | None:
        longest = account.settings.get("max_text")
        return longest if isinstance(longest, int) else MAX_TEXT

    # Signing in.

    def begin_consent(self, account: Account, back_to: str, state: str) -> Consent:
        """Register ourselves at the server, which nobody has to have heard of, and send the person to its page."""
        server = Server(self.http, account, needs_token=False)
        said = {"client_name": "Tertulia", "redirect_uris": back_to, "scopes": SCOPES}
        app = server.change("POST", "/api/v1/apps", said)
        client_id, client_secret = text_of(app, "client_id"), text_of(app, "client_secret")
        if not client_id or not client_secret:
            raise Unknown(texts.NO_WHOLE_ANSWER)
        verifier = secrets.token_urlsafe(48)
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": back_to,
            "scope": SCOPES,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        kept = {"client_id": client_id, "client_secret": client_secret, "verifier": verifier}
        return Consent(f"{server.url}/oauth/authorize?{urlencode(query)}", kept)

    def finish_consent(self, account: Account, back_to: str, kept: Mapping[str, str], code: str) -> Granted:
        server = Server(self.http, account, needs_token=False)
        server.token = ""
        try:
            said = server.change(
                "POST",
                "/oauth/token",
                {
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": back_to,
                    "client_id": kept["client_id"],
                    "client_secret": kept["client_secret"],
                    "code_verifier": kept["verifier"],
                    "scope": SCOPES,
                },
            )
        except (Refused, Reconnect, KeyError):
            raise Reconnect(texts.NO_CODE) from None
        token, seconds = text_of(said, "access_token"), said.get("expires_in", 0)
        if not token:
            raise Reconnect(texts.NO_CODE)
        return Granted(
            secrets={"token": token, "client_id": kept["client_id"], "client_secret": kept["client_secret"]},
            expires_at=datetime.now(UTC) + timedelta(seconds=seconds) if _is_count(seconds) else None,
            scopes=text_of(said, "scope").split(),
        )

    # Edits and deletions nobody tells of.

    def _look_again(self, reader: Reader, place: Place) -> list[Envelope]:
        """Of the watched messages, those that were edited or deleted since."""
        ids = place.due(LOOK_AGAIN if place.lists else LOOK_AGAIN_SINGLY)
        standing = self._standing(reader.server, place, ids)
        place.turn = place.turn + 1 if ids else 0
        hidden, changed = _Hidden(reader.server), []
        for id in ids:
            sent_at, _changed, thread = place.watch[id]
            status = standing.get(id) or _status(reader.server, id)
            if status is None:
                if not hidden.by(thread.partition(":")[2]):
                    changed.append(deleted(id, thread, datetime.fromisoformat(sent_at), datetime.now(UTC)))
            elif moment(status.get("edited_at")) and (envelope := _read(reader, status)) and place.is_news(envelope):
                changed.append(envelope)
        return changed

    def _standing(self, server: Server, place: Place, ids: list[str]) -> dict[str, dict[str, Any]]:
        """Those of many that are there, where the server tells of many at once; the others are asked for singly."""
        found: dict[str, dict[str, Any]] = {}
        for begin in range(0, len(ids) if place.lists else 0, LOOK_AGAIN):
            try:
                asked = [("id[]", in_path(id)) for id in ids[begin : begin + LOOK_AGAIN]]
                statuses = server.listed("/api/v1/statuses", asked)
            except (Refused, Unsupported):
                place.lists = False
                return found
            found |= {id_of(one.get("id")): one for one in statuses if isinstance(one, dict)}
        place.lists = bool(found) or not ids
        return found


class _Gathered:
    """What one reading brought: each message once, and what can't be understood."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.unread: list[Unread] = []
        self._seen: set[str] = set()

    def add_notice(self, reader: Reader, notice: object) -> None:
        """A mention or a quote is a message; the other notifications aren't."""
        if not isinstance(notice, dict):
            self.add(reader, notice)
        elif notice.get("type") in ("mention", "quote"):
            is_quote, is_held = notice["type"] == "quote", notice.get("filtered") is True
            self.add(reader, notice.get("status"), is_quote=is_quote, is_held=is_held)

    def add(self, reader: Reader, status: object, **said: bool) -> None:
        try:
            envelope = reader.envelope(status, **said)
        except BadPayload as bad:
            self.unread.append(Unread(status, bad.why))
            return
        if envelope and envelope.remote_id not in self._seen:
            self._seen.add(envelope.remote_id)
            self.envelopes.append(envelope)

    def leave_out(self, unwanted: Callable[[Envelope], bool]) -> None:
        self.envelopes = [envelope for envelope in self.envelopes if not unwanted(envelope)]

    def oldest_first(self) -> list[Envelope]:
        return sorted(self.envelopes, key=lambda envelope: envelope.sent_at)


def _notices(*more: tuple[str, str]) -> list[tuple[str, str]]:
    """What is asked of the list of notifications: those too that the account's policy holds back."""
    asked = [("limit", str(AT_ONCE)), ("include_filtered", "true"), *(("exclude_types[]", kind) for kind in NOISE)]
    return asked + [(name, value) for name, value in more if value]


def _after(server: Server, id: str) -> list[Any]:
    """The page right after one that was read."""
    return [one for one in server.listed("/api/v1/notifications", _notices(("min_id", id))) if _id(one) != id]


def _recent(server: Server) -> list[Any]:
    """The first time: some days, or so many, whichever is less."""
    found: list[Any] = []
    since = datetime.now(UTC) - FIRST_DAYS
    while len(found) < FIRST_ITEMS:
        page = server.listed("/api/v1/notifications", _notices(("max_id", _oldest(found))))
        found += page
        if not page or not _oldest(page) or _reached(page, since):
            break
    return [one for one in found if not isinstance(one, dict) or (moment(one.get("created_at")) or since) >= since]


def _own(server: Server, me: str, *, after: str = "", before: str = "") -> list[Any]:
    """What the account wrote itself. snac lists private answers on its home page only, and knows no paging there."""
    asked = [("limit", str(OWN_AT_ONCE)), ("exclude_reblogs", "true"), ("min_id", after), ("max_id", before)]
    query = [(name, value) for name, value in asked if value]
    if not is_snac(me):
        return [one for one in server.listed(f"/api/v1/accounts/{in_path(me)}/statuses", query) if _id(one) != after]
    home = server.listed("/api/v1/timelines/home", query[:1])
    return [one for one in home if isinstance(one, dict) and _writer(one) == me]


def _status(server: Server, id: str) -> dict[str, Any] | None:
    """One message as it stands; None when it is gone. A page that isn't the API's says so only with snac."""
    try:
        return _object(server.get(f"/api/v1/statuses/{in_path(id)}"))
    except Gone:
        return None
    except Missing:
        if is_snac(id):
            return None
        raise Retry(texts.SERVER_TROUBLE) from None


class _Hidden:
    """Who blocks us: what they wrote is answered as if it weren't there."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[str, bool] = {}

    def by(self, person: str) -> bool:
        if person not in self._known:
            self._known[person] = self._ask(person)
        return self._known[person]

    def _ask(self, person: str) -> bool:
        try:
            found = self._server.listed("/api/v1/accounts/relationships", [("id[]", in_path(person))])
        except (Refused, Unsupported):
            return False  # a server that knows no such thing, or nobody of that name any more
        return any(isinstance(one, dict) and one.get("blocked_by") is True for one in found)


def _read(reader: Reader, status: object) -> Envelope | None:
    try:
        return reader.envelope(status)
    except BadPayload:
        return None


def _id(entry: object) -> str:
    value = entry.get("id") if isinstance(entry, dict) else ""
    return value if isinstance(value, str) and len(value) <= 80 else ""


def _writer(status: Mapping[str, Any]) -> str:
    account = status.get("account")
    return id_of(account.get("id")) if isinstance(account, dict) else ""


def _newest(entries: list[Any], otherwise: str) -> str:
    return max([otherwise, *(_id(one) for one in entries)], key=order)


def _oldest(entries: list[Any]) -> str:
    return min((_id(one) for one in entries if _id(one)), key=order, default="")


def _reached(entries: list[Any], since: datetime) -> bool:
    """Whether a page goes back so far."""
    times = [moment(one.get("created_at")) for one in entries if isinstance(one, dict)]
    return any(at < since for at in times if at)


def _me(server: Server, account: Account) -> str:
    me = id_of(account.settings.get("account_id")) or id_of(_myself(server).get("id"))
    if not me:
        raise BadPayload(texts.NO_WHOLE_ANSWER)
    return me


def _myself(server: Server) -> dict[str, Any]:
    try:
        return _object(server.get("/api/v1/accounts/verify_credentials"))
    except Invalid:  # how snac says it
        raise Reconnect(texts.ACCESS_ENDED) from None


def _object(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise BadPayload(texts.NO_WHOLE_ANSWER)
    return found


def _instance(server: Server) -> dict[str, Any]:
    """What the server says of itself; the newer description isn't everywhere."""
    try:
        return _object(server.get("/api/v2/instance"))
    except (Refused, Unsupported, BadPayload):
        return _object(server.get("/api/v1/instance"))


def _limits(instance: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a server that later calls need."""
    configuration = _part(instance, "configuration")
    statuses = _part(configuration, "statuses")
    longest = [statuses.get("max_characters"), instance.get("max_toot_chars"), MAX_TEXT]
    per_url = [statuses.get("characters_reserved_per_url"), counting.URL_LENGTH]
    version = text_of(instance, "version")[:80]
    streaming = text_of(_part(configuration, "urls"), "streaming") or text_of(_part(instance, "urls"), "streaming_api")
    return {
        "max_text": next(one for one in longest if _is_count(one)),
        "url_length": next(one for one in per_url if _is_count(one)),
        "version": version,
        "knows_keys": bool(re.match(r"([3-9]|\d\d)\.", version)) and "(" not in version,
        "streaming": url_of(re.sub("^ws", "http", streaming)),
        "pictures": publishing.told(configuration),
        "polls": publishing.told_of_polls(configuration),
    }


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = said.get(name)
    return value if isinstance(value, dict) else {}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**7


def _scopes_of(server: Server) -> list[str]:
    """What the token allows, where the server tells."""
    try:
        app = server.get("/api/v1/apps/verify_credentials")
    except Retry:
        raise
    except Outcome:
        return []
    scopes = app.get("scopes") if isinstance(app, dict) else None
    return [one for one in scopes if isinstance(one, str)] if isinstance(scopes, list) else []


def _streaming_root(account: Account) -> str:
    """Where the server streams: some do it under a name of its own."""
    said, own = urlsplit(str(account.settings.get("streaming") or "")), urlsplit(root(account.settings.get("server")))
    if not said.hostname or said.hostname == own.hostname or said.scheme != own.scheme:
        return ""
    return f"{said.scheme}://{said.netloc}"


def _is_noise(data: str) -> bool:
    try:
        notice = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(notice, dict) and notice.get("type") in NOISE


def _addressed(text: str, acct: str) -> str:
    """The text with the person's name in front, unless it is in there."""
    if not acct or re.search(rf"(?<![\w/@])@{re.escape(acct)}(?![\w@.-]*\w)", text, re.IGNORECASE):
        return text
    return f"@{acct} {text}"


def _receipt(status: Mapping[str, Any]) -> Receipt:
    id = id_of(status.get("id"))
    if not id:
        raise Unknown(texts.NO_WHOLE_ANSWER)
    return Receipt(id, at=moment(status.get("created_at")), url=url_of(status.get("url")) or url_of(status.get("uri")))


def _published(status: Mapping[str, Any]) -> Receipt:
    return replace(_receipt(status), hints={"visibility": text_of(status, "visibility")})


connector = Mastodon
