"""The settings page of tokens and webhooks."""

from __future__ import annotations

import html
import re

import pytest
from callers import Program

from conftest import NOON, envelope
from tertulia.api import actions, webhooks
from tertulia.api.models import Event, Token, Webhook
from tertulia.core.models import Activity
from tertulia.flows import inbound

pytestmark = pytest.mark.django_db

AT = "/b/horno-candela/settings/api/"
HOOK = "http://127.0.0.1:9/hook"


def secret_on(page) -> str:
    return html.unescape(re.search(r"data-secret>([^<]+)<", page.content.decode())[1])


@pytest.fixture
def webhook(brand, alba) -> Webhook:
    return actions.add_webhook(brand=brand, url=HOOK, types=[], by=alba, at=NOON)[0]


def test_a_token_is_shown_once_and_works(as_alba, brand):
    form = {"name": "Informe semanal", "lasts": "30", "scopes": ["brand:read"]}
    made = as_alba.post(f"{AT}tokens/new/", form)
    secret = secret_on(made)
    assert (made.status_code, len(secret), secret[:3]) == (201, 46, "tt_")
    assert "channels/copy.js" in made.content.decode()
    assert Program(secret).get("/brands").data["items"][0]["slug"] == "horno-candela"
    shown = as_alba.get(AT).content.decode()
    assert "Informe semanal" in shown
    assert secret[:12] in shown
    assert secret not in shown


def test_only_the_hash_of_a_token_is_kept(as_alba, alba, brand):
    token, secret = actions.create_token(
        user=alba, brand=brand, name="x", scopes=["brand:read"], expires_at=None, at=NOON
    )
    kept = " ".join(map(str, Token.objects.values_list()[0])) + str(list(Activity.objects.values_list()))
    assert secret not in kept
    assert secret[12:] not in kept
    assert len(token.hash) == 64


def test_a_token_needs_a_scope_of_the_list(as_alba):
    for scopes in ([], ["everything"], ["brand:read", "everything"]):
        assert as_alba.post(f"{AT}tokens/new/", {"name": "x", "lasts": "30", "scopes": scopes}).status_code == 422
    assert not Token.objects.exists()


def test_a_token_is_made_for_oneself_whatever_the_form_says(as_alba, alba, carla, other_brand):
    form = {
        "name": "x",
        "lasts": "0",
        "scopes": ["brand:read"],
        "user": carla.id,
        "brand": other_brand.id,
        "by": carla.id,
    }
    as_alba.post(f"{AT}tokens/new/", form)
    token = Token.objects.get()
    assert (token.user, token.brand.slug, token.expires_at) == (alba, "horno-candela", None)


def test_a_revoked_token_opens_nothing_and_is_listed_no_more(as_alba, alba, brand):
    token, secret = actions.create_token(
        user=alba, brand=brand, name="Viejo", scopes=["brand:read"], expires_at=None, at=NOON
    )
    as_alba.post(f"{AT}tokens/{token.id}/revocation/")
    assert Program(secret).get("/token").status_code == 401
    assert "<small><code>" not in as_alba.get(AT).content.decode()
    assert Activity.objects.filter(type="token.revoked", by_id=alba.id).count() == 1


def test_a_webhook_is_added_with_a_secret_shown_once(as_alba):
    made = as_alba.post(f"{AT}webhooks/new/", {"url": HOOK, "types": ["conversation.closed"]})
    webhook = Webhook.objects.get()
    assert (made.status_code, secret_on(made)) == (201, webhook.secrets["current"])
    assert webhook.types == ["conversation.closed"]
    for page in (AT, f"{AT}webhooks/{webhook.id}/"):
        assert "whsec_" not in as_alba.get(page).content.decode()


def test_an_address_inside_the_house_is_refused_with_a_reason(as_alba, settings):
    settings.ALLOWED_ADDRESSES = []
    answer = as_alba.post(f"{AT}webhooks/new/", {"url": "http://169.254.169.254/latest/"})
    assert (answer.status_code, Webhook.objects.count()) == (422, 0)
    assert "field__error" in answer.content.decode()


def test_a_webhook_is_changed_paused_set_going_and_removed(as_alba, webhook):
    at = f"{AT}webhooks/{webhook.id}/"
    assert as_alba.post(at, {"url": "http://127.0.0.1:9/new", "types": []}).status_code == 302
    as_alba.post(f"{at}pause/")
    webhook.refresh_from_db()
    assert (webhook.url, webhook.state) == ("http://127.0.0.1:9/new", "off")
    as_alba.post(f"{at}resumption/")
    webhook.refresh_from_db()
    assert webhook.state == "active"
    as_alba.post(f"{at}removal/")
    assert not Webhook.objects.exists()


def test_a_new_secret_is_shown_and_the_old_one_kept_for_a_while(as_alba, webhook):
    old = webhook.secrets["current"]
    made = as_alba.post(f"{AT}webhooks/{webhook.id}/secret/")
    webhook.refresh_from_db()
    assert secret_on(made) == webhook.secrets["current"] != old
    assert webhook.secrets["previous"] == old


def test_what_was_given_up_can_be_sent_again(as_alba, webhook, site):
    inbound.intake(site, [envelope(minutes=10_000)], at=webhook.since)
    webhooks.collect(at=webhook.since)
    webhooks.give_up_waiting(webhook, at=NOON, why="HTTP 500")
    event = Event.objects.first()
    assert "HTTP 500" in as_alba.get(f"{AT}webhooks/{webhook.id}/").content.decode()
    as_alba.post(f"{AT}webhooks/{webhook.id}/events/{event.id}/repeat/")
    event.refresh_from_db()
    assert event.state == "waiting"


def test_an_event_of_another_webhook_is_not_repeated(as_alba, webhook, other_brand, carla):
    theirs = actions.add_webhook(brand=other_brand, url=HOOK, types=[], by=carla, at=NOON)[0]
    event = actions.test_webhook(webhook=theirs, by=carla, at=NOON)
    assert as_alba.post(f"{AT}webhooks/{webhook.id}/events/{event.id}/repeat/").status_code == 404
    assert as_alba.post(f"{AT}webhooks/{theirs.id}/events/{event.id}/repeat/").status_code == 404


def test_the_pages_are_for_managers_of_the_brand(as_alba, as_bruno, as_carla, client, webhook):
    for path in (AT, f"{AT}tokens/new/", f"{AT}webhooks/new/", f"{AT}webhooks/{webhook.id}/"):
        assert as_alba.get(path).status_code == 200
        assert as_bruno.get(path).status_code == 403
        assert as_carla.get(path).status_code == 404
        assert client.get(path).status_code == 302
