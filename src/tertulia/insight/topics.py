"""What people write about in a period, and what they ask again and again: read from the messages each time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from tertulia.brand import zones
from tertulia.brand.models import Brand, OwnWord
from tertulia.channels import queries as channels
from tertulia.channels.models import Message, Restriction
from tertulia.inbox.models import Conversation, SavedReply
from tertulia.understanding import asked, teaching, words
from tertulia.understanding.grouping import Grouping, Own, Said, Topic, group
from tertulia.understanding.models import MessageReading

from .models import DismissedQuestion

MOST: Final = 20_000
"""Messages of a period that are grouped: the newest."""
_READ = 2_000
"""Characters of each."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of the brand's zone, and what of them is looked at."""

    first: date
    last: date
    zone: str
    account: int | None = None
    language: str = ""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def since(self) -> datetime:
        return _midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def before(self) -> Period:
        """As many days, up to the one before."""
        span = timedelta(days=self.days)
        return Period(self.first - span, self.last - span, self.zone, self.account, self.language)


def _midnight(day: date, zone: str) -> datetime:
    return zones.moment(datetime(day.year, day.month, day.day), ZoneInfo(zone)).astimezone(UTC)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Row:
    """A message somebody wrote to the brand, its conversation, and what was understood of it."""

    id: int
    conversation: int
    account: int
    person: int
    name: str
    at: datetime
    text: str
    sentiment: str
    language: str
    topics: tuple[str, ...]
    questions: tuple[str, ...]
    is_read: bool
    waits: bool
    """Nobody has answered it yet."""


@dataclass(frozen=True, slots=True)
class Topics:
    """`rows` are the period's messages, newest first, as the topics number them."""

    rows: list[Row]
    grouping: Grouping
    is_cut: bool
    """There are more messages than are grouped."""
    is_compared: bool
    """The period before was counted too: it was whole, and somebody wrote."""
    not_read_back: frozenset[str]
    """The brand's own topics for which the period before was not read, or not wholly."""
    taught: Mapping[str, str]
    """The names of the topics that people put on messages themselves, by the slugs that stand in readings."""
    accounts: Mapping[int, str]
    """The names of the channels that the messages came by."""

    def compares(self, topic: Topic) -> bool:
        """Whether its messages of the period before are all that were about it then."""
        return self.is_compared and not (topic.kind == "general" and topic.name in self.not_read_back)

    def topic(self, key: str, of: Collection[int] = ()) -> Topic | None:
        """The topic of that key. What people said is called by their words, and otherwise when others join in: where
        none has the key, it is the topic that most of these messages are in, of several one of that kind, and then the
        smallest."""
        for topic in self.grouping.topics:
            if topic.key == key:
                return topic
        numbers = {n for n, row in enumerate(self.rows) if row.id in of}
        near = [(len(numbers.intersection(topic.members)), topic) for topic in self.grouping.topics]
        kind = key.partition("-")[0]
        most, found = max(
            near, key=lambda each: (each[0], each[1].kind == kind, -each[1].messages), default=(0, None)
        )  # fmt: skip
        return found if most and 2 * most >= len(of) else None

    def some_of(self, topic: Topic) -> list[int]:
        """Three of its messages, quoted ones first: enough to find it again under another name."""
        numbers = dict.fromkeys([*(quote.at for quote in topic.quotes), *topic.members[:3]])
        return [self.rows[n].id for n in numbers][:3]

    def channels(self, topic: Topic) -> list[tuple[int, int]]:
        """The channels its messages came by, each with how many, the most first."""
        return Counter(self.rows[n].account for n in topic.members).most_common()


def topics(brand: Brand, period: Period) -> Topics:
    """The topics of a period, beside the same of the period before."""
    rows = messages(brand, period)
    is_cut = len(rows) > MOST
    rows = rows[:MOST]
    before = [] if is_cut else messages(brand, period.before)
    if len(before) > MOST:
        before = []
    said = tuple(_said(row, is_before=False) for row in rows) + tuple(_said(row, is_before=True) for row in before)
    came_by = channels.accounts(brand).filter(pk__in={row.account for row in rows})
    accounts = dict(came_by.values_list("pk", "name"))
    not_read_back = teaching.not_read_back(brand.pk, to=period.before.since)
    grouping, own = _grouped(said, own_words(brand)), teaching.own_topics(brand.pk)
    return Topics(rows, grouping, is_cut, bool(before), not_read_back, own, accounts)


def own_words(brand: Brand) -> tuple[Own, ...]:
    own = OwnWord.objects.filter(brand=brand).order_by("pk")
    return tuple(Own(word.name, tuple(word.spellings)) for word in own)


@lru_cache(maxsize=2)
def _grouped(said: tuple[Said, ...], own: tuple[Own, ...]) -> Grouping:
    """Kept for whoever opens a topic next: they ask for the same messages again."""
    return group(said, own)


def _said(row: Row, *, is_before: bool) -> Said:
    return Said(row.text, row.person, row.topics, row.sentiment, row.language, is_before)


@dataclass(frozen=True, slots=True)
class Question:
    """Something several people asked, and the messages they asked it in, newest first."""

    asked: asked.Repeated
    language: str
    rows: list[Row]
    reply: SavedReply | None = None
    """What answers it, as far as its words tell."""


def questions(brand: Brand, rows: Sequence[Row]) -> tuple[list[Question], list[Question]]:
    """What at least three people asked and no saved reply answers, and what one answers."""
    askings = [
        asked.Asked(text, row.person, n, row.language) for n, row in enumerate(rows) for text in row.questions
    ]  # fmt: skip
    found = asked.repeated(askings)
    replies = list(SavedReply.objects.filter(brand=brand).order_by("pk"))
    answers = [asked.meaning(f"{reply.title}. {reply.text}", reply.language) for reply in replies]
    dismissed = list(DismissedQuestion.objects.filter(brand=brand).values_list("text", flat=True))
    listed, answered = [], []
    for each in found:
        if (by := asked.answered_by(each, answers)) is not None:
            answered.append(_question(each, rows, replies[by]))
        elif not asked.is_among(each, dismissed):
            listed.append(_question(each, rows))
    return listed, answered


def _question(found: asked.Repeated, rows: Sequence[Row], reply: SavedReply | None = None) -> Question:
    languages = [asking.language for asking in found.askings]
    numbers = sorted({asking.at for asking in found.askings})
    return Question(found, max(sorted(set(languages)), key=languages.count), [rows[n] for n in numbers], reply)


def messages(brand: Brand, period: Period, *, most: int = MOST + 1) -> list[Row]:
    """What people wrote in the period, newest first; spam, machines' words and what was deleted left out.

    All states are named so that the index of brand, state and last activity is walked from there on.
    """
    sql = f"""
SELECT message.id, conversation.id, conversation.account_id, conversation.member_id, message.author_name,
    message.sent_at,
    CASE WHEN message.in_reply_to = '' THEN message.subject ELSE '' END, SUBSTR(message.text, 1, {_READ}),
    reading.sentiment, reading.language, reading.topics, reading.questions,
    message.sent_at >= conversation.waiting_since
FROM {Conversation._meta.db_table} conversation
JOIN {Message._meta.db_table} message
    ON message.account_id = conversation.account_id AND message.thread_id = conversation.thread_id
LEFT JOIN {MessageReading._meta.db_table} reading ON reading.message_id = message.id
WHERE conversation.brand_id = %s AND conversation.state IN ('open', 'snoozed', 'closed')
    AND conversation.last_activity_at >= %s
    AND message.sent_at >= %s AND message.sent_at < %s
    AND message.direction = 'in' AND NOT message.is_automatic AND message.deleted_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM {Restriction._meta.db_table} WHERE identity_id = message.identity_id)
    AND message.remote_id NOT LIKE 'erased:%%' AND message.kind <> 'article'
    AND (reading.message_id IS NULL OR NOT reading.spam)
    {"AND conversation.account_id = %s" if period.account else ""}
    {"AND reading.language = %s" if period.language else ""}
ORDER BY message.sent_at DESC, message.id DESC LIMIT %s
"""  # noqa: S608 — our own tables' names
    narrowed = [each for each in (period.account, period.language) if each]
    with connection.cursor() as cursor:
        cursor.execute(sql, [brand.pk, period.since, period.since, period.until, *narrowed, most])
        found = cursor.fetchall()
    known = {*words.topics(), *teaching.own_topics(brand.pk)}  # readings name removed topics too
    return [_row(known, *row) for row in found]


def _row(
    known: Set[str], id: int, conversation: int, account: int, person: int, name: str, at: datetime, subject: str,
    text: str, sentiment: str | None, language: str | None, topics: Any, questions: Any, waits: Any,
) -> Row:  # fmt: skip
    return Row(
        id, conversation, account, person, name, at if at.tzinfo else at.replace(tzinfo=UTC),
        f"{subject}. {text}" if subject else text, sentiment or "neutral", language or "",
        tuple(topic for topic in _list(topics) if topic in known), _list(questions), sentiment is not None, bool(waits),
    )  # fmt: skip


def _list(stored: Any) -> tuple[str, ...]:
    return tuple(json.loads(stored) if isinstance(stored, str) else stored or ())
