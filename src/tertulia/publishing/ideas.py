"""Ideas, from where they came to the post that is made of them: what is done with them, and the board that shows them.

A card stands where its idea's post has come to, while that lives; otherwise where somebody put it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Delivery, Message
from tertulia.core import activity, tables
from tertulia.core.html import tidy
from tertulia.core.unaccented import unaccented
from tertulia.team.models import User

from . import actions, activities, queries
from .calendar import TONES
from .models import ApprovalRule, Idea, Pillar, Post, Sending
from .problems import Problem

A_COLUMN = 40
"""So many ideas a column of the board shows; its own page shows the others."""
PAGE = 100
GONE = frozenset({Post.State.CANCELLED, Post.State.DELETED})
"""Posts that have given their idea back."""
OUT = frozenset({Post.State.PUBLISHED, Post.State.PARTLY})
UNSETTLED = [state for state in Delivery.State if state not in {Delivery.State.SENT, Delivery.State.CANCELLED}]
COLUMNS = ("new", "chosen", "post", "published", "aside")
_MARK = re.compile(r"^\s*idea\s*[:：]\s*", re.IGNORECASE)
State, Source = Idea.State, Idea.Source


# What is done with them.


@transaction.atomic
def add(
    *, brand: Brand, by: User, at: datetime, source: str = Source.HAND, message: Message | None = None, **said: Any
) -> Idea:  # fmt: skip
    """Keep a new one; `said` as its form gives it."""
    idea = Idea.objects.create(
        brand=brand, source=source, message=message, created_by_id=by.pk, created_at=at, changed_at=at, **said
    )
    _record(activities.IDEA_ADDED, idea, by=by, at=at)
    return idea


@transaction.atomic
def add_by_rule(*, brand: Brand, message: Message, rule: str, at: datetime) -> Idea | None:
    """What a rule of the inbox makes of a message; once, however often it is asked. None when it is there already."""
    first = next((line for line in (message.subject, *message.text.splitlines()) if line.strip()), "")
    title = " ".join(_MARK.sub("", tidy(first), count=1).split()) or _("An idea without words")
    idea, is_new = Idea.objects.get_or_create(
        source=Source.RULE, message=message,
        defaults={"brand": brand, "title": title[:200], "created_at": at, "changed_at": at},
    )  # fmt: skip
    if not is_new:
        return None
    activity.record(activities.IDEA_BY_RULE, on=idea, brand=brand.pk, at=at, rule=rule)
    return idea


@transaction.atomic
def change(*, idea: Idea, by: User, at: datetime, **said: Any) -> bool:
    """Keep what its form says of it. Tells whether its post was scheduled and has come under a rule of approval by it:
    then it is taken back."""
    idea = _lock(idea)
    for name, value in said.items():
        setattr(idea, name, value)
    idea.changed_at = at
    idea.save(update_fields=[*said, "changed_at"])
    _record(activities.IDEA_CHANGED, idea, by=by, at=at)
    if idea.post and "pillar" in said:  # rules of approval can be for a pillar
        return bool(actions.follow_rules(posts=[idea.post], by=by, at=at))
    return False


@transaction.atomic
def put(*, idea: Idea, to: str, by: User, at: datetime, because: str = "") -> None:
    """Choose it to be written, put it back among the new ones, or set it aside, with the reason. Where it stands
    already it stays. Raises `Problem`, also while a post of it lives."""
    idea, because = _lock(idea), " ".join(tidy(because).split())[:300] if to == State.ASIDE else ""
    if post_of(idea):
        raise Problem(_("There is a post of this idea. Cancel the post, and the idea comes back here."))
    if to == State.ASIDE and not because:
        raise Problem(_("Say why it is set aside: whoever has the same idea later will want to know."))
    if (idea.state, idea.because) == (to, because):
        return
    idea.state, idea.because, idea.changed_at = to, because, at
    idea.save(update_fields=["state", "because", "changed_at"])
    names = {
        State.NEW: activities.IDEA_RETURNED,
        State.CHOSEN: activities.IDEA_CHOSEN,
        State.ASIDE: activities.IDEA_ASIDE,
    }
    _record(names[State(to)], idea, by=by, at=at, because=because)


@transaction.atomic
def write(*, idea: Idea, by: User, at: datetime) -> Post:
    """The post of the idea: the one that lives, or a draft begun now. Twice is once."""
    idea = _lock(idea)
    if post := post_of(idea):
        return post
    idea.post = actions.create(brand=idea.brand, title=idea.title, by=by, at=at)
    idea.state, idea.because, idea.changed_at = State.CHOSEN, "", at
    idea.save(update_fields=["post", "state", "because", "changed_at"])
    _record(activities.IDEA_POSTED, idea, by=by, at=at, post=idea.post.pk)
    return idea.post


@transaction.atomic
def keep_pillar(*, pillar: Pillar, by: User, at: datetime) -> None:
    pillar.save()
    _record_pillar(activities.PILLAR_KEPT, pillar, by=by, at=at)


@transaction.atomic
def remove_pillar(*, pillar: Pillar, by: User, at: datetime) -> None:
    """Its ideas stay, without it. Raises `Problem` while a rule of approval asks for it."""
    if ApprovalRule.objects.filter(pillar=pillar).exists():
        raise Problem(_("A rule of approval is for this pillar. Change or remove the rule first."))
    _record_pillar(activities.PILLAR_GONE, pillar, by=by, at=at)
    pillar.delete()


def _lock(idea: Idea) -> Idea:
    return Idea.objects.select_for_update(of=("self",)).select_related("brand", "post").get(pk=idea.pk)


def _record(name: str, idea: Idea, *, by: User, at: datetime, **data: Any) -> None:
    activity.record(name, on=idea, brand=idea.brand_id, by=by.pk, at=at, title=idea.title, **data)


def _record_pillar(name: str, pillar: Pillar, *, by: User, at: datetime) -> None:
    activity.record(name, on=pillar, brand=pillar.brand_id, by=by.pk, at=at, pillar=pillar.name)


# Reading.


def ideas(brand: Brand) -> QuerySet[Idea]:
    """The brand's ideas with what a card shows of them."""
    return Idea.objects.filter(brand=brand).select_related("owner", "pillar", "post")


def pillars(brand: Brand) -> QuerySet[Pillar]:
    return Pillar.objects.filter(brand=brand).order_by("name", "pk")


def of_post(post: Post | None) -> Idea | None:
    """The idea that a post was made of."""
    return Idea.objects.filter(post=post).select_related("pillar").first() if post else None


def of_message(message: Message) -> Idea | None:
    """The newest idea that came from a message or an article."""
    return Idea.objects.filter(message=message).order_by("-pk").first()


def post_of(idea: Idea) -> Post | None:
    """The post that is being made of it, or was; None when there is none, or it gave the idea back."""
    return idea.post if idea.post and queries.standing(idea.post).state not in GONE else None


def to_write(brand: Brand, most: int, *, now: datetime) -> list[Idea]:
    """So many chosen ideas that have no post: what is wanted first, then the oldest."""
    chosen = _of(ideas(brand), State.CHOSEN, now)
    chosen = chosen.order_by(F("due_on").asc(nulls_last=True), "created_at", "pk")[:most]
    return [card.idea for card in cards(chosen) if card.column == State.CHOSEN]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which ideas are looked for. `owner` and `pillar` are ids, or "none" for those without one."""

    owner: str = ""
    pillar: str = ""
    q: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Filters:
        def chosen(name: str) -> str:
            value = given.get(name, "")
            return value if value == "none" or (value.isdecimal() and value.isascii() and len(value) < 19) else ""

        return cls(chosen("owner"), chosen("pillar"), " ".join(tidy(given.get("q", "")).split())[:100])

    @property
    def query(self) -> str:
        return urlencode({name: value for name in ("owner", "pillar", "q") if (value := getattr(self, name))})

    def narrow(self, found: QuerySet[Idea]) -> QuerySet[Idea]:
        for name, value in (("owner", self.owner), ("pillar", self.pillar)):
            if value:
                found = found.filter(**({f"{name}__isnull": True} if value == "none" else {name: int(value)}))
        for word in unaccented(self.q).split()[:10]:
            found = found.filter(Q(title__unaccented__contains=word) | Q(brief__unaccented__contains=word))
        return found


@dataclass(frozen=True, slots=True)
class Card:
    """An idea on the board. `says` and `tone` tell how its post is doing; empty where there is none."""

    idea: Idea
    column: str
    says: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """`why` says what brings an idea here, where moving it doesn't."""

    key: str
    label: str
    why: str
    cards: Sequence[Card]
    has_more: bool


def board(brand: Brand, filters: Filters, *, now: datetime) -> list[Column]:
    """The ideas of a brand from left to right, of each column those that come first."""
    found = filters.narrow(ideas(brand))
    rows = {row.pk: row for name in COLUMNS for row in _of(found, name, now)[: A_COLUMN + 1]}
    by_column: dict[str, list[Card]] = defaultdict(list)
    for card in cards(rows.values()):
        by_column[card.column].append(card)
    return [
        Column(name, label, why, by_column[name][:A_COLUMN], len(by_column[name]) > A_COLUMN)
        for name, label, why in named()
    ]


def column(brand: Brand, filters: Filters, name: str, *, page: int, now: datetime) -> tuple[Column, bool]:
    """One column of the board by itself, `PAGE` ideas from page 1 on, and whether there are more."""
    label, why = next((label, why) for key, label, why in named() if key == name)
    some = list(_of(filters.narrow(ideas(brand)), name, now)[(page - 1) * PAGE : page * PAGE + 1])
    mine = [card for card in cards(some[:PAGE]) if card.column == name]
    return Column(name, label, why, mine, has_more=False), len(some) > PAGE


def _of(found: QuerySet[Idea], name: str, now: datetime) -> QuerySet[Idea]:
    """All that stand in a column, as near as columns of the database tell it: `cards` looks closer."""
    sent = Sending.objects.filter(version__post=OuterRef("post"))
    lives = Q(post__isnull=False, post__cancelled_at__isnull=True)
    if name in {State.NEW, State.CHOSEN, State.ASIDE}:
        mine = found.filter(~lives | Exists(sent.filter(remote__deleted_at__isnull=False)), state=name)
        if name == State.ASIDE:
            return mine.order_by("-changed_at", "-pk")
        return mine.order_by(F("due_on").asc(nulls_last=True), "-changed_at", "-pk")
    is_over = Q(post__scheduled_by_id__isnull=False, post__publish_at__lt=now)
    if name == "published":
        return found.filter(lives, is_over).order_by("-post__publish_at", "-pk")
    unsettled = Exists(sent.filter(remote__deliveries__state__in=UNSETTLED))
    mine = found.filter(lives).filter(~is_over | unsettled)
    return mine.order_by(F("post__publish_at").asc(nulls_last=True), "-changed_at", "-pk")


def cards(some: Iterable[Idea]) -> list[Card]:
    """Those ideas where they stand now."""
    some = list(some)
    standings = queries.standings([idea.post for idea in some if idea.post])
    found = []
    for idea in some:
        state = standings[idea.post.pk].state if idea.post else ""
        says = str(Post.State(state).label) if state else ""
        lives = bool(state) and state not in GONE
        place = ("published" if state in OUT else "post") if lives else str(idea.state)
        found.append(Card(idea, place, says, TONES.get(state, "")))
    return found


def card_of(idea: Idea) -> Card:
    return cards([idea])[0]


def named() -> list[tuple[str, str, str]]:
    return [
        ("new", _("New ideas"), ""),
        ("chosen", _("Being written"), ""),
        ("post", _("Has a post"), ""),
        ("published", _("Published"), _("An idea comes here by itself once its post is out.")),
        ("aside", _("Set aside"), ""),
    ]


def table(brand: Brand, *, zone: Any) -> bytes:
    """All ideas of a brand, as CSV; moments in `zone`."""
    labels = {key: label for key, label, _why in named()}
    header = [
        _("Title"), _("Brief"), _("Stage"), _("Who sees to it"), _("Format"), _("Pillar"), _("Wanted by"),
        _("Where it came from"), _("Link"), _("Post"), _("Why it is set aside"), _("Added"),
    ]  # fmt: skip
    rows = []
    for card in cards(ideas(brand).order_by("pk")):
        idea = card.idea
        rows.append([
            idea.title, idea.brief, labels[card.column], idea.owner or "", idea.get_format_display(),
            idea.pillar or "", idea.due_on or "", idea.get_source_display(), idea.url, card.says, idea.because,
            f"{idea.created_at.astimezone(zone):%Y-%m-%d %H:%M}",
        ])  # fmt: skip
    return tables.write(header, rows)
