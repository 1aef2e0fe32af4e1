"""The way in: the first run, and the address without a path."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.flows import first_run
from tertulia.flows.first_run_form import FirstRunForm
from tertulia.inbox.models import Conversation, Presence
from tertulia.team.models import Membership


@never_cache
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """To the inbox, to sign in, or, before anything was set up, to where the link is."""
    if not request.user.is_authenticated:
        return redirect("account_login") if Brand.objects.exists() else render(request, "flows/no_brand.html")
    own = Membership.objects.filter(user=request.user).select_related("brand").order_by("brand__is_sample", "id")
    if not own:
        return render(request, "flows/no_membership.html", status=403)
    return redirect("inbox:list", _landing(request.user.pk, [one.brand for one in own]).slug)


def _landing(user_id: int, brands: list[Brand]) -> Brand:
    """The brand last worked in; before any work the first, or the sample while the first has nothing to show."""
    last = Presence.objects.filter(user_id=user_id, conversation__brand__in=brands).order_by("-seen_at")
    brand_id = last.values_list("conversation__brand_id", flat=True).first()
    if brand_id is not None:
        return next(brand for brand in brands if brand.pk == brand_id)
    if brands[-1].is_sample and not Conversation.objects.filter(brand=brands[0]).exists():
        return brands[-1]
    return brands[0]


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the one-time link."""
    try:
        first_run.check_link(token)
        form = FirstRunForm(request.POST or None)
        if request.method == "GET" or not form.is_valid():
            status = 422 if request.method == "POST" else 200
            return render(request, "flows/first_run.html", {"form": form}, status=status)
        return _open(request, token, form)
    except first_run.NotYours:
        return render(request, "flows/link_used.html", status=404)


def _open(request: HttpRequest, token: str, form: FirstRunForm) -> HttpResponse:
    at = clock.now()
    own = first_run.set_up(token=token, company=form.company, person=form.person, at=at)
    if form.cleaned_data["wants_sample"]:
        own = first_run.add_sample(user=own.user, at=at)
    response: HttpResponse = perform_login(request, own.user, redirect_url=reverse("inbox:list", args=[own.brand.slug]))
    return response
