"""The clock of opening hours: fixed cases at the changes of the clock, holidays by region, and its laws."""

from __future__ import annotations

import os
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import NOON
from tertulia.brand import hours, zones
from tertulia.brand.hours import Hours
from tertulia.brand.models import Brand, Holiday, OpeningHours

MADRID, CANARY, SANTIAGO = "Europe/Madrid", "Atlantic/Canary", "America/Santiago"
OFFICE = [(day, time(9), time(14)) for day in range(5)] + [(day, time(16), time(19)) for day in range(5)]
ALL_DAY = [(day, time(0), time(23, 59)) for day in range(7)]
HOUR = timedelta(hours=1)
TIMES = int(os.environ.get("TERTULIA_TEST_TIMES", "500"))
"""So many random times go into a random zone and back."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_zones_come_from_the_pinned_package_and_not_from_the_machine():
    assert zoneinfo.TZPATH == ()
    assert ZoneInfo("America/Asuncion").utcoffset(datetime(2027, 7, 1)) == timedelta(hours=-3)
    assert ZoneInfo("Africa/Casablanca").utcoffset(datetime(2027, 7, 1)) == timedelta(0)


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        (MADRID, "2027-03-28T01:59", "2027-03-28T00:59"),
        (MADRID, "2027-03-28T02:00", "2027-03-28T01:00"),
        (MADRID, "2027-03-28T02:30", "2027-03-28T01:00"),
        (MADRID, "2027-03-28T03:00", "2027-03-28T01:00"),
        (MADRID, "2027-10-31T02:30", "2027-10-31T00:30"),
        (MADRID, "2027-10-31T03:00", "2027-10-31T02:00"),
        (CANARY, "2027-03-28T01:30", "2027-03-28T01:00"),
        (CANARY, "2027-10-31T01:30", "2027-10-31T00:30"),
        (SANTIAGO, "2027-04-03T23:30", "2027-04-04T02:30"),
        (SANTIAGO, "2027-04-04T00:00", "2027-04-04T04:00"),
        (SANTIAGO, "2027-09-05T00:00", "2027-09-05T04:00"),
        (SANTIAGO, "2027-09-05T00:30", "2027-09-05T04:00"),
        ("Pacific/Easter", "2027-09-04T22:30", "2027-09-05T04:00"),
        ("America/Havana", "2026-03-08T00:30", "2026-03-08T05:00"),
        ("America/Havana", "2027-03-14T00:30", "2027-03-14T04:30"),
        ("America/New_York", "2027-03-14T02:30", "2027-03-14T07:00"),
        ("America/New_York", "2027-11-07T01:30", "2027-11-07T05:30"),
        ("America/Mexico_City", "2027-04-04T02:30", "2027-04-04T08:30"),
        ("America/Asuncion", "2027-03-28T00:30", "2027-03-28T03:30"),
        ("America/Bogota", "2027-03-28T02:30", "2027-03-28T07:30"),
        ("America/Argentina/Buenos_Aires", "2027-10-03T00:30", "2027-10-03T03:30"),
        ("Africa/Casablanca", "2026-03-22T02:30", "2026-03-22T02:00"),
        ("Africa/Casablanca", "2027-03-14T02:30", "2027-03-14T02:30"),
        ("Australia/Lord_Howe", "2027-10-03T02:15", "2027-10-02T15:30"),
    ],
)
def test_a_time_on_the_wall_is_one_moment(zone, wall, expected):
    assert zones.moment(datetime.fromisoformat(wall), ZoneInfo(zone)) == utc(expected)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        (MADRID, "2027-03-28", 23),
        (MADRID, "2027-10-31", 25),
        (CANARY, "2027-03-28", 23),
        (CANARY, "2027-10-31", 25),
        (SANTIAGO, "2027-09-05", 23),
        (SANTIAGO, "2027-04-03", 25),
        ("America/Asuncion", "2027-03-28", 24),
        ("Australia/Lord_Howe", "2027-10-03", 23.5),
    ],
)
def test_a_day_is_as_long_as_it_really_is(zone, day, length):
    start = zones.moment(datetime.fromisoformat(day), ZoneInfo(zone))
    end = zones.moment(datetime.fromisoformat(day) + timedelta(days=1), ZoneInfo(zone))

    assert Hours(zone, ALL_DAY).between(start, end) == length * HOUR


def test_hours_keep_to_the_wall_across_a_change():
    hours = Hours(MADRID, [(day, time(9), time(10)) for day in range(7)])

    assert hours.next_opening(utc("2027-03-27T12:00")) == utc("2027-03-28T07:00")
    assert hours.next_opening(utc("2027-03-26T12:00")) == utc("2027-03-27T08:00")


def test_an_opening_inside_the_skipped_hour_begins_after_it():
    hours = Hours(MADRID, [(6, time(2, 30), time(4))])

    assert hours.next_opening(utc("2027-03-27T12:00")) == utc("2027-03-28T01:00")
    assert not Hours(MADRID, [(6, time(2, 10), time(2, 50))]).is_open(utc("2027-03-28T01:00"))


def test_an_evening_that_the_clock_repeats_stays_in_order():
    hours = Hours(SANTIAGO, ALL_DAY)

    assert hours.add(utc("2027-04-04T02:30"), HOUR) == utc("2027-04-04T03:30")
    assert hours.is_open(utc("2027-04-04T03:30"))


def test_open_from_the_first_minute_until_closing_time():
    hours = Hours(MADRID, OFFICE)
    minutes = ("07:59", "08:00", "12:59", "13:00", "15:00", "18:00")

    assert [hours.is_open(utc(f"2026-11-23T{at}")) for at in minutes] == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]


def test_what_is_promised_on_friday_evening_is_due_on_monday():
    assert Hours(MADRID, OFFICE).add(utc("2026-11-20T17:30"), HOUR) == utc("2026-11-23T08:30")


def test_a_promise_that_ends_with_the_day_is_due_at_closing_time():
    assert Hours(MADRID, OFFICE).add(utc("2026-11-20T17:00"), HOUR) == utc("2026-11-20T18:00")


def test_no_hours_at_all_means_always_open():
    hours = Hours(MADRID, [], lambda day: True)

    assert hours.is_open(utc("2026-12-25T03:00"))
    assert hours.add(utc("2026-12-25T03:00"), HOUR) == utc("2026-12-25T04:00")
    assert hours.next_opening(utc("2026-12-25T03:00")) == utc("2026-12-25T03:00")


def test_a_brand_that_never_opens_gets_an_end_all_the_same():
    hours = Hours(MADRID, OFFICE, lambda day: True)

    assert hours.next_opening(NOON) is None
    assert hours.add(NOON, HOUR) == NOON + timedelta(days=3660)


def test_overlapping_stretches_count_once():
    hours = Hours(MADRID, [(0, time(9), time(12)), (0, time(10), time(11)), (0, time(11, 30), time(14))])

    assert hours.between(utc("2026-11-23T00:00"), utc("2026-11-24T00:00")) == 5 * HOUR


def test_time_runs_backwards_for_nobody():
    assert Hours(MADRID, OFFICE).between(NOON + HOUR, NOON) == timedelta(0)


@pytest.mark.parametrize(
    ("region", "day", "name"),
    [
        ("MD", date(2026, 5, 2), "Comunidad de Madrid"),
        ("CT", date(2026, 9, 11), "Cataluña"),
        ("CT", date(2026, 12, 26), "San Esteban"),
        ("AN", date(2028, 2, 28), "Andalucía"),
        ("CN", date(2028, 5, 30), "Canarias"),
        ("VC", date(2028, 10, 9), "Comunidad Valenciana"),
        ("GA", date(2028, 7, 25), ""),
        ("PV", date(2027, 3, 29), ""),
    ],
)
def test_regional_holidays(brand, region, day, name):
    brand.region = region

    assert name in hours.holidays(brand, day.year).get(day, "—")
    assert day not in hours.holidays(Brand(country="ES", region="", pk=brand.pk), day.year)


def test_holidays_carry_the_name_of_the_readers_language(brand):
    with translation.override("es"):
        assert hours.holidays(brand, 2026)[date(2026, 1, 1)] == "Año Nuevo"
    with translation.override("en"):
        assert hours.holidays(brand, 2026)[date(2026, 1, 1)] == "New Year's Day"


def test_the_brands_own_closed_days_are_holidays_too(brand):
    Holiday.objects.create(brand=brand, on=date(2026, 11, 9), name="Almudena")

    assert hours.holidays(brand, 2026)[date(2026, 11, 9)] == "Almudena"


def test_a_holiday_closes_the_brand(brand, django_assert_num_queries):
    for weekday, opens, closes in OFFICE:
        OpeningHours.objects.create(brand=brand, weekday=weekday, opens=opens, closes=closes)
    Holiday.objects.create(brand=brand, on=date(2026, 12, 9), name="Inventario")

    with django_assert_num_queries(2):
        clock = hours.of(brand)
        assert clock.add(utc("2026-12-04T17:30"), HOUR) == utc("2026-12-10T08:30")


def test_the_doors_by_brand_agree_with_the_clock(brand):
    OpeningHours.objects.create(brand=brand, weekday=0, opens=time(9), closes=time(14))

    assert hours.is_open(brand, NOON)
    assert hours.next_opening(brand, NOON - 5 * HOUR) == utc("2026-11-23T08:00")


moments = st.integers(1_767_225_600, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
amounts = st.integers(0, 20 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
stretches = st.tuples(st.integers(0, 6), st.times(), st.times()).filter(lambda each: each[1] < each[2])
clocks = st.builds(
    lambda zone, week, closed: Hours(zone, week, lambda day: day.toordinal() % 9 in closed),
    st.sampled_from([MADRID, CANARY, SANTIAGO, "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.lists(stretches, max_size=10),
    st.sets(st.integers(0, 8), max_size=3),
)


@given(clocks, moments, moments, moments)
@settings(max_examples=150, deadline=None)
def test_open_time_adds_up(clock, a, b, c):
    a, b, c = sorted([a, b, c])

    assert clock.between(a, b) + clock.between(b, c) == clock.between(a, c)
    assert clock.between(a, c) <= c - a


@given(clocks, moments, amounts)
@settings(max_examples=150, deadline=None)
def test_adding_and_measuring_are_each_others_inverse(clock, start, amount):
    end = clock.add(start, amount)

    assert end >= start
    if clock.next_opening(start) is not None and end - start < hours.HORIZON:
        assert clock.between(start, end) == amount


@given(clocks, moments, moments, amounts, amounts)
@settings(max_examples=150, deadline=None)
def test_later_starts_and_longer_amounts_never_end_sooner(clock, a, b, few, more):
    a, b = sorted([a, b])
    few, more = sorted([few, more])

    assert clock.add(a, few) <= clock.add(b, few)
    assert clock.add(a, few) <= clock.add(a, more)


@given(clocks, moments)
@settings(max_examples=150, deadline=None)
def test_it_is_open_exactly_when_the_next_opening_is_now(clock, at):
    assert clock.is_open(at) == (clock.next_opening(at) == at)


walls = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31))


@given(walls, st.sampled_from(sorted(zoneinfo.available_timezones())))
@settings(max_examples=TIMES, deadline=None)
def test_every_wall_time_is_one_moment_and_reads_the_same_again(wall, zone):
    wall = wall.replace(second=0, microsecond=0)
    again = zones.moment(wall, ZoneInfo(zone)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    assert again == wall or timedelta(0) < again - wall <= timedelta(days=1)
