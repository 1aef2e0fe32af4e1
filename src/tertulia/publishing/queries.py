"""Reading posts: which there are, and how far each has come."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import reduce
from itertools import takewhile
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    Count,
    Exists,
    Expression,
    F,
    Func,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils.translation import ngettext

from tertulia.brand import activities as brand_activities
from tertulia.brand.models import Brand
from tertulia.channels import abilities
from tertulia.channels.models import LETTER, POSTING, Account, Delivery
from tertulia.community.models import Testimonial, TestimonialUse
from tertulia.connectors import registry
from tertulia.core import bulk
from tertulia.core.models import Activity
from tertulia.core.unaccented import unaccented

from . import activities
from .models import ApprovalRequest, Attachment, Media, Part, Post, Sending, Settings, Share, Stop, Version

State = Post.State
OPEN = frozenset({"", State.SCHEDULED, State.MISSED, State.FAILED})
"""How an account stands on which nothing of a post has begun to leave: there it can still be changed and moved."""
ENDING = timedelta(days=14)
"""So long before their end rights are among those that end soon."""
LATE = timedelta(minutes=1)
"""So long after its moment a post is late: of those one leaves at a time, on each account."""
CATCH_UP = timedelta(minutes=15)
"""Between a late post and the next one of the same account: networks take a burst for spam."""


def posts(brand: Brand) -> QuerySet[Post]:
    """The posts of a brand, what was last changed first."""
    return Post.objects.filter(brand=brand).order_by("-changed_at", "-pk")


def quoting(testimonials: Iterable[Testimonial]) -> QuerySet[Post]:
    """The posts that quote one of these, as they stand now."""
    uses = TestimonialUse.objects.filter(testimonial__in=testimonials, post_id=OuterRef("pk"))
    return Post.objects.filter(Exists(uses.filter(revision=OuterRef("revision")))).order_by("pk")


def between(brand: Brand, since: datetime, until: datetime) -> QuerySet[Post]:
    """The posts of a brand with a time from `since` on and before `until`, in their order."""
    planned = Post.objects.filter(brand=brand, publish_at__gte=since, publish_at__lt=until)
    return planned.order_by("publish_at", "pk")


def place_among(field: str, starts: Sequence[datetime]) -> Expression:
    """Which of these stretches a moment is in, the first one being 0, from whose start on it is: found in the database,
    since reading thousands of moments takes longer than counting them."""
    if connection.vendor == "postgresql":
        return Func(F(field), Value(list(starts)), function="width_bucket", output_field=IntegerField()) - 1
    return _halved(field, starts, first=0)


def bare(rows: QuerySet[Any, Any], inside: str = "{rows}") -> list[tuple[Any, ...]]:
    """The rows as the driver gives them (SQLite: an expression's moment as text): to ask of each of thousands what it
    is takes the ORM longer than the database takes to find them. `inside`: a statement that holds theirs."""
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(inside.format(rows=sql), params)
        return list(cursor.fetchall())


def _halved(field: str, starts: Sequence[datetime], *, first: int) -> Expression:
    if len(starts) == 1:
        return Value(first, output_field=IntegerField())
    half = len(starts) // 2
    return Case(
        When(**{f"{field}__lt": starts[half]}, then=_halved(field, starts[:half], first=first)),
        default=_halved(field, starts[half:], first=first + half),
    )


def planned_first() -> Expression:
    """An order in which what has a time comes before what has none."""
    return Case(When(publish_at__isnull=True, then=1), default=0)


def is_model(post: Post) -> bool:
    """Whether others are made after it: then it is never published itself."""
    return bool(models([post]))


def models(posts: Iterable[Post]) -> set[int]:
    """Those of them that others are made after."""
    mine = Post.objects.filter(pk__in=[post.pk for post in posts])
    return set(mine.filter(Q(series__isnull=False) | Q(evergreen__isnull=False)).values_list("pk", flat=True))


def whole(brand: Brand) -> QuerySet[Post]:
    """Posts with their parts, pictures, versions and accounts, for a page that shows one."""
    parts = Part.objects.order_by("number").prefetch_related("attachments__media")
    versions = Version.objects.select_related("account").defer("account__secrets").order_by("account__name", "pk")
    mine = Post.objects.filter(brand=brand).select_related("campaign", "share")
    return mine.prefetch_related(Prefetch("parts", parts), Prefetch("versions", versions))


def accounts(brand: Brand) -> list[Account]:
    """Those of a brand's accounts where something can be published."""
    able = [key for key, connector in registry.all_connectors().items() if connector.capabilities.publishes]
    return list(Account.objects.filter(brand=brand, kind__in=able).defer("secrets").order_by("name", "pk"))


def of_brand(brand: Brand) -> QuerySet[Account]:
    return Account.objects.filter(brand=brand).defer("secrets").order_by("name", "pk")


def pictures(brand: Brand) -> QuerySet[Media]:
    """The brand's library, newest first."""
    return Media.objects.filter(brand=brand).select_related("share").order_by("-created_at", "-pk")


SHELVES = ("unused", "undescribed", "ending", "ended", "customers", "unallowed", "allowed")
SHELF = 60
"""Pictures on one page."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of the library, and the number of the picture before which the next one begins."""

    media: Sequence[Media]
    next: int | None


def shelf(
    brand: Brand, *, today: date, q: str = "", which: str = "", before: int | None = None, most: int = SHELF
) -> Shelf:  # fmt: skip
    """The brand's pictures, newest first: those whose name, description or owner says `q`, and of one sort."""
    found = said_in(Media.objects.filter(brand=brand).select_related("share").order_by("-pk"), q)
    if which == "unused":
        found = found.filter(~Exists(Attachment.objects.filter(media=OuterRef("pk"))))
    elif which == "undescribed":
        found = found.filter(alt="")
    elif which == "ending":
        found = found.filter(rights_until__gte=today, rights_until__lt=today + ENDING)
    elif which == "ended":
        found = found.filter(rights_until__lt=today)
    elif which == "customers":
        found = found.filter(is_customers=True)
    elif which in {"unallowed", "allowed"}:
        is_allowed = which == "allowed"
        states = [state for state in Share.State if (state in Share.ALLOWED) is is_allowed]
        noted = ~Q(permission="") if is_allowed else Q(permission="")
        found = found.filter(Q(share__state__in=states) | Q(noted, share__isnull=True, is_customers=True))
    if before:
        found = found.filter(pk__lt=before)
    media = list(found[: most + 1])
    return Shelf(media[:most], media[most - 1].pk if len(media) > most else None)


def said_in(media: QuerySet[Media], q: str) -> QuerySet[Media]:
    """Those whose name, description or owner says each word of `q`."""
    for word in unaccented(q).split()[:10]:
        said = (Q(**{f"{name}__unaccented__contains": word}) for name in ("name", "alt", "credit"))
        media = media.filter(reduce(or_, said))
    return media


def uses(media: Media) -> QuerySet[Post]:
    """The posts that show a picture, the newest first."""
    showing = Attachment.objects.filter(media=media).values("part__post")
    return Post.objects.filter(brand=media.brand_id, pk__in=showing).order_by("-changed_at", "-pk")


def account_names(posts: Iterable[Post]) -> dict[int, list[str]]:
    """By post, the names of the accounts it is for."""
    names: dict[int, list[str]] = defaultdict(list)
    mine = Version.objects.filter(post__in=[post.pk for post in posts]).order_by("account__name", "pk")
    for post, name in mine.values_list("post", "account__name"):
        names[post].append(name)
    return names


def stopped(brand: Brand) -> Stop | None:
    return Stop.objects.filter(brand=brand).first()


def left_behind(brand: Brand, *, at: datetime) -> list[Post]:
    """Posts to come that go by a time zone which the brand had before, in their order; empty once somebody has decided
    about them."""
    others = Post.objects.filter(brand=brand, publish_at__gt=at, cancelled_at__isnull=True)
    others = others.exclude(zone=brand.time_zone)
    if not others.exists():
        return []
    told = Activity.objects.filter(on_kind=Brand._meta.label_lower, on_id=brand.pk).order_by("-pk")
    told = told.filter(type__in=[activities.ZONE_SETTLED, brand_activities.CHANGED])
    since = takewhile(lambda line: line.type != activities.ZONE_SETTLED, told.iterator(chunk_size=50))
    zones = {line.data["zone_before"] for line in since if "zone_before" in line.data}
    return list(others.filter(zone__in=zones).order_by("publish_at", "pk")) if zones else []


def grace(brand_id: int) -> timedelta:
    """How late a post of the brand may leave without anybody being asked."""
    minutes = Settings.objects.filter(brand=brand_id).values_list("grace_minutes", flat=True).first()
    return timedelta(minutes=minutes or Settings._meta.get_field("grace_minutes").default)


# How far they have come.


WAITING_FOR_PEOPLE = (Delivery.State.MISSED, Delivery.State.REFUSED, Delivery.State.UNKNOWN, Delivery.State.BY_HAND)


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of a version on its way: its delivery, and what has become of it on the network."""

    is_deleted: bool
    number: int
    delivery: int
    state: str
    attempts: int
    why: str
    url: str
    finished_at: datetime | None
    revision: int
    planned_at: datetime | None
    due_at: datetime
    task: Delivery | None = None
    """What somebody has to see in order to settle it, where it waits for that."""

    @property
    def is_catching_up(self) -> bool:
        """It is late and was put off."""
        is_late = self.planned_at is not None and self.due_at > self.planned_at + LATE
        return is_late and self.state == Delivery.State.QUEUED and not self.attempts


@dataclass(slots=True)
class Standing:
    """How far a post has come, as a whole and on each account, by its version. "" on an account: not scheduled."""

    state: str
    versions: dict[int, str] = field(default_factory=dict)
    legs: dict[int, list[Leg]] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Something of it can still be made to leave."""
        return not self.versions or any(state in OPEN for state in self.versions.values())


def standings(posts: Iterable[Post]) -> dict[int, Standing]:
    """By post, in three statements for any number of them."""
    by_id = {post.pk: post for post in posts}
    legs: dict[int, list[Leg]] = defaultdict(list)
    on_the_way = Sending.objects.filter(version__post__in=by_id, remote__deliveries__act__in=POSTING)
    rows: Iterable[tuple[Any, ...]] = on_the_way.order_by("number").values_list(
        "version", "remote__deleted_at", "number", "remote__deliveries", "remote__deliveries__state",
        "remote__deliveries__attempts", "remote__deliveries__why", "remote__url", "remote__deliveries__finished_at",
        "revision", "remote__deliveries__planned_at", "remote__deliveries__due_at",
    )  # fmt: skip
    for version, deleted_at, *leg in rows:
        legs[version].append(Leg(deleted_at is not None, *leg))
    found = {id: Standing("", {}, {}) for id in by_id}
    for one in bulk.find(Version, "post_id", by_id, without=("hints", "seed")):
        found[one.post_id].versions[one.pk] = _version_state(legs.get(one.pk, []))
        found[one.post_id].legs[one.pk] = legs.get(one.pk, [])
    for id, standing in found.items():
        standing.state = _post_state(list(standing.versions.values()), is_cancelled=by_id[id].cancelled_at is not None)
    drafts = {id: by_id[id].revision for id, standing in found.items() if standing.state == State.DRAFT}
    for id, outcome in _approvals(drafts):
        found[id].state = _ASKED.get(outcome, State.DRAFT)
    return found


_ASKED = {"": State.APPROVAL, "changes": State.CHANGES, "approved": State.APPROVED}


def _approvals(revisions: Mapping[int, int]) -> Iterator[tuple[int, str]]:
    """Of each post whose present words somebody asked to be approved, how that stands: the newest request last."""
    if not revisions:
        return
    asked = ApprovalRequest.objects.filter(post__in=revisions).order_by("pk")
    for post, revision, outcome in asked.values_list("post", "revision", "outcome"):
        if revisions[post] == revision:
            yield post, outcome


_CARRIED: Mapping[str, frozenset[str]] = {
    State.SCHEDULED: frozenset({Delivery.State.QUEUED}),
    State.PUBLISHING: frozenset({Delivery.State.QUEUED, Delivery.State.WAITING, Delivery.State.SENDING}),
    State.PUBLISHED: frozenset({Delivery.State.SENT}),
    State.PARTLY: frozenset({Delivery.State.SENT}),
    State.DELETED: frozenset({Delivery.State.SENT}),
    State.MISSED: frozenset({Delivery.State.MISSED}),
    State.FAILED: frozenset({Delivery.State.REFUSED}),
    State.UNKNOWN: frozenset({Delivery.State.UNKNOWN}),
    State.BY_HAND: frozenset({Delivery.State.BY_HAND}),
}
"""What every post in a state has among its deliveries; those that have none of the others are drafts or cancelled."""
_BEGUN = frozenset(Delivery.State) - {Delivery.State.CANCELLED}


def nearly(posts: QuerySet[Post], *states: str) -> QuerySet[Post]:
    """All that stand in one of these states, and few others, as near as the database tells it: `standings` looks
    closer."""
    near = Q()
    for carried, is_cancelled in dict.fromkeys((_CARRIED.get(one), one == State.CANCELLED) for one in states):
        carries = Exists(
            Sending.objects.filter(
                version__post=OuterRef("pk"), remote__deliveries__act__in=POSTING,
                remote__deliveries__state__in=carried or _BEGUN,
            )
        )  # fmt: skip
        near |= Q(carries) if carried else Q(~carries, cancelled_at__isnull=not is_cancelled)
    return posts.filter(near)


def all_legs(standing: Standing) -> list[Leg]:
    return [leg for legs in standing.legs.values() for leg in legs]


def tasks(standing: Standing) -> dict[int, Delivery]:
    """By its id, each delivery that waits for somebody, with the `draft` of what it says: as it leaves, with the links
    that count."""
    ids = [leg.delivery for leg in all_legs(standing) if leg.state in WAITING_FOR_PEOPLE]
    return Delivery.objects.select_related("post").in_bulk(ids) if ids else {}


def standing(post: Post) -> Standing:
    return standings([post])[post.pk]


_TROUBLE = (
    (Delivery.State.UNKNOWN, State.UNKNOWN),
    (Delivery.State.MISSED, State.MISSED),
    (Delivery.State.REFUSED, State.FAILED),
    (Delivery.State.BY_HAND, State.BY_HAND),
)
_ALONE = (State.UNKNOWN, State.MISSED, State.FAILED, State.BY_HAND, State.SCHEDULED)


def _version_state(legs: Sequence[Leg]) -> str:
    legs = [leg for leg in legs if leg.state != Delivery.State.CANCELLED]
    states = {leg.state for leg in legs}
    if not states:
        return ""
    if states == {Delivery.State.SENT}:
        return State.DELETED if all(leg.is_deleted for leg in legs) else State.PUBLISHED
    has_begun = Delivery.State.SENT in states
    for ended, meaning in _TROUBLE:
        if ended in states:
            return State.PARTLY if has_begun and meaning not in {State.UNKNOWN, State.BY_HAND} else meaning
    is_tried = has_begun or Delivery.State.SENDING in states or any(leg.attempts for leg in legs)
    return State.PUBLISHING if is_tried else State.SCHEDULED


def _post_state(versions: Sequence[str], *, is_cancelled: bool) -> str:
    states = set(versions)
    if not states - {""}:
        return State.CANCELLED if is_cancelled else State.DRAFT
    if State.PUBLISHING in states:
        return State.PUBLISHING
    if states <= {State.PUBLISHED, State.DELETED}:
        return State.DELETED if states == {State.DELETED} else State.PUBLISHED
    if states & {State.PUBLISHED, State.PARTLY, State.DELETED}:
        return State.PUBLISHING if State.SCHEDULED in states else State.PARTLY
    return next(state for state in _ALONE if state in states)


def waiting_for_people(brand: Brand) -> QuerySet[Delivery]:
    """What is to be published, or to be deleted again, and doesn't go on without somebody."""
    return deliveries(brand).filter(state__in=WAITING_FOR_PEOPLE).order_by("due_at", "pk")


def deletions_of(post: Post) -> QuerySet[Delivery]:
    """What was to delete it again, and doesn't go on without somebody."""
    mine = Sending.objects.filter(version__post=post).values("remote")
    return waiting_for_people(post.brand).filter(act="delete", post__in=mine)


def deliveries(brand: Brand) -> QuerySet[Delivery]:
    """What publishes the brand's posts, or deletes them again; a newsletter's letters aren't told one by one."""
    mine = Delivery.objects.filter(account__brand=brand, post__isnull=False).exclude(act=LETTER)
    return mine.select_related("account", "post").defer("account__secrets")


def posts_of(deliveries: Iterable[Delivery]) -> dict[int, Post]:
    """By the `RemotePost` of each delivery, the post it belongs to."""
    sendings = Sending.objects.filter(remote__in=[row.post_id for row in deliveries]).select_related("version__post")
    return {sending.remote_id: sending.version.post for sending in sendings}


def held(brand: Brand) -> int:
    """How many posts and parts of posts are on their way or planned: what a stop holds."""
    return Delivery.objects.filter(_queued(brand)).count()


def scheduled() -> QuerySet[Post]:
    """Of all brands, the posts of which something is still to begin."""
    waiting = Post.objects.filter(versions__sendings__remote__deliveries__state=Delivery.State.QUEUED)
    return waiting.distinct().order_by("pk").only("pk")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a backup brought back with its time still to come: how many posts and answers leave by themselves, are
    looked for on their network first, and ask a person before they leave, these by the name of the account."""

    leaves: int
    looked_for: int
    asked: Mapping[str, int]

    @property
    def says(self) -> list[str]:
        """In sentences."""
        leaves = ngettext(
            "{n} planned post or answer leaves by itself: it goes to your own page or is done by hand.",
            "{n} planned posts and answers leave by themselves: they go to your own page or are done by hand.",
            self.leaves,
        )
        looked_for = ngettext(
            "{n} planned post or answer is looked for on its network first, and leaves only if it isn't there.",
            "{n} planned posts and answers are looked for on their networks first, and leave only if they aren't"
            " there.",
            self.looked_for,
        )
        asked = ngettext(
            "{n} planned post or answer asks a person when its time comes, since nobody can look there whether it is"
            " out already: {where}.",
            "{n} planned posts and answers ask a person when their time comes, since nobody can look there whether they"
            " are out already: {where}.",
            sum(self.asked.values()),
        )
        where = ", ".join(f"{name} ({n})" for name, n in self.asked.items())
        found = ((leaves, self.leaves), (looked_for, self.looked_for), (asked, sum(self.asked.values())))
        return [says.format(n=n, where=where) for says, n in found if n]


def restored(brand: Brand) -> Restored:
    """What leaves, and how, once somebody lets publishing go on after a backup was put back."""
    planned = Delivery.objects.filter(
        account__brand=brand, restored_at__isnull=False, state=Delivery.State.QUEUED, act__in=["post", "reply"]
    )
    counts: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    by_account = planned.values_list("account__name", "account__kind", "act").annotate(n=Count("pk"))
    for name, kind, act, n in by_account.order_by("account__name", "account", "act"):
        counts[becomes := abilities.once_restored(kind, act)] += n
        asked[name] += n if becomes == "asked" else 0
    return Restored(counts["leaves"], counts["looked_for"], +asked)


def _queued(brand: Brand) -> Q:
    return Q(account__brand=brand, act__in=POSTING, state__in=[Delivery.State.QUEUED, Delivery.State.WAITING])


def post_of(delivery: Delivery) -> tuple[Post, Version] | None:
    """What a delivery belongs to."""
    sending = (
        Sending.objects.filter(remote=delivery.post_id).select_related("version__post", "version__account").first()
    )
    return (sending.version.post, sending.version) if sending else None
