"""The connected accounts of a brand and how they are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.channels import actions, queries, standing
from tertulia.channels.drawings import channel_icon, channel_symbols
from tertulia.channels.forms import AccountForm, said
from tertulia.channels.models import Account, Quarantine
from tertulia.connectors import registry
from tertulia.connectors.contract import Connector, Health, Outcome
from tertulia.core import clock
from tertulia.core.sentences import told
from tertulia.team.access import brand_required

from .figures import by_hand

SECTION = {"room": "settings", "section": "channels"}


@require_GET
@brand_required("channels.manage")
def show_list(request: Any, brand: Brand) -> HttpResponse:
    at = clock.now()
    rows = [standing.of(account, at=at) for account in standing.with_waiting(queries.accounts(brand))]
    waiting = Quarantine.objects.filter(account__brand=brand).aggregate(n=Count("pk", filter=Q(settled_at=None)))
    return render(request, "channels/list.html", {**SECTION, "rows": rows, "quarantined": waiting["n"]})


@require_GET
@brand_required("channels.manage")
def choose(request: Any, brand: Brand) -> HttpResponse:
    """Which channel to add: every connector that is installed, those last where people carry the words by hand."""
    offered = [
        (key, said(one.name), said(one.about) if one.about else "", channel_icon(key), one.capabilities.by_hand)
        for key, one in registry.all_connectors().items()
    ]
    offered.sort(key=lambda one: (one[-1], one[1].casefold()))
    return render(
        request, "channels/choose.html", {**SECTION, "offered": offered, "channel_symbols": channel_symbols()}
    )


@require_http_methods(["GET", "POST"])
@brand_required("channels.manage")
def add(request: Any, brand: Brand, kind: str) -> HttpResponse:
    connector = connector_of(kind)
    form = AccountForm(request.POST or None, connector=connector)
    if request.method == "POST" and form.is_valid():
        account = actions.connect(
            brand=brand, kind=kind, name=form.cleaned_data["name"], settings=form.settings, secrets=form.secrets,
            by=request.user.pk, at=clock.now(),
        )  # fmt: skip
        _say_how_it_is(request, account)
        return redirect("channels:account", brand.slug, account.pk)
    return show_add(request, connector, form)


def show_add(request: Any, connector: type[Connector], form: AccountForm) -> HttpResponse:
    return render(request, "channels/add.html", {**SECTION, "form": form, **_about(connector)})


@require_http_methods(["GET", "POST"])
@brand_required("channels.manage")
def account(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    """One account: how it is, its settings, and what to put on the page for a hosted one."""
    found = account_of(brand, account_id)
    connector = connector_of(found.kind)
    form = AccountForm(request.POST or None, connector=connector, account=found)
    if request.method == "POST" and form.is_valid():
        name, at = form.cleaned_data["name"], clock.now()
        try:
            health = actions.mend(
                account=found, name=name, settings=form.settings, secrets=form.secrets, by=request.user.pk, at=at
            )  # fmt: skip
        except Outcome as outcome:
            form.add_error(None, _("Nothing was changed. {says}").format(says=told(outcome.why)))
        else:
            say(request, name, health)
            return redirect("channels:account", brand.slug, found.pk)
    return show_account(request, brand, found, form)


def show_account(request: Any, brand: Brand, found: Account, form: AccountForm) -> HttpResponse:
    connector, at = connector_of(found.kind), clock.now()
    return render(
        request,
        "channels/account.html",
        {
            **SECTION,
            "account": found,
            "standing": standing.of(found, at=at),
            "now": at,
            **_about(connector),
            "form": form,
            "is_hosted": connector.capabilities.hosted,
            "has_keys": connector.capabilities.is_called and any(field.is_generated for field in connector.fields),
            "base": settings.PUBLIC_URL,
            "quarantined": queries.quarantined(brand).filter(account=found).count(),
            **by_hand(found, brand),
        },
    )


@require_POST
@brand_required("channels.manage")
def pause(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    found = account_of(brand, account_id)
    actions.pause(account=found, by=request.user.pk, at=clock.now())
    messages.success(request, _("{name} is paused: nothing is read or sent there.").format(name=found))
    return redirect("channels:account", brand.slug, found.pk)


@require_POST
@brand_required("channels.manage")
def resume(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    """Start again, if the network agrees that it works."""
    found = account_of(brand, account_id)
    if _say_how_it_is(request, found):
        actions.resume(account=found, by=request.user.pk, at=clock.now())
    return redirect("channels:account", brand.slug, found.pk)


@require_POST
@brand_required("channels.manage")
def renew_keys(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    found = account_of(brand, account_id)
    actions.renew_keys(account=found, by=request.user.pk, at=clock.now())
    messages.success(request, _("The key is new; what was signed with the old one no longer counts."))
    return redirect("channels:account", brand.slug, found.pk)


def _say_how_it_is(request: Any, found: Account) -> bool:
    health = actions.look(account=found, at=clock.now())
    say(request, found.name, health)
    return health.is_ok


def say(request: Any, name: str, health: Health) -> None:
    if health.is_ok:
        messages.success(request, _("{name} works.").format(name=name))
    else:
        messages.error(request, _("{name} does not work yet: {says}").format(name=name, says=told(health.says)))


def _about(connector: type[Connector]) -> dict[str, Any]:
    """What the forms say of a channel."""
    consents = connector.capabilities.consents
    return {
        "kind": connector.key,
        "channel": said(connector.name),
        "consents": consents,
        "consents_rarely": connector.capabilities.consents_rarely,
        "back_to": back_to() if consents else "",
    }


def back_to() -> str:
    """Where every network sends people back to: the address to give where one has to be registered."""
    return settings.PUBLIC_URL + reverse("channels:consent_back")


def account_of(brand: Brand, account_id: int) -> Account:
    return get_object_or_404(standing.with_waiting(Account.objects.filter(brand=brand)), pk=account_id)


def connector_of(kind: str) -> type[Connector]:
    try:
        return registry.get(kind)
    except registry.UnknownConnector:
        raise Http404 from None
