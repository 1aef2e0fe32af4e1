"""What is particular to Mastodon: talks, counting, cursors over gaps, edits and deletions, odd servers, signing in."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from fakes.mastodon import ME, QUESTION, TOKEN, Server, account, running
from tertulia.channels import models as channels
from tertulia.channels.models import Account, Message
from tertulia.connectors.contract import (
    Draft,
    Envelope,
    Page,
    Picture,
    Reconnect,
    Refused,
    Retry,
    StillAtIt,
    Target,
    Unknown,
    Unsupported,
)
from tertulia.connectors.mastodon import counting, publishing, texts
from tertulia.connectors.mastodon.client import lasting, root, wait
from tertulia.connectors.mastodon.connector import Mastodon
from tertulia.connectors.mastodon.places import Place
from tertulia.connectors.mastodon.reading import plain
from tertulia.core.http import Answer, Door
from tertulia.flows import polling
from tertulia.flows.reconcile import reconcile
from tertulia.inbox.models import Conversation


@pytest.fixture
def server():
    with running() as server:
        yield server


@pytest.fixture
def connector() -> Mastodon:
    return Mastodon(Door(total=1.5))


class Reading:
    """Reads on and on; `known` is the last that was heard of each message."""

    def __init__(self, server: Server) -> None:
        self.connector, self.account = Mastodon(Door(total=1.5)), account(server)
        self.cursor, self.known = "", dict[str, Envelope]()

    def on(self) -> list[Envelope]:
        news: list[Envelope] = []
        page = Page((), self.cursor, more=True)
        while page.more:
            page = self.connector.fetch(self.account, page.cursor)
            assert not page.unread
            assert [one.sent_at for one in page.envelopes] == sorted(one.sent_at for one in page.envelopes)
            news += page.envelopes
        self.cursor = page.cursor
        self.known |= {one.remote_id: one for one in news}
        return news


# Talks.


def test_each_person_under_one_post_is_a_talk_of_their_own_our_answers_included(server):
    post = server.write(ME, "Pan de pueblo, hoy")
    ana = server.write("ana", "@tienda ¿Queda?", to=post["id"])
    luis = server.write("luis", "@tienda ¿Y de centeno?", to=post["id"])
    ours = server.write(ME, "@ana Sí", to=ana["id"])
    more = server.write(ME, "@ana y de nueces", to=ours["id"])
    again = server.write("ana", "@tienda ¡Voy!", to=more["id"])
    reading = Reading(server)
    reading.on()
    threads = {id: one.thread_id for id, one in reading.known.items()}
    with_ana = f"{post['id']}:ana"
    assert threads == {
        ana["id"]: with_ana,
        luis["id"]: f"{post['id']}:luis",
        ours["id"]: with_ana,
        more["id"]: with_ana,
        again["id"]: with_ana,
    }
    assert {one.kind for one in reading.known.values()} == {"comment"}
    assert {id for id, one in reading.known.items() if one.is_ours} == {ours["id"], more["id"]}
    assert reading.known[again["id"]].about.text == "Pan de pueblo, hoy"
    assert reading.known[more["id"]].hints["acct"] == "ana"


def test_what_is_written_elsewhere_is_a_mention_and_its_talk_begins_at_the_top(server):
    top = server.write("carmen", "Busco pan")
    middle = server.write("luis", "Yo también", to=top["id"])
    mention = server.write("ana", "Id a @tienda", to=middle["id"])
    (found,) = Reading(server).on()
    assert (found.remote_id, found.kind, found.thread_id) == (mention["id"], "mention", f"{top['id']}:ana")
    assert found.about.remote_id == top["id"]


def test_direct_messages_are_one_talk_for_each_person_whoever_began(server):
    server.write("ana", "@tienda una cosa", visibility="direct")
    server.write(ME, "@ana dime", visibility="direct", mentions=[{"id": "ana", "acct": "ana"}])
    server.write("luis", "@tienda otra", visibility="direct")
    found = Reading(server).on()
    assert [(one.thread_id, one.kind, one.is_ours) for one in found] == [
        ("direct:ana", "direct", False),
        ("direct:ana", "direct", True),
        ("direct:luis", "direct", False),
    ]
    assert all(one.about is None and one.cannot == {"boost": "private"} for one in found)


def test_a_talk_whose_top_is_gone_or_hidden_still_has_one_name(server):
    for text in ("@tienda uno", "@tienda dos"):
        status = server.write("ana", text)
        status["in_reply_to_id"] = "hidden-1"
    found = Reading(server).on()
    assert {one.thread_id for one in found} == {"hidden-1:ana"}


def test_posts_of_ours_that_speak_to_nobody_and_boosts_are_no_messages(server):
    post = server.write(ME, "Pan de pueblo")
    server.write(ME, "y de centeno", to=post["id"])
    server.write(ME, "", reblog={"id": "77"})
    assert Reading(server).on() == []


def test_a_branch_is_asked_for_once_in_a_reading(server):
    top = server.write("carmen", "Busco pan")
    for number in range(40):
        server.write("ana", f"Id a @tienda {number}", to=top["id"])
    assert len(Reading(server).on()) == 40
    assert len([one for one in server.requests if one.endswith("/context")]) == 1


def test_what_the_policy_holds_back_is_read_with_the_rest_and_marked(server):
    server.holds_back.add("eva")
    server.write("eva", "@tienda soy nueva")
    server.write("ana", "@tienda yo no")
    held, plain_one = Reading(server).on()
    assert (held.text, held.hints["held"]) == ("@tienda soy nueva", "yes")
    assert "held" not in plain_one.hints


def test_a_quote_is_a_mention_about_what_it_quotes(server):
    post = server.write(ME, "Pan de pueblo")
    quote = server.write("luis", "El mejor", quote={"state": "accepted", "quoted_status": post})
    server.tell("quote", "luis", quote)
    found = Reading(server).on()
    assert [(one.remote_id, one.kind, one.about.remote_id) for one in found] == [(quote["id"], "mention", post["id"])]


def test_applause_and_kinds_nobody_knows_yet_are_passed_over(server):
    post = server.write(ME, "Pan de pueblo")
    for kind in ("favourite", "reblog", "follow", "severed_relationships", "annual_report"):
        server.tell(kind, "ana", post)
    assert Reading(server).on() == []


def test_a_mention_nobody_can_read_is_set_aside_and_holds_up_no_other(server, connector):
    server.write("ana", "@tienda Hola")
    server.tell("mention", "luis", None)
    server.write("luis", "@tienda Adiós")["created_at"] = "ayer"
    page = connector.fetch(account(server), "")
    assert [one.text for one in page.envelopes] == ["@tienda Hola"]
    assert len(page.unread) == 2


def test_a_program_says_that_it_is_one_and_files_come_with_their_description(server):
    picture = {"id": "1", "type": "image", "url": "https://files.example/pan%20roto.jpg", "description": "Un pan"}
    server.write("bot-news", "@tienda Noticias", media_attachments=[picture], spoiler_text="Prensa")
    (found,) = Reading(server).on()
    assert (found.is_automatic, found.subject) == (True, "Prensa")
    assert found.attachments == [
        {"name": "pan roto.jpg", "type": "image/jpeg", "alt": "Un pan", "url": "https://files.example/pan%20roto.jpg"}
    ]


# Time and gaps.


def test_the_first_reading_takes_a_week_or_two_hundred(server):
    server.start = datetime.now(UTC) - timedelta(days=9)
    server.write("ana", "@tienda hace nueve días")
    server.write(ME, "@ana claro", mentions=[{"id": "ana", "acct": "ana"}])
    server.start = datetime.now(UTC) - timedelta(days=1)
    for number in range(300):
        server.write("ana", f"@tienda {number}")
    found = Reading(server).on()
    assert 200 <= len(found) <= 280
    assert found[-1].text == "@tienda 299"
    assert all("nueve" not in one.text for one in found)


def test_any_gap_is_closed_from_the_oldest_on(server):
    reading = Reading(server)
    assert reading.on() == []
    for number in range(250):
        server.write("ana", f"@tienda {number}")
    assert [one.text for one in reading.on()] == [f"@tienda {number}" for number in range(250)]
    assert reading.on() == []


def test_a_cursor_nobody_can_read_begins_anew(server, connector):
    server.write("ana", "@tienda Hola")
    for cursor in ("{", "[]", '{"other": 1}', "null"):
        assert len(connector.fetch(account(server), cursor).envelopes) == 1


@pytest.mark.parametrize("is_old", [False, True])
def test_edits_and_deletions_are_seen_by_looking_again(server, is_old):
    server.is_old = is_old
    reading = Reading(server)
    ids = [server.write("ana", f"@tienda {number}")["id"] for number in range(12)]
    reading.on()
    server.edit(ids[3], "@tienda corregido")
    server.delete(ids[8])
    for _again in range(4):
        reading.on()
    edited, gone = reading.known[ids[3]], reading.known[ids[8]]
    assert (edited.verb, edited.text, edited.changed_at > edited.sent_at) == ("edited", "@tienda corregido", True)
    assert (gone.verb, gone.thread_id) == ("deleted", f"{ids[8]}:ana")
    assert [one.verb for id, one in reading.known.items() if id not in (ids[3], ids[8])] == ["created"] * 10
    assert reading.on() == []


def test_looking_again_comes_round_to_every_watched_message(server):
    reading = Reading(server)
    first = server.write("ana", "@tienda la primera")["id"]
    for number in range(200):
        server.write("luis", f"@tienda {number}")
    reading.on()
    server.delete(first)
    for _again in range(12):
        reading.on()
    assert reading.known[first].verb == "deleted"


def test_what_somebody_wrote_who_blocks_us_now_is_not_taken_for_deleted(server):
    reading = Reading(server)
    for who in ("ana", "luis"):
        server.write(who, "@tienda Hola")
    reading.on()
    server.blocked_by.add("ana")
    assert reading.on() == []


@pytest.mark.parametrize("is_old", [False, True])
def test_of_what_a_count_lacks_only_the_deleted_is_gone(server, connector, is_old):
    server.is_old = is_old
    stands, gone, hidden = (server.write(who, "@tienda Hola")["id"] for who in ("ana", "luis", "eva"))
    server.notices.clear()
    server.delete(gone)
    server.blocked_by.add("eva")
    missing = [Target("", id, who) for id, who in ((stands, "ana"), (gone, "luis"), (hidden, "eva"))]
    assert list(connector.gone(account(server), missing)) == [gone]


def test_a_server_in_trouble_deletes_nothing(server):
    reading = Reading(server)
    server.write("ana", "@tienda Hola")
    reading.on()

    class Broken(Door):
        def request(self, method, url, **said):
            answer = super().request(method, url, **said)
            return (
                Answer(404, {}, b"<html>Maintenance</html>") if "/statuses" in url and "accounts" not in url else answer
            )

    reading.connector = Mastodon(Broken())
    with pytest.raises(Retry):
        reading.on()


def test_the_watch_keeps_to_its_size_and_to_the_latest():
    place = Place()
    begin = datetime(2026, 11, 23, tzinfo=UTC)
    for number in range(300):
        place.watch[str(number)] = [(begin + timedelta(minutes=number)).isoformat(), "", "t"]
    place.trim()
    assert (len(place.watch), min(map(int, place.watch))) == (240, 60)
    turns = []
    for place.turn in range(11):
        turns += place.due(20)[20:]
    assert sorted(map(int, turns)) == list(range(60, 280))
    assert len(place.write()) < 20_000


def test_a_day_is_read_again_whole_whatever_the_cursor(server, connector):
    ids = [server.write("ana", f"@tienda {number}")["id"] for number in range(120)]
    ours = server.write(ME, "@ana sí", to=ids[5])["id"]
    server.edit(ids[7], "@tienda corregido")
    server.delete(ids[9])
    since, until = server.start, server.start + timedelta(days=1)
    found: dict[str, Envelope] = {}
    page = Page((), "", more=True)
    while page.more:
        page = connector.reread(account(server), since, until, page.cursor)
        found |= {one.remote_id: one for one in page.envelopes}
    assert set(found) == {*ids, ours} - {ids[9]}
    assert found[ids[7]].text == "@tienda corregido"
    assert found[ours].thread_id == f"{ids[5]}:ana"
    assert not connector.reread(account(server), since, since, "").envelopes


# Answers.


@pytest.mark.parametrize(
    ("acct", "text", "sent"),
    [
        ("ana", "Hola", "@ana Hola"),
        ("ana", "Hola, @ANA.", "Hola, @ANA."),
        ("ana", "Hola, @anabel", "@ana Hola, @anabel"),
        ("ana", "Hola, @ana@otro.test", "@ana Hola, @ana@otro.test"),
        ("ana@otro.test", "Hola, @ana", "@ana@otro.test Hola, @ana"),
        ("ana@otro.test", "@ana@otro.test hola", "@ana@otro.test hola"),
        ("ana", "correo@ana.example", "@ana correo@ana.example"),
        ("", "Hola", "Hola"),
    ],
)
def test_an_answer_names_the_person_once(server, connector, acct, text, sent):
    connector.reply(account(server), Target("t", hints={"acct": acct, "visibility": "public"}), text, "key")
    assert server.posts[0]["content"] == f"<p>{sent}</p>"


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private", "direct"])
def test_an_answer_is_never_wider_and_keeps_the_warning(server, connector, visibility):
    asked = server.write("ana", "@tienda ¿?", visibility=visibility, spoiler_text="Pan")
    (found,) = Reading(server).on()
    to = Target(found.thread_id, found.remote_id, found.author.remote_id, hints=found.hints)
    receipt = connector.reply(account(server), to, "Sí", "key")
    (post,) = server.posts
    assert (post["visibility"], post["spoiler_text"], post["in_reply_to_id"]) == (visibility, "Pan", asked["id"])
    assert (receipt.remote_id, receipt.url) == (post["id"], post["url"])
    (echo,) = [one for one in Reading(server).on() if one.is_ours]
    assert (echo.remote_id, echo.thread_id) == (receipt.remote_id, found.thread_id)


def test_an_answer_to_something_unknown_is_for_the_person_alone(server, connector):
    connector.reply(account(server), Target("t"), "Hola", "key")
    assert server.posts[0]["visibility"] == "direct"


def test_the_servers_own_limit_counts_the_name_and_the_warning(server, connector):
    server.max_text = 1000
    known = account(server)
    known.settings |= connector.check(known).facts
    assert connector.longest_text(known) == 1000
    connector.reply(known, QUESTION, "x" * 995, "key-1")
    with pytest.raises(Refused, match=texts.TOO_LONG):
        connector.reply(known, QUESTION, "x" * 996, "key-2")
    assert len(server.posts) == 1


def test_what_a_key_has_made_is_found_by_the_key_and_looking_makes_nothing(server, connector):
    one = connector.reply(account(server), QUESTION, "Gracias", "key-1")
    two = connector.reply(account(server), QUESTION, "Gracias", "key-2")
    assert connector.find(account(server), "key-1") == one
    assert connector.find(account(server), "key-2") == two
    assert connector.find(account(server), "key-3") is None
    assert len(server.posts) == 2


def test_a_server_that_knows_no_keys_is_never_asked_with_an_empty_text(server, connector):
    server.knows_keys = False
    with pytest.raises(Unknown):
        connector.find(account(server), "key-1")
    assert [one for one in server.requests if one.startswith("POST")] == []


@pytest.mark.parametrize(
    ("version", "knows_keys"),
    [
        ("4.6.0", True),
        ("4.3.1+glitch", True),
        ("10.0.0", True),
        ("0.17.3+git-1", False),
        ("2.7.2 (compatible; Pleroma 2.6.0)", False),
        ("4.0.0 (not true; really snac/2.96)", False),
        ("", False),
    ],
)
def test_only_mastodon_itself_is_trusted_with_looking(version, knows_keys):
    class Said:
        def request(self, method, url, **said):
            body = {"id": "1", "version": version} if "instance" not in url or "v1" in url else None
            return Answer(200 if body else 404, {}, json.dumps(body).encode())

    here = SimpleNamespace(id=1, settings={"server": "https://s.example"}, secrets={"token": "t"})
    facts = Mastodon(Said()).check(here).facts
    assert (facts["knows_keys"], facts["max_text"], facts["url_length"]) == (knows_keys, 500, 23)


def test_a_report_tells_who_what_and_why(server, connector):
    connector.act(account(server), "report", QUESTION, "key", because="Insulta a otra clienta")
    assert server.reports == [
        {"account_id": "ana", "status_ids[]": "1001", "comment": "Insulta a otra clienta", "category": "other"}
    ]


def test_deleting_what_is_gone_already_is_done_and_liking_it_is_refused(server, connector):
    gone = Target("t", remote_id="9999", is_ours=True)
    assert connector.act(account(server), "delete", gone, "key").remote_id == "9999"
    with pytest.raises(Refused, match=texts.GONE):
        connector.act(account(server), "like", gone, "key")
    with pytest.raises(Unsupported):
        connector.act(account(server), "pin", gone, "key")


# Counting.


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Hola", 4),
        ("a\u0301e\u0308", 2),
        ("👨‍👩‍👧‍👦", 1),
        ("👍🏽", 1),
        ("🇪🇸🇲🇽", 2),
        ("🏴󠁧󠁢󠁷󠁬󠁳󠁿", 1),
        ("❤️ y 1️⃣", 5),
        ("각", 1),
        ("a\r\nb", 3),
        ("https://ejemplo.es/una/direccion/muy/larga?con=cosas#y", 23),
        ("Mira https://a.es.", 5 + 23 + 1),
        ("(http://a.es)", 25),
        ("ftp://a.es", 10),
        ("@ana@otro.example hola", 9),
        ("@ana hola", 9),
        ("correo@otro.example", 19),
    ],
)
def test_a_text_is_as_long_as_the_server_counts_it(text, length):
    assert counting.length(text) == length


def test_an_address_counts_what_the_server_says():
    assert counting.length("https://ejemplo.es/", url_length=32) == 32


# Texts.


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Uno<br>dos</p><p>tres</p>", "Uno\ndos\n\ntres"),
        (
            '<p><a href="https://a.es/b"><span class="invisible">https://</span><span class="ellipsis">a.es/</span>'
            '<span class="invisible">b</span></a></p>',
            "https://a.es/b",
        ),
        ('<p class="quote-inline">RE: https://a.es</p><p>El mejor</p>', "El mejor"),
        ("Hola &amp; adi&oacute;s &lt;b&gt;<br>", "Hola & adiós <b>"),
        ("<ul><li>uno</li><li>dos</li></ul>", "uno\ndos"),
        ("<script>alert(1)</script>Hola", "Hola"),
        ("<p>" * 5000 + "hondo", "hondo"),
        ("a < b", "a < b"),
    ],
)
def test_the_plain_text_is_what_a_reader_sees(html, text):
    assert plain(html) == text


@pytest.mark.parametrize(("read", "text"), [(plain, " " * 1_000_000 + "x"), (counting.length, "@" + "a" * 1_000_000)])
def test_a_megabyte_of_one_sign_is_gone_through_once(read, text):
    """Gone through anew at every sign, this would never end."""
    assert read(text)


# Servers and outcomes.


def test_an_id_of_snac_lasts_however_it_is_written():
    assert lasting("17956348001F1042AA715241F0D827E37FBBB7B60D") == "1f1042aa715241f0d827e37fbbb7b60d"
    assert lasting("115000000000000001") == "115000000000000001"
    assert lasting("01JDGT5M6Z7Q8R9S0T1V2W3X4Y") == "01JDGT5M6Z7Q8R9S0T1V2W3X4Y"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "90"}, 90),
        ({"x-ratelimit-reset": "2026-11-25T12:05:00.123456Z"}, 300.123456),
        ({"x-ratelimit-reset": "1795608300"}, 300),
        ({"x-ratelimit-reset": "2026-11-25T11:00:00Z"}, 1),
        ({"x-ratelimit-reset": "2027-11-25T11:00:00Z"}, 3600),
        ({"retry-after": "soon"}, 60),
        ({}, 60),
    ],
)
def test_it_waits_as_long_as_the_server_asks(headers, seconds):
    assert wait(headers, datetime(2026, 11, 25, 12, tzinfo=UTC)) == timedelta(seconds=seconds)


class Saying:
    """A server that says one thing to all."""

    def __init__(self, status: int, body: bytes) -> None:
        self.answer = Answer(status, {}, body)

    def request(self, method, url, **said):
        return self.answer


def test_snac_says_things_its_own_way(server):
    here = account(server)
    with pytest.raises(Reconnect):
        Mastodon(Saying(422, b"")).check(here)
    snac, other = (Target("t", remote_id=id, is_ours=True) for id in ("1f1042aa715241f0d827e37fbbb7b60d", "1001"))
    away = Mastodon(Saying(404, b"<h1>404 Not Found (snac/2.96)</h1>"))
    assert away.act(here, "delete", snac, "key").remote_id == snac.remote_id
    with pytest.raises(Unsupported, match=texts.NOT_OFFERED):
        away.act(here, "delete", other, "key")


def test_an_address_may_be_written_short():
    assert root(" mastodon.example/ ") == "https://mastodon.example"
    with pytest.raises(Refused, match="address of the server"):
        root("")


def test_health_tells_what_the_server_tells(server, connector):
    health = connector.check(account(server))
    assert (health.is_ok, health.scopes, health.quota_left) == (True, ["read", "write"], 299)
    assert health.quota_resets_at == datetime(2026, 11, 25, 20, tzinfo=UTC)
    assert health.facts == {
        "account_id": "100",
        "handle": "tienda",
        "name": "Tienda",
        "max_text": 500,
        "url_length": 23,
        "version": "4.6.0",
        "knows_keys": True,
        "streaming": server.url,
        "pictures": {"most": 4, "alt": 1500, "types": ["image/jpeg", "image/png", "video/mp4"]},
        "polls": {"most": 5, "longest": 60, "shortest_time": 600},
    }


def test_without_a_token_people_are_told_to_sign_in(server, connector):
    here = account(server)
    here.secrets = {}
    with pytest.raises(Reconnect, match="signed in"):
        connector.check(here)
    here.secrets = {"token": "wrong"}
    with pytest.raises(Reconnect, match="again"):
        connector.check(here)


# Signing in.


def test_signing_in_registers_there_and_exchanges_the_code_with_its_proof(server, connector):
    here = SimpleNamespace(id=1, settings={"server": server.url}, secrets={})
    consent = connector.begin_consent(here, "https://desk.example/back", "state-1")
    address = urlsplit(consent.url)
    asked = {name: value for name, [value] in parse_qs(address.query).items()}
    assert consent.url.startswith(f"{server.url}/oauth/authorize?")
    assert (asked["state"], asked["redirect_uri"], asked["code_challenge_method"]) == (
        "state-1",
        "https://desk.example/back",
        "S256",
    )
    assert consent.kept["client_secret"] not in consent.url
    assert consent.kept["verifier"] not in consent.url
    server.challenges["code-1"] = asked["code_challenge"]
    granted = connector.finish_consent(here, "https://desk.example/back", consent.kept, "code-1")
    assert granted.secrets["token"] == TOKEN
    assert set(granted.secrets) == {"token", "client_id", "client_secret"}
    assert granted.expires_at is None
    with pytest.raises(Reconnect):
        connector.finish_consent(here, "https://desk.example/back", {**consent.kept, "verifier": "another"}, "code-1")


# Streaming.


def test_news_are_told_applause_and_signs_of_life_are_not(server, connector):
    server.events.extend(
        [
            ("update", "{}"),
            ("notification", '{"type": "favourite"}'),
            ("notification", '{"type": "mention"}'),
            ("notification", "{"),
            ("status.update", "{}"),
            ("delete", "1001"),
            ("announcement", "{}"),
        ]
    )
    told = list(connector.listen(account(server), lambda: False))
    assert told.count(True) == 4
    assert told[0] is False


def test_a_stream_nobody_may_hear_asks_for_a_new_connection_and_one_that_stops_ends(server, connector):
    assert list(connector.listen(account(server), lambda: True)) == []
    here = account(server)
    here.secrets = {"token": "wrong"}
    with pytest.raises(Reconnect):
        list(connector.listen(here, lambda: False))


# The whole way, over a bad line.


def scenario(count: int, brand) -> None:
    """People write, edit and delete while the line fails, nobody reads for three days, and hints are lost, doubled and
    late; at the end each message of the server's list is here once, as it stands there."""
    rng = random.Random(count)
    people = [f"person{number}" for number in range(16)]
    with running(Server(rng=random.Random(7))) as server:
        row = Account.objects.create(
            brand=brand,
            kind="mastodon",
            name="Mastodon",
            created_at=server.start,
            settings={"server": server.url, "account_id": ME},
            secrets={"token": TOKEN},
            next_poll_at=server.start,
        )
        at = _read_all(row, server.start)
        post = server.write(ME, "Pan de pueblo")
        server.holds_back.update(people[:3])
        written: list[str] = []
        deleted: set[str] = set()
        for day in range(5):
            is_away = day in {1, 2, 3}
            for number in range(count // 5):
                who, answers = rng.choice(people), rng.random() < 0.3
                status = server.write(who, f"@tienda {day}/{number}", to=post["id"] if answers else "")
                written.append(status["id"])
                if rng.random() < 0.12:
                    standing = [id for id in written[-50:] if id not in deleted]
                    server.edit(rng.choice(standing), f"Corregido {number}")
                if rng.random() < 0.05 and (id := rng.choice(written[-200:])) not in deleted:
                    server.delete(id)
                    deleted.add(id)
                if not is_away and number % 97 == 0 and rng.random() < 0.7:
                    for _copy in range(rng.randint(1, 3)):
                        at += timedelta(seconds=rng.randint(1, 90))
                        polling.run_due(at)
            if not is_away:
                at = _read_all(row, at)
        server.rng = None
        for day in {server.start.date() + timedelta(days=number) for number in range(3)}:
            assert reconcile(row, day, at=datetime.now(UTC)).trouble == ""
        there = {
            id: (one["content"][3:-4], one["account"]["id"]) for id, one in server.statuses.items() if id != post["id"]
        }
    here = {
        one.remote_id: (one.text, one.identity.remote_id)
        for one in Message.objects.filter(account=row, deleted_at__isnull=True).select_related("identity")
    }
    assert here == there
    assert Message.objects.filter(account=row).count() == Message.objects.values("remote_id").distinct().count()
    assert len(there) == count - len(deleted)
    talks = set(Conversation.objects.filter(account=row).values_list("thread_id", flat=True))
    assert {f"{post['id']}:{who}" for who in people} <= talks


def _read_all(row: Account, at: datetime) -> datetime:
    """Let time go by until all is read, however often the line fails."""
    for _tries in range(1000):
        at += timedelta(minutes=16)
        polling.run_due(at)
        row.refresh_from_db()
        assert row.state == "active"
        if row.last_success_at == at and row.next_poll_at and row.next_poll_at > at:
            return at
    raise AssertionError("it was never read to the end")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "count",
    [
        2_000,
        pytest.param(
            20_000,
            marks=pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1"),
        ),
    ],
)
def test_every_message_is_shown_once_as_it_stands_there(count, brand, monkeypatch):
    monkeypatch.setattr(channels, "http", Door(total=1.5))
    scenario(count, brand)


# Posts.


def test_what_the_server_says_of_pictures_holds(connector):
    there = account(Server(url="https://a.example"))
    there.settings["pictures"] = {"most": 2, "alt": 10, "types": ["image/png", "image/heic", 7], "largest": "x"}
    taken = connector.pictures_taken(there)
    assert (taken.most, taken.alt, taken.types, taken.largest) == (2, 10, {"image/png"}, 16 * 1024 * 1024)


def test_a_picture_the_server_still_works_at_is_waited_for(server, connector, monkeypatch):
    monkeypatch.setattr(publishing, "LOOK_SECONDS", 0.0)
    server.media_waits = 3
    id = connector.attach(account(server), Picture("pan.png", "image/png", 3, 1, 1, "Pan", content=b"png"), "key")
    assert server.media[id] == {"alt": "Pan", "type": "image/png", "bytes": b"png"}
    server.media_waits = 99
    with pytest.raises(StillAtIt) as later:
        connector.attach(account(server), Picture("pan.mp4", "video/mp4", 3, 1, 1, content=b"mp4"), "key-2")
    server.media_waits, handed_in = 2, len(server.media)
    again = Picture("pan.mp4", "video/mp4", 3, 1, 1, id=later.value.id, content=b"mp4")
    assert connector.attach(account(server), again, "key-2") == later.value.id
    assert len(server.media) == handed_in  # a film isn't handed in a second time because it takes long


def test_what_this_server_takes_of_films_is_what_it_says(server, connector):
    here, film = account(server), Picture("pan.mov", "video/quicktime", 50_000_001, 160, 90, seconds=5)
    assert connector.misfits(here, Draft("Pan", pictures=[film])) == []
    told = publishing.told(
        {"media_attachments": {"video_size_limit": 50_000_000, "supported_mime_types": ["video/mp4"]}}
    )
    here.settings["pictures"] = told
    assert [one.code for one in connector.misfits(here, Draft("Pan", pictures=[film]))] == ["type", "heavy"]


def test_a_warning_counts_with_the_text(server, connector):
    draft = Draft("n" * 490, warning="w" * 11)
    assert [one.code for one in connector.misfits(account(server), draft)] == ["long"]
    connector.publish(account(server), Draft("n" * 490, warning="w" * 10, language="es"), "key")
    assert server.posts[-1]["spoiler_text"] == "w" * 10


def test_an_address_of_the_accounts_own_names_a_post(server, connector):
    here = account(server)
    assert (connector.named(here, f"{server.url}/@horno/1001"), connector.home(here)) == (None, "")  # not checked yet
    here.settings["handle"] = "horno"
    for path in ("@Horno/1001", "@horno/statuses/1001", "users/horno/statuses/1001"):
        assert connector.named(here, f"{server.url}/{path}").remote_id == "1001"
    for url in (f"{server.url}/@otra/1001", "https://otro.example/@horno/1001", f"{server.url}/@horno"):
        assert connector.named(here, url) is None
    assert connector.home(here) == f"{server.url}/@horno"
