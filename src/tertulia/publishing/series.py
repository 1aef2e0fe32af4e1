"""Posts that come back by a rule: which days it means, and how each becomes a post of its own, once.

A rule speaks of days and of a time on the wall; the moment of each post is worked out like that of any other, so that
nine o'clock stays nine o'clock when clocks change. Every post is made by the same actions that people use and can be
changed like theirs; what somebody has touched is left to them from then on.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.core import activity
from tertulia.team.models import Membership, User

from . import actions, activities, dealing, evergreen, queries, writing
from .models import ApprovalRequest, Draft, Occurrence, Post, Series, Turn
from .problems import Problem, TooLate
from .saying import Piece, Wanted

MOST_TEXTS = 12
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """What somebody decides about a series."""

    time: time
    zone: str
    starts_on: date
    unit: str = Series.Unit.WEEK
    every: int = 1
    weekdays: Sequence[int] = ()
    month_day: int = 1
    ends_on: date | None = None
    most: int | None = None
    then: str = Series.Then.DRAFT
    ahead_days: int = 30
    texts: Sequence[str] = ()
    title: str = ""


def days(series: Series | Rule, until: date) -> Iterator[tuple[int, date]]:
    """The days a rule means up to `until`, each with its number."""
    last = min(until, series.ends_on or until)
    for number, on in enumerate(_endless(series)):
        if on > last or (series.most and number >= series.most):
            return
        yield number, on


def _endless(rule: Series | Rule) -> Iterator[date]:
    start, step = rule.starts_on, 0
    while True:
        try:
            some = [start + step * DAY] if rule.unit == Series.Unit.DAY else _of_step(rule, step)
        except (OverflowError, ValueError):  # the calendar ends with the year 9999
            return
        yield from (on for on in some if on >= start)
        step += rule.every


def _of_step(rule: Series | Rule, step: int) -> list[date]:
    start = rule.starts_on
    if rule.unit == Series.Unit.WEEK:
        monday = start - start.weekday() * DAY + step * 7 * DAY
        return [monday + weekday * DAY for weekday in sorted(set(rule.weekdays)) or [start.weekday()]]
    year, month = divmod(start.year * 12 + start.month - 1 + step, 12)
    return [date(year, month + 1, min(rule.month_day, monthrange(year, month + 1)[1]))]


# What people do with them.


@transaction.atomic
def begin(*, brand: Brand, post: Post | None, rule: Rule, by: User, at: datetime) -> Series:
    """Let a post come back; without one, what has rested longest of the evergreen texts. Raises `Problem`."""
    model, origin = evergreen.own_model(post, by=by, at=at) if post else (None, None)
    series = Series(brand=brand, model=model, created_at=at)
    _take(series, rule, by=by, at=at)
    series.save()
    if origin:
        _adopt(series, origin)
    lay_out(series=series, at=at)
    _record(activities.REPEATED, series, by=by, at=at)
    return series


@transaction.atomic
def change(*, series: Series, rule: Rule, by: User, at: datetime) -> None:
    """Make its rule another one: the days to come that nobody has touched follow. Raises `TooLate`."""
    series = _lock(series)
    if series.ended_at:
        raise TooLate(_("This series has ended."))
    _take(series, rule, by=by, at=at)
    series.save()
    _follow(series, at=at)
    lay_out(series=series, at=at)
    _record(activities.RULED, series, by=by, at=at)


def _adopt(series: Series, post: Post) -> None:
    """The post a series is made of stands for its own day, as one that somebody has touched."""
    number = next((number for number, on in days(series, post.on) if on == post.on), None) if post.on else None
    is_free = not Occurrence.objects.filter(post=post).exists() and post.cancelled_at is None
    if number is not None and post.on and post.time and is_free:
        Occurrence.objects.create(
            series=series, on=post.on, number=number, post=post, time=post.time, zone=post.zone
        )  # fmt: skip


def _take(series: Series, rule: Rule, *, by: User, at: datetime) -> None:
    for each in fields(rule):
        setattr(series, each.name, getattr(rule, each.name))
    series.texts, series.weekdays = list(rule.texts)[:MOST_TEXTS], sorted(set(rule.weekdays))
    series.title = rule.title or (series.model.title if series.model else _("Texts that don't age"))
    series.changed_by_id, series.changed_at = by.pk, at


@transaction.atomic
def skip(*, series: Series, on: date, by: User, at: datetime) -> None:
    """Leave this day out; a post that is there for it is taken back. Raises `TooLate`, `Problem`."""
    series = _lock(series)
    one = series.occurrences.select_related("post").filter(on=on).first()
    if one is None:
        number = next((number for number, day in days(series, on) if day == on), None)
        if number is None:
            raise Problem(_("The series has nothing on that day."))
        one = Occurrence(series=series, on=on, number=number, time=series.time, zone=series.zone)
    if one.skipped_at:
        return
    if one.post and not _taken_back(one, by=by, at=at):
        actions.cancel(post=one.post, by=by, at=at)
    one.skipped_at, one.why = at, ""
    one.save()
    _record(activities.SKIPPED, series, by=by, at=at, day=on.isoformat())


@transaction.atomic
def take_up(*, series: Series, on: date, by: User, at: datetime) -> None:
    """Put a day in again that was left out."""
    series = _lock(series)
    series.occurrences.filter(on=on, skipped_at__isnull=False).delete()
    lay_out(series=series, at=at)
    _record(activities.RULED, series, by=by, at=at)


@transaction.atomic
def end(*, series: Series, by: User, at: datetime) -> None:
    """Nothing more comes of it, and what nobody has touched is taken back."""
    series = _lock(series)
    if series.ended_at:
        return
    series.ended_at = series.changed_at = at
    series.save(update_fields=["ended_at", "changed_at"])
    for one in _to_come(series, at=at):
        if one.post is None or _taken_back(one, by=by, at=at):
            one.delete()
    _record(activities.ENDED, series, by=by, at=at)


@transaction.atomic
def follow(*, model: Post, at: datetime) -> None:
    """What the model says has changed: so does what was made of it, where nobody has touched it."""
    if series := Series.objects.filter(model=model, ended_at__isnull=True).first():
        series = _lock(series)
        _follow(series, at=at)
        lay_out(series=series, at=at)


# What becomes of the days.


@transaction.atomic
def lay_out(*, series: Series, at: datetime) -> int:
    """Make posts of the days that have come near enough, each once; returns how many."""
    series = _lock(series)
    if series.ended_at:
        return 0
    missing = series.occurrences.filter(post__isnull=True, skipped_at__isnull=True).exclude(why="")
    told = dict(missing.values_list("on", "why"))
    missing.delete()  # tried again below
    there = set(series.occurrences.values_list("on", flat=True))
    until = at.astimezone(ZoneInfo(series.zone)).date() + series.ahead_days * DAY
    made = 0
    with translation.override(series.brand.language):
        for number, on in days(series, _last(series, until)):
            if on not in there and _moment(series, on) > at:
                made += _make(series, number, on, told=told.get(on, ""), at=at)
    return made


def _last(series: Series, until: date) -> date:
    campaign = series.model.campaign if series.model else None
    return min(until, campaign.ends_on) if campaign and campaign.ends_on else until


def _moment(series: Series, on: date) -> datetime:
    return zones.moment(datetime.combine(on, series.time), ZoneInfo(series.zone))


def _make(series: Series, number: int, on: date, *, told: str, at: datetime) -> bool:
    """`told`: why the day had no post when it was last tried. That a pool has nothing for a day is no trouble."""
    one = Occurrence(series=series, number=number, on=on, time=series.time, zone=series.zone)
    by = User.objects.filter(pk=series.changed_by_id).first() or User(pk=series.changed_by_id)
    try:
        with transaction.atomic():
            one.post = _written(series, number, on, by=by, at=at)
    except Problem as problem:
        one.why = str(problem)[:500]
        if series.model and one.why != told:
            _tell_stuck(one, at=at)
    if one.post:
        one.revision = one.post.revision
        one.model_revision = series.model.revision if series.model else 0
        one.save()  # by it approval knows what its words were copied from
        _let_leave(one, by=by, at=at)
    one.save()
    return one.post is not None


def _written(series: Series, number: int, on: date, *, by: User, at: datetime) -> Post:
    """The post of one day, a draft still. Raises `Problem`."""
    wall = datetime.combine(on, series.time)
    if series.model is None:
        return _from_the_pool(series, on, wall, by=by, at=at)
    turn = dealing.turn_for(series.model)
    title, pieces, versions = _said(series, number, turn)
    post = actions.create(brand=series.brand, title=title, pieces=pieces, versions=versions, by=by, at=at)
    dealing.take(turn, post)
    evergreen.join_campaign(post, series.model.campaign_id)
    actions.plan(post=post, wall=wall, zone=series.zone, by=by, at=at)
    post.refresh_from_db()
    return post


def _from_the_pool(series: Series, on: date, wall: datetime, *, by: User, at: datetime) -> Post:
    brand = series.brand
    zone = ZoneInfo(brand.time_zone)
    local = _moment(series, on).astimezone(zone).date()
    starts, ends = (zones.moment(datetime.combine(day, time()), zone) for day in (local, local + DAY))
    if queries.between(brand, starts, ends).filter(cancelled_at__isnull=True).exists():
        raise Problem(_("Something else is planned on that day."))
    if (found := evergreen.pick(brand, local)) is None:
        raise Problem(_("None of the texts that don't age has rested long enough."))
    return evergreen.repeat(evergreen=found, wall=wall, zone=series.zone, by=by, at=at)


def _said(series: Series, number: int, dealt: Turn | None) -> tuple[str, tuple[Piece, ...], dict[int, Wanted]]:
    """What the model says, with the wording whose turn it is: an experiment's while one runs, else of its own."""
    assert series.model is not None  # noqa: S101 — asked for before
    said = writing.from_post(queries.whole(series.brand).get(pk=series.model.pk))
    text = dealt.text if dealt else ["", *series.texts][number % (len(series.texts) + 1)]
    return said.title, dealing.worded(said.pieces, text), dict(said.versions)


def _let_leave(one: Occurrence, *, by: User, at: datetime) -> None:
    """Schedule it if the series says so, ask for the approval it lacks, or write down why it can't leave and tell."""
    one.is_scheduled, one.why, post = False, "", one.post
    if one.series.then != Series.Then.SCHEDULE or post is None:
        return
    place = Membership.objects.filter(user=by.pk, brand=one.series.brand_id).select_related("user").first()
    if place is None or not place.may("publishing.publish"):
        one.why = _("Who set this series up may not publish here any more.")
    elif ended := evergreen.lapsed(evergreen.rights_of([post.pk]).get(post.pk, []), one.on):
        one.why = ended
    else:
        try:
            with transaction.atomic():
                one.is_scheduled = actions.schedule_or_ask(post=post, by=by, at=at)
            if not one.is_scheduled:
                one.why = _("Its approval is asked for: it leaves by itself once it has that.")
                return
        except Problem as problem:
            one.why = str(problem)[:500]
    if one.why:
        _tell_stuck(one, at=at)


def _tell_stuck(one: Occurrence, *, at: datetime) -> None:
    series = one.series
    activity.record(
        activities.STUCK, on=series, brand=series.brand_id, at=at, title=series.title, day=one.on.isoformat(),
        why=one.why, author=series.changed_by_id,
    )  # fmt: skip


def _to_come(series: Series, *, at: datetime) -> list[Occurrence]:
    since = at.astimezone(ZoneInfo(series.zone)).date()
    waiting = series.occurrences.filter(on__gte=since, skipped_at__isnull=True).select_related("post__brand")
    return [
        one for one in waiting.order_by("on") if one.post is None or one.post.publish_at is None or _is_open(one, at)
    ]


def _is_open(one: Occurrence, at: datetime) -> bool:
    return bool(one.post and one.post.publish_at and one.post.publish_at > at)


def is_touched(one: Occurrence) -> bool:
    """Whether somebody has changed, moved, scheduled or cancelled it, or is just writing on it."""
    post = one.post
    if post is None:
        return False
    return (
        post.revision != one.revision
        or (post.on, post.time, post.zone) != (one.on, one.time, one.zone)
        or not _stands_as_laid(one, post)
        or Draft.objects.filter(post=post).exists()
    )


def _stands_as_laid(one: Occurrence, post: Post) -> bool:
    """A day for which approval was asked may have it by now, or be told what should change."""
    state = queries.standing(post).state
    if one.is_scheduled or state == Post.State.DRAFT:
        return state == (Post.State.SCHEDULED if one.is_scheduled else Post.State.DRAFT)
    return state in _ASKED and _was_asked(one)


_ASKED = {Post.State.APPROVAL, Post.State.CHANGES, Post.State.APPROVED, Post.State.SCHEDULED}


def _was_asked(one: Occurrence) -> bool:
    """Whether its post waits, or has waited, for approval in the words it was laid out with."""
    return ApprovalRequest.objects.filter(post=one.post_id, revision=one.revision).exists()


def _taken_back(one: Occurrence, *, by: User, at: datetime) -> bool:
    """Remove the post of a day, unless somebody has touched it."""
    post = one.post
    if post is None or is_touched(one):
        return False
    try:
        actions.cancel(post=post, by=by, at=at)
    except TooLate:  # it is just leaving
        return False
    one.post = None
    post.delete()
    return True


def _follow(series: Series, *, at: datetime) -> None:
    """Bring the days to come that nobody has touched in line with rule and text."""
    some = _to_come(series, at=at)
    if not some:
        return
    by = User.objects.filter(pk=series.changed_by_id).first() or User(pk=series.changed_by_id)
    numbers = {on: number for number, on in days(series, _last(series, some[-1].on))}
    with translation.override(series.brand.language):
        for one in some:
            if one.post is None or is_touched(one):
                continue
            stays = _fits(one, series) and one.on in numbers and _said_anew(one, numbers[one.on], by=by, at=at)
            if not stays and _taken_back(one, by=by, at=at):
                one.delete()


def _fits(one: Occurrence, series: Series) -> bool:
    """Whether its post stays and only says something else; what changes more is made anew."""
    wants = series.then == Series.Then.SCHEDULE
    leaves = one.is_scheduled or (wants and _was_asked(one))
    return (one.time, one.zone) == (series.time, series.zone) and leaves == wants


def _said_anew(one: Occurrence, number: int, *, by: User, at: datetime) -> bool:
    """Give a post the words it has by now; False where they don't fit."""
    series, post = one.series, one.post
    if series.model is None or post is None:
        return True
    turn = dealing.turn_for(series.model, post)
    title, pieces, versions = _said(series, number, turn)
    try:
        with transaction.atomic():
            post = actions.save(
                post=post, seen=post.revision, title=title, pieces=pieces, versions=versions, by=by, at=at
            )  # fmt: skip
            dealing.take(turn, post)
    except Problem:
        return False  # made anew, and then it says why it can't be scheduled
    is_new = post.revision != one.revision
    one.number, one.revision, one.model_revision = number, post.revision, series.model.revision
    if is_new and series.then == Series.Then.SCHEDULE:
        if queries.standing(post).state == Post.State.SCHEDULED:
            one.is_scheduled, one.why = True, ""
        else:
            _let_leave(one, by=by, at=at)  # what was approved, or asked for, were other words
    one.save(update_fields=["number", "revision", "model_revision", "is_scheduled", "why"])
    return True


def _lock(series: Series) -> Series:
    held = Series.objects.select_for_update(of=("self",)).select_related("brand", "model__campaign")
    return held.get(pk=series.pk)


def _record(name: str, series: Series, *, by: User, at: datetime, **facts: str) -> None:
    activity.record(name, on=series, brand=series.brand_id, by=by.pk, at=at, title=series.title, **facts)
