"""What the pages of the inbox show: rows of the list and things of a thread as plain, ready words.

The list is drawn twenty-five rows at a time, all day long, so its words are made here and its template only puts
them in place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zlib import crc32
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext, pgettext

from tertulia.brand.models import Brand
from tertulia.channels.models import Delivery, Identity, Message
from tertulia.community import queries as community
from tertulia.community.models import Member
from tertulia.connectors import registry
from tertulia.connectors.contract import Connector
from tertulia.core import activity, dates, marks
from tertulia.core.html import render
from tertulia.core.models import Activity
from tertulia.team.models import Membership, User

from . import activities, promises, queries, routing
from .actions import PRESENCE_SECONDS, TYPING_SECONDS
from .models import Conversation, SavedView

WHOLE_TEXT = 8_000
"""Characters of one message shown at once; the rest on asking."""
SHOWN_LABELS = 3


# The list


def view_names() -> dict[queries.View, tuple[str, str]]:
    """The views by key: (icon, name)."""
    return {
        "mine": ("person", gettext("Mine")),
        "nobody": ("inbox", gettext("Nobody's")),
        "open": ("chat", gettext("All open")),
        "waiting": ("clock", gettext("Waiting longest")),
        "trouble": ("warning", gettext("Sending trouble")),
        "snoozed": ("snooze", gettext("Snoozed")),
        "closed": ("close", gettext("Closed")),
    }


def query_of(filters: queries.Filters, **more: Any) -> str:
    """The filters as an address carries them, «?view=mine», empty for the plain list."""
    values = {**filters.as_dict(), **{name: value for name, value in more.items() if value}}
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
    """What a page refers to by id, read once: labels, people and accounts, each by name."""

    brand: Brand
    labels: Mapping[int, Tag]
    people: Mapping[int, Named]
    accounts: Mapping[int, Place]
    now: datetime

    @classmethod
    def of(cls, brand: Brand, *, now: datetime) -> Around:
        names = queries.names(brand)
        return cls(
            brand,
            {id: Tag(id, name, marks.hue(hue)) for id, name, hue in names.labels},
            {id: Named(id, name) for id, name in names.people},
            {id: Place(id, name, kind) for id, name, kind in names.accounts},
            now,
        )


def own_page(around: Around) -> Place | None:
    """The first account whose chat stands on a page of the company's."""
    known = registry.all_connectors()
    hosted = (one for one in around.accounts.values() if one.kind in known and known[one.kind].capabilities.hosted)
    return next(hosted, None)


def draw_rows(rows: Sequence[Mapping[str, Any]], around: Around, *, query: str = "", current: int = 0) -> SafeString:
    """The rows as HTML. They are drawn by Jinja2: Django's own templates cost more than the database here."""
    base = reverse("inbox:list", args=[around.brand.slug])
    avatars = {owner: marks.avatar(around.people.get(owner), "small") for owner in {row["owner_id"] for row in rows}}
    shown = [_row(row, around, avatars, base=base, query=query, current=current) for row in rows]
    drawn = render_to_string("inbox/_rows.jinja", {"rows": shown, **_row_words()}, using="jinja2")
    return mark_safe(drawn)  # noqa: S308 — Jinja2 escapes


def _row_words() -> dict[str, Any]:
    return {
        "icons": {
            name: marks.icon(name, "small") for name in ("reply", "snooze", "close", "warning", "clock", "check")
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
    shown = {
        "id": row["id"],
        "url": f"{base}{row['id']}/{query}",
        "is_current": row["id"] == current,
        "name": row["member_name"] or gettext("Somebody"),
        "channel": channel_icon(row["channel"]),
        "account": account.name if account else row["channel"],
        "is_unread": row["unread"] and row["state"] == "open",
        "time": dates.short(row["last_activity_at"], now=now, zone=zone),
        "iso": row["last_activity_at"].isoformat(),
        "full": dates.full(row["last_activity_at"], zone=zone),
        "preview": row["preview"] or row["subject"],
        "passage": row.get("passage"),
        "is_ours": not row.get("passage") and row["waiting_since"] is None and row["answered_turn"] == row["turn"] > 0,
        "state": row["state"],
        "until": dates.until(row["snoozed_until"], now=now, zone=zone) if row["state"] == "snoozed" else "",
        "promise": promise(row["promise_due_at"], now=now, zone=zone) if row["state"] == "open" else None,
        "has_trouble": row["has_trouble"],
        "labels": [(label.name, label.hue) for label in labels[:SHOWN_LABELS]],
        "more_labels": max(0, len(labels) - SHOWN_LABELS),
        "owner": avatars[row["owner_id"]],
    }
    # Tells the page whether a row it already shows has changed.
    shown["mark"] = crc32(repr(shown.values()).encode())
    return shown


def promise(due: datetime | None, *, now: datetime, zone: str) -> dict[str, str] | None:
    """The time left as a row says it, with its tone: calm, soon, late."""
    if due is None:
        return None
    left = promises.left(due, now)
    return {"tone": left.tone, "text": left.text, "title": f"{left.spoken}: {dates.full(due, zone=zone)}"}


@cache
def channel_icon(kind: str) -> SafeString:
    """A channel's own drawing, from its connector's folder; the page carries each once (`channel_symbols`)."""
    return mark_safe(f'<svg class="icon" aria-hidden="true"><use href="#channel-{escape(kind)}"/></svg>')  # noqa: S308


@cache
def channel_symbols() -> SafeString:
    """Every connector's icon.svg as a symbol that `channel_icon` refers to."""
    symbols = [_symbol(key, _drawing(connector)) for key, connector in registry.all_connectors().items()]
    return mark_safe(f'<svg hidden aria-hidden="true">{"".join(symbols)}</svg>')  # noqa: S308 — installed code's own


def _drawing(connector: type[Connector]) -> str:
    file = resources.files(connector.__module__.rpartition(".")[0]) / "icon.svg"
    return file.read_text() if file.is_file() else ""


def _symbol(key: str, svg: str) -> str:
    box = re.search(r'viewBox="([\d\s.-]+)"', svg)
    inside = re.search(r"<svg\b[^>]*>(.*)</svg>", svg, re.DOTALL)
    drawing = inside[1] if inside else ""
    return f'<symbol id="channel-{escape(key)}" viewBox="{box[1] if box else "0 0 24 24"}">{drawing}</symbol>'


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


def rail(filters: queries.Filters, around: Around, *, user: User, saved: Sequence[SavedView]) -> Rail:
    base = reverse("inbox:list", args=[around.brand.slug])
    counts = queries.counters(brand=around.brand, user=user)

    def link(wanted: queries.Filters, name: str, **rest: Any) -> RailLink:
        return RailLink(name, base + query_of(wanted), is_current=wanted == filters, **rest)

    views = [
        link(
            queries.Filters(view=view), name, icon=marks.icon(icon), count=_count(view, counts),
            stands_out=view in {"nobody", "trouble"},
        )
        for view, (icon, name) in view_names().items()
        if view != "trouble" or counts.get("trouble") or filters.view == "trouble"
    ]  # fmt: skip
    own = [link(queries.Filters.read(one.filters), one.name, icon=marks.icon("filter"), id=one.id) for one in saved]
    accounts = [
        link(queries.Filters(account=account.pk), account.name, icon=channel_icon(account.kind))
        for account in around.accounts.values()
    ]
    labels = [link(queries.Filters(label=label.pk), label.name, hue=label.hue) for label in around.labels.values()]
    return Rail(views, own, accounts, labels)


def _count(view: str, counts: Mapping[str, int]) -> str:
    count = counts.get(view, 0)
    if view == "closed" or not count:
        return ""
    return f"{queries.COUNT_TO - 1}+" if count >= queries.COUNT_TO else str(count)


def title_of(filters: queries.Filters, around: Around) -> str:
    """What the list in hand is called."""
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
    lines: list[tuple[str, str, datetime]] = field(default_factory=list)
    summary: str = ""


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
    day = None
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
    return Entry(
        "message", message.sent_at, of=message, is_out=is_out, is_mine=message.author_id == user.id, is_cut=is_cut,
        name=message.author_name or ("" if is_out else conversation.member_name) or gettext("Somebody"),
        text=render(text, html),
        versions=[(version.at, render(version.text[:WHOLE_TEXT])) for version in item.versions],
        delivery=_delivery(item.delivery, now, conversation.brand) if item.delivery else {},
    )  # fmt: skip


def _delivery(delivery: Delivery, now: datetime, brand: Brand) -> dict[str, Any]:
    """How an answer stands: what to say of it, and what can still be done."""
    left = (delivery.due_at - now).total_seconds()
    can_undo = delivery.state == Delivery.State.QUEUED and delivery.attempts == 0 and 0 < left <= brand.undo_seconds
    is_again = delivery.state == Delivery.State.QUEUED and delivery.attempts > 0
    return {
        "id": delivery.id,
        "state": delivery.state,
        "why": gettext(delivery.why),
        "left": f"{left:.1f}" if can_undo else "",
        "seconds": brand.undo_seconds,
        "again_at": delivery.due_at if is_again else None,
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
    shown: str


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
    return [Moment(name, at, dates.until(at, now=now, zone=zone)) for name, at in choices]


def looking(conversation: Conversation, *, user: User, now: datetime) -> list[list[Any]]:
    """Who else has it open: [id, name, types]."""
    others = queries.others_here(conversation, user=user, at=now, seconds=PRESENCE_SECONDS)
    return [
        [one.user_id, one.user.name, bool(one.typing_at and (now - one.typing_at).total_seconds() < TYPING_SECONDS)]
        for one in others
    ]


def history(member: Member, around: Around, *, without: int | None = None) -> list[dict[str, Any]]:
    """The person's other conversations, for the side of the page."""
    base = reverse("inbox:list", args=[around.brand.slug])
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


def filled(text: str, *, conversation: Conversation, user: User) -> str:
    """A saved reply with its variables filled; one that is unknown stays as it stands, to be seen."""
    # Who left no name is called by their address, which is no greeting.
    name = "" if "@" in conversation.member_name else conversation.member_name.split(" ")[0]
    values = {"nombre": name, "name": name, "agente": user.name, "agent": user.name}
    values |= {"marca": conversation.brand.name, "brand": conversation.brand.name}
    filled = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1].lower(), found[0]), text)
    # «Hola, :» greets nobody well when the name is not known.
    return re.sub(r"\s*,\s*(?=[,:.!])", "", filled) if not name else filled


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
