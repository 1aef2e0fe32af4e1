"""The people who write to the brand."""

from __future__ import annotations

from ninja import Path, Query, Router

from tertulia.community import queries
from tertulia.community.models import Member, MemberIdentity

from .. import paging
from ..access import Call, door
from ..errors import not_found
from .shapes import Id, IdentityShape, Page, PeopleParameters, PersonDetailShape, PersonShape

router = Router(tags=["People"])
MAX_IDENTITIES = 100


@router.get("/people", response=Page[PersonShape], **door("people:read", "people.read"))
def people(request: Call, filters: Query[PeopleParameters]) -> Page[PersonShape]:
    """The brand's people, those who wrote last first. `q` finds by part of a name, an e-mail, a phone or
    a name on a network, whatever its accents and capitals."""
    if filters.after:
        paging.read(filters.after)
    page = queries.people(request.auth.brand, q=filters.q.strip(), after=filters.after, limit=filters.limit)
    return Page[PersonShape](items=[_person(member) for member in page.members], next=page.after or None)


@router.get("/people/{int:person_id}", response=PersonDetailShape, **door("people:read", "people.read"))
def person(request: Call, person_id: Path[Id]) -> PersonDetailShape:
    """One person, with who they are on each channel. 404 for another brand's."""
    member = Member.objects.filter(brand=request.auth.brand, pk=person_id).first()
    if member is None:
        raise not_found()
    links = MemberIdentity.objects.filter(member=member).select_related("identity__account").order_by("id")
    return PersonDetailShape(
        **_person(member).model_dump(),
        about=member.about,
        identities=[_identity(link) for link in links[:MAX_IDENTITIES]],
    )


def _person(member: Member) -> PersonShape:
    return PersonShape(
        id=member.id, name=member.name, email=member.email, phone=member.phone, language=member.language,
        first_seen_at=member.first_seen_at, last_seen_at=member.last_seen_at,
    )  # fmt: skip


def _identity(link: MemberIdentity) -> IdentityShape:
    identity = link.identity
    return IdentityShape(
        channel_id=identity.account_id, channel=identity.account.kind, name=identity.name, handle=identity.handle,
        is_verified=link.is_verified,
    )  # fmt: skip
