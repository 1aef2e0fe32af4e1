"""Letting us in on the network's own page: leaving for it, and the one address to come back to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from tertulia.brand.models import Brand
from tertulia.channels import consents
from tertulia.channels.forms import AccountForm
from tertulia.channels.models import Account, Admission
from tertulia.connectors.contract import Connector, Granted, Outcome
from tertulia.core import clock
from tertulia.core.redact import redact
from tertulia.core.sentences import told
from tertulia.team.access import brand_required, memberships_of

from .accounts import account_of, back_to, connector_of, say, show_account, show_add


@require_POST
@brand_required("channels.manage")
def begin(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    """Connect an account again, with what was typed. What it has stays until the new works."""
    found = account_of(brand, account_id)
    form = AccountForm(request.POST, connector=_consenting(found.kind), account=found)
    return _leave(request, found, form) or show_account(request, brand, found, form)


@require_POST
@brand_required("channels.manage")
def begin_new(request: Any, brand: Brand, kind: str) -> HttpResponse:
    """Connect an account that is still to be made, with what was typed of it."""
    connector = _consenting(kind)
    form = AccountForm(request.POST, connector=connector)
    return _leave(request, Account(brand=brand, kind=kind), form) or show_add(request, connector, form)


@require_GET
@never_cache
def back(request: Any) -> HttpResponse:
    """Somebody comes back from a network, with a code or without one."""
    if not request.user.is_authenticated:
        return redirect_to_login("/")
    try:
        begun = consents.take(
            state=request.GET.get("state", ""), session=_session(request), by=request.user.pk, at=clock.now()
        )
    except Outcome as outcome:
        messages.error(request, told(outcome.why))
        return redirect("/")
    membership = next((one for one in memberships_of(request) if one.brand_id == begun.brand_id), None)
    if membership is None or not membership.may("channels.manage"):
        raise PermissionDenied
    if code := request.GET.get("code", ""):
        return _finish(request, begun, code)
    messages.error(request, _not_given(request))
    return _whence(begun)


def _leave(request: Any, account: Account, form: AccountForm) -> HttpResponse | None:
    """By a page of our own: a form may lead nowhere but here, by the policy every page carries. None: see the form."""
    if not form.is_valid():
        return None
    try:
        url = consents.begin(
            account=account, name=form.cleaned_data["name"], typed=Granted(form.secrets, form.settings),
            back_to=back_to(), session=_session(request), by=request.user.pk, at=clock.now(),
        )  # fmt: skip
    except Outcome as outcome:
        form.add_error(None, told(outcome.why))
        return None
    return render(request, "channels/leaving.html", {"url": url, "host": urlsplit(url).netloc})


def _finish(request: Any, begun: Admission, code: str) -> HttpResponse:
    try:
        account, health = consents.finish(begun=begun, code=code, back_to=back_to(), by=request.user.pk, at=clock.now())
    except Outcome as outcome:
        text = _("The access that was given can't be used: {says} Nothing was changed.")
        messages.error(request, text.format(says=told(outcome.why)))
        return _whence(begun)
    say(request, account.name, health)
    return redirect("channels:account", begun.brand.slug, account.pk)


def _not_given(request: Any) -> str:
    """`error` is a word of the protocol, `error_description` the network's own."""
    says = redact(request.GET.get("error_description", ""), longest=200)
    if says and request.GET.get("error") != "access_denied":
        return _("The access was not given: “{says}” Nothing was changed.").format(says=says)
    return _("The access was not given there. Nothing was changed.")


def _whence(begun: Admission) -> HttpResponse:
    if begun.account_id:
        return redirect("channels:account", begun.brand.slug, begun.account_id)
    return redirect("channels:add", begun.brand.slug, begun.kind)


def _consenting(kind: str) -> type[Connector]:
    connector = connector_of(kind)
    if not connector.capabilities.consents:
        raise Http404
    return connector


def _session(request: Any) -> str:
    key: str = request.session.session_key
    return key
