"""How far people may trust the brand, month by month, as far as what is here can tell.

Three parts, each a share of something that was counted, with its own raw numbers:

- **feeling**: of the messages in which a feeling was read, or said by somebody who corrected it, those that are
  positive. A neutral message has none and does not count, or asking when the shop opens would look like discontent.
- **promises**: of the promises to people that ended (`inbox.PromiseOutcome`: a first response, a solution), those that
  were kept in time.
- **reviews**: the average of the stars of the reviews that the brand keeps (`community.Testimonial`), whether they may
  be quoted or not: who may not be quoted has judged all the same.

    indicator = (feeling + promises + reviews) / 3, in hundredths, over the parts that are known
    feeling   = 100 × positive / (positive + negative)
    promises  = 100 × kept / (kept + broken)
    reviews   = 100 × (average of stars − 1) / 4

Why so: the plain mean, because nobody has measured what each part is worth to a customer, and a weight that nobody can
give a reason for would pretend to. A part is known from `LEAST` on: with 20 messages the interval of 95 % around a half
(Wilson) still goes from 30 to 70 hundredths, with fewer a line would show chance alone. Of one part there is no
indicator: it would be that part by another name. Where the parts differ between two months, so do the indicators: they
are not to be compared, and the page draws no whole line between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Sum, Value, When

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels import erasures
from tertulia.channels.models import Message, Restriction
from tertulia.community import testimonials
from tertulia.community.models import Testimonial
from tertulia.core.dates import months_after
from tertulia.inbox.models import PromiseOutcome
from tertulia.understanding.models import MessageReading

Name = Literal["feeling", "promises", "reviews"]
PARTS: Final[tuple[Name, ...]] = ("feeling", "promises", "reviews")
LEAST: Final[Mapping[Name, int]] = {"feeling": 20, "promises": 10, "reviews": 5}
"""Messages, promises, reviews: with fewer nothing is said."""
LEAST_PARTS: Final = 2
MONTHS: Final = 12
STARS: Final = 5


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month of the brand's zone."""

    first: date
    after: date
    """The first day of the next."""
    since: datetime
    until: datetime

    @property
    def key(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(slots=True)
class Part:
    """`good` of `of`: positive messages, kept promises; of reviews the sum of their stars, and how many there are."""

    name: Name
    good: int = 0
    of: int = 0

    @property
    def is_known(self) -> bool:
        return self.of >= LEAST[self.name]

    @property
    def average(self) -> float:
        """Of stars."""
        return self.good / self.of if self.of else 0.0

    @property
    def value(self) -> float | None:
        """In hundredths; None where it isn't known."""
        if not self.is_known:
            return None
        share = (self.average - 1) / (STARS - 1) if self.name == "reviews" else self.good / self.of
        return 100 * share


@dataclass(slots=True)
class Standing:
    """What a month tells."""

    month: Month
    parts: dict[Name, Part] = field(default_factory=lambda: {name: Part(name) for name in PARTS})

    @property
    def known(self) -> tuple[Name, ...]:
        return tuple(name for name in PARTS if self.parts[name].is_known)

    @property
    def indicator(self) -> float | None:
        """In hundredths; None where fewer than two parts are known."""
        values = [value for part in self.parts.values() if (value := part.value) is not None]
        return sum(values) / len(values) if len(values) >= LEAST_PARTS else None


def months(brand: Brand, at: datetime, *, number: int = MONTHS) -> list[Month]:
    """The last ones, the present one last."""
    this = at.astimezone(ZoneInfo(brand.time_zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    firsts = [months_after(this, back).date() for back in range(1 - number, 2)]
    moments = [zones.moment(datetime(on.year, on.month, on.day), ZoneInfo(brand.time_zone)) for on in firsts]  # noqa: DTZ001
    return [
        Month(firsts[nth], firsts[nth + 1], moments[nth].astimezone(UTC), moments[nth + 1].astimezone(UTC))
        for nth in range(number)
    ]


def standings(brand: Brand, of: Sequence[Month]) -> list[Standing]:
    """Counted from the rows themselves each time; three statements for any number of months in a row."""
    found = [Standing(month) for month in of]
    good: dict[Name, Any] = {
        "feeling": Count("pk", filter=Q(sentiment="positive")),
        "promises": Count("pk", filter=Q(is_kept=True)),
        "reviews": Sum("stars"),
    }
    for name in PARTS:
        rows = _between(brand, name, of[0], of[-1]).order_by().annotate(nth=_nth(name, of)).values("nth")
        for nth, some, all_ in rows.annotate(good=good[name], of=Count("pk")).values_list("nth", "good", "of"):
            found[nth].parts[name] = Part(name, some, all_)
    return found


def rows(brand: Brand, name: Name, month: Month) -> QuerySet[Any]:
    """What a part of a month was counted from, the newest first."""
    column = _MOMENT[name]
    return _between(brand, name, month, month).order_by(f"-{column}", "-pk")


_MOMENT: Final[Mapping[Name, str]] = {"feeling": "message__sent_at", "promises": "ended_at", "reviews": "said_on"}


def _between(brand: Brand, name: Name, first: Month, last: Month) -> QuerySet[Any]:
    column = _MOMENT[name]
    since, until = (first.first, last.after) if name == "reviews" else (first.since, last.until)
    span = {f"{column}__gte": since, f"{column}__lt": until}
    if name == "feeling":
        return _felt(brand).filter(**span)
    if name == "promises":
        return PromiseOutcome.objects.filter(brand=brand, **span)
    reviews = testimonials.of(brand.pk).filter(kind=Testimonial.Kind.REVIEW, stars__isnull=False)
    return reviews.filter(Q(is_restricted=False), **span)


def _nth(name: Name, of: Sequence[Month]) -> Case:
    """Which of the months a row is in."""
    column = _MOMENT[name]
    ends = [month.after if name == "reviews" else month.until for month in of]
    whens = [When(**{f"{column}__lt": until}, then=Value(nth)) for nth, until in enumerate(ends)]
    return Case(*whens, output_field=IntegerField())


def _felt(brand: Brand) -> QuerySet[MessageReading]:
    """What people wrote with a feeling: neither machines' words, spam, articles nor what was deleted; and of nobody
    whose data is restricted."""
    theirs = MessageReading.objects.filter(
        brand=brand, sentiment__in=["positive", "negative"], spam=False, message__direction=Message.Direction.IN,
        message__is_automatic=False, message__deleted_at__isnull=True,
    )  # fmt: skip
    restricted = Restriction.objects.filter(identity=OuterRef("message__identity"))
    theirs = theirs.exclude(message__kind="article").exclude(message__remote_id__startswith=erasures.ERASED)
    return theirs.exclude(message__thread_id="").filter(~Exists(restricted))
