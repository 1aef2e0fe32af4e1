"""What is held of a person and what they may ask for; how long channels keep it; and the record of all that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Retention
from tertulia.community import actions as community
from tertulia.community import queries as people
from tertulia.community import requests
from tertulia.community.models import Consent, DataRequest, Erasure, Export, Member
from tertulia.core import clock
from tertulia.core.dates import months_after
from tertulia.flows import personal, processing
from tertulia.flows.forms import (
    ConsentForm,
    DataRequestForm,
    ErasureForm,
    OutcomeForm,
    RestrictionForm,
    RetentionForm,
)
from tertulia.team.access import BrandRequest, brand_required
from tertulia.team.models import User


@require_GET
@brand_required("people.data")
def show(request: BrandRequest, brand: Brand, member_id: int) -> HttpResponse:
    return _page(request, brand, _member(brand, member_id))


def _page(request: BrandRequest, brand: Brand, member: Member, status: int = 200, **forms: Any) -> HttpResponse:
    at = clock.now()
    person = personal.known(member, at=at)
    exports = list(Export.objects.filter(member=member, expires_at__gt=at).defer("content").order_by("-at"))
    ready = set(Export.objects.filter(member=member, content__isnull=False).values_list("pk", flat=True))
    erasure = Erasure.objects.filter(member=member).first()
    consents = list(Consent.objects.filter(member=member).order_by("-given_at", "-pk"))
    users = {*(each.by_id for each in consents), *(each.withdrawn_by_id or 0 for each in consents)}
    names = dict(User.objects.filter(pk__in=users).values_list("pk", "name"))
    context = {
        "room": "people",
        "member": member,
        "held": personal.held(person),
        "marks": person.marks,
        "exports": [(each, each.pk in ready) for each in exports],
        "erasure": erasure,
        "left": processing.left(erasure) if erasure and erasure.done_at else [],
        "is_restricted": people.is_restricted(member),
        "consents": [(each, names.get(each.by_id, ""), names.get(each.withdrawn_by_id or 0, "")) for each in consents],
        "testimonials": member.testimonials.order_by("-said_on", "-pk"),
        "consent_form": ConsentForm(initial={"given_at": processing.now_at(brand, at)}, brand=brand),
        "erasure_form": ErasureForm(),
        "restriction_form": RestrictionForm(),
        "requests": [(each, _is_late(each, at)) for each in member.requests.order_by("-known_at", "-pk")],
        "request_form": _request_form(member.brand, at),
        **forms,
    }
    return render(request, "flows/personal_data.html", context, status=status)


@require_POST
@brand_required("people.data")
def export(request: BrandRequest, brand: Brand, member_id: int) -> HttpResponse:
    personal.ask_export(member=_member(brand, member_id), by=request.membership.user, at=clock.now())
    messages.info(request, _("The copy is being made. It will be on this page in a moment."))
    return redirect("personal_data", brand.slug, member_id)


@require_POST
@brand_required("people.data")
def download(request: BrandRequest, brand: Brand, export_id: int) -> HttpResponse:
    """By POST: taking personal data out of the house is no mere look."""
    kept = Export.objects.filter(brand=brand).defer("content").select_related("member")
    export = get_object_or_404(kept, pk=export_id)
    try:
        content = personal.take_along(export=export, by=request.membership.user, at=clock.now())
    except Export.DoesNotExist:
        messages.error(request, _("This copy is gone or not ready yet. Ask for a new one."))
        return redirect("personal_data", brand.slug, export.member_id)
    answer = HttpResponse(content, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="personal-data-{export.pk}.zip"'
    return answer


@require_POST
@brand_required("people.data")
def restrict(request: BrandRequest, brand: Brand, member_id: int) -> HttpResponse:
    member, form = _member(brand, member_id), RestrictionForm(request.POST)
    if not form.is_valid():
        return _page(request, brand, member, status=422, restriction_form=form)
    because = form.cleaned_data["because"]
    community.restrict(member=member, because=because, by=request.membership.user, at=clock.now())
    return redirect("personal_data", brand.slug, member_id)


@require_POST
@brand_required("people.data")
def lift(request: BrandRequest, brand: Brand, member_id: int) -> HttpResponse:
    community.lift_restriction(member=_member(brand, member_id), by=request.membership.user, at=clock.now())
    return redirect("personal_data", brand.slug, member_id)


@require_POST
@brand_required("people.data")
def consent(request: BrandRequest, brand: Brand, member_id: int) -> HttpResponse:
    member, form = _member(brand, member_id), ConsentForm(request.POST, brand=brand)
    if not form.is_valid():
        return _page(request, brand, member, status=422, consent_form=form)
    community.note_consent(member=member, by=request.membership.user, at=clock.now(), **form.cleaned_data)
    return redirect("personal_data", brand.slug, member_id)


@require_POST
@brand_required("people.data")
def withdraw(request: BrandRequest, brand: Brand, consent_id: int) -> HttpResponse:
    kept = get_object_or_404(Consent.objects.select_related("member"), pk=consent_id, member__brand=brand)
    community.withdraw_consent(consent=kept, by=request.membership.user, at=clock.now())
    return redirect("personal_data", brand.slug, kept.member_id)


@require_POST
@brand_required("people.data")
def erase(request: BrandRequest, brand: Brand, member_id: int) -> HttpResponse:
    member, form = _member(brand, member_id), ErasureForm(request.POST)
    if not form.is_valid():
        return _page(request, brand, member, status=422, erasure_form=form)
    personal.ask_erasure(
        member=member, why=form.cleaned_data["why"], by=request.membership.user, at=clock.now()
    )  # fmt: skip
    messages.info(request, _("It is being erased. This page says what was done, and what is left to you."))
    return redirect("personal_data", brand.slug, member_id)


@require_GET
@brand_required("people.data")
def record(request: BrandRequest, brand: Brand) -> HttpResponse:
    return _record(request, brand)


def _record(
    request: BrandRequest, brand: Brand, status: int = 200, wrong: OutcomeForm | None = None, **forms: Any
) -> HttpResponse:
    at = clock.now()
    rows = requests.register(brand)
    outcomes = {each.pk: OutcomeForm(auto_id=f"id_{each.pk}_%s") for each in rows}
    if wrong:
        outcomes[wrong.instance.pk] = wrong
    context = {
        "room": "settings",
        "section": "personal",
        "requests": [(each, _is_late(each, at), outcomes[each.pk]) for each in rows],
        "request_form": _request_form(brand, at),
        **processing.record(brand, at=at),
        **forms,
    }
    return render(request, "flows/processing.html", context, status=status)


def _is_late(request: DataRequest, at: datetime) -> bool:
    return request.done_at is None and request.due_at < at


def _request_form(brand: Brand, at: datetime) -> DataRequestForm:
    initial = {"kind": DataRequest.Kind.ACCESS, "known_at": processing.now_at(brand, at)}
    return DataRequestForm(initial=initial, brand=brand)


@require_POST
@brand_required("people.data")
def note_request(request: BrandRequest, brand: Brand) -> HttpResponse:
    """Of somebody, where `member` says of whom; then one is back on their page."""
    of = request.POST.get("member", "")
    member = _member(brand, int(of)) if of.isdecimal() and len(of) < 19 else None
    form = DataRequestForm(request.POST, brand=brand)
    if not form.is_valid():
        if member:
            return _page(request, brand, member, status=422, request_form=form)
        return _record(request, brand, status=422, request_form=form)
    requests.note(brand=brand, member=member, by=request.membership.user, at=clock.now(), **form.cleaned_data)
    return redirect("personal_data", brand.slug, member.pk) if member else redirect("processing", brand.slug)


@require_POST
@brand_required("people.data")
def settle_request(request: BrandRequest, brand: Brand, request_id: int) -> HttpResponse:
    asked = get_object_or_404(DataRequest, pk=request_id, brand=brand)
    form = OutcomeForm(request.POST, instance=asked)
    if not form.is_valid():
        return _record(request, brand, status=422, wrong=form)
    requests.settle(request=asked, outcome=form.cleaned_data["outcome"], by=request.membership.user, at=clock.now())
    return redirect("processing", brand.slug)


@require_http_methods(["GET", "POST"])
@brand_required("people.data")
def retention(request: BrandRequest, brand: Brand, account_id: int) -> HttpResponse:
    """How long a channel keeps what was written. Asked with months, it says what would go before it is kept."""
    account = get_object_or_404(Account.objects.filter(brand=brand).defer("secrets"), pk=account_id)
    kept = Retention.objects.filter(account=account).first()
    typed = request.POST if request.method == "POST" else request.GET if "months" in request.GET else None
    form = RetentionForm(typed, initial={"months": kept.months if kept else None})
    at, months = clock.now(), None
    if typed is not None and form.is_valid():
        months = form.cleaned_data["months"]
        if request.method == "POST":
            personal.keep_for(account=account, months=months, by=request.membership.user, at=at)
            return redirect("processing", brand.slug)
    context = {
        "room": "settings", "section": "personal", "account": account, "form": form, "months": months,
        "until": months_after(at, -months) if months else None,
        "goes": personal.too_old(account, months, at=at).count() if months else None,
        "oldest": personal.too_old(account, months, at=at).order_by("last_activity_at")[:10] if months else [],
    }  # fmt: skip
    return render(request, "flows/retention.html", context, status=422 if form.errors else 200)


def _member(brand: Brand, member_id: int) -> Member:
    return get_object_or_404(Member, pk=member_id, brand=brand)
