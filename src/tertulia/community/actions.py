"""What people do with the records of people."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.channels.models import Restriction
from tertulia.core import activity
from tertulia.team.models import User

from . import activities, testimonials
from .models import Consent, Member, MemberIdentity, Testimonial

FACTS = ["name", "email", "phone", "language", "about"]


class InUse(Exception):
    """It stands in posts or answers; the message is for the person who tried to remove it."""


@transaction.atomic
def change_member(*, member: Member, by: User, at: datetime) -> None:
    """Keep what a form has set on the record. The feed tells who corrected which of it, and when."""
    before = Member.objects.get(pk=member.pk)
    changed = [fact for fact in FACTS if getattr(before, fact) != getattr(member, fact)]
    member.save(update_fields=FACTS)
    activity.record(activities.CHANGED, on=member, brand=member.brand_id, by=by.id, at=at, fields=changed)


@transaction.atomic
def restrict(*, member: Member, because: str, by: User, at: datetime) -> None:
    """Keep what the person wrote and use it for nothing but answering them by hand (GDPR, Art. 18)."""
    Restriction.objects.bulk_create(
        [
            Restriction(identity_id=identity, because=because[:300], by_id=by.pk, at=at)
            for identity in MemberIdentity.objects.filter(member=member).values_list("identity", flat=True)
        ],
        ignore_conflicts=True,
    )
    activity.record(activities.RESTRICTED, on=member, brand=member.brand_id, by=by.pk, at=at)


@transaction.atomic
def lift_restriction(*, member: Member, by: User, at: datetime) -> None:
    """Let their data be used as before."""
    restricted = Restriction.objects.filter(
        identity__in=MemberIdentity.objects.filter(member=member).values("identity")
    )
    if restricted.delete()[0]:
        activity.record(activities.UNRESTRICTED, on=member, brand=member.brand_id, by=by.pk, at=at)


@transaction.atomic
def note_consent(
    *, member: Member, purpose: str, wording: str, source: str, given_at: datetime, by: User, at: datetime
) -> Consent:
    """Write down that a person agreed: to what, in which words, where and when."""
    consent = Consent.objects.create(
        member=member, purpose=purpose, wording=wording, source=source, given_at=given_at, by_id=by.pk, recorded_at=at
    )
    activity.record(activities.CONSENTED, on=member, brand=member.brand_id, by=by.pk, at=at, consent=consent.pk)
    return consent


@transaction.atomic
def withdraw_consent(*, consent: Consent, by: User, at: datetime) -> None:
    """They no longer agree; that they once did stays known. Done twice, the first stands."""
    live = Consent.objects.filter(pk=consent.pk, withdrawn_at=None)
    if live.update(withdrawn_at=at, withdrawn_by_id=by.pk):
        member = consent.member
        activity.record(activities.WITHDREW, on=member, brand=member.brand_id, by=by.pk, at=at, consent=consent.pk)


# What speaks for the brand.


@transaction.atomic
def keep_testimonial(*, testimonial: Testimonial, by: User, at: datetime) -> bool:
    """A new one, or one whose words, source … a form has changed. Tells whether its consent has to be asked for anew:
    who agreed, agreed to the words as they were. Signs and capitals alone may be put right."""
    before = Testimonial.objects.filter(pk=testimonial.pk).first() if testimonial.pk else None
    is_other = bool(
        before and before.consent == Testimonial.State.GIVEN
        and not testimonials.same_words(before.text, testimonial.text)
    )  # fmt: skip
    if is_other:
        testimonial.consent = Testimonial.State.UNASKED
    testimonial.save()
    what = activities.TESTIMONIAL_CHANGED if before else activities.TESTIMONIAL_ADDED
    activity.record(what, on=testimonial, brand=testimonial.brand_id, by=by.pk, at=at)
    return is_other


@transaction.atomic
def settle_consent(
    *, testimonial: Testimonial, consent: str, on: date | None, wording: str, until: date | None, by: User, at: datetime
) -> None:
    """Write down whether it may be quoted: since when, in which words or why nobody need be asked, and until when."""
    testimonial.consent, testimonial.consent_on = consent, on
    testimonial.consent_wording, testimonial.consent_until = wording, until
    testimonial.ended_at = None
    columns = ["consent", "consent_on", "consent_wording", "consent_until", "ended_at"]
    testimonial.save(update_fields=columns)
    activity.record(
        activities.TESTIMONIAL_CONSENT, on=testimonial, brand=testimonial.brand_id, by=by.pk, at=at, consent=consent
    )


@transaction.atomic
def remove_testimonial(*, testimonial: Testimonial, by: User, at: datetime) -> None:
    """Raises `InUse`: where it stands would be forgotten, and could not be told any more."""
    if testimonial.uses.exists():
        raise InUse(_("It is in use: write down that it may not be quoted any more, and it won't be."))
    activity.record(activities.TESTIMONIAL_REMOVED, on=testimonial, brand=testimonial.brand_id, by=by.pk, at=at)
    testimonial.delete()
