"""What came of an experiment: the figure of each turn at one age, and what that says.

A verdict is one of five. A or B only where chance makes as great a difference in at most one of twenty experiments
*and* it is as great as was said to matter; "same" only where all the interval lies nearer to none than that; "usual"
where the one post that tried something new lies among those before it; else "few", with about how many more it takes.
Exactly as many pairs are compared as were said before: the first that can be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from django.db.models import Q

from tertulia.channels import reactions as facts
from tertulia.channels.models import Delivery, RemotePost

from . import comparing, dealing, sameness
from .models import Click, Experiment, Letter, Link, Part, Sending, Subscriber, Turn, Version
from .reactions import USUAL_OF

LEAST_USUAL: Final = 19
"""Of so many earlier posts and this one, chance puts this one first in one case of twenty."""
A, B, SAME, USUAL, FEW = "a", "b", "same", "usual", "few"


@dataclass(frozen=True, slots=True)
class Point:
    """A post that counts, or why it doesn't: "ahead" isn't out, "waits" is too young, "gone" was deleted, "changed"
    says something else, "unread" has no figure of that age. Of what is usual `number` counts backwards."""

    number: int
    arm: str
    post: int | None
    value: int | None
    why: str = ""
    out_at: str = ""
    """ISO 8601."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pairs` of `wanted` were compared; `sums` are those of A and B, or the median of what is usual and the one post.
    Of something new, `low` and `high` bound nothing, `pairs` are earlier posts and `better` those it leaves behind."""

    outcome: str
    pairs: int
    wanted: int
    ratio: float | None = None
    low: float = 0.0
    high: float | None = None
    chance: float = 1.0
    more: int = 0
    sums: Sequence[float] = (0, 0)
    sizes: Sequence[int] = ()
    """Of a newsletter: to how many each wording went; `pairs` are then those who did something, with either."""
    is_early: bool = False
    """It was closed before all of it was in."""
    became: str = ""
    """The format that it really had, where that is another one."""
    points: Sequence[Point] = field(default=())

    @property
    def is_told(self) -> bool:
        return self.pairs >= self.wanted

    def plain(self) -> dict[str, Any]:
        """For the database."""
        return asdict(self)


def from_plain(plain: Mapping[str, Any]) -> Verdict:
    return Verdict(**{**plain, "points": [Point(**one) for one in plain["points"]]})


def of(experiment: Experiment, *, at: datetime) -> Verdict:
    """As it stands; of a closed one as it stood."""
    if experiment.closed_at:
        return from_plain(experiment.result)
    if experiment.kind == Experiment.Kind.FORMAT:
        return _of_something_new(experiment, at=at)
    if experiment.kind == Experiment.Kind.LETTER:
        return _of_a_newsletter(experiment, at=at)
    return judge(points(experiment, at=at), wanted=experiment.pairs, matters=experiment.matters / 100)


def closing(experiment: Experiment, *, at: datetime) -> Verdict:
    """As it is kept for good."""
    found = of(experiment, at=at)
    is_one = experiment.kind != Experiment.Kind.WORDING
    return replace(found, is_early=found.points[0].why in {"ahead", "waits"} if is_one else not found.is_told)


# Two wordings.


def judge(points: Sequence[Point], *, wanted: int, matters: float) -> Verdict:
    """`matters`: so much more, as a share, is worth knowing of."""
    pairs = _pairs(points)[:wanted]
    found = comparing.compare(pairs)
    outcome = _outcome(found, matters) if len(pairs) >= wanted else FEW
    more = comparing.more_needed(found, len(pairs), wanted=wanted, matters=matters) if outcome == FEW else 0
    return Verdict(
        outcome, len(pairs), wanted, found.ratio, found.low, found.high, found.chance, more,
        sums=(sum(a for a, _b in pairs), sum(b for _a, b in pairs)), points=points,
    )  # fmt: skip


def _pairs(points: Sequence[Point]) -> list[tuple[int, int]]:
    """Those of which both turns count, in the order they were dealt."""
    values: dict[int, dict[str, int]] = defaultdict(dict)
    for one in points:
        if one.value is not None and not one.why:
            values[one.number // 2][one.arm] = one.value
    return [(both[A], both[B]) for _number, both in sorted(values.items()) if len(both) == 2]


def _outcome(found: comparing.Compared, matters: float) -> str:
    much = 1 + matters
    if found.chance <= comparing.SURE:
        if found.ratio is None or found.ratio >= much:
            return B
        if found.ratio <= 1 / much:
            return A
    is_near = found.high is not None and 1 / much < found.low and found.high < much
    return SAME if is_near else FEW


def points(experiment: Experiment, *, at: datetime) -> list[Point]:
    """Every turn that was dealt. What an account adds in a text of its own is no turn, and isn't counted."""
    turns = list(experiment.turns.select_related("post").order_by("number"))
    ids = [turn.post_id for turn in turns]
    parts = Part.objects.filter(post__in=ids)
    said = dict(parts.filter(version__isnull=True, number=0).values_list("post", "text"))
    own = set(parts.filter(version__isnull=False).values_list("version", flat=True))
    remotes: dict[int, list[RemotePost | None]] = defaultdict(list)
    out = {sending.version_id: sending.remote for sending in _first(version__post__in=ids)}
    for version, post in Version.objects.filter(post__in=ids).exclude(pk__in=own).values_list("pk", "post"):
        remotes[post].append(out.get(version))
    counted = figures([one for some in remotes.values() for one in some if one], experiment.measure, _age(experiment))
    return [
        _point(experiment, turn, remotes[turn.post_id], counted, said.get(turn.post_id, ""), at=at) for turn in turns
    ]


def _first(**which: Any) -> Iterable[Sending]:
    return Sending.objects.filter(number=0, **which).select_related("remote")


def _age(experiment: Experiment) -> timedelta:
    return timedelta(hours=experiment.hours)


def _point(
    experiment: Experiment, turn: Turn, remotes: Sequence[RemotePost | None], counted: Mapping[int, int | None],
    said: str, *, at: datetime,
) -> Point:  # fmt: skip
    """A turn counts once it is out on all of its accounts and old enough on each."""
    point = Point(turn.number, turn.arm, turn.post_id, None)
    out = [one for one in remotes if one and one.published_at]
    if said != experiment.text_of(turn.arm):
        return replace(point, why="changed")
    if not out or len(out) < len(remotes):
        return replace(point, why="ahead")
    last = max(one.published_at for one in out if one.published_at)
    point, age = replace(point, out_at=last.isoformat()), _age(experiment)
    if any(one.deleted_at for one in out):
        return replace(point, why="gone")
    values = [value for one in out if (value := counted.get(one.pk)) is not None]
    if at < last + age:
        return replace(point, why="waits")
    if len(values) < len(out):
        return replace(point, why="waits" if at <= last + age * facts.LATEST else "unread")
    return replace(point, value=sum(values))


# A newsletter.


def _of_a_newsletter(experiment: Experiment, *, at: datetime) -> Verdict:
    """By who got which wording; counted until the last mail is as old as was said, which is the same for both."""
    post, wanted = experiment.post_id, experiment.pairs
    sending = next(iter(_first(version__post=post, version__account=experiment.account_id)), None)
    seed = sending.remote.draft.get("b", {}).get("seed") if sending else None
    if sending is None or sending.remote.published_at is None or seed is None:
        return Verdict(FEW, 0, wanted, points=[Point(n, arm, post, None, "ahead") for n, arm in enumerate((A, B))])
    letters = Letter.objects.filter(post=sending.remote, is_welcome=False, subscriber__isnull=False)
    sent = letters.filter(delivery__state=Delivery.State.SENT, released_at__isnull=False)
    names = ("subscriber__token", "released_at", "subscriber__state", "subscriber__ended_at")
    rows: list[tuple[str, datetime, str, datetime | None]] = list(sent.values_list(*names))
    groups = [str(dealing.group_of(seed, token)) for token, *_rest in rows]
    is_leaving = letters.filter(delivery__state__in=_ON_ITS_WAY).exists() or not rows
    out_at, age = sending.remote.published_at, _age(experiment)
    until = max((released for _token, released, _state, _ended in rows), default=out_at) + age
    if experiment.measure == Experiment.Measure.LEAVES:
        left = [
            arm for arm, (_token, released, state, ended) in zip(groups, rows, strict=True)
            if state == Subscriber.State.LEFT and ended and released <= ended <= released + age
        ]  # fmt: skip
        done = [left.count(arm) for arm in (A, B)]
    else:
        done = [_readers(sending.version_id, "" if arm == A else arm, until) for arm in (A, B)]
    sizes = [groups.count(arm) for arm in (A, B)]
    why = "waits" if is_leaving or at < until else ""
    points = [Point(n, arm, post, done[n], why, out_at.isoformat()) for n, arm in enumerate((A, B))]
    found = comparing.rates(done[0], sizes[0], done[1], sizes[1])
    verdict = Verdict(
        FEW, sum(done), wanted, found.ratio, found.low, found.high, found.chance, sums=done, sizes=sizes, points=points
    )  # fmt: skip
    if why:
        return verdict
    matters = experiment.matters / 100
    outcome = _outcome(found, matters) if verdict.is_told else FEW
    if experiment.measure == Experiment.Measure.LEAVES:  # the fewer, the better
        outcome = {A: B, B: A}.get(outcome, outcome)
    more = comparing.more_needed(found, sum(done), wanted=wanted, matters=matters) if outcome == FEW else 0
    return replace(verdict, outcome=outcome, more=more)


_ON_ITS_WAY = (Delivery.State.WAITING, Delivery.State.QUEUED, Delivery.State.SENDING)


def _readers(version: int, arm: str, until: datetime) -> int:
    """Who followed a link of one wording, once a day each."""
    clicks = Click.objects.filter(link__version=version, link__arm=arm, is_robot=False, at__lte=until)
    return clicks.values("on", "visitor").distinct().count()


# Something new.


def _of_something_new(experiment: Experiment, *, at: datetime) -> Verdict:
    """How it did beside the account's posts before it: with n of them, chance puts it behind at most k of them in
    (1 + k) of n + 1 cases."""
    sending = next(iter(_first(version__post=experiment.post_id, version__account=experiment.account_id)), None)
    point = Point(0, B, experiment.post_id, None, "ahead")
    if sending is None or sending.remote.published_at is None:
        return Verdict(FEW, 0, LEAST_USUAL, points=[point])
    remote, age = sending.remote, _age(experiment)
    out_at = sending.remote.published_at
    earlier = facts.published(remote.account, before=out_at, most=USUAL_OF * 2)
    counted = figures([remote, *earlier], experiment.measure, age)
    told = [one for one in earlier if counted[one.pk] is not None][:USUAL_OF]
    usual = [value for one in told if (value := counted[one.pk]) is not None]
    value, why = counted[remote.pk], "gone" if remote.deleted_at else ""
    if not why and (value is None or at < out_at + age):
        why = "waits" if at <= out_at + age * facts.LATEST else "unread"
    became = sameness.format_of(sending.version_id, experiment.post_id)
    points = [Point(0, B, experiment.post_id, None if why else value, why, out_at.isoformat())]
    points += [Point(-n, A, None, v) for n, v in enumerate(usual, 1)]
    found = Verdict(FEW, len(usual), LEAST_USUAL, more=max(LEAST_USUAL - len(usual), 0), points=points,
                    became="" if became == experiment.format else became)  # fmt: skip
    if why or value is None or not usual:
        return found
    as_good, middle = sum(one >= value for one in usual), median(usual)
    found = replace(
        found, chance=(1 + as_good) / (len(usual) + 1), ratio=value / middle if middle else None, sums=(middle, value)
    )  # fmt: skip
    if found.became or not found.is_told:
        return found
    is_much = found.ratio is None or found.ratio >= 1 + experiment.matters / 100
    return replace(found, outcome=B if found.chance <= comparing.SURE and is_much else USUAL)


# What the desk knows.


def figures(remotes: Sequence[RemotePost], measure: str, age: timedelta) -> dict[int, int | None]:
    """By what stands there, its figure at that age; None where nobody counted it."""
    if measure == Experiment.Measure.CLICKS:
        return _people(remotes, age)
    courses = facts.courses(remotes)
    return {one.pk: courses[one.pk].at_age(measure, age) if one.pk in courses else None for one in remotes}


def _people(remotes: Sequence[RemotePost], age: timedelta) -> dict[int, int | None]:
    """Who followed a link of each within that time, once a day each and without robots; None for one without links."""
    out = {one.pk: one.published_at for one in remotes if one.published_at}
    versions = dict(Sending.objects.filter(remote__in=out, number=0).values_list("version__pk", "remote__pk"))
    links = dict(Link.objects.filter(version__in=versions).values_list("pk", "version"))
    found: dict[int, int | None] = dict.fromkeys((one.pk for one in remotes), None)
    people: dict[int, set[tuple[Any, str]]] = {versions[version]: set() for version in links.values()}
    clicks = Click.objects.filter(Q(is_robot=False), link__in=links)
    for link, moment, on, visitor in clicks.values_list("link", "at", "on", "visitor"):
        remote = versions[links[link]]
        if out[remote] <= moment <= out[remote] + age:
            people[remote].add((on, visitor))
    return found | {remote: len(some) for remote, some in people.items()}
