"""What the sample company publishes: its last weeks, the days ahead, and what it is still writing.

A paragraph of `sample_company/posts_<language>.txt` is a post: its first line names the accounts, who wrote it, on
which day from today and at what time (or "draft"), and its title; then come its text, and what stood under it a day
later:

    [site instagram | Lucía | -20 10:30] Rye bread on Tuesdays
    You kept asking …
    = likes 84 replies 17 views 2110

A line that begins with "? " makes an experiment of it: several pictures, which the account hasn't had, and what is
expected of them.

Instagram is tended by hand here, so that nothing calls a network; the page's news are our own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext

from tertulia.brand.models import Brand
from tertulia.channels import actions as channel_actions
from tertulia.channels import reactions
from tertulia.channels.models import Account, Delivery, PostMetric
from tertulia.publishing import actions, experiments, kits, rhythm
from tertulia.publishing.models import Post
from tertulia.publishing.saying import Piece, Wanted
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

from . import news

_HEAD = re.compile(r"\[([a-z ]+) \| (\w+) \| (draft|[+-]\d+ \d+:\d\d)\] (.+)")
COUNTED_AFTER = timedelta(days=1)
BEGAN = timedelta(weeks=4)
KIT_OF = -6
"""What colleagues share is the post of this day."""


@dataclass(slots=True)
class Told:
    """One post: `wall` is its day from today and its time; None for a draft."""

    accounts: list[str]
    who: str
    wall: tuple[int, time] | None
    title: str
    lines: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    hypothesis: str = ""
    """What is expected of it, where it is tried as something new."""


def posts(text: str) -> list[Told]:
    """The posts that a file of them tells of."""
    found: list[Told] = []
    for line in text.splitlines():
        if head := _HEAD.fullmatch(line):
            day, _space, hour = head[3].partition(" ")
            wall = (int(day), time.fromisoformat(hour.zfill(5))) if hour else None
            found.append(Told(head[1].split(), head[2], wall, head[4]))
        elif line.startswith("= "):
            words = line.removeprefix("= ").split()
            found[-1].figures = {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}
        elif line.startswith("? "):
            found[-1].hypothesis = line.removeprefix("? ")
        elif line and not line.startswith("#"):
            found[-1].lines.append(line)
    return found


def publish(
    brand: Brand, text: str, people: Mapping[str, User], *, site: Account, campaign: Campaign, at: datetime
) -> None:
    """Write the posts of the sample company as `people` would have, by their first names; those that are called as the
    campaign belong to it."""
    said = {"platform": "Instagram", "openness": "public"}
    instagram = channel_actions.connect(
        brand=brand, kind="manual", name="Instagram", settings=said, by=people["Lucía"].pk, at=at - BEGAN
    )
    for account, per_week in ((instagram, 3), (site, 1)):
        wanted = rhythm.of(account, at=at)
        wanted = rhythm.Rhythm(per_week, wanted.starts_on - timedelta(weeks=3), [], wanted.slots)
        rhythm.settle(account=account, rhythm=wanted, by=people["Lucía"], at=at)
    for told in posts(text):
        belongs_to = campaign if told.title == campaign.name else None
        post = _write(told, brand, people[told.who], {"site": site, "instagram": instagram}, belongs_to, at=at)
        if told.hypothesis:
            experiments.begin(
                post=post, account=instagram, title=told.title, hypothesis=told.hypothesis, format="pictures",
                measure="replies", owner=people[told.who], by=people[told.who], at=at,
            )  # fmt: skip
        if told.wall and told.wall[0] == KIT_OF:
            _hand_on(post, people["Lucía"], at=at - timedelta(days=-KIT_OF))


def _write(
    told: Told, brand: Brand, by: User, accounts: Mapping[str, Account], campaign: Campaign | None, *, at: datetime
) -> Post:
    wall = _wall(told, brand, at)
    leaves = wall.replace(tzinfo=ZoneInfo(brand.time_zone)) if wall else None
    written = min(leaves or at, at) - timedelta(days=1)
    wanted = {
        accounts[name].pk: Wanted(hints=(("title", told.title),) if name == "site" else ()) for name in told.accounts
    }
    post = actions.create(
        brand=brand, by=by, at=written, title=told.title, pieces=[Piece("\n".join(told.lines))], versions=wanted
    )
    if campaign:
        actions.count_for(post=post, campaign=campaign, by=by, at=written)
    if wall is None or leaves is None:
        return post
    actions.plan(post=post, wall=wall, by=by, at=written)
    actions.schedule(post=post, by=by, at=written)
    if leaves <= at:
        for delivery in Delivery.objects.filter(post__in=post.versions.values("sendings__remote")):
            _arrive(delivery, told, by, at=leaves)
    return post


def _hand_on(post: Post, by: User, *, at: datetime) -> None:
    """Two colleagues in the shop have links of their own to it."""
    with translation.override(post.brand.language):
        disclosure = gettext("I work at {brand}.").format(brand=post.brand.name)[:120]
    last_on = (at + timedelta(days=60)).date()
    kits.begin(brand=post.brand, of=post, by=by, at=at, disclosure=disclosure, last_on=last_on, names=["Mateo", "Iker"])


def _wall(told: Told, brand: Brand, at: datetime) -> datetime | None:
    if told.wall is None:
        return None
    days, hour = told.wall
    return datetime.combine(at.astimezone(ZoneInfo(brand.time_zone)).date() + timedelta(days=days), hour)


def _arrive(delivery: Delivery, told: Told, by: User, *, at: datetime) -> None:
    """It left when it was to, and a day later somebody looked what stood under it."""
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.BY_HAND, attempts=1)
    url = news.address_of(delivery) or f"https://instagram.example/p/{delivery.post_id}"
    actions.finish_by_hand(delivery=delivery, by=by, at=at, url=url)
    if told.figures and delivery.post and delivery.account.kind == "manual":
        reactions.keep(
            post=delivery.post, values=told.figures, at=at + COUNTED_AFTER, how=PostMetric.How.HAND, by=by.pk
        )
