"""What links earned: who clicked, what it became, and what nothing tells of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet, Sum

from tertulia.brand.models import Brand
from tertulia.strategy.models import Campaign

from .models import Click, Conversion, Link, Post
from .models.links import money

CHART_DAYS = 30


@dataclass(slots=True)
class Figures:
    """Of a link, or of several. `people` counts each visitor once a day; `clicks` all that were no robot's."""

    people: int = 0
    clicks: int = 0
    robots: int = 0
    conversions: int = 0
    cents: dict[str, int] = field(default_factory=dict)

    @property
    def value(self) -> str:
        return " + ".join(money(cents, currency) for currency, cents in sorted(self.cents.items()))

    def add(self, other: Figures) -> None:
        self.people += other.people
        self.clicks += other.clicks
        self.robots += other.robots
        self.conversions += other.conversions
        for currency, cents in other.cents.items():
            self.cents[currency] = self.cents.get(currency, 0) + cents


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    people: int
    clicks: int
    robots: int
    height: float
    """Of the highest day's people, in hundredths."""


def links(brand: Brand) -> QuerySet[Link]:
    """The brand's links, newest first, with what they belong to."""
    mine = Link.objects.filter(brand=brand).select_related("post", "campaign", "version__account")
    return mine.defer("version__account__secrets").order_by("-created_at", "-pk")


def of_links(some: Sequence[Link]) -> dict[int, Figures]:
    """By link, in two statements for any number of them."""
    found: dict[int, Figures] = defaultdict(Figures)
    for row in _by_day(Click.objects.filter(link__in=some)):
        figures = found[row["link"]]
        figures.people += row["people"]
        figures.clicks += row["clicks"]
        figures.robots += row["robots"]
    _add_conversions(found, Conversion.objects.filter(link__in=some), "link")
    return found


def _people_a_day(some: QuerySet[Click]) -> QuerySet[Click, int]:
    """Of several links together: who followed two of them is one."""
    people = some.order_by().values("on").annotate(people=Count("visitor", distinct=True))
    return people.values_list("people", flat=True)


def _by_day(some: QuerySet[Click]) -> QuerySet[Click, Any]:
    return some.order_by().values("link", "on").annotate(
        people=Count("visitor", distinct=True, filter=Q(is_robot=False)),
        clicks=Count("pk", filter=Q(is_robot=False)), robots=Count("pk", filter=Q(is_robot=True)),
    )  # fmt: skip


def _add_conversions(found: dict[int, Figures], some: QuerySet[Conversion], by: str) -> None:
    for key, currency, number, cents in (
        some.order_by().values(by, "currency").annotate(number=Count("pk"), cents=Sum("cents"))
        .values_list(by, "currency", "number", "cents")
    ):  # fmt: skip
        found[key].add(Figures(conversions=number, cents={currency: cents}))


def days(link: Link, *, at: datetime) -> list[Day]:
    """The last thirty days of a link."""
    today = at.astimezone(ZoneInfo(link.brand.time_zone)).date()
    first = today - timedelta(days=CHART_DAYS - 1)
    rows = {row["on"]: row for row in _by_day(Click.objects.filter(link=link, on__gte=first))}
    highest = max((row["people"] for row in rows.values()), default=0)
    nothing = {"people": 0, "clicks": 0, "robots": 0}
    listed = [(on, rows.get(on, nothing)) for on in (first + timedelta(days=n) for n in range(CHART_DAYS))]
    return [
        Day(on, row["people"], row["clicks"], row["robots"], 100 * row["people"] / (highest or 1)) for on, row in listed
    ]


def of_post(post: Post) -> tuple[list[tuple[Link, Figures]], Figures]:
    """The links of a post, and all that it earned: through them, its coupons and its UTM."""
    mine = list(links(post.brand).filter(post=post))
    found = of_links(mine)
    total = Figures()
    for link in mine:
        total.add(Figures(0, found[link.pk].clicks, found[link.pk].robots))
    total.people = sum(_people_a_day(Click.objects.filter(link__in=mine, is_robot=False)))
    earned: dict[int, Figures] = defaultdict(Figures)
    _add_conversions(earned, Conversion.objects.filter(post=post), "post")
    total.add(earned[post.pk])
    return [(link, found[link.pk]) for link in mine], total


def of_campaign(campaign: Campaign) -> tuple[int, Figures]:
    """How many links a campaign and its posts have, and all that was earned for it."""
    mine = Link.objects.filter(Q(campaign=campaign) | Q(post__campaign=campaign), brand=campaign.brand_id)
    total, earned = Figures(), defaultdict[Any, Figures](Figures)
    for found in of_links(list(mine)).values():
        total.add(Figures(0, found.clicks, found.robots))
    total.people = sum(_people_a_day(Click.objects.filter(link__in=mine, is_robot=False)))
    through = Conversion.objects.filter(
        Q(campaign=campaign) | Q(post__campaign=campaign) | Q(link__in=mine), brand=campaign.brand_id
    )
    _add_conversions(earned, through, "brand")
    total.add(earned[campaign.brand_id])
    return mine.count(), total


def of_coupons(brand: Brand) -> dict[int, Figures]:
    found: dict[int, Figures] = defaultdict(Figures)
    _add_conversions(found, Conversion.objects.filter(brand=brand, coupon__isnull=False), "coupon")
    return found


def conversions(brand: Brand) -> QuerySet[Conversion]:
    mine = Conversion.objects.filter(brand=brand).select_related("link", "coupon", "post", "campaign")
    return mine.order_by("-at", "-pk")


def by_model(brand: Brand) -> list[tuple[str, Figures]]:
    """By what orders were attributed, those by nothing last, each with how many and how much."""
    found: dict[Any, Figures] = defaultdict(Figures)
    _add_conversions(found, Conversion.objects.filter(brand=brand), "model")
    return [(model, found[model]) for model in Conversion.Model.values if model or found[model].conversions]
