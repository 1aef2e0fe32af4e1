"""What a plan wants done comes to stand on the calendar: each day of each action once, as a draft of a post or as an
action outside, made by the same actions that people use. Nothing leaves by it: a draft waits for somebody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tertulia.brand import zones
from tertulia.core import activity
from tertulia.strategy.models import Plan, PlannedAction
from tertulia.team.models import User

from . import actions, activities, calendar, initiatives, queries, recurring, saying, series
from .models import Initiative, PlannedDay, Post, Series
from .problems import Problem
from .saying import Piece, Wanted

MOST = 1_000
"""Days of a plan that may wait to be put on the calendar."""
BATCH = 60
"""Of them are put there in one transaction: each takes some ten milliseconds."""


def rule(action: PlannedAction) -> series.Rule:
    """Its days, as those of what comes back are said."""
    repeats = PlannedAction.Repeats(action.repeats)
    return series.Rule(
        action.time, action.plan.brand.time_zone, action.on, month_day=action.on.day,
        weekdays=[] if repeats == repeats.ONCE else action.weekdays,
        unit=Series.Unit.MONTH if repeats == repeats.MONTHLY else Series.Unit.WEEK,
        every=2 if repeats == repeats.FORTNIGHTLY else 1, most=1 if repeats == repeats.ONCE else MOST + 1,
    )  # fmt: skip


def days(action: PlannedAction) -> list[date]:
    """Those it means within its plan; at most one more than `MOST`."""
    meant = series.days(rule(action), action.plan.ends_on)
    return [on for _number, on in meant if on >= action.plan.starts_on]


def says(action: PlannedAction) -> str:
    """When it is done, in words: «3 de marzo de 2027, 10:00», «Cada semana: martes, jueves, 10:00»."""
    if action.repeats == PlannedAction.Repeats.ONCE:
        told = date_format(action.on, "DATE_FORMAT")
    else:
        told = recurring.rhythm(rule(action))
    return told if action.is_outside else f"{told}, {action.time:%H:%M}"


def missing(plan: Plan, *, at: datetime) -> list[tuple[PlannedAction, list[date]]]:
    """Of each action the days still to come that aren't on the calendar; those that had passed never will be."""
    some = plan.actions.select_related("plan__brand", "account", "campaign", "owner").order_by("on", "pk")
    known: defaultdict[int, set[date]] = defaultdict(set)
    for action_id, on in PlannedDay.objects.filter(action__plan=plan).values_list("action", "on"):
        known[action_id].add(on)
    zone = ZoneInfo(plan.brand.time_zone)
    today = at.astimezone(zone).date()
    found = []
    for action in some:
        ahead = [on for on in days(action) if on >= today and on not in known[action.pk]]
        if not action.is_outside:
            ahead = [on for on in ahead if zones.moment(datetime.combine(on, action.time), zone) > at]
        if ahead:
            found.append((action, ahead))
    return found


@dataclass(frozen=True, slots=True)
class LaidOut:
    """How many days came to stand on the calendar, and how many are still to be put there."""

    added: int
    left: int


@transaction.atomic
def lay_out(*, plan: Plan, by: User, at: datetime) -> LaidOut:
    """Put up to `BATCH` of what is missing on the calendar; called again, the next ones. Raises `Problem`, and then
    nothing is added."""
    plan = Plan.objects.select_for_update().get(pk=plan.pk)  # whoever asks at the same time finds these there
    found = missing(plan, at=at)
    _check(plan, found)
    waiting = [(action, on) for action, ahead in found for on in ahead]
    for action, on in waiting[:BATCH]:
        _make(action, on, by=by, at=at)
    done = LaidOut(len(waiting[:BATCH]), len(waiting[BATCH:]))
    if done.added:
        activity.record(
            activities.PLAN_LAID_OUT, on=plan, brand=plan.brand_id, by=by.pk, at=at, plan=plan.name, added=done.added
        )
    return done


def _check(plan: Plan, found: Sequence[tuple[PlannedAction, list[date]]]) -> None:
    """All of it, before any of it is made."""
    n, able = sum(len(ahead) for _action, ahead in found), queries.accounts(plan.brand)
    if n > MOST:
        raise Problem(
            _(
                "This would put {n} actions on the calendar; {limit} at once is the most. Repeat some less often, or"
                " make the plan's period shorter."
            ).format(n=n, limit=MOST)
        )
    for action, _ahead in found:
        if not action.is_outside and action.account not in able:
            said = _("Nothing can be published any more where “{title}” is to be. Choose another account for it.")
            raise Problem(said.format(title=action.title))


def _make(action: PlannedAction, on: date, *, by: User, at: datetime) -> None:
    if action.is_outside:
        made = initiatives.add(
            brand=action.plan.brand, by=by, at=at, title=action.title, kind=Initiative.Kind.OTHER, starts_on=on,
            ends_on=on, owner=action.owner, campaign=action.campaign, notes=action.text,
        )  # fmt: skip
        PlannedDay.objects.create(action=action, on=on, initiative=made)
    else:
        PlannedDay.objects.create(action=action, on=on, post=_drafted(action, on, by=by, at=at))


def _drafted(action: PlannedAction, on: date, *, by: User, at: datetime) -> Post:
    assert action.account is not None  # noqa: S101 — asked for before
    versions = {action.account.pk: Wanted(hints=saying.headline(action.account, action.title))}
    pieces = [Piece(action.text)] if action.text else []
    post = actions.create(
        brand=action.plan.brand, by=by, at=at, title=action.title, pieces=pieces, versions=versions
    )  # fmt: skip
    if action.campaign and not action.campaign.closed_at:
        actions.count_for(post=post, campaign=action.campaign, by=by, at=at)
    actions.plan(post=post, wall=datetime.combine(on, action.time), by=by, at=at)
    return post


# What became of it.


@dataclass(frozen=True, slots=True)
class Became:
    """A day of an action as it stands now: moved, perhaps, or removed from the calendar since."""

    on: date
    post: Post | None
    initiative: Initiative | None
    label: str
    tone: str


def became(plan: Plan) -> Mapping[int, Sequence[Became]]:
    """By action all that came of it on the calendar, in the order of its days."""
    made = PlannedDay.objects.filter(action__plan=plan).select_related("post", "initiative").order_by("on")
    rows = list(made)
    standings = queries.standings([row.post for row in rows if row.post])
    found: defaultdict[int, list[Became]] = defaultdict(list)
    for action_id, one in _told(rows, standings):
        found[action_id].append(one)
    return found


def _told(
    rows: Sequence[PlannedDay], standings: Mapping[int, queries.Standing]
) -> Iterator[tuple[int, Became]]:  # fmt: skip
    for row in rows:
        on, label, tone = row.on, _("removed from the calendar"), ""
        if row.post:
            state = standings[row.post.pk].state
            on, label, tone = row.post.on or on, str(Post.State(state).label), calendar.TONES.get(state, "")
        elif row.initiative:
            is_done = row.initiative.done_at is not None
            on, label, tone = row.initiative.starts_on, _("done") if is_done else _("planned"), "good" * is_done
        yield row.action_id, Became(on, row.post, row.initiative, label, tone)
