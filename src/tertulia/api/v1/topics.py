"""What people write about in a period, and what they ask again and again."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from ninja import Query, Router

from tertulia.core import clock
from tertulia.insight import topics as insight
from tertulia.insight.forms import PeriodForm
from tertulia.understanding.grouping import Topic

from ..access import Call, door
from ..errors import invalid
from .shapes import (
    AskedInShape,
    PartShape,
    PeriodParameters,
    PeriodShape,
    QuestionShape,
    QuestionsShape,
    QuoteShape,
    TopicShape,
    TopicsShape,
)

router = Router(tags=["Topics"])
MAX_ASKED_IN = 100


@router.get("/topics", response=TopicsShape, **door("conversations:read", "inbox.read"))
def topics(request: Call, filters: Query[PeriodParameters]) -> TopicsShape:
    """What people write about in a period, the most spoken of first. A message can be in several topics."""
    period = _period(request, filters)
    found = insight.topics(request.auth.brand, period)
    items = [
        TopicShape(
            kind=topic.kind,
            parts=[_part(part, found, topic) for part in topic.parts],
            **_part(topic, found, topic).model_dump(),
        )
        for topic in found.grouping.topics
    ]
    about = _about(period, len(found.rows), is_cut=found.is_cut)
    return TopicsShape(items=items, next=None, period=about, in_none=found.grouping.loose)


@router.get("/questions", response=QuestionsShape, **door("conversations:read", "inbox.read"))
def questions(request: Call, filters: Query[PeriodParameters]) -> QuestionsShape:
    """What three people or more ask in a period and no saved reply answers. The most asked comes first."""
    period = _period(request, filters)
    rows = insight.messages(request.auth.brand, period)
    listed, answered = insight.questions(request.auth.brand, rows[: insight.MOST])
    about = _about(period, min(len(rows), insight.MOST), is_cut=len(rows) > insight.MOST)
    return QuestionsShape(items=[_question(each) for each in listed], next=None, period=about, answered=len(answered))


def _period(request: Call, filters: PeriodParameters) -> insight.Period:
    """Raises `ApiError` 422."""
    given = filters.model_dump(exclude_none=True)
    today = clock.now().astimezone(ZoneInfo(request.auth.brand.time_zone)).date()
    form = PeriodForm({**given, "channel": given.get("channel_id", "")}, brand=request.auth.brand, today=today)
    if not form.is_valid():
        names = {"channel": "channel_id"}
        raise invalid({names.get(name, name): " ".join(map(str, errors)) for name, errors in form.errors.items()})
    return form.period


def _about(period: insight.Period, messages: int, *, is_cut: bool) -> PeriodShape:
    return PeriodShape(first=period.first, last=period.last, messages=messages, is_cut=is_cut)


def _part(topic: Topic, found: insight.Topics, of: Topic) -> PartShape:
    return PartShape(
        name=topic.name, messages=topic.messages, people=topic.people,
        before=topic.before if found.compares(of) else None, sentiments=topic.feelings,
        channels={str(account): n for account, n in found.channels(topic)},
        quotes=[
            QuoteShape(text=quote.text, message_id=row.id, conversation_id=row.conversation, alike=quote.alike)
            for quote in topic.quotes
            for row in [found.rows[quote.at]]
        ],
    )  # fmt: skip


def _question(each: insight.Question) -> QuestionShape:
    return QuestionShape(
        text=each.asked.text, language=each.language, people=each.asked.people, variants=each.asked.variants,
        asked_in=[
            AskedInShape(message_id=row.id, conversation_id=row.conversation) for row in each.rows[:MAX_ASKED_IN]
        ],
    )  # fmt: skip
