"""Texts that don't age: when each may be published again, and how it becomes a post.

A text rests for so many days between two uses, counted by the days of the brand's calendar and in both directions, so
that neither order of asking brings two of them close together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.core import activity
from tertulia.team.models import User

from . import actions, activities, approval, dealing, queries, writing
from .models import Evergreen, Experiment, Media, Post, Repetition, Sending
from .problems import Problem


class Resting(Problem):
    """It may not be published then: its rest, its end, a campaign's or that of a picture's rights."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """An evergreen text with the days on which it is used."""

    evergreen: Evergreen
    days: Sequence[date] = ()
    times: int = 0
    """Repeated so often, whether it has a day or not."""
    rights_until: Sequence[tuple[str, date]] = field(default=())

    @property
    def last(self) -> date | None:
        return max(self.days, default=None)

    def why_not(self, on: date) -> str:
        """What speaks against this day; "" when nothing does."""
        one, model = self.evergreen, self.evergreen.model
        if one.most and self.times >= one.most:
            return _("It has been repeated as often as it may be.")
        if one.ends_on and on > one.ends_on:
            return _("It may be repeated until {day} only.").format(day=f"{one.ends_on:%d/%m/%Y}")
        if model.campaign and model.campaign.ends_on and on > model.campaign.ends_on:
            return _("Its campaign ends on {day}.").format(day=f"{model.campaign.ends_on:%d/%m/%Y}")
        if ended := lapsed(self.rights_until, on):
            return ended
        if near := [day for day in self.days if abs((day - on).days) < one.rest_days]:
            says = _("It is used on {day} and rests {rest} days.")
            return says.format(day=f"{max(near):%d/%m/%Y}", rest=one.rest_days)
        return ""


def pool(brand: Brand) -> list[Pooled]:
    """All of a brand's, what has rested longest first."""
    mine = Evergreen.objects.filter(brand=brand).select_related("model__campaign", "origin").order_by("pk")
    return sorted(_pooled(list(mine), brand), key=lambda one: (one.last or date.min, one.evergreen.pk))


def _pooled(some: Sequence[Evergreen], brand: Brand) -> list[Pooled]:
    zone = ZoneInfo(brand.time_zone)
    is_out = Exists(Sending.objects.filter(version__post=OuterRef("post"), remote__published_at__isnull=False))
    used = Repetition.objects.filter(Q(post__cancelled_at__isnull=True) | is_out, evergreen__in=some)
    moments: dict[int, list[datetime]] = defaultdict(list)
    times: dict[int, int] = defaultdict(int)
    for id, moment in used.values_list("evergreen", "post__publish_at"):
        times[id] += 1
        if moment:
            moments[id].append(moment)
    for one in some:
        if one.origin and one.origin.publish_at and not one.origin.cancelled_at:
            moments[one.pk].append(one.origin.publish_at)
    rights = rights_of([one.model_id for one in some])
    return [
        Pooled(
            one, [at.astimezone(zone).date() for at in moments[one.pk]], times[one.pk], rights.get(one.model_id, [])
        )
        for one in some
    ]  # fmt: skip


def rights_of(posts: Sequence[int]) -> dict[int, list[tuple[str, date]]]:
    """By post, its pictures that may be used until some day only: name and day."""
    found: dict[int, list[tuple[str, date]]] = defaultdict(list)
    limited = Media.objects.filter(uses__part__post__in=posts, rights_until__isnull=False)
    for post, name, until in limited.values_list("uses__part__post", "name", "rights_until"):
        if until:
            found[post].append((name, until))
    return found


def lapsed(rights: Sequence[tuple[str, date]], on: date) -> str:
    """Which picture may not be used on that day any more; "" when all may."""
    for name, until in rights:
        if on > until:
            return _("{picture} may be used until {day} only.").format(picture=name, day=f"{until:%d/%m/%Y}")
    return ""


def own_model(post: Post, *, by: User, at: datetime) -> tuple[Post, Post | None]:
    """A post to copy from, which is never published itself: a draft without a day as it is, of any other a copy.

    The second is what it was copied from, if it was. Raises `Problem`.
    """
    if queries.is_model(post):
        raise Problem(_("This post is a model already."))
    is_loose = post.publish_at is None and post.cancelled_at is None
    if is_loose and not Sending.objects.filter(version__post=post).exists():
        return post, None
    return copy(post, by=by, at=at), post


@transaction.atomic
def copy(post: Post, *, by: User, at: datetime, text: str = "") -> Post:
    """A new post that says the same, or begins with this text, without a day, and knows whose words these are; of a
    campaign only while that is open. Raises `Problem`."""
    post = queries.whole(post.brand).get(pk=post.pk)
    said = writing.from_post(post)
    pieces = dealing.worded(said.pieces, text)
    made = actions.create(
        brand=post.brand, title=said.title, pieces=pieces, versions=said.versions, links=said.links, share=post.share,
        wrote=approval.writers(post), by=by, at=at,
    )  # fmt: skip
    join_campaign(made, post.campaign_id if post.campaign and not post.campaign.closed_at else None)
    return made


def join_campaign(post: Post, campaign_id: int | None) -> None:
    if campaign_id:
        post.campaign_id = campaign_id
        post.save(update_fields=["campaign"])


@transaction.atomic
def add(
    *, post: Post, by: User, at: datetime, rest_days: int = 60, most: int | None = None, ends_on: date | None = None
) -> Evergreen:  # fmt: skip
    """Let a post be repeated from now on. Raises `Problem`."""
    model, origin = own_model(post, by=by, at=at)
    evergreen = Evergreen.objects.create(
        brand=post.brand, model=model, origin=origin, rest_days=rest_days, most=most, ends_on=ends_on,
        created_by_id=by.pk, created_at=at,
    )  # fmt: skip
    activity.record(activities.POOLED, on=model, brand=post.brand_id, by=by.pk, at=at, title=model.title)
    return evergreen


@transaction.atomic
def change(
    *, evergreen: Evergreen, by: User, at: datetime, rest_days: int, most: int | None, ends_on: date | None
) -> None:  # fmt: skip
    evergreen.rest_days, evergreen.most, evergreen.ends_on = rest_days, most, ends_on
    evergreen.save(update_fields=["rest_days", "most", "ends_on"])
    title = evergreen.model.title
    activity.record(activities.RESTED, on=evergreen.model, brand=evergreen.brand_id, by=by.pk, at=at, title=title)


@transaction.atomic
def remove(*, evergreen: Evergreen, by: User, at: datetime) -> None:
    """Repeat it no more. What it became stays; so does a draft it was made of, or something was tried with."""
    model = evergreen.model
    activity.record(activities.UNPOOLED, on=model, brand=evergreen.brand_id, by=by.pk, at=at, title=model.title)
    if evergreen.origin_id and not Experiment.objects.filter(post=model).exists():
        model.delete()
    else:
        evergreen.delete()


@transaction.atomic
def repeat(
    *, evergreen: Evergreen, wall: datetime, by: User, at: datetime, zone: str = "", schedules: bool = False
) -> Post:  # fmt: skip
    """Make a post of it for this time on the wall. Raises `Resting` and whatever scheduling does."""
    one = Evergreen.objects.select_for_update(of=("self",)).select_related("brand", "model__campaign", "origin")
    evergreen = one.get(pk=evergreen.pk)
    brand = evergreen.brand
    zone = zone or brand.time_zone
    moment = zones.moment(wall, ZoneInfo(zone))
    if moment <= at:
        raise Problem(_("Choose a moment that is still to come."))
    (pooled,) = _pooled([evergreen], brand)
    if why := pooled.why_not(moment.astimezone(ZoneInfo(brand.time_zone)).date()):
        raise Resting(why)
    turn = dealing.turn_for(evergreen.model)
    post = copy(evergreen.model, by=by, at=at, text=turn.text if turn else "")
    dealing.take(turn, post)
    Repetition.objects.create(evergreen=evergreen, post=post)
    actions.plan(post=post, wall=wall, zone=zone, by=by, at=at)
    if schedules:
        actions.schedule(post=post, by=by, at=at)
    post.refresh_from_db()
    return post


def pick(brand: Brand, on: date) -> Evergreen | None:
    """What may be repeated on this day and has rested longest."""
    return next((one.evergreen for one in pool(brand) if not one.why_not(on)), None)
