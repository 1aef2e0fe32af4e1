"""What is written down of signing in, how long it lasts, which words no password is made of, and whom a second step is
asked of."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from test_entrance import LOGIN, code_now, is_in, sign_in

from conftest import NOON, PASSWORD
from tertulia.core import clock, logs
from tertulia.project import doors
from tertulia.team.models import Membership, User
from tertulia.team.permissions import Role

SEED = "JBSWY3DPEHPK3PXP"
OPENED = {"Sec-Fetch-Mode": "navigate"}
BY_ITSELF = {"Sec-Fetch-Mode": "cors"}


@pytest.fixture
def told(tmp_path):
    """What the log says, as programs get it."""
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(logs.Json())
    loggers = [logging.getLogger(f"tertulia.{name}") for name in ("sign_ins", "requests")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.addHandler(handler)
        each.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    for each, level in zip(loggers, levels, strict=True):
        each.removeHandler(handler)
        each.setLevel(level)
    handler.close()


def of_sign_ins(told) -> list[tuple[str, str, str]]:
    lines = [line for line in told() if line["logger"] == "tertulia.sign_ins"]
    return [(line["message"], line["who"], line["address"]) for line in lines]


@pytest.fixture
def day(monkeypatch):
    """The clock, moved by hand."""
    now = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    monkeypatch.setattr("django.utils.timezone.now", lambda: now[0])

    def move(**by: float) -> None:
        now[0] += timedelta(**by)

    return move


# The log


def test_signing_in_and_out_is_logged_with_who_and_from_where(alba, told):
    client = sign_in(alba)
    client.post("/accounts/logout/")
    assert of_sign_ins(told) == [
        ("Signed in (password)", f"user {alba.pk}", "127.0.0.1"),
        ("Signed out", f"user {alba.pk}", "127.0.0.1"),
    ]


def test_the_second_step_is_named(alba, told):
    TOTP.activate(alba, SEED)
    client = sign_in(alba)
    client.post("/accounts/second-step/code/", {"code": "000000"})
    client.post("/accounts/second-step/code/", {"code": code_now(SEED)})
    assert [what for what, *_ in of_sign_ins(told)] == [
        "Not signed in: the code of the second step is wrong", "Signed in (password, mfa)",
    ]  # fmt: skip


def test_failing_to_sign_in_is_logged_alike_for_everybody_and_without_what_was_typed(alba, told):
    for email in (alba.email, "nadie@example.com"):
        Client().post(LOGIN, {"login": email, "password": "Kennwortvogel"})
    lines = of_sign_ins(told)
    assert [(who, address) for _what, who, address in lines] == [
        (alba.email, "127.0.0.1"), ("nadie@example.com", "127.0.0.1"),
    ]  # fmt: skip
    assert len({what for what, *_ in lines}) == 1
    assert "Kennwortvogel" not in json.dumps(told())


def test_tries_that_are_not_looked_at_and_closed_accounts_are_logged(alba, told):
    for _ in range(6):
        sign_in(alba, "no")
    assert of_sign_ins(told)[-1] == ("Not signed in: too many tries, not looked at", alba.email, "127.0.0.1")
    User.objects.update(is_active=False)
    Client().post(LOGIN, {"login": alba.email, "password": PASSWORD}, REMOTE_ADDR="203.0.113.9")
    assert of_sign_ins(told)[-1][1:] == (alba.email, "203.0.113.9")


def test_a_refusal_is_logged_with_who_asked_and_from_where(as_bruno, bruno, brand, other_brand, told):
    as_bruno.get(f"/b/{brand.slug}/channels/new/")
    as_bruno.get(f"/b/{other_brand.slug}/inbox/")
    as_bruno.get(f"/b/{brand.slug}/inbox/")
    refused, elsewhere, allowed = [line for line in told() if line["logger"] == "tertulia.requests"]
    for line, status in ((refused, "403"), (elsewhere, "404")):
        assert (line["level"], line["who"], line["address"]) == ("WARNING", f"user {bruno.pk}", "127.0.0.1")
        assert f": {status} in" in line["message"]
    assert (allowed["level"], allowed["who"], "address" in allowed) == ("INFO", f"user {bruno.pk}", False)


def test_going_round_the_forms_token_is_logged(alba, brand, told):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alba)
    assert client.post(f"/b/{brand.slug}/team/invitations/", {"email": "x@example.com"}).status_code == 403
    line = told()[-1]
    assert (line["level"], line["address"]) == ("WARNING", "127.0.0.1")
    assert line["message"].startswith("POST /")


def test_for_people_a_line_says_it_too(alba, caplog):
    with caplog.at_level(logging.INFO, "tertulia.sign_ins"):
        sign_in(alba)
    said = logs.Line().format(caplog.records[0])
    assert f"Signed in (password), user {alba.pk}, 127.0.0.1" in said


def test_managers_and_the_person_see_when_somebody_last_signed_in(as_alba, as_bruno, alba, bruno, brand):
    def page(client, of):
        own = Membership.objects.get(user=of, brand=brand)
        return client.get(f"/b/{brand.slug}/team/{own.pk}/").content.decode()

    alba.language = bruno.language = "en"
    alba.save()
    bruno.save()
    assert "Last signed in" in page(as_alba, bruno)
    assert "Last signed in" in page(as_bruno, bruno)
    assert "Last signed in" not in page(as_bruno, alba)


# How long it lasts


def test_who_opens_no_page_for_three_days_signs_in_again(alba, day):
    client = sign_in(alba)
    assert is_in(client)
    day(hours=71)
    assert is_in(client)
    day(hours=71)
    assert is_in(client)
    day(hours=72, minutes=1)
    assert not is_in(client)


def test_an_open_page_that_asks_by_itself_keeps_nobody_signed_in(alba, day):
    client = sign_in(alba)
    assert is_in(client)
    for _ in range(3):
        day(hours=24)
        client.get("/profile/", headers=BY_ITSELF)
    day(minutes=11)
    assert client.get("/profile/", headers=OPENED).status_code == 302


def test_two_weeks_after_signing_in_it_ends_whatever_happens(alba, day):
    client = sign_in(alba)
    for _ in range(13):
        assert is_in(client)
        day(days=1)
    assert is_in(client)
    day(days=1, seconds=1)
    assert not is_in(client)


def test_how_long_can_be_set(alba, day, settings):
    settings.SESSION_IDLE = timedelta(0)
    client = sign_in(alba)
    assert is_in(client)
    day(days=13)
    assert is_in(client)


def test_pages_one_after_the_other_write_nothing(alba):
    client = sign_in(alba)
    is_in(client)
    with CaptureQueriesContext(connection) as asked:
        is_in(client)
    assert not [one for one in asked.captured_queries if "UPDATE" in one["sql"]]


# Words that no password is made of


@pytest.mark.parametrize(
    "password",
    ["horno-candela-2026", "HornoCandela!!", "Tertulia2026!", "tertulia-horno", "candelacandela1", "Gestor.Horno.12"],
)
def test_no_password_is_made_of_the_words_of_the_house(brand, password):
    with pytest.raises(ValidationError) as refused:
        validate_password(password)
    assert "password_of_own_words" in [error.code for error in refused.value.error_list]


@pytest.mark.parametrize("password", [PASSWORD, "un horno de leña y dos gatos", "tertulia de los jueves"])
def test_they_may_stand_in_one_that_says_more(brand, password):
    validate_password(password)


# A second step that is demanded


@pytest.mark.parametrize(
    ("setting", "role", "is_led"),
    [("managers", Role.MANAGER, True), ("managers", Role.DIRECTOR, True), ("managers", Role.EXPERT, False),
     ("everybody", Role.READER, True), ("", Role.MANAGER, False)],
)  # fmt: skip
def test_who_has_to_have_a_second_step_adds_one_first(alba, brand, settings, setting, role, is_led):
    settings.SECOND_STEP = setting
    Membership.objects.filter(user=alba).update(role=role)
    client = sign_in(alba)
    answer = client.get(f"/b/{brand.slug}/inbox/")
    assert answer.status_code == (302 if is_led else 200)
    if is_led:
        assert answer["Location"] == "/accounts/second-step/?demanded"
        page = client.get(answer["Location"])
        assert (page.status_code, "data-tone" in page.content.decode()) == (200, True)


def test_recovery_codes_alone_are_no_second_step_and_without_one_nothing_streams(alba, brand, settings):
    settings.SECOND_STEP = "managers"
    RecoveryCodes.activate(alba)
    client = Client()
    client.force_login(alba)
    key = client.session.session_key
    headers = {"cookie": f"{settings.SESSION_COOKIE_NAME}={key}"}
    assert client.post(f"/b/{brand.slug}/team/invitations/", {"email": "x@example.com"}).status_code == 302
    with pytest.raises(doors.Closed):
        doors.knock(f"/live/desk/{brand.slug}", headers, {}, NOON)
    TOTP.activate(alba, SEED)
    assert client.get(f"/b/{brand.slug}/inbox/").status_code == 200
    assert doors.knock(f"/live/desk/{brand.slug}", headers, {}, NOON).who == f"user {alba.pk}"
