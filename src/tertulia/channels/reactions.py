"""What happens under our posts, in figures: when the networks are asked for them, and what they were at an age.

A figure is a row of `PostMetric`, and one that nobody told has none. Posts are compared at the same age: what stood
under one after an hour says nothing beside what stood under another after a month.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tertulia.connectors.contract import VOTES, Tells

from .models import Account, PostMetric, PostWatch, RemotePost

NAMES: Mapping[str, str | Promise] = {
    "likes": _("Likes"),
    "reposts": _("Reposts"),
    "replies": _("Comments and answers"),
    "quotes": _("Quotes"),
    "views": pgettext_lazy("a figure", "Views"),
}
"""What may be counted under a post, in the order it is shown in."""
REACTING = ("likes", "reposts", "replies", "quotes")
"""What somebody did about it. To have seen it is none of that."""
AGES = (
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=30),
)
"""How old a post is each time its figures are asked for: often while they grow fast, seldom afterwards."""
EARLIEST, LATEST = 0.8, 1.5
"""A figure stands for an age when it was taken between these parts of it: what a person writes down, or a desk that was
switched off fetches late, is never quite on time."""
MOST = 2**53


def called(name: str) -> str:
    return str(NAMES.get(name, name))


def told_by(account: Account) -> Tells:
    return account.capabilities.tells or Tells()


# Taking them.


@transaction.atomic
def keep(
    *, post: RemotePost, values: Mapping[str, int], at: datetime, how: str, by: int | None = None
) -> dict[str, int]:
    """Keep what stood under a post at a moment; returns what was new or another. Kept again it changes nothing, and
    nobody's hand writes over what the network told."""
    there = {row.name: row for row in PostMetric.objects.filter(post=post, at=at, name__in=values)}
    changed = {}
    for name, value in values.items():
        row = there.get(name)
        if row and (row.value == value or (row.how == PostMetric.How.NETWORK and how != row.how)):
            continue
        PostMetric.objects.update_or_create(
            post=post, name=name, at=at, defaults={"value": value, "how": how, "by_id": by}
        )
        changed[name] = value
    return changed


def next_look(published_at: datetime, at: datetime) -> datetime | None:
    """When the figures of a post are asked for after `at`; None when it is older than that."""
    return next((moment for age in AGES if (moment := published_at + age) > at), None)


def watch_new(accounts: Sequence[Account], *, at: datetime) -> int:
    """Begin to ask for the figures of what was published there; returns of how many posts. What is older than the last
    age is left alone, and of what is not quite new the earlier ages are skipped, not made up."""
    fresh = RemotePost.objects.filter(
        account__in=accounts, published_at__gt=at - AGES[-1], above__isnull=True, deleted_at__isnull=True, watch=None
    ).exclude(remote_id="")
    rows = [PostWatch(post_id=pk, due_at=max(since + AGES[0], at)) for pk, since in _times(fresh)]
    PostWatch.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _times(posts: Iterable[RemotePost]) -> list[tuple[int, datetime]]:
    return [(post.pk, post.published_at) for post in posts if post.published_at]


@transaction.atomic
def note(
    posts: Sequence[RemotePost], told: Mapping[str, Mapping[str, int]], *, at: datetime
) -> list[RemotePost]:  # fmt: skip
    """Keep what the network told of posts, and when it is asked again. One that it doesn't show has no figures now.

    Returns those that it has ceased to show since the look before.
    """
    rows = [
        PostMetric(post=post, name=name, value=value, at=at, how=PostMetric.How.NETWORK)
        for post in posts
        for name, value in told.get(post.remote_id, {}).items()
    ]
    PostMetric.objects.bulk_create(rows, ignore_conflicts=True)
    vanished = []
    for post in posts:
        due_at = next_look(post.published_at, at) if post.published_at else None
        watch = PostWatch.objects.filter(post=post)
        if post.remote_id in told:
            watch.update(due_at=due_at, absent_at=None)
        else:
            if watch.filter(absent_at=None).update(absent_at=at):
                vanished.append(post)
            watch.update(due_at=due_at)
    return vanished


# Reading them.


@dataclass(frozen=True, slots=True)
class Taken:
    """One figure at one moment."""

    at: datetime
    value: int
    how: str


@dataclass(slots=True)
class Course:
    """A post of an account, and how each of its figures went, oldest first."""

    post: int
    account: int
    published_at: datetime
    figures: dict[str, list[Taken]] = field(default_factory=lambda: defaultdict(list))
    votes: dict[str, int] = field(default_factory=dict)
    """The last that was told of its poll, as `contract.poll_counts` names it."""

    def latest(self, name: str) -> Taken | None:
        taken = self.figures.get(name)
        return taken[-1] if taken else None

    def at_age(self, name: str, age: timedelta) -> int | None:
        """What stood there at about that age; None when nobody looked then."""
        found = [(self._distance(one, age), one.value) for one in self.figures.get(name, ()) if self._fits(one, age)]
        return min(found)[1] if found else None

    def _fits(self, taken: Taken, age: timedelta) -> bool:
        return age * EARLIEST <= taken.at - self.published_at <= age * LATEST

    def _distance(self, taken: Taken, age: timedelta) -> float:
        return abs(math.log((taken.at - self.published_at) / age))

    def reaction(self, age: timedelta, names: Iterable[str] = REACTING) -> tuple[frozenset[str], int] | None:
        """All that people did about it at that age, and which figures that adds up; None when none is known."""
        known = {name: value for name in names if (value := self.at_age(name, age)) is not None}
        return (frozenset(known), sum(known.values())) if known else None


def courses(posts: Iterable[RemotePost]) -> dict[int, Course]:
    """By post, in one statement for any number of them."""
    found = {
        post.pk: Course(post.pk, post.account_id, post.published_at) for post in posts if post.published_at is not None
    }
    rows = PostMetric.objects.filter(post__in=found).order_by("at", "pk")
    for post, name, at, value, how in rows.values_list("post", "name", "at", "value", "how"):
        if name.startswith(VOTES):
            found[post].votes[name] = value
        else:
            found[post].figures[name].append(Taken(at, value, how))
    return found


def published(account: Account, *, before: datetime, most: int) -> list[RemotePost]:
    """The newest posts of an account from before a moment, without what stands below them; newest first."""
    mine = RemotePost.objects.filter(
        account=account, published_at__lt=before, above__isnull=True, deleted_at__isnull=True
    )
    return list(
        mine.only("pk", "account_id", "published_at", "remote_id", "url").order_by("-published_at", "-pk")[:most]
    )
