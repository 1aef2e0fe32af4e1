"""Reading the reading list: newest first, a page at a time, whatever the feeds have grown to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Left

from tertulia.brand.models import Brand
from tertulia.channels import search
from tertulia.channels.models import Account, Message
from tertulia.connectors import registry
from tertulia.team.models import User

from .models import CatchUp, Mark

PAGE = 40
SNIPPET = 400
"""Characters of an article that its row is made of."""
TOGETHER = 200
"""Sources asked in one statement; SQLite joins five hundred at most."""
SEARCHED = 200
MOST_SEARCHES = 10
"""So many pages of found messages are gone through for the articles among them."""


@dataclass(frozen=True, slots=True)
class Filters:
    source: int = 0
    only: str = ""
    q: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Filters:
        source, only = given.get("source", ""), given.get("only", "")
        return cls(
            source=int(source) if source.isdecimal() and len(source) < 19 else 0,
            only=only if only in {"unread", "starred"} else "",
            q=" ".join(given.get("q", "").split())[:100],
        )


@dataclass(frozen=True, slots=True)
class Row:
    article: Message
    is_read: bool
    is_starred: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """`after` is the cursor of the next page, empty at the end."""

    rows: list[Row]
    after: str = ""


def sources(brand: Brand) -> list[Account]:
    """The brand's accounts that have articles, by name."""
    kinds = [key for key, connector in registry.all_connectors().items() if "article" in connector.capabilities.reads]
    has_any = Exists(Message.objects.filter(account=OuterRef("pk"), kind="article"))
    found = Account.objects.filter(has_any, brand=brand, kind__in=kinds).defer("secrets", "cursor", "settings")
    return sorted(found, key=lambda account: account.name.casefold())


def article_of(brand: Brand, id: int) -> Message:
    """Raises `Message.DoesNotExist`."""
    return Message.objects.select_related("account").defer("raw").get(pk=id, account__brand=brand, kind="article")


def shelf(brand: Brand, user: User, given: Sequence[Account], filters: Filters, *, after: str = "") -> Shelf:
    """A page of what these accounts published. A cursor that makes no sense starts at the top."""
    accounts = [account.pk for account in given if filters.source in {0, account.pk}]
    if filters.q:
        found, next_page = _found(brand, accounts, filters.q, after)
    else:
        place = _place(after)
        match filters.only:
            case "starred":
                ids = _starred(user, accounts, place)
            case "unread":
                ids = _newest(accounts, place, unread_by=user, since=caught_up(user, brand))
            case _:
                ids = _newest(accounts, place)
        found = _articles(ids)
        next_page = _cursor(found[PAGE - 1]) if len(found) > PAGE else ""
        found = found[:PAGE]
    return Shelf(_rows(brand, user, found), next_page)


def caught_up(user: User, brand: Brand) -> datetime | None:
    return CatchUp.objects.filter(user=user, brand=brand).values_list("up_to", flat=True).first()


def row_of(brand: Brand, user: User, article: Message) -> Row:
    return _rows(brand, user, [article])[0]


def _rows(brand: Brand, user: User, articles: Sequence[Message]) -> list[Row]:
    marks = {mark.message_id: mark for mark in Mark.objects.filter(user=user, message__in=articles)}
    up_to = caught_up(user, brand)
    rows = []
    for article in articles:
        mark = marks.get(article.pk)
        is_read = bool(mark and mark.read_at) or bool(up_to and article.sent_at <= up_to)
        rows.append(Row(article, is_read, bool(mark and mark.starred_at)))
    return rows


def _articles(ids: Sequence[int]) -> list[Message]:
    wanted = Message.objects.filter(pk__in=ids).select_related("account").annotate(snippet=Left("text", SNIPPET))
    light = wanted.defer("text", "html", "raw", "hints", "about", "attachments", "quoted", "account__secrets")
    return list(light.order_by("-sent_at", "-id"))


def _newest(
    accounts: Sequence[int],
    place: tuple[datetime, int] | None,
    *,
    unread_by: User | None = None,
    since: datetime | None = None,
) -> list[int]:
    """Of each account its newest, each walked along the index of its articles, and of those the newest."""
    found: list[tuple[Any, int]] = []
    for start in range(0, len(accounts), TOGETHER):
        part, given = [], []
        for account in accounts[start : start + TOGETHER]:
            statement, values = _newest_of(account, place, unread_by, since)
            part.append(statement)
            given += values
        with connection.cursor() as cursor:
            union = " UNION ALL ".join(part)
            cursor.execute(
                f"SELECT sent_at, id FROM ({union}) AS each_one"  # noqa: S608 — our own words; values go apart
                " ORDER BY sent_at DESC, id DESC LIMIT %s",
                [*given, PAGE + 1],
            )
            found += cursor.fetchall()
    return [id for _sent_at, id in sorted(found, reverse=True)[: PAGE + 1]]


def _newest_of(
    account: int, place: tuple[datetime, int] | None, unread_by: User | None, since: datetime | None
) -> tuple[str, list[Any]]:
    said, values = "m.account_id = %s AND m.kind = 'article' AND m.deleted_at IS NULL", list[Any]([account])
    if place:
        said += " AND (m.sent_at, m.id) < (%s, %s)"
        values += [_as_stored(place[0]), place[1]]
    if since:
        said += " AND m.sent_at > %s"
        values.append(_as_stored(since))
    if unread_by:
        said += (
            " AND NOT EXISTS (SELECT 1 FROM listening_mark k WHERE k.message_id = m.id AND k.user_id = %s"
            " AND k.read_at IS NOT NULL)"
        )
        values.append(unread_by.pk)
    return (
        f"SELECT * FROM (SELECT m.sent_at, m.id FROM tertulia_channels_message m WHERE {said}"  # noqa: S608
        " ORDER BY m.sent_at DESC, m.id DESC LIMIT %s) AS newest",
        [*values, PAGE + 1],
    )


def _as_stored(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _starred(user: User, accounts: Sequence[int], place: tuple[datetime, int] | None) -> list[int]:
    starred = Mark.objects.filter(user=user, starred_at__isnull=False).values("message_id")
    rows: QuerySet[Message] = Message.objects.filter(pk__in=starred, account__in=accounts, deleted_at__isnull=True)
    if place:
        rows = rows.filter(Q(sent_at__lt=place[0]) | Q(sent_at=place[0], id__lt=place[1]))
    return list(rows.order_by("-sent_at", "-id").values_list("id", flat=True)[: PAGE + 1])


def _found(brand: Brand, accounts: Sequence[int], q: str, after: str) -> tuple[list[Message], str]:
    """Articles that hold every word, newest arrival first; the search knows all messages of the brand alike."""
    before = int(after) if after.isdecimal() and len(after) < 19 else None
    found: list[int] = []
    for _page in range(MOST_SEARCHES):
        ids = search.find(brand.pk, q, before=before, limit=SEARCHED)
        articles = Message.objects.filter(pk__in=ids, account__in=accounts, kind="article", deleted_at__isnull=True)
        found += articles.order_by("-id").values_list("id", flat=True)
        if len(found) > PAGE or len(ids) < SEARCHED:
            break
        before = ids[-1]
    shown = found[:PAGE]
    return _articles(shown), str(shown[-1]) if len(found) > PAGE else ""


def _cursor(article: Message) -> str:
    return f"{int(article.sent_at.timestamp() * 1_000_000)}-{article.pk}"


def _place(after: str) -> tuple[datetime, int] | None:
    moment, _dash, id = after.partition("-")
    if not (moment.isdecimal() and id.isdecimal() and len(moment) < 18 and len(id) < 19):
        return None
    seconds, micros = divmod(int(moment), 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros), int(id)
