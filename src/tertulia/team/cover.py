"""Which opening hours nobody is there for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time

from tertulia.brand.models import Brand, OpeningHours

from .models import Membership, Shift
from .permissions import PERMISSIONS

Stretch = tuple[time, time]


def gaps(brand: Brand) -> list[tuple[int, list[Stretch]]]:
    """By weekday, the stretches of the opening hours that no shift of anybody who answers covers.

    Who has no shift at all is there whenever the brand is open; with one such person there are no gaps.
    """
    answering = Membership.objects.of(brand).filter(role__in=PERMISSIONS["inbox.reply"], user__is_active=True)
    shifts = Shift.objects.filter(membership__in=answering).values_list("membership_id", "weekday", "starts", "ends")
    with_shifts = {member for member, *_ in shifts}
    if answering.exclude(pk__in=with_shifts).exists():
        return []
    found = []
    for weekday in OpeningHours.Weekday.values:
        open_hours = OpeningHours.objects.filter(brand=brand, weekday=weekday).values_list("opens", "closes")
        covered = [(starts, ends) for _, day, starts, ends in shifts if day == weekday]
        left = [gap for stretch in sorted(open_hours) for gap in without(stretch, covered)]
        if left:
            found.append((weekday, left))
    return found


def without(stretch: Stretch, covered: Iterable[Stretch]) -> list[Stretch]:
    """What is left of a stretch once the covered ones are taken out."""
    starts, ends = stretch
    left = []
    for covered_from, covered_to in sorted(covered):
        if covered_to <= starts or covered_from >= ends:
            continue
        if covered_from > starts:
            left.append((starts, covered_from))
        starts = max(starts, covered_to)
    return [*left, (starts, ends)] if starts < ends else left
