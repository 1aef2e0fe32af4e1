"""Reading people: the list, one person with the ways to reach them, and who may be the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q

from tertulia.brand.models import Brand
from tertulia.channels.models import Identity, Restriction
from tertulia.core.unaccented import unaccented

from . import testimonials as said
from .models import Erasure, Joining, Member, MemberIdentity, Testimonial

PAGE = 50
LIKE_LIMIT = 5


@dataclass(frozen=True, slots=True)
class People:
    """`after` is the cursor of the next page, empty at the end."""

    members: list[Member]
    after: str = ""


def people(brand: Brand, *, q: str = "", after: str = "", limit: int = PAGE) -> People:
    """The brand's people, last seen first. A cursor that makes no sense starts at the top.

    `q` is part of a name, an address or a number, or what they are called on a network, with or without its @: of
    those that are known of them anywhere, whatever their accents and capitals.
    """
    rows = Member.objects.filter(brand=brand, erasure__isnull=True)
    if q:
        known = MemberIdentity.objects.filter(_called(q, "identity__"), member__brand=brand)
        rows = rows.filter(_called(q) | Q(pk__in=known.values("member")))
    moment, _dot, id = after.partition("-")
    if moment.isdecimal() and id.isdecimal() and len(moment) < 18 and len(id) < 19:
        seconds, micros = divmod(int(moment), 1_000_000)
        seen = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
        rows = rows.filter(Q(last_seen_at__lt=seen) | Q(last_seen_at=seen, id__lt=int(id)))
    found = list(rows.order_by("-last_seen_at", "-id")[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    return People(found[:limit], f"{int(last.last_seen_at.timestamp() * 1_000_000)}-{last.id}" if last else "")


def _called(q: str, of: str = "") -> Q:
    words = unaccented(q)
    wanted = Q(**{f"{of}name__unaccented__contains": words}) | Q(**{f"{of}email__unaccented__contains": words})
    digits = "".join(sign for sign in q if sign.isdigit())
    if len(digits) > 3:
        wanted |= Q(**{f"{of}phone__contains": digits})
    if of and (handle := words.removeprefix("@")):
        wanted |= Q(**{f"{of}handle__unaccented__contains": handle}) | Q(**{f"{of}remote_id": q})
    return wanted


def identities(member: Member) -> list[Identity]:
    """Everywhere we know them from."""
    links = (
        MemberIdentity.objects.filter(member=member)
        .select_related("identity__account", "identity__restriction")
        .order_by("id")
    )
    return [link.identity for link in links]


def look_alikes(member: Member, *, limit: int = LIKE_LIMIT) -> Sequence[Member]:
    """Other people of the brand with the same address or number: perhaps the same person, for somebody to decide."""
    same = Q()
    if member.email:
        same |= Q(email__iexact=member.email)
    if member.phone:
        same |= Q(phone=member.phone)
    if not same:
        return []
    return list(
        Member.objects.filter(same, brand=member.brand_id).exclude(pk=member.pk).order_by("-last_seen_at")[:limit]
    )


def erased_at(member: Member) -> datetime | None:
    """Since when nothing of the person is kept any more, or is being erased."""
    return Erasure.objects.filter(member=member).values_list("at", flat=True).first()


def is_restricted(member: Member) -> bool:
    """Whether what they wrote is used for nothing but answering them by hand."""
    return Restriction.objects.filter(
        identity__in=MemberIdentity.objects.filter(member=member).values("identity")
    ).exists()


def joinings(member: Member) -> list[Joining]:
    """Who was joined to this person and can still be taken apart."""
    return list(Joining.objects.filter(kept=member, undone_at__isnull=True).order_by("-at"))


def kept_testimonials(brand: Brand, *, q: str = "", limit: int = PAGE + 1) -> list[Testimonial]:
    """What is said of the brand, newest first; `q` is part of the words, or of who said them."""
    found = said.of(brand.pk)
    if q:
        words = unaccented(q)
        found = found.filter(Q(text__unaccented__contains=words) | Q(said_by__unaccented__contains=words))
    return list(found[:limit])
