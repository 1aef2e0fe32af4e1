"""The reading list and an article."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.middleware import HtmxDetails

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import clock
from tertulia.core.html import render as rendered
from tertulia.team.access import BrandRequest, brand_required
from tertulia.team.models import User

from . import actions, queries


class ReadingRequest(BrandRequest):
    """A request that has passed `brand_required`: somebody is signed in, and htmx says what it wants."""

    user: User
    htmx: HtmxDetails


@require_GET
@brand_required("inbox.read")
def show_reading(request: ReadingRequest, brand: Brand) -> HttpResponse:
    """The list; asked by the page itself, only its rows."""
    filters = queries.Filters.read(request.GET)
    sources = queries.sources(brand)
    shelf = queries.shelf(brand, request.user, sources, filters, after=request.GET.get("after", ""))
    context = {"room": "reading", "reading": filters, "sources": sources, "rows": shelf.rows, **_links(filters, shelf)}
    return render(request, "listening/_rows.html" if request.htmx else "listening/reading.html", context)


def _links(filters: queries.Filters, shelf: queries.Shelf) -> dict[str, str]:
    """Addresses of the list with one thing changed."""
    here = {"source": filters.source or "", "only": filters.only, "q": filters.q}

    def address(**change: Any) -> str:
        return "?" + urlencode({name: value for name, value in {**here, **change}.items() if value})

    return {
        "all_link": address(only="", source="", q=""),
        "unread_link": address(only="unread"),
        "starred_link": address(only="starred"),
        "more_link": address(after=shelf.after) if shelf.after else "",
        "only_query": f"&only={filters.only}" if filters.only else "",
    }


@require_GET
@brand_required("inbox.read")
def show_article(request: ReadingRequest, brand: Brand, article_id: int) -> HttpResponse:
    """An article as it came, without anything that could run or phone home. Opening it is reading it."""
    article = _find(brand, article_id)
    actions.mark_read(article=article, by=request.user, at=clock.now())
    context = {
        "room": "reading",
        "row": queries.row_of(brand, request.user, article),
        "body": rendered(article.text, article.html),
    }
    return render(request, "listening/article.html", context)


@require_POST
@brand_required("inbox.read")
def star(request: ReadingRequest, brand: Brand, article_id: int) -> HttpResponse:
    article = _find(brand, article_id)
    actions.star(article=article, by=request.user, at=clock.now())
    return _starred(request, brand, article)


@require_POST
@brand_required("inbox.read")
def unstar(request: ReadingRequest, brand: Brand, article_id: int) -> HttpResponse:
    article = _find(brand, article_id)
    actions.unstar(article=article, by=request.user)
    return _starred(request, brand, article)


@require_POST
@brand_required("inbox.read")
def catch_up(request: ReadingRequest, brand: Brand) -> HttpResponse:
    actions.catch_up(brand=brand, by=request.user, at=clock.now())
    return redirect("listening:reading", brand.slug)


def _starred(request: ReadingRequest, brand: Brand, article: Message) -> HttpResponse:
    if request.htmx:
        return render(request, "listening/_star.html", {"row": queries.row_of(brand, request.user, article)})
    return redirect(reverse("listening:article", args=[brand.slug, article.pk]))


def _find(brand: Brand, article_id: int) -> Message:
    try:
        return queries.article_of(brand, article_id)
    except Message.DoesNotExist:
        raise Http404 from None
