"""Signing in: what must work, and what must not tell strangers anything."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.core import mail as outbox
from django.test import Client
from django.urls import NoReverseMatch, reverse

from conftest import NOON, PASSWORD
from tertulia.core import jobs
from tertulia.core.models import Job
from tertulia.team import tries
from tertulia.team.models import User

LOGIN = "/accounts/login/"
FORGOTTEN = "/accounts/password/forgotten/"


@pytest.fixture
def with_mail(settings):
    settings.EMAIL_HOST = "smtp.example"


def sign_in(user: User, password: str = PASSWORD, client: Client | None = None, **more) -> Client:
    client = client or Client()
    client.post(LOGIN, {"login": user.email, "password": password, **more})
    return client


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_password_opens_the_desk(alba):
    assert is_in(sign_in(alba))


def test_wrong_password_and_unknown_address_say_the_same(alba):
    known = Client().post(LOGIN, {"login": alba.email, "password": "no"})
    unknown = Client().post(LOGIN, {"login": "nadie@example.com", "password": "no"})
    assert known.status_code == unknown.status_code == 200
    assert known.context["form"].errors == unknown.context["form"].errors
    assert "__all__" in known.context["form"].errors


def test_session_id_changes_at_sign_in(alba):
    client = Client()
    client.post("/accounts/language/", {"language": "en"})
    client.session.save()
    before = client.session.session_key
    sign_in(alba, client=client)
    assert client.session.session_key != before


def test_sixth_wrong_password_in_five_minutes_is_not_looked_at(alba):
    for _ in range(5):
        sign_in(alba, "no")
    client = sign_in(alba)
    assert not is_in(client)


def test_headers_that_name_another_address_do_not_escape_the_limit(alba):
    for _ in range(5):
        Client().post(LOGIN, {"login": alba.email, "password": "no"}, headers={"x-forwarded-for": "203.0.113.7"})
    client = Client()
    client.post(LOGIN, {"login": alba.email, "password": PASSWORD}, headers={"x-forwarded-for": "1.2.3.4"})
    assert not is_in(client)


def test_limit_does_not_end_the_real_users_session(alba):
    client = sign_in(alba)
    for _ in range(8):
        sign_in(alba, "no")
    assert is_in(client)


def test_closed_account_stays_out_with_the_right_password(alba):
    User.objects.update(is_active=False)
    client = Client()
    answer = client.post(LOGIN, {"login": alba.email, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [("/accounts/closed/", 302)]
    assert not is_in(client)


def test_signing_out_ends_the_session_and_leaves_nothing_in_the_browser(alba):
    client = sign_in(alba)
    kept = client.cookies["session"].value
    assert "Clear-Site-Data" not in client.get("/accounts/logout/")
    assert client.post("/accounts/logout/")["Clear-Site-Data"] == '"storage"'
    client.cookies["session"] = kept
    assert not is_in(client)


def test_closing_an_account_ends_its_sessions(alba):
    client = sign_in(alba)
    User.objects.update(is_active=False)
    assert not is_in(client)


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https:/evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)"],
)
def test_next_never_leaves_the_house(alba, target):
    answer = Client().post(LOGIN, {"login": alba.email, "password": PASSWORD, "next": target})
    assert answer.status_code == 302
    assert answer["Location"] == "/"


@pytest.mark.parametrize("target", ["//evil.example", "https:/evil.example", "/\\evil.example", "http://evil.example/"])
def test_language_switch_never_leaves_the_house(db, target):
    answer = Client().post("/accounts/language/", {"language": "en", "next": target})
    assert answer["Location"] == "/"


def test_language_switch_answers_post_only(db):
    assert Client().get("/accounts/language/").status_code == 405


@pytest.mark.parametrize(
    "name", ["account_signup", "account_email", "account_email_verification_sent", "socialaccount_signup",
             "socialaccount_connections", "mfa_signup_webauthn", "mfa_trust", "account_request_login_code"],
)  # fmt: skip
def test_what_is_not_used_has_no_address(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


# Forgotten password


def test_forgotten_password_answers_the_same_to_everybody(alba, with_mail):
    answers = [Client().post(FORGOTTEN, {"email": email}) for email in (alba.email, "nadie@example.com")]
    assert {(one.status_code, one["Location"]) for one in answers} == {(302, "/accounts/password/forgotten/sent/")}
    assert outbox.outbox == []
    run_jobs()
    assert [one.to for one in outbox.outbox] == [[alba.email]]


def test_reset_link_names_the_host_of_the_settings(alba, with_mail, settings):
    settings.PUBLIC_URL = "https://mesa.example"
    link = ask_for_link(alba)
    assert link.startswith("https://mesa.example/accounts/password/new/")
    assert outbox.outbox[0].extra_headers["Auto-Submitted"] == "auto-generated"


def test_reset_link_sets_a_password_once_and_ends_every_session(alba, with_mail):
    elsewhere = sign_in(alba)
    link = ask_for_link(alba)
    client = Client()
    form = client.get(link, follow=True)
    new = "otro café con leche"
    answer = client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert answer["Location"] == "/accounts/password/new/done/"
    assert not is_in(elsewhere)
    assert not is_in(client)
    assert is_in(sign_in(alba, new))
    assert "token_fail" in Client().get(link).context


def test_reset_does_not_jump_the_second_step(alba, with_mail):
    TOTP.activate(alba, "JBSWY3DPEHPK3PXP")
    link = ask_for_link(alba)
    client = Client()
    form = client.get(link, follow=True)
    client.post(form.request["PATH_INFO"], {"password1": "otro café con leche", "password2": "otro café con leche"})
    assert not is_in(client)
    sign_in(alba, "otro café con leche", client)
    assert not is_in(client)


@pytest.mark.parametrize("key", ["1-abc", "1-%20", "zz-set-password", "1-d3k1ww-0123456789abcdef0123456789abcdef"])
def test_forged_reset_links_are_refused(alba, key):
    answer = Client().get(f"/accounts/password/new/{key}/")
    assert answer.status_code == 200
    assert answer.context["token_fail"]


def test_link_of_an_old_address_no_longer_works(alba, with_mail):
    link = ask_for_link(alba)
    User.objects.filter(pk=alba.pk).update(email="alba@nuevo.example")
    assert Client().get(link).context["token_fail"]


def test_without_mail_the_page_says_what_to_do(alba):
    page = Client().get(FORGOTTEN)
    assert "tertulia user password" in page.content.decode()
    answer = Client().post(FORGOTTEN, {"email": alba.email})
    assert answer.status_code == 200
    run_jobs()
    assert outbox.outbox == []


# Password change and second step


def test_changing_the_password_ends_other_sessions_only(alba):
    here, elsewhere = sign_in(alba), sign_in(alba)
    new = "otro café con leche"
    here.post("/accounts/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert is_in(here)
    assert not is_in(elsewhere)


def test_adding_an_app_ends_other_sessions_and_asks_for_the_code(alba):
    here, elsewhere = sign_in(alba), sign_in(alba)
    here.post("/accounts/again/", {"password": PASSWORD})
    secret = here.get("/accounts/second-step/app/").context["form"].secret
    here.post("/accounts/second-step/app/", {"code": code_now(secret)})
    assert is_in(here)
    assert not is_in(elsewhere)
    later = sign_in(alba)
    assert not is_in(later)
    answer = later.post("/accounts/second-step/code/", {"code": "000000"})
    assert "code" in answer.context["form"].errors


def test_secret_of_the_app_is_encrypted_in_the_database(alba):
    TOTP.activate(alba, "JBSWY3DPEHPK3PXP")
    stored = Authenticator.objects.get(user=alba).data["secret"]
    assert "JBSWY3DPEHPK3PXP" not in stored


def test_code_of_the_app_works_once(alba):
    totp = TOTP.activate(alba, "JBSWY3DPEHPK3PXP")
    code = code_now("JBSWY3DPEHPK3PXP")
    assert totp.validate_code(code)
    assert not totp.validate_code(code)


def test_recovery_code_works_once(alba):
    TOTP.activate(alba, "JBSWY3DPEHPK3PXP")
    code = RecoveryCodes.activate(alba).get_unused_codes()[0]
    first, second = sign_in(alba), sign_in(alba)
    first.post("/accounts/second-step/code/", {"code": code})
    second.post("/accounts/second-step/code/", {"code": code})
    assert (is_in(first), is_in(second)) == (True, False)


def test_codes_can_not_be_guessed_from_many_addresses(alba):
    TOTP.activate(alba, "JBSWY3DPEHPK3PXP")
    client = sign_in(alba)
    for n in range(10):
        client.post("/accounts/second-step/code/", {"code": "000000"}, headers={"x-forwarded-for": f"203.0.113.{n}"})
    answer = client.post("/accounts/second-step/code/", {"code": code_now("JBSWY3DPEHPK3PXP")})
    assert answer.status_code in (200, 429)
    assert not is_in(client)


def test_second_step_pages_ask_again_who_one_is(alba, client):
    client.force_login(alba)
    answer = client.get("/accounts/second-step/app/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/again/")


def test_sessions_are_listed_and_can_be_ended(alba):
    here, elsewhere = sign_in(alba), sign_in(alba)
    page = here.get("/accounts/sessions/")
    assert page.context["session_count"] == 2
    here.post("/accounts/sessions/")
    assert is_in(here)
    assert not is_in(elsewhere)
    assert UserSession.objects.count() == 1


def test_where_one_is_signed_in_is_told_in_words_and_in_ones_own_time(alba):
    here = sign_in(alba)
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
    UserSession.objects.update(created_at=NOON, user_agent=firefox)
    page = here.get("/accounts/sessions/", headers={"user-agent": firefox}).content.decode()
    assert "Firefox en Linux" in page
    assert "12:00 (Europe/Madrid)" in page


def test_person_is_told_by_mail_of_a_changed_password(alba, with_mail):
    User.objects.update(language="es")
    client = sign_in(alba)
    new = "otro café con leche"
    client.post("/accounts/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new},
                headers={"user-agent": "<script>"})  # fmt: skip
    run_jobs()
    assert [one.to for one in outbox.outbox] == [[alba.email]]
    assert "127.0.0.1" in outbox.outbox[0].body


def fail(email, times=5):
    answers = [Client().post(LOGIN, {"login": email, "password": "no"}) for _ in range(times)]
    run_jobs()
    return answers


def test_repeated_failed_sign_ins_are_told_to_the_person_in_their_language(alba, with_mail):
    User.objects.update(language="es")
    fail(alba.email, 4)
    assert outbox.outbox == []
    fail(alba.email, 1)
    [told] = outbox.outbox
    assert (told.to, told.subject) == ([alba.email], "Alguien intenta entrar como tú")
    assert "han fallado 5 intentos" in told.body
    assert "127.0.0.1" in told.body
    assert "/accounts/password/forgotten/" in told.body


def test_whoever_fails_sees_the_same_for_an_address_nobody_has(alba, with_mail):
    known, unknown = fail(alba.email), fail("nadie@example.com")
    assert [answer.context["form"].errors for answer in known] == [answer.context["form"].errors for answer in unknown]
    assert [one.to for one in outbox.outbox] == [[alba.email]]
    assert Job.objects.filter(task="team.count_failed_sign_in").count() == 10


def test_told_once_an_hour_and_not_for_old_tries(alba, with_mail):
    def try_at(minutes):
        tries.count(
            email=alba.email, address="::1", has_password=False, at=(NOON + timedelta(minutes=minutes)).isoformat()
        )
        run_jobs()
        return len(outbox.outbox)

    assert [try_at(minutes) for minutes in (0, 40, 50, 55, 61, 62)] == [0, 0, 0, 0, 0, 1]
    assert [try_at(minutes) for minutes in (62, 70, 121)] == [1, 1, 1]
    assert try_at(122) == 1
    assert [try_at(minutes) for minutes in (123, 124, 125)] == [1, 2, 2]


def test_failing_at_the_second_step_tells_that_the_password_is_known(alba, with_mail):
    User.objects.update(language="en")
    TOTP.activate(alba, "JBSWY3DPEHPK3PXP")
    client = sign_in(alba)
    for _ in range(5):
        client.post("/accounts/second-step/code/", {"code": "000000"})
    run_jobs()
    assert "had your password right" in outbox.outbox[0].body


# Profile


def test_profile_changes_only_what_it_shows(as_bruno, bruno):
    as_bruno.post(
        "/profile/",
        {
            "name": "Bruno Rey",
            "language": "en",
            "theme": "dark",
            "is_staff": "1",
            "is_superuser": "1",
            "email": "x@y.es",
        },
    )
    bruno.refresh_from_db()
    assert (bruno.name, bruno.language, bruno.theme) == ("Bruno Rey", "en", "dark")
    assert (bruno.is_staff, bruno.is_superuser, bruno.notifies_by_mail) == (False, False, False)
    assert bruno.email == "bruno@horno-candela.example"


def test_appearance_leaves_what_was_not_sent(as_bruno, bruno):
    User.objects.update(language="en", theme="dark")
    answer = as_bruno.post("/profile/appearance/", {"theme": "", "next": "/profile/"})
    bruno.refresh_from_db()
    assert (bruno.language, bruno.theme, answer["Location"]) == ("en", "", "/profile/")


def test_own_language_wins_over_the_browsers(as_bruno, bruno):
    User.objects.update(language="en")
    page = as_bruno.get("/profile/", headers={"accept-language": "es"})
    assert '<html lang="en"' in page.content.decode()


def run_jobs() -> None:
    jobs.run_due(NOON.replace(year=2100))


def ask_for_link(user: User) -> str:
    Client().post(FORGOTTEN, {"email": user.email})
    run_jobs()
    return re.search(r"https?://\S+", outbox.outbox[-1].body)[0]
