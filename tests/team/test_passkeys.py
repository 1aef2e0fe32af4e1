"""Passkeys in a real browser, with a virtual authenticator, under the page's own content security policy."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import sync_playwright

from browser.conftest import CHROMIUM, FLAGS, NEEDS_CHROMIUM
from conftest import PASSWORD

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM, pytest.mark.django_db(transaction=True)]
SECONDS = 15_000


@pytest.fixture
def page(monkeypatch, settings, live_server):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright's loop runs in this thread; Django's doesn't
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(locale="es-ES", base_url=live_server.url.replace("127.0.0.1", "localhost"))
        page = context.new_page()
        page.set_default_timeout(SECONDS)
        device = context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        device.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
                }
            },
        )  # fmt: skip
        page.troubles = []
        page.on("console", lambda said: page.troubles.append(said.text) if is_trouble(said) else None)
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        yield page
        browser.close()


def is_trouble(said) -> bool:
    """Live news come from another process, which these tests don't run."""
    return said.type == "error" and "/live/" not in said.location["url"]


def sign_in(page, user) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=login]", user.email)
    page.fill("[name=password]", PASSWORD)
    page.click("form[action='/accounts/login/'] button")
    page.wait_for_load_state()


def sign_out(page) -> None:
    page.goto("/accounts/logout/")
    page.click("main form .button--primary")
    page.wait_for_url("**/accounts/login/")


def test_passkey_is_made_and_then_opens_the_desk_alone_and_as_second_step(page, alba):
    sign_in(page, alba)
    page.goto("/accounts/passkeys/new/")
    page.fill("[name=password]", PASSWORD)
    page.click("main form .button--primary")
    page.fill("[name=name]", "Portátil")
    page.click("t-passkey button")
    page.wait_for_url(re.compile(r"/recovery-codes/$"))
    page.goto("/accounts/passkeys/")
    assert "Portátil" in page.inner_text("table")

    sign_out(page)
    page.click("t-passkey button")
    page.wait_for_url(re.compile(r"localhost:\d+/(?!accounts)"))
    page.goto("/profile/")
    assert page.input_value("[name=name]") == "Alba"

    sign_out(page)
    sign_in(page, alba)
    assert page.url.endswith("/accounts/second-step/code/")
    page.click("t-passkey button")
    page.wait_for_url(re.compile(r"localhost:\d+/(?!accounts)"))

    page.goto("/accounts/passkeys/again/?next=/accounts/second-step/app/")
    page.click("t-passkey button")
    page.wait_for_url(re.compile(r"localhost:\d+/accounts/second-step/app/$"))
    assert page.is_visible("img.team-square")
    assert page.troubles == []


def test_passkey_the_device_does_not_have_says_so_and_keeps_the_other_way(page, alba):
    page.goto("/accounts/login/")
    page.click("t-passkey button")
    page.wait_for_selector("t-passkey [role=alert]:not([hidden])", timeout=90_000)
    assert page.inner_text("t-passkey [role=alert]") != ""
    sign_in(page, alba)
    assert "/accounts/" not in page.url
