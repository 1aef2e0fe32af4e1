"""What the page shell needs on every page, without a query of its own on pages of a brand."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.core.backup import keeping

from .access import memberships_of
from .models import Membership
from .permissions import table


def shell(request: HttpRequest) -> dict[str, Any]:
    """The brand in the address, the brands to switch to, what is unread, and what the reader may do (`can`)."""
    membership = getattr(request, "membership", None)
    unread = membership.unread if membership else 0
    return {
        "brand": getattr(request, "brand", None),
        "membership": membership,
        "can": table(membership.role) if membership else {},
        "brands": SimpleLazyObject(lambda: _brands(request)),
        "unread_notifications": unread,
        "notifications_say": ngettext("Notifications: %(n)s new", "Notifications: %(n)s new", unread) % {"n": unread},
        "work_is_silent": membership is not None and not membership.hears_work,
        "backup_says": _of_backups(membership) if membership and membership.may("brand.manage") else "",
    }


def _of_backups(membership: Membership) -> str:
    if keeping.failure():
        return _("The last backup could not be made.")
    is_late = keeping.is_late(clock.now(), since=membership.brand.created_at)
    return _("There is no backup of the last 26 hours.") if is_late else ""


def _brands(request: HttpRequest) -> list[Brand]:
    user = getattr(request, "user", None)
    return [one.brand for one in memberships_of(request)] if user is not None and user.is_authenticated else []
