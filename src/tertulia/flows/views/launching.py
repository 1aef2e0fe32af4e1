"""The page on which a product's sheet is filled in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.flows import launching
from tertulia.flows.forms import LaunchForm
from tertulia.publishing.problems import Problem
from tertulia.team.access import BrandRequest, brand_required


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("inbox.settings")
def launch(request: BrandRequest, brand: Brand) -> HttpResponse:
    """From one sheet a campaign, drafts for each network and saved replies."""
    form = LaunchForm(request.POST or None, brand=brand)
    if request.method == "POST" and form.is_valid():
        try:
            made = launching.launch(
                brand=brand, sheet=form.sheet, accounts=form.accounts, by=request.membership.user, at=clock.now()
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            said = ngettext(
                "{n} draft and {m} saved replies are ready.",
                "{n} drafts and {m} saved replies are ready.",
                len(made.posts),
            )
            messages.success(request, said.format(n=len(made.posts), m=len(made.replies)))
            return redirect("publishing:campaign", brand.slug, made.campaign.pk)
    context = {"room": "publishing", "tab": "campaigns", "form": form}
    return render(request, "flows/launch.html", context, status=422 if form.errors else 200)
