"""Campaigns: which there are, and one with all that belongs to it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.strategy import actions, queries
from tertulia.strategy.models import Campaign
from tertulia.team.access import brand_required

from .. import actions as publishing
from .. import campaigns, kits, spoken
from ..access import RoomRequest
from ..forms import CampaignForm, LearnedForm
from ..problems import Problem


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def begin(request: RoomRequest, brand: Brand) -> HttpResponse:
    form = CampaignForm(request.POST or None, brand=brand)
    if request.method == "POST" and form.is_valid():
        campaign = publishing.begin_campaign(brand=brand, by=request.user, at=clock.now(), **form.cleaned_data)
        return redirect("publishing:campaign", brand.slug, campaign.pk)
    return _form(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def change(request: RoomRequest, brand: Brand, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id, brand=brand)
    form = CampaignForm(request.POST or None, instance=campaign, brand=brand)
    if request.method == "POST" and form.is_valid():
        try:
            publishing.change_campaign(campaign=campaign, by=request.user, at=clock.now(), **form.cleaned_data)
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            return redirect("publishing:campaign", brand.slug, campaign.pk)
    return _form(request, form, campaign)


def _form(request: RoomRequest, form: CampaignForm, campaign: Campaign | None) -> HttpResponse:
    context = {"room": "publishing", "tab": "campaigns", "form": form, "campaign": campaign}
    return render(request, "publishing/campaign_form.html", context, status=422 if form.errors else 200)


@require_GET
@brand_required("publishing.read")
def show_all(request: RoomRequest, brand: Brand) -> HttpResponse:
    counted = campaigns.numbers(brand)
    rows = [(one, counted.get(one.pk, 0)) for one in queries.campaigns(brand)]
    return render(request, "publishing/campaigns.html", {"room": "publishing", "tab": "campaigns", "rows": rows})


@require_GET
@brand_required("publishing.read")
def show(request: RoomRequest, brand: Brand, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(queries.campaigns(brand), pk=campaign_id)
    return _page(request, campaign, LearnedForm(initial={"learned": campaign.learned}))


def _page(request: RoomRequest, campaign: Campaign, form: LearnedForm) -> HttpResponse:
    counted = campaigns.results(campaign)
    speakers, newest = spoken.conversations(campaign=campaign)
    context = {
        "room": "publishing", "tab": "campaigns", "campaign": campaign, "lines": campaigns.lines(campaign),
        "speakers": speakers, "spoken": newest,
        "results": [(campaigns.said(one), one["value"]) for one in counted],
        "kits": kits.beside(request.brand, of=campaign), "kit_of": f"campaign={campaign.pk}", "may_kit": True,
        "frozen": [(campaigns.said(one), one["value"]) for one in campaign.results], "form": form,
    }  # fmt: skip
    return render(request, "publishing/campaign.html", context, status=422 if form.errors else 200)


@require_POST
@brand_required("publishing.publish")
def close(request: RoomRequest, brand: Brand, campaign_id: int) -> HttpResponse:
    """Keep how it stands, and what was learned."""
    campaign = get_object_or_404(queries.campaigns(brand), pk=campaign_id)
    form = LearnedForm(request.POST)
    if not form.is_valid():
        return _page(request, campaign, form)
    counted = campaigns.results(campaign)
    try:
        actions.close(
            campaign=campaign, learned=form.cleaned_data["learned"], results=counted, by=request.user, at=clock.now()
        )
    except actions.Problem as problem:
        messages.error(request, str(problem))
    return redirect("publishing:campaign", brand.slug, campaign.pk)


@require_POST
@brand_required("publishing.publish")
def reopen(request: RoomRequest, brand: Brand, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id, brand=brand)
    try:
        actions.reopen(campaign=campaign, by=request.user, at=clock.now())
    except actions.Problem as problem:
        messages.error(request, str(problem))
    return redirect("publishing:campaign", brand.slug, campaign.pk)
