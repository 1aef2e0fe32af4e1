"""The settings of a brand."""

from __future__ import annotations

from datetime import date, time

import pytest
from django.test import Client

from conftest import NOON, person
from tertulia.brand import actions
from tertulia.brand.forms import HoursForm
from tertulia.brand.models import Brand, Holiday, OpeningHours
from tertulia.core.models import Activity
from tertulia.team.models import Membership
from tertulia.team.permissions import Role

SETTINGS = "/b/horno-candela/settings/"
BRAND = {
    "name": "Horno Candela", "language": "es", "time_zone": "Atlantic/Canary", "country": "ES", "region": "CN",
    "treatment": "usted", "colour": "#336699", "undo_seconds": "20",
}  # fmt: skip


def week(**hours: str) -> dict[str, str]:
    """The hours form as a browser sends it; `d0_0="09:00-14:00"` is Monday's first place."""
    sent = {f"{edge}_{day}_{place}": "" for edge in ("opens", "closes") for day in range(7) for place in range(2)}
    for place, stretch in hours.items():
        opens, closes = stretch.split("-")
        sent |= {f"opens_{place[1:]}": opens, f"closes_{place[1:]}": closes}
    return sent


def test_manager_changes_the_brand(as_alba, brand):
    as_alba.post(SETTINGS, BRAND)
    brand.refresh_from_db()
    assert (brand.time_zone, brand.region, brand.treatment, brand.undo_seconds) == (
        "Atlantic/Canary",
        "CN",
        "usted",
        20,
    )
    assert Activity.objects.filter(type="brand.changed").count() == 1


def test_address_and_sample_mark_are_not_set_by_the_form(as_alba, brand):
    as_alba.post(SETTINGS, {**BRAND, "slug": "otra", "is_sample": "on", "id": "99"})
    brand.refresh_from_db()
    assert (brand.slug, brand.is_sample) == ("horno-candela", False)


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Mars/Olympus"), ("colour", "red;}"), ("undo_seconds", "999"), ("country", "XX"), ("name", "")],
)
def test_nonsense_is_refused_and_nothing_changes(as_alba, brand, field, value):
    answer = as_alba.post(SETTINGS, {**BRAND, field: value})
    brand.refresh_from_db()
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert brand.time_zone == "Europe/Madrid"
    assert answer.context["brand"].time_zone == "Europe/Madrid"


def test_region_goes_with_spain(as_alba, brand):
    as_alba.post(SETTINGS, {**BRAND, "country": "MX"})
    brand.refresh_from_db()
    assert (brand.country, brand.region) == ("MX", "")


@pytest.mark.parametrize("role", [Role.EXPERT, Role.APPROVER, Role.READER, Role.ADVISER])
def test_others_may_neither_see_nor_change_it(brand, role):
    client = Client()
    client.force_login(person("Somebody", brand, role))
    paths = ["", "hours/", "holidays/", "new-brand/"]
    assert client.get(SETTINGS).status_code == 403
    assert {client.post(SETTINGS + path, BRAND).status_code for path in paths} == {403}


def test_direction_changes_the_brand_but_creates_none(brand):
    client = Client()
    client.force_login(person("Teo", brand, Role.DIRECTOR))
    assert client.get(SETTINGS).status_code == 200
    assert client.get(f"{SETTINGS}new-brand/").status_code == 403


def test_week_of_hours_is_set_whole(as_alba, brand):
    OpeningHours.objects.create(brand=brand, weekday=6, opens=time(8), closes=time(9))
    as_alba.post(f"{SETTINGS}hours/", week(d0_0="09:00-14:00", d0_1="17:00-20:00", d4_1="10:00-13:30"))
    kept = OpeningHours.objects.filter(brand=brand).order_by("weekday", "opens")
    assert [(one.weekday, f"{one.opens:%H:%M}", f"{one.closes:%H:%M}") for one in kept] == [
        (0, "09:00", "14:00"), (0, "17:00", "20:00"), (4, "10:00", "13:30"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "hours",
    [
        {"d0_0": "09:00-"},
        {"d0_0": "-14:00"},
        {"d0_0": "14:00-09:00"},
        {"d0_0": "09:00-09:00"},
        {"d0_0": "09:00-14:00", "d0_1": "13:00-20:00"},
        {"d0_0": "17:00-20:00", "d0_1": "09:00-18:00"},
        {"d0_0": "9 o'clock-14:00"},
    ],
)
def test_impossible_hours_are_refused_and_the_week_stays(as_alba, brand, hours):
    OpeningHours.objects.create(brand=brand, weekday=6, opens=time(8), closes=time(9))
    answer = as_alba.post(f"{SETTINGS}hours/", week(**hours))
    assert answer.status_code == 422
    assert OpeningHours.objects.get(brand=brand).weekday == 6
    assert 'role="alert"' in answer.content.decode()


def test_day_with_three_stretches_has_places_for_them():
    present = [(0, time(8), time(9)), (0, time(10), time(11)), (0, time(12), time(13))]
    assert len(HoursForm(present=present).days[0]["pairs"]) == 3


def test_own_holiday_is_added_once_and_removed(as_alba, brand):
    path = f"{SETTINGS}holidays/"
    as_alba.post(path, {"on": "2027-05-15", "name": "San Isidro"})
    again = as_alba.post(path, {"on": "2027-05-15", "name": "Otra vez"})
    assert (again.status_code, Holiday.objects.get().name) == (422, "San Isidro")
    as_alba.post(f"{path}{Holiday.objects.get().pk}/removal/")
    assert not Holiday.objects.exists()


def test_holiday_of_another_brand_is_not_there(as_alba, other_brand):
    foreign = Holiday.objects.create(brand=other_brand, on=date(2027, 5, 15), name="Feria")
    assert as_alba.post(f"{SETTINGS}holidays/{foreign.pk}/removal/").status_code == 404
    assert Holiday.objects.filter(pk=foreign.pk).exists()


def test_public_holidays_of_the_region_are_shown(as_alba, brand):
    page = as_alba.get(SETTINGS).context["public_holidays"]
    days = {on.isoformat() for _year, holidays in page for on, _name in holidays}
    assert "2026-12-25" in days or "2027-12-25" in days
    assert any(day.endswith("-05-02") for day in days)  # Comunidad de Madrid


def test_manager_of_one_brand_creates_another(as_alba, alba, brand):
    as_alba.post(f"{SETTINGS}new-brand/", {**BRAND, "name": "Café Lisboa"})
    made = Brand.objects.get(slug="cafe-lisboa")
    mine = Membership.objects.get(user=alba, brand=made)
    assert (mine.role, mine.is_fallback) == ("manager", True)
    assert OpeningHours.objects.filter(brand=made).count() == 5


def test_brands_of_one_name_have_addresses_of_their_own(db):
    slugs = {actions.create(name="Ñandú & Cía", at=NOON).slug for _ in range(3)}
    assert len(slugs) == 3
    assert actions.create(name="日本", at=NOON).slug == "marca"


def test_name_with_markup_stays_text(as_alba, brand):
    as_alba.post(SETTINGS, {**BRAND, "name": '"><svg onload=alert(1)>'})
    page = as_alba.get(SETTINGS).content.decode()
    assert "<svg onload" not in page
