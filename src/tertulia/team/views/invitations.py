"""Into the team by a link: who asks, who comes."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team import actions, mail
from tertulia.team.access import brand_required
from tertulia.team.forms import InvitationForm, NewPersonForm
from tertulia.team.models import Invitation, User


@require_http_methods(["GET", "POST"])
@brand_required("team.manage")
def invite(request: Any, brand: Brand) -> HttpResponse:
    """Make a link; its page is the only place that ever shows it."""
    form = InvitationForm(request.POST or None, by=request.membership)
    invited = None
    if request.method == "POST" and form.is_valid():
        try:
            invited = actions.invite(brand=brand, by=request.membership, at=clock.now(), **form.cleaned_data)
        except actions.AlreadyHere:
            form.add_error("email", _("That person is on the team already."))
        except actions.MayNot:
            raise PermissionDenied from None
    page = {"room": "team", "form": form, "invited": invited, "sends_mail": mail.is_set_up()}
    return render(request, "team/invite.html", page)


@require_POST
@brand_required("team.manage")
def withdraw(request: Any, brand: Brand, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.filter(brand=brand, used_at=None), pk=invitation_id)
    actions.withdraw(invitation=invitation, by=request.membership, at=clock.now())
    messages.success(request, _("The link no longer works."))
    return redirect("team:people", brand.slug)


@never_cache
@require_http_methods(["GET", "POST"])
def accept(request: Any, token: str) -> HttpResponse:
    """Where the link leads: a new person makes their account, one of the desk joins the brand."""
    at = clock.now()
    try:
        invitation = actions.find_invitation(token=token, at=at)
        if request.user.is_authenticated:
            return _join(request, invitation, token)
        if User.objects.filter(email=invitation.email).exists():
            return redirect_to_login(request.path)
        return _join_as_new(request, invitation, token)
    except actions.InvitationSpent:
        return render(request, "team/invitation_spent.html", status=404)


def _join(request: Any, invitation: Invitation, token: str) -> HttpResponse:
    is_theirs = request.user.email.lower() == invitation.email
    if request.method == "POST" and is_theirs:
        membership = actions.join(token=token, user=request.user, at=clock.now())
        return redirect("inbox:list", membership.brand.slug)
    return render(
        request,
        "team/invitation.html",
        {"invitation": invitation, "is_theirs": is_theirs},
        status=403 if request.method == "POST" else 200,
    )


def _join_as_new(request: Any, invitation: Invitation, token: str) -> HttpResponse:
    form = NewPersonForm(request.POST or None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        membership = actions.join_as_new(token=token, at=clock.now(), **form.cleaned_data)
        response: HttpResponse = perform_login(
            request, membership.user, redirect_url=reverse("inbox:list", args=[membership.brand.slug])
        )
        return response
    return render(request, "team/invitation.html", {"invitation": invitation, "form": form})
