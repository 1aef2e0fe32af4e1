"""Every operation of the OpenAPI document, attacked by everybody who has no business there."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import time, timedelta
from typing import Any
from unittest import mock

import pytest
from callers import Program, program

from conftest import NOON, envelope, person
from tertulia.api import actions, allowance
from tertulia.api.models import Token
from tertulia.api.scopes import SCOPES
from tertulia.api.v1.api import api
from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Delivery, RemotePost
from tertulia.core import clock
from tertulia.flows import inbound
from tertulia.inbox import actions as inbox
from tertulia.inbox.models import Conversation, Label
from tertulia.publishing import actions as publishing
from tertulia.publishing import approval, library
from tertulia.publishing.models import (
    ApprovalRule,
    Promise,
    Slot,
)
from tertulia.publishing.saying import Piece, Wanted
from tertulia.strategy import actions as strategy
from tertulia.team.models import Membership, User
from tertulia.team.permissions import PERMISSIONS, Role
from test_every_url import writes

pytestmark = pytest.mark.django_db
GIF = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")

OPERATIONS = {
    (method.upper(), path.removeprefix("/api/v1")): operation
    for path, methods in api.document["paths"].items()
    for method, operation in methods.items()
}
KNOWN: dict[tuple[str, str], Any] = {
    ("GET", "/token"): None,
    ("GET", "/brands"): None,
    ("GET", "/brands/{brand_id}"): None,
    ("GET", "/team"): None,
    ("GET", "/channels"): None,
    ("GET", "/channels/{channel_id}"): None,
    ("GET", "/health"): None,
    ("GET", "/labels"): None,
    ("GET", "/saved-replies"): None,
    ("GET", "/conversations"): None,
    ("GET", "/conversations/{conversation_id}"): None,
    ("GET", "/conversations/{conversation_id}/messages"): None,
    ("GET", "/conversations/{conversation_id}/notes"): None,
    ("PUT", "/conversations/{conversation_id}/assignment"): {"to": None},
    ("PUT", "/conversations/{conversation_id}/labels/{label_id}"): None,
    ("DELETE", "/conversations/{conversation_id}/labels/{label_id}"): None,
    ("PUT", "/conversations/{conversation_id}/snooze"): {"until": "2999-01-01T09:00:00Z"},
    ("DELETE", "/conversations/{conversation_id}/snooze"): None,
    ("PUT", "/conversations/{conversation_id}/closure"): {"reason": "answered"},
    ("DELETE", "/conversations/{conversation_id}/closure"): None,
    ("POST", "/conversations/{conversation_id}/notes"): {"text": "Ojo con el pedido"},
    ("POST", "/conversations/{conversation_id}/replies"): {"text": "Sí, de 9 a 14.", "turn": 1},
    ("GET", "/replies/{reply_id}"): None,
    ("DELETE", "/replies/{reply_id}"): None,
    ("GET", "/people"): None,
    ("GET", "/people/{person_id}"): None,
    ("POST", "/readings"): {"texts": ["¿Abrís hoy?"]},
    ("GET", "/topics"): None,
    ("GET", "/questions"): None,
    ("POST", "/conversions"): {"reference": "A1", "cents": 1250},
    ("GET", "/ideas"): None,
    ("POST", "/ideas"): {"title": "Pan de ayer", "due_on": "2027-01-06", "url": "https://pan.example/"},
    ("GET", "/posts"): None,
    ("POST", "/posts"): {"parts": [{"text": "Pan de pueblo"}]},
    ("GET", "/posts/{post_id}"): None,
    ("PUT", "/posts/{post_id}"): {"revision": 1, "parts": [{"text": "Pan de ayer"}]},
    ("GET", "/posts/{post_id}/checks"): None,
    ("PUT", "/posts/{post_id}/approval"): {"schedules": False},
    ("PUT", "/posts/{post_id}/schedule"): {"on": "2099-01-01", "time": "09:30"},
    ("PUT", "/posts/{post_id}/queue"): {},
    ("PUT", "/posts/{post_id}/publication"): {},
    ("DELETE", "/posts/{post_id}/schedule"): None,
    ("DELETE", "/posts/{post_id}/publication"): None,
    ("GET", "/approvals"): None,
    ("PUT", "/approvals/{approval_id}/decision"): {"is_approved": True},
    ("PUT", "/deliveries/{delivery_id}/retry"): None,
    ("PUT", "/deliveries/{delivery_id}/decision"): {"was_sent": False},
    ("PUT", "/deliveries/{delivery_id}/completion"): {"url": "pan.example/1"},
    ("GET", "/campaigns"): None,
    ("GET", "/slots"): None,
    ("GET", "/holes"): None,
    ("GET", "/media"): None,
    ("GET", "/media/{media_id}"): None,
    ("POST", "/media"): ("pan.gif", GIF),
    ("GET", "/webhooks"): None,
    ("POST", "/webhooks"): {"url": "http://127.0.0.1:9/hook", "types": []},
    ("GET", "/webhooks/{webhook_id}"): None,
    ("PUT", "/webhooks/{webhook_id}"): {"url": "http://127.0.0.1:9/other", "types": []},
    ("DELETE", "/webhooks/{webhook_id}"): None,
    ("POST", "/webhooks/{webhook_id}/secret"): None,
    ("POST", "/webhooks/{webhook_id}/test"): None,
}
"""Each operation with a body that works. A new operation turns the first test red until it stands here."""

NEEDS = {
    ("PUT", "/posts/{post_id}/approval"): "guarded",
    ("DELETE", "/posts/{post_id}/publication"): "sent",
    ("PUT", "/deliveries/{delivery_id}/retry"): "refused",
    ("PUT", "/deliveries/{delivery_id}/decision"): "unknown",
    ("PUT", "/deliveries/{delivery_id}/completion"): "by_hand",
}
"""Which of a brand's posts an operation works on, or whose delivery; on the draft where nothing is said."""

ids = [f"{method} {path}" for method, path in KNOWN]
every_operation = pytest.mark.parametrize(("method", "path"), KNOWN, ids=ids)


class World:
    """A brand with one of everything that has an id."""

    def __init__(self, brand, user) -> None:
        account = Account.objects.create(
            brand=brand, kind="site", name="Página", created_at=NOON, secrets={"signing": "a" * 43}
        )
        inbound.intake(account, [envelope(thread=f"diego-{brand.slug}", remote_id=brand.slug)], at=NOON)
        answered = envelope(thread=f"eva-{brand.slug}", remote_id=f"{brand.slug}-2")
        inbound.intake(account, [answered], at=NOON)
        conversation = Conversation.objects.get(thread_id=f"diego-{brand.slug}")
        other = Conversation.objects.get(thread_id=f"eva-{brand.slug}")
        # It leaves at some time to come, so that it can still be taken back.
        delivery = inbox.reply(conversation=other, text="Sí", by=user, turn=1, at=clock.now())
        webhook, _secret = actions.add_webhook(
            brand=brand, url="http://127.0.0.1:9/x", types=[], by=user, at=clock.now()
        )
        self._begin_posts(brand, user, account)
        self.ids = {
            "brand_id": brand.id,
            "channel_id": account.id,
            "conversation_id": conversation.id,
            "label_id": Label.objects.create(brand=brand, name="pan").id,
            "reply_id": delivery.id,
            "person_id": conversation.member_id,
            "webhook_id": webhook.id,
            "post_id": self.posts["draft"],
            "delivery_id": self.deliveries["refused"],
            "approval_id": self.approval,
            "media_id": library.add(brand=brand, name="a.gif", content=GIF, alt=brand.slug, by=user, at=NOON).pk,
        }

    def _begin_posts(self, brand, user, account) -> None:
        Slot.objects.bulk_create(Slot(account=account, weekday=day, time=time(12)) for day in range(7))
        Promise.objects.create(account=account, per_week=7, starts_on=NOON.date(), weekdays=[])
        rule = ApprovalRule(brand=brand, words="sorteo", allows_own=True)
        publishing.save_rule(rule=rule, steps=[{"users": [user]}], by=user, at=NOON)
        title = Wanted(hints=(("title", "Pan"),))
        begun = {
            name: publishing.create(
                brand=brand, by=user, at=NOON, title=f"{name} {brand.slug}", pieces=[Piece(text)],
                versions={account.pk: title},
            )
            for name, text in (
                ("draft", "Pan de pueblo"), ("guarded", "Sorteo"), ("asked", "Otro sorteo"),
                *((state, "Pan de hoy") for state in ("sent", "refused", "unknown", "by_hand")),
            )
        }  # fmt: skip
        self.deliveries = {}
        for state in ("sent", "refused", "unknown", "by_hand"):
            publishing.publish_now(post=begun[state], by=user, at=NOON)
            mine = Delivery.objects.filter(post__in=begun[state].versions.values("sendings__remote"))
            mine.update(state=state, finished_at=NOON)
            self.deliveries[state] = mine.get().pk
        sent = RemotePost.objects.filter(deliveries=self.deliveries["sent"])
        sent.update(published_at=NOON, remote_id="a1")
        self.approval = approval.ask(post=begun["asked"], by=user, at=NOON, schedules=False).pk
        strategy.begin(brand=brand, by=user, at=NOON, name=f"Pan {brand.slug}", goal="", owner=user)
        self.posts = {name: post.pk for name, post in begun.items()}

    def path(self, path: str, method: str = "") -> str:
        ids = dict(self.ids)
        if ids["post_id"] == self.posts["draft"]:
            ids["post_id"] = self.posts[NEEDS.get((method, path), "draft")]
        if ids["delivery_id"] == self.deliveries["refused"]:
            ids["delivery_id"] = self.deliveries.get(NEEDS.get((method, path), "refused"))
        return path.format(**ids)


@pytest.fixture(scope="module")
def worlds(of_the_file) -> dict[str, World]:
    """Alba's brand and Carla's, by slug: each of the many tests takes back what it changed of them."""
    made = {}
    for slug, name in (("horno-candela", "Alba"), ("ferreteria-ruiz", "Carla")):
        brand = Brand.objects.create(name=slug, slug=slug, region="MD", created_at=NOON)
        made[slug] = World(brand, person(name, brand, is_fallback=True))
    return made


@pytest.fixture
def brand(db, worlds):
    return Brand.objects.get(slug="horno-candela")


@pytest.fixture
def alba(brand):
    return User.objects.get(name="Alba")


@pytest.fixture
def carla(brand):
    return User.objects.get(name="Carla")


@pytest.fixture
def ours(worlds):
    return deepcopy(worlds["horno-candela"])


@pytest.fixture
def theirs(worlds):
    return deepcopy(worlds["ferreteria-ruiz"])


def send(who: Program, method: str, path: str, world: World):
    parameters, body = OPERATIONS[method, path].get("parameters", []), KNOWN[method, path]
    key = {"Idempotency-Key": "k1"} if any(each["name"] == "Idempotency-Key" for each in parameters) else {}
    if isinstance(body, tuple):
        return who.upload(world.path(path), *body)
    return who.call(method, world.path(path, method), body, **key)


def refused(who: Program, method: str, path: str, world: World, status: int, code: str) -> None:
    """Not a row is written: but for the token's own count of calls, which test_api_calls.py looks at."""
    before = writes()
    with mock.patch.object(allowance, "take", return_value=0):
        answer = send(who, method, path, world)
    assert (answer.status_code, answer.data["error"]["code"]) == (status, code)
    assert writes() == before


def test_every_operation_is_known_to_these_tests():
    assert OPERATIONS.keys() == KNOWN.keys()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation["operationId"])
def test_every_operation_explains_itself_and_names_its_scope(operation):
    assert operation["description"].endswith((".", "token."))
    assert operation["security"] == [{"TokenAuth": []}]
    assert operation["x-scope"] in {*SCOPES, None}
    assert operation["x-permission"] in {*PERMISSIONS, None}


@every_operation
def test_the_right_token_passes(ours, alba, brand, method, path):
    answer = send(program(alba, brand), method, path, ours)
    assert answer.status_code in {200, 201, 202, 204}, answer.data


@every_operation
def test_without_a_token_nothing_opens(ours, method, path):
    refused(Program(), method, path, ours, 401, "no_token")
    assert send(Program(), method, path, ours)["WWW-Authenticate"].startswith("Bearer")


@every_operation
def test_an_invented_token_opens_nothing(ours, method, path):
    for secret in ("tt_" + "x" * 43, "tt_", "é", "' OR 1=1--", "x" * 100_000):
        refused(Program(secret), method, path, ours, 401, "bad_token")


@every_operation
def test_a_revoked_token_opens_nothing(ours, alba, brand, method, path):
    key = program(alba, brand)
    actions.revoke_token(token=key.token, by=alba, at=clock.now())
    refused(key, method, path, ours, 401, "token_revoked")


@every_operation
def test_an_expired_token_opens_nothing(ours, alba, brand, method, path):
    key = program(alba, brand)
    Token.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    refused(key, method, path, ours, 401, "token_expired")


@every_operation
def test_a_token_dies_with_its_users_place_in_the_brand(ours, alba, brand, method, path):
    key = program(alba, brand)
    Membership.objects.filter(user=alba).delete()
    refused(key, method, path, ours, 401, "no_member")


@every_operation
def test_a_token_dies_with_its_user(ours, alba, brand, method, path):
    key = program(alba, brand)
    alba.is_active = False
    alba.save()
    refused(key, method, path, ours, 401, "no_member")


@every_operation
def test_a_token_without_the_scope_is_stopped(ours, alba, brand, method, path):
    scope = OPERATIONS[method, path]["x-scope"]
    others = [each for each in SCOPES if each != scope]
    key = program(alba, brand, *others)
    if scope is None:
        assert send(key, method, path, ours).status_code == 200
    else:
        refused(key, method, path, ours, 403, "scope_missing")


@every_operation
def test_a_token_may_no_more_than_its_users_role(ours, brand, method, path):
    permission = OPERATIONS[method, path]["x-permission"]
    for role in Role:
        key = program(person(f"Rosa {role}", brand, role), brand)
        if permission and role not in PERMISSIONS[permission]:
            refused(key, method, path, ours, 403, "not_allowed")
        elif method == "GET":
            assert send(key, method, path, ours).status_code == 200


@every_operation
def test_what_belongs_to_another_brand_is_not_there(ours, theirs, alba, brand, method, path):
    if "{" not in path:
        pytest.skip("no id in the address; the lists are tested below")
    refused(program(alba, brand), method, path, theirs, 404, "not_found")


MIXED = sorted({(method, path, name) for method, path in KNOWN for name in re.findall("{(.+?)}", path)})


@pytest.mark.parametrize(("method", "path", "name"), MIXED)
def test_one_foreign_id_among_ones_own_is_not_there(ours, theirs, alba, brand, method, path, name):
    ours.ids[name] = theirs.ids[name]
    refused(program(alba, brand), method, path, ours, 404, "not_found")


@pytest.mark.parametrize(("method", "path", "name"), MIXED)
def test_an_odd_id_is_not_there(ours, alba, brand, method, path, name):
    key = program(alba, brand)
    for id in ("0", "999999", "9" * 18, "9" * 19, "9" * 5000, "-1", "1e3", "x", "٣", "1 OR 1=1", "a%00b"):
        ours.ids[name] = id
        refused(key, method, path, ours, 404, "not_found")


LISTS = [path for method, path in KNOWN if method == "GET" and "{" not in path and path not in {"/token", "/health"}]


@pytest.mark.parametrize("path", LISTS)
def test_no_list_holds_anything_of_another_brand(ours, theirs, alba, brand, path):
    items = program(alba, brand).get(path).data["items"]
    strangers = {
        "/brands": "brand_id", "/channels": "channel_id", "/labels": "label_id", "/people": "person_id",
        "/posts": "post_id", "/media": "media_id", "/slots": "channel_id", "/holes": "channel_id",
        "/approvals": "approval_id",
    }  # fmt: skip
    foreign, name = theirs.ids.get(strangers.get(path, ""), -1), "channel_id" if path in {"/slots", "/holes"} else "id"
    assert foreign not in {item[name] for item in items}
    assert items or path not in {"/posts", "/media", "/slots", "/holes", "/approvals", "/campaigns"}
    assert "ferreteria" not in str(items)


def test_a_filter_by_somebody_elses_ids_finds_nothing(ours, theirs, alba, brand):
    key = program(alba, brand)
    for name, id in (("label_id", theirs.ids["label_id"]), ("channel_id", theirs.ids["channel_id"])):
        assert key.get(f"/conversations?view=all&{name}={id}").data == {"items": [], "next": None}
    assert len(key.get("/conversations?view=all&q=domingo").data["items"]) == 2


def test_a_foreign_colleague_cannot_be_put_in_charge(ours, alba, brand, carla):
    key = program(alba, brand)
    before = writes()
    with mock.patch.object(allowance, "take", return_value=0):
        answer = key.put(ours.path("/conversations/{conversation_id}/assignment"), {"to": carla.id})
    assert answer.status_code == 404
    assert writes() == before


def test_a_token_in_the_address_is_not_read(ours, alba, brand):
    secret = program(alba, brand).secret
    assert Program().get(f"/token?access_token={secret}").status_code == 401


def test_the_session_of_a_signed_in_person_opens_nothing(ours, as_alba):
    assert as_alba.get("/api/v1/conversations").status_code == 401


def test_what_is_no_address_is_answered_in_the_same_shape(db):
    for path in ("", "/nothing", "/conversations/", "/../v2"):
        assert Program().get(path).data["error"]["code"] == "not_found"
    answer = Program().call("PATCH", "/conversations")
    assert (answer.status_code, answer["Allow"], answer.data["error"]["code"]) == (405, "GET", "method_not_allowed")
