"""The settings of a brand: who speaks, when the desk is open, which days it is closed."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.brand import actions, hours
from tertulia.brand.forms import AvoidedForm, BrandForm, HolidayForm, HoursForm, NewBrandForm, WordsForm
from tertulia.brand.models import AvoidedWord, Brand, Holiday, OpeningHours, OwnWord
from tertulia.core import clock
from tertulia.team.access import brand_required
from tertulia.team.actions import found_brand

SECTION = {"room": "settings", "section": "brand"}


@require_http_methods(["GET", "POST"])
@brand_required("brand.manage")
def settings(request: Any, brand: Brand) -> HttpResponse:
    form = BrandForm(request.POST or None, instance=Brand.objects.get(pk=brand.pk))
    if request.method == "POST" and form.is_valid():
        actions.change(brand=form.instance, by=request.user.pk, at=clock.now())
        messages.success(request, _("Saved."))
        if "time_zone" in form.changed_data:
            says = _("What is planned keeps its time. On the calendar you can let it follow the new time zone.")
            messages.info(request, says)
        return redirect("brand:settings", brand.slug)
    return _page(request, brand, form=form)


@require_POST
@brand_required("brand.manage")
def set_hours(request: Any, brand: Brand) -> HttpResponse:
    form = HoursForm(request.POST, present=_stretches(brand))
    if not form.is_valid():
        return _page(request, brand, hours_form=form)
    actions.set_hours(brand=brand, stretches=form.stretches, by=request.user.pk, at=clock.now())
    messages.success(request, _("The opening hours are saved."))
    return redirect("brand:settings", brand.slug)


@require_POST
@brand_required("brand.manage")
def set_words(request: Any, brand: Brand) -> HttpResponse:
    form = WordsForm(request.POST, present=[])
    if not form.is_valid():
        return _page(request, brand, words_form=form)
    actions.set_words(brand=brand, words=form.words, by=request.user.pk, at=clock.now())
    messages.success(request, _("Your own words are saved."))
    return redirect("brand:settings", brand.slug)


@require_POST
@brand_required("brand.manage")
def avoid(request: Any, brand: Brand) -> HttpResponse:
    form = AvoidedForm(request.POST)
    if not form.is_valid():
        return _page(request, brand, avoided_form=form)
    actions.avoid(brand=brand, words=form.words, by=request.user.pk, at=clock.now())
    messages.success(request, _("The words to avoid are saved."))
    return redirect("brand:settings", brand.slug)


@require_POST
@brand_required("brand.manage")
def add_holiday(request: Any, brand: Brand) -> HttpResponse:
    form = HolidayForm(request.POST)
    if form.is_valid():
        try:
            actions.close_on(brand=brand, by=request.user.pk, at=clock.now(), **form.cleaned_data)
        except actions.DayTaken:
            form.add_error("on", _("That day is on the list already."))
        else:
            return redirect("brand:settings", brand.slug)
    return _page(request, brand, holiday_form=form)


@require_POST
@brand_required("brand.manage")
def remove_holiday(request: Any, brand: Brand, holiday_id: int) -> HttpResponse:
    holiday = get_object_or_404(Holiday.objects.filter(brand=brand).select_related("brand"), pk=holiday_id)
    actions.open_on(holiday=holiday, by=request.user.pk, at=clock.now())
    return redirect("brand:settings", brand.slug)


@require_http_methods(["GET", "POST"])
@brand_required("brand.create")
def new(request: Any, brand: Brand) -> HttpResponse:
    """Another brand beside this one, whose maker manages it."""
    form = NewBrandForm(request.POST or None, initial={"language": brand.language, "time_zone": brand.time_zone})
    if request.method == "POST" and form.is_valid():
        made = found_brand(by=request.user, at=clock.now(), **form.cleaned_data)
        messages.success(request, _("{name} is ready. Connect its first channel.").format(name=made))
        return redirect("channels:list", made.slug)
    return render(request, "brand/new.html", {**SECTION, "form": form})


def _page(
    request: Any,
    brand: Brand,
    *,
    form: BrandForm | None = None,
    hours_form: HoursForm | None = None,
    holiday_form: HolidayForm | None = None,
    words_form: WordsForm | None = None,
    avoided_form: AvoidedForm | None = None,
) -> HttpResponse:
    today = clock.now().astimezone(ZoneInfo(brand.time_zone)).date()
    own = list(Holiday.objects.filter(brand=brand, on__gte=today.replace(month=1, day=1)).order_by("on"))
    sent = [each for each in (form, hours_form, holiday_form, words_form, avoided_form) if each is not None]
    return render(
        request,
        "brand/settings.html",
        {
            **SECTION,
            "form": form or BrandForm(instance=brand),
            "hours_form": hours_form or HoursForm(present=_stretches(brand)),
            "holiday_form": holiday_form or HolidayForm(auto_id="holiday_%s"),
            "words_form": words_form or WordsForm(present=OwnWord.objects.filter(brand=brand).order_by("name")),
            "avoided_form": avoided_form or AvoidedForm(present=AvoidedWord.objects.filter(brand=brand).order_by("pk")),
            "own_holidays": own,
            "public_holidays": _public(brand, today, {each.on for each in own}),
            "today": today,
        },
        status=422 if any(each.errors for each in sent) else 200,
    )


def _public(brand: Brand, today: date, own: set[date]) -> list[tuple[int, list[tuple[date, str]]]]:
    """The public holidays of this year and the next."""
    return [
        (year, [(on, name) for on, name in hours.holidays(brand, year).items() if on not in own])
        for year in (today.year, today.year + 1)
    ]


def _stretches(brand: Brand) -> list[actions.Stretch]:
    return list(OpeningHours.objects.filter(brand=brand).values_list("weekday", "opens", "closes"))
