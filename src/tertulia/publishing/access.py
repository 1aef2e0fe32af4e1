"""Requests that have passed the door of this room."""

from __future__ import annotations

from django_htmx.middleware import HtmxDetails

from tertulia.team.access import BrandRequest
from tertulia.team.models import User


class RoomRequest(BrandRequest):
    """Somebody is signed in, and may be here."""

    user: User
    htmx: HtmxDetails
