"""The calendar as other calendars read it (RFC 5545), under an address that only its owner knows."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.db import transaction
from django.urls import reverse

from tertulia.brand.models import Brand
from tertulia.core import activity
from tertulia.team.models import Membership, User

from . import activities, initiatives, queries
from .models import Feed, Initiative, Post

LOOKS_BACK, LOOKS_AHEAD = timedelta(days=90), timedelta(days=400)
MOST = 5_000
"""Of each kind."""
LONGEST_TEXT = 1_000
_WIDTH = 75
"""Octets of a line."""


@transaction.atomic
def open_feed(*, brand: Brand, by: User, at: datetime) -> str:
    """The secret part of a new address, which nobody can be told again; the address before opens nothing any more."""
    token = secrets.token_urlsafe(32)
    feed, _is_new = Feed.objects.update_or_create(
        user=by, brand=brand, defaults={"token_hash": _hash(token), "created_at": at}
    )
    activity.record(activities.SUBSCRIBED, on=feed, brand=brand.pk, by=by.pk, at=at)
    return token


@transaction.atomic
def close_feed(*, brand: Brand, by: User, at: datetime) -> None:
    for feed in Feed.objects.filter(user=by, brand=brand):
        activity.record(activities.UNSUBSCRIBED, on=feed, brand=brand.pk, by=by.pk, at=at)
        feed.delete()


def found(token: str) -> Feed | None:
    """Whose address this is, as long as they may read the brand's calendar."""
    feed = Feed.objects.filter(token_hash=_hash(token)).select_related("brand", "user").first()
    place = feed and Membership.objects.filter(user=feed.user_id, brand=feed.brand_id).select_related("user").first()
    return feed if place and place.may("publishing.read") else None


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


# What it says.


def written(brand: Brand, *, home: str, at: datetime) -> bytes:
    """The calendar of a brand; `home` is the address of this house. The same calendar is the same to the byte."""
    posts = list(
        queries.whole(brand).filter(publish_at__gte=at - LOOKS_BACK, publish_at__lt=at + LOOKS_AHEAD)
        .order_by("publish_at", "pk")[:MOST]
    )  # fmt: skip
    today = at.astimezone(ZoneInfo(brand.time_zone)).date()
    some = initiatives.between(brand, today - LOOKS_BACK, today + LOOKS_AHEAD)[:MOST]
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tertulia//Calendar//ES", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(brand.name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
        *_posts(brand, posts, home), *_initiatives(brand, some, home), "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line)).encode()


def _posts(brand: Brand, posts: list[Post], home: str) -> Iterator[str]:
    standings, names = queries.standings(posts), queries.account_names(posts)
    for post in posts:
        state = Post.State(standings[post.pk].state)
        text = next((part.text for part in post.parts.all()), "")
        about = [str(state.label), ", ".join(names.get(post.pk, [])), text[:LONGEST_TEXT]]
        status = {Post.State.DRAFT: "TENTATIVE", Post.State.CANCELLED: "CANCELLED"}.get(state, "CONFIRMED")
        yield "BEGIN:VEVENT"
        yield f"UID:post-{post.pk}@{brand.slug}.tertulia"
        yield f"DTSTAMP:{_moment(post.changed_at)}"
        yield f"LAST-MODIFIED:{_moment(post.changed_at)}"
        yield f"DTSTART:{_moment(post.publish_at or post.changed_at)}"
        yield f"SUMMARY:{_escaped(f'{post.title} ({state.label})')}"
        yield f"DESCRIPTION:{_escaped(chr(10).join(filter(None, about)))}"
        yield f"STATUS:{status}"
        yield "TRANSP:TRANSPARENT"
        yield f"URL:{home}{reverse('publishing:post', args=[brand.slug, post.pk])}"
        yield "END:VEVENT"


def _initiatives(brand: Brand, some: Iterable[Initiative], home: str) -> Iterator[str]:
    for one in some:
        kind = str(Initiative.Kind(one.kind).label)
        yield "BEGIN:VEVENT"
        yield f"UID:action-{one.pk}@{brand.slug}.tertulia"
        yield f"DTSTAMP:{_moment(one.changed_at)}"
        yield f"LAST-MODIFIED:{_moment(one.changed_at)}"
        yield f"DTSTART;VALUE=DATE:{_date(one.starts_on)}"
        yield f"DTEND;VALUE=DATE:{_date(one.ends_on + timedelta(days=1))}"  # the first day after it
        yield f"SUMMARY:{_escaped(f'{one.title} ({kind})')}"
        if one.place:
            yield f"LOCATION:{_escaped(one.place)}"
        if one.notes:
            yield f"DESCRIPTION:{_escaped(one.notes[:LONGEST_TEXT])}"
        yield "STATUS:CONFIRMED"
        yield "TRANSP:TRANSPARENT"
        yield f"URL:{home}{reverse('publishing:initiative', args=[brand.slug, one.pk])}"
        yield "END:VEVENT"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _date(on: date) -> str:
    return f"{on:%Y%m%d}"


def _escaped(text: str) -> str:
    """A text as a value: no bare comma, semicolon, backslash or line break in it, and no controls."""
    for sign, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\n"), ("\r", "\n"), ("\n", "\\n")):
        text = text.replace(sign, written)
    return "".join(sign for sign in text if sign == "\t" or sign >= " " and sign != "\x7f")


def _folded(line: str) -> Iterator[str]:
    """Lines of 75 octets at most, no letter cut in two; each but the first begins with a blank."""
    part: list[str] = []
    size, start = 0, ""
    for sign in line:
        width = len(sign.encode())
        if size + width > _WIDTH - len(start):
            yield start + "".join(part)
            part, size, start = [], 0, " "
        part.append(sign)
        size += width
    yield start + "".join(part)
