"""The part of the list before leaving that looks at the words: those the brand avoids, how people are addressed,
another brand in the place of this one, and the hour at which it leaves where its readers and its writer are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from tertulia.brand import avoided
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import dates
from tertulia.understanding import treatment

from . import addresses

NIGHT, MORNING = 23, 7
SHOWN = 3
"""So many words are named."""
_HANDLES = ("handle", "channel")
_PAGES = ("url", "profile", "origins")
"""Settings of accounts by which a brand is found: names there, and pages of its own."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something amiss: "late" stands in the way, "soon" is for the writer to judge; "note" only tells."""

    tone: str
    says: str
    wording: str = ""
    """The sign of the only one that it is about."""


def words(texts: Sequence[str], brand: Brand) -> Iterator[Line]:
    """What the brand wouldn't say, and how it wouldn't say it."""
    plain = "\n".join(addresses.replaced(text, lambda _address: " ") for text in texts)
    for one in avoided.found(plain, brand):
        says = _("The brand avoids “{word}”: it says “{instead}”.") if one.instead else _("The brand avoids “{word}”.")
        yield Line("soon", says.format(word=one.word, instead=one.instead))
    if found := treatment.strays(plain, treatment=brand.treatment, country=brand.country):
        named = ", ".join(f"«{one}»" for one in found[:SHOWN])
        says = _("The brand addresses people as «{treatment}», and here they read otherwise: {words}.")
        yield Line("soon", says.format(treatment=brand.get_treatment_display(), words=named))


# Another brand.


def strangers(texts: Sequence[str], brand: Brand, others: Sequence[Brand]) -> Iterator[Line]:
    """The writer's other brands, where this one's post names them: by name, handle or page."""
    text = "\n".join(texts)
    if not others or not text.strip():
        return
    found = Account.objects.filter(brand__in=[brand, *others]).values_list("brand", "settings")
    signs: dict[int, set[str]] = {}
    for id, settings in found:
        signs.setdefault(id, set()).update(_signs(settings))
    plain = _plain(re.sub(_name_pattern(brand.name), " ", _plain(text), flags=re.IGNORECASE))
    for other in others:
        theirs = signs.get(other.pk, set()) - signs.get(brand.pk, set())
        if named := _named(other.name, plain) or _signed(theirs, text.lower()):
            says = _("This is for {brand}, and it names another of your brands: {named} ({other}).")
            yield Line("soon", says.format(brand=brand.name, named=named, other=other.name))


def _plain(text: str) -> str:
    """Without accents, capitals as they are."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


def _name_pattern(name: str) -> str:
    return r"(?<![\w@#./])" + r"\s+".join(re.escape(word) for word in _plain(name).split()) + r"(?!\w)"


def _named(name: str, plain: str) -> str:
    """A brand whose name is one common word is meant where that word has a capital like its own."""
    for match in re.finditer(_name_pattern(name), plain, re.IGNORECASE):
        if " " in name or match[0][0].isupper() or name[0].islower():
            return match[0]
    joined = re.escape("".join(_plain(name).split()))
    tag = re.search(rf"[#@]{joined}(?!\w)", plain, re.IGNORECASE)
    return tag[0] if tag else ""


def _signs(settings: object) -> Iterator[str]:
    """ "@ruiz" and "ruiz.example/tienda", in small letters."""
    kept = settings if isinstance(settings, dict) else {}
    for name in _HANDLES:
        if handle := str(kept.get(name) or "").strip().lstrip("@").lower():
            yield f"@{handle}"
    for name in _PAGES:
        for line in str(kept.get(name) or "").split():
            parts = urlsplit(line.lower())
            if parts.hostname and "." in parts.hostname:
                yield parts.hostname.removeprefix("www.") + parts.path.rstrip("/")


def _signed(signs: Iterable[str], text: str) -> str:
    return next(
        (one for one in sorted(signs) if re.search(rf"(?<![\w.-])(?:www\.)?{re.escape(one)}(?![\w-])", text)), ""
    )


# The hour.


def hours(moment: datetime, *, zone: str, brand: Brand, here: str, is_odd: bool, at: datetime) -> Iterator[Line]:
    """The moment at which it leaves, wherever that is another hour; and whether its readers sleep then.

    `zone` that of the post, `here` the writer's own ("" where it isn't known), `is_odd` when clocks change then.
    """
    zones = list(dict.fromkeys(filter(None, [zone, brand.time_zone, here])))
    if is_odd or len({moment.astimezone(ZoneInfo(one)).utcoffset() for one in zones}) > 1:
        zones = zones if len(zones) > 1 else [*zones, "UTC"]
        told = " · ".join(f"{dates.until(moment, now=at, zone=one)} ({one})" for one in zones)
        yield Line("note", _("It leaves: {moments}.").format(moments=told))
    local = moment.astimezone(ZoneInfo(brand.time_zone))
    if local.hour >= NIGHT or local.hour < MORNING:
        says = _("It leaves at {time} where the brand is ({zone}): most people sleep then.")
        yield Line("soon", says.format(time=f"{local:%H:%M}", zone=brand.time_zone))
