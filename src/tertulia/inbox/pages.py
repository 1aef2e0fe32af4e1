"""What the pages of the inbox show: rows of the list and things of a thread as plain, ready words.

The list is drawn twenty-five rows at a time, all day long, so its words are made here and its template only puts
them in place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zlib import crc32
from zoneinfo import ZoneInfo

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext, pgettext

from tertulia.brand.models import Brand
from tertulia.channels import abilities
from tertulia.channels.drawings import channel_icon
from tertulia.channels.forms import said
from tertulia.channels.models import Delivery, Identity, Message
from tertulia.community import queries as community
from tertulia.community.models import Member
from tertulia.connectors import registry
from tertulia.core import activity, dates, marks
from tertulia.core.html import render
from tertulia.core.languages import once_a_language
from tertulia.core.models import Activity
from tertulia.core.rows import draw, url
from tertulia.core.sentences import told
from tertulia.team.models import Membership, User
from tertulia.understanding import teaching, words
from tertulia.understanding.learning import TOPIC
from tertulia.understanding.reading import LANGUAGES

from . import acting, activities, allowed, promises, queries, readings, routing, translations
from .actions import PRESENCE_SECONDS, TYPING_SECONDS
from .models import Conversation, SavedView

WHOLE_TEXT = 8_000
"""Characters of one message shown at once; the rest on asking."""
MOST_PICTURES = 40
"""Shown in one message: for each the original is opened once more."""
SHOWN_LABELS = 3
SHOWN_WHEN_FULL = frozenset({"trouble", "by_hand"})
"""Views that most brands have nothing in."""


# The list


@once_a_language
def view_names() -> dict[queries.View, tuple[str, str]]:
    """The views by key: (icon, name)."""
    return {
        "mine": ("person", gettext("Mine")),
        "nobody": ("inbox", gettext("Nobody's")),
        "open": ("chat", gettext("All open")),
        "waiting": ("clock", gettext("Waiting longest")),
        "mentions": ("at", gettext("Mentions of me")),
        "by_hand": ("pencil", gettext("To do by hand")),
        "trouble": ("warning", gettext("Sending trouble")),
        "snoozed": ("snooze", gettext("Snoozed")),
        "closed": ("close", gettext("Closed")),
    }


def query_of(filters: queries.Filters, **more: Any) -> str:
    """The filters as an address carries them, «?view=mine», empty for the plain list."""
    values = {**filters.as_dict(), **{name: value for name, value in more.items() if value}}
    values |= {name: 1 for name, value in values.items() if value is True}
    return f"?{urlencode(values)}" if values else ""


class Named(NamedTuple):
    """What a row or a menu shows of a record: less than the record, because it is read for every page."""

    pk: int
    name: str

    def __str__(self) -> str:
        return self.name


class Tag(NamedTuple):
    """A label as it is drawn."""

    pk: int
    name: str
    hue: int


class Place(NamedTuple):
    """An account as it is listed."""

    pk: int
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Around:
    """What a page refers to by id, read once: labels, people, accounts and topics, each by name."""

    brand: Brand
    labels: Mapping[int, Tag]
    people: Mapping[int, Named]
    accounts: Mapping[int, Place]
    topics: Mapping[str, str]
    """The brand's own, by slug."""
    now: datetime

    @classmethod
    def of(cls, brand: Brand, *, now: datetime, names: queries.Names | None = None) -> Around:
        names = names or queries.names(brand)
        return cls(
            brand,
            {id: Tag(id, name, marks.hue(hue)) for id, name, hue in names.labels},
            {id: Named(id, name) for id, name in names.people},
            {id: Place(id, name, kind) for id, name, kind in names.accounts},
            dict(names.topics),
            now,
        )


def own_page(around: Around) -> Place | None:
    """The first account whose chat stands on a page of the company's."""
    known = registry.all_connectors()
    hosted = (one for one in around.accounts.values() if one.kind in known and known[one.kind].capabilities.hosted)
    return next(hosted, None)


def takes_notes(around: Around) -> bool:
    """Whether messages can be written down: there is an account of a platform without an API."""
    known = registry.all_connectors()
    return any(one.kind in known and known[one.kind].capabilities.is_posted for one in around.accounts.values())


def draw_rows(rows: Sequence[Mapping[str, Any]], around: Around, *, query: str = "", current: int = 0) -> SafeString:
    """The rows as HTML. They are drawn by Jinja2: Django's own templates cost more than the database here. Most were
    shown a moment ago just as they are now, and are not drawn again."""
    base, language = url("inbox:list", around.brand.slug), get_language() or ""
    avatars = {owner: marks.avatar(around.people.get(owner), "small") for owner in {row["owner_id"] for row in rows}}
    shown = (_row(row, around, avatars, base=base, query=query, current=current) for row in rows)
    return mark_safe("".join(_drawn(_Shown(repr(row.values()), row), language) for row in shown))  # noqa: S308 — drawn


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a row shows, known again by all of it."""

    all: str
    row: dict[str, Any] = field(compare=False)


@lru_cache(maxsize=2_000)
def _drawn(shown: _Shown, _language: str) -> SafeString:
    """One row, about 1.5 kB."""
    # Tells the page whether a row it already shows has changed.
    mark = crc32(shown.all.encode())
    return draw("inbox/_row.jinja", {"row": {**shown.row, "mark": mark}, **_row_words()})


@once_a_language
def _row_words() -> dict[str, Any]:
    return {
        "icons": {
            name: marks.icon(name, "small")
            for name in ("reply", "snooze", "close", "warning", "clock", "check", "lightning")
        },
        "unread": gettext("Unread"),
        "ours": gettext("We answered:"),
        "promised": gettext("Promise:"),
        "closed": pgettext("state of a conversation", "Closed"),
        "trouble": gettext("Check sending"),
    }


def _row(
    row: Mapping[str, Any],
    around: Around,
    avatars: Mapping[int, SafeString],
    *,
    base: str,
    query: str,
    current: int,
) -> dict[str, Any]:
    zone, now = around.brand.time_zone, around.now
    labels = [around.labels[id] for id in row["labels"] if id in around.labels]
    account = around.accounts.get(row["account_id"])
    return {
        "id": row["id"],
        "url": f"{base}{row['id']}/{query}",
        "is_current": row["id"] == current,
        "name": row["member_name"] or gettext("Somebody"),
        "channel": channel_icon(row["channel"]),
        "account": account.name if account else row["channel"],
        "is_unread": row["unread"] and (row["state"] == "open" or "mentioned_at" in row),
        "time": dates.short(row["last_activity_at"], now=now, zone=zone),
        "iso": row["last_activity_at"].isoformat(),
        "full": dates.full(row["last_activity_at"], zone=zone),
        "preview": row["preview"] or row["subject"],
        "passage": row.get("passage"),
        "is_ours": not row.get("passage") and row["waiting_since"] is None and row["answered_turn"] == row["turn"] > 0,
        "state": row["state"],
        "until": dates.until(row["snoozed_until"], now=now, zone=zone) if row["state"] == "snoozed" else "",
        "until_whole": dates.full(row["snoozed_until"], zone=zone) if row["state"] == "snoozed" else "",
        "promise": promise(row["promise_due_at"], now=now, zone=zone) if row["state"] == "open" else None,
        "has_trouble": row["has_trouble"],
        "signs": readings.signs(row) if row["state"] == "open" else [],
        "labels": [(label.name, label.hue) for label in labels[:SHOWN_LABELS]],
        "more_labels": max(0, len(labels) - SHOWN_LABELS),
        "owner": avatars[row["owner_id"]],
    }


def promise(due: datetime | None, *, now: datetime, zone: str) -> dict[str, str] | None:
    """The time left as a row says it, with its tone: calm, soon, late."""
    if due is None:
        return None
    left = promises.left(due, now)
    return {"tone": left.tone, "text": left.text, "title": f"{left.spoken}: {dates.full(due, zone=zone)}"}


def channel_name(kind: str) -> str:
    """What a channel is called in the reader's language."""
    if kind not in registry.all_connectors():
        return kind
    names = registry.get(kind).name
    return names.get(get_language() or "en") or names["en"]


# The rail


@dataclass(frozen=True, slots=True)
class RailLink:
    name: str
    url: str
    icon: str | SafeString = ""
    count: str = ""
    is_current: bool = False
    stands_out: bool = False
    hue: int | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Rail:
    views: list[RailLink] = field(default_factory=list)
    saved: list[RailLink] = field(default_factory=list)
    accounts: list[RailLink] = field(default_factory=list)
    labels: list[RailLink] = field(default_factory=list)


def rail(filters: queries.Filters, around: Around, *, counts: queries.Counters, saved: Sequence[SavedView]) -> Rail:
    base = url("inbox:list", around.brand.slug)
    place = filters.place

    def link(wanted: queries.Filters, name: str, **rest: Any) -> RailLink:
        is_current = wanted == (filters if wanted.said_in_address else place)
        return RailLink(name, base + query_of(wanted), is_current=is_current, **rest)

    views = [
        link(
            queries.Filters(view=view), name, icon=marks.icon(icon),
            stands_out=view in {"nobody", "trouble", "mentions", "by_hand"},
            count=_count(counts.views.get(view, 0), queries.COUNT_TO),
        )
        for view, (icon, name) in view_names().items()
        if view not in SHOWN_WHEN_FULL or counts.views[view] or filters.view == view
    ]  # fmt: skip
    own = [link(queries.Filters.read(one.filters), one.name, icon=marks.icon("filter"), id=one.id) for one in saved]
    accounts = [
        link(
            queries.Filters(account=account.pk), account.name, icon=channel_icon(account.kind),
            count=_count(counts.accounts.get(account.pk, 0), queries.EACH_TO),
        )
        for account in around.accounts.values()
    ]  # fmt: skip
    labels = [
        link(
            queries.Filters(label=label.pk), label.name, hue=label.hue,
            count=_count(counts.labels.get(label.pk, 0), queries.EACH_TO),
        )
        for label in around.labels.values()
    ]  # fmt: skip
    return Rail(views, own, accounts, labels)


def _count(count: int, most: int) -> str:
    if not count:
        return ""
    return f"{most - 1}+" if count >= most else str(count)


def narrowings(filters: queries.Filters, around: Around) -> list[tuple[str, list[RailLink]]]:
    """What the list in hand can be narrowed down to, by what was read; chosen once more, a choice is dropped."""
    base = url("inbox:list", around.brand.slug)

    def link(name: str, is_on: bool, **wanted: Any) -> RailLink:
        return RailLink(name, base + query_of(replace(filters, **wanted)), is_current=is_on)

    def flag(name: str, field: str) -> RailLink:
        is_on = getattr(filters, field)
        return link(name, is_on, **{field: not is_on})

    def each(field: str, names: Mapping[str, str]) -> list[RailLink]:
        now = getattr(filters, field)
        return [link(name, one == now, **{field: "" if one == now else one}) for one, name in names.items()]

    flags = [
        flag(gettext("Urgent"), "urgent"), flag(words.needs()[True], "needs_answer"),
        flag(words.offences()[True], "offensive"),
    ]  # fmt: skip
    topic = [link(_topic(filters, around), True, topic="")] if filters.topic else []
    return [
        ("", flags),
        (gettext("What it is"), each("kind", words.kinds())),
        (gettext("Feeling"), each("sentiment", words.sentiments())),
        (gettext("Language"), each("language", {code: words.language(code) for code in LANGUAGES})),
        *([(gettext("Topic"), topic)] if topic else []),
    ]


def _topic(filters: queries.Filters, around: Around) -> str:
    """What the topic asked for is called; one that was removed, which a saved view may still ask for, by its slug."""
    return words.field(TOPIC + filters.topic, around.topics)


def topics(around: Around) -> list[tuple[str, str]]:
    """Those a list can be narrowed down to, by name."""
    return sorted({**around.topics, **words.topics()}.items(), key=itemgetter(1))


def title_of(filters: queries.Filters, around: Around) -> str:
    """What the list in hand is called."""
    narrower = [
        words.kinds().get(filters.kind, ""), words.sentiments().get(filters.sentiment, ""),
        gettext("Urgent") if filters.urgent else "", words.needs()[True] if filters.needs_answer else "",
        words.offences()[True] if filters.offensive else "",
        words.language(filters.language) if filters.language else "", _topic(filters, around) if filters.topic else "",
    ]  # fmt: skip
    return " · ".join([view_title(filters, around), *filter(None, narrower)])


def view_title(filters: queries.Filters, around: Around) -> str:
    """The same, but for what it is narrowed down to."""
    if filters.q:
        return gettext("“{words}”").format(words=filters.q)
    if filters.label:
        label = around.labels.get(filters.label)
        return label.name if label else gettext("Label")
    if filters.account:
        account = around.accounts.get(filters.account)
        return account.name if account else gettext("Channel")
    if filters.owner:
        return str(around.people.get(filters.owner, gettext("Somebody")))
    if filters.view == "all":
        return gettext("All")
    return view_names()[filters.view][1]


# A thread


class Way(NamedTuple):
    """Something that can be done with a message, or can't: then `why_not` says why. `until` when it ends."""

    act: str
    name: str
    is_undo: bool
    why_not: str
    until: datetime | None
    note: str
    needs_reason: bool


class Attached(NamedTuple):
    """A file as it is listed under a message; `number` when it is opened here, else it stands elsewhere."""

    name: str
    about: str
    number: int | None
    url: str


@dataclass(slots=True)
class Entry:
    """One thing in the thread as the page draws it: "day", "message", "note" or "events"."""

    kind: str
    at: datetime
    heading: str = ""
    of: Any = None
    name: str = ""
    is_mine: bool = False
    is_out: bool = False
    text: SafeString = SafeString()
    is_cut: bool = False
    versions: list[tuple[datetime, SafeString]] = field(default_factory=list)
    delivery: dict[str, Any] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)
    """What can be done with it here, and what can't and why."""
    acts: list[dict[str, Any]] = field(default_factory=list)
    """What has been done with it."""
    files: list[Attached] = field(default_factory=list)
    quoted: SafeString = SafeString()
    about: dict[str, str] = field(default_factory=dict)
    status: str = ""
    """How it stands on its network, in words."""
    reading: readings.Shown | None = None
    translation: translations.Shown | None = None
    has_original: bool = False
    malware: str = ""
    """What its files hold, by clamd's name for it: nobody gets them."""
    lines: list[tuple[str, str, datetime]] = field(default_factory=list)
    summary: str = ""

    @property
    def is_answer(self) -> bool:
        """A person of the team wrote it."""
        return self.is_out and not self.of.is_automatic and bool(self.text)

    @property
    def has_foot(self) -> bool:
        """Beside how it left there is room for what can be done with it."""
        asks = {Delivery.State.REFUSED, Delivery.State.UNKNOWN, Delivery.State.BY_HAND}
        return bool(self.delivery) and self.delivery["state"] not in asks and self.reading is None

    @property
    def has_harsh_ways(self) -> bool:
        return any(way.needs_reason and not way.why_not for way in self.ways)


def entries(
    thread: queries.Thread,
    *,
    conversation: Conversation,
    people: Mapping[int, Named],
    user: User,
    now: datetime,
    whole: int = 0,
) -> list[Entry]:
    """The thread with its days, its messages and notes, and what happened between them folded small."""
    zone = ZoneInfo(conversation.brand.time_zone)
    today = now.astimezone(zone).date()
    shown: list[Entry] = []
    day, about = None, ""
    is_read = any(hasattr(item.of, "reading") for item in thread.items)
    own = teaching.own_topics(conversation.brand_id) if is_read else {}
    translated = translations.shown(thread.items, brand=conversation.brand_id)
    for item in thread.items:
        if (on := item.at.astimezone(zone).date()) != day:
            day = on
            shown.append(Entry("day", item.at, heading=dates.day_heading(on, today=today)))
        if item.kind == "activity":
            _add_line(shown, item.of, people, str(zone))
        elif item.kind == "note":
            shown.append(_note(item, people, user))
        else:
            shown.append(_message(item, conversation, user, now, whole))
            shown[-1].reading = readings.shown(item, people, own)
            shown[-1].translation = translated.get(item.of.pk)
            if shown[-1].about.get("remote_id", about) == about:
                shown[-1].about = {}  # it stands a little further up already
            about = shown[-1].about.get("remote_id", about)
    for entry in shown:
        if entry.kind == "events" and len(entry.lines) > 1:
            entry.summary = _summary(entry.lines)
    return shown


def _message(item: queries.Item, conversation: Conversation, user: User, now: datetime, whole: int) -> Entry:
    message: Message = item.of
    is_out = message.direction == Message.Direction.OUT
    text, html, is_cut = message.text, message.html, False
    if len(text) > WHOLE_TEXT and message.id != whole:
        text, html, is_cut = text[:WHOLE_TEXT], "", True
    pictures = _Pictures(message, conversation.brand)
    shown = render(text, html, pictures.place)
    return Entry(
        "message", message.sent_at, of=message, is_out=is_out, is_mine=message.author_id == user.id, is_cut=is_cut,
        name=message.author_name or ("" if is_out else conversation.member_name) or gettext("Somebody"),
        text=shown,
        versions=[(version.at, render(version.text[:WHOLE_TEXT])) for version in item.versions],
        delivery=_delivery(item.delivery, now, conversation.brand) if item.delivery else {},
        ways=_ways(item, conversation, now), acts=[_act(each, now, conversation.brand) for each in _lasting(item.acts)],
        files=[_file(number, each) for number, each in enumerate(message.attachments) if number not in pictures.placed],
        quoted=render(message.quoted[:WHOLE_TEXT]) if message.quoted else SafeString(), about=message.about,
        status=_status(message, conversation), has_original=hasattr(message, "original"),
        malware=_malware(message),
    )  # fmt: skip


def _ways(item: queries.Item, conversation: Conversation, now: datetime) -> list[Way]:
    """What can be done with a message that is not only ours to send: first what can, then what can't."""
    standing = acting.standing(item.acts)
    ways = []
    for found in allowed.possibilities(item.of, conversation, at=now):
        act, before = found.can.act, standing.get(found.can.act)
        is_undo = before is not None and not before.is_undo
        if act == "reply" or (is_undo and not found.can.undoes) or _is_on_its_way(item.delivery):
            continue
        do, undo, _done = abilities.words(act)
        why_not = "" if is_undo or found.is_possible else said(found.why_not)
        needs_reason = act in acting.AGAINST and not is_undo
        until = None if is_undo else found.until
        ways.append(Way(act, undo if is_undo else do, is_undo, why_not, until, said(found.can.note), needs_reason))
    return sorted(ways, key=lambda way: bool(way.why_not))


def _is_on_its_way(delivery: Delivery | None) -> bool:
    return delivery is not None and delivery.state != Delivery.State.SENT


def _lasting(acts: Sequence[Delivery]) -> list[Delivery]:
    """Of each act what has become of it: what was undone leaves nothing to see."""
    last = {delivery.act: delivery for delivery in acts if delivery.state != Delivery.State.CANCELLED}
    return [one for one in last.values() if not one.is_undo or one.state != Delivery.State.SENT]


def _act(delivery: Delivery, now: datetime, brand: Brand) -> dict[str, Any]:
    do, undo, done = abilities.words(delivery.act)
    name = undo if delivery.is_undo else done if delivery.state == Delivery.State.SENT else do
    return {**_delivery(delivery, now, brand), "name": name, "because": delivery.because}


def _status(message: Message, conversation: Conversation) -> str:
    words = conversation.account.connector.statuses.get(message.hints.get("status", ""))
    return said(words) if words and not message.deleted_at else ""


def _malware(message: Message) -> str:
    return (message.original.malware or "") if hasattr(message, "original") else ""


class _Pictures:
    """Those that came with a message and are shown in its text; what isn't is listed as a file."""

    def __init__(self, message: Message, brand: Brand) -> None:
        self.placed: set[int] = set()
        self._message, self._brand = message, brand
        self._numbers: dict[str, int] = {}
        for number, each in enumerate([] if _malware(message) else message.attachments):
            if "part" in each and each.get("picture") and each.get("cid"):
                self._numbers.setdefault(each["cid"], number)

    def place(self, name: str) -> str:
        """The address of the one of this name."""
        number = self._numbers.get(name)
        if number is None or (number not in self.placed and len(self.placed) == MOST_PICTURES):
            return ""
        self.placed.add(number)
        return reverse("inbox:file", args=[self._brand.slug, self._message.pk, number])


def _file(number: int, attached: Mapping[str, Any]) -> Attached:
    size, url = attached.get("size"), str(attached.get("url") or "")
    parts = [str(attached.get("type") or ""), filesizeformat(size) if isinstance(size, int) and size > 0 else ""]
    is_outside = url.startswith(("https://", "http://"))
    name = str(attached.get("name") or attached.get("alt") or gettext("File"))
    number_here = number if "part" in attached else None
    return Attached(name[:200], " · ".join(part for part in parts if part), number_here, url if is_outside else "")


def _delivery(delivery: Delivery, now: datetime, brand: Brand) -> dict[str, Any]:
    """How an answer stands: what to say of it, and what can still be done."""
    left = (delivery.due_at - now).total_seconds()
    can_undo = delivery.state == Delivery.State.QUEUED and delivery.attempts == 0 and 0 < left <= brand.undo_seconds
    is_again = delivery.state == Delivery.State.QUEUED and delivery.attempts > 0
    return {
        "id": delivery.id,
        "state": delivery.state,
        "why": told(delivery.why),
        "left": f"{left:.1f}" if can_undo else "",
        "seconds": brand.undo_seconds,
        "again_at": delivery.due_at if is_again else None,
        "task": delivery.task,
        "is_reply": delivery.act == "reply",
    }


def _note(item: queries.Item, people: Mapping[int, Named], user: User) -> Entry:
    note = item.of
    return Entry(
        "note", note.at, of=note, name=str(note.by or gettext("Somebody")), is_mine=note.by_id == user.id,
        text=_with_mentions(note.text, [people[id] for id in note.mentions if id in people]),
    )  # fmt: skip


def _with_mentions(text: str, people: Iterable[Named]) -> SafeString:
    """The note's text, with the people it calls marked."""
    shown = str(render(text))
    names = {name for person in people for name in (person.name, person.name.split(" ")[0]) if name}
    if names:
        either = "|".join(re.escape(escape(name)) for name in sorted(names, key=len, reverse=True))
        shown = re.sub(rf"@(?:{either})\b", r'<span class="mention">\g<0></span>', shown, flags=re.IGNORECASE)
    return mark_safe(shown)  # noqa: S308 — rendered above; only our own span is added


_LINE_ICONS = {
    activities.ASSIGNED: "person", activities.ROUTED: "person", activities.UNASSIGNED: "person",
    activities.LABELLED: "label", activities.UNLABELLED: "label", activities.SNOOZED: "snooze",
    activities.WOKEN: "snooze", activities.CLOSED: "close", activities.REOPENED: "reopen",
    activities.AT_RISK: "clock", activities.BROKEN: "warning", activities.WITHDRAWN: "undo",
    activities.ACTED: "check", activities.ACT_UNDONE: "undo", activities.DONE_BY_HAND: "check",
}  # fmt: skip


def _add_line(shown: list[Entry], line: Activity, people: Mapping[int, Named], zone: str) -> None:
    if not shown or shown[-1].kind != "events":
        shown.append(Entry("events", line.at))
    shown[-1].lines.append((_LINE_ICONS.get(line.type, "clock"), sentence(line, people, zone), line.at))


def _summary(lines: Sequence[tuple[str, str, datetime]]) -> str:
    return ngettext("{n} change: {last}", "{n} changes; the last: {last}", len(lines)).format(
        n=len(lines), last=lines[-1][1]
    )


def sentence(line: Activity, people: Mapping[int, Named], zone: str) -> str:
    """What happened, in the reader's language."""
    who = people.get(line.by_id) if line.by_id else None
    facts = {**line.data, "who": str(who or (gettext("Somebody") if line.by_id else "Tertulia"))}
    if "reason" in facts and facts["reason"] in Conversation.Reason.values:
        facts["reason"] = str(Conversation.Reason(facts["reason"]).label)
    if line.type in acting.LINES:
        do, undo, done = abilities.words(str(facts.get("act")))
        facts["act"] = done if line.type == activities.ACTED else do
        if facts.get("reason"):
            facts["act"] = f"{facts['act']} ({facts['reason']})"
    if "until" in facts:
        facts["until"] = dates.full(datetime.fromisoformat(facts["until"]), zone=zone)
    if line.type == activities.ASSIGNED and line.by_id and line.by_id == line.data.get("to"):
        return gettext("{who} took it").format(**facts)
    try:
        return str(activity.types()[line.type].sentence).format(**facts)
    except (KeyError, IndexError):
        return line.type


# Around the thread


@dataclass(frozen=True, slots=True)
class Moment:
    name: str
    at: datetime
    shown: SafeString


def snooze_moments(now: datetime, zone: str) -> list[Moment]:
    """What one usually means by «later», in the brand's own time."""
    local = now.astimezone(ZoneInfo(zone)).replace(second=0, microsecond=0)
    morning = local.replace(hour=9, minute=0)
    monday = morning + timedelta(days=7 - local.weekday())
    choices = [(gettext("In 3 hours"), local + timedelta(hours=3))]
    if local.hour < 16:
        choices.append((gettext("This evening"), local.replace(hour=18, minute=0)))
    choices.append((gettext("Tomorrow morning"), morning + timedelta(days=1)))
    if (monday - morning).days > 1:
        choices.append((gettext("Next Monday"), monday))
    return [Moment(name, at, dates.tag(at, dates.until(at, now=now, zone=zone), zone=zone)) for name, at in choices]


def looking(conversation: Conversation, *, user: User, now: datetime) -> list[list[Any]]:
    """Who else has it open: [id, name, types]."""
    others = queries.others_here(conversation, user=user, at=now, seconds=PRESENCE_SECONDS)
    return [
        [one.user_id, one.user.name, bool(one.typing_at and (now - one.typing_at).total_seconds() < TYPING_SECONDS)]
        for one in others
    ]


def history(member: Member, around: Around, *, without: int | None = None) -> list[dict[str, Any]]:
    """The person's other conversations, for the side of the page."""
    base = url("inbox:list", around.brand.slug)
    zone = around.brand.time_zone
    return [
        {
            "url": f"{base}{row['id']}/",
            "text": row["subject"] or row["preview"],
            "channel": channel_icon(row["channel"]),
            "state": Conversation.State(row["state"]).label,
            "when": dates.tag(
                row["last_activity_at"], dates.short(row["last_activity_at"], now=around.now, zone=zone), zone=zone
            ),
        }
        for row in queries.history(member, without=without)
    ]


def because(conversation: Conversation) -> str:
    """Why it is whose it is, in one line."""
    return routing.sentence(conversation.because) if conversation.because and conversation.owner_id else ""


def answerers(brand: Brand) -> list[User]:
    """Those a conversation can be given to, by name."""
    rows = Membership.objects.filter(brand=brand).select_related("user").order_by("user__name")
    return [row.user for row in rows if row.may("inbox.reply")]


def ways(identities: Iterable[Identity]) -> list[dict[str, Any]]:
    """The channels a person is known from."""
    return [
        {
            "icon": channel_icon(identity.account.kind),
            "account": identity.account.name,
            "name": identity.handle or identity.name,
            "is_restricted": hasattr(identity, "restriction"),
        }
        for identity in identities
    ]


def look_alikes(member: Member) -> list[dict[str, Any]]:
    """Who may be the same person, and why one could think so."""
    return [{"member": other, "why": _alike(member, other)} for other in community.look_alikes(member)]


def _alike(member: Member, other: Member) -> str:
    if member.email and member.email.lower() == other.email.lower():
        return gettext("Same e-mail address, {address}.").format(address=other.email)
    return gettext("Same phone, {number}.").format(number=other.phone)
