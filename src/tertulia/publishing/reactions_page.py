"""What a post's own page shows of its reactions."""

from __future__ import annotations

from typing import Any

from tertulia.brand.models import Brand
from tertulia.core import clock

from . import reactions
from .access import RoomRequest
from .models import Post
from .reaction_forms import FiguresForm


def of_post(request: RoomRequest, brand: Brand, post: Post) -> dict[str, Any]:
    """Nothing for one that isn't out anywhere."""
    found = reactions.sheets(post, zone=brand.time_zone)
    if not found:
        return {}
    may_write, now = request.membership.may("publishing.write"), clock.now()
    sheets = [
        (
            sheet,
            FiguresForm(remote=sheet.remote, zone=brand.time_zone, now=now) if may_write and sheet.delivery else None,
        )
        for sheet in found
    ]
    return {"sheets": sheets, "said": reactions.said_under([sheet.remote for sheet in found], brand)}
