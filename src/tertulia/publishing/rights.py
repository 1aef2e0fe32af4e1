"""Whether a post may leave on a day: until when the rights of its pictures last, whether whoever made what it passes on
has allowed that, and whether those whom it quotes agree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tertulia.brand.models import Brand
from tertulia.channels.models import RemotePost
from tertulia.community import testimonials
from tertulia.core import bulk, due

from . import queries, saying
from .models import Media, Share, Version
from .problems import Problem

SOON = queries.ENDING
"""So long before its end somebody is told."""


NOT_ALLOWED = gettext_noop(
    "{picture} is a customer's, and nobody has noted how they allowed it. Note it in the library first."
)
ENDED = gettext_noop("{picture} may be used until {day} only.")
S = Share.State
OF_PICTURES = {
    S.NEEDED: gettext_noop(
        "{picture} was made by {who}, who hasn't been asked yet. Ask them on the page of what is shared, or note there "
        "how they allowed it."
    ),
    S.ASKED: gettext_noop(
        "{picture} was made by {who}, who was asked and hasn't said yes yet. Note their answer on the page of what is "
        "shared."
    ),
    S.REFUSED: gettext_noop("{picture} was made by {who}, who doesn't want it to be shared. Take it out of the post."),
    S.ENDED: gettext_noop("{who} doesn't allow {picture} to be shown any more. Take it out of the post."),
}
OF_WORDS = {
    S.NEEDED: gettext_noop(
        "This shares what {who} made, who hasn't been asked yet. Ask them on the page of what is shared, or say there "
        "why that isn't needed."
    ),
    S.ASKED: gettext_noop(
        "This shares what {who} made, who was asked and hasn't said yes yet. Note their answer on the page of what is "
        "shared."
    ),
    S.REFUSED: gettext_noop("This shares what {who} made, who doesn't want that. Cancel the post."),
    S.ENDED: gettext_noop("{who} doesn't allow what this shares to be shown any more. Cancel the post."),
}


class Unallowed(Problem):
    """A picture may not be shown, or somebody not quoted, on the day on which the post leaves."""


def forbids(media: Media, on: date) -> Iterator[str]:
    """Why the picture may not be published on that day."""
    if media.share and not media.share.is_allowed:
        yield _(OF_PICTURES[S(media.share.state)]).format(picture=media.name, who=media.share.name)
    elif not media.is_allowed:
        yield _(NOT_ALLOWED).format(picture=media.name)
    if media.rights_until and on > media.rights_until:
        yield _(ENDED).format(picture=media.name, day=f"{media.rights_until:%d/%m/%Y}")


def forbids_sharing(share: Share) -> Iterator[str]:
    """Why what somebody else made may not be published, apart from pictures."""
    if not share.is_allowed:
        yield _(OF_WORDS[S(share.state)]).format(who=share.name)


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
    if found := _against(drafts, lambda: day_of(leaves_at, brand), brand=brand.pk):
        raise Unallowed(" ".join(found))


def check_again(remote: RemotePost, *, at: datetime) -> None:
    """Of what is laid out and about to leave, the parts that follow it along: rights may have been shortened since.
    Raises `Unallowed`."""
    if found := against(remote, at=at):
        raise Unallowed(" ".join(found))


def against(remote: RemotePost, *, at: datetime) -> list[str]:
    """What stands in the way of that."""
    found = due.rows(_PARTS, [remote.account_id, remote.pk])
    if not found:
        return []
    version, *_rest, has_limited = found[0]
    behind = bulk.find(RemotePost, "id", [part for _, part, is_behind, _ in found if is_behind])
    drafts = [remote.draft, *(each.draft for each in behind)]
    brand = Version.objects.values_list("post__brand", flat=True).get(pk=version) if has_limited else None
    return _against(drafts, partial(_day_of, version, at), brand=brand)


_PARTS = f"""
SELECT mine.version_id, part.remote_id, part.number > mine.number, {testimonials.HAS_LIMITED}
FROM publishing_sending mine JOIN publishing_sending part ON part.version_id = mine.version_id WHERE mine.remote_id = %s
"""  # noqa: S608 — no value stands in it
"""All parts of the version that a part belongs to, and whether quotes have to be looked for: asked before each call
that publishes."""


def _day_of(version_id: int, at: datetime) -> date:
    return _day_in(Version.objects.values_list("post__brand__time_zone", flat=True).get(pk=version_id), at)


def _against(drafts: Collection[Mapping[str, Any]], on: Callable[[], date], *, brand: int | None) -> list[str]:
    """Asks nothing of the database where nobody's pictures or words are in them. With `brand` quotes are looked for."""
    found: list[str] = []
    if shares := {said[saying.SHARE] for said in drafts if saying.SHARE in said}:
        found += [why for one in Share.objects.filter(pk__in=shares).order_by("pk") for why in forbids_sharing(one)]
    if ids := {picture["media"] for said in drafts for picture in said.get("pictures", [])}:
        media, day = Media.objects.filter(pk__in=ids).select_related("share").order_by("pk"), on()
        found += [why for one in media for why in forbids(one, day)]
    if brand:
        found += testimonials.against([said["text"] for said in drafts], brand=brand, on=on())
    return found


def sentences() -> dict[str, str]:
    """What is stored of a refusal in English, and what it is in the present language, in the same order of blanks."""
    some = (NOT_ALLOWED, ENDED, *OF_PICTURES.values(), *OF_WORDS.values())
    names = {"picture": "{}", "day": "{}", "who": "{}"}
    return {one.format(**names): _(one).format(**names) for one in some} | testimonials.sentences()
