"""A person: how to reach them, what we know, and everything that was ever said."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from tertulia.brand.models import Brand
from tertulia.channels.drawings import channel_symbols
from tertulia.community import queries as community
from tertulia.community.models import Joining, Member
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import joining as joinings
from .. import pages, queries
from ..access import DeskRequest
from ..actions import Problem
from ..forms import JoiningForm

HISTORY = 50


@require_GET
@brand_required("people.read")
def show_person(request: DeskRequest, brand: Brand, member_id: int) -> HttpResponse:
    member = get_object_or_404(Member, pk=member_id, brand=brand)
    around = pages.Around.of(brand, now=clock.now())
    rows = queries.history(member, limit=HISTORY)
    for row in rows:
        row["unread"] = False
    context = {
        "room": "people",
        "member": member,
        "identities": pages.ways(community.identities(member)),
        "look_alikes": pages.look_alikes(member),
        "joinings": community.joinings(member),
        "testimonials": member.testimonials.order_by("-said_on", "-pk"),
        "erased": community.erased_at(member),
        "restricted": community.is_restricted(member),
        "rows": pages.draw_rows(rows, around),
        "channel_symbols": channel_symbols(),
    }
    return render(request, "inbox/person.html", context)


@require_POST
@brand_required("people.edit")
def join(request: DeskRequest, brand: Brand, member_id: int) -> HttpResponse:
    """Two records turn out to be one person."""
    kept = get_object_or_404(Member, pk=member_id, brand=brand)
    form = JoiningForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose whom to join."))
        return redirect("inbox:person", brand.slug, kept.pk)
    other = get_object_or_404(Member, pk=form.cleaned_data["other"], brand=brand)
    try:
        joinings.join(kept=kept, other=other, by=request.user, at=clock.now())
        messages.info(request, _("They are one person now. It can be undone on this page."))
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("inbox:person", brand.slug, kept.pk)


@require_POST
@brand_required("people.edit")
def part(request: DeskRequest, brand: Brand, joining_id: int) -> HttpResponse:
    joining = get_object_or_404(Joining.objects.select_related("kept"), pk=joining_id, brand=brand)
    try:
        joinings.part(joining=joining, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("inbox:person", brand.slug, joining.kept_id)
