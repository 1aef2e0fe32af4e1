"""Asking for approval and giving it, also by somebody without an account; and the rules that ask for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock, ranges
from tertulia.team import mail
from tertulia.team.access import brand_required

from .. import actions, approval, leaving, library, queries
from ..access import RoomRequest
from ..forms import DecidingForm, GuestForm, RuleForm
from ..models import ApprovalRequest, ApprovalRule, GuestPass
from ..problems import Problem


@require_POST
@brand_required("publishing.write")
def ask(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    """With the approval it leaves by itself: over nothing that whoever asks hasn't seen."""
    post = get_object_or_404(queries.whole(brand), pk=post_id)
    leaves = queries.standing(post).is_open and not queries.is_model(post)
    seen = leaving.only_seen(request, brand, post, wall=post.wall) if leaves else nullcontext()
    try:
        with seen:
            approval.ask(post=post, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect(leaving.page_of(post, brand, problem))
    return redirect("publishing:post", brand.slug, post.pk)


@require_POST
@brand_required("publishing.read")
def decide(request: RoomRequest, brand: Brand, request_id: int) -> HttpResponse:
    """Approve, or ask for changes: for those who are asked."""
    asked = get_object_or_404(ApprovalRequest, pk=request_id, post__brand=brand)
    form = DecidingForm(request.POST)

    def act(at: datetime) -> None:
        if not form.is_valid():
            raise Problem(_("Something was missing. Try it again."))
        is_approved, comment = form.cleaned_data["verdict"] == "yes", form.cleaned_data["comment"]
        actions.approve(request=asked, is_approved=is_approved, comment=comment, by=request.user, at=at)

    _try(request, act)
    return redirect("publishing:post", brand.slug, asked.post_id)


@require_POST
@brand_required("publishing.write")
def invite(request: RoomRequest, brand: Brand, request_id: int) -> HttpResponse:
    """A new link for somebody from outside; shown once where no mail can carry it."""
    asked = get_object_or_404(ApprovalRequest.objects.select_related("post__brand"), pk=request_id, post__brand=brand)

    def act(at: datetime) -> None:
        address = request.POST.get("address", "")
        url = approval.invite(request=asked, address=address, at=at)
        sent = _("A new link is on its way to {address}: {url}")
        copied = _("Hand this link to {address}, it is shown only now: {url}")
        messages.info(request, (sent if mail.is_set_up() else copied).format(address=address, url=url))

    _try(request, act)
    return redirect("publishing:post", brand.slug, asked.post_id)


# People without an account.


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_guest(request: HttpRequest, token: str) -> HttpResponse:
    """One post as each account would publish it, and two buttons."""
    at = clock.now()
    guest = approval.guest_of(token, at=at)
    if guest is None:
        return render(request, "publishing/guest_over.html", {}, status=404)
    form = GuestForm(request.POST or None, initial={"name": guest.address.partition("@")[0]})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            actions.approve(
                request=guest.request, guest=guest, name=said["name"], comment=said["comment"],
                is_approved=said["verdict"] == "yes", at=at,
            )  # fmt: skip
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            return render(request, "publishing/guest_over.html", {"is_thanked": True, "brand_name": _name(guest)})
    context = {"guest": guest, "asked": guest.request, "form": form, "token": token, "brand_name": _name(guest)}
    return render(request, "publishing/guest.html", context, status=422 if form.errors else 200)


@never_cache
@require_GET
def show_guest_media(request: HttpRequest, token: str, digest: str) -> HttpResponseBase:
    """A picture or film of that post, and of no other."""
    guest = approval.guest_of(token, at=clock.now())
    found = guest and next((one for one in approval.pictures_of(guest.request) if one["digest"] == digest), None)
    if not guest or not found:
        raise Http404
    try:
        file = library.opened(guest.request.post.brand_id, found["digest"])
    except FileNotFoundError:
        raise Http404 from None
    return ranges.answer(request, file, kind=found["type"], name=found["name"], tag=digest)


def _name(guest: GuestPass) -> str:
    return guest.request.post.brand.name


# The rules.


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.settings")
def show_rules(request: RoomRequest, brand: Brand) -> HttpResponse:
    return _rule_page(request, brand, ApprovalRule(brand=brand), "publishing/approval_rules.html")


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.settings")
def change_rule(request: RoomRequest, brand: Brand, approval_rule_id: int) -> HttpResponse:
    rule = get_object_or_404(ApprovalRule, pk=approval_rule_id, brand=brand)
    return _rule_page(request, brand, rule, "publishing/approval_rule.html")


def _rule_page(request: RoomRequest, brand: Brand, rule: ApprovalRule, template: str) -> HttpResponse:
    form = RuleForm(request.POST or None, instance=rule, brand=brand)
    if request.method == "POST" and form.is_valid():
        try:
            held = actions.save_rule(
                rule=form.save(commit=False), steps=form.steps(), by=request.user, at=clock.now()
            )  # fmt: skip
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            if held:
                said = ngettext(
                    "{n} scheduled post waits for approval now.", "{n} scheduled posts wait for approval now.", held
                )
                messages.warning(request, said.format(n=held))
            return redirect("publishing:approval_rules", brand.slug)
    context = {
        "room": "settings", "section": "approval", "form": form, "rule": rule if rule.pk else None,
        "rules": [(one, approval.summary(one)) for one in approval.rules(brand)],
    }  # fmt: skip
    return render(request, template, context, status=422 if form.errors else 200)


@require_POST
@brand_required("publishing.settings")
def remove_rule(request: RoomRequest, brand: Brand, approval_rule_id: int) -> HttpResponse:
    rule = get_object_or_404(ApprovalRule, pk=approval_rule_id, brand=brand)
    actions.remove_rule(rule=rule, by=request.user, at=clock.now())
    return redirect("publishing:approval_rules", brand.slug)


def _try(request: RoomRequest, act: Callable[[datetime], object]) -> None:
    try:
        act(clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
