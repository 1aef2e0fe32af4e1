"""Signed-in colleagues of the sample company, and the conversations a page can be asked for."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from tertulia.brand.models import Brand
from tertulia.team.models import Membership, User


def brand() -> Brand:
    return Brand.objects.get(slug="horno-candela")


def colleagues() -> list[User]:
    return [row.user for row in Membership.objects.filter(brand=brand()).select_related("user").order_by("user_id")]


def sign_in(user: User) -> str:
    """A session as the sign-in page leaves it; returns the cookie."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
