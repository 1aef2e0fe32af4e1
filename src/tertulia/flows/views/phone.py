"""The page on which a call or a talk in the shop is written down."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.community import queries as people
from tertulia.community.models import Member
from tertulia.core import clock
from tertulia.core.html import tidy
from tertulia.flows.forms import NoteCallForm
from tertulia.flows.phone import CannotNote, note_call
from tertulia.team.access import BrandRequest, brand_required

FOUND = 6


@require_http_methods(["GET", "POST"])
@brand_required("inbox.reply")
def note(request: BrandRequest, brand: Brand) -> HttpResponse:
    """The form; handed in, it leads to the conversation."""
    account = _account(brand)
    if request.method == "GET":
        return _page(request, brand, NoteCallForm(initial=_initial(request, brand), brand=brand))
    form = NoteCallForm(_handed_in(request), brand=brand)
    if form.is_valid():
        facts = {**form.cleaned_data, "key": str(form.cleaned_data["key"])}
        try:
            conversation = note_call(brand=brand, account=account, by=request.membership.user, at=clock.now(), **facts)
        except CannotNote as problem:
            form.add_error(problem.field, str(problem))
        else:
            return redirect("inbox:conversation", brand.slug, conversation.pk)
    return _page(request, brand, form, status=422)


@require_GET
@brand_required("inbox.reply")
def search(request: BrandRequest, brand: Brand) -> HttpResponse:
    """People to choose from, as somebody types a name, a number or an address."""
    return render(request, "flows/_people.html", {"found": _found(brand, request.GET.get("q", ""))})


def _handed_in(request: BrandRequest) -> QueryDict:
    """What was typed to look for somebody, and led to nobody, is still what is known of them."""
    handed = request.POST.copy()
    typed = handed.get("q", "").strip()
    if typed and not any(handed.get(field) for field in ("member", "name", "phone", "email")):
        is_number = re.fullmatch(r"[+\d][\d\s().-]{4,}", typed)
        handed["email" if "@" in typed else "phone" if is_number else "name"] = typed
    return handed


def _page(request: BrandRequest, brand: Brand, form: NoteCallForm, status: int = 200) -> HttpResponse:
    chosen = Member.objects.filter(brand=brand, pk=_number(form["member"].value())).first()
    context = {"room": "inbox", "form": form, "chosen": chosen}
    return render(request, "flows/phone.html", context, status=status)


def _initial(request: BrandRequest, brand: Brand) -> dict[str, Any]:
    here = clock.now().astimezone(ZoneInfo(brand.time_zone)).replace(second=0, microsecond=0, tzinfo=None)
    return {
        "key": uuid4(),
        "kind": "call",
        "direction": "in",
        "happened_at": here,
        "member": request.GET.get("member", ""),
    }


def _account(brand: Brand) -> Account:
    accounts = Account.objects.filter(brand=brand).exclude(state=Account.State.PAUSED).order_by("id")
    account = next((account for account in accounts if account.capabilities.is_aloud), None)
    if account is None:
        raise Http404(_("This brand has no channel for notes by hand. Add one under Channels."))
    return account


def _found(brand: Brand, q: str) -> list[Member]:
    q = " ".join(tidy(q).split())[:100]
    return people.people(brand, q=q, limit=FOUND).members if len(q) > 1 else []


def _number(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0
