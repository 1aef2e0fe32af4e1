"""What speaks for a brand: which of it may be quoted on a day, in which words, and where it was.

A text quotes a testimonial when it carries its words, however they came there: put in from the menu, pasted, copied
with a post or taken in from a file. So nobody has to remember to say so, and what may not be quoted is held back
everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tertulia.brand.models import Brand
from tertulia.channels.models import Message, Restriction
from tertulia.core.folding import fold

from .models import Member, MemberIdentity, Testimonial, TestimonialUse

RUN: Final = 10
"""So many words in a row, of a longer testimonial, are no chance: a text with them quotes it, cut as it may be."""
WHOLE: Final = 4
"""One with fewer words could be said by anybody: it is quoted only where it stands between quotation marks."""
SOON: Final = timedelta(days=14)
"""So long before its end a consent is told to end."""
_MARKS = re.compile('["«»“”„‟]')
_MARK = "❝"
"""A symbol: `fold` leaves it standing as a word of its own."""
_S = Testimonial.State

NOT_ASKED = gettext_noop("{who} has not been asked whether “{quote}” may be quoted.")
NOT_ANSWERED = gettext_noop("{who} was asked whether “{quote}” may be quoted, and has not said yes.")
REFUSED = gettext_noop("{who} does not want “{quote}” to be quoted.")
WITHDRAWN = gettext_noop("{who} does not agree any more that “{quote}” is quoted.")
ENDED = gettext_noop("{who} agreed to be quoted with “{quote}” until {day} only.")
ENDING = gettext_noop("{who} agreed to be quoted with “{quote}” until {day}: take it down by then.")
RESTRICTED = gettext_noop("The data of {who} is restricted: “{quote}” may not be quoted.")
_WHY: Final = {
    _S.UNASKED: NOT_ASKED, _S.ASKED: NOT_ANSWERED, _S.REFUSED: REFUSED, _S.WITHDRAWN: WITHDRAWN,
}  # fmt: skip


# Which there are, and which may be quoted.


def of(brand: int) -> QuerySet[Testimonial]:
    """A brand's, newest first, each with whether its person's data is restricted."""
    theirs = MemberIdentity.objects.filter(member=OuterRef(OuterRef("member")))
    restricted = Restriction.objects.filter(identity__in=theirs.values("identity"))
    found = Testimonial.objects.filter(brand=brand).annotate(is_restricted=Exists(restricted))
    return found.order_by("-said_on", "-pk")


def today(brand: Brand, at: datetime) -> date:
    """The day that counts for consents: the brand's own."""
    return at.astimezone(ZoneInfo(brand.time_zone)).date()


def forbids(one: Testimonial, on: date) -> str:
    """Why one of `of` may not be quoted on that day; empty where it may. Any other passes for restricted."""
    if getattr(one, "is_restricted", True):
        return _filled(RESTRICTED, one)
    if one.consent in _WHY:
        return _filled(_WHY[_S(one.consent)], one)
    if one.consent_until and on > one.consent_until:
        return _filled(ENDED, one)
    return ""


def warns(one: Testimonial, on: date) -> str:
    """That it may be quoted on that day, and not for much longer."""
    if one.consent_until and on <= one.consent_until < on + SOON:
        return _filled(ENDING, one)
    return ""


def _filled(says: str, one: Testimonial) -> str:
    day = f"{one.consent_until:%d/%m/%Y}" if one.consent_until else ""
    quote = one.text if len(one.text) <= 60 else f"{one.text[:59].rstrip()}…"
    return _(says).format(who=one.said_by or _("Somebody"), quote=quote, day=day)


def sentences() -> dict[str, str]:
    """What is stored of a refusal in English, and what it is in the present language."""
    blank = {"who": "{}", "quote": "{}", "day": "{}"}
    return {says.format(**blank): _(says).format(**blank) for says in (*_WHY.values(), ENDED, RESTRICTED)}


HAS_LIMITED = (
    "EXISTS (SELECT 1 FROM community_testimonial quoted"
    " JOIN tertulia_channels_account ours ON ours.brand_id = quoted.brand_id WHERE ours.id = %s"
    " AND NOT (quoted.consent IN ('given', 'unneeded') AND quoted.consent_until IS NULL AND quoted.member_id IS NULL))"
)
"""SQL: if an account's brand has any that may not be quoted on every day. Seldom; then there is more to ask."""


def forbidden(brand: int, on: date) -> QuerySet[Testimonial]:
    """Those that may not be quoted on that day."""
    ended = Q(consent_until__lt=on) | Q(consent__in=list(_WHY)) | Q(is_restricted=True)
    return of(brand).filter(ended)


# What a text quotes.


def quoted(texts: Iterable[str], among: Iterable[Testimonial]) -> list[Testimonial]:
    """Those of which the texts carry the words."""
    read = [_words(text) for text in texts if text]
    return [one for one in among if any(_carries(words, one) for words in read)] if read else []


@dataclass(frozen=True, slots=True)
class _Words:
    line: str
    """With one space on each side of each word."""
    marked: str
    """The same with quotation marks as words."""
    runs: frozenset[str]


def _words(text: str) -> _Words:
    words = fold(_MARKS.sub(" ", text)).split()
    marked = fold(_MARKS.sub(_MARK, text)).split()
    return _Words(_line(words), _line(marked), frozenset(_runs(words)))


def _runs(words: Sequence[str]) -> Iterator[str]:
    return (" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1))


def _line(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "


@lru_cache(maxsize=2_000)
def _said(text: str) -> tuple[str, ...]:
    """The words of a testimonial: each text that is written is held against all of them."""
    return tuple(fold(_MARKS.sub(" ", text)).split())


def _carries(text: _Words, one: Testimonial) -> bool:
    words = _said(one.text)
    if not words:
        return False
    if len(words) < WHOLE:
        return _line([_MARK, *words, _MARK]) in text.marked
    if len(words) < RUN:
        return _line(words) in text.line
    return any(run in text.runs for run in _runs(words))


def same_words(one: str, other: str) -> bool:
    """Whether two texts differ by signs and capitals alone."""
    return fold(one) == fold(other)


def is_telling(text: str) -> bool:
    """Whether a text is long enough to be nobody else's."""
    return len(fold(text).split()) >= WHOLE


def against(texts: Sequence[str], *, brand: int, on: date, to: int | None = None) -> list[str]:
    """Why these texts may not be said on that day: whom they quote who doesn't want it. `to`: the member who alone
    reads them, and may well be told their own words."""
    found = [one for one in quoted(texts, forbidden(brand, on)) if to is None or one.member_id != to]
    return [forbids(one, on) for one in found]


def ending(texts: Sequence[str], *, brand: int, on: date) -> list[str]:
    """What of these texts may be said on that day, and not for much longer."""
    soon = of(brand).filter(consent_until__gte=on, consent_until__lt=on + SOON)
    return [says for one in quoted(texts, soon) if (says := warns(one, on))]


# Putting it in.


@dataclass(frozen=True, slots=True)
class Offered:
    """One as it can be put into a text; or why it can't."""

    testimonial: Testimonial
    quote: str
    with_source: str
    """Empty where there is nothing to lead to, as `quote` where it may not be quoted."""
    why_not: str


def offered(brand: Brand, at: datetime) -> list[Offered]:
    """All of a brand, those that may be quoted first."""
    on = today(brand, at)
    found = [_offered(one, forbids(one, on), brand.language) for one in of(brand.pk)]
    return sorted(found, key=lambda each: bool(each.why_not))


def chosen(brand: Brand, id: str, *, with_source: bool, at: datetime) -> str:
    """What the address of a page asks to put in; empty where there is none of that number, or it may not be quoted."""
    one = of(brand.pk).filter(pk=id).first() if id.isdecimal() and len(id) < 19 else None
    if one is None or forbids(one, today(brand, at)):
        return ""
    found = _offered(one, "", brand.language)
    return (with_source and found.with_source) or found.quote


def _offered(one: Testimonial, why_not: str, language: str) -> Offered:
    quote = "" if why_not else quote_of(one, language)
    return Offered(one, quote, f"{quote}\n{one.source}" if quote and one.source else "", why_not)


def quote_of(one: Testimonial, language: str) -> str:
    """As it stands in a text: what somebody said between the quotation marks of its language, and who it was."""
    text = one.text
    if one.kind in {Testimonial.Kind.TESTIMONIAL, Testimonial.Kind.REVIEW}:
        text = f"«{text}»" if (one.language or language) in {"es", "ca", "gl", "fr", "pt", "it"} else f"“{text}”"
    return f"{text} — {one.said_by}" if one.said_by else text


# Where it was put.


def note_uses(
    *, texts: Sequence[str], brand: int, by: int, at: datetime, answer: Message | None = None, post: int | None = None,
    revision: int = 0, title: str = "",
) -> None:  # fmt: skip
    """Keep which testimonials an answer, or a post in this revision, carries. Asked again, it changes nothing."""
    TestimonialUse.objects.bulk_create(
        [
            TestimonialUse(
                testimonial=one, message=answer, post_id=post, revision=revision, title=title[:200], source=one.source,
                consent=consent_of(one), by_id=by, at=at,
            )
            for one in quoted(texts, of(brand))
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def consent_of(one: Testimonial) -> dict[str, str]:
    """How it stands, as plain data."""
    return {
        "state": one.consent,
        "on": one.consent_on.isoformat() if one.consent_on else "",
        "wording": one.consent_wording,
        "until": one.consent_until.isoformat() if one.consent_until else "",
    }


# Where it comes from.


def taken_from(message: Message, *, brand: Brand) -> Testimonial:
    """What a message would be as a testimonial: its words, its address, and who wrote it. Saves nothing."""
    link = MemberIdentity.objects.filter(identity=message.identity_id).select_related("member").first()
    member = link.member if link else None
    language = (member.language if member else "")[:2]
    return Testimonial(
        brand=brand, message=message, member=member, text=" ".join(message.text.split())[:1_000],
        kind=Testimonial.Kind.REVIEW if message.kind == "review" else Testimonial.Kind.TESTIMONIAL,
        said_by=_first_name(member, message), source=message.url, said_on=today(brand, message.sent_at),
        language=language if language in dict(Testimonial._meta.get_field("language").flatchoices) else "",
    )  # fmt: skip


def _first_name(member: Member | None, message: Message) -> str:
    """No more of a name than is needed: whoever quotes it asks for the rest."""
    name = (member.name if member else "") or message.author_name
    return "" if "@" in name else name.split(" ")[0][:120]
