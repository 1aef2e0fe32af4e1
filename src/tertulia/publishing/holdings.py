"""What this room holds of people (`core.personal`)."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tertulia.channels.models import Delivery, Identity
from tertulia.community.models import Member
from tertulia.core.personal import MASK, Person, blanked, deleted, held, named, none

from . import mailing
from .models import (
    ApprovalDecision,
    ApprovalRequest,
    ApprovalRule,
    ApprovalStep,
    Attachment,
    BestHour,
    Click,
    Conversion,
    Coupon,
    DayKey,
    Draft,
    Evergreen,
    Experiment,
    Feed,
    GuestPass,
    Handle,
    Idea,
    Import,
    Imported,
    Initiative,
    Letter,
    Link,
    LinkChoice,
    LinkLook,
    LinkSettings,
    Media,
    Occurrence,
    OrderFile,
    Part,
    Pillar,
    PlannedDay,
    Post,
    Promise,
    Repetition,
    SavedPiece,
    Sending,
    Series,
    Settings,
    Slot,
    SpokenOf,
    Stop,
    Subscriber,
    Turn,
    Version,
)


def _subscribers(person: Person) -> QuerySet[Subscriber]:
    known = {*Identity.objects.filter(pk__in=person.identities).values_list("email", flat=True)}
    known |= {*Member.objects.filter(pk=person.member or 0).values_list("email", flat=True)}
    addresses = {each.lower() for each in known if each}
    return Subscriber.objects.filter(list__brand=person.brand, address__in=addresses)


def _letters(person: Person) -> QuerySet[Letter]:
    return Letter.objects.filter(subscriber__in=_subscribers(person))


def _forget_letters(rows: QuerySet[Letter], person: Person) -> None:
    sent = Delivery.objects.filter(pk__in=rows.values("delivery"))
    sent.exclude(state="sending").update(to={}, task={}, why="")


def _forget_subscribers(rows: QuerySet[Subscriber], person: Person) -> None:
    for subscriber in rows.select_related("list"):
        mailing.erase(subscriber=subscriber, by=None, at=person.at)


held(Letter, _("Letters of newsletters to them"), rows=_letters, erase=_forget_letters, without=("remote_id",))
held(
    Subscriber, _("Newsletters they are on"), rows=_subscribers, erase=_forget_subscribers, without=("token", "digest")
)
held(
    OrderFile,
    _("Lists of orders that wait to be taken over"),
    erase=deleted,
    rows=lambda p: OrderFile.objects.filter(_any("text", p), brand=p.brand),
)
held(
    SpokenOf,
    _("Campaigns and actions that their messages speak of"),
    erase=deleted,
    rows=lambda p: SpokenOf.objects.filter(message__in=p.messages),
)


def _any(column: str, person: Person) -> Q:
    found = Q(pk__in=[])
    for mark in person.marks:
        found |= Q(**{f"{column}__icontains": mark})
    return found


held(
    Click, _("Clicks on links in our answers to them"), rows=lambda p: Click.objects.filter(
        link__brand=p.brand, link__reply_id__in=p.messages),
    erase=blanked(referrer=""), without=("visitor",),
)  # fmt: skip
held(
    Link, _("Links in our answers to them"), rows=lambda p: Link.objects.filter(brand=p.brand, reply_id__in=p.messages),
    erase=blanked(reply_id=None),
)  # fmt: skip


def _save_order(order: Conversion, changed: list[str]) -> None:
    """Its number is unique, and stays so."""
    if "reference" in changed:
        order.reference = f"{MASK}{order.pk}"
    order.save(update_fields=changed)


named(
    Conversion,
    _("Orders and bookings"),
    "reference",
    "said",
    names=False,
    save=_save_order,
    within=lambda p: Conversion.objects.filter(brand=p.brand),
)
named(
    Link, _("Short links"), "name", "target", "source", "medium", "utm_campaign", "content", names=False,
    within=lambda p: Link.objects.filter(brand=p.brand),
)  # fmt: skip
named(
    Media,
    _("Pictures, whose they are and who allowed them"),
    "name",
    "alt",
    "credit",
    "permission",
    within=lambda p: Media.objects.filter(brand=p.brand),
)
named(Post, _("Posts"), "title", names=False, within=lambda p: Post.objects.filter(brand=p.brand))
named(Part, _("Texts of posts"), "text", names=False, within=lambda p: Part.objects.filter(post__brand=p.brand))
named(
    Attachment,
    _("Descriptions of pictures"),
    "alt",
    names=False,
    within=lambda p: Attachment.objects.filter(part__post__brand=p.brand),
)
named(Version, _("Texts of posts"), "hints", names=False, within=lambda p: Version.objects.filter(post__brand=p.brand))
named(Draft, _("Posts that were begun"), "written", names=False, within=lambda p: Draft.objects.filter(brand=p.brand))
named(
    ApprovalRequest,
    _("Requests for approval"),
    "said",
    names=False,
    within=lambda p: ApprovalRequest.objects.filter(post__brand=p.brand),
)
named(
    ApprovalDecision,
    _("Decisions on posts"),
    "comment",
    within=lambda p: ApprovalDecision.objects.filter(request__post__brand=p.brand),
)
named(ApprovalRule, _("Rules of approval"), "words", names=False, within=lambda p: ApprovalRule.objects.filter(
    brand=p.brand))  # fmt: skip
named(
    Experiment,
    _("Experiments"),
    "title",
    "hypothesis",
    "title_a",
    "title_b",
    "text_a",
    "text_b",
    "learned",
    within=lambda p: Experiment.objects.filter(brand=p.brand),
)
named(
    Initiative,
    _("Actions outside of the networks"),
    "title",
    "place",
    "notes",
    "words",
    "result",
    within=lambda p: Initiative.objects.filter(brand=p.brand),
)
named(Series, _("Posts that come back"), "title", "texts", names=False, within=lambda p: Series.objects.filter(
    brand=p.brand))  # fmt: skip
named(Stop, _("Why publishing was stopped"), "because", within=lambda p: Stop.objects.filter(brand=p.brand))
named(
    Import,
    _("Files of posts that were brought"),
    "name",
    "content",
    "problems",
    "notes",
    names=False,
    within=lambda p: Import.objects.filter(brand=p.brand),
)
named(LinkChoice, _("Addresses in posts"), "target", names=False, within=lambda p: LinkChoice.objects.filter(
    post__brand=p.brand))  # fmt: skip
named(Idea, _("Ideas"), "title", "brief", "because", "url", within=lambda p: Idea.objects.filter(brand=p.brand))
named(
    Handle,
    _("Whom posts may name"),
    "name",
    "folded",
    "addresses",
    drops=True,
    within=lambda p: Handle.objects.filter(brand=p.brand),
)
named(LinkLook, _("Addresses in posts"), "target", names=False, drops=True, within=lambda p: LinkLook.objects.filter(
    brand=p.brand))  # fmt: skip
named(SavedPiece, _("Saved pieces"), "title", "text", names=False, within=lambda p: SavedPiece.objects.filter(
    brand=p.brand))  # fmt: skip
none("People from outside who decide about posts; not who writes to the brand.", GuestPass, ApprovalStep,
     "publishing.ApprovalStep_users")  # fmt: skip
none("A visitor is told from others by a key of one day that is thrown away: nobody can be found in it.", DayKey)
none("The brand's plan and settings.", BestHour, Coupon, Evergreen, Feed, Imported, LinkSettings, Occurrence, Pillar,
     PlannedDay, Promise, Repetition, Sending, Settings, Slot, Turn)  # fmt: skip
