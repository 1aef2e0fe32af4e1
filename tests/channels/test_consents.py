"""Letting us in on the network's own page: finished once, by whoever began it, and nothing good is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client

from conftest import NOON, PASSWORD, person
from fakes.mastodon import TOKEN, running
from tertulia.channels import consents
from tertulia.channels.models import Account, Admission
from tertulia.connectors import registry
from tertulia.connectors.contract import Capabilities, Connector, Consent, Field, Granted, Health, Reconnect, Retry
from tertulia.core import clock
from tertulia.core.models import Activity
from tertulia.team.models import Membership
from tertulia.team.permissions import Role

CHANNELS = "/b/horno-candela/channels/"
BACK = "/channels/consent/"


class Asking(Connector):
    """A network that gives the token "fresh" for the code "good"; `health` is what it says of it."""

    key, name = "tests-asking", {"en": "Asking", "es": "Pedigüeña"}
    fields = (
        Field("server", {"en": "Server", "es": "Servidor"}, kind="url"),
        Field("token", {"en": "Token", "es": "Testigo"}, kind="secret", is_required=False),
        Field("app", {"en": "App", "es": "Aplicación"}, kind="secret", is_required=False),
    )
    capabilities = Capabilities(consents=True, polls=True)
    sentences: ClassVar = {"It gave nothing.": "No ha dado nada."}
    scopes: ClassVar = {"read": {"en": "Read", "es": "Leer"}}
    health: ClassVar[Health | Exception] = Health(is_ok=True)
    page: ClassVar[str] = "https://red.example/authorize"
    seen: ClassVar[list[str]] = []

    def check(self, account):
        self.seen.append(account.secrets.get("token", ""))
        if isinstance(self.health, Exception):
            raise self.health
        return self.health

    def begin_consent(self, account, back_to, state):
        return Consent(f"{self.page}?state={state}", {"proof": f"proof of {account.settings['server']}"})

    def finish_consent(self, account, back_to, kept, code):
        if code != "good" or kept["proof"] != f"proof of {account.settings['server']}":
            raise Reconnect("It gave nothing.")
        return Granted({"token": "fresh", "app": ""}, expires_at=NOON + timedelta(days=90), scopes=["read"])


@pytest.fixture(autouse=True)
def asking(monkeypatch):
    monkeypatch.setitem(registry.all_connectors(), Asking.key, Asking)
    monkeypatch.setattr(Asking, "health", Health(is_ok=True, who="tienda"))
    monkeypatch.setattr(Asking, "page", "https://red.example/authorize")
    Asking.seen.clear()
    return Asking


@pytest.fixture
def account(brand) -> Account:
    return Account.objects.create(
        brand=brand, kind=Asking.key, name="La red", created_at=NOON, cursor="page 7", state="attention", trouble="401",
        settings={"server": "https://red.example"}, secrets={"token": "old", "app": "a"}, health={"who": "tienda"},
    )  # fmt: skip


def state_of(answer) -> str:
    return parse_qs(urlsplit(answer.context["url"]).query)["state"][0]


def begun(client, account) -> str:
    form = {"name": account.name, "field_server": account.settings["server"]}
    return state_of(client.post(f"{CHANNELS}{account.pk}/consent/", form))


def token_of(account) -> str:
    return Account.objects.get(pk=account.pk).secrets["token"]


def test_connecting_again_keeps_everything_but_the_access(account, as_alba):
    answer = as_alba.get(BACK, {"state": begun(as_alba, account), "code": "good"})
    assert answer["Location"] == f"{CHANNELS}{account.pk}/"
    account.refresh_from_db()
    assert (account.secrets, account.settings) == ({"token": "fresh", "app": "a"}, {"server": "https://red.example"})
    assert (account.cursor, account.state, account.trouble) == ("page 7", "active", "")
    assert (account.expires_at, account.health["scopes"]) == (NOON + timedelta(days=90), ["read"])
    told = Activity.objects.filter(type__startswith="account.").order_by("pk").values_list("type", flat=True)
    assert list(told) == ["account.reconnected", "account.resumed"]


def test_one_that_is_paused_stays_so(account, as_alba):
    Account.objects.update(state="paused")
    as_alba.get(BACK, {"state": begun(as_alba, account), "code": "good"})
    account.refresh_from_db()
    assert (account.state, account.secrets["token"]) == ("paused", "fresh")


def test_what_was_typed_counts_once_they_are_back(account, as_alba):
    form = {"name": "Otra", "field_server": "https://otra.example", "field_app": "typed-secret"}
    answer = as_alba.post(f"{CHANNELS}{account.pk}/consent/", form)
    account.refresh_from_db()
    assert (account.name, account.settings["server"], account.secrets["app"]) == ("La red", "https://red.example", "a")
    as_alba.get(BACK, {"state": state_of(answer), "code": "good"})
    account.refresh_from_db()
    assert (account.name, account.settings["server"]) == ("Otra", "https://otra.example")
    assert account.secrets == {"token": "fresh", "app": "typed-secret"}


def test_new_one_is_made_only_when_they_come_back(as_alba):
    form = {"name": "La red", "field_server": "https://red.example", "field_app": "typed-secret"}
    answer = as_alba.post(f"{CHANNELS}new/tests-asking/consent/", form)
    assert not Account.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tertulia_channels_admission")
        assert "typed-secret" not in str(stored := cursor.fetchall())
        assert "proof of" not in str(stored)
    as_alba.get(BACK, {"state": state_of(answer), "code": "good"})
    account = Account.objects.get()
    assert (account.name, account.state, account.next_poll_at is not None) == ("La red", "active", True)
    assert account.secrets == {"token": "fresh", "app": "typed-secret"}
    assert account.expires_at == NOON + timedelta(days=90)
    assert account.health["who"] == "tienda"


def test_what_is_missing_for_a_new_one_is_said_in_its_form(as_alba, asking, monkeypatch):
    answer = as_alba.post(f"{CHANNELS}new/tests-asking/consent/", {"name": "La red"})
    assert list(answer.context["form"].errors) == ["field_server"]
    monkeypatch.setattr(asking, "begin_consent", lambda *_: (_ for _ in ()).throw(Retry("It gave nothing.")))
    form = {"name": "La red", "field_server": "https://red.example"}
    page = as_alba.post(f"{CHANNELS}new/tests-asking/consent/", form).content.decode()
    assert "No ha dado nada." in page
    assert "https://red.example" in page
    assert not Admission.objects.exists()


def test_page_that_is_no_web_page_is_not_followed(account, as_alba, asking, monkeypatch):
    monkeypatch.setattr(asking, "page", "javascript:alert(1)")
    form = {"name": "La red", "field_server": "https://red.example"}
    answer = as_alba.post(f"{CHANNELS}{account.pk}/consent/", form)
    assert "javascript:" not in answer.content.decode()
    assert not Admission.objects.exists()


def test_state_is_good_once(account, as_alba):
    state = begun(as_alba, account)
    as_alba.get(BACK, {"state": state, "code": "bad"})
    assert token_of(account) == "old"
    as_alba.get(BACK, {"state": state, "code": "good"})
    assert "Empieza otra vez" in as_alba.get(CHANNELS).content.decode()
    assert token_of(account) == "old"


@pytest.mark.parametrize("spoil", [lambda state: "", lambda state: state[:-1], lambda state: f"x{state}"])
def test_state_that_is_not_ours_opens_nothing(account, as_alba, spoil):
    state = begun(as_alba, account)
    as_alba.get(BACK, {"state": spoil(state), "code": "good"})
    assert token_of(account) == "old"
    assert Admission.objects.count() == 1


def test_state_is_good_only_in_the_session_it_was_begun_in(account, alba, as_alba, brand):
    state = begun(as_alba, account)
    elsewhere, other = Client(), Client()
    elsewhere.force_login(alba)
    other.force_login(person("Berta", brand))
    for client in (elsewhere, other, Client()):
        answer = client.get(BACK, {"state": state, "code": "good"})
        assert "good" not in answer["Location"]
        assert token_of(account) == "old"
    as_alba.get(BACK, {"state": state, "code": "good"})
    assert token_of(account) == "fresh"


def test_state_ends_with_the_session(account, alba, as_alba):
    state = begun(as_alba, account)
    as_alba.logout()
    assert as_alba.login(username=alba.email, password=PASSWORD)
    as_alba.get(BACK, {"state": state, "code": "good"})
    assert token_of(account) == "old"


def test_whoever_lost_the_right_meanwhile_is_refused(account, as_alba):
    state = begun(as_alba, account)
    Membership.objects.update(role=Role.READER)
    assert as_alba.get(BACK, {"state": state, "code": "good"}).status_code == 403
    assert token_of(account) == "old"


def test_whoever_stays_too_long_begins_again(account, as_alba):
    state = begun(as_alba, account)
    Admission.objects.update(expires_at=clock.now())
    as_alba.get(BACK, {"state": state, "code": "good"})
    assert token_of(account) == "old"
    consents.forget(at=clock.now())
    assert not Admission.objects.exists()


def test_saying_no_over_there_changes_nothing(account, as_alba):
    answer = as_alba.get(BACK, {"state": begun(as_alba, account), "error": "access_denied"}, follow=True)
    assert "No se ha dado el acceso" in answer.content.decode()
    said = {"error": "server_error", "error_description": "Try <b>later</b> token=abcdef"}
    page = as_alba.get(BACK, {"state": begun(as_alba, account), **said}, follow=True).content.decode()
    assert "Try &lt;b&gt;later&lt;/b&gt;" in page
    assert "abcdef" not in page
    assert token_of(account) == "old"


@pytest.mark.parametrize(
    "health",
    [Reconnect("No."), Retry("Later."), Health(is_ok=False, is_shut=True), Health(is_ok=True, who="other")],
)
def test_good_secret_stays_until_the_network_takes_the_new_one(account, as_alba, asking, monkeypatch, health):
    monkeypatch.setattr(asking, "health", health)
    as_alba.get(BACK, {"state": begun(as_alba, account), "code": "good"})
    account.refresh_from_db()
    assert (account.secrets, account.state) == ({"token": "old", "app": "a"}, "attention")
    assert asking.seen == ["fresh"]
    assert account.renew_lease_until is None


@pytest.mark.parametrize("health", [Reconnect("It gave nothing."), Health(is_ok=True, who="other")])
def test_typed_secret_stays_out_too_until_it_works(account, as_alba, asking, monkeypatch, health):
    monkeypatch.setattr(asking, "health", health)
    form = {"name": "Otra", "field_server": "https://otra.example", "field_token": "typed"}
    page = as_alba.post(f"{CHANNELS}{account.pk}/", form).content.decode()
    account.refresh_from_db()
    assert (account.secrets["token"], account.name, account.settings["server"]) == (
        "old", "La red", "https://red.example",
    )  # fmt: skip
    assert "No se ha cambiado nada." in page
    assert "typed" not in page
    monkeypatch.setattr(asking, "health", Health(is_ok=True, who="tienda"))
    as_alba.post(f"{CHANNELS}{account.pk}/", form)
    account.refresh_from_db()
    assert (account.secrets["token"], account.name, account.settings["server"]) == (
        "typed", "Otra", "https://otra.example",
    )  # fmt: skip


def test_channel_without_such_a_page_has_no_door_to_it(site, as_alba):
    assert as_alba.post(f"{CHANNELS}{site.pk}/consent/").status_code == 404
    assert as_alba.post(f"{CHANNELS}new/site/consent/", {"name": "x"}).status_code == 404


def test_mastodon_is_connected_from_end_to_end(as_alba):
    with running() as server:
        here = as_alba.post(f"{CHANNELS}new/mastodon/consent/", {"name": "Mastodon", "field_server": server.url})
        asked = {name: value for name, [value] in parse_qs(urlsplit(here.context["url"]).query).items()}
        assert asked["redirect_uri"].endswith(BACK)
        server.challenges["code-1"] = asked["code_challenge"]
        as_alba.get(BACK, {"state": asked["state"], "code": "code-1"})
        account = Account.objects.get()
    assert (account.secrets["token"], account.state, account.health["is_ok"]) == (TOKEN, "active", True)
    assert account.settings["handle"] == "tienda"
