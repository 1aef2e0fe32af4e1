"""The public door of the company's own page."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from conftest import NOON
from tertulia.brand.models import OpeningHours
from tertulia.channels.models import Account, Delivery, Message
from tertulia.core.models import Heartbeat
from tertulia.flows import limits, visitors
from tertulia.inbox import actions, wording
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db

SHOP = "https://www.hornocandela.example"


@pytest.fixture(autouse=True)
def _fresh_limits():
    limits.writes.forget()
    limits.looks.forget()


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def chat(site) -> Account:
    site.settings = {"origins": [SHOP]}
    site.save()
    return site


class Visitor:
    """A browser on the shop's page."""

    def __init__(self, account: Account, clock, origin: str = SHOP) -> None:
        self.client, self.account, self.clock = Client(), account, clock
        self.headers = {"origin": origin} if origin else {}
        self.desk: dict = {}

    def hello(self, **asked):
        query = {"visitor": self.desk.get("visitor", ""), "language": "es", **asked}
        answer = self.client.get(f"/site/{self.account.public_key}/hello", query, headers=self.headers)
        if answer.status_code == 200:
            self.desk = answer.json()
        return answer

    def come(self) -> "Visitor":
        """Say hello and take as long to write as people do."""
        self.hello()
        self.clock.shift(timedelta(seconds=5))
        return self

    def write(self, text="¿Abrís el domingo?", **said):
        body = {
            "visitor": self.desk["visitor"],
            "ticket": self.desk["ticket"],
            "id": str(uuid4()),
            "text": text,
            **said,
        }
        return self.post(json.dumps(body))

    def post(self, body: str):
        path = f"/site/{self.account.public_key}/messages?language=es"
        return self.client.post(path, body, content_type="text/plain", headers=self.headers)

    def read(self, **asked):
        query = {"visitor": self.desk["visitor"], **asked}
        return self.client.get(f"/site/{self.account.public_key}/messages", query, headers=self.headers)


@pytest.fixture
def diego(chat, clock) -> Visitor:
    return Visitor(chat, clock).come()


def test_what_a_visitor_writes_reaches_the_inbox(diego):
    answer = diego.write(name="Diego", email="diego@correo.example")
    assert answer.status_code == 201
    assert answer.json()["message"]["from"] == "visitor"
    conversation = Conversation.objects.get()
    assert (conversation.member_name, conversation.preview) == ("Diego", "¿Abrís el domingo?")


def test_the_same_message_posted_again_changes_nothing(diego):
    key = str(uuid4())
    first, again = diego.write(id=key), diego.write(id=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Message.objects.count() == 1


def test_an_answer_is_seen_only_once_it_can_no_longer_be_taken_back(diego, alba):
    diego.write()
    conversation = Conversation.objects.get()
    delivery = actions.reply(conversation=conversation, text="El lunes.", by=alba, turn=1, at=NOON)
    assert [one["from"] for one in diego.read().json()["messages"]] == ["visitor"]
    Delivery.objects.filter(pk=delivery.pk).update(state="sent")
    assert [(one["from"], one["name"], one["text"]) for one in diego.read().json()["messages"]][1:] == [
        ("brand", "Alba", "El lunes.")
    ]


def test_a_poll_tells_nothing_when_nothing_has_changed_and_everything_when_something_has(diego):
    diego.write()
    seen = diego.read().json()["after"]
    assert diego.read(after=seen).json() == {"messages": [], "after": seen}
    Message.objects.update(text="…", deleted_at=NOON)
    (message,) = diego.read(after=seen).json()["messages"]
    assert (message["deleted"], message["text"]) == (True, "")


def test_nobody_reads_another_visitors_messages(diego, chat, clock):
    diego.write()
    other = Visitor(chat, clock).come()
    assert other.read().json()["messages"] == []
    for token in ("", "x", diego.desk["visitor"][:-1], diego.desk["visitor"].split(".")[0], "é." * 90):
        answer = diego.read(visitor=token)
        assert (answer.status_code, answer.json()["error"]) == (403, "visitor")


def test_a_token_of_another_brands_chat_opens_nothing(diego, other_brand, clock):
    theirs = Account.objects.create(
        brand=other_brand,
        kind="site",
        name="x",
        created_at=NOON,
        settings={"origins": [SHOP]},
        secrets={"signing": "b" * 43},
    )
    stranger = Visitor(theirs, clock)
    stranger.hello()
    assert diego.read(visitor=stranger.desk["visitor"]).status_code == 403


def test_without_a_signing_key_the_chat_is_closed(chat, clock, diego):
    Account.objects.filter(pk=chat.pk).update(secrets={})
    assert Visitor(chat, clock).hello().status_code == 403
    assert diego.write().status_code == 403
    assert Message.objects.count() == 0


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://www.hornocandela.example.evil.example", "http://www.hornocandela.example",
     "https://www.hornocandela.example:8443", "https://hornocandela.example", "null", "*"],
)  # fmt: skip
def test_another_page_may_not_open_the_chat(chat, clock, diego, origin):
    stranger = Visitor(chat, clock, origin=origin)
    stranger.desk = diego.desk
    for answer in (stranger.hello(), stranger.write(), stranger.read()):
        assert (answer.status_code, answer.json()["error"]) == (403, "origin")
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert Message.objects.count() == 0


def test_an_allowed_page_may_and_so_may_the_desks_own(chat, clock):
    answer = Visitor(chat, clock).hello()
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Origin" in answer.headers["Vary"]
    assert Visitor(chat, clock, origin="http://testserver").hello().status_code == 200
    assert Visitor(chat, clock, origin="").hello().status_code == 200


def test_a_post_without_an_origin_is_no_browsers(chat, clock, diego):
    diego.headers = {}
    assert diego.write().status_code == 403


def test_no_cookie_is_set_and_a_preflight_is_answered(chat, clock, diego):
    answer = diego.client.options(f"/site/{chat.public_key}/messages", headers={"origin": SHOP})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Methods"]) == (204, "GET, POST")
    diego.write()
    assert not diego.client.cookies


def test_too_fast_and_too_old_are_refused_with_what_to_do(chat, clock):
    visitor = Visitor(chat, clock)
    visitor.hello()
    soon = visitor.write()
    assert (soon.status_code, soon.json()["error"]) == (422, "too_soon")
    assert "dos segundos" in soon.json()["says"]
    clock.shift(timedelta(hours=13))
    assert visitor.write().json()["error"] == "too_late"
    visitor.hello()
    clock.shift(timedelta(seconds=5))
    assert visitor.write().status_code == 201


def test_somebody_elses_ticket_is_none(diego, chat, clock):
    other = Visitor(chat, clock).come()
    assert diego.write(ticket=other.desk["ticket"]).json()["error"] == "too_late"


def test_a_filled_trap_is_refused_and_says_so(diego):
    answer = diego.write(website="https://spam.example")
    assert (answer.status_code, answer.json()["error"]) == (422, "robot")
    assert Message.objects.count() == 0


def test_a_long_text_is_refused_never_cut(diego):
    assert diego.write("ñ" * 10_000).status_code == 201
    answer = diego.write("ñ" * 10_001)
    assert (answer.status_code, answer.json()["error"]) == (422, "too_long")
    assert diego.write("x" * 1_000_000).status_code == 413
    assert [len(text) for text in Message.objects.values_list("text", flat=True)] == [10_000]


@pytest.mark.parametrize(
    "body", ["", "[" * 100_000, '{"a":NaN}', "null", "[]", "<html>", '{"visitor":"\ud800"}', "9" * 5_000, '{"id":[]}']
)
def test_an_unreadable_body_is_a_clear_error(diego, body):
    path = f"/site/{diego.account.public_key}/messages"
    said = body.encode(errors="surrogatepass")
    answer = diego.client.post(path, said, content_type="text/plain", headers=diego.headers)
    assert answer.status_code in {400, 403}
    assert answer.json()["says"]


def test_hostile_text_is_kept_as_it_is_and_shown_as_text(diego):
    text = "<script>alert(1)</script> {{constructor.constructor('alert(1)')()}} {% debug %} ${7*7} \u202eabc"
    assert diego.write(text, name="{{ settings.SECRET_KEY }}").json()["message"]["text"] == text
    assert Message.objects.get().author_name == "{{ settings.SECRET_KEY }}"


def test_a_flood_is_asked_for_patience_and_loses_nothing(diego):
    answers = [diego.write(f"mensaje {number}") for number in range(14)]
    assert [answer.status_code for answer in answers] == [201] * 12 + [429] * 2
    assert answers[-1].headers["Retry-After"] == "60"
    assert "60 segundos" in answers[-1].json()["says"] or "60 seconds" in answers[-1].json()["says"]
    diego.clock.shift(timedelta(seconds=61))
    assert diego.write("ya").status_code == 201


def test_new_visitors_from_one_address_share_its_limit(chat, clock):
    statuses = []
    for _number in range(7):
        visitor = Visitor(chat, clock)
        visitor.hello()
        clock.shift(timedelta(seconds=3))
        statuses += [visitor.write(f"{number}").status_code for number in range(5)]
    assert statuses == [201] * 30 + [429] * 5


def test_the_limit_of_an_address_covers_its_whole_household():
    assert limits.network("2001:db8:1:2:3:4:5:6") == limits.network("2001:db8:1:2::1")
    assert limits.network("::ffff:192.0.2.7") == limits.network("192.0.2.7")
    assert limits.network("nonsense") == ""


def test_a_counter_forgets_the_longest_silent_first():
    counter = limits.Counter(size=2)
    once = (limits.Limit(1, timedelta(minutes=1)),)
    for name in ("a", "b", "c", "a"):
        counter.count(name, once, NOON)
    with pytest.raises(limits.TooMany):
        counter.count("c", once, NOON)


def test_it_is_open_when_somebody_is_there_in_opening_hours(chat, clock, brand):
    visitor = Visitor(chat, clock)
    assert visitor.hello().json()["is_open"] is False
    Heartbeat.objects.create(name=visitors.heartbeat_name(brand.pk), at=NOON - timedelta(seconds=30))
    assert visitor.hello().json()["is_open"] is True
    clock.shift(timedelta(minutes=1))
    assert visitor.hello().json()["is_open"] is False


def test_out_of_hours_it_says_when_it_opens(chat, clock, brand):
    OpeningHours.objects.create(brand=brand, weekday=1, opens="09:00", closes="14:00")
    Heartbeat.objects.create(name=visitors.heartbeat_name(brand.pk), at=NOON)
    desk = Visitor(chat, clock).hello().json()
    assert (desk["is_open"], desk["opens_at"]) == (False, "2026-11-24T08:00:00+00:00")


def test_it_speaks_the_visitors_language_and_the_brands_tu_or_usted(chat, clock, brand):
    visitor = Visitor(chat, clock)
    assert visitor.hello().json()["texts"]["write"] == "Escribe tu mensaje"
    assert visitor.hello(language="en").json()["texts"]["write"] == "Write your message"
    brand.treatment = "usted"
    brand.save()
    assert visitor.hello().json()["texts"]["write"] == "Escriba su mensaje"


def test_a_paused_or_unknown_chat_is_not_there(chat, clock, phone):
    chat.state = "paused"
    chat.save()
    phone.settings = {"origins": [SHOP]}
    for account in (chat, phone):
        assert Visitor(account, clock).hello().status_code == 404
    assert Client().get("/site/nothing/hello").status_code == 404


@pytest.mark.parametrize("colour", ["#8a3b1f", "#ffffff", "#000000", "#ffd500", "#777777", "#0055ff", "#00a650"])
def test_text_on_the_brands_colour_is_always_readable(colour):
    def light(code: str) -> float:
        parts = [int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [((part + 0.055) / 1.055) ** 2.4 if part > 0.04045 else part / 12.92 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, bright = sorted([light(colour), light(visitors.readable_on(colour))])
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_who_leaves_an_address_only_is_called_by_it_until_they_give_a_name(chat, clock):
    visitor = Visitor(chat, clock).come()
    visitor.write("Hola")
    visitor.write("Soy yo", email="diego@example.com")
    conversation = Conversation.objects.get()
    assert conversation.member_name == "diego@example.com"
    assert wording.filled("Hola, {nombre}:", conversation=conversation) == "Hola:"
    visitor.write("Diego", name="Diego Sanz")
    assert Conversation.objects.get().member_name == "Diego Sanz"


def test_the_widget_says_which_fields_can_be_left(chat, clock):
    said = Visitor(chat, clock).hello().json()["texts"]
    assert said["name"] == "Nombre (opcional)"
    assert said["email"].endswith("(opcional)")


def test_the_widget_is_small_public_and_cached():
    answer = Client().get("/site/widget.js")
    assert len(answer.content) < 12_000
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    again = Client().get("/site/widget.js", headers={"if-none-match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_widget_makes_markup_of_nothing():
    script = Client().get("/site/widget.js").content.decode()
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        ".style =",
        "cookie =",
    ):
        assert word not in script


def test_the_shop_of_a_sample_company_carries_the_chat(chat, brand):
    assert Client().get("/shop/horno-candela/").status_code == 404
    brand.is_sample = True
    brand.save()
    page = Client().get("/shop/horno-candela/", {"language": "en"})
    assert f'data-account="{chat.public_key}"' in page.content.decode()
    assert '<html lang="en">' in page.content.decode()
    assert "unsafe" not in page.headers["Content-Security-Policy"]
