"""What people may type, where the clock makes it odd."""

from datetime import UTC, datetime

import pytest

from tertulia.brand.models import Brand
from tertulia.inbox.forms import SnoozeForm


def read(until: str) -> datetime | None:
    form = SnoozeForm({"until": until}, brand=Brand(time_zone="Europe/Madrid"))
    return form.cleaned_data["until"] if form.is_valid() else None


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-11-24T09:00", datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
        ("2026-11-24T09:00-05:00", datetime(2026, 11, 24, 14, 0, tzinfo=UTC)),
        ("2027-03-28T02:30", datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        ("2027-10-31T02:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_time_on_the_wall_is_one_moment_even_when_the_clock_changes(typed, moment):
    assert read(typed) == moment


@pytest.mark.parametrize("typed", ["", "mañana", "2026-02-30T09:00", "9999-12-31T23:59-05:00"])
def test_what_is_no_moment_is_said(typed):
    assert read(typed) is None
