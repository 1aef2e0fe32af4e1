"""The sample company's campaign: a cake every week, a poster with a code in the shop, a coupon, and what came of it.

Its figures are made up like the rest of the company, and made by the same actions as real ones: clicks are recorded one
by one, orders say the coupon they came with, and those that say nothing stay attributed to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.publishing import actions, clicks, conversions, evergreen, linking, shortening
from tertulia.publishing.conversions import Kind, Order
from tertulia.publishing.models import Link, Post
from tertulia.publishing.rights import day_of
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

BEGAN, LASTS = timedelta(days=18), timedelta(days=32)
COUPON = "HORNO10"
POSTER = [2, 1, 0, 3, 5, 4, 2, 1, 1, 4, 6, 3, 2, 0, 2, 5, 4]
"""People through the poster's code on each of the days since it hung there."""
HANDED_ON = {"Iker": [4, 2, 1, 0, 1], "Mateo": [2, 1, 0, 1, 0]}
"""The same of what colleagues passed on, from the day after it was published."""
ROBOTS = frozenset({3, 9})
"""Days on which a robot followed the poster's link too."""
ORDERS = [(16, 26, COUPON), (13, 26, COUPON), (12, 31, COUPON), (9, 26, ""), (6, 26, COUPON), (5, 44, COUPON),
          (2, 31, "")]  # fmt: skip
"""How many days ago, how many euros, with which coupon."""
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
ROBOT = {"User-Agent": "ExampleBot/1.0 (+https://bot.example)"}
DOES_NOT_AGE = -24
"""The day of the post that may be said again."""


def begin(brand: Brand, people: Mapping[str, User], *, at: datetime) -> Campaign:
    """Write it down as Lucía would have, before the first of its posts."""
    began, iker = at - BEGAN, people["Iker"]
    first = day_of(began, brand)
    with translation.override(brand.language):
        return actions.begin_campaign(
            brand=brand, by=people["Lucía"], at=began, name=_("Cake of the week"), starts_on=first,
            ends_on=first + LASTS, budget=60, currency="EUR", owner=iker,
            goal=_("Twelve cakes ordered before Friday within a month."),
            audience=_("Whoever celebrates at home, and whoever treats themselves on Saturday."),
            messages=_("Another cake each week, made here, until it is gone."),
        )  # fmt: skip


def measure(brand: Brand, campaign: Campaign, people: Mapping[str, User], *, at: datetime) -> None:
    """Let people follow its links and order since."""
    began, lucia = at - BEGAN, people["Lucía"]
    with translation.override(brand.language):
        name = _("Poster at the counter (QR)")
    poster = linking.make(
        brand=brand, target=f"https://{brand.slug}.example/", name=name, source="poster", medium="qr",
        campaign=campaign, by=lucia, at=began,
    )  # fmt: skip
    linking.add_coupon(brand=brand, code=COUPON, campaign=campaign, by=lucia, at=began)
    seen = [(moment, poster, number) for moment, number in _visits(poster, POSTER, ROBOTS, brand, at)]
    for who, link in _passed_on(brand):
        seen += [(moment, link, number) for moment, number in _visits(link, HANDED_ON[who], frozenset(), brand, at)]
    # In their order, since each day's visitors are told apart by a key that is forgotten afterwards.
    for moment, link, number in sorted(seen, key=lambda each: each[0]):
        headers, address = (ROBOT, "198.51.100.1") if number == 0 else (BROWSER, f"192.0.2.{number}")
        clicks.record(link, method="GET", headers=headers, address=address, at=moment)
    currency = shortening.settings_of(brand.pk).currency
    for number, (days, euros, coupon) in enumerate(ORDERS, 1):
        moment = at - timedelta(days=days)
        order = Order(f"M-{number:03}", euros * 100, currency, moment, coupon=coupon)
        conversions.record(brand=brand, order=order, kind=Kind.COUPON, by=people["Nerea"], at=moment)


def repeat(brand: Brand, people: Mapping[str, User], *, at: datetime) -> None:
    """One of its posts doesn't age."""
    day = day_of(at, brand) + timedelta(days=DOES_NOT_AGE)
    for post in Post.objects.filter(brand=brand, on=day):
        evergreen.add(post=post, by=people["Mateo"], at=at - timedelta(days=3))


def _passed_on(brand: Brand) -> Iterator[tuple[str, Link]]:
    for link in Link.objects.filter(brand=brand, campaign=None).select_related("brand").order_by("pk"):
        for who in HANDED_ON:
            if link.name.endswith(who):
                yield who, link


def _visits(
    link: Link, days: list[int], robots: frozenset[int], brand: Brand, at: datetime
) -> Iterator[tuple[datetime, int]]:
    """Moment and number of each visitor of a link since it was made; 0 is a robot."""
    zone = ZoneInfo(brand.time_zone)
    first = day_of(link.created_at, brand) + timedelta(days=1)
    for day, count in enumerate(days):
        for number in range(0 if day in robots else 1, count + 1):
            moment = datetime.combine(first + timedelta(days=day), time(10 + number, 7 * number % 60), zone)
            if moment < at:
                yield moment, number
