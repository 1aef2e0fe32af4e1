"""Saved pieces: what posts say again and again, with its variables filled."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction

from tertulia.brand.models import Brand
from tertulia.core import activity
from tertulia.team.models import User

from . import activities, addresses
from .models import Link, SavedPiece

_VARIABLE = re.compile(r"\{(\w+)(?::([^{}]{1,120}))?\}")


def of(brand: Brand) -> list[SavedPiece]:
    """Texts, then hashtags, then signatures; each by title."""
    order = list(SavedPiece.Kind)
    pieces = SavedPiece.objects.filter(brand=brand)
    return sorted(pieces, key=lambda one: (order.index(SavedPiece.Kind(one.kind)), one.title.lower()))


def filled(texts: list[str], brand: Brand) -> list[str]:
    """With the variables filled: {marca} {brand}, and {enlace:Tienda} {link:Tienda} for a short link of the brand's,
    by its name or its code. One that is unknown, or has ended, stays to be seen."""
    named = {
        found[2].strip().casefold()
        for text in texts
        for found in _VARIABLE.finditer(text)
        if found[2] and found[1].lower() in {"enlace", "link"}
    }
    links = _links(brand) if named else {}

    def value(found: re.Match[str]) -> str:
        name, of_what = found[1].lower(), found[2]
        if of_what is None:
            return brand.name if name in {"marca", "brand"} else found[0]
        code = links.get(of_what.strip().casefold()) if name in {"enlace", "link"} else None
        return addresses.short(code) if code else found[0]

    return [_VARIABLE.sub(value, text) for text in texts]


def _links(brand: Brand) -> dict[str, str]:
    """Codes of the links made by hand that lead somewhere, by name and by code; of two of one name the newer."""
    rows = Link.objects.filter(brand=brand, version__isnull=True, ended_at__isnull=True).order_by("created_at", "pk")
    found: dict[str, str] = {}
    for name, code in rows.values_list("name", "code"):
        found[code.casefold()] = code
        if name:
            found[name.casefold()] = code
    return found


@transaction.atomic
def keep(*, piece: SavedPiece, by: User, at: datetime) -> None:
    """A new piece, or one that was changed."""
    is_new = piece.pk is None
    piece.save()
    what = activities.PIECE_ADDED if is_new else activities.PIECE_CHANGED
    activity.record(what, on=piece, brand=piece.brand_id, by=by.pk, at=at, title=piece.title)


@transaction.atomic
def remove(*, piece: SavedPiece, by: User, at: datetime) -> None:
    """Posts that it was put into stay as they are."""
    activity.record(activities.PIECE_REMOVED, on=piece, brand=piece.brand_id, by=by.pk, at=at, title=piece.title)
    piece.delete()
