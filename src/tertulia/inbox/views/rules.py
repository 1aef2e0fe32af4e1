"""The rules of a brand: what they say, what they would have done, and what they did."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import filing, rules
from ..access import DeskRequest
from ..forms import RuleForm
from ..models import Rule


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def show_rules(request: DeskRequest, brand: Brand) -> HttpResponse:
    """The rules in their order, with what each did, and a form for another."""
    form = RuleForm(request.POST or None, rule=Rule(brand=brand))
    if request.method == "POST" and form.is_valid():
        rules.keep(rule=form.filled(), by=request.user, at=clock.now())
        return redirect("inbox:rule", brand.slug, form.rule.pk)
    counts = rules.counts(brand, at=clock.now())
    rows = [(each, counts[each.pk]) for each in Rule.objects.filter(brand=brand).order_by("position", "id")]
    context = {"room": "settings", "section": "rules", "form": form, "rules": rows}
    return render(request, "inbox/rules.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def change_rule(request: DeskRequest, brand: Brand, rule_id: int) -> HttpResponse:
    """What a rule says, and on what it would have acted as it is kept."""
    rule = _rule(brand, rule_id)
    form = RuleForm(request.POST or None, rule=rule)
    if request.method == "POST" and form.is_valid():
        rules.keep(rule=form.filled(), by=request.user, at=clock.now())
        return redirect("inbox:rule", brand.slug, rule.pk)
    looked_at, found = rules.tried(rule)
    context = {
        "room": "settings", "section": "rules", "form": form, "rule": rule, "looked_at": looked_at,
        "count": len(found), "found": [(case, filing.preview_of(case.message)) for case in found[:50]],
    }  # fmt: skip
    return render(request, "inbox/rule.html", context, status=422 if form.errors else 200)


@require_POST
@brand_required("inbox.settings")
def switch(request: DeskRequest, brand: Brand, rule_id: int) -> HttpResponse:
    rules.switch(rule=_rule(brand, rule_id), is_on="on" in request.POST, by=request.user, at=clock.now())
    return redirect("inbox:rule", brand.slug, rule_id)


@require_POST
@brand_required("inbox.settings")
def move_up(request: DeskRequest, brand: Brand, rule_id: int) -> HttpResponse:
    rules.move_up(rule=_rule(brand, rule_id), by=request.user, at=clock.now())
    return redirect("inbox:rules", brand.slug)


@require_POST
@brand_required("inbox.settings")
def remove(request: DeskRequest, brand: Brand, rule_id: int) -> HttpResponse:
    rules.remove(rule=_rule(brand, rule_id), by=request.user, at=clock.now())
    return redirect("inbox:rules", brand.slug)


def _rule(brand: Brand, rule_id: int) -> Rule:
    return get_object_or_404(Rule, pk=rule_id, brand=brand)
