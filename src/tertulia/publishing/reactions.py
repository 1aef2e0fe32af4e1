"""What became of a post once it was out: its figures against the account's own usual, and what people said under it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from django.db.models import Q
from django.template.defaultfilters import floatformat
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.brand.models import Brand
from tertulia.channels import reactions as facts
from tertulia.channels.models import POSTING, Account, AccountWatch, Delivery, Message, PostMetric, RemotePost
from tertulia.connectors import registry
from tertulia.connectors.contract import VOTERS, VOTES
from tertulia.core import dates
from tertulia.understanding import teaching, words

from . import saying
from .models import Post, Sending

USUAL_OF: Final = 30
"""Posts before this one that its account's usual is the median of: the newest that have a figure at the same age."""
LEAST: Final = 5
"""With fewer nothing is usual yet: the median of four is the mean of two posts."""
MOST_LISTED: Final = 500
QUOTES: Final = 5
LONGEST_SAID: Final = 2_000
"""Comments of a post that are looked through: the newest."""
COMMENT_DAYS: Final = timedelta(days=90)
_ON_PAGE: Final = 240
WIDTH, HEIGHT, EDGE = 240, 48, 4


@dataclass(frozen=True, slots=True)
class Usual:
    """What an account's posts have at an age: the median of `posts` of them; None below `LEAST`."""

    age: timedelta
    posts: int
    median: float | None
    value: int
    """What this one has at that age."""

    @property
    def times(self) -> float | None:
        return self.value / self.median if self.median else None


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a post; `value` is "–" and `why` says so where nobody told it."""

    name: str
    label: str
    value: str
    why: str = ""
    change: str = ""
    since: datetime | None = None
    usual: str = ""
    curve: str = ""
    dots: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """What may be answered in a poll, how often it was, and by which share of those who answered, in percent. Where one
    may answer several the shares make more than a hundred."""

    label: str
    votes: int
    share: float
    is_first: bool
    """Nothing was chosen more often."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A post on one account. `delivery` is what its figures are written down on."""

    account: Account
    remote: RemotePost
    delivery: int | None
    lines: list[Line]
    read_at: datetime | None
    how: str
    says: str
    tone: str
    trouble: str
    is_absent: bool
    is_told: bool
    """The network tells figures by itself."""
    poll: Sequence[Option] = ()
    """How its poll stands, where the network has told it."""
    voters: int | None = None


def sheets(post: Post, *, zone: str) -> list[Sheet]:
    """One for each account on which the post stands."""
    mine = Sending.objects.filter(version__post=post, number=0, remote__published_at__isnull=False)
    whole = mine.select_related("remote__account", "remote__watch").defer("remote__account__secrets")
    found = list(whole.order_by("remote__account__name", "pk"))
    watches = {
        row.pk: row for row in AccountWatch.objects.filter(account__in=[each.remote.account_id for each in found])
    }
    on = Delivery.objects.filter(post__in=[each.remote_id for each in found], act__in=POSTING)
    deliveries = dict(on.values_list("post", "pk"))
    return [
        _sheet(each.remote, deliveries.get(each.remote_id), watches.get(each.remote.account_id), zone) for each in found
    ]


def _sheet(remote: RemotePost, delivery: int | None, watch: AccountWatch | None, zone: str) -> Sheet:
    account = remote.account
    course, before = _with_those_before(remote)
    is_installed = account.kind in registry.all_connectors()
    told = facts.told_by(account).of_posts if is_installed else frozenset[str]()
    names = [*facts.NAMES, *sorted(set(course.figures) - set(facts.NAMES))]
    taken = [one for name in course.figures if (one := course.latest(name))]
    is_read = any(one.how == PostMetric.How.NETWORK for one in taken)  # then what it left out it doesn't tell
    newest = max(taken, key=lambda one: one.at, default=None)
    reaction = usual(course, before)
    return Sheet(
        account=account,
        remote=remote,
        delivery=delivery,
        lines=[
            _line(name, course, before, is_told=name in told and not is_read, has_any=bool(told), zone=zone)
            for name in names
        ],
        read_at=newest.at if newest else None,
        how=str(PostMetric.How(newest.how).label) if newest else "",
        says=_says(reaction),
        tone=tone(reaction),
        trouble=watch.trouble if watch else "",
        is_absent=bool(getattr(remote, "watch", None) and remote.watch.absent_at),
        is_told=bool(told),
        poll=_poll(remote, course.votes),
        voters=course.votes.get(VOTERS),
    )


def _poll(remote: RemotePost, told: Mapping[str, int]) -> list[Option]:
    """Nothing unless something was told of every option."""
    poll = saying.poll_of(remote.draft.get("poll"))
    votes = [told.get(f"{VOTES}{number}") for number in range(len(poll.options))] if poll else []
    known = [one for one in votes if one is not None]
    if poll is None or not known or len(known) < len(poll.options):
        return []
    whole = max(told.get(VOTERS) or 0, *known) if poll.multiple else sum(known)
    return [
        Option(label, count, 100 * count / whole if whole else 0.0, is_first=0 < count == max(known))
        for label, count in zip(poll.options, known, strict=True)
    ]


def _with_those_before(remote: RemotePost) -> tuple[facts.Course, list[facts.Course]]:
    assert remote.published_at is not None  # noqa: S101 — only what is out has a sheet
    earlier = facts.published(remote.account, before=remote.published_at, most=USUAL_OF * 2)
    found = facts.courses([remote, *earlier])
    return found[remote.pk], [found[one.pk] for one in earlier if one.pk != remote.pk]


def usual(course: facts.Course, before: Iterable[facts.Course], name: str = "") -> Usual | None:
    """A post's reactions, or one of its figures, against its account's usual at the greatest age at which that is
    known, else at the greatest at which its own are; None when nothing of it is known at any age."""
    names, best = (name,) if name else facts.REACTING, None
    earlier = list(before)
    for age in reversed(facts.AGES):
        mine = course.reaction(age, names)
        if mine is None:
            continue
        alike = [found[1] for one in earlier if (found := one.reaction(age, mine[0])) and found[0] == mine[0]]
        alike = alike[:USUAL_OF]
        if len(alike) >= LEAST:
            return Usual(age, len(alike), median(alike), mine[1])
        best = best or Usual(age, len(alike), None, mine[1])
    return best


def tone(found: Usual | None) -> str:
    """ "good" above half as much again as usual, "soon" below half of it."""
    if found is None or found.median is None or found.times is None:
        return ""
    return "good" if found.times >= 1.5 else "soon" if found.times < 0.5 else ""


def _says(found: Usual | None) -> str:
    if found is None:
        return _("Nothing is known of it yet.")
    age = dates.span(round(found.age.total_seconds() / 60))
    if found.median is None:
        return ngettext(
            "Much or little? Not known yet: {n} earlier post has figures after {age}, {least} are needed.",
            "Much or little? Not known yet: {n} earlier posts have figures after {age}, {least} are needed.",
            found.posts,
        ).format(n=found.posts, age=age, least=LEAST)
    said = {"value": number(found.value), "age": age, "n": found.posts, "median": number(found.median)}
    if found.times is None:
        return _("After {age}: {value} reactions, where {n} earlier posts mostly had none.").format(**said)
    return _("After {age}: {value} reactions, {times} times the usual {median} (median of {n} earlier posts).").format(
        times=floatformat(found.times, 1), **said
    )


def _line(
    name: str, course: facts.Course, before: Sequence[facts.Course], *, is_told: bool, has_any: bool, zone: str
) -> Line:
    taken = course.figures.get(name, [])
    if not taken:
        why = (
            _("not read yet") if is_told else _("the network doesn't tell it") if has_any else _("nobody wrote it down")
        )
        return Line(name, facts.called(name), "–", why)
    latest, earlier = taken[-1], taken[-2] if len(taken) > 1 else None
    change = latest.value - earlier.value if earlier else 0
    found, (curve, dots) = usual(course, before, name), _curve(taken, course.published_at, zone)
    return Line(
        name,
        facts.called(name),
        number(latest.value),
        change=f"{change:+}".replace("-", "−") if change else "",
        since=earlier.at if earlier else None,
        usual=_usual_of_one(found),
        curve=curve,
        dots=dots,
    )


def _usual_of_one(found: Usual | None) -> str:
    if found is None or found.median is None:
        return _("usual: not known yet")
    age = dates.span(round(found.age.total_seconds() / 60))
    return _("usual after {age}: {median} (of {n})").format(age=age, median=number(found.median), n=found.posts)


def _curve(taken: Sequence[facts.Taken], since: datetime, zone: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The way of a figure, from its publishing; equal steps for equal doublings of the age would hide the beginning, so
    time is drawn by its square root."""
    if len(taken) < 2:
        return "", []
    ages = [max((one.at - since).total_seconds(), 0.0) ** 0.5 for one in taken]
    highest, last = max(one.value for one in taken) or 1, max(ages) or 1.0

    def place(one: facts.Taken, age: float) -> tuple[float, float]:
        return (
            round(EDGE + (WIDTH - 2 * EDGE) * age / last, 1),
            round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * one.value / highest, 1),
        )

    points = [place(one, age) for one, age in zip(taken, ages, strict=True)]
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    says = [f"{dates.full(one.at, zone=zone)}: {number(one.value)}" for one in taken]
    return path, [(str(x), str(y), said) for (x, y), said in zip(points, says, strict=True)]


def number(value: float) -> str:
    whole = float(value).is_integer()
    return formats.number_format(int(value) if whole else value, None if whole else 1, force_grouping=True)


# What people said under it.


@dataclass(frozen=True, slots=True)
class Share:
    name: str
    label: str
    count: int
    offset: float = 0.0
    width: float = 0.0


@dataclass(slots=True)
class Said:
    """The comments under a post that came in, and what was understood of them. `unread` have no reading yet: they count
    as comments and as no feeling at all."""

    count: int = 0
    people: int = 0
    unread: int = 0
    feelings: list[Share] = field(default_factory=list)
    kinds: list[Share] = field(default_factory=list)
    topics: list[Share] = field(default_factory=list)
    questions: list[tuple[str, Message]] = field(default_factory=list)
    quotes: list[Message] = field(default_factory=list)


def said_under(remotes: Sequence[RemotePost], brand: Brand) -> Said:
    """What people wrote under these, as the network says itself what each comment stands under."""
    rows = [message for remote in remotes for message in _comments(remote)]
    rows.sort(key=lambda one: (one.sent_at, one.pk), reverse=True)
    read = [(one, one.reading) for one in rows if hasattr(one, "reading")]
    own = {**words.topics(), **teaching.own_topics(brand.pk)}
    feelings = Counter(reading.sentiment for _message, reading in read)
    kinds = Counter(reading.kind for _message, reading in read)
    topics = Counter(topic for _message, reading in read for topic in set(reading.topics) & set(own))
    telling = sorted(read, key=lambda pair: (pair[1].sentiment == "neutral", -len(pair[0].text)))
    return Said(
        count=len(rows),
        people=len({message.identity_id or -message.pk for message in rows}),
        unread=len(rows) - len(read),
        feelings=_shares(feelings, words.sentiments(), ("negative", "neutral", "positive")),
        kinds=_shares(kinds, words.kinds(), [name for name, _count in kinds.most_common()]),
        topics=_shares(
            topics, own, [name for name, _count in sorted(topics.items(), key=lambda pair: (-pair[1], pair[0]))]
        ),
        questions=[(text, message) for message, reading in read for text in reading.questions][:QUOTES],
        quotes=[_shortened(message) for message, _reading in _each_person_once(telling)][:QUOTES],
    )


def _comments(remote: RemotePost) -> list[Message]:
    """What stands under the post as its network tells it: by the name of what it was written under, by its address, or
    by what it answers."""
    if remote.published_at is None:
        return []
    under = Q(about__remote_id=remote.remote_id) | Q(in_reply_to=remote.remote_id) if remote.remote_id else Q()
    under |= Q(about__url=remote.url) if remote.url else Q()
    if not under:
        return []
    rows = Message.objects.filter(
        under, account=remote.account_id, kind="comment", direction=Message.Direction.IN, deleted_at__isnull=True,
        sent_at__gte=remote.published_at - timedelta(days=1), sent_at__lt=remote.published_at + COMMENT_DAYS,
    ).select_related("reading", "identity").defer("raw", "html", "quoted", "attachments")  # fmt: skip
    return list(rows.order_by("-sent_at", "-pk")[:LONGEST_SAID])


def _shares(counts: Counter[str], labels: object, order: Sequence[str]) -> list[Share]:
    known = dict(labels) if isinstance(labels, dict) else {}
    total, offset, found = sum(counts.values()), 0.0, []
    for name in order:
        if counts[name]:
            width = 100 * counts[name] / total
            found.append(Share(name, str(known.get(name, name)), counts[name], round(offset, 3), round(width, 3)))
            offset += width
    return found


def _each_person_once(rows: Iterable[tuple[Message, object]]) -> list[tuple[Message, object]]:
    seen: set[int] = set()
    found = []
    for message, reading in rows:
        who = message.identity_id or -message.pk
        if who not in seen and message.text.strip():
            seen.add(who)
            found.append((message, reading))
    return found


def _shortened(message: Message) -> Message:
    if len(message.text) > _ON_PAGE:
        message.text = message.text[:_ON_PAGE].rstrip() + "…"
    return message


# All of a period.


@dataclass(frozen=True, slots=True)
class Row:
    """A post on an account in the overview."""

    post: Post | None
    account: Account
    remote: RemotePost
    figures: list[tuple[str, str]]
    reaction: Usual | None
    says: str
    tone: str


def overview(
    brand: Brand, *, since: datetime, until: datetime, account: Account | None = None
) -> tuple[list[Row], bool]:
    """The posts of a period, those first that did best against their account's usual, those last of which it isn't
    known; and whether there are more than are listed."""
    accounts = [account] if account else list(Account.objects.filter(brand=brand).defer("secrets"))
    out = RemotePost.objects.filter(
        account__in=accounts,
        published_at__gte=since,
        published_at__lt=until,
        above__isnull=True,
        deleted_at__isnull=True,
    ).order_by("-published_at", "-pk")
    listed = list(out[: MOST_LISTED + 1])
    is_cut, listed = len(listed) > MOST_LISTED, listed[:MOST_LISTED]
    by_account: dict[int, list[RemotePost]] = defaultdict(list)
    for remote in listed:
        by_account[remote.account_id].append(remote)
    posts = _posts_of(listed)
    rows = []
    for one in accounts:
        if mine := by_account.get(one.pk):
            rows += _rows(one, mine, posts)
    rows.sort(key=_order)
    return rows, is_cut


def _rows(account: Account, mine: Sequence[RemotePost], posts: dict[int, Post]) -> list[Row]:
    first = min(remote.published_at for remote in mine if remote.published_at)
    earlier = facts.published(account, before=first, most=USUAL_OF * 2)
    courses = facts.courses([*mine, *earlier])
    in_order = sorted(courses.values(), key=lambda one: (one.published_at, one.post), reverse=True)
    place = {course.post: number for number, course in enumerate(in_order)}
    rows = []
    for remote in mine:
        course, number_here = courses[remote.pk], place[remote.pk]
        found = usual(course, in_order[number_here + 1 : number_here + 1 + USUAL_OF * 2])
        figures = [
            (facts.called(name), number(latest.value) if (latest := course.latest(name)) else "–")
            for name in facts.NAMES
        ]
        rows.append(Row(posts.get(remote.pk), account, remote, figures, found, _says(found), tone(found)))
    return rows


def _order(row: Row) -> tuple[int, float, float]:
    """Known first, best first; then those with reactions where there are usually none; then the newest."""
    age = -(row.remote.published_at.timestamp() if row.remote.published_at else 0.0)
    if row.reaction is None or row.reaction.median is None:
        return 1, 0.0, age
    times = row.reaction.times
    return 0, -(times if times is not None else float(row.reaction.value)), age


def _posts_of(remotes: Sequence[RemotePost]) -> dict[int, Post]:
    sendings = Sending.objects.filter(remote__in=remotes).select_related("version__post")
    return {sending.remote_id: sending.version.post for sending in sendings}


def troubles(brand: Brand) -> list[tuple[Account, str]]:
    """The accounts whose figures could not be read the last time, and why."""
    rows = AccountWatch.objects.filter(account__brand=brand).exclude(trouble="").select_related("account")
    return [(row.account, row.trouble) for row in rows.defer("account__secrets").order_by("account__name", "pk")]
