"""What this room holds of people (`core.personal`)."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tertulia.core.personal import Person, blanked, deleted, held, named

from .models import (
    Consent,
    DataRequest,
    Erasure,
    Export,
    Joining,
    Member,
    MemberIdentity,
    Testimonial,
    TestimonialUse,
)


def testimonials(person: Person) -> QuerySet[Testimonial]:
    """What they say of the brand. Where only messages are too old, what they agreed to stays: it has a time of its
    own."""
    if person.member is None:
        kept = [Testimonial.State.GIVEN, Testimonial.State.UNNEEDED]
        return Testimonial.objects.filter(message__in=person.messages).exclude(consent__in=kept)
    return Testimonial.objects.filter(Q(member=person.member) | Q(message__in=person.messages), brand=person.brand)


def _uses(person: Person) -> QuerySet[TestimonialUse]:
    """Of theirs, and of others' in answers to them."""
    return TestimonialUse.objects.filter(Q(testimonial__in=testimonials(person)) | Q(message__in=person.messages))


held(
    Member, _("Their record"), rows=lambda p: Member.objects.filter(pk=p.member or 0),
    erase=blanked(name="", email="", phone="", language="", about=""),
)  # fmt: skip
held(
    MemberIdentity,
    _("Which channels they are known from"),
    erase=deleted,
    rows=lambda p: MemberIdentity.objects.filter(identity__in=p.identities),
)
held(
    Joining,
    _("Records that were joined to theirs"),
    erase=deleted,
    rows=lambda p: Joining.objects.filter(kept=p.member),
)
held(Consent, _("What they agreed to"), erase=deleted, rows=lambda p: Consent.objects.filter(member=p.member))
held(TestimonialUse, _("Where what they say of us was quoted"), rows=_uses, erase=deleted)
held(Testimonial, _("What they say of us, and whether it may be quoted"), rows=testimonials, erase=deleted)
held(
    Export, _("Copies of their data that were made"), erase=deleted, without=("content",),
    rows=lambda p: Export.objects.filter(member=p.member),
)  # fmt: skip
held(
    DataRequest,
    _("What was asked about their data"),
    erase=blanked(about="", outcome=""),
    rows=lambda p: DataRequest.objects.filter(member=p.member),
)
named(
    DataRequest, _("What was asked about data of others"), "about", "outcome",
    within=lambda p: DataRequest.objects.filter(brand=p.brand).exclude(member=p.member),
)  # fmt: skip
held(Erasure, _("That they were erased"), rows=lambda p: Erasure.objects.filter(member=p.member), erase=blanked(why=""))
named(
    Member, _("What we know of others"), "about",
    within=lambda p: Member.objects.filter(brand=p.brand).exclude(pk=p.member or 0),
)  # fmt: skip
named(
    Joining,
    _("Records that were joined"),
    "merged",
    names=False,
    within=lambda p: Joining.objects.filter(brand=p.brand),
)
named(Consent, _("What others agreed to"), "wording", names=False, within=lambda p: Consent.objects.filter(
    member__brand=p.brand))  # fmt: skip
named(
    Testimonial,
    _("What others say of us"),
    "text",
    "said_by",
    "source",
    "consent_wording",
    within=lambda p: Testimonial.objects.filter(brand=p.brand).exclude(pk__in=testimonials(p)),
)
named(TestimonialUse, _("Where it was quoted"), "title", "source", "consent", names=False, within=lambda p: (
    TestimonialUse.objects.filter(testimonial__brand=p.brand)))  # fmt: skip
