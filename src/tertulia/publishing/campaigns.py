"""What belongs to a campaign here, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels import reactions
from tertulia.channels.models import RemotePost
from tertulia.strategy.models import Campaign

from . import figures, queries
from .models import Post, Sending


class Result(TypedDict):
    """A figure as a closed campaign keeps it."""

    what: str
    value: int | str


@dataclass(frozen=True, slots=True)
class Line:
    post: Post
    state: str
    label: str
    accounts: Sequence[str]


def posts(campaign: Campaign) -> QuerySet[Post]:
    """Those with a time in their order, then those without one."""
    mine = Post.objects.filter(brand=campaign.brand_id, campaign=campaign)
    return mine.order_by(queries.planned_first(), "publish_at", "pk")


def lines(campaign: Campaign) -> list[Line]:
    mine = list(posts(campaign))
    standings, names = queries.standings(mine), queries.account_names(mine)
    return [
        Line(post, state := standings[post.pk].state, str(Post.State(state).label), names.get(post.pk, []))
        for post in mine
    ]


def results(campaign: Campaign) -> list[Result]:
    """What can be counted of it by now. What nobody counts isn't there: it is not zero."""
    counted = Counter(line.state for line in lines(campaign))
    out = counted[Post.State.PUBLISHED] + counted[Post.State.PARTLY]
    found: list[Result] = [{"what": "posts", "value": counted.total()}, {"what": "published", "value": out}]
    remotes = RemotePost.objects.filter(
        pk__in=Sending.objects.filter(version__post__campaign=campaign).values("remote"), published_at__isnull=False
    )
    sums: Counter[str] = Counter()
    for course in reactions.courses(remotes).values():
        for name in course.figures:
            if newest := course.latest(name):
                sums[name] += newest.value
    found += [{"what": name, "value": value} for name, value in sorted(sums.items())]
    links, earned = figures.of_campaign(campaign)
    if links:
        found += [{"what": "people", "value": earned.people}]
    if links or earned.conversions:
        found += [{"what": "orders", "value": earned.conversions}]
    if earned.value:
        found += [{"what": "value", "value": earned.value}]
    return found


def said(result: Result) -> str:
    """A result in words: the page and its frozen form say the same."""
    names = {
        "posts": _("posts written"), "published": _("posts published"), "people": _("people through its links"),
        "orders": _("orders"), "value": _("worth"),
    }  # fmt: skip
    return names.get(result["what"]) or reactions.called(result["what"])


def numbers(brand: Brand) -> dict[int, int]:
    """By campaign, how many posts it has."""
    counted = Post.objects.filter(brand=brand, campaign__isnull=False).values("campaign").annotate(n=Count("pk"))
    return dict(counted.values_list("campaign", "n"))
