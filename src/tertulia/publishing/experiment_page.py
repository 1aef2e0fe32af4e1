"""An experiment as its page draws it: each post a point, the interval beside what matters, and the verdict in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.template.defaultfilters import floatformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.core import dates

from . import sameness, verdicts
from .models import Experiment, Post
from .reactions import number
from .verdicts import FEW, SAME, USUAL, A, B, Point, Verdict

WIDTH: Final = 600
EDGE: Final = 12
Kind = Experiment.Kind
MOST_TIMES: Final = 8.0
"""How many times more the axis of the interval shows, in both directions."""


@dataclass(frozen=True, slots=True)
class Dot:
    x: int
    says: str
    is_used: bool
    """It is one of those that were compared."""


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    dots: Sequence[Dot]
    mean: int | None
    """Where it is drawn."""
    says: str


@dataclass(frozen=True, slots=True)
class Whisker:
    """The interval on an axis of times: each end where it is drawn, `wide` from `from_` on what doesn't matter."""

    low: int
    high: int
    middle: int
    none: int
    from_: int
    wide: int
    says: str


def page(experiment: Experiment, *, at: datetime) -> dict[str, Any]:
    found = verdicts.of(experiment, at=at)
    is_new, is_wording = experiment.kind == Kind.FORMAT, experiment.kind == Kind.WORDING
    there = set(Post.objects.filter(pk__in=[one.post for one in found.points if one.post]).values_list("pk", flat=True))
    return {
        "verdict": found, "headline": headline(found, experiment), "says": says(found, experiment),
        "tone": tone(found), "rows": _groups(found) if found.sizes else _rows(found, is_new=is_new),
        "whisker": _whisker(found, experiment) if not is_new and found.is_told and not found.is_early else None,
        "turns": [_turn(one, one.post in there) for one in found.points if is_wording and one.why != "ahead"],
        "ahead": 0 if experiment.closed_at else sum(one.why == "ahead" for one in found.points),
        "progress": _progress(found, experiment),
    }  # fmt: skip


# In words.


def tone(found: Verdict) -> str:
    return {A: "good", B: "good", FEW: "soon"}.get(found.outcome, "")


def headline(found: Verdict, experiment: Experiment) -> str:
    """The outcome in some words."""
    is_short = experiment.kind == Kind.WORDING and not found.is_told
    if found.outcome == FEW and not experiment.closed_at and (is_short or _is_waiting(found, experiment)):
        return _("It is running")
    if experiment.kind == Kind.FORMAT and found.outcome == B:
        return _("It did better than usual")
    return {
        A: _("A wins"), B: _("B wins"), SAME: _("No difference that matters"), USUAL: _("As usual"),
        FEW: _("It can't be told: too few"),
    }[found.outcome]  # fmt: skip


def _is_waiting(found: Verdict, experiment: Experiment) -> bool:
    return experiment.kind != Kind.WORDING and found.points[0].why in {"ahead", "waits"}


def says(found: Verdict, experiment: Experiment) -> list[str]:
    """What the verdict rests on, a sentence each."""
    if experiment.kind == Kind.FORMAT:
        return _says_new(found, experiment)
    if experiment.kind == Kind.LETTER:
        return _says_of_a_newsletter(found, experiment)
    if not found.is_told and not experiment.closed_at:
        return []
    said = [_("{n} pairs were compared: {a} in all with A, {b} with B.").format(
        n=found.pairs, a=number(found.sums[0]), b=number(found.sums[1])
    )] if found.pairs else []  # fmt: skip
    if found.is_early:
        said.append(
            _("It was closed early: {n} of {wanted} pairs were in. No winner is named before all are.").format(
                n=found.pairs, wanted=found.wanted
            )
        )
    if found.pairs and (between := _between(found)):
        said.append(between)
    return [*said, *_ends(found, experiment)]


def _ends(found: Verdict, experiment: Experiment) -> list[str]:
    """What every comparison of wordings ends with."""
    said = []
    if found.is_told and (found.sums[0] or found.sums[1]):
        said.append(
            _("Chance alone makes a difference as great as this in {percent} of such experiments.").format(
                percent=_percent(found.chance)
            )
        )
    if found.outcome == FEW and found.more and experiment.kind == Kind.LETTER:
        said.append(
            ngettext(
                "About {n} person more would have to do it to tell a difference of {matters} % from none.",
                "About {n} people more would have to do it to tell a difference of {matters} % from none.",
                found.more,
            ).format(n=number(found.more), matters=experiment.matters)
        )
    elif found.outcome == FEW and found.more:
        said.append(
            ngettext(
                "About {n} pair more would be needed to tell a difference of {matters} % from none.",
                "About {n} pairs more would be needed to tell a difference of {matters} % from none.",
                found.more,
            ).format(n=number(found.more), matters=experiment.matters)
        )
    if found.outcome in (A, B):
        said.append(_("As you expected.") if found.outcome == experiment.expects else _("Not what you expected."))
    return said


def _says_of_a_newsletter(found: Verdict, experiment: Experiment) -> list[str]:
    if not found.sizes:
        return [_("It was closed before it was out.")] if found.is_early else []
    (a, b), (of_a, of_b) = found.sums, found.sizes
    said = [
        _("With A {a} of {of_a} did it, with B {b} of {of_b}.").format(
            a=number(a), of_a=number(of_a), b=number(b), of_b=number(of_b)
        )
    ]
    if found.points[0].why and not experiment.closed_at:
        return said
    if found.is_early:
        said.append(_("It was closed early, before all mails were old enough. No winner is named before."))
        return said
    if between := _between(found):
        said.append(between)
    return [*said, *_ends(found, experiment)]


def _between(found: Verdict) -> str:
    if found.ratio is None:
        return _("With A there was nothing at all.") if found.sums[1] else ""
    if found.high is None:
        return _("B made {times} times what A made (95 % interval: from {low} times on).").format(
            times=_times(found.ratio), low=_times(found.low)
        )
    return _("B made {times} times what A made (95 % interval: {low} to {high} times).").format(
        times=_times(found.ratio), low=_times(found.low), high=_times(found.high)
    )


def _says_new(found: Verdict, experiment: Experiment) -> list[str]:
    mine, said = found.points[0], []
    if found.is_early:
        said.append(_("It was closed early: its figure wasn't in yet."))
    if found.became:
        formats = sameness.formats()
        said.append(
            _("It became something else than was said ({format}), so nothing of that can be told.").format(
                format=formats.get(found.became, found.became)
            )
        )
    if mine.value is not None and found.pairs:
        said.append(
            ngettext(
                "It has {value}; the {n} earlier post has {median}.",
                "It has {value}; half of the {n} earlier posts have {median} or more.",
                found.pairs,
            ).format(value=number(mine.value), n=found.pairs, median=number(found.sums[0]))
        )
        if found.is_told:
            said.append(
                _("If it were like any other, it would stand as high in {percent} of cases.").format(
                    percent=_percent(found.chance)
                )
            )
    if found.outcome == FEW and found.more and not found.became:
        said.append(
            ngettext(
                "{n} earlier post more with a figure of that age would be needed.",
                "{n} earlier posts more with a figure of that age would be needed.",
                found.more,
            ).format(n=found.more)
        )
    if found.outcome in (B, USUAL):
        said.append(_("It is one post: try it again before you make it a habit."))
    return said


def _progress(found: Verdict, experiment: Experiment) -> str:
    if experiment.closed_at:
        return ""
    if experiment.kind != Kind.WORDING:
        return why(found.points[0]) if found.points[0].why else ""
    if found.is_told:
        return _("All pairs are in. Close it with what was learned.")
    return _(
        "{n} of {wanted} pairs are in. The verdict comes when all are: who stops when it looks best finds a winner by "
        "chance."
    ).format(n=found.pairs, wanted=found.wanted)


def why(point: Point) -> str:
    """Why a post isn't counted."""
    return {
        "ahead": _("not out yet"), "waits": _("too young to be counted"), "gone": _("deleted again"),
        "changed": _("says something else"), "unread": _("nobody counted it at that age"),
    }[point.why]  # fmt: skip


def _turn(point: Point, is_there: bool) -> dict[str, Any]:
    return {
        "pair": point.number // 2 + 1, "arm": point.arm.upper(), "post": point.post if is_there else None,
        "value": "–" if point.value is None else number(point.value), "why": why(point) if point.why else "",
        "out_at": datetime.fromisoformat(point.out_at) if point.out_at else None,
    }  # fmt: skip


def _times(value: float) -> str:
    return str(floatformat(value, 2))


def _percent(share: float) -> str:
    return _("{n} %").format(n=floatformat(100 * share, 0 if share >= 0.1 else 1))


# In a drawing.


def _groups(found: Verdict) -> list[Row]:
    """Of a newsletter: the share of each half, on one axis from nought to the greater."""
    shares = [done / size if size else 0.0 for done, size in zip(found.sums, found.sizes, strict=True)]
    return [
        Row(
            name,
            [Dot(_along(share, max(shares)), _percent(share), is_used=True)],
            None,
            _("{a} of {of_a} ({percent})").format(a=number(done), of_a=number(size), percent=_percent(share)),
        )
        for name, share, done, size in zip("AB", shares, found.sums, found.sizes, strict=True)
    ]


def _rows(found: Verdict, *, is_new: bool) -> list[Row]:
    """A line of points for each wording, on one axis from nought to the greatest."""
    counted = [one for one in found.points if one.value is not None and not one.why]
    most = max((one.value or 0 for one in counted), default=0)
    names = {A: _("Usual"), B: _("This one")} if is_new else {A: "A", B: "B"}
    both = set.intersection(*({one.number // 2 for one in counted if one.arm == arm} for arm in names))
    used = set(sorted(both)[: found.wanted])
    rows = []
    for arm, name in names.items():
        mine = [one for one in counted if one.arm == arm]
        values = [one.value or 0 for one in mine if is_new or one.number // 2 in used]
        mean = sum(values) / len(values) if values else None
        rows.append(
            Row(
                name,
                [
                    Dot(_along(one.value or 0, most), number(one.value or 0), is_new or one.number // 2 in used)
                    for one in mine
                ],
                _along(mean, most) if mean is not None and not (is_new and arm == B) else None,
                _said_of(mean, is_mean=len(mine) > 1),
            )
        )
    return rows if counted else []


def _said_of(mean: float | None, *, is_mean: bool) -> str:
    if mean is None:
        return _("nothing yet")
    return _("{n} on the average").format(n=floatformat(mean, 1)) if is_mean else number(mean)


def _along(value: float, most: float) -> int:
    return round(EDGE + (WIDTH - 2 * EDGE) * value / most) if most else EDGE


def _whisker(found: Verdict, experiment: Experiment) -> Whisker | None:
    if found.ratio is None:
        return None
    much = 1 + experiment.matters / 100
    low, high = found.low, MOST_TIMES if found.high is None else found.high
    return Whisker(
        low=_log(low), high=_log(high), middle=_log(found.ratio), none=_log(1), from_=_log(1 / much),
        wide=_log(much) - _log(1 / much), says=_between(found),
    )  # fmt: skip


def _log(times: float) -> int:
    """An eighth at the left end, eight times at the right one, once in the middle."""
    bounded = min(max(times, 1 / MOST_TIMES), MOST_TIMES)
    return round(WIDTH / 2 + (WIDTH / 2 - EDGE) * math.log(bounded) / math.log(MOST_TIMES))


def listed(some: Sequence[Experiment], *, at: datetime) -> list[dict[str, Any]]:
    """Lines of the list, those that run first."""
    lines = []
    for one in some:
        found = verdicts.of(one, at=at)
        lines.append(
            {"one": one, "headline": headline(found, one), "tone": tone(found) if one.closed_at else "",
             "progress": _progress(found, one)}
        )  # fmt: skip
    return sorted(lines, key=lambda line: line["one"].closed_at is not None)


def format_label(experiment: Experiment) -> str:
    return sameness.formats().get(experiment.format, experiment.format)


def after(experiment: Experiment) -> str:
    return dates.span(experiment.hours * 60)
