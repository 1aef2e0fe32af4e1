"""The register of what the law sets a term for: noted, counted from when it was known, told in time, settled once."""

from datetime import UTC, datetime, timedelta

import pytest

from conftest import NOON, envelope
from tertulia.community import requests
from tertulia.community.models import DataRequest, Member
from tertulia.core import clock
from tertulia.core.models import Activity
from tertulia.flows import inbound, notify, personal
from tertulia.team.models import Notification

pytestmark = pytest.mark.django_db
PAGE = "/b/horno-candela/settings/personal-data/"


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def diego(site) -> Member:
    inbound.intake(site, [envelope()], at=NOON)
    return Member.objects.get()


def noted(brand, by, kind: str = "access", known_at: datetime = NOON) -> DataRequest:
    return requests.note(brand=brand, kind=kind, about="x", known_at=known_at, member=None, by=by, at=NOON)


@pytest.mark.parametrize(
    ("kind", "known_at", "due_at"),
    [
        ("erasure", datetime(2026, 10, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("access", datetime(2026, 1, 31, 9, tzinfo=UTC), datetime(2026, 2, 28, 9, tzinfo=UTC)),
        ("access", datetime(2025, 12, 31, 9, tzinfo=UTC), datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("access", datetime(2026, 2, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 31, 22, 30, tzinfo=UTC)),
        ("breach", datetime(2026, 11, 22, 9, tzinfo=UTC), datetime(2026, 11, 25, 9, tzinfo=UTC)),
    ],
)
def test_the_term_is_a_month_or_72_hours_from_when_it_was_known(brand, alba, kind, known_at, due_at):
    assert noted(brand, alba, kind, known_at).due_at == due_at


def test_who_directs_is_told_once_before_the_term_is_over(brand, alba, bruno):
    soon, breach = noted(brand, alba), noted(brand, alba, "breach")
    told = []
    for hours in (47, 48, 49, 27 * 24 - 1, 27 * 24 + 1, 28 * 24):
        with pytest.MonkeyPatch.context() as later:
            later.setattr(clock, "now", lambda hours=hours: NOON + timedelta(hours=hours))
            personal.warn()
        told.append([*Activity.objects.filter(type="data_request.due").order_by("pk").values_list("on_id", flat=True)])
    assert told == [[], [breach.pk], [breach.pk], [breach.pk], [breach.pk, soon.pk], [breach.pk, soon.pk]]
    notify.tell_now(Activity.objects.filter(type="data_request.due").values_list("pk", flat=True))
    assert {(one.user_id, one.url) for one in Notification.objects.all()} == {(alba.pk, PAGE)}


def test_it_is_noted_on_a_persons_page_and_settled_once_with_what_was_done(as_alba, alba, brand, diego):
    said = {"kind": "erasure", "about": "Quiere que lo borremos", "known_at": "2026-11-20T09:30", "member": diego.pk}
    assert as_alba.post(f"{PAGE}requests/", said).url == f"/b/horno-candela/people/{diego.pk}/data/"
    asked = DataRequest.objects.get(member=diego, known_at=NOON - timedelta(days=3, hours=2, minutes=30))
    for page in (PAGE, f"/b/horno-candela/people/{diego.pk}/data/"):
        assert "Quiere que lo borremos" in as_alba.get(page).content.decode()
    outcome = f"{PAGE}requests/{asked.pk}/outcome/"
    assert as_alba.post(outcome, {"outcome": " "}).status_code == 422
    for words in ("Borrado y contestado", "otra cosa"):
        as_alba.post(outcome, {"outcome": words})
    asked.refresh_from_db()
    assert (asked.outcome, asked.done_at, asked.done_by_id) == ("Borrado y contestado", NOON, alba.pk)
    with pytest.MonkeyPatch.context() as later:
        later.setattr(clock, "now", lambda: NOON + timedelta(days=40))
        personal.warn()
    assert not Activity.objects.filter(type="data_request.due").exists()


def test_what_is_open_stands_first_and_what_is_late_says_so(as_alba, alba, brand):
    done = noted(brand, alba, known_at=NOON - timedelta(days=5))
    requests.settle(request=done, outcome="hecho", by=alba, at=NOON)
    late = noted(brand, alba, known_at=NOON - timedelta(days=32))
    new = noted(brand, alba)
    assert requests.register(brand) == [late, new, done]
    assert as_alba.get(PAGE).content.decode().count("fuera de plazo") == 1


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "access", "about": "", "known_at": "2026-11-20T09:30"},
        {"kind": "else", "about": "x", "known_at": "2026-11-20T09:30"},
        {"kind": "access", "about": "x", "known_at": "2026-11-23T12:01"},
        {"kind": "access", "about": "x", "known_at": "mañana"},
    ],
)
def test_what_makes_no_sense_is_said_on_the_spot(as_alba, said):
    answer = as_alba.post(f"{PAGE}requests/", said)
    assert (answer.status_code, DataRequest.objects.count()) == (422, 0)


def test_another_brands_person_and_register_are_not_there(as_alba, as_bruno, carla, other_brand, brand):
    theirs = noted(other_brand, carla)
    stranger = Member.objects.create(brand=other_brand, name="Eva", first_seen_at=NOON, last_seen_at=NOON)
    said = {"kind": "access", "about": "x", "known_at": "2026-11-20T09:30"}
    assert as_alba.post(f"{PAGE}requests/", {**said, "member": stranger.pk}).status_code == 404
    assert as_alba.post(f"{PAGE}requests/{theirs.pk}/outcome/", {"outcome": "x"}).status_code == 404
    assert as_bruno.post(f"{PAGE}requests/", said).status_code == 403
