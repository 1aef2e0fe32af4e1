"""The calendar as people see it, over HTTP, with 5,000 posts in its month, each scheduled on two of 50 accounts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db import connection

from tertulia.channels.models import Account, Delivery, RemotePost
from tertulia.publishing.models import Part, Post, Sending, Version

from .figures import Figure, percentile, typical
from .people import brand, colleagues, sign_in
from .stage import Browser, running

POSTS, ACCOUNTS, ROUNDS = 5_000, 50, 3
MONTH = datetime(2031, 3, 1, tzinfo=UTC)
"""A month that nothing else of the sample is in."""


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    fill()
    port, asks = int(os.environ["TERTULIA_PORT"]), 30 if scale == "quick" else 100
    cookie, base = sign_in(colleagues()[1]), f"/b/{brand().slug}/posts/"
    with running("-m", "tertulia", "web", port=port):
        for view in ("month", "week", "list", "board"):
            p50, p95 = _asked(port, f"{base}?view={view}&on=2031-03-12", cookie, asks)
            yield Figure(f"calendar of 5,000 posts, {view}: p50", p50, "ms")
            yield Figure(f"calendar of 5,000 posts, {view}: p95", p95, "ms", 100)


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


def fill() -> None:
    """Once: what is there already stays."""
    ours, by = brand(), colleagues()[1].pk
    if Post.objects.filter(brand=ours, publish_at__gte=MONTH).count() >= POSTS:
        return
    accounts = Account.objects.bulk_create(
        Account(brand=ours, kind="manual", name=f"Cuenta {number}", created_at=MONTH) for number in range(ACCOUNTS)
    )
    step = timedelta(days=31) / POSTS
    posts = Post.objects.bulk_create(
        Post(
            brand=ours, title=f"Publicación {number}", zone="UTC", on=(at := MONTH + step * number).date(),
            time=at.time(), publish_at=at, created_by_id=by, scheduled_by_id=by, created_at=MONTH, changed_at=MONTH,
        )
        for number in range(POSTS)
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
            due_at=version.post.publish_at, created_by_id=by, created_at=MONTH,
        )
        for version, remote in zip(versions, remotes, strict=True)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
