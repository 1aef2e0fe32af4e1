"""What was promised, until when, and how much of it is left.

Which promise holds: the one for a label on this account, before the one for the label, before the one for the account,
before the brand's own; each of the two times comes from the most specific promise that names it, and of several labels
the shortest time counts. A promise is made with the rules of its day: changing the rules later moves no running clock,
only a change of labels does.

The **first response** counts from the moment since which the person waits, anew with every wait. Putting a conversation
aside doesn't stop it: the person waits all the same. Any answer of ours keeps it.
The **resolution** counts from the first message to the closing. It stops while an answered conversation is put aside
(the next step isn't ours) and while it was closed by mistake; a message after the closing begins it anew.

Everything here changes fields of the conversation in hand and saves nothing: the caller saves `FIELDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.brand import hours
from tertulia.brand.hours import Hours
from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Message
from tertulia.core import activity, bulk
from tertulia.core.languages import once_a_language
from tertulia.core.models import Activity
from tertulia.team.models import User

from . import activities
from .models import Conversation, Label, Promise, PromiseOutcome

FIELDS = (
    "first_response_due_at",
    "first_responded_at",
    "resolution_due_at",
    "promise_due_at",
    "warned_at",
    "broken_at",
)
FIRST_RESPONSE, RESOLUTION = "first_response", "resolution"

MAX_MINUTES = 366 * 24 * 60
SOON = timedelta(minutes=30)
RISK_SHARE, RISK_TIME = 0.25, timedelta(minutes=15)

_Scope = tuple[int | None, int | None]
"""Account and label of a promise."""
_Line = tuple[str, datetime]
"""Type and moment of a line of the feed."""


# The rules


@dataclass(frozen=True, slots=True)
class Term:
    """One promised time, as a rule: so much time, in opening hours or round the clock."""

    minutes: int
    in_business_hours: bool

    @property
    def warns_at(self) -> timedelta:
        """With how much left it is at risk: a quarter or 15 minutes, but never more than half of it."""
        whole = timedelta(minutes=self.minutes)
        return min(max(whole * RISK_SHARE, RISK_TIME), whole / 2)


class Clocks:
    """The promises and hours of one brand, loaded once: every question after that is arithmetic."""

    def __init__(self, promises: Iterable[Promise], open_hours: Hours) -> None:
        self._promises = {(each.account_id, each.label_id): each for each in promises}
        self.hours = open_hours
        self._always = Hours(open_hours.zone.key)

    def due(
        self, account_id: int, label_ids: Sequence[int], start: datetime
    ) -> tuple[datetime | None, datetime | None]:
        """When the first response and the resolution are due for a wait that begins at `start`."""
        first = self.term(FIRST_RESPONSE, account_id, label_ids)
        resolution = self.term(RESOLUTION, account_id, label_ids)
        return self.add(first, start), self.add(resolution, start)

    def term(self, which: str, account_id: int, label_ids: Sequence[int]) -> Term | None:
        """The promise that holds, `FIRST_RESPONSE` or `RESOLUTION`, if any."""
        levels: list[list[_Scope]] = [
            [(account_id, label) for label in label_ids],
            [(None, label) for label in label_ids],
            [(account_id, None)],
            [(None, None)],
        ]
        for level in levels:
            if terms := [term for key in level if (term := self._named(which, key))]:
                return min(terms, key=lambda term: (term.minutes, term.in_business_hours))
        return None

    def terms(self) -> list[Term]:
        """Every promised time of the brand."""
        found = (self._named(which, key) for which in (FIRST_RESPONSE, RESOLUTION) for key in self._promises)
        return [term for term in found if term]

    def add(self, term: Term | None, start: datetime) -> datetime | None:
        return self.hours_of(term).add(start, timedelta(minutes=term.minutes)) if term else None

    def hours_of(self, term: Term) -> Hours:
        """The hours in which this promise counts."""
        return self.hours if term.in_business_hours else self._always

    def _named(self, which: str, key: _Scope) -> Term | None:
        promise = self._promises.get(key)
        if promise is None:
            return None
        minutes = promise.first_response_minutes if which == FIRST_RESPONSE else promise.resolution_minutes
        return Term(minutes, promise.in_business_hours) if minutes else None


def clocks_for(brand: Brand) -> Clocks:
    """Everything that is needed to reckon with a brand's promises: three queries."""
    return ask_clocks(brand)()


def ask_clocks(brand: Brand) -> Callable[[], Clocks]:
    """As `clocks_for`, for a block that asks `ahead`: they are wanted when it is called."""
    asked, open_hours = bulk.ask(Promise, "brand_id", [brand.pk]), hours.ask(brand)
    return lambda: Clocks(asked.rows(), open_hours())


# The clocks of one conversation


def start(conversation: Conversation, first: datetime | None, resolution: datetime | None) -> None:
    """A wait begins, with the times of `Clocks.due`. A resolution that is running runs on. Saves nothing."""
    is_running = conversation.promise_due_at is not None and conversation.resolution_due_at is not None
    conversation.first_response_due_at = first
    if not is_running:
        conversation.resolution_due_at = resolution
    _next_is(conversation, _earlier(first, conversation.resolution_due_at))


def on_reply(conversation: Conversation, *, at: datetime) -> None:
    """We answered: the first response is kept, what is left is the resolution. Saves nothing."""
    conversation.first_responded_at = conversation.first_responded_at or at
    if conversation.promise_due_at is not None:
        _next_is(conversation, conversation.resolution_due_at)


def on_close(conversation: Conversation, *, at: datetime) -> None:
    """Nothing is promised any more; when it was due stays to be measured against `closed_at`. Saves nothing."""
    conversation.promise_due_at = None


def on_reopen(conversation: Conversation, *, at: datetime) -> None:
    """Opened again by hand: the clocks go on from where the closing stopped them. Saves nothing."""
    recompute(conversation, at=at)


def recompute(
    conversation: Conversation, *, at: datetime, clocks: Clocks | None = None, lines: Sequence[_Line] | None = None
) -> None:
    """Set every clock anew from the conversation as it stands and from its feed: right after any change of labels, of
    state or of the messages, and the same however often it is called. `lines`: what `lines_of` has read of its feed.
    Saves nothing."""
    conversation.first_responded_at = conversation.last_outbound_at and (
        conversation.first_responded_at or conversation.last_outbound_at
    )
    if conversation.state == Conversation.State.CLOSED:
        on_close(conversation, at=at)
        return
    clocks = clocks or clocks_for(conversation.brand)
    lines = lines_of([conversation]).get(conversation.pk, []) if lines is None else lines
    history = _History(conversation, lines, at=at)
    if since := conversation.waiting_since:
        term = clocks.term(FIRST_RESPONSE, conversation.account_id, conversation.labels)
        conversation.first_response_due_at = clocks.add(term, max(since, history.began_at))
    conversation.resolution_due_at = _resolution_due(conversation, clocks, history)
    open_first = conversation.first_response_due_at if is_waiting(conversation) else None
    _next_is(conversation, _earlier(open_first, conversation.resolution_due_at))


def is_waiting(conversation: Conversation) -> bool:
    """Whether the person waits for us, put aside or not."""
    if conversation.state == Conversation.State.SNOOZED:
        heard, said = conversation.last_inbound_at, conversation.last_outbound_at
        return heard is not None and (said is None or heard > said)
    return conversation.waiting_since is not None


def which_is_due(conversation: Conversation) -> str:
    """Which of the two promises `promise_due_at` is."""
    is_first = is_waiting(conversation) and conversation.promise_due_at == conversation.first_response_due_at
    return FIRST_RESPONSE if is_first else RESOLUTION


def _next_is(conversation: Conversation, due: datetime | None) -> None:
    if due is not None and due != conversation.promise_due_at:
        conversation.warned_at = conversation.broken_at = None
    conversation.promise_due_at = due


def _earlier(a: datetime | None, b: datetime | None) -> datetime | None:
    return min(a, b) if a and b else a or b


def _resolution_due(conversation: Conversation, clocks: Clocks, history: _History) -> datetime | None:
    term = clocks.term(RESOLUTION, conversation.account_id, conversation.labels)
    if term is None or conversation.last_inbound_at is None:
        return None
    due = clocks.add(term, history.began_at)
    for stopped, resumed in history.stops:
        if due is not None and stopped < due:
            due = clocks.hours_of(term).add(due, clocks.hours_of(term).between(stopped, resumed))
    return due


_MESSAGES = (activities.RECEIVED, activities.REPLIED)
_ENDS = (*_MESSAGES, activities.WOKEN, activities.REOPENED)
_STOPS = (activities.SNOOZED, activities.CLOSED)


def lines_of(conversations: Iterable[Conversation]) -> dict[int, list[_Line]]:
    """What the clocks need of the feed, by the conversation's id: the type and moment of each line, in their order."""
    lines = Activity.objects.filter(
        on_kind=Conversation._meta.label_lower, on_id__in=[row.pk for row in conversations], type__in=_ENDS + _STOPS
    )
    found: dict[int, list[_Line]] = {}
    for id, type, moment in lines.order_by("id").values_list("on_id", "type", "at"):
        found.setdefault(id, []).append((type, moment))
    return found


class _History:
    """When the present round began and when its resolution stood still, read from the feed of the conversation."""

    def __init__(self, conversation: Conversation, lines: Iterable[_Line], *, at: datetime) -> None:
        self.stops: list[tuple[datetime, datetime]] = []
        self._closed_at: datetime | None = None
        self._is_answered = False
        self._stop: tuple[str, datetime] | None = None
        for type, moment in lines:
            self._read(type, moment)
        self._read_present(conversation, at)
        self.began_at = self._beginning(conversation)

    def _read(self, type: str, moment: datetime) -> None:
        if type in _STOPS:
            self._end(moment)
            if type == activities.CLOSED or self._is_answered:
                self._stop = (type, moment)
            return
        if type == activities.RECEIVED and self._stop and self._stop[0] == activities.CLOSED:
            self._begin_anew(self._stop[1])
        self._end(moment)
        if type in _MESSAGES:
            self._is_answered = type == activities.REPLIED

    def _read_present(self, conversation: Conversation, at: datetime) -> None:
        """What the row says already and the feed not yet: its line is written after the clocks are set."""
        is_snoozed = conversation.state == Conversation.State.SNOOZED
        since = conversation.waiting_since
        if is_snoozed and not self._stop and not is_waiting(conversation):
            self._stop = (activities.SNOOZED, at)
        if self._stop and self._stop[0] == activities.CLOSED and since and since > self._stop[1]:
            self._begin_anew(self._stop[1])
        self._end(max(conversation.snoozed_until or at, at) if is_snoozed else at)

    def _begin_anew(self, closed_at: datetime) -> None:
        self._closed_at, self.stops, self._stop = closed_at, [], None

    def _end(self, moment: datetime) -> None:
        if self._stop:
            self.stops.append((self._stop[1], moment))
        self._stop = None

    def _beginning(self, conversation: Conversation) -> datetime:
        if self._closed_at is None:
            return conversation.created_at
        inbound = Message.objects.filter(
            account_id=conversation.account_id, thread_id=conversation.thread_id, direction=Message.Direction.IN
        )
        after = inbound.filter(sent_at__gt=self._closed_at).order_by("sent_at", "id").first()
        return after.sent_at if after else self._closed_at


# What people see of it


@dataclass(frozen=True, slots=True)
class Left:
    """How much time is left: `text` for a list ("35 min", "−1 h"), `spoken` in full, `tone` calm, soon, late, none."""

    text: str
    spoken: str
    tone: str


NOTHING_PROMISED = Left("", "", "none")


def left(due: datetime | None, at: datetime, *, is_warned: bool = False) -> Left:
    """What a list shows for `promise_due_at`, by the clock on the wall; `is_warned`: `warned_at` is set. No queries."""
    if due is None:
        return NOTHING_PROMISED
    is_late = due <= at
    text, spoken = _span(at - due if is_late else due - at)
    if is_late:
        return Left(f"−{text}", _("{time} late").format(time=spoken), "late")
    return Left(text, _("{time} left").format(time=spoken), "soon" if is_warned or due - at <= SOON else "calm")


def _span(time: timedelta) -> tuple[str, str]:
    minutes = max(1, round(time.total_seconds() / 60))
    if minutes < 60:
        return _plain(minutes, "minute")
    if (whole := round(minutes / 60)) < 48:
        return _plain(whole, "hour")
    return _plain(round(minutes / 1440), "day")


def _plain(n: int, unit: str) -> tuple[str, str]:
    short, one, many = _units()[unit]
    return short.format(n=n), one if n == 1 else many.format(n=n)


@once_a_language
def _units() -> dict[str, tuple[str, str, str]]:
    return {
        "minute": (_("{n} min"), _("1 minute"), _("{n} minutes")),
        "hour": (_("{n} h"), _("1 hour"), _("{n} hours")),
        "day": (_("{n} d"), _("1 day"), _("{n} days")),
    }


def left_open(conversation: Conversation, clocks: Clocks, at: datetime) -> tuple[Term, timedelta, Hours] | None:
    """The rule of the promise that is due next, how much of its own time is left and the hours in which it counts;
    None when no rule holds any more."""
    term = clocks.term(which_is_due(conversation), conversation.account_id, conversation.labels)
    if term is None or conversation.promise_due_at is None:
        return None
    counted = clocks.hours_of(term)
    return term, counted.between(at, conversation.promise_due_at), counted


# How they ended


def outcome(
    conversation: Conversation, which: str, *, at: datetime, message: int | None = None
) -> PromiseOutcome | None:
    """How a promise ends that an answer, or the closing, settles at this moment: to be asked while the row still stands
    as before it. None where nothing of it was promised, or it ended before. Saves nothing."""
    is_first = which == FIRST_RESPONSE
    due = conversation.first_response_due_at if is_first else conversation.resolution_due_at
    runs = is_waiting(conversation) if is_first else conversation.state != Conversation.State.CLOSED
    if due is None or not runs:
        return None
    return bulk.new(
        PromiseOutcome, brand_id=conversation.brand_id, conversation_id=conversation.pk, which=which, due_at=due,
        ended_at=at, is_kept=at <= due, message_id=message,
    )  # fmt: skip


def keep_outcomes(found: Iterable[PromiseOutcome | None]) -> None:
    """What was told broken stays so."""
    PromiseOutcome.objects.bulk_create([one for one in found if one], ignore_conflicts=True)


def note_broken(conversations: Iterable[Conversation], *, at: datetime) -> None:
    """The promise that each of these has open was not kept."""
    PromiseOutcome.objects.bulk_create(
        [
            PromiseOutcome(
                brand_id=each.brand_id, conversation=each, which=which_is_due(each), due_at=each.promise_due_at,
                ended_at=at, is_kept=False,
            )
            for each in conversations
            if each.promise_due_at
        ],
        update_conflicts=True,
        unique_fields=["conversation", "which", "due_at"],
        update_fields=["ended_at", "is_kept", "message_id"],
    )  # fmt: skip


# Making promises


class NoPromise(ValueError):
    """Neither of the two times is named, or one is longer than a year; the message is for the person."""


class ForeignPromise(ValueError):
    """The account or label belongs to another brand."""


@transaction.atomic
def save_promise(
    *,
    brand: Brand,
    account: Account | None = None,
    label: Label | None = None,
    first_response_minutes: int | None,
    resolution_minutes: int | None,
    in_business_hours: bool = True,
    by: User | None,
    at: datetime,
) -> Promise:
    """Promise this for the label and account given, in place of what was promised for them; what already runs stays.

    Raises `NoPromise`, `ForeignPromise`.
    """
    if any(each is not None and each.brand_id != brand.pk for each in (account, label)):
        raise ForeignPromise(_("That belongs to another brand."))
    _check(first_response_minutes, resolution_minutes)
    promise, _made = Promise.objects.update_or_create(
        brand=brand,
        account=account,
        label=label,
        defaults={
            "first_response_minutes": first_response_minutes,
            "resolution_minutes": resolution_minutes,
            "in_business_hours": in_business_hours,
        },
    )
    activity.record(
        activities.PROMISED, on=promise, brand=brand.pk, by=by.pk if by else None, at=at,
        first_response=first_response_minutes, resolution=resolution_minutes,
    )  # fmt: skip
    return promise


@transaction.atomic
def drop_promise(*, promise: Promise, by: User, at: datetime) -> None:
    """Promise this no longer; what already runs stays."""
    activity.record(activities.UNPROMISED, on=promise, brand=promise.brand_id, by=by.pk, at=at)
    promise.delete()


def _check(*minutes: int | None) -> None:
    named = [each for each in minutes if each is not None]
    if not named:
        raise NoPromise(_("Say at least one of the two times."))
    if any(not 1 <= each <= MAX_MINUTES for each in named):
        raise NoPromise(_("A promise takes between one minute and one year."))
