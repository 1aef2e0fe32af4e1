"""What is particular to Telegram: updates that are kept for a day, chats that move, and a token in every address."""

from __future__ import annotations

import json
import os
import random
from collections import deque
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conftest import NOON
from fakes import telegram as fake
from fakes.telegram import ANA, BASIC, BOT, GROUP
from tertulia.channels import models as channels
from tertulia.channels.models import Account, Message, Quarantine
from tertulia.connectors.contract import BadPayload, Draft, Inbound, Item, Reconnect, Refused, Retry, Target, Unknown
from tertulia.connectors.telegram import bot as api
from tertulia.connectors.telegram import connector as telegram
from tertulia.connectors.telegram import texts
from tertulia.connectors.telegram.connector import Telegram
from tertulia.connectors.telegram.entities import to_html, units
from tertulia.core.http import Door
from tertulia.flows import inbound, polling
from tertulia.inbox.models import Conversation

SAMPLES = Path(telegram.__file__).parent / "samples"
HOOK = "https://desk.example/in/abc/"
NEW = -1009990001112


@pytest.fixture
def bots():
    with fake.running(fake.Bots()) as bots:
        yield bots


@pytest.fixture
def desk(bots):
    return Desk(bots)


class Desk:
    def __init__(self, bots, **settings):
        self.bots, self.account = bots, fake.account(bots, **settings)
        self.connector, self.cursor = Telegram(Door(total=1.5)), ""

    def read(self):
        told, more = [], True
        while more:
            page = self.connector.fetch(self.account, self.cursor)
            self.cursor, more = page.cursor, page.more
            told += page.envelopes
        return told

    def receive(self, update, secret=fake.SECRET):
        headers = {"x-telegram-bot-api-secret-token": secret}
        return self.connector.receive(self.account, Inbound(headers, {}, json.dumps(update).encode(), NOON))

    def reply(self, to, text="Sí"):
        return self.connector.reply(self.account, to, text, "key")


def answering(envelope) -> Target:
    return Target(envelope.thread_id, envelope.remote_id, envelope.author.remote_id, envelope.hints, kind=envelope.kind)


# As the documentation has it.


def test_samples_and_double_speak_as_telegrams_types_have_it():
    pytest.importorskip("aiogram", reason="aiogram isn't installed: make install-dev")
    updates = []
    for sample in SAMPLES.glob("*.in.json"):
        given = json.loads(sample.read_text())
        updates += [given["body"]] if given["call"] == "receive" else given["http"][0]["json"]["result"]
    for update in updates:
        fake.check_update(update)
    assert len(updates) == 10
    with pytest.raises(AssertionError):
        fake.check_update({**updates[0], "message": {**updates[0]["message"], "texto": "x"}})
    with pytest.raises(AssertionError):
        fake.check_call("sendMessage", {"chat_id": 1, "text": "x", "reply_to": 3})


# Whose thread it is, and what a message says.


def test_each_person_of_a_group_and_of_each_topic_has_a_thread_of_their_own(bots, desk):
    bots.write("uno")
    bots.write("dos", by=502)
    bots.write("tres", message_thread_id=7, is_topic_message=True)
    bots.write("cuatro", message_thread_id=11)  # answers to an answer carry a thread, too, that is no topic
    bots.write("cinco", chat=ANA)
    assert {one.text: one.thread_id for one in desk.read()} == {
        "uno": f"{GROUP}:0:501", "dos": f"{GROUP}:0:502", "tres": f"{GROUP}:7:501", "cuatro": f"{GROUP}:0:501",
        "cinco": "501",
    }  # fmt: skip


def test_an_answer_to_us_is_a_comment_and_stands_under_what_we_said(bots, desk):
    ours = {"message_id": 3, "date": 1, "chat": bots.chat(GROUP), "from": fake.user(BOT), "text": "Hoy hay hogaza"}
    bots.write("¿De trigo?", reply_to_message=ours)
    bots.write("Buenos días")
    answer, other = desk.read()
    assert (answer.kind, answer.about.text, answer.in_reply_to) == ("comment", "Hoy hay hogaza", f"{GROUP}:3")
    assert (other.kind, other.about.title, other.in_reply_to) == ("mention", "Amigos del Horno", "")


def test_a_comment_under_a_post_of_the_channel_is_one_and_the_post_itself_is_not(bots, desk):
    channel = {"id": -1005, "type": "channel", "title": "Horno Candela"}
    post = {"is_automatic_forward": True, "sender_chat": channel}
    post = bots.write("Nuevo pan", by=777000, **post)["message"]
    bots.write("¡Qué bueno!", reply_to_message=post)
    [one] = desk.read()
    assert (one.kind, one.about.text) == ("comment", "Nuevo pan")


def test_what_nobody_wrote_is_left_out_and_what_nobody_knows_is_kept(bots, desk):
    bots.write(new_chat_members=[fake.user(502)])
    bots.write("uno")
    bots.updates.append((bots.now, {"update_id": 999, "message": {**bots.messages[GROUP, 12], "text": "", "holo": {}}}))
    page = desk.connector.fetch(desk.account, "")
    assert [one.text for one in page.envelopes] == ["uno"]
    assert [one.why for one in page.unread] == [texts.ODD_MESSAGE]
    assert desk.read()[0].text == "uno"
    assert desk.read() == []  # what was not understood doesn't come again


def test_a_robot_and_the_word_that_opens_a_bot_wait_for_no_answer(bots, desk):
    bots.write("/start", chat=ANA)
    bots.write("Soy otro robot", **{"from": {"id": 9, "is_bot": True, "first_name": "R"}})
    bots.write("Hola", chat=ANA)
    assert [one.is_automatic for one in desk.read()] == [True, True, False]


def test_who_writes_in_the_name_of_the_group_can_be_banned_but_not_put_out(bots, desk):
    bots.write("Norma 1", by=BOT, sender_chat=bots.chat(GROUP))
    [one] = desk.read()
    assert (one.author.remote_id, one.cannot) == (str(GROUP), {"restrict": "channel", "kick": "channel"})
    desk.connector.act(desk.account, "ban", answering(one), "key")
    assert bots.requests[-1] == ("banChatSenderChat", {"chat_id": GROUP, "sender_chat_id": GROUP})


def test_what_the_bot_may_not_do_in_a_group_is_said_of_each_message(bots, desk):
    bots.rights = {GROUP: ["can_delete_messages"]}
    desk.account.settings["groups"] = ["@amigosdelhorno", "https://t.me/otro"]
    health = desk.connector.check(desk.account)
    assert health.says == texts.LACKS_RIGHTS
    assert health.facts == {
        "bot": "hornocandela_bot",
        "rights": {str(GROUP): ["can_delete_messages"], "https://t.me/otro": []},
    }
    desk.account.settings |= health.facts
    bots.write("uno")
    assert desk.read()[0].cannot == dict.fromkeys(("restrict", "ban", "kick"), "rights")
    bots.write("dos", chat=BASIC)
    assert desk.read()[0].cannot == {"restrict": "basic"}


def test_a_bot_that_hears_little_says_so(bots, desk):
    assert desk.connector.check(desk.account).says == texts.FINE
    bots.reads_all = False
    assert desk.connector.check(desk.account).says == texts.SEES_LITTLE


# Files.


def test_files_are_named_without_an_address_that_would_hold_the_token(bots, desk):
    sizes = [{"file_id": f"AgAC{width}", "file_unique_id": "u", "width": width, "height": 9} for width in (90, 1280)]
    bots.write(chat=ANA, photo=sizes, caption="Mirad")
    file = {"file_id": "BQAC", "file_unique_id": "v", "file_name": "pedido.pdf", "mime_type": "application/pdf"}
    bots.write(chat=ANA, document={**file, "file_size": 77})
    photo, document = desk.read()
    assert (photo.text, photo.hints["file_id"]) == ("Mirad", "AgAC1280")
    assert document.attachments == [{"name": "pedido.pdf", "type": "application/pdf", "size": 77}]
    assert not any("url" in one or "part" in one for one in (*photo.attachments, *document.attachments))
    assert fake.TOKEN not in str([asdict(photo), asdict(document)])


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"location": {"latitude": 40.5, "longitude": -3.25}}, "📍 40.5, -3.25"),
        ({"contact": {"phone_number": "+34911", "first_name": "Eva"}}, "👤 Eva +34911"),
        ({"dice": {"emoji": "🎲", "value": 4}}, "🎲 4"),
        ({"story": {"chat": {"id": 5, "type": "private"}, "id": 1}}, "[story]"),
    ],
)
def test_what_has_no_text_is_described(bots, desk, more, text):
    bots.write(chat=ANA, **more)
    assert desk.read()[0].text == text


# Formatted text.


@pytest.mark.parametrize(
    ("text", "entities", "html"),
    [
        ("hola", [], ""),
        ("👋 hola <b>", [("bold", 3, 4)], "👋 <b>hola</b> &lt;b&gt;"),
        ("uno dos", [("bold", 0, 7), ("italic", 4, 3)], "<b>uno <i>dos</i></b>"),
        ("uno dos tres", [("bold", 0, 7), ("italic", 4, 8)], "<b>uno <i>dos</i></b> tres"),
        ("a\nb", [("blockquote", 0, 3)], "<blockquote>a<br>b</blockquote>"),
        ("a b", [("bold", 0, 1), ("bold", 2, 1)], "<b>a</b> <b>b</b>"),
        ("corto", [("bold", 2, 90), ("italic", 50, 2), ("mention", 0, 2)], "co<b>rto</b>"),
        ("👋", [("bold", 1, 1)], "👋"),
    ],
)
def test_marks_are_counted_as_telegram_counts(text, entities, html):
    marks = [{"type": kind, "offset": offset, "length": length} for kind, offset, length in entities]
    found = to_html(text, marks)
    assert found == html or (text == "👋" and "<b>" in found)


def test_a_link_cannot_break_out_of_its_attribute():
    mark = {"type": "text_link", "offset": 0, "length": 1, "url": 'https://x/"><script>'}
    assert to_html("a", [mark]) == '<a href="https://x/&quot;&gt;&lt;script&gt;">a</a>'


def test_an_answer_is_counted_in_utf_16(bots, desk):
    assert (units("año"), units("👋"), desk.connector.text_length(desk.account, "👋👋")) == (3, 2, 4)
    bots.write("uno")
    [one] = desk.read()
    desk.reply(answering(one), "👋" * 2048)
    with pytest.raises(Exception, match="longer than Telegram takes"):
        desk.reply(answering(one), "👋" * 2049)
    assert len(bots.posts) == 1


# Edits.


def test_of_two_edits_in_one_second_the_later_one_stays(bots, desk):
    update = bots.write("uno", chat=ANA)
    id = update["message"]["message_id"]
    first, second = (bots.edit(ANA, id, text) for text in ("dos", "tres"))
    second["edited_message"]["edit_date"] = first["edited_message"]["edit_date"]
    created, *edits = desk.read()
    assert [one.verb for one in edits] == ["edited", "edited"]
    assert created.sent_at < edits[0].changed_at < edits[1].changed_at


# Reading on.


def test_updates_are_forgotten_there_only_once_they_are_stored_here(bots, desk):
    bots.write("uno")
    bots.write("dos")
    page = desk.connector.fetch(desk.account, "")
    again = desk.connector.fetch(desk.account, "")
    assert [one.text for one in page.envelopes] == [one.text for one in again.envelopes] == ["uno", "dos"]
    assert desk.connector.fetch(desk.account, page.cursor).envelopes == []
    assert bots.updates == []
    assert desk.connector.fetch(desk.account, page.cursor).cursor == page.cursor


def test_a_burst_is_read_page_by_page(bots, desk):
    for number in range(250):
        bots.write(str(number))
    assert [one.text for one in desk.read()] == [str(number) for number in range(250)]


def test_after_a_week_of_silence_the_numbers_may_begin_anew(bots, desk):
    bots.write("uno")
    desk.read()
    place = json.loads(desk.cursor)
    place["at"] = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    desk.cursor, bots._updates = json.dumps(place), 3
    bots.now += timedelta(days=8)
    bots.write("dos")
    assert [one.text for one in desk.read()] == ["dos"]
    assert json.loads(desk.cursor)["offset"] == 5


def test_a_group_that_becomes_a_supergroup_keeps_its_talks(bots, desk):
    bots.write("uno", chat=BASIC)
    [before] = desk.read()
    bots.grow(BASIC, NEW)
    bots.write("dos", chat=NEW)
    [after] = desk.read()
    assert after.thread_id == before.thread_id == f"{BASIC}:0:501"
    receipt = desk.reply(answering(before))
    assert receipt.remote_id.startswith(f"{NEW}:")
    assert bots.posts[-1]["said"] == {"chat_id": NEW, "text": "Sí"}
    desk.connector.act(desk.account, "ban", answering(before), "key")
    assert (bots.acts, bots.requests[-1][1]["chat_id"]) == ([("ban", False)], NEW)


# The webhook.


def test_a_webhook_is_known_by_its_secret(bots, desk):
    update = bots.write("uno", chat=ANA)
    assert [one.text for one in desk.receive(update)] == ["uno"]
    assert desk.receive({"update_id": 5, "my_chat_member": {}}) == []
    for wrong in ("", "x", fake.SECRET.upper(), "é"):
        with pytest.raises(BadPayload) as bad:
            desk.receive(update, secret=wrong)
        assert bad.value.forged
    desk.account.secrets["secret"] = ""
    with pytest.raises(BadPayload) as bad:
        desk.receive(update, secret="")
    assert bad.value.forged


def test_telegram_is_told_whom_to_call_and_told_again_when_the_secret_is_new(bots):
    desk = Desk(bots, mode="webhook", webhook=HOOK)
    assert desk.read() == []
    assert bots.webhook == {
        "url": HOOK, "secret_token": fake.SECRET, "allowed_updates": ["message", "edited_message"]
    }  # fmt: skip
    asked = len(bots.requests)
    desk.read()
    assert len(bots.requests) == asked  # once in five minutes is enough
    desk.account.secrets["secret"] = "another-secret"
    desk.read()
    assert bots.webhook["secret_token"] == "another-secret"
    assert fake.SECRET not in desk.cursor


def test_a_webhook_that_cannot_be_reached_is_said(bots):
    desk = Desk(bots, mode="webhook", webhook=HOOK)
    desk.read()
    place = json.loads(desk.cursor)
    desk.cursor = json.dumps({**place, "looked_at": "2026-11-01T00:00:00+00:00"})
    bots.updates.append((bots.now, {"update_id": 1}))
    bots.webhook |= {"last_error_date": int(datetime.now(UTC).timestamp()), "pending_update_count": 1}
    with pytest.raises(Retry) as ended:
        desk.read()
    assert ended.value.why == texts.WEBHOOK_FAILS
    with pytest.raises(Reconnect):
        Desk(bots, mode="webhook").read()


def test_who_asks_after_having_been_called_is_called_no_more(bots):
    Desk(bots, mode="webhook", webhook=HOOK).read()
    bots.write("uno")
    assert [one.text for one in Desk(bots, webhook=HOOK).read()] == ["uno"]
    assert bots.webhook == {}


def test_the_webhook_of_another_program_is_left_alone(bots, desk):
    bots.webhook = {"url": "https://another.example/"}
    with pytest.raises(Reconnect) as ended:
        desk.read()
    assert (ended.value.why, bots.webhook["url"]) == (texts.WEBHOOK_ELSEWHERE, "https://another.example/")


def test_another_program_that_asks_at_the_same_time_is_named(bots, desk):
    bots.reading_faults.append("409")
    with pytest.raises(Retry) as ended:
        desk.read()
    assert ended.value.why == texts.ANOTHER_READER


# What answers mean.


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("Forbidden: bot was blocked by the user", texts.BLOCKED),
        ("Forbidden: bot was kicked from the supergroup chat", texts.PUT_OUT),
        ("Bad Request: not enough rights to restrict/unrestrict chat member", texts.NO_RIGHTS),
        ("Bad Request: CHAT_ADMIN_REQUIRED", texts.NO_RIGHTS),
        ("Bad Request: user is an administrator of the chat", texts.IS_ADMINISTRATOR),
        ("Bad Request: something new", "Bad Request: something new"),
        (None, texts.REFUSED),
    ],
)
def test_what_telegram_says_in_words_is_understood(words, why):
    assert api._meaning(words) == why


def test_somebody_who_blocked_the_bot_is_not_written_to(bots, desk):
    bots.blocked.add(ANA)
    with pytest.raises(Refused) as ended:
        desk.reply(Target("501", kind="direct"))
    assert (ended.value.why, bots.posts) == (texts.BLOCKED, [])


@pytest.mark.parametrize("token", ["", "nada", "12:corto", f"{fake.TOKEN}/../x", f"{fake.TOKEN}?a"])
def test_what_is_no_token_goes_nowhere(bots, desk, token):
    desk.account.secrets["token"] = token
    with pytest.raises(Reconnect):
        desk.read()
    assert bots.requests == []


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("https://api.telegram.org", True), ("http://127.0.0.1:8081", True), ("http://botapi:8081/", True),
        ("http://10.0.0.5", True), ("http://api.telegram.org", False), ("http://8.8.8.8", False), ("ftp://x", False),
    ],
)  # fmt: skip
def test_the_token_travels_in_clear_only_at_home(address, is_safe):
    if is_safe:
        assert api._safe(address) == address.rstrip("/")
    else:
        with pytest.raises(Reconnect):
            api._safe(address)


def test_an_answer_nobody_heard_of_stays_unknown(bots, desk):
    bots.write("uno")
    [one] = desk.read()
    for fault in ("accept_then_cut", "504"):
        bots.faults.append(fault)
        with pytest.raises(Unknown):
            desk.reply(answering(one))


# Answering and moderating.


def test_an_answer_in_a_group_names_the_message_and_its_topic_and_one_in_private_needs_none(bots, desk):
    bots.write("uno", message_thread_id=7, is_topic_message=True)
    bots.write("dos", chat=ANA)
    group, private = desk.read()
    receipt = desk.reply(answering(group))
    desk.reply(answering(private))
    first, second = (post["said"] for post in bots.posts)
    assert first == {
        "chat_id": GROUP, "text": "Sí", "message_thread_id": 7,
        "reply_parameters": {"message_id": 11, "allow_sending_without_reply": True},
    }  # fmt: skip
    assert second == {"chat_id": ANA, "text": "Sí"}
    assert (receipt.remote_id, receipt.url) == (f"{GROUP}:13", "https://t.me/c/1234567890/13")


def test_our_own_can_be_taken_back_for_two_days(bots, desk):
    ours = Item("mention", True, sent_at=NOON)
    for hours, is_possible in ((47, True), (49, False)):
        found = Telegram.possibilities(ours, NOON + timedelta(hours=hours))
        assert {one.can.act: one.is_possible for one in found} == {"delete": is_possible}


def test_what_is_gone_is_deleted_and_what_is_too_old_is_not(bots, desk):
    bots.write("uno")
    on = fake.target(11)
    for _time in range(2):
        desk.connector.act(desk.account, "remove", on, "key")
    assert bots.acts == [("remove", False)]
    bots.write("dos")
    bots.now += timedelta(hours=49)
    with pytest.raises(Refused) as ended:
        desk.connector.act(desk.account, "remove", fake.target(12), "key")
    assert ended.value.why == texts.TOO_OLD


def test_somebody_put_out_of_a_group_may_come_back(bots, desk):
    desk.connector.act(desk.account, "kick", fake.target(), "key")
    desk.connector.act(desk.account, "kick", fake.target(chat=BASIC), "key")
    methods = [method for method, _said in bots.requests]
    assert (methods, bots.acts) == (["unbanChatMember", "banChatMember"], [("kick", False), ("kick", False)])


def test_a_restriction_that_is_lifted_gives_back_what_everybody_may(bots, desk):
    desk.connector.act(desk.account, "restrict", fake.target(), "key")
    desk.connector.act(desk.account, "restrict", fake.target(), "key", undo=True)
    given = [said["permissions"] for method, said in bots.requests if method == "restrictChatMember"]
    assert given == [{"can_send_messages": False}, {"can_send_messages": True, "can_send_photos": True}]


# The whole way, over a bad line.

FAULTS = ["429", "500", "503", "cut_before", "html_502"]


def connect(brand, bots: fake.Bots, **settings: str) -> Account:
    return Account.objects.create(
        brand=brand, kind="telegram", name="Bot", created_at=NOON, next_poll_at=NOON,
        settings={"api": bots.url, **settings}, secrets={"token": fake.TOKEN, "secret": fake.SECRET},
    )  # fmt: skip


def live(bots: fake.Bots, rng: random.Random, burst: int) -> None:
    """People write and edit, in groups and in private."""
    for _number in range(burst):
        person = rng.randrange(501, 520)
        bots.write(f"Pregunta {rng.random()}", by=person, chat=rng.choice((GROUP, BASIC, person)))
    for chat, id in rng.sample(list(bots.messages)[-500:], min(20, len(bots.messages))):
        bots.edit(chat, id, f"Corregido {rng.random()}")


def check_all_shown(account: Account, there: dict[str, dict]) -> None:
    rows = Message.objects.filter(account=account).values_list("remote_id", "thread_id", "text")
    assert {id: text for id, _thread, text in rows} == {id: one["text"] for id, one in there.items()}
    assert len(rows) == len(there)
    threads = {id: f"{one['chat']['id']}:0:{one['from']['id']}".removesuffix(f":0:{one['chat']['id']}")
               for id, one in there.items()}  # fmt: skip
    assert {id: thread for id, thread, _text in rows} == threads
    assert set(Conversation.objects.values_list("thread_id", flat=True)) == set(threads.values())
    assert Quarantine.objects.count() == 0


def true_list(bots: fake.Bots) -> dict[str, dict]:
    return {f"{chat}:{id}": one for (chat, id), one in bots.messages.items()}


def scenario(count: int, brand, rng: random.Random) -> None:
    """Asked for: the reader comes and goes, and stays away for three days; what is older than one is gone then."""
    with fake.running(fake.Bots()) as bots:
        account, at, written, lost = connect(brand, bots, mode="ask"), NOON, 0, False
        while written < count:
            burst = min(rng.randint(1, count // 10), count - written)
            if not lost and written > count // 2:
                before = dict(bots.messages)
                live(bots, rng, 5)
                early = bots.messages.keys() - before.keys()
                bots.messages = before
                bots.now += timedelta(days=3)
                lost = bool(early)
            live(bots, rng, burst)
            written += burst
            bots.reading_faults = deque(rng.choice(FAULTS) for _number in range(rng.randrange(3)))
            for _reading in range(rng.randint(1, 3)):
                at += timedelta(minutes=16)
                polling.run_due(at)
        bots.reading_faults.clear()
        for _reading in range(5):
            at += timedelta(minutes=16)
            polling.run_due(at)
        assert lost
        check_all_shown(account, true_list(bots))


def called_scenario(count: int, brand, rng: random.Random) -> None:
    """Called: a third of the calls fails and is made again, each comes up to three times, in any order."""
    with fake.running(fake.Bots()) as bots:
        account, written = connect(brand, bots, mode="webhook", webhook=HOOK), 0
        count //= 5  # each call is a request of its own
        while written < count:
            burst = min(rng.randint(1, count // 10), count - written)
            live(bots, rng, burst)
            written += burst
        calls = [update for _at, update in bots.updates for _copy in range(rng.randint(1, 3))]
        rng.shuffle(calls)
        while calls:
            update = calls.pop()
            if rng.random() < 0.3:
                calls.insert(rng.randrange(len(calls) + 1), update)  # we were away: Telegram calls again
                continue
            headers = {"x-telegram-bot-api-secret-token": fake.SECRET}
            inbound.receive(account, Inbound(headers, {}, json.dumps(update).encode(), NOON))
        check_all_shown(account, true_list(bots))


@pytest.mark.django_db
@pytest.mark.parametrize("count", [2_000, *([20_000] if os.environ.get("TERTULIA_LAB") == "1" else [])])
@pytest.mark.parametrize("story", [scenario, called_scenario])
def test_every_message_telegram_still_has_is_shown_once_in_its_last_state(brand, monkeypatch, count, story):
    monkeypatch.setattr(channels, "http", Door(total=5))
    story(count, brand, random.Random(count))


def test_an_address_of_its_own_channel_names_a_post_there(bots):
    connector = Telegram(Door(total=1.5))
    public, private = fake.account(bots, channel="https://t.me/HornoRuiz"), fake.account(bots, channel="-1001234")
    for url in ("https://t.me/hornoruiz/77", "https://t.me/s/HornoRuiz/77?single"):
        named = connector.named(public, url)
        assert (named.remote_id, named.hints) == ("@HornoRuiz:77", {"chat": "@HornoRuiz", "message": "77"})
    assert connector.named(private, "https://t.me/c/1234/77").remote_id == "-1001234:77"
    for account, url in [
        (public, "https://t.me/otra/77"), (public, "https://t.me/HornoRuiz"), (public, "https://t.me/c/1234/77"),
        (private, "https://t.me/c/1235/77"), (fake.account(bots, channel=""), "https://t.me/HornoRuiz/77"),
    ]:  # fmt: skip
        assert connector.named(account, url) is None
    assert (connector.home(public), connector.home(private)) == ("https://t.me/HornoRuiz", "")


def test_what_is_only_known_by_its_address_is_written_below_and_deleted(bots):
    connector, account = Telegram(Door(total=1.5)), fake.account(bots, channel="@amigosdelhorno")
    first = connector.publish(account, Draft("uno"), "1")
    number = first.remote_id.partition(":")[2]
    named = connector.named(account, f"https://t.me/amigosdelhorno/{number}")
    above = Target(named.remote_id, named.remote_id, hints=named.hints, kind="post", is_ours=True)
    connector.publish(account, Draft("dos", kind="part", above=above), "2")
    assert [one.above for one in fake.SPEAKER.published(bots)] == ["", first.remote_id]
    connector.act(account, "delete", above, "3")
    assert [one.text for one in fake.SPEAKER.published(bots)] == ["dos"]
