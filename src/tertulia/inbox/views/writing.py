"""Answers and notes: writing them, taking them back, settling what became of them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tertulia.brand.models import Brand
from tertulia.channels.models import Delivery
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import acting, actions
from ..access import DeskRequest
from ..forms import DecisionForm, PresenceForm, ReplyForm, TextForm
from ..models import Conversation
from .desk import changed, find, written


@require_POST
@brand_required("inbox.reply")
def reply(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    """Send an answer. What can't be sent comes back with the reason and nothing of the text lost."""
    conversation = find(brand, conversation_id)
    form = ReplyForm(request.POST)
    text = request.POST.get("text", "")
    if not form.is_valid():
        return written(
            request,
            conversation,
            status=422,
            text=text,
            kind="reply",
            problem=_("Something was missing. Send it again."),
        )
    closes = form.cleaned_data["closes"] and request.membership.may("inbox.organise")
    try:
        actions.reply(
            conversation=conversation, text=form.cleaned_data["text"], by=request.user, at=clock.now(),
            turn=form.cleaned_data["turn"], seen=form.cleaned_data["seen"], closes=closes,
        )  # fmt: skip
    except actions.Answered as problem:
        return written(request, conversation, status=409, text=text, kind="reply", problem=problem)
    except actions.Problem as problem:
        return written(request, conversation, status=422, text=text, kind="reply", problem=problem)
    if find(brand, conversation_id).waiting_since:
        says = _("Sent. Something had come that your page did not show yet: it still waits for an answer.")
        messages.info(request, says)
    return written(request, conversation, kind="reply")


@require_POST
@brand_required("inbox.note")
def add_note(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    conversation = find(brand, conversation_id)
    text = request.POST.get("text", "")
    try:
        actions.add_note(conversation=conversation, text=text, by=request.user, at=clock.now())
    except actions.Problem as problem:
        return written(request, conversation, status=422, text=text, kind="note", problem=problem)
    actions.save_draft(conversation=conversation, user=request.user, text="", at=clock.now(), is_note=True)
    return written(request, conversation)


@require_POST
@brand_required("inbox.note")
def keep_draft(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    form = TextForm(request.POST)
    if form.is_valid():
        actions.save_draft(
            conversation=find(brand, conversation_id),
            user=request.user,
            text=form.cleaned_data["text"],
            at=clock.now(),
            is_note=form.cleaned_data["kind"] == "note",
        )
    return HttpResponse(status=204)


@require_POST
@brand_required("inbox.read")
def look(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    """Say that the conversation is open before somebody, and whether they write."""
    form = PresenceForm(request.POST)
    actions.look(
        conversation=find(brand, conversation_id), user=request.user, at=clock.now(),
        is_typing=form.is_valid() and form.cleaned_data["typing"],
    )  # fmt: skip
    return HttpResponse(status=204)


@require_POST
@brand_required("inbox.reply")
def withdraw(request: DeskRequest, brand: Brand, delivery_id: int) -> HttpResponse:
    """Take an answer back before it leaves; its text returns to the composer."""
    delivery = _delivery(brand, delivery_id)
    conversation = _conversation(delivery)
    if delivery.act != "reply":
        return _withdraw_act(request, delivery, conversation)
    try:
        text = actions.withdraw(delivery=delivery, by=request.user, at=clock.now())
    except actions.Problem as problem:
        messages.error(request, str(problem))
        return written(request, conversation)
    return written(request, conversation, text=text, kind="reply")


def _withdraw_act(request: DeskRequest, delivery: Delivery, conversation: Conversation) -> HttpResponse:
    try:
        acting.withdraw(delivery=delivery, by=request.user, at=clock.now())
    except actions.Problem as problem:
        messages.error(request, str(problem))
    return changed(request, conversation)


@require_POST
@brand_required("inbox.reply")
def decide(request: DeskRequest, brand: Brand, delivery_id: int) -> HttpResponse:
    """Somebody looked at the channel and says whether the answer had arrived."""
    delivery = _delivery(brand, delivery_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say whether it arrived."))
        return changed(request, _conversation(delivery))
    try:
        was_sent = form.cleaned_data["was_sent"] == "yes"
        actions.decide_unknown(delivery=delivery, was_sent=was_sent, by=request.user, at=clock.now())
    except actions.Problem as problem:
        messages.error(request, str(problem))
    return changed(request, _conversation(delivery))


@require_POST
@brand_required("inbox.reply")
def retry(request: DeskRequest, brand: Brand, delivery_id: int) -> HttpResponse:
    delivery = _delivery(brand, delivery_id)
    try:
        actions.retry_refused(delivery=delivery, by=request.user, at=clock.now())
    except actions.Problem as problem:
        messages.error(request, str(problem))
    return changed(request, _conversation(delivery))


def _delivery(brand: Brand, delivery_id: int) -> Delivery:
    return get_object_or_404(Delivery.objects.select_related("message", "on"), pk=delivery_id, account__brand=brand)


def _conversation(delivery: Delivery) -> Conversation:
    return get_object_or_404(
        Conversation.objects.select_related("account", "brand", "owner", "member"),
        account=delivery.account_id,
        thread_id=delivery.thread_id,
    )
