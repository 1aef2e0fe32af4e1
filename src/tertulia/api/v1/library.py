"""The library's pictures: found, and brought."""

from __future__ import annotations

from django.utils.translation import gettext as _
from ninja import File, Form, Path, Query, Router
from ninja.files import UploadedFile

from tertulia.core import clock
from tertulia.publishing import library, queries
from tertulia.publishing.models import Media

from .. import paging
from ..access import Call, door
from ..errors import ApiError, invalid, not_found
from .post_shapes import MediaBody, MediaParameters, MediaShape
from .shapes import Id, Page

router = Router(tags=["Library"])

READS = door("posts:read", "publishing.read")


@router.get("/media", response=Page[MediaShape], **READS)
def media(request: Call, filters: Query[MediaParameters]) -> Page[MediaShape]:
    """The brand's pictures, the newest first; with `q` those whose name, description or owner says it."""
    rows = queries.said_in(queries.pictures(request.auth.brand), filters.q)
    found, after = paging.newest(rows, "created_at", after=filters.after, limit=filters.limit)
    return Page[MediaShape](items=[_shape(one) for one in found], next=after)


@router.get("/media/{int:media_id}", response=MediaShape, **READS)
def picture(request: Call, media_id: Path[Id]) -> MediaShape:
    """One picture of the library. 404 for another brand's."""
    found = queries.pictures(request.auth.brand).filter(pk=media_id).first()
    if found is None:
        raise not_found()
    return _shape(found)


@router.post("/media", response={201: MediaShape}, **door("posts:write", "publishing.write"))
def add_picture(request: Call, file: File[UploadedFile], said: Form[MediaBody]) -> MediaShape:
    """Bring a picture, as `multipart/form-data`: JPEG, PNG, GIF or WebP of at most 16 MB.

    It is kept without what a camera leaves in it. One that is there already is given back as it is. 422
    `not_a_picture` for anything else.
    """
    if strange := {*request.POST, *request.FILES} - {"file", "alt"}:
        raise invalid({name[:60]: _("There is no such field.") for name in sorted(strange)})
    if (file.size or 0) > library.LARGEST:
        raise ApiError(413, "too_large", library.too_large())
    return _shape(library.add(
        brand=request.auth.brand, name=file.name or "", content=file.read(), alt=said.alt, by=request.auth.user,
        at=clock.now(),
    ))  # fmt: skip


def _shape(media: Media) -> MediaShape:
    return MediaShape(
        id=media.pk, name=media.name, type=media.type, size=media.size, width=media.width, height=media.height,
        alt=media.alt, credit=media.credit, rights_until=media.rights_until, is_customers=media.is_customers,
        is_allowed=media.is_allowed, created_at=media.created_at,
    )  # fmt: skip
