"""The pictures of a brand: taken in, kept in the data folder, and given out again.

What is kept is what will be sent: a picture by its bytes, whole, without traces of where and with what it was taken.
"""

from __future__ import annotations

import os
import secrets
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.core import activity, pictures, traces
from tertulia.core.html import tidy
from tertulia.team.models import User

from . import activities
from .models import Media
from .problems import Problem

LARGEST = 16 * 1024 * 1024
"""Bytes: the most that a network of ours takes."""
LONGEST_ALT = 1_500


class NotAPicture(Problem):
    """Its bytes are no picture, or not the whole of one."""


class InUse(Problem):
    """A post needs it."""


def add(*, brand: Brand, name: str, content: bytes, by: User, at: datetime, alt: str = "") -> Media:
    """Take a picture into the library; one that is there already is given back. Raises `NotAPicture`."""
    kind, width, height, clean = _checked(content)
    digest = sha256(clean).hexdigest()
    _write(_path(brand.pk, digest), clean)
    with transaction.atomic():
        media, is_new = Media.objects.get_or_create(
            brand=brand, digest=digest,
            defaults={
                "name": _name(name, kind), "type": kind, "size": len(clean), "width": width, "height": height,
                "alt": tidy(alt).strip()[:LONGEST_ALT], "created_by_id": by.pk, "created_at": at,
            },
        )  # fmt: skip
        if is_new:
            activity.record(activities.ADDED, on=media, brand=brand.pk, by=by.pk, at=at, file=media.name)
    return media


@transaction.atomic
def describe(
    *, media: Media, by: User, at: datetime, alt: str = "", credit: str = "", rights_until: date | None = None
) -> None:
    """Say what it shows, whose it is and until when it may be used."""
    media.alt, media.credit = tidy(alt).strip()[:LONGEST_ALT], tidy(credit).strip()[:200]
    media.rights_until = rights_until
    media.save(update_fields=["alt", "credit", "rights_until"])
    activity.record(activities.CHANGED, on=media, brand=media.brand_id, by=by.pk, at=at, file=media.name)


@transaction.atomic
def remove(*, media: Media, by: User, at: datetime) -> None:
    """Take it out of the library, with its bytes. Raises `InUse`."""
    if media.uses.exists():
        raise InUse(_("A post uses this picture. Take it out there first."))
    path = _path(media.brand_id, media.digest)
    activity.record(activities.REMOVED, on=media, brand=media.brand_id, by=by.pk, at=at, file=media.name)
    media.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))


def content(media: Media) -> bytes:
    """Raises `FileNotFoundError` when the data folder has lost it."""
    return kept(media.brand_id, media.digest)


def kept(brand_id: int, digest: str) -> bytes:
    return _path(brand_id, digest).read_bytes()


def too_large() -> str:
    return _("The file is too large: {limit} MB at most.").format(limit=LARGEST // 1024**2)


def _checked(content: bytes) -> tuple[str, int, int, bytes]:
    if len(content) > LARGEST:
        raise NotAPicture(too_large())
    kind, width, height = pictures.measure(content)
    if not kind:
        raise NotAPicture(_("This is no picture. JPEG, PNG, GIF and WebP can be used."))
    if width * height > pictures.MOST_PIXELS:
        raise NotAPicture(
            _("The picture has too many points: {width} × {height}. {limit} million are allowed.").format(
                width=width, height=height, limit=pictures.MOST_PIXELS // 1_000_000
            )
        )
    try:
        return kind, width, height, traces.without(content, kind)
    except traces.Broken:
        raise NotAPicture(_("The picture is damaged or not complete.")) from None


def _name(given: str, kind: str) -> str:
    """What people called it, with the ending that it has by its bytes."""
    stem = tidy(Path(given.replace("\\", "/")).name).rpartition(".")[0] or _("picture")
    return f"{stem[:190]}.{kind.rpartition('/')[2]}"


def _path(brand_id: int, digest: str) -> Path:
    return Path(settings.MEDIA_ROOT) / str(int(brand_id)) / digest[:2] / digest


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and on the disk before the database speaks of it."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with half.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
