"""From its moment to the network: once, in time or not at all, and whoever asks is told the truth."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE, ONE_O_CLOCK, deliveries, state

from conftest import NOON
from fakes.connector import KINDS
from fakes.network import FAULTS_AFTER
from tertulia.channels.models import Account, Delivery, RemotePost
from tertulia.core.models import Activity
from tertulia.flows import outbound
from tertulia.publishing import actions, queries
from tertulia.publishing.models import Post, Settings
from tertulia.publishing.problems import Problem, TooLate
from tertulia.publishing.saying import Piece, Shown, Wanted

pytestmark = pytest.mark.django_db

HONEST_FAULTS = ["429", "500", "503", "cut_before", "html_502", "echo_secret_500"]


def test_a_post_leaves_at_its_moment_and_not_before(network, account_of, post_on, go_on):
    post = post_on(account_of())
    assert state(post) == "scheduled"
    go_on(NOON, minutes=59, seconds=59)
    assert network.posts == []
    outbound.run_due(DUE)
    assert [one["text"] for one in network.posts] == ["Pan de pueblo"]
    remote = RemotePost.objects.get()
    assert (remote.remote_id, remote.url, state(post)) == ("p0", "https://fake.example/p0", "published")


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("fault", ["", *HONEST_FAULTS])
def test_a_fault_before_the_act_ends_in_one_post_or_in_the_truth(network, account_of, post_on, go_on, kind, fault):
    post = post_on(account_of(kind))
    network.faults.extend([fault] if fault else [])
    go_on(DUE, minutes=25)
    if fault == "cut_before" and kind == "fake-blind":
        assert (state(post), network.posts) == ("unknown", [])
    else:
        assert (state(post), len(network.posts)) == ("published", 1)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("fault", sorted(FAULTS_AFTER))
def test_a_fault_after_the_act_never_publishes_it_again(network, account_of, post_on, go_on, kind, fault):
    post = post_on(account_of(kind))
    network.faults.append(fault)
    go_on(DUE, hours=2)
    assert len(network.posts) == 1
    assert state(post) == ("unknown" if kind == "fake-blind" else "published")


@pytest.mark.parametrize(("kind", "ends"), [("fake-keyed", "published"), ("fake-blind", "unknown")])
def test_what_was_being_published_when_a_worker_died(network, account_of, post_on, go_on, kind, ends):
    post = post_on(account_of(kind))
    (claim,) = outbound.claim(at=DUE, limit=5)
    outbound.run(claim)  # it arrives, and the worker dies before it can say so
    go_on(DUE + timedelta(minutes=1), minutes=20)
    assert (state(post), len(network.posts)) == (ends, 1)


def test_the_same_revision_has_the_same_key_and_another_one_another(network, account_of, post_on, alba):
    post = post_on(account_of())
    (before,) = deliveries(post)
    actions.cancel(post=post, by=alba, at=NOON)
    post = actions.schedule(post=post, by=alba, at=NOON)
    assert [one.key for one in deliveries(post)] == [before.key]
    version = post.versions.get()
    post = actions.save(
        post=post, seen=1, by=alba, at=NOON, pieces=[Piece("Pan nuevo")], versions={version.account_id: Wanted()}
    )
    assert [one.key for one in deliveries(post)] == [version.key(0, 2)] != [before.key]


# In time, or missed.


def test_a_late_post_is_missed_and_asks_and_never_bursts(network, account_of, post_on, go_on, alba):
    posts = [post_on(account_of()) for _ in range(3)]
    go_on(DUE + timedelta(minutes=30, seconds=1), hours=3)  # nobody worked until then
    assert (network.posts, {state(post) for post in posts}) == ([], {"missed"})
    assert Activity.objects.filter(type="post.missed").count() == 3
    actions.publish_now(post=posts[0], by=alba, at=DUE + timedelta(hours=4))
    actions.cancel(post=posts[1], by=alba, at=DUE + timedelta(hours=4))
    go_on(DUE + timedelta(hours=4), minutes=1)
    assert len(network.posts) == 1
    assert [state(post) for post in posts] == ["published", "cancelled", "missed"]


def test_a_post_that_is_a_little_late_leaves(network, account_of, post_on, go_on):
    post = post_on(account_of())
    go_on(DUE + timedelta(minutes=30), seconds=0)
    assert (state(post), len(network.posts)) == ("published", 1)


def test_a_brand_has_a_grace_of_its_own(network, account_of, post_on, go_on, brand, alba):
    actions.set_grace(brand=brand, minutes=2, by=alba, at=NOON)
    post = post_on(account_of())
    go_on(DUE + timedelta(minutes=2, seconds=1), seconds=0)
    assert (state(post), network.posts) == ("missed", [])


def test_what_may_be_out_there_is_looked_into_however_late_it_is(network, account_of, post_on, go_on):
    post = post_on(account_of())
    network.faults.append("accept_then_cut")
    outbound.run_due(DUE)
    go_on(DUE + timedelta(hours=5), minutes=1)
    assert (state(post), len(network.posts)) == ("published", 1)


def test_a_network_that_asks_to_wait_for_longer_than_the_grace_makes_it_missed(network, account_of, post_on, go_on):
    post = post_on(account_of())
    Account.objects.update(next_send_at=DUE + timedelta(hours=2))
    go_on(DUE, hours=2, minutes=1)
    assert (state(post), network.posts) == ("missed", [])


def test_a_ticket_that_comes_too_late_is_not_used(network, account_of, post_on):
    post_on(account_of())
    (ticket,) = outbound.hold(at=DUE, limit=5)
    assert outbound.take(ticket, at=DUE + timedelta(minutes=31)) is None


# Late ones leave one by one.


@pytest.fixture
def late(account_of, post_on):
    """`late(4)`: so many posts of one account that were due at one o'clock, and nobody has worked since."""
    account = account_of()
    return lambda many: [post_on(account, texts=(f"Pan {number}", "Y más")) for number in range(many)]


def texts_of(network) -> list[str]:
    return [one["text"] for one in network.posts]


def test_late_posts_of_an_account_leave_one_in_fifteen_minutes_and_what_is_too_late_by_then_asks(network, late, go_on):
    posts = late(4)
    go_on(DUE + timedelta(minutes=5), minutes=14, seconds=50)
    assert texts_of(network) == ["Pan 0", "Y más"], "a thread belongs together"
    go_on(DUE + timedelta(minutes=20), minutes=10)
    assert texts_of(network) == ["Pan 0", "Y más", "Pan 1", "Y más"]
    go_on(DUE + timedelta(minutes=30, seconds=1), seconds=1)
    assert [state(post) for post in posts] == ["published", "published", "missed", "missed"]
    assert len(network.posts) == 4


def test_each_account_has_its_own_turn_and_what_is_due_now_leaves_now(network, account_of, post_on, go_on, alba, late):
    posts = [*late(2), post_on(account_of(name="Otra"), texts=("Otra",))]
    go_on(DUE + timedelta(minutes=5), seconds=10)
    assert sorted(texts_of(network)) == ["Otra", "Pan 0", "Y más"]
    actions.publish_now(post=posts[1], by=alba, at=DUE + timedelta(minutes=6))
    go_on(DUE + timedelta(minutes=6), minutes=1)
    assert [state(post) for post in posts] == ["published"] * 3


def test_posts_that_are_late_by_seconds_leave_together(network, late, go_on):
    late(3)
    go_on(DUE + timedelta(seconds=60), seconds=10)
    assert len(network.posts) == 6


def test_a_missed_post_that_somebody_sends_after_all_waits_for_no_turn(network, late, go_on, alba):
    posts = late(2)
    go_on(DUE + timedelta(hours=1), seconds=0)
    assert [state(post) for post in posts] == ["missed", "missed"]
    for post in posts:
        actions.retry(delivery=deliveries(post)[0], by=alba, at=DUE + timedelta(hours=1))
    go_on(DUE + timedelta(hours=1), seconds=20)
    assert [state(post) for post in posts] == ["published", "published"]


def test_what_a_dead_worker_had_in_its_hands_goes_on_at_once(network, late, go_on):
    posts = late(3)
    outbound.hold(at=DUE, limit=5)  # and then it dies
    go_on(DUE + outbound.LEASE + timedelta(seconds=10), seconds=20)
    assert [state(post) for post in posts] == ["published"] * 3


def test_a_late_post_that_is_changed_meanwhile_is_still_late(network, late, go_on, alba):
    post = late(2)[1]
    go_on(DUE + timedelta(minutes=5), seconds=10)
    versions = {one.account_id: Wanted() for one in post.versions.all()}
    actions.save(post=post, seen=1, by=alba, at=DUE + timedelta(minutes=6), pieces=[Piece("Otro")], versions=versions)
    go_on(DUE + timedelta(minutes=6), minutes=10)
    assert texts_of(network) == ["Pan 0", "Y más"]
    assert deliveries(post)[0].late_at == DUE + timedelta(minutes=30)


def test_tasks_for_a_person_are_not_held_back(brand, post_on, go_on, network):
    by_hand = Account.objects.create(
        brand=brand, kind="manual", name="TikTok", settings={"platform": "TikTok"}, created_at=NOON
    )
    posts = [post_on(by_hand), post_on(by_hand)]
    go_on(DUE + timedelta(minutes=5), seconds=0)
    assert [state(post) for post in posts] == ["by_hand", "by_hand"]


def test_its_page_says_that_a_late_post_waits_for_its_turn(network, late, go_on, as_alba, brand, alba):
    posts = late(2)

    def says(post) -> str:
        return as_alba.get(reverse("publishing:post", args=[brand.slug, post.pk])).content.decode()

    assert "Va con retraso" not in says(posts[1])
    go_on(DUE + timedelta(minutes=5), seconds=0)
    assert "Va con retraso" in says(posts[1])
    assert "Va con retraso" not in says(posts[0])
    actions.stop(brand=brand, by=alba, at=DUE)
    assert "Va con retraso" not in says(posts[1]), "the stop is what it waits for"


# The stop.


def test_after_a_stop_nothing_leaves_and_answers_go_on(network, account_of, post_on, go_on, brand, alba):
    account = account_of()
    posts = [post_on(account), post_on(account)]
    assert actions.stop(brand=brand, by=alba, at=NOON, because="Accidente en la planta") == 2
    go_on(DUE, minutes=20)
    assert (network.posts, [state(post) for post in posts]) == ([], ["scheduled", "scheduled"])
    actions.resume(brand=brand, by=alba, at=DUE + timedelta(minutes=20))
    go_on(DUE + timedelta(minutes=20), minutes=1)
    assert (len(network.posts), queries.stopped(brand)) == (1, None), "what is late leaves one by one"


def test_what_is_late_when_the_stop_ends_asks_first(network, account_of, post_on, go_on, brand, alba):
    post = post_on(account_of())
    actions.stop(brand=brand, by=alba, at=NOON)
    go_on(DUE, hours=1)
    assert state(post) == "scheduled"
    actions.resume(brand=brand, by=alba, at=DUE + timedelta(hours=1))
    go_on(DUE + timedelta(hours=1), minutes=1)
    assert (state(post), network.posts) == ("missed", [])


@pytest.mark.parametrize("held", [False, True])
def test_answers_are_held_only_when_told_so(network, account_of, brand, alba, held):
    account = account_of()
    Delivery.objects.create(
        account=account, thread_id="diego", message=said(account), key="k", due_at=NOON, created_at=NOON
    )
    actions.stop(brand=brand, by=alba, at=NOON, holds_answers=held)
    outbound.run_due(NOON)
    assert len(network.posts) == (0 if held else 1)


def said(account):
    from tertulia.channels.models import Message  # noqa: PLC0415

    return Message.objects.create(
        account=account, remote_id="pending:k", thread_id="diego", direction="out", kind="direct", text="Sí",
        sent_at=NOON, received_at=NOON,
    )  # fmt: skip


def test_a_stop_reaches_what_a_worker_has_already_taken(network, account_of, post_on, brand, alba):
    post = post_on(account_of())
    (claim,) = outbound.claim(at=DUE, limit=5)
    (ticket_of_another,) = [(claim.id, claim.fence)]
    actions.stop(brand=brand, by=alba, at=DUE)
    outbound.settle([outbound.run(claim)], at=DUE)
    (delivery,) = deliveries(post)
    assert (network.requests, delivery.state, delivery.attempts, delivery.in_doubt_since) == ([], "queued", 0, None)
    assert outbound.take(ticket_of_another, at=DUE + timedelta(minutes=1)) is None


def test_the_claim_itself_sees_a_stop_that_came_between_choosing_and_claiming(
    network, account_of, post_on, brand, alba, monkeypatch
):
    post_on(account_of())
    choose = outbound._choose

    def chosen_then_stopped(*among, **said):
        chosen = choose(*among, **said)
        actions.stop(brand=brand, by=alba, at=DUE)
        return chosen

    monkeypatch.setattr(outbound, "_choose", chosen_then_stopped)
    assert outbound.claim(at=DUE, limit=5) == []


def test_the_claim_itself_sees_a_channel_that_was_paused_meanwhile(network, account_of, post_on, monkeypatch):
    account = account_of()
    post_on(account)
    choose = outbound._choose

    def chosen_then_paused(*among, **said):
        chosen = choose(*among, **said)
        Account.objects.filter(pk=account.pk).update(state="paused")
        return chosen

    monkeypatch.setattr(outbound, "_choose", chosen_then_paused)
    assert outbound.claim(at=DUE, limit=5) == []


def test_a_stop_holds_its_own_brand_alone(network, account_of, post_on, go_on, other_brand, carla, brand, alba):
    theirs = account_of(of=other_brand, name="De Carla")
    post = actions.create(
        brand=other_brand, by=carla, at=NOON, pieces=[Piece("Tornillos")], versions={theirs.pk: Wanted()}
    )
    actions.publish_now(post=post, by=carla, at=NOON)
    post_on(account_of())
    actions.stop(brand=brand, by=alba, at=NOON)
    go_on(NOON, hours=1)
    assert [one["text"] for one in network.posts] == ["Tornillos"]


# Threads, comments, pictures.


def test_a_thread_leaves_in_its_order_each_part_below_the_one_before(network, account_of, post_on, go_on):
    post = post_on(account_of(), texts=("uno", "dos", "tres"), comment="Y el enlace")
    network.faults.extend(["", "503", "accept_then_cut"])
    go_on(DUE, minutes=10)
    told = [(one["text"], one["kind"], one["above"], one["top"]) for one in network.posts]
    assert told == [
        ("uno", "post", "", ""), ("dos", "part", "p0", "p0"), ("tres", "part", "p1", "p0"),
        ("Y el enlace", "comment", "p0", "p0"),
    ]  # fmt: skip
    assert state(post) == "published"


def test_posts_that_arrive_together_are_named_apart_and_what_waits_behind_each_may_leave(network, account_of, post_on):
    account, other = account_of(name="Uno"), account_of(name="Dos")
    posts = [post_on(account, texts=("A", "A 2")), post_on(account, texts=("B", "B 2")), post_on(other, texts=("C",))]
    results = [outbound.run(claim) for claim in outbound.claim(at=DUE, limit=9)]
    named = [replace(each, ended=replace(each.ended, remote_id="7", url="https://x.example/7")) for each in results]

    assert outbound.settle(named, at=DUE) == 0

    first = [deliveries(post)[0].post for post in posts]
    assert [(each.remote_id, each.url, each.published_at) for each in first] == [
        ("7", "https://x.example/7", DUE),
        ("", "https://x.example/7", DUE),  # the network took two of ours for one
        ("7", "https://x.example/7", DUE),
    ]
    assert [(row.state, row.due_at) for post in posts for row in deliveries(post)[1:]] == [("queued", DUE)] * 2


def test_what_waited_has_the_grace_of_its_own_brand(network, account_of, post_on, other_brand, carla):
    account, theirs = account_of(), account_of(of=other_brand, name="De Carla")
    Settings.objects.create(brand=other_brand, grace_minutes=5)
    ours = post_on(account, texts=("A", "A 2"))
    pieces = [Piece("B"), Piece("B 2")]
    other = actions.create(brand=other_brand, by=carla, at=NOON, pieces=pieces, versions={theirs.pk: Wanted()})
    actions.plan(post=other, wall=ONE_O_CLOCK, by=carla, at=NOON)
    other = actions.schedule(post=other, by=carla, at=NOON)

    outbound.settle([outbound.run(claim) for claim in outbound.claim(at=DUE, limit=9)], at=DUE)

    waited = [deliveries(post)[1].late_at - DUE for post in (ours, other)]
    assert waited == [timedelta(minutes=30), timedelta(minutes=5)]


def test_a_part_that_is_refused_holds_those_behind_it_until_somebody_has_it_sent_again(
    network, account_of, post_on, go_on, alba
):
    post = post_on(account_of(), texts=("uno", "dos", "tres"))
    network.faults.extend(["", "400"])
    go_on(DUE, minutes=10)
    assert ([one["text"] for one in network.posts], state(post)) == (["uno"], "partly")
    assert [one.state for one in deliveries(post)] == ["sent", "refused", "waiting"]
    actions.retry(delivery=deliveries(post)[1], by=alba, at=DUE + timedelta(hours=1))
    go_on(DUE + timedelta(hours=1), minutes=1)
    assert ([one["text"] for one in network.posts], state(post)) == (["uno", "dos", "tres"], "published")


def test_a_part_nobody_knows_of_holds_those_behind_it_until_somebody_has_looked(
    network, account_of, post_on, go_on, alba
):
    post = post_on(account_of("fake-blind"), texts=("uno", "dos"))
    network.faults.append("accept_then_cut")
    go_on(DUE, minutes=10)
    first, second = deliveries(post)
    assert (first.state, second.state, len(network.posts)) == ("unknown", "waiting", 1)
    actions.decide(delivery=first, was_sent=True, by=alba, at=DUE + timedelta(hours=1), url="https://fake.example/p0")
    go_on(DUE + timedelta(hours=1), minutes=1)
    assert ([one["text"] for one in network.posts], state(post)) == (["uno", "dos"], "published")


def test_pictures_go_ahead_and_are_handed_in_once_however_often_it_is_tried(
    network, account_of, post_on, go_on, picture
):
    post_on(account_of(), pictures=[Shown(picture.pk), Shown(picture.pk, "Otra vez")])
    network.faults.extend(["accept_then_cut", "", "503", "accept_then_hang"])
    go_on(DUE, minutes=10)
    assert len(network.posts) == 1
    name = network.posts[0]["pictures"][0][0]
    assert network.posts[0]["pictures"] == [[name, "Un pan de pueblo"], [name, "Otra vez"]]
    assert [one["size"] for one in network.pictures] == [picture.size] * 2  # the first time nobody knew


def test_a_picture_the_data_folder_has_lost_is_told(network, account_of, post_on, go_on, picture, settings):
    post = post_on(account_of(), pictures=[Shown(picture.pk)])
    for file in settings.MEDIA_ROOT.rglob("*"):
        if file.is_file():
            file.unlink()
    go_on(DUE, minutes=1)
    (delivery,) = deliveries(post)
    assert (delivery.state, delivery.why, network.posts) == ("refused", outbound.LOST_PICTURE, [])


def test_a_part_below_something_the_network_has_no_name_for_does_not_stand_alone(
    network, account_of, post_on, go_on, alba
):
    post = post_on(account_of("fake-blind"), texts=("uno", "dos"))
    network.faults.append("accept_then_cut")
    go_on(DUE, minutes=10)
    actions.decide(delivery=deliveries(post)[0], was_sent=True, by=alba, at=DUE + timedelta(hours=1))
    go_on(DUE + timedelta(hours=1), minutes=1)
    assert [one["text"] for one in network.posts] == ["uno"]
    assert [(one.state, one.why) for one in deliveries(post)] == [("sent", ""), ("refused", outbound.NO_PLACE)]


def test_what_was_refused_below_what_is_there_is_left_out_and_nobody_is_asked_again(
    network, brand, account_of, post_on, go_on, alba, as_alba
):
    post = post_on(account_of(), texts=("uno", "dos", "tres"))
    network.faults.extend(["", "400"])
    go_on(DUE, minutes=10)
    page, refused = f"/b/{brand.slug}/posts/{post.pk}/", deliveries(post)[1]
    address = f"/b/{brand.slug}/posts/deliveries/{refused.pk}/abandonment/"
    offered = as_alba.get(page).content.decode()
    assert (address in offered, f"/posts/{post.pk}/cancellation/" in offered) == (True, False)
    assert address in as_alba.get(f"/b/{brand.slug}/posts/").content.decode()
    as_alba.post(address)
    assert ([one.state for one in deliveries(post)], state(post)) == (["sent", "cancelled", "cancelled"], "published")
    assert (queries.waiting_for_people(brand).count(), [one["text"] for one in network.posts]) == (0, ["uno"])
    assert Activity.objects.filter(type="post.given_up", on_id=post.pk).count() == 1
    with pytest.raises(Problem):
        actions.give_up(delivery=refused, by=alba, at=DUE + timedelta(hours=1))


def test_what_missed_its_time_is_left_out_on_its_account_alone(network, brand, account_of, post_on, go_on, alba):
    post = post_on(account_of(name="Uno"), account_of(name="Otro"))
    go_on(DUE + timedelta(hours=2), minutes=1)
    first, second = deliveries(post)
    actions.give_up(delivery=first, by=alba, at=DUE + timedelta(hours=2))
    assert [one.state for one in deliveries(post)] == ["cancelled", "missed"]
    actions.retry(delivery=second, by=alba, at=DUE + timedelta(hours=2))
    go_on(DUE + timedelta(hours=2), minutes=1)
    assert [one.state for one in deliveries(post)] == ["cancelled", "sent"]


def test_what_was_refused_can_be_put_there_by_hand_and_what_follows_goes_below_it(
    network, brand, account_of, post_on, go_on, as_alba
):
    post = post_on(account_of(), texts=("uno", "dos", "tres"))
    network.faults.extend(["", "400"])
    go_on(DUE, minutes=10)
    refused = deliveries(post)[1]
    as_alba.post(f"/b/{brand.slug}/posts/deliveries/{refused.pk}/completion/", {"url": "https://fake.example/p77"})
    refused.post.refresh_from_db()
    assert (refused.post.remote_id, refused.post.hints) == ("p77", {"top": "p77"})
    go_on(DUE + timedelta(minutes=11), minutes=1)
    assert [(one["text"], one["above"]) for one in network.posts] == [("uno", ""), ("tres", "p77")]
    assert (state(post), queries.waiting_for_people(brand).count()) == ("published", 0)


def test_an_address_that_is_another_posts_gives_no_name(network, brand, account_of, post_on, go_on, alba):
    account = account_of("fake-blind")
    other = post_on(account, texts=("otra",))
    go_on(DUE, minutes=1)
    post = post_on(account, texts=("uno", "dos"))
    network.faults.append("accept_then_cut")
    go_on(DUE, minutes=10)
    url = deliveries(other)[0].post.url
    actions.decide(delivery=deliveries(post)[0], was_sent=True, by=alba, at=DUE + timedelta(hours=1), url=url)
    assert [(one.post.remote_id, one.post.url) for one in deliveries(post)][:1] == [("", url)]


def test_the_page_of_a_post_nobody_knows_of_shows_what_it_says_and_asks_where_it_is(
    network, brand, account_of, post_on, go_on, alba, as_alba, monkeypatch
):
    post = post_on(account_of("fake-blind"), texts=("uno", "dos"))
    network.faults.append("accept_then_cut")
    go_on(DUE, minutes=10)
    first = deliveries(post)[0]
    monkeypatch.setattr(KINDS["fake-blind"], "home", lambda self, account: "https://fake.example/@horno")
    page, address = f"/b/{brand.slug}/posts/{post.pk}/", f"/b/{brand.slug}/posts/deliveries/{first.pk}/decision/"
    drawn = as_alba.get(page).content.decode()
    form = drawn[drawn.index(address) :].partition("</form>")[0]
    assert ('name="url"' in form, "https://fake.example/@horno" in form) == (True, True)
    assert ">\nuno</textarea>" in drawn
    as_alba.post(address, {"was_sent": "yes", "url": "https://fake.example/p0"})
    go_on(DUE + timedelta(minutes=11), minutes=1)
    assert ([(one["text"], one["above"]) for one in network.posts], state(post)) == (
        [("uno", ""), ("dos", "p0")], "published",
    )  # fmt: skip


# By hand.


def test_where_no_program_may_a_person_publishes_part_by_part_and_deletes(network, brand, post_on, go_on, alba):
    account = Account.objects.create(
        brand=brand, kind="manual", name="TikTok", created_at=NOON, settings={"profile": "https://t.example/@horno"}
    )
    post = post_on(account, texts=("uno", "dos"))
    go_on(DUE, minutes=1)
    first, second = deliveries(post)
    assert (first.state, first.task, second.state) == (
        "by_hand", {"text": "uno", "url": "https://t.example/@horno"}, "waiting",
    )  # fmt: skip
    assert (state(post), Activity.objects.filter(type="post.by_hand").count()) == ("by_hand", 1)
    seen = "https://t.example/@horno/7"
    actions.finish_by_hand(delivery=first, by=alba, at=DUE + timedelta(hours=2), url=seen)
    go_on(DUE + timedelta(hours=2), minutes=1)
    second = deliveries(post)[1]
    assert (second.state, second.task["url"]) == ("by_hand", seen)
    actions.finish_by_hand(delivery=second, by=alba, at=DUE + timedelta(hours=3))
    assert state(post) == "published"
    with pytest.raises(Problem):
        actions.finish_by_hand(delivery=second, by=alba, at=DUE + timedelta(hours=3))
    assert actions.delete(post=post, by=alba, at=DUE + timedelta(hours=4)) == 2
    go_on(DUE + timedelta(hours=4), minutes=1)
    for task in queries.waiting_for_people(brand):
        assert task.act == "delete"
        actions.finish_by_hand(delivery=task, by=alba, at=DUE + timedelta(hours=5))
    assert state(post) == "deleted"


def test_what_nobody_does_by_hand_is_given_up_there_with_what_would_follow(
    network, brand, account_of, post_on, go_on, alba, as_alba
):
    other = Account.objects.create(brand=brand, kind="manual", name="TikTok", created_at=NOON, settings={})
    post = post_on(account_of("fake-keyed"), other, texts=("uno", "dos"))
    go_on(DUE, minutes=1)
    go_on(DUE + timedelta(minutes=2), minutes=1)
    task = queries.waiting_for_people(brand).get()
    page = f"/b/{brand.slug}/posts/{post.pk}/"
    address = f"/b/{brand.slug}/posts/deliveries/{task.pk}/abandonment/"
    assert address in as_alba.get(page).content.decode()
    assert as_alba.post(address).status_code == 302
    assert sorted((one.account.name, one.state) for one in deliveries(post) if one.account == other) == [
        ("TikTok", "cancelled"), ("TikTok", "cancelled"),
    ]  # fmt: skip
    assert (state(post), address in as_alba.get(page).content.decode()) == ("partly", False)
    assert not queries.waiting_for_people(brand).exists()
    with pytest.raises(Problem):
        actions.give_up(delivery=task, by=alba, at=DUE + timedelta(hours=3))


def test_a_deletion_that_nobody_does_by_hand_leaves_it_there(network, brand, post_on, go_on, alba):
    account = Account.objects.create(brand=brand, kind="manual", name="TikTok", created_at=NOON, settings={})
    post = post_on(account)
    go_on(DUE, minutes=1)
    actions.finish_by_hand(delivery=deliveries(post)[0], by=alba, at=DUE)
    actions.delete(post=post, by=alba, at=DUE + timedelta(hours=1))
    go_on(DUE + timedelta(hours=1), minutes=1)
    actions.give_up(delivery=queries.waiting_for_people(brand).get(), by=alba, at=DUE + timedelta(hours=2))
    assert (state(post), RemotePost.objects.get().deleted_at) == ("published", None)


def test_whoever_publishes_by_hand_finds_text_pictures_descriptions_and_place(
    network, brand, post_on, go_on, alba, as_alba, picture
):
    profile = "https://t.example/@horno"
    account = Account.objects.create(
        brand=brand, kind="manual", name="TikTok", created_at=NOON, settings={"profile": profile}
    )
    own = Wanted(pieces=(Piece("Solo aquí", pictures=(Shown(picture.pk, "Una hogaza partida"),)),))
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Para todos")], versions={account.pk: own})
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
    actions.schedule(post=post, by=alba, at=NOON)
    go_on(DUE, minutes=1)
    drawn = as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()
    task = drawn[drawn.index('class="leg__task') :].partition("</li>")[0]
    assert (task.count("<t-copy"), ">\nSolo aquí</textarea>" in task) == (2, True)
    assert ">\nUna hogaza partida</textarea>" in task
    assert f'href="/b/{brand.slug}/media/{picture.pk}/" download="pan.png"' in task
    assert f'href="{profile}"' in task
    assert "channels/copy.js" in drawn


def test_a_deletion_that_waits_for_a_hand_is_ticked_off_on_the_posts_page(
    network, brand, post_on, go_on, alba, as_alba
):
    account = Account.objects.create(brand=brand, kind="manual", name="TikTok", created_at=NOON, settings={})
    post = post_on(account)
    go_on(DUE, minutes=1)
    actions.finish_by_hand(delivery=deliveries(post)[0], by=alba, at=DUE)
    actions.delete(post=post, by=alba, at=DUE + timedelta(hours=1))
    go_on(DUE + timedelta(hours=1), minutes=1)
    task = queries.waiting_for_people(brand).get()
    address = f"/b/{brand.slug}/posts/deliveries/{task.pk}/completion/"
    assert address in as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()
    as_alba.post(address)
    assert (state(post), queries.waiting_for_people(brand).count()) == ("deleted", 0)
    assert address not in as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()


# Partial success.


def test_only_the_account_that_failed_is_tried_again(network, account_of, post_on, go_on, alba):
    one, other = account_of("fake-keyed", name="Uno"), account_of("fake-looking", name="Otro")
    post = post_on(one, other)
    network.faults.append("400")
    go_on(DUE, minutes=1)
    assert (state(post), len(network.posts)) == ("partly", 1)
    (refused,) = [each for each in deliveries(post) if each.state == "refused"]
    actions.retry(delivery=refused, by=alba, at=DUE + timedelta(hours=2))
    go_on(DUE + timedelta(hours=2), minutes=1)
    assert (state(post), len(network.posts)) == ("published", 2)
    assert len({each["key"] for each in network.posts}) == 2


def test_scheduling_again_what_is_half_published_leaves_alone_what_is_there(network, account_of, post_on, go_on, alba):
    post = post_on(account_of("fake-keyed", name="Uno"), account_of("fake-looking", name="Otro"))
    network.faults.append("400")
    go_on(DUE, minutes=1)
    actions.publish_now(post=post, by=alba, at=DUE + timedelta(hours=2))
    go_on(DUE + timedelta(hours=2), minutes=1)
    assert (state(post), len(network.posts)) == ("published", 2)
    with pytest.raises(TooLate):
        actions.publish_now(post=post, by=alba, at=DUE + timedelta(hours=3))


def test_dead_credentials_make_it_wait_and_then_missed(network, account_of, post_on, go_on):
    post = post_on(account_of())
    network.faults.append("401")
    go_on(DUE, minutes=10)
    assert (state(post), Account.objects.get().state, network.posts) == ("scheduled", "attention", [])
    go_on(DUE + timedelta(minutes=10), minutes=30)
    assert (state(post), network.posts) == ("missed", [])


# Taking it down.


def test_what_was_published_is_deleted_everywhere_and_the_rest_does_not_follow(
    network, account_of, post_on, go_on, alba
):
    post = post_on(account_of(), texts=("uno", "dos", "tres"))
    network.faults.extend(["", "400"])
    go_on(DUE, minutes=5)
    assert actions.delete(post=post, by=alba, at=DUE + timedelta(hours=1)) == 1
    go_on(DUE + timedelta(hours=1), minutes=1)
    assert (network.deleted, state(post), len(network.posts)) == ({"p0"}, "deleted", 1)
    assert Activity.objects.filter(type="post.deleted").count() == 1


def test_what_nobody_knows_the_name_of_is_not_said_to_be_deleted(network, account_of, post_on, go_on, alba):
    """A person found it there and gave no address: a network that is asked to delete nothing would agree."""
    network.faults.append("accept_then_cut")
    post = post_on(account_of("fake-blind"))
    go_on(DUE, minutes=1)
    actions.decide(delivery=deliveries(post)[0], was_sent=True, by=alba, at=DUE + timedelta(hours=1))
    actions.delete(post=post, by=alba, at=DUE + timedelta(hours=2))
    go_on(DUE + timedelta(hours=2), minutes=1)
    [row] = queries.deletions_of(post)
    assert (row.state, row.why, network.deleted) == ("refused", outbound.NO_NAME, set())
    actions.finish_by_hand(delivery=row, by=alba, at=DUE + timedelta(hours=3))
    assert state(post) == "deleted"


def test_a_deletion_goes_on_while_publishing_is_stopped(network, account_of, post_on, go_on, brand, alba):
    post = post_on(account_of())
    go_on(DUE, minutes=1)
    actions.stop(brand=brand, by=alba, at=DUE + timedelta(minutes=2))
    actions.delete(post=post, by=alba, at=DUE + timedelta(minutes=2))
    go_on(DUE + timedelta(minutes=2), minutes=1)
    assert (network.deleted, state(post)) == ({"p0"}, "deleted")


# The feed.


def test_every_outcome_is_told_once_with_what_it_was_about(network, account_of, post_on, go_on):
    post = post_on(account_of(), texts=("uno", "dos"))
    go_on(DUE, minutes=1)
    outbound.tell_inbox(delivery_ids=[one.pk for one in deliveries(post)])
    lines = Activity.objects.filter(on_kind="publishing.post", on_id=post.pk).order_by("id")
    assert list(lines.values_list("type", flat=True)) == [
        "post.created", "post.moved", "post.scheduled", "post.sent", "post.part_sent",
    ]  # fmt: skip
    assert lines[3].data["account"] == "fake-keyed"


def test_the_oldest_work_is_not_a_post_to_come(network, account_of, post_on):
    post = post_on(account_of())
    assert outbound.run_due(NOON) == 0
    assert Post.objects.get().publish_at == DUE
    assert [one.due_at for one in deliveries(post)] == [DUE]
