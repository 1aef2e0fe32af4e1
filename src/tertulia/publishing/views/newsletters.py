"""The settings of newsletters: their lists, who is on them, and how the letters of a post go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from tertulia.brand.models import Brand
from tertulia.channels.models import Account, RemotePost
from tertulia.core import clock, tables
from tertulia.team.access import brand_required

from .. import mailing
from ..access import RoomRequest
from ..forms import DecisionForm, PeopleFileForm
from ..models import Sending, Subscriber, Version
from ..problems import Problem

SECTION = {"room": "settings", "section": "newsletters"}
ON_A_PAGE = 50


@require_GET
@brand_required("publishing.settings")
def show_all(request: RoomRequest, brand: Brand) -> HttpResponse:
    counted = mailing.counted(brand)
    rows = [(one, counted.get(one.pk, {})) for one in mailing.lists(brand).defer("secrets")]
    return render(request, "publishing/newsletters.html", {**SECTION, "rows": rows})


@require_GET
@brand_required("publishing.settings")
def show(request: RoomRequest, brand: Brand, list_id: int) -> HttpResponse:
    """Who is on a list, searched by address and state; and how people come to be on it."""
    return _page(request, brand, _list(brand, list_id), PeopleFileForm())


def _page(
    request: RoomRequest, brand: Brand, list: Account, form: PeopleFileForm, *, status: int = 200
) -> HttpResponse:
    asked = request.GET if request.method in {"GET", "HEAD"} else {}
    words, state = asked.get("q", "")[:254], asked.get("state", "")
    list.brand = brand
    context = {
        **SECTION, "list": list, "counts": mailing.counted(brand).get(list.pk, {}), "q": words, "state": state,
        "states": Subscriber.State.choices, "form": form, "box": mailing.mailbox_of(list),
        "page": Paginator(mailing.search(list, words=words, state=state), ON_A_PAGE).get_page(asked.get("page")),
        "address": settings.PUBLIC_URL + reverse("newsletter_door", args=[list.public_key]),
        "footer": mailing.footer_of(list), "pace": mailing.pace_of(list),
        "is_https": settings.PUBLIC_URL.startswith("https://"),
    }  # fmt: skip
    return render(request, "publishing/newsletter.html", context, status=status)


@require_GET
@brand_required("publishing.settings")
def export(request: RoomRequest, brand: Brand, list_id: int) -> HttpResponse:
    answer = HttpResponse(mailing.taken_along(_list(brand, list_id)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{brand.slug}-{list_id}.csv"'
    return answer


@require_POST
@brand_required("publishing.settings")
def bring(request: RoomRequest, brand: Brand, list_id: int) -> HttpResponse:
    """Put people from a file on the list, who have agreed elsewhere."""
    list, form = _list(brand, list_id), PeopleFileForm(request.POST, request.FILES)
    list.brand = brand
    if not form.is_valid():
        return _page(request, brand, list, form, status=422)
    file, basis = form.cleaned_data["file"], form.cleaned_data["basis"]
    try:
        if file.size > tables.LARGEST:
            raise tables.Unreadable(tables.too_large())
        found = mailing.bring(list=list, content=file.read(), basis=basis, by=request.user, at=clock.now())
    except (Problem, tables.Unreadable) as problem:
        form.add_error("file", str(problem))
        return _page(request, brand, list, form, status=422)
    messages.info(request, _said(found))
    return redirect("publishing:newsletter", brand.slug, list.pk)


def _said(found: mailing.Brought) -> str:
    says = [ngettext("{n} person was added.", "{n} people were added.", found.added).format(n=found.added)]
    if found.known:
        says.append(_("{n} were here already.").format(n=found.known))
    if found.gone:
        says.append(_("{n} had left, complained or can't be reached, and stay off the list.").format(n=found.gone))
    if found.unreadable:
        lines = ", ".join(map(str, found.unreadable[:10])) + ("…" if len(found.unreadable) > 10 else "")
        says.append(_("No address on these lines: {lines}.").format(lines=lines))
    return " ".join(says)


@require_POST
@brand_required("publishing.settings")
def take_off(request: RoomRequest, brand: Brand, subscriber_id: int) -> HttpResponse:
    return _ended(request, brand, subscriber_id, lambda one, at: mailing.leave(subscriber=one, by=request.user, at=at))


@require_POST
@brand_required("publishing.settings")
def note_complaint(request: RoomRequest, brand: Brand, subscriber_id: int) -> HttpResponse:
    return _ended(
        request, brand, subscriber_id, lambda one, at: mailing.note_complaint(subscriber=one, by=request.user, at=at)
    )


@require_POST
@brand_required("publishing.settings")
def erase(request: RoomRequest, brand: Brand, subscriber_id: int) -> HttpResponse:
    return _ended(request, brand, subscriber_id, lambda one, at: mailing.erase(subscriber=one, by=request.user, at=at))


def _ended(
    request: RoomRequest, brand: Brand, subscriber_id: int, act: Callable[[Subscriber, datetime], None]
) -> HttpResponse:
    found = get_object_or_404(Subscriber.objects.select_related("list"), pk=subscriber_id, list__brand=brand)
    act(found, clock.now())
    return redirect("publishing:newsletter", brand.slug, found.list_id)


@require_POST
@brand_required("publishing.write")
def try_out(request: RoomRequest, brand: Brand, version_id: int) -> HttpResponse:
    """Send the letter as it stands to whoever asks, and to nobody else."""
    mine = Version.objects.select_related("post", "account__brand").filter(account__in=mailing.lists(brand))
    version = get_object_or_404(mine, pk=version_id, post__brand=brand)
    try:
        mailing.try_out(version=version, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        says = _("The test is on its way to {address}. Nobody on the list gets it.")
        messages.info(request, says.format(address=request.user.email))
    return redirect("publishing:post", brand.slug, version.post_id)


@require_POST
@brand_required("publishing.publish")
def decide(request: RoomRequest, brand: Brand, letter_id: int) -> HttpResponse:
    """Somebody has looked whether a mail arrived."""
    found = mailing.letters_of(brand).select_related("post__account", "delivery")
    letter, form = get_object_or_404(found, pk=letter_id), DecisionForm(request.POST)
    try:
        if not form.is_valid():
            raise Problem(_("Something was missing. Try it again."))
        was_sent = form.cleaned_data["was_sent"] == "yes"
        mailing.decide(letter=letter, was_sent=was_sent, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return _to_post(brand, letter.post_id)


@require_POST
@brand_required("publishing.publish")
def decide_all(request: RoomRequest, brand: Brand, posting_id: int) -> HttpResponse:
    """Somebody says of all mails that nobody knows of whether they arrived."""
    form = DecisionForm(request.POST)

    def act(**of: Any) -> int:
        if not form.is_valid():
            raise Problem(_("Something was missing. Try it again."))
        return mailing.decide_all(was_sent=form.cleaned_data["was_sent"] == "yes", **of)

    return _mailing(request, brand, posting_id, act)


@require_POST
@brand_required("publishing.publish")
def again(request: RoomRequest, brand: Brand, posting_id: int) -> HttpResponse:
    """Send once more what was refused of a mailing, once its cause has been mended."""
    return _mailing(request, brand, posting_id, mailing.again)


@require_POST
@brand_required("publishing.publish")
def cut_off(request: RoomRequest, brand: Brand, posting_id: int) -> HttpResponse:
    """Take back what has not left of a mailing."""
    return _mailing(request, brand, posting_id, mailing.cut_off)


def _mailing(request: RoomRequest, brand: Brand, posting_id: int, act: Callable[..., int]) -> HttpResponse:
    post = get_object_or_404(RemotePost, deliveries=posting_id, account__brand=brand)
    try:
        act(brand=brand, post=post.pk, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return _to_post(brand, post.pk)


def _to_post(brand: Brand, remote_id: int) -> HttpResponse:
    sending = Sending.objects.filter(remote=remote_id).select_related("version").first()
    return redirect("publishing:post", brand.slug, sending.version.post_id) if sending else redirect(
        "publishing:posts", brand.slug
    )  # fmt: skip


def _list(brand: Brand, list_id: int) -> Account:
    return get_object_or_404(mailing.lists(brand), pk=list_id)
