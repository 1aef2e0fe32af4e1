"""Posts: read how far they have come, write them, let them leave and take them back; and what a week still lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from ninja import Path, Query, Router

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels import reactions as figures
from tertulia.channels.models import Delivery
from tertulia.connectors.contract import Poll
from tertulia.core import clock
from tertulia.core.sentences import told
from tertulia.publishing import (
    actions,
    approval,
    campaigns,
    checks,
    dealing,
    ideas,
    leaving,
    looking,
    queries,
    rhythm,
    saying,
    series,
    shortening,
    writing,
)
from tertulia.publishing.forms import CompletionForm
from tertulia.publishing.models import ApprovalRequest, Idea, Post, Sending, Version
from tertulia.publishing.saying import Piece, Shown
from tertulia.publishing.writing import COMMON, Sheet, Writing
from tertulia.strategy.models import Campaign
from tertulia.team.models import Membership

from .. import paging
from ..access import Call, door
from ..errors import ApiError, invalid, not_found
from ..idempotency import once
from .post_shapes import (
    ApprovalBody,
    ApprovalShape,
    CampaignShape,
    ChangedPostBody,
    ChangedPostShape,
    ChecksShape,
    CompletionBody,
    DecisionShape,
    DeliveryShape,
    FigureShape,
    HoleShape,
    KnownBody,
    LineShape,
    LinkLookShape,
    NewPostBody,
    OutcomeBody,
    PictureShape,
    PieceBody,
    PieceShape,
    PollShape,
    PostBody,
    PostDetailShape,
    PostParameters,
    PostShape,
    PreviewShape,
    QueueBody,
    RequestShape,
    ScheduleBody,
    ShownShape,
    SlotParameters,
    SlotShape,
    VerdictBody,
    VersionShape,
    WaitingShape,
)
from .shapes import Id, ListParameters, Page

router = Router(tags=["Posts"])

READS = door("posts:read", "publishing.read")
WRITES = door("posts:write", "publishing.write")
PUBLISHES = door("posts:publish", "publishing.publish")
LETS_LEAVE = door("posts:publish", "publishing.publish", needs_key=True)
MOST_PAGES = 20
"""Of the posts that may stand in a state, so many pages are looked at for one that does."""


@router.get("/posts", response=Page[PostShape], **READS)
def posts(request: Call, filters: Query[PostParameters]) -> Page[PostShape]:
    """The brand's posts, what was changed last first; between days those that leave last come first.

    Where a post stands is read from its deliveries: with `state` a page may hold fewer than `limit`, even none, while
    there are more to come.
    """
    brand, column, rows = request.auth.brand, "changed_at", queries.posts(request.auth.brand)
    if filters.first or filters.last:
        column, rows = "publish_at", rows.filter(**_between(filters, ZoneInfo(brand.time_zone)))
    if filters.channel_id:
        rows = rows.filter(versions__account=filters.channel_id)
    if filters.campaign_id:
        rows = rows.filter(campaign=filters.campaign_id)
    page, after = _standing(rows, column, filters)
    return Page[PostShape](items=_shapes(page), next=after)


def _between(filters: PostParameters, zone: ZoneInfo) -> dict[str, Any]:
    def begins(day: date) -> datetime:
        return zones.moment(datetime.combine(day, time()), zone)

    span: dict[str, Any] = {"publish_at__isnull": False}
    try:
        span |= {"publish_at__gte": begins(filters.first)} if filters.first else {}
        span |= {"publish_at__lt": begins(filters.last + timedelta(days=1))} if filters.last else {}
    except OverflowError:
        raise invalid({"last" if filters.last else "first": _("There is no such day.")}) from None
    return span


def _standing(rows: QuerySet[Post], column: str, filters: PostParameters) -> tuple[list[Post], str | None]:
    if not filters.state:
        return paging.newest(rows, column, after=filters.after, limit=filters.limit)
    rows, after = queries.nearly(rows, filters.state), filters.after
    for _n in range(MOST_PAGES):
        page, following = paging.newest(rows, column, after=after, limit=filters.limit)
        standings = queries.standings(page)
        page = [post for post in page if standings[post.pk].state == filters.state]
        if page or following is None:
            return page, following
        after = following
    return [], after


@router.get("/posts/{int:post_id}", response=PostDetailShape, **READS)
def post(request: Call, post_id: Path[Id]) -> PostDetailShape:
    """One post, on each of its channels.

    What it says there, how far it has come, where it stands and what people did about it. A figure that nobody told
    is null and never zero. 404 for another brand's.
    """
    return _detail(_post(request, post_id))


# Writing


@router.post(
    "/posts", response={201: PostDetailShape}, **door("posts:write", "publishing.write", needs_key=True)
)  # fmt: skip
def add_post(request: Call, body: NewPostBody) -> PostDetailShape:
    """Begin a post. It is a draft: nothing leaves before it is scheduled.

    409 `has_post` when a post of the idea lives already.
    """
    brand, by, at = request.auth.brand, request.auth.user, clock.now()
    written = _writing(body, brand)

    def write() -> dict[str, Any]:
        begun = _begun(request, body.idea_id, at) if body.idea_id else None
        if begun:
            written.seen, written.title = begun.revision, written.title or begun.title
        kept, _odd = writing.keep(brand=brand, post=begun, writing=written, by=by, at=at)
        return _detail(_post(request, kept.pk)).model_dump(mode="json")

    answer = PostDetailShape.model_validate(once(request, body.model_dump(mode="json"), write, at=at))
    looking.ask(written.texts, brand, draft=None, at=at)
    return answer


def _begun(request: Call, idea_id: int, at: datetime) -> Post:
    idea = Idea.objects.filter(brand=request.auth.brand, pk=idea_id).select_related("brand", "post").first()
    if idea is None:
        raise invalid({"idea_id": _("There is no such idea.")})
    if there := ideas.post_of(idea):
        raise ApiError(409, "has_post", _("There is a post of this idea already."), post_id=there.pk)
    return ideas.write(idea=idea, by=request.auth.user, at=at)


@router.put("/posts/{int:post_id}", response=ChangedPostShape, **WRITES)
def change_post(request: Call, post_id: Path[Id], body: ChangedPostBody) -> ChangedPostShape:
    """Make a post what the body says; whatever it leaves out is taken away.

    What is scheduled changes along; under a rule of approval it is taken back and waits for a new one. 409 `changed`
    when somebody has changed it since `revision`, 409 `too_late` where it has left, 422 `unfit` where it is scheduled
    and a network would not take it so. Warnings don't stop a change: they are in `lines`.
    """
    caller, at, found = request.auth, clock.now(), _post(request, post_id)
    written = _writing(body, caller.brand, post=found, seen=body.revision)
    if writing.reschedules(written, found):
        PUBLISHES["auth"].check(caller)
    writing.keep(brand=caller.brand, post=found, writing=written, by=caller.user, at=at)
    series.follow(model=found, at=at)
    looking.ask(written.texts, caller.brand, draft=None, at=at)
    kept = _post(request, post_id)
    return ChangedPostShape(**dict(_detail(kept)), lines=_lines(_checked(request, kept, writing.from_post(kept))))


@router.get("/posts/{int:post_id}/checks", response=ChecksShape, **READS)
def check_post(request: Call, post_id: Path[Id]) -> ChecksShape:
    """What is amiss with a post before it leaves, as the page of its writer tells it.

    Limits of the networks, descriptions of pictures, words, the hour, links. These are asked in the background:
    while `is_waiting`, call again.
    """
    found = _post(request, post_id)
    written = writing.from_post(found)
    texts = [*written.texts, *(one.text for one in dealing.wordings(found))]
    looking.ask(texts, request.auth.brand, draft=None, at=clock.now())
    return _checks(_checked(request, found, written))


@router.put("/posts/{int:post_id}/approval", response=PostDetailShape, **WRITES)
def ask_for_approval(request: Call, post_id: Path[Id], body: ApprovalBody | None = None) -> PostDetailShape:
    """Ask for approval of a post as it is. Asking twice changes nothing; 422 when no rule asks for it.

    Where it is to be scheduled once it is approved, 409 `warnings` while `known` isn't that of its checks.
    """
    found, body = _post(request, post_id), body or ApprovalBody.model_validate({})
    if not ApprovalRequest.objects.filter(post=found, outcome=ApprovalRequest.Outcome.OPEN).exists():
        leaves = body.schedules and queries.standing(found).is_open and not queries.is_model(found)
        seen = _only_seen(request, found, body, wall=found.wall, zone=found.zone) if leaves else nullcontext()
        with seen:
            approval.ask(post=found, by=request.auth.user, at=clock.now(), schedules=body.schedules)
    return _detail(_post(request, post_id))


# When it leaves


@router.put("/posts/{int:post_id}/schedule", response=PostDetailShape, **LETS_LEAVE)
def schedule_post(request: Call, post_id: Path[Id], body: ScheduleBody) -> PostDetailShape:
    """Let a post leave at a time on the wall of a zone, once.

    422 `unfit` where a network would not take it, with its words; 409 `not_approved` under a rule; 409 `warnings`
    while `known` isn't that of its checks: read them, then send theirs along.
    """
    wall = datetime.combine(body.on, body.time)

    def act(post: Post, at: datetime) -> None:
        actions.plan(post=post, wall=wall, zone=body.zone, by=request.auth.user, at=at)
        actions.schedule(post=post, by=request.auth.user, at=at)

    return _leaving(request, post_id, body, act, wall=wall, zone=body.zone)


@router.put("/posts/{int:post_id}/queue", response=PostDetailShape, **LETS_LEAVE)
def queue_post(request: Call, post_id: Path[Id], body: QueueBody | None = None) -> PostDetailShape:
    """Let a post leave at the next free slot of its channels, once.

    Or at the slot that is named. Refuses like schedule.
    """
    body = body or QueueBody.model_validate({})
    if (body.on is None) != (body.time is None):
        raise invalid({"time" if body.on else "on": _("Say on which day and at what time.")})
    wall = datetime.combine(body.on, body.time) if body.on and body.time else None

    def act(post: Post, at: datetime) -> None:
        rhythm.enqueue(post=post, by=request.auth.user, at=at, wall=wall)

    return _leaving(request, post_id, body, act, wall=wall)


@router.put("/posts/{int:post_id}/publication", response=PostDetailShape, **LETS_LEAVE)
def publish_post(request: Call, post_id: Path[Id], body: KnownBody | None = None) -> PostDetailShape:
    """Let a post leave now, once, after the brand's time to take it back. Refuses like schedule."""

    def act(post: Post, at: datetime) -> None:
        actions.publish_now(post=post, by=request.auth.user, at=at)

    return _leaving(request, post_id, body or KnownBody.model_validate({}), act)


def _leaving(
    request: Call, post_id: int, body: KnownBody, act: Callable[[Post, datetime], None], *,
    wall: datetime | None = None, zone: str = "",
) -> PostDetailShape:  # fmt: skip
    found, at = _post(request, post_id), clock.now()

    def leave() -> dict[str, Any]:
        with _only_seen(request, found, body, wall=wall, zone=zone):
            act(found, at)
        return _detail(_post(request, post_id)).model_dump(mode="json")

    return PostDetailShape.model_validate(once(request, body.model_dump(mode="json"), leave, at=at))


@contextmanager
def _only_seen(
    request: Call, found: Post, body: KnownBody, *, wall: datetime | None, zone: str
) -> Iterator[None]:  # fmt: skip
    """As `leaving.only_seen`: what stands in its way is said before what could be better."""
    written = writing.from_post(found)
    written.on, written.time = (wall.date().isoformat(), f"{wall:%H:%M}") if wall else ("", "")
    written.zone = zone or request.auth.brand.time_zone
    amiss = _checked(request, found, written)
    with transaction.atomic():
        yield
        leaving.check_same(found)
        if amiss.warns and not amiss.is_seen(body.known):
            raise _warned(amiss)


def _warned(amiss: checks.Checked) -> ApiError:
    return ApiError(
        409, "warnings", _("Some of this post may not be meant so."),
        what_to_do=_("Read its lines; if all of it is meant so, repeat the call with this `known`."),
        known=amiss.known, lines=[line.model_dump() for line in _lines(amiss)],
    )  # fmt: skip


@router.delete("/posts/{int:post_id}/schedule", response=PostDetailShape, **PUBLISHES)
def cancel_post(request: Call, post_id: Path[Id]) -> PostDetailShape:
    """Cancel a post: what has not begun to leave is taken back. 409 `too_late` when all of it has."""
    found = _post(request, post_id)
    if queries.standing(found).state != Post.State.CANCELLED:
        actions.cancel(post=found, by=request.auth.user, at=clock.now())
    return _detail(_post(request, post_id))


@router.delete("/posts/{int:post_id}/publication", response=PostDetailShape, **PUBLISHES)
def delete_post(request: Call, post_id: Path[Id]) -> PostDetailShape:
    """Delete a post wherever it was published; what has not left is taken back. 422 when nothing can be deleted."""
    actions.delete(post=_post(request, post_id), by=request.auth.user, at=clock.now())
    return _detail(_post(request, post_id))


# What needs somebody


@router.get("/approvals", response=Page[WaitingShape], **READS)
def waiting_approvals(request: Call) -> Page[WaitingShape]:
    """What the token's person is asked to approve now, the longest waiting first.

    All of it comes at once: `next` is always null.
    """
    found = approval.waiting_for(request.auth.brand, request.auth.user)
    items = [WaitingShape(**_asked(one), post_id=one.post_id, title=one.post.title) for one in found]
    return Page[WaitingShape](items=items, next=None)


@router.put(
    "/approvals/{int:approval_id}/decision", response=PostDetailShape,
    **door("posts:approve", "publishing.read", needs_key=True),
)  # fmt: skip
def decide_approval(request: Call, approval_id: Path[Id], body: VerdictBody) -> PostDetailShape:
    """Approve a post as the token's person, or ask for changes and say which.

    With the last approval it is scheduled, if that was wished. 403 `not_asked` when it is for somebody else to decide
    at this point, 409 `settled` when it was decided or changed meanwhile.
    """
    asked = ApprovalRequest.objects.filter(post__brand=request.auth.brand, pk=approval_id).first()
    if asked is None:
        raise not_found()

    def act(at: datetime) -> None:
        by = request.auth.user
        actions.approve(request=asked, is_approved=body.is_approved, comment=body.comment, by=by, at=at)

    return _settled(request, asked.post_id, body.model_dump(), act)


@router.put("/deliveries/{int:delivery_id}/retry", response=PostDetailShape, **LETS_LEAVE)
def retry_delivery(request: Call, delivery_id: Path[Id]) -> PostDetailShape:
    """Send once more what was refused or missed, when its cause is mended; what waited behind it follows.

    409 `settled` when it is neither any more, 409 `not_approved` under a rule, 422 `not_allowed_here` where a picture
    of it may no longer be shown.
    """
    found, post = _delivery_of(request, delivery_id)
    return _settled(request, post, {}, lambda at: actions.retry(delivery=found, by=request.auth.user, at=at))


@router.put("/deliveries/{int:delivery_id}/decision", response=PostDetailShape, **LETS_LEAVE)
def decide_delivery(request: Call, delivery_id: Path[Id], body: OutcomeBody) -> PostDetailShape:
    """Settle whether what ended as `unknown` arrived, after somebody has looked.

    What hasn't is sent again, and refuses like retry. 409 `settled` when it isn't unknown any more.
    """
    (found, post), url = _delivery_of(request, delivery_id), _url(body)

    def act(at: datetime) -> None:
        actions.decide(delivery=found, was_sent=body.was_sent, url=url, by=request.auth.user, at=at)

    return _settled(request, post, body.model_dump(), act)


@router.put("/deliveries/{int:delivery_id}/completion", response=PostDetailShape, **LETS_LEAVE)
def complete_delivery(request: Call, delivery_id: Path[Id], body: CompletionBody | None = None) -> PostDetailShape:
    """Tick off what somebody published or deleted by hand, also what was refused or missed before.

    409 `settled` when it doesn't wait for anybody (any more).
    """
    body = body or CompletionBody.model_validate({})
    (found, post), url = _delivery_of(request, delivery_id), _url(body)

    def act(at: datetime) -> None:
        actions.finish_by_hand(delivery=found, url=url, by=request.auth.user, at=at)

    return _settled(request, post, body.model_dump(), act)


def _delivery_of(request: Call, id: int) -> tuple[Delivery, int]:
    """With the id of its post."""
    found = queries.deliveries(request.auth.brand).filter(pk=id).first()
    place = queries.post_of(found) if found else None
    if not found or not place:
        raise not_found()
    return found, place[0].pk


def _url(body: CompletionBody) -> str:
    """By the rule of the page."""
    form = CompletionForm({"url": body.url})
    if not form.is_valid():
        raise invalid({"url": str(form.errors["url"][0])})
    url: str = form.cleaned_data["url"]
    return url


def _settled(
    request: Call, post_id: int, said: dict[str, Any], act: Callable[[datetime], None]
) -> PostDetailShape:  # fmt: skip
    at = clock.now()

    def settle() -> dict[str, Any]:
        act(at)
        return _detail(_post(request, post_id)).model_dump(mode="json")

    return PostDetailShape.model_validate(once(request, said, settle, at=at))


# What is missing


@router.get("/slots", response=Page[SlotShape], **READS)
def slots(request: Call, filters: Query[SlotParameters]) -> Page[SlotShape]:
    """The free slots of the queue, in their order. All of them come at once: `next` is always null."""
    brand = request.auth.brand
    zone, found = ZoneInfo(brand.time_zone), rhythm.free(
        brand, at=clock.now(), days=filters.days, account=filters.channel_id
    )  # fmt: skip
    return Page[SlotShape](items=[
        SlotShape(channel_id=account, on=wall.date(), time=wall.time(), publish_at=zones.moment(wall, zone))
        for wall, account in found
    ], next=None)  # fmt: skip


@router.get("/holes", response=Page[HoleShape], **READS)
def holes(request: Call) -> Page[HoleShape]:
    """Where a promised post is missing, this week and the three after it. All come at once: `next` is always null."""
    found = rhythm.ahead(request.auth.brand, at=clock.now()).holes
    return Page[HoleShape](
        items=[HoleShape(channel_id=one.account.pk, on=one.on, time=one.time) for one in found], next=None
    )


@router.get("/campaigns", response=Page[CampaignShape], **READS)
def list_campaigns(request: Call, filters: Query[ListParameters]) -> Page[CampaignShape]:
    """The brand's campaigns, open and closed, the newest first. They are written and closed on their pages."""
    brand = request.auth.brand
    rows, after = paging.newest(
        Campaign.objects.filter(brand=brand), "created_at", after=filters.after, limit=filters.limit
    )  # fmt: skip
    counted = campaigns.numbers(brand)
    return Page[CampaignShape](items=[_campaign(one, counted.get(one.pk, 0)) for one in rows], next=after)


def _campaign(one: Campaign, posts: int) -> CampaignShape:
    return CampaignShape(
        id=one.pk, name=one.name, tag=one.tag, goal=one.goal, audience=one.audience, messages=one.messages,
        starts_on=one.starts_on, ends_on=one.ends_on, currency=one.currency, owner_id=one.owner_id, posts=posts,
        budget_cents=None if one.budget is None else int(one.budget * 100), learned=one.learned,
        closed_at=one.closed_at, created_at=one.created_at,
    )  # fmt: skip


# Reading what was sent


def _writing(body: PostBody, brand: Brand, *, post: Post | None = None, seen: int = 0) -> Writing:
    ids = [one.channel_id for one in body.versions]
    if len(set(ids)) != len(ids):
        raise invalid({"versions": _("A channel stands here twice.")})
    if (body.on is None) != (body.time is None):
        raise invalid({"time" if body.on else "on": _("Say on which day and at what time.")})
    own = {one.channel_id: _sheet(one.parts, one.comment) for one in body.versions if one.parts is not None}
    hints = {
        one.channel_id: {name: value.strip() for name in saying.HINTS if (value := getattr(one, name)).strip()}
        for one in body.versions
    }
    poll = Poll(tuple(body.poll.options), body.poll.seconds, body.poll.multiple) if body.poll else None
    return Writing(
        title=body.title.strip(), accounts=ids, sheets={COMMON: _sheet(body.parts, body.comment), **own},
        hints={id: some for id, some in hints.items() if some}, campaign=body.campaign_id or 0,
        on=body.on.isoformat() if body.on else "", time=f"{body.time:%H:%M}" if body.time else "",
        zone=body.zone or brand.time_zone, seen=seen, links=shortening.choices_of(post) if post else {}, poll=poll,
    )  # fmt: skip


def _sheet(parts: Sequence[PieceBody], comment: str) -> Sheet:
    pieces = [
        Piece(part.text, pictures=tuple(Shown(one.id, one.alt.strip()) for one in part.pictures)) for part in parts
    ]
    return Sheet(pieces or [Piece("")], comment)


def _post(request: Call, id: int) -> Post:
    found = queries.whole(request.auth.brand).select_related("brand").filter(pk=id).first()
    if found is None:
        raise not_found()
    return found


def _checked(request: Call, post: Post, written: Writing) -> checks.Checked:
    caller = request.auth
    others = Membership.objects.filter(user=caller.user).exclude(brand=caller.brand).select_related("brand")
    return checks.check(
        written, brand=caller.brand, post=post, at=clock.now(), others=[one.brand for one in others],
        by=caller.user.pk,
    )  # fmt: skip


# Telling


def _shapes(posts: Sequence[Post]) -> list[PostShape]:
    standings, models = queries.standings(posts), queries.models(posts)
    channels: dict[int, list[int]] = {post.pk: [] for post in posts}
    for id, account in Version.objects.filter(post__in=channels).order_by("pk").values_list("post", "account"):
        channels[id].append(account)
    return [_shape(post, standings[post.pk].state, channels[post.pk], post.pk in models) for post in posts]


def _shape(post: Post, state: str, channel_ids: list[int], is_model: bool) -> PostShape:
    return PostShape(
        id=post.pk, title=post.title, state=state, revision=post.revision, on=post.on, time=post.time, zone=post.zone,
        publish_at=post.publish_at, channel_ids=channel_ids, campaign_id=post.campaign_id, is_model=is_model,
        created_by_id=post.created_by_id, created_at=post.created_at, changed_at=post.changed_at,
    )  # fmt: skip


def _detail(post: Post) -> PostDetailShape:
    written, standing, idea = writing.from_post(post), queries.standing(post), ideas.of_post(post)
    common, poll, versions = written.sheets[COMMON], written.poll, list(post.versions.all())
    whole = _shape(
        post, standing.state, [one.account_id for one in versions], bool(queries.models([post]))
    )  # fmt: skip
    taken, due = _figures(post), _due(queries.all_legs(standing))
    return PostDetailShape(
        **dict(whole), parts=_pieces(common), comment=common.comment,
        poll=PollShape(options=list(poll.options), seconds=poll.seconds, multiple=poll.multiple) if poll else None,
        versions=[
            VersionShape(
                channel_id=one.account_id, channel=one.account.name, state=standing.versions[one.pk],
                parts=_pieces(own) if own else None, comment=own.comment if own else "",
                **{name: one.hints.get(name, "") for name in saying.HINTS},
                deliveries=[_delivery(leg, due) for leg in standing.legs[one.pk]], figures=taken.get(one.pk, []),
            )
            for one in versions
            for own in [written.sheets.get(one.account_id)]
        ],
        approval=_approval(post), idea_id=idea.pk if idea else None, is_stopped=bool(queries.stopped(post.brand)),
    )  # fmt: skip


def _pieces(sheet: Sheet) -> list[PieceShape]:
    return [
        PieceShape(text=one.text, pictures=[PictureShape(id=each.media, alt=each.alt) for each in one.pictures])
        for one in sheet.pieces
        if one.text or one.pictures
    ]


def _due(legs: Iterable[queries.Leg]) -> Mapping[int, datetime]:
    return dict(Delivery.objects.filter(pk__in=[leg.delivery for leg in legs]).values_list("pk", "due_at"))


def _delivery(leg: queries.Leg, due: Mapping[int, datetime]) -> DeliveryShape:
    return DeliveryShape(
        id=leg.delivery, number=leg.number, state=leg.state, why=told(leg.why), attempts=leg.attempts,
        due_at=due[leg.delivery], finished_at=leg.finished_at, url=leg.url, is_deleted=leg.is_deleted,
        revision=leg.revision,
    )  # fmt: skip


def _figures(post: Post) -> dict[int, list[FigureShape]]:
    """By version, the newest of each figure of its first part, once that is out."""
    out = Sending.objects.filter(version__post=post, number=0, remote__published_at__isnull=False)
    remotes = {one.version_id: one.remote for one in out.select_related("remote")}
    courses = figures.courses(remotes.values())
    return {version: _course(courses[remote.pk]) for version, remote in remotes.items()}


def _course(course: figures.Course) -> list[FigureShape]:
    names = [*figures.NAMES, *sorted(set(course.figures) - set(figures.NAMES))]
    return [
        FigureShape(
            name=name, value=taken.value if taken else None, at=taken.at if taken else None,
            how=taken.how if taken else "",
        )
        for name in names
        for taken in [course.latest(name)]
    ]  # fmt: skip


def _approval(post: Post) -> ApprovalShape:
    rules = approval.rules_for(post)
    return ApprovalShape(
        is_lacking=approval.lacks(post, rules), rules=[approval.summary(rule) for rule in rules],
        requests=[RequestShape(**_asked(one)) for one in approval.requests_of(post)],
    )  # fmt: skip


def _asked(one: ApprovalRequest) -> dict[str, Any]:
    return {
        "id": one.pk, "revision": one.revision, "outcome": one.outcome, "asked_by_id": one.asked_by_id,
        "asked_at": one.asked_at, "schedules": one.schedules,
        "decisions": [
            DecisionShape(is_approved=each.is_approved, who=each.who, comment=each.comment, at=each.at)
            for each in one.decisions.all()
        ],
    }  # fmt: skip


def _lines(found: checks.Checked) -> list[LineShape]:
    return [LineShape(tone=line.tone, says=line.says) for line in found.lines]  # type: ignore[arg-type]


def _checks(found: checks.Checked) -> ChecksShape:
    return ChecksShape(
        stops=found.stops, warns=found.warns, is_waiting=found.waiting, known=found.known,
        lines=_lines(found),
        links=[
            LinkLookShape(
                url=one.address, tone=one.tone, says=f"{one.where}: {one.says}" if one.wording else one.says,
                is_waiting=one.is_waiting,
            )
            for one in found.looks
        ],
        versions=[
            PreviewShape(
                channel_id=one.account.pk, channel=one.account.name, network=one.network, publish_at=one.at,
                parts=[
                    ShownShape(kind=part.said["kind"], text=part.said["text"], length=part.length,
                               longest=part.longest, misfits=list(part.misfits))
                    for part in one.parts
                ],
            )
            for one in found.previews
        ],
    )  # fmt: skip
