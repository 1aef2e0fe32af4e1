"""What goes in and out about posts and the library, as strictly as everything else."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from tertulia.publishing import actions, approval, library, rhythm, writing

from .shapes import Body, GivenDay, Id, ListParameters, Moment, Words


def _time(value: Any) -> time:
    try:
        if len(value) != 5:
            raise ValueError
        return time.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(_("This must be a time on the wall, as in 09:30.")) from None


_TIME = {"type": "string", "examples": ["09:30"]}
Wall = Annotated[time, PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str), WithJsonSchema(_TIME)]
"""A time on the wall that we say."""
GivenWall = Annotated[time, BeforeValidator(_time), WithJsonSchema(_TIME)]
"""A time on the wall that we are told."""

State = Literal[
    "draft", "approval", "changes", "approved", "scheduled", "publishing", "published", "partly", "by_hand", "missed",
    "failed", "unknown", "cancelled", "deleted",
]  # fmt: skip
STATES = (
    "`draft`, `approval` (it is asked for), `changes` (they are wanted), `approved` (and not scheduled), `scheduled`, "
    "`publishing`, `published`, `partly`, `by_hand` (somebody has to), `missed` (its time), `failed`, `unknown` "
    "(whether it is out), `cancelled` or `deleted`"
)


# What we tell


class PictureShape(BaseModel):
    id: int = Field(description="Of the library, see /media")
    alt: str = Field(description="What it shows, where it says something else here than in the library; else empty")


class PieceShape(BaseModel):
    text: str
    pictures: list[PictureShape]


class PollShape(BaseModel):
    options: list[str]
    seconds: int
    multiple: bool


class FigureShape(BaseModel):
    name: str = Field(description="`likes`, `reposts`, `replies`, `quotes`, `views`, or what else was written down")
    value: int | None = Field(description="The newest; null when nobody has told it, which is not zero")
    at: Moment | None = Field(description="When it stood so")
    how: str = Field(description="`network`, `hand` or `csv`; empty when nobody has told it")


class DeliveryShape(BaseModel):
    """A part on its way to one channel."""

    id: int
    number: int = Field(description="0 is the post itself")
    state: str = Field(
        description="`queued`, `waiting` (for the part before), `sending`, `sent`, `refused`, `unknown`, `missed`, "
        "`by_hand` or `cancelled`"
    )
    why: str = Field(description="Why it was refused or missed, or is not known to have arrived")
    attempts: int
    due_at: Moment
    finished_at: Moment | None
    url: str = Field(description="Where it stands on the network; empty while it doesn't, or where nobody tells")
    is_deleted: bool = Field(description="It was there, and was deleted again")
    revision: int = Field(description="Of the post, that it says")


class VersionShape(BaseModel):
    """A post on one channel."""

    channel_id: int
    channel: str
    state: str = Field(description="As that of a post; empty: not scheduled there")
    parts: list[PieceShape] | None = Field(description="Its own words; null: those all channels share")
    comment: str
    title: str
    warning: str
    language: str
    visibility: str
    deliveries: list[DeliveryShape]
    figures: list[FigureShape] = Field(description="Of what is out; empty before")


class DecisionShape(BaseModel):
    is_approved: bool
    who: str
    comment: str
    at: Moment


class RequestShape(BaseModel):
    """Somebody's wish that a post be approved."""

    id: int
    revision: int = Field(description="Of the post, that is to be approved; an approval of another one counts nothing")
    outcome: Literal["", "approved", "changes", "overtaken", "nobody"] = Field(
        description="Empty while it waits; `nobody` was left to decide it"
    )
    asked_by_id: int
    asked_at: Moment
    schedules: bool = Field(description="Approved, the post is scheduled by itself if its time is still to come")
    decisions: list[DecisionShape]


class WaitingShape(RequestShape):
    """One that waits for the token's person."""

    post_id: int
    title: str = Field(description="What the team calls the post")


class ApprovalShape(BaseModel):
    is_lacking: bool = Field(description="It may not leave as it is: ask for approval")
    rules: list[str] = Field(description="Those it falls under, a sentence each")
    requests: list[RequestShape] = Field(description="Newest first")


class PostShape(BaseModel):
    id: int
    title: str = Field(description="What the team calls it")
    state: str = Field(description=STATES)
    revision: int = Field(description="Grows with every change of what it says; a change names the one it was made of")
    on: date | None
    time: Wall | None = Field(description="On the wall of `zone`")
    zone: str
    publish_at: Moment | None = Field(description="The moment this means")
    channel_ids: list[int]
    campaign_id: int | None
    is_model: bool = Field(description="Others are made after it: it is never published itself")
    created_by_id: int
    created_at: Moment
    changed_at: Moment


class PostDetailShape(PostShape):
    parts: list[PieceShape] = Field(description="What all channels say that have no words of their own")
    comment: str = Field(description="The first comment under it")
    poll: PollShape | None
    versions: list[VersionShape]
    approval: ApprovalShape
    idea_id: int | None = Field(description="The idea it was made of")
    is_stopped: bool = Field(description="Everything the brand publishes is held, so it doesn't leave either")


class LineShape(BaseModel):
    tone: Literal["late", "soon", "note"] = Field(
        description="`late` stands in the way, `soon` is for its writer to judge, `note` only tells"
    )
    says: str


class ChangedPostShape(PostDetailShape):
    lines: list[LineShape] = Field(description="What is amiss with it as it is now; `/checks` tells more")


class LinkLookShape(BaseModel):
    url: str
    tone: Literal["good", "note", "soon"]
    says: str
    is_waiting: bool = Field(description="It is still to be asked whether anything is there")


class ShownShape(BaseModel):
    kind: Literal["post", "part", "comment"]
    text: str = Field(description="As it leaves, with its links shortened")
    length: int = Field(description="As the network counts")
    longest: int | None = Field(description="Null: no limit of the network's")
    misfits: list[str] = Field(description="Why the network would not take it")


class PreviewShape(BaseModel):
    channel_id: int
    channel: str
    network: str
    publish_at: Moment | None
    parts: list[ShownShape]


class ChecksShape(BaseModel):
    stops: bool = Field(description="Something stands in the way of its leaving")
    warns: bool = Field(description="Something is for its writer to judge")
    is_waiting: bool = Field(description="Links are still to be asked; call again in some seconds")
    known: str = Field(description="Names all that is amiss: send it along to schedule or publish all the same")
    lines: list[LineShape]
    links: list[LinkLookShape]
    versions: list[PreviewShape]


class MediaShape(BaseModel):
    id: int
    name: str
    type: str
    size: int = Field(description="Bytes")
    width: int
    height: int
    alt: str = Field(description="What it shows, for those who can't see it")
    credit: str
    rights_until: date | None = Field(description="The last day on which it may be shown")
    is_customers: bool
    is_allowed: bool = Field(description="It is no customer's, or it is noted how they allowed it")
    created_at: Moment


class SlotShape(BaseModel):
    channel_id: int
    on: date = Field(description="In the brand's time zone")
    time: Wall
    publish_at: Moment


class CampaignShape(BaseModel):
    id: int
    name: str
    tag: str = Field(description="What its links carry as `utm_campaign`")
    goal: str
    audience: str
    messages: str
    starts_on: date | None
    ends_on: date | None
    budget_cents: int | None = Field(description="As planned, in hundredths of `currency`; null: none was set")
    currency: str
    owner_id: int | None
    posts: int = Field(description="How many belong to it; GET /posts lists them by `campaign_id`")
    learned: str = Field(description="What was written down when it was closed")
    closed_at: Moment | None = Field(description="Null while it is open: nothing new can belong to a closed one")
    created_at: Moment


class HoleShape(BaseModel):
    channel_id: int
    on: date = Field(description="In the brand's time zone")
    time: Wall | None = Field(description="The channel's free slot on that day, where it has one")


# What we are told


class PictureBody(Body):
    id: Id = Field(description="Of the library, see /media")
    alt: Words = Field("", max_length=library.LONGEST_ALT, description="Empty: as in the library")


class PieceBody(Body):
    text: Words = Field(
        "", max_length=actions.LONGEST_PART, description="A line of three dashes begins a further part, as on the page"
    )
    pictures: list[PictureBody] = Field(default=[], max_length=50)


class PollBody(Body):
    options: list[Annotated[Words, Field(min_length=1, max_length=writing.LONGEST_OPTION)]] = Field(
        min_length=1, max_length=writing.MOST_OPTIONS
    )
    seconds: int = Field(writing.A_DAY, ge=1, le=999_999_999, description="How long it is open")
    multiple: bool = False


Pieces = Annotated[list[PieceBody], Field(max_length=actions.MOST_PARTS)]
Hint = Annotated[Words, Field(max_length=300)]


class VersionBody(Body):
    """One channel it is published on."""

    channel_id: Id
    parts: Pieces | None = Field(None, description="Words of its own; left out: those all channels share")
    comment: Words = Field("", max_length=actions.LONGEST_PART, description="With `parts` alone")
    title: Hint = ""
    warning: Hint = ""
    language: Hint = ""
    visibility: Hint = ""


class WallBody(Body):
    zone: Words = Field("", max_length=64, description="IANA name; the brand's own when left out")


class PostBody(WallBody):
    title: Words = Field("", max_length=200, description="What the team calls it; how it begins when left out")
    parts: Pieces = Field(default=[], description="The post, then what goes on below it")
    comment: Words = Field("", max_length=actions.LONGEST_PART, description="The first comment under it")
    poll: PollBody | None = None
    versions: list[VersionBody] = Field(default=[], max_length=200, description="Where it is published")
    campaign_id: Id | None = None
    on: GivenDay | None = Field(None, description="When it is meant to leave, with `time`; scheduling is another call")
    time: GivenWall | None = None


class NewPostBody(PostBody):
    idea_id: Id | None = Field(None, description="The idea it is made of; without a `title` it has the idea's")


class ChangedPostBody(PostBody):
    revision: int = Field(ge=1, le=2**31 - 1, description="The post's `revision` as it was when this was written")


class KnownBody(Body):
    known: Words = Field("", max_length=1000, description="`known` of /checks, to do it in spite of its warnings")


class ScheduleBody(WallBody, KnownBody):
    on: GivenDay
    time: GivenWall


class QueueBody(KnownBody):
    on: GivenDay | None = Field(None, description="A slot of /slots, with `time`; the next free one when left out")
    time: GivenWall | None = None


class ApprovalBody(KnownBody):
    schedules: bool = Field(True, description="Once approved, schedule it by itself if its time is still to come")


class VerdictBody(Body):
    is_approved: bool = Field(description="False: something has to be changed")
    comment: Words = Field("", max_length=approval.LONGEST_COMMENT, description="Needed where something has to change")


class CompletionBody(Body):
    url: Words = Field("", max_length=500, description="Where it stands on the network; https:// can be left out")


class OutcomeBody(CompletionBody):
    was_sent: bool = Field(description="Somebody looked and it is there; false: it isn't, so send it again")


class MediaBody(BaseModel):
    alt: Words = Field("", max_length=library.LONGEST_ALT, description="What it shows, for those who can't see it")


class PostParameters(ListParameters):
    state: State | None = None
    channel_id: Id | None = None
    campaign_id: Id | None = None
    first: date | None = Field(None, description="A day in the brand's time zone: from it on, the latest first")
    last: date | None = None


class MediaParameters(ListParameters):
    q: Words = Field("", max_length=100, description="Words of its name, its description or whose it is")


class SlotParameters(BaseModel):
    days: int = Field(14, ge=1, le=rhythm.QUEUE.days, description="So many, from today on")
    channel_id: Id | None = None
