"""The channels of a brand: connecting, mending, and what must never come out again."""

from __future__ import annotations

from typing import ClassVar

import pytest
from django.test import Client

from conftest import NOON, person
from tertulia.channels.models import Account, Quarantine
from tertulia.connectors import registry
from tertulia.connectors.contract import Account as AccountFacts
from tertulia.connectors.contract import Capabilities, Connector, Field, Health, Reconnect
from tertulia.core.models import Activity
from tertulia.team.permissions import Role

CHANNELS = "/b/horno-candela/channels/"
SECRET = "canary-5f1c"


def test_every_channel_says_what_it_brings_and_those_by_hand_come_last(as_alba):
    page = as_alba.get(f"{CHANNELS}new/").content.decode()
    offered = registry.all_connectors()
    assert all(one.about["es"] in page for one in offered.values() if one.__module__.startswith("tertulia."))
    assert page.index(offered["wordpress"].name["es"]) < page.index(offered["manual"].name["es"])


def test_what_few_need_is_folded_away_until_it_is_wrong_or_filled_in(as_alba, brand):
    page = as_alba.get(f"{CHANNELS}new/mail/").content.decode()
    before, rare = page.split('<details class="channels-rare">')
    assert all(name in before for name in ("field_address", "field_password", "field_imap_server"))
    assert all(name in rare for name in ("field_client_id", "field_folders", "field_encryption"))
    body = {
        "name": "Correo",
        "field_address": "hola@horno.example",
        "field_access": "password",
        "field_encryption": "x",
    }
    assert 'channels-rare" open>' in as_alba.post(f"{CHANNELS}new/mail/", body).content.decode()


def test_a_platform_by_hand_is_called_what_it_is(as_alba, brand):
    as_alba.post(f"{CHANNELS}new/manual/", {"field_platform": "TikTok", "field_openness": "both"})
    assert Account.objects.get(kind="manual").name == "TikTok"


class Demanding(Connector):
    """A connector with a field of every kind."""

    key, name = "demanding", {"en": "Demanding", "es": "Exigente"}
    fields = (
        Field("server", {"en": "Server", "es": "Servidor"}, kind="url"),
        Field("token", {"en": "Token", "es": "Testigo"}, kind="secret"),
        Field("second", {"en": "Second", "es": "Segundo"}, kind="secret", is_required=False),
        Field("many", {"en": "Many", "es": "Varios"}, kind="lines", is_required=False),
        Field("size", {"en": "Size", "es": "Tamaño"}, kind="number", default="3"),
        Field("is_loud", {"en": "Loud", "es": "Ruidoso"}, kind="flag", is_required=False),
        Field("mood", {"en": "Mood"}, kind="choice", choices=[("good", {"en": "Good"}), ("bad", {"en": "Bad"})]),
        Field("made", {"en": "Made", "es": "Hecha"}, kind="secret", is_generated=True),
    )  # fmt: skip
    capabilities = Capabilities(reads=frozenset({"direct"}), polls=True)
    health: ClassVar[Health | Exception] = Health(is_ok=True)

    def check(self, account: AccountFacts) -> Health:
        if isinstance(self.health, Exception):
            raise self.health
        return self.health


FORM = {
    "name": "La red", "field_server": "https://red.example/", "field_token": SECRET, "field_second": "",
    "field_many": "uno\n\n dos ", "field_size": "7", "field_mood": "bad",
}  # fmt: skip


@pytest.fixture(autouse=True)
def demanding(monkeypatch):
    monkeypatch.setitem(registry.all_connectors(), "demanding", Demanding)
    monkeypatch.setattr(Demanding, "health", Health(is_ok=True))
    return Demanding


@pytest.fixture
def account(as_alba) -> Account:
    as_alba.post(f"{CHANNELS}new/demanding/", FORM)
    return Account.objects.get(kind="demanding")


def test_form_is_made_from_what_the_connector_needs(as_alba):
    page = as_alba.get(f"{CHANNELS}new/demanding/").content.decode()
    assert all(f'name="field_{name}"' in page for name in ("server", "token", "many", "size", "is_loud", "mood"))
    assert "field_made" not in page


def test_account_is_connected_with_typed_and_made_secrets(account, brand):
    assert account.settings == {
        "server": "https://red.example/", "many": ["uno", "dos"], "size": 7, "is_loud": False, "mood": "bad",
    }  # fmt: skip
    assert account.secrets["token"] == SECRET
    assert len(account.secrets["made"]) >= 43
    assert (account.brand, account.state, account.next_poll_at is not None) == (brand, "active", True)


def test_secret_is_never_shown_again(account, as_alba):
    for path in ("", f"{account.pk}/"):
        assert SECRET not in as_alba.get(CHANNELS + path).content.decode()
    assert SECRET not in str(list(Activity.objects.values()))
    refused = as_alba.post(f"{CHANNELS}{account.pk}/", {**FORM, "name": "", "field_token": SECRET})
    assert SECRET not in refused.content.decode()


def test_empty_secret_keeps_the_one_there_is(account, as_alba):
    as_alba.post(f"{CHANNELS}{account.pk}/", {**FORM, "name": "Otra", "field_token": ""})
    account.refresh_from_db()
    assert (account.name, account.secrets["token"]) == ("Otra", SECRET)


def test_new_secret_replaces_only_itself(account, as_alba):
    made = account.secrets["made"]
    as_alba.post(f"{CHANNELS}{account.pk}/", {**FORM, "field_token": "otra"})
    account.refresh_from_db()
    assert (account.secrets["token"], account.secrets["made"]) == ("otra", made)


def test_fields_the_connector_does_not_have_are_not_read(as_alba, other_brand):
    as_alba.post(
        f"{CHANNELS}new/demanding/",
        {
            **FORM,
            "field_made": "mine",
            "field_evil": "x",
            "state": "paused",
            "brand": other_brand.pk,
            "public_key": "k",
        },
    )
    account = Account.objects.get()
    assert account.secrets["made"] != "mine"
    assert "evil" not in account.settings
    assert (account.brand.slug, account.state) == ("horno-candela", "active")
    assert account.public_key != "k"


@pytest.mark.parametrize(("field", "value"), [("field_server", "javascript:alert(1)"), ("field_token", ""),
                                              ("field_size", "much"), ("field_mood", "sad"), ("name", "")])  # fmt: skip
def test_what_is_missing_or_odd_is_refused(as_alba, field, value):
    answer = as_alba.post(f"{CHANNELS}new/demanding/", {**FORM, field: value})
    assert field in answer.context["form"].errors
    assert not Account.objects.exists()


def test_unknown_channel_is_not_there(as_alba):
    assert as_alba.get(f"{CHANNELS}new/telex/").status_code == 404


def test_channel_whose_connector_is_gone_is_still_listed(as_alba, brand):
    account = Account.objects.create(brand=brand, kind="telex", name="Télex", created_at=NOON)
    assert "Télex" in as_alba.get(CHANNELS).content.decode()
    assert as_alba.get(f"{CHANNELS}{account.pk}/").status_code == 404


def test_pausing_and_resuming_keeps_the_place_of_reading(account, as_alba):
    Account.objects.update(cursor="page 7")
    as_alba.post(f"{CHANNELS}{account.pk}/pause/")
    account.refresh_from_db()
    assert account.state == "paused"
    as_alba.post(f"{CHANNELS}{account.pk}/resumption/")
    account.refresh_from_db()
    assert (account.state, account.cursor) == ("active", "page 7")
    told = Activity.objects.filter(type__startswith="account.").order_by("pk").values_list("type", flat=True)
    assert list(told) == ["account.connected", "account.paused", "account.resumed"]


def test_resuming_what_still_does_not_work_says_why(account, as_alba, monkeypatch, demanding):
    monkeypatch.setattr(demanding, "health", Reconnect("The token has expired."))
    Account.objects.update(state="attention", trouble="401")
    answer = as_alba.post(f"{CHANNELS}{account.pk}/resumption/", follow=True)
    account.refresh_from_db()
    assert account.state == "attention"
    assert "The token has expired." in answer.content.decode()


def test_mending_the_settings_of_a_broken_account_starts_it_again(account, as_alba):
    Account.objects.update(state="attention", trouble="401", cursor="page 7")
    as_alba.post(f"{CHANNELS}{account.pk}/", {**FORM, "field_token": "fresh"})
    account.refresh_from_db()
    assert (account.state, account.trouble, account.cursor) == ("active", "", "page 7")


def test_saving_a_paused_account_does_not_start_it(account, as_alba):
    as_alba.post(f"{CHANNELS}{account.pk}/pause/")
    as_alba.post(f"{CHANNELS}{account.pk}/", FORM)
    account.refresh_from_db()
    assert account.state == "paused"


def test_new_key_changes_only_what_nobody_types(account, as_alba):
    before = account.secrets["made"]
    as_alba.post(f"{CHANNELS}{account.pk}/keys/")
    account.refresh_from_db()
    assert account.secrets["made"] != before
    assert account.secrets["token"] == SECRET


def test_site_shows_the_line_to_put_on_the_page(as_alba, site, settings):
    settings.PUBLIC_URL = "https://mesa.example"
    page = as_alba.get(f"{CHANNELS}{site.pk}/").content.decode()
    line = f'script src="https://mesa.example/site/widget.js" data-account="{site.public_key}" defer'
    assert f"&lt;{line}&gt;&lt;/script&gt;" in page
    assert "a" * 43 not in page


@pytest.mark.parametrize("role", [role for role in Role if role != Role.MANAGER])
def test_only_managers_see_and_change_channels(brand, site, role):
    client = Client()
    client.force_login(person("Somebody", brand, role))
    pages = ["", "new/", "new/site/", f"{site.pk}/", "unread/"]
    acts = [f"{site.pk}/", f"{site.pk}/pause/", f"{site.pk}/resumption/", f"{site.pk}/keys/", "new/site/"]
    assert {client.get(CHANNELS + page).status_code for page in pages} == {403}
    assert {client.post(CHANNELS + act, {"name": "x"}).status_code for act in acts} == {403}
    site.refresh_from_db()
    assert (site.name, site.state, Account.objects.count()) == ("Nuestra página", "active", 1)


# What could not be read


@pytest.fixture
def odd(site) -> Quarantine:
    return Quarantine.objects.create(
        account=site, received_at=NOON, why="No es JSON <b>", body=b"<script>alert(1)</script>\x00\xff", digest="d"
    )


def test_original_is_given_to_download_and_never_to_open(as_alba, odd):
    answer = as_alba.get(f"{CHANNELS}unread/{odd.pk}/")
    assert answer.content == b"<script>alert(1)</script>\x00\xff"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == f'attachment; filename="original-{odd.pk}.bin"'
    assert "sandbox" in answer["Content-Security-Policy"]


def test_what_was_dealt_with_leaves_the_list_and_is_kept(as_alba, odd):
    page = as_alba.get(f"{CHANNELS}unread/")
    assert "No es JSON &lt;b&gt;" in page.content.decode()
    as_alba.post(f"{CHANNELS}unread/{odd.pk}/settlement/")
    assert as_alba.get(f"{CHANNELS}unread/").context["waiting"] == []
    assert bytes(Quarantine.objects.get().body).startswith(b"<script>")


def test_accounts_and_originals_of_another_brand_are_not_there(as_carla, brand, other_brand, site, odd):
    theirs = "/b/ferreteria-ruiz/channels/"
    gets = [f"{site.pk}/", f"unread/{odd.pk}/"]
    posts = [
        f"{site.pk}/",
        f"{site.pk}/pause/",
        f"{site.pk}/resumption/",
        f"{site.pk}/keys/",
        f"unread/{odd.pk}/settlement/",
    ]
    assert {as_carla.get(theirs + path).status_code for path in gets} == {404}
    assert {as_carla.post(theirs + path).status_code for path in posts} == {404}
    assert as_carla.get(f"{CHANNELS}{site.pk}/").status_code == 404
