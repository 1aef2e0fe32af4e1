"""From the printed link to the open inbox."""

from __future__ import annotations

import pytest
from django.conf import settings

from conftest import NOON, envelope
from tertulia.brand.models import Brand, OpeningHours
from tertulia.channels.models import Account
from tertulia.flows import first_run, inbound, starter
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation, Label, Promise, SavedReply
from tertulia.team.models import Membership, User

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Panadería Ñu & Cía",
    "language": "es",
    "treatment": "usted",
    "time_zone": "Atlantic/Canary",
    "country": "ES",
    "region": "CN",
    "person_name": "Alba Ruiz",
    "email": "Alba@Example.com",
    "password": "un café con leche largo",
}


@pytest.fixture
def link(tmp_path, settings) -> str:
    settings.HOME = tmp_path
    return f"/setup/{first_run.new_link()}/"


def test_the_form_opens_the_desk(client, link):
    answer = client.post(link, FORM)
    assert (answer.status_code, answer["Location"]) == (302, "/b/panaderia-nu-cia/inbox/")
    membership = Membership.objects.select_related("user", "brand").get()

    assert (membership.role, membership.is_fallback, membership.user.email) == ("manager", True, "alba@example.com")
    assert (membership.brand.treatment, membership.brand.time_zone) == ("usted", "Atlantic/Canary")
    assert client.session["_auth_user_id"] == str(membership.user_id)
    assert OpeningHours.objects.count() == 5
    assert list(Account.objects.order_by("id").values_list("kind", flat=True)) == ["site", "phone"]
    assert len(Account.objects.get(kind="site").secrets["signing"]) > 40
    assert (Promise.objects.count(), Label.objects.count(), SavedReply.objects.count()) == (2, 5, 3)
    assert SavedReply.objects.filter(text__contains="le decimos").exists()


def test_the_link_works_once(client, link):
    client.post(link, FORM)
    assert client.get(link).status_code == 404
    assert client.post(link, FORM | {"email": "otra@example.com"}).status_code == 404
    assert User.objects.count() == 1


def test_only_the_newest_link_works(client, link):
    first_run.new_link()
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("token", ["", "x", "a" * 32, "ñ"])
def test_a_guessed_link_does_not_work(client, link, token):
    assert client.post(f"/setup/{token or '-'}/", FORM).status_code == 404
    assert not Brand.objects.exists()


def test_only_a_hash_of_the_link_is_kept(link, tmp_path):
    token = link.split("/")[2]
    assert token not in (tmp_path / "keys" / "setup.hash").read_text()
    assert (tmp_path / "keys" / "setup.hash").stat().st_mode & 0o777 == 0o600


def test_a_link_is_dead_as_soon_as_there_is_a_brand(client, link, brand):
    assert client.get(link).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("email", "alba"),
        ("password", "corta"),
        ("password", "alba@example.com"),
        ("time_zone", "Marte/X"),
    ],
)
def test_what_is_missing_is_asked_for_again_and_the_link_lives(client, link, field, value):
    assert client.post(link, FORM | {field: value}).status_code == 422
    assert not Brand.objects.exists()
    assert client.post(link, FORM).status_code == 302


def test_an_accident_half_way_leaves_nothing_and_the_link_lives(client, link, monkeypatch):
    def fail(**_options):
        raise RuntimeError("boom")

    with monkeypatch.context() as patched:
        patched.setattr(starter, "furnish", fail)
        with pytest.raises(RuntimeError):
            client.post(link, FORM)
    assert (Brand.objects.count(), User.objects.count()) == (0, 0)
    assert client.post(link, FORM).status_code == 302


def test_the_sample_company_stands_beside_the_own_one(client, link):
    answer = client.post(link, FORM | {"wants_sample": "on"})

    assert answer["Location"] == "/b/horno-candela/inbox/"
    assert list(Brand.objects.order_by("id").values_list("slug", "is_sample")) == [
        ("panaderia-nu-cia", False),
        ("horno-candela", True),
    ]
    assert Membership.objects.filter(user__email="alba@example.com").count() == 2


def test_the_page_speaks_the_browsers_language(client, link):
    assert '<html lang="en"' in client.get(link, headers={"accept-language": "en-GB"}).content.decode()
    assert '<html lang="es"' in client.get(link, headers={"accept-language": "es-AR"}).content.decode()


def test_a_second_brand_of_the_same_name_gets_another_short_name(alba):
    slugs = [first_run.add_brand(user=alba, at=NOON, name=name).brand.slug for name in ("Café", "Cafe", "CAFÉ", "!")]
    assert slugs == ["cafe", "cafe-2", "cafe-3", "marca"]


def test_the_bare_address_leads_where_one_belongs(client, db):
    assert "tertulia setup" in client.get("/").content.decode()
    brand = Brand.objects.create(name="X", slug="x", created_at=NOON)
    assert client.get("/")["Location"] == "/accounts/login/"
    user = User.objects.create_user("a@example.com", "x", name="A")
    client.force_login(user)
    assert client.get("/").status_code == 403
    Membership.objects.create(user=user, brand=brand, role="reader", created_at=NOON)
    assert client.get("/")["Location"] == "/b/x/inbox/"
    assert settings.LOGIN_REDIRECT_URL == "/"


@pytest.fixture
def sample(alba, other_brand) -> Account:
    """The page of a sample company that Alba has beside her own."""
    Brand.objects.filter(pk=other_brand.pk).update(is_sample=True)
    Membership.objects.create(user=alba, brand=other_brand, role="manager", created_at=NOON)
    return Account.objects.create(
        brand=other_brand, kind="site", name="Web", created_at=NOON, secrets={"signing": "a" * 43}
    )


def test_one_lands_in_the_sample_until_somebody_has_written(as_alba, site, sample):
    assert as_alba.get("/")["Location"] == "/b/ferreteria-ruiz/inbox/"
    inbound.intake(site, [envelope()], at=NOON)
    assert as_alba.get("/")["Location"] == "/b/horno-candela/inbox/"


def test_one_lands_in_the_brand_last_worked_in(as_alba, alba, site, sample):
    for account in (site, sample):
        inbound.intake(account, [envelope()], at=NOON)
    conversation = Conversation.objects.get(account=sample)
    actions.look(conversation=conversation, user=alba, is_typing=False, at=NOON)
    assert as_alba.get("/")["Location"] == "/b/ferreteria-ruiz/inbox/"
    Membership.objects.filter(user=alba, brand=sample.brand).delete()
    assert as_alba.get("/")["Location"] == "/b/horno-candela/inbox/"


@pytest.mark.parametrize(("asked", "offered"), [("en-GB", "en"), ("es-MX", "es"), ("de", "es")])
def test_the_desk_is_offered_in_the_language_of_the_page(client, link, asked, offered):
    shown = client.get(link, headers={"accept-language": asked})
    assert f'<html lang="{offered}"' in shown.content.decode()
    assert shown.context["form"]["language"].value() == offered
    assert "---" not in shown.content.decode()
