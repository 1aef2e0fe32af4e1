"""Reading the inbox: a page of the list, the counters, one conversation with everything in it.

Lists walk one index by keyset and return plain dictionaries: at a million conversations a page costs what it costs at
ten thousand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import dropwhile, takewhile
from typing import Any, Literal, TypeVar

from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, TextField

from tertulia.brand.models import Brand
from tertulia.channels import search
from tertulia.channels.models import Account, Delivery, Message, MessageVersion
from tertulia.community.models import Member
from tertulia.core import bulk
from tertulia.core.kept import Among, Kept, Slot, columns, moment, record, spread, word
from tertulia.core.models import Activity
from tertulia.team.models import Membership, User
from tertulia.understanding import words
from tertulia.understanding.models import Correction, MessageReading, Topic
from tertulia.understanding.reading import KINDS, LANGUAGES, SENTIMENTS

from . import activities, labelling, understood
from .models import URGENT, Conversation, ConversationLabel, Draft, Label, Mention, Note, Presence, Read, SavedView

View = Literal["open", "mine", "nobody", "waiting", "snoozed", "closed", "trouble", "mentions", "by_hand", "all"]
VIEWS: tuple[View, ...] = (
    "open", "mine", "nobody", "waiting", "snoozed", "closed", "trouble", "mentions", "by_hand", "all",
)  # fmt: skip
PAGE = 25
COUNT_TO = 1_000
"""Counters are exact below this and say "999+" from here on: a short index walk, never a count of millions."""
EACH_TO = 100
"""Those of single accounts and labels, of which there are many: "99+" from here on."""
THREAD_PAGE = 50
SEARCH_STEP = 60
SEARCH_MOST = 5_000
"""Messages that hold the words, looked through for one page; where few of them are as asked, the next page reads on."""
SIFT_STEP, SIFT_MOST = 250, 5_000
"""The same where each newest message's reading has to be looked at."""

NARROWED = ("kind", "sentiment", "urgent", "language", "offensive", "topic", "needs_answer")
"""What is asked of the person's newest message."""

_COLUMNS = (
    "id", "account_id", "channel", "member_id", "member_name", "subject", "preview", "language", "state",
    "close_reason", "snoozed_until", "owner_id", "last_activity_at", "waiting_since", "promise_due_at",
    "ranked_at", "listed_at", "first_responded_at", "labels", "has_trouble", "turn", "answered_turn", "kind",
    "sentiment", "urgency", "is_offensive",
)  # fmt: skip

Rows = TypeVar("Rows", bound=QuerySet[Any])


class BadCursor(ValueError):
    """The place to read on from is not one this list gave out."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list shows. `view` decides the order too: longest waiting, newest mention, oldest task by hand, else
    newest first; who waits for something urgent has a head start (`Conversation.rank`).

    `account` and `label` and `owner` are ids; `channel` a kind of channel; `NARROWED` say what the person's newest
    message is, but `language` in which one they write; `q` words to search for, over all states, among what is so.
    """

    view: View = "open"
    channel: str = ""
    account: int | None = None
    label: int | None = None
    owner: int | None = None
    kind: str = ""
    sentiment: str = ""
    urgent: bool = False
    language: str = ""
    offensive: bool = False
    topic: str = ""
    needs_answer: bool = False
    q: str = ""

    @property
    def said(self) -> dict[str, Any]:
        """What is asked of the newest message, as conditions; `topic` and `needs_answer` are none (`_sifted_page`)."""
        wanted = {
            "kind": self.kind, "sentiment": self.sentiment, "urgency__gte": URGENT if self.urgent else None,
            "language__startswith": self.language, "is_offensive": self.offensive,
        }  # fmt: skip
        return {name: value for name, value in wanted.items() if value}

    @property
    def said_in_address(self) -> dict[str, Any]:
        """All that is asked of it, as an address carries it."""
        return {name: value for name, value in self.as_dict().items() if name in NARROWED}

    @property
    def place(self) -> Filters:
        """The list, whatever it is narrowed down to."""
        return replace(self, **{name: getattr(Filters(), name) for name in NARROWED})

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
            kind=_among(values.get("kind"), KINDS),
            sentiment=_among(values.get("sentiment"), SENTIMENTS),
            urgent=_is_yes(values.get("urgent")),
            language=_among(values.get("language"), LANGUAGES),
            offensive=_is_yes(values.get("offensive")),
            topic=value if _SLUG.fullmatch(value := str(values.get("topic", ""))) else "",
            needs_answer=_is_yes(values.get("needs_answer")),
            q=str(values.get("q", "")).strip()[:200],
        )


_SLUG = re.compile(r"[A-Za-z0-9_-]{1,60}")


def _number(value: Any) -> int | None:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _among(value: Any, known: Sequence[str]) -> str:
    return value if value in known else ""


def _is_yes(value: Any) -> bool:
    return str(value).lower() in {"1", "true"}


@dataclass(frozen=True, slots=True)
class ListPage:
    """`rows` in order; `after` is the cursor of the next page, empty at the end; `places` that behind each row."""

    rows: list[dict[str, Any]]
    after: str = ""
    places: Sequence[str] = ()


def page(*, brand: Brand, user: User, filters: Filters, after: str = "", limit: int = PAGE) -> ListPage:
    """One page of the list, with `unread` for this user on every row. Raises `BadCursor`."""
    if filters.topic or filters.needs_answer:
        return _sifted_page(brand, user, filters, after, limit)
    if filters.q:
        found = _search_page(brand, user, filters, after, limit)
    elif filters.view == "mentions":
        return _mention_page(brand, user, filters, after, limit)
    elif filters.view == "by_hand":
        found = _by_hand_page(brand, user, filters, after, limit)
    elif filters.label is not None:
        found = _label_page(brand, user, filters, filters.label, after, limit)
    else:
        found = _plain_page(brand, user, filters, after, limit)
    _mark_unread(found.rows)
    return found


def _sifted_page(brand: Brand, user: User, filters: Filters, after: str, limit: int) -> ListPage:
    """Rows of the list whose newest message is about the topic, or needs an answer, as was read of it.

    No index knows: so much of the list is looked through. Where few of many are so, a page may have fewer rows than
    asked for, even none, and still another after it.
    """
    whole = replace(filters, topic="", needs_answer=False)
    rows: list[dict[str, Any]] = []
    for _looked_at in range(0, SIFT_MOST, SIFT_STEP):
        step = page(brand=brand, user=user, filters=whole, after=after, limit=SIFT_STEP)
        fitting = _fitting(step.rows, filters)
        room = limit - len(rows)
        rows += [step.rows[n] for n in fitting[:room]]
        if len(fitting) >= room:
            last = fitting[room - 1]
            return ListPage(rows, step.places[last] if last + 1 < len(step.rows) else step.after)
        after = step.after
        if not after or filters.q:  # a search has looked through enough of its own
            break
    return ListPage(rows, after)


def _fitting(rows: Sequence[Mapping[str, Any]], filters: Filters) -> list[int]:
    """The numbers of the rows that are as was asked for."""
    readings = understood.newest_readings(
        [row["id"] for row in rows], MessageReading.objects.only("topics", "needs_answer")
    )
    return [
        n
        for n, row in enumerate(rows)
        if (reading := readings.get(row["id"]))
        and (not filters.topic or filters.topic in reading.topics)
        and (not filters.needs_answer or reading.needs_answer)
    ]


def _plain_page(brand: Brand, user: User, filters: Filters, after: str, limit: int) -> ListPage:
    accounts = _accounts_of(brand, filters) if filters.account or filters.channel else None
    if accounts == []:
        return ListPage([])
    column = _ORDER.get(filters.view, "listed_at")
    question = _plain(
        filters.view,
        None if accounts is None else len(accounts),
        bool(filters.owner),
        tuple(filters.said),
        bool(after),
        limit + 1,
    )
    values = {"brand": brand.pk, "user": user.pk, "owner": filters.owner, **spread("account", accounts or ())}
    values |= filters.said
    return _cut(question.dicts(**values, **_place(after)), column, limit)


def _accounts_of(brand: Brand, filters: Filters) -> list[int]:
    question = _accounts(bool(filters.account), bool(filters.channel))
    return [id for (id,) in question.ask(brand=brand.pk, account=filters.account, channel=filters.channel)]


@cache
def _accounts(by_id: bool, by_channel: bool) -> Kept:
    rows = Account.objects.filter(brand_id=Slot("brand"))
    rows = rows.filter(pk=Slot("account")) if by_id else rows
    return Kept(rows.filter(kind=word("channel")) if by_channel else rows, "id")


_ORDER = {"waiting": "ranked_at", "trouble": "last_activity_at"}


@lru_cache(maxsize=500)
def _plain(
    view: View, accounts: int | None, has_owner: bool, said: tuple[str, ...], goes_on: bool, limit: int
) -> Kept:  # fmt: skip
    """One account has an index of its own; SQLite takes it only if asked for nothing else, not even the brand."""
    rows = _narrowed(Conversation.objects.all(), said, is_walked=view not in {"waiting", "trouble"})
    if accounts == 1 and not said:
        rows = rows.filter(account_id=Slot("account0"))
    else:
        rows = rows.filter(brand_id=Slot("brand"))
        rows = rows if accounts is None else rows.filter(Among("account_id", "account", accounts))
    rows = _in_view(rows, view, Slot("user"))
    rows = rows.filter(owner_id=Slot("owner")) if has_owner else rows
    rows = _from(rows, _ORDER.get(view, "listed_at"), "id", "gt" if view == "waiting" else "lt") if goes_on else rows
    order = _order("open" if view == "nobody" and accounts is not None else view)  # an account's index has no owners
    return Kept(_with_read(rows).order_by(*order)[:limit], *_COLUMNS, "read")


def _order(view: View) -> tuple[str, ...]:
    """As the view's index has it. PostgreSQL doesn't know that rows without an owner are in one place of it, unless the
    owner stands in the order, too: it would sort them all, or walk past all that have one."""
    column, sign = _ORDER.get(view, "listed_at"), "" if view == "waiting" else "-"
    return *(("owner_id",) if view == "nobody" else ()), f"{sign}{column}", f"{sign}id"


_WALKED = {
    "kind": "NOT (%(expressions)s = '')",
    "sentiment": "NOT (%(expressions)s = '')",
    "language__startswith": "NOT (%(expressions)s = '')",
    "urgency__gte": f"%(expressions)s >= {URGENT}",
}
"""The conditions of the indexes of what was read, to the letter: SQLite takes a partial one for no parameter."""
_SPOKEN = Func(F("language"), template="SUBSTR(%(expressions)s, 1, 2)", output_field=TextField())
"""The language without its region, as its index has it; also that to the letter."""


def _narrowed(
    rows: QuerySet[Conversation], said: tuple[str, ...], *, is_walked: bool = False
) -> QuerySet[Conversation]:
    """Those whose newest message is as the slots `said` say; `is_walked` when an index of theirs is to be walked."""
    for name in said:
        column = name.partition("__")[0]
        if is_walked and name in _WALKED:
            rows = rows.filter(Func(F(column), template=_WALKED[name], output_field=BooleanField()))
        if name == "is_offensive":
            rows = rows.filter(is_offensive=True)
        elif name == "language__startswith":
            rows = rows.alias(spoken=_SPOKEN).filter(spoken=word(name))
        else:
            rows = rows.filter(**{name: Slot(name) if name == "urgency__gte" else word(name)})
    return rows


def _from(rows: Rows, column: str, id: str, side: str) -> Rows:
    """What comes after a place in the list."""
    beyond = Q(**{f"{column}__{side}": moment("moment")}) | Q(**{f"{id}__{side}": Slot("id")})
    return rows.filter(Q(**{f"{column}__{side}e": moment("moment")}), beyond)


def _place(after: str) -> dict[str, Any]:
    return dict(zip(("moment", "id"), _read_cursor(after), strict=True)) if after else {}


def _cut(found: list[dict[str, Any]], column: str, limit: int) -> ListPage:
    rows = found[:limit]
    places = [_cursor(row[column], row["id"]) for row in rows]
    return ListPage(rows, places[-1] if len(found) > limit else "", places)


def _in_view(rows: QuerySet[Conversation], view: View, user: int | Slot) -> QuerySet[Conversation]:
    if view in {"open", "mine", "nobody", "waiting"}:
        rows = rows.filter(state=Conversation.State.OPEN)
    if view == "mine":
        rows = rows.filter(owner_id=user)
    elif view == "nobody":
        rows = rows.filter(owner__isnull=True)
    elif view == "waiting":
        rows = rows.filter(ranked_at__isnull=False)
    elif view in {"snoozed", "closed"}:
        rows = rows.filter(state=view)
    elif view == "trouble":
        rows = rows.filter(has_trouble=True)
    return rows


def _label_page(brand: Brand, user: User, filters: Filters, label: int, after: str, limit: int) -> ListPage:
    """Walks the label's own index; the rows themselves are then fetched by id."""
    question = _labelled(
        filters.view,
        bool(filters.channel),
        bool(filters.account),
        bool(filters.owner),
        tuple(filters.said),
        bool(after),
        limit + 1,
    )
    values = {"brand": brand.pk, "user": user.pk, "label": label, "channel": filters.channel}
    values |= {"account": filters.account, "owner": filters.owner, **filters.said, **_place(after)}
    return _cut(_by_ids(brand, user, [id for (id,) in question.ask(**values)]), "last_activity_at", limit)


@lru_cache(maxsize=500)
def _labelled(
    view: View, by_channel: bool, by_account: bool, by_owner: bool, said: tuple[str, ...], goes_on: bool, limit: int
) -> Kept:
    links = ConversationLabel.objects.filter(label_id=Slot("label"), label__brand=Slot("brand"))
    state = {"snoozed": "snoozed", "closed": "closed"}.get(view, "open")
    if view not in {"all", "trouble"}:
        links = links.filter(state=state)
    links = _from(links, "last_activity_at", "conversation_id", "lt") if goes_on else links
    inside = _narrowed(Conversation.objects.filter(brand_id=Slot("brand")), said)
    inside = inside.filter(channel=word("channel")) if by_channel else inside
    inside = inside.filter(account_id=Slot("account")) if by_account else inside
    inside = inside.filter(owner_id=Slot("owner")) if by_owner else inside
    if by_channel or by_account or by_owner or said or view in {"mine", "nobody", "waiting", "trouble"}:
        links = links.filter(conversation__in=_in_view(inside, view, Slot("user")))
    return Kept(links.order_by("-last_activity_at", "-conversation_id")[:limit], "conversation_id")


def _mention_page(brand: Brand, user: User, filters: Filters, after: str, limit: int) -> ListPage:
    """Conversations in whose notes the user is called, whatever their state; unread is what was not opened since."""
    links = Mention.objects.filter(user=user, brand=brand)
    narrowing = {"account_id": filters.account, "channel": filters.channel, "owner_id": filters.owner, **filters.said}
    links = links.filter(**{f"conversation__{name}": value for name, value in narrowing.items() if value})
    if filters.label is not None:
        links = links.filter(
            conversation__in=ConversationLabel.objects.filter(label=filters.label).values("conversation")
        )
    if after:
        at, id = _read_cursor(after)
        links = links.filter(Q(at__lte=at), Q(at__lt=at) | Q(conversation_id__lt=id))
    found = links.order_by("-at", "-conversation_id").values_list("conversation_id", "at", "is_unread")[: limit + 1]
    calls = {id: (at, is_unread) for id, at, is_unread in found}
    rows = _by_ids(brand, user, list(calls))
    for row in rows:
        row["mentioned_at"], row["unread"] = calls[row["id"]]
        del row["read"]
    return _cut(rows, "mentioned_at", limit)


def _by_hand_page(brand: Brand, user: User, filters: Filters, after: str, limit: int) -> ListPage:
    """Conversations with something that a person has to do, by the first of it; the cursor is where that stands."""
    tasks = Delivery.objects.filter(account__brand=brand, state=Delivery.State.BY_HAND, post__isnull=True)
    same = tasks.filter(account=OuterRef("account"), thread_id=OuterRef("thread_id"))
    inside = Conversation.objects.filter(account=OuterRef("account"), thread_id=OuterRef("thread_id"))
    narrowing = {"account_id": filters.account, "channel": filters.channel, "owner_id": filters.owner, **filters.said}
    inside = inside.filter(**{name: value for name, value in narrowing.items() if value})
    if filters.label is not None:
        inside = inside.filter(pk__in=ConversationLabel.objects.filter(label=filters.label).values("conversation"))
    firsts = tasks.filter(~Exists(same.filter(pk__lt=OuterRef("pk"))))
    if after:
        at, id = _read_cursor(after)
        firsts = firsts.filter(Q(created_at__gte=at), Q(created_at__gt=at) | Q(pk__gt=id))
    found = firsts.annotate(conversation=Subquery(inside.values("pk")[:1])).filter(conversation__isnull=False)
    lines = list(found.order_by("created_at", "pk").values_list("conversation", "created_at", "pk")[: limit + 1])
    places = {conversation: _cursor(at, id) for conversation, at, id in lines[:limit]}
    rows = _by_ids(brand, user, list(places))
    rest = _cursor(*lines[limit - 1][1:]) if len(lines) > limit else ""
    return ListPage(rows, rest, [places[row["id"]] for row in rows])


def _search_page(brand: Brand, user: User, filters: Filters, after: str, limit: int) -> ListPage:
    """Conversations by their newest message that holds the words, with its `passage`. The cursor is its id.

    Where few of many hits count, a page may have fewer rows than asked for, even none, and still another after it.
    """
    top = _number(after)
    if after and top is None:
        raise BadCursor(after)
    found: dict[int, int] = {}
    shown: set[int] = set()
    before, looked_at, rest = None, 0, ""
    while len(found) <= limit:
        # From the very top: what a page before has shown is not shown again by an older message.
        hits = search.find(brand.id, filters.q, before=before, limit=SEARCH_STEP)
        for message_id, id in _conversations_of(brand, hits, filters):
            if top is not None and message_id >= top:
                shown.add(id)
            elif id not in shown and len(found) <= limit:
                found.setdefault(id, message_id)
        if len(hits) < SEARCH_STEP:
            break
        before = hits[-1]
        looked_at += sum(top is None or hit < top for hit in hits)
        if looked_at >= SEARCH_MOST:
            rest = str(before)
            break
    ids = list(found)
    asked = search.ask_texts([found[id] for id in ids[:limit]])
    rows = _by_ids(brand, user, ids[:limit])
    texts = asked()
    for row in rows:
        row["passage"] = search.passage(texts.get(found[row["id"]], ""), filters.q)
    after = str(found[ids[limit - 1]]) if len(ids) > limit else rest
    return ListPage(rows, after, [str(found[row["id"]]) for row in rows])


def _conversations_of(brand: Brand, message_ids: Sequence[int], filters: Filters) -> list[tuple[int, int]]:
    """(message id, conversation id), keeping the order, of those that belong to the brand and are as `filters.said`
    says."""
    if not message_ids:
        return []
    question = _pairs(len(message_ids), tuple(filters.said))
    found = dict(question.ask(brand=brand.pk, **spread("id", message_ids), **filters.said))
    return [(message, id) for message in message_ids if (id := found.get(message))]


@lru_cache(maxsize=500)
def _pairs(count: int, said: tuple[str, ...]) -> Kept:
    mine = Conversation.objects.filter(account=OuterRef("account"), thread_id=OuterRef("thread_id"))
    mine = _narrowed(mine.filter(brand_id=Slot("brand")), said)
    messages = Message.objects.filter(Among("id", "id", count))
    return Kept(messages.annotate(conversation=Subquery(mine.values("id"))), "id", "conversation")


def _by_ids(brand: Brand, user: User, ids: Sequence[int]) -> list[dict[str, Any]]:
    found = _by_id(len(ids)).dicts(user=user.pk, **spread("id", ids)) if ids else []
    rows = {row["id"]: row for row in found if row.pop("brand_id") == brand.pk}
    return [rows[id] for id in ids if id in rows]


@lru_cache(maxsize=200)
def _by_id(count: int) -> Kept:
    return Kept(_with_read(Conversation.objects.filter(Among("id", "id", count))), "brand_id", *_COLUMNS, "read")


def _with_read(rows: QuerySet[Conversation]) -> QuerySet[Any]:
    """Adds `read`: the last turn that the user has seen, if any."""
    mine = Read.objects.filter(conversation=OuterRef("pk"), user_id=Slot("user"))
    return rows.annotate(read=Subquery(mine.values("turn")))


def _mark_unread(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        read, waits = row.pop("read") or 0, row["waiting_since"] is not None
        row["unread"] = is_unread(row["turn"], read=read, answered=row["answered_turn"], waits=waits)


def is_unread(turn: int, *, read: int, answered: int, waits: bool) -> bool:
    """Whether somebody has not seen the last turn. An answer sees to it for everybody, unless something still waits:
    what its writer did not have before them."""
    return turn > (read if waits else max(read, answered))


def _cursor(at: datetime, id: int) -> str:
    return f"{int(at.timestamp() * 1_000_000)}-{id}"


def _read_cursor(text: str) -> tuple[datetime, int]:
    micros, _, id = text.partition("-")
    if not (_number(micros) and _number(id)):
        raise BadCursor(text)
    try:
        seconds, rest = divmod(int(micros), 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), int(id)
    except (ValueError, OverflowError, OSError):
        raise BadCursor(text) from None


COUNTED: tuple[View, ...] = ("open", "mine", "nobody", "waiting", "snoozed", "trouble", "mentions")
"""Those that the ORM compiles; what is to be done by hand is counted by `_BY_HAND`, what is closed is never shown."""


@dataclass(frozen=True, slots=True)
class Counters:
    """How many conversations each view holds, and how many open ones each account and label has, by id."""

    views: dict[str, int] = field(default_factory=dict)
    accounts: dict[int, int] = field(default_factory=dict)
    labels: dict[int, int] = field(default_factory=dict)


def counters(*, brand: Brand, user: User) -> Counters:
    """All that the rail counts, views up to `COUNT_TO`, accounts and labels up to `EACH_TO`, in one statement."""
    return ask_counters(brand=brand, user=user)()


def ask_counters(*, brand: Brand, user: User) -> Callable[[], Counters]:
    """The same, read later: see `bulk.ahead`."""
    read = bulk.sent(*_counting(brand.pk, user.pk, COUNT_TO, EACH_TO))
    return lambda: _as_counters(read())


def _as_counters(rows: Iterable[tuple[str, int, int]]) -> Counters:
    found = Counters()
    for what, id, count in rows:
        if what == "view":
            found.views[VIEWS[id]] = count
        else:
            (found.labels if what == "label" else found.accounts)[id] = count
    return found


@lru_cache(maxsize=1_000)
def _counting(brand_id: int, user_id: int, most: int, of_each: int) -> tuple[str, list[Any]]:
    """The statement of the counters, kept: composing it costs five times what the database needs for it."""
    base = Conversation.objects.filter(brand_id=brand_id)
    parts: list[str] = []
    params: list[Any] = []
    for view in COUNTED:
        rows: QuerySet[Any] = _counted(base, view, user_id)
        if view == "mentions":
            rows = Mention.objects.filter(user_id=user_id, brand_id=brand_id, is_unread=True)
        sql, args = rows.values_list("id")[:most].query.sql_with_params()
        number = VIEWS.index(view)
        parts.append(f"SELECT 'view', {number}, count(*) FROM ({sql}) counted")  # noqa: S608 — compiled by the ORM
        params += args
    rest = [part.format(most=most, of_each=of_each) for part in (_BY_HAND, *_OPEN_OF_EACH)]
    return " UNION ALL ".join([*parts, *rest]), [*params, *[brand_id] * len(rest)]


def _counted(rows: QuerySet[Conversation], view: View, user: int) -> QuerySet[Conversation]:
    """In the order of their list, so that PostgreSQL walks its index too: where many wait it would else read the table
    from its beginning, past all that is long closed. Only what is open is ranked, and the index alone tells that."""
    rows = rows.filter(ranked_at__isnull=False) if view == "waiting" else _in_view(rows, view, user)
    return rows.order_by(*_order(view))


# The state stands in it as it does in the index: SQLite takes a partial one for nothing that comes as a parameter.
_BY_HAND = f"""
SELECT 'view', {VIEWS.index("by_hand")}, count(*) FROM (SELECT DISTINCT task.account_id, task.thread_id
    FROM {Account._meta.db_table} account JOIN {Delivery._meta.db_table} task
        ON task.account_id = account.id AND task.state = 'by_hand' AND task.post_id IS NULL
    WHERE account.brand_id = %s LIMIT {{most}}) counted
"""  # noqa: S608 — our own tables' names
_OPEN_OF_EACH = (
    f"""
SELECT 'account', account.id, (SELECT count(*) FROM (
    SELECT 1 FROM {Conversation._meta.db_table} one WHERE one.account_id = account.id AND one.state = 'open'
    ORDER BY one.listed_at DESC, one.id DESC LIMIT {{of_each}}) counted)
FROM {Account._meta.db_table} account WHERE account.brand_id = %s
""",  # noqa: S608 — our own tables' names
    f"""
SELECT 'label', label.id, (SELECT count(*) FROM (
    SELECT 1 FROM {ConversationLabel._meta.db_table} one WHERE one.label_id = label.id AND one.state = 'open'
    ORDER BY one.last_activity_at DESC, one.conversation_id DESC LIMIT {{of_each}}) counted)
FROM {Label._meta.db_table} label WHERE label.brand_id = %s
""",  # noqa: S608
)


# One conversation


@dataclass(slots=True)
class Item:
    """One thing in a thread: `kind` is "message", "note" or "activity"; the object is in `of`."""

    kind: Literal["message", "note", "activity"]
    at: datetime
    of: Any
    delivery: Delivery | None = None
    versions: list[MessageVersion] = field(default_factory=list)
    acts: list[Delivery] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    """Those that hold, of what was read of it."""


@dataclass(frozen=True, slots=True)
class Thread:
    """Oldest first; `before` is the cursor of what came earlier, empty at the beginning."""

    items: list[Item]
    before: str = ""


_SHOWN = (
    activities.ASSIGNED, activities.ROUTED, activities.UNASSIGNED, activities.LABELLED, activities.UNLABELLED,
    activities.SNOOZED, activities.WOKEN, activities.CLOSED, activities.REOPENED, activities.DECIDED,
    activities.WITHDRAWN, activities.AT_RISK, activities.BROKEN, activities.RETRIED, activities.ACTED,
    activities.ACT_UNDONE, activities.DONE_BY_HAND, activities.RULED,
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
    whole = rows.select_related("identity", "delivery", "original", "reading").defer("raw", "original__content")
    newest = list(whole.order_by("-sent_at", "-id")[: limit + 1])
    shown = newest[:limit]
    bottom = shown[-1].sent_at if len(newest) > limit else None
    versions: dict[int, list[MessageVersion]] = {}
    edited = [message.id for message in shown if message.edited_at]
    for version in MessageVersion.objects.filter(message__in=edited).order_by("at"):
        versions.setdefault(version.message_id, []).append(version)
    acts: dict[int | None, list[Delivery]] = {}
    for act in Delivery.objects.filter(on__in=[message.id for message in shown]).order_by("pk"):
        acts.setdefault(act.on_id, []).append(act)
    corrections: dict[int, list[Correction]] = {}
    corrected = [message.id for message in shown if hasattr(message, "reading") and message.reading.corrected]
    for said in Correction.objects.filter(message__in=corrected, undone_at__isnull=True):
        corrections.setdefault(said.message_id, []).append(said)
    items = [
        Item(
            "message",
            message.sent_at,
            message,
            getattr(message, "delivery", None),
            versions.get(message.id, []),
            acts.get(message.id, []),
            corrections.get(message.id, []),
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


def last_words(conversation: Conversation, *, most: int = 5) -> list[str]:
    """What the person wrote since they were answered last, or before it when they have written nothing since; the
    newest first, and at most so many messages."""
    thread = Message.objects.filter(account=conversation.account_id, thread_id=conversation.thread_id)
    newest = thread.order_by("-sent_at", "-id").values_list("direction", "text")[: 4 * most]
    theirs = dropwhile(lambda one: one[0] == Message.Direction.OUT, newest)
    return [text for _direction, text in takewhile(lambda one: one[0] == Message.Direction.IN, theirs)][:most]


def drafts_of(conversation: Conversation, user: User) -> dict[str, str]:
    """What somebody began to write there: "reply", "note", both or neither."""
    begun = Draft.objects.filter(conversation=conversation, user=user).values_list("is_note", "text")
    return {"note" if is_note else "reply": text for is_note, text in begun}


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
    topics: list[tuple[str, str]]
    """The brand's own, (slug, name)"""


def names(brand: Brand) -> Names:
    """All of them in one statement, written out: every page asks, and composing four costs more than answering."""
    return ask_names(brand)()


def ask_names(brand: Brand) -> Callable[[], Names]:
    """The same, read later: see `bulk.ahead`."""
    read = bulk.sent(_NAMES, [brand.pk] * 4)
    return lambda: _as_names(read())


def _as_names(rows: Iterable[tuple[str, int, str, int, str]]) -> Names:
    found = Names([], [], [], [])
    for what, id, name, hue, kind in rows:
        if what == "label":
            found.labels.append((id, name, hue))
        elif what == "person":
            found.people.append((id, name))
        elif what == "topic":
            found.topics.append((kind, name))
        else:
            found.accounts.append((id, name, kind))
    return found


_NAMES = f"""
SELECT 'label', id, name, hue, '' FROM {Label._meta.db_table} WHERE brand_id = %s
UNION ALL SELECT 'person', person.id, person.name, 0, ''
    FROM {Membership._meta.db_table} membership JOIN {User._meta.db_table} person ON person.id = membership.user_id
    WHERE membership.brand_id = %s
UNION ALL SELECT 'account', id, name, 0, kind FROM {Account._meta.db_table} WHERE brand_id = %s
UNION ALL SELECT 'topic', id, name, 0, slug FROM {Topic._meta.db_table}
    WHERE brand_id = %s AND removed_at IS NULL
ORDER BY 1, 3
"""  # noqa: S608 — our own tables' names


def labels(brand: Brand) -> dict[int, Label]:
    return {label.id: label for label in Label.objects.filter(brand=brand).order_by("name")}


def accounts(brand: Brand) -> dict[int, Account]:
    return {account.id: account for account in Account.objects.filter(brand=brand).order_by("name")}


def ask_saved_views(brand: Brand, user: User) -> Callable[[], list[SavedView]]:
    """One's own and the team's, read later: see `bulk.ahead`."""
    read = _saved_views().sent(brand=brand.pk, user=user.pk)
    return lambda: [record(SavedView, row) for row in read()]


@cache
def _saved_views() -> Kept:
    rows = SavedView.objects.filter(Q(user_id=Slot("user")) | Q(user__isnull=True), brand_id=Slot("brand"))
    return Kept(rows.order_by("name"), *columns(SavedView))


def topics(brand: Brand) -> list[tuple[str, str]]:
    """What somebody can be said to know: the brand's labels, and the topics that are read of messages."""
    names = list(Label.objects.filter(brand=brand).order_by("name").values_list("name", flat=True))
    taken = set(map(labelling.fold, names))
    names += sorted(name for name in words.topics().values() if labelling.fold(name) not in taken)
    return [(name, name) for name in names]
