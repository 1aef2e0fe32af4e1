"""The first minutes of an installation: the one-time link, and everything that follows from one form."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.text import slugify

from tertulia.brand.models import Brand
from tertulia.team.models import Membership, User
from tertulia.team.permissions import Role

from . import sample, starter

TOKEN_BYTES = 24
LONGEST_SLUG = 50
SAMPLE_NAME = "Horno Candela"


class NotYours(Exception):
    """The link is not, or no longer, the one that was printed."""


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str
    password: str
    language: str


def new_link() -> str:
    """A fresh token for the address `/setup/<token>/`. Only its hash is kept; the one before is dead."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    _file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = _file().with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(_hash(token))
    fresh.replace(_file())
    return token


def check_link(token: str) -> None:
    """Raises `NotYours`."""
    try:
        kept = _file().read_text()
    except OSError:
        kept = ""
    if not kept or not hmac.compare_digest(kept, _hash(token)) or Brand.objects.exists():
        raise NotYours


def set_up(*, token: str, company: dict[str, Any], person: Person, at: datetime) -> Membership:
    """Make the first brand and its first manager, and use the link up. All or nothing. Raises `NotYours`."""
    with _spent(token), transaction.atomic():
        user = User.objects.create_user(person.email, person.password, name=person.name, language=person.language)
        return add_brand(user=user, at=at, **company)


@transaction.atomic
def add_brand(*, user: User, at: datetime, name: str, **fields: Any) -> Membership:
    """A brand that can work at once, with this person as its manager, who takes what nobody else can."""
    brand = Brand.objects.create(name=name, slug=free_slug(name), created_at=at, **fields)
    starter.furnish(brand=brand, at=at, by=user.pk)
    return Membership.objects.create(user=user, brand=brand, role=Role.MANAGER, is_fallback=True, created_at=at)


def add_sample(*, user: User, at: datetime) -> Membership:
    """The sample company beside the person's own: a brand of its own, so that it can go without a trace."""
    with transaction.atomic(), translation.override(user.language):
        theirs = user.memberships.select_related("brand").order_by("pk").first()
        fields = {
            "language": user.language or Brand.Language.SPANISH,
            "treatment": theirs.brand.treatment if theirs else Brand.Treatment.FAMILIAR,
            "region": "MD",
            "is_sample": True,
        }
        membership = add_brand(user=user, at=at, name=SAMPLE_NAME, **fields)
        sample.fill(membership.brand, at=at, by=user)
        membership.brand.refresh_from_db()
    return membership


def free_slug(name: str) -> str:
    """A short name for addresses that no other brand has."""
    wanted = slugify(name)[:LONGEST_SLUG].strip("-") or "marca"
    taken = set(Brand.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(slug for slug in numbered if slug not in taken)


@contextmanager
def _spent(token: str) -> Iterator[None]:
    """The link is used up by a rename, which only one of two at once can do; it comes back if nothing came of it."""
    check_link(token)
    used = _file().with_suffix(".used")
    try:
        _file().rename(used)
    except FileNotFoundError:
        raise NotYours from None
    try:
        yield
    except BaseException:
        used.rename(_file())
        raise
    used.unlink()


def _file() -> Path:
    return Path(settings.HOME) / "keys" / "setup.hash"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
