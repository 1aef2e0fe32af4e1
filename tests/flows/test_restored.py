"""A backup that was put back sends nothing by itself, and what may have left since is not sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conftest import NOON
from tertulia.channels.models import Account, Delivery
from tertulia.core.models import Activity
from tertulia.flows import outbound, restored
from tertulia.inbox import actions
from tertulia.publishing import actions as publishing
from tertulia.publishing.models import Stop
from tertulia.publishing.saying import Piece, Wanted
from world import World

LATER = NOON + timedelta(hours=5)
"""When it is put back; it was made at noon."""


@pytest.fixture
def world(brand, alba) -> World:
    return World(brand, alba, name="uno")


def planned(world: World, *, hours: float) -> Delivery:
    pieces, versions = [Piece(f"En {hours} horas")], {world.posted.pk: Wanted()}
    post = publishing.create(brand=world.brand, by=world.owner, at=NOON, pieces=pieces, versions=versions)
    publishing.publish_now(post=post, by=world.owner, at=NOON)
    delivery = Delivery.objects.filter(account=world.posted, act="post").order_by("-pk")[0]
    Delivery.objects.filter(pk=delivery.pk).update(due_at=NOON + timedelta(hours=hours))
    return delivery


def test_what_was_due_since_is_in_doubt_and_the_rest_is_held(world):
    Delivery.objects.filter(state__in=["queued", "sending"]).update(state="sent")
    due, later = planned(world, hours=2), planned(world, hours=30)
    answer = actions.reply(conversation=world.other, text="Sí", by=world.owner, turn=1, at=NOON)
    act = Delivery.objects.create(
        account=world.site, thread_id="x", on=world.message, act="hide", key="k", due_at=LATER, created_at=NOON
    )
    Account.objects.filter(pk=world.feed.pk).update(next_poll_at=LATER + timedelta(days=3), poll_lease_until=LATER)

    [waiting] = restored.hold_everything(made_at=NOON, at=LATER)

    states = dict(Delivery.objects.filter(pk__in=[due.pk, later.pk, answer.pk, act.pk]).values_list("pk", "state"))
    assert states == {due.pk: "sending", later.pk: "queued", answer.pk: "sending", act.pk: "unknown"}
    due.refresh_from_db()
    assert (due.in_doubt_since, due.attempts, due.lease_until) == (NOON + timedelta(hours=2), 1, LATER)
    assert (waiting.doubtful, waiting.acts, [words for _, _, words in waiting.planned]) == (2, 1, ["En 30 horas"])
    stop = Stop.objects.get(brand=world.brand)
    assert (stop.holds_answers, stop.by_id) == (True, None)
    world.feed.refresh_from_db()
    assert (world.feed.next_poll_at, world.feed.poll_lease_until) == (LATER, None)
    assert Activity.objects.filter(type="publishing.stopped", brand_id=world.brand.pk, by_id=None).count() == 1

    outbound.run_due(LATER + timedelta(hours=40))
    states = dict(Delivery.objects.filter(pk__in=[due.pk, later.pk, answer.pk]).values_list("pk", "state"))
    # Nobody can look at a board: people are asked. Our own page was restored, too: it may leave again, but is held.
    assert states == {due.pk: "unknown", later.pk: "queued", answer.pk: "queued"}
    assert "En 30 horas" in "\n".join(restored.told([waiting]))
