"""What each role may do. One table drives the pages, the API, the help and the tests."""

from __future__ import annotations

from functools import cache

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Functions, not job titles: gestor, experto, aprobador, dirección, lector, asesor."""

    MANAGER = "manager", _("manager")
    EXPERT = "expert", _("expert")
    APPROVER = "approver", _("approver")
    DIRECTOR = "director", _("director")
    READER = "reader", _("reader")
    ADVISER = "adviser", _("adviser")


_EVERYONE = frozenset(Role)
_ANSWERING = frozenset({Role.MANAGER, Role.EXPERT, Role.APPROVER})
_MANAGING = frozenset({Role.MANAGER})
_PUBLISHING = frozenset({Role.MANAGER, Role.APPROVER})
_DIRECTING = frozenset({Role.MANAGER, Role.DIRECTOR})

PERMISSIONS: dict[str, frozenset[Role]] = {
    "inbox.read": _EVERYONE,
    "inbox.reply": _ANSWERING,
    "inbox.note": _ANSWERING | {Role.DIRECTOR, Role.ADVISER},
    "inbox.organise": _ANSWERING,  # assign, label, snooze, close, reopen
    "inbox.settings": _MANAGING,  # labels, saved replies, promises, hours
    "publishing.read": _EVERYONE,
    "publishing.write": _ANSWERING,  # posts, pictures, times
    "publishing.publish": _PUBLISHING,  # schedule, publish, delete there, settle what is unknown
    "publishing.stop": _PUBLISHING | _DIRECTING,  # hold everything that is to be published, and let it go on
    "publishing.settings": _MANAGING,
    "people.read": _EVERYONE,
    "people.edit": _ANSWERING,
    "people.data": _DIRECTING,  # export, restrict, erase, retention: what the law lets people ask for
    "channels.manage": _MANAGING,
    "team.read": _EVERYONE,
    "team.manage": _MANAGING,
    "brand.manage": _DIRECTING,
    "brand.create": _MANAGING,
    "api.manage": _MANAGING,
}

WHAT_FOR = {
    Role.MANAGER: _("answers, and sets up channels, team and brand"),
    Role.EXPERT: _("answers what they know about"),
    Role.APPROVER: _("answers, and gives the go-ahead to others"),
    Role.DIRECTOR: _("reads everything, leaves notes, decides about the brand"),
    Role.READER: _("reads, changes nothing"),
    Role.ADVISER: _("from outside: reads and leaves notes"),
}


def allows(role: str, permission: str) -> bool:
    """Raises KeyError for a permission nobody declared: a typo must not pass for a refusal."""
    return role in PERMISSIONS[permission]


def rights(role: str) -> frozenset[str]:
    return frozenset(name for name, roles in PERMISSIONS.items() if role in roles)


def may_grant(role: str) -> list[Role]:
    """The roles that somebody of `role` may give to others: none that can do what they can't."""
    return [other for other in Role if rights(other) <= rights(role)]


@cache
def table(role: str) -> dict[str, dict[str, bool]]:
    """The rights of a role by room, as templates ask for them: {% if can.inbox.reply %}."""
    rooms: dict[str, dict[str, bool]] = {}
    for name, roles in PERMISSIONS.items():
        room, _dot, verb = name.partition(".")
        rooms.setdefault(room, {})[verb] = role in roles
    return rooms
