"""Figures that somebody types in, and what is never said of a day without one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import translation

from conftest import NOON
from tertulia.channels import figures
from tertulia.channels.models import Account, Metric
from tertulia.core import clock

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def tiktok(brand) -> Account:
    return Account.objects.create(brand=brand, kind="manual", name="TikTok", settings={}, created_at=NOON)


def keep(account, ago, **values):
    figures.keep(account=account, on=TODAY - timedelta(days=ago), values=values, at=NOON)


def typed(client, account, **said):
    return client.post(f"/b/horno-candela/channels/{account.pk}/figures/", {"on": "2026-11-23", **said})


def test_the_later_figure_of_a_day_stands(tiktok):
    keep(tiktok, 0, followers=1200)
    keep(tiktok, 0, followers=1204)
    assert Metric.objects.get().value == 1204


def test_the_line_goes_from_day_to_day_and_is_broken_where_nothing_is_known(tiktok):
    for ago, value in ((4, 100), (3, 110), (0, 90)):
        keep(tiktok, ago, followers=value)
    [chart] = figures.charts(tiktok, today=TODAY)
    assert [(dot.x, dot.y) for dot in chart.dots] == [("8.0", "60.0"), ("154.0", "8.0"), ("592.0", "112.0")]
    assert (chart.runs, chart.gaps) == ("M8.0 60.0L154.0 8.0", "M154.0 8.0L592.0 112.0")
    assert (chart.latest, chart.change, chart.lowest, chart.highest) == ("90", "-20", "90", "110")


def test_one_figure_alone_or_always_the_same_is_no_division_by_zero(tiktok):
    keep(tiktok, 0, reach=0)
    [chart] = figures.charts(tiktok, today=TODAY)
    assert (chart.latest, chart.change, chart.runs, chart.dots[0].y) == ("0", "", "", "60.0")


def test_a_day_without_a_figure_has_none_in_the_table(tiktok):
    keep(tiktok, 2, followers=100, reach=0)
    keep(tiktok, 0, followers=110)
    with translation.override("en"):
        headings, rows = figures.table(tiktok, today=TODAY)
    assert headings == ["Followers", "Reach"]
    said = [(on, [value for _name, value in values]) for on, values in rows]
    assert said == [(date(2026, 11, 23), ["110", ""]), (date(2026, 11, 21), ["100", "0"])]


def test_the_form_keeps_what_was_typed_and_nothing_of_what_was_not(as_alba, tiktok, alba):
    answer = typed(as_alba, tiktok, figure_0="1204", figure_1="", other_name=" Alumnos  del taller ", other_value="0")
    assert answer.headers["Location"] == f"/b/horno-candela/channels/{tiktok.pk}/"
    kept = {(row.name, row.value, row.on, row.by_id) for row in Metric.objects.all()}
    assert kept == {("followers", 1204, TODAY, alba.pk), ("Alumnos del taller", 0, TODAY, alba.pk)}
    page = as_alba.get(answer.headers["Location"], headers={"accept-language": "es"}).content.decode()
    assert "1\xa0204" in page
    assert 'name="figure_4"' in page  # its own figure has a field of its own now


def test_a_figure_under_its_own_name_is_the_same_figure(as_alba, tiktok):
    as_alba.post(
        f"/b/horno-candela/channels/{tiktok.pk}/figures/",
        {"on": "2026-11-22", "other_name": "seguidores", "other_value": "5"},
        headers={"accept-language": "es"},
    )
    assert Metric.objects.get().name == "followers"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "__all__"),
        ({"on": "2026-11-24", "figure_0": "1"}, "on"),
        ({"on": "", "figure_0": "1"}, "on"),
        ({"figure_0": "-1"}, "figure_0"),
        ({"figure_0": "9" * 30}, "figure_0"),
        ({"other_name": "Alumnos"}, "other_value"),
        ({"other_value": "3"}, "other_name"),
        ({"other_name": "Alumnos", "other_value": "x"}, "other_value"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_kept(as_alba, tiktok, said, field):
    answer = typed(as_alba, tiktok, **said)
    assert answer.status_code == 422
    assert set(answer.context["figures_form"].errors) == {field}
    assert Metric.objects.count() == 0


def test_only_platforms_by_hand_are_measured_by_hand(as_alba, site):
    assert typed(as_alba, site, figure_0="1").status_code == 404
    assert b"figure_0" not in as_alba.get(f"/b/horno-candela/channels/{site.pk}/").content


def test_another_brands_profile_is_none_of_ours(as_carla, tiktok):
    assert as_carla.post(f"/b/ferreteria-ruiz/channels/{tiktok.pk}/figures/", {"figure_0": "1"}).status_code == 404
    assert Metric.objects.count() == 0
