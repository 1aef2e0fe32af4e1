"""How much the posts of an account are like each other: the index of boredom.

    index = 100 x (0.7 x likeness + 0.3 x monotony)

over the last twelve posts of the account, those scheduled among them:

- likeness: each post's text is compared with those before it among the twelve, by the share of common words, three at
  a time (`checks.grams`; a text without any word is like none); its greatest share counts. The mean over all posts but
  the first, from 0 to 1.
- monotony: the share of the commonest format. A post is a thread (several parts), a film, pictures (more than one), a
  picture, a link (an address in the text) or text: the first of these that holds.

From 60 on it repeats itself, from 40 on it begins to. Texts that have nothing in common in always the same format give
30; the same text in always the same format gives 100. Under five posts nothing is said.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.brand.models import Brand
from tertulia.channels.models import Account

from . import checks
from .models import Part, Post, Version

LAST, FEWEST = 12, 5
RECENT = 200
"""So many of the brand's newest are looked at: an account that is not among them has not published for long."""
LIKENESS, MONOTONY = 0.7, 0.3
BEGINS, REPEATS = 40, 60
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sameness:
    """The index of an account, and in words what makes it."""

    account: Account
    posts: int
    index: int
    alike: int
    """So many say nearly the same as one before."""
    commonest: str
    share: int

    @property
    def tone(self) -> str:
        return "late" if self.index >= REPEATS else "soon" if self.index >= BEGINS else "good"

    @property
    def verdict(self) -> str:
        if self.tone == "late":
            return _("It repeats itself")
        return _("It begins to repeat itself") if self.tone == "soon" else _("Varied")

    @property
    def why(self) -> str:
        alike = ngettext(
            "Of the last {posts}, {n} says nearly the same as one before.",
            "Of the last {posts}, {n} say nearly the same as one before.",
            self.alike,
        )
        alike = alike if self.alike else _("Of the last {posts}, none says the same as another.")
        return " ".join([
            alike.format(posts=self.posts, n=self.alike),
            _("{format}: {n} of {posts}.").format(format=self.format, n=self.share, posts=self.posts),
        ])  # fmt: skip

    @property
    def format(self) -> str:
        return formats()[self.commonest]


def formats() -> dict[str, str]:
    """What a post can be, by name."""
    return {
        "thread": _("Threads"), "pictures": _("Several pictures"), "picture": _("A picture"), "film": _("Films"),
        "link": _("A link"),
        "text": _("Text alone"),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A post as the index sees it."""

    text: str
    format: str


def of_brand(brand: Brand) -> list[Sameness]:
    """Of each account with enough posts, the most alike first."""
    newest = Version.objects.filter(post__brand=brand, post__publish_at__isnull=False, sendings__number=0)
    by_account: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = newest.order_by("-post__publish_at", "-pk").values_list("account", "pk", "post")
    for account, version, post in rows[:RECENT]:
        if len(by_account[account]) < LAST:
            by_account[account].append((version, post))
    chosen = {account: mine for account, mine in by_account.items() if len(mine) >= FEWEST}
    if not chosen:
        return []
    said = _said(dict(version for mine in chosen.values() for version in mine))
    accounts = Account.objects.defer("secrets").in_bulk(chosen)
    found = [_measured(accounts[id], [said[one] for one, _post in reversed(mine)]) for id, mine in chosen.items()]
    return sorted(found, key=lambda one: (-one.index, one.account.name))


def lately(account: Account, *, but: Post) -> Counter[str]:
    """How often each format is among the last posts of an account, those scheduled among them, `but` for this one."""
    mine = Version.objects.filter(account=account, post__publish_at__isnull=False, sendings__number=0)
    newest = mine.exclude(post=but).order_by("-post__publish_at", "-pk").values_list("pk", "post")[:LAST]
    return Counter(one.format for one in _said(dict(newest)).values())


def format_of(version: int, post: int) -> str:
    return _said({version: post})[version].format


def _said(posts: Mapping[int, int]) -> dict[int, Said]:
    """By version, whose posts these are: its own parts where it has any, else the common ones."""
    parts = Part.objects.filter(post__in=set(posts.values())).exclude(kind=Part.Kind.COMMENT)
    of_film = Q(attachments__media__type__startswith="video/")
    rows = parts.annotate(shown=Count("attachments"), films=Count("attachments", filter=of_film)).order_by("number")
    by_place: dict[tuple[int, int | None], list[tuple[str, int, int]]] = defaultdict(list)
    for post, version, text, shown, films in rows.values_list("post", "version", "text", "shown", "films"):
        by_place[post, version].append((text, shown, films))
    return {
        version: _as_said(by_place.get((post, version)) or by_place.get((post, None), []))
        for version, post in posts.items()
    }


def _as_said(parts: Sequence[tuple[str, int, int]]) -> Said:
    text, shown = " ".join(text for text, _shown, _films in parts), sum(count for _text, count, _films in parts)
    if len(parts) > 1:
        return Said(text, "thread")
    if any(films for _text, _shown, films in parts):
        return Said(text, "film")
    if shown:
        return Said(text, "pictures" if shown > 1 else "picture")
    return Said(text, "link" if _LINK.search(text) else "text")


def _measured(account: Account, posts: Sequence[Said]) -> Sameness:
    greatest = _greatest([checks.grams(one.text) for one in posts])
    commonest, share = Counter(one.format for one in posts).most_common(1)[0]
    likeness, monotony = sum(greatest) / len(greatest), share / len(posts)
    index = round(100 * (LIKENESS * likeness + MONOTONY * monotony))
    return Sameness(
        account, len(posts), index, sum(one >= checks.LIKE for one in greatest), commonest, share
    )  # fmt: skip


def _greatest(grams: Sequence[set[tuple[str, ...]]]) -> list[float]:
    """Of each but the first, how like it is to the one before that is most like it."""
    return [
        max(len(mine & other) / len(mine | other) if mine and other else 0.0 for other in grams[:number])
        for number, mine in enumerate(grams)
        if number
    ]
