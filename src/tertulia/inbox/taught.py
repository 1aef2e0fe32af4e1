"""What a brand has taught, as its page shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext

from tertulia.brand.models import Brand
from tertulia.team.models import User
from tertulia.understanding import teaching, words
from tertulia.understanding.judging import ENOUGH, Figure
from tertulia.understanding.learning import TOPIC
from tertulia.understanding.models import BrandLayer, Correction, Import, Topic

from .models import Conversation

A_PAGE = 50
EXCERPT = 160
"""Characters of a message."""
CURVE = 60
"""Trainings the line is drawn of, the newest."""
WIDTH, HEIGHT, EDGE = 600, 120, 8

State = BrandLayer.State


@dataclass(frozen=True, slots=True)
class Row:
    """A field: how often it was corrected, and how well it is read on the set-aside part."""

    name: str
    count: int
    judged: int
    missing: int
    """Set-aside messages that it takes before this can be judged."""
    shipped: int | None
    now: int | None
    """Per cent."""
    tone: str
    fell: tuple[str, str] | None = None
    """How many were read right before a training that lost some, and how many are now: of too few to judge by."""


@dataclass(frozen=True, slots=True)
class Said:
    """A correction."""

    id: int
    text: str
    conversation: int | None
    field: str
    was: str
    value: str
    by: str
    at: datetime
    is_aside: bool


@dataclass(frozen=True, slots=True)
class OwnTopic:
    id: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Worse:
    id: int
    fields: list[tuple[str, int, int]]
    """Name, per cent as it is and as it would be."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How much of the set-aside part was read right, from training to training, without and with the layer."""

    shipped: str
    now: str
    dots: list[tuple[str, str, str]]
    latest: str


@dataclass(frozen=True, slots=True)
class Taught:
    rows: list[Row]
    total: int
    aside: int
    enough: int
    layer: BrandLayer | None
    is_off: bool
    worse: Worse | None
    curve: Curve | None
    topics: list[OwnTopic]
    removed: list[Topic]
    """The newest first."""
    imports: list[tuple[Import, str]]
    corrections: list[Said]
    before: int | None
    """Where the next page of corrections begins."""


def shown(brand: Brand, *, before: int | None = None) -> Taught:
    """All that the page shows; in a handful of queries, whatever was taught."""
    topics = list(Topic.objects.filter(brand=brand).order_by("name"))
    own = {topic.slug: topic.name for topic in topics if not topic.removed_at}
    layers = BrandLayer.objects.filter(brand=brand).defer("content")
    layer = layers.filter(state__in=[State.LIVE, State.OFF]).first()
    held = layers.filter(state=State.HELD).first()
    trainings = list(layers.filter(state__in=[State.PAST, State.LIVE, State.OFF]).order_by("-pk")[:CURVE])
    counts = _counts(brand)
    page = list(_live(brand).filter(**({"pk__lt": before} if before else {})).order_by("-pk")[: A_PAGE + 1])
    imports = list(Import.objects.filter(brand=brand).order_by("-pk"))
    people = _people({said.by_id for said in page} | {each.by_id for each in imports if each.by_id})
    return Taught(
        rows=_rows(
            counts, {**(layer.figures if layer else {}), **(held.figures if held else {})}, own, held, _fell(trainings)
        ),
        total=sum(counts.values()),
        aside=sum(teaching.is_aside(pk) for pk in set(_live(brand).values_list("message_id", flat=True))),
        enough=ENOUGH,
        layer=layer,
        is_off=layer is not None and layer.state == State.OFF,
        worse=_worse(held, own) if held else None,
        curve=_curve(trainings),
        topics=[OwnTopic(topic.pk, topic.name, counts[TOPIC + topic.slug]) for topic in topics if not topic.removed_at],
        removed=sorted(
            (topic for topic in topics if topic.removed_at), key=lambda topic: str(topic.removed_at), reverse=True
        ),
        imports=[(each, people.get(each.by_id or 0, "")) for each in imports],
        corrections=_said(page[:A_PAGE], own, people),
        before=page[A_PAGE - 1].pk if len(page) > A_PAGE else None,
    )


def _live(brand: Brand) -> QuerySet[Correction]:
    live = Correction.objects.filter(brand=brand, undone_at__isnull=True, is_lesson=True)
    return live.filter(message__deleted_at__isnull=True).select_related("message").defer("message__raw")


def _counts(brand: Brand) -> Counter[str]:
    counts: Counter[str] = Counter()
    for found in (_live(brand).order_by(), teaching.examples(brand.pk).order_by()):
        counts.update(dict(found.values("field").annotate(n=Count("pk")).values_list("field", "n")))
    return counts


def _people(ids: set[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "name"))


def _rows(
    counts: Mapping[str, int], figures: Mapping[str, Any], own: Mapping[str, str], held: BrandLayer | None,
    fell: Mapping[str, tuple[str, str]],
) -> list[Row]:  # fmt: skip
    order = [*words.fields(), *sorted(name for name in counts if name.startswith(TOPIC))]
    worse = set(held.figures) if held else set()
    return [
        _row(name, counts[name], figures.get(name), own, name in worse, fell.get(name))
        for name in order
        if name in counts
    ]


def _fell(newest_first: Sequence[BrandLayer]) -> dict[str, tuple[str, str]]:
    """What a training lost of fields that few set-aside messages judge: it stands until they are read right again."""
    found = {}
    for name, figure in newest_first[0].figures.items() if newest_first else ():
        now = Figure(**figure)
        for row in newest_first if not now.is_enough else ():
            then = Figure(**row.figures[name]) if name in row.figures else now
            was = then.floor(may_be_worse_than_shipped=name in row.accepted)
            if then.now < was and now.now < was:
                found[name] = then.told(name, was), now.told(name, now.now)
                break
    return found


def _row(
    name: str, count: int, figure: Mapping[str, Any] | None, own: Mapping[str, str], is_held: bool,
    fell: tuple[str, str] | None,
) -> Row:  # fmt: skip
    called = words.field(name, own)
    if figure is None:
        return Row(called, count, 0, ENOUGH, None, None, "")
    shipped, now = figure["shipped"], figure["before"] if is_held else figure["now"]
    tone = "" if shipped is None or now == shipped else "good" if now > shipped else "late"
    missing = max(ENOUGH - figure["judged"], 0)
    tone = "" if missing else tone
    return Row(called, count, figure["judged"], missing, _per_cent(shipped), _per_cent(now), tone, fell)


def _per_cent(share: float | None) -> int | None:
    return None if share is None else round(100 * share)


def _worse(held: BrandLayer, own: Mapping[str, str]) -> Worse:
    fields = [
        (words.field(name, own), round(100 * figure["before"]), round(100 * figure["now"]))
        for name, figure in held.figures.items()
    ]
    return Worse(held.pk, fields)


def _curve(newest_first: Sequence[BrandLayer]) -> Curve | None:
    """Of what could be judged; None before there are two trainings."""
    points = [(row.at, *_mean(row.figures)) for row in reversed(newest_first) if _judgeable(row.figures)]
    if len(points) < 2:
        return None
    step = (WIDTH - 2 * EDGE) / (len(points) - 1)
    lines = [
        [
            (f"{EDGE + n * step:.0f}", f"{HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE):.0f}")
            for n, share in enumerate(shares)
        ]
        for shares in ([point[1] for point in points], [point[2] for point in points])
    ]
    shipped, now = ("M" + " L".join(f"{x} {y}" for x, y in line) for line in lines)
    said = gettext("{now} % with what was taught, {shipped} % without")
    dots = [
        (x, y, said.format(now=round(100 * after), shipped=round(100 * alone)))
        for (x, y), (_at, alone, after) in zip(lines[1], points, strict=True)
    ]
    return Curve(shipped, now, dots, dots[-1][2])


def _judgeable(figures: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in figures.values() if each["judged"] >= ENOUGH and each["shipped"] is not None]


def _mean(figures: Mapping[str, Any]) -> tuple[float, float]:
    judged = _judgeable(figures)
    total = sum(each["judged"] for each in judged)
    alone = sum(each["shipped"] * each["judged"] for each in judged) / total
    return alone, sum(each["now"] * each["judged"] for each in judged) / total


def _said(page: Sequence[Correction], own: Mapping[str, str], people: Mapping[int, str]) -> list[Said]:
    threads = {(said.message.account_id, said.message.thread_id) for said in page}
    found = Conversation.objects.filter(
        account_id__in={account for account, _name in threads}, thread_id__in={name for _account, name in threads}
    )
    conversations = {(account, name): pk for pk, account, name in found.values_list("pk", "account_id", "thread_id")}
    return [
        Said(
            said.pk,
            _excerpt(teaching.text_of(said.message)),
            conversations.get((said.message.account_id, said.message.thread_id)),
            words.field(said.field, own),
            words.value(said.field, said.was),
            words.value(said.field, said.value),
            people.get(said.by_id, gettext("Somebody")),
            said.at,
            teaching.is_aside(said.message_id),
        )
        for said in page
    ]


def _excerpt(text: str) -> str:
    plain = " ".join(text[: 2 * EXCERPT].split())
    return plain if len(plain) <= EXCERPT else plain[: EXCERPT - 1] + "…"
