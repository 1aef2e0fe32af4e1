"""What visits became, and which link, post or campaign earned it.

One order has one cause at most, looked for in this order: the token of its click, not older than the brand allows; its
coupon; its UTM, where these name one post or link of ours. Where none of them tells, nothing is attributed: it is kept
and counted apart, and never spread over the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.core import activity
from tertulia.core.html import tidy
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

from . import activities, clicks, shortening
from .models import Click, Conversion, Coupon, Link, Post, Version
from .problems import Problem

PIXELS_A_DAY = 5_000
"""Anybody can ask for a pixel: more than this of one brand and day is not taken down."""
_AT_ONCE = 500
_CLOCKS_DIFFER = timedelta(minutes=10)
"""An order may say that it was a little before its click: two machines, two clocks."""

Kind, Model = Conversion.Kind, Conversion.Model


@dataclass(frozen=True, slots=True)
class Order:
    """What is told of one; of whose moment only the day is known, `at` is its end."""

    reference: str
    cents: int
    currency: str
    at: datetime
    token: str = ""
    coupon: str = ""
    utm: str = ""


@dataclass(frozen=True, slots=True)
class Earned:
    """What an order is attributed to."""

    model: str = Model.NONE
    link: Link | None = None
    coupon: Coupon | None = None
    post: Post | None = None
    campaign: Campaign | None = None


@dataclass(slots=True)
class Taken:
    """What became of orders: those that are new, those told better than before, and those that were there."""

    fresh: list[Conversion] = field(default_factory=list)
    bettered: list[Conversion] = field(default_factory=list)
    known: list[Conversion] = field(default_factory=list)

    @property
    def models(self) -> Counter[str]:
        return Counter(one.model for one in [*self.fresh, *self.bettered])


@transaction.atomic
def record(
    *, brand: Brand, order: Order, kind: Conversion.Kind, by: User | None, at: datetime
) -> tuple[Conversion, bool]:
    """Take down one order; told again, it is the one that is there. Returns it, and whether it is new.

    What a pixel told gives way to what is told by somebody who has a right to. Raises `Problem`.
    """
    _lock(brand)
    if kind == Kind.PIXEL and _pixels_today(brand, at=at) >= PIXELS_A_DAY:
        raise Problem(_("Too many of them today."))
    taken = _taken(brand, [order], kind=kind, by=by, at=at)
    _keep(taken)
    found = [*taken.fresh, *taken.bettered, *taken.known][0]
    if not taken.known:
        facts = {"reference": found.reference, "model": found.model, "post": found.post_id, "link": found.link_id}
        activity.record(
            activities.CONVERTED, on=found, brand=brand.pk, by=by.pk if by else None, at=at, kind=found.kind,
            cents=found.cents, currency=found.currency, **facts,
        )  # fmt: skip
    return found, bool(taken.fresh)


@transaction.atomic
def take_over(*, brand: Brand, orders: Sequence[Order], by: User, at: datetime) -> Taken:
    """Take down the orders of a list."""
    _lock(brand)
    taken = _taken(brand, orders, kind=Kind.CSV, by=by, at=at)
    _keep(taken)
    activity.record(
        activities.IMPORTED, on=brand, brand=brand.pk, by=by.pk, at=at, count=len(taken.fresh) + len(taken.bettered),
        known=len(taken.known), unattributed=taken.models[Model.NONE],
    )  # fmt: skip
    return taken


def foreseen(*, brand: Brand, orders: Sequence[Order], by: User, at: datetime) -> Taken:
    """What `take_over` would do, without doing it."""
    return _taken(brand, orders, kind=Kind.CSV, by=by, at=at)


def _lock(brand: Brand) -> None:
    """Orders of a brand are taken down one after the other, so that none is there twice."""
    Brand.objects.select_for_update().get(pk=brand.pk)


def _pixels_today(brand: Brand, *, at: datetime) -> int:
    return Conversion.objects.filter(brand=brand, kind=Kind.PIXEL, recorded_at__gt=at - timedelta(days=1)).count()


def _taken(brand: Brand, orders: Sequence[Order], *, kind: Conversion.Kind, by: User | None, at: datetime) -> Taken:
    taken, there = Taken(), _there(brand, orders)
    for order, earned in zip(orders, attributed(brand, orders), strict=True):
        mine = there.get(order.reference)
        if mine and (mine.kind != Kind.PIXEL or kind == Kind.PIXEL):
            taken.known.append(mine)
            continue
        conversion = mine or Conversion(brand=brand, reference=order.reference)
        conversion.at, conversion.cents, conversion.currency, conversion.kind = (
            order.at,
            order.cents,
            order.currency,
            kind,
        )
        conversion.model, conversion.link, conversion.coupon = earned.model, earned.link, earned.coupon
        conversion.post, conversion.campaign = earned.post, earned.campaign
        said = {"coupon": tidy(order.coupon)[:100], "utm": tidy(order.utm)[:500]}
        conversion.said = {name: value for name, value in said.items() if value}
        conversion.recorded_by_id, conversion.recorded_at = by.pk if by else None, at
        (taken.bettered if mine else taken.fresh).append(conversion)
        there[order.reference] = conversion
    return taken


def _there(brand: Brand, orders: Sequence[Order]) -> dict[str, Conversion]:
    some = (
        Conversion.objects.filter(brand=brand, reference__in=part) for part in _in_parts({o.reference for o in orders})
    )
    return {one.reference: one for found in some for one in found}


def _keep(taken: Taken) -> None:
    Conversion.objects.bulk_create(taken.fresh, batch_size=_AT_ONCE)
    names = [
        "at", "cents", "currency", "kind", "model", "link", "coupon", "post", "campaign", "said", "recorded_by_id",
        "recorded_at",
    ]  # fmt: skip
    Conversion.objects.bulk_update(taken.bettered, names, batch_size=_AT_ONCE)


def _in_parts(values: Iterable[Any]) -> Iterator[list[Any]]:
    listed = list(values)
    return (listed[at : at + _AT_ONCE] for at in range(0, len(listed), _AT_ONCE))


# By what they are attributed.


def attributed(brand: Brand, orders: Sequence[Order]) -> list[Earned]:
    """What earned each of these orders, in some statements for any number of them."""
    days = timedelta(days=shortening.settings_of(brand.pk).click_days)
    tags = [_tags(order.utm) for order in orders]
    tokens = [order.token or tag.get(clicks.TOKEN, "") for order, tag in zip(orders, tags, strict=True)]
    by_click, coupons = _clicks(brand, tokens), _coupons(brand, orders)
    by_utm = _Tagged(brand, [tag for order, tag in zip(orders, tags, strict=True) if order.utm])
    return [
        _by_click(by_click.get(token), order, days) or _by_coupon(coupons.get(_code(order.coupon))) or by_utm.find(tag)
        or Earned()
        for order, token, tag in zip(orders, tokens, tags, strict=True)
    ]  # fmt: skip


def _tags(utm: str) -> dict[str, str]:
    """What stands in the parameters of an address, or in these alone; a single word is a campaign's tag."""
    text = tidy(utm).strip()
    if not text:
        return {}
    try:
        query = urlsplit(text).query if "://" in text else text.lstrip("?")
        found = {name.lower(): tidy(values[0]).strip() for name, values in parse_qs(query, max_num_fields=100).items()}
    except ValueError:
        return {}
    return found if "=" in query or "://" in text else {"utm_campaign": text}


def _clicks(brand: Brand, tokens: Sequence[str]) -> dict[str, Click]:
    ids = {token: id for token in set(tokens) if token and (id := clicks.click_of(token))}
    found = {
        click.pk: click
        for part in _in_parts(set(ids.values()))
        for click in Click.objects.filter(pk__in=part, link__brand=brand, is_robot=False).select_related(
            "link__post__campaign", "link__campaign"
        )
    }
    return {token: found[id] for token, id in ids.items() if id in found}


def _by_click(click: Click | None, order: Order, days: timedelta) -> Earned | None:
    if click is None or not click.at - _CLOCKS_DIFFER <= order.at <= click.at + days:
        return None
    return _through(click.link, Model.CLICK)


def _through(link: Link, model: Conversion.Model, coupon: Coupon | None = None) -> Earned:
    return Earned(model, link, coupon, link.post, link.campaign or (link.post.campaign if link.post else None))


def _code(text: str) -> str:
    return tidy(text).strip().upper()


def _coupons(brand: Brand, orders: Sequence[Order]) -> dict[str, Coupon]:
    codes = {_code(order.coupon) for order in orders} - {""}
    more = ("link__post__campaign", "link__campaign", "post__campaign", "campaign")
    return {
        one.code: one
        for part in _in_parts(codes)
        for one in Coupon.objects.filter(brand=brand, code__in=part).select_related(*more)
    }


def _by_coupon(coupon: Coupon | None) -> Earned | None:
    if coupon is None:
        return None
    post = coupon.post or (coupon.link.post if coupon.link else None)
    campaign = coupon.campaign or (post.campaign if post else None) or (coupon.link.campaign if coupon.link else None)
    return Earned(Model.COUPON, coupon.link, coupon, post, campaign)


class _Tagged:
    """Links, posts and campaigns of a brand by the UTM they gave to addresses."""

    def __init__(self, brand: Brand, tags: Sequence[Mapping[str, str]]) -> None:
        contents = {tag["utm_content"] for tag in tags if tag.get("utm_content")}
        names = {tag["utm_campaign"] for tag in tags if tag.get("utm_campaign")}
        self._links = [
            link
            for part in _in_parts(contents)
            for link in Link.objects.filter(brand=brand, content__in=part).select_related("post__campaign", "campaign")
        ]
        self._links += [
            link
            for part in _in_parts(names)
            for link in Link.objects.filter(brand=brand, content="", utm_campaign__in=part).select_related(
                "post__campaign", "campaign"
            )
        ]
        numbers = [int(one) for one in contents if one.isascii() and one.isdecimal() and len(one) < 19]
        self._posts = {
            post.pk: post
            for part in _in_parts(numbers)
            for post in Post.objects.filter(brand=brand, pk__in=part).select_related("campaign")
        }
        versions = Version.objects.filter(post__in=self._posts).select_related("account").defer("account__secrets")
        self._places = {(one.post_id, source) for one in versions for source in shortening.sources(one.account)}
        # A short list: a brand has as many campaigns as a page can show.
        self._campaigns = {one.tag.lower(): one for one in Campaign.objects.filter(brand=brand)} if names else {}

    def find(self, tag: Mapping[str, str]) -> Earned | None:
        """The one link that carried exactly this; else the post it names, else the campaign."""
        source, medium = tag.get("utm_source", ""), tag.get("utm_medium", "")
        name, content = tag.get("utm_campaign", ""), tag.get("utm_content", "")
        if not name and not content:
            return None
        same = [
            link
            for link in self._links
            if (link.source, link.medium, link.utm_campaign, link.content) == (source, medium, name, content)
        ]
        if len(same) == 1:
            return _through(same[0], Model.UTM)
        post = (
            self._posts.get(int(content)) if content.isascii() and content.isdecimal() and len(content) < 19 else None
        )
        if post and medium in {shortening.SOCIAL, shortening.EMAIL} and (post.pk, source) in self._places:
            return Earned(Model.UTM, post=post, campaign=post.campaign)
        campaign = self._campaigns.get(name.lower())
        return Earned(Model.UTM, campaign=campaign) if campaign else None


# What is told, made fit.


def reference(text: str) -> str:
    """Raises `Problem`."""
    tidied = tidy(text).strip()
    if not tidied:
        raise Problem(_("The order's number is missing."))
    if len(tidied) > 100:
        raise Problem(_("The order's number has more than 100 characters."))
    return tidied


def cents(text: str) -> int:
    """Hundredths of an amount, with a comma or a point: "12", "12,5", "1.234,50 €". Raises `Problem`.

    "1.234" could be both and is refused.
    """
    plain = "".join(text.replace("€", "").replace("$", "").replace("£", "").split())
    whole, _mark, part = max(plain.rpartition(","), plain.rpartition("."), key=lambda found: len(found[0]))
    if not _mark:
        whole, part = plain, ""
    elif len(part) == 3 and not set(whole) & {",", "."}:
        raise Problem(_("{amount} can be read in two ways: write it with two decimals.").format(amount=text[:40]))
    groups = whole.replace(",", ".").split(".")
    digits = "".join(groups)
    is_grouped = len(groups) == 1 or (0 < len(groups[0]) <= 3 and all(len(one) == 3 for one in groups[1:]))
    is_number = _mark not in whole[1:] if _mark else True
    is_number = (
        is_number and digits.isascii() and digits.isdecimal() and (not part or part.isascii() and part.isdecimal())
    )
    if not is_number or not is_grouped or len(part) > 2 or len(digits) > 12 or (_mark and not part):
        raise Problem(_("{amount} is no amount.").format(amount=text[:40] or "“”"))
    return int(digits) * 100 + int(part.ljust(2, "0"))


def currency(text: str, default: str) -> str:
    """Raises `Problem`."""
    named = text.strip().upper() or default
    if len(named) != 3 or not named.isascii() or not named.isalpha():
        raise Problem(_("{currency} is no currency: three letters, as in EUR.").format(currency=text[:40]))
    return named
