"""What is particular about Matrix: rooms and persons, gaps, power, its own ways of saying who answers whom."""

import json
import os
import random
from datetime import UTC, datetime, timedelta

import pytest

from conftest import NOON
from fakes.matrix import (
    DIEGO,
    ME,
    OURS,
    PASSWORD,
    PLAZA,
    QUESTION,
    TALK,
    TARGET,
    TOKEN,
    TROL,
    Homeserver,
    account,
    running,
    with_a_question,
)
from tertulia.channels import models as channels
from tertulia.channels.models import Account, Message
from tertulia.connectors.contract import Reconnect, Refused, Retry, Target, Unsupported
from tertulia.connectors.matrix.connector import MAX_BYTES, Matrix
from tertulia.core.http import Door
from tertulia.flows import polling
from tertulia.inbox.models import Conversation

matrix = Matrix(Door(total=1.5))


@pytest.fixture
def network():
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=10)
    with running(Homeserver(start=start)) as network:
        yield network


def read(network, cursor="", *, of=None):
    """All that there is after the cursor, and the next one."""
    envelopes, unread = [], []
    while True:
        page = matrix.fetch(of or account(network), cursor)
        envelopes += page.envelopes
        unread += page.unread
        cursor = page.cursor
        if not page.more:
            return envelopes, cursor, unread


def told(envelopes):
    return [(one.verb, one.author.remote_id, one.text) for one in envelopes]


def relates(event, *, thread=None, falls_back=False):
    said = {"m.in_reply_to": {"event_id": event}}
    if thread:
        said |= {"rel_type": "m.thread", "event_id": thread, "is_falling_back": falls_back}
    return {"m.relates_to": said}


# Reading.


def test_the_first_reading_takes_the_last_seven_days_and_two_hundred_messages_of_a_room(network):
    network.start -= timedelta(days=8)
    network.write(DIEGO, "Hace mucho")
    network.start += timedelta(days=8)
    for number in range(250):
        network.write(DIEGO, f"Mensaje {number}")
    envelopes, _cursor, _unread = read(network)
    assert [one.text for one in envelopes] == [f"Mensaje {number}" for number in range(50, 250)]
    with running(Homeserver(start=datetime.now(UTC) - timedelta(days=8))) as old:
        old.write(DIEGO, "Hace mucho")
        assert read(old)[0] == []


def test_what_was_removed_before_the_first_reading_leaves_nothing(network):
    spam = network.write(TROL, "COMPRAD")
    network.delete(spam["event_id"], by=ME)
    assert read(network)[0] == []


def test_a_gap_is_filled_oldest_first_and_whole(network):
    cursor = read(network)[1]
    for number in range(333):
        network.write(DIEGO, f"Mensaje {number}", room=PLAZA if number % 3 else TALK)
    envelopes, after, _unread = read(network, cursor)
    assert sorted(int(one.text.split()[1]) for one in envelopes) == list(range(333))
    in_talk = [one.text for one in envelopes if one.kind == "direct"]
    assert in_talk == [f"Mensaje {number}" for number in range(0, 333, 3)]
    assert read(network, after)[0] == []


def test_a_gap_is_read_on_where_it_was_cut(network):
    cursor = read(network)[1]
    for number in range(250):
        network.write(DIEGO, f"Mensaje {number}")
    seen, failures = [], 0
    network.read_faults.extend(["", "500", "", "429", "", "cut_before", ""])
    while True:
        try:
            page = matrix.fetch(account(network), cursor)
        except Retry:
            failures += 1
            continue
        seen += [one.text for one in page.envelopes]
        cursor = page.cursor
        if not page.more:
            break
    assert (failures, seen) == (3, [f"Mensaje {number}" for number in range(250)])


def test_each_person_of_a_room_is_a_talk_and_a_private_room_is_one(network):
    cursor = read(network)[1]
    network.write(DIEGO, "Hola")
    network.write(TROL, "Hola")
    network.write(DIEGO, "Psst", room=TALK)
    network.write(ME, "Dime", room=TALK)
    found = [(one.thread_id, one.kind, one.is_ours) for one in read(network, cursor)[0]]
    assert found == [
        (f"{PLAZA} {DIEGO}", "mention", False),
        (f"{PLAZA} {TROL}", "mention", False),
        (TALK, "direct", False),
        (TALK, "direct", True),
    ]


def test_our_own_words_belong_to_the_talk_with_whom_they_answer(network):
    cursor = read(network)[1]
    asked = network.write(DIEGO, "¿Abrís?")["event_id"]
    network.write(ME, "A todos: mañana cerramos", id="$all")
    network.write(ME, "Sí", **relates(asked))
    ours = network.write(ME, "Hasta las dos", **relates(asked, thread=asked, falls_back=True))["event_id"]
    network.write(ME, "Perdona, las tres", **relates(ours, thread=asked))
    network.write(ME, "Trol, para ya", **{"m.mentions": {"user_ids": [TROL]}})
    network.write(ME, "Y a todos otra vez", **relates("$all"))
    found = [(one.text, one.thread_id.split()[1]) for one in read(network, cursor)[0] if one.is_ours]
    assert found == [
        ("Sí", DIEGO),
        ("Hasta las dos", DIEGO),
        ("Perdona, las tres", DIEGO),
        ("Trol, para ya", TROL),
    ]


def test_an_answer_to_us_is_a_comment_under_what_we_said(network):
    cursor = read(network)[1]
    network.write(ME, "Hoy hay roscón", id=OURS)
    network.write(DIEGO, "¿Con nata?", **relates(OURS, thread=OURS, falls_back=True))
    comment = read(network, cursor)[0][0]
    assert (comment.kind, comment.in_reply_to, comment.hints) == ("comment", OURS, {"room": PLAZA, "root": OURS})
    assert (comment.about.title, comment.about.text) == ("Plaza del Horno", "Hoy hay roscón")


def test_what_older_programs_quote_is_told_apart(network):
    cursor = read(network)[1]
    network.write(ME, "Hoy hay roscón", id=OURS)
    body = f"> <{ME}> Hoy hay roscón\n\n¿Con nata?"
    html = "<mx-reply><blockquote>Hoy hay roscón</blockquote></mx-reply>¿Con <b>nata</b>?"
    rich = {"format": "org.matrix.custom.html", "formatted_body": html}
    network.write(DIEGO, body, **relates(OURS), **rich)
    said = read(network, cursor)[0][0]
    assert (said.text, said.html, said.quoted) == ("¿Con nata?", "¿Con <b>nata</b>?", f"> <{ME}> Hoy hay roscón")


def test_a_correction_counts_only_from_its_writer(network):
    cursor = read(network)[1]
    first = network.write(DIEGO, "¿Abrís el domingo?")["event_id"]
    network.edit(first, "¿Abrís el sábado?")
    new = {"msgtype": "m.text", "body": "Sois unos ladrones"}
    network.write(TROL, "*", **{"m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": first}})
    assert told(read(network, cursor)[0]) == [
        ("created", DIEGO, "¿Abrís el domingo?"),
        ("edited", DIEGO, "¿Abrís el sábado?"),
    ]


def test_a_correction_and_a_redaction_of_what_was_read_long_ago_are_seen(network):
    first = network.write(DIEGO, "Uno")["event_id"]
    second = network.write(DIEGO, "Dos")["event_id"]
    like = network.add(PLAZA, DIEGO, "m.reaction", {"m.relates_to": {"event_id": first}})["event_id"]
    cursor = read(network)[1]
    network.edit(first, "Uno y medio")
    network.delete(second, by=ME)
    network.delete(like)
    found = read(network, cursor)[0]
    assert [(one.verb, one.remote_id, one.text) for one in found] == [
        ("edited", first, "Uno y medio"),
        ("deleted", second, ""),
    ]


def test_of_what_a_count_lacks_only_the_redacted_is_gone(network):
    stands, gone = (network.write(DIEGO, text)["event_id"] for text in ("Uno", "Dos"))
    network.delete(gone, by=ME)
    missing = [Target("", id, hints={"room": PLAZA}) for id in (stands, gone, "$hidden")]
    missing.append(Target("", "$other", hints={"room": "!left:lab.test"}))
    assert list(matrix.gone(account(network), missing)) == [gone]


def test_an_encrypted_message_is_shown_as_such_and_answered_elsewhere(network):
    cursor = read(network)[1]
    network.add(PLAZA, DIEGO, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgAEnACgAkL"})
    said = read(network, cursor)[0][0]
    assert "Mensaje cifrado" in said.text
    assert "Encrypted message" in said.text
    assert said.cannot == {"reply": "encrypted"}
    network.rooms[PLAZA]["m.room.encryption"] = {"algorithm": "m.megolm.v1.aes-sha2"}
    with pytest.raises(Refused, match="encrypted"):
        matrix.reply(account(network), TARGET, "Hola", "key")
    assert network.posts == []


def test_a_file_is_opened_in_its_room_and_a_machines_notice_is_marked(network):
    cursor = read(network)[1]
    network.write(DIEGO, "miga.jpg", id="$f", msgtype="m.image", info={"mimetype": "image/jpeg", "size": 48211})
    network.write(TROL, "Ha entrado Elena", msgtype="m.notice")
    file, notice = read(network, cursor)[0]
    url = "https://matrix.to/#/!plaza:lab.test/$f"
    assert (file.text, file.attachments) == (
        "",
        [{"name": "miga.jpg", "url": url, "type": "image/jpeg", "size": 48211}],
    )
    assert notice.is_automatic


def test_an_event_that_is_not_as_it_should_be_is_set_aside_and_the_others_are_read(network):
    cursor = read(network)[1]
    network.write(DIEGO, "Uno")
    network.events[-1]["origin_server_ts"] = "ayer"
    network.write(DIEGO, "Dos")
    envelopes, _cursor, unread = read(network, cursor)
    assert ([one.text for one in envelopes], [one.raw["content"]["body"] for one in unread]) == (["Dos"], ["Uno"])


def test_only_named_rooms_and_private_talks_are_followed(network):
    network.open_room("!otra:lab.test")
    network.rooms["!otra:lab.test"]["m.room.canonical_alias"] = {"alias": "#otra:lab.test"}
    named = account(network)
    named.settings["rooms"] = ["#otra:lab.test"]
    cursor = read(network, of=named)[1]
    for room in (PLAZA, TALK, "!otra:lab.test"):
        network.write(DIEGO, room, room=room)
    assert [one.text for one in read(network, cursor, of=named)[0]] == [TALK, "!otra:lab.test"]


@pytest.mark.parametrize(
    ("settings", "joins"),
    [({}, False), ({"inviters": [TROL]}, False), ({"inviters": [DIEGO]}, True), ({"invited_by_all": True}, True)],
)
def test_an_invitation_is_accepted_only_from_whom_it_was_said(network, settings, joins):
    invitation = {"type": "m.room.member", "state_key": ME, "sender": DIEGO}
    network.invited["!nueva:lab.test"] = {**invitation, "content": {"membership": "invite", "is_direct": True}}
    one = account(network)
    one.settings.update(settings)
    cursor = read(network, of=one)[1]
    assert ("!nueva:lab.test" in network.rooms) is joins
    if joins:
        network.write(DIEGO, "Hola", room="!nueva:lab.test")
        assert [(said.thread_id, said.kind) for said in read(network, cursor, of=one)[0]] == [
            ("!nueva:lab.test", "direct")
        ]


# Power.


@pytest.mark.parametrize(
    ("levels", "cannot"),
    [
        ({"users": {ME: 100}}, {}),
        ({"users": {ME: 50, TROL: 50}}, {"kick": "rank", "ban": "rank"}),
        ({"users": {}}, {"remove": "power", "kick": "power", "ban": "power"}),
        ({"users": {ME: 50}, "ban": 60, "redact": "51"}, {"remove": "power", "ban": "power"}),
        (
            {"users": {}, "events_default": 50},
            dict.fromkeys(("reply", "like", "remove", "kick", "ban"), "power"),
        ),
    ],
)
def test_what_the_accounts_power_does_not_allow_is_known_before_anybody_tries(network, levels, cannot):
    network.rooms[PLAZA]["m.room.power_levels"] = levels
    cursor = read(network)[1]
    network.write(TROL, "COMPRAD")
    assert read(network, cursor)[0][0].cannot == cannot


def test_in_newer_rooms_who_made_it_stands_above_every_number(network):
    network.rooms[PLAZA] = {
        "m.room.create": {"room_version": "12"},  # made by us
        "m.room.power_levels": {"users": {TROL: 100}},
    }
    cursor = read(network)[1]
    network.write(TROL, "COMPRAD")
    assert read(network, cursor)[0][0].cannot == {}


# Writing.


def test_an_answer_goes_into_the_thread_says_whom_it_answers_and_comes_back_with_its_key():
    with with_a_question() as network:
        cursor = read(network)[1]
        receipt = matrix.reply(account(network), TARGET, "El domingo no", "key-9")
        content = network.by_id[receipt.remote_id]["content"]
        assert content["m.relates_to"] == {
            "rel_type": "m.thread",
            "event_id": QUESTION,
            "is_falling_back": False,
            "m.in_reply_to": {"event_id": QUESTION},
        }
        assert content["m.mentions"] == {"user_ids": [DIEGO]}
        echo = read(network, cursor)[0][0]
        assert (echo.is_ours, echo.key, echo.thread_id, echo.remote_id) == (
            True,
            "key-9",
            TARGET.thread_id,
            receipt.remote_id,
        )


def test_in_a_thread_the_answer_stays_in_it_and_in_a_private_talk_there_is_none():
    with with_a_question() as network:
        said = network.write(DIEGO, "Psst", room=TALK)["event_id"]
        matrix.reply(account(network), Target(TALK, said, DIEGO, {"room": TALK}, kind="direct"), "Dime", "k1")
        matrix.reply(
            account(network),
            Target(f"{PLAZA} {DIEGO}", QUESTION, DIEGO, {"room": PLAZA, "root": OURS}, kind="comment"),
            "Sí",
            "k2",
        )
        private, threaded = (post["content"]["m.relates_to"] for post in network.posts)
        assert private == {"m.in_reply_to": {"event_id": said}}
        assert threaded["event_id"] == OURS


def test_the_length_is_counted_in_bytes_of_the_event(network):
    assert matrix.text_length(account(network), "año\n👍") == 4 + 2 + 4
    with pytest.raises(Unsupported):
        matrix.reply(account(network), TARGET, "ñ" * (MAX_BYTES // 2 + 1), "key")
    assert network.requests == []


def test_who_has_left_already_counts_as_put_out(network, monkeypatch):
    refused = (403, {"errcode": "M_FORBIDDEN", "error": "The target user is not in the room"})
    answer = Homeserver.answer

    def refuse(self, method, path, asked, body):
        return refused if path.endswith("/kick") else answer(self, method, path, asked, body)

    monkeypatch.setattr(Homeserver, "answer", refuse)
    target = Target(f"{PLAZA} {TROL}", "$x", TROL, {"room": PLAZA}, kind="mention")
    network.rooms[PLAZA]["m.room.member"] = {"membership": "join"}
    with pytest.raises(Refused):
        matrix.act(account(network), "kick", target, "key")
    network.rooms[PLAZA]["m.room.member"] = {"membership": "leave"}
    matrix.act(account(network), "kick", target, "key")


# Getting in.


def test_without_a_token_it_signs_in_with_the_password_and_stays_the_same_device(network):
    one = account(network)
    one.secrets, one.settings["user"] = {"password": PASSWORD}, ME
    with pytest.raises(Reconnect):
        matrix.check(one)
    granted = matrix.renew(one)
    assert (granted.secrets["token"], granted.settings) == (TOKEN, {"device_id": "TERTULIA"})
    one.secrets = {"password": "otra"}
    with pytest.raises(Reconnect, match="user and password"):
        matrix.renew(one)
    with pytest.raises(Reconnect, match="access token"):
        matrix.renew(account(network))


def test_the_check_says_who_it_is_and_which_rooms_it_is_not_in(network):
    one = account(network)
    one.settings["rooms"] = [PLAZA, "#nadie:lab.test"]
    health = matrix.check(one)
    assert (health.is_ok, health.facts["user_id"], health.facts["missing_rooms"]) == (False, ME, ["#nadie:lab.test"])
    one.settings["rooms"] = [PLAZA]
    assert matrix.check(one).is_ok


def test_the_sign_of_news_comes_at_once(network):
    signs = matrix.listen(account(network), lambda: False)
    assert next(signs) is False
    network.write(DIEGO, "Hola")
    assert (next(signs), next(signs)) == (True, False)


# Counting.


def test_a_stretch_of_time_read_again_gives_all_that_stands_there(network):
    for number in range(250):
        network.write(DIEGO, f"Mensaje {number}", id=f"$m{number}")
    network.edit("$m7", "Siete")
    network.delete("$m8")
    since, until = network.start + timedelta(seconds=2), network.start + timedelta(seconds=201)
    texts, cursor = {}, ""
    while True:
        page = matrix.reread(account(network), since, until, cursor)
        texts |= {one.remote_id: one.text for one in page.envelopes}
        cursor = page.cursor
        if not page.more:
            break
    expected = {f"$m{number}": f"Mensaje {number}" for number in range(1, 200) if number != 8}
    assert texts == {**expected, "$m7": "Siete"}


# Through the whole product.


def scenario(network: Homeserver, stored: Account, count: int) -> None:
    """People write, edit and delete in bursts; the reader is cut off, refused, told to wait, and away for days."""
    rng = random.Random(count)
    hour = 0

    def look() -> None:
        nonlocal hour
        hour += 1
        polling.run_due(NOON + timedelta(hours=hour))

    look()
    people, rooms, alive = [f"@p{number}:lab.test" for number in range(16)], [PLAZA, PLAZA, TALK], []
    written = 0
    while written < count:
        for _each in range(min(rng.choice([1, 7, 49, 50, 51, 99, 100, 101, count // 4]), count - written)):
            room = rng.choice(rooms)
            alive.append(network.write(DIEGO if room == TALK else rng.choice(people), f"N.º {written}", room=room))
            written += 1
        for event in rng.sample(alive, min(len(alive), 5)):
            network.edit(event["event_id"], f"Corregido: {event['event_id']}")
        for event in rng.sample(alive, min(len(alive), 2)):
            alive.remove(event)
            network.delete(event["event_id"], by=rng.choice([event["sender"], ME]))
        if rng.random() < 0.7:  # else the sign of news was lost, or nobody was there to hear it
            network.read_faults.extend(rng.choices(["", "", "429", "500", "cut_before", "html_502"], k=6))
            for _copy in range(rng.choice([1, 3])):
                look()
    network.read_faults.clear()
    for _each in range(200):
        look()
        stored.refresh_from_db()
        place = json.loads(stored.cursor)
        if place["since"] == f"s{len(network.events)}" and not place["left"]:
            return
    raise AssertionError("It never came to the end.")


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
def test_over_a_bad_line_every_message_is_shown_once_in_its_last_state(network, brand, monkeypatch, count):
    monkeypatch.setattr(channels, "http", Door(total=1.5))
    settings, secrets = {"homeserver": network.url}, {"token": TOKEN}
    stored = Account.objects.create(
        brand=brand, kind="matrix", name="Plaza", created_at=NOON, next_poll_at=NOON, settings=settings, secrets=secrets
    )
    scenario(network, stored, count)

    rows = Message.objects.filter(deleted_at__isnull=True)
    here = {id: (thread, text) for id, thread, text in rows.values_list("remote_id", "thread_id", "text")}
    truth = network.truth()
    there = {id: (room if room == TALK else f"{room} {who}", text) for id, (room, who, text) in truth.items()}
    assert here == there
    assert rows.count() == len(there)
    shown = set(Conversation.objects.values_list("thread_id", flat=True))
    assert shown >= {thread for thread, _text in there.values()}
