"""What has happened since the last look, ready to be sent: events as bytes, by whom they concern."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q

from tertulia.channels.models import Account, Message
from tertulia.core.models import Activity, Heartbeat
from tertulia.flows import visitors
from tertulia.inbox import activities
from tertulia.inbox.models import Presence

AT_ONCE = 2_000
ONE_BY_ONE = 50
"""More lines for one brand in one look are told as one event of the type "many": reload what you show."""
OLDEST_PAGE = 600
LARGEST_ID = 2**63 - 1
GAP_SECONDS = 60
MOST_GAPS = 500
OVERLAP = timedelta(seconds=3)
"""Presence is stamped by the clock of whichever machine wrote it."""

FOR_VISITORS = frozenset(
    {activities.RECEIVED, activities.SENT, activities.DECIDED, activities.EDITED, activities.DELETED}
)

Thread = tuple[int, str]
Line = dict[str, Any]
_FIELDS = ("id", "brand_id", "type", "on_kind", "on_id", "by_id", "data")


@dataclass
class News:
    """`desk` by brand, `site` by account and thread."""

    desk: dict[int, bytes] = field(default_factory=dict)
    site: dict[Thread, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.desk or self.site)


class Reader:
    """Reads the feed forward.

    On PostgreSQL ids may become visible out of order: an id that was skipped is asked for again for a minute, after
    which it belonged to a transaction that was rolled back.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._gaps: dict[int, datetime] = {}
        self._presence_from: datetime | None = None
        self._presences: dict[tuple[int, int], tuple[datetime, bool]] = {}

    def look(self, threads: frozenset[Thread], at: datetime) -> News:
        lines = self._lines(at)
        events: dict[int, list[bytes]] = defaultdict(list)
        for brand_id, own in _by_brand(lines).items():
            events[brand_id] += tell(own)
        for brand_id, event in self._presence(at):
            events[brand_id].append(event)
        return News({brand: b"".join(each) for brand, each in events.items()}, _for_visitors(lines, threads))

    def _lines(self, at: datetime) -> list[Line]:
        if self._last is None:
            self._last = newest_id()
            return []
        new = Q(id__gt=self._last)
        if self._gaps:
            new |= Q(id__in=list(self._gaps))
        lines = list(Activity.objects.filter(new).order_by("id").values(*_FIELDS)[:AT_ONCE])
        self._remember([line["id"] for line in lines], at)
        return lines

    def _remember(self, ids: list[int], at: datetime) -> None:
        for seen in ids:
            self._gaps.pop(seen, None)
        last = self._last or 0
        if ids and ids[-1] > last:
            known = set(ids)
            skipped = [id for id in range(max(last + 1, ids[-1] - MOST_GAPS), ids[-1]) if id not in known]
            self._gaps |= dict.fromkeys(skipped, at)
            self._last = ids[-1]
        if self._gaps:
            limit = at - timedelta(seconds=GAP_SECONDS)
            self._gaps = {id: since for id, since in list(self._gaps.items())[-MOST_GAPS:] if since > limit}

    def _presence(self, at: datetime) -> Iterable[tuple[int, bytes]]:
        since, self._presence_from = self._presence_from or at, at - OVERLAP
        rows = Presence.objects.filter(seen_at__gt=since).values_list(
            "conversation_id", "user_id", "user__name", "conversation__brand_id", "seen_at", "typing_at"
        )
        told: dict[tuple[int, int], tuple[datetime, bool]] = {}
        for conversation, user, name, brand_id, seen_at, typing_at in rows:
            told[conversation, user] = seen_at, typing_at is not None
            if self._presences.get((conversation, user)) != told[conversation, user]:
                data = {"conversation": conversation, "user": user, "name": name, "typing": typing_at is not None}
                yield brand_id, event("presence", data)
        self._presences = told


def newest_id() -> int:
    return Activity.objects.aggregate(newest=Max("id"))["newest"] or 0


def missed(brand_id: int, after: str, age: str, at: datetime) -> bytes:
    """What a page missed: all lines after a known one, or those since it was drawn, `age` seconds ago."""
    lines = Activity.objects.filter(brand_id=brand_id)
    if after.isdigit():
        lines = lines.filter(id__gt=min(int(after), LARGEST_ID)).order_by("id")
    elif age.isdigit():
        since = at - timedelta(seconds=min(int(age), OLDEST_PAGE)) - OVERLAP
        newest = lines.order_by("-id").values_list("id", flat=True)[: ONE_BY_ONE + 1]
        lines = lines.filter(id__in=list(newest), at__gte=since).order_by("id")
    else:
        return b""
    return b"".join(tell(list(lines.values(*_FIELDS)[: ONE_BY_ONE + 1])))


def tell(lines: list[Line]) -> list[bytes]:
    """The events of one brand's lines."""
    if len(lines) > ONE_BY_ONE:
        many = {"id": lines[-1]["id"], "type": "many", "kind": "", "on": None, "by": None, "data": {}}
        return [event("activity", many, id=lines[-1]["id"])]
    return [
        event(
            "activity",
            {
                "id": line["id"],
                "type": line["type"],
                "kind": line["on_kind"],
                "on": line["on_id"],
                "by": line["by_id"],
                "data": line["data"],
            },
            id=line["id"],
        )
        for line in lines
    ]


def event(name: str, data: Mapping[str, Any], *, id: int | None = None) -> bytes:
    """One server-sent event. JSON holds no bare line break, so nobody's text can begin an event of its own."""
    number = f"id: {id}\n" if id is not None else ""
    return f"{number}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def sign_of_life(brands: frozenset[int], at: datetime) -> None:
    """Say for every brand that somebody has the desk open: the public chat asks for it."""
    if not brands:
        return
    Heartbeat.leave({visitors.heartbeat_name(brand): at for brand in sorted(brands)})


def _by_brand(lines: Iterable[Line]) -> Mapping[int, list[Line]]:
    found: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        found[line["brand_id"]].append(line)
    return found


def _for_visitors(lines: Iterable[Line], threads: frozenset[Thread]) -> dict[Thread, bytes]:
    """Messages of the threads that visitors watch, in the shape and with the discretion of the visitor protocol."""
    if not threads:
        return {}
    own = [line for line in lines if line["type"] in FOR_VISITORS]
    wanted = {line["data"]["message"] for line in own if "message" in line["data"]}
    found: dict[Thread, list[bytes]] = defaultdict(list)
    rows = Message.objects.filter(pk__in=wanted, account_id__in={account for account, _ in threads})
    ids = set(rows.values_list("account_id", "thread_id", "pk"))
    for line in own:
        thread = line["data"].get("account"), line["data"].get("thread")
        if thread in threads:
            ids |= _newest(thread, line["data"].get("count", 1))
    for account_id, thread_id, pk in sorted(ids, key=lambda row: row[2]):
        if (account_id, thread_id) in threads:
            found[account_id, thread_id] += _as_seen(account_id, thread_id, pk)
    return {thread: b"".join(events) for thread, events in found.items()}


def _newest(thread: Thread, count: int) -> set[tuple[int, str, int]]:
    account_id, thread_id = thread
    newest = Message.objects.filter(account_id=account_id, thread_id=thread_id).order_by("-sent_at", "-id")
    return {(account_id, thread_id, pk) for pk in newest.values_list("pk", flat=True)[: min(count, ONE_BY_ONE)]}


def _as_seen(account_id: int, thread_id: str, pk: int) -> list[bytes]:
    seen = visitors.message(Account(pk=account_id), thread_id=thread_id, message_id=pk)
    return [event("message", seen)] if seen else []
