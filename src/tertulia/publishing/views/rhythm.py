"""The settings of the rhythm: what each account promises, the slots of its queue, and what becomes of late posts."""

from __future__ import annotations

from datetime import time, timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import clock, dates
from tertulia.team.access import brand_required

from .. import actions, best_hours, hours_page, queries, rhythm
from ..access import RoomRequest
from ..forms import GraceForm, RhythmForm
from ..problems import Problem

MINUTE = timedelta(minutes=1)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.settings")
def show_all(request: RoomRequest, brand: Brand) -> HttpResponse:
    """The rhythm of each account, and how late a post of any of them may leave."""
    form = GraceForm(request.POST or None, initial={"grace_minutes": queries.grace(brand.pk) // MINUTE})
    if request.method == "POST" and form.is_valid():
        minutes = form.cleaned_data["grace_minutes"]
        actions.set_grace(brand=brand, minutes=minutes, by=request.user, at=clock.now())
        messages.info(request, _("Kept."))
        return redirect("publishing:rhythms", brand.slug)
    settled = rhythm.of_all(brand)
    rows = [(account, *settled.get(account.pk, (None, 0))) for account in queries.accounts(brand)]
    context = {"section": "rhythm", "room": "settings", "rows": rows, "form": form}
    return render(request, "publishing/rhythms.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.settings")
def change(request: RoomRequest, brand: Brand, posting_account_id: int) -> HttpResponse:
    """What one account promises, and its week of slots as a grid; a line of its own adds another time."""
    account = _account(brand, posting_account_id)
    now = clock.now()
    was = rhythm.of(account, at=now)
    hours = best_hours.of(account, now)
    form = RhythmForm(request.POST or None, initial={"per_week": was.per_week, "starts_on": was.starts_on})
    status = 200
    if request.method == "POST" and form.is_valid():
        asked = rhythm.Rhythm(
            form.cleaned_data["per_week"], form.cleaned_data["starts_on"] or was.starts_on, _weekdays(request),
            _slots(request) | (_at(hours) if "add_best" in request.POST else frozenset()),
        )  # fmt: skip
        try:
            rhythm.settle(account=account, rhythm=asked, by=request.user, at=now)
        except (Problem, ValidationError) as problem:
            form.add_error(None, problem if isinstance(problem, ValidationError) else str(problem))
        else:
            messages.info(request, _("Kept."))
            return redirect("publishing:rhythm", brand.slug, account.pk)
    if request.method == "POST":
        status = 422
    weekdays = _weekdays(request) if request.method == "POST" else was.weekdays
    slots = _slots(request) if request.method == "POST" else was.slots
    times = sorted({at for _weekday, at in slots})
    context = {
        "section": "rhythm", "room": "settings", "account": account, "form": form,
        "days": [(n, *names, n in weekdays) for n, names in enumerate(dates.weekdays())],
        "times": [(at, [(n, whole, (n, at) in slots) for n, (_short, whole) in enumerate(dates.weekdays())])
                  for at in times],
        "hours": hours, "told": [hours_page.told(one)[0] for one in hours.best], "least": best_hours.LEAST_POSTS,
        "are_missing": not _at(hours) <= slots,
    }  # fmt: skip
    return render(request, "publishing/rhythm.html", context, status=status)


def _at(hours: best_hours.BestHours) -> frozenset[tuple[int, time]]:
    """The best hours as slots."""
    return frozenset((one.weekday, time(one.hour)) for one in hours.best)


def _account(brand: Brand, id: int) -> Account:
    for account in queries.accounts(brand):
        if account.pk == id:
            account.brand = brand
            return account
    raise Http404


def _weekdays(request: RoomRequest) -> list[int]:
    """On which days what is published counts; all of them are none in particular."""
    days = sorted({int(one) for one in request.POST.getlist("weekday") if one in set("0123456")})
    return days if len(days) < 7 else []


def _slots(request: RoomRequest) -> frozenset[tuple[int, time]]:
    """The boxes of the grid ("3-09:00"), and those of the line that adds a time."""
    named = request.POST.getlist("slot")
    if added := request.POST.get("new_time", ""):
        named += [f"{day}-{added}" for day in request.POST.getlist("new_day")]
    found = set()
    for one in named[: 7 * rhythm.MOST_SLOTS]:
        day, _dash, at = one.partition("-")
        try:
            moment = time.fromisoformat(at).replace(second=0, microsecond=0, tzinfo=None)
        except ValueError:
            continue
        if day in set("0123456"):
            found.add((int(day), moment))
    return frozenset(found)
