"""Feeds: what is new, what was corrected, what is asked of the server, and what strangers' bytes may not do."""

import json
import os
import random
from datetime import UTC, datetime, timedelta

import pytest

from conftest import NOON
from fakes.feed import Document, Site, account, post, rss, running
from tertulia.channels import models as channels
from tertulia.channels.models import Account, Message
from tertulia.connectors.contract import Reconnect, Refused, Retry
from tertulia.connectors.feed.connector import Feed
from tertulia.core.http import Door
from tertulia.flows import inbound, polling
from tertulia.inbox.models import Conversation

pytest.importorskip("feedparser")
feed = Feed(Door(total=3))
FEED = {"Content-Type": "application/rss+xml; charset=utf-8"}


@pytest.fixture
def site():
    with running(Site()) as site:
        yield site


def told(page):
    return [(one.verb, one.subject, one.text) for one in page.envelopes]


# Articles.


def test_articles_come_oldest_first_and_only_once(site):
    site.posts = [post(2), post(1, ago=timedelta(days=2))]
    page = feed.fetch(account(site), "")
    assert told(page) == [("created", "Entrada 1", "Texto 1"), ("created", "Entrada 2", "Texto 2")]
    first = page.envelopes[0]
    assert (first.kind, first.remote_id, first.author.name, first.url) == ("article", "p1", "Alba", f"{site.url}/p1")
    assert (first.html, first.about.title) == ("<p>Texto <b>1</b></p>", "Blog del Horno")
    site.posts.insert(0, post(3))
    again = feed.fetch(account(site), page.cursor)
    assert told(again) == [("created", "Entrada 3", "Texto 3")]
    assert told(feed.fetch(account(site), again.cursor)) == []


def test_a_corrected_article_is_an_edit_and_a_vanished_one_is_not_gone(site):
    site.posts = [post(2), post(1)]
    cursor = feed.fetch(account(site), "").cursor
    site.posts = [post(2)]
    site.posts[0].text = "Corregido"
    page = feed.fetch(account(site), cursor)
    assert told(page) == [("edited", "Entrada 2", "Corregido")]
    assert page.envelopes[0].changed_at > page.envelopes[0].sent_at
    site.posts = [site.posts[0], post(1)]
    assert told(feed.fetch(account(site), page.cursor)) == []


def test_what_has_no_id_goes_by_its_link_and_what_has_nothing_is_set_aside(site):
    body = (
        "<item><link>https://b.example/1</link></item><item><guid></guid></item><item><title>Solo título</title></item>"
    )
    site.documents["/f"] = Document(rss([], site.url, body), headers=FEED)
    page = feed.fetch(account(site, "/f"), "")
    assert [len(one.remote_id) for one in page.envelopes] == [64, 64]
    assert {(one.url, one.subject) for one in page.envelopes} == {("https://b.example/1", ""), ("", "Solo título")}
    assert len(page.unread) == 1


def test_a_date_to_come_counts_as_now(site):
    site.posts = [post(1, ago=timedelta(days=-4000))]
    [envelope] = feed.fetch(account(site), "").envelopes
    assert abs(envelope.sent_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_atom_is_read_too(site):
    site.documents["/a"] = Document(
        b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><link href="https://b.example/"/>
        <entry><id>tag:b.example,2026:1</id><title type="html">Pan &amp;amp; vino</title><link href="/uno"/>
        <updated>2026-11-20T10:00:00Z</updated><author><name>Alba</name></author>
        <content type="html">&lt;p&gt;Hola&lt;script&gt;alert(1)&lt;/script&gt;&lt;p&gt;Adi\xc3\xb3s&lt;/p&gt;</content>
        </entry></feed>""",
        headers={"Content-Type": "application/atom+xml"},
    )
    [envelope] = feed.fetch(account(site, "/a"), "").envelopes
    assert (envelope.remote_id, envelope.subject, envelope.text) == (
        "tag:b.example,2026:1",
        "Pan & vino",
        "Hola\nAdiós",
    )
    assert envelope.url == f"{site.url}/uno"
    assert envelope.sent_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("ago", [timedelta(days=9), -timedelta(hours=2)], ids=["past", "to come"])
def test_corrections_that_leave_the_date_as_it_was_show_one_after_the_other(site, brand, ago):
    updated = (datetime.now(UTC) - ago).isoformat(timespec="seconds")
    settings = {"address": f"{site.url}/a"}
    stored = Account.objects.create(brand=brand, kind="feed", name="Blog", created_at=NOON, settings=settings)
    cursor = ""
    for text in ("Pan", "Pan de centeno", "Pan de espelta"):
        entry = f"<entry><id>tag:1</id><title>Hoy</title><updated>{updated}</updated><summary>{text}</summary></entry>"
        site.documents["/a"] = Document(
            f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title>{entry}</feed>'.encode(),
            headers={"Content-Type": "application/atom+xml"},
        )
        page = feed.fetch(account(site, "/a"), cursor)
        cursor = page.cursor
        inbound.intake(stored, page.envelopes, at=NOON)
        assert Message.objects.get().text == text


# Asking.


def test_what_has_not_changed_is_neither_sent_nor_read_again(site):
    site.posts = [post(1)]
    etag = {"ETag": '"v1"', "Last-Modified": "Mon, 23 Nov 2026 08:00:00 GMT"}
    site.documents["/f"] = Document(rss(site.posts, site.url), headers={**FEED, **etag})
    page = feed.fetch(account(site, "/f"), "")
    again = feed.fetch(account(site, "/f"), page.cursor)
    assert (told(again), again.cursor) == ([], page.cursor)
    asked = site.requests[-1][1]
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"v1"', etag["Last-Modified"])


def test_a_feed_that_wants_to_be_left_alone_is(site):
    site.documents["/f"] = Document(rss([post(1)], site.url), headers={**FEED, "Cache-Control": "public, max-age=600"})
    cursor = feed.fetch(account(site, "/f"), "").cursor
    assert told(feed.fetch(account(site, "/f"), cursor)) == []
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "after"),
    [
        (410, {}, Reconnect, None),
        (404, {}, Retry, None),
        (403, {}, Refused, None),
        (429, {"Retry-After": "120"}, Retry, timedelta(seconds=120)),
        (503, {"Retry-After": "7200"}, Retry, timedelta(hours=2)),
        (503, {"Retry-After": "soon"}, Retry, None),
        (500, {}, Retry, None),
    ],
)
def test_what_the_server_says_is_heard(site, status, headers, outcome, after):
    site.documents["/f"] = Document(status=status, headers=headers)
    with pytest.raises(outcome) as ended:
        feed.fetch(account(site, "/f"), "")
    assert getattr(ended.value, "after", None) == after


def test_a_feed_that_has_moved_for_good_is_asked_there_and_one_that_is_away_is_not(site):
    site.posts = [post(1)]
    site.documents |= {
        "/old": Document(status=301, headers={"Location": "/older"}),
        "/older": Document(status=308, headers={"Location": "/now"}),
        "/now": Document(status=302, headers={"Location": "/feed"}),
    }
    cursor = feed.fetch(account(site, "/old"), "").cursor
    assert json.loads(cursor)["url"] == f"{site.url}/now"
    site.requests.clear()
    feed.fetch(account(site, "/old"), cursor)
    assert [path for path, _headers in site.requests] == ["/now", "/feed"]


def test_redirects_end_after_five_and_never_inside(site):
    site.documents["/round"] = Document(status=302, headers={"Location": "/round"})
    with pytest.raises(Refused):
        feed.fetch(account(site, "/round"), "")
    assert len(site.requests) == 6
    site.documents["/in"] = Document(status=302, headers={"Location": "http://10.0.0.1/feed"})
    with pytest.raises(Refused, match="private network"):
        feed.fetch(account(site, "/in"), "")
    site.documents["/file"] = Document(status=302, headers={"Location": "file:///etc/passwd"})
    with pytest.raises(Refused):
        feed.fetch(account(site, "/file"), "")


# Discovery.

PAGE = b"""<html><head><link rel="stylesheet" href="x.css"><base href="/blog/">
<link rel="alternate" type="application/rss+xml" title="Comentarios" href="comments/feed">
<link rel="alternate" type="application/rss+xml" title="Entradas" href="../feed"></head><body>Hola</body></html>"""


def test_the_feeds_of_an_ordinary_page_are_found_and_told(site):
    site.posts = [post(1)]
    site.documents |= {"/": Document(PAGE), "/blog/comments/feed": Document(rss([], site.url), headers=FEED)}
    health = feed.check(account(site, "/"))
    assert health.is_ok
    assert health.facts["feeds"] == [f"{site.url}/blog/comments/feed", f"{site.url}/feed"]
    assert health.facts["feed"]["url"] == f"{site.url}/feed"
    assert feed.check(account(site, "/", comments=True)).facts["feed"]["url"] == f"{site.url}/blog/comments/feed"
    # Without what the check found, the reading finds it by itself.
    page = feed.fetch(account(site, "/"), "")
    assert (told(page), page.more) == ([], True)
    assert told(feed.fetch(account(site, "/"), page.cursor)) == [("created", "Entrada 1", "Texto 1")]


@pytest.mark.parametrize(
    "body", [b"", b"Hola", b"<html><body>Hola</body></html>", b"/etc/passwd", b"http://127.0.0.1/"]
)
def test_what_is_no_feed_says_so(site, body):
    site.documents["/f"] = Document(body)
    with pytest.raises(Retry, match="feed"):
        feed.check(account(site, "/f"))


def test_another_address_begins_anew(site):
    site.posts = [post(1)]
    site.documents["/g"] = Document(rss(site.posts, site.url), headers=FEED)
    cursor = feed.fetch(account(site), "").cursor
    assert len(feed.fetch(account(site, "/g"), cursor).envelopes) == 1


# What strangers' bytes may not do.


def test_of_fifty_thousand_items_five_hundred_are_read(site):
    site.posts = [post(number) for number in range(50_000)]
    site.shown = 14_000  # as many as fit into five megabytes
    page = feed.fetch(account(site), "")
    assert (len(page.envelopes), len(json.loads(page.cursor)["seen"])) == (200, 500)


def test_too_large_a_feed_is_not_read(site):
    site.documents["/f"] = Document(b"<rss><channel>" + b" " * (5 * 1024 * 1024), headers=FEED)
    with pytest.raises(Retry, match="too large"):
        feed.fetch(account(site, "/f"), "")


def test_bombs_and_outside_entities_do_nothing(site):
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE r [<!ENTITY l0 "lol">{lol}]><rss version="2.0"><channel><title>&l9;</title></channel></rss>'
    site.documents["/bomb"] = Document(bomb.encode(), headers=FEED)
    outside = (
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel>'
        "<item><guid>1</guid><title>a&x;b</title></item></channel></rss>"
    )
    site.documents["/outside"] = Document(outside.encode(), headers=FEED)
    nested = "<div>" * 50_000
    site.documents["/nested"] = Document(
        rss([], site.url, f"<item><guid>1</guid><description><![CDATA[{nested}]]></description></item>"), headers=FEED
    )
    for path in ("/bomb", "/outside", "/nested"):
        try:
            said = feed.fetch(account(site, path), "").envelopes
        except Retry:
            said = []
        assert all("root:" not in one.subject + one.text and len(one.text) < 1000 for one in said)


# Comments.


def test_comments_are_talks_by_post_and_person_and_answered_on_the_page(site):
    roscon = "https://b.example/roscon/"
    site.posts = [
        post(4, author="Horno Candela", link=f"{roscon}#comment-4"),
        post(3, author="", link=f"{roscon}#comment-3"),
        post(2, author="Diego", link="https://b.example/pan/#comment-2"),
        post(1, author="Diego", link=f"{roscon}#comment-1"),
        post(0, author="Diego", link=f"{roscon}#comment-0", ago=timedelta(days=8)),
    ]
    page = feed.fetch(account(site, comments=True, ours=["horno candela"]), "")
    found = {one.remote_id: (one.kind, one.thread_id, one.url) for one in page.envelopes}
    assert found == {
        "p1": ("comment", f"{roscon} by diego", f"{roscon}#comment-1"),
        "p2": ("comment", "https://b.example/pan/ by diego", "https://b.example/pan/#comment-2"),
        "p3": ("comment", f"{roscon} comment p3", f"{roscon}#comment-3"),
    }
    assert page.envelopes[0].about.url in {roscon, "https://b.example/pan/"}


# Through the whole product.


def scenario(site: Site, stored: Account, count: int) -> None:
    """Articles come in bursts that fit into the feed, are corrected and vanish; the server fails and asks to wait."""
    rng = random.Random(count)
    minutes = 0

    def look(times: int) -> None:
        nonlocal minutes
        for _each in range(times):
            minutes += 60
            polling.run_due(NOON + timedelta(minutes=minutes))

    written = 0
    while written < count:
        for _each in range(min(rng.randint(1, site.shown), count - written)):
            site.posts.insert(0, post(written, ago=timedelta(seconds=count - written)))
            written += 1
        site.faults.extend(rng.choices(["", "", "500", "cut_before", "html_502"], k=2))
        look(4)
        site.faults.clear()
        look(1)
        rng.choice(site.posts[: site.shown]).text = f"Corregido {written}"
        look(1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "count",
    [
        2_000,
        pytest.param(
            20_000, marks=pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1")
        ),
    ],
)
def test_over_a_bad_line_every_article_is_kept_once_in_its_last_state(site, brand, monkeypatch, count):
    monkeypatch.setattr(channels, "http", Door(total=1.5))
    site.shown = 100
    settings = {"address": f"{site.url}/feed"}
    stored = Account.objects.create(
        brand=brand, kind="feed", name="Blog", created_at=NOON, next_poll_at=NOON, settings=settings
    )
    scenario(site, stored, count)
    here = dict(Message.objects.values_list("remote_id", "text"))
    there = {one.id: one.text.replace("<b>", "").replace("</b>", "") for one in site.posts}
    assert here == there
    assert Message.objects.count() == count
    assert not Conversation.objects.exists()
