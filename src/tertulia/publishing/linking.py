"""What people do with links, coupons and their settings."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import activity
from tertulia.core.html import tidy
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

from . import activities, addresses, shortening
from .models import Coupon, Link, LinkSettings, Post
from .problems import NotHere, Problem

SETTINGS = ("shortens", "shortens_answers", "adds_utm", "click_days", "currency")


@transaction.atomic
def make(
    *, brand: Brand, target: str, by: User, at: datetime, name: str = "", source: str = "", medium: str = "",
    utm_campaign: str = "", content: str = "", post: Post | None = None, campaign: Campaign | None = None,
    reply_id: int | None = None,
) -> Link:  # fmt: skip
    """Make a link by hand. A campaign gives it its tag where no other `utm_campaign` is named.

    Raises `Problem` for an address that no link may lead to, `NotHere` for a post, campaign or answer of others.
    """
    if not addresses.may_lead_to(target.strip()):
        raise Problem(_("A link leads to a whole https:// address on the internet, and not to another link of ours."))
    if (post and post.brand_id != brand.pk) or (campaign and campaign.brand_id != brand.pk):
        raise NotHere(_("That isn't here any more."))
    if reply_id and not Message.objects.filter(pk=reply_id, account__brand=brand, direction="out").exists():
        raise NotHere(_("That answer isn't here any more."))
    campaign = campaign or (post.campaign if post else None)
    link = Link.objects.create(
        brand=brand, code=shortening.free_code(), name=tidy(name).strip()[:120], target=addresses.plain(target),
        source=_tag(source), medium=_tag(medium), utm_campaign=_tag(utm_campaign) or (campaign.tag if campaign else ""),
        content=_tag(content), post=post, campaign=campaign, reply_id=reply_id, created_by_id=by.pk, created_at=at,
    )  # fmt: skip
    activity.record(
        activities.LINKED, on=link, brand=brand.pk, by=by.pk, at=at, code=link.code, link=str(link), target=link.target
    )
    return link


def _tag(text: str) -> str:
    return tidy(text).strip()[:100]


@transaction.atomic
def end(*, link: Link, by: User, at: datetime) -> None:
    """Let a link lead nowhere any more. Raises `Problem` when it doesn't already."""
    if not Link.objects.filter(pk=link.pk, ended_at__isnull=True).update(ended_at=at):
        raise Problem(_("Somebody has ended this link already."))
    activity.record(activities.UNLINKED, on=link, brand=link.brand_id, by=by.pk, at=at, code=link.code, link=str(link))


@transaction.atomic
def add_coupon(
    *, brand: Brand, code: str, by: User, at: datetime, link: Link | None = None, post: Post | None = None,
    campaign: Campaign | None = None,
) -> Coupon:  # fmt: skip
    """Say what orders with this code are owed to. Raises `Problem`."""
    causes = [one for one in (link, post, campaign) if one]
    if len(causes) != 1:
        raise Problem(_("Choose the one link, post or campaign that the coupon belongs to."))
    if causes[0].brand_id != brand.pk:
        raise NotHere(_("That isn't here any more."))
    coupon = Coupon(
        brand=brand, code=code.strip().upper(), link=link, post=post, campaign=campaign, created_by_id=by.pk,
        created_at=at,
    )  # fmt: skip
    try:
        coupon.clean_fields(exclude=["brand", "link", "post", "campaign"])
        with transaction.atomic():
            coupon.save()
    except ValidationError as error:
        raise Problem(" ".join(error.messages)) from None
    except IntegrityError:
        raise Problem(_("There is a coupon with this code already.")) from None
    activity.record(activities.COUPON_ADDED, on=coupon, brand=brand.pk, by=by.pk, at=at, code=coupon.code)
    return coupon


@transaction.atomic
def remove_coupon(*, coupon: Coupon, by: User, at: datetime) -> None:
    """What it has earned stays where it was attributed; orders to come are attributed by it no longer."""
    activity.record(activities.COUPON_REMOVED, on=coupon, brand=coupon.brand_id, by=by.pk, at=at, code=coupon.code)
    coupon.delete()


@transaction.atomic
def settle(
    *, brand: Brand, shortens: bool, shortens_answers: bool, adds_utm: bool, click_days: int, currency: str,
    has_pixel: bool, by: User, at: datetime,
) -> LinkSettings:  # fmt: skip
    """What the brand does with links from now on; what is laid out already stays. Raises `ValidationError`."""
    before = shortening.settings_of(brand.pk)
    settings = LinkSettings(
        brand=brand, shortens=shortens, shortens_answers=shortens_answers, adds_utm=adds_utm, click_days=click_days,
        currency=currency.strip().upper(),
        pixel_key=(before.pixel_key or secrets.token_urlsafe(16)) if has_pixel else "",
    )  # fmt: skip
    settings.full_clean(exclude=["brand"], validate_unique=False)
    kept = {name: getattr(settings, name) for name in (*SETTINGS, "pixel_key")}
    LinkSettings.objects.update_or_create(brand=brand, defaults=kept)
    activity.record(
        activities.LINKS_SETTLED, on=brand, brand=brand.pk, by=by.pk, at=at, shortens=shortens,
        shortens_answers=shortens_answers, adds_utm=adds_utm, click_days=click_days,
    )  # fmt: skip
    return settings
