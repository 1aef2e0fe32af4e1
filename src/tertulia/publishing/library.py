"""The pictures and films of a brand: taken in, kept in the data folder, and given out again.

What is kept is what will be sent: a picture or film by its bytes, whole, without traces of where and with what it was
taken. A film is copied piece by piece and never in memory as a whole.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.core import activity, films, imaging, malware, pictures, traces
from tertulia.core.html import tidy
from tertulia.core.imaging import Wish
from tertulia.core.outcomes import BadPayload
from tertulia.core.sentences import told
from tertulia.team.models import User

from . import actions, activities, queries, saying, writing
from .models import Media, Post, Share
from .problems import Problem

LARGEST = 16 * 1024 * 1024
"""Bytes: the most that a network of ours takes."""
LONGEST_ALT = 1_500
LONGEST_PERMISSION = 2_000
SMALL_SIDE = 480
"""Points of the longer side of a picture in lists."""
POSTER_SIDE = 960
POSTER = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="480" height="480" viewBox="0 0 24 24">'
    b'<path fill="#5b6472" d="M0 0h24v24H0z"/><path fill="#fff" d="M9 7v10l8-5z"/></svg>'
)
"""What stands for a film of which no browser has taken a picture yet."""
PIECE = 1024 * 1024


class NotAPicture(Problem):
    """Its bytes are no picture, or not the whole of one."""


class NotAFilm(Problem):
    """Its bytes are no film, or not the whole of one."""


class NotChanged(Problem):
    """What was asked of a picture or film can't be done with it."""


class InUse(Problem):
    """A post needs it."""


def take(
    *, brand: Brand, name: str, file: BinaryIO, by: User, at: datetime, alt: str = "", share: Share | None = None
) -> Media:  # fmt: skip
    """Take a file into the library as what its first bytes say; `share` where somebody else made it. Raises `NotAFilm`,
    `NotAPicture`."""
    if _is_film(file):
        return add_film(brand=brand, name=name, file=file, by=by, at=at, alt=alt, share=share)
    file.seek(0)
    return add(brand=brand, name=name, content=file.read(LARGEST + 1), by=by, at=at, alt=alt, share=share)


def file_of(handed_in: UploadedFile[Any]) -> BinaryIO:
    """What somebody chose on a page; a large one lies on the disk and is read from there."""
    return cast(BinaryIO, handed_in.file)


def _is_film(file: BinaryIO) -> bool:
    file.seek(0)
    return bool(films.kind_of(file.read(films.HEAD)))


def add_film(
    *, brand: Brand, name: str, file: BinaryIO, by: User, at: datetime, alt: str = "", share: Share | None = None
) -> Media:  # fmt: skip
    """As `add`, for a film. Raises `NotAFilm`."""
    size = file.seek(0, os.SEEK_END)
    if size > settings.LARGEST_FILM:
        raise NotAFilm(film_too_large())
    film = _film(file)
    _look(file, NotAFilm)
    half = _half(Path(settings.MEDIA_ROOT) / str(int(brand.pk)) / "film")
    try:
        with half.open("x+b") as kept:
            file.seek(0)
            shutil.copyfileobj(file, kept, PIECE)
            films.clean(kept, film)
            _film(kept)  # what was emptied has left it whole
            kept.seek(0)
            digest = file_digest(kept, "sha256").hexdigest()
            os.fsync(kept.fileno())
        path = _path(brand.pk, digest)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return _added(
        brand, digest, name, film.type, by=by, at=at, alt=alt, share=share, size=size, width=film.width,
        height=film.height, seconds=film.seconds, codecs=" ".join(film.codecs)[:80],
    )  # fmt: skip


def _look(file: BinaryIO, problem: type[Problem]) -> None:
    try:
        found = malware.look(file)
    except malware.NotLooked:
        raise problem(_("It can't be looked at for malware right now, so it isn't taken. Try again later.")) from None
    if found:
        raise problem(_("There is malware in it ({name}).").format(name=found))


def _film(file: BinaryIO) -> films.Film:
    try:
        film = films.read(file)
    except films.CutOff:
        raise NotAFilm(_("The film is cut off: its end is missing. Copy it once more from where it comes.")) from None
    except films.NotAFilm:
        raise NotAFilm(_("There is no film in this file. MP4, QuickTime and WebM can be used.")) from None
    except films.NotCleaned:
        raise NotAFilm(
            _("The film holds what a camera noted, in a way that can't be removed here. Save it anew as MP4.")
        ) from None
    except films.Damaged:
        raise NotAFilm(_("The film is damaged: its parts don't fit together.")) from None
    if max(film.width, film.height) > films.MOST_SIDE:
        raise NotAFilm(
            _("The film has too many points: {width} × {height}. {limit} on a side are allowed.").format(
                width=film.width, height=film.height, limit=films.MOST_SIDE
            )
        )
    return film


def set_poster(*, media: Media, content: bytes, by: User, at: datetime) -> None:
    """The picture that stands for a film until it is played: a small one of it. Raises `NotAPicture`."""
    if len(content) > LARGEST or not pictures.kind_of(content):
        raise NotAPicture(_("This is no picture. JPEG, PNG, GIF and WebP can be used."))
    try:
        _type, _width, _height, made = imaging.made(content, Wish(side=POSTER_SIDE, type="image/webp", is_still=True))
    except BadPayload as bad:
        raise NotAPicture(told(bad.why)) from None
    path = _small_path(media)
    path.unlink(missing_ok=True)
    _write(path, made)
    activity.record(activities.CHANGED, on=media, brand=media.brand_id, by=by.pk, at=at, file=media.name)


def has_poster(media: Media) -> bool:
    return media.is_film and _small_path(media).exists()


def add(
    *, brand: Brand, name: str, content: bytes, by: User, at: datetime, alt: str = "", share: Share | None = None
) -> Media:  # fmt: skip
    """Take a picture into the library; one that is there already is given back. Raises `NotAPicture`."""
    kind, width, height, clean = _checked(content)
    _look(io.BytesIO(clean), NotAPicture)
    digest = sha256(clean).hexdigest()
    _write(_path(brand.pk, digest), clean)
    return _added(
        brand, digest, name, kind, by=by, at=at, alt=alt, share=share, size=len(clean), width=width, height=height
    )  # fmt: skip


def _added(
    brand: Brand, digest: str, name: str, kind: str, *, by: User, at: datetime, alt: str, share: Share | None,
    **measures: Any,
) -> Media:  # fmt: skip
    """One that is there already becomes somebody's, too, where it was nobody's: then nothing shows it unasked."""
    with transaction.atomic():
        media, is_new = Media.objects.get_or_create(
            brand=brand, digest=digest,
            defaults={
                "name": _name(name, kind), "type": kind, "alt": tidy(alt).strip()[:LONGEST_ALT],
                "created_by_id": by.pk, "created_at": at, "share": share, "is_customers": share is not None, **measures,
            },
        )  # fmt: skip
        if is_new:
            activity.record(activities.ADDED, on=media, brand=brand.pk, by=by.pk, at=at, file=media.name)
        elif share and media.share_id is None:
            media.share, media.is_customers = share, True
            media.save(update_fields=["share", "is_customers"])
    return media


@transaction.atomic
def describe(
    *, media: Media, by: User, at: datetime, alt: str = "", credit: str = "", rights_until: date | None = None,
    is_customers: bool = False, permission: str = "",
) -> None:  # fmt: skip
    """Say what it shows, whose it is, who allowed it and until when it may be used; of what was taken from somebody's
    message its `share` alone says who allowed it."""
    media.alt, media.credit = tidy(alt).strip()[:LONGEST_ALT], tidy(credit).strip()[:200]
    media.rights_until = rights_until
    if media.share_id is None:
        media.is_customers, media.permission = is_customers, tidy(permission).strip()[:LONGEST_PERMISSION]
    media.save(update_fields=["alt", "credit", "rights_until", "is_customers", "permission"])
    activity.record(activities.CHANGED, on=media, brand=media.brand_id, by=by.pk, at=at, file=media.name)


@transaction.atomic
def remove(*, media: Media, by: User, at: datetime) -> None:
    """Take it out of the library, with its bytes. Raises `InUse`."""
    if media.uses.exists():
        raise InUse(_("A post uses it. Take it out there first."))
    activity.record(activities.REMOVED, on=media, brand=media.brand_id, by=by.pk, at=at, file=media.name)
    media.delete()
    forget_file(media)


def _forget(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def forget_file(media: Media) -> None:
    """Its bytes go, once all this is true, and whatever shows it shows nothing."""
    paths = [_path(media.brand_id, media.digest), _small_path(media)]
    transaction.on_commit(lambda: _forget(paths))


def reshape(
    *, media: Media, by: User, at: datetime, turn: int = 0,
    crop: tuple[float | None, float | None, float, float] | None = None, shape: tuple[int, int] | None = None,
) -> Media:  # fmt: skip
    """A new picture, turned clockwise or cut; the one it is made from stays. What is said of that holds for it too.

    Raises `NotChanged`, `NotAPicture`.
    """
    if media.is_film:
        raise NotChanged(_("Films can't be cut or turned here."))
    try:
        _kind, _width, _height, shaped = imaging.made(content(media), Wish(turn=turn, crop=crop, shape=shape))
    except FileNotFoundError:
        raise NotChanged(_("The file of this picture is lost.")) from None
    except BadPayload as bad:
        raise NotChanged(told(bad.why)) from None
    made = add(
        brand=media.brand, name=media.name, content=shaped, by=by, at=at, alt=media.alt, share=media.share
    )  # fmt: skip
    if made.pk != media.pk:
        _say_the_same(made, media)
    if made.pk > media.pk and made.made_from is None:  # turned back, it can be an older one again
        made.made_from = media
        made.save(update_fields=["made_from"])
    return made


def replace(*, media: Media, name: str, file: BinaryIO, by: User, at: datetime) -> tuple[Media, list[Post]]:
    """Put another picture in its place wherever it has not begun to leave; it stays where it has left, and in the
    library. Gives the new one and the posts that now show it. Raises `NotAPicture`, `NotAFilm`, `Problem`.
    """
    if _is_film(file) != media.is_film:
        raise NotChanged(_("A picture can be replaced by a picture, and a film by a film."))
    # Looking through a large film and copying it holds up nobody who writes; it stays in the library whatever follows.
    made = take(brand=media.brand, name=name, file=file, by=by, at=at, alt=media.alt, share=media.share)
    if made.pk == media.pk:
        return made, []
    with transaction.atomic():
        _say_the_same(made, media)
        changed = []
        for post in queries.whole(media.brand).filter(parts__attachments__media=media).distinct().order_by("pk"):
            states = queries.standing(post).versions.values()
            if states and queries.OPEN.isdisjoint(states):
                continue
            written = writing.from_post(post)
            written.swap(media.pk, made.pk)
            actions.save(
                post=post, seen=post.revision, title=written.title, pieces=written.pieces, versions=written.versions,
                by=by, at=at,
            )  # fmt: skip
            changed.append(post)
    return made, changed


def _say_the_same(made: Media, of: Media) -> None:
    """A picture made from another, or put in its place, is as little its own as that."""
    for name in ("credit", "rights_until", "is_customers", "permission"):
        if not getattr(made, name):
            setattr(made, name, getattr(of, name))
    made.save(update_fields=["credit", "rights_until", "is_customers", "permission"])


def small(media: Media) -> tuple[str, bytes]:
    """Type and bytes of a small one for lists, made when it is first looked at; the picture itself where that can't
    be. Raises `FileNotFoundError` when the data folder has lost it."""
    path = _small_path(media)
    if path.exists():
        return "image/webp", path.read_bytes()
    if media.is_film:
        return "image/svg+xml", POSTER
    whole = content(media)
    try:
        _kind, _width, _height, made = imaging.made(
            whole, Wish(side=SMALL_SIDE, most=60_000, type="image/webp", is_still=True)
        )
    except BadPayload:
        return media.type, whole
    _write(path, made)
    return "image/webp", made


def to_send(brand_id: int, picture: Mapping[str, Any]) -> bytes:
    """A picture or film as `saying.pictured` speaks of it: smaller than it is kept, where the network takes no more.

    Raises `FileNotFoundError`, and `BadPayload` where it can't be made smaller.
    """
    whole = kept(brand_id, picture["digest"])
    if not (most := picture.get(saying.SHRUNK)):
        return whole
    wish = Wish(type=picture["type"], most=most["bytes"] or 0, most_pixels=most["pixels"] or 0)
    return imaging.made(whole, wish)[3]


def content(media: Media) -> bytes:
    """Raises `FileNotFoundError` when the data folder has lost it."""
    return kept(media.brand_id, media.digest)


def kept(brand_id: int, digest: str) -> bytes:
    return _path(brand_id, digest).read_bytes()


def opened(brand_id: int, digest: str) -> BinaryIO:
    """Its file, to be given out piece by piece. Raises `FileNotFoundError`."""
    return _path(brand_id, digest).open("rb")


def is_kept(brand_id: int, digest: str) -> bool:
    return _path(brand_id, digest).exists()


def too_large() -> str:
    return _("The file is too large: {limit} MB at most.").format(limit=LARGEST // 1024**2)


def film_too_large() -> str:
    return _("The film is too large: {limit} MB at most.").format(limit=settings.LARGEST_FILM // 1024**2)


def _checked(content: bytes) -> tuple[str, int, int, bytes]:
    kind, width, height = pictures.measure(content)
    if not kind:
        raise NotAPicture(
            _("This is neither a picture nor a film: JPEG, PNG, GIF and WebP can be used, MP4, QuickTime and WebM.")
        )
    if len(content) > LARGEST:
        raise NotAPicture(too_large())
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


def _small_path(media: Media) -> Path:
    return Path(settings.MEDIA_ROOT) / str(int(media.brand_id)) / "small" / media.digest


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and on the disk before the database speaks of it."""
    if path.exists():
        return
    half = _half(path)
    with half.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _half(path: Path) -> Path:
    """Where it is written until it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")
