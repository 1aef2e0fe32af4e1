"""A single message: what is done with it on its network, what was done by hand, its files."""

from __future__ import annotations

import io
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from tertulia.brand.models import Brand
from tertulia.channels import screening
from tertulia.channels.models import Delivery, Message
from tertulia.connectors.contract import Outcome
from tertulia.core import clock, pictures
from tertulia.team.access import brand_required
from tertulia.understanding import teaching, translating
from tertulia.understanding.actions import NotUnderstood
from tertulia.understanding.lessons import NoTopic

from .. import acting, actions, readings, translations, understood
from ..access import DeskRequest
from ..forms import ActForm, CompletionForm, ReadingForm
from ..models import Conversation
from .desk import changed, written


@require_GET
@brand_required("inbox.read")
def show(request: DeskRequest, brand: Brand, message_id: int) -> HttpResponse:
    """Where it stands in its conversation."""
    message = _message(brand, message_id)
    conversation = get_object_or_404(Conversation, account=message.account_id, thread_id=message.thread_id)
    return redirect(f"{reverse('inbox:conversation', args=[brand.slug, conversation.pk])}#message-{message.pk}")


@require_POST
@brand_required("inbox.organise")
def act(request: DeskRequest, brand: Brand, message_id: int) -> HttpResponse:
    """Do something with a message or its writer, or take it back."""
    message = _message(brand, message_id)
    form = ActForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            acting.act(
                message=message, act=said["act"].removeprefix("-"), undo=said["act"].startswith("-"),
                because=said["because"], by=request.user, at=clock.now(),
            )  # fmt: skip
        except actions.Problem as problem:
            messages.error(request, str(problem))
    else:
        messages.error(request, form.problem)
    return changed(request, _conversation(message.account_id, message.thread_id))


@require_POST
@brand_required("inbox.reply")
def correct_reading(request: DeskRequest, brand: Brand, message_id: int) -> HttpResponse:
    """Say what a message means, against what was read of it, or take that back."""
    message = _message(brand, message_id)
    conversation = _conversation(message.account_id, message.thread_id)
    what: dict[str, Any] = {"conversation": conversation, "message": message, "by": request.user, "at": clock.now()}
    form = ReadingForm(request.POST)
    said = form.cleaned_data if form.is_valid() else {"say": "", "undo": "", "topic": ""}
    is_learnt = False
    try:
        if said["topic"]:
            is_learnt = understood.put_topic(name=said["topic"], **what)
        elif said["undo"]:
            understood.undo_correction(field=said["undo"], **what)
        else:
            field, value = readings.said(said["say"])
            is_learnt = understood.correct(field=field, value=value, **what)
    except (NotUnderstood, NoTopic) as problem:
        messages.error(request, str(problem))
    if is_learnt and teaching.is_aside(message.pk):
        messages.info(
            request, _("Kept to check with: every fifth corrected message or so shows whether it reads better since.")
        )
    return changed(request, conversation)


@require_POST
@brand_required("inbox.reply")
def translate(request: DeskRequest, brand: Brand, message_id: int) -> HttpResponse:
    """Have a message put into one's own language by the other model that is set up."""
    message = _message(brand, message_id)
    language = translations.own_language()
    try:
        translating.translate(brand=brand.pk, message=message, language=language, by=request.user.pk, at=clock.now())
    except translating.NotTranslated as problem:
        messages.error(request, str(problem))
    return changed(request, _conversation(message.account_id, message.thread_id))


@require_POST
@brand_required("inbox.reply")
def complete(request: DeskRequest, brand: Brand, delivery_id: int) -> HttpResponse:
    """Tick off what was done by hand, with the address where it can be seen."""
    delivery = _delivery(brand, delivery_id)
    form = CompletionForm(request.POST)
    if form.is_valid():
        try:
            acting.finish_by_hand(delivery=delivery, url=form.cleaned_data["url"], by=request.user, at=clock.now())
        except actions.Problem as problem:
            messages.error(request, str(problem))
    else:
        messages.error(request, form.problem)
    return changed(request, _conversation(delivery.account_id, delivery.thread_id))


@require_POST
@brand_required("inbox.reply")
def abandon(request: DeskRequest, brand: Brand, delivery_id: int) -> HttpResponse:
    """It will not be done; an answer's text returns to the composer."""
    delivery = _delivery(brand, delivery_id)
    conversation = _conversation(delivery.account_id, delivery.thread_id)
    try:
        text = acting.give_up_by_hand(delivery=delivery, by=request.user, at=clock.now())
    except actions.Problem as problem:
        messages.error(request, str(problem))
        return written(request, conversation) if delivery.act == "reply" else changed(request, conversation)
    return written(request, conversation, text=text) if delivery.act == "reply" else changed(request, conversation)


@require_GET
@brand_required("inbox.read")
@screening.guarded
def download_original(request: DeskRequest, brand: Brand, message_id: int) -> FileResponse:
    """The message as it arrived."""
    content = screening.check(_with_original(brand, message_id).original, at=clock.now())
    return _download(content, f"{message_id}.eml")


@require_GET
@brand_required("inbox.read")
@screening.guarded
def download_file(request: DeskRequest, brand: Brand, message_id: int, number: int) -> FileResponse:
    """A file that came with a message, out of its original."""
    message = _with_original(brand, message_id)
    attached = message.attachments[number] if number < len(message.attachments) else {}
    if "part" not in attached:
        raise Http404
    try:
        content = screening.check(message.original, at=clock.now())
        content = message.account.connector.open_part(content, attached["part"])
    except Outcome:
        raise Http404 from None
    answer = _download(content, str(attached.get("name") or number), pictures.kind_of(content))
    answer["Cache-Control"] = "private, max-age=3600"  # a page draws its pictures anew with every change
    return answer


def _with_original(brand: Brand, message_id: int) -> Message:
    kept = Message.objects.filter(account__brand=brand, original__isnull=False)
    return get_object_or_404(kept.select_related("account", "original").defer("raw"), pk=message_id)


def _download(content: bytes, name: str, picture: str = "") -> FileResponse:
    """To be saved, never to be opened: whatever a stranger sent must not run as ours. Only what by its bytes is a
    `picture` is called so, to be drawn within a page."""
    kind = picture or "application/octet-stream"
    answer = FileResponse(io.BytesIO(content), as_attachment=True, filename=name, content_type=kind)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _message(brand: Brand, message_id: int) -> Message:
    of_brand = Message.objects.filter(account__brand=brand).select_related("identity").defer("raw")
    return get_object_or_404(of_brand.exclude(thread_id=""), pk=message_id)


def _delivery(brand: Brand, delivery_id: int) -> Delivery:
    return get_object_or_404(Delivery.objects.select_related("message", "on"), pk=delivery_id, account__brand=brand)


def _conversation(account_id: int, thread_id: str) -> Conversation:
    whole = Conversation.objects.select_related("account", "brand", "owner", "member")
    return get_object_or_404(whole, account=account_id, thread_id=thread_id)
