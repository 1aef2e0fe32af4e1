"""News on the company's own page: public, without cookies, the same for everybody and so kept by caches for a while."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from hashlib import sha256
from pathlib import Path

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound, HttpResponseNotModified
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.http import require_safe

from tertulia.channels.models import Account, RemotePost
from tertulia.core import films, ranges
from tertulia.flows import news
from tertulia.publishing import library

ON_A_PAGE = 12
A_MINUTE, AN_HOUR = 60, 3_600
SCRIPT = Path(__file__).parent.parent / "static" / "flows" / "news.js"


def of_company(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """In the language of the brand, whoever asks."""

    @require_safe
    @wraps(view)
    def door(request: HttpRequest, public_key: str, **which: int) -> HttpResponseBase:
        try:
            account = news.account_of(public_key)
        except Account.DoesNotExist:
            return HttpResponseNotFound()
        with translation.override(account.brand.language):
            try:
                return view(request, account, **which)
            except (RemotePost.DoesNotExist, FileNotFoundError):
                return _page(request, account, "flows/news_gone.html", {"is_gone": False}, status=404)
            except news.Gone:
                return _page(request, account, "flows/news_gone.html", {"is_gone": True}, status=410)

    return door


@of_company
def show_list(request: HttpRequest, account: Account) -> HttpResponse:
    page = Paginator(news.published(account), ON_A_PAGE).get_page(request.GET.get("page"))
    said = {"page": page, "items": news.items(account, list(page.object_list))}
    return _page(request, account, "flows/news.html", said)


@of_company
def show_item(request: HttpRequest, account: Account, news_id: int) -> HttpResponse:
    return _page(request, account, "flows/news_item.html", {"item": news.item(account, news_id)})


@of_company
def show_picture(request: HttpRequest, account: Account, news_id: int, number: int) -> HttpResponseBase:
    said = news.picture(account, news_id, number)
    answer: HttpResponseBase
    if said["type"] in films.TYPES:
        file = library.opened(account.brand_id, said["digest"])
        answer = ranges.answer(request, file, kind=said["type"], name=said["name"], tag=said["digest"])
        answer["Cache-Control"] = f"public, max-age={AN_HOUR}"
    else:
        answer = _cached(request, library.kept(account.brand_id, said["digest"]), said["type"], seconds=AN_HOUR)
        answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@of_company
def rss(request: HttpRequest, account: Account) -> HttpResponse:
    feed = news.rss(account, _newest(account))
    return _open(_cached(request, feed, "application/rss+xml; charset=utf-8"))


@of_company
def json_feed(request: HttpRequest, account: Account) -> HttpResponse:
    feed = json.dumps(news.json_feed(account, _newest(account)), ensure_ascii=False).encode()
    return _open(_cached(request, feed, "application/feed+json; charset=utf-8"))


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """What a page embeds to show the latest."""
    answer = _cached(request, SCRIPT.read_bytes(), "text/javascript; charset=utf-8", seconds=AN_HOUR)
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


def _newest(account: Account) -> list[news.Item]:
    return news.items(account, list(news.published(account)[: news.IN_FEED]))


def _page(
    request: HttpRequest, account: Account, template: str, said: Mapping[str, object], *, status: int = 200
) -> HttpResponse:
    facts = {
        "account": account, "brand": account.brand, "home": news.home(account), "here": news.whole(request.path),
        "language": account.brand.language, **said,
    }  # fmt: skip
    answer = _cached(request, render_to_string(template, facts).encode(), "text/html; charset=utf-8", status=status)
    answer["Content-Language"] = account.brand.language
    return answer


def _cached(
    request: HttpRequest, body: bytes, kind: str, *, seconds: int = A_MINUTE, status: int = 200
) -> HttpResponse:  # fmt: skip
    etag = f'"{sha256(body).hexdigest()[:24]}"'
    asked = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    is_known = status == 200 and etag in asked
    answer = HttpResponseNotModified() if is_known else HttpResponse(body, kind, status=status)
    if status == 200:
        answer["ETag"] = etag
    answer["Cache-Control"] = f"public, max-age={seconds}"
    return answer


def _open(answer: HttpResponse) -> HttpResponse:
    """For any page: it is public, and nobody's cookie opens more of it."""
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
