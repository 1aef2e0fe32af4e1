"""Who is behind an identity: everybody who writes is some member, made at their first word."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tertulia.channels.models import Identity
from tertulia.core import bulk

from .models import Member, MemberIdentity


def recognise(identities: Iterable[Identity], *, brand_id: int, at: datetime) -> dict[int, Member]:
    """The member of each identity by the identity's id; new ones are made.

    Nobody is joined by their own word: an address typed into a form is no proof. `actions.join` does that by hand.
    """
    wanted = {identity.id: identity for identity in identities}
    links = bulk.find(MemberIdentity, "identity_id", [id for id, identity in wanted.items() if not identity.is_new])
    known = {member.id: member for member in bulk.find(Member, "id", {link.member_id for link in links})}
    members = {link.identity_id: known[link.member_id] for link in links}
    strangers = [identity for id, identity in wanted.items() if id not in members]
    fresh = [
        bulk.new(
            Member,
            brand_id=brand_id,
            name=identity.name or identity.handle,
            email=identity.email,
            phone=identity.phone,
            language=identity.language,
            first_seen_at=at,
            last_seen_at=at,
        )
        for identity in strangers
    ]
    bulk.insert(fresh)
    bulk.add(
        [
            bulk.new(MemberIdentity, identity_id=identity.pk, member_id=member.pk)
            for identity, member in zip(strangers, fresh, strict=True)
        ]
    )
    return members | {identity.id: member for identity, member in zip(strangers, fresh, strict=True)}


def learn(identities: Iterable[Identity], members: dict[int, Member], *, at: datetime) -> list[Member]:
    """Fill what we did not know of these members from their identities, and note that they were seen.

    Returns the members who can be called by something new, so that lists can show it.
    """
    named = []
    bulk.raise_to(Member, {row.id for row in members.values() if row.last_seen_at < at}, "last_seen_at", at)
    for identity in identities:
        member = members[identity.id]
        news = {
            field: fact
            for field, fact in (
                ("name", identity.name or identity.handle),
                ("email", identity.email),
                ("phone", identity.phone),
                ("language", identity.language),
            )
            if fact and not getattr(member, field)
        }
        if "name" in news or ("email" in news and not member.name):
            named.append(member)
        for field, fact in news.items():
            setattr(member, field, fact)
        member.last_seen_at = max(member.last_seen_at, at)
        if news:
            member.save(update_fields=news)
    return named
