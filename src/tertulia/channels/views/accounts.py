"""The connected accounts of a brand and how they are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.channels import actions, queries
from tertulia.channels.forms import AccountForm, said
from tertulia.channels.models import Account, Quarantine
from tertulia.connectors import registry
from tertulia.connectors.contract import Connector
from tertulia.core import clock
from tertulia.team.access import brand_required

SECTION = {"room": "settings", "section": "channels"}


@require_GET
@brand_required("channels.manage")
def show_list(request: Any, brand: Brand) -> HttpResponse:
    rows = [(account, _name(account.kind)) for account in queries.accounts(brand)]
    waiting = Quarantine.objects.filter(account__brand=brand).aggregate(n=Count("pk", filter=Q(settled_at=None)))
    return render(request, "channels/list.html", {**SECTION, "rows": rows, "quarantined": waiting["n"]})


@require_GET
@brand_required("channels.manage")
def choose(request: Any, brand: Brand) -> HttpResponse:
    """Which channel to add: every connector that is installed."""
    offered = [(key, said(connector.name)) for key, connector in registry.all_connectors().items()]
    return render(request, "channels/choose.html", {**SECTION, "offered": sorted(offered, key=lambda one: one[1])})


@require_http_methods(["GET", "POST"])
@brand_required("channels.manage")
def add(request: Any, brand: Brand, kind: str) -> HttpResponse:
    connector = _connector(kind)
    form = AccountForm(request.POST or None, connector=connector)
    if request.method == "POST" and form.is_valid():
        account = actions.connect(
            brand=brand, kind=kind, name=form.cleaned_data["name"], settings=form.settings, secrets=form.secrets,
            by=request.user.pk, at=clock.now(),
        )  # fmt: skip
        _say_how_it_is(request, account)
        return redirect("channels:account", brand.slug, account.pk)
    return render(request, "channels/add.html", {**SECTION, "form": form, "channel": said(connector.name)})


@require_http_methods(["GET", "POST"])
@brand_required("channels.manage")
def account(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    """One account: how it is, its settings, and what to put on the page for a hosted one."""
    found = _account(brand, account_id)
    connector = _connector(found.kind)
    form = AccountForm(request.POST or None, connector=connector, account=found)
    if request.method == "POST" and form.is_valid():
        at = clock.now()
        found = actions.change(
            account=found, name=form.cleaned_data["name"], settings=form.settings, secrets=form.secrets,
            by=request.user.pk, at=at,
        )  # fmt: skip
        if _say_how_it_is(request, found) and found.state == Account.State.ATTENTION:
            actions.resume(account=found, by=request.user.pk, at=at)
        return redirect("channels:account", brand.slug, found.pk)
    return render(
        request,
        "channels/account.html",
        {
            **SECTION,
            "account": found,
            "channel": said(connector.name),
            "form": form,
            "is_hosted": connector.capabilities.hosted,
            "has_keys": any(field.is_generated for field in connector.fields),
            "base": settings.PUBLIC_URL,
            "quarantined": queries.quarantined(brand).filter(account=found).count(),
        },
    )


@require_POST
@brand_required("channels.manage")
def pause(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    found = _account(brand, account_id)
    actions.pause(account=found, by=request.user.pk, at=clock.now())
    messages.success(request, _("{name} is paused: nothing is read or sent there.").format(name=found))
    return redirect("channels:account", brand.slug, found.pk)


@require_POST
@brand_required("channels.manage")
def resume(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    """Start again, if the network agrees that it works."""
    found = _account(brand, account_id)
    if _say_how_it_is(request, found):
        actions.resume(account=found, by=request.user.pk, at=clock.now())
    return redirect("channels:account", brand.slug, found.pk)


@require_POST
@brand_required("channels.manage")
def renew_keys(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    found = _account(brand, account_id)
    actions.renew_keys(account=found, by=request.user.pk, at=clock.now())
    messages.success(request, _("The key is new; what was signed with the old one no longer counts."))
    return redirect("channels:account", brand.slug, found.pk)


def _say_how_it_is(request: Any, found: Account) -> bool:
    health = actions.look(account=found)
    if health.is_ok:
        messages.success(request, _("{name} works.").format(name=found))
    else:
        messages.error(request, _("{name} does not work yet: {says}").format(name=found, says=health.says))
    return health.is_ok


def _account(brand: Brand, account_id: int) -> Account:
    return get_object_or_404(Account.objects.filter(brand=brand), pk=account_id)


def _connector(kind: str) -> type[Connector]:
    try:
        return registry.get(kind)
    except registry.UnknownConnector:
        raise Http404 from None


def _name(kind: str) -> str:
    """The channel's name; its key when its connector is no longer installed."""
    known = registry.all_connectors()
    return said(known[kind].name) if kind in known else kind
