"""Posts in a backup that is put back: what left since it was made, or was changed, does not leave again unasked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE, deliveries, lost, state

from conftest import NOON
from tertulia.channels.models import Account, Delivery
from tertulia.flows import restored
from tertulia.flows.outbound import RESTORED
from tertulia.publishing import actions, queries
from tertulia.publishing.models import Post
from tertulia.publishing.saying import Piece, Wanted

pytestmark = pytest.mark.django_db
LATER = DUE + timedelta(hours=2)
"""When it is put back; it was made at noon."""
KINDS = ["fake-blind", "fake-keyed", "fake-looking"]


@pytest.fixture
def put_back(brand, alba, go_on):
    """Put it back, let work go by, and then publishing go on."""

    def run(at=LATER):
        waiting = restored.hold_everything(made_at=NOON, at=at)
        go_on(at, minutes=2)
        actions.resume(brand=brand, by=alba, at=at)
        go_on(at + timedelta(minutes=2), minutes=2)
        return waiting

    return run


def said(network) -> list[str]:
    return [one["text"] for one in network.posts]


@pytest.mark.parametrize("kind", KINDS)
def test_a_thread_that_left_since_does_not_leave_again(network, account_of, post_on, alba, go_on, put_back, kind):
    post = post_on(account_of(kind), texts=("Uno", "Dos", "Tres"), comment="Y esto")
    with lost():
        go_on(DUE, minutes=2)
        assert state(post) == "published"

    [waiting] = put_back()

    assert waiting.doubtful == 4
    for _asked in range(4):
        for stuck in queries.waiting_for_people(post.brand):
            actions.decide(delivery=stuck, was_sent=True, by=alba, at=LATER + timedelta(hours=1))
            go_on(LATER + timedelta(hours=1), minutes=1)
    assert (state(post), said(network)) == ("published", ["Uno", "Dos", "Tres", "Y esto"])
    assert [one.attempts for one in deliveries(post)] == [1] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_thread_that_did_not_leave_a_person_is_asked_once(
    network, account_of, post_on, alba, go_on, put_back, kind
):
    post = post_on(account_of(kind), texts=("Uno", "Dos", "Tres"))
    put_back()
    assert (state(post), network.posts) == ("unknown", [])
    actions.decide(delivery=deliveries(post)[0], was_sent=False, by=alba, at=LATER + timedelta(hours=1))
    go_on(LATER + timedelta(hours=1), minutes=2)
    assert (state(post), said(network)) == ("published", ["Uno", "Dos", "Tres"])


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_changed_or_cancelled_since_asks_before_it_leaves(
    network, account_of, post_on, alba, go_on, put_back, kind
):
    account = account_of(kind)
    changed, cancelled = post_on(account, texts=("Antes",)), post_on(account, texts=("Nunca",))
    with lost():
        versions = {account.pk: Wanted()}
        actions.save(post=changed, seen=1, pieces=[Piece("Después")], versions=versions, by=alba, at=NOON)
        actions.cancel(post=cancelled, by=alba, at=NOON)
        go_on(DUE, minutes=2)
        assert said(network) == ["Después"]
    put_back()
    assert (state(changed), state(cancelled), said(network)) == ("unknown", "unknown", ["Después"])


def test_what_was_published_sooner_than_planned_is_found(network, account_of, post_on, alba, go_on, put_back):
    post = post_on(account_of("fake-looking"), texts=("Uno", "Dos"))
    with lost():
        actions.publish_now(post=Post.objects.get(pk=post.pk), by=alba, at=NOON)
        go_on(NOON, minutes=1)
    [waiting] = put_back(NOON + timedelta(minutes=30))
    assert (waiting.doubtful, [words for _due, _account, words in waiting.planned]) == (0, ["Uno"])
    go_on(DUE, minutes=1)
    assert (state(post), said(network)) == ("published", ["Uno", "Dos"])


@pytest.mark.parametrize("was_sent", [True, False])
@pytest.mark.parametrize("kind", ["fake-blind", "fake-keyed"])
def test_where_nobody_can_look_a_person_is_asked_of_what_was_planned(
    network, account_of, post_on, alba, go_on, put_back, kind, was_sent
):
    post = post_on(account_of(kind))
    with lost():
        if was_sent:
            actions.publish_now(post=Post.objects.get(pk=post.pk), by=alba, at=NOON)
            go_on(NOON, minutes=1)
    put_back(NOON + timedelta(minutes=30))
    go_on(DUE, minutes=5)
    [asked] = deliveries(post)
    assert (state(post), asked.why, said(network)) == ("unknown", RESTORED, ["Pan de pueblo"] * was_sent)
    actions.decide(delivery=asked, was_sent=was_sent, by=alba, at=DUE + timedelta(minutes=5))
    go_on(DUE + timedelta(minutes=5), minutes=2)
    assert (state(post), said(network)) == ("published", ["Pan de pueblo"])


def test_nothing_of_a_thread_is_asked_again_once_a_person_says_it_is_not_there(
    network, account_of, post_on, alba, go_on, put_back
):
    post = post_on(account_of("fake-blind"), texts=("Uno", "Dos"))
    put_back(NOON + timedelta(minutes=30))
    go_on(DUE, minutes=1)
    actions.decide(delivery=deliveries(post)[0], was_sent=False, by=alba, at=DUE + timedelta(minutes=1))
    go_on(DUE + timedelta(minutes=1), minutes=2)
    assert (state(post), said(network)) == ("published", ["Uno", "Dos"])


@pytest.mark.parametrize("is_moved", [True, False])
def test_it_is_found_at_a_new_time_too(network, account_of, post_on, alba, go_on, put_back, is_moved):
    post = post_on(account_of("fake-looking"), texts=("Uno", "Dos"))
    with lost():
        actions.publish_now(post=Post.objects.get(pk=post.pk), by=alba, at=NOON)
        go_on(NOON, minutes=1)
    at = NOON + timedelta(minutes=30)
    put_back(at)
    if is_moved:
        actions.plan(post=post, wall=post.wall + timedelta(minutes=5), by=alba, at=at)
    else:
        actions.schedule(post=post, by=alba, at=at)
    go_on(DUE + timedelta(minutes=5), minutes=1)
    assert (state(post), said(network)) == ("published", ["Uno", "Dos"])


@pytest.mark.parametrize("kind", KINDS)
def test_that_it_may_be_out_is_known_when_it_was_cancelled_and_scheduled_again(
    network, account_of, post_on, alba, go_on, put_back, kind
):  # fmt: skip
    post = post_on(account_of(kind), texts=("Uno", "Dos"))
    with lost():
        actions.publish_now(post=Post.objects.get(pk=post.pk), by=alba, at=NOON)
        go_on(NOON, minutes=1)
    at = NOON + timedelta(minutes=30)
    put_back(at)
    actions.cancel(post=post, by=alba, at=at)
    actions.plan(post=post, wall=post.wall + timedelta(minutes=5), by=alba, at=at)
    actions.schedule(post=post, by=alba, at=at)
    go_on(DUE + timedelta(minutes=5), minutes=1)
    assert (state(post), said(network)) == ("published" if kind == "fake-looking" else "unknown", ["Uno", "Dos"])


@pytest.mark.parametrize("kind", ["fake-blind", "fake-keyed"])
def test_in_other_words_too_a_person_is_asked_before_it_leaves(
    network, account_of, post_on, alba, go_on, put_back, kind
):  # fmt: skip
    account = account_of(kind)
    post = post_on(account, texts=("Pan de pueblp",))
    with lost():
        actions.publish_now(post=Post.objects.get(pk=post.pk), by=alba, at=NOON)
        go_on(NOON, minutes=1)
    at = NOON + timedelta(minutes=30)
    put_back(at)
    pieces, versions = [Piece("Pan de pueblo")], {account.pk: Wanted()}
    actions.save(post=post, seen=1, pieces=pieces, versions=versions, by=alba, at=at)
    go_on(DUE, minutes=1)
    assert (state(post), said(network)) == ("unknown", ["Pan de pueblp"])
    actions.decide(delivery=deliveries(post)[0], was_sent=False, by=alba, at=DUE + timedelta(minutes=1))
    go_on(DUE + timedelta(minutes=1), minutes=1)
    assert said(network) == ["Pan de pueblp", "Pan de pueblo"]


def test_what_was_refused_and_then_sent_is_found_before_it_is_sent_again(
    network, account_of, post_on, alba, go_on, put_back
):  # fmt: skip
    post = post_on(account_of("fake-looking"))
    network.faults.append("400")
    go_on(DUE, minutes=1)
    [refused] = deliveries(post)
    assert refused.state == "refused"
    with lost():
        actions.retry(delivery=refused, by=alba, at=DUE)
        go_on(DUE + timedelta(minutes=2), minutes=1)
    put_back()
    assert state(post) == "failed"
    actions.retry(delivery=Delivery.objects.get(pk=refused.pk), by=alba, at=LATER + timedelta(hours=1))
    go_on(LATER + timedelta(hours=1), minutes=1)
    assert (state(post), said(network)) == ("published", ["Pan de pueblo"])


def test_a_network_that_can_not_be_asked_just_then_is_asked_again(network, account_of, post_on, alba, go_on, put_back):
    """A look that fails is no answer."""
    post = post_on(account_of("fake-looking"))
    with lost():
        actions.publish_now(post=Post.objects.get(pk=post.pk), by=alba, at=NOON)
        go_on(NOON, minutes=1)
    put_back(NOON + timedelta(minutes=10))
    network.faults.extend(["503", "400", "504"])
    go_on(DUE, minutes=10)
    assert (state(post), said(network)) == ("published", ["Pan de pueblo"])


def test_what_is_written_afterwards_needs_no_look(network, account_of, post_on, go_on, put_back):
    account = account_of("fake-looking")
    put_back(NOON + timedelta(minutes=1))
    post = post_on(account)
    network.requests.clear()
    go_on(DUE, minutes=1)
    assert (state(post), [line for line in network.requests if line.startswith("GET")]) == ("published", [])


def test_what_becomes_of_what_is_planned_is_told_before_sending_begins(
    brand, network, account_of, post_on, alba, as_alba
):  # fmt: skip
    """In numbers, where it was restored and on the page that shows that publishing is stopped."""
    Delivery.objects.filter(state__in=["queued", "sending"]).update(state="sent")
    blind, looking = account_of("fake-blind", name="Tablón"), account_of("fake-looking")
    for accounts in ([blind], [blind, looking], [looking]):
        post_on(*accounts, texts=("Uno", "Dos"))
    by_hand = Account.objects.create(brand=brand, kind="manual", name="Instagram", created_at=NOON)
    post_on(by_hand)
    says = [
        "1 publicación o respuesta planificada sale sola: va a tu propia página o se hace a mano.",
        "2 publicaciones y respuestas planificadas se buscan antes en sus redes y solo salen si no están allí.",
        "2 publicaciones y respuestas planificadas preguntarán a una persona cuando llegue su hora, porque allí nadie"
        " puede mirar si ya han salido: Tablón (2).",
    ]
    calendar = reverse("publishing:posts", args=[brand.slug])
    assert says[0] not in as_alba.get(calendar).text

    [waiting] = restored.hold_everything(made_at=NOON, at=NOON + timedelta(minutes=1))

    told = list(restored.told([waiting]))
    assert [line.strip() for line in told if "planificada" in line] == says
    as_alba.force_login(alba)  # nobody's session is in a backup
    assert all(line in as_alba.get(calendar).text for line in says)
    actions.resume(brand=brand, by=alba, at=LATER)
    assert says[0] not in as_alba.get(calendar).text
