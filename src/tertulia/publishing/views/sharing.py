"""What others made and the brand passes on: begun with credit, and what is known of their permission."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, BinaryIO

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import clock
from tertulia.core.choices import LONGEST_NUMBER
from tertulia.team.access import brand_required
from tertulia.team.models import User

from .. import calendar, library, queries, rights, sharing
from ..access import RoomRequest
from ..forms import ShareAnswerForm, ShareForm, ShareQuestionForm, ShareReasonForm
from ..models import Post, Share
from ..problems import Problem

SHOWN = 100
"""The newest; a state narrows them."""


@require_GET
@brand_required("publishing.read")
def show_all(request: RoomRequest, brand: Brand) -> HttpResponse:
    state = request.GET.get("state", "")
    found = sharing.shares(brand).order_by("-changed_at", "-pk")
    if state in Share.State.values:
        found = found.filter(state=state)
    context = {
        "room": "publishing", "tab": "media", "shares": found[:SHOWN], "state": state, "states": Share.State.choices,
    }  # fmt: skip
    return render(request, "publishing/shares.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def begin(request: RoomRequest, brand: Brand) -> HttpResponse:
    """`?message=7` is a message or an article; without it what is shared is named by hand."""
    given = request.POST if request.method == "POST" else request.GET
    message = _message(brand, given.get("message", ""))
    offered = sharing.offered(message) if message else {}
    form = ShareForm(request.POST if request.method == "POST" else None, initial=offered)
    if request.method == "POST" and form.is_valid():
        try:
            files = _files(request, message)
            share, _post = sharing.begin(
                brand=brand, message=message, files=files, by=request.user, at=clock.now(), **form.cleaned_data
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            return redirect("publishing:share", brand.slug, share.pk)
    known = Share.objects.filter(brand=brand, message=message).order_by("-pk").first() if message else None
    context = {
        "room": "publishing", "tab": "media", "form": form, "message": message, "known": known,
        "files": sharing.files_of(message), "chosen": request.POST.getlist("take"),
    }  # fmt: skip
    return render(request, "publishing/share_new.html", context, status=422 if form.errors else 200)


def _files(request: RoomRequest, message: Message | None) -> list[tuple[str, BinaryIO]]:
    """Those of the message that were ticked, and those that were brought. Raises `Problem`."""
    wanted, found = set(request.POST.getlist("take")), list[tuple[str, BinaryIO]]()
    for one in sharing.files_of(message):
        if message and str(one.number) in wanted:
            found.append((one.name, sharing.fetch(message, one.number, at=clock.now())))
    found += [(one.name or "", library.file_of(one)) for one in request.FILES.getlist("file")]
    return found[: sharing.MOST_FILES]


def _message(brand: Brand, id: str) -> Message | None:
    if not (id.isdecimal() and id.isascii() and len(id) <= LONGEST_NUMBER):
        return None
    theirs = Message.objects.filter(account__brand=brand, deleted_at__isnull=True, direction=Message.Direction.IN)
    return theirs.select_related("account", "identity").defer("raw").filter(pk=int(id)).first()


@require_GET
@brand_required("publishing.read")
def show(request: RoomRequest, brand: Brand, share_id: int) -> HttpResponse:
    return _page(request, brand, _share(brand, share_id))


def _page(request: RoomRequest, brand: Brand, share: Share, *, status: int = 200, **forms_: forms.Form) -> HttpResponse:
    posts = list(sharing.posts_of(share)[:SHOWN])
    standings = queries.standings(posts)
    states = [(post, Post.State(standings[post.pk].state)) for post in posts]
    today = rights.day_of(clock.now(), brand)
    context: dict[str, Any] = {
        "room": "publishing", "tab": "media", "share": share, "media": share.media.order_by("pk"),
        "posts": [(post, state.label, calendar.TONES.get(state, "")) for post, state in states],
        "answers": sharing.answers(share) if share.state != Share.State.GIVEN else [],
        "by": User.objects.filter(pk=share.recorded_by_id).first(), "message": share.message,
        "can_ask": bool(share.message and share.message.kind != "article" and share.message.thread_id),
        "question_form": ShareQuestionForm(initial={"on": today, "question": share.question}),
        "answer_form": ShareAnswerForm(initial={"on": today}),
    }  # fmt: skip
    return render(request, "publishing/share.html", context | forms_, status=status)


@require_POST
@brand_required("publishing.write")
def note_question(request: RoomRequest, brand: Brand, share_id: int) -> HttpResponse:
    """They were asked elsewhere."""
    share, form = _share(brand, share_id), ShareQuestionForm(request.POST)
    if not form.is_valid():
        return _page(request, brand, share, status=422, question_form=form)
    said = form.cleaned_data
    return _do(request, brand, share, lambda at: sharing.note_question(
        share=share, question=said["question"], asked_at=sharing.moment_of(said["on"], brand),
        asked_on=said["asked_on"], by=request.user, at=at,
    ))  # fmt: skip


@require_POST
@brand_required("publishing.write")
def note_answer(request: RoomRequest, brand: Brand, share_id: int) -> HttpResponse:
    """What they said: `message` is it, with `yes` or `no` as the verdict; or it is written down."""
    share, id = _share(brand, share_id), request.POST.get("message", "")
    if id.isdecimal() and id.isascii() and len(id) <= LONGEST_NUMBER and request.POST.get("verdict") in {"yes", "no"}:
        is_yes = request.POST["verdict"] == "yes"
        return _do(request, brand, share, lambda at: sharing.take_answer(
            share=share, message_id=int(id), is_yes=is_yes, by=request.user, at=at
        ))  # fmt: skip
    form = ShareAnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, brand, share, status=422, answer_form=form)
    said = form.cleaned_data
    return _do(request, brand, share, lambda at: sharing.note_answer(
        share=share, is_yes=said["verdict"] == "yes", answer=said["answer"],
        answered_at=sharing.moment_of(said["on"], brand), by=request.user, at=at,
    ))  # fmt: skip


@require_POST
@brand_required("publishing.write")
def exempt(request: RoomRequest, brand: Brand, share_id: int) -> HttpResponse:
    return _for_a_reason(request, brand, share_id, sharing.exempt)


@require_POST
@brand_required("publishing.write")
def end(request: RoomRequest, brand: Brand, share_id: int) -> HttpResponse:
    return _for_a_reason(request, brand, share_id, sharing.end)


def _for_a_reason(request: RoomRequest, brand: Brand, share_id: int, act: Callable[..., None]) -> HttpResponse:
    share, form = _share(brand, share_id), ShareReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why."))
        return redirect("publishing:share", brand.slug, share.pk)
    because = form.cleaned_data["because"]
    return _do(request, brand, share, lambda at: act(share=share, because=because, by=request.user, at=at))


def _do(request: RoomRequest, brand: Brand, share: Share, act: Callable[[datetime], None]) -> HttpResponse:
    try:
        act(clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("publishing:share", brand.slug, share.pk)


def _share(brand: Brand, share_id: int) -> Share:
    return get_object_or_404(sharing.shares(brand), pk=share_id)
