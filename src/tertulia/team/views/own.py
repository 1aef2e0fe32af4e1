"""What people set for themselves."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tertulia.team import mail
from tertulia.team.forms import AppearanceForm, ProfileForm
from tertulia.team.models import User


@login_required
def profile(request: Any) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        with translation.override(user.language or request.LANGUAGE_CODE):
            messages.success(request, _("Saved."))
        return redirect("team:profile")
    return render(request, "team/profile.html", {"form": form, "sends_mail": mail.is_set_up()})


@require_POST
def appearance(request: Any) -> HttpResponse:
    """Language, and for people of the desk the theme, from wherever one is; back to the same page."""
    response = HttpResponseRedirect(_back(request))
    form = AppearanceForm(request.POST)
    if form.is_valid():
        chosen = form.chosen()
        if request.user.is_authenticated and chosen:
            User.objects.filter(pk=request.user.pk).update(**chosen)
        if "language" in chosen:
            _remember_language(response, chosen["language"])
    return response


def _back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours else "/"


def _remember_language(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=60 * 60 * 24 * 365,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
