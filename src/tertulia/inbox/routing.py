"""To whom: the person of the team best placed to answer, and why, in one line.

    score = knowledge (1 + topics + language + channel, by declared level; a topic that was read, by how sure that is)
            × situation (there now, load, already knows the person)

The first of these groups that has anybody gives the best of them, ties going to the lower load and then to the older
colleague: who is there, has room, speaks the language and knows the topic → is there, has room, speaks the language →
is there and has room → takes what nobody else can → any manager → anybody who may answer; of the last three those first
who aren't away. "There" is decided by shifts, or by the opening hours for who has none; when nobody is, those who come
first (and up to two hours later) are weighed, so that what is written at night waits for the right person and not for
whoever never sleeps.

Nothing here is chance, and every factor stands in `because`: the same input gives the same output.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import prod
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.text import get_text_list
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tertulia.brand import hours
from tertulia.brand.hours import Hours
from tertulia.brand.models import Brand, OpeningHours
from tertulia.channels.models import Account, Message
from tertulia.core import activity
from tertulia.core.models import Activity
from tertulia.team.models import Absence, Membership, Shift, Skill, User
from tertulia.team.permissions import PERMISSIONS, Role
from tertulia.understanding import words
from tertulia.understanding.teaching import own_topics

from . import activities
from . import topics as topics_read
from .labelling import fold
from .models import Assignment, Conversation, Label

BATCH = 200

COME_TOGETHER = timedelta(hours=2)
"""When nobody is there, those who begin within this time of the first count as coming first."""
CHANNEL_WEIGHT = 0.5
OFF_SHIFT = 0.25
LIKELY = 0.5
"""How sure a topic that was read must be for those who know it to come first."""
IN_THREAD, ANSWERED_BEFORE = 1.5, 1.25


@dataclass(frozen=True, slots=True)
class Choice:
    """Who, and the facts `sentence` puts into a line."""

    user: User
    because: dict[str, Any]


@dataclass(slots=True)
class Person:
    """Somebody who may answer, as the moment finds them."""

    user: User
    role: str
    capacity: int
    is_fallback: bool
    hours: Hours
    skills: Mapping[tuple[str, str], int]
    is_away: bool = False
    load: int = 0


@dataclass(frozen=True, slots=True)
class Fit:
    """A person weighed against a conversation."""

    person: Person
    load: int
    shift: str
    topics: Sequence[str]
    about: Sequence[str]
    speaks: bool
    knows: bool
    known: str
    knowledge: Mapping[str, float]
    situation: Mapping[str, float]

    @property
    def is_here(self) -> bool:
        return self.shift in ("now", "next") and not self.person.is_away

    @property
    def has_room(self) -> bool:
        return self.load < self.person.capacity

    @property
    def score(self) -> float:
        return round(sum(self.knowledge.values()) * prod(self.situation.values()), 4)

    @property
    def rank(self) -> tuple[float, float, int]:
        return -self.score, self.load / max(self.person.capacity, 1), self.person.user.pk


STAGES: Sequence[tuple[str, Callable[[Fit], bool]]] = (
    ("qualified", lambda fit: fit.is_here and fit.has_room and fit.speaks and fit.knows),
    ("available", lambda fit: fit.is_here and fit.has_room and fit.speaks),
    ("available", lambda fit: fit.is_here and fit.has_room),
    ("fallback", lambda fit: fit.person.is_fallback and not fit.person.is_away),
    ("manager", lambda fit: fit.person.role == Role.MANAGER and not fit.person.is_away),
    ("anyone", lambda fit: not fit.person.is_away),
    ("fallback", lambda fit: fit.person.is_fallback),
    ("manager", lambda fit: fit.person.role == Role.MANAGER),
    ("anyone", lambda fit: True),
)


def choose(conversation: Conversation, at: datetime) -> Choice | None:
    """The person best placed to answer it now; None when nobody in the brand may answer."""
    return Desk(conversation.brand, [conversation], at).choose(conversation)


def route(conversation: Conversation, *, at: datetime) -> Choice | None:
    """Give it to the person best placed to answer, and say in the feed to whom, or that there is nobody."""
    return route_many([conversation], at=at).get(conversation.pk)


def route_many(conversations: Iterable[Conversation], *, at: datetime) -> dict[int, Choice]:
    """`route` for any number, with few queries; those given first weigh on the load for those that come after.

    A conversation that somebody else gave away meanwhile is left to them. Returns the choices by conversation id.
    """
    by_brand: dict[int, list[Conversation]] = defaultdict(list)
    for conversation in sorted(conversations, key=lambda each: each.pk):
        by_brand[conversation.brand_id].append(conversation)
    chosen: dict[int, Choice] = {}
    for waiting in by_brand.values():
        for first in range(0, len(waiting), BATCH):
            chosen |= _route_batch(waiting[first : first + BATCH], at=at)
    return chosen


def _route_batch(conversations: Sequence[Conversation], *, at: datetime) -> dict[int, Choice]:
    desk = Desk(conversations[0].brand, conversations, at)
    chosen = {}
    for conversation in conversations:
        if choice := desk.choose(conversation):
            chosen[conversation.pk] = choice
            desk.take_on(choice.user)
    _give(conversations, chosen, at=at)
    return chosen


@transaction.atomic
def _give(conversations: Sequence[Conversation], chosen: Mapping[int, Choice], *, at: datetime) -> None:
    seen = {conversation.pk: conversation.owner_id for conversation in conversations}
    held = Conversation.objects.select_for_update().filter(pk__in=seen).order_by("pk")
    here = [each for each in held if each.owner_id == seen[each.pk]]
    changed = [each for each in here if each.pk in chosen and each.owner_id != chosen[each.pk].user.pk]
    for conversation in changed:
        choice = chosen[conversation.pk]
        conversation.owner, conversation.because = choice.user, choice.because
    Conversation.objects.bulk_update(changed, ["owner", "because"], batch_size=BATCH)
    Assignment.objects.bulk_create(
        [Assignment(conversation=each, to_id=each.owner_id, at=at, because=each.because) for each in changed]
    )
    lines = [(activities.ROUTED, each, _line(each, chosen[each.pk])) for each in changed]
    lines += [(activities.OWNERLESS, each, {"person": each.member_name}) for each in _untold(here, chosen)]
    if lines:
        activity.record_many(lines, brand=here[0].brand_id, at=at)


def _line(conversation: Conversation, choice: Choice) -> dict[str, Any]:
    return {"person": conversation.member_name, "to": choice.user.pk, "to_name": choice.user.name}


def _untold(conversations: Sequence[Conversation], chosen: Mapping[int, Choice]) -> list[Conversation]:
    """Those that nobody may answer and of which that was not said yet."""
    nobodys = [each for each in conversations if each.pk not in chosen and each.owner_id is None]
    if not nobodys:
        return []
    told = Activity.objects.filter(
        on_kind=Conversation._meta.label_lower, on_id__in=[each.pk for each in nobodys], type=activities.OWNERLESS
    )
    known = set(told.values_list("on_id", flat=True))
    return [each for each in nobodys if each.pk not in known]


class Desk:
    """The people of a brand who may answer, weighed at one moment against some of its conversations.

    Some fourteen queries at most, however many the conversations.
    """

    def __init__(self, brand: Brand, conversations: Sequence[Conversation], at: datetime) -> None:
        self.brand, self.at = brand, at
        self.people = people_of(brand, at)
        self.when = _first_shift(self.people, at)
        _mark_away(self.people, brand, self.when)
        _count_loads(self.people, brand)
        self._labels = _label_names(brand, conversations)
        self._about = _by_name(topics_read.of_each(conversations), brand) if self._has_topics() else {}
        self._accounts = dict(Account.objects.filter(brand=brand).values_list("pk", "name"))
        self._known = _Known(conversations, [person.user.pk for person in self.people])

    def choose(self, conversation: Conversation) -> Choice | None:
        fits = [self._weigh(person, conversation) for person in self.people]
        for stage, belongs in STAGES:
            if group := [fit for fit in fits if belongs(fit)]:
                best = min(group, key=lambda fit: fit.rank)
                return Choice(best.person.user, self._because(stage, best, conversation))
        return None

    def take_on(self, user: User) -> None:
        """Count one more conversation for them."""
        for person in self.people:
            person.load += person.user.pk == user.pk

    def _weigh(self, person: Person, conversation: Conversation) -> Fit:
        labels = [self._labels[id] for id in conversation.labels if id in self._labels]
        levels = {name: person.skills.get((Skill.Kind.TOPIC, fold(name)), 0) for name in labels}
        topics = [name for name in labels if levels[name]]
        about = self._about.get(conversation.pk, {})
        read = {topic: level * about[topic] for topic in about if (level := _level(person, topic))}
        likely = [topic for topic in about if about[topic] >= LIKELY]
        language = foreign_language(conversation, self.brand)
        spoken = person.skills.get((Skill.Kind.LANGUAGE, language), 0) if language else 0
        channel = person.skills.get((Skill.Kind.CHANNEL, conversation.channel.casefold()), 0)
        shift = self._shift(person)
        known = self._known.how(person.user.pk, conversation)
        load = person.load - (person.user.pk == conversation.owner_id)
        return Fit(
            person, load, shift, topics, _beyond(read, topics),
            speaks=not language or spoken > 0,
            knows=not (self._experts(labels) or self._experts_on(likely)) or bool(topics or read),
            known=known,
            knowledge={
                "base": 1.0, "topics": round(self._topics(levels, read), 3), "language": float(spoken),
                "channel": channel * CHANNEL_WEIGHT,
            },
            situation={
                "shift": 1.0 if shift != "off" else OFF_SHIFT,
                "load": round(1 / (1 + load / max(person.capacity, 1)), 3),
                "known": {"thread": IN_THREAD, "before": ANSWERED_BEFORE}.get(known, 1.0),
            },
        )  # fmt: skip

    @staticmethod
    def _topics(labels: Mapping[str, int], read: Mapping[str, float]) -> float:
        """A topic that stands there as a label too counts once."""
        beyond = _beyond(read, [name for name, level in labels.items() if level])
        return float(sum(labels.values())) + sum(read[topic] for topic in beyond)

    def _has_topics(self) -> bool:
        return any(kind == Skill.Kind.TOPIC for person in self.people for kind, _value in person.skills)

    def _experts_on(self, topics: Sequence[str]) -> bool:
        return any(_level(person, topic) for person in self.people for topic in topics)

    def _experts(self, labels: Sequence[str]) -> bool:
        """Whether anybody at all knows one of these topics; else the lack of it says nothing."""
        return any((Skill.Kind.TOPIC, fold(name)) in person.skills for person in self.people for name in labels)

    def _shift(self, person: Person) -> str:
        if person.hours.is_open(self.at):
            return "now"
        comes_at = person.hours.next_opening(self.at) if self.when > self.at else None
        return "next" if comes_at and comes_at <= self.when + COME_TOGETHER else "off"

    def _because(self, stage: str, fit: Fit, conversation: Conversation) -> dict[str, Any]:
        starts = (fit.person.hours.next_opening(self.at) or self.when).astimezone(fit.person.hours.zone)
        return {
            "name": fit.person.user.name,
            "stage": stage,
            "score": fit.score,
            "knowledge": dict(fit.knowledge),
            "situation": dict(fit.situation),
            "topics": list(fit.topics),
            "about": list(fit.about),
            "language": foreign_language(conversation, self.brand) if fit.knowledge["language"] else "",
            "channel": self._accounts.get(conversation.account_id, "") if fit.knowledge["channel"] else "",
            "known": fit.known,
            "shift": fit.shift,
            "starts": [starts.weekday(), f"{starts:%H:%M}"] if fit.shift == "next" else [],
            "load": fit.load,
            "capacity": fit.person.capacity,
        }


def _by_name(about: Mapping[int, Mapping[str, float]], brand: Brand) -> dict[int, dict[str, float]]:
    """What conversations are about, the brand's own topics as people call them."""
    if not any(about.values()):
        return {}
    own = own_topics(brand.pk)
    return {pk: {own.get(topic, topic): sure for topic, sure in each.items()} for pk, each in about.items()}


def _level(person: Person, topic: str) -> int:
    """How well somebody knows a topic, whatever they call it."""
    return max((person.skills.get((Skill.Kind.TOPIC, each), 0) for each in topics_read.spellings(topic)), default=0)


def _beyond(read: Iterable[str], labels: Collection[str]) -> list[str]:
    """Of the topics that were read, those that none of these labels names."""
    named = set(map(fold, labels))
    return [topic for topic in read if not topics_read.spellings(topic) & named]


def foreign_language(conversation: Conversation, brand: Brand) -> str:
    """The conversation's language when it isn't the brand's own, which everybody is taken to speak."""
    language = conversation.language[:2].casefold()
    return "" if language == brand.language else language


def people_of(brand: Brand, at: datetime) -> list[Person]:
    """Everybody who may answer in the brand, by age, with what they know and when they work."""
    memberships = list(
        Membership.objects.filter(brand=brand, role__in=PERMISSIONS["inbox.reply"], user__is_active=True)
        .select_related("user")
        .order_by("user_id")
    )
    ids = [membership.pk for membership in memberships]
    open_hours = hours.of(brand)
    skills: dict[int, dict[tuple[str, str], int]] = defaultdict(dict)
    for each in Skill.objects.filter(membership__in=ids):
        skills[each.membership_id][each.kind, fold(each.value) if each.kind == Skill.Kind.TOPIC else _code(each)] = (
            each.level
        )
    shifts: dict[int, list[hours.Stretch]] = defaultdict(list)
    for shift in Shift.objects.filter(membership__in=ids):
        shifts[shift.membership_id].append((shift.weekday, shift.starts, shift.ends))
    return [
        Person(
            membership.user, membership.role, membership.capacity, membership.is_fallback,
            open_hours.with_stretches(own) if (own := shifts.get(membership.pk)) else open_hours,
            skills[membership.pk],
        )
        for membership in memberships
    ]  # fmt: skip


def away_on(brand: Brand, at: datetime) -> set[int]:
    """Ids of the people who are away on the brand's day of this moment."""
    day = at.astimezone(Hours(brand.time_zone).zone).date()
    absences = Absence.objects.filter(membership__brand=brand, starts_on__lte=day, ends_on__gte=day)
    return set(absences.values_list("membership__user_id", flat=True))


def _code(skill: Skill) -> str:
    value = skill.value.strip().casefold()
    return value[:2] if skill.kind == Skill.Kind.LANGUAGE else value


def _first_shift(people: Sequence[Person], at: datetime) -> datetime:
    """The moment itself while anybody is there, else when the first of them comes."""
    openings = [opening for person in people if (opening := person.hours.next_opening(at))]
    return min(openings, default=at)


def _mark_away(people: Sequence[Person], brand: Brand, when: datetime) -> None:
    away = away_on(brand, when)
    for person in people:
        person.is_away = person.user.pk in away


def _count_loads(people: Sequence[Person], brand: Brand) -> None:
    held = Conversation.objects.filter(
        brand=brand, owner__in=[person.user.pk for person in people], state=Conversation.State.OPEN
    )
    loads = dict(held.values_list("owner_id").annotate(Count("pk")))
    for person in people:
        person.load = loads.get(person.user.pk, 0)


def _label_names(brand: Brand, conversations: Sequence[Conversation]) -> dict[int, str]:
    ids = {id for conversation in conversations for id in conversation.labels}
    return dict(Label.objects.filter(brand=brand, pk__in=ids).values_list("pk", "name")) if ids else {}


class _Known:
    """Who has answered in these conversations, or the same people in others."""

    def __init__(self, conversations: Sequence[Conversation], people: Sequence[int]) -> None:
        self._in_thread: set[tuple[int, int]] = set()
        self._before: set[tuple[int, int]] = set()
        threads = self._threads_of({each.member_id for each in conversations})
        for account, thread, author in self._answers(threads, people):
            conversation, member = threads[account, thread]
            self._in_thread.add((author, conversation))
            self._before.add((author, member))

    def how(self, user_id: int, conversation: Conversation) -> str:
        if (user_id, conversation.pk) in self._in_thread:
            return "thread"
        return "before" if (user_id, conversation.member_id) in self._before else ""

    @staticmethod
    def _threads_of(members: set[int]) -> dict[tuple[int, str], tuple[int, int]]:
        found = Conversation.objects.filter(member__in=members, last_outbound_at__isnull=False)
        rows = found.values_list("account_id", "thread_id", "pk", "member_id")[:5_000]
        return {(account, thread): (conversation, member) for account, thread, conversation, member in rows}

    @staticmethod
    def _answers(threads: Mapping[tuple[int, str], object], people: Sequence[int]) -> list[tuple[int, str, int]]:
        if not threads or not people:
            return []
        written = Message.objects.filter(
            account__in={account for account, _thread in threads},
            thread_id__in={thread for _account, thread in threads},
            direction=Message.Direction.OUT,
            author_id__in=people,
        )
        rows = written.values_list("account_id", "thread_id", "author_id").distinct()
        return [
            (account, thread, author) for account, thread, author in rows if author and (account, thread) in threads
        ]


# Why, in one line


def sentence(because: Mapping[str, Any]) -> str:
    """«Bruno: sabe de pedidos, está de turno, lleva 3 de 25», in the reader's language; "" for what people did."""
    if because.get("answered"):
        return _("Answered it when it had nobody in charge")
    if not because.get("name"):
        return ""
    return f"{because['name']}: {', '.join(filter(None, _reasons(because)))}"


def _reasons(because: Mapping[str, Any]) -> Iterable[str]:
    topics = [_small(topic) for topic in because.get("topics", [])]
    topics += [_small(topics_read.name(topic)) for topic in because.get("about", [])]
    if topics:
        yield _("knows about {topics}").format(topics=get_text_list(topics, _("and")))
    if language := because.get("language"):
        yield _("speaks {language}").format(language=words.spoken(language))
    if channel := because.get("channel"):
        yield _("is at home on “{channel}”").format(channel=channel)
    yield {"thread": _("is already in this conversation"), "before": _("has answered this person before")}.get(
        because.get("known", ""), ""
    )
    yield _shift_reason(because)
    yield _("has {load} of {capacity}").format(load=because.get("load", 0), capacity=because.get("capacity", 0))
    yield {
        "fallback": _("takes what nobody else can"),
        "manager": _("there was nobody else, and runs the team"),
        "anyone": _("there was nobody else"),
    }.get(because.get("stage", ""), "")


def _shift_reason(because: Mapping[str, Any]) -> str:
    if because.get("shift") == "next" and because.get("starts"):
        weekday, hour = because["starts"]
        return _("starts on {weekday} at {hour}").format(weekday=_weekday(weekday), hour=hour)
    return _("is on shift") if because.get("shift") == "now" else _("isn't on shift")


def _weekday(number: int) -> str:
    name = str(OpeningHours.Weekday(number).label)
    return name if get_language() == "en" else name.lower()


def _small(topic: str) -> str:
    """A label's name inside a sentence: without its capital, unless it is all capitals (VIP)."""
    return topic if topic[1:2].isupper() else topic[:1].lower() + topic[1:]
