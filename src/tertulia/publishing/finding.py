"""Which posts somebody looks for: on the calendar, or among all there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet

from tertulia.brand.models import Brand
from tertulia.core import bulk
from tertulia.core.html import tidy
from tertulia.core.unaccented import unaccented

from . import queries
from .models import Part, Post, Version

PLACES = {
    "draft": "draft", "changes": "draft", "approved": "draft", "approval": "approval", "scheduled": "scheduled",
    "publishing": "scheduled", "by_hand": "stuck", "missed": "stuck", "failed": "stuck", "unknown": "stuck",
    "partly": "stuck", "published": "published",
}  # fmt: skip
"""By state, the column of the board."""
STAGES = (*dict.fromkeys(PLACES.values()), "cancelled", "deleted")
LOOKED_AT, AT_ONCE = 2_000, 500
"""Of posts that may stand as is looked for, so many are looked at for one page, and so many in one statement."""


@dataclass(frozen=True, slots=True)
class Filters:
    """`account` and `campaign` are ids, `state` is one of `STAGES`; "" asks for nothing."""

    account: str = ""
    campaign: str = ""
    state: str = ""
    q: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Filters:
        """What is none of these is left out."""

        def number(name: str) -> str:
            value = given.get(name, "")
            return value if value.isdecimal() and value.isascii() and len(value) < 19 else ""

        state = given.get("state", "")
        words = " ".join(tidy(given.get("q", "")).split())[:100]
        return cls(number("account"), number("campaign"), state if state in STAGES else "", words)

    @property
    def said(self) -> dict[str, str]:
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}

    @property
    def query(self) -> str:
        return urlencode(self.said)

    def near(self, posts: QuerySet[Post]) -> QuerySet[Post]:
        """Those that are looked for; by state as near as the database tells it: `those_standing` looks closer."""
        if self.account:
            posts = posts.filter(Exists(Version.objects.filter(post=OuterRef("pk"), account=int(self.account))))
        if self.campaign:
            posts = posts.filter(campaign=int(self.campaign))
        for word in unaccented(self.q).split()[:10]:
            says = Exists(Part.objects.filter(post=OuterRef("pk"), text__unaccented__contains=word))
            posts = posts.filter(Q(title__unaccented__contains=word) | says)
        return queries.nearly(posts, *self._states) if self.state else posts

    @property
    def _states(self) -> list[str]:
        return [state for state in Post.State if PLACES.get(state, state) == self.state]

    def those_standing(self, posts: Sequence[Post]) -> list[Post]:
        standings = queries.standings(posts) if self.state else {}
        return [post for post in posts if not self.state or standings[post.pk].state in self._states]

    def standing(self, brand: Brand, ids: Sequence[int]) -> Iterable[int]:
        """Those of so many posts of the brand that stand as is looked for."""
        if not self.state:
            return ids
        parts = (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))
        return {
            post.pk for part in parts for post in self.those_standing(bulk.find(Post, "id", part, brand_id=brand.pk))
        }

    def page(self, posts: QuerySet[Post], most: int) -> tuple[list[int], int | None]:
        """The first of these posts that are looked for, in their order, and the one after which the next page begins.
        By state a page may be short, even empty, while there are more to come."""
        near, found = self.near(posts), list[int]()
        if not self.state:
            found = list(near.values_list("pk", flat=True)[: most + 1])
            return found[:most], found[most - 1] if len(found) > most else None
        last = None
        for at in range(0, LOOKED_AT, AT_ONCE):
            some = list(near[at : at + AT_ONCE])
            found += [post.pk for post in self.those_standing(some)]
            if len(found) > most:
                return found[:most], found[most - 1]
            if len(some) < AT_ONCE:
                return found, None
            last = some[-1].pk
        return found, last
