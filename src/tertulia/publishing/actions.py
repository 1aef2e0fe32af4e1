"""What people do with posts. Each action is one transaction, takes who (`by`) and when (`at`), and leaves its line in
the activity feed; one that can't be done raises a `Problem` whose message says why.

The deliveries of a post are written when it is scheduled, not when it is due: then nothing stands between its moment
and the claim, whoever looks sees what will leave, and taking it back is taking rows back. Until it is claimed, every
change of what it says lays these rows out anew under a new revision, in the same transaction and with the rows held:
either the claim comes first and the change says that it comes too late, or only the new text can leave.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels.models import POSTING, Account, Delivery, RemotePost
from tertulia.community import testimonials
from tertulia.core import activity, bulk, jobs
from tertulia.core import wake as wake_work
from tertulia.core.html import tidy
from tertulia.core.models import Activity
from tertulia.strategy import actions as strategy
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

from . import activities, approval, queries, rights, saying, shortening, spoken
from .models import (
    ApprovalRequest,
    ApprovalRule,
    ApprovalStep,
    Attachment,
    GuestPass,
    Link,
    Media,
    Part,
    Post,
    Sending,
    Settings,
    Share,
    Stop,
    Version,
)
from .problems import Changed, NotApproved, NotHere, Problem, Settled, TooLate, Unfit
from .saying import Piece, Wanted

S = Delivery.State
BEGUN = frozenset({S.SENDING, S.SENT, S.UNKNOWN, S.BY_HAND})
"""Something of it may be out there: what it says is no longer ours to change."""
FOR_HANDS = (S.BY_HAND, S.REFUSED, S.MISSED)
"""Certainly not there by any program: a person may put it there, or leave it out."""
MOST_PARTS = 50
LONGEST_PART = 100_000
YEARS = range(2000, 2200)


# Writing.


@transaction.atomic
def create(
    *, brand: Brand, by: User, at: datetime, title: str = "", pieces: Sequence[Piece] = (),
    versions: Mapping[int, Wanted] | None = None, links: Mapping[str, bool] | None = None, share: Share | None = None,
    wrote: Collection[int] = (),
) -> Post:  # fmt: skip
    """Begin a post; `links` are the addresses that are shortened, or aren't, whatever the brand does with others;
    `share` what it passes on of somebody else, `wrote` the ids of those whose words it takes over. Raises `NotHere`,
    `Problem`."""
    post = Post.objects.create(
        brand=brand, title=_title(title, pieces), zone=brand.time_zone, created_by_id=by.pk, created_at=at,
        changed_at=at, share=share,
    )  # fmt: skip
    _write(post, pieces, versions or {})
    _note_quotes(post, pieces, versions or {}, by=by, at=at)
    shortening.choose(post, links or {})
    _record(activities.CREATED, post, by=by, at=at, **({"wrote": sorted(wrote)} if wrote else {}))
    return post


@transaction.atomic
def count_for(*, post: Post, campaign: Campaign | None, by: User, at: datetime) -> None:
    """Let the post belong to a campaign of its brand that isn't closed, or to none; what a rule of that campaign holds
    is taken back and waits for approval, the links of what else is scheduled carry its tag. Raises `NotHere`, `Unfit`,
    `Problem`."""
    if campaign and (campaign.brand_id != post.brand_id or campaign.closed_at):
        raise NotHere(_("This campaign is closed, or isn't here."))
    post.campaign = campaign
    if Post.objects.filter(pk=post.pk).exclude(campaign=campaign).update(campaign=campaign, changed_at=at):
        _record(activities.ASSIGNED, post, by=by, at=at, campaign=campaign.name if campaign else "")
        if not _take_back_unapproved(post := _lock(post), by=by, at=at):
            _tag_anew(post, at=at)


@transaction.atomic
def begin_campaign(*, brand: Brand, by: User, at: datetime, **said: Any) -> Campaign:
    """As `strategy.actions.begin`; what people have written of it already is linked to it. Raises `Problem`."""
    try:
        campaign = strategy.begin(brand=brand, by=by, at=at, **said)
    except strategy.Problem as problem:
        raise Problem(str(problem)) from None
    jobs.enqueue(spoken.look_back, campaign_id=campaign.pk)
    return campaign


@transaction.atomic
def change_campaign(*, campaign: Campaign, by: User, at: datetime, **said: Any) -> None:
    """Change a campaign as `strategy.actions.change`; while nothing that carries its tag is out, this follows a new
    name, and with it the links of what is scheduled. Raises `Unfit`, `Problem`."""
    before = Campaign.objects.values_list("tag", flat=True).get(pk=campaign.pk)
    try:
        campaign = strategy.change(campaign=campaign, by=by, at=at, follows_name=not _is_out(campaign), **said)
    except strategy.Problem as problem:
        raise Problem(str(problem)) from None
    jobs.enqueue(spoken.look_back, campaign_id=campaign.pk)
    if campaign.tag != before:
        for post in Post.objects.filter(campaign=campaign, versions__sendings__isnull=False).distinct().order_by("pk"):
            _tag_anew(_lock(post), at=at)


def _is_out(campaign: Campaign) -> bool:
    """Links by hand may stand anywhere."""
    begun = Sending.objects.filter(version__post__campaign=campaign, remote__deliveries__state__in=BEGUN)
    return begun.exists() or Link.objects.filter(campaign=campaign, version__isnull=True).exists()


def _tag_anew(post: Post, *, at: datetime) -> None:
    """Lay out again what has not begun to leave, at its moment and as it stood: its links carry something else now."""
    waiting = [version for version in _versions(post) if version.sendings.exists() and _is_open(version)]
    if found := saying.misfits(waiting, spoken=approval.spoken):
        raise Unfit(found)
    for version in waiting:
        one = _withdrawn(version)
        _lay_out(version, post, due_at=one.due_at or at, by=one.by, at=at, ended=one.ended)


@transaction.atomic
def follow_rules(*, posts: Iterable[Post], by: User | None, at: datetime) -> int:
    """Take back what is scheduled and has come under a rule of approval since: it waits for its approval, and whoever
    scheduled it is told. Returns how many posts."""
    return sum(_take_back_unapproved(_lock(post), by=by, at=at) for post in posts)


def _take_back_unapproved(post: Post, *, by: User | None, at: datetime) -> bool:
    """What was scheduled and falls under a rule now waits for its approval."""
    waiting = [one for one in _versions(post) if one.sendings.exists() and _is_open(one)]
    if not waiting or not approval.lacks(post):
        return False
    for version in waiting:
        _withdrawn(version)
    _record(activities.APPROVAL_NEEDED, post, by=by, at=at, revision=post.revision)
    return True


@transaction.atomic
def save(
    *, post: Post, seen: int, by: User, at: datetime, title: str = "", pieces: Sequence[Piece] = (),
    versions: Mapping[int, Wanted] | None = None, links: Mapping[str, bool] | None = None,
) -> Post:  # fmt: skip
    """Make the post what a form says it is: its parts, and by account how each says it.

    `seen` is the revision its writer had before them. What is scheduled changes along, where it has not begun to leave;
    an account that has it already keeps what was sent. Where a rule asks for approval it is taken back and waits for a
    new one. Nothing changed, nothing recorded. Without `links` what was decided of them stays.
    Raises `Changed`, `NotHere`, `TooLate`, `Unfit`, `Problem`.
    """
    post, versions = _lock(post), versions or {}
    if post.revision != seen:
        raise Changed
    title = _title(title, pieces)
    is_same = _written(post) == (_numbered(pieces), {id: _wanted(one) for id, one in versions.items()})
    is_same = is_same and (links is None or shortening.choices_of(post) == links)
    if is_same and title == post.title:
        return post
    post.title, post.changed_at = title, at
    if not is_same:
        post.revision += 1
    post.save(update_fields=["title", "revision", "changed_at"])
    if not is_same:
        laid_out = [version for version in _versions(post) if version.sendings.exists()]
        for version in laid_out:
            if version.account_id not in versions and not _is_open(version):
                raise TooLate(_("It is on {account} already, or just on its way.").format(account=version.account.name))
        times = {version.account_id: _withdrawn(version) for version in laid_out if _is_open(version)}
        _write(post, pieces, versions)
        _note_quotes(post, pieces, versions, by=by, at=at)
        if links is not None:
            shortening.choose(post, links)
        approval.overtake(post, at=at)
        if not approval.lacks(post):
            _lay_out_again(post, times, at=at)
        elif times:
            _record(activities.APPROVAL_LOST, post, by=by, at=at, revision=post.revision)
    _record(activities.EDITED, post, by=by, at=at, revision=post.revision)
    return post


def _title(title: str, pieces: Sequence[Piece]) -> str:
    return tidy(title).strip()[:200] or saying.title_from(list(map(_tidied, pieces))) or _("Untitled")


def _tidied(piece: Piece) -> Piece:
    shown = tuple(saying.Shown(one.media, tidy(one.alt).strip()) for one in piece.pictures)
    options = [tidy(one).strip() for one in piece.poll.options] if piece.poll else []
    poll = replace(piece.poll, options=tuple(filter(None, options))) if piece.poll and any(options) else None
    return Piece(tidy(piece.text).strip(), piece.kind, shown, poll)


def _wanted(wanted: Wanted) -> Wanted:
    hints = {name: tidy(value).strip() for name, value in wanted.hints if name in saying.HINTS}
    return Wanted(_numbered(wanted.pieces), tuple((name, hints[name]) for name in saying.HINTS if hints.get(name)))


def _numbered(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The first is the post; after it parts, or comments."""
    tidied = list(map(_tidied, pieces))
    rest = [one if one.kind == Part.Kind.COMMENT else Piece(one.text, Part.Kind.PART, one.pictures) for one in tidied]
    return tuple(
        Piece(one.text, Part.Kind.POST, one.pictures, one.poll) if number == 0 else rest[number]
        for number, one in enumerate(tidied)
    )


def _written(post: Post) -> tuple[tuple[Piece, ...], dict[int, Wanted]]:
    """What stands there now, in the form it is saved in."""
    parts = list(post.parts.prefetch_related("attachments").order_by("number"))
    said = {
        version.account_id: Wanted(
            saying.pieces_of(part for part in parts if part.version_id == version.pk),
            tuple((name, version.hints[name]) for name in saying.HINTS if version.hints.get(name)),
        )
        for version in post.versions.all()
    }
    return saying.pieces_of(part for part in parts if part.version_id is None), said


def _write(post: Post, pieces: Sequence[Piece], versions: Mapping[int, Wanted]) -> None:
    """Put parts and versions in the place of those that are there; a version that stays keeps its keys."""
    _check_accounts(post.brand_id, versions)
    _check_pictures(post.brand_id, [*pieces, *(one for wanted in versions.values() for one in wanted.pieces)])
    post.parts.all().delete()
    post.versions.exclude(account__in=versions).delete()
    _write_parts(post, None, pieces)
    there = {version.account_id: version for version in post.versions.all()}
    for account_id, wanted in versions.items():
        wanted = _wanted(wanted)
        version = there.get(account_id) or Version(post=post, account_id=account_id)
        version.hints = dict(wanted.hints)
        version.save()
        _write_parts(post, version, wanted.pieces)


def _note_quotes(
    post: Post, pieces: Sequence[Piece], versions: Mapping[int, Wanted], *, by: User, at: datetime
) -> None:  # fmt: skip
    """Whom this revision quotes, with the consent of now."""
    written = [*pieces, *(one for wanted in versions.values() for one in wanted.pieces)]
    testimonials.note_uses(
        texts=[one.text for one in written], brand=post.brand_id, by=by.pk, at=at, post=post.pk,
        revision=post.revision, title=post.title,
    )  # fmt: skip


def _write_parts(post: Post, version: Version | None, pieces: Sequence[Piece]) -> None:
    if len(pieces) > MOST_PARTS:
        raise Problem(_("A post has {limit} parts at most.").format(limit=MOST_PARTS))
    for number, piece in enumerate(_numbered(pieces)):
        if len(piece.text) > LONGEST_PART:
            raise Problem(_("A text takes {limit} characters at most.").format(limit=LONGEST_PART))
        part = Part.objects.create(
            post=post, version=version, number=number, kind=piece.kind, text=piece.text,
            poll=saying.plain_poll(piece.poll),
        )  # fmt: skip
        Attachment.objects.bulk_create(
            Attachment(part=part, media_id=one.media, position=position, alt=one.alt[:1500])
            for position, one in enumerate(piece.pictures)
        )


def _check_accounts(brand_id: int, versions: Collection[int]) -> None:
    able = {account.pk for account in queries.accounts(Brand(pk=brand_id))}
    if not able.issuperset(versions):
        raise NotHere(_("Nothing can be published on this channel."))


def _check_pictures(brand_id: int, pieces: Iterable[Piece]) -> None:
    wanted = {one.media for piece in pieces for one in piece.pictures}
    if Media.objects.filter(brand=brand_id, pk__in=wanted).count() != len(wanted):
        raise NotHere(_("A picture is no longer in the library."))


# Rules of approval.


@transaction.atomic
def save_rule(
    *, rule: ApprovalRule, steps: Sequence[Mapping[str, Any]], by: User, at: datetime
) -> int:  # fmt: skip
    """Keep a rule with its steps (`users`, `role`, `outside`, `needs_all`), in place of those it had.

    What is scheduled and falls under it is taken back and waits for approval: returns how many posts. Raises `Problem`
    for a step that names nobody.
    """
    if not steps or not all(step.get("users") or step.get("role") or step.get("outside") for step in steps):
        raise Problem(_("Say for each step who approves."))
    name = activities.RULE_CHANGED if rule.pk else activities.RULE_ADDED
    rule.save()
    rule.steps.all().delete()
    for number, step in enumerate(steps):
        kept = ApprovalStep.objects.create(
            rule=rule, number=number, role=step.get("role", ""), outside=list(step.get("outside", [])),
            needs_all=bool(step.get("needs_all")),
        )  # fmt: skip
        kept.users.set(step.get("users", []))
    activity.record(name, on=rule, brand=rule.brand_id, by=by.pk, at=at)
    return follow_rules(posts=queries.scheduled().filter(brand=rule.brand_id), by=by, at=at)


@transaction.atomic
def remove_rule(*, rule: ApprovalRule, by: User, at: datetime) -> None:
    """What waits for its approval alone may leave as soon as somebody schedules it."""
    activity.record(activities.RULE_REMOVED, on=rule, brand=rule.brand_id, by=by.pk, at=at)
    rule.delete()


# When it leaves.


@transaction.atomic
def plan(
    *, post: Post, wall: datetime | None, by: User, at: datetime, zone: str = ""
) -> Literal["", "skipped", "twice"]:  # fmt: skip
    """Give the post a time on the wall (naive) of a zone, the brand's where none is named; or none.

    Tells whether clocks there skip that time (it leaves as soon as they go on) or show it twice (it leaves the first
    time). What is scheduled moves along; what missed its time is scheduled anew.
    Raises `NotHere`, `TooLate`, `NotApproved`, `Unfit`, `rights.Unallowed`, `Problem`.
    """
    post = _lock(post)
    zone = zone or post.brand.time_zone
    if zone not in zones_known():
        raise NotHere(_("This time zone isn't known."))
    if wall and wall.year not in YEARS:
        raise Problem(_("Choose a day of this century or the next."))
    if wall and queries.is_model(post):
        raise Problem(_("Others are made after this post. It is never published itself."))
    moved = [version for version in _versions(post) if version.sendings.exists()]
    waiting = [version for version in moved if _is_open(version)]
    if moved and not waiting:
        raise TooLate(_("It has left already."))
    if waiting and approval.lacks(post):
        raise NotApproved
    post.plan(wall, zone)
    if moved and (post.publish_at is None or post.publish_at <= at):
        raise Problem(_("Choose a moment that is still to come."))
    post.changed_at = at
    post.save(update_fields=["on", "time", "zone", "publish_at", "changed_at"])
    ApprovalRequest.objects.filter(post=post, outcome=ApprovalRequest.Outcome.OPEN).update(reminders=0)
    if waiting:
        _check_fit(waiting)  # it is laid out anew, with what names and descriptions say by now
        rights.check(waiting, brand=post.brand, leaves_at=_moment(post))
    for version in waiting:
        _withdrawn(version)
        _lay_out(version, post, due_at=_moment(post), by=by.pk, at=at)
    _record(activities.MOVED, post, by=by, at=at, publish_at=post.publish_at and post.publish_at.isoformat())
    wake_work.after_commit()
    return zones.oddity(wall, ZoneInfo(zone)) if wall else ""


def zones_known() -> Collection[str]:
    return {name for name, _label in Brand._meta.get_field("time_zone").flatchoices}


@transaction.atomic
def schedule(*, post: Post, by: User, at: datetime) -> Post:
    """Let it leave at its time, on every account where it has not begun to.

    Raises `NotApproved`, `Unfit`, `TooLate`, `Problem`.
    """
    post = _lock(post)
    if post.publish_at is None:
        raise Problem(_("Say first when it is to leave."))
    if post.publish_at <= at:
        raise Problem(_("Its time has passed. Choose another one, or publish it now."))
    return _schedule(post, due_at=post.publish_at, by=by, at=at)


@transaction.atomic
def schedule_or_ask(*, post: Post, by: User, at: datetime) -> bool:
    """`schedule` it, or ask for the approval it lacks: with that it is scheduled by itself. Tells whether it is
    scheduled already. Raises as `schedule` and `approval.ask`."""
    if approval.lacks(_lock(post)):
        approval.ask(post=post, by=by, at=at)
        return False
    schedule(post=post, by=by, at=at)
    return True


@transaction.atomic
def publish_now(*, post: Post, by: User, at: datetime) -> Post:
    """Let it leave now, once the brand's undo window has passed, wherever it has not begun to. Raises as `schedule`."""
    post = _lock(post)
    post.plan(at.astimezone(ZoneInfo(post.zone)).replace(tzinfo=None), post.zone)
    post.publish_at = at  # an hour that comes twice is this one
    post.save(update_fields=["on", "time", "publish_at"])
    return _schedule(post, due_at=at + timedelta(seconds=post.brand.undo_seconds), by=by, at=at)


def _schedule(post: Post, *, due_at: datetime, by: User, at: datetime) -> Post:
    if queries.is_model(post):
        raise Problem(_("Others are made after this post. It is never published itself."))
    versions = _versions(post)
    if not versions:
        raise Problem(_("Choose first where it is to be published."))
    waiting = [version for version in versions if _is_open(version)]
    if not waiting:
        raise TooLate(_("It has left already."))
    if approval.lacks(post):
        raise NotApproved
    _check_fit(waiting)
    rights.check(waiting, brand=post.brand, leaves_at=due_at)
    for version in waiting:
        _withdrawn(version)
        _lay_out(version, post, due_at=due_at, by=by.pk, at=at)
    post.scheduled_by_id, post.cancelled_at, post.changed_at = by.pk, None, at
    post.save(update_fields=["scheduled_by_id", "cancelled_at", "changed_at"])
    _record(activities.SCHEDULED, post, by=by, at=at, publish_at=due_at.isoformat(), revision=post.revision)
    wake_work.after_commit()
    return post


def _check_fit(versions: Iterable[Version]) -> None:
    versions = list(versions)
    if found := saying.misfits(versions, spoken=approval.spoken):
        raise Unfit(found)
    paused = [version.account.name for version in versions if version.account.state == Account.State.PAUSED]
    if paused:
        raise Problem(_("These channels are paused: {names}").format(names=", ".join(paused)))


@transaction.atomic
def cancel(*, post: Post, by: User, at: datetime) -> Post:
    """Take back what has not begun to leave; where it has, it goes on. Raises `TooLate` when nothing was left."""
    post = _lock(post)
    laid_out = [version for version in _versions(post) if version.sendings.exists()]
    caught = [version for version in laid_out if _is_open(version)]
    if laid_out and not caught:
        raise TooLate(_("It has left already."))
    for version in caught:
        _withdrawn(version)
    post.cancelled_at = post.changed_at = at
    post.save(update_fields=["cancelled_at", "changed_at"])
    _record(activities.CANCELLED, post, by=by, at=at, accounts=[version.account.name for version in caught])
    return post


@transaction.atomic
def follow_clocks(*, at: datetime) -> int:
    """Bring the moments of posts to come in line with what their clocks will show: a law may have changed one since.

    Returns how many were moved.
    """
    to_come = Post.objects.filter(publish_at__gt=at).select_related("brand").order_by("pk")
    shifted = [post for post in to_come.iterator(chunk_size=500) if post.publish_at != _as_planned(post)]
    for post in shifted:
        post = _lock(post)
        before = post.publish_at
        post.plan(post.wall, post.zone)
        post.save(update_fields=["publish_at"])
        for version in filter(_is_open, _versions(post)):
            if version.sendings.exists():
                one = _withdrawn(version)
                _lay_out(version, post, due_at=_moment(post), by=one.by, at=at)
        facts = {"before": before and before.isoformat(), "publish_at": _moment(post).isoformat()}
        _record(activities.SHIFTED, post, by=None, at=at, **facts)
    return len(shifted)


@transaction.atomic
def settle_zone(*, brand: Brand, moves: bool, by: User, at: datetime) -> list[Post]:
    """After a change of the brand's time zone: let what was planned by the clock before leave at the same time on the
    wall of the new one, or leave it where it is. Gives those that could not be moved."""
    posts = queries.left_behind(brand, at=at)
    stuck = [post for post in posts if moves and not _follows(post, brand.time_zone, by=by, at=at)]
    moved = len(posts) - len(stuck) if moves else 0
    activity.record(
        activities.ZONE_SETTLED, on=brand, brand=brand.pk, by=by.pk, at=at, zone=brand.time_zone, moved=moved
    )
    return stuck


def _follows(post: Post, zone: str, *, by: User, at: datetime) -> bool:
    try:
        plan(post=post, wall=post.wall, zone=zone, by=by, at=at)
    except Problem:
        return False
    return True


def _as_planned(post: Post) -> datetime | None:
    return zones.moment(post.wall, ZoneInfo(post.zone)) if post.wall else None


def _moment(post: Post) -> datetime:
    assert post.publish_at is not None  # noqa: S101 — asked for before
    return post.publish_at


# The rows that carry it out.


class _Withdrawn:
    """What was taken back: when it was due, for whom, and how it stood when it had ended."""

    def __init__(self, first: Delivery | None) -> None:
        self.due_at = (first.planned_at or first.due_at) if first else None
        self.by = first.created_by_id if first else None
        self.ended = {"state": first.state, "why": first.why, "finished_at": first.finished_at} if first else {}
        if self.ended.get("state") not in {S.MISSED, S.REFUSED}:
            self.ended = {}


def _rows(version: Version) -> list[Delivery]:
    """The deliveries that publish a version, in order, held until the transaction ends."""
    mine = Delivery.objects.select_for_update().filter(post__in=version.sendings.values("remote"), act__in=POSTING)
    return list(mine.order_by("pk"))


def _is_open(version: Version) -> bool:
    """Nothing of it has left, and nothing is leaving: held from now on, so that nothing can."""
    return not any(row.state in BEGUN or row.in_doubt_since for row in _rows(version))


def _withdrawn(version: Version) -> _Withdrawn:
    """Take back the deliveries of a version that is open. That a backup brought them back stays with the version: what
    takes their place may have left since that was made, however long after and in whatever words it is laid out."""
    rows = _rows(version)
    if rows and version.restored_at != rows[0].restored_at:
        version.restored_at = rows[0].restored_at
        version.save(update_fields=["restored_at"])
    RemotePost.objects.filter(pk__in=[row.post_id for row in rows if row.post_id]).delete()
    return _Withdrawn(rows[0] if rows else None)


def _lay_out(
    version: Version, post: Post, *, due_at: datetime, by: int | None, at: datetime,
    ended: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Write the deliveries of a version: the first part due at its moment, each other behind the one before it."""
    late_at = due_at + queries.grace(post.brand_id)
    first = above = before = None
    for number, said in enumerate(shortening.laid_out(version, approval.spoken(version), by=by, at=at)):
        kind = said["kind"]
        remote = RemotePost.objects.create(
            account_id=version.account_id, draft=said, above=first if kind == Part.Kind.COMMENT else above
        )
        first = first or remote
        above = above if kind == Part.Kind.COMMENT else remote
        stands = {"state": S.QUEUED, **(ended or {})} if before is None else {"state": S.WAITING}
        before = Delivery.objects.create(
            account_id=version.account_id, thread_id=f"post:{version.pk}", post=remote, act=kind, after=before,
            key=version.key(number, post.revision), due_at=due_at,
            planned_at=due_at if before is None else None, late_at=late_at if before is None else None,
            created_by_id=by, created_at=at, restored_at=version.restored_at, **stands,
        )  # fmt: skip
        Sending.objects.create(version=version, number=number, revision=post.revision, remote=remote)


def _lay_out_again(post: Post, times: Mapping[int, _Withdrawn], *, at: datetime) -> None:
    """After a change: those that were scheduled, at the same moment; and an account that came along since."""
    planned = [one for one in times.values() if not one.ended]
    again: list[tuple[Version, _Withdrawn]] = []
    for version in _versions(post):
        if one := times.get(version.account_id):
            again.append((version, one))
        elif planned and not version.sendings.exists():
            again.append((version, planned[0]))
    fit = [version for version, one in again if not one.ended]
    _check_fit(fit)
    if fit:
        rights.check(fit, brand=post.brand, leaves_at=post.publish_at or at)
    for version, one in again:
        _lay_out(version, post, due_at=one.due_at or at, by=one.by, at=at, ended=one.ended)


@transaction.atomic(savepoint=False)
def release(*, deliveries: Sequence[Delivery], at: datetime) -> None:
    """What waited for these may leave: they have arrived. What may have left already, as a backup was put back, is
    looked for first."""
    brands: dict[int | None, int] = {row.pk: row.account.brand_id for row in deliveries}
    for held in bulk.find(Delivery, "after_id", brands, state=S.WAITING.value):
        goes: dict[str, Any] = {"state": S.SENDING, "lease_until": at}
        if held.in_doubt_since is None:
            goes = {"state": S.QUEUED, "due_at": at, "late_at": at + queries.grace(brands[held.after_id])}
        Delivery.objects.filter(pk=held.pk, state=S.WAITING).update(**goes)
        wake_work.after_commit()


# What needs somebody.


@transaction.atomic
def retry(*, delivery: Delivery, by: User, at: datetime) -> None:
    """Send once more what was refused or missed, once its cause has been mended; what waited behind it follows.

    Raises `NotApproved`, `rights.Unallowed`, and `Settled` when it is neither any more.
    """
    _check_allowed(delivery, at=at)
    late_at = at + queries.grace(delivery.account.brand_id)
    stuck = Delivery.objects.filter(pk=delivery.pk, state__in=[S.REFUSED, S.MISSED])
    changes = {"why": "", "finished_at": None, "due_at": at, "late_at": late_at, "in_doubt_since": None, "looks": 0}
    if not stuck.update(state=S.QUEUED, planned_at=at, **changes):
        raise Settled(_("Somebody has sent this again already."))
    _record_of(activities.RETRIED, delivery, by=by, at=at)
    wake_work.after_commit()


def _check_allowed(delivery: Delivery, *, at: datetime) -> None:
    if delivery.act not in POSTING or not (found := queries.post_of(delivery)):
        return
    if approval.lacks(_lock(found[0])):
        raise NotApproved
    if delivery.post:
        rights.check_again(delivery.post, at=at)


@transaction.atomic
def approve(
    *, request: ApprovalRequest, is_approved: bool, at: datetime, by: User | None = None,
    guest: GuestPass | None = None, name: str = "", comment: str = "",
) -> ApprovalRequest:  # fmt: skip
    """Decide about a request as `approval.decide`; with the last approval the post is scheduled, if that was wished and
    its time is still to come. What stands in the way of that is left to whoever asked: the post says so itself."""
    request = approval.decide(
        request=request, is_approved=is_approved, at=at, by=by, guest=guest, name=name, comment=comment
    )
    _schedule_approved(request, at=at)
    return request


@transaction.atomic
def follow_roles(*, at: datetime) -> None:
    """Bring open requests for approval in line with who may approve now, as `approval.follow_roles`."""
    for request in approval.outdated():
        _schedule_approved(approval.follow_roles(request=request, at=at), at=at)


def _schedule_approved(request: ApprovalRequest, *, at: datetime) -> None:
    if request.outcome == ApprovalRequest.Outcome.APPROVED and request.schedules:
        with suppress(Problem), transaction.atomic():
            schedule(post=request.post, by=request.asked_by, at=at)


@transaction.atomic
def decide(*, delivery: Delivery, was_sent: bool, by: User, at: datetime, url: str = "") -> None:
    """A person looked: it is there after all (and where), or it is to be sent again. Raises `Settled` when nobody
    wonders any more; to send it again also what `retry` raises."""
    if not was_sent:
        _check_allowed(delivery, at=at)
    undecided = Delivery.objects.filter(pk=delivery.pk, state=S.UNKNOWN)
    late_at = None if was_sent else at + queries.grace(delivery.account.brand_id)
    ended: dict[str, Any] = {"state": S.SENT, "finished_at": at}
    if not was_sent:
        ended = {"state": S.QUEUED, "finished_at": None, "restored_at": None}
    if not undecided.update(**ended, why="", due_at=at, late_at=late_at, looks=0, absences=0, in_doubt_since=None):
        raise Settled(_("Somebody has settled this already."))
    if was_sent:
        _arrived(delivery, url, at=at)
    elif delivery.act in POSTING:  # nor has anything left that waits for it
        behind = Delivery.objects.filter(account=delivery.account_id, thread_id=delivery.thread_id, state=S.WAITING)
        behind.update(in_doubt_since=None, restored_at=None)
    _record_of(activities.DECIDED, delivery, by=by, at=at, was_sent=was_sent)
    wake_work.after_commit()


@transaction.atomic
def finish_by_hand(*, delivery: Delivery, by: User, at: datetime, url: str = "") -> None:
    """Somebody did by hand what no program may, or could, and says where it can be seen. Raises `Settled` when it
    doesn't wait for anybody any more."""
    waiting = Delivery.objects.filter(pk=delivery.pk, state__in=FOR_HANDS)
    if not waiting.update(state=S.SENT, finished_at=at, why=""):
        raise Settled(_("Somebody has ticked this off already."))
    _arrived(delivery, url, at=at)
    _record_of(activities.DONE_BY_HAND, delivery, by=by, at=at, url=url)


@transaction.atomic
def give_up(*, delivery: Delivery, by: User, at: datetime) -> None:
    """What was refused, missed or waits for a hand is not going to be done, nor what would have followed it there; what
    it should have deleted stays. Raises `Settled` when it doesn't wait for anybody any more."""
    waiting = Delivery.objects.filter(pk=delivery.pk, state__in=FOR_HANDS)
    if not waiting.update(state=S.CANCELLED, finished_at=at, why=""):
        raise Settled(_("Somebody has ticked this off already."))
    sending = Sending.objects.filter(remote=delivery.post_id).select_related("version").first()
    if sending and delivery.act != "delete":
        _cut_off(_rows(sending.version), at=at)
    _record_of(activities.GIVEN_UP, delivery, by=by, at=at)


def _arrived(delivery: Delivery, url: str, *, at: datetime) -> None:
    """What a person says of a delivery that they found, or made. What its address tells of it is enough to go on below
    it, and to delete it, where no other post has that name."""
    remote = RemotePost.objects.filter(deliveries=delivery)
    if delivery.act == "delete":
        remote.update(deleted_at=at)
        return
    remote.update(published_at=at)
    if url.startswith(("https://", "http://")):
        remote.update(url=url[:500])
        named = delivery.account.connector.named(delivery.account, url)
        others = RemotePost.objects.filter(account=delivery.account_id).exclude(deliveries=delivery)
        if named and not others.filter(remote_id=named.remote_id).exists():
            remote.filter(remote_id="").update(remote_id=named.remote_id, hints=dict(named.hints))
    release(deliveries=[delivery], at=at)


# Taking it down again.


@transaction.atomic
def delete(*, post: Post, by: User, at: datetime, accounts: Collection[int] | None = None) -> int:
    """Delete what was published of it, on these accounts or on all; what has not left is taken back.

    Returns how many parts are being deleted. Raises `Problem` where there are none.
    """
    post = _lock(post)
    versions = [one for one in _versions(post) if accounts is None or one.account_id in accounts]
    for version in filter(_is_open, versions):
        _withdrawn(version)
    begun = 0
    for version in versions:
        rows = _rows(version)
        if any(row.state == S.SENDING for row in rows):
            raise TooLate(_("Part of it is just on its way. Try again in a moment."))
        _cut_off(rows, at=at)
        begun += sum(_have_deleted(row, by=by, at=at) for row in rows[::-1] if row.state == S.SENT)
    if not begun:
        raise Problem(_("Nothing of it can be deleted."))
    post.changed_at = at
    post.save(update_fields=["changed_at"])
    _record(activities.DELETING, post, by=by, at=at, accounts=[version.account.name for version in versions])
    wake_work.after_commit()
    return begun


def _cut_off(rows: Sequence[Delivery], *, at: datetime) -> None:
    """What would still have followed doesn't."""
    following = [row.pk for row in rows if row.state in {S.QUEUED, S.WAITING, S.MISSED, S.REFUSED}]
    undoubted = Delivery.objects.filter(pk__in=following, in_doubt_since__isnull=True)
    undoubted.update(state=S.CANCELLED, finished_at=at)


def _have_deleted(row: Delivery, *, by: User, at: datetime) -> bool:
    """Unless it is gone, or going."""
    remote = RemotePost.objects.select_related("account").get(deliveries=row)
    rule = remote.account.capabilities.publishes
    going = remote.deliveries.filter(act="delete").exclude(state__in=[S.REFUSED, S.CANCELLED])
    if remote.deleted_at or rule is None or not rule.deletes or going.exists():
        return False
    remote.deliveries.filter(act="delete").delete()  # refused before; what was tried then stands in the feed
    Delivery.objects.create(
        account=remote.account, thread_id=row.thread_id, post=remote, act="delete", key=f"{row.key[:56]}-delete",
        to=remote.target, due_at=at, created_by_id=by.pk, created_at=at,
    )  # fmt: skip
    return True


# The stop.


@transaction.atomic
def stop(
    *, brand: Brand, by: User | None, at: datetime, because: str = "", holds_answers: bool = False
) -> int:  # fmt: skip
    """Hold everything the brand is about to publish, at once; answers to people only if told so.

    Nothing is changed of what is held: while the stop stands no claim takes it. Returns how much that is. Nobody stops
    what comes from a backup: it does so by itself.
    """
    because = tidy(because).strip()[:300]
    _stop, is_new = Stop.objects.update_or_create(
        brand=brand,
        defaults={"because": because, "holds_answers": holds_answers},
        create_defaults={"because": because, "holds_answers": holds_answers, "by_id": by.pk if by else None, "at": at},
    )
    held = queries.held(brand)
    if is_new:
        activity.record(
            activities.STOPPED, on=brand, brand=brand.pk, by=by.pk if by else None, at=at, because=because, held=held,
            holds_answers=holds_answers,
        )  # fmt: skip
    return held


@transaction.atomic
def resume(*, brand: Brand, by: User, at: datetime) -> None:
    """Let it all go on. What is later than it may be by now asks first."""
    there, _rows = Stop.objects.filter(brand=brand).delete()
    if there:
        activity.record(activities.RESUMED, on=brand, brand=brand.pk, by=by.pk, at=at)
    wake_work.after_commit()


@transaction.atomic
def set_grace(*, brand: Brand, minutes: int, by: User, at: datetime) -> None:
    """After how many minutes a late post asks; holds for what is scheduled from now on. Raises `ValidationError`."""
    settings = Settings(brand=brand, grace_minutes=minutes)
    settings.full_clean(exclude=["brand"])
    Settings.objects.update_or_create(brand=brand, defaults={"grace_minutes": minutes})
    activity.record(activities.SETTLED, on=brand, brand=brand.pk, by=by.pk, at=at, minutes=minutes)


# How deliveries ended.

_POSTS = {
    S.SENT: activities.SENT,
    S.REFUSED: activities.REFUSED,
    S.UNKNOWN: activities.UNKNOWN,
    S.MISSED: activities.MISSED,
    S.BY_HAND: activities.BY_HAND,
}
_DELETIONS = {
    S.SENT: activities.DELETED,
    S.REFUSED: activities.DELETE_FAILED,
    S.UNKNOWN: activities.DELETE_FAILED,
    S.BY_HAND: activities.BY_HAND,
}
OUTCOMES = frozenset({activities.PART_SENT, *_POSTS.values(), *_DELETIONS.values()})


@transaction.atomic
def record_outcomes(*, deliveries: Sequence[Delivery], at: datetime) -> None:
    """Write down in the feed how deliveries of posts ended at this moment; what it has already is left out."""
    sendings = _sendings([row.post_id for row in deliveries])
    posts = {sending.version.post_id for sending in sendings.values()}
    lines = bulk.find(Activity, "on_id", posts, on_kind=Post._meta.label_lower, at=at)
    told = {line.data.get("delivery") for line in lines if line.type in OUTCOMES}
    fresh: dict[int, list[tuple[str, Post, dict[str, Any]]]] = {}
    for row in deliveries:
        sending = sendings.get(row.post_id or 0)
        name = _outcome(row, sending)
        if sending is None or name is None or row.pk in told:
            continue
        post = sending.version.post
        facts = _facts(row, sending) | {"author": row.created_by_id or post.scheduled_by_id, "why": row.why}
        fresh.setdefault(post.brand_id, []).append((name, post, {"title": post.title, **facts}))
    for brand_id, some in fresh.items():
        activity.record_many(some, brand=brand_id, at=at)


@transaction.atomic
def tell_absent(*, remotes: Sequence[RemotePost], at: datetime) -> None:
    """Write down in the feed that networks no longer show these: somebody deleted them there, or hid them."""
    for one in Sending.objects.filter(remote__in=remotes).select_related("version__post", "version__account"):
        post, account = one.version.post, one.version.account
        author = post.scheduled_by_id or post.created_by_id
        told = {"account": account.name, "account_id": account.pk, "version": one.version_id, "author": author}
        _record(activities.ABSENT, post, by=None, at=at, **told)


def _sendings(remote_ids: Iterable[int | None]) -> dict[int, Sending]:
    """By what each becomes, with its version, post and account: row by row, as one statement of four tables takes the
    ORM longer."""
    found = bulk.find(Sending, "remote_id", remote_ids)
    versions = {each.pk: each for each in bulk.find(Version, "id", {each.version_id for each in found})}
    posts = {each.pk: each for each in bulk.find(Post, "id", {each.post_id for each in versions.values()})}
    whose = {each.account_id for each in versions.values()}
    accounts = {each.pk: each for each in bulk.find(Account, "id", whose, without=("secrets",))}
    whole = {}
    for sending in found:
        version = versions.get(sending.version_id)
        if version and version.post_id in posts and version.account_id in accounts:  # else it was deleted just now
            bulk.relate(version, post=posts[version.post_id], account=accounts[version.account_id])
            bulk.relate(sending, version=version)
            whole[sending.remote_id] = sending
    return whole


def _outcome(row: Delivery, sending: Sending | None) -> str | None:
    if row.act == "delete":
        return _DELETIONS.get(S(row.state))
    if row.state == S.SENT and sending and sending.number:
        return activities.PART_SENT
    return _POSTS.get(S(row.state))


def _facts(row: Delivery, sending: Sending) -> dict[str, Any]:
    version = sending.version
    return {
        "account": version.account.name, "account_id": version.account_id, "version": version.pk, "delivery": row.pk,
        "number": sending.number, "revision": sending.revision,
    }  # fmt: skip


def _record_of(name: str, delivery: Delivery, *, by: User, at: datetime, **facts: Any) -> None:
    sending = (
        Sending.objects.select_related("version__post", "version__account").filter(remote=delivery.post_id).first()
    )
    if sending:
        _record(name, sending.version.post, by=by, at=at, **_facts(delivery, sending), **facts)


def _record(name: str, post: Post, *, by: User | None, at: datetime, **facts: Any) -> None:
    activity.record(name, on=post, brand=post.brand_id, by=by.pk if by else None, at=at, title=post.title, **facts)


def _lock(post: Post) -> Post:
    return Post.objects.select_for_update(of=("self",)).select_related("brand").get(pk=post.pk)


def _versions(post: Post) -> list[Version]:
    versions = post.versions.select_related("account", "post").defer("account__secrets")
    return list(versions.order_by("pk"))
