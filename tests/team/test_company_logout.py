"""What the company's sign-in says besides who somebody is: how they proved it, and that they left there.

Its tokens are signed with real keys; https://openid.net/specs/openid-connect-backchannel-1_0.html is what they follow.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

import jwt
import pytest
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.test import Client
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from test_company_sign_in import COMPANY, come_back, is_in, provider  # noqa: F401
from test_entrance import code_now, sign_in
from test_guarded_entrance import SEED, of_sign_ins, told  # noqa: F401

from tertulia.team import company

LOGOUT = f"{COMPANY}logout/"
KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
STRANGERS = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def public(key, kid: str, maker=RSAAlgorithm, **more) -> dict[str, object]:
    return {**json.loads(maker.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


@pytest.fixture
def idp(provider, alba):  # noqa: F811
    """The provider with its key, at which Alba is somebody."""
    company._providers.clear()
    provider.keys = [public(KEY, "one", alg="RS256")]
    provider.person = {"sub": "7", "email": alba.email, "email_verified": True}
    provider.jti = 0
    yield provider
    company._providers.clear()


def signed(claims: dict[str, object], key=KEY, algorithm="RS256", **header) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "one", **header})


def enter(idp, client: Client | None = None, **claims) -> Client:
    """Sign in at the company, with what it says of it."""
    now = int(time.time())
    idp.id_token = signed({"iss": idp.url, "aud": "desk", "iat": now, "exp": now + 300, "sub": "7", **claims})
    client = client or Client()
    client.page = come_back(client)
    return client


def claims_of(idp, **other) -> dict[str, object]:
    idp.jti += 1
    now = int(time.time())
    said = {
        "iss": idp.url, "aud": "desk", "iat": now, "exp": now + 120, "jti": f"{idp.jti}", "sub": "7",
        "events": {company.EVENT: {}}, **other,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def leave(token: str, **more):
    return Client(enforce_csrf_checks=True).post(LOGOUT, {"logout_token": token, **more})


# Leaving there


def test_only_the_session_that_is_named_ends(idp):
    one, other = enter(idp, sid="a"), enter(idp, sid="b")
    answer = leave(signed(claims_of(idp, sid="a"), typ="logout+jwt"), more="ignored")
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (200, b"", "no-store")
    assert (is_in(one), is_in(other)) == (False, True)


def test_a_name_alone_is_enough(idp):
    one, other = enter(idp, sid="a"), enter(idp, sid="b")
    assert leave(signed(claims_of(idp, sid="a", sub=None))).status_code == 200
    assert (is_in(one), is_in(other)) == (False, True)


def test_without_a_name_all_of_that_person_end_that_began_there(idp, alba):
    there, too, by_password = enter(idp, sid="a"), enter(idp), sign_in(alba)
    assert leave(signed(claims_of(idp))).status_code == 200
    assert [is_in(one) for one in (there, too, by_password)] == [False, False, True]


def test_a_session_that_began_without_a_name_ends_with_any_of_that_person(idp):
    unnamed = enter(idp)
    leave(signed(claims_of(idp, sid="a")))
    assert not is_in(unnamed)


def test_nobody_elses_session_ends(idp, bruno):
    hers = enter(idp, sid="a")
    idp.person = {"sub": "8", "email": bruno.email, "email_verified": True}
    his = enter(idp, sub="8", sid="b")
    for said in ({"sub": "8", "sid": "a"}, {"sub": "9"}, {"sub": None, "sid": "c"}):
        assert leave(signed(claims_of(idp, **said))).status_code == 200
    assert (is_in(hers), is_in(his)) == (True, True)


def test_it_is_logged_who_was_signed_out_and_what_was_not_believed(idp, alba, told):  # noqa: F811
    enter(idp, sid="a")
    leave(signed(claims_of(idp, sid="a")))
    leave("x.y.z")
    said, refused = of_sign_ins(told)[-2:]
    assert refused[1:] == ("provider oidc", "127.0.0.1")
    assert said == ("Signed out by the company's sign-in (sessions: 1)", f"user {alba.pk}", "127.0.0.1")
    assert refused[0].startswith("Nobody signed out by the company's sign-in: ")


@pytest.mark.parametrize(
    ("key", "algorithm", "maker"),
    [(KEY, "PS256", RSAAlgorithm), (CURVE, "ES256", ECAlgorithm), (EDWARDS, "EdDSA", OKPAlgorithm)],
)
def test_every_kind_of_signature_of_the_list_is_read(idp, key, algorithm, maker):
    idp.keys = [public(KEY, "old"), public(key, "one", maker)]
    client = enter(idp, sid="a")
    assert leave(signed(claims_of(idp, sid="a"), key, algorithm)).status_code == 200
    assert not is_in(client)


WRONG: dict[str, Callable[..., str]] = {
    "no token": lambda idp: "",
    "not a token": lambda idp: "a.b",
    "far too long": lambda idp: signed(claims_of(idp, more="x" * company.LONGEST_TOKEN)),
    "of a strangers key": lambda idp: signed(claims_of(idp), STRANGERS),
    "of a key nobody knows": lambda idp: signed(claims_of(idp), STRANGERS, kid="two"),
    "unsigned": lambda idp: jwt.encode(claims_of(idp), None, algorithm="none", headers={"kid": "one"}),
    "by the secret": lambda idp: signed(claims_of(idp), "s" * 32, "HS256"),
    "by another kind of signature than the key's": lambda idp: signed(claims_of(idp), KEY, "RS512"),
    "changed": lambda idp: ".".join([*signed(claims_of(idp)).split(".")[:2], signed(claims_of(idp)).split(".")[2]]),
    "of another kind": lambda idp: signed(claims_of(idp), typ="at+jwt"),
    "of another issuer": lambda idp: signed(claims_of(idp, iss="https://other.example")),
    "without an issuer": lambda idp: signed(claims_of(idp, iss=None)),
    "for another": lambda idp: signed(claims_of(idp, aud="other")),
    "for another too": lambda idp: signed(claims_of(idp, aud=["desk", "other"])),
    "for nobody": lambda idp: signed(claims_of(idp, aud=None)),
    "over": lambda idp: signed(claims_of(idp, exp=int(time.time()) - company.LEEWAY - 5)),
    "without an end": lambda idp: signed(claims_of(idp, exp=None)),
    "of tomorrow": lambda idp: signed(claims_of(idp, iat=int(time.time()) + 86_400, exp=int(time.time()) + 90_000)),
    "of yesterday, with a late end": lambda idp: signed(claims_of(idp, iat=int(time.time()) - 86_400)),
    "without a beginning": lambda idp: signed(claims_of(idp, iat=None)),
    "without an id": lambda idp: signed(claims_of(idp, jti=None)),
    "without an event": lambda idp: signed(claims_of(idp, events=None)),
    "of another event": lambda idp: signed(claims_of(idp, events={"http://schemas.example/other": {}})),
    "with a list of events": lambda idp: signed(claims_of(idp, events=[company.EVENT])),
    "with an event that is a word": lambda idp: signed(claims_of(idp, events={company.EVENT: "yes"})),
    "with a nonce": lambda idp: signed(claims_of(idp, nonce="n")),
    "of nobody": lambda idp: signed(claims_of(idp, sub=None)),
    "of an empty name": lambda idp: signed(claims_of(idp, sid="")),
    "of a name that is a list": lambda idp: signed(claims_of(idp, sid=["a"])),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_a_token_ends_nothing(idp, wrong):
    client = enter(idp, sid="a")
    answer = leave(WRONG[wrong](idp))
    assert (answer.status_code, answer.json()["error"], answer["Cache-Control"]) == (400, "invalid_request", "no-store")
    assert is_in(client)
    assert leave(signed(claims_of(idp))).status_code == 200  # and the right one still does
    assert not is_in(client)


def test_a_token_is_carried_out_once(idp):
    token = signed(claims_of(idp))
    assert leave(token).status_code == 200
    client = enter(idp, iat=int(time.time()) + 5)
    assert is_in(client)
    assert leave(token).status_code == 400
    assert is_in(client)


def test_a_token_that_could_not_be_carried_out_may_come_again(idp, monkeypatch):
    client, token = enter(idp), signed(claims_of(idp))
    with monkeypatch.context() as broken:
        broken.setattr(UserSession, "end", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            leave(token)
    assert is_in(client)
    assert leave(token).status_code == 200
    assert not is_in(client)


def test_new_keys_are_fetched_but_not_for_every_token_that_names_one(idp, monkeypatch):
    leave(signed(claims_of(idp)))
    for kid in "abc":
        leave(signed(claims_of(idp), STRANGERS, kid=kid))
    assert idp.asked.count("/jwks") == 1
    now = time.monotonic() + company.PATIENCE
    monkeypatch.setattr("tertulia.team.company.time.monotonic", lambda: now)
    idp.keys = [public(CURVE, "new", ECAlgorithm)]
    assert leave(signed(claims_of(idp), CURVE, "ES256", kid="new")).status_code == 200
    assert idp.asked.count("/jwks") == 2


def test_while_the_keys_cannot_be_fetched_nothing_ends(idp, settings):
    client, token = enter(idp), signed(claims_of(idp))
    idp.keys = 5
    assert leave(token).json()["error_description"] == "the keys of the provider could not be fetched"
    assert is_in(client)


def test_only_a_post_for_a_provider_of_ours(idp, settings):
    assert Client().get(LOGOUT).status_code == 405
    assert Client().post("/accounts/company/other/logout/", {"logout_token": "x"}).status_code == 404
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert Client().post(LOGOUT, {"logout_token": "x"}).status_code == 404


@pytest.mark.parametrize("said", [{"sid": "a"}, {}])
def test_who_left_there_before_the_second_step_here_does_not_come_in(idp, alba, said):
    TOTP.activate(alba, SEED)
    client = enter(idp, **said)
    leave(signed(claims_of(idp, **said)))
    answer = client.post("/accounts/second-step/code/", {"code": code_now(SEED)})
    assert answer.status_code == 403
    assert not is_in(client)


# How they proved it


def test_how_it_was_proved_stands_in_the_log_and_in_the_session(idp, alba, told):  # noqa: F811
    client = enter(idp, acr="gold", amr=["pwd", "otp"], auth_time=1_700_000_000, sid="a")
    assert of_sign_ins(told)[-1][0] == (
        "Signed in (socialaccount; acr gold, amr pwd otp, auth_time 2023-11-14T22:13:20+00:00)"
    )
    assert company.kept(client.session)["amr"] == ["pwd", "otp"]


@pytest.mark.parametrize("odd", [{"acr": 7, "amr": "otp", "auth_time": "x"}, {"amr": [1, None], "auth_time": True}])
def test_odd_values_count_as_not_said(idp, odd, told):  # noqa: F811
    assert is_in(enter(idp, **odd))
    assert of_sign_ins(told)[-1][0] == "Signed in (socialaccount; not said how)"


def test_what_is_about_somebody_else_opens_nothing(idp):
    client = enter(idp, sub="8", acr="gold")
    assert not is_in(client)
    assert client.page.status_code == 401


WEAK = [{}, {"acr": "bronze", "amr": ["pwd"]}, {"acr": "gold,silver"}, {"acr": ["gold"], "amr": "otp"}]


@pytest.mark.parametrize("said", WEAK)
@pytest.mark.parametrize("demanded", [{"OIDC_ACR": ["gold", "silver"]}, {"OIDC_AMR": ["otp", "hwk"]}])
def test_who_proved_it_too_weakly_is_told_and_does_not_come_in(idp, settings, said, demanded, told):  # noqa: F811
    for name, value in demanded.items():
        setattr(settings, name, value)
    client = enter(idp, **said)
    assert not is_in(client)
    assert client.page.status_code == 403
    assert "socialaccount/too_weak.html" in [each.name for each in client.page.templates]
    assert not SocialAccount.objects.exists()
    assert of_sign_ins(told)[-1][:2] == (
        f"Not signed in: too weakly at the company ({company.in_words({**NOT_SAID, **readable(said)})})",
        idp.person["email"],
    )


NOT_SAID = {"acr": "", "amr": [], "auth_time": 0}


def readable(said: dict[str, object]) -> dict[str, object]:
    kinds = {"acr": str, "amr": list}
    return {name: value for name, value in said.items() if isinstance(value, kinds[name])}


def test_one_of_each_is_enough(idp, settings):
    settings.OIDC_ACR, settings.OIDC_AMR = ["gold", "silver"], ["otp", "hwk"]
    assert is_in(enter(idp, acr="silver", amr=["pwd", "hwk"]))
    assert not is_in(enter(idp, acr="silver", amr=["pwd"]))


def test_what_is_demanded_is_asked_for():
    code = "from django.conf import settings; print(settings.SOCIALACCOUNT_PROVIDERS)"
    said = {"TERTULIA_OIDC_URL": "https://id.example", "TERTULIA_OIDC_ACR": "gold, silver"}
    names = {**os.environ, "DJANGO_SETTINGS_MODULE": "tertulia.project.settings", **said}
    done = subprocess.run([sys.executable, "-c", code], env=names, capture_output=True, text=True, check=True)
    assert "'auth_params': {'acr_values': 'gold silver'}" in done.stdout


def test_it_goes_along_on_the_way_there(idp, settings):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["auth_params"] = {"acr_values": "gold"}
    assert "acr_values=gold" in Client().post(COMPANY).context["url"]
