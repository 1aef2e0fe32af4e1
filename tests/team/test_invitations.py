"""Invitations: one link, one person, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core import mail as outbox
from django.test import Client

from conftest import NOON, PASSWORD, person
from tertulia.core import jobs
from tertulia.team import actions
from tertulia.team.models import Invitation, Membership, User
from tertulia.team.permissions import Role

INVITE = "/b/horno-candela/team/invitations/"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def make_link(client: Client, email: str = "ines@horno-candela.example", role: str = "expert") -> str:
    url = client.post(INVITE, {"email": email, "role": role}).context["invited"].url
    return "/" + url.split("/", 3)[3]


NEW = {"name": "Inés Sanz", "password": PASSWORD}


def test_new_person_comes_in_by_the_link(as_alba):
    link = make_link(as_alba)
    client = Client()
    answer = client.post(link, NEW)
    assert answer.status_code == 302
    assert client.get("/b/horno-candela/team/").status_code == 200
    user = User.objects.get(email="ines@horno-candela.example")
    assert (user.name, user.memberships.get().role, user.is_staff) == ("Inés Sanz", "expert", False)


def test_link_is_kept_as_a_hash_only(as_alba):
    token = make_link(as_alba).split("/")[2]
    stored = Invitation.objects.get()
    assert token not in (stored.token_hash, str(vars(stored)))
    assert len(token) >= 43


def test_link_works_once(as_alba):
    link = make_link(as_alba)
    Client().post(link, NEW)
    again = Client().post(link, {**NEW, "name": "Otra"})
    assert again.status_code == 404
    assert User.objects.filter(email="ines@horno-candela.example").count() == 1


def test_link_of_a_week_ago_is_over(as_alba):
    link = make_link(as_alba)
    with time_machine.travel(NOON + timedelta(days=7)):
        assert Client().get(link).status_code == 404
        assert Client().post(link, NEW).status_code == 404
    assert not User.objects.filter(email="ines@horno-candela.example").exists()


@pytest.mark.parametrize("token", ["%20", "x", "a" * 43, "null", "0"])
def test_made_up_tokens_open_nothing(as_alba, token):
    make_link(as_alba)
    assert Client().get(f"/invitation/{token}/").status_code == 404


def test_withdrawn_link_is_over(as_alba):
    link = make_link(as_alba)
    as_alba.post(f"{INVITE}{Invitation.objects.get().pk}/removal/")
    assert Client().post(link, NEW).status_code == 404


def test_second_invitation_of_an_address_ends_the_first(as_alba):
    first, second = make_link(as_alba), make_link(as_alba)
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200


def test_role_of_the_link_is_not_raised_by_who_comes(as_alba):
    Client().post(make_link(as_alba, role="reader"), {**NEW, "role": "manager", "is_staff": "1", "email": "x@y.es"})
    user = User.objects.get(email="ines@horno-candela.example")
    assert (user.memberships.get().role, user.is_staff) == ("reader", False)


def test_made_up_role_is_refused(as_alba):
    answer = as_alba.post(INVITE, {"email": "x@example.com", "role": "owner"})
    assert "role" in answer.context["form"].errors
    assert not Invitation.objects.exists()


def test_nobody_invites_to_more_than_they_are(brand, alba):
    director = person("Teo", brand, Role.DIRECTOR)
    mine = Membership.objects.get(user=director)
    with pytest.raises(actions.MayNot):
        actions.invite(brand=brand, email="x@example.com", role="manager", by=mine, at=NOON)


def test_weak_password_is_refused_and_the_link_still_works(as_alba):
    link = make_link(as_alba)
    answer = Client().post(link, {**NEW, "password": "12345678"})
    assert "password" in answer.context["form"].errors
    assert Client().post(link, NEW).status_code == 302


def test_one_of_the_desk_joins_with_their_account(as_alba, carla, as_carla, brand):
    link = make_link(as_alba, email=carla.email)
    assert as_carla.get(link).status_code == 200
    as_carla.post(link)
    assert Membership.objects.get(user=carla, brand=brand).role == "expert"


def test_somebody_with_an_account_must_sign_in_first(as_alba, carla):
    link = make_link(as_alba, email=carla.email)
    client = Client()
    answer = client.post(link, NEW)
    assert answer["Location"] == f"/accounts/login/?next={link}"
    client.post(answer["Location"], {"login": carla.email, "password": PASSWORD, "next": link})
    assert client.post(link).status_code == 302


def test_link_is_of_no_use_to_somebody_else(as_alba, carla, as_carla, brand):
    link = make_link(as_alba)
    assert as_carla.post(link).status_code == 403
    assert not Membership.objects.filter(user=carla, brand=brand).exists()
    assert Client().get(link).status_code == 200


def test_invitation_of_one_brand_can_not_be_withdrawn_from_another(as_alba, as_carla):
    link = make_link(as_alba)
    mine = Invitation.objects.get().pk
    assert as_carla.post(f"/b/ferreteria-ruiz/team/invitations/{mine}/removal/").status_code == 404
    assert Client().get(link).status_code == 200


def test_one_of_the_team_is_not_invited_again(as_alba, bruno):
    answer = as_alba.post(INVITE, {"email": bruno.email.upper(), "role": "manager"})
    assert "email" in answer.context["form"].errors


def test_link_is_mailed_in_the_brands_language_when_there_is_mail(as_alba, settings):
    settings.EMAIL_HOST, settings.PUBLIC_URL = "smtp.example", "https://mesa.example"
    as_alba.post(INVITE, {"email": "ines@example.com", "role": "expert"})
    jobs.run_due(NOON + timedelta(days=1))
    assert outbox.outbox[0].to == ["ines@example.com"]
    assert "https://mesa.example/invitation/" in outbox.outbox[0].body
