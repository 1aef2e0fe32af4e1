"""The team of a brand: who is there, what they know, when they are there."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team import actions, cover, second_step, skills
from tertulia.team.access import brand_required
from tertulia.team.forms import AbsenceForm, MembershipForm, ShiftForm, SkillForm
from tertulia.team.models import Absence, Invitation, Membership, Shift, Skill

SHIFTS_AT_MOST = 40


@require_GET
@brand_required("team.read")
def people(request: Any, brand: Brand) -> HttpResponse:
    at = clock.now()
    today = at.astimezone(_zone(brand)).date()
    away = Absence.objects.filter(starts_on__lte=today, ends_on__gte=today).order_by("-ends_on")
    team = (
        Membership.objects.of(brand)
        .select_related("user")
        .prefetch_related(
            Prefetch("skills", Skill.objects.order_by("kind", "value")),
            Prefetch("shifts", Shift.objects.order_by("weekday", "starts")),
            Prefetch("absences", away, to_attr="away"),
        )
        .order_by("user__name", "pk")
    )
    can_manage = request.membership.may("team.manage")
    invitations = Invitation.objects.filter(brand=brand, used_at=None, expires_at__gt=at).select_related("invited_by")
    return render(
        request,
        "team/people.html",
        {
            "room": "team",
            "team": team,
            "names": skills.names(brand),
            "gaps": [(WEEKDAYS[day], stretches) for day, stretches in cover.gaps(brand)],
            "invitations": invitations.order_by("-created_at") if can_manage else [],
        },
    )


@require_http_methods(["GET", "POST"])
@brand_required("team.read")
def member(request: Any, brand: Brand, membership_id: int) -> HttpResponse:
    """One person's page; what a manager may change there, others read."""
    person = _member(brand, membership_id)
    form = MembershipForm(request.POST or None, by=request.membership, membership=person)
    if request.method == "POST":
        _ensure(request, "team.manage")
        if form.is_valid() and _change(request, person, form):
            return redirect("team:member", brand.slug, person.pk)
    return _page(request, brand, person, form=form)


def _change(request: Any, person: Membership, form: MembershipForm) -> bool:
    try:
        actions.change(membership=person, by=request.membership, at=clock.now(), **form.cleaned_data)
    except actions.LastManager:
        form.add_error("role", _("Nobody else manages this brand: make somebody else a manager first."))
        return False
    except actions.MayNot:
        raise PermissionDenied from None
    messages.success(request, _("Saved."))
    return True


@require_http_methods(["GET", "POST"])
@brand_required("team.manage")
def removal(request: Any, brand: Brand, membership_id: int) -> HttpResponse:
    person = _member(brand, membership_id)
    error = ""
    if request.method == "POST":
        try:
            actions.remove(membership=person, by=request.membership, at=clock.now())
        except actions.LastManager:
            error = _("Nobody else manages this brand: make somebody else a manager first.")
        except actions.MayNot:
            raise PermissionDenied from None
        else:
            messages.success(request, _("{name} is no longer on the team.").format(name=person.user))
            return redirect("/") if person.user_id == request.user.pk else redirect("team:people", brand.slug)
    return render(request, "team/removal.html", {"room": "team", "person": person, "error": error})


@require_POST
@brand_required("team.manage")
def add_skill(request: Any, brand: Brand, membership_id: int) -> HttpResponse:
    person = _member(brand, membership_id)
    form = SkillForm(request.POST, brand=brand, kind=request.POST.get("kind", ""))
    if not form.is_valid():
        return _page(request, brand, person, skill_form=form)
    known = form.cleaned_data
    Skill.objects.update_or_create(
        membership=person, kind=known["kind"], value=known["value"], defaults={"level": known["level"]}
    )
    return redirect("team:member", brand.slug, person.pk)


@require_POST
@brand_required("team.manage")
def remove_skill(request: Any, brand: Brand, membership_id: int, skill_id: int) -> HttpResponse:
    person = _member(brand, membership_id)
    get_object_or_404(Skill.objects.filter(membership=person), pk=skill_id).delete()
    return redirect("team:member", brand.slug, person.pk)


@require_POST
@brand_required("team.manage")
def add_shift(request: Any, brand: Brand, membership_id: int) -> HttpResponse:
    person = _member(brand, membership_id)
    form = ShiftForm(request.POST, instance=Shift(membership=person))
    if form.is_valid() and person.shifts.count() >= SHIFTS_AT_MOST:
        form.add_error(None, _("That is more shifts than a week has room for."))
    if not form.is_valid():
        return _page(request, brand, person, shift_form=form)
    form.save()
    return redirect("team:member", brand.slug, person.pk)


@require_POST
@brand_required("team.manage")
def remove_shift(request: Any, brand: Brand, membership_id: int, shift_id: int) -> HttpResponse:
    person = _member(brand, membership_id)
    get_object_or_404(Shift.objects.filter(membership=person), pk=shift_id).delete()
    return redirect("team:member", brand.slug, person.pk)


@require_POST
@brand_required("team.read")
def add_absence(request: Any, brand: Brand, membership_id: int) -> HttpResponse:
    """A manager notes anybody's, everybody their own."""
    person = _own_or_managed(request, brand, membership_id)
    form = AbsenceForm(request.POST, instance=Absence(membership=person))
    if not form.is_valid():
        return _page(request, brand, person, absence_form=form)
    form.save()
    return redirect("team:member", brand.slug, person.pk)


@require_POST
@brand_required("team.read")
def remove_absence(request: Any, brand: Brand, membership_id: int, absence_id: int) -> HttpResponse:
    person = _own_or_managed(request, brand, membership_id)
    get_object_or_404(Absence.objects.filter(membership=person), pk=absence_id).delete()
    return redirect("team:member", brand.slug, person.pk)


def _page(request: Any, brand: Brand, person: Membership, **forms: BaseForm) -> HttpResponse:
    """The person's page, with the form that did not pass in its place."""
    today = clock.now().astimezone(_zone(brand)).date()
    wrong = forms.get("skill_form")
    skill_forms = [
        wrong if wrong is not None and wrong.data.get("kind") == kind else SkillForm(brand=brand, kind=kind)
        for kind in Skill.Kind.values
    ]
    return render(
        request,
        "team/member.html",
        {
            "room": "team",
            "person": person,
            "form": forms.get("form") or MembershipForm(by=request.membership, membership=person),
            "skill_forms": skill_forms,
            "shift_form": forms.get("shift_form") or ShiftForm(auto_id="shift_%s"),
            "absence_form": forms.get("absence_form") or AbsenceForm(auto_id="absence_%s"),
            "names": skills.names(brand),
            "skills": person.skills.order_by("kind", "value"),
            "shifts": person.shifts.order_by("weekday", "starts"),
            "absences": person.absences.filter(ends_on__gte=today).order_by("starts_on"),
            "is_own": person.user_id == request.user.pk,
            "has_second_step": second_step.is_set_up(person.user_id),
        },
        status=422 if any(form.errors for form in forms.values()) else 200,
    )


def _member(brand: Brand, membership_id: int) -> Membership:
    return get_object_or_404(Membership.objects.of(brand).select_related("user"), pk=membership_id)


def _own_or_managed(request: Any, brand: Brand, membership_id: int) -> Membership:
    person = _member(brand, membership_id)
    if person.user_id != request.user.pk:
        _ensure(request, "team.manage")
    return person


def _ensure(request: Any, permission: str) -> None:
    if not request.membership.may(permission):
        raise PermissionDenied


def _zone(brand: Brand) -> ZoneInfo:
    return ZoneInfo(brand.time_zone)
