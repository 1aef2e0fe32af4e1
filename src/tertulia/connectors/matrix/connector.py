"""A community's rooms on Matrix, and private talks with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tertulia.connectors.contract import (
    Account,
    Act,
    Can,
    Capabilities,
    Connector,
    Draft,
    Envelope,
    Field,
    Granted,
    Health,
    Look,
    Page,
    Picture,
    Receipt,
    Refused,
    Target,
    Unknown,
    Unread,
    Unsupported,
)

from . import access, publishing, texts
from .client import MESSAGES, STATE, Homeserver, quoted, rows, server_of, table, word
from .events import KEY, TO, Odd, Reader, is_redacted, link, moment
from .place import Place, Room, Stretch, private_rooms

MAX_BYTES = publishing.LONGEST
LIKE = "👍"
FIRST_DAYS = timedelta(days=7)
FIRST_PAGES = 2
LISTEN_SECONDS = 10
HISTORY = timedelta(days=30)
KEYS_LIVE = 24 * 3600
"""Seconds for which Synapse remembers a transaction."""


def _only(timeline: Mapping[str, Any], *, state: Sequence[str] = (), account: Sequence[str] = ()) -> dict[str, Any]:
    """A filter: what is wanted of an answer to `sync`, and nothing else."""
    return {
        "presence": {"types": []},
        "account_data": {"types": list(account)},
        "room": {
            "account_data": {"types": []},
            "ephemeral": {"types": []},
            "state": {"types": list(state), "lazy_load_members": True, "include_redundant_members": True},
            "timeline": timeline,
        },
    }


ALL_STATE = (*STATE, "m.room.member")
NEWS = _only({"limit": 50, "types": [*MESSAGES, *STATE, "m.room.redaction"]}, state=ALL_STATE, account=["m.direct"])
FIRST_LOOK = _only({"limit": 1, "types": [*MESSAGES, *STATE]}, state=ALL_STATE, account=["m.direct"])
SIGNS = _only({"limit": 1, "types": [*MESSAGES, "m.room.redaction"]})


class Matrix(Connector):
    """Each person in each room is a talk of its own; a private room is one talk."""

    key = "matrix"
    name = {"en": "Matrix", "es": "Matrix"}
    about = {
        "en": "Rooms and private talks of your community; news in a room.",
        "es": "Salas y conversaciones privadas de tu comunidad; novedades en una sala.",
    }
    fields = (
        Field("homeserver", {"en": "Server", "es": "Servidor"}, kind="url", help=texts.HOMESERVER_HELP),
        Field(
            "token",
            {"en": "Access token", "es": "Token de acceso"},
            kind="secret",
            help=texts.TOKEN_HELP,
            is_required=False,
        ),
        Field("user", {"en": "User", "es": "Usuario"}, help=texts.USER_HELP, is_required=False),
        Field(
            "password",
            {"en": "Password", "es": "Contraseña"},
            kind="secret",
            help=texts.PASSWORD_HELP,
            is_required=False,
        ),
        Field(
            "rooms",
            {"en": "Rooms to follow", "es": "Salas que se siguen"},
            kind="lines",
            help=texts.ROOMS_HELP,
            is_required=False,
        ),
        Field(
            "news",
            {"en": "Room for your news", "es": "Sala para tus novedades"},
            help=texts.NEWS_HELP,
            is_required=False,
        ),
        Field(
            "inviters",
            {"en": "Accept invitations from", "es": "Aceptar invitaciones de"},
            kind="lines",
            help=texts.INVITERS_HELP,
            is_required=False,
            is_rare=True,
        ),
        Field(
            "invited_by_all",
            {"en": "Accept everybody's invitations", "es": "Aceptar las invitaciones de cualquiera"},
            kind="flag",
            is_required=False,
            is_rare=True,
        ),
    )
    capabilities = Capabilities(
        reads=frozenset({"comment", "mention", "direct"}),
        can=(
            Can("reply"),
            Can("like", undoes=True),
            Can("delete", whose="ours", note=texts.REMOVE_NOTE),
            Can("remove", note=texts.REMOVE_NOTE),
            Can("kick", on=frozenset({"comment", "mention"}), note=texts.KICK_NOTE),
            Can("ban", on=frozenset({"comment", "mention"}), undoes=True),
            Can("report", is_once=True, note=texts.REPORT_NOTE),
            Can("mute", undoes=True, note=texts.MUTE_NOTE),
        ),
        cannot=texts.CANNOT,
        max_text=MAX_BYTES,
        polls=True,
        poll_seconds=60,
        finds=True,
        repeats_safely=True,
        keys_live=KEYS_LIVE,
        listens=True,
        renews=True,
        history=HISTORY,
        publishes=publishing.PUBLISHES,
    )
    reasons = texts.REASONS
    sentences = texts.SENTENCES
    facts = {"user_id": {"en": "Account there", "es": "Cuenta allí"}}

    # The connection.

    def check(self, account: Account) -> Health:
        base = access.find_server(self.http, account)
        home = Homeserver(self.http, account)
        home.address = f"{base}/_matrix/client"
        me = home.me()
        joined = home.get("/v3/joined_rooms").get("joined_rooms")
        joined = [word(room) for room in joined] if isinstance(joined, list) else []
        followed = {name: self._room_called(home, name) for name in _lines(account, "rooms")}
        missing = [name for name, room in followed.items() if room not in joined]
        facts = {
            "found": {"homeserver": server_of(account.settings), "base": base},
            "user_id": me,
            "followed": followed,
            "missing_rooms": missing,
        }
        return Health(is_ok=not missing, says=texts.NOT_IN_ROOMS if missing else "", facts=facts, who=me)

    def _room_called(self, home: Homeserver, name: str) -> str:
        if not name.startswith("#"):
            return name
        found = home.find(f"/v3/directory/room/{quoted(name)}")
        return word(found.get("room_id")) if found else ""

    def renew(self, account: Account) -> Granted:
        return access.renew(self.http, account)

    # Reading.

    def fetch(self, account: Account, cursor: str) -> Page:
        """One step: a stretch of some room's past that is still to be read, or what is new in all rooms."""
        home, place = Homeserver(self.http, account), Place.read(cursor)
        place.me = place.me or home.me()
        if not place.left:
            return self._read_news(home, account, place)
        return self._read_stretch(home, place)

    def _read_news(self, home: Homeserver, account: Account, place: Place) -> Page:
        news = home.sync(place.since, filter=NEWS if place.since else FIRST_LOOK)
        before, place.since = place.since, word(news["next_batch"])
        place.learn_private(table(news.get("account_data")))
        rooms = table(news.get("rooms"))
        for left in table(rooms.get("leave")):
            place.rooms.pop(left, None)
        unread = self._answer_invitations(home, account, place, table(rooms.get("invite")))
        reading = _Reading(home, place)
        for id, said in table(rooms.get("join")).items():
            timeline, state = table(table(said).get("timeline")), rows(table(table(said).get("state")).get("events"))
            events = rows(timeline.get("events"))
            is_new = id not in place.rooms
            room = place.rooms.setdefault(id, Room(id))
            room.learn([*state, *events])
            if not self._is_followed(account, place, room):
                continue
            if is_new:
                place.left.append(Stretch(id, start=place.since, backwards=True))
            elif timeline.get("limited"):
                place.left.append(Stretch(id, start=before, end=place.since))
            else:
                reading.read(room, events, state)
        return reading.page([*unread, *reading.unread])

    def _read_stretch(self, home: Homeserver, place: Place) -> Page:
        """A page of what was missed, oldest first; or the recent past of a room that is new here."""
        stretch, reading = place.left[0], _Reading(home, place)
        room = place.rooms.get(stretch.room)
        try:
            if room is None or stretch.backwards:
                place.left.pop(0)
                if room is not None:
                    reading.read_what_stands(room, *self._recent_past(home, stretch, since=_now() - FIRST_DAYS))
            else:
                said = home.history(room.id, start=stretch.start, end=stretch.end)
                events, stretch.start = rows(said.get("chunk")), word(said.get("end"))
                if not events or not stretch.start:
                    place.left.pop(0)
                reading.read(room, events, rows(said.get("state")))
        except Refused:
            place.left = [one for one in place.left if one.room != stretch.room]  # the room is no longer ours to read
        return reading.page(reading.unread)

    def _recent_past(
        self, home: Homeserver, stretch: Stretch, *, since: datetime
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Events, oldest first, and the state that names their writers."""
        events: list[dict[str, Any]] = []
        state: list[dict[str, Any]] = []
        start = stretch.start
        for _page in range(FIRST_PAGES):
            said = home.history(stretch.room, start=start, backwards=True)
            page, start = rows(said.get("chunk")), word(said.get("end"))
            events += [event for event in page if not _is_older(event, since)]
            state += rows(said.get("state"))
            if not start or not page or _is_older(page[-1], since):
                break
        return events[::-1], state

    def reread(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        """Room after room, each back from its end until before `since`."""
        home, place = Homeserver(self.http, account), Place.read(cursor)
        if not cursor:
            self._begin_again(home, account, place)
        reading = _Reading(home, place)
        if place.left:
            stretch = place.left[0]
            said = home.history(stretch.room, start=stretch.start, backwards=True)
            events, stretch.start = rows(said.get("chunk")), word(said.get("end"))
            if not events or not stretch.start or all(_is_older(event, since) for event in events):
                place.left.pop(0)
            within = [event for event in events[::-1] if not _is_older(event, since) and _is_older(event, until)]
            reading.read_what_stands(place.rooms[stretch.room], within, rows(said.get("state")))
        return reading.page(reading.unread)

    def gone(self, account: Account, missing: Sequence[Target]) -> Iterator[str]:
        """A message that was redacted leaves its place behind. One that isn't shown at all is of somebody who is muted,
        or of a room that is no longer followed."""
        home = Homeserver(self.http, account)
        for one in missing:
            event = home.event(_room_of(one), one.remote_id)
            if event and is_redacted(event):
                yield one.remote_id

    def _begin_again(self, home: Homeserver, account: Account, place: Place) -> None:
        place.me = home.me()
        said = home.sync("", filter=FIRST_LOOK)
        place.learn_private(table(said.get("account_data")))
        for id, joined in table(table(said.get("rooms")).get("join")).items():
            room = place.rooms[id] = Room(id)
            joined = table(joined)
            timeline = rows(table(joined.get("timeline")).get("events"))
            room.learn([*rows(table(joined.get("state")).get("events")), *timeline])
        followed = [room for room in place.rooms.values() if self._is_followed(account, place, room)]
        place.rooms = {room.id: room for room in followed}
        place.left = [Stretch(room.id, backwards=True) for room in followed]

    def listen(self, account: Account, stop: Callable[[], bool]) -> Iterator[bool]:
        home = Homeserver(self.http, account)
        since = word(home.sync("", filter=SIGNS)["next_batch"])
        while not stop():
            said = home.sync(since, wait=LISTEN_SECONDS, filter=SIGNS)
            since = word(said["next_batch"])
            rooms = table(said.get("rooms"))
            yield bool(rooms.get("join") or rooms.get("invite"))

    def _is_followed(self, account: Account, place: Place, room: Room) -> bool:
        named = set(_lines(account, "rooms"))
        known = {word(id) for id in table(account.settings.get("followed")).values()}
        return (
            not named or room.id in place.direct or not named.isdisjoint([room.id, *room.aliases]) or room.id in known
        )

    def _answer_invitations(
        self, home: Homeserver, account: Account, place: Place, invited: Mapping[str, Any]
    ) -> list[Unread]:
        """Join the rooms that somebody on the list invites to; whatever else came stays as it is."""
        unread = []
        for room, said in invited.items():
            inviter, is_private = _inviter(rows(table(table(said).get("invite_state")).get("events")), place.me)
            if not account.settings.get("invited_by_all") and inviter not in _lines(account, "inviters"):
                continue
            try:
                home.write("POST", f"/v3/join/{quoted(room)}", {})
                if is_private and room not in place.direct:
                    self._note_as_private(home, place, room, inviter)
            except Refused as refused:
                unread.append(Unread({"invited_to": room, "by": inviter}, refused.why))
        return unread

    def _note_as_private(self, home: Homeserver, place: Place, room: str, person: str) -> None:
        """As every program does that accepts one: the account's own list says which rooms are private talks."""
        path = f"/v3/user/{quoted(place.me)}/account_data/m.direct"
        known = home.find(path) or {}
        theirs = known.get(person)
        known[person] = [*(theirs if isinstance(theirs, list) else []), room]
        home.put(path, known)
        place.direct = private_rooms(known)

    # Writing.

    def text_length(self, account: Account, text: str) -> int:
        """In bytes, as the event's JSON has it."""
        return len(json.dumps(text, ensure_ascii=False).encode(errors="replace")) - 2

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        if self.text_length(account, text) > MAX_BYTES:
            raise Unsupported(texts.TOO_LONG)
        home, room = Homeserver(self.http, account), _room_of(to)
        if home.find(f"/v3/rooms/{quoted(room)}/state/m.room.encryption") is not None:
            raise Refused(texts.ENCRYPTED_ROOM)
        content = {"msgtype": "m.text", "body": text, KEY: key, **_addressed(to)}
        sent = home.put(f"/v3/rooms/{quoted(room)}/send/m.room.message/{quoted(key)}", content)
        return _receipt(room, sent)

    def find(self, account: Account, key: str) -> Receipt | None:
        found = self._event_of(account, key)
        return _receipt(*found) if found else None

    def _event_of(self, account: Account, key: str) -> tuple[str, Mapping[str, Any]] | None:
        """Among what the account wrote of late, in all its rooms."""
        home = Homeserver(self.http, account)
        timeline = {"limit": 50, "types": ["m.room.message"], "senders": [home.me()]}
        said = home.sync("", filter=_only(timeline))
        for room, joined in table(table(said.get("rooms")).get("join")).items():
            for event in rows(table(table(joined).get("timeline")).get("events")):
                unsigned, content = table(event.get("unsigned")), table(event.get("content"))
                if key in (content.get(KEY), unsigned.get("transaction_id")) and word(event.get("event_id")):
                    return room, event
        return None

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        self.check_fit(account, draft)
        home = Homeserver(self.http, account)
        room = draft.above.hints.get("room", "") if draft.above else self._news_room(home, account)
        if home.find(f"/v3/rooms/{quoted(room)}/state/m.room.encryption") is not None:
            raise Refused(texts.ENCRYPTED_ROOM)
        content = publishing.content(draft, key)
        sent = home.put(f"/v3/rooms/{quoted(room)}/send/m.room.message/{quoted(key)}", content)
        receipt = _receipt(room, sent)
        return replace(receipt, hints=publishing.hints(room, receipt.remote_id, content))

    def look(self, account: Account) -> Look:
        return publishing.look(account)

    def attach(self, account: Account, picture: Picture, key: str) -> str:
        id = Homeserver(self.http, account).upload(picture.name, picture.type, picture.content)
        if not id:
            raise Unknown(texts.UNREADABLE)
        return id

    def find_post(self, account: Account, draft: Draft, key: str) -> Receipt | None:
        if not (found := self._event_of(account, key)):
            return None
        room, event = found
        receipt = _receipt(room, event)
        return replace(receipt, hints=publishing.hints(room, receipt.remote_id, event.get("content")))

    def _news_room(self, home: Homeserver, account: Account) -> str:
        named = _lines(account, "news")
        room = self._room_called(home, named[0]) if named else ""
        if not room:
            raise Refused(texts.NO_NEWS_ROOM)
        return room

    def act(
        self, account: Account, act: Act, on: Target, key: str, *, undo: bool = False, because: str = ""
    ) -> Receipt:
        home, room = Homeserver(self.http, account), _room_of(on)
        reason = {"reason": because} if because else {}
        path = f"/v3/rooms/{quoted(room)}"
        match act, undo:
            case "remove" | "delete", False:
                home.put(f"{path}/redact/{quoted(on.remote_id)}/{quoted(key)}", reason)
            case "kick", False:
                self._kick(home, path, on.person_id, reason)
            case "ban", _:
                home.write("POST", f"{path}/{'unban' if undo else 'ban'}", {"user_id": on.person_id, **reason})
            case "report", False:
                home.write("POST", f"{path}/report/{quoted(on.remote_id)}", reason)
            case "mute", _:
                self._ignore(home, on.person_id, undo=undo)
            case "like", False:
                relates = {"rel_type": "m.annotation", "event_id": on.remote_id, "key": LIKE}
                said = {"m.relates_to": relates}
                send = f"{path}/send/m.reaction/{quoted(key)}"
                home.write("PUT", send, said, is_done_when={"M_DUPLICATE_ANNOTATION"})
            case "like", True:
                self._take_back_like(home, room, on.remote_id, key)
            case _:
                raise Unsupported(act)
        return Receipt(remote_id=on.remote_id)

    def _kick(self, home: Homeserver, path: str, person: str, reason: Mapping[str, str]) -> None:
        """Who is no longer there can't be put out: then it has happened already."""
        try:
            home.write("POST", f"{path}/kick", {"user_id": person, **reason})
        except Refused:
            found = home.find(f"{path}/state/m.room.member/{quoted(person)}")
            if found is None or found.get("membership") not in ("leave", "ban"):
                raise

    def _ignore(self, home: Homeserver, person: str, *, undo: bool) -> None:
        path = f"/v3/user/{quoted(home.me())}/account_data/m.ignored_user_list"
        known = home.find(path) or {}
        ignored = table(known.get("ignored_users"))
        if (person in ignored) is not undo:
            return
        changed = {who: how for who, how in ignored.items() if who != person} | ({} if undo else {person: {}})
        home.put(path, {**known, "ignored_users": changed})

    def _take_back_like(self, home: Homeserver, room: str, liked: str, key: str) -> None:
        me = home.me()
        found = home.get(
            f"/v1/rooms/{quoted(room)}/relations/{quoted(liked)}/m.annotation/m.reaction", {"limit": "100"}
        )
        for event in rows(found.get("chunk")):
            relates = table(table(event.get("content")).get("m.relates_to"))
            if event.get("sender") == me and relates.get("key") == LIKE:
                id = word(event.get("event_id"))
                home.put(f"/v3/rooms/{quoted(room)}/redact/{quoted(id)}/{quoted(key)}", {})


class _Reading:
    """One reading of one or several rooms: what it finds, and what it can't understand."""

    def __init__(self, home: Homeserver, place: Place) -> None:
        self.home, self.place = home, place
        self.envelopes: list[Envelope] = []
        self.unread: list[Unread] = []

    def read(self, room: Room, events: list[dict[str, Any]], state: Iterable[Mapping[str, Any]]) -> None:
        reader = self._reader(room, events, state)
        self._each(events, reader.happened)

    def read_what_stands(self, room: Room, events: list[dict[str, Any]], state: Iterable[Mapping[str, Any]]) -> None:
        reader = self._reader(room, events, state)
        self._each(events, reader.stands)

    def _each(self, events: list[dict[str, Any]], understand: Callable[[dict[str, Any]], list[Envelope]]) -> None:
        for event in events:
            try:
                self.envelopes += understand(event)
            except Odd:
                self.unread.append(Unread(event, texts.ODD_EVENT))

    def _reader(self, room: Room, events: list[dict[str, Any]], state: Iterable[Mapping[str, Any]]) -> Reader:
        here = {word(event.get("event_id")): event for event in events}

        def look(id: str) -> Mapping[str, Any] | None:
            if id not in here:
                here[id] = self.home.event(room.id, id) or {}
            return here[id] or None

        is_private = room.id in self.place.direct
        return Reader(self.place.me, room, is_private, look, _names(state))

    def page(self, unread: list[Unread]) -> Page:
        self.envelopes.sort(key=lambda one: one.changed_at or one.sent_at)
        return Page(self.envelopes, self.place.write(), more=bool(self.place.left), unread=unread)


def _names(state: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    members = [event for event in state if event.get("type") == "m.room.member"]
    return {word(one.get("state_key")): word(table(one.get("content")).get("displayname"))[:200] for one in members}


def _is_older(event: Mapping[str, Any], than: datetime) -> bool:
    try:
        return moment(event) < than
    except Odd:
        return False


def _inviter(state: list[dict[str, Any]], me: str) -> tuple[str, bool]:
    """Who invites us, and whether to a private talk."""
    for event in state:
        if event.get("type") == "m.room.member" and event.get("state_key") == me:
            return word(event.get("sender")), table(event.get("content")).get("is_direct") is True
    return "", False


def _lines(account: Account, name: str) -> list[str]:
    given = account.settings.get(name)
    lines = given.splitlines() if isinstance(given, str) else given if isinstance(given, list) else []
    return [line.strip() for line in lines if isinstance(line, str) and line.strip()]


def _room_of(target: Target) -> str:
    room = target.hints.get("room") or (target.thread_id if target.thread_id.startswith("!") else "").partition(" ")[0]
    if not room:
        raise Refused(texts.NO_ROOM)
    return room


def _addressed(to: Target) -> dict[str, Any]:
    """Into the thread of what it answers, or one that begins there; in a private talk just under it."""
    said: dict[str, Any] = {"m.mentions": {"user_ids": [to.person_id]}, TO: to.person_id} if to.person_id else {}
    if not to.remote_id:
        return said
    relates: dict[str, Any] = {"m.in_reply_to": {"event_id": to.remote_id}}
    if to.kind != "direct" or to.hints.get("root"):
        root = to.hints.get("root") or to.remote_id
        relates |= {"rel_type": "m.thread", "event_id": root, "is_falling_back": False}
    return {**said, "m.relates_to": relates}


def _receipt(room: str, sent: Mapping[str, Any]) -> Receipt:
    id = word(sent.get("event_id"))
    if not id:
        raise Unknown(texts.UNREADABLE)
    return Receipt(remote_id=id, url=link(room, id))


def _now() -> datetime:
    return datetime.now(UTC)


connector = Matrix
