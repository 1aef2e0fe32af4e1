"""Webhooks against a real server on this machine that misbehaves on request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from conftest import NOON, envelope, person
from tertulia.api import actions, webhooks
from tertulia.api.models import Event, Webhook
from tertulia.core import activity, jobs
from tertulia.core.models import Activity
from tertulia.flows import inbound
from tertulia.inbox import actions as inbox
from tertulia.inbox.models import Conversation
from tertulia.team.models import Notification

pytestmark = pytest.mark.django_db


@dataclass
class Receiver:
    """Somebody's server: what it got, and how it answers."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[], int] = lambda: 204

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    mine = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            mine.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(mine.answer())
            self.send_header("location", f"{mine.url}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    mine.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield mine
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def webhook(brand, alba, receiver) -> Webhook:
    return actions.add_webhook(brand=brand, url=receiver.url, types=[], by=alba, at=NOON)[0]


def happen(site, number: int = 1) -> Conversation:
    """A new person writes."""
    inbound.intake(site, [envelope(thread=f"p{number}", remote_id=f"m{number}")], at=NOON)
    return Conversation.objects.get(thread_id=f"p{number}")


def work(at) -> None:
    """What the periodic job sets going, with all it enqueues."""
    webhooks.collect(at=at)
    jobs.run_due(at)


def test_what_happens_is_told_signed_and_once(site, webhook, receiver):
    conversation = happen(site)
    work(NOON)
    work(NOON)
    (headers, body), *others = [got for got in receiver.got if b"received" in got[1]]
    told = Verifier(webhook.secrets["current"]).verify(body, headers)
    line = Activity.objects.get(type="conversation.received")
    assert others == []
    assert (told["type"], told["timestamp"]) == ("conversation.received", "2026-11-23T11:00:00Z")
    assert told["data"]["on"] == {"kind": "conversation", "id": conversation.id}
    assert (told["data"]["activity"], told["data"]["brand"], told["data"]["by"]) == (line.id, site.brand_id, None)
    assert headers["content-type"] == "application/json"


def test_no_words_of_anybody_leave(site, webhook, receiver, alba):
    conversation = happen(site)
    inbox.add_note(conversation=conversation, text="Ojo, es cliente secreto", by=alba, at=NOON)
    inbox.reply(conversation=conversation, text="Abrimos a las nueve", by=alba, turn=1, at=NOON)
    work(NOON)
    sent = b" ".join(body for _headers, body in receiver.got)
    assert len(receiver.got) >= 3
    for words in ("Abrís", "secreto", "nueve"):
        assert words.encode() not in sent


def test_a_changed_body_or_a_foreign_secret_is_not_believed(site, webhook, receiver):
    happen(site)
    work(NOON)
    headers, body = receiver.got[0]
    with pytest.raises(WebhookVerificationError):
        Verifier(webhook.secrets["current"]).verify(body.replace(b"received", b"closed--"), headers)
    with pytest.raises(WebhookVerificationError):
        Verifier("whsec_" + "A" * 44).verify(body, headers)


def test_both_secrets_sign_for_a_day_after_a_change(site, webhook, receiver, alba, clock):
    old = webhook.secrets["current"]
    new = actions.rotate_secret(webhook=webhook, by=alba, at=NOON)
    happen(site)
    work(NOON)
    headers, body = receiver.got[0]
    assert Verifier(old).verify(body, headers) == Verifier(new).verify(body, headers)
    clock.shift(timedelta(hours=25))
    later = NOON + timedelta(hours=25)
    inbound.intake(site, [envelope(thread="p2", remote_id="m2")], at=later)
    work(later)
    headers, body = receiver.got[-1]
    Verifier(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(old).verify(body, headers)


def test_it_hears_only_of_what_it_asked_for(site, brand, alba, receiver):
    actions.add_webhook(brand=brand, url=receiver.url, types=["conversation.closed"], by=alba, at=NOON)
    conversation = happen(site)
    inbox.close(conversation=conversation, reason="spam", by=alba, at=NOON)
    work(NOON)
    assert [Event.objects.get().type] == ["conversation.closed"]


def test_it_hears_nothing_of_another_brand_nor_of_the_past(site, webhook, receiver, other_brand, carla):
    stranger = actions.add_webhook(brand=other_brand, url=receiver.url, types=[], by=carla, at=NOON)[0]
    happen(site)
    late = actions.add_webhook(brand=site.brand, url=receiver.url, types=[], by=carla, at=NOON + timedelta(seconds=1))[
        0
    ]
    work(NOON)
    assert not Event.objects.filter(webhook__in=[stranger, late]).exists()
    assert Event.objects.filter(webhook=webhook).exists()


def test_what_concerns_the_house_alone_is_not_told(brand, alba, webhook):
    actions.create_token(user=alba, brand=brand, name="x", scopes=["brand:read"], expires_at=None, at=NOON)
    webhooks.collect(at=NOON)
    assert not Event.objects.exists()


def test_an_activity_that_is_committed_late_with_a_lower_id_is_told_too(site, webhook, receiver):
    conversation = happen(site)
    late = Activity.objects.get(type="conversation.received")
    Activity.objects.filter(pk=late.pk).delete()
    activity.record("conversation.woken", on=conversation, brand=site.brand_id, at=NOON)
    work(NOON)
    late.save(force_insert=True)
    work(NOON)
    assert set(Event.objects.values_list("activity_id", flat=True)) >= {late.pk, late.pk + 1}
    assert len(receiver.ids()) == len(set(receiver.ids())) == Event.objects.count()


def test_a_failure_is_repeated_with_the_same_id_and_the_same_body(site, webhook, receiver, clock):
    answers = iter([500, 204, 204, 204])
    receiver.answer = lambda: next(answers)
    happen(site)
    work(NOON)
    assert [event.state for event in Event.objects.filter(attempts=1)] == ["waiting"]
    clock.shift(timedelta(seconds=10))
    work(NOON + timedelta(seconds=10))
    first, again = receiver.got[:2]
    assert first[0]["webhook-id"] == again[0]["webhook-id"]
    assert first[1] == again[1]
    assert not Event.objects.exclude(state="sent").exists()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
def test_only_a_two_hundred_is_taken(site, webhook, receiver, status):
    receiver.answer = lambda: status
    happen(site)
    work(NOON)
    event = Event.objects.order_by("id").first()
    assert (event.state, event.answer) == ("waiting", f"HTTP {status}")
    assert all(body for _headers, body in receiver.got)
    assert receiver.ids().count(event.key) == 1  # a redirect was not followed either


def test_while_nobody_answers_everything_waits_and_one_try_is_made(site, webhook, receiver):
    receiver.answer = lambda: 503
    for number in range(10):
        happen(site, number)
    work(NOON)
    work(NOON)
    assert len(receiver.got) == 1
    assert Event.objects.filter(state="waiting").count() >= 10


def test_one_event_they_cannot_stand_does_not_hold_up_the_others(site, webhook, receiver):
    answers = iter([400])
    receiver.answer = lambda: next(answers, 204)
    for number in range(3):
        happen(site, number)
    work(NOON)
    assert Event.objects.filter(state="waiting").count() == 1
    assert Event.objects.filter(state="sent").count() == len(receiver.got) - 1


def test_after_three_failures_the_managers_are_told_once(site, webhook, receiver, brand, alba, bruno, clock):
    other_manager = person("Marta", brand)
    receiver.answer = lambda: 500
    happen(site)
    at = NOON
    for wait in (0, 6, 70, 400, 2400):
        clock.shift(timedelta(seconds=wait))
        at += timedelta(seconds=wait)
        work(at)
    webhook.refresh_from_db()
    assert (webhook.state, webhook.last_answer, len(receiver.got)) == ("failing", "HTTP 500", 5)
    told = Notification.objects.filter(reason="webhook")
    assert {note.user_id for note in told} == {alba.id, other_manager.id}
    assert Activity.objects.get(type="webhook.failing").data == {"url": webhook.url, "answer": "HTTP 500"}


def test_a_success_ends_the_trouble(site, webhook, receiver, clock):
    Webhook.objects.update(state="failing", failures=7)
    happen(site)
    work(NOON)
    webhook.refresh_from_db()
    assert (webhook.state, webhook.failures, webhook.last_answer) == ("active", 0, "HTTP 204")


def test_after_a_day_it_is_given_up_seen_and_can_be_repeated(site, webhook, receiver, clock):
    receiver.answer = lambda: 500
    happen(site)
    at = NOON
    for _ in range(40):
        clock.shift(timedelta(hours=1))
        at += timedelta(hours=1)
        work(at)
    assert set(Event.objects.values_list("state", flat=True)) == {"given_up"}
    assert 5 < len(receiver.got) < 20
    event = Event.objects.order_by("id").first()
    receiver.answer = lambda: 204
    actions.repeat_event(event=event, at=at)
    Webhook.objects.update(hold_until=None)
    work(at)
    event.refresh_from_db()
    assert event.state == "sent"
    assert receiver.ids()[-1] == event.key


def test_what_was_taken_is_not_repeated_by_hand(site, webhook, receiver):
    happen(site)
    work(NOON)
    with pytest.raises(actions.Problem):
        actions.repeat_event(event=Event.objects.first(), at=NOON)


def test_gone_means_gone(site, webhook, receiver, alba):
    receiver.answer = lambda: 410
    happen(site)
    work(NOON)
    webhook.refresh_from_db()
    assert webhook.state == "off"
    assert not Event.objects.filter(state="waiting").exists()
    assert Notification.objects.filter(reason="webhook", user=alba).count() == 1
    work(NOON)
    assert len(receiver.got) == 1


def test_a_paused_webhook_hears_nothing_and_later_only_of_what_follows(site, webhook, receiver, alba, clock):
    actions.pause_webhook(webhook=webhook, by=alba, at=NOON)
    happen(site, 1)
    work(NOON)
    later = NOON + timedelta(hours=1)
    clock.shift(timedelta(hours=1))
    actions.resume_webhook(webhook=webhook, by=alba, at=later)
    inbound.intake(site, [envelope(thread="p2", remote_id="m2")], at=later)
    work(later)
    told = [event.body for event in Event.objects.filter(type="conversation.received")]
    assert len(told) == 1
    assert '"p2"' in told[0]


def test_a_test_event_is_signed_like_any_other(webhook, receiver, alba):
    actions.test_webhook(webhook=webhook, by=alba, at=NOON)
    jobs.run_due(NOON)
    headers, body = receiver.got[0]
    assert Verifier(webhook.secrets["current"]).verify(body, headers)["type"] == "webhook.test"


def test_a_slow_address_is_left_and_counts_as_a_failure(site, webhook, receiver, monkeypatch):
    monkeypatch.setattr(webhooks, "door", webhooks.Door(total=0.3))

    def slow() -> int:
        time.sleep(1)
        return 204

    receiver.answer = slow
    happen(site)
    began = time.perf_counter()
    work(NOON)
    assert time.perf_counter() - began < 0.9
    assert Event.objects.filter(attempts=1, state="waiting").count() == 1


def test_two_workers_do_not_deliver_to_one_address_at_once(site, webhook, receiver):
    happen(site)
    webhooks.collect(at=NOON)
    Webhook.objects.update(lease_until=NOON + timedelta(seconds=30))
    webhooks.deliver(webhook_id=webhook.pk)
    assert receiver.got == []


def test_a_crash_after_sending_repeats_under_the_same_id(site, webhook, receiver, monkeypatch, clock):
    monkeypatch.setattr(webhooks, "_taken", lambda *_args, **_kwargs: 1 / 0)
    happen(site)
    webhooks.collect(at=NOON)
    with pytest.raises(ZeroDivisionError):
        webhooks.deliver(webhook_id=webhook.pk)
    monkeypatch.undo()
    work(NOON)
    assert receiver.ids()[0] == receiver.ids()[1]
    assert not Event.objects.exclude(state="sent").exists()


PRIVATE = [
    "http://127.0.0.1:8000/", "http://localhost/", "http://10.0.0.1/", "http://192.168.1.1/", "http://169.254.169.254/",
    "http://[::1]/", "http://0x7f000001/", "http://2130706433/", "http://127.1/", "http://[::ffff:127.0.0.1]/",
    "http://0.0.0.0/", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "http://", "//x", "",
    "http://user:pass@93.184.216.34/", "http://93.184.216.34:99999/", "http://no-such-name.invalid/",
]  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE)
def test_an_address_inside_the_house_is_refused_when_it_is_added(brand, alba, settings, url):
    settings.ALLOWED_ADDRESSES = []
    with pytest.raises(webhooks.BadAddress):
        actions.add_webhook(brand=brand, url=url, types=[], by=alba, at=NOON)
    assert not Webhook.objects.exists()


def test_an_address_that_moved_inside_is_refused_when_it_is_delivered_to(site, webhook, receiver, settings):
    happen(site)
    settings.ALLOWED_ADDRESSES = []
    work(NOON)
    assert receiver.got == []
    webhook.refresh_from_db()
    assert webhook.last_answer == webhooks.NOT_PUBLIC


def test_events_are_forgotten_a_month_after_they_ended(site, webhook, receiver):
    happen(site)
    work(NOON)
    work(NOON)  # what the first one did has been told, too
    webhooks.prune(at=NOON + timedelta(days=29))
    assert Event.objects.exists()
    webhooks.prune(at=NOON + timedelta(days=31))
    assert not Event.objects.exists()
    webhooks.collect(at=NOON + timedelta(days=31))
    assert not Event.objects.exists(), "nothing is told again"


def test_secrets_show_in_no_repr(webhook):
    assert "whsec_" not in repr(webhook.secrets) + str(webhook)
