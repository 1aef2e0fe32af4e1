"""Whether a post may leave on a day: until when the rights of its pictures last, whether customers have allowed them,
and whether those whom it quotes agree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tertulia.brand.models import Brand
from tertulia.channels.models import RemotePost
from tertulia.community import testimonials
from tertulia.core import bulk, due

from . import queries, saying
from .models import Media, Version
from .problems import Problem

SOON = queries.ENDING
"""So long before its end somebody is told."""


NOT_ALLOWED = gettext_noop(
    "{picture} is a customer's, and nobody has noted how they allowed it. Note it in the library first."
)
ENDED = gettext_noop("{picture} may be used until {day} only.")


class Unallowed(Problem):
    """A picture may not be shown, or somebody not quoted, on the day on which the post leaves."""


def forbids(media: Media, on: date) -> Iterator[str]:
    """Why the picture may not be published on that day."""
    if media.is_customers and not media.permission.strip():
        yield _(NOT_ALLOWED).format(picture=media.name)
    if media.rights_until and on > media.rights_until:
        yield _(ENDED).format(picture=media.name, day=f"{media.rights_until:%d/%m/%Y}")


def warns(media: Media, on: date) -> Iterator[str]:
    """What is still allowed on that day, and not for much longer."""
    if media.rights_until and on <= media.rights_until < on + SOON:
        says = _("The rights to {picture} end on {day}: it has to be taken down by then.")
        yield says.format(picture=media.name, day=f"{media.rights_until:%d/%m/%Y}")


def day_of(moment: datetime, brand: Brand) -> date:
    """The day that counts for rights: the brand's own."""
    return _day_in(brand.time_zone, moment)


def _day_in(time_zone: str, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(time_zone)).date()


def check(versions: Iterable[Version], *, brand: Brand, leaves_at: datetime) -> None:
    """Raises `Unallowed` with all that stands in the way."""
    drafts = [said for version in versions for said in saying.spoken(version)]
    if found := _against(drafts, brand=brand.pk, on=day_of(leaves_at, brand)):
        raise Unallowed(" ".join(found))


def check_again(remote: RemotePost, *, at: datetime) -> None:
    """Of what is laid out and about to leave, the parts that follow it along: rights may have been shortened since.
    Raises `Unallowed`."""
    if found := against(remote, at=at):
        raise Unallowed(" ".join(found))


def against(remote: RemotePost, *, at: datetime) -> list[str]:
    """What stands in the way of that."""
    found = due.rows(_PARTS, [remote.account_id, remote.pk])
    behind = bulk.find(RemotePost, "id", [part for _, part, is_behind, _ in found if is_behind])
    drafts = [remote.draft, *(each.draft for each in behind)]
    if not found or not (found[0][3] or _shown(drafts)):
        return []
    brands = Version.objects.filter(pk=found[0][0]).values_list("post__brand", "post__brand__time_zone")
    return [why for brand, zone in brands for why in _against(drafts, brand=brand, on=_day_in(zone, at))]


_PARTS = f"""
SELECT mine.version_id, part.remote_id, part.number > mine.number, {testimonials.HAS_LIMITED}
FROM publishing_sending mine JOIN publishing_sending part ON part.version_id = mine.version_id WHERE mine.remote_id = %s
"""  # noqa: S608 — no value stands in it
"""All parts of the version that a part belongs to, and whether quotes have to be looked for: asked before each call
that publishes."""


def _shown(drafts: Iterable[Mapping[str, Any]]) -> set[int]:
    """The pictures in them."""
    return {picture["media"] for said in drafts for picture in said.get("pictures", [])}


def _against(drafts: Collection[Mapping[str, Any]], *, brand: int, on: date) -> list[str]:
    ids = _shown(drafts)
    media = Media.objects.filter(pk__in=ids).order_by("pk") if ids else ()
    quotes = testimonials.against([said["text"] for said in drafts], brand=brand, on=on)
    return [*(why for one in media for why in forbids(one, on)), *quotes]


def sentences() -> dict[str, str]:
    """What is stored of a refusal in English, and what it is in the present language."""
    blank = {"picture": "{}", "day": "{}"}
    own = {one.format(**blank): _(one).format(**blank) for one in (NOT_ALLOWED, ENDED)}
    return own | testimonials.sentences()
