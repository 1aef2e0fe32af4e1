"""The calendar as people see it, over HTTP, with 5,000 posts a month, each scheduled on two of 50 accounts.

The month is the one around today, so that the promises look at the same posts: first five of the accounts have one,
then all, and 9,000 deliveries are in the weeks that they look at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day

from django.db import connection

from tertulia.channels.models import Account, Delivery, RemotePost
from tertulia.publishing.models import Part, Post, Promise, Sending, Slot, Version

from .figures import Figure, percentile, typical
from .people import brand, colleagues, sign_in
from .stage import Browser, running

POSTS, ACCOUNTS, ROUNDS = 5_000, 50, 3
MONTH = timedelta(days=31)
PROMISES = (5, 50)
PER_WEEK = 50


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    now = datetime.now(UTC)
    port, asks = int(os.environ["TERTULIA_PORT"]), 30 if scale == "quick" else 100
    cookie, base = sign_in(colleagues()[1]), f"/b/{brand().slug}/posts/"
    accounts = fill(now)
    try:
        with running("-m", "tertulia", "web", port=port):
            for promises in PROMISES:
                promise(accounts[:promises], now)
                for view in ("month", "week", "list", "board"):
                    p50, p95 = _asked(port, f"{base}?view={view}&on={now:%Y-%m-%d}", cookie, asks)
                    what = f"calendar of 5,000 posts, {promises} promises, {view}"
                    yield Figure(f"{what}: p50", p50, "ms", limit="an empty answer over HTTP, p50")
                    yield Figure(f"{what}: p95", p95, "ms", 100, limit="an empty answer over HTTP, p50")
    finally:
        clear()


def _asked(port: int, path: str, cookie: str, asks: int) -> tuple[float, float]:
    """p50 and p95 in ms as the medians of several rounds."""
    browser = Browser(port, cookie)
    for _ in range(5):
        browser.get(path)
    p50, p95 = [], []
    for _ in range(ROUNDS):
        took = []
        for _ in range(asks):
            started = time.perf_counter()
            browser.get(path)
            took.append((time.perf_counter() - started) * 1_000)
        p50.append(percentile(took, 0.5))
        p95.append(percentile(took, 0.95))
    return typical(p50), typical(p95)


def promise(accounts: list[Account], now: datetime) -> None:
    """More a week than there are posts, so that each week has holes to be found at slots and told."""
    starts_on = now.date() - timedelta(days=now.weekday())
    Promise.objects.bulk_create(
        [Promise(account=account, per_week=PER_WEEK, starts_on=starts_on) for account in accounts],
        ignore_conflicts=True,
    )
    Slot.objects.bulk_create(
        [Slot(account=one, weekday=weekday, time=time_of_day(9)) for one in accounts for weekday in (0, 2, 4)],
        ignore_conflicts=True,
    )


def fill(now: datetime) -> list[Account]:
    """Two months of posts around now, so that what is shown is full: those of the past are published."""
    clear()
    ours, by = brand(), colleagues()[1].pk
    begin = datetime.combine(now.date() - timedelta(days=now.weekday()), time_of_day(), UTC) - MONTH / 2
    accounts = Account.objects.bulk_create(
        Account(brand=ours, kind="manual", name=f"Cuenta {number}", created_at=begin) for number in range(ACCOUNTS)
    )
    posts = Post.objects.bulk_create(
        Post(
            brand=ours, title=f"Publicación {number}", zone="UTC", on=(at := begin + MONTH / POSTS * number).date(),
            time=at.time(), publish_at=at, created_by_id=by, scheduled_by_id=by, created_at=begin, changed_at=begin,
        )
        for number in range(2 * POSTS)
    )  # fmt: skip
    Part.objects.bulk_create(Part(post=post, text="Pan de pueblo") for post in posts)
    versions = Version.objects.bulk_create(
        Version(post=post, account=accounts[(number + other) % ACCOUNTS])
        for number, post in enumerate(posts)
        for other in (0, 25)
    )
    remotes = RemotePost.objects.bulk_create(RemotePost(account=version.account) for version in versions)
    Sending.objects.bulk_create(
        Sending(version=version, number=0, revision=1, remote=remote)
        for version, remote in zip(versions, remotes, strict=True)
    )
    Delivery.objects.bulk_create(
        Delivery(
            account=version.account, thread_id=f"post:{version.pk}", post=remote, act="post", key=version.key(0, 1),
            due_at=due, created_by_id=by, created_at=begin,
            state="sent" if due < now else "queued", finished_at=due if due < now else None,
        )
        for version, remote in zip(versions, remotes, strict=True)
        if (due := version.post.publish_at)
    )  # fmt: skip
    _analyze()
    return accounts


def clear() -> None:
    """Nothing of it is left to be due while another part is measured."""
    Post.objects.filter(brand=brand(), title__startswith="Publicación ").delete()
    Account.objects.filter(brand=brand(), name__startswith="Cuenta ").delete()
    _analyze()


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
