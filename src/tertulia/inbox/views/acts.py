"""What one does with a conversation besides answering it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import actions
from ..access import DeskRequest
from ..forms import AssignForm, ClosureForm, LabellingForm, SnoozeForm
from .desk import changed, find


@require_POST
@brand_required("inbox.organise")
def assign(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    conversation = find(brand, conversation_id)
    form = AssignForm(request.POST, brand=brand)
    if not form.is_valid():
        messages.error(request, _("Choose somebody of this brand."))
        return changed(request, conversation)
    try:
        actions.assign(conversation=conversation, to=form.cleaned_data["to"], by=request.user, at=clock.now())
    except actions.Problem as problem:
        messages.error(request, str(problem))
    return changed(request, conversation)


@require_POST
@brand_required("inbox.organise")
def put_label(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    """Put one label on, or take one off."""
    conversation = find(brand, conversation_id)
    form = LabellingForm(request.POST, brand=brand)
    if not form.is_valid():
        messages.error(request, _("Choose a label of this brand."))
    elif label := form.cleaned_data["add"]:
        actions.add_label(conversation=conversation, label=label, by=request.user, at=clock.now())
    else:
        label = form.cleaned_data["remove"]
        actions.remove_label(conversation=conversation, label=label, by=request.user, at=clock.now())
    return changed(request, conversation)


@require_POST
@brand_required("inbox.organise")
def snooze(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    conversation = find(brand, conversation_id)
    form = SnoozeForm(request.POST, brand=brand)
    if not form.is_valid():
        messages.error(request, _("Choose a day and an hour."))
        return changed(request, conversation)
    try:
        actions.snooze(conversation=conversation, until=form.cleaned_data["until"], by=request.user, at=clock.now())
    except actions.Problem as problem:
        messages.error(request, str(problem))
    return changed(request, conversation)


@require_POST
@brand_required("inbox.organise")
def wake(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    conversation = find(brand, conversation_id)
    actions.wake(conversation=conversation, at=clock.now(), by=request.user)
    return changed(request, conversation)


@require_POST
@brand_required("inbox.organise")
def close(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    conversation = find(brand, conversation_id)
    form = ClosureForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose why it is closed."))
        return changed(request, conversation)
    actions.close(conversation=conversation, reason=form.cleaned_data["reason"], by=request.user, at=clock.now())
    return changed(request, conversation)


@require_POST
@brand_required("inbox.organise")
def reopen(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    conversation = find(brand, conversation_id)
    actions.reopen(conversation=conversation, by=request.user, at=clock.now())
    return changed(request, conversation)
