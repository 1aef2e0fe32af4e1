"""Trust over time: its page, the rows behind each figure, and the same as a file."""

from __future__ import annotations

from itertools import dropwhile
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.inbox.models import PromiseOutcome
from tertulia.team.access import brand_required
from tertulia.understanding import words

from .. import trust, trust_pages

PAGE: Final = 50


@require_GET
@brand_required("inbox.read")
def show_trust(request: HttpRequest, brand: Brand) -> HttpResponse:
    found = trust.standings(brand, trust.months(brand, clock.now()))
    told = list(dropwhile(lambda one: not any(part.of for part in one.parts.values()), found))
    first = PromiseOutcome.objects.filter(brand=brand).order_by("ended_at", "pk").first()
    context = {
        "room": "topics",
        "tab": "trust",
        "charts": trust_pages.charts(found),
        "lines": trust_pages.lines(told),
        "names": trust_pages.names(),
        "first": trust_pages.month(found[0]),
        "last": trust_pages.month(found[-1]),
        "least": trust.LEAST,
        "promises_since": first and first.ended_at,
    }
    return render(request, "insight/trust.html", context)


@require_GET
@brand_required("inbox.read")
def show_rows(request: HttpRequest, brand: Brand) -> HttpResponse:
    """What a figure was counted from: `?part=feeling&month=2026-11`, `&page=2` goes on."""
    name = next((each for each in trust.PARTS if each == request.GET.get("part")), None)
    month = next((one for one in trust.months(brand, clock.now()) if one.key == request.GET.get("month")), None)
    if name is None or month is None:
        raise Http404
    [standing] = trust.standings(brand, [month])
    asked = request.GET.get("page", "")
    number = max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1
    rows = _related(name, trust.rows(brand, name, month))[(number - 1) * PAGE : number * PAGE + 1]
    context = {
        "room": "topics",
        "tab": "trust",
        "part": name,
        "heading": trust_pages.names()[name],
        "month": month,
        "called": trust_pages.month(standing),
        "cell": next(each for each in trust_pages.lines([standing])[0].cells if each.name == name),
        "least": trust.LEAST[name],
        "rows": rows[:PAGE],
        "previous": number - 1,
        "next": number + 1 if len(rows) > PAGE else 0,
        "feelings": words.sentiments(),
    }
    return render(request, "insight/trust_rows.html", context)


def _related(name: trust.Name, rows: Any) -> Any:
    """With what a line of the list shows."""
    if name == "feeling":
        return rows.select_related("message").defer("message__raw", "message__html")
    return rows.select_related("conversation") if name == "promises" else rows


@require_GET
@brand_required("inbox.read")
def take_away(request: HttpRequest, brand: Brand) -> HttpResponse:
    content = trust_pages.table(trust.standings(brand, trust.months(brand, clock.now())))
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{brand.slug}-trust.csv"'
    return answer
