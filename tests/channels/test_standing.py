"""How a connection stands, in words: on its own page and in the list of channels."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import ClassVar

import pytest
import time_machine

from conftest import NOON, envelope
from tertulia.channels import actions
from tertulia.channels.models import Account, Delivery
from tertulia.connectors import registry
from tertulia.connectors.contract import REPLY, Capabilities, Connector, Health
from tertulia.flows import inbound
from tertulia.inbox import actions as inbox
from tertulia.inbox.models import Conversation

CHANNELS = "/b/horno-candela/channels/"


class Talkative(Connector):
    """Tells everything of itself that there is to tell."""

    key, name = "tests-talkative", {"en": "Talkative", "es": "Habladora"}
    capabilities = Capabilities(reads=frozenset({"direct"}), can=(REPLY,), polls=True, webhook=True, listens=True)
    scopes: ClassVar = {"read": {"en": "Read all", "es": "Leerlo todo"}}
    facts: ClassVar = {"handle": {"en": "Account there", "es": "Cuenta allí"}}
    sentences: ClassVar = {"It is full.": "Está llena."}
    health: ClassVar[Health] = Health(
        is_ok=True, expires_at=NOON + timedelta(days=3), scopes=["read", "odd:scope"], quota_left=42,
        quota_resets_at=NOON + timedelta(minutes=15), facts={"handle": "@candela<b>", "inner": "unseen"},
    )  # fmt: skip

    def check(self, account):
        return self.health


@pytest.fixture(autouse=True)
def talkative(monkeypatch):
    monkeypatch.setitem(registry.all_connectors(), Talkative.key, Talkative)
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def account(brand) -> Account:
    account = Account.objects.create(
        brand=brand, kind=Talkative.key, name="Red", created_at=NOON, next_poll_at=NOON + timedelta(minutes=5),
        listen_lease_until=NOON + timedelta(minutes=1), secrets={"token": "canary-5f1c"},
    )  # fmt: skip
    actions.look(account=account, at=NOON)
    return account


@pytest.fixture
def waiting(account, alba) -> Delivery:
    inbound.intake(account, [envelope(kind="direct")], at=NOON)
    conversation = Conversation.objects.get()
    return inbox.reply(conversation=conversation, text="Sí", by=alba, turn=conversation.turn, at=NOON)


def words(page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def test_page_says_all_that_is_known(account, as_alba, settings):
    settings.PUBLIC_URL = "https://mesa.example"
    page = as_alba.get(f"{CHANNELS}{account.pk}/")
    said = words(page)
    for line in (
        "Cuenta allí @candela&lt;b&gt;", "Última vez que funcionó 12:00",
        "Vuelve a leer 12:05 · lo nuevo llega al momento",
        "El acceso acaba jue 12:00", "El acceso se acaba pronto.", "Nos permite Leerlo todo odd:scope",
        "Peticiones que quedan 42 · se cuentan de nuevo: 12:15",
    ):  # fmt: skip
        assert line in said, line
    assert f"https://mesa.example/in/{account.public_key}/" in said
    assert "unseen" not in said
    assert "canary" not in page.content.decode()


def test_what_is_not_known_is_left_out(site, as_alba):
    said = words(as_alba.get(f"{CHANNELS}{site.pk}/"))
    for line in ("Vuelve a leer", "El acceso acaba", "Nos permite", "Peticiones", "webhook, dale", "De camino"):
        assert line not in said


def test_what_waits_for_a_shut_account_is_counted(account, waiting, as_alba):
    assert "De camino 1" in words(as_alba.get(f"{CHANNELS}{account.pk}/"))
    actions.ask_for_attention(account_id=account.pk, why="It is full.", at=NOON)
    said = words(as_alba.get(f"{CHANNELS}{account.pk}/"))
    assert "Espera para salir 1 · saldrá cuando la cuenta vuelva a funcionar" in said
    assert "Vuelve a leer cuando la cuenta vuelva a funcionar" in said
    row = "Necesita atención Está llena. El acceso acaba: jue 12:00 1 espera para salir"
    assert row in words(as_alba.get(CHANNELS))


def test_account_that_is_tried_again_and_again_shows_why(account, as_alba):
    Account.objects.update(trouble="It is full.")
    assert "Con problemas Está llena." in words(as_alba.get(CHANNELS))
    assert "Está llena." in words(as_alba.get(f"{CHANNELS}{account.pk}/"))


def test_access_that_renews_itself_is_no_worry(account, as_alba, monkeypatch):
    monkeypatch.setattr(Talkative, "capabilities", Capabilities(polls=True, renews=True))
    said = words(as_alba.get(f"{CHANNELS}{account.pk}/"))
    assert "El acceso acaba nunca: se renueva a tiempo" in said
    assert "pronto" not in said


def test_access_that_has_ended_is_said_so(account, as_alba):
    Account.objects.update(expires_at=NOON)
    assert "El acceso se ha acabado." in words(as_alba.get(f"{CHANNELS}{account.pk}/"))


@pytest.mark.parametrize("count", [1, 4])
def test_list_asks_the_same_however_many_there_are(account, as_alba, brand, count, django_assert_num_queries):
    for number in range(count):
        Account.objects.create(brand=brand, kind="site", name=f"S{number}", created_at=NOON)
    as_alba.get(CHANNELS)
    with django_assert_num_queries(5):
        as_alba.get(CHANNELS)
