"""Posts of Alba's on a network that misbehaves on request; its own list is the judge."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from datetime import datetime, timedelta
from struct import pack

import pytest
from django.db import transaction

from conftest import NOON
from fakes.connector import KINDS
from fakes.network import SIGNING, TOKEN, Network, running
from tertulia.channels import models as channels
from tertulia.channels.models import Account, Delivery
from tertulia.connectors import registry
from tertulia.core import clock, jobs
from tertulia.core.http import Door
from tertulia.flows import outbound
from tertulia.publishing import actions, library, queries
from tertulia.publishing.models import Post
from tertulia.publishing.saying import Piece, Wanted

ONE_O_CLOCK = datetime(2026, 11, 23, 13, 0)
"""On the wall in Madrid, an hour after noon."""
DUE = NOON + timedelta(hours=1)


@pytest.fixture
def network(monkeypatch, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    installed = registry.all_connectors()
    monkeypatch.setattr(registry, "all_connectors", lambda: {**installed, **KINDS})
    monkeypatch.setattr(channels, "http", Door(total=1.5))
    with running(Network(hang_seconds=2.2)) as network:
        yield network


@pytest.fixture
def account_of(network, brand):
    def make(kind: str = "fake-keyed", *, of=None, name: str = "") -> Account:
        network.honours_keys = network.honours_keys or kind == "fake-keyed"
        return Account.objects.create(
            brand=of or brand, kind=kind, name=name or kind, created_at=NOON, settings={"url": network.url},
            secrets={"token": TOKEN, "signing": SIGNING},
        )  # fmt: skip

    return make


@pytest.fixture
def post_on(brand, alba):
    """`post_on(account, "Pan de pueblo", "Y más")`: scheduled for one o'clock, its parts below each other."""

    def write(*accounts: Account, texts: tuple[str, ...] = ("Pan de pueblo",), pictures=(), comment: str = "") -> Post:
        pieces = [Piece(text, pictures=tuple(pictures) if not number else ()) for number, text in enumerate(texts)]
        pieces += [Piece(comment, "comment")] if comment else []
        post = actions.create(
            brand=brand, by=alba, at=NOON, pieces=pieces, versions={account.pk: Wanted() for account in accounts}
        )
        actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
        return actions.schedule(post=post, by=alba, at=NOON)

    return write


@pytest.fixture
def go_on(monkeypatch):
    """`go_on(DUE, hours=1)`: background work goes by, ten seconds at a time."""

    def run(since: datetime, **span: float) -> None:
        for step in range(0, int(timedelta(**span).total_seconds()) + 1, 10):
            at = since + timedelta(seconds=step)
            monkeypatch.setattr(clock, "now", lambda at=at: at)
            outbound.run_due(at)
            jobs.run_due(at)

    return run


@pytest.fixture
def picture(brand, alba, network):
    return library.add(brand=brand, name="pan.png", content=png(), by=alba, at=NOON, alt="Un pan de pueblo")


@contextmanager
def lost():
    """What happens in here the backup doesn't have that is put back then; the network remembers it."""
    made = transaction.savepoint()
    yield
    transaction.savepoint_rollback(made)


def png(width: int = 2, height: int = 3, *notes: tuple[bytes, bytes]) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return pack(">I", len(body)) + name + body + pack(">I", zlib.crc32(name + body))

    head = pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * (width + 1) * height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + b"".join(chunk(*one) for one in notes)
        + body
        + chunk(b"IEND", b"")
    )


def state(post: Post) -> str:
    return queries.standing(Post.objects.get(pk=post.pk)).state


def deliveries(post: Post) -> list[Delivery]:
    mine = Delivery.objects.filter(post__in=post.versions.values("sendings__remote"))
    return list(mine.select_related("post", "account").order_by("pk"))
