"""The people of a brand, and what they say of it. A person's page stands in the inbox, because what was said belongs to
it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.middleware import HtmxDetails

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import clock
from tertulia.team.access import BrandRequest, brand_required
from tertulia.team.models import User

from . import actions, queries, testimonials
from .forms import ConsentStateForm, MemberForm, TestimonialForm, number
from .models import Member, Testimonial


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


# What they say of the brand.


@require_GET
@brand_required("people.read")
def show_testimonials(request: PeopleRequest, brand: Brand) -> HttpResponse:
    q = " ".join(request.GET.get("q", "").split())[:100]
    on = testimonials.today(brand, clock.now())
    found = queries.kept_testimonials(brand, q=q)
    context = {
        "room": "people",
        "q": q,
        "rows": [(one, testimonials.forbids(one, on)) for one in found[: queries.PAGE]],
        "is_cut": len(found) > queries.PAGE,
    }
    return render(request, "community/testimonials.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("people.edit")
def add_testimonial(request: PeopleRequest, brand: Brand) -> HttpResponse:
    """A new one; `?message=7` takes over what that message says, and its address."""
    at = clock.now()
    message = _message(brand, request.GET.get("message", ""))
    fresh = testimonials.taken_from(message, brand=brand) if message else Testimonial(brand=brand)
    fresh.created_by_id, fresh.created_at = request.user.pk, at
    initial = {} if message else {"said_on": testimonials.today(brand, at)}
    form = TestimonialForm(request.POST or None, instance=fresh, initial=initial, today=testimonials.today(brand, at))
    if request.method == "POST" and form.is_valid():
        actions.keep_testimonial(testimonial=form.instance, by=request.user, at=at)
        messages.info(request, _("Kept. Say now whether it may be quoted."))
        return redirect("community:testimonial", brand.slug, form.instance.pk)
    context = {"room": "people", "form": form, "message": message, "member": fresh.member}
    return render(request, "community/testimonial_new.html", context, status=422 if form.errors else 200)


def _message(brand: Brand, id: str) -> Message | None:
    """One that somebody wrote to the brand."""
    theirs = Message.objects.filter(account__brand=brand, direction=Message.Direction.IN, deleted_at__isnull=True)
    return theirs.exclude(thread_id="").defer("raw").filter(pk=number(id)).first()


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("people.read")
def show_testimonial(request: PeopleRequest, brand: Brand, testimonial_id: int) -> HttpResponse:
    """One with its consent and where it was used; sent, its words change."""
    one, at = _testimonial(brand, testimonial_id), clock.now()
    if request.method != "POST":
        return _page(request, brand, one)
    if not request.membership.may("people.edit"):
        raise PermissionDenied
    form = TestimonialForm(request.POST, instance=one, today=testimonials.today(brand, at))
    if not form.is_valid():
        return _page(request, brand, _testimonial(brand, testimonial_id), form=form)
    if actions.keep_testimonial(testimonial=one, by=request.user, at=at):
        messages.warning(request, _("These are other words than they agreed to: ask anew before it is quoted."))
    else:
        messages.info(request, _("Kept."))
    return redirect("community:testimonial", brand.slug, one.pk)


@require_POST
@brand_required("people.edit")
def settle_consent(request: PeopleRequest, brand: Brand, testimonial_id: int) -> HttpResponse:
    one, at = _testimonial(brand, testimonial_id), clock.now()
    form = ConsentStateForm(request.POST, instance=one, today=testimonials.today(brand, at))
    if not form.is_valid():
        return _page(request, brand, _testimonial(brand, testimonial_id), consent_form=form)
    said = form.cleaned_data
    actions.settle_consent(
        testimonial=one, consent=said["consent"], on=said["consent_on"], wording=said["consent_wording"],
        until=said["consent_until"], by=request.user, at=at,
    )  # fmt: skip
    return redirect("community:testimonial", brand.slug, one.pk)


@require_POST
@brand_required("people.edit")
def remove_testimonial(request: PeopleRequest, brand: Brand, testimonial_id: int) -> HttpResponse:
    one = _testimonial(brand, testimonial_id)
    try:
        actions.remove_testimonial(testimonial=one, by=request.user, at=clock.now())
    except actions.InUse as problem:
        messages.error(request, str(problem))
        return redirect("community:testimonial", brand.slug, one.pk)
    messages.info(request, _("It is removed."))
    return redirect("community:testimonials", brand.slug)


def _page(request: PeopleRequest, brand: Brand, one: Testimonial, **forms: Any) -> HttpResponse:
    on = testimonials.today(brand, clock.now())
    context = {
        "room": "people",
        "one": one,
        "member": one.member,
        "quote": testimonials.quote_of(one, brand.language),
        "why_not": testimonials.forbids(one, on),
        "warns": testimonials.warns(one, on),
        "uses": [(use, Testimonial.State(use.consent["state"]).label) for use in one.uses.order_by("-at", "-pk")],
        "form": TestimonialForm(instance=one, today=on),
        "consent_form": ConsentStateForm(instance=one, today=on),
        **forms,
    }
    return render(request, "community/testimonial.html", context, status=422 if forms else 200)


def _testimonial(brand: Brand, testimonial_id: int) -> Testimonial:
    return get_object_or_404(testimonials.of(brand.pk).select_related("member", "message"), pk=testimonial_id)
