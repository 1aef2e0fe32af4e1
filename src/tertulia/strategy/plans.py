"""What people do with plans. Each action is one transaction and leaves its line in the activity feed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.brand.models import Brand
from tertulia.core import activity
from tertulia.core.html import tidy
from tertulia.team.models import User

from . import activities
from .actions import Problem
from .models import Audience, Duty, Kpi, Objective, Plan, PlanChannel, PlannedAction

STEPS = ("situation", "audience", "objectives", "channels", "messages", "calendar", "measuring", "people")
"""What a plan is made of, in the order in which it is read."""
FIELDS = ("name", "starts_on", "ends_on", "situation", "messages", "measuring")
"""What forms say of a plan itself."""
MOST = 200
"""Lines of each kind in a plan."""

Line = Audience | Objective | Kpi | PlanChannel | PlannedAction | Duty


def plans(brand: Brand) -> QuerySet[Plan]:
    """Those of a brand, the newest period first."""
    return Plan.objects.filter(brand=brand).order_by("-starts_on", "-pk")


def done(plan: Plan) -> Mapping[str, bool]:
    """By step whether something stands there; objectives are done when each can be measured."""
    objectives = list(plan.objectives.prefetch_related("kpis"))
    return {
        "situation": bool(plan.situation),
        "audience": plan.audiences.exists(),
        "objectives": bool(objectives) and all(one.is_measurable for one in objectives),
        "channels": plan.channels.exists(),
        "messages": bool(plan.messages),
        "calendar": plan.actions.exists(),
        "measuring": bool(plan.measuring),
        "people": plan.duties.exists(),
    }


@transaction.atomic
def begin(*, brand: Brand, by: User, at: datetime, **said: Any) -> Plan:
    """Begin a plan; `said` holds `name`, `starts_on`, `ends_on`, and any other of `FIELDS`. Raises `Problem`."""
    plan = Plan(brand=brand, created_by_id=by.pk, created_at=at, changed_at=at)
    _take(plan, said)
    plan.save()
    _record(activities.PLAN_BEGUN, plan, by=by, at=at)
    return plan


@transaction.atomic
def change(*, plan: Plan, by: User, at: datetime, **said: Any) -> None:
    """Any of `FIELDS`; what isn't said stays, whoever has changed it meanwhile. Raises `Problem`."""
    _take(plan, said)
    plan.changed_at = at
    plan.save(update_fields=[*said, "changed_at"])
    _record(activities.PLAN_CHANGED, plan, by=by, at=at)


@transaction.atomic
def keep(*, line: Line, by: User, at: datetime) -> None:
    """Put a line into its plan, or keep what was changed of it. Raises `Problem` when the plan is full."""
    if line.pk is None and _beside(line).count() >= MOST:
        raise Problem(_("A plan has {limit} of these at most.").format(limit=MOST))
    for field in line._meta.concrete_fields:
        if isinstance(said := getattr(line, field.attname), str):
            setattr(line, field.attname, tidy(said).strip())
    line.save()
    _touch(_plan_of(line), by=by, at=at)


@transaction.atomic
def remove(*, line: Line, by: User, at: datetime) -> None:
    """Take a line out. What it became on the calendar stays there. Raises `Problem` for the last indicator of an
    objective that was agreed."""
    if isinstance(line, Kpi):
        objective = Objective.objects.select_for_update().get(pk=line.objective_id)
        if objective.agreed_at and not objective.kpis.exclude(pk=line.pk).filter(owner__isnull=False).exists():
            raise Problem(_("An objective that was agreed keeps an indicator. Add another one first."))
    plan = _plan_of(line)
    line.delete()
    _touch(plan, by=by, at=at)


@transaction.atomic
def agree(*, plan: Plan, by: User, at: datetime) -> Plan:
    """Put it to work as it stands, or what was added since. Raises `Problem` while a step is empty, or an objective
    has no indicator by which it could be measured."""
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    if lacking := [one.title for one in plan.objectives.prefetch_related("kpis") if not one.is_measurable]:
        raise Problem(
            ngettext(
                "This objective has no indicator by which it can be measured yet: {titles}.",
                "These objectives have no indicator by which they can be measured yet: {titles}.",
                len(lacking),
            ).format(titles=", ".join(_("“{title}”").format(title=title) for title in lacking))
        )
    if not all(done(plan).values()):
        raise Problem(_("Some steps are still empty. Fill them in first: what is agreed has to be whole."))
    plan.objectives.filter(agreed_at__isnull=True).update(agreed_at=at)
    if plan.at_work_at is None:
        plan.at_work_at, plan.at_work_by_id = at, by.pk
        plan.save(update_fields=["at_work_at", "at_work_by_id"])
        _record(activities.PLAN_AT_WORK, plan, by=by, at=at)
    return plan


@transaction.atomic
def discard(*, plan: Plan, by: User, at: datetime) -> None:
    """Remove a plan that was never put to work. Raises `Problem` for one that was."""
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    if plan.at_work_at:
        raise Problem(_("This plan was put to work: it stays, so that it can be compared with what came of it."))
    _record(activities.PLAN_REMOVED, plan, by=by, at=at)
    plan.delete()


def _take(plan: Plan, said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        setattr(plan, name, tidy(value).strip() if isinstance(value, str) else value)
    if plan.ends_on < plan.starts_on:
        raise Problem(_("The last day comes before the first."))


def _plan_of(line: Line) -> Plan:
    return line.objective.plan if isinstance(line, Kpi) else line.plan


def _beside(line: Line) -> QuerySet[Any]:
    if isinstance(line, Kpi):
        return Kpi.objects.filter(objective=line.objective_id)
    return type(line)._default_manager.filter(plan=line.plan_id)


def _touch(plan: Plan, *, by: User, at: datetime) -> None:
    Plan.objects.filter(pk=plan.pk).update(changed_at=at)
    _record(activities.PLAN_CHANGED, plan, by=by, at=at)


def _record(name: str, plan: Plan, *, by: User, at: datetime) -> None:
    activity.record(name, on=plan, brand=plan.brand_id, by=by.pk, at=at, plan=plan.name)
