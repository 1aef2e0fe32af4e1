"""Bigger brains: other models that read some fields instead of the shipped one, and what was sent to them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import brand_required
from tertulia.understanding import thinking
from tertulia.understanding.models import Brain, BrainCall

from .. import thought
from ..access import DeskRequest
from ..forms import BrainForm, TrialForm

CALLS = 50


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def show(request: DeskRequest, brand: Brand) -> HttpResponse:
    """The models there are, and a form for another."""
    form = BrainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        brain = thinking.add(brand=brand, by=request.user.pk, at=clock.now(), **form.said())
        messages.info(request, _("Kept, and switched off. Try it below, then switch it on."))
        return redirect("inbox:brain", brand.slug, brain.pk)
    context = {"form": form, "brains": thought.shown(brand, at=clock.now())}
    return _page(request, "inbox/brains.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def change(request: DeskRequest, brand: Brand, brain_id: int) -> HttpResponse:
    brain = get_object_or_404(Brain, pk=brain_id, brand=brand)
    form = BrainForm(request.POST or None, brain=brain)
    if request.method == "POST" and form.is_valid():
        thinking.change(brain=brain, by=request.user.pk, at=clock.now(), **form.said())
        messages.info(request, _("Kept."))
        return redirect("inbox:brain", brand.slug, brain.pk)
    return _brain(request, brain, form=form, status=422 if form.errors else 200)


@require_POST
@brand_required("inbox.settings")
def remove(request: DeskRequest, brand: Brand, brain_id: int) -> HttpResponse:
    """What it read stays; what was sent is forgotten with it."""
    brain = get_object_or_404(Brain, pk=brain_id, brand=brand)
    thinking.remove(brain=brain, by=request.user.pk, at=clock.now())
    messages.info(request, _("“{model}” is gone.").format(model=brain.model))
    return redirect("inbox:brains", brand.slug)


@require_POST
@brand_required("inbox.settings")
def try_it(request: DeskRequest, brand: Brand, brain_id: int) -> HttpResponse:
    """What the shipped model and this one say of a text, side by side."""
    brain = get_object_or_404(Brain, pk=brain_id, brand=brand)
    form = TrialForm(request.POST)
    trial = thought.tried(brain, form.cleaned_data["text"], at=clock.now()) if form.is_valid() else None
    return _brain(request, brain, trial=trial, tried=form, status=200 if trial else 422)


@require_GET
@brand_required("inbox.settings")
def show_calls(request: DeskRequest, brand: Brand, brain_id: int) -> HttpResponse:
    """What left, newest first."""
    brain = get_object_or_404(Brain, pk=brain_id, brand=brand)
    before = request.GET.get("before", "")
    calls = brain.calls.order_by("-at", "-id")
    if before.isdecimal() and len(before) < 19:
        last = get_object_or_404(BrainCall, pk=before, brain=brain)
        calls = calls.filter(at__lte=last.at).exclude(at=last.at, pk__gte=last.pk)
    found = list(calls[: CALLS + 1])
    more = found[CALLS - 1].pk if len(found) > CALLS else None
    return _page(request, "inbox/brain_calls.html", {"brain": brain, "calls": found[:CALLS], "before": more})


@require_GET
@brand_required("inbox.settings")
def export_calls(request: DeskRequest, brand: Brand, brain_id: int) -> HttpResponseBase:
    """All of it, a line of JSON for each call."""
    brain = get_object_or_404(Brain, pk=brain_id, brand=brand)
    answer = StreamingHttpResponse(_lines(brain), content_type="application/jsonl")
    answer["Content-Disposition"] = f'attachment; filename="calls-{brain.pk}.jsonl"'
    return answer


def _lines(brain: Brain) -> Iterator[str]:
    names = ("at", "sent", "got", "outcome", "tokens", "milliseconds")
    for call in brain.calls.order_by("at", "pk").values(*names).iterator(200):
        yield json.dumps({**call, "at": call["at"].isoformat()}, ensure_ascii=False) + "\n"


def _brain(
    request: DeskRequest, brain: Brain, *, form: BrainForm | None = None, trial: thought.Trial | None = None,
    tried: TrialForm | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    [shown] = thought.shown(brain.brand, at=clock.now(), only=brain.pk)
    context = {"brain": shown, "form": form or BrainForm(brain=brain), "tried": tried or TrialForm(), "trial": trial}
    return _page(request, "inbox/brain.html", context, status=status)


def _page(request: DeskRequest, template: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    return render(request, template, {"room": "settings", "section": "brains", **context}, status=status)
