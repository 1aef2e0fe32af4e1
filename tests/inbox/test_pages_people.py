"""The people of a brand, and two records that turn out to be one person."""

import pytest

from conftest import NOON, envelope
from tertulia.community import queries
from tertulia.community.models import Joining, Member
from tertulia.connectors.contract import Author
from tertulia.flows import inbound
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db
PEOPLE = "/b/horno-candela/people/"


@pytest.fixture
def diego(site) -> Member:
    author = Author("diego", name="Diego Ruiz", email="diego@example.org", phone="612345678")
    inbound.intake(site, [envelope("Hola", author=author)], at=NOON)
    return Member.objects.get()


@pytest.mark.parametrize(
    "words", ["Ángela", "angela", "ÁNGELA", "@la_ange", "LA_ANGE", "ange@tienda.example", "did:plc:7x"]
)
def test_people_are_found_by_what_they_are_called_anywhere(as_alba, brand, site, diego, words):
    author = Author("did:plc:7x", name="Ángela Núñez", handle="la_ange", email="ange@tienda.example")
    inbound.intake(site, [envelope("¿Abrís?", remote_id="m2", thread="7x", author=author)], at=NOON)
    Member.objects.filter(name="Ángela Núñez").update(email="otra@correo.example")
    assert [member.name for member in queries.people(brand, q=words).members] == ["Ángela Núñez"]


@pytest.mark.parametrize("name", ["がくや", "กินดี", "हिन्दी", "שָׁלוֹם", "Ньютон Йод"])
def test_other_writings_are_found_as_they_are_written(brand, name):
    Member.objects.create(brand=brand, name=name, first_seen_at=NOON, last_seen_at=NOON)
    assert [member.name for member in queries.people(brand, q=name).members] == [name]


def test_what_one_brand_calls_somebody_finds_nobody_of_another(other_brand, diego):
    Member.objects.create(brand=other_brand, name="Eva", first_seen_at=NOON, last_seen_at=NOON)
    assert queries.people(other_brand, q="diego").members == []


@pytest.fixture
def same(phone, diego) -> Member:
    author = Author("call", name="Diego R.", phone="612345678")
    inbound.intake(phone, [envelope("Llamó", remote_id="c1", thread="call", author=author, kind="call")], at=NOON)
    return Member.objects.exclude(pk=diego.pk).get()


def shown(client, address):
    return client.get(address).content.decode()


@pytest.mark.parametrize(
    ("words", "found"), [("", True), ("ruiz", True), ("diego@", True), ("345 678", True), ("Eva", False)]
)
def test_people_are_found_by_name_address_and_number(as_alba, diego, words, found):
    assert ("Diego Ruiz" in shown(as_alba, f"{PEOPLE}?q={words}")) is found


@pytest.mark.parametrize("after", ["x", "-", "9" * 40, "1-1"])
def test_an_odd_cursor_is_no_harm(as_alba, diego, after):
    assert as_alba.get(f"{PEOPLE}?after={after}").status_code == 200


def test_a_persons_page_holds_every_channel(as_alba, diego, same):
    html = shown(as_alba, f"{PEOPLE}{diego.pk}/")
    assert "diego@example.org" in html
    assert "Diego R." in html  # perhaps the same person: same number


def test_details_are_changed(as_alba, diego):
    address = f"{PEOPLE}{diego.pk}/details/"
    assert as_alba.post(address, {"name": " Diego  Ruiz Gil ", "email": "x"}).status_code == 422
    as_alba.post(address, {"name": " Diego  Ruiz Gil ", "email": "", "phone": "", "language": "es", "about": "Celíaco"})
    diego.refresh_from_db()
    assert (diego.name, diego.email, diego.about) == ("Diego Ruiz Gil", "", "Celíaco")


def test_joined_people_share_everything_and_come_apart_again(as_alba, diego, same):
    as_alba.post(f"{PEOPLE}{diego.pk}/joining/", {"other": same.pk})
    assert set(Conversation.objects.values_list("member", flat=True)) == {diego.pk}
    assert not Member.objects.filter(pk=same.pk).exists()
    as_alba.post(f"/b/horno-candela/joinings/{Joining.objects.get().pk}/removal/")
    assert Conversation.objects.get(channel="phone").member.name == "Diego R."
    assert Conversation.objects.get(channel="site").member == diego
    assert Joining.objects.get().undone_at is not None


def test_nobody_is_joined_to_themselves_or_to_another_brands_people(as_alba, diego, other_brand):
    stranger = Member.objects.create(brand=other_brand, name="Eva", first_seen_at=NOON, last_seen_at=NOON)
    as_alba.post(f"{PEOPLE}{diego.pk}/joining/", {"other": diego.pk})
    assert as_alba.post(f"{PEOPLE}{diego.pk}/joining/", {"other": stranger.pk}).status_code == 404
    assert not Joining.objects.exists()
    assert Member.objects.count() == 2
