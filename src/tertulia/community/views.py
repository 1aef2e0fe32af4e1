"""The people of a brand. A person's page stands in the inbox, because what was said belongs to it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.middleware import HtmxDetails

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import BrandRequest, brand_required
from tertulia.team.models import User

from . import actions, queries
from .forms import MemberForm
from .models import Member


class PeopleRequest(BrandRequest):
    """A request that has passed `brand_required`: somebody is signed in, and htmx says what it wants."""

    user: User
    htmx: HtmxDetails


@require_GET
@brand_required("people.read")
def show_people(request: PeopleRequest, brand: Brand) -> HttpResponse:
    q = " ".join(request.GET.get("q", "").split())[:100]
    found = queries.people(brand, q=q, after=request.GET.get("after", ""))
    context = {"room": "people", "q": q, "members": found.members, "after": found.after}
    template = "community/_people.html" if request.htmx else "community/people.html"
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
@brand_required("people.edit")
def change_member(request: PeopleRequest, brand: Brand, member_id: int) -> HttpResponse:
    member = get_object_or_404(Member, pk=member_id, brand=brand)
    form = MemberForm(request.POST or None, instance=member)
    if request.method == "POST" and form.is_valid():
        actions.change_member(member=form.instance, by=request.user, at=clock.now())
        return redirect("inbox:person", brand.slug, member.pk)
    context = {"room": "people", "member": member, "form": form}
    return render(request, "community/member.html", context, status=422 if form.errors else 200)
