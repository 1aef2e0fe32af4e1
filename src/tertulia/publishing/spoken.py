"""What people speak of: which actions and campaigns run, and whose messages say something of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from tertulia.brand.models import Brand
from tertulia.channels import search
from tertulia.channels.models import Message
from tertulia.community.models import Member, MemberIdentity
from tertulia.core import clock, jobs
from tertulia.strategy import wording
from tertulia.strategy.models import Campaign

from .models import Initiative, SpokenOf

LINGERS = timedelta(days=7)
"""So long after its last day people still speak of it."""
LONGEST = timedelta(days=367)
"""Of an action."""
MOST = 100
"""Looked for at once, of a brand."""
LOOKS_BACK = timedelta(days=2)
"""What came earlier was looked at then."""
MOST_BEFORE = 500
"""The newest messages that hold a line, among which those of before are looked for."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Running:
    """Something that goes on, or has just ended. `field` is its column in `SpokenOf`."""

    of: Initiative | Campaign
    field: str
    wanted: Sequence[wording.Entry]
    zone: ZoneInfo

    @property
    def first(self) -> date | None:
        return self.of.starts_on

    def covers(self, at: datetime) -> bool:
        on = at.astimezone(self.zone).date()
        return (self.first is None or self.first <= on) and (self.of.ends_on is None or on <= self.of.ends_on + LINGERS)

    @property
    def key(self) -> tuple[int | None, int | None]:
        """As `SpokenOf` has it: the action's id, or the campaign's."""
        return (self.of.pk, None) if self.field == "initiative" else (None, self.of.pk)


def running(brands: Collection[Brand], *, at: datetime) -> dict[int, list[Running]]:
    """By brand what runs on its today or ended within the last week, what began last first. Two questions for all."""
    known = {brand.pk: brand for brand in brands}
    # A day more on both sides: each brand's own day is asked below.
    today, day = at.date(), timedelta(days=1)
    near = Q(starts_on=None) | Q(starts_on__lte=today + day)
    near &= Q(ends_on=None) | Q(ends_on__gte=today - LINGERS - day)
    actions = Initiative.objects.filter(near, brand__in=known, starts_on__gte=today - LINGERS - LONGEST)
    campaigns = Campaign.objects.filter(near, brand__in=known).exclude(starts_on=None, ends_on=None)
    campaigns = campaigns.filter(Q(closed_at=None) | Q(closed_at__gte=at - LINGERS))
    found: dict[int, list[Running]] = defaultdict(list)
    for field, rows in (
        ("initiative", actions.only("brand_id", "title", "words", "starts_on", "ends_on")),
        ("campaign", campaigns.only("brand_id", "name", "words", "starts_on", "ends_on")),
    ):
        one: Any
        for one in rows:
            brand = known[one.brand_id]
            each = Running(one, field, wording.entries(one.words, brand), ZoneInfo(brand.time_zone))
            if each.covers(at):
                found[brand.pk].append(each)
    for some in found.values():
        some.sort(key=lambda one: (one.first or date.min, one.of.pk), reverse=True)
        del some[MOST:]
    return found


def note(threads: Mapping[tuple[int, str], Brand], *, at: datetime) -> None:
    """Link what people wrote lately in these threads (by account and name) to what it speaks of; twice is once."""
    goes_on = running(set(threads.values()), at=at)
    known = [thread for thread, brand in threads.items() if any(one.wanted for one in goes_on.get(brand.pk, []))]
    if known:
        accounts, names = {account for account, _name in known}, {name for _account, name in known}
        fresh = _written().filter(received_at__gte=at - LOOKS_BACK)
        _link(fresh.filter(account_id__in=accounts, thread_id__in=names), goes_on, at=at)


@jobs.task("spoken.look_back", attempts=3, at_once=1)
def look_back(*, initiative_id: int = 0, campaign_id: int = 0) -> None:
    """Link what had come before somebody said that there is such a thing, or by which words it is known."""
    at, model = clock.now(), Initiative if initiative_id else Campaign
    one: Any = model._default_manager.select_related("brand").filter(pk=initiative_id or campaign_id).first()
    mine = [each for each in running([one.brand], at=at).get(one.brand_id, []) if each.of == one] if one else []
    for line in one.words.splitlines() if mine else []:
        ids = search.find(one.brand_id, line, limit=MOST_BEFORE)
        _link(_written().filter(pk__in=ids), {one.brand_id: mine}, at=at)


def _written() -> QuerySet[Message]:
    """What people wrote."""
    theirs = Message.objects.filter(direction=Message.Direction.IN, is_automatic=False, deleted_at=None)
    return theirs.filter(identity__restriction=None).exclude(kind="article")


def _link(messages: QuerySet[Message], goes_on: Mapping[int, Sequence[Running]], *, at: datetime) -> None:
    some = messages.select_related("account").only("subject", "text", "sent_at", "account__brand_id")
    met = [
        (message.pk, one)
        for message in some
        for words in [wording.said(f"{message.subject}\n{message.text}")]
        for one in goes_on.get(message.account.brand_id, [])
        if one.covers(message.sent_at) and wording.speaks(words, one.wanted)
    ]
    if met:
        before = SpokenOf.objects.filter(message__in={id for id, _one in met})
        there = set(before.values_list("message", "initiative", "campaign"))
        new = [(id, *one.key) for id, one in met if (id, *one.key) not in there]
        rows = [SpokenOf(message_id=id, initiative_id=action, campaign_id=other, at=at) for id, action, other in new]
        SpokenOf.objects.bulk_create(rows, ignore_conflicts=True)


# Reading.


def beside(member: Member, brand: Brand, *, at: datetime) -> list[tuple[Running, bool]]:
    """What runs, and whether the person has written of it: that comes first."""
    if not (some := running([brand], at=at).get(brand.pk, [])):
        return []
    theirs = _told().filter(message__identity__in=MemberIdentity.objects.filter(member=member).values("identity"))
    actions, campaigns = ([one.of.pk for one in some if one.field == field] for field in ("initiative", "campaign"))
    theirs = theirs.filter(Q(initiative__in=actions) | Q(campaign__in=campaigns))
    spoken = set(theirs.values_list("initiative", "campaign"))
    return sorted(((one, one.key in spoken) for one in some), key=lambda pair: not pair[1])


def conversations(**of: Initiative | Campaign) -> tuple[int, list[Message]]:
    """How many conversations speak of it (`initiative=` or `campaign=`), and of the newest the newest message."""
    told = _told().filter(**of)
    count = told.values("message__account", "message__thread_id").distinct().count()
    newest: dict[tuple[int, str], Message] = {}
    rows = told.order_by("-message__sent_at", "-message").select_related("message__account")
    for row in rows.defer("message__raw", "message__html", "message__account__secrets")[: 10 * SHOWN]:
        newest.setdefault((row.message.account_id, row.message.thread_id), row.message)
    return count, list(newest.values())[:SHOWN]


def _told() -> QuerySet[SpokenOf]:
    """Not what was deleted since, nor of whom data is to be used for nothing but answering."""
    return SpokenOf.objects.filter(message__deleted_at=None, message__identity__restriction=None)
