"""Who is told of what happened: every line of the activity feed passes here once, after its transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse

from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Message
from tertulia.community.models import DataRequest, Testimonial
from tertulia.core import clock, jobs
from tertulia.core.models import Activity
from tertulia.core.redact import describe
from tertulia.inbox.models import Conversation
from tertulia.publishing import experiments
from tertulia.publishing.models import Experiment, Post, Series
from tertulia.team import notices
from tertulia.team.models import Membership
from tertulia.team.permissions import PERMISSIONS, Role
from tertulia.understanding.models import Brain, BrandLayer

log = logging.getLogger(__name__)

TOLD_AT_ONCE = 100
"""So many other jobs are done along with one."""

Told = tuple[Iterable[int | None], str]
"""Whom, and why."""


@jobs.task("flows.tell", attempts=8, at_once=2)
def tell(*, activity_ids: list[int]) -> None:
    """Leave a notification for each person a line concerns, and along with these of all lines that wait for it. Told
    twice, it changes nothing."""
    try:
        with transaction.atomic():
            others = jobs.take_along(tell, at=clock.now(), limit=TOLD_AT_ONCE)
            _tell([*activity_ids, *(id for each in others for id in each["activity_ids"])])
    except DatabaseError:
        raise  # passes by itself
    except Exception as error:  # noqa: BLE001 — whatever it is, it is raised again for the one it belongs to
        log.error("News can't be told together: %s", describe(error))
        _tell(activity_ids)


def tell_now(activity_ids: Iterable[int]) -> None:
    """Leave the notifications of these lines at once; the jobs that wait for them change nothing any more."""
    _tell(activity_ids)


def _tell(activity_ids: Iterable[int]) -> None:
    for line in Activity.objects.filter(pk__in=activity_ids, type__in=CONCERNS).order_by("pk"):
        whom, reason = CONCERNS[line.type](line)
        people = {user for user in whom if user} - {line.by_id}
        present = _still_here(line.brand_id, people)
        if present:
            notices.tell(users=present, line=line, reason=reason, url=_address(line), at=clock.now())


def _assigned(line: Activity) -> Told:
    return [line.data.get("to")], "assigned" if line.by_id else "routed"


def _noted(line: Activity) -> Told:
    return line.data.get("mentions", []), "mention"


def _at_risk(line: Activity) -> Told:
    owner = _owner(line)
    return [owner] if owner else _managers(line.brand_id), "at_risk"


def _broken(line: Activity) -> Told:
    return [_owner(line), *_managers(line.brand_id)], "broken"


def _refused(line: Activity) -> Told:
    return [line.data.get("author") or _owner(line)], "refused"


def _unknown(line: Activity) -> Told:
    return [line.data.get("author") or _owner(line)], "unknown"


def _by_hand(line: Activity) -> Told:
    return [line.data.get("author") or _owner(line)], "by_hand"


def _reminded(line: Activity) -> Told:
    return [line.data.get("author"), _owner(line)], "reminded"


def _act_refused(line: Activity) -> Told:
    return [line.data.get("author") or _owner(line)], "act"


def _post(line: Activity) -> Told:
    return [line.data.get("author")], "post"


def _test(line: Activity) -> Told:
    return [line.data.get("author")], "test"


def _by_hand_soon(line: Activity) -> Told:
    author = line.data.get("author")
    here = _still_here(line.brand_id, {author} if author else set())
    return here or _managers(line.brand_id), "post_waits"


def _by_hand_waits(line: Activity) -> Told:
    return [line.data.get("author"), *_managers(line.brand_id)], "post_waits"


def _still_to_approve(line: Activity) -> Told:
    return [*line.data.get("approvers", []), line.data.get("asked_by")], "approval_waits"


def _nobody_approves(line: Activity) -> Told:
    return [line.data.get("asked_by"), *_managers(line.brand_id)], "approval_told"


def _to_approve(line: Activity) -> Told:
    return line.data.get("approvers", []), "approval"


def _approval(line: Activity) -> Told:
    return [line.data.get("asked_by")], "approval_told"


def _approval_lost(line: Activity) -> Told:
    return Post.objects.filter(pk=line.on_id).values_list("scheduled_by_id", flat=True), "approval_told"


def _ready(line: Activity) -> Told:
    """Whoever began it and whoever sees to it, where they may close it; else those who manage the brand."""
    one = Experiment.objects.filter(pk=line.on_id, closed_at__isnull=True).select_related("post").first()
    if one is None:
        return [], "experiment"
    able = Membership.objects.filter(
        brand=line.brand_id, role__in=PERMISSIONS[experiments.right_over(one.post)], user__is_active=True
    ).values_list("user_id", flat=True)
    return {one.begun_by_id, one.owner_id} & set(able) or _managers(line.brand_id), "experiment"


def _held(line: Activity) -> Told:
    return _managers(line.brand_id), "stopped"


def _woken(line: Activity) -> Told:
    return [line.data.get("snoozed_by")], "woken"


def _attention(line: Activity) -> Told:
    return _managers(line.brand_id), "attention"


def _malware(line: Activity) -> Told:
    of = Message.objects.filter(pk=line.on_id, account=OuterRef("account"), thread_id=OuterRef("thread_id"))
    owners = Conversation.objects.filter(Exists(of), brand=line.brand_id).values_list("owner_id", flat=True)
    return [*owners, *_managers(line.brand_id)], "malware"


def _expiring(line: Activity) -> Told:
    return _managers(line.brand_id), "expiring"


def _ownerless(line: Activity) -> Told:
    return _managers(line.brand_id), "ownerless"


def _brain(line: Activity) -> Told:
    return _managers(line.brand_id), "brain"


def _worse(line: Activity) -> Told:
    return _managers(line.brand_id), "worse"


def _data_due(line: Activity) -> Told:
    directing = Membership.objects.filter(brand=line.brand_id, role__in=[Role.MANAGER, Role.DIRECTOR])
    return directing.values_list("user_id", flat=True), "data"


def _quote(line: Activity) -> Told:
    return [line.data.get("author"), *_managers(line.brand_id)], "quote"


def _ruled(line: Activity) -> Told:
    managers = _managers(line.brand_id) if line.data.get("managers") else []
    return [*line.data.get("tell", []), *managers], "rule"


def _resettled(line: Activity) -> Told:
    """Settings decide where answers go: whoever else manages the brand hears of a change."""
    return _managers(line.brand_id), "settings"


CONCERNS: dict[str, Callable[[Activity], Told]] = {
    "conversation.assigned": _assigned,
    "conversation.routed": _assigned,
    "note.added": _noted,
    "promise.at_risk": _at_risk,
    "promise.broken": _broken,
    "delivery.refused": _refused,
    "delivery.unknown": _unknown,
    "delivery.by_hand": _by_hand,
    "delivery.reminded": _reminded,
    "act.refused": _act_refused,
    "act.unknown": _act_refused,
    "post.refused": _post,
    "post.unknown": _post,
    "post.missed": _post,
    "post.by_hand": _post,
    "post.delete_failed": _post,
    "post.absent": _post,
    "post.quote_ended": _quote,
    "testimonial.ended": _quote,
    "series.stuck": _post,
    "experiment.ready": _ready,
    "newsletter.unallowed": _post,
    "newsletter.test_refused": _test,
    "newsletter.test_unknown": _test,
    "post.approval_asked": _to_approve,
    "post.approval_waits": _still_to_approve,
    "post.approval_late": _still_to_approve,
    "post.nobody_approves": _nobody_approves,
    "post.by_hand_soon": _by_hand_soon,
    "post.by_hand_waits": _by_hand_waits,
    "post.all_approved": _approval,
    "post.changes_wanted": _approval,
    "post.approval_lost": _approval_lost,
    "post.approval_needed": _approval_lost,
    "publishing.stopped": _held,
    "publishing.resumed": _held,
    "conversation.woken": _woken,
    "conversation.ownerless": _ownerless,
    "conversation.ruled": _ruled,
    "message.malware": _malware,
    "account.attention": _attention,
    "account.expiring": _expiring,
    "learning.held": _worse,
    "brain.budget_used": _brain,
    "brain.failing": _brain,
    "data_request.due": _data_due,
    "account.changed": _resettled,
    "account.connected": _resettled,
    "account.reconnected": _resettled,
}


def _owner(line: Activity) -> int | None:
    return Conversation.objects.filter(pk=line.on_id).values_list("owner_id", flat=True).first()


def _managers(brand: int) -> list[int]:
    return list(Membership.objects.filter(brand=brand, role=Role.MANAGER).values_list("user_id", flat=True))


def _still_here(brand: int, people: set[int]) -> list[int]:
    """Those who still belong to the brand: an old line must not reach somebody who has left."""
    here = Membership.objects.filter(brand=brand, user__in=people, user__is_active=True)
    return list(here.order_by("user_id").values_list("user_id", flat=True)) if people else []


def _address(line: Activity) -> str:
    slug = Brand.objects.values_list("slug", flat=True).get(pk=line.brand_id)
    if line.on_kind == Account._meta.label_lower:
        return reverse("channels:account", args=[slug, line.on_id])
    if line.on_kind == Message._meta.label_lower:
        return reverse("inbox:message", args=[slug, line.on_id])
    if line.on_kind == Brain._meta.label_lower:
        return reverse("inbox:brains", args=[slug])
    if line.on_kind == BrandLayer._meta.label_lower:
        return reverse("inbox:learning", args=[slug])
    if line.on_kind == DataRequest._meta.label_lower:
        return reverse("processing", args=[slug])
    if line.on_kind == Testimonial._meta.label_lower:
        return reverse("community:testimonial", args=[slug, line.on_id])
    if line.on_kind == Post._meta.label_lower:
        return reverse("publishing:post", args=[slug, line.on_id])
    if line.on_kind == Series._meta.label_lower:
        return reverse("publishing:series", args=[slug, line.on_id])
    if line.on_kind == Experiment._meta.label_lower:
        return reverse("publishing:experiment", args=[slug, line.on_id])
    if line.on_kind == Brand._meta.label_lower:
        return reverse("publishing:posts", args=[slug])
    return reverse("inbox:conversation", args=[slug, line.on_id])
