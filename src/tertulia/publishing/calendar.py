"""The calendar's context, built in one place. A month of thousands of posts is one walk over their moments; whole rows
are read of the few that a day shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.core import bulk, dates
from tertulia.strategy import queries as strategy

from . import initiatives, queries, sameness
from .finding import PLACES, Filters
from .models import Initiative, Post, Sending
from .rhythm import Ahead, Hole

VIEWS = ("month", "week", "list", "board", "all")
A_DAY = {"month": 4, "week": 20}
"""So many posts of a day are shown; of the others how many they are."""
A_LIST = 100
INITIATIVES = 3
"""Of a day in the grid; the others are in the list."""
HOLES = {"month": 2, "week": 20}
"""So many holes of a day are shown."""
A_COLUMN, SEEN = 20, 40
"""So many posts a column of the board shows, and so many are looked at for it."""
DRAFTS = 12
WAITING = 20
NOTHING = Filters()
TONES = {
    "scheduled": "accent", "publishing": "accent", "published": "good", "partly": "late", "missed": "late",
    "failed": "late", "unknown": "late", "by_hand": "soon", "approval": "soon", "changes": "late", "approved": "soon",
}  # fmt: skip
MARKS = {
    "scheduled": "clock", "publishing": "send", "published": "check", "partly": "warning", "missed": "warning",
    "failed": "warning", "unknown": "question", "by_hand": "pencil", "cancelled": "x", "deleted": "trash",
    "approval": "eye", "changes": "pencil", "approved": "check",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A post on the calendar, ready to be drawn."""

    id: int
    title: str
    url: str
    move_url: str
    on: str
    time: str
    """In the brand's zone."""
    whole: str
    """The whole moment, with the zone."""
    own_time: str
    """As its own clock shows it, where that is another: "09:00 America/Bogota"."""
    state: str
    says: str
    tone: str
    mark: str
    accounts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Outside:
    """An initiative on one of its days."""

    title: str
    url: str
    kind: str
    says: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A hole in the promised rhythm, on its day."""

    says: str
    url: str


@dataclass(frozen=True, slots=True)
class Day:
    on: str
    number: int
    heading: str
    new_url: str
    is_today: bool
    is_past: bool
    is_outside: bool
    entries: Sequence[Entry]
    more: int
    more_url: str
    outside: Sequence[Outside] = ()
    holes: Sequence[Mark] = ()
    more_holes: int = 0
    week_url: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A stage on the board. `why` says what brings a post here, where moving it doesn't."""

    key: str
    label: str
    why: str
    entries: Sequence[tuple[Entry, str]]
    """Each with its moment, as the board says it."""
    more_url: str
    """Where all of them are, where there are more."""


def context(
    brand: Brand, *, view: str, on: date, after: str, now: datetime, can_write: bool, ahead: Ahead,
    filters: Filters = NOTHING,
) -> dict[str, Any]:  # fmt: skip
    """What the page shows from this day on: the month or the week that it is in, or a list; or, of any day and none, a
    board or all posts. `filters`: only those that are looked for."""
    zone = ZoneInfo(brand.time_zone)
    today = now.astimezone(zone).date()
    home = _home(brand, filters)
    if view == "list":
        days, later = _list(brand, on, after, filters, home=home, today=today)
        spread: dict[str, Any] = {"days": days, "later": later}
    elif view == "board":
        spread = {"columns": _columns(brand, filters, on=on, now=now)}
    elif view == "all":
        found, later = _all(brand, on, after, filters, home=home, now=now)
        spread = {"found": found, "later": later}
    else:
        first, length = _span(view, on)
        holes = [] if replace(filters, account="").query else ahead.holes
        of_account = [one for one in holes if filters.account in {"", str(one.account.pk)}]
        days = _grid(
            brand, view, first, length, filters, on=on, home=home, today=today, holes=_by_day(of_account)
        )  # fmt: skip
        spread = {"weeks": [days[at : at + 7] for at in range(0, length, 7)], "weekdays": dates.weekdays()}
    before, following = _beside(view, on)
    return {
        **spread, "room": "publishing", "view": view, "shown": on.isoformat(), "heading": _heading(view, on, today),
        "before_url": _address(home, view, before), "after_url": _address(home, view, following),
        "today_url": _address(home, view, today), "is_now": _heading(view, on, today) == _heading(view, today, today),
        "views": [(name, label, _address(home, name, on)) for name, label in _named()], "can_move": can_write,
        "ahead": ahead, "filters": filters, "all_url": _address(home, "all", on),
    }  # fmt: skip


def choices(brand: Brand) -> dict[str, Any]:
    """What can be looked for."""
    stages = [(key, label) for key, label, _why in _stages()]
    ended = [("cancelled", _("Cancelled")), ("deleted", _("Deleted again"))]
    accounts, campaigns = queries.accounts(brand), strategy.campaigns(brand)
    return {"sift": {"accounts": accounts, "campaigns": campaigns, "states": stages + ended}}


def aside(brand: Brand) -> dict[str, Any]:
    """What stands beside the calendar: what asks for somebody, and drafts without a day."""
    stuck = list(queries.waiting_for_people(brand)[:WAITING])
    posts = queries.posts_of(stuck)
    drafts = Post.objects.filter(
        brand=brand, publish_at__isnull=True, cancelled_at__isnull=True, series__isnull=True, evergreen__isnull=True
    )
    return {
        "waiting": [(one, posts[one.post_id]) for one in stuck if one.post_id in posts],
        "drafts": drafts.order_by("-changed_at", "-pk")[:DRAFTS],
        "drafts_url": f"{_home(brand, Filters(state='draft'))}view=all",
        "stop": (stop := queries.stopped(brand)), "restored": queries.restored(brand).says if stop else (),
        "sameness": sameness.of_brand(brand),
    }  # fmt: skip


def _named() -> list[tuple[str, str]]:
    return [("month", _("Month")), ("week", _("Week")), ("list", _("List")), ("board", _("Board")),
            ("all", _("All"))]  # fmt: skip


def _home(brand: Brand, filters: Filters) -> str:
    """The calendar's address, to be gone on with."""
    asked = filters.query
    return f"{reverse('publishing:posts', args=[brand.slug])}?{asked}{'&' if asked else ''}"


def _address(home: str, view: str, on: date, **more: str) -> str:
    return "&".join([f"{home}view={view}", f"on={on}", *(f"{name}={value}" for name, value in more.items())])


def _span(view: str, on: date) -> tuple[date, int]:
    """The first day that is shown, a Monday, and how many there are."""
    if view == "week":
        return on - timedelta(days=on.weekday()), 7
    first = on.replace(day=1)
    start = first - timedelta(days=first.weekday())
    end = _beside("month", on)[1]
    return start, -(-(end - start).days // 7) * 7


def _beside(view: str, on: date) -> tuple[date, date]:
    """Where "earlier" and "later" lead."""
    if view == "week":
        return on - timedelta(days=7), on + timedelta(days=7)
    first = on.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=32)).replace(day=1)


def _heading(view: str, on: date, today: date) -> str:
    if view == "board":
        return _("From draft to published")
    if view == "all":
        return _("All posts, what was changed last first")
    if view == "list":
        return dates.day_heading(on, today=today)
    if view == "week":
        monday = on - timedelta(days=on.weekday())
        return dates.days(monday, monday + timedelta(days=6))
    return dates.month(on)


def _grid(
    brand: Brand, view: str, first: date, length: int, filters: Filters, *, on: date, home: str, today: date,
    holes: Mapping[date, Sequence[Hole]],
) -> list[Day]:  # fmt: skip
    zone = ZoneInfo(brand.time_zone)
    starts = [zones.moment(datetime.combine(first + timedelta(days=n), time()), zone) for n in range(length + 1)]
    planned: list[list[int]] = [[] for _ in range(length)]
    walk = filters.near(queries.between(brand, starts[0], starts[-1]))
    rows = queries.bare(walk.values_list(queries.place_among("publish_at", starts[:-1]), "pk"))
    if filters.state:
        kept = filters.standing(brand, [id for _place, id in rows])
        rows = [row for row in rows if row[1] in kept]
    for place, id in rows:
        planned[place].append(id)
    entries = _entries(brand, [id for ids in planned for id in ids[: A_DAY[view]]])
    outside = {} if filters.query else _outside(brand, first, first + timedelta(days=length - 1))
    new = reverse("publishing:beginning", args=[brand.slug])
    days = []
    for number, ids in enumerate(planned):
        day = first + timedelta(days=number)
        mine = [entries[id] for id in ids[: A_DAY[view]] if id in entries]
        is_outside = view == "month" and day.month != on.month
        others = outside.get(day, [])
        more = len(ids) - len(mine) + max(len(others) - INITIATIVES, 0)
        days.append(
            _day(day, mine, home, new, today, more=more, is_outside=is_outside, outside=others[:INITIATIVES],
                 holes=holes.get(day, ()), most=HOLES[view])
        )  # fmt: skip
    return days


def _day(
    day: date, entries: Sequence[Entry], home: str, new: str, today: date, *, more: int = 0,
    is_outside: bool = False, outside: Sequence[Outside] = (), holes: Sequence[Hole] = (), most: int = 0,
) -> Day:  # fmt: skip
    new_url = f"{new}?on={day}"
    marks = [Mark(hole.says, filled_at(new_url, hole)) for hole in holes[:most]]
    return Day(
        day.isoformat(), day.day, dates.day_heading(day, today=today), new_url, day == today, day < today, is_outside,
        entries, max(more, 0), _address(home, "list", day), outside, marks, len(holes) - len(marks),
        _address(home, "week", day) if len(holes) > len(marks) else "",
    )  # fmt: skip


def _by_day(holes: Sequence[Hole]) -> Mapping[date, Sequence[Hole]]:
    found: dict[date, list[Hole]] = defaultdict(list)
    for hole in holes:
        found[hole.on].append(hole)
    return found


def filled_at(new_url: str, hole: Hole) -> str:
    """Where a post for the hole is written; `new_url` names its day."""
    at = f"&time={hole.time:%H:%M}" if hole.time else ""
    return f"{new_url}{at}&account={hole.account.pk}"


def _list(
    brand: Brand, on: date, after: str, filters: Filters, *, home: str, today: date
) -> tuple[list[Day], str]:  # fmt: skip
    """Days with posts from `on` on, or after the post that the page before ended with; and where the next page is."""
    zone = ZoneInfo(brand.time_zone)
    since = zones.moment(datetime.combine(on, time()), zone)
    planned = Post.objects.filter(brand=brand, publish_at__gte=since).order_by("publish_at", "pk")
    if mark := Post.objects.filter(brand=brand, pk=int(after), publish_at__gte=since).first() if after else None:
        planned = planned.filter(publish_at__gte=mark.publish_at).exclude(
            Q(publish_at=mark.publish_at) & Q(pk__lte=mark.pk)
        )
    ids, last_id = filters.page(planned, A_LIST)
    by_day: dict[str, list[Entry]] = {}
    for entry in _entries(brand, ids).values():
        by_day.setdefault(entry.on, []).append(entry)
    first = on if mark is None else _local(mark, zone) + timedelta(days=1)
    last = date.fromisoformat(max(by_day)) if last_id and by_day else date.max - timedelta(days=1)
    outside = {} if filters.query else _beginning(brand, first, last, goes_on=mark is not None)
    new = reverse("publishing:beginning", args=[brand.slug])
    days = [
        _day(date.fromisoformat(day), by_day.get(day, []), home, new, today, outside=outside.get(day, []))
        for day in sorted({*by_day, *outside})
    ]
    return days, _address(home, "list", on, after=str(last_id)) if last_id else ""


def _all(
    brand: Brand, on: date, after: str, filters: Filters, *, home: str, now: datetime
) -> tuple[list[tuple[Entry, str]], str]:  # fmt: skip
    """Posts of any day and of none, what was changed last first, each with its moment; and where the next page is."""
    posts = queries.posts(brand)
    if mark := posts.filter(pk=int(after)).first() if after else None:
        posts = posts.filter(changed_at__lte=mark.changed_at).exclude(
            Q(changed_at=mark.changed_at) & Q(pk__gte=mark.pk)
        )
    ids, last_id = filters.page(posts, A_LIST)
    return _timed(brand, _posts(brand, ids), now=now), _address(home, "all", on, after=str(last_id)) if last_id else ""


def _local(post: Post, zone: ZoneInfo) -> date:
    return post.publish_at.astimezone(zone).date() if post.publish_at else date.max


def _outside(brand: Brand, first: date, last: date) -> dict[date, list[Outside]]:
    """The initiatives of each of these days."""
    some = list(initiatives.between(brand, first, last)[: initiatives.MOST_SHOWN])
    place, kinds = reverse("publishing:initiative", args=[brand.slug, 0]), _kinds()
    on_days = initiatives.by_day(some, first, last)
    return {day: [_shown(one, place, kinds) for one in mine] for day, mine in on_days.items()}


def _beginning(brand: Brand, first: date, last: date, *, goes_on: bool) -> dict[str, list[Outside]]:
    """The initiatives of a list, each on its first day that is shown."""
    found: dict[str, list[Outside]] = {}
    place, kinds = reverse("publishing:initiative", args=[brand.slug, 0]), _kinds()
    some = initiatives.between(brand, first, last)
    if goes_on:
        some = some.filter(starts_on__gte=first)  # what began before stood on the page before
    for one in some[: initiatives.MOST_SHOWN]:
        found.setdefault(max(one.starts_on, first).isoformat(), []).append(_shown(one, place, kinds))
    return found


def _kinds() -> dict[str, str]:
    return {kind.value: str(kind.label) for kind in Initiative.Kind}


def _shown(one: Initiative, place: str, kinds: Mapping[str, str]) -> Outside:
    length = (one.ends_on - one.starts_on).days
    says = f"{kinds[one.kind]} · {dates.days(one.starts_on, one.ends_on)}" if length else kinds[one.kind]
    return Outside(one.title, place.replace("/0/", f"/{one.pk}/"), one.kind, says, one.done_at is not None)


def _entries(brand: Brand, ids: Sequence[int]) -> dict[int, Entry]:
    """By post, in their order."""
    return {entry.id: entry for entry in _drawn(brand, _posts(brand, ids))}


def _posts(brand: Brand, ids: Sequence[int]) -> list[Post]:
    found = {post.pk: post for post in bulk.find(Post, "id", ids, brand_id=brand.pk)}
    return [found[id] for id in ids if id in found]


def _timed(brand: Brand, posts: Sequence[Post], *, now: datetime) -> list[tuple[Entry, str]]:
    """Each with its moment, as boards say it."""
    moments = (post.publish_at for post in posts)
    says = [dates.until(at, now=now, zone=brand.time_zone) if at else "" for at in moments]
    return list(zip(_drawn(brand, posts), says, strict=True))


def _drawn(brand: Brand, posts: Sequence[Post]) -> Iterable[Entry]:
    standings, zone = queries.standings(posts), ZoneInfo(brand.time_zone)
    names = queries.account_names(posts)
    labels = {state.value: str(state.label) for state in Post.State}
    place = reverse("publishing:post", args=[brand.slug, 0])
    for post in posts:
        local = post.publish_at.astimezone(zone) if post.publish_at else None
        state, url = standings[post.pk].state, place.replace("/0/", f"/{post.pk}/")
        own = f"{post.time:%H:%M} {post.zone}" if post.time and post.zone != brand.time_zone else ""
        yield Entry(
            post.pk, post.title, url, f"{url}time/", f"{local:%Y-%m-%d}" if local else "",
            f"{local:%H:%M}" if local else "", dates.full(local, zone=brand.time_zone) if local else "", own, state,
            labels[state], TONES.get(state, ""), MARKS.get(state, ""), names.get(post.pk, []),
        )  # fmt: skip


# The board.


def _columns(brand: Brand, filters: Filters, *, on: date, now: datetime) -> list[Column]:
    """The stages of a post from left to right, each with those that are next in it."""
    mine, waiting = filters.near(Post.objects.filter(brand=brand)), queries.waiting_for_people(brand)
    if filters.query:
        waiting = waiting.filter(post__in=Sending.objects.filter(version__post__in=mine).values("remote"))
    begun = mine.filter(scheduled_by_id__isnull=False)
    drafts = mine.filter(scheduled_by_id__isnull=True, cancelled_at__isnull=True).order_by("-changed_at", "-pk")
    to_come = begun.filter(publish_at__gte=now, cancelled_at__isnull=True).order_by("publish_at", "pk")
    gone = begun.filter(publish_at__lt=now).order_by("-publish_at", "-pk")
    stuck = queries.posts_of(waiting[:WAITING])
    some = [*stuck.values(), *(post for rows in (drafts, to_come, gone) for post in rows[:SEEN])]
    posts = list({post.pk: post for post in some}.values())
    by_place: dict[str, list[tuple[Entry, str]]] = defaultdict(list)
    for entry, says in _timed(brand, posts, now=now):
        by_place[PLACES.get(entry.state, "")].append((entry, says))
    found = []
    for key, label, why in _stages():
        entries = by_place[key] if filters.state in {"", key} else []
        everywhere = _address(_home(brand, replace(filters, state=key)), "all", on)
        found.append(Column(key, label, why, entries[:A_COLUMN], everywhere if len(entries) > A_COLUMN else ""))
    return found


def _stages() -> list[tuple[str, str, str]]:
    return [
        ("draft", _("Drafts"), _("What is scheduled is taken back on its own page: cancel it there.")),
        ("approval", _("Waits for approval"), _("A post comes here when its approval is asked for, on its own page.")),
        ("scheduled", _("Scheduled"), ""),
        ("stuck", _("Asks for somebody"), _("A post comes here when something goes wrong or is to be done by hand.")),
        ("published", _("Published"), _("It counts as published once the network has it. Publish it on its own page.")),
    ]
