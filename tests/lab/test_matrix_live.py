"""The connector against a real Synapse: every operation of its table, one line each."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from film_cast import PAN
from lab import synapse
from lab.ground import HOGAZA
from tertulia.connectors.contract import Draft, Envelope, Picture, Reconnect, Refused, Retry, Target
from tertulia.connectors.matrix.connector import Matrix
from tertulia.core.http import Door

pytestmark = pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1")
CHANNEL = "matrix"
operation = pytest.mark.line

matrix = Matrix(Door())


@pytest.fixture(scope="module")
def server(lines):
    with lines.server(synapse.running) as server:
        yield server


@pytest.fixture(scope="module")
def desk(server):
    """The company's account, read up to now."""
    settings = {"homeserver": server.url, "invited_by_all": True, "news": "#plaza:lab.test"}
    account = SimpleNamespace(id=1, settings=settings, secrets={"token": server.tokens["horno"]})
    desk = Desk(server, account)
    desk.news()
    return desk


class Desk:
    def __init__(self, server, account):
        self.server, self.account, self.cursor = server, account, ""

    def news(self) -> list[Envelope]:
        found = []
        while True:
            page = matrix.fetch(self.account, self.cursor)
            found += page.envelopes
            assert not page.unread
            self.cursor = page.cursor
            if not page.more:
                return found

    def one(self) -> Envelope:
        (envelope,) = self.news()
        return envelope

    def asked(self, who: str = "diego", text: str = "¿Abrís el domingo?", room: str = "plaza") -> Target:
        self.server.say(who, room, text)
        return target(self.one())


def target(said: Envelope) -> Target:
    return Target(
        said.thread_id, said.remote_id, said.author.remote_id, said.hints, said.kind, "", said.author.name, said.url,
        said.is_ours,
    )  # fmt: skip


def content(desk, target, who="diego"):
    return desk.server.event(who, target.hints["room"], target.remote_id)["content"]


@operation("in", "a room")
def test_in_from_a_room(desk):
    desk.server.say("diego", "plaza", "¿Abrís el domingo?")
    said = desk.one()
    assert (said.text, said.author.name) == ("¿Abrís el domingo?", "Diego")
    assert said.thread_id == f"{desk.server.rooms['plaza']} @diego:lab.test"
    assert said.about.title == "Plaza del Horno"


@operation("kind", "in a room: a mention")
def test_kind_in_a_room(desk):
    assert desk.asked().kind == "mention"


@operation("kind", "under our own post: a comment")
def test_in_under_our_own_post(desk):
    ours = desk.server.say("horno", "plaza", "Hoy hay roscón")
    relates = {"rel_type": "m.thread", "event_id": ours, "is_falling_back": True, "m.in_reply_to": {"event_id": ours}}
    desk.server.say("elena", "plaza", {"msgtype": "m.text", "body": "¿Con nata?", "m.relates_to": relates})
    said = desk.one()
    assert (said.kind, said.about.text, said.hints["root"]) == ("comment", "Hoy hay roscón", ours)


@operation("kind", "a private talk, joined when invited: direct")
def test_in_from_a_private_talk_after_an_invitation(desk):
    invite = [synapse.user("horno")]
    desk.server.begin_room("elena", "talk", is_direct=True, preset="trusted_private_chat", invite=invite)
    desk.server.say("elena", "talk", "¿Hacéis tartas?")
    said = desk.news() + desk.news()
    assert [(one.kind, one.text, one.thread_id) for one in said] == [
        ("direct", "¿Hacéis tartas?", desk.server.rooms["talk"])
    ]


@operation("kind", "an encrypted room: told, and nothing can be answered there")
def test_in_from_an_encrypted_room(desk):
    encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    desk.server.begin_room("diego", "secret", invite=[synapse.user("horno")], initial_state=[encryption])
    desk.news()
    desk.news()
    secret = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgAEnACgAkL", "session_id": "x", "device_id": "D"}
    desk.server.say("diego", "secret", secret, "m.room.encrypted")
    said = desk.one()
    assert said.cannot["reply"] == "encrypted"
    with pytest.raises(Refused):
        matrix.reply(desk.account, target(said), "Hola", "encrypted-1")


@operation("edited there", "by its writer")
def test_edited_upstream(desk):
    asked = desk.asked()
    desk.server.correct("diego", "plaza", asked.remote_id, "¿Abrís el sábado?")
    said = desk.one()
    assert (said.verb, said.remote_id, said.text) == ("edited", asked.remote_id, "¿Abrís el sábado?")


@operation("deleted there", "by its writer")
def test_deleted_upstream(desk):
    asked = desk.asked()
    desk.server.redact("diego", "plaza", asked.remote_id)
    said = desk.one()
    assert (said.verb, said.remote_id) == ("deleted", asked.remote_id)
    assert list(matrix.gone(desk.account, [asked])) == [asked.remote_id]


@operation("answered", "in its thread")
def test_answered_in_thread(desk):
    asked = desk.asked()
    receipt = matrix.reply(desk.account, asked, "El domingo descansamos.", "answer-1")
    relates = desk.server.event("diego", "plaza", receipt.remote_id)["content"]["m.relates_to"]
    assert (relates["rel_type"], relates["event_id"]) == ("m.thread", asked.remote_id)
    echo = desk.one()
    assert (echo.is_ours, echo.key, echo.thread_id) == (True, "answer-1", asked.thread_id)


@operation("answered", "sent twice with one key, there once")
def test_sent_twice_with_one_key(desk):
    asked = desk.asked()
    first, second = (matrix.reply(desk.account, asked, "Una sola vez", "twice-1") for _ in range(2))
    assert first == second
    assert [one.text for one in desk.news()] == ["Una sola vez"]


@operation("answered", "found by its key")
def test_found_by_its_key(desk):
    asked = desk.asked()
    receipt = matrix.reply(desk.account, asked, "Ahí está", "found-1")
    assert matrix.find(desk.account, "found-1") == receipt
    assert matrix.find(desk.account, "never-sent") is None
    desk.news()


@operation("moderated", "like, twice, and taken back")
def test_like_and_undo(desk):
    asked = desk.asked()
    for key in ("like-1", "like-2"):  # a second one is refused by the server, and stands already
        matrix.act(desk.account, "like", asked, key)
    path = f"/_matrix/client/v1/rooms/{quote(desk.server.rooms['plaza'])}/relations/{quote(asked.remote_id)}"
    assert len(desk.server.call("diego", "GET", f"{path}/m.annotation")["chunk"]) == 1
    matrix.act(desk.account, "like", asked, "like-1-undo", undo=True)
    assert desk.server.call("diego", "GET", f"{path}/m.annotation")["chunk"] == []
    assert desk.news() == []


def post(desk, draft, key):
    receipt = matrix.publish(desk.account, draft, key)
    return Target("", receipt.remote_id, hints=receipt.hints, kind="post", is_ours=True)


def attached(desk, name, kind, content, **said):
    one = Picture(name, kind, len(content), content=content, **said)
    return replace(one, id=matrix.attach(desk.account, one, name))


def file(desk, said):
    """The bytes of what an event shows, as somebody else in the room gets them."""
    where = said["url"].removeprefix("mxc://")
    headers = {"authorization": f"Bearer {desk.server.tokens['diego']}"}
    url = f"{desk.server.url}/_matrix/client/v1/media/download/{where}"
    answer = matrix.http.request("GET", url, headers=headers)
    return answer.status, answer.headers["content-type"], answer.body


@operation("published", "a post, with a picture")
def test_published_with_a_picture(desk):
    picture = attached(desk, "hogaza.png", "image/png", HOGAZA, width=4, height=4, alt="Una hogaza")
    said = content(desk, post(desk, Draft("Hoy, pan ñ 🥖", pictures=[picture]), "post-1"))
    assert (said["msgtype"], said["body"], said["filename"]) == ("m.image", "Hoy, pan ñ 🥖", "hogaza.png")
    assert said["info"] == {"mimetype": "image/png", "size": len(HOGAZA), "w": 4, "h": 4}
    assert file(desk, said) == (200, "image/png", HOGAZA)


@operation("published", "a film, read back byte by byte")
def test_published_film(desk):
    film = attached(desk, "horno.mp4", "video/mp4", PAN, width=160, height=90, seconds=1)
    said = content(desk, post(desk, Draft("Así lo hacemos", pictures=[film]), "film-1"))
    assert (said["msgtype"], said["body"], said["filename"]) == ("m.video", "Así lo hacemos", "horno.mp4")
    assert said["info"] == {"mimetype": "video/mp4", "size": len(PAN), "w": 160, "h": 90, "duration": 1000}
    assert file(desk, said) == (200, "video/mp4", PAN)


@operation("published", "further parts below it, each once however often it is tried, and found by its key")
def test_published_thread(desk):
    above = first = post(desk, Draft("Uno"), "thread-0")
    for number, text in enumerate(("dos", "tres"), start=1):
        draft = Draft(text, "part", above=above)
        below = post(desk, draft, f"thread-{number}")
        assert post(desk, draft, f"thread-{number}") == below
        relates = content(desk, below)["m.relates_to"]
        assert (relates["rel_type"], relates["event_id"]) == ("m.thread", first.remote_id)
        assert relates["m.in_reply_to"]["event_id"] == above.remote_id
        found = matrix.find_post(desk.account, draft, f"thread-{number}")
        assert (found.remote_id, found.hints) == (below.remote_id, below.hints)
        above = below
    assert matrix.find_post(desk.account, Draft("Uno"), "thread-nobody") is None


@operation("published", "a name in it, who hears of it")
def test_published_name(desk):
    named = post(desk, Draft("Con harina de @elena:lab.test, gracias"), "named-1")
    told = desk.server.call("elena", "GET", "/_matrix/client/v3/notifications?only=highlight")["notifications"]
    assert named.remote_id in [one["event"]["event_id"] for one in told]
    told = desk.server.call("diego", "GET", "/_matrix/client/v3/notifications?only=highlight")["notifications"]
    assert named.remote_id not in [one["event"]["event_id"] for one in told]


@operation("published", "taken down again, twice")
def test_taken_down(desk):
    one = post(desk, Draft("Me lo pensé mejor"), "gone-1")
    for _again in range(2):
        matrix.act(desk.account, "delete", one, "gone-1-delete")
    assert content(desk, one) == {}
    desk.news()


@operation("deleted there", "our own answer, by us")
def test_delete_our_own(desk):
    asked = desk.asked()
    matrix.reply(desk.account, asked, "Me he equivocado", "wrong-1")
    ours = target(desk.one())
    matrix.act(desk.account, "delete", ours, "wrong-1-delete")
    assert content(desk, ours) == {}
    said = desk.one()
    assert (said.verb, said.remote_id, said.is_ours) == ("deleted", ours.remote_id, True)


@operation("moderated", "remove, twice")
def test_remove_somebody_elses(desk):
    spam = desk.asked("trol", "COMPRAD EN MI PÁGINA")
    for _again in range(2):
        matrix.act(desk.account, "remove", spam, "remove-1", because="Norma 3")
    assert content(desk, spam) == {}
    assert [(one.verb, one.remote_id) for one in desk.news()] == [("deleted", spam.remote_id)]


@operation("moderated", "kick, twice")
def test_kick(desk):
    spam = desk.asked("trol", "Otra vez yo")
    for _again in range(2):
        matrix.act(desk.account, "kick", spam, "kick-1", because="Norma 3")
    assert membership(desk) == "leave"
    desk.server.join("trol", "plaza")


@operation("moderated", "ban, twice, and taken back")
def test_ban_and_undo(desk):
    spam = desk.asked("trol", "Y otra")
    for _again in range(2):
        matrix.act(desk.account, "ban", spam, "ban-1", because="Norma 3")
    assert membership(desk) == "ban"
    matrix.act(desk.account, "ban", spam, "ban-1-undo", undo=True)
    assert membership(desk) == "leave"
    desk.server.join("trol", "plaza")


def membership(desk) -> str:
    path = f"{desk.server.room('plaza')}/state/m.room.member/{quote('@trol:lab.test')}"
    return desk.server.call("diego", "GET", path)["membership"]


@operation("moderated", "report")
def test_report(desk):
    bad = desk.asked("trol", "Sois unos ladrones")
    matrix.act(desk.account, "report", bad, "report-1", because="insultos")
    reports = desk.server.call("admin", "GET", "/_synapse/admin/v1/event_reports?limit=100")["event_reports"]
    assert [one["reason"] for one in reports if one["event_id"] == bad.remote_id] == ["insultos"]


@operation("moderated", "mute, twice, and taken back; nothing is taken for deleted")
def test_mute_and_undo(desk):
    noise = desk.asked("trol", "Bla")
    for _again in range(2):
        matrix.act(desk.account, "mute", noise, "mute-1")
    desk.server.say("trol", "plaza", "Bla bla")
    assert desk.news() == []
    assert list(matrix.gone(desk.account, [noise])) == []
    matrix.act(desk.account, "mute", noise, "mute-1-undo", undo=True)
    desk.server.say("trol", "plaza", "Perdón")
    assert desk.news()[-1].text == "Perdón"


@operation("moderated", "without power: refused in the server's words")
def test_an_act_without_power_is_refused_in_the_servers_words(desk):
    diego = SimpleNamespace(id=2, settings=desk.account.settings, secrets={"token": desk.server.tokens["diego"]})
    spam = desk.asked("trol", "Y más")
    with pytest.raises(Refused, match="Matrix: "):
        matrix.act(diego, "remove", spam, "powerless-1")


@operation("in", "a gap of three hundred")
def test_a_gap_of_three_hundred(desk):
    for number in range(300):
        desk.server.say("elena", "plaza", f"Ráfaga {number}")
    assert [one.text for one in desk.news()] == [f"Ráfaga {number}" for number in range(300)]


@operation("more", "a day read again")
def test_a_day_read_again(desk):
    since, until = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(minutes=1)
    texts, cursor = [], ""
    while True:
        page = matrix.reread(desk.account, since, until, cursor)
        texts += [one.text for one in page.envelopes]
        cursor = page.cursor
        if not page.more:
            break
    bursts = sorted(int(text.split()[1]) for text in texts if text.startswith("Ráfaga"))
    assert bursts == list(range(300))
    assert "COMPRAD EN MI PÁGINA" not in texts


@operation("in", "told at once")
def test_news_are_told_at_once(desk):
    signs = matrix.listen(desk.account, lambda: False)
    next(signs)
    desk.server.say("diego", "plaza", "¿Hay alguien?")
    began = time.monotonic()
    while not next(signs):
        pass
    assert time.monotonic() - began < 5
    desk.news()


@operation("access", "health, and a room to follow that is missing")
def test_health(desk):
    health = matrix.check(desk.account)
    assert (health.is_ok, health.facts["user_id"]) == (True, "@horno:lab.test")
    named = SimpleNamespace(id=1, settings={**desk.account.settings, "rooms": ["#plaza:lab.test", "#x:lab.test"]})
    named.secrets = desk.account.secrets
    health = matrix.check(named)
    assert (health.is_ok, health.facts["missing_rooms"]) == (False, ["#x:lab.test"])


@operation("access", "with a password, renewed twice, and not with a wrong one")
def test_signed_in_with_a_password_and_renewed(desk):
    account = SimpleNamespace(id=3, settings={"homeserver": desk.server.url, "user": "horno"}, secrets={})
    account.secrets = {"password": synapse.password("horno")}
    with pytest.raises(Reconnect):
        matrix.check(account)
    for _again in range(2):
        granted = matrix.renew(account)
        account.secrets |= {name: value for name, value in granted.secrets.items() if value}
        account.settings |= granted.settings
        assert matrix.check(account).is_ok
    account.secrets |= {"password": "otra", "refresh_token": "syr_falso", "token": "syt_falso"}
    with pytest.raises(Reconnect):
        matrix.check(account)
    with pytest.raises(Reconnect):
        matrix.renew(account)


@operation("access", "nobody answers at this address")
def test_a_server_that_is_not_one(desk):
    nobody = SimpleNamespace(id=4, settings={"homeserver": "http://127.0.0.1:9"}, secrets={"token": "x"})
    with pytest.raises(Retry):
        matrix.check(nobody)


def test_every_part_has_its_line(server, lines):
    lines.lacks("published", "a poll", "a second event would have to end it, and the connector publishes none")
    lines.lacks("published", "reactions, counted", "Synapse tells no sums, and the connector declares no figures")
    for act, why in matrix.capabilities.cannot.items():
        lines.lacks("moderated", act, why["en"])
    lines.check()
