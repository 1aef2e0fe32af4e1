"""New articles of a feed become posts: once each, whatever happens to the feed, and never the brand's own again."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.urls import reverse
from publishing_cast import *  # noqa: F403 — its fixtures

from conftest import NOON, envelope
from tertulia.channels.models import Account, Message, RemotePost
from tertulia.core.models import Activity
from tertulia.flows import inbound, restored
from tertulia.publishing import actions, relays, rhythm
from tertulia.publishing.models import ApprovalRequest, ApprovalRule, Post, Relay, Relayed
from tertulia.team.models import Membership

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def blog(brand):
    """A feed with an old article, that was read at noon."""
    blog = Account.objects.create(brand=brand, kind="feed", name="Nuestro blog", created_at=NOON)
    read(blog, ("viejo", "https://blog.example/viejo"), at=NOON)
    return Account.objects.get(pk=blog.pk)


@pytest.fixture
def relay_of(brand, alba, account_of, blog):
    def make(source=None, **said) -> Relay:
        relay = Relay(brand=brand, source=source or blog, **{"template": "{title}\n{summary}\n{link}", **said})
        return relays.keep(relay=relay, accounts=[account_of()], is_on=True, by=alba, at=NOON)

    return make


def read(source, *articles, at, sent_at=None, text="Con masa madre.") -> None:
    """The feed was read at that moment and told these: title and address, with an id where it isn't the address."""
    some = [
        envelope(text, subject=title, url=url, remote_id=(ids or [url])[0], thread="articles", kind="article",
                 sent_at=sent_at or at)
        for title, url, *ids in articles
    ]  # fmt: skip
    inbound.intake(source, some, at=at, cursor="1")


def texts() -> list[str]:
    return [post.parts.get().text for post in Post.objects.order_by("pk")]


def slots(account, alba) -> None:
    asked = rhythm.Rhythm(1, NOON.date(), [], frozenset((day, time(10)) for day in range(7)))
    rhythm.settle(account=account, rhythm=asked, by=alba, at=NOON)


def test_a_new_article_becomes_a_draft_once_and_none_of_the_old_ones(relay_of, blog):
    relay = relay_of()
    assert relays.run(at=NOON) == 0
    read(blog, ("Pan de centeno", "https://blog.example/centeno"), at=NOON + MINUTE)
    for _again in range(3):
        relays.run(at=NOON + 2 * MINUTE)
    assert texts() == ["Pan de centeno\nCon masa madre.\nhttps://blog.example/centeno"]
    post = Post.objects.get()
    assert (post.publish_at, post.versions.get().account) == (None, relay.accounts.get())
    assert Activity.objects.filter(type="relay.made").count() == 1


def test_the_first_reading_of_a_feed_takes_none_even_without_dates(relay_of, brand):
    fresh = Account.objects.create(brand=brand, kind="feed", name="Otro", created_at=NOON)
    relay_of(fresh)
    assert relays.run(at=NOON) == 0
    many = [(f"Nota {n}", f"https://otro.example/{n}") for n in range(5)]
    read(fresh, *many, at=NOON + MINUTE)  # as many as there are, all of now: it tells no dates
    assert relays.run(at=NOON + MINUTE) + relays.run(at=NOON + 2 * MINUTE) == 0
    read(fresh, *many, ("Nueva", "https://otro.example/nueva"), at=NOON + 3 * MINUTE)
    assert relays.run(at=NOON + 4 * MINUTE) == 1


@pytest.mark.parametrize(
    ("url", "id"),
    [
        ("https://blog.example/centeno", "99"),
        ("http://www.blog.example/centeno/?utm_source=rss", "98"),
        ("https://blog.example/centeno#comentarios", "97"),
    ],
)
def test_another_number_or_spelling_of_the_same_address_makes_no_second(relay_of, blog, url, id):
    relay_of()
    read(blog, ("Pan de centeno", "https://blog.example/centeno", "1"), at=NOON + MINUTE)
    relays.run(at=NOON + MINUTE)
    read(blog, ("Pan de centeno", url, id), at=NOON + 2 * MINUTE)
    assert Message.objects.filter(account=blog, kind="article").count() == 3
    assert relays.run(at=NOON + 3 * MINUTE) == 0


def test_a_changed_date_or_address_of_the_same_number_makes_no_second(relay_of, blog):
    relay_of()
    read(blog, ("Pan", "https://blog.example/pan", "1"), at=NOON + MINUTE)
    relays.run(at=NOON + MINUTE)
    Message.objects.filter(remote_id="1").delete()
    read(blog, ("Pan corregido", "https://blog.example/pan-2", "1"), at=NOON + timedelta(hours=20))
    assert relays.run(at=NOON + timedelta(hours=20)) == 0


def test_what_was_published_before_it_was_set_up_is_old_however_late_it_is_read(relay_of, blog):
    relay_of()
    read(blog, ("De ayer", "https://blog.example/ayer"), at=NOON + MINUTE, sent_at=NOON - timedelta(days=1))
    assert relays.run(at=NOON + 2 * MINUTE) == 0


def test_so_many_a_day_and_the_rest_next_day_while_it_is_news(relay_of, blog):
    relay_of(most_a_day=2)
    read(blog, *[(f"Nota {n}", f"https://blog.example/{n}") for n in range(7)], at=NOON + MINUTE)
    made = [relays.run(at=NOON + MINUTE + timedelta(days=day)) for day in (0, 0, 1, 2, 3)]
    assert made == [2, 0, 2, 2, 0]


def test_what_leads_to_its_own_posts_or_here_is_left_out(relay_of, blog, account_of, settings):
    relay = relay_of()
    RemotePost.objects.create(
        account=account_of("fake-looking"), url="https://blog.example/nuestra/", published_at=NOON, remote_id="1"
    )
    own = ("Nuestra", "https://www.blog.example/nuestra?utm_source=x")
    read(blog, own, ("De aquí", f"{settings.PUBLIC_URL}/s/x/news/1/"), at=NOON + MINUTE)
    assert relays.run(at=NOON + MINUTE) == 0
    assert [bool(one.why) for one in Relayed.objects.filter(relay=relay)] == [True, True]


def test_what_an_article_says_fills_nothing_in_and_names_nobody(relay_of, blog):
    relay_of(template="{title} – {source}")
    read(blog, ("{link} @{Obrador Lola} <b>", "https://blog.example/a"), at=NOON + MINUTE)
    relays.run(at=NOON + MINUTE)
    assert texts() == ["{link} {Obrador Lola} <b> – Nuestro blog"]


def test_while_everything_is_stopped_it_makes_nothing(relay_of, blog, brand, alba):
    relay_of()
    actions.stop(brand=brand, by=alba, at=NOON)
    read(blog, ("Pan", "https://blog.example/pan"), at=NOON + MINUTE)
    assert relays.run(at=NOON + MINUTE) == 0
    actions.resume(brand=brand, by=alba, at=NOON + MINUTE)
    assert relays.run(at=NOON + 2 * MINUTE) == 1


def test_after_a_backup_was_put_back_what_was_published_since_is_old(relay_of, blog, brand, alba):
    relay_of()
    later = NOON + timedelta(hours=5)
    restored.hold_everything(made_at=NOON, at=later)
    actions.resume(brand=brand, by=alba, at=later)
    read(blog, ("Ya contado", "https://blog.example/ya"), at=later + MINUTE)  # as new to a feed without dates
    assert relays.run(at=later + 2 * MINUTE) + relays.run(at=later + 3 * MINUTE) == 0
    read(blog, ("Nuevo", "https://blog.example/nuevo"), at=later + 4 * MINUTE)
    assert relays.run(at=later + 5 * MINUTE) == 1


def test_by_choice_it_goes_into_the_queue(relay_of, blog, alba):
    relay = relay_of(then="queue")
    slots(relay.accounts.get(), alba)
    read(blog, ("Pan de centeno", "https://blog.example/centeno"), at=NOON + MINUTE)
    relays.run(at=NOON + MINUTE)
    post = Post.objects.get()
    assert (state(post), f"{post.time:%H:%M}", Relayed.objects.get().why) == ("scheduled", "10:00", "")  # noqa: F405


def test_what_anybody_should_look_at_first_stays_a_draft_and_says_why(relay_of, blog, alba, brand):
    relay = relay_of(then="queue")
    read(blog, ("Sin hueco", "https://blog.example/a"), at=NOON + MINUTE)
    relays.run(at=NOON + MINUTE)
    slots(relay.accounts.get(), alba)
    read(blog, ("Largo", "https://blog.example/b"), at=NOON + 2 * MINUTE)
    Relay.objects.update(template="{title}" + "x" * 1_900)
    relays.run(at=NOON + 2 * MINUTE)
    assert {state(post) for post in Post.objects.all()} == {"draft"}  # noqa: F405
    assert all(one.why for one in Relayed.objects.all())


def test_where_approval_is_needed_it_asks_for_it(relay_of, blog, alba, bruno, brand):
    relay = relay_of(then="queue")
    slots(relay.accounts.get(), alba)
    actions.save_rule(rule=ApprovalRule(brand=brand), steps=[{"users": [bruno]}], by=alba, at=NOON)
    read(blog, ("Pan", "https://blog.example/pan"), at=NOON + MINUTE)
    relays.run(at=NOON + MINUTE)
    assert ApprovalRequest.objects.get().post == Post.objects.get()
    assert state(Post.objects.get()) == "approval"  # noqa: F405


def test_who_may_not_publish_any_more_queues_nothing(relay_of, blog, alba):
    relay = relay_of(then="queue")
    slots(relay.accounts.get(), alba)
    Membership.objects.filter(user=alba).update(role="reader")
    read(blog, ("Pan", "https://blog.example/pan"), at=NOON + MINUTE)
    relays.run(at=NOON + MINUTE)
    assert state(Post.objects.get()) == "draft"  # noqa: F405


def test_its_page_sets_it_up_and_switches_it_off(as_alba, brand, blog, account_of, other_brand):
    where, account = reverse("publishing:relays", args=[brand.slug]), account_of()
    given = {"source": blog.pk, "accounts": [account.pk], "template": "{title} {link}", "then": "draft",
             "most_a_day": "3", "is_on": "on"}  # fmt: skip
    same = as_alba.post(where, {**given, "template": "Siempre igual"})
    foreign = Account.objects.create(brand=other_brand, kind="feed", name="Ajeno", created_at=NOON)
    wrong = as_alba.post(where, {**given, "source": foreign.pk, "most_a_day": "500", "accounts": ["9" * 30]})
    assert (same.status_code, wrong.status_code, Relay.objects.count()) == (422, 422, 0)
    as_alba.post(where, given)
    relay = Relay.objects.get()
    assert (relay.seen_to, bool(relay.on_at)) == (Message.objects.get(account=blog).pk, True)
    mine = reverse("publishing:relay", args=[brand.slug, relay.pk])
    assert "Nada todavía" in as_alba.get(mine).content.decode()
    as_alba.post(mine, {**given, "is_on": ""})
    relay.refresh_from_db()
    assert relay.on_at is None
    as_alba.post(reverse("publishing:relay_removal", args=[brand.slug, relay.pk]))
    assert not Relay.objects.exists()


def test_a_feed_that_numbers_its_articles_anew_each_time_does_not_hold_up_new_ones(relay_of, blog, monkeypatch):
    monkeypatch.setattr(relays, "AT_ONCE", 3)
    relay_of(most_a_day=20)
    for turn in range(4):
        again = [(f"Nota {n}", f"https://blog.example/{n}", f"{turn}-{n}") for n in range(3)]
        read(blog, *again, at=NOON + turn * MINUTE + MINUTE)
        relays.run(at=NOON + turn * MINUTE + MINUTE)
    read(blog, ("Nueva", "https://blog.example/nueva", "x"), at=NOON + 9 * MINUTE)
    assert (relays.run(at=NOON + 9 * MINUTE), Post.objects.count()) == (1, 4)
