"""From a brand's corrections to its layer: what is learnt from, what is set aside, and what is put to use.

About every fifth message is set aside for good, by its id: it is never learnt from, and judges what was learnt from the
others. A field that a new layer reads worse there than what is in use stays as it is until a person decides. While too
few are set aside to judge by, the layer is used and people are told.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.utils import translation

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import activity, jobs

from . import activities, words
from . import models as rows
from .features import normalised
from .judging import Figure, judged
from .layers import belongs_to, of_one
from .layers import of as layers_of
from .learning import NOTHING, TOPIC, Layer, fit, unpacked
from .learning import Example as Lesson
from .model import shipped
from .models import BrandLayer, Correction, MessageReading, Topic

ASIDE = 5
"""One in so many."""
MOST_LESSONS = 3_000
"""Texts that are learnt from and judged by, the newest."""
OTHERS = 400
"""The brand's other texts that tell what is common there."""
GATHERED = timedelta(seconds=10)
"""Corrections of so long are learnt from together."""
BACK = timedelta(days=200)
"""So far back messages are read for the brand's own topics: three months, the three before, and some."""
BACK_EACH = timedelta(hours=6)
"""No oftener, however much is taught."""
LEFT_AS_IT_WAS = 0.3
"""What a field counts that somebody saw and did not correct."""
BESIDE = ("kind", "sentiment", "urgency", "offensive", "needs_answer")

LEARN, READ_AGAIN, READ_BACK = "flows.learn", "flows.read_again", "flows.read_back"

State = BrandLayer.State


def ask(brand: int, *, at: datetime) -> None:
    """Have the brand's corrections learnt from soon; asked often, it is done once in a while."""
    _once_in(GATHERED, LEARN, brand, at)


def ask_back(brand: int, *, at: datetime) -> None:
    """Have older messages read for the brand's own topics, in some hours."""
    _once_in(BACK_EACH, READ_BACK, brand, at)


def _once_in(span: timedelta, task: str, brand: int, at: datetime) -> None:
    turn = int(at.timestamp() // span.total_seconds()) + 1
    ends = datetime.fromtimestamp(turn * span.total_seconds(), tz=at.tzinfo)
    jobs.enqueue(task, due_at=ends + timedelta(seconds=2), key=f"{task}:{brand}@{turn}", brand_id=brand)


def is_aside(message: int) -> bool:
    return zlib.crc32(str(message).encode()) % ASIDE == 0


@dataclass
class Lessons:
    """What a brand's people said, of the texts to learn from and of those set aside."""

    taught: list[Lesson]
    aside: list[Lesson]
    said: int
    """How many corrections and imported examples there are."""


def learn(*, brand: int, at: datetime) -> None:
    """Learn the brand's layer anew from all that was said and put to use what did not get worse.

    Done twice, it changes nothing. While somebody has it switched off nothing happens.
    """
    used = BrandLayer.objects.filter(brand=brand, state__in=[State.LIVE, State.OFF]).first()
    if used and used.state == State.OFF:
        return
    model = shipped()
    is_of_model = used is not None and used.model == belongs_to()
    before = unpacked(bytes(used.content)) if used and is_of_model else NOTHING
    lessons = lessons_of(brand)
    own = sorted(own_topics(brand))
    learnt = fit(lessons.taught, _others(brand), own, model) if lessons.taught else NOTHING
    accepted = [name for name in (used.accepted if used else []) if name in learnt.blocks]
    figures = judged(lessons.aside, before, learnt, [name for name in learnt.blocks if name != "spam"], model)
    worse = [name for name, each in figures.items() if each.is_worse(may_be_worse_than_shipped=name in accepted)]
    _keep(brand, used, before, learnt, figures, worse, accepted, lessons.said, at)


def _keep(
    brand: int, used: BrandLayer | None, before: Layer, learnt: Layer, figures: Mapping[str, Figure],
    worse: Sequence[str], accepted: Sequence[str], said: int, at: datetime,
) -> None:  # fmt: skip
    floors = {name: figures[name].floor(may_be_worse_than_shipped=name in accepted) for name in worse}
    doubtful = [name for name in worse if not figures[name].is_enough]
    worse = [name for name in worse if figures[name].is_enough]
    held = _with_spam(worse)
    sunk = _with_spam([name for name in worse if figures[name].before < floors[name]])  # in use, and no better itself
    stays = before.only(name for name in held if name not in sunk)
    whole = learnt.only(name for name in learnt.blocks if name not in held).over(stays)
    content = whole.packed()
    with transaction.atomic():
        _one_at_a_time(brand)
        stands = BrandLayer.objects.filter(brand=brand, state__in=[State.LIVE, State.OFF]).first()
        if stands and stands.state == State.OFF:
            return
        if stands != used or (said and not _is_anything_taught(brand)):  # meanwhile more was learnt, or all forgotten
            ask(brand, at=at)
            return
        _hold(brand, learnt.only(held), {name: replace(figures[name], before=floors[name]) for name in worse}, said, at)
        is_known = (
            used is not None and used.model == belongs_to() and bytes(used.content) == content and used.lessons == said
        )
        if not is_known and (whole.blocks or used):
            told = {name: figure.as_dict() for name, figure in figures.items() if name not in worse}
            row = put_to_use(brand, content, figures=told, accepted=accepted, lessons=said, at=at)
            _doubt(row, used, {name: figures[name] for name in doubtful}, at)


def _doubt(row: BrandLayer, used: BrandLayer | None, figures: Mapping[str, Figure], at: datetime) -> None:
    """Tell of fields that few set-aside messages judge and that are read worse; once, until it gets worse still."""
    for name, figure in figures.items():
        was = figure.floor(may_be_worse_than_shipped=name in row.accepted)
        known = used.figures.get(name) if used else None
        if figure.now < figure.before or known is None or not known["now"] < (known["shipped"] or 0.0):
            activity.record(
                activities.DOUBTED, on=row, brand=row.brand_id, at=at, field=_english(row.brand_id, name),
                was=figure.told(name, was), now=figure.told(name, figure.now),
            )  # fmt: skip


def _one_at_a_time(brand: int) -> None:
    """Whoever changes what a brand reads by waits until the one before is done. Messages may go on coming in."""
    Brand.objects.select_for_update(no_key=True).get(pk=brand)


def _is_anything_taught(brand: int) -> bool:
    lessons = Correction.objects.filter(brand=brand, undone_at__isnull=True, is_lesson=True)
    return lessons.exists() or examples(brand).exists()


def _with_spam(names: Sequence[str]) -> list[str]:
    """Whether it is spam follows from what kind it is."""
    return [*names, *(["spam"] if "kind" in names else [])]


def _hold(brand: int, layer: Layer, figures: Mapping[str, Figure], said: int, at: datetime) -> None:
    """Keep what got worse for a person to decide, and tell of fields that nobody was told of yet."""
    content = layer.packed()
    before = BrandLayer.objects.filter(brand=brand, state__in=[State.HELD, State.LEFT]).order_by("-pk").first()
    if before and bytes(before.content) == content:
        return
    BrandLayer.objects.filter(brand=brand, state=State.HELD).delete()
    if layer.blocks:
        row = BrandLayer.objects.create(
            brand_id=brand, state=State.HELD, model=belongs_to(), content=content, lessons=said, at=at,
            figures={name: figure.as_dict() for name, figure in figures.items()},
        )  # fmt: skip
        for name in sorted(set(figures) - set(before.figures if before else ())):
            activity.record(activities.HELD, on=row, brand=brand, at=at, field=_english(brand, name))


def _english(brand: int, field: str) -> str:
    """What a field is called, as the feed keeps it: whoever reads it is told in their language."""
    with translation.override("en"):
        return words.field(field, own_topics(brand))


def own_topics(brand: int) -> dict[str, str]:
    """The names of the brand's own topics, by slug and by name."""
    there = Topic.objects.filter(brand=brand, removed_at=None)
    return dict(there.order_by("name").values_list("slug", "name"))


def examples(brand: int) -> models.QuerySet[rows.Example]:
    """What files said, but of removed topics."""
    removed = Topic.objects.filter(brand=brand, removed_at__isnull=False).values_list("slug", flat=True)
    return rows.Example.objects.filter(source__brand=brand).exclude(field__in=[TOPIC + slug for slug in removed])


def put_to_use(
    brand: int, content: bytes, *, figures: Mapping[str, Any], accepted: Sequence[str], lessons: int, at: datetime,
    by: int | None = None,
) -> BrandLayer:  # fmt: skip
    """Let a layer read from now on; the one before it is past, its figures stay."""
    BrandLayer.objects.filter(brand=brand, state__in=[State.LIVE, State.OFF]).update(state=State.PAST, content=b"")
    row = BrandLayer.objects.create(
        brand_id=brand, state=State.LIVE, model=belongs_to(), content=content, figures=dict(figures),
        accepted=list(accepted), lessons=lessons, at=at,
    )  # fmt: skip
    activity.record(activities.ACCEPTED if by else activities.TAUGHT, on=row, brand=brand, by=by, at=at)
    jobs.enqueue(READ_AGAIN, brand_id=brand)
    own = unpacked(content).own
    Topic.objects.filter(brand=brand).exclude(slug__in=own).update(read_since=None)
    if own:
        ask_back(brand, at=at)
    return row


def note_read_back(brand: int, own: Collection[str], *, since: datetime) -> None:
    """What was written from `since` on was read for these of the brand's topics; for those still known, that is."""
    known = set(own) & set(of_one(brand).own)
    Topic.objects.filter(brand=brand, slug__in=known, removed_at=None).update(read_since=since)


def not_read_back(brand: int, *, to: datetime) -> frozenset[str]:
    """The brand's own topics for which not all was read that was written from then on."""
    there = Topic.objects.filter(brand=brand, removed_at=None)
    return frozenset(there.exclude(read_since__lte=to).values_list("slug", flat=True))


def never_read_back() -> list[int]:
    """The brands with a topic of their own in the layer in use for which nothing older was read yet."""
    unread: dict[int, set[str]] = {}
    for brand, slug in Topic.objects.filter(removed_at=None, read_since=None).values_list("brand", "slug"):
        unread.setdefault(brand, set()).add(slug)
    return [brand for brand, (_name, layer) in layers_of(unread).items() if unread[brand].intersection(layer.own)]


@transaction.atomic
def accept(*, held: BrandLayer, by: int, at: datetime) -> None:
    """Put to use what got worse all the same. What another shipped model left behind is learnt anew instead."""
    _one_at_a_time(held.brand_id)
    if held.model != belongs_to():
        ask(held.brand_id, at=at)
        return
    used = BrandLayer.objects.filter(brand=held.brand_id, state__in=[State.LIVE, State.OFF]).first()
    before = unpacked(bytes(used.content)) if used and used.model == held.model else NOTHING
    layer = unpacked(bytes(held.content))
    figures = {**(used.figures if used else {}), **held.figures}
    accepted = sorted({*(used.accepted if used else []), *held.figures})
    held.delete()
    put_to_use(
        held.brand_id, layer.over(before).packed(), figures=figures, accepted=accepted, lessons=held.lessons, at=at,
        by=by,
    )  # fmt: skip


@transaction.atomic
def refuse(*, held: BrandLayer, by: int, at: datetime) -> None:
    """Leave what got worse; the same is not offered again."""
    BrandLayer.objects.filter(brand=held.brand_id, state=State.LEFT).delete()
    held.state = State.LEFT
    held.save(update_fields=["state"])
    activity.record(activities.REFUSED, on=held, brand=held.brand_id, by=by, at=at)


@transaction.atomic
def switch(*, brand: int, is_on: bool, by: int, at: datetime) -> bool:
    """Let the brand's layer read, or the shipped model alone; whether that changed anything."""
    _one_at_a_time(brand)
    was, becomes = (State.OFF, State.LIVE) if is_on else (State.LIVE, State.OFF)
    row = BrandLayer.objects.select_for_update().filter(brand=brand, state=was).first()
    if row is None:
        return False
    row.state = becomes
    row.save(update_fields=["state"])
    name = activities.SWITCHED_ON if is_on else activities.SWITCHED_OFF
    activity.record(name, on=row, brand=brand, by=by, at=at)
    jobs.enqueue(READ_AGAIN, brand_id=brand)
    Topic.objects.filter(brand=brand).update(read_since=None)
    if is_on:
        ask_back(brand, at=at)
    ask(brand, at=at)
    return True


@transaction.atomic
def forget(*, brand: Brand, by: int, at: datetime) -> None:
    """Forget all that was learnt and what it was learnt from. What people said of a message stands in its reading."""
    _one_at_a_time(brand.pk)
    BrandLayer.objects.filter(brand=brand).delete()
    rows.Import.objects.filter(brand=brand).delete()
    Topic.objects.filter(brand=brand, removed_at__isnull=False).delete()
    Topic.objects.filter(brand=brand).update(read_since=None)
    Correction.objects.filter(brand=brand, is_lesson=True).update(is_lesson=False)
    activity.record(activities.FORGOTTEN, on=brand, brand=brand.pk, by=by, at=at)
    jobs.enqueue(READ_AGAIN, brand_id=brand.pk)


@transaction.atomic
def unlearn(*, brand: int, at: datetime) -> None:
    """Let go of all weights and learn anew from what is still there: something of what they came from is gone."""
    _one_at_a_time(brand)
    layers = BrandLayer.objects.filter(brand=brand)
    layers.filter(state__in=[State.HELD, State.LEFT]).delete()
    layers.filter(state=State.OFF).update(content=NOTHING.packed())  # learnt anew once it is switched on
    for live in layers.filter(state=State.LIVE):
        content = NOTHING.packed()
        put_to_use(brand, content, figures=live.figures, accepted=live.accepted, lessons=0, at=at)
    ask(brand, at=at)


def lessons_of(brand: int) -> Lessons:
    """What the brand's people said, the newest last."""
    corrections = _corrections(brand)
    taught, aside = _Gathered(), _Gathered()
    imported = examples(brand)
    for example in imported.order_by("source__at", "pk").iterator():
        group = aside if is_aside_text(example.text) else taught
        group.add(example.text, {example.field: example.value}, {})
    topics = {row.slug: row.at for row in Topic.objects.filter(brand=brand, removed_at=None)}
    asked = {said.field for of_message in corrections.values() for said in of_message if said.field.startswith(TOPIC)}
    asked |= set(taught.fields) | set(aside.fields)
    for message, of_message in zip(_messages(corrections), corrections.values(), strict=True):
        group = aside if is_aside(message.pk) else taught
        group.add(text_of(message), *_said(of_message, topics, asked))
    for text in aside.texts:
        taught.texts.pop(text, None)
    said = sum(map(len, corrections.values())) + imported.count()
    return Lessons(list(taught.lessons())[-MOST_LESSONS:], list(aside.lessons())[-MOST_LESSONS:], said)


def is_aside_text(text: str) -> bool:
    return zlib.crc32(normalised(text).encode()) % ASIDE == 0


def _corrections(brand: int) -> dict[int, list[Correction]]:
    """The corrections that stand, by message; those corrected last come last."""
    live = Correction.objects.filter(
        brand=brand, undone_at__isnull=True, is_lesson=True, message__deleted_at__isnull=True,
        message__identity__restriction__isnull=True,
    )  # fmt: skip
    found: dict[int, list[Correction]] = {}
    for said in reversed(live.order_by("-at", "-pk")[: 4 * MOST_LESSONS]):
        found.setdefault(said.message_id, []).append(said)
    return dict(list(found.items())[-MOST_LESSONS:])


def _messages(ids: Mapping[int, Any]) -> list[Message]:
    known = Message.objects.only("account_id", "subject", "text", "in_reply_to").in_bulk(list(ids))
    return [known[pk] for pk in ids]


def _said(
    corrections: Sequence[Correction], topics: Mapping[str, datetime], asked: set[str]
) -> tuple[dict[str, Any], dict[str, float]]:
    """What somebody said of a message, and what they left as it was, by field; and how much that counts."""
    said = {each.field: each.value for each in corrections}
    last = corrections[-1]
    left = {name: last.beside[name] for name in BESIDE if name in last.beside and name not in said}
    if "kind" in said:  # whether it needs an answer goes with what it is, and nobody looked at it anew
        left.pop("needs_answer", None)
    named = last.beside.get("topics")
    for name in sorted(asked - set(said)) if named is not None else []:
        if name.startswith(TOPIC) and topics.get(name.removeprefix(TOPIC), last.at) <= last.at:
            left[name] = name.removeprefix(TOPIC) in named
    return {**left, **said}, dict.fromkeys(left, LEFT_AS_IT_WAS)


@dataclass
class _Gathered:
    """What was said by text: of the same text and field the last stands."""

    texts: dict[str, tuple[str, dict[str, Any], dict[str, float]]] = field(default_factory=dict)

    def add(self, text: str, said: Mapping[str, Any], weight: Mapping[str, float]) -> None:
        whole, known, weights = self.texts.pop(normalised(text), (text, {}, {}))
        for name, value in said.items():
            if name in weight and known.get(name) is not None and name not in weights:
                continue  # said outright before
            known[name] = value
            weights.pop(name, None)
            if name in weight:
                weights[name] = weight[name]
        self.texts[normalised(text)] = (whole, known, weights)

    @property
    def fields(self) -> set[str]:
        return {name for _text, said, _weight in self.texts.values() for name in said}

    def lessons(self) -> Iterator[Lesson]:
        for text, said, weight in self.texts.values():
            yield Lesson(text, said, weight)


def _others(brand: int) -> list[str]:
    uncorrected = MessageReading.objects.filter(
        brand=brand, corrected=[], message__deleted_at__isnull=True, message__identity__restriction__isnull=True
    )
    ids = list(uncorrected.order_by("-pk").values_list("pk", flat=True)[:OTHERS])
    found = Message.objects.filter(pk__in=ids).only("subject", "text", "in_reply_to")
    return [text_of(message) for message in found.order_by("pk")]


def text_of(message: Message) -> str:
    """What is read of a message: with what it is about, unless that was an earlier message's."""
    return message.text if message.in_reply_to or not message.subject else f"{message.subject}\n{message.text}"


def layers_of_another_model() -> models.QuerySet[BrandLayer]:
    """Those a new shipped model has left behind."""
    return BrandLayer.objects.filter(state__in=[State.LIVE, State.HELD]).exclude(model=belongs_to())
