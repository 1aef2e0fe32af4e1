"""What is particular about Bluesky: threads of one person each, cursors over lists that show their newest first, what
is told of nowhere, bytes and graphemes, record keys, and sessions."""

import json
import os
import random
from datetime import UTC, datetime, timedelta

import pytest

from fakes.bluesky import ANA, LUIS, ME, PASSWORD, Network, account, running, target
from tertulia.channels import actions as channels_actions
from tertulia.channels import models as channels
from tertulia.channels import tokens
from tertulia.channels.models import Account, Message
from tertulia.connectors.bluesky import facets, lengths, texts
from tertulia.connectors.bluesky.connector import LETTERS, Bluesky, record_key
from tertulia.connectors.contract import Card, Draft, Reconnect, Refused, Retry, Target, Unknown
from tertulia.core import clock
from tertulia.core.http import Answer, Door
from tertulia.flows import polling, reconcile
from tertulia.inbox.models import Conversation

WALES = "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


@pytest.fixture
def network(monkeypatch):
    with running(Network()) as network:
        monkeypatch.setattr(clock, "now", lambda: network.now)
        yield network


@pytest.fixture
def bluesky():
    return Bluesky(Door(total=5))


class Reading:
    """Somebody who reads on and on, as the house does."""

    def __init__(self, bluesky, network):
        self.bluesky, self.account, self.cursor = bluesky, account(network), ""

    def on(self):
        found = []
        for _ in range(200):
            page = self.bluesky.fetch(self.account, self.cursor)
            found += page.envelopes
            self.cursor = page.cursor
            if not page.more:
                return found
        raise AssertionError("it never ends")


@pytest.fixture
def reading(bluesky, network):
    return Reading(bluesky, network)


def texts_of(envelopes):
    return [one.text for one in envelopes]


def test_each_of_many_messages_has_its_turn_however_seldom_it_is_read(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    answers = [network.write(ANA, f"n{number}", post) for number in range(60)]
    reading.on()
    for answer in answers:
        network.edit(answer, "Cambiado")
    for _ in range(3):
        network.now += timedelta(minutes=16, seconds=30)
        told = {one.remote_id for one in reading.on()}
        answers = [one for one in answers if one not in told]
    assert answers == []


# Counting.


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("", 0), ("¡Hola!", 6), ("an\u0303o", 3), (FAMILY, 1), ("🇪🇸🇲🇽🇦", 3), ("👍🏽", 1), ("❤️‍🔥", 1), ("a\r\nb", 3),
        ("한국", 2), ("\u1112\u1161\u11ab", 1), ("นี่", 1), (WALES, 1),
        ("e" + "\u0301" * 50, 1), ("\u0301", 1), ("1️⃣", 1), ("a\u200db", 2),
    ],
)  # fmt: skip
def test_signs_are_counted_as_people_see_them(text, signs):
    assert lengths.graphemes(text) == signs


@pytest.mark.parametrize(
    ("text", "fits"),
    [("ñ" * 300, True), ("ñ" * 301, False), (FAMILY * 120, True), (FAMILY * 121, False), ("x" * 300, True)],
)
def test_both_limits_hold_together(bluesky, network, text, fits):
    assert (bluesky.text_length(account(network), text) <= bluesky.longest_text(account(network))) is fits


def test_a_text_too_long_by_bytes_is_refused_with_the_whole_truth(bluesky, network):
    network.write(ME, "Hoy hay torrijas.")
    with pytest.raises(Refused) as no:
        bluesky.reply(account(network), Target("x"), FAMILY * 121, "key")
    assert no.value.why == texts.TOO_LONG


def test_facets_count_bytes_and_leave_out_what_is_nobodys():
    text = "¡Hola @ana.test! (mira https://ejemplo.es/a_(b)?x=1#y). #café ana@correo.es @nadie.test #1"
    found = facets.detect(text, lambda handle: ANA if handle == "ana.test" else "")
    cut = [text.encode()[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode() for f in found]
    assert cut == ["@ana.test", "https://ejemplo.es/a_(b)?x=1#y", "#café"]
    assert [f["features"][0].get("did") or f["features"][0].get("uri") or f["features"][0]["tag"] for f in found] == [
        ANA,
        "https://ejemplo.es/a_(b)?x=1#y",
        "café",
    ]


def test_a_link_whose_address_is_not_in_the_words_is_a_link_in_the_html():
    text = "<b>¡Ya!</b> ejemplo.es/t…"
    link = {"index": {"byteStart": 13, "byteEnd": 28}, "features": [{"uri": 'https://ejemplo.es/"todo'}]}
    assert facets.html(text, [link]) == (
        '&lt;b&gt;¡Ya!&lt;/b&gt; <a href="https://ejemplo.es/&quot;todo">ejemplo.es/t…</a>'
    )
    assert facets.html(text, [{"index": {"byteStart": 5, "byteEnd": 999}, "features": [{"uri": "https://x.es"}]}]) == ""


def test_a_record_key_is_thirteen_signs_in_the_order_of_time_and_the_same_for_the_same_key():
    keys = {record_key(f"key-{number}") for number in range(2000)}
    assert len(keys) == 2000
    assert record_key("key-1") == record_key("key-1")
    assert all(len(key) == 13 and set(key) <= set(LETTERS) for key in keys)
    moments = [sum(LETTERS.index(sign) << 5 * place for place, sign in enumerate(reversed(key))) >> 10 for key in keys]
    years = [datetime.fromtimestamp(moment / 1_000_000, UTC).year for moment in moments]
    assert set(years) == {2025, 2026}


# Threads.


def test_each_person_under_a_post_is_a_thread_with_our_answers_in_it(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    ana = network.write(ANA, "¿Quedan?", post)
    luis = network.write(LUIS, "¡Ñam!", ana)
    ours = network.write(ME, "Quedan seis.", ana)
    network.write(ME, "Cinco.", ours)
    network.write(ANA, "Voy.", ours)
    network.write(ME, "Nota al pie.", post)
    found = {one.text: one for one in reading.on()}
    assert {text: one.thread_id for text, one in found.items()} == {
        "¿Quedan?": f"{post}:{ANA}",
        "¡Ñam!": f"{post}:{LUIS}",
        "Quedan seis.": f"{post}:{ANA}",
        "Cinco.": f"{post}:{ANA}",
        "Voy.": f"{post}:{ANA}",
    }
    assert [text for text, one in found.items() if one.is_ours] == ["Quedan seis.", "Cinco."]
    assert {one.kind for one in found.values()} == {"comment"}
    assert found["¡Ñam!"].in_reply_to == ana
    assert (found["Voy."].about.remote_id, found["Voy."].about.text) == (post, "Hoy hay torrijas.")
    assert found["¿Quedan?"].sent_at < found["¡Ñam!"].sent_at
    assert luis == found["¡Ñam!"].remote_id


def test_what_names_or_quotes_us_elsewhere_is_a_mention_that_only_its_thread_can_hide(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    facet = {"index": {"byteStart": 0, "byteEnd": 12}, "features": [{"did": ME}]}
    named = network.write(LUIS, "@tienda.test, ¿abrís?", facets=[facet])
    quote = network.write(ANA, "Mirad", quotes=post)
    ours = network.write(ME, "Sí.", named)
    network.write(LUIS, "Bien.", ours)
    found = {one.remote_id: one for one in reading.on()}
    assert [(one.kind, one.thread_id, dict(one.cannot)) for uri, one in found.items() if uri in (named, quote)] == [
        ("mention", f"{named}:{LUIS}", {"hide": "not_ours"}),
        ("mention", f"{quote}:{ANA}", {"hide": "not_ours"}),
    ]
    assert found[quote].about.remote_id == post
    assert found[ours].thread_id == f"{named}:{LUIS}"
    assert [(one.kind, one.cannot) for one in found.values() if one.text == "Bien."] == [
        ("comment", {"hide": "not_ours"})
    ]


# Reading on.


def test_a_gap_of_many_pages_is_closed_and_what_is_known_is_told_once(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    network.write(ANA, "Primera", post)
    assert texts_of(reading.on()) == ["Primera"]
    network.now += timedelta(days=3)
    for number in range(1234):
        network.write(LUIS if number % 7 else ANA, f"n{number}", post)
    found = [text for text in texts_of(reading.on()) if text != "Primera"]  # which lies within the overlap
    assert sorted(found) == sorted(f"n{number}" for number in range(1234))
    before = json.loads(reading.cursor)
    assert reading.on() == []
    after = json.loads(reading.cursor)
    assert (after | {"looked": ""}, len(before["known"])) == (before | {"looked": ""}, 300)


def test_what_was_written_earlier_but_arrived_later_is_not_missed(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    for number in range(150):
        network.write(ANA, f"n{number}", post)
    reading.on()
    network.now -= timedelta(seconds=60)
    network.write(LUIS, "Desde el metro", post, late=61)
    assert texts_of(reading.on()) == ["Desde el metro"]


def test_an_answer_that_nobody_is_told_of_is_found_in_its_thread(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    network.write(ANA, "¿Quedan?", post)
    reading.on()
    network.write(LUIS, "En el mismo instante", post, tells=False)
    assert texts_of(reading.on()) == ["En el mismo instante"]
    assert reading.on() == []


def test_deleted_and_changed_posts_are_noticed_and_hidden_ones_are_not_taken_for_deleted(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    gone, changed = network.write(ANA, "Insulto", post), network.write(ANA, "Veo", post)
    network.write(LUIS, "Hola", post)
    reading.on()
    network.delete(gone)
    network.edit(changed, "Voy")
    network.blocked.add(LUIS)
    told = [(one.remote_id, one.verb, one.text) for one in reading.on()]
    assert sorted(told) == sorted([(gone, "deleted", ""), (changed, "edited", "Voy")])
    assert reading.on() == []


def test_of_what_a_count_lacks_only_deleted_posts_are_gone(network, bluesky):
    gone, hidden = network.write(ANA, "Insulto"), network.write(LUIS, "Hola")
    network.delete(gone)
    network.blocked.add(LUIS)
    missing = [Target("", gone), Target("", hidden), Target("", "dm:c1/1", hints={"convo": "c1"})]
    assert list(bluesky.gone(account(network), missing)) == [gone]


def test_every_known_message_has_its_turn_to_be_looked_after(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    uris = [network.write(ANA, f"n{number}", post) for number in range(120)]
    reading.on()
    for uri in uris[::10]:
        network.delete(uri)
    gone = []
    for _ in range(10):
        network.now += timedelta(seconds=30)
        gone += [one.remote_id for one in reading.on()]
    assert sorted(gone) == sorted(uris[::10])


def test_trouble_half_way_keeps_what_was_read_and_comes_up_at_once(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    network.write(ANA, "¿Quedan?", post)
    words = iter(["", "", "", "503"])
    network.trouble = lambda: next(words, "503")
    assert texts_of(reading.on()) == ["¿Quedan?"]
    with pytest.raises(Retry):
        reading.on()
    network.trouble = lambda: "429"
    with pytest.raises(Retry) as wait:
        reading.on()
    assert wait.value.after == timedelta(seconds=90)


def test_what_cannot_be_read_is_kept_and_holds_up_nothing(network, reading):
    post = network.write(ME, "Hoy hay torrijas.")
    odd = network.write(ANA, "x", post)
    network.write(ANA, "¿Quedan?", post)
    network.records[odd]["value"]["createdAt"] = network.records[odd]["seen"] = "ayer"
    page = reading.bluesky.fetch(reading.account, "")
    assert texts_of(page.envelopes) == ["¿Quedan?"]
    assert {one.raw["uri"] for one in page.unread} == {odd}


# Direct messages.


def test_direct_messages_come_by_their_log_with_our_own_and_what_was_taken_back(network, reading):
    first = network.send(ANA, "¿Hacéis tartas?")
    (one,) = reading.on()
    assert (one.kind, one.thread_id, one.author.name, one.hints) == (
        "direct",
        "dm:c1",
        "Ana",
        {"convo": "c1", "message": first},
    )
    network.send(ME, "Sí, de queso.")
    network.take_back(first)
    told = [(one.remote_id, one.text, one.verb, one.is_ours, one.thread_id) for one in reading.on()]
    assert told == [
        (f"dm:c1/{first}", "", "deleted", False, "dm:c1"),
        ("dm:c1/m1", "Sí, de queso.", "created", True, "dm:c1"),
    ]
    assert reading.on() == []


def test_where_no_direct_messages_are_offered_everything_else_goes_on_and_the_check_says_so(network, reading, bluesky):
    network.offers_direct = False
    network.write(ANA, "¿Quedan?", network.write(ME, "Hoy hay torrijas."))
    assert texts_of(reading.on()) == ["¿Quedan?"]
    health = bluesky.check(reading.account)
    assert (health.is_ok, health.says) == (True, texts.NO_DIRECT_NOW)


def test_a_password_without_leave_for_direct_messages_never_asks_for_them(network, bluesky):
    network.scope = "com.atproto.appPass"
    reading = Reading(bluesky, network)
    network.send(ANA, "¿Hacéis tartas?")
    network.write(ANA, "¿Quedan?", network.write(ME, "Hoy hay torrijas."))
    assert texts_of(reading.on()) == ["¿Quedan?"]
    health = bluesky.check(reading.account)
    assert (health.is_ok, health.says, health.facts) == (True, texts.NO_DIRECT, {"did": ME, "name": "tienda.test"})
    assert not {"listConvos", "getLog", "getConvo"} & set(network.requests)


def test_the_same_direct_words_after_the_same_message_are_sent_once(network, bluesky):
    question = network.send(ANA, "¿Hacéis tartas?")
    to = Target("dm:c1", f"dm:c1/{question}", ANA, {"convo": "c1", "message": question}, "direct")
    network.faults.append("accept_then_cut")
    with pytest.raises(Unknown):
        bluesky.reply(account(network), to, "Sí, de queso.", "key-1")
    receipt = bluesky.reply(account(network), to, "Sí, de queso.", "key-1")
    assert (receipt.remote_id, len(network.direct)) == ("dm:c1/m1", 2)
    again = network.send(ANA, "¿Y de limón?")
    to = Target("dm:c1", f"dm:c1/{again}", ANA, {"convo": "c1", "message": again}, "direct")
    assert bluesky.reply(account(network), to, "Sí, de queso.", "key-2").remote_id == "dm:c1/m3"


def test_a_direct_message_may_be_longer_than_a_post(network, bluesky):
    to = Target("dm:c1", f"dm:c1/{network.send(ANA, '¿Hacéis tartas?')}", ANA, {"convo": "c1"}, "direct")
    assert bluesky.reply(account(network), to, "x" * 1000, "key-1").remote_id == "dm:c1/m1"
    with pytest.raises(Refused) as no:
        bluesky.reply(account(network), to, "x" * 1001, "key-2")
    assert no.value.why == texts.TOO_LONG_DIRECT


# Answering and acting.


@pytest.fixture
def question(network):
    """What Ana wrote under our post."""
    return network.write(ANA, "¿Quedan?", network.write(ME, "Hoy hay torrijas."))


def test_an_answer_names_root_and_parent_and_its_mentions_by_did(network, bluesky, question):
    receipt = bluesky.reply(account(network), target(network, question), "Sí, @luis.test también vino", "key-1")
    value = network.records[receipt.remote_id]["value"]
    post = network.records[question]["value"]["reply"]["root"]
    assert value["reply"] == {"root": post, "parent": network.reference(question)}
    assert value["facets"] == [
        {
            "index": {"byteStart": 5, "byteEnd": 15},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": LUIS}],
        }
    ]
    assert receipt.url == f"https://bsky.app/profile/{ME}/post/{record_key('key-1')}"


def test_the_card_of_a_link_goes_along_where_no_picture_takes_its_place(network, bluesky):
    card = Card("https://horno.example/l/x7", "Pan y cafés", "De masa madre")
    plain = bluesky.publish(account(network), Draft("Hoy: https://horno.example/l/x7", card=card), "key-1")
    external = {"uri": card.address, "title": card.title, "description": card.about}
    assert network.records[plain.remote_id]["value"]["embed"] == {
        "$type": "app.bsky.embed.external", "external": external,
    }  # fmt: skip
    bare = bluesky.publish(account(network), Draft("Hoy no"), "key-2")
    assert "embed" not in network.records[bare.remote_id]["value"]


def test_a_repetition_changes_nothing_and_another_text_under_the_key_is_refused(network, bluesky, question):
    to = target(network, question)
    first = bluesky.reply(account(network), to, "Quedan seis.", "key-1")
    before = dict(network.records[first.remote_id])
    assert bluesky.reply(account(network), to, "Quedan seis.", "key-1") == first
    with pytest.raises(Refused) as no:
        bluesky.reply(account(network), to, "Quedan cinco.", "key-1")
    assert (no.value.why, network.records[first.remote_id]) == (texts.OTHER_RECORD, before)


def test_our_answer_comes_back_under_the_name_it_was_given(network, bluesky, question, reading):
    receipt = bluesky.reply(account(network), target(network, question), "Quedan seis.", "key-1")
    echo = next(one for one in reading.on() if one.is_ours)
    assert (echo.remote_id, echo.thread_id.endswith(ANA), echo.url) == (receipt.remote_id, True, receipt.url)


def test_hiding_keeps_what_others_hid_and_who_may_answer(network, bluesky, question):
    root = network.records[question]["value"]["reply"]["root"]["uri"]
    rkey = root.rpartition("/")[2]
    gate = {"$type": "app.bsky.feed.threadgate", "post": root, "allow": [], "hiddenReplies": ["at://x"]}
    network.putRecord(ME, "app.bsky.feed.threadgate", rkey, gate)
    uri = bluesky.act(account(network), "hide", target(network, question), "key").remote_id
    bluesky.act(account(network), "hide", target(network, question), "key")
    assert network.records[uri]["value"] == {**gate, "hiddenReplies": ["at://x", question]}
    bluesky.act(account(network), "hide", target(network, question), "other", undo=True)
    assert network.records[uri]["value"] == gate


def test_hiding_while_somebody_else_hides_loses_neither(network, bluesky, question, monkeypatch):
    root = network.records[question]["value"]["reply"]["root"]["uri"]
    asked = network.getRecord
    rivals = iter(["at://rival"])

    def interrupted(**said):
        try:
            return asked(**said)
        finally:
            for rival in rivals:
                gate = {"post": root, "hiddenReplies": [rival]}
                network.putRecord(ME, "app.bsky.feed.threadgate", root.rpartition("/")[2], gate)

    monkeypatch.setattr(network, "getRecord", interrupted)
    uri = bluesky.act(account(network), "hide", target(network, question), "key").remote_id
    assert network.records[uri]["value"]["hiddenReplies"] == ["at://rival", question]


def test_only_under_our_own_post_can_be_hidden_and_only_ours_deleted(network, bluesky):
    theirs = network.write(LUIS, "Hola")
    with pytest.raises(Refused) as no:
        bluesky.act(account(network), "hide", target(network, network.write(ANA, "Hola", theirs)), "key")
    assert no.value.why == texts.NOT_OURS
    with pytest.raises(Exception, match=texts.NOT_OFFERED):
        bluesky.act(account(network), "delete", target(network, theirs), "key")
    assert (network.acts, theirs in network.records) == ([], True)


def test_liking_twice_is_one_like_and_it_is_undone_whatever_its_key(network, bluesky, question):
    on = target(network, question)
    uri = bluesky.act(account(network), "like", on, "key-1").remote_id
    assert bluesky.act(account(network), "like", on, "key-2").remote_id == uri
    assert (network.acts, network.records[uri]["value"]["subject"]) == ([("like", False)], network.reference(question))
    bluesky.act(account(network), "like", on, "key-3", undo=True)
    assert uri not in network.records


def test_a_report_tells_the_reason_and_after_silence_nobody_knows(network, bluesky, question):
    bluesky.act(account(network), "report", target(network, question), "key", because="Norma 3")
    (report,) = network.reports
    assert (report["reason"], report["subject"]["uri"]) == ("Norma 3", question)
    network.faults.append("500")
    with pytest.raises(Unknown):
        bluesky.act(account(network), "report", target(network, question), "key")


# Sessions.


def stored(brand, network, **secrets):
    kept = account(network)
    return Account.objects.create(
        brand=brand,
        kind="bluesky",
        name="Bluesky",
        created_at=network.now,
        settings=kept.settings,
        secrets={**kept.secrets, **secrets},
    )


def test_an_expired_token_is_renewed_and_the_call_made_once_more(network, bluesky, brand):
    row = stored(brand, network)
    network.has_expired = True
    assert tokens.use(row, lambda: bluesky.check(row)).is_ok
    assert (network.sessions, network.sign_ins) == (1, 0)
    row.refresh_from_db()
    assert (row.secrets["access"], row.secrets["refresh"]) == (network.token("access"), network.token("refresh"))
    assert (row.secrets["app_password"], row.settings["pds"]) == (PASSWORD, network.url)
    assert row.expires_at.timestamp() == 1_795_000_000 + 7200


@pytest.mark.parametrize("secrets", [{"access": "", "refresh": ""}, {"access": "x", "refresh": "used up"}])
def test_without_a_session_it_signs_in_once(network, bluesky, brand, secrets):
    row = stored(brand, network, **secrets)
    assert tokens.use(row, lambda: bluesky.check(row)).is_ok
    assert (network.sessions, network.sign_ins) == (1, 1)


def test_a_new_password_takes_the_place_of_the_old_session(network, bluesky, brand):
    network.scope = "com.atproto.appPass"
    row = stored(brand, network, access="", refresh="")
    assert tokens.use(row, lambda: bluesky.check(row)).says == texts.NO_DIRECT
    network.scope, network.password = "com.atproto.appPassPrivileged", "a-new-one"
    network.send(ANA, "¿Hacéis tartas?")
    channels_actions.change(
        account=row, name=row.name, settings={}, secrets={"app_password": "a-new-one"}, at=network.now
    )
    row.refresh_from_db()
    assert tokens.use(row, lambda: bluesky.check(row)).says == ""
    assert (network.sign_ins, len(bluesky.fetch(row, "").envelopes)) == (2, 1)


def test_a_wrong_password_says_what_to_do_and_is_tried_once(network, bluesky, brand):
    row = stored(brand, network, access="", refresh="", app_password="no")
    with pytest.raises(Reconnect) as no:
        tokens.use(row, lambda: bluesky.check(row))
    assert (no.value.why, network.sign_ins) == (texts.WRONG_PASSWORD, 1)


@pytest.mark.parametrize(
    ("status", "body", "outcome", "why"),
    [
        (401, {"error": "AuthFactorTokenRequired", "message": "A code was sent"}, Reconnect, texts.REAL_PASSWORD),
        (401, {"error": "AccountTakedown", "message": "Account has been taken down"}, Reconnect, texts.SUSPENDED),
        (429, {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, Retry, texts.TOO_MANY),
        (504, {}, Retry, texts.BUSY),
        (200, {"accessJwt": 3}, Retry, texts.NOT_READABLE),
    ],
)
def test_signing_in_can_end_in_other_ways(network, status, body, outcome, why):
    with pytest.raises(outcome) as ended:
        Bluesky(Said(status, body)).renew(account(network))
    assert ended.value.why == why


class Said:
    """A door behind which refreshing is refused and signing in answered so."""

    def __init__(self, status, body):
        self.status, self.body = status, body

    def request(self, method, url, **said):
        if url.endswith("refreshSession"):
            return Answer(400, {}, b'{"error": "ExpiredToken", "message": "Token has been revoked"}')
        return Answer(self.status, {"retry-after": "90"}, json.dumps(self.body).encode())


# Counting a day again.


def test_rereading_gives_all_that_stands_of_that_time(network, bluesky):
    post = network.write(ME, "Hoy hay torrijas.")
    network.write(ANA, "Antes", post)
    since = network.now + timedelta(hours=1)
    network.now = since
    uris = [network.write(ANA if number % 2 else LUIS, f"n{number}", post) for number in range(230)]
    ours = network.write(ME, "Quedan seis.", uris[0])
    network.write(LUIS, "En el mismo instante", ours, tells=False)
    network.delete(uris[7])
    network.send(ANA, "¿Hacéis tartas?")
    network.take_back(network.send(ANA, "Nada"))
    until = network.now
    network.now += timedelta(hours=1)
    network.write(ANA, "Después", post)
    found, cursor, pages = [], "", 0
    while True:
        page = bluesky.reread(account(network), since, until, cursor)
        found, cursor, pages = [*found, *page.envelopes], page.cursor, pages + 1
        if not page.more:
            break
    wanted = [f"n{number}" for number in range(230) if number != 7]
    assert sorted({one.remote_id: one.text for one in found}.values()) == sorted(
        [*wanted, "Quedan seis.", "En el mismo instante", "¿Hacéis tartas?"]
    )
    assert pages == 5


# The whole product against a bad line.


def scenario(count, brand, network):
    """People write, change and delete while one call in twenty fails, and nobody reads for three of the five days. The
    daily count closes what the reading can't see. At the end each message of the network's list is here once, as it
    stands there."""
    rng = random.Random(count)
    people = [f"did:plc:person{number:0>17}" for number in range(16)]
    network.trouble = trouble(rng, one_in=20)
    row = stored(brand, network)
    polling.begin()
    at = read_all(row, network, network.now)
    written, direct = {}, {}
    for day in range(5):
        is_away = day in {1, 2, 3}
        for number in range(count // 5):
            if number % 60 == 0:
                under = [network.write(ME, f"Publicación {day}/{number}")]
            network.now += timedelta(seconds=rng.randrange(2 * 86_400 * 5 // count))
            who, text = rng.choice(people), f"{day}/{number}"
            if rng.random() < 0.1:
                direct[network.send(ANA, text)] = text
                continue
            is_late, above = rng.random() < 0.02, rng.choice(under)
            is_told = rng.random() > 0.02 or above != under[0]
            uri = network.write(who, text, above, tells=is_told, late=rng.randrange(600) if is_late else 0)
            written[uri] = text
            under.append(network.write(ME, f"Respuesta a {text}", uri) if rng.random() < 0.1 else uri)
            if rng.random() < 0.05 and (gone := rng.choice(sorted(written)[-200:])) not in under[-20:]:
                network.delete(gone)
                under = [one for one in under if one != gone]
                del written[gone]
            if not is_away and rng.random() < 0.03:
                at = max(at + timedelta(seconds=31), network.now)
                polling.run_due(at)
        if not is_away:
            network.edit(changed := sorted(written)[-1], "Corregido")
            written[changed] = "Corregido"
            at = read_all(row, network, at)
    network.take_back(sorted(direct)[0])
    direct.pop(sorted(direct)[0])
    at = read_all(row, network, at)
    network.trouble = trouble(rng, one_in=1000)  # a day is counted again from its beginning
    count_days(row, network)

    shown = Message.objects.filter(account=row, direction=Message.Direction.IN).exclude(thread_id="")
    here = {one.remote_id: one.text for one in shown.filter(deleted_at__isnull=True)}
    assert here == written | {f"dm:c1/{id}": text for id, text in direct.items()}
    threads = dict(shown.values_list("remote_id", "thread_id"))
    assert all(threads[uri] == target(network, uri).thread_id for uri in written)
    assert set(shown.values_list("thread_id", flat=True)) <= set(
        Conversation.objects.values_list("thread_id", flat=True)
    )


def trouble(rng, *, one_in):
    words = ["429", "500", "503", "cut_before", "html_502"]
    return lambda: rng.choice(words) if rng.random() * one_in < 1 else ""


def read_all(row, network, at):
    """Let time go by until all is read and each known message has had its turn to be looked after."""
    quiet = 0
    for _ in range(2000):
        at = max(at + timedelta(minutes=16, seconds=30), network.now)
        network.now = at
        polling.run_due(at)
        row.refresh_from_db()
        assert row.state == "active"
        is_through = row.last_success_at == at and row.next_poll_at > at
        quiet += is_through
        if is_through and quiet > 30:
            return at
    raise AssertionError("it was never read to the end")


def count_days(row, network):
    """What is done every six hours."""
    for day in reconcile.days_to_count(row, at=network.now)[:12]:
        for _ in range(100):
            if not reconcile.reconcile(row, day, at=network.now).trouble:
                break
        else:
            raise AssertionError(f"{day} was never counted")


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
def test_every_message_is_shown_once_as_it_stands_there(count, brand, network, monkeypatch):
    monkeypatch.setattr(channels, "http", Door(total=5))
    scenario(count, brand, network)
