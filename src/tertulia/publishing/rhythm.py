"""The promised rhythm of each account: what the weeks ahead hold, what is missing in them, when a promise would break,
and what could fill it; and the queue, whose slots are taken one by one.

All of it is read from posts and their deliveries, nothing is stored: a post that is scheduled, moved or lost changes
the next answer. What clocks do is left to `brand.zones`: a slot that they skip is the moment at which they go on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import takewhile
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels.models import POSTING, Account, Delivery, RemotePost
from tertulia.core import activity, dates
from tertulia.team.models import User

from . import actions, activities, best_hours, queries
from .models import BestHour, Evergreen, Idea, Part, Post, Promise, Sending, Slot, Version
from .problems import Problem

WEEKS = 4
"""So many weeks are looked at, this one among them."""
WARNS = timedelta(days=7)
"""So long before a promise breaks it is said aloud; before that the week shows it."""
QUEUE = timedelta(weeks=8)
"""So far ahead a free slot is looked for."""
PROPOSED, SHOWN = 6, 12
MOST_SLOTS = 100
DAY = timedelta(days=1)
Standing = Literal["out", "planned", "draft"]
_STANDINGS: dict[str | None, Standing] = {
    Delivery.State.SENT: "out", Delivery.State.QUEUED: "planned", Delivery.State.SENDING: "planned",
    Delivery.State.UNKNOWN: "planned", Delivery.State.BY_HAND: "planned", "": "draft",
}  # fmt: skip
NAMED = 1_000
"""So many moments are named in a question; with more, all of them are told apart."""
One = TypeVar("One")
Place = tuple[int, time]
"""A slot: its weekday, and the time on the wall."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a post is missing: on a day, at the free slot of the account there where it has one; where it has none at
    all, at one of its best hours if these are known."""

    account: Account
    on: date
    time: time | None
    is_best: bool = False
    """In one of the hours at which the account is reacted to most."""

    @property
    def says(self) -> str:
        return f"{self.time:%H:%M} {self.account.name}" if self.time else self.account.name


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a promise. `drafted` are on its days and not scheduled: meant, but they would not leave.

    `breaks_on` is the last day on which the first missing post can go out if each of the others has a day of its own
    after it; before today, it is too late.
    """

    monday: date
    promised: int
    kept: int
    planned: int
    drafted: int
    breaks_on: date | None = None
    holes: Sequence[Hole] = ()

    @property
    def done(self) -> int:
        return self.kept + self.planned

    @property
    def missing(self) -> int:
        return max(self.promised - self.done, 0)


@dataclass(frozen=True, slots=True)
class Warning:
    """A promise that is about to break, or has. What it says is put into words only for those that are shown."""

    account: Account
    week: Week
    breaks_on: date
    today: date

    @property
    def is_broken(self) -> bool:
        return self.breaks_on < self.today

    @property
    def says(self) -> str:
        return _warns(self)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a promise has ahead of it."""

    promise: Promise
    weeks: Sequence[Week]
    warnings: Sequence[Warning]

    @property
    def says(self) -> str:
        per_week = self.promise.per_week
        return ngettext("{n} a week", "{n} a week", per_week).format(n=per_week)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What could fill a hole: a draft without a time, what `filling` finds, or something still to be written."""

    hole: Hole
    draft: Post | None
    repeated: Evergreen | None = None
    idea: Idea | None = None


@dataclass(slots=True)
class Ahead:
    """The weeks ahead of all promises of a brand."""

    outlooks: Sequence[Outlook] = ()
    proposals: Sequence[Proposal] = ()
    holes: Sequence[Hole] = field(default=())
    unknown: Sequence[Account] = ()
    """Accounts with proposals whose best hours nobody knows."""

    @property
    def warnings(self) -> list[Warning]:
        return sorted((one for each in self.outlooks for one in each.warnings), key=lambda one: one.breaks_on)

    @property
    def shown(self) -> list[Outlook]:
        """Those that the page has room for: what falls short first."""
        return sorted(self.outlooks, key=lambda each: not any(week.missing for week in each.weeks))[:SHOWN]

    @property
    def further(self) -> int:
        return len(self.outlooks) - len(self.shown)


# What is ahead.


def ahead(brand: Brand, *, at: datetime) -> Ahead:
    """Every promise of the brand, this week and the three after it."""
    promises = list(Promise.objects.filter(account__brand=brand).select_related("account").defer("account__secrets"))
    if not promises:
        return Ahead()
    promises.sort(key=lambda one: (one.account.name.casefold(), one.pk))
    zone = ZoneInfo(brand.time_zone)
    today = at.astimezone(zone).date()
    mondays = [today - today.weekday() * DAY + week * 7 * DAY for week in range(WEEKS)]
    accounts = [one.account_id for one in promises]
    slots = _by_account(Slot.objects.filter(account__in=accounts).values_list("account", "weekday", "time"))
    best = _best(accounts)
    places = {account: slots[account] or best[account] for account in accounts}
    posts = _posts(brand, places, mondays[0], zone)
    outlooks = [_outlook(one, mondays, posts[one.pk], slots[one.pk], best[one.pk], zone, at=at) for one in promises]
    holes = [hole for each in outlooks for week in each.weeks for hole in week.holes]
    holes.sort(key=lambda one: (one.on, one.time or time.max, one.account.name))
    unknown = {hole.account.pk: hole.account for hole in holes[:PROPOSED] if not best[hole.account.pk]}
    return Ahead(outlooks, _proposals(brand, holes[:PROPOSED]), holes, list(unknown.values()))


@dataclass(slots=True)
class _Posts:
    """What is planned on an account: how many on each day, by how they stand, and which moments of slots are taken."""

    out: dict[date, int] = field(default_factory=dict)
    planned: dict[date, int] = field(default_factory=dict)
    draft: dict[date, int] = field(default_factory=dict)
    moments: set[datetime] = field(default_factory=set)

    def add(self, standing: Standing, day: date, count: int) -> None:
        days: dict[date, int] = getattr(self, standing)
        days[day] = days.get(day, 0) + count


def _posts(
    brand: Brand, places: Mapping[int, Sequence[Place]], first: date, zone: ZoneInfo
) -> dict[int, _Posts]:  # fmt: skip
    """The database counts them by account and day, so that a month of thousands isn't read post by post; of all the
    brand's accounts, since to name many of them makes it look for each of them in each post."""
    starts = [zones.moment(datetime.combine(first + n * DAY, time()), zone) for n in range(7 * WEEKS + 1)]
    # As the database gives them back, which isn't asked to make moments of its texts.
    moments = {connection.ops.adapt_datetimefield_value(one): one for one in _moments(places.values(), first, zone)}
    found: dict[int, _Posts] = {account: _Posts() for account in places}
    for account, place, state, moment, count in _counted(brand, starts, moments.values()):
        if (standing := _STANDINGS.get(state)) and (mine := found.get(account)):
            mine.add(standing, first + place * DAY, count)
            if moment in moments:
                mine.moments.add(moments[moment])
    return found


def _counted(brand: Brand, starts: Sequence[datetime], moments: Collection[datetime]) -> list[tuple[Any, ...]]:
    """How many versions each account has in each stretch of time, by the state of their first part, in one statement:
    (account, stretch, state, moment, count), the state "" for a draft, empty for what has none; the moment only for
    these, each by itself. The ORM would join every `RemotePost` to ask of each whether it was deleted again."""
    told = Q(post__publish_at__isnull=False) if len(moments) > NAMED else Q(post__publish_at__in=moments)
    moment = Case(When(told, then=F("post__publish_at")))
    versions = Version.objects.filter(
        post__brand=brand, post__publish_at__gte=starts[0], post__publish_at__lt=starts[-1]
    ).annotate(place=queries.place_among("post__publish_at", starts[:-1]), moment=moment)
    return queries.bare(versions.values_list("pk", "account", "place", "moment", "post__cancelled_at"), _COUNTED)


_ACTS = ", ".join(f"'{act}'" for act in sorted(POSTING, reverse=True))
"""With "post" first, as most are: PostgreSQL compares with one after the other."""
_COUNTED = f"""
SELECT version.account, version.place, CASE WHEN sending.id IS NULL THEN '' ELSE delivery.state END, version.moment,
    count(*)
FROM ({{rows}}) version
LEFT JOIN {Sending._meta.db_table} sending ON sending.version_id = version.pk AND sending.number = 0
LEFT JOIN {Delivery._meta.db_table} delivery
    ON delivery.post_id = sending.remote_id AND delivery.act IN ({_ACTS})
WHERE (sending.id IS NOT NULL OR version.post__cancelled_at IS NULL) AND NOT EXISTS (
    SELECT 1 FROM {RemotePost._meta.db_table} gone WHERE gone.id = sending.remote_id AND gone.deleted_at IS NOT NULL)
GROUP BY 1, 2, 3, 4
"""  # noqa: S608 — our own tables' names, and what the ORM has compiled


def _moments(slots: Iterable[Sequence[Place]], first: date, zone: ZoneInfo) -> set[datetime]:
    """Those of the weeks ahead at which any account has a slot."""
    places = {place for mine in slots for place in mine}
    weeks = [first + week * 7 * DAY for week in range(WEEKS)]
    return {
        zones.moment(datetime.combine(monday + weekday * DAY, at), zone) for monday in weeks for weekday, at in places
    }


def _by_account(slots: Iterable[tuple[int, int, time]]) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = defaultdict(list)
    for account, weekday, at in slots:
        found[account].append((weekday, at))
    return found


def _best(accounts: Collection[int]) -> dict[int, list[Place]]:
    """The hours at which accounts are reacted to most, from their best on; none where that isn't known."""
    known = BestHour.objects.filter(account__in=accounts).order_by("place")
    return _by_account(
        (account, day, time(hour)) for account, day, hour in known.values_list("account", "weekday", "hour")
    )


def _outlook(
    promise: Promise, mondays: Sequence[date], posts: _Posts, slots: Sequence[Place], best: Sequence[Place],
    zone: ZoneInfo, *, at: datetime,
) -> Outlook:  # fmt: skip
    weeks = [
        _week(promise, monday, posts, slots, best, zone, at=at) for monday in mondays if monday >= promise.starts_on
    ]
    today = at.astimezone(zone).date()
    warnings = [
        Warning(promise.account, week, week.breaks_on, today)
        for week in weeks
        if week.breaks_on and week.breaks_on - today <= WARNS
    ]
    return Outlook(promise, weeks, warnings)


def _week(
    promise: Promise, monday: date, posts: _Posts, slots: Sequence[Place], best: Sequence[Place], zone: ZoneInfo, *,
    at: datetime,
) -> Week:  # fmt: skip
    allowed = [monday + n * DAY for n in range(7) if not promise.weekdays or n in promise.weekdays]
    kept, planned, drafted = (_sum(days, allowed) for days in (posts.out, posts.planned, posts.draft))
    week = Week(monday, promise.per_week, kept, planned, drafted)
    if not week.missing:
        return week
    today = at.astimezone(zone).date()
    to_come = [day for day in allowed if day >= today]
    free = [day for day in to_come if day not in posts.out and day not in posts.planned]
    breaks_on = free[-week.missing] if week.missing <= len(free) else (free or to_come or allowed[-1:])[0]
    unmeant = [day for day in free if day not in posts.draft]
    times = _free(slots or best, to_come, posts.moments, zone, at=at)
    holes = _holes(promise.account, week.missing - drafted, times, unmeant, best)
    return Week(monday, promise.per_week, kept, planned, drafted, breaks_on, holes)


def _sum(counts: Mapping[date, int], days: Iterable[date]) -> int:
    return sum(counts.get(day, 0) for day in days) if counts else 0


def _free(
    slots: Sequence[Place], days: Sequence[date], taken: Collection[datetime], zone: ZoneInfo, *, at: datetime
) -> list[datetime]:  # fmt: skip
    """The times on the wall of these days' slots that are to come and that nothing has taken, in their order."""
    times: dict[int, set[time]] = {}
    for weekday, at_time in slots:
        times.setdefault(weekday, set()).add(at_time)
    walls = [datetime.combine(day, at_time) for day in days for at_time in sorted(times.get(day.weekday(), ()))]
    moments = ((wall, zones.moment(wall, zone)) for wall in walls)
    return [wall for wall, moment in moments if moment > at and moment not in taken]


def _holes(
    account: Account, missing: int, times: Sequence[datetime], free: Sequence[date], best: Sequence[Place]
) -> list[Hole]:  # fmt: skip
    """The best hours first, then other slots, on days of their own while there are any; then days without a slot."""
    if missing <= 0:
        return []
    places = {(weekday, at.hour): place for place, (weekday, at) in enumerate(best)}
    ranked = [(places[hour], wall) for wall in times if (hour := (wall.weekday(), wall.hour)) in places]
    bests: dict[date, datetime] = {}
    for _place, wall in sorted(ranked):
        if wall.date() in free and len(bests) < missing:
            bests.setdefault(wall.date(), wall)
    firsts = {wall.date(): wall for wall in reversed(times) if wall.date() in free and wall.date() not in bests}
    chosen = [*bests.values(), *(firsts[day] for day in _spread(sorted(firsts), missing - len(bests)))]
    if len(chosen) < missing:
        chosen += _spread([wall for wall in times if wall not in chosen], missing - len(chosen))
    holes = [Hole(account, wall.date(), wall.time(), is_best=(wall.weekday(), wall.hour) in places) for wall in chosen]
    if len(holes) < missing:
        without = [day for day in free if day not in firsts and day not in bests]
        holes += [Hole(account, day, None) for day in _spread(without, missing - len(holes))]
    return holes


def _spread(some: Sequence[One], wanted: int) -> list[One]:
    """So many of them, as evenly as it goes; all where there are no more."""
    if wanted >= len(some):
        return list(some)
    return [some[(2 * n + 1) * len(some) // (2 * wanted)] for n in range(wanted)]


def _warns(warning: Warning) -> str:
    account, week, today = warning.account, warning.week, warning.today
    if warning.is_broken:
        says = _("{account}: this week's promise is broken, {done} of {promised}.")
        return says.format(account=account.name, done=week.done, promised=week.promised)
    says = ngettext(
        "{account}, week of {week}: {n} of {promised} is missing. Last day for it: {day}.",
        "{account}, week of {week}: {n} of {promised} are missing. Last day for the first: {day}.",
        week.missing,
    )
    day = dates.day_heading(warning.breaks_on, today=today)
    says = says.format(
        account=account.name, n=week.missing, promised=week.promised, week=dates.calendar_day(week.monday, today=today),
        day=day[:1].lower() + day[1:],
    )  # fmt: skip
    if not week.drafted:
        return says
    drafts = ngettext(
        "{n} is on the calendar as a draft: it leaves only once it is scheduled.",
        "{n} are on the calendar as drafts: they leave only once they are scheduled.",
        week.drafted,
    )
    return f"{says} {drafts.format(n=week.drafted)}"


def _proposals(brand: Brand, holes: Sequence[Hole]) -> list[Proposal]:
    """For each hole a draft of its account that waits for a time, the oldest first and each once."""
    is_written = Part.objects.filter(post=OuterRef("post")).filter(~Q(text="") | Q(attachments__isnull=False))
    waiting = Version.objects.filter(
        Exists(is_written), account__in={one.account.pk for one in holes}, post__brand=brand,
        post__publish_at__isnull=True, post__cancelled_at__isnull=True,
        post__series__isnull=True, post__evergreen__isnull=True,  # models are never published themselves
    )  # fmt: skip
    drafts = list(waiting.select_related("post").order_by("post__created_at", "post", "pk")[: 20 * PROPOSED])
    used: set[int] = set()
    found = []
    for hole in holes:
        mine = (one.post for one in drafts if one.account_id == hole.account.pk and one.post_id not in used)
        draft = next(mine, None)
        used |= {draft.pk} if draft else set()
        found.append(Proposal(hole, draft))
    return found


# The queue.


@transaction.atomic
def enqueue(*, post: Post, by: User, at: datetime, wall: datetime | None = None) -> datetime:
    """Schedule the post for the next free slot of its accounts, or for the one at `wall`; returns when, on the wall of
    the brand's zone. Within a week from the next one a slot in their best hours comes first, where these are known.

    A post has one time: where its accounts have slots in common only these are looked at, else those of any of them.
    Where they have none `wall` can be one of their best hours.
    The slots are held meanwhile, so that of two people who queue at once each gets one of their own.
    Raises `Unfit`, `TooLate`, `Problem`.
    """
    accounts = list(post.versions.values_list("account", flat=True))
    if not accounts:
        raise Problem(_("Choose first where it is to be published."))
    held = Slot.objects.select_for_update().filter(account__in=accounts).order_by("pk")
    slots = _by_account(held.values_list("account", "weekday", "time"))
    post = Post.objects.select_for_update(of=("self",)).select_related("brand").get(pk=post.pk)
    if queries.standing(post).state in {Post.State.SCHEDULED, Post.State.PUBLISHING}:
        raise Problem(_("It is scheduled already."))
    best = _best(accounts)
    if not slots and wall:
        slots = {account: places for account, places in best.items() if places}
    if not slots:
        raise Problem(_("None of its accounts has slots yet: say in the settings when they usually publish."))
    free = _next_free(post, slots, at=at)
    if wall is None:
        wall = _preferred(free, best)
    elif wall not in set(free):
        raise Problem(_("That slot is no longer free."))
    if wall is None:
        raise Problem(_("No slot of its accounts is free in the coming {n} weeks.").format(n=QUEUE // (7 * DAY)))
    actions.plan(post=post, wall=wall, by=by, at=at)
    actions.schedule(post=post, by=by, at=at)
    return wall


def queued_says(wall: datetime, brand: Brand, *, at: datetime) -> str:
    """What somebody is told who queued a post."""
    today = at.astimezone(ZoneInfo(brand.time_zone)).date()
    day = dates.day_heading(wall.date(), today=today)
    return _("In the queue: {day}, {time}.").format(day=day[:1].lower() + day[1:], time=f"{wall:%H:%M}")


def _next_free(post: Post, slots: Mapping[int, Sequence[Place]], *, at: datetime) -> Iterator[datetime]:
    slots = _shared(slots)
    days = QUEUE // DAY + 1
    free = {one: set(some) for one, some in _ahead_free(post.brand, slots, at=at, days=days, post=post).items()}
    for wall in sorted(set().union(*free.values())):
        having = [account for account, mine in slots.items() if (wall.weekday(), wall.time()) in mine]
        if all(wall in free[account] for account in having):
            yield wall


def free(brand: Brand, *, at: datetime, days: int, account: int | None = None) -> list[tuple[datetime, int]]:
    """The slots of the queue that are free in so many days from today on, on the wall of the brand's zone, each with
    its account."""
    mine = Slot.objects.filter(account__brand=brand)
    slots = _by_account((mine.filter(account=account) if account else mine).values_list("account", "weekday", "time"))
    found = _ahead_free(brand, slots, at=at, days=days)
    return sorted((wall, account) for account, some in found.items() for wall in some)


def _ahead_free(
    brand: Brand, slots: Mapping[int, Sequence[Place]], *, at: datetime, days: int, post: Post | None = None
) -> dict[int, list[datetime]]:  # fmt: skip
    """By account, those of its slots in the days from today on that no post but this one has."""
    zone = ZoneInfo(brand.time_zone)
    ahead = Version.objects.filter(
        account__in=slots, post__publish_at__gt=at, post__publish_at__lte=at + (days + 1) * DAY,
        post__cancelled_at__isnull=True,
    )  # fmt: skip
    moments: dict[int, set[datetime]] = defaultdict(set)
    for account, moment in ahead.exclude(post=post).values_list("account", "post__publish_at"):
        if moment:
            moments[account].add(moment)
    first = at.astimezone(zone).date()
    ahead_days = [first + n * DAY for n in range(days)]
    return {account: _free(mine, ahead_days, moments[account], zone, at=at) for account, mine in slots.items()}


def _preferred(free: Iterator[datetime], best: Mapping[int, Sequence[Place]]) -> datetime | None:
    """Of the slots of a week from the first on, the first of those that are best for most accounts."""
    first = next(free, None)
    if first is None or not best:
        return first
    week = [first, *takewhile(lambda wall: wall < first + 7 * DAY, free)]
    hours = Counter((weekday, at.hour) for places in best.values() for weekday, at in places)
    return max(week, key=lambda wall: hours[wall.weekday(), wall.hour])


def _shared(slots: Mapping[int, Sequence[Place]]) -> Mapping[int, Sequence[Place]]:
    """Those at times that all these accounts have; all of them where there is none."""
    common = set.intersection(*(set(mine) for mine in slots.values()))
    return {account: sorted(common) for account in slots} if common else slots


def learn_hours(*, at: datetime) -> None:
    """Work out anew the best hours of every account that has published enough for them to be known."""
    out = RemotePost.objects.filter(account=OuterRef("pk"), published_at__isnull=False).order_by().values("account")
    counted = Account.objects.annotate(out=Subquery(out.annotate(n=Count("pk")).values("n")))
    many = counted.filter(out__gte=best_hours.LEAST_POSTS).select_related("brand").defer("secrets")
    for account in many.order_by("pk"):
        found = best_hours.of(account, at).best
        with transaction.atomic():
            BestHour.objects.filter(account=account).delete()
            BestHour.objects.bulk_create(
                BestHour(account=account, weekday=one.weekday, hour=one.hour, place=place)
                for place, one in enumerate(found)
            )


def has_slots(brand: Brand) -> bool:
    return Slot.objects.filter(account__brand=brand).exists()


# What is promised.


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What an account promises, nothing with `per_week` None; and its slots, as (weekday, time)."""

    per_week: int | None
    starts_on: date
    weekdays: Sequence[int]
    slots: frozenset[tuple[int, time]]


def of(account: Account, *, at: datetime) -> Rhythm:
    """As it is; without a promise one would start this week."""
    promise = Promise.objects.filter(account=account).first()
    slots = frozenset(Slot.objects.filter(account=account).values_list("weekday", "time"))
    if promise:
        return Rhythm(promise.per_week, promise.starts_on, promise.weekdays, slots)
    today = at.astimezone(ZoneInfo(account.brand.time_zone)).date()
    return Rhythm(None, today - today.weekday() * DAY, [], slots)


def of_all(brand: Brand) -> Mapping[int, tuple[Promise | None, int]]:
    """By account: its promise, and how many slots it has."""
    promises = {one.pk: one for one in Promise.objects.filter(account__brand=brand)}
    count = Counter(Slot.objects.filter(account__brand=brand).values_list("account", flat=True))
    return {account: (promises.get(account), count[account]) for account in {*promises, *count}}


@transaction.atomic
def settle(*, account: Account, rhythm: Rhythm, by: User, at: datetime) -> None:
    """Make the account's promise and slots these; what is scheduled stays where it is. Raises `ValidationError`,
    `Problem`."""
    if len(rhythm.slots) > MOST_SLOTS:
        raise Problem(_("An account has {limit} slots at most.").format(limit=MOST_SLOTS))
    if rhythm == of(account, at=at):
        return
    if rhythm.per_week is None:
        Promise.objects.filter(account=account).delete()
    else:
        said = {"per_week": rhythm.per_week, "starts_on": rhythm.starts_on, "weekdays": list(rhythm.weekdays)}
        Promise(account=account, **said).clean_fields(exclude=["account"])
        Promise.objects.update_or_create(account=account, defaults=said)
    there = {(one.weekday, one.time): one.pk for one in Slot.objects.filter(account=account)}
    Slot.objects.filter(pk__in=[pk for place, pk in there.items() if place not in rhythm.slots]).delete()
    Slot.objects.bulk_create(
        Slot(account=account, weekday=weekday, time=at_time) for weekday, at_time in sorted(rhythm.slots - set(there))
    )
    activity.record(
        activities.RHYTHM, on=account, brand=account.brand_id, by=by.pk, at=at, account=account.name,
        per_week=rhythm.per_week, slots=len(rhythm.slots),
    )  # fmt: skip
