"""Each address of signing in is either open, for a reason, or a signed-in person's own and nobody else's."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from conftest import PASSWORD
from tertulia.team import entrance_urls

LOGIN = "/accounts/login/"
ADDRESSES = {
    # name: why it is open, or "own"
    "set_language": "changes the visitor's own cookie",
    "account_login": "here one signs in",
    "account_logout": "ends the session of who asks",
    "account_inactive": "a page that holds no data",
    "account_reauthenticate": "own",
    "account_change_password": "own",
    "account_set_password": "own",
    "account_reset_password": "tells nobody who has an account; rate limit",
    "account_reset_password_done": "a page that holds no data",
    "account_reset_password_from_key_done": "a page that holds no data",
    "account_reset_password_from_key": "guarded by the one-time token of the mail",
    "mfa_index": "own",
    "mfa_authenticate": "guarded by the password that was given in this session",
    "mfa_reauthenticate": "own",
    "mfa_activate_totp": "own",
    "mfa_deactivate_totp": "own",
    "mfa_view_recovery_codes": "own",
    "mfa_generate_recovery_codes": "own",
    "mfa_download_recovery_codes": "own",
    "mfa_list_webauthn": "own",
    "mfa_add_webauthn": "own",
    "mfa_reauthenticate_webauthn": "own",
    "mfa_login_webauthn": "here one signs in",
    "mfa_edit_webauthn": "own",
    "mfa_remove_webauthn": "own",
    "usersessions_list": "own",
    "socialaccount_login_cancelled": "a page that holds no data",
    "socialaccount_login_error": "a page that holds no data",
    "openid_connect_login": "leads to the company's sign-in",
    "openid_connect_callback": "guarded by the state that this session was given and by the provider's signature",
    "company_logout": "guarded by the provider's signature",
}
OWN = [name for name, why in ADDRESSES.items() if why == "own"]
ONE_PASSKEY = {"mfa_edit_webauthn", "mfa_remove_webauthn"}


def test_every_address_of_the_entrance_is_named_here():
    assert {pattern.name for pattern in entrance_urls.urlpatterns} == set(ADDRESSES)


@pytest.mark.django_db
@pytest.mark.parametrize("name", OWN)
def test_what_is_ones_own_sends_strangers_to_sign_in(name):
    address = reverse(name, args=[1] if name in ONE_PASSKEY else [])
    for answer in (Client().get(address), Client().post(address)):
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, LOGIN)


def test_a_colleagues_passkey_is_neither_shown_nor_changed_nor_removed(alba, bruno):
    theirs = Authenticator.objects.create(
        user=bruno, type=Authenticator.Type.WEBAUTHN, data={"name": "Llave de Bruno", "credential": {}}
    )
    before = Authenticator.objects.values().get()
    client = Client()
    client.post(LOGIN, {"login": alba.email, "password": PASSWORD})
    client.post("/accounts/again/", {"password": PASSWORD})
    for name in ONE_PASSKEY:
        address = reverse(name, args=[theirs.pk])
        for answer in (client.get(address), client.post(address, {"name": "de Alba"})):
            assert answer.status_code == 404
    assert Authenticator.objects.values().get() == before
