"""What each role may do. One table drives the pages, the API, the help and the tests."""

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
_DIRECTING = frozenset({Role.MANAGER, Role.DIRECTOR})

PERMISSIONS: dict[str, frozenset[Role]] = {
    "inbox.read": _EVERYONE,
    "inbox.reply": _ANSWERING,
    "inbox.note": _ANSWERING | {Role.DIRECTOR, Role.ADVISER},
    "inbox.organise": _ANSWERING,  # assign, label, snooze, close, reopen
    "inbox.settings": _MANAGING,  # labels, saved replies, promises, hours
    "people.read": _EVERYONE,
    "people.edit": _ANSWERING,
    "channels.manage": _MANAGING,
    "team.read": _EVERYONE,
    "team.manage": _MANAGING,
    "brand.manage": _DIRECTING,
    "api.manage": _MANAGING,
}


def allows(role: str, permission: str) -> bool:
    """Raises KeyError for a permission nobody declared: a typo must not pass for a refusal."""
    return role in PERMISSIONS[permission]
