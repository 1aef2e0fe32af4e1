"""Saved pieces: which there are, one of them, and the list the composer puts them in from, beside what people say of
us."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.community import testimonials
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import pieces
from ..access import RoomRequest
from ..models import SavedPiece
from ..piece_forms import PieceForm


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def show_all(request: RoomRequest, brand: Brand) -> HttpResponse:
    form = PieceForm(request.POST or None, brand=brand)
    if request.method == "POST" and form.is_valid():
        pieces.keep(piece=form.instance, by=request.user, at=clock.now())
        return redirect("publishing:pieces", brand.slug)
    context = {"room": "publishing", "form": form, "pieces": pieces.of(brand)}
    return render(request, "publishing/pieces.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def change(request: RoomRequest, brand: Brand, piece_id: int) -> HttpResponse:
    piece = get_object_or_404(SavedPiece, pk=piece_id, brand=brand)
    form = PieceForm(request.POST or None, instance=piece, brand=brand)
    if request.method == "POST" and form.is_valid():
        pieces.keep(piece=piece, by=request.user, at=clock.now())
        messages.info(request, _("Piece kept."))
        return redirect("publishing:pieces", brand.slug)
    context = {"room": "publishing", "form": form, "piece": SavedPiece.objects.get(pk=piece.pk)}
    return render(request, "publishing/piece.html", context, status=422 if form.errors else 200)


@require_POST
@brand_required("publishing.write")
def remove(request: RoomRequest, brand: Brand, piece_id: int) -> HttpResponse:
    piece = get_object_or_404(SavedPiece, pk=piece_id, brand=brand)
    pieces.remove(piece=piece, by=request.user, at=clock.now())
    messages.info(request, _("“{title}” is gone.").format(title=piece.title))
    return redirect("publishing:pieces", brand.slug)


@require_GET
@brand_required("publishing.write")
def offer(request: RoomRequest, brand: Brand) -> HttpResponse:
    """The pieces with their variables filled, to put into a post; and what people say of us."""
    saved = pieces.of(brand)
    texts = pieces.filled([one.text for one in saved], brand)
    choices = [{"piece": one, "text": text} for one, text in zip(saved, texts, strict=True)]
    template = "publishing/_piece_choice.html" if request.htmx else "publishing/piece_choice.html"
    context = {"choices": choices, "room": "publishing", "testimonials": testimonials.offered(brand, clock.now())}
    return render(request, template, context)
