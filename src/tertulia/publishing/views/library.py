"""The library's pages: its pictures and films, and all that is known of one."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock, ranges
from tertulia.team.access import brand_required

from .. import library, queries, rights
from ..access import RoomRequest
from ..forms import CropForm, DetailsForm, LibraryFilter
from ..models import Media
from ..problems import Problem

MOST_AT_ONCE = 50
"""Files that one form may bring."""


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.read")
def show(request: RoomRequest, brand: Brand) -> HttpResponse:
    """All pictures, or those that are looked for; a POST brings new ones."""
    if request.method == "POST":
        if not request.membership.may("publishing.write"):
            raise PermissionDenied
        return _add(request, brand)
    form = LibraryFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    today = rights.day_of(clock.now(), brand)
    shelf = queries.shelf(brand, today=today, **asked)
    context = {
        "room": "publishing", "shelf": shelf, "q": asked.get("q") or "", "which": asked.get("which") or "",
        "filters": queries.SHELVES, "today": today, "soon": today + rights.SOON,
        "most": settings.LARGEST_FILM // 1024**2,
        "bare": [one.pk for one in shelf.media if one.is_film and not library.has_poster(one)],
    }  # fmt: skip
    return render(request, "publishing/library.html", context)


def _add(request: RoomRequest, brand: Brand) -> HttpResponse:
    added = 0
    files = request.FILES.getlist("file")
    for file in files[:MOST_AT_ONCE]:
        if media := _taken(request, brand, file):
            added += 1
            last = media
    if not files:
        messages.error(request, _("Choose a file."))
    if len(files) > MOST_AT_ONCE:
        messages.error(request, _("{n} files at once: the others were not taken.").format(n=MOST_AT_ONCE))
    if added == 1:
        return redirect("publishing:media_page", brand.slug, last.pk)
    if added:
        messages.success(request, ngettext("{n} file added.", "{n} files added.", added).format(n=added))
    return redirect("publishing:media", brand.slug)


def _taken(request: RoomRequest, brand: Brand, file: UploadedFile[Any]) -> Media | None:
    """What one file became; what is amiss with it is said by its name, and the others go on."""
    alt = request.POST.get("alt", "")
    try:
        return library.take(
            brand=brand, name=file.name or "", file=library.file_of(file), alt=alt, by=request.user, at=clock.now()
        )  # fmt: skip
    except Problem as problem:
        messages.error(request, f"{file.name}: {problem}")
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.read")
def show_one(request: RoomRequest, brand: Brand, media_id: int) -> HttpResponse:
    """What is known of a picture; a POST says it anew."""
    media = _media(brand, media_id)
    form = DetailsForm(request.POST if request.method == "POST" else None, instance=media)
    if request.method == "POST":
        if not request.membership.may("publishing.write"):
            raise PermissionDenied
        if form.is_valid():
            kept = _media(brand, media_id)
            library.describe(media=kept, by=request.user, at=clock.now(), **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("publishing:media_page", brand.slug, media.pk)
        media = _media(brand, media_id)
    today = rights.day_of(clock.now(), brand)
    uses = queries.uses(media)
    context = {
        "room": "publishing", "media": media, "form": form, "has_poster": library.has_poster(media),
        "uses": [(post, _after(media, post, brand)) for post in uses],
        "made": queries.pictures(brand).filter(made_from=media), "forbids": list(rights.forbids(media, today)),
        "warns": list(rights.warns(media, today)), "crop_form": CropForm(), "back": request.GET.get("back", ""),
        "back_url": _composer(brand, request.GET.get("back", "")),
    }  # fmt: skip
    return render(request, "publishing/media.html", context, status=422 if form.errors else 200)


def _after(media: Media, post: object, brand: Brand) -> bool:
    """The post leaves on a day on which the picture may no longer be shown."""
    leaves_at = getattr(post, "publish_at", None)
    return bool(
        media.rights_until and leaves_at and leaves_at > clock.now()
        and rights.day_of(leaves_at, brand) > media.rights_until
    )  # fmt: skip


@require_POST
@brand_required("publishing.write")
def remove(request: RoomRequest, brand: Brand, media_id: int) -> HttpResponse:
    media = _media(brand, media_id)
    try:
        library.remove(media=media, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("publishing:media_page", brand.slug, media_id)
    messages.success(request, _("{file} is removed.").format(file=media.name))
    return redirect("publishing:media", brand.slug)


@require_POST
@brand_required("publishing.write")
def replace(request: RoomRequest, brand: Brand, media_id: int) -> HttpResponse:
    """Another file in its place."""
    media, file = _media(brand, media_id), request.FILES.get("file")
    if file is None:
        messages.error(request, _("Choose a file."))
        return redirect("publishing:media_page", brand.slug, media.pk)
    try:
        made, posts = library.replace(
            media=media, name=file.name or "", file=library.file_of(file), by=request.user, at=clock.now()
        )
    except Problem as problem:
        messages.error(request, f"{file.name}: {problem}")
        return redirect("publishing:media_page", brand.slug, media.pk)
    says = ngettext("{n} post shows the new one now.", "{n} posts show the new one now.", len(posts))
    messages.success(request, says.format(n=len(posts)))
    return redirect("publishing:media_page", brand.slug, made.pk)


@require_POST
@brand_required("publishing.write")
def set_poster(request: RoomRequest, brand: Brand, media_id: int) -> HttpResponse:
    """A picture that a browser took of a film while it showed it."""
    media, file = _media(brand, media_id), request.FILES.get("poster")
    if not media.is_film or file is None:
        raise Http404
    try:
        library.set_poster(media=media, content=file.read(library.LARGEST + 1), by=request.user, at=clock.now())
    except Problem as problem:
        return HttpResponse(str(problem), status=422, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)


@require_POST
@brand_required("publishing.write")
def reshape(request: RoomRequest, brand: Brand, media_id: int) -> HttpResponse:
    """A new picture, cut or turned; this one stays. Whoever came from the composer is led back, with it in the place of
    this one."""
    media, back_url = _media(brand, media_id), _composer(brand, request.POST.get("back", ""))
    here = reverse("publishing:media_page", args=[brand.slug, media.pk])
    here += f"?back={request.POST['back']}" if back_url else ""
    form = CropForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(_says(form.errors.values())))
        return redirect(here)
    try:
        made = library.reshape(media=media, by=request.user, at=clock.now(), **form.wish)
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect(here)
    if made.pk != media.pk:
        messages.success(request, _("A new picture. The one it was made from is still in the library."))
    if back_url:
        return redirect(f"{back_url}?media={made.pk}&instead={media.pk}")
    return redirect("publishing:media_page", brand.slug, made.pk)


def _composer(brand: Brand, back: str) -> str:
    """The page of the composer that somebody came from, "new" or a post's number; "" when from none."""
    if back == "new":
        return reverse("publishing:beginning", args=[brand.slug])
    is_id = back.isdecimal() and back.isascii() and len(back) < 19
    return reverse("publishing:text", args=[brand.slug, int(back)]) if is_id else ""


def _says(errors: Iterable[Iterable[object]]) -> list[str]:
    return [str(one) for some in errors for one in some]


@require_GET
@brand_required("publishing.read")
def show_file(request: RoomRequest, brand: Brand, media_id: int) -> HttpResponseBase:
    """A picture or film of the library. Its name never leads to a file, and it runs nothing."""
    media = _media(brand, media_id)
    try:
        if media.is_film:
            file = library.opened(brand.pk, media.digest)
            return ranges.answer(request, file, kind=media.type, name=media.name, tag=media.digest)
        return _file(media.type, library.content(media), media.name)
    except FileNotFoundError:
        raise Http404 from None


@require_GET
@brand_required("publishing.read")
def show_small(request: RoomRequest, brand: Brand, media_id: int) -> FileResponse:
    """A small one of it, for lists."""
    media = _media(brand, media_id)
    try:
        return _file(*library.small(media), media.name)
    except FileNotFoundError:
        raise Http404 from None


def _file(kind: str, content: bytes, name: str) -> FileResponse:
    answer = FileResponse(io.BytesIO(content), filename=name, content_type=kind)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _media(brand: Brand, media_id: int) -> Media:
    return get_object_or_404(Media.objects.select_related("brand", "made_from", "share"), pk=media_id, brand=brand)
