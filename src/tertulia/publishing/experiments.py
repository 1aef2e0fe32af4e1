"""Experiments: what is tried on purpose, from what somebody expects to what was learned.

Nothing begins without saying what is expected and by which figure it is judged, and nothing of that changes later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels import reactions as facts
from tertulia.channels.models import Account, PostMetric
from tertulia.connectors import registry
from tertulia.core import activity
from tertulia.core.html import tidy
from tertulia.team.models import User

from . import (
    actions,
    activities,
    addresses,
    approval,
    dealing,
    mailing,
    queries,
    rhythm,
    sameness,
    saying,
    series,
    shortening,
    verdicts,
    writing,
)
from .models import Evergreen, Experiment, Occurrence, Part, Post, Repetition, Sending, Series, Slot, Turn
from .problems import Problem, TooLate
from .saying import Wanted

HELD_DAYS = 22
"""So far ahead, today included, a slot can be kept."""
Kind, Measure = Experiment.Kind, Experiment.Measure


# What can be tried.


def kind_of(post: Post, account: Account | None = None) -> str:
    """What others are made after tries wordings; any other post another wording on a list, or something new."""
    if queries.is_model(post):
        return Kind.WORDING
    return Kind.LETTER if account and mailing.is_list(account) else Kind.FORMAT


def wording_of(post: Post) -> str:
    """What the post says to all accounts, in its first part."""
    said = Part.objects.filter(post=post, version__isnull=True, number=0).values_list("text", flat=True)
    return said.first() or ""


def accounts(post: Post) -> list[Account]:
    """On which something can be tried with it. Of a model only those that say what it says to all: of one with a text
    of its own no wording is tried."""
    own = Part.objects.filter(post=post, version__isnull=False).values("version")
    own = own if queries.is_model(post) else own.none()
    versions = post.versions.exclude(pk__in=own).select_related("account").defer("account__secrets")
    installed = registry.all_connectors()
    return [one.account for one in versions.order_by("account__name", "pk") if one.account.kind in installed]


def measures(some: Collection[Account], brand: Brand) -> list[str]:
    """The figures that are known of every one of these accounts: the network tells them, or people write them down."""
    told = [facts.told_by(one).of_posts | _written_down(one) for one in some]
    if some and all(map(mailing.is_list, some)):
        shortens = shortening.settings_of(brand.pk).shortens
        return [*([Measure.CLICKS] if shortens else []), Measure.LEAVES]
    known = [name for name in facts.REACTING if name in Measure.values and told and all(name in one for one in told)]
    return [*([Measure.CLICKS] if some and shortening.settings_of(brand.pk).shortens else []), *known]


def _written_down(account: Account) -> set[str]:
    by_hand = PostMetric.objects.filter(post__account=account, name__in=Measure.values).order_by()
    return set(by_hand.values_list("name", flat=True).distinct())


def formats_new_to(account: Account, post: Post) -> list[tuple[str, str]]:
    """By name, the formats that none of the account's last posts had."""
    lately = sameness.lately(account, but=post)
    return [(name, label) for name, label in sameness.formats().items() if not lately[name]]


# Whether it can be.


def check_possible(post: Post, account: Account | None) -> None:
    """Whether one can begin with the post as it stands; with what is no model on `account`, one of its own. Raises
    `Problem`, `TooLate`: why not."""
    if Experiment.objects.filter(post=post, closed_at__isnull=True).exists():
        raise Problem(_("An experiment with it is running already."))
    if queries.is_model(post):
        some = _check_model(post)
    elif any(each.objects.filter(post=post).exists() for each in (Occurrence, Repetition)):
        raise Problem(_("It was made of what comes back: wordings are tried there."))
    else:
        some = [_check_account(post, account)]
    if not measures(some, post.brand):
        says = _(
            "Nothing can be judged here yet: its accounts tell no figure that all of them know, and links of posts "
            "aren't shortened, so clicks aren't counted."
        )
        raise Problem(says)


def _check_model(post: Post) -> list[Account]:
    is_over = Series.objects.filter(model=post, ended_at__isnull=False).exists()
    if is_over and not Evergreen.objects.filter(model=post).exists():
        raise Problem(_("This series has ended."))
    if not wording_of(post):
        raise Problem(_("Write first what the post says to all accounts: that is wording A."))
    if not (some := accounts(post)):
        raise Problem(_("Each of its accounts has a text of its own: no wording can be tried on them."))
    return some


def _check_account(post: Post, account: Account | None) -> Account:
    version = post.versions.filter(account=account).first() if account else None
    if account is None or version is None:
        raise Problem(_("Choose first where it is to be published."))
    if mailing.is_list(account):
        if version.sendings.exists():
            raise TooLate(
                _("It is scheduled, or has left. Cancel it first: then half of the list can get something else.")
            )
    elif not queries.standing(post).is_open:
        raise TooLate(_("It has left already."))
    elif not formats_new_to(account, post):
        raise Problem(_("Its last posts were of every kind: nothing is new there."))
    return account


def why_not(post: Post, account: Account | None = None) -> str:
    """Why none can begin with it; "" where one can, on `account` or on any of its accounts."""
    some: list[Account | None] = [account]
    if not (account or queries.is_model(post)):
        some = [*accounts(post)] or some
    whys = []
    for one in some:
        try:
            check_possible(post, one)
        except Problem as problem:
            whys.append(str(problem))
        else:
            return ""
    return whys[0]


# What people do with them.


def right_over(post: Post) -> str:
    """What somebody has to be allowed to do to begin one with the post, or close it: what leaves by itself is worded by
    those who may publish."""
    leaves = Series.objects.filter(model=post, then=Series.Then.SCHEDULE, ended_at__isnull=True).exists()
    return "publishing.publish" if leaves else "publishing.write"


@transaction.atomic
def begin(*, post: Post, by: User, at: datetime, **said: Any) -> Experiment:
    """Begin one with a post; `said` as its form gives it. Turns to come that nobody has touched are dealt at once.
    Raises `Problem`, `TooLate`."""
    post = Post.objects.select_for_update(of=("self",)).select_related("brand").get(pk=post.pk)
    check_possible(post, said.get("account"))
    one = Experiment(
        brand=post.brand, post=post, kind=kind_of(post, said.get("account")), begun_by_id=by.pk, begun_at=at,
        **{name: tidy(value).strip() if isinstance(value, str) else value for name, value in said.items()},
    )  # fmt: skip
    if not one.hypothesis or one.measure not in Measure.values:
        raise Problem(_("Say first what you expect, and by which figure it is judged."))
    if one.kind == Kind.WORDING:
        one.text_a = wording_of(post)
        _check_wordings(one)
    elif one.kind == Kind.LETTER:
        _check_newsletter(one)
    else:
        _check_new(one)
    one.save()
    if one.kind == Kind.LETTER:
        _says_something_else(post, at=at)
    _record(activities.TRIED, one, by=by, at=at)
    series.follow(model=post, at=at)
    return one


@transaction.atomic
def hold(*, account: Account, wall: datetime, by: User, at: datetime) -> Post:
    """Keep a free slot of the queue, at `wall` where the brand is, for something new that is still to be written: a
    draft without words stands there until then. Raises `Problem`."""
    list(Slot.objects.select_for_update().filter(account=account).order_by("pk"))  # as the queue does
    if (wall, account.pk) not in rhythm.free(account.brand, at=at, days=HELD_DAYS, account=account.pk):
        raise Problem(_("That slot is no longer free."))
    post = actions.create(
        brand=account.brand, title=_("Something new"), versions={account.pk: Wanted()}, by=by, at=at
    )  # fmt: skip
    actions.plan(post=post, wall=wall, by=by, at=at)
    check_possible(post, account)
    return post


def _check_wordings(one: Experiment) -> None:
    """Raises `Problem`."""
    if not one.text_b or one.text_b == one.text_a:
        raise Problem(_("Wording B has to say something else."))
    _check_measure(one, accounts(one.post))
    if one.measure == Measure.CLICKS and not all(map(_has_link, (one.text_a, one.text_b))):
        raise Problem(_("To be judged by clicks each wording needs an address that begins with https://."))


def _has_link(text: str) -> bool:
    return any(map(addresses.may_lead_to, addresses.listed(text)))


def _check_newsletter(one: Experiment) -> None:
    """Takes what it says now as A. Raises `Problem`."""
    one.title_a, one.text_a = _said(one)
    if not one.text_a:
        raise Problem(_("Write first what the post says: that is wording A."))
    if (one.title_b or one.title_a, one.text_b or one.text_a) == (one.title_a, one.text_a):
        raise Problem(_("B needs another subject, another text, or both."))
    _check_measure(one, [one.account] if one.account else [])
    if one.measure == Measure.CLICKS and not all(map(_has_link, (one.text_a, one.text_b or one.text_a))):
        raise Problem(_("To be judged by clicks each wording needs an address that begins with https://."))


def _said(one: Experiment) -> tuple[str, str]:
    """What a newsletter says itself, subject and text; as it was kept where it is on that list no more."""
    version = one.post.versions.select_related("account", "post").filter(account=one.account_id).first()
    said = saying.spoken(version) if version else []
    return (said[0].get("title", ""), said[0]["text"]) if said else (one.title_a, one.text_a)


def _says_something_else(post: Post, *, at: datetime) -> None:
    """What was approved, or waits for it, were other words."""
    post.revision, post.changed_at = post.revision + 1, at
    post.save(update_fields=["revision", "changed_at"])
    approval.overtake(post, at=at)


def _check_new(one: Experiment) -> None:
    """Raises `Problem`."""
    if one.account is None or one.format not in dict(formats_new_to(one.account, one.post)):
        raise Problem(_("That isn't new there: one of the account's last twelve posts was like that."))
    _check_measure(one, [one.account])


def _check_measure(one: Experiment, some: Collection[Account]) -> None:
    if one.measure not in measures(some, one.brand):
        names = ", ".join(each.name for each in some)
        raise Problem(_("That figure isn't known of {accounts}. Choose another.").format(accounts=names))


@transaction.atomic
def close(*, experiment: Experiment, learned: str, by: User, at: datetime) -> None:
    """Keep how it came out, with what was learned; before all of it is in, it says so. What comes back says its usual
    words again. Raises `Problem`."""
    one = Experiment.objects.select_for_update(of=("self",)).select_related("brand", "post").get(pk=experiment.pk)
    if one.closed_at:
        raise Problem(_("Somebody has closed this experiment already."))
    if not (learned := tidy(learned).strip()):
        raise Problem(_("Say first what was learned: the next one begins there."))
    found = verdicts.closing(one, at=at)
    if one.kind == Kind.LETTER and found.points[0].why == "ahead":
        if Sending.objects.filter(version__post=one.post, version__account=one.account_id).exists():
            raise TooLate(_("It is scheduled with both wordings. Cancel it first, or wait until it is out."))
        _says_something_else(one.post, at=at)
    if one.kind == Kind.LETTER:
        one.title_a, one.text_a = _said(one)
    one.result = found.plain()
    one.learned, one.closed_at, one.closed_by_id = learned, at, by.pk
    one.save(update_fields=["title_a", "text_a", "result", "learned", "closed_at", "closed_by_id"])
    ahead = [point["post"] for point in one.result["points"] if point["why"] == "ahead"]
    Turn.objects.filter(experiment=one, post__in=ahead).delete()
    _record(activities.JUDGED, one, by=by, at=at)
    series.follow(model=one.post, at=at)


@transaction.atomic
def go_on(*, experiment: Experiment, by: User, at: datetime) -> None:
    """Let what comes back say the wording that won, and no other. Raises `Problem`."""
    one = Experiment.objects.select_for_update(of=("self",)).select_related("post__brand").get(pk=experiment.pk)
    if not one.closed_at or (arm := one.result["outcome"]) not in Experiment.Arm.values or one.kind != Kind.WORDING:
        raise Problem(_("Neither wording has won."))
    if one.went_on_at:
        raise Problem(_("It goes on with that wording already."))
    post = queries.whole(one.brand).get(pk=one.post_id)
    said = writing.from_post(post)
    pieces = dealing.worded(said.pieces, one.text_of(arm))
    actions.save(
        post=post, seen=post.revision, title=said.title, pieces=pieces, versions=said.versions, by=by, at=at
    )  # fmt: skip
    Series.objects.filter(model=post).update(texts=[], changed_at=at)
    one.went_on_at = at
    one.save(update_fields=["went_on_at"])
    _record(activities.WON, one, by=by, at=at)
    series.follow(model=post, at=at)


def _record(name: str, one: Experiment, *, by: User, at: datetime) -> None:
    activity.record(name, on=one, brand=one.brand_id, by=by.pk, at=at, title=one.title)


# Which there are.


def experiments(brand: Brand) -> QuerySet[Experiment]:
    """Those that run first, then the newest."""
    mine = Experiment.objects.filter(brand=brand).select_related("owner", "post", "account", "brand")
    return mine.defer("account__secrets").order_by("-begun_at", "-pk")


def of_post(post: Post | None, *, may: Callable[[str], bool] | None = None) -> dict[str, Any]:
    """What was tried with a post, newest first, and the turn it is itself; with the rights of whoever looks (`may`)
    whether another can begin, or why not."""
    if post is None:
        return {}
    mine = list(experiments(post.brand).filter(post=post))
    found: dict[str, Any] = {
        "post": post.pk, "tried": mine, "turn": Turn.objects.filter(post=post).select_related("experiment").first(),
        "is_running": any(one.closed_at is None for one in mine),
    }  # fmt: skip
    if may is None or not may("publishing.write") or found["is_running"]:
        return found
    some = accounts(post)
    why = why_not(post) if may(right_over(post)) else _("It leaves by itself: who may publish chooses its words.")
    kind = kind_of(post, some[0] if len(some) == 1 else None)
    return found | {"may_begin": not why, "why_not": why, "kind": kind}
