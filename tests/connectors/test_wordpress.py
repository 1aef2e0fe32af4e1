"""What is particular to WordPress: a moderator's list without cursor, edits or deletions, and what is made of it."""

from __future__ import annotations

import json
import os
import random
from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from conftest import NOON
from fakes import wordpress as fake
from tertulia.channels import models as channels
from tertulia.channels.models import Account, Message, Quarantine
from tertulia.connectors.contract import BadPayload, Reconnect, Refused, Retry, Target, Unknown
from tertulia.connectors.wordpress import client, place, texts
from tertulia.connectors.wordpress.comment import Comment
from tertulia.connectors.wordpress.connector import MAX_BYTES, WordPress
from tertulia.core.http import Door
from tertulia.flows import outbound, polling
from tertulia.inbox import acting
from tertulia.inbox.models import Conversation


@pytest.fixture
def blog():
    with fake.running(fake.Blog()) as blog:
        yield blog


@pytest.fixture
def desk(blog):
    return Desk(blog)


class Desk:
    def __init__(self, blog):
        self.blog, self.account = blog, fake.account(blog)
        self.connector, self.cursor = WordPress(Door(total=1.5)), ""

    def read(self):
        """All that is new, as (verb, id, text)."""
        return [(one.verb, int(one.remote_id), one.text) for one in self.envelopes()]

    def envelopes(self):
        told, more = [], True
        while more:
            page = self.connector.fetch(self.account, self.cursor)
            self.cursor, more = page.cursor, page.more
            told += page.envelopes
        return told

    def reply(self, text="Sí", key="key-1", to=1):
        return self.connector.reply(self.account, Target("", remote_id=str(to)), text, key)

    def act(self, act, id, **how):
        return self.connector.act(self.account, act, Target("", remote_id=str(id)), "key", **how)


# Whose thread it is.


def threads(desk):
    return {one.text: one.thread_id for one in desk.envelopes()}


def test_each_person_has_a_thread_of_their_own_under_each_post(blog, desk):
    blog.write("uno", email="ana@correo.example")
    blog.write("dos", email="ANA@correo.example ", name="Ana L.")
    blog.write("tres", email="bea@correo.example", name="Ana")
    blog.write("cuatro", email="ana@correo.example", post=5)
    blog.write("cinco", email="ana@correo.example", author=3)
    found = threads(desk)
    assert found["uno"] == found["dos"]
    assert len({found[text] for text in ("uno", "tres", "cuatro", "cinco")}) == 4
    assert found["cinco"] == "4:user-3"


def test_two_nameless_visitors_of_one_name_are_not_taken_for_one(blog, desk):
    blog.write("uno", name="Anónimo")
    blog.write("dos", name="Anónimo")
    assert threads(desk) == {"uno": "4:comment-1", "dos": "4:comment-2"}


def test_what_we_answer_there_is_in_the_thread_of_the_person_however_deep(blog, desk):
    ana = blog.write("uno", email="ana@correo.example")
    ours = blog.write("dos", author=fake.ME, parent=ana)
    first = threads(desk)
    blog.write("tres", author=fake.ME, parent=ours)  # its parents are on no page that is read now
    for _number in range(place.OVERLAP):
        blog.write("x", email="x@correo.example")
    desk.read()
    deep = blog.write("cuatro", author=fake.ME, parent=ours)
    [envelope] = desk.envelopes()
    assert (envelope.remote_id, envelope.is_ours) == (str(deep), True)
    assert envelope.thread_id == first["uno"] == first["dos"]


def test_our_own_comment_under_a_post_is_a_thread_of_ours(blog, desk):
    blog.write("Abrimos el lunes", author=fake.ME)
    assert threads(desk) == {"Abrimos el lunes": f"4:user-{fake.ME}"}


def test_an_answer_comes_back_with_its_key_and_nobody_else_can_forge_one(blog, desk):
    blog.write("uno", email="ana@correo.example")
    blog.write("dos", email="eva@correo.example", agent="Tertulia/key-1")
    desk.reply(key="key-1")
    assert [one.key for one in desk.envelopes()] == ["", "", "key-1"]


# What a comment says.


def test_a_comment_is_told_with_its_post_as_people_wrote_it(blog, desk):
    raw = "¿Hay &lt;3 &amp; <b>pan</b>?\n\n\n\nGracias &quot;de verdad&quot;"
    blog.write(raw, email="ana@correo.example", status="hold")
    [one] = desk.envelopes()
    assert one.text == '¿Hay <3 & pan?\n\nGracias "de verdad"'
    assert one.html == f"<p>{raw}</p>\n"
    assert (one.about.title, one.about.url) == ("Roscón de Reyes", f"{blog.url}/2026/11/post-4/")
    assert one.hints == {"status": "hold", "post": "4"}
    assert (one.author.name, one.author.email, one.is_automatic) == ("Ana", "ana@correo.example", False)
    assert "_embedded" not in one.raw


def test_spam_is_read_but_nobody_waits_for_an_answer_to_it(blog, desk):
    blog.write("Barato", status="spam")
    assert [one.is_automatic for one in desk.envelopes()] == [True]


def test_a_comment_that_cannot_be_read_holds_up_no_other(blog, desk):
    for text in ("uno", "dos", "tres"):
        blog.write(text)
    shown = blog.shown
    blog.shown = lambda one: {**shown(one), **({"date_gmt": "nunca"} if one["id"] == 2 else {})}
    page = desk.connector.fetch(desk.account, "")
    assert [one.text for one in page.envelopes] == ["uno", "tres"]
    assert [(one.raw["id"], one.why) for one in page.unread] == [(2, texts.NOT_READABLE)]


@pytest.mark.parametrize("id", [True, 0, -1, "3", None, 10**30])
def test_a_number_that_is_none_does_not_lead_the_reading_astray(id):
    item = {"id": id, "post": 4, "content": {"raw": "x"}, "status": "hold", "date_gmt": "2026-11-25T10:00:00"}
    with pytest.raises(ValueError, match="not"):
        Comment.read(item)


# Reading on.


def test_the_first_reading_takes_the_last_week_and_what_still_waits(blog, desk):
    long_ago = blog.now - timedelta(days=30)
    blog.write("vieja", at=long_ago)
    blog.write("vieja y pendiente", at=long_ago, status="hold")
    blog.write("nueva")
    assert [text for _verb, _id, text in desk.read()] == ["vieja y pendiente", "nueva"]
    assert desk.read() == []


def test_of_a_large_blog_the_first_reading_takes_the_newest_two_hundred(blog, desk):
    for number in range(350):
        blog.write(str(number))
    assert [id for _verb, id, _text in desk.read()] == list(range(151, 351))


def test_a_comment_with_an_old_date_that_is_new_is_not_missed_but_left_alone(blog, desk):
    blog.write("uno")
    desk.read()
    blog.write("importada", at=blog.now - timedelta(days=900))
    blog.write("programada", at=blog.now - timedelta(days=2))
    assert [text for _verb, _id, text in desk.read()] == ["programada"]


def test_numbers_that_arrive_late_are_read(blog, desk):
    """Databases with several masters give numbers that are not in order."""
    blog.write("uno")
    late = blog.write("dos")
    two = blog.comments.pop(late)
    blog.write("tres")
    assert len(desk.read()) == 2
    blog.comments = {1: blog.comments[1], 2: two, 3: blog.comments[3]}
    assert desk.read() == [("created", 2, "dos")]


def test_what_is_approved_later_is_told_once_and_says_what_it_said(blog, desk):
    blog.write("uno", status="hold")
    assert [one.hints["status"] for one in desk.envelopes()] == ["hold"]
    for status in ("approved", "spam", "hold", "approved"):
        blog.comments[1]["status"] = status
        [judged] = desk.envelopes()
        assert (judged.verb, judged.text, judged.hints["status"]) == ("judged", "uno", status)
        assert judged.changed_at > judged.sent_at
        assert desk.read() == []


def test_an_unknown_state_is_like_being_there(blog, desk):
    blog.write("uno")
    desk.read()
    blog.comments[1]["status"] = "de-un-complemento"
    assert desk.read() == []


def test_an_old_comment_is_none_of_ours_however_it_is_judged(blog, desk):
    blog.write("viejo", at=datetime.now(UTC) - timedelta(days=60))
    assert desk.read() == []
    blog.comments[1]["status"] = "spam"
    assert desk.read() == []


def test_what_was_edited_and_judged_at_once_is_told_as_edited(blog, desk):
    blog.write("uno", status="hold")
    desk.read()
    blog.edit(1, "dos")
    blog.comments[1]["status"] = "approved"
    [edited] = desk.envelopes()
    assert (edited.verb, edited.text, edited.hints["status"]) == ("edited", "dos", "approved")


def test_an_edit_is_told_with_a_moment_of_its_own(blog, desk):
    blog.write("uno")
    desk.read()
    blog.edit(1, "dos")
    [edited] = desk.envelopes()
    assert (edited.verb, edited.text) == ("edited", "dos")
    assert edited.changed_at > edited.sent_at
    blog.edit(1, "tres")
    [again] = desk.envelopes()
    assert again.changed_at > edited.changed_at


def test_what_is_thrown_away_unseen_is_told_only_when_it_is_brought_back(blog, desk):
    blog.write("uno", status="trash")
    assert desk.read() == []
    blog.comments[1]["status"] = "approved"
    assert desk.read() == [("created", 1, "uno")]


def test_what_goes_to_the_trash_is_told_as_deleted_once(blog, desk):
    blog.write("uno")
    desk.read()
    blog.comments[1]["status"] = "trash"
    assert desk.read() == [("deleted", 1, "uno")]
    blog.delete(1)
    assert desk.read() == []


def test_a_deletion_is_told_once_and_only_of_what_was_told(blog, desk):
    for text in ("uno", "dos", "tres"):
        blog.write(text)
    blog.write("cuatro", status="trash")
    desk.read()
    for id in (2, 3, 4):
        blog.delete(id)
    assert desk.read() == [("deleted", 2, ""), ("deleted", 3, "")]
    assert desk.read() == []
    blog.delete(1)
    assert desk.read() == [("deleted", 1, "")]


def test_what_is_hidden_from_us_is_not_taken_for_deleted(blog, desk):
    for text in ("uno", "dos", "tres"):
        blog.write(text)
    desk.read()
    blog.hidden = {2}
    assert desk.read() == []
    blog.hidden = set()
    blog.delete(2)
    assert desk.read() == [("deleted", 2, "")]


def test_of_what_a_count_lacks_the_deleted_and_the_thrown_away_are_gone(blog, desk):
    for text in ("uno", "dos", "tres"):
        blog.write(text)
    blog.delete(1)
    desk.act("remove", 2)
    missing = [Target("", str(id)) for id in (1, 2, 3)]
    assert set(desk.connector.gone(desk.account, missing)) == {"1", "2"}
    blog.hidden = {3}
    assert set(desk.connector.gone(desk.account, missing)) == {"2"}


def test_nothing_is_skipped_when_many_are_deleted_before_new_ones_come(blog, desk):
    for number in range(400):
        blog.write(str(number))
    desk.read()
    for id in range(210, 390):
        blog.delete(id)
    new = [blog.write(f"nueva {number}") for number in range(150)]
    told = desk.read()
    for _sweep in range(6):
        told += desk.read()
    assert [id for verb, id, _text in told if verb == "created"] == new
    assert {id for verb, id, _text in told if verb == "deleted"} == set(range(210, 390))


def test_older_comments_are_looked_at_in_turn_and_the_cursor_rests_when_there_are_few(blog, desk):
    for number in range(40):
        blog.write(str(number))
    desk.read()
    before = desk.cursor
    assert (desk.read(), desk.cursor == before) == ([], True)
    for number in range(400):
        blog.write(str(number))
    desk.read()
    for id in (1, 100, 200, 300):
        blog.edit(id, "corregida")
    found = [one for _reading in range(6) for one in desk.read()]
    assert sorted(id for _verb, id, _text in found) == [1, 100, 200, 300]


def test_the_cursor_stays_small_and_survives_being_written_down():
    seen = {id * 7: "aB3/+" for id in range(1, 6_000)}
    now = datetime(2026, 11, 25, tzinfo=UTC)
    here = place.Place(since=now, changed_at=now, count=9, sweep=3, seen=seen)
    here.end(client.Listing([], [], 0, 12))
    text = str(here)
    assert len(text) < 36_000
    assert place.Place.read(text) == here
    assert (len(here.seen), max(here.seen), here.count) == (place.WATCHED, 41_993, 12)


def test_what_stands_there_from_a_time_is_read_again_page_by_page(blog, desk):
    begin = blog.now
    for number in range(250):
        blog.write(str(number), status="trash" if number == 7 else "approved")
    since, until = begin + timedelta(seconds=3), begin + timedelta(seconds=249)
    found, cursor, more = [], "", True
    while more:
        page = desk.connector.reread(desk.account, since, until, cursor)
        cursor, more = page.cursor, page.more
        found += [int(one.remote_id) for one in page.envelopes]
        if len(found) < 100:
            blog.delete(50)  # everything after it moves up by one while it is being read
    assert found == [id for id in range(3, 250) if id != 8]


# Where the blog is.


@pytest.mark.parametrize(
    ("typed", "home"),
    [
        ("https://blog.example", "https://blog.example/"),
        (" blog.example/ ", "https://blog.example/"),
        ("https://www.example.com/blog", "https://www.example.com/blog/"),
        ("https://www.example.com/blog/wp-admin/edit-comments.php?x=1#y", "https://www.example.com/blog/"),
        ("https://blog.example/wp-json/", "https://blog.example/"),
        ("https://blog.example/?rest_route=/", "https://blog.example/"),
        ("https://blog.example:8443/index.php/2026/", "https://blog.example:8443/"),
        ("http://127.0.0.1:8088", "http://127.0.0.1:8088/"),
    ],
)
def test_whatever_page_of_the_blog_was_pasted_its_home_is_found(typed, home):
    assert client.home(typed) == home


@pytest.mark.parametrize("typed", ["http://blog.example", "ftp://blog.example", "https://[x"])
def test_a_password_travels_over_nothing_but_https(typed):
    with pytest.raises(Refused):
        client.home(typed)


def test_a_blog_in_a_folder_is_read_there():
    with fake.running(fake.Blog(path="/blog/")) as blog:
        blog.write("uno")
        assert Desk(blog).read() == [("created", 1, "uno")]


# What answers mean.


def test_who_we_are_and_what_we_may_is_told(blog, desk):
    health = desk.connector.check(desk.account)
    assert (health.is_ok, health.facts, list(health.scopes)) == (True, {"user_id": 7, "user_name": "Alba"}, ["editor"])
    blog.moderates = False
    assert desk.connector.check(desk.account).says == texts.NOT_A_MODERATOR


@pytest.mark.parametrize(
    ("fault", "outcome", "why"),
    [
        ("301", Reconnect, texts.MOVED),
        ("401", Reconnect, texts.WRONG_PAIR),
        ("403", Reconnect, texts.SHUT_OUT),
        ("404", Reconnect, texts.NO_WORDPRESS),
        ("429", Retry, texts.TOO_MANY),
        ("500", Retry, texts.TROUBLE),
        ("504", Retry, texts.TROUBLE),
        ("html", Retry, texts.NO_DATA),
    ],
)
def test_a_reading_that_fails_says_what_to_do(blog, desk, fault, outcome, why):
    blog.reading_faults.append(fault)
    with pytest.raises(outcome) as ended:
        desk.read()
    assert ended.value.why == why


@pytest.mark.parametrize(("fault", "outcome"), [("504", Unknown), ("524", Unknown), ("408", Retry), ("302", Reconnect)])
def test_an_answer_that_fails_in_between_is_not_taken_for_sent_nor_for_unsent(blog, desk, fault, outcome):
    blog.write("uno")
    blog.faults.append(fault)
    with pytest.raises(outcome):
        desk.reply()
    assert blog.posts == []


def test_a_wrong_password_reads_nothing_instead_of_what_visitors_see(blog, desk):
    blog.write("uno")
    desk.account.secrets["password"] = "otra"
    with pytest.raises(Reconnect):
        desk.read()


def test_a_user_who_may_not_moderate_reads_nothing(blog, desk):
    blog.moderates = False
    with pytest.raises(Reconnect) as ended:
        desk.read()
    assert ended.value.why == texts.NOT_A_MODERATOR


def test_an_answer_that_is_no_list_is_refused(blog, desk):
    blog.list = lambda asked: ({"a": 1}, 1)
    with pytest.raises(BadPayload):
        desk.read()


def test_a_date_in_retry_after_is_understood(blog, desk):
    assert client._wait("90") == timedelta(seconds=90)
    assert client._wait("Wed, 21 Oct 2015 07:28:00 GMT") == timedelta()
    assert client._wait("Wed, 21 Oct 2115 07:28:00 GMT") == timedelta(days=1)
    assert client._wait("pronto") == timedelta(minutes=1)


# Answering and moderating.


def test_an_answer_is_text_even_where_html_would_run(blog, desk):
    blog.write("uno")
    desk.reply("1 < 2 & <script>alert(1)</script>")
    assert blog.posts[0]["raw"] == "1 &lt; 2 &amp; &lt;script&gt;alert(1)&lt;/script&gt;"
    assert desk.envelopes()[-1].text == "1 < 2 & <script>alert(1)</script>"


def test_its_length_is_counted_in_the_bytes_that_are_stored(desk):
    assert desk.connector.text_length(desk.account, "año <3") == len(b"a\xc3\xb1o &lt;3")
    assert desk.connector.longest_text(desk.account) == MAX_BYTES


@pytest.mark.parametrize(("status", "why"), [("hold", texts.IS_HELD), ("spam", texts.IS_HIDDEN)])
def test_what_is_not_on_the_page_is_not_answered(blog, desk, status, why):
    blog.write("uno", status=status)
    with pytest.raises(Refused) as ended:
        desk.reply()
    assert (ended.value.why, blog.posts) == (why, [])


def test_what_is_gone_is_not_answered(blog, desk):
    with pytest.raises(Refused) as ended:
        desk.reply(to=1)
    assert ended.value.why == texts.GONE


def test_an_answer_that_was_sent_before_is_recognised_by_its_key(blog, desk):
    blog.write("uno")
    blog.faults.append("accept_then_cut")
    with pytest.raises(Unknown):
        desk.reply(key="key-1")
    again = desk.reply(key="key-1")
    assert (len(blog.posts), again) == (1, desk.connector.find(desk.account, "key-1"))
    with pytest.raises(Refused) as ended:
        desk.reply(key="key-2")
    assert (ended.value.why, len(blog.posts)) == (texts.SAID_ALREADY, 1)


def test_an_older_answer_is_found_among_many(blog, desk):
    blog.write("uno")
    receipt = desk.reply(key="key-1")
    for number in range(130):
        blog.write(str(number), author=fake.ME)
    assert desk.connector.find(desk.account, "key-1") == receipt


def test_an_answer_that_a_filter_holds_back_is_approved(blog, desk):
    blog.write("uno")
    blog.holds_ours = True
    desk.reply()
    assert [one["status"] for one in blog.posts] == ["approved"]


def test_an_answer_that_is_held_back_is_approved_on_the_next_try(blog, desk):
    blog.write("uno")
    blog.holds_ours = True
    blog.faults.extend(["", "500"])
    with pytest.raises(Retry):
        desk.reply()
    desk.reply()
    assert [one["status"] for one in blog.posts] == ["approved"]


def test_moderation_leaves_the_writers_address_alone(blog, desk):
    blog.write("uno", status="hold")
    desk.act("approve", 1)
    assert [blog.comments[1][name] for name in ("status", "author_ip", "agent")] == [
        "approved", "198.51.100.9", "Navegador/1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [("spam", "approved", "approved"), ("spam", "hold", "hold"), ("remove", "approved", "approved")],
)
def test_what_is_brought_back_is_what_it_was_however_often(blog, desk, act, before, after):
    blog.write("uno", status=before)
    for undo in (False, False, True, True):
        desk.act(act, 1, undo=undo)
    assert (blog.comments[1]["status"], blog.acts) == (after, [(act, False), (act, True)])


@pytest.mark.parametrize(
    ("act", "became", "back"),
    [("approve", "approved", "hold"), ("hold", "hold", "approved"), ("spam", "spam", "hold"),
     ("remove", "trash", "hold")],
)  # fmt: skip
def test_an_act_tells_how_the_comment_stands_then(blog, desk, act, became, back):
    blog.write("uno", status="hold")
    for undo, status in ((False, became), (False, became), (True, back), (True, back)):
        assert desk.act(act, 1, undo=undo).hints == {"status": status}


def test_without_a_trash_nothing_is_removed(blog, desk):
    blog.write("uno")
    blog.has_trash = False
    with pytest.raises(Refused):
        desk.act("remove", 1)
    assert blog.comments[1]["status"] == "approved"


def test_deleting_twice_is_deleting_once(blog, desk):
    blog.write("uno", author=fake.ME)
    for _time in range(2):
        desk.act("delete", 1)
    assert (blog.comments, blog.acts) == ({}, [("delete", False)])


# The whole way, over a bad line.

FAULTS = ["429", "500", "503", "cut_before", "html_502", "html"]


def account_on(brand, blog: fake.Blog) -> Account:
    return Account.objects.create(
        brand=brand, kind="wordpress", name="Blog", created_at=NOON, next_poll_at=NOON,
        settings={"url": blog.url, "user": fake.USER}, secrets={"password": fake.PASSWORD},
    )  # fmt: skip


def scenario(count: int, brand, rng: random.Random) -> tuple[Account, fake.Blog]:
    """So many comments, written, edited and deleted while the reader comes and goes."""
    with fake.running(fake.Blog()) as blog:
        account = account_on(brand, blog)
        at, written = NOON, 0
        polling.run_due(at)
        while written < count:
            away = rng.random() < 0.1  # three days of it
            burst = min(count // 8 if away else rng.randint(1, count // 10), count - written)
            for _number in range(burst):
                write(blog, rng)
            written += burst
            newest = sorted(blog.comments)[-1500:]
            for id in rng.sample(newest, len(newest) // 20):
                blog.edit(id, f"Corregido {rng.random()}")
            answered = {one["parent"] for one in blog.comments.values()}
            for id in rng.sample(newest, len(newest) // 20):
                blog.comments[id]["status"] = rng.choice(("approved", "hold", "spam"))
            for id in rng.sample(newest, len(newest) // 50):
                if id not in answered:
                    blog.delete(id)
            blog.reading_faults = deque(rng.choice(FAULTS) for _number in range(rng.randrange(4)))
            at += timedelta(days=3) if away else timedelta(minutes=16)
            for _reading in range(max(rng.randint(1, 4), burst // 25)):  # one a minute
                at += timedelta(minutes=16)
                polling.run_due(at)
        blog.reading_faults.clear()
        for _reading in range(3 + min(place.WATCHED, count) // 99):
            at += timedelta(minutes=16)
            polling.run_due(at)
    return account, blog


def write(blog: fake.Blog, rng: random.Random) -> None:
    post, status = rng.choice((4, 5)), rng.choice(("approved", "approved", "hold", "spam"))
    if rng.random() < 0.1 and (theirs := [one for one in list(blog.comments.values())[-50:] if one["author"] == 0]):
        parent = rng.choice(theirs)
        blog.write("Contestado en el blog", author=fake.ME, name="Alba", parent=parent["id"], post=parent["post"])
    else:
        email = f"p{rng.randrange(40)}@correo.example"
        blog.write(f"Pregunta {rng.random()}", email=email, post=post, status=status)


def person(blog: fake.Blog, one: dict) -> tuple[int, str]:
    writer = blog.comments[one["parent"]] if one["author"] == fake.ME else one
    return one["post"], writer["author_email"]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [2_000, *([20_000] if os.environ.get("TERTULIA_LAB") == "1" else [])])
def test_every_comment_is_shown_once_in_its_last_state(brand, monkeypatch, count):
    monkeypatch.setattr(channels, "http", Door(total=5))
    account, blog = scenario(count, brand, random.Random(count))
    shown = Message.objects.filter(account=account).values_list("remote_id", "thread_id", "text", "deleted_at")
    here = {int(id): (thread, text) for id, thread, text, deleted in shown if deleted is None}
    assert (len(here), Quarantine.objects.count()) == (len(blog.comments), 0)
    assert {id: text for id, (_thread, text) in here.items()} == {id: one["raw"] for id, one in blog.comments.items()}
    assert len({int(id) for id, *_ in shown}) == len(shown)
    stands = Message.objects.filter(account=account, deleted_at=None).values_list("remote_id", "hints__status")
    assert {int(id): status for id, status in stands} == {id: one["status"] for id, one in blog.comments.items()}
    talks = {(here[id][0], person(blog, one)) for id, one in blog.comments.items()}
    assert len(talks) == len({thread for thread, _who in talks}) == len({who for _thread, who in talks})
    assert set(Conversation.objects.values_list("thread_id", flat=True)) >= {thread for thread, _who in talks}
    assert json.loads(Account.objects.get(pk=account.pk).cursor)["count"] == len(blog.comments)


# How a comment stands, on the desk.


@pytest.mark.django_db
def test_the_thread_says_how_a_comment_stands_and_follow_it(brand, alba, as_alba, monkeypatch, blog):
    monkeypatch.setattr(channels, "http", Door(total=5))
    account_on(brand, blog)
    blog.write("¿Lleva almendra?", email="ana@correo.example", status="hold")
    at = NOON

    def look(wait=timedelta(minutes=2)):
        nonlocal at
        at += wait
        polling.run_due(at)
        outbound.run_due(at)
        conversation = Conversation.objects.get()
        page = as_alba.get(f"/b/horno-candela/inbox/{conversation.pk}/", headers={"Accept-Language": "es"})
        [message] = Message.objects.all()
        return page.content.decode().partition('class="message__head"')[2].partition("</div>")[0], message

    head, message = look()
    assert "pendiente de aprobación" in head
    blog.comments[1]["status"] = "approved"
    head, message = look()
    assert "<span>aprobado</span>" in head
    assert (message.edited_at, message.versions.count()) == (None, 0)
    acting.act(message=message, act="hold", by=alba, at=at)
    outbound.run_due(at)
    assert Message.objects.get().hints == {"status": "hold", "post": "4"}
    head, message = look()
    assert "pendiente de aprobación" in head
    acting.act(message=message, act="remove", because="Spam", by=alba, at=at)
    head, message = look()
    assert "aprob" not in head
    assert message.deleted_at
