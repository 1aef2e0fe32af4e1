"""Two records found to be one person become one, and can be taken apart again.

It stands here and not in the community because what moves with a person is their conversations.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.channels.models import Restriction
from tertulia.community import actions as community
from tertulia.community import activities
from tertulia.community.models import Joining, Member, MemberIdentity, Testimonial
from tertulia.core import activity
from tertulia.team.models import User

from .actions import Problem
from .models import Conversation

_FACTS = ("name", "email", "phone", "language", "about")


@transaction.atomic
def join(*, kept: Member, other: Member, by: User, at: datetime) -> Joining:
    """Move everything of `other` to `kept` and remember what moved. Raises `Problem` for a person and themselves."""
    if kept.pk == other.pk or kept.brand_id != other.brand_id:
        raise Problem(_("Choose two different people of this brand."))
    _hold(kept, other)
    links = MemberIdentity.objects.filter(member=other)
    conversations = Conversation.objects.filter(member=other)
    said = Testimonial.objects.filter(member=other)
    filled = [fact for fact in _FACTS if getattr(other, fact) and not getattr(kept, fact)]
    merged = {fact: getattr(other, fact) for fact in _FACTS} | {
        "id": other.pk,
        "first_seen_at": other.first_seen_at.isoformat(),
        "last_seen_at": other.last_seen_at.isoformat(),
        "identities": list(links.values_list("identity_id", flat=True)),
        "conversations": list(conversations.values_list("id", flat=True)),
        "testimonials": list(said.values_list("id", flat=True)),
        "filled": filled,
    }
    joining = Joining.objects.create(
        brand_id=kept.brand_id, kept=kept, merged=merged, why=_reason(kept, other), by_id=by.id, at=at
    )
    links.update(member=kept)
    _restrict_alike(kept, by=by, at=at)
    conversations.update(member=kept)
    said.update(member=kept)
    for fact in filled:
        setattr(kept, fact, getattr(other, fact))
    kept.first_seen_at = min(kept.first_seen_at, other.first_seen_at)
    kept.last_seen_at = max(kept.last_seen_at, other.last_seen_at)
    kept.save()
    Joining.objects.filter(kept=other).update(kept=kept)
    other.delete()
    activity.record(activities.JOINED, on=kept, brand=kept.brand_id, by=by.id, at=at, joining=joining.id)
    return joining


@transaction.atomic
def part(*, joining: Joining, by: User, at: datetime) -> Member:
    """Undo a joining: the other person comes back with what had been theirs. Raises `Problem` when done already."""
    joining = Joining.objects.select_for_update(of=("self",)).select_related("kept").get(pk=joining.pk)
    if joining.undone_at is not None:
        raise Problem(_("They have been taken apart already."))
    kept, merged = joining.kept, joining.merged
    other = Member.objects.create(
        brand_id=joining.brand_id,
        first_seen_at=datetime.fromisoformat(merged["first_seen_at"]),
        last_seen_at=datetime.fromisoformat(merged["last_seen_at"]),
        **{fact: merged[fact] for fact in _FACTS},
    )
    MemberIdentity.objects.filter(member=kept, identity__in=merged["identities"]).update(member=other)
    Conversation.objects.filter(member=kept, id__in=merged["conversations"]).update(member=other)
    Testimonial.objects.filter(member=kept, id__in=merged.get("testimonials", [])).update(member=other)
    for fact in merged["filled"]:
        if getattr(kept, fact) == merged[fact]:
            setattr(kept, fact, "")
    kept.save()
    joining.undone_at = at
    joining.save(update_fields=["undone_at"])
    activity.record(activities.PARTED, on=kept, brand=kept.brand_id, by=by.id, at=at, joining=joining.id)
    return other


def _restrict_alike(member: Member, *, by: User, at: datetime) -> None:
    """Whose data is restricted under one name, is under each."""
    restricted = Restriction.objects.filter(
        identity__in=MemberIdentity.objects.filter(member=member).values("identity")
    )
    if first := restricted.first():
        community.restrict(member=member, because=first.because, by=by, at=at)


def _hold(*people: Member) -> None:
    """Let nobody write meanwhile in the name of either: what came between the moving and the deleting would go with it.

    Conversations first, as an intake takes them. Raises `Problem` when one of them has been joined to somebody already.
    """
    list(Conversation.objects.select_for_update().filter(member__in=people).order_by("pk").values_list("pk"))
    held = Member.objects.select_for_update().filter(pk__in=[each.pk for each in people]).order_by("pk")
    if len(held) != len(people):
        raise Problem(_("Choose two different people of this brand."))


def _reason(kept: Member, other: Member) -> str:
    if kept.email and kept.email.lower() == other.email.lower():
        return "email"
    return "phone" if kept.phone and kept.phone == other.phone else "by hand"
