"""Approval that blocks: what falls under a rule leaves only in the words that its approvers have seen.

What counts is the revision of a post: every change of what it says, or where, makes another, and the approval of the
one before is none of the new. A new time is no new text and needs no new approval. `actions` asks `lacks` before it
lays out anything, and takes back what a change has left without approval, in the same transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from tertulia.brand import avoided
from tertulia.brand.models import Brand
from tertulia.channels.models import RemotePost
from tertulia.core import activity, due, jobs
from tertulia.core.folding import fold
from tertulia.core.html import tidy
from tertulia.core.models import Activity
from tertulia.team import mail
from tertulia.team.models import Membership, User
from tertulia.understanding import layers, reading, teaching
from tertulia.understanding import words as understood
from tertulia.understanding.models import Topic

from . import activities, saying
from .models import (
    ApprovalDecision,
    ApprovalRequest,
    ApprovalRule,
    ApprovalStep,
    Evergreen,
    Experiment,
    GuestPass,
    Idea,
    Occurrence,
    Post,
    Repetition,
    Turn,
    Version,
)
from .problems import NotAsked, Problem, Settled

Outcome = ApprovalRequest.Outcome
PASS_LASTS = timedelta(days=14)
LONGEST_COMMENT = 5_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request stands: the step that is to decide, and who of it hasn't yet."""

    number: int
    users: frozenset[int]
    outside: frozenset[str]
    needs_all: bool


# Which rules there are.


def rules(brand: Brand) -> list[ApprovalRule]:
    mine = ApprovalRule.objects.filter(brand=brand).select_related("brand", "account", "campaign", "author", "pillar")
    return list(mine.prefetch_related("steps__users").order_by("pk"))


def rules_for(post: Post) -> list[ApprovalRule]:
    """Those that a post falls under as it is."""
    found = rules(post.brand)
    if not found:
        return []
    accounts = set(post.versions.values_list("account", flat=True))
    return _holding(found, accounts, _words(post), post, campaign=post.campaign_id, author=post.created_by_id)


def _words(post: Post) -> Iterator[str]:
    """All that anybody would read or hear of it."""
    for part in post.parts.prefetch_related("attachments__media"):
        yield part.text
        yield from (part.poll or {}).get("options", ())
        yield from (one.alt or one.media.alt for one in part.attachments.all())
    for hints in post.versions.values_list("hints", flat=True):
        yield from hints.values()
    for other in Experiment.objects.filter(post=post, kind=Experiment.Kind.LETTER, closed_at__isnull=True):
        yield from (other.title_b, other.text_b)


def rules_ahead(
    brand: Brand, *, accounts: Iterable[int], texts: Iterable[str], post: Post | None, campaign: int | None,
    author: int | None,
) -> list[ApprovalRule]:  # fmt: skip
    """Those that what is being written will fall under. `texts`: all its words, those of polls, pictures and hints too;
    `accounts`, `campaign` and `author` are ids; `post`, where there is one already."""
    return _holding(rules(brand), set(accounts), texts, post, campaign=campaign, author=author)


def _holding(
    found: Sequence[ApprovalRule], accounts: set[int], texts: Iterable[str], post: Post | None, *,
    campaign: int | None, author: int | None,
) -> list[ApprovalRule]:  # fmt: skip
    said = list(texts) if found else []
    text = fold("\n".join(said))
    pillar = _pillar_of(post) if post and any(rule.pillar_id for rule in found) else None
    near = [
        rule
        for rule in found
        if (rule.account_id is None or rule.account_id in accounts)
        and (rule.campaign_id is None or rule.campaign_id == campaign)
        and (rule.author_id is None or rule.author_id == author)
        and (rule.pillar_id is None or rule.pillar_id == pillar)
        and _has_any(rule.words, text)
    ]
    topics = _topics(near[0].brand_id, said) if any(rule.topic for rule in near) else frozenset()
    return [rule for rule in near if not rule.topic or rule.topic in topics]


def _pillar_of(post: Post) -> int | None:
    return Idea.objects.filter(post=post).values_list("pillar", flat=True).first()


def _topics(brand: int, said: Sequence[str]) -> frozenset[str]:
    """What is read in all of it or in any of its texts, and the brand's own topics that it calls by their names."""
    whole = "\n".join(said)
    found = {topic for one in reading.read([whole, *said], layers.of_one(brand)) for topic in one.topics}
    own = teaching.own_topics(brand)
    named = {slug for slug, name in own.items() if _has_any(name, fold(whole))}
    untold = _removed(brand).keys()  # whether it is about one of these nobody can tell any more: rather asked in vain
    return frozenset(found | named | untold)


def _removed(brand: int) -> dict[str, str]:
    """As `teaching.own_topics`, those that the brand has removed."""
    return dict(Topic.objects.filter(brand=brand, removed_at__isnull=False).values_list("slug", "name"))


def topics(brand: Brand, kept: str = "") -> dict[str, str]:
    """What a post can be about, in the reader's language, by what a rule keeps; `kept` also where it was removed."""
    named = {**teaching.own_topics(brand.pk), **understood.topics()}
    if kept and (name := _removed(brand.pk).get(kept)):
        named[kept] = name
    return dict(sorted(named.items(), key=lambda pair: pair[1].casefold()))


def _has_any(words: str, text: str) -> bool:
    wanted, said = [fold(word).split() for word in words.splitlines() if fold(word)], text.split()
    return not wanted or any(avoided.stands_in(one, said) for one in wanted)


def shifting() -> QuerySet[Brand]:
    """Brands with rules that a post can come under without anybody touching it: by what its words are about, as that is
    read by what was learnt."""
    return Brand.objects.filter(pk__in=ApprovalRule.objects.exclude(topic="").values("brand")).order_by("pk")


def holds(remote: RemotePost, brand_id: int) -> bool:
    """Whether what is about to leave has come under a rule since it was scheduled and lacks its approval."""
    can_shift = "SELECT 1 FROM publishing_approvalrule WHERE brand_id = %s AND (topic <> '' OR pillar_id IS NOT NULL)"
    if not due.rows(f"{can_shift} LIMIT 1", [brand_id]):
        return False
    posts = Post.objects.filter(versions__sendings__remote=remote.pk).select_related("brand")
    return any(lacks(post) for post in posts)


def lacks(post: Post, found: Sequence[ApprovalRule] | None = None) -> bool:
    """Whether the post may not leave as it is: a rule holds by which nobody has approved this revision. `found`: its
    rules, where they are known."""
    return bool(_lacking(post, rules_for(post) if found is None else found))


def _lacking(post: Post, found: Sequence[ApprovalRule]) -> list[ApprovalRule]:
    """Those of the rules by which this revision was not approved, or not as they are now: made or changed later, say,
    or of a campaign that it came into later."""
    if not found:
        return []
    approved = ApprovalRequest.objects.filter(post=post, revision=post.revision, outcome=Outcome.APPROVED)
    asked = [step for steps in approved.values_list("steps", flat=True) for step in steps]
    if any("rule" not in step for step in asked):
        return []  # approved before requests kept their rules: that counts for all
    return [rule for rule in found if not all(any(_is_same(step, one) for one in asked) for step in _asked_by(rule))]


def _asked_by(rule: ApprovalRule) -> list[dict[str, Any]]:
    """Its steps as a request keeps them."""
    return [
        {
            "rule": rule.pk, "number": step.number, "named": sorted(user.pk for user in step.users.all()),
            "role": step.role, "own": rule.allows_own, "outside": list(step.outside), "all": step.needs_all,
        }
        for step in sorted(rule.steps.all(), key=lambda one: one.number)
    ]  # fmt: skip


def _is_same(step: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    return all(kept.get(name) == value for name, value in step.items())


# Asking.


@transaction.atomic
def ask(*, post: Post, by: User, at: datetime, schedules: bool = True) -> ApprovalRequest:
    """Ask for the approvals that the post lacks as it is; once it has them, it is scheduled by itself if `schedules`.

    Raises `Problem` when no rule asks for any, when it has all, when it was asked for already, or when nobody could
    approve it.
    """
    post = Post.objects.select_for_update(of=("self",)).select_related("brand").get(pk=post.pk)
    found = rules_for(post)
    if not found:
        raise Problem(_("No rule asks that this be approved."))
    if not post.versions.exists():
        raise Problem(_("Choose first where it is to be published."))
    if ApprovalRequest.objects.filter(post=post, outcome=Outcome.OPEN).exists():
        raise Problem(_("Somebody has asked for approval already."))
    if not (lacking := _lacking(post, found)):
        raise Problem(_("This is approved as it is."))
    steps = _steps(lacking, post, by)
    request = ApprovalRequest.objects.create(
        post=post, revision=post.revision, said=_said(post), steps=steps, schedules=schedules, asked_by=by, asked_at=at
    )
    _record(activities.APPROVAL_ASKED, post, by=by, at=at, approvers=sorted(place_of(request).users))
    _invite(request, at=at)
    return request


def _steps(found: Iterable[ApprovalRule], post: Post, by: User) -> list[dict[str, Any]]:
    steps, wrote = [], sorted(writers(post) | {by.pk})
    for rule in found:
        for asked in _asked_by(rule):
            asked["wrote"] = wrote
            users = _users(asked, _roles(rule.brand_id), by.pk)
            if not users and not asked["outside"]:
                raise Problem(
                    _("Nobody is left who could approve it: whoever wrote it, changed it or asks may not approve it.")
                )
            steps.append({**asked, "users": users})
    return steps


def writers(post: Post) -> set[int]:
    """Whoever began a post or what it was made of, or has changed what either says since it was last approved: their
    ids."""
    sources = _sources(post)
    return _tried(post, sources).union(*map(_wrote, [post, *Post.objects.filter(pk__in=sources)]))


def _tried(post: Post, sources: Iterable[int]) -> set[int]:
    """Whoever wrote the wording of an experiment that a post tries, that half of its readers get, or that its model has
    from one."""
    mine = Turn.objects.filter(post=post).values("experiment")
    won = Q(post__in=sources, went_on_at__isnull=False)
    read = Q(post=post, kind=Experiment.Kind.LETTER)
    return set(Experiment.objects.filter(Q(pk__in=mine) | won | read).values_list("begun_by_id", flat=True))


def _wrote(post: Post) -> set[int]:
    approved = ApprovalRequest.objects.filter(post=post, outcome=Outcome.APPROVED).order_by("-revision")
    seen = approved.values_list("revision", flat=True).first() or 0
    lines = Activity.objects.filter(on_kind=Post._meta.label_lower, on_id=post.pk)
    told = list(lines.filter(type__in=[activities.CREATED, activities.EDITED]).values_list("by_id", "data"))
    later = {by for by, data in told if by and data.get("revision", 0) > seen}
    copied = {id for _by, data in told for id in data.get("wrote", ())}
    return {post.created_by_id, *later, *copied}


def _sources(post: Post) -> set[int]:
    """What its series, or the text that doesn't age, copies its words from; and what that was copied from."""
    copied = Occurrence.objects.filter(post=post).values_list("series__model", flat=True)
    repeated = Repetition.objects.filter(post=post).values_list("evergreen__model", flat=True)
    models = {id for id in [*copied, *repeated] if id}
    origins = Evergreen.objects.filter(model__in=models, origin__isnull=False).values_list("origin", flat=True)
    return {*models, *filter(None, origins)}


def _roles(brand_id: int) -> dict[int, str]:
    here = Membership.objects.filter(brand=brand_id, user__is_active=True)
    return dict(here.values_list("user", "role"))


def _users(step: Mapping[str, Any], roles: Mapping[int, str], asked_by: int) -> list[int]:
    """Who of the brand may decide about a step, as roles are given now: unless its rule allows it nobody who `wrote` it
    (before that was kept: who asked)."""
    named = set(step["named"] if "named" in step else step["users"])
    users = (named & roles.keys()) | {user for user, role in roles.items() if role == step.get("role")}
    wrote = set(step.get("wrote", [asked_by]))
    return sorted(users if step.get("own", asked_by in named) else users - wrote)


def _said(post: Post) -> list[dict[str, Any]]:
    """What would be published, account after account."""
    versions = post.versions.select_related("account", "post").order_by("pk")
    return [{"account": one.account.name, "id": one.account_id, "parts": spoken(one)} for one in versions]


def spoken(version: Version) -> list[dict[str, Any]]:
    """As `saying.spoken`, in the words that were first approved where this revision was: a description in the library,
    or somebody's name on a network, can be another by now, and that one nobody has approved."""
    asked = ApprovalRequest.objects.filter(post=version.post_id, outcome=Outcome.APPROVED)
    said = asked.filter(revision=version.post.revision).order_by("pk").values_list("said", flat=True).first()
    kept = (one["parts"] for one in said or () if one.get("id") == version.account_id)
    return next(kept, None) or saying.spoken(version)


def place_of(request: ApprovalRequest) -> Place:
    """The step that is to decide; one after the last when all have."""
    done = list(request.decisions.filter(is_approved=True).values_list("step", "by", "address"))
    for number, step in enumerate(request.steps):
        users = frozenset(step["users"]) - {user for n, user, _address in done if n == number}
        outside = frozenset(step["outside"]) - {address for n, _user, address in done if n == number}
        has_one = any(n == number for n, _user, _address in done)
        if not has_one or (step["all"] and (users or outside)):
            return Place(number, users, outside, step["all"])
    return Place(len(request.steps), frozenset(), frozenset(), needs_all=False)


def may_decide(request: ApprovalRequest | None, user: User) -> bool:
    return bool(request and request.outcome == Outcome.OPEN and user.pk in place_of(request).users)


# Deciding.


@transaction.atomic
def decide(
    *, request: ApprovalRequest, is_approved: bool, at: datetime, by: User | None = None,
    guest: GuestPass | None = None, name: str = "", comment: str = "",
) -> ApprovalRequest:  # fmt: skip
    """Approve the post, or ask for changes and say which. Either `by` or a `guest` with an open pass decides.

    Raises `NotAsked`, `Settled` for what was decided or changed meanwhile, and `Problem` without a word of what should
    change.
    """
    post = Post.objects.select_for_update(of=("self",)).select_related("brand").get(pk=request.post_id)
    request = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=request.pk)
    if request.outcome != Outcome.OPEN or request.revision != post.revision:
        raise Settled(_("This was changed or decided meanwhile. Look at it as it is now."))
    _follow_roles(request)
    place, comment = place_of(request), tidy(comment).strip()[:LONGEST_COMMENT]
    address = guest.address if guest else ""
    if (by and by.pk not in place.users) or (guest and address not in place.outside) or not (by or guest):
        raise NotAsked
    if not is_approved and not comment:
        raise Problem(_("Say what should be different."))
    ApprovalDecision.objects.create(
        request=request, step=place.number, by=by, address=address, name=tidy(name).strip()[:120],
        is_approved=is_approved, comment=comment, at=at,
    )  # fmt: skip
    said = by.name if by else tidy(name).strip() or address
    if not is_approved:
        _end(request, Outcome.CHANGES, at=at)
        _record(activities.CHANGES_WANTED, post, by=by, at=at, said_by=said, asked_by=request.asked_by_id)
        return request
    _record(activities.APPROVED, post, by=by, at=at, said_by=said, step=place.number, revision=request.revision)
    _go_on(request, post, place, at=at)
    return request


def _go_on(request: ApprovalRequest, post: Post, before: Place, *, at: datetime) -> None:
    """After a decision, or a change of roles: what follows where that leaves nobody of `before` to be waited for."""
    after = place_of(request)
    if after.number == len(request.steps):
        _end(request, Outcome.APPROVED, at=at)
        _record(activities.ALL_APPROVED, post, by=None, at=at, asked_by=request.asked_by_id, revision=request.revision)
    elif not after.users and not after.outside:
        _end(request, Outcome.NOBODY, at=at)
        _record(activities.NOBODY_APPROVES, post, by=None, at=at, asked_by=request.asked_by_id)
    elif after.number != before.number:
        _record(activities.APPROVAL_ASKED, post, by=request.asked_by, at=at, approvers=sorted(after.users))
        _invite(request, at=at)
    elif fresh := after.users - before.users:
        _record(activities.APPROVAL_ASKED, post, by=request.asked_by, at=at, approvers=sorted(fresh))


@transaction.atomic
def follow_roles(*, request: ApprovalRequest, at: datetime) -> ApprovalRequest:
    """Let those leave an open request who may no longer decide it, and those join whose role it asks.

    It goes on where nobody else is waited for, and ends where nobody is left: then whoever asked is told.
    """
    post = Post.objects.select_for_update(of=("self",)).select_related("brand").get(pk=request.post_id)
    request = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=request.pk)
    before = place_of(request)
    if request.outcome == Outcome.OPEN and _follow_roles(request):
        _go_on(request, post, before, at=at)
    return request


def outdated() -> list[ApprovalRequest]:
    """Open requests that ask somebody who may not decide any more, or leave somebody out."""
    found = ApprovalRequest.objects.filter(outcome=Outcome.OPEN).select_related("post").order_by("pk")
    roles: dict[int, dict[int, str]] = {}
    for request in found:
        roles.setdefault(request.post.brand_id, roles.get(request.post.brand_id) or _roles(request.post.brand_id))
    return [one for one in found if _steps_now(one, roles[one.post.brand_id]) != one.steps]


def _follow_roles(request: ApprovalRequest) -> bool:
    steps = _steps_now(request, _roles(request.post.brand_id))
    if steps == request.steps:
        return False
    request.steps = steps
    request.save(update_fields=["steps"])
    return True


def _steps_now(request: ApprovalRequest, roles: Mapping[int, str]) -> list[dict[str, Any]]:
    """Steps that are decided stay as they were."""
    first = place_of(request).number
    return [
        {**step, "users": _users(step, roles, request.asked_by_id)} if number >= first else step
        for number, step in enumerate(request.steps)
    ]


@transaction.atomic
def remind(*, request: ApprovalRequest, reminders: int, is_late: bool, at: datetime) -> bool:
    """Remind once more those who are to decide, also from outside; when the post's time has passed whoever asked too.
    False when that was done, or decided, already."""
    post = Post.objects.select_for_update(of=("self",)).select_related("brand").get(pk=request.post_id)
    request = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=request.pk)
    if request.outcome != Outcome.OPEN or request.reminders >= reminders:
        return False
    request.reminders = reminders
    request.save(update_fields=["reminders"])
    place, name = place_of(request), activities.APPROVAL_LATE if is_late else activities.APPROVAL_WAITS
    told = {"asked_by": request.asked_by_id} if is_late else {}
    _record(name, post, by=None, at=at, approvers=sorted(place.users), **told)
    if mail.is_set_up():
        for address in sorted(place.outside):
            _mail_pass(request, address, at=at, is_reminder=True)
    return True


def overtake(post: Post, *, at: datetime) -> None:
    """The post was changed: what was asked of the words before is over."""
    for request in ApprovalRequest.objects.filter(post=post, outcome=Outcome.OPEN):
        _end(request, Outcome.OVERTAKEN, at=at)


def _end(request: ApprovalRequest, outcome: Outcome, *, at: datetime) -> None:
    request.outcome, request.ended_at = outcome, at
    request.save(update_fields=["outcome", "ended_at"])
    GuestPass.objects.filter(request=request, revoked_at__isnull=True).update(revoked_at=at)


# People from outside.


def _invite(request: ApprovalRequest, *, at: datetime) -> None:
    for address in sorted(place_of(request).outside):
        invite(request=request, address=address, at=at)


@transaction.atomic
def invite(*, request: ApprovalRequest, address: str, at: datetime) -> str:
    """Mail a link to decide by, where mail is set up, and return it; a link that this address had before is over.

    Raises `NotAsked` for an address that isn't asked at this point.
    """
    place = place_of(request)
    if request.outcome != Outcome.OPEN or address not in place.outside:
        raise NotAsked
    GuestPass.objects.filter(request=request, address=address, revoked_at__isnull=True).update(revoked_at=at)
    return _mail_pass(request, address, at=at)


def _mail_pass(request: ApprovalRequest, address: str, *, at: datetime, is_reminder: bool = False) -> str:
    """The link of a reminder opens beside the one that this address has: only its hash is kept, to send it again."""
    token = secrets.token_urlsafe(32)
    GuestPass.objects.create(
        request=request, address=address, step=place_of(request).number, token_hash=_hash(token), created_at=at,
        expires_at=at + PASS_LASTS,
    )  # fmt: skip
    url = settings.PUBLIC_URL + reverse("publishing:guest", args=[token])
    if mail.is_set_up():
        brand = request.post.brand
        with translation.override(brand.language):
            about = {"url": url, "post": request.post, "brand": brand, "who": request.asked_by.name}
            text = render_to_string("publishing/mail/approval.txt", about | {"is_reminder": is_reminder})
            asks = _("{brand} asks you to approve “{title}”")
            reminds = _("Reminder: {brand} waits for you to approve “{title}”")
            subject = (reminds if is_reminder else asks).format(brand=brand.name, title=request.post.title)
            jobs.enqueue(mail.send, to=address, subject=subject, text=text)
    return url


def guest_of(token: str, *, at: datetime) -> GuestPass | None:
    """The pass of a link that still opens; None for one that is over and one that never was."""
    passes = GuestPass.objects.select_related("request__post__brand", "request__asked_by")
    found = passes.filter(token_hash=_hash(token)).first()
    return found if found and found.is_open(at) else None


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


# What pages show.


def requests_of(post: Post) -> list[ApprovalRequest]:
    """Newest first, with what was said to them."""
    mine = ApprovalRequest.objects.filter(post=post).select_related("asked_by")
    return list(mine.prefetch_related("decisions__by").order_by("-pk"))


def pictures_of(request: ApprovalRequest) -> list[dict[str, Any]]:
    return [picture for one in request.said for part in one["parts"] for picture in part.get("pictures", [])]


def summary(rule: ApprovalRule) -> str:
    """A rule in one sentence."""
    what = [str(one) for one in (rule.account, rule.campaign, rule.author) if one]
    what += [_("with “{words}”").format(words=", ".join(rule.words.split("\n")))] if rule.words.strip() else []
    if rule.topic:
        topic = topics(rule.brand, rule.topic).get(rule.topic, rule.topic)
        what.append(_("about “{topic}”").format(topic=topic))
    what += [_("of the pillar “{pillar}”").format(pillar=rule.pillar)] if rule.pillar else []
    said = ", ".join(what) or _("Every post")
    return f"{said} → " + " → ".join(_step_said(step) for step in sorted(rule.steps.all(), key=lambda one: one.number))


def _step_said(step: ApprovalStep) -> str:
    who = [user.name for user in step.users.all()]
    who += [str(step.get_role_display())] if step.role else []
    who += step.outside
    joined = (_(" and ") if step.needs_all else _(" or ")).join(who)
    return joined


def waiting_for(brand: Brand, user: User) -> list[ApprovalRequest]:
    """What this person is asked to approve now, the longest waiting first."""
    mine = ApprovalRequest.objects.filter(post__brand=brand, outcome=Outcome.OPEN).select_related("post", "asked_by")
    return [one for one in mine.order_by("asked_at", "pk") if user.pk in place_of(one).users]


def _record(name: str, post: Post, *, by: User | None, at: datetime, **facts: Any) -> None:
    activity.record(name, on=post, brand=post.brand_id, by=by.pk if by else None, at=at, title=post.title, **facts)
