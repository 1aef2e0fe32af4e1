"""Dates in both languages."""

from datetime import date

import pytest
from django.utils import formats, translation

from tertulia.core import dates

FIFTH = date(2026, 12, 5)


@pytest.mark.parametrize(
    ("language", "whole", "short"),
    [("en", "5 December 2026", "5 Dec 2026"), ("es", "5 de diciembre de 2026", "05/12/2026")],
)
def test_nobody_takes_a_day_for_a_month(language, whole, short):
    with translation.override(language):
        assert (formats.date_format(FIFTH), formats.date_format(FIFTH, "SHORT_DATE_FORMAT")) == (whole, short)


@pytest.mark.parametrize(("language", "day", "weekday"), [("en", "3 Nov", "Mon"), ("es", "3 nov.", "lun")])
def test_days_and_months_begin_with_a_capital_in_english_alone(language, day, weekday):
    with translation.override(language):
        assert dates.calendar_day(date(2026, 11, 3), today=FIFTH) == day
        assert dates.short_day(date(2026, 11, 30), today=FIFTH) == weekday
