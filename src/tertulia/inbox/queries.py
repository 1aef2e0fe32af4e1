"""Reading the inbox: a page of the list, the counters, one conversation with everything in it.

Lists walk one index by keyset and return plain dictionaries: at a million conversations a page costs what it costs at
ten thousand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from django.db import connection
from django.db.models import F, Q, QuerySet

from tertulia.brand.models import Brand
from tertulia.channels import search
from tertulia.channels.models import Account, Delivery, Message, MessageVersion
from tertulia.community.models import Member
from tertulia.core.models import Activity
from tertulia.team.models import Membership, User

from . import activities
from .models import Conversation, ConversationLabel, Draft, Label, Note, Presence, Read, SavedView

View = Literal["open", "mine", "nobody", "waiting", "snoozed", "closed", "trouble", "all"]
VIEWS: tuple[View, ...] = ("open", "mine", "nobody", "waiting", "snoozed", "closed", "trouble", "all")
PAGE = 25
COUNT_TO = 1_000
"""Counters are exact below this and say "999+" from here on: a short index walk, never a count of millions."""
THREAD_PAGE = 50
SEARCH_STEP = 100

_COLUMNS = (
    "id", "account_id", "channel", "member_id", "member_name", "subject", "preview", "language", "state",
    "close_reason", "snoozed_until", "owner_id", "last_activity_at", "waiting_since", "promise_due_at",
    "first_responded_at", "labels", "has_trouble", "turn", "answered_turn",
)  # fmt: skip


class BadCursor(ValueError):
    """The place to read on from is not one this list gave out."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list shows. `view` decides the order too: waiting longest first, else newest first.

    `account` and `label` and `owner` are ids; `channel` a kind; `q` words to search for, over all states.
    """

    view: View = "open"
    channel: str = ""
    account: int | None = None
    label: int | None = None
    owner: int | None = None
    q: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Only what differs from the defaults: what a saved view keeps and an address carries."""
        plain = Filters()
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) != getattr(plain, name)}

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Filters:
        """From an address or a saved view; what makes no sense is left out rather than refused."""
        view = values.get("view", "open")
        return cls(
            view=view if view in VIEWS else "open",
            channel=str(values.get("channel", ""))[:40],
            account=_number(values.get("account")),
            label=_number(values.get("label")),
            owner=_number(values.get("owner")),
            q=str(values.get("q", "")).strip()[:200],
        )


def _number(value: Any) -> int | None:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@dataclass(frozen=True, slots=True)
class ListPage:
    """`rows` in order; `after` is the cursor of the next page, empty at the end."""

    rows: list[dict[str, Any]]
    after: str = ""


def page(*, brand: Brand, user: User, filters: Filters, after: str = "", limit: int = PAGE) -> ListPage:
    """One page of the list, with `unread` for this user on every row. Raises `BadCursor`."""
    if filters.q:
        found = _search_page(brand, filters, after, limit)
    elif filters.label is not None:
        found = _label_page(brand, user, filters, filters.label, after, limit)
    else:
        found = _plain_page(brand, user, filters, after, limit)
    _mark_unread(found.rows, user)
    return found


def _plain_page(brand: Brand, user: User, filters: Filters, after: str, limit: int) -> ListPage:
    rows, filters = _of_accounts(brand, filters)
    rows = _filtered(rows, user, filters)
    if filters.view == "waiting":
        return _walk(rows, "waiting_since", after, limit, newest_first=False)
    return _walk(rows, "last_activity_at", after, limit, newest_first=True)


def _of_accounts(brand: Brand, filters: Filters) -> tuple[QuerySet[Conversation], Filters]:
    """The rows to begin with. One account has an index of its own; SQLite takes it only if asked for nothing else."""
    rows = Conversation.objects.filter(brand=brand)
    if not (filters.account or filters.channel):
        return rows, filters
    own = Account.objects.filter(brand=brand)
    own = own.filter(pk=filters.account) if filters.account else own
    own = own.filter(kind=filters.channel) if filters.channel else own
    ids = list(own.values_list("id", flat=True))
    rows = Conversation.objects.filter(account_id=ids[0]) if len(ids) == 1 else rows.filter(account_id__in=ids)
    return rows, replace(filters, account=None, channel="")


def _walk(rows: QuerySet[Conversation], column: str, after: str, limit: int, *, newest_first: bool) -> ListPage:
    if after:
        moment, id = _read_cursor(after)
        side = "lt" if newest_first else "gt"
        rows = rows.filter(
            Q(**{f"{column}__{side}e": moment}), Q(**{f"{column}__{side}": moment}) | Q(**{f"id__{side}": id})
        )
    sign = "-" if newest_first else ""
    found = list(rows.order_by(f"{sign}{column}", f"{sign}id").values(*_COLUMNS)[: limit + 1])
    return _cut(found, column, limit)


def _cut(found: list[dict[str, Any]], column: str, limit: int) -> ListPage:
    rows = found[:limit]
    return ListPage(rows, _cursor(rows[-1][column], rows[-1]["id"]) if len(found) > limit else "")


def _filtered(rows: QuerySet[Conversation], user: User, filters: Filters) -> QuerySet[Conversation]:
    if filters.view in {"open", "mine", "nobody", "waiting"}:
        rows = rows.filter(state=Conversation.State.OPEN)
    if filters.view == "mine":
        rows = rows.filter(owner=user)
    elif filters.view == "nobody":
        rows = rows.filter(owner__isnull=True)
    elif filters.view == "waiting":
        rows = rows.filter(waiting_since__isnull=False)
    elif filters.view in {"snoozed", "closed"}:
        rows = rows.filter(state=filters.view)
    elif filters.view == "trouble":
        rows = rows.filter(has_trouble=True)
    if filters.channel:
        rows = rows.filter(channel=filters.channel)
    if filters.account:
        rows = rows.filter(account_id=filters.account)
    if filters.owner:
        rows = rows.filter(owner_id=filters.owner)
    return rows


def _label_page(brand: Brand, user: User, filters: Filters, label: int, after: str, limit: int) -> ListPage:
    """Walks the label's own index; the rows themselves are then fetched by id."""
    links = ConversationLabel.objects.filter(label_id=label, label__brand=brand)
    state = {"snoozed": "snoozed", "closed": "closed"}.get(filters.view, "open")
    if filters.view not in {"all", "trouble"}:
        links = links.filter(state=state)
    if after:
        moment, id = _read_cursor(after)
        links = links.filter(
            Q(last_activity_at__lte=moment), Q(last_activity_at__lt=moment) | Q(conversation_id__lt=id)
        )
    narrowed = Filters(view=filters.view, channel=filters.channel, account=filters.account, owner=filters.owner)
    if narrowed.as_dict().keys() - {"view"} or narrowed.view in {"mine", "nobody", "waiting", "trouble"}:
        inside = _filtered(Conversation.objects.filter(brand=brand), user, narrowed)
        links = links.filter(conversation__in=inside)
    ids = list(
        links.order_by("-last_activity_at", "-conversation_id").values_list("conversation_id", flat=True)[: limit + 1]
    )
    return _cut(_by_ids(brand, ids), "last_activity_at", limit)


def _search_page(brand: Brand, filters: Filters, after: str, limit: int) -> ListPage:
    """Conversations by their newest message that holds the words, with its `passage`. The cursor is its id."""
    before = _number(after)
    if after and before is None:
        raise BadCursor(after)
    found: dict[int, int] = {}
    while len(found) <= limit:
        hits = search.find(brand.id, filters.q, before=before, limit=SEARCH_STEP)
        for message_id, id in _conversations_of(brand, hits):
            if id not in found and len(found) <= limit:
                found[id] = message_id
        if len(hits) < SEARCH_STEP:
            break
        before = hits[-1]
    ids = list(found)
    rows = _by_ids(brand, ids[:limit])
    texts = search.texts([found[row["id"]] for row in rows])
    for row in rows:
        row["passage"] = search.passage(texts.get(found[row["id"]], ""), filters.q)
    return ListPage(rows, str(found[ids[limit - 1]]) if len(ids) > limit else "")


def _conversations_of(brand: Brand, message_ids: Sequence[int]) -> list[tuple[int, int]]:
    """(message id, conversation id), keeping the order, of those that belong to the brand."""
    threads = search.threads(message_ids)
    wanted = {(account, thread) for _, account, thread in threads}
    # The brand is compared here: asked for it too, SQLite would walk all of its conversations.
    rows = Conversation.objects.filter(
        account_id__in={account for account, _ in wanted}, thread_id__in={thread for _, thread in wanted}
    ).values_list("account_id", "thread_id", "id", "brand_id")
    ids = {(account, thread): id for account, thread, id, brand_id in rows if brand_id == brand.pk}
    return [(message, ids[account, thread]) for message, account, thread in threads if (account, thread) in ids]


def _by_ids(brand: Brand, ids: Sequence[int]) -> list[dict[str, Any]]:
    found = Conversation.objects.filter(id__in=ids).values("brand_id", *_COLUMNS)
    rows = {row["id"]: row for row in found if row.pop("brand_id") == brand.pk}
    return [rows[id] for id in ids if id in rows]


def _mark_unread(rows: Sequence[dict[str, Any]], user: User) -> None:
    read = dict(
        Read.objects.filter(user=user, conversation_id__in=[row["id"] for row in rows]).values_list(
            "conversation_id", "turn"
        )
    )
    for row in rows:
        row["unread"] = row["turn"] > max(read.get(row["id"], 0), row["answered_turn"])


def _cursor(moment: datetime, id: int) -> str:
    return f"{int(moment.timestamp() * 1_000_000)}-{id}"


def _read_cursor(text: str) -> tuple[datetime, int]:
    micros, _, id = text.partition("-")
    if not (_number(micros) and _number(id)):
        raise BadCursor(text)
    try:
        seconds, rest = divmod(int(micros), 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), int(id)
    except (ValueError, OverflowError, OSError):
        raise BadCursor(text) from None


COUNTED: tuple[View, ...] = VIEWS[:7]


def counters(*, brand: Brand, user: User) -> dict[str, int]:
    """How many conversations each view holds, up to `COUNT_TO`, in one statement."""
    sql, params = _counting(brand.pk, user.pk, COUNT_TO)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return {COUNTED[number]: count for number, count in cursor.fetchall()}


@lru_cache(maxsize=1_000)
def _counting(brand_id: int, user_id: int, most: int) -> tuple[str, list[Any]]:
    """The statement of the counters, kept: composing it costs five times what the database needs for it."""
    base = Conversation.objects.filter(brand_id=brand_id)
    parts: list[str] = []
    params: list[Any] = []
    for view in COUNTED:
        rows = _filtered(base, User(pk=user_id), Filters(view=view)).order_by().values_list("id")[:most]
        sql, args = rows.query.sql_with_params()
        parts.append(f"SELECT {len(parts)}, count(*) FROM ({sql}) counted")  # noqa: S608 — compiled by the ORM
        params += args
    return " UNION ALL ".join(parts), params


# One conversation


@dataclass(slots=True)
class Item:
    """One thing in a thread: `kind` is "message", "note" or "activity"; the object is in `of`."""

    kind: Literal["message", "note", "activity"]
    at: datetime
    of: Any
    delivery: Delivery | None = None
    versions: list[MessageVersion] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Thread:
    """Oldest first; `before` is the cursor of what came earlier, empty at the beginning."""

    items: list[Item]
    before: str = ""


_SHOWN = (
    activities.ASSIGNED, activities.ROUTED, activities.UNASSIGNED, activities.LABELLED, activities.UNLABELLED,
    activities.SNOOZED, activities.WOKEN, activities.CLOSED, activities.REOPENED, activities.DECIDED,
    activities.WITHDRAWN, activities.AT_RISK, activities.BROKEN, activities.RETRIED,
)  # fmt: skip


def thread(conversation: Conversation, *, before: str = "", limit: int = THREAD_PAGE) -> Thread:
    """The newest messages of a conversation with the notes and activities between them; `before` reads further back.

    Raises `BadCursor`.
    """
    rows = messages(conversation)
    top = None
    if before:
        top, id = _read_cursor(before)
        rows = rows.filter(Q(sent_at__lte=top), Q(sent_at__lt=top) | Q(id__lt=id))
    newest = list(rows.select_related("identity", "delivery").order_by("-sent_at", "-id")[: limit + 1])
    shown = newest[:limit]
    bottom = shown[-1].sent_at if len(newest) > limit else None
    versions: dict[int, list[MessageVersion]] = {}
    edited = [message.id for message in shown if message.edited_at]
    for version in MessageVersion.objects.filter(message__in=edited).order_by("at"):
        versions.setdefault(version.message_id, []).append(version)
    items = [
        Item(
            "message",
            message.sent_at,
            message,
            getattr(message, "delivery", None),
            versions.get(message.id, []),
        )
        for message in reversed(shown)
    ]
    notes = _between(Note.objects.filter(conversation=conversation).select_related("by"), bottom, top)
    items += [Item("note", note.at, note) for note in notes]
    lines = Activity.objects.filter(on_kind="inbox.conversation", on_id=conversation.id, type__in=_SHOWN)
    items += [Item("activity", line.at, line) for line in _between(lines, bottom, top)]
    items.sort(key=lambda item: item.at)
    return Thread(items, _cursor(shown[-1].sent_at, shown[-1].id) if bottom else "")


def _between(rows: QuerySet[Any], bottom: datetime | None, top: datetime | None) -> list[Any]:
    if bottom:
        rows = rows.filter(at__gte=bottom)
    if top:
        rows = rows.filter(at__lt=top)
    return list(reversed(rows.order_by("-at", "-id")[:200]))


def messages(conversation: Conversation) -> QuerySet[Message]:
    """What was said, without the answers that were taken back before they left."""
    return (
        Message.objects.filter(account_id=conversation.account_id, thread_id=conversation.thread_id)
        .exclude(delivery__state=Delivery.State.CANCELLED)
        .defer("raw")
    )


def conversation_of(*, brand: Brand, id: int) -> Conversation:
    """Raises Conversation.DoesNotExist for another brand's."""
    return Conversation.objects.select_related("account", "brand", "owner", "member").get(brand=brand, id=id)


def history(member: Member, *, without: int | None = None, limit: int = 20) -> list[dict[str, Any]]:
    """The person's conversations on every channel, newest first."""
    rows = Conversation.objects.filter(member=member)
    if without is not None:
        rows = rows.exclude(id=without)
    return list(rows.order_by("-last_activity_at", "-id").values(*_COLUMNS)[:limit])


def others_here(conversation: Conversation, *, user: User, at: datetime, seconds: int) -> list[Presence]:
    """Who else is looking at the conversation now, those who type first."""
    since = datetime.fromtimestamp(at.timestamp() - seconds, UTC)
    rows = Presence.objects.filter(conversation=conversation, seen_at__gte=since).exclude(user=user)
    return list(rows.select_related("user").order_by(F("typing_at").desc(nulls_last=True), "user_id"))


def draft_of(conversation: Conversation, user: User) -> str:
    draft = Draft.objects.filter(conversation=conversation, user=user).first()
    return draft.text if draft else ""


# What the pages offer to choose from


def people(brand: Brand) -> dict[int, User]:
    """The brand's people by id, by name."""
    rows = Membership.objects.filter(brand=brand).select_related("user").order_by("user__name")
    return {row.user_id: row.user for row in rows}


@dataclass(frozen=True, slots=True)
class Names:
    """What pages of a brand refer to by id, each in the order of its name."""

    labels: list[tuple[int, str, int]]
    """(id, name, hue)"""
    people: list[tuple[int, str]]
    accounts: list[tuple[int, str, str]]
    """(id, name, kind)"""


def names(brand: Brand) -> Names:
    """All of them in one statement, written out: every page asks, and composing three costs more than answering."""
    found = Names([], [], [])
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, [brand.pk] * 3)
        for what, id, name, hue, kind in cursor.fetchall():
            if what == "label":
                found.labels.append((id, name, hue))
            elif what == "person":
                found.people.append((id, name))
            else:
                found.accounts.append((id, name, kind))
    return found


_NAMES = f"""
SELECT 'label', id, name, hue, '' FROM {Label._meta.db_table} WHERE brand_id = %s
UNION ALL SELECT 'person', person.id, person.name, 0, ''
    FROM {Membership._meta.db_table} membership JOIN {User._meta.db_table} person ON person.id = membership.user_id
    WHERE membership.brand_id = %s
UNION ALL SELECT 'account', id, name, 0, kind FROM {Account._meta.db_table} WHERE brand_id = %s
ORDER BY 1, 3
"""  # noqa: S608 — our own tables' names


def labels(brand: Brand) -> dict[int, Label]:
    return {label.id: label for label in Label.objects.filter(brand=brand).order_by("name")}


def accounts(brand: Brand) -> dict[int, Account]:
    return {account.id: account for account in Account.objects.filter(brand=brand).order_by("name")}


def saved_views(brand: Brand, user: User) -> list[SavedView]:
    """One's own and the team's."""
    return list(SavedView.objects.filter(Q(user=user) | Q(user__isnull=True), brand=brand).order_by("name"))


def topics(brand: Brand) -> list[tuple[str, str]]:
    """The labels of a brand as what somebody can be said to know."""
    return list(Label.objects.filter(brand=brand).order_by("name").values_list("name", "name"))
