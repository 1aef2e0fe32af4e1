"""The brand's own topics, and what was taught as a file: out, and in again elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.brand.models import Brand
from tertulia.core import activity

from . import activities, teaching
from .actions import FLAGS, TAUGHT, NotUnderstood
from .learning import TOPIC
from .model import shipped
from .models import Correction, Example, Import, MessageReading, Topic

LARGEST = 10 * 1024 * 1024
"""Bytes of a file that is imported."""
MOST_LINES = 20_000
LONGEST = 100_000
"""Characters of a text."""
MOST_TOPICS = 100
MOST_TOLD = 20
"""Errors of a file that are told at once."""


class NoTopic(Exception):
    """The topic can't be called so; the message says why."""


class NotReadable(Exception):
    """A file that can't be imported; `problems` say a line each what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@transaction.atomic
def add_topic(*, brand: Brand, name: str, by: int | None, at: datetime) -> Topic:
    """A topic of the brand's own; the one there is or was when it is called so already. Raises `NoTopic`."""
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise NoTopic(_("Give the topic a name of at most 60 characters."))
    slug = _slug(name)
    if known := Topic.objects.filter(brand=brand, name__iexact=name).first():
        restore_topic(topic=known, by=by, at=at)
        return known
    _leave_room(brand)
    return _add(brand, _free(brand, slug), name, by, at)


def is_removed(brand: Brand, name: str) -> bool:
    """Whether a topic of the brand's own that was removed is called so."""
    return Topic.objects.filter(brand=brand, name__iexact=name, removed_at__isnull=False).exists()


def _leave_room(brand: Brand) -> None:
    if len(teaching.own_topics(brand.pk)) >= MOST_TOPICS:
        raise NoTopic(_("A brand has at most {n} topics of its own. Remove one first.").format(n=MOST_TOPICS))


def _add(brand: Brand, slug: str, name: str, by: int | None, at: datetime) -> Topic:
    topic = Topic.objects.create(brand=brand, slug=slug, name=name, by_id=by, at=at)
    activity.record(activities.TOPIC_ADDED, on=topic, brand=brand.pk, by=by, at=at, topic=name)
    return topic


def _slug(name: str) -> str:
    return slugify(name)[:50] or slugify(name, allow_unicode=True)[:50].encode("punycode").decode()[:50] or "topic"


def _free(brand: Brand, slug: str) -> str:
    """The slug, or with a number behind it when it is taken or one of the shipped topics."""
    taken = {*shipped().fields["topics"].classes, *Topic.objects.filter(brand=brand).values_list("slug", flat=True)}
    tries = (slug if not n else f"{slug}-{n + 1}" for n in range(len(taken) + 1))
    return next(each for each in tries if each not in taken)


@transaction.atomic
def rename_topic(*, topic: Topic, name: str, by: int, at: datetime) -> None:
    """Call a topic otherwise; what was taught of it stays. Raises `NoTopic`."""
    name, was = " ".join(name.split()), topic.name
    if not name or len(name) > 60:
        raise NoTopic(_("Give the topic a name of at most 60 characters."))
    if other := Topic.objects.filter(brand=topic.brand_id, name__iexact=name).exclude(pk=topic.pk).first():
        if other.removed_at:
            raise NoTopic(
                _("“{name}” is a removed topic: bring it back, or choose another name.").format(name=other.name)
            )
        raise NoTopic(_("Another topic is called “{name}” already.").format(name=name))
    if name != was:
        topic.name = name
        topic.save(update_fields=["name"])
        activity.record(
            activities.TOPIC_RENAMED, on=topic, brand=topic.brand_id, by=by, at=at, was=was, topic=name
        )  # fmt: skip


@transaction.atomic
def remove_topic(*, topic: Topic, by: int, at: datetime) -> None:
    """Let go of a topic and of what was said of it; `restore_topic` brings back both."""
    if not Topic.objects.filter(pk=topic.pk, removed_at=None).update(removed_at=at, read_since=None):
        return
    field = TOPIC + topic.slug
    said = Correction.objects.filter(brand=topic.brand_id, field=field, undone_at__isnull=True)
    readings = list(MessageReading.objects.select_for_update().filter(pk__in=said.values("message")).order_by("pk"))
    for reading in readings:
        reading.topics = [slug for slug in reading.topics if slug != topic.slug]
        reading.corrected = [name for name in reading.corrected if name != field]
    MessageReading.objects.bulk_update(readings, ["topics", "corrected"], batch_size=500)
    said.update(undone_at=at)
    activity.record(activities.TOPIC_REMOVED, on=topic, brand=topic.brand_id, by=by, at=at, topic=topic.name)
    teaching.ask(topic.brand_id, at=at)


@transaction.atomic
def restore_topic(*, topic: Topic, by: int | None, at: datetime) -> None:
    """Bring back a removed topic with what was said of it; of one that is there nothing changes. Raises `NoTopic`."""
    topic = Topic.objects.select_for_update(of=("self",)).select_related("brand").get(pk=topic.pk)
    if topic.removed_at is None:
        return
    _leave_room(topic.brand)
    field = TOPIC + topic.slug
    undone = Correction.objects.filter(brand=topic.brand_id, field=field, undone_at=topic.removed_at)
    said = dict(undone.values_list("message", "value"))
    readings = list(MessageReading.objects.select_for_update().filter(pk__in=undone.values("message")).order_by("pk"))
    for reading in readings:
        others = [slug for slug in reading.topics if slug != topic.slug]
        reading.topics = [*others, topic.slug] if said[reading.pk] else others
        reading.corrected = [*(name for name in reading.corrected if name != field), field]
    MessageReading.objects.bulk_update(readings, ["topics", "corrected"], batch_size=500)
    undone.update(undone_at=None)
    topic.removed_at, topic.at = None, at
    topic.save(update_fields=["removed_at", "at"])
    activity.record(activities.TOPIC_RESTORED, on=topic, brand=topic.brand_id, by=by, at=at, topic=topic.name)
    teaching.ask(topic.brand_id, at=at)
    teaching.ask_back(topic.brand_id, at=at)


def exported(brand: Brand) -> Iterator[str]:
    """What the brand's people taught, a line of JSON each: text, field, value and when; nobody's name or number.

    A text may name people all the same: it is what they wrote.
    """
    own = teaching.own_topics(brand.pk)
    live = Correction.objects.filter(
        brand=brand, undone_at__isnull=True, is_lesson=True, message__deleted_at__isnull=True
    )
    whole = live.select_related("message").defer("message__raw").order_by("at", "pk")
    for said in whole.iterator(chunk_size=500):
        yield _line(teaching.text_of(said.message), said.field, said.value, said.at, own)
    for example in teaching.examples(brand.pk).order_by("pk").iterator():
        yield _line(example.text, example.field, example.value, example.at, own)


def _line(text: str, field: str, value: Any, at: datetime | None, own: dict[str, str]) -> str:
    facts: dict[str, Any] = {"text": text, "field": field, "value": value, "at": at.isoformat() if at else None}
    if name := own.get(field.removeprefix(TOPIC)):
        facts["name"] = name
    return json.dumps(facts, ensure_ascii=False) + "\n"


class _Row(NamedTuple):
    text: str
    field: str
    value: Any
    at: datetime | None
    name: str


def import_lines(*, brand: Brand, content: bytes, name: str, by: int | None, at: datetime) -> Import:
    """Learn from a file as `exported` writes it: all of it, or nothing.

    Own topics it names are added or brought back. Raises `NotReadable`, which says of each line what to do.
    """
    rows = _rows(content)
    with transaction.atomic():
        for slug, called in {row.field.removeprefix(TOPIC): row.name for row in rows if _is_own(row.field)}.items():
            known = Topic.objects.filter(brand=brand, slug=slug).first()
            try:
                if known:
                    restore_topic(topic=known, by=by, at=at)
                else:
                    _leave_room(brand)
                    _add(brand, slug, called[:60] or slug, by, at)
            except NoTopic as problem:
                raise NotReadable([str(problem)]) from problem
        source = Import.objects.create(brand=brand, name=name[:200], size=len(rows), by_id=by, at=at)
        Example.objects.bulk_create(
            [Example(source=source, text=row.text, field=row.field, value=row.value, at=row.at) for row in rows],
            batch_size=500,
        )
        activity.record(activities.IMPORTED, on=source, brand=brand.pk, by=by, at=at, count=len(rows))
        teaching.ask(brand.pk, at=at)
    return source


@transaction.atomic
def undo_import(*, source: Import, by: int, at: datetime) -> None:
    """Take back all that came in one file."""
    activity.record(activities.UNIMPORTED, on=source, brand=source.brand_id, by=by, at=at, count=source.size)
    brand = source.brand_id
    source.delete()
    teaching.ask(brand, at=at)


def _rows(content: bytes) -> list[_Row]:
    if len(content) > LARGEST:
        raise NotReadable([_("The file is larger than 10 MB. Cut it into several.")])
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise NotReadable([_("The file isn't text in UTF-8. Save it as UTF-8 and try again.")]) from None
    if len(lines) > MOST_LINES + 1:
        raise NotReadable([_("The file has more than {n} lines. Cut it into several.").format(n=MOST_LINES)])
    rows, problems = [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                rows.append(_row(line))
            except NotUnderstood as problem:
                problems.append(_("Line {number}: {problem}").format(number=number, problem=problem))
    if not rows and not problems:
        problems.append(_("The file is empty. A line looks like this: {line}").format(line=_SAMPLE))
    if problems:
        raise NotReadable(_few(problems))
    return rows


_SAMPLE = '{"text": "¿Abrís el lunes?", "field": "kind", "value": "question"}'


def _few(problems: list[str]) -> list[str]:
    more = len(problems) - MOST_TOLD
    if more <= 0:
        return problems
    rest = ngettext("{n} more line has a problem.", "{n} more lines have a problem.", more).format(n=more)
    return [*problems[:MOST_TOLD], rest]


def _row(line: str) -> _Row:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise NotUnderstood(_("this is no JSON. A line looks like this: {line}").format(line=_SAMPLE)) from None
    if not isinstance(said, dict):
        raise NotUnderstood(_("this is no JSON object. A line looks like this: {line}").format(line=_SAMPLE))
    text, name = said.get("text"), said.get("name") or ""
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST or "\0" in text:
        raise NotUnderstood(_("“text” must be a text of 1 to 100,000 characters."))
    field, value = str(said.get("field")), said.get("value")
    _check(field, value)
    if not isinstance(name, str) or "\0" in name:
        raise NotUnderstood(_("“name” must be a text."))
    return _Row(text.encode(errors="replace").decode(), field, value, _moment(said.get("at")), " ".join(name.split()))


def _check(field: str, value: Any) -> None:
    if field.startswith(TOPIC):
        slug = field.removeprefix(TOPIC)
        if not slug or len(slug) > 60 or not _is_slug(slug):
            raise NotUnderstood(_("a topic is written “topic:” and letters, digits and hyphens, at most 60."))
        if not isinstance(value, bool):
            raise NotUnderstood(_("“value” of a topic must be true or false."))
        return
    if field not in TAUGHT:
        fields = ", ".join([*TAUGHT, f"{TOPIC}…"])
        raise NotUnderstood(_("“field” must be one of these: {fields}.").format(fields=fields))
    choices = TAUGHT[field]
    if isinstance(value, list | dict) or value not in choices or isinstance(value, bool) != (field in FLAGS):
        told = ", ".join(json.dumps(choice) for choice in choices)
        raise NotUnderstood(_("“value” of “{field}” must be one of these: {values}.").format(field=field, values=told))


def _is_slug(slug: str) -> bool:
    return all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in slug)


def _is_own(field: str) -> bool:
    return field.startswith(TOPIC) and field.removeprefix(TOPIC) not in shipped().fields["topics"].classes


def _moment(said: Any) -> datetime | None:
    if said is None:
        return None
    try:
        found = parse_datetime(said) if isinstance(said, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise NotUnderstood(_("“at” must be a moment with its time zone, such as 2026-11-23T11:00:00+00:00."))
    return found
