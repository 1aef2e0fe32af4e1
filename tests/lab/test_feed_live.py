"""The connector against the feeds of a real WordPress: every operation, one line each."""

import os
import time
from types import SimpleNamespace

import pytest

from connectors.test_feed import told
from lab import wordpress
from tertulia.connectors.contract import ByHand, Target
from tertulia.connectors.feed.connector import Feed
from tertulia.core.http import Door

pytestmark = pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1")
CHANNEL = "feed"
operation = pytest.mark.line

feed = Feed(Door())


@pytest.fixture(scope="module")
def blog(lines):
    with lines.server(wordpress.running) as blog:
        yield blog


def account(blog, **settings):
    return SimpleNamespace(id=1, settings={"address": blog.url, **settings}, secrets={})


def read(blog, cursor="", **settings):
    while True:
        page = feed.fetch(account(blog, **settings), cursor)
        cursor = page.cursor
        if not page.more:
            return page


def approved(blog, title, text, name):
    """A comment that everybody sees."""
    blog.comment(blog.post(title), text, name=name, email=f"{name.lower()}@example.com")
    for waiting in blog.api("GET", "comments", status="hold"):
        blog.api("POST", f"comments/{waiting['id']}", {"status": "approved"})
    time.sleep(1.1)  # its validators count whole seconds


@operation("access", "the feed of a page is found, and that of its comments")
def test_the_feed_of_a_page_is_found(blog):
    health = feed.check(account(blog))
    assert (health.is_ok, health.facts["feed"]["url"]) == (True, f"{blog.url}/feed/")
    assert feed.check(account(blog, comments=True)).facts["feed"]["url"] == f"{blog.url}/comments/feed/"


@operation("in", "a new article, once")
def test_in_a_new_article(blog):
    cursor = read(blog).cursor
    assert read(blog, cursor).envelopes == ()
    time.sleep(1.1)
    blog.post("Ya está aquí el roscón")
    page = read(blog, cursor)
    assert told(page) == [("created", "Ya está aquí el roscón", "Hola")]
    assert read(blog, page.cursor).envelopes == ()


@operation("in", "what has not changed costs a 304")
def test_what_has_not_changed_costs_a_304(blog):
    page = read(blog)
    again = read(blog, page.cursor)
    assert (again.envelopes, again.cursor) == ((), page.cursor)


@operation("kind", "an article to keep, a comment to answer")
def test_kinds(blog):
    approved(blog, "Roscón sin gluten", "¿Lleva almendra?", "Diego")
    assert read(blog).envelopes[-1].kind == "article"
    said = read(blog, comments=True).envelopes[-1]
    assert (said.kind, said.author.name, said.text) == ("comment", "Diego", "¿Lleva almendra?")


@operation("answered", "by hand: a task with the comment's link")
def test_answered_by_hand(blog):
    approved(blog, "Panes", "¿Y avellana?", "Elena")
    said = read(blog, comments=True).envelopes[-1]
    with pytest.raises(ByHand) as task:
        feed.reply(account(blog), Target(said.thread_id, said.remote_id, url=said.url), "No lleva", "key")
    assert (task.value.url, said.text) == (said.url, "¿Y avellana?")


@operation("edited there", "an article has other words")
def test_edited(blog):
    time.sleep(1.1)
    post = blog.post("El de nata")
    cursor = read(blog).cursor
    time.sleep(1.1)
    blog.api("POST", f"posts/{post}", {"content": "<p>Con nata</p>"})
    assert told(read(blog, cursor)) == [("edited", "El de nata", "Con nata")]


def test_every_part_has_its_line(blog, lines):
    for act, why in feed.capabilities.cannot.items():
        lines.lacks("moderated", act, why["en"])
    lines.lacks(
        "deleted there", "by its writer", "a feed shows its newest entries; what is no longer among them says nothing"
    )
    lines.check()
