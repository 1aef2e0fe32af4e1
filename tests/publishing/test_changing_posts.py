"""What people do with posts: an old text never leaves, times on the wall mean one moment, brands stay apart."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE, ONE_O_CLOCK, deliveries, state
from time_machine import travel

from conftest import NOON
from fakes.connector import Keyed
from tertulia.brand import actions as brands
from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Delivery, RemotePost
from tertulia.core.models import Activity
from tertulia.flows import outbound
from tertulia.publishing import actions, library, queries, writing
from tertulia.publishing.models import Post
from tertulia.publishing.problems import Changed, NotHere, Problem, TooLate, Unfit
from tertulia.publishing.saying import Piece, Shown, Wanted
from tertulia.strategy.models import Campaign

pytestmark = pytest.mark.django_db


def versions_of(post: Post, **own: Wanted) -> dict[int, Wanted]:
    return {one.account_id: own.get(one.account.name, Wanted()) for one in post.versions.select_related("account")}


# Editing.


def test_what_was_edited_after_scheduling_leaves_in_its_new_words_at_the_same_time(
    network, account_of, post_on, go_on, alba
):
    post = post_on(account_of())
    actions.save(
        post=post,
        seen=1,
        by=alba,
        at=NOON,
        pieces=[Piece("Pan de centeno"), Piece("Y más")],
        versions=versions_of(post),
    )
    go_on(NOON, minutes=59)
    assert network.posts == []
    go_on(DUE, minutes=1)
    assert [one["text"] for one in network.posts] == ["Pan de centeno", "Y más"]
    assert {one.revision for one in post.versions.get().sendings.all()} == {2}


def test_an_edit_that_comes_while_it_leaves_says_so_and_changes_nothing_of_it(network, account_of, post_on, alba):
    post = post_on(account_of())
    (claim,) = outbound.claim(at=DUE, limit=5)
    actions.save(post=post, seen=1, by=alba, at=DUE, pieces=[Piece("Otro pan")], versions=versions_of(post))
    outbound.settle([outbound.run(claim)], at=DUE)
    assert [one["text"] for one in network.posts] == ["Pan de pueblo"]
    assert (state(post), RemotePost.objects.get().draft["text"]) == ("published", "Pan de pueblo")
    with pytest.raises(TooLate):
        actions.save(post=post, seen=2, by=alba, at=DUE, pieces=[Piece("Otro pan")], versions={})


def test_an_edit_reaches_only_where_it_has_not_left(network, account_of, post_on, go_on, alba):
    post = post_on(account_of("fake-keyed", name="Uno"), account_of("fake-looking", name="Otro"))
    network.faults.append("400")
    go_on(DUE, minutes=1)
    actions.save(post=post, seen=1, by=alba, at=DUE, pieces=[Piece("Pan, corregido")], versions=versions_of(post))
    (refused,) = [one for one in deliveries(post) if one.state == "refused"]
    actions.retry(delivery=refused, by=alba, at=DUE + timedelta(minutes=5))
    go_on(DUE + timedelta(minutes=5), minutes=1)
    assert [one["text"] for one in network.posts] == ["Pan de pueblo", "Pan, corregido"]


def test_what_was_handed_over_before_an_edit_no_longer_leaves(network, account_of, post_on, alba):
    post = post_on(account_of())
    (ticket,) = outbound.hold(at=DUE, limit=5)
    actions.save(post=post, seen=1, by=alba, at=DUE, pieces=[Piece("Otro pan")], versions=versions_of(post))
    assert outbound.take(ticket, at=DUE) is None


def test_an_account_that_joins_leaves_with_the_others_and_one_that_goes_does_not(
    network, account_of, post_on, go_on, alba
):
    one, other = account_of("fake-keyed", name="Uno"), account_of("fake-looking", name="Otro")
    post = post_on(one)
    actions.save(post=post, seen=1, by=alba, at=NOON, pieces=[Piece("Pan")], versions={other.pk: Wanted()})
    assert [(each.account_id, each.due_at) for each in deliveries(post)] == [(other.pk, DUE)]
    go_on(DUE, minutes=1)
    assert (len(network.posts), state(post)) == (1, "published")


def test_a_version_says_it_in_its_own_words(network, account_of, post_on, go_on, alba):
    post = post_on(account_of("fake-keyed", name="Uno"), account_of("fake-looking", name="Otro"))
    own = Wanted((Piece("A mi manera"), Piece("y sigo")), (("title", "Pan"), ("nonsense", "x")))
    actions.save(
        post=post, seen=1, by=alba, at=NOON, pieces=[Piece("Pan de pueblo")], versions=versions_of(post, Otro=own)
    )
    go_on(DUE, minutes=1)
    assert sorted((one["text"], one["title"]) for one in network.posts) == [
        ("A mi manera", "Pan"), ("Pan de pueblo", ""), ("y sigo", "Pan"),
    ]  # fmt: skip


def test_who_has_not_seen_the_newest_text_overwrites_nothing(network, account_of, post_on, alba):
    post = post_on(account_of())
    actions.save(post=post, seen=1, by=alba, at=NOON, pieces=[Piece("Dos")], versions=versions_of(post))
    with pytest.raises(Changed):
        actions.save(post=post, seen=1, by=alba, at=NOON, pieces=[Piece("Tres")], versions=versions_of(post))


def test_saving_the_same_changes_nothing_and_is_not_recorded(network, account_of, post_on, alba):
    post = post_on(account_of(), texts=("Uno", "Dos"))
    same = actions.save(
        post=post, seen=1, by=alba, at=NOON, title=post.title, pieces=[Piece("Uno "), Piece("Dos\r\n")],
        versions=versions_of(post),
    )  # fmt: skip
    assert (same.revision, Activity.objects.filter(type="post.edited").count()) == (1, 0)


def test_what_some_network_would_not_take_is_refused_on_the_spot(network, account_of, post_on, go_on, alba, brand):
    account = account_of()
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("n" * 301)], versions={account.pk: Wanted()})
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
    with pytest.raises(Unfit) as told:
        actions.schedule(post=post, by=alba, at=NOON)
    assert [one.code for one in told.value.misfits["fake-keyed"]] == ["long"]
    assert "301" in str(told.value)
    fits = post_on(account)
    with pytest.raises(Unfit):
        actions.save(post=fits, seen=1, by=alba, at=NOON, pieces=[Piece("n" * 301)], versions=versions_of(fits))
    fits.refresh_from_db()
    assert (fits.revision, len(deliveries(fits))) == (1, 1)
    go_on(DUE, minutes=1)
    assert [one["text"] for one in network.posts] == ["Pan de pueblo"]


def test_a_missed_post_that_is_edited_is_still_missed(network, account_of, post_on, go_on, alba):
    post = post_on(account_of())
    go_on(DUE + timedelta(hours=1), minutes=1)
    actions.save(post=post, seen=1, by=alba, at=DUE, pieces=[Piece("Otro")], versions=versions_of(post))
    go_on(DUE + timedelta(hours=2), minutes=1)
    assert (state(post), network.posts, Activity.objects.filter(type="post.missed").count()) == ("missed", [], 1)


# Moving and cancelling.


def test_a_post_moves_until_it_leaves(network, account_of, post_on, go_on, alba):
    post = post_on(account_of())
    actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(hours=2), by=alba, at=NOON)
    go_on(DUE, minutes=31)
    assert network.posts == []
    go_on(DUE + timedelta(hours=2), minutes=1)
    assert state(post) == "published"
    with pytest.raises(TooLate):
        actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(days=1), by=alba, at=NOON)


def test_a_missed_post_with_a_new_time_leaves_then(network, account_of, post_on, go_on, alba):
    post = post_on(account_of())
    go_on(DUE + timedelta(hours=1), minutes=1)
    actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(hours=5), by=alba, at=DUE + timedelta(hours=2))
    assert state(post) == "scheduled"
    go_on(DUE + timedelta(hours=5), minutes=1)
    assert len(network.posts) == 1


def test_what_a_network_would_not_take_any_more_is_not_moved(network, account_of, post_on, alba, monkeypatch):
    post = post_on(account_of())
    monkeypatch.setattr(Keyed, "longest_post", lambda self, account, draft: 10)
    with pytest.raises(Unfit):
        actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(hours=1), by=alba, at=NOON)
    assert Delivery.objects.get().due_at == DUE


def test_what_is_scheduled_is_not_moved_into_the_past(network, account_of, post_on, alba):
    post = post_on(account_of())
    for wall in (ONE_O_CLOCK - timedelta(hours=2), None):
        with pytest.raises(Problem):
            actions.plan(post=post, wall=wall, by=alba, at=NOON)
    post.refresh_from_db()
    assert post.publish_at == DUE


def test_a_cancelled_post_never_leaves_until_it_is_scheduled_again(network, account_of, post_on, go_on, alba):
    post = post_on(account_of())
    actions.cancel(post=post, by=alba, at=NOON)
    assert (state(post), Delivery.objects.count()) == ("cancelled", 0)
    go_on(DUE, minutes=5)
    actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(hours=1), by=alba, at=DUE)
    actions.schedule(post=post, by=alba, at=DUE + timedelta(minutes=5))
    go_on(DUE + timedelta(hours=1), minutes=1)
    assert (len(network.posts), state(post)) == (1, "published")
    with pytest.raises(TooLate):
        actions.cancel(post=post, by=alba, at=DUE + timedelta(hours=2))


def test_publishing_now_can_be_taken_back_for_as_long_as_an_answer(network, account_of, brand, alba, go_on):
    account = account_of()
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Ya")], versions={account.pk: Wanted()})
    actions.publish_now(post=post, by=alba, at=NOON)
    assert outbound.run_due(NOON + timedelta(seconds=9)) == 0
    actions.cancel(post=post, by=alba, at=NOON + timedelta(seconds=9))
    go_on(NOON, minutes=5)
    assert (network.posts, state(post)) == ([], "cancelled")


@pytest.mark.django_db(transaction=True)
def test_a_claim_and_an_edit_at_the_same_moment_never_send_the_old_text(network, account_of, post_on, alba):
    """Whoever is first: either the old text leaves and the edit stays behind it, or the new one leaves."""
    for turn in range(6):
        account = account_of("fake-blind", name=f"Cuenta {turn}")
        post = post_on(account, texts=(f"viejo {turn}",))
        together, claims = threading.Barrier(2), []

        def claim(together=together, claims=claims) -> None:
            together.wait()
            claims.extend(outbound.claim(at=DUE, limit=5))
            connection.close()

        worker = threading.Thread(target=claim)
        worker.start()
        together.wait()
        actions.save(post=post, seen=1, by=alba, at=DUE, pieces=[Piece(f"nuevo {turn}")], versions=versions_of(post))
        worker.join()
        claims += outbound.claim(at=DUE, limit=5)
        outbound.settle([outbound.run(one) for one in claims], at=DUE)
        (sending,) = post.versions.get().sendings.all()
        said = {1: f"viejo {turn}", 2: f"nuevo {turn}"}[sending.revision]
        assert [one["text"] for one in network.posts if one["text"].endswith(str(turn))] == [said]


# What the clock on the wall means.


@pytest.mark.parametrize(
    ("zone", "wall", "moment", "says"),
    [
        ("Europe/Madrid", (2027, 3, 28, 2, 30), (2027, 3, 28, 1, 0), "skipped"),
        ("Atlantic/Canary", (2027, 3, 28, 1, 30), (2027, 3, 28, 1, 0), "skipped"),
        ("Europe/Madrid", (2027, 10, 31, 2, 30), (2027, 10, 31, 0, 30), "twice"),
        ("Atlantic/Canary", (2027, 10, 31, 1, 30), (2027, 10, 31, 0, 30), "twice"),
        ("America/Santiago", (2027, 4, 3, 23, 30), (2027, 4, 4, 2, 30), "twice"),
        ("America/Santiago", (2027, 9, 5, 0, 30), (2027, 9, 5, 4, 0), "skipped"),
        ("America/Havana", (2027, 3, 14, 0, 30), (2027, 3, 14, 4, 30), ""),  # Cuba keeps its summer time that winter
        ("America/Havana", (2027, 11, 7, 0, 30), (2027, 11, 7, 4, 30), "twice"),
        ("America/New_York", (2027, 11, 7, 1, 30), (2027, 11, 7, 5, 30), "twice"),
        ("America/Mexico_City", (2027, 4, 4, 2, 30), (2027, 4, 4, 8, 30), ""),
        ("America/Asuncion", (2027, 3, 28, 0, 30), (2027, 3, 28, 3, 30), ""),
        ("Europe/Madrid", (2028, 2, 29, 23, 59), (2028, 2, 29, 22, 59), ""),
        ("Europe/Madrid", (2027, 1, 1, 0, 30), (2026, 12, 31, 23, 30), ""),
    ],
)
def test_a_time_on_the_wall_is_one_moment_and_the_odd_ones_are_said(brand, alba, zone, wall, moment, says):
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")])
    told = actions.plan(post=post, wall=datetime(*wall), zone=zone, by=alba, at=NOON)
    post.refresh_from_db()
    assert (post.publish_at, told, post.wall) == (datetime(*moment, tzinfo=UTC), says, datetime(*wall))


def test_a_skipped_time_and_one_that_comes_twice_are_published_once(network, account_of, brand, alba, go_on):
    account = account_of()
    for day, moment in (
        (datetime(2027, 3, 28, 2, 30), datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        (datetime(2027, 10, 31, 2, 30), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ):
        network.posts.clear()
        post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")], versions={account.pk: Wanted()})
        actions.plan(post=post, wall=day, by=alba, at=NOON)
        actions.schedule(post=post, by=alba, at=NOON)
        go_on(moment - timedelta(minutes=1), seconds=59)
        assert network.posts == []
        go_on(moment, hours=2)
        assert (len(network.posts), state(post)) == (1, "published")


def test_a_law_that_changes_the_clock_moves_the_moment_and_not_the_time_on_the_wall(
    network, account_of, post_on, go_on, alba
):
    post = post_on(account_of())
    Post.objects.update(publish_at=DUE + timedelta(hours=1))  # as the rules of then had it
    Delivery.objects.update(due_at=DUE + timedelta(hours=1), late_at=DUE + timedelta(hours=1, minutes=30))
    assert actions.follow_clocks(at=NOON) == 1
    assert actions.follow_clocks(at=NOON) == 0
    go_on(DUE, minutes=1)
    assert (state(post), Activity.objects.filter(type="post.shifted").count()) == ("published", 1)


def test_a_brand_that_changes_its_zone_leaves_scheduled_posts_where_they_are(network, account_of, post_on, brand):
    post = post_on(account_of())
    Brand.objects.filter(pk=brand.pk).update(time_zone="America/Bogota")
    actions.follow_clocks(at=NOON)
    post.refresh_from_db()
    assert (post.zone, post.publish_at) == ("Europe/Madrid", DUE)


@pytest.fixture
def moved_brand(brand, alba):
    """Alba's brand, whose clock is that of Bogotá since noon: the settings were saved."""
    brand.time_zone = "America/Bogota"
    brands.change(brand=brand, by=alba.pk, at=NOON)
    return brand


def test_what_was_planned_by_the_old_clock_follows_when_somebody_says_so(
    network, account_of, post_on, moved_brand, alba, as_alba
):
    post = post_on(account_of())
    actions.plan(post=post, wall=ONE_O_CLOCK, zone="Europe/Madrid", by=alba, at=NOON)
    chosen = actions.create(brand=moved_brand, by=alba, at=NOON, pieces=[Piece("Té")])
    actions.plan(post=chosen, wall=ONE_O_CLOCK, zone="Asia/Tokyo", by=alba, at=NOON - timedelta(days=1))
    home = reverse("publishing:posts", args=[moved_brand.slug])
    with travel(NOON, tick=False):
        assert "Una publicación por salir sigue con la hora de antes" in as_alba.get(home).content.decode()
        as_alba.post(f"{home}zone/", {"moves": "1"})
        post.refresh_from_db()
        six_hours = DUE + timedelta(hours=6)
        assert (post.wall, post.zone, post.publish_at) == (ONE_O_CLOCK, "America/Bogota", six_hours)
        assert [row.due_at for row in deliveries(post)] == [six_hours]
        assert "con la hora de antes" not in as_alba.get(home).content.decode()
    chosen.refresh_from_db()
    assert chosen.zone == "Asia/Tokyo", "a zone that was chosen for a post"
    assert Activity.objects.get(type="publishing.zone").data == {"zone": "America/Bogota", "moved": 1}


def test_what_was_planned_by_the_old_clock_stays_when_somebody_says_so_and_is_asked_about_once(
    network, account_of, post_on, moved_brand, alba, as_alba
):
    post = post_on(account_of())
    actions.plan(post=post, wall=ONE_O_CLOCK, zone="Europe/Madrid", by=alba, at=NOON)
    assert actions.settle_zone(brand=moved_brand, moves=False, by=alba, at=NOON) == []
    post.refresh_from_db()
    assert (post.zone, post.publish_at, queries.left_behind(moved_brand, at=NOON)) == ("Europe/Madrid", DUE, [])


def test_what_can_not_follow_the_new_clock_is_named(network, account_of, post_on, moved_brand, alba):
    post = post_on(account_of())
    actions.plan(post=post, wall=ONE_O_CLOCK, zone="Europe/Madrid", by=alba, at=NOON)
    Delivery.objects.update(state="sending")
    assert actions.settle_zone(brand=moved_brand, moves=True, by=alba, at=NOON) == [post]
    assert Activity.objects.get(type="publishing.zone").data["moved"] == 0


def test_a_zone_nobody_knows_is_refused(brand, alba):
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")])
    with pytest.raises(NotHere):
        actions.plan(post=post, wall=ONE_O_CLOCK, zone="Europe/../etc/passwd", by=alba, at=NOON)


# Brands stay apart.


def test_accounts_and_pictures_of_another_brand_cannot_be_used(network, account_of, brand, other_brand, alba, carla):
    theirs = account_of(of=other_brand)
    with pytest.raises(NotHere):
        actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")], versions={theirs.pk: Wanted()})
    picture = library.add(brand=other_brand, name="t.png", content=png(), by=carla, at=NOON)  # noqa: F405
    with pytest.raises(NotHere):
        actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan", pictures=(Shown(picture.pk),))])
    assert (Post.objects.count(), Account.objects.filter(brand=brand).count()) == (0, 0)


def test_the_same_picture_in_two_brands_is_two(network, brand, other_brand, alba, carla, picture):
    theirs = library.add(brand=other_brand, name="pan.png", content=library.content(picture), by=carla, at=NOON)
    assert (theirs.pk != picture.pk, theirs.digest) == (True, picture.digest)
    library.remove(media=theirs, by=carla, at=NOON)
    assert library.content(picture)
    assert list(queries.pictures(other_brand)) == []


def test_an_account_where_nothing_can_be_published_is_not_taken(brand, alba, phone):
    assert phone not in queries.accounts(brand)
    with pytest.raises(NotHere):
        actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")], versions={phone.pk: Wanted()})


def test_another_post_is_made_of_one_and_the_first_stays(
    network, account_of, brand, other_brand, alba, as_alba, as_carla, picture
):
    common, own = account_of(name="una"), account_of(name="otra")
    campaign = Campaign.objects.create(brand=brand, name="Otoño", tag="otono", created_by_id=alba.pk, created_at=NOON)
    versions = {common.pk: Wanted(), own.pk: Wanted((Piece("Solo aquí"),))}
    pieces = [Piece("Pan https://pan.example/", pictures=(Shown(picture.pk, "Un pan"),)), Piece("Y más", "part")]
    post = actions.create(
        brand=brand, by=alba, at=NOON, title="Pan", pieces=pieces, versions=versions,
        links={"https://pan.example/": True},
    )  # fmt: skip
    actions.count_for(post=post, campaign=campaign, by=alba, at=NOON)
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
    actions.schedule(post=post, by=alba, at=NOON)
    home = f"/b/{brand.slug}/posts/{post.pk}/"
    assert f'action="{home}copies/"' in as_alba.get(home).content.decode()
    answer = as_alba.post(f"{home}copies/")
    made = Post.objects.exclude(pk=post.pk).get()
    assert answer["Location"] == f"/b/{brand.slug}/posts/{made.pk}/text/"
    before, after = (writing.from_post(queries.whole(brand).get(pk=one.pk)) for one in (post, made))
    assert (after.sheets, after.accounts, after.links) == (before.sheets, before.accounts, before.links)
    assert (made.campaign, made.publish_at, state(made), state(post)) == (campaign, None, "draft", "scheduled")
    campaign.closed_at, campaign.closed_by_id = NOON, alba.pk
    campaign.save()
    as_alba.post(f"{home}copies/")
    assert Post.objects.latest("pk").campaign is None
    assert as_carla.post(f"/b/{other_brand.slug}/posts/{post.pk}/copies/").status_code == 404
