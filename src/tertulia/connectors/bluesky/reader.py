"""Reading on, without a gap and without trusting any mark of the network's own ("unread").

Its lists show the newest first and page backwards, so each is read in rounds: from its top down to where the last round
began, and a little further, for what was written earlier but arrived later. The cursor holds the place in each list and
the newest messages by name, so that a reading tells only what is new, notices what was deleted or changed among
them, and can be broken off anywhere.
"""

from __future__ import annotations

import json
import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tertulia.connectors.contract import BadPayload, Envelope, Page, Refused, Retry, Unread, Unsupported

from . import direct, posts
from .client import Client, Missing
from .posts import Post, Unreadable

log = logging.getLogger(__name__)

FIRST = timedelta(days=7)
"""So far back goes the first reading."""
OVERLAP = timedelta(hours=2)
PAGE = 100
PAGES = 5
"""So many pages of one list are read in one go."""
BATCH = 25
"""So many posts can be asked for at once."""
KNOWN = 300
"""So many of the newest messages are looked after for deletions."""
THREADS = 5
FULL_THREAD = 200
"""A thread with more answers than that is left to the notifications: its page would be too large."""
STEPS = 20
"""So far up a thread is climbed to find whom we answered."""
REASONS = ("mention", "reply", "quote")
UNREADABLE = "This post can't be read."


@dataclass
class Place:
    """How far a list that shows its newest first has been read: all up to `mark`; inside a round down to `page`."""

    mark: str = ""
    top: str = ""
    page: str = ""


@dataclass
class State:
    """What a cursor holds. `known`: messages by address with their time and the end of their hash, for our own posts
    that are no messages ""; `looked`: the last of them that was looked after; `answers`: how many answers our newest
    posts had."""

    news: Place = field(default_factory=Place)
    own: Place = field(default_factory=Place)
    log: str = ""
    known: dict[str, tuple[float, str]] = field(default_factory=dict)
    looked: str = ""
    answers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: str) -> State:
        said = json.loads(cursor) if cursor else {}
        state = cls(log=said.get("log", ""), looked=said.get("looked", ""), answers=said.get("answers", {}))
        state.news, state.own = Place(**said.get("news", {})), Place(**said.get("own", {}))
        state.known = {uri: (seconds, cid) for uri, (seconds, cid) in said.get("known", {}).items()}
        return state

    def cursor(self) -> str:
        newest = sorted(self.known.items(), key=lambda item: item[1], reverse=True)[:KNOWN]
        return json.dumps({**asdict(self), "known": dict(newest)}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list: a post's address and time, and the post where the list shows it whole."""

    uri: str
    at: datetime
    view: Any


class Reader:
    """One reading of one account."""

    def __init__(self, client: Client, at: datetime) -> None:
        self.client = client
        self.at = at
        self.since = at - FIRST
        self.posts: dict[str, Post] = {}
        self.found: list[Envelope] = []
        self.unread: list[Unread] = []

    def fetch(self, cursor: str) -> Page:
        state = State.of(cursor)
        steps: Sequence[Callable[[State], bool]] = (self._news, self._own, self._threads, self._direct, self._look)
        more = False
        for step in steps:
            try:
                more = step(state) or more
            except Retry as trouble:
                if not self.found or trouble.after:
                    raise
                more = False  # what was read is handed over first; trouble that lasts comes up again at once
                break
        return Page(self._in_order(), state.cursor(), more=more, unread=self.unread)

    def reread(self, since: datetime, until: datetime, cursor: str) -> Page:
        """Page by page: the notifications, our own posts with the answers right under them, the direct messages."""
        part, _, page = (cursor or "news ").partition(" ")
        if part == "direct":
            if direct.may_read(self.client):
                self._reread_direct(since)
            return self._page_of(since, until, "", is_last=True)
        entries, following = (self._notifications if part == "news" else self._own_posts)(page)
        self._take(entries)
        if part == "own":
            for entry in entries:
                if entry.uri in self.posts and 0 < self.posts[entry.uri].replies <= FULL_THREAD:
                    self._take(self._answers(entry.uri))
        is_through = not following or min((entry.at for entry in entries), default=since) < since
        next_part = {"news": "own ", "own": "direct "}[part]
        return self._page_of(since, until, next_part if is_through else f"{part} {following}")

    def _page_of(self, since: datetime, until: datetime, cursor: str, *, is_last: bool = False) -> Page:
        standing = [one for one in self._in_order() if since <= one.sent_at <= until and one.verb != "deleted"]
        return Page(standing, cursor, more=not is_last, unread=self.unread)

    def _in_order(self) -> list[Envelope]:
        """Oldest first, each once."""
        once = {(one.remote_id, one.verb): one for one in self.found}
        return sorted(once.values(), key=lambda one: (one.sent_at, one.remote_id))

    # Lists that show their newest first.

    def _news(self, state: State) -> bool:
        return self._read_on(state, state.news, self._notifications)

    def _own(self, state: State) -> bool:
        return self._read_on(state, state.own, self._own_posts)

    def _read_on(self, state: State, place: Place, ask: Callable[[str], tuple[list[Entry], str]]) -> bool:
        mark = posts.moment_of(place.mark) or self.since
        for _ in range(PAGES):
            entries, following = ask(place.page)
            if not place.page:
                place.top = max([mark, *(entry.at for entry in entries)]).isoformat()
                if place is state.own:
                    self._count_answers(state, entries)
            fresh = [entry for entry in entries if entry.uri not in state.known and entry.at >= mark - OVERLAP]
            self._take(fresh, state)
            oldest = min((entry.at for entry in entries), default=mark - OVERLAP)
            if not following or oldest <= mark - OVERLAP or (oldest < mark and not fresh):
                place.mark, place.page = place.top, ""
                return False
            place.page = following
        return True

    def _notifications(self, page: str) -> tuple[list[Entry], str]:
        said = self.client.get("app.bsky.notification.listNotifications", limit=PAGE, cursor=page, reasons=REASONS)
        told = [one for one in _list(said, "notifications") if _field(one, "reason") in REASONS]
        return self._entries(told), posts.text_of(said.get("cursor"))

    def _own_posts(self, page: str) -> tuple[list[Entry], str]:
        me = self.client.did
        said = self.client.get(
            "app.bsky.feed.getAuthorFeed", actor=me, filter="posts_with_replies", limit=PAGE, cursor=page
        )
        feed = _list(said, "feed")
        for item in feed:
            above = _field(item, "reply")
            self._remember(_field(above, name) for name in ("root", "parent"))
        views = [_field(item, "post") for item in feed]
        entries = self._entries(view for view in views if _field(_field(view, "author"), "did") == me)
        self._remember(entry.view for entry in entries)
        return entries, posts.text_of(said.get("cursor"))

    def _entries(self, views: Iterable[Any]) -> list[Entry]:
        entries: dict[str, Entry] = {}
        for view in views:
            try:
                created = _field(_field(view, "record"), "createdAt")
                uri, at = posts.uri_of(_field(view, "uri")), posts.sent_at(created, _field(view, "indexedAt"))
            except Unreadable:
                self.unread.append(Unread(view, UNREADABLE))
                continue
            entries.setdefault(uri, Entry(uri, at, view))
        return list(entries.values())

    # What the lists can miss: an answer that was indexed together with its post is told of nowhere.

    def _count_answers(self, state: State, entries: Sequence[Entry]) -> None:
        shown = {entry.uri for entry in entries if entry.at >= self.since}
        state.answers = {uri: state.answers.get(uri, 0) for uri in shown}

    def _threads(self, state: State) -> bool:
        """Read the threads of our newest posts whose number of answers has changed."""
        now = {uri: self.posts[uri].replies for uri in state.answers if uri in self.posts}
        changed = [uri for uri, count in now.items() if count != state.answers[uri]]
        for uri in changed[:THREADS]:
            if state.answers[uri] < now[uri] <= FULL_THREAD:
                answers = [entry for entry in self._answers(uri) if entry.uri not in state.known]
                self._take([entry for entry in answers if entry.at >= self.since], state)
            state.answers[uri] = now[uri]
        return len(changed) > THREADS

    def _answers(self, uri: str) -> list[Entry]:
        try:
            said = self.client.get("app.bsky.feed.getPostThread", uri=uri, depth=1, parentHeight=0)
        except Refused:
            return []  # gone, or nobody may see it
        views = [_field(reply, "post") for reply in _list(_field(said, "thread"), "replies")]
        entries = self._entries(view for view in views if view is not None)
        self._remember(entry.view for entry in entries)
        return entries

    # From posts to messages.

    def _take(self, entries: Sequence[Entry], state: State | None = None) -> None:
        """Make messages of these posts; our own that answer nobody are none."""
        self._fill([entry.uri for entry in entries])
        self._remember(entry.view for entry in entries if entry.uri not in self.posts)
        self.unread += [Unread(entry.view, UNREADABLE) for entry in entries if entry.uri not in self.posts]
        taken = [self.posts[entry.uri] for entry in entries if entry.uri in self.posts]
        self._fill(above for post in taken for above in (post.root, post.quoted))
        for post in taken:
            person = self._person(post)
            if person:
                self.found.append(self._message(post, person))
            if state:
                state.known[post.uri] = (post.sent_at.timestamp(), post.cid[-6:] if person else "")

    def _message(self, post: Post, person: str) -> Envelope:
        above = post.root if post.root != post.uri else post.quoted
        return posts.envelope(post, self.client.did, person, self.posts.get(above))

    def _person(self, post: Post) -> str:
        """With whom the talk is that a post belongs to: its writer; for our own whoever we answer, "" for nobody."""
        me, writer = self.client.did, posts.writer_of(post.uri)
        for _ in range(STEPS):
            if writer != me:
                return writer
            if not post.parent:
                return ""
            writer, parent = posts.writer_of(post.parent), post.parent
            if writer == me:
                self._fill([parent])
                if parent not in self.posts:
                    return ""
                post = self.posts[parent]
        return ""

    def _fill(self, uris: Iterable[str]) -> None:
        """Have these posts at hand, as far as they can be seen."""
        wanted = [uri for uri in dict.fromkeys(uris) if uri and uri not in self.posts]
        for batch in _batches(wanted):
            self._remember(self._shown(batch))

    def _shown(self, uris: Sequence[str]) -> list[Any]:
        return _list(self.client.get("app.bsky.feed.getPosts", uris=list(uris)), "posts")

    def _remember(self, views: Iterable[Any]) -> None:
        for view in views:
            try:
                post = posts.read(view)
            except Unreadable:
                continue  # told of where it is asked for: as an entry of its list, or as a post that can't be seen
            self.posts[post.uri] = post

    # What was deleted or changed.

    def _look(self, state: State) -> bool:
        """Look after the next of the newest messages; in a dozen readings each has its turn."""
        messages = sorted(uri for uri, (_, cid) in state.known.items() if cid)
        if not messages:
            return False
        batch = messages[bisect_right(messages, state.looked) :][:BATCH] or messages[:BATCH]
        shown = {posts.text_of(_field(view, "uri")): view for view in self._shown(batch)}
        self._remember(shown.values())
        for uri in batch:
            seconds, cid = state.known[uri]
            if uri not in shown:
                if self.is_gone(uri):
                    del state.known[uri]
                    self.found.append(posts.deleted(uri, self.at))
            elif uri in self.posts and self.posts[uri].cid[-6:] != cid:
                post = self.posts[uri]
                state.known[uri] = (seconds, post.cid[-6:])
                if person := self._person(post):
                    self.found.append(posts.edited(self._message(post, person), self.at))
        state.looked = batch[-1]
        return False

    def is_gone(self, uri: str) -> bool:
        """Whether a post was deleted: one that isn't shown may be somebody's who blocks us, or whom we block."""
        repo, key = posts.writer_of(uri), posts.record_key(uri)
        try:
            self.client.get("com.atproto.repo.getRecord", repo=repo, collection=posts.COLLECTION, rkey=key)
        except Missing:
            return True
        except Refused:
            return False
        return False

    # Direct messages.

    def _direct(self, state: State) -> bool:
        """A service of its own keeps them, and where it is missing or in trouble all else goes on: `check` tells."""
        if not direct.may_read(self.client):
            return False
        try:
            return self._read_log(state) if state.log else self._begin_log(state)
        except (Retry, Refused, Unsupported, BadPayload) as trouble:
            log.info("Account %s: no direct messages: %s", self.client.account.id, trouble.why)
            return False

    def _begin_log(self, state: State) -> bool:
        newest = ""
        found: list[Envelope] = []
        for convo in direct.convos(self.client):
            newest = max(newest, convo.rev)
            found += self._recent(convo, self.since)
        self.found += found
        state.log = newest
        return False

    def _read_log(self, state: State) -> bool:
        convos: dict[str, direct.Convo] = {}
        found: list[Envelope] = []
        entries, cursor = direct.log(self.client, state.log)
        for entry in entries:
            id, message = posts.text_of(_field(entry, "convoId")), _field(entry, "message")
            kind = posts.text_of(_field(entry, "$type")).rpartition("#")[2]
            if kind not in {"logCreateMessage", "logDeleteMessage"} or not id:
                continue
            if id not in convos:
                convos[id] = direct.convo(self.client, id)
            told = self._direct_message(message, convos[id])
            found += [replace(one, verb="deleted") for one in told] if kind == "logDeleteMessage" else told
        self.found += found
        has_moved = cursor != state.log
        state.log = cursor
        return has_moved and bool(entries)

    def _reread_direct(self, since: datetime) -> None:
        try:
            for convo in direct.convos(self.client):
                self.found += self._recent(convo, since)
        except (Refused, Unsupported) as no:
            log.info("Account %s: no direct messages here: %s", self.client.account.id, no.why)
        except Retry:
            if not direct.is_nowhere(self.client):
                raise  # a day that was counted without them would take them for deleted

    def _recent(self, convo: direct.Convo, since: datetime) -> list[Envelope]:
        if convo.last_at is None or convo.last_at < since:
            return []
        written = direct.messages(self.client, convo.id, since)
        return [one for message in written for one in self._direct_message(message, convo)]

    def _direct_message(self, message: Any, convo: direct.Convo) -> Iterator[Envelope]:
        if posts.text_of(_field(message, "$type")).endswith("#systemMessageView"):
            return  # who came and went; nobody wrote it
        try:
            yield direct.envelope(message, convo, self.client.did)
        except Unreadable:
            self.unread.append(Unread(message, UNREADABLE))


def _list(value: Mapping[str, Any] | Any, name: str) -> list[Any]:
    found = _field(value, name)
    return found if isinstance(found, list) else []


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _batches(uris: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(uris), BATCH):
        yield uris[start : start + BATCH]
