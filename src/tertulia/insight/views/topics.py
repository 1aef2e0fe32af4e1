"""The pages of topics and of repeated questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.core.choices import LONGEST_NUMBER
from tertulia.team.access import brand_required
from tertulia.understanding.grouping import Topic

from .. import actions, pages, topics
from ..forms import PERIODS, DismissalForm, PeriodForm
from ..models import DismissedQuestion


@require_GET
@brand_required("inbox.read")
def show_topics(request: HttpRequest, brand: Brand) -> HttpResponse:
    """What people write about; with `topic`, one of them with its messages, or a word that it is gone."""
    form = _form(request, brand)
    found = topics.topics(brand, form.period)
    key = request.GET.get("topic", "")
    if key and (topic := found.topic(key, _numbers(request.GET.get("of", "")))):
        return _topic(request, form, found, topic)
    shown = pages.shown(found)
    context = _context(request, form, found.rows, is_cut=found.is_cut) | {
        "tab": "topics",
        "topics": shown[: pages.SHOWN],
        "more": shown[pages.SHOWN :],
        "loose": found.grouping.loose,
        "has_own_words": bool(topics.own_words(brand)),
        "is_gone": bool(key),
    }
    return render(request, "insight/topics.html", context, status=404 if key else 200)


def _numbers(said: str) -> list[int]:
    """The messages an address names, three at most."""
    return [int(each) for each in said.split("-", 3)[:3] if each.isdecimal() and len(each) <= LONGEST_NUMBER]


def _topic(request: HttpRequest, form: PeriodForm, found: topics.Topics, topic: Topic) -> HttpResponse:
    number = request.GET.get("page", "")
    page = pages.page(topic, found, int(number) if number.isdecimal() and len(number) < 6 else 1)
    context = _context(request, form, found.rows, is_cut=found.is_cut, place=pages.place(topic, found))
    context |= {"topic": pages.opened(topic, found), "page": page}
    return render(request, "insight/topic.html", context)


@require_GET
@brand_required("inbox.read")
def take_away(request: HttpRequest, brand: Brand) -> HttpResponse:
    """The topics of the page, as a file."""
    form = _form(request, brand)
    page = request.build_absolute_uri(reverse("insight:topics", args=[brand.slug]))
    content = pages.table(topics.topics(brand, form.period), f"{page}?{_settled(request, form).urlencode()}")
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{brand.slug}-topics.csv"'
    return answer


@require_GET
@brand_required("inbox.read")
def show_questions(request: HttpRequest, brand: Brand) -> HttpResponse:
    """What is asked again and again without a saved reply."""
    form = _form(request, brand)
    rows = topics.messages(brand, form.period)
    listed, answered = topics.questions(brand, rows[: topics.MOST])
    context = _context(request, form, rows[: topics.MOST], is_cut=len(rows) > topics.MOST) | {
        "tab": "questions",
        "questions": pages.asked(listed),
        "answered": pages.asked(answered),
        "waiting": len({row.person for each in answered for row in each.rows if row.waits}),
        "dismissed": DismissedQuestion.objects.filter(brand=brand).order_by("-at", "-pk"),
    }
    return render(request, "insight/questions.html", context)


@require_POST
@brand_required("inbox.settings")
def dismiss(request: Any, brand: Brand) -> HttpResponse:
    form = DismissalForm(request.POST)
    if form.is_valid():
        actions.dismiss_question(brand=brand, by=request.user.pk, at=clock.now(), **form.cleaned_data)
        messages.info(request, _("The question is off the list. You find it below, to put it back."))
    return redirect("insight:questions", brand.slug)


@require_POST
@brand_required("inbox.settings")
def restore(request: Any, brand: Brand, question_id: int) -> HttpResponse:
    question = get_object_or_404(DismissedQuestion, pk=question_id, brand=brand)
    actions.restore_question(question=question, by=request.user.pk, at=clock.now())
    return redirect("insight:questions", brand.slug)


def _form(request: HttpRequest, brand: Brand) -> PeriodForm:
    today = clock.now().astimezone(ZoneInfo(brand.time_zone)).date()
    return PeriodForm(request.GET, brand=brand, today=today)


def _settled(request: HttpRequest, form: PeriodForm) -> QueryDict:
    """What is looked at, with its days as dates: the same also next month."""
    settled = request.GET.copy()
    for name in ("topic", "of", "page", "days", "first", "last"):
        settled.pop(name, None)
    settled["first"], settled["last"] = form.period.first.isoformat(), form.period.last.isoformat()
    return settled


def _context(
    request: HttpRequest, form: PeriodForm, rows: list[topics.Row], *, is_cut: bool,
    place: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    narrowed = request.GET.copy()
    for name in ("topic", "of", "page"):
        narrowed.pop(name, None)
    without_days = narrowed.copy()
    for name in ("days", "first", "last"):
        without_days.pop(name, None)
    settled = _settled(request, form)
    settled.update(place or {})
    return {
        "room": "topics",
        "here": f"{request.path}?{settled.urlencode()}",
        "form": form,
        "period": form.period,
        "chosen": form.chosen,
        "periods": PERIODS,
        "total": len(rows),
        "unread": sum(not row.is_read for row in rows),
        "is_cut": is_cut,
        "most": topics.MOST,
        "query": narrowed.urlencode(),
        "others": without_days.urlencode(),
    }
