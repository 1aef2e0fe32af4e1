"""What goes in and out. Bodies are strict: no field but these, no "true" for true, no "7" for 7."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from django.utils.translation import gettext as _
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from tertulia.core.html import tidy

Item = TypeVar("Item")

MAX_ID = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=MAX_ID)]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError(_("This must be a moment, as in 2026-11-23T09:00:00Z."))
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(_("This must be a moment with its zone, as in 2026-11-23T09:00:00Z.")) from None


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(_("This must be a day, as in 2026-11-23.")) from None


def _tidied(value: Any) -> Any:
    return tidy(value) if isinstance(value, str) else value


_MOMENT = {"type": "string", "format": "date-time", "examples": ["2026-11-23T09:00:00Z"]}
Words = Annotated[str, BeforeValidator(_tidied)]
"""A text without what can't be stored: controls, NUL."""
Moment = Annotated[datetime, PlainSerializer(_utc, return_type=str), WithJsonSchema(_MOMENT)]
"""A moment we say: ISO 8601 in UTC."""
GivenMoment = Annotated[AwareDatetime, BeforeValidator(_moment), WithJsonSchema(_MOMENT)]
"""A moment we are told."""
GivenDay = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


class Body(BaseModel):
    """Something sent to us."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Page(BaseModel, Generic[Item]):
    """A page of a list. `next` is the value of `after` for the next page; null at the end."""

    items: list[Item]
    next: str | None


# What we tell


class BrandShape(BaseModel):
    id: int
    slug: str
    name: str
    language: str = Field(description="`es` or `en`")
    time_zone: str = Field(description="IANA name, as `Europe/Madrid`")
    country: str = Field(description="ISO 3166-1 alpha-2")
    region: str


class ColleagueShape(BaseModel):
    id: int = Field(description="The id to assign conversations to")
    name: str
    role: str
    can_reply: bool


class TokenShape(BaseModel):
    name: str
    prefix: str
    scopes: list[str]
    expires_at: Moment | None
    brand_id: int
    user_id: int
    user_name: str
    role: str


class ChannelShape(BaseModel):
    id: int
    kind: str = Field(description="The connector: `site`, `phone` …")
    name: str
    state: str = Field(description="`active`, `attention` or `paused`")
    trouble: str = Field(description="What is wrong, in a sentence; empty when nothing is")
    can_reply: bool
    max_text: int | None = Field(description="Longest reply in characters; null: no limit of the channel's own")
    last_success_at: Moment | None


class WorkShape(BaseModel):
    is_running: bool = Field(description="Whether the background work has given a sign of life lately")
    last_sign_at: Moment | None


class HealthShape(BaseModel):
    status: Literal["ok", "attention"]
    at: Moment
    version: str
    channels: list[ChannelShape]
    work: WorkShape


class LabelShape(BaseModel):
    id: int
    name: str
    hue: int = Field(description="Degrees of the colour wheel, 0 to 359")


class SavedReplyShape(BaseModel):
    id: int
    title: str
    text: str = Field(description="With variables in braces: {nombre}, {agente}, {marca}")
    language: str


class PersonShape(BaseModel):
    id: int
    name: str
    email: str
    phone: str
    language: str
    first_seen_at: Moment
    last_seen_at: Moment


class IdentityShape(BaseModel):
    channel_id: int
    channel: str
    name: str
    handle: str
    is_verified: bool


class PersonDetailShape(PersonShape):
    about: str
    identities: list[IdentityShape] = Field(description="Who they are on each channel, the first hundred")


class ConversationShape(BaseModel):
    id: int
    channel_id: int
    channel: str = Field(description="The kind of the channel")
    person_id: int
    person_name: str
    subject: str
    preview: str = Field(description="The beginning of the last message")
    language: str
    state: str = Field(description="`open`, `snoozed` or `closed`")
    close_reason: str
    snoozed_until: Moment | None
    owner_id: int | None = Field(description="The teammate in charge")
    label_ids: list[int]
    last_activity_at: Moment
    waiting_since: Moment | None = Field(description="Since when the person waits for an answer; null when they don't")
    promise_due_at: Moment | None = Field(description="When the next promise (first response, resolution) falls due")
    first_responded_at: Moment | None
    kind: str = Field(
        description="What the person's newest message is: `question`, `complaint` …; empty until it is read"
    )
    sentiment: str = Field(description="`negative`, `neutral` or `positive`; empty until it is read")
    urgency: int = Field(description="Per cent: 0 can wait, 33 within the day, 67 today, 100 now")
    is_offensive: bool
    has_trouble: bool = Field(description="An answer was refused, or nobody knows whether it arrived")
    turn: int = Field(description="Grows with every message; a reply names the turn its writer had read")
    answered_turn: int = Field(description="The turn of the last answer")
    is_unread: bool = Field(description="For the token's user")


class MessageShape(BaseModel):
    id: int
    direction: Literal["in", "out"]
    kind: str
    author_id: int | None = Field(
        description="The teammate who wrote it; null for the person, and for what came from elsewhere"
    )
    author_name: str
    subject: str
    text: str = Field(description="Plain text; empty once it was deleted on its channel")
    is_automatic: bool = Field(
        description="A machine wrote it: an absence note, or our automatic answer. It answers nobody"
    )
    sent_at: Moment
    edited_at: Moment | None
    deleted_at: Moment | None
    status: str = Field(
        description="How it stands there, where its channel tells: `approved`, `hold` or `spam` (WordPress); else empty"
    )
    reply_id: int | None = Field(description="The reply it went out as; null for what came in")
    reply_state: str | None


class NoteShape(BaseModel):
    id: int
    author_id: int | None
    text: str
    mentions: list[int] = Field(description="Ids of the teammates named with @")
    at: Moment


class ReplyShape(BaseModel):
    id: int
    conversation_id: int
    message_id: int
    state: str = Field(description="`queued`, `sending`, `sent`, `refused`, `unknown` or `cancelled`")
    why: str = Field(description="Why it was refused, or is not known to have arrived")
    text: str
    due_at: Moment = Field(description="It leaves then and not before; until then it can be taken back")
    finished_at: Moment | None


class WebhookShape(BaseModel):
    id: int
    url: str
    types: list[str] = Field(description="Kinds of event it hears of; empty: every kind")
    state: str = Field(description="`active`, `failing` or `off`")
    last_answer: str
    last_tried_at: Moment | None
    created_at: Moment


class NewWebhookShape(WebhookShape):
    secret: str = Field(description="`whsec_…`, to verify signatures with. It is never shown again")


# What we are told


class AssignmentBody(Body):
    to: Id | None = Field(description="Id of a teammate, see GET /team; null leaves it to nobody")


class SnoozeBody(Body):
    until: GivenMoment = Field(description="ISO 8601 with its zone; must be still to come")


class ClosureBody(Body):
    reason: Literal["answered", "no_answer", "handed_on", "spam", "duplicate", "moderated"]


class NoteBody(Body):
    text: Words = Field(description="At most 20,000 characters; @name tells a teammate")


class ReplyBody(Body):
    text: Words = Field(description="Plain text, no longer than the channel's `max_text`")
    turn: int = Field(ge=0, le=2**31 - 1, description="The conversation's `turn` as it was when the answer was written")


class TextsBody(Body):
    texts: list[Annotated[str, Field(max_length=100_000)]] = Field(
        min_length=1, max_length=500, description="1 to 500 texts of at most 100,000 characters"
    )


class ReadingShape(BaseModel):
    """What was understood of a text."""

    language: str = Field(description="ISO 639-1; `und` when none could be told")
    sentiment: Literal["negative", "neutral", "positive"]
    kind: Literal["question", "complaint", "suggestion", "praise", "purchase", "support", "spam", "other"]
    urgency: float = Field(ge=0, le=1, description="0 can wait, a third within the day, two thirds today, 1 now")
    offensive: bool = Field(description="Insult, threat or contempt of persons; harsh criticism is none")
    spam: bool
    needs_answer: bool
    topics: list[str]
    questions: list[str] = Field(description="The questions it asks, in its own words")
    confidence: dict[str, float] = Field(
        description="By field and by topic, as `topic:price`: how likely it is to be right, 0 to 1; `topics` the lowest"
    )
    why: dict[str, list[str]] = Field(description="By field, and by topic: the words that weighed most")


class PeriodShape(BaseModel):
    first: date = Field(description="In the brand's time zone")
    last: date
    messages: int = Field(description="Looked at: what people wrote, without spam and what was deleted")
    is_cut: bool = Field(description="There are more than the newest 20,000, which alone were looked at")


class QuoteShape(BaseModel):
    text: str
    message_id: int
    conversation_id: int
    alike: int = Field(description="How many more say the same in nearly the same words")


class PartShape(BaseModel):
    name: str = Field(description="In the words of those who wrote")
    messages: int
    people: int
    before: int | None = Field(description="Messages in as many days before; null when they were not counted")
    sentiments: dict[str, int] = Field(description="Messages by `negative`, `neutral`, `positive`")
    channels: dict[str, int] = Field(description="Messages by the id of their channel")
    quotes: list[QuoteShape]


class TopicShape(PartShape):
    kind: Literal["own", "general", "said"] = Field(
        description="A word of the brand's own, a general topic as readings name it, or something else people say"
    )
    parts: list[PartShape]


class TopicsShape(Page[TopicShape]):
    period: PeriodShape
    in_none: int = Field(description="Messages that are in no topic")


class AskedInShape(BaseModel):
    message_id: int
    conversation_id: int


class QuestionShape(BaseModel):
    text: str
    language: str
    people: int
    variants: list[str] = Field(description="Other ways it was put, up to five")
    asked_in: list[AskedInShape] = Field(description="Newest first, up to a hundred")


class QuestionsShape(Page[QuestionShape]):
    period: PeriodShape
    answered: int = Field(description="Questions asked as often that a saved reply answers")


class PeriodParameters(BaseModel):
    days: int = Field(30, description="7, 30 or 90: the last days up to today. `first` and `last` go before it")
    first: date | None = Field(None, description="A day in the brand's time zone, with `last`; a year at most")
    last: date | None = None
    channel_id: Id | None = None
    language: Words = Field("", max_length=2, description="ISO 639-1")


class ConversionBody(Body):
    reference: Words = Field(min_length=1, max_length=100, description="The order's own number: told twice, it is one")
    cents: int = Field(ge=0, le=10**13, description="Its amount in hundredths")
    currency: Words = Field("", max_length=3, description="ISO 4217; the brand's own when left out")
    at: GivenMoment | None = Field(None, description="When it was; now when left out")
    tt: Words = Field("", max_length=100, description="The value that came with the visitor in the address")
    coupon: Words = Field("", max_length=100)
    utm: Words = Field("", max_length=2000, description="The UTM parameters, or the address that carried them")


class ConversionShape(BaseModel):
    id: int
    reference: str
    cents: int
    currency: str
    at: Moment
    attributed_by: str = Field(description="`click`, `coupon`, `utm`; empty when nothing tells")
    link_id: int | None
    post_id: int | None
    campaign_id: int | None


class IdeaBody(Body):
    title: Words = Field(min_length=1, max_length=200)
    brief: Words = Field("", max_length=10_000)
    url: Words = Field("", max_length=2000, description="Where it was found, http or https")
    owner_id: Id | None = Field(None, description="Who sees to it: one of `/team`")
    pillar_id: Id | None = None
    format: Literal[
        "", "text", "picture", "pictures", "video", "story", "live", "poll", "article", "newsletter", "other"
    ] = ""
    due_on: GivenDay | None = Field(None, description="The day it is wanted by")


class IdeaShape(BaseModel):
    id: int
    title: str
    brief: str
    stage: str = Field(description="`new`, `chosen`, `post`, `published` or `aside`")
    because: str = Field(description="Why it is set aside")
    owner_id: int | None
    format: str
    pillar_id: int | None
    pillar: str
    due_on: date | None
    source: str = Field(description="`hand`, `link`, `article`, `message`, `question`, `topic`, `rule` or `api`")
    url: str
    post_id: int | None
    created_at: Moment


class WebhookBody(Body):
    url: str = Field(max_length=500, description="http or https, on the public internet")
    types: list[Annotated[str, Field(max_length=64)]] = Field(
        default=[], max_length=100, description="Kinds of event to hear of; empty: every kind, also those to come"
    )


class ListParameters(BaseModel):
    after: str = Field("", max_length=100, description="`next` of the page before")
    limit: int = Field(25, ge=1, le=100, description="How many, at most")


class ConversationParameters(ListParameters):
    view: Literal["open", "mine", "nobody", "waiting", "snoozed", "closed", "trouble", "mentions", "by_hand", "all"] = (
        "open"
    )
    channel: Words = Field("", max_length=40, description="Kind of the channel")
    channel_id: Id | None = None
    label_id: Id | None = None
    owner_id: Id | None = None
    kind: Literal["question", "complaint", "suggestion", "praise", "purchase", "support", "spam", "other"] | None = (
        Field(None, description="What the person's newest message is")
    )
    sentiment: Literal["negative", "neutral", "positive"] | None = None
    urgent: bool = Field(False, description="Only where the person's newest message should be answered today or now")
    language: Literal["es", "en", "pt", "fr", "it", "de", "ca"] | None = Field(None, description="The person writes in")
    offensive: bool = Field(False, description="Only where the person's newest message insults, threatens or despises")
    topic: Words = Field("", max_length=60, description="Slug of a topic that the person's newest message is about")
    needs_answer: bool = Field(False, description="Only where the person's newest message needs an answer")
    q: Words = Field("", max_length=200, description="Words to search for, over all states; newest first")


class PeopleParameters(ListParameters):
    q: Words = Field("", max_length=200, description="Part of a name, an e-mail or a phone")
