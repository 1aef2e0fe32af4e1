"""The figures of a profile on a platform that tells them to no program."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tertulia.brand.models import Brand
from tertulia.channels import figures, tagging
from tertulia.channels.forms import FiguresForm
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.core import clock
from tertulia.team.access import brand_required


@require_http_methods(["GET", "POST"])
@brand_required("channels.manage")
def show(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    """A day's figures typed in; the account's page shows what became of them."""
    account = get_object_or_404(Account.objects.filter(brand=brand), pk=account_id)
    if not _is_typed(account):
        raise Http404
    if request.method == "GET":
        return redirect("channels:account", brand.slug, account.pk)
    form = FiguresForm(request.POST, account=account, today=_today(brand))
    if not form.is_valid():
        context = {"room": "settings", "section": "channels", "account": account, **by_hand(account, brand, form)}
        return render(request, "channels/figures.html", context, status=422)
    on = form.cleaned_data["on"]
    figures.keep(account=account, on=on, values=form.values, by=request.user.pk, at=clock.now())
    messages.success(request, _("The figures are kept."))
    return redirect("channels:account", brand.slug, account.pk)


def by_hand(account: Account, brand: Brand, form: FiguresForm | None = None) -> dict[str, Any]:
    """What the account's page shows of a platform by hand; nothing for a channel of another kind."""
    if not _is_typed(account):
        return {}
    today = _today(brand)
    headings, rows = figures.table(account, today=today)
    return {
        "figures_form": form or FiguresForm(account=account, today=today),
        "charts": figures.charts(account, today=today),
        "figure_names": headings,
        "figure_rows": rows,
        "tag_addresses": tagging.addresses(account),
    }


def _is_typed(account: Account) -> bool:
    return account.kind in registry.all_connectors() and account.capabilities.is_posted


def _today(brand: Brand) -> date:
    return clock.now().astimezone(ZoneInfo(brand.time_zone)).date()
