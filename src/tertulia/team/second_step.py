"""A second step that an installation demands: whoever has none adds one before anything else is shown."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.conf import settings

from .models import Membership

COUNT = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""Recovery codes alone are none."""


def is_missing(membership: Membership) -> bool:
    """Whether it is demanded of this role and whoever has the role has none."""
    if settings.SECOND_STEP != "everybody" and not (settings.SECOND_STEP and membership.may("brand.manage")):
        return False
    return not is_set_up(membership.user_id)


def is_set_up(user_id: int) -> bool:
    found: bool = Authenticator.objects.filter(user_id=user_id, type__in=COUNT).exists()
    return found
