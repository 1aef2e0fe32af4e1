"""A product is launched: from one sheet come a campaign, drafts of posts for each network and saved replies to what
people will ask. Nothing leaves by itself: each draft waits for somebody to look at it and give it a time.

What the drafts say is what the sheet says, put together; nothing is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core.html import tidy
from tertulia.inbox.models import SavedReply
from tertulia.publishing import actions as publishing
from tertulia.publishing import saying
from tertulia.publishing.models import Post
from tertulia.publishing.saying import Piece, Wanted
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

AHEAD = timedelta(days=3)
"""So long before the day a first word is said of it, and so long after it people are reminded."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of a product. `answers`: what people will ask, with what is answered."""

    name: str
    what: str
    good: Sequence[str] = ()
    price: str = ""
    on: date | None = None
    url: str = ""
    answers: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Launch:
    campaign: Campaign
    posts: Sequence[Post]
    replies: Sequence[SavedReply]


@transaction.atomic
def launch(*, brand: Brand, sheet: Sheet, accounts: Sequence[Account], by: User, at: datetime) -> Launch:
    """Lay all of it out, in the brand's language. `accounts` are those where it is to be told of.

    Raises `publishing.problems.Problem` for an account that isn't the brand's or can't publish.
    """
    with translation.override(brand.language):
        campaign = publishing.begin_campaign(
            brand=brand, by=by, at=at, name=sheet.name, goal=_("Make {name} known.").format(name=sheet.name),
            messages="\n".join(sheet.good), starts_on=sheet.on and sheet.on - AHEAD,
            ends_on=sheet.on and sheet.on + AHEAD, owner=by,
        )  # fmt: skip
        posts = [
            _draft(brand, campaign, title, texts, day, accounts, by=by, at=at)
            for title, day, texts in _posts(sheet)
        ]  # fmt: skip
        replies = [
            SavedReply.objects.create(brand=brand, title=title, text=text, language=brand.language)
            for title, text in _titled(brand, _replies(sheet))
        ]
    return Launch(campaign, posts, replies)


def _posts(sheet: Sheet) -> Iterator[tuple[str, timedelta, Sequence[str]]]:
    """Title, how far from the day, and the text; on the day also shorter ones, for networks that take little."""
    name, tail = sheet.name, f"\n\n{sheet.url}" if sheet.url else ""
    soon = _("{name} is coming.").format(name=name)
    if sheet.on:
        soon = _("{name} is coming on {day}.").format(name=name, day=date_format(sheet.on, "DATE_FORMAT"))
    yield _("{name}: soon").format(name=name), -AHEAD, [f"{soon}\n\n{sheet.what}", soon]
    points = "\n\n" + "\n".join(f"· {one}" for one in sheet.good) if sheet.good else ""
    price = "\n\n" + _("Price: {price}").format(price=sheet.price) if sheet.price else ""
    here = _("{name} is here.").format(name=name)
    longest = f"{here}\n\n{sheet.what}{points}{price}{tail}"
    texts = [longest, f"{here}\n\n{sheet.what}{price}{tail}", f"{here}{tail}"]
    yield _("{name}: it is here").format(name=name), timedelta(), texts
    ask = _("Have you tried {name} yet? Tell us how you liked it.").format(name=name)
    yield _("{name}: what people say").format(name=name), AHEAD, [f"{ask}{tail}", ask]


def _replies(sheet: Sheet) -> Iterator[tuple[str, str]]:
    yield from sheet.answers
    asked = {question.casefold() for question, _answer in sheet.answers}
    if sheet.price and _("What does {name} cost?").format(name=sheet.name).casefold() not in asked:
        says = _("{name} costs {price}.").format(name=sheet.name, price=sheet.price)
        yield _("What does {name} cost?").format(name=sheet.name), f"{says} {sheet.url}".strip()
    if sheet.on:
        day = date_format(sheet.on, "DATE_FORMAT")
        says = _("{name} is to be had from {day} on.").format(name=sheet.name, day=day)
        yield _("From when on is {name} to be had?").format(name=sheet.name), says
    yield _("What is {name}?").format(name=sheet.name), f"{sheet.what} {sheet.url}".strip()


def _titled(brand: Brand, replies: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Under titles that are free: a saved reply that is there already stays as it is."""
    taken = {title.casefold() for title in SavedReply.objects.filter(brand=brand).values_list("title", flat=True)}
    for given, text in replies:
        number, title = 1, given[:80]
        while title.casefold() in taken:
            number += 1
            title = f"{given[:74]} ({number})"
        taken.add(title.casefold())
        yield title, text


def _draft(
    brand: Brand, campaign: Campaign, title: str, texts: Sequence[str], day: timedelta, accounts: Sequence[Account],
    *, by: User, at: datetime,
) -> Post:  # fmt: skip
    """A draft whose text is common, but shorter where a network takes less."""
    versions = {account.pk: _fitting(account, texts, title) for account in accounts}
    post = publishing.create(brand=brand, by=by, at=at, title=title, pieces=[Piece(tidy(texts[0]))], versions=versions)
    publishing.count_for(post=post, campaign=campaign, by=by, at=at)
    if campaign.starts_on:
        on = campaign.starts_on + AHEAD + day
        if on >= at.date():
            publishing.plan(post=post, wall=datetime(on.year, on.month, on.day, 10), by=by, at=at)  # noqa: DTZ001 — on the wall
    return post


def _fitting(account: Account, texts: Sequence[str], title: str) -> Wanted:
    """The longest of the texts that the account's network takes; the first is the common one."""
    hints = saying.headline(account, title)
    for number, text in enumerate(texts):
        draft = saying.draft_of({"kind": "post", "text": tidy(text), "pictures": []})
        longest = account.connector.longest_post(account, draft)
        if longest is None or account.connector.post_length(account, draft) <= longest:
            return Wanted((Piece(tidy(text)),), hints) if number else Wanted((), hints)
    return Wanted((), hints)
