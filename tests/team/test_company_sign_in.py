"""Signing in with the company's own account (OpenID Connect), against a provider that answers as told."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from conftest import PASSWORD
from tertulia.team.models import User

COMPANY = "/accounts/company/oidc/"


class Provider:
    """What the provider says of whoever signs in there."""

    person: dict[str, object]
    url: str
    id_token: str | None = None
    keys: list[dict[str, object]]
    asked: list[str]


@pytest.fixture
def provider(settings):
    told = Provider()
    told.keys, told.asked = [], []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            told.asked.append(self.path)
            if self.path == "/userinfo":
                self.say(told.person)
            elif self.path == "/jwks":
                self.say({"keys": told.keys})
            else:
                names = ("authorization", "token")
                self.say({
                    "issuer": told.url, "jwks_uri": f"{told.url}/jwks", "userinfo_endpoint": f"{told.url}/userinfo",
                    **{f"{name}_endpoint": f"{told.url}/{name}" for name in names},
                })  # fmt: skip

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            token = {"id_token": told.id_token} if told.id_token else {}
            self.say({"access_token": "x", "token_type": "Bearer", **token})

        def say(self, what):
            body = json.dumps(what).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "oidc", "name": "Horno ID", "client_id": "desk", "secret": "s",
                    "settings": {"server_url": told.url},
                }
            ]
        }
    }  # fmt: skip
    yield told
    server.shutdown()
    server.server_close()


def come_back(client: Client, **query: str):
    """Go to the provider and return with what it gives."""
    page = client.post(COMPANY)
    state = parse_qs(urlsplit(page.context["url"]).query)["state"][0]
    return client.get(f"{COMPANY}back/", {"code": "c", "state": state, **query}, follow=True)


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def test_way_there_is_a_page_of_ours_because_forms_may_not_leave(provider, db):
    page = Client().post(COMPANY)
    assert page.status_code == 200
    assert page.context["url"].startswith(f"{provider.url}/authorization?")
    assert "form-action 'self'" in page["Content-Security-Policy"]


def test_sign_in_page_offers_it_only_when_it_is_set_up(provider, db, settings):
    assert "Horno ID" in Client().get("/accounts/login/").content.decode()
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert "Horno ID" not in Client().get("/accounts/login/").content.decode()


def test_verified_address_joins_the_person_who_has_it(provider, alba):
    provider.person = {"sub": "7", "email": alba.email.upper(), "email_verified": True, "name": "Alba"}
    client = Client()
    come_back(client)
    assert is_in(client)
    assert SocialAccount.objects.get().user == alba
    assert User.objects.get().check_password(PASSWORD)


def test_once_joined_the_address_may_change(provider, alba):
    provider.person = {"sub": "7", "email": alba.email, "email_verified": True}
    come_back(Client())
    provider.person = {"sub": "7", "email": "alba@nuevo.example", "email_verified": False}
    client = Client()
    come_back(client)
    assert is_in(client)


@pytest.mark.parametrize("verified", [False, None])
def test_address_nobody_vouches_for_opens_nothing(provider, alba, verified):
    provider.person = {"sub": "7", "email": alba.email, "email_verified": verified}
    client = Client()
    page = come_back(client)
    assert not is_in(client)
    assert not SocialAccount.objects.exists()
    assert "account/signup_closed.html" in [each.name for each in page.templates]


def test_stranger_is_told_kindly_and_no_account_is_made(provider, alba):
    provider.person = {"sub": "8", "email": "nadie@example.com", "email_verified": True}
    client = Client()
    page = come_back(client)
    assert not is_in(client)
    assert User.objects.count() == 1
    assert "account/signup_closed.html" in [each.name for each in page.templates]


def test_closed_account_stays_closed(provider, alba):
    provider.person = {"sub": "7", "email": alba.email, "email_verified": True}
    User.objects.update(is_active=False)
    client = Client()
    come_back(client)
    assert not is_in(client)


def test_second_step_is_asked_here_too(provider, alba):
    TOTP.activate(alba, "JBSWY3DPEHPK3PXP")
    provider.person = {"sub": "7", "email": alba.email, "email_verified": True}
    client = Client()
    come_back(client)
    assert not is_in(client)


@pytest.mark.parametrize("query", [{"state": "forged"}, {"error": "<script>alert(1)</script>", "code": ""}])
def test_forged_or_failed_returns_open_nothing(provider, alba, query):
    provider.person = {"sub": "7", "email": alba.email, "email_verified": True}
    client = Client()
    page = come_back(client, **query)
    assert not is_in(client)
    assert "<script>alert" not in page.content.decode()


def test_state_of_one_browser_is_of_no_use_in_another(provider, alba):
    provider.person = {"sub": "7", "email": alba.email, "email_verified": True}
    state = parse_qs(urlsplit(Client().post(COMPANY).context["url"]).query)["state"][0]
    victim = Client()
    victim.get(f"{COMPANY}back/", {"code": "c", "state": state})
    assert not is_in(victim)


def test_accounts_are_not_joined_by_hand(provider, as_alba, alba):
    page = as_alba.post(f"{COMPANY}?process=connect")
    provider.person = {"sub": "9", "email": "mallory@example.com", "email_verified": True}
    state = parse_qs(urlsplit(page.context["url"]).query)["state"][0]
    as_alba.get(f"{COMPANY}back/", {"code": "c", "state": state})
    assert not SocialAccount.objects.exists()
