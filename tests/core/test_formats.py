"""Dates in both languages."""

from datetime import date

import pytest
from django.utils import formats, translation

FIFTH = date(2026, 12, 5)


@pytest.mark.parametrize(
    ("language", "whole", "short"),
    [("en", "5 December 2026", "5 Dec 2026"), ("es", "5 de diciembre de 2026", "05/12/2026")],
)
def test_nobody_takes_a_day_for_a_month(language, whole, short):
    with translation.override(language):
        assert (formats.date_format(FIFTH), formats.date_format(FIFTH, "SHORT_DATE_FORMAT")) == (whole, short)
