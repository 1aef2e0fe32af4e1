"""The pages of a marketing plan: which there are, one as a whole, a page for each step, and the PDF."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock, sentences
from tertulia.core.outcomes import BadPayload
from tertulia.flows import plan_offers
from tertulia.flows import plans as flow
from tertulia.flows.plan_forms import (
    AudienceForm,
    DutyForm,
    KpiForm,
    LineForm,
    ObjectiveForm,
    PlanChannelForm,
    PlanForm,
    PlannedActionForm,
    TextForm,
)
from tertulia.publishing import planned
from tertulia.publishing.problems import Problem
from tertulia.strategy import actions as strategy
from tertulia.strategy import plans
from tertulia.strategy.models import Kpi, Objective, Plan, PlannedAction
from tertulia.team.access import BrandRequest, brand_required

LINES: Mapping[str, type[LineForm]] = {
    "audience": AudienceForm,
    "objectives": ObjectiveForm,
    "channels": PlanChannelForm,
    "calendar": PlannedActionForm,
    "people": DutyForm,
}
"""The steps that are made of lines, each with the form of one. The others are a text."""


@require_GET
@brand_required("publishing.read")
def show_all(request: BrandRequest, brand: Brand) -> HttpResponse:
    rows = [(one, sum(plans.done(one).values())) for one in plans.plans(brand)[: plans.MOST]]
    context = {"rows": rows, "n_steps": len(plans.STEPS)}
    return render(request, "flows/plans.html", {"room": "publishing", "tab": "plans", **context})


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def begin(request: BrandRequest, brand: Brand) -> HttpResponse:
    form = PlanForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        plan = plans.begin(brand=brand, by=request.membership.user, at=clock.now(), **form.cleaned_data)
        return redirect(f"plan_{plans.STEPS[0]}", brand.slug, plan.pk)
    return _details(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def change(request: BrandRequest, brand: Brand, plan_id: int) -> HttpResponse:
    plan = _plan(brand, plan_id)
    form = PlanForm(request.POST or None, instance=_plan(brand, plan_id))
    if request.method == "POST" and form.is_valid():
        plans.change(plan=plan, by=request.membership.user, at=clock.now(), **form.cleaned_data)
        return redirect("plan", brand.slug, plan.pk)
    return _details(request, form, plan)


def _details(request: BrandRequest, form: PlanForm, plan: Plan | None) -> HttpResponse:
    context = {"room": "publishing", "tab": "plans", "form": form, "plan": plan}
    return render(request, "flows/plan_form.html", context, status=422 if form.errors else 200)


# As a whole.


@dataclass(frozen=True, slots=True)
class Row:
    """A planned action as the plan's page shows it: what it is, what became of it, how much is still missing."""

    action: PlannedAction
    when: str
    where: str
    became: list[planned.Became]
    missing: int


@require_GET
@brand_required("publishing.read")
def show(request: BrandRequest, brand: Brand, plan_id: int) -> HttpResponse:
    plan, at = _plan(brand, plan_id), clock.now()
    missing = {action.pk: len(days) for action, days in planned.missing(plan, at=at)}
    became = planned.became(plan)
    some = plan.actions.select_related("plan__brand", "account", "owner").order_by("on", "pk")
    rows = [
        Row(one, planned.says(one), flow.where(one), list(became.get(one.pk, [])), missing.get(one.pk, 0))
        for one in some
    ]
    unagreed = plan.objectives.filter(agreed_at__isnull=True).exists()
    context = {
        **_progress(plan), "sections": flow.sections(plan), "rows": rows, "period": flow.period(plan),
        "missing": sum(missing.values()), "has_news": bool(missing) or unagreed,
    }  # fmt: skip
    return render(request, "flows/plan.html", context)


@require_GET
@brand_required("publishing.read")
def show_pdf(request: BrandRequest, brand: Brand, plan_id: int) -> HttpResponse:
    plan = _plan(brand, plan_id)
    try:
        content = flow.printed(plan, at=clock.now())
    except BadPayload as bad:
        messages.error(request, _("The PDF couldn't be made: {why}").format(why=sentences.told(bad.why)))
        return redirect("plan", brand.slug, plan.pk)
    name = slugify(plan.name) or "plan"
    return HttpResponse(
        content, content_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    )


@require_POST
@brand_required("publishing.publish")
def put_to_work(request: BrandRequest, brand: Brand, plan_id: int) -> HttpResponse:
    plan = _plan(brand, plan_id)
    try:
        done = flow.put_to_work(plan=plan, by=request.membership.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        said = ngettext("{n} action is on the calendar now.", "{n} actions are on the calendar now.", done.added)
        more = ngettext("{n} more follows by itself.", "{n} more follow by themselves.", done.left)
        said = " ".join([said.format(n=done.added), *([more.format(n=done.left)] if done.left else [])])
        messages.success(request, said if done.added else _("Everything is on the calendar already."))
    return redirect("plan", brand.slug, plan.pk)


@require_POST
@brand_required("publishing.write")
def discard(request: BrandRequest, brand: Brand, plan_id: int) -> HttpResponse:
    plan = _plan(brand, plan_id)
    try:
        plans.discard(plan=plan, by=request.membership.user, at=clock.now())
    except strategy.Problem as problem:
        messages.error(request, str(problem))
        return redirect("plan", brand.slug, plan.pk)
    return redirect("plans", brand.slug)


# Step by step.


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def show_step(request: BrandRequest, brand: Brand, plan_id: int, step: str) -> HttpResponse:
    """What a step asks for, what stands there, and what the desk could put there. Each press keeps what was written."""
    plan = _plan(brand, plan_id)
    form = _form(plan, step, request.POST or None)
    if request.method != "POST":
        return _step(request, plan, step, _form(plan, step))
    by, at, taken = request.membership.user, clock.now(), request.POST.get("take", "")
    offer = next((one for one in plan_offers.of(plan, step, at=at) if one.key == taken), None) if taken else None
    try:
        if taken and offer is None:
            messages.error(request, _("That has changed meanwhile. Look at what there is now."))
        if isinstance(form, TextForm):
            if not form.is_valid():
                return _step(request, plan, step, form)
            said = [form.cleaned_data["text"], offer.says if offer else ""]
            plans.change(plan=plan, by=by, at=at, **{step: "\n".join(filter(None, said))})
        elif offer and offer.line:
            plans.keep(line=offer.line, by=by, at=at)
        elif not taken:
            if not form.is_valid():
                return _step(request, plan, step, form)
            plans.keep(line=form.instance, by=by, at=at)
            if step == "objectives":
                return redirect("plan_objectives_line", brand.slug, plan.pk, form.instance.pk)
    except strategy.Problem as problem:
        messages.error(request, str(problem))
    if request.POST.get("do") == "next":
        return redirect(_after(plan, step))
    return redirect(f"plan_{step}", brand.slug, plan.pk)


def _form(plan: Plan, step: str, data: Any = None) -> TextForm | LineForm:
    if step in LINES:
        return LINES[step](data, plan=plan)
    return TextForm(data, label=flow.STEPS[step].title, initial={"text": getattr(plan, step)})


def _step(request: BrandRequest, plan: Plan, step: str, form: forms.BaseForm) -> HttpResponse:
    context = {
        **_progress(plan, step), "step": flow.STEPS[step], "form": form, "is_text": step not in LINES,
        "lines": _lines(plan, step), "offers": plan_offers.of(plan, step, at=clock.now()),
        "after": _after(plan, step), "n": plans.STEPS.index(step) + 1,
    }  # fmt: skip
    if step == "measuring":
        context["kpis"] = [flow.told(kpi) for kpi in _kpis(plan)]
    return render(request, "flows/plan_step.html", context, status=422 if form.errors else 200)


def _kpis(plan: Plan) -> list[Kpi]:
    return list(Kpi.objects.filter(objective__plan=plan).select_related("owner").order_by("objective", "pk"))


def _lines(plan: Plan, step: str) -> list[dict[str, Any]]:
    """Each with a name, a few words about it, and where it is changed."""
    found = []
    for line in _in_order(plan, step):
        place = reverse(f"plan_{step}_line", args=[plan.brand.slug, plan.pk, line.pk])
        found.append(
            {"name": str(line), "says": _about(line), "href": place, "removal": f"{place}removal/"} | _of(line)
        )
    return found


def _in_order(plan: Plan, step: str) -> Iterable[Any]:
    if step == "audience":
        return plan.audiences.order_by("pk")
    if step == "objectives":
        return plan.objectives.prefetch_related("kpis__owner").order_by("pk")
    if step == "channels":
        return plan.channels.order_by("pk")
    if step == "calendar":
        return plan.actions.select_related("plan__brand", "account", "owner").order_by("on", "pk")
    return plan.duties.select_related("user").order_by("pk") if step == "people" else []


def _about(line: Any) -> str:
    if isinstance(line, PlannedAction):
        owner = [str(line.owner)] if line.owner else []
        return " · ".join([planned.says(line), flow.where(line), *owner])
    if isinstance(line, Objective):
        return line.because
    if hasattr(line, "purpose"):
        return " · ".join(filter(None, [flow.times(line.per_week) if line.per_week else "", line.purpose]))
    return str(getattr(line, "about", "") or getattr(line, "does", ""))


def _of(line: Any) -> dict[str, Any]:
    if isinstance(line, Objective):
        return {"kpis": [flow.told(kpi) for kpi in line.kpis.all()], "lacks": not line.is_measurable}
    return {}


def _after(plan: Plan, step: str) -> str:
    """The next step; after the last one the plan."""
    rest = plans.STEPS[plans.STEPS.index(step) + 1 :]
    return reverse(f"plan_{rest[0]}" if rest else "plan", args=[plan.brand.slug, plan.pk])


# Line by line.


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def change_line(request: BrandRequest, brand: Brand, /, plan_id: int, step: str, **ids: int) -> HttpResponse:
    plan = _plan(brand, plan_id)
    line = _line(plan, step, ids)
    form = _line_form(plan, step, line, request.POST or None)
    if request.method == "POST" and form.is_valid():
        plans.keep(line=form.instance, by=request.membership.user, at=clock.now())
        return redirect(f"plan_{step}", brand.slug, plan.pk)
    return _line_page(request, plan, step, line, form, status=422 if form.errors else 200)


@require_POST
@brand_required("publishing.write")
def remove_line(request: BrandRequest, brand: Brand, /, plan_id: int, step: str, **ids: int) -> HttpResponse:
    plan = _plan(brand, plan_id)
    plans.remove(line=_line(plan, step, ids), by=request.membership.user, at=clock.now())
    return redirect(f"plan_{step}", brand.slug, plan.pk)


def _line(plan: Plan, step: str, ids: Mapping[str, int]) -> Any:
    [pk] = ids.values()
    return get_object_or_404(LINES[step]._meta.model, pk=pk, plan=plan)


def _line_form(plan: Plan, step: str, line: Any, data: Any = None) -> LineForm:
    more = {"is_laid_out": line.days.exists()} if isinstance(line, PlannedAction) else {}
    return LINES[step](data, instance=type(line).objects.get(pk=line.pk), plan=plan, **more)


def _line_page(
    request: BrandRequest, plan: Plan, step: str, line: Any, form: LineForm, *, kpi_form: KpiForm | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {**_progress(plan, step), "step": flow.STEPS[step], "line": line, "form": form}
    if isinstance(line, Objective):
        context |= {
            "kpis": [(kpi, flow.told(kpi)) for kpi in line.kpis.select_related("owner").order_by("pk")],
            "kpi_form": kpi_form or KpiForm(plan=plan, instance=Kpi(objective=line)),
            "figures": plan_offers.known_figures(plan.brand),
        }  # fmt: skip
    if isinstance(line, PlannedAction):
        context["is_laid_out"] = line.days.exists()
    return render(request, "flows/plan_line.html", context, status=status)


# The indicators of an objective.


@require_POST
@brand_required("publishing.write")
def add_kpi(request: BrandRequest, brand: Brand, plan_id: int, objective_id: int) -> HttpResponse:
    """Add one. With `take` nothing is kept yet: the form begins with that figure, and what was typed stays."""
    plan = _plan(brand, plan_id)
    objective = get_object_or_404(Objective, pk=objective_id, plan=plan)
    if taken := request.POST.get("take"):
        kpi = Kpi(objective=objective)
        for figure in plan_offers.known_figures(brand):
            if figure.key == taken:
                figure.begin(kpi)
        typed = {name: request.POST.get(name, "") for name in ("target", "due_on", "owner")}
        form = KpiForm(plan=plan, instance=kpi, initial={name: value for name, value in typed.items() if value})
        status = 200
    else:
        form, status = KpiForm(request.POST, plan=plan, instance=Kpi(objective=objective)), 422
        if form.is_valid():
            try:
                plans.keep(line=form.instance, by=request.membership.user, at=clock.now())
            except strategy.Problem as problem:
                messages.error(request, str(problem))
            return redirect("plan_objectives_line", brand.slug, plan.pk, objective.pk)
    blank = _line_form(plan, "objectives", objective)
    return _line_page(request, plan, "objectives", objective, blank, kpi_form=form, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def change_kpi(request: BrandRequest, brand: Brand, plan_id: int, kpi_id: int) -> HttpResponse:
    plan = _plan(brand, plan_id)
    kpi = _kpi(plan, kpi_id)
    form = KpiForm(request.POST or None, plan=plan, instance=_kpi(plan, kpi_id))
    if request.method == "POST" and form.is_valid():
        plans.keep(line=form.instance, by=request.membership.user, at=clock.now())
        return redirect("plan_objectives_line", brand.slug, plan.pk, kpi.objective_id)
    context = {**_progress(plan, "objectives"), "step": flow.STEPS["objectives"], "line": kpi, "form": form}
    context["objective"] = kpi.objective
    return render(request, "flows/plan_line.html", context, status=422 if form.errors else 200)


@require_POST
@brand_required("publishing.write")
def remove_kpi(request: BrandRequest, brand: Brand, plan_id: int, kpi_id: int) -> HttpResponse:
    plan = _plan(brand, plan_id)
    kpi = _kpi(plan, kpi_id)
    try:
        plans.remove(line=kpi, by=request.membership.user, at=clock.now())
    except strategy.Problem as problem:
        messages.error(request, str(problem))
    return redirect("plan_objectives_line", brand.slug, plan.pk, kpi.objective_id)


def _kpi(plan: Plan, kpi_id: int) -> Kpi:
    return get_object_or_404(Kpi.objects.select_related("objective__plan"), pk=kpi_id, objective__plan=plan)


# What each page has.


def _plan(brand: Brand, plan_id: int) -> Plan:
    return get_object_or_404(Plan.objects.select_related("brand"), pk=plan_id, brand=brand)


def _progress(plan: Plan, current: str = "") -> dict[str, Any]:
    """The steps with whether something stands there, for the line of them above each page."""
    done = plans.done(plan)
    steps = [
        (step, reverse(f"plan_{key}", args=[plan.brand.slug, plan.pk]), done[key], key == current)
        for key, step in flow.STEPS.items()
    ]
    to_do = [(step.title, href) for step, href, is_done, _now in steps if not is_done]
    return {
        "room": "publishing", "tab": "plans", "plan": plan, "steps": steps, "n_steps": len(steps),
        "n_done": len(steps) - len(to_do), "is_whole": not to_do, "to_do": to_do,
    }  # fmt: skip
