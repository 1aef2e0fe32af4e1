"""The settings of the inbox: labels, saved replies, what is promised."""

from __future__ import annotations

from django.contrib import messages
from django.forms import model_to_dict
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import actions, automatic, promises, wording
from ..access import DeskRequest
from ..forms import AutomaticReplyForm, LabelForm, PromiseForm, SavedReplyForm
from ..models import Conversation, Label, Promise, SavedReply


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def show_labels(request: DeskRequest, brand: Brand) -> HttpResponse:
    """The labels, and a form for another."""
    form = LabelForm(request.POST or None, brand=brand)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("inbox:labels", brand.slug)
    labels = Label.objects.filter(brand=brand).order_by("name")
    return render(request, "inbox/labels.html", _settings("labels", form=form, labels=labels), status=_status(form))


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def change_label(request: DeskRequest, brand: Brand, label_id: int) -> HttpResponse:
    label = get_object_or_404(Label, pk=label_id, brand=brand)
    form = LabelForm(request.POST or None, instance=label, brand=brand)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.info(request, _("Label kept."))
        return redirect("inbox:labels", brand.slug)
    return render(request, "inbox/label.html", _settings("labels", form=form, label=label), status=_status(form))


@require_POST
@brand_required("inbox.settings")
def remove_label(request: DeskRequest, brand: Brand, label_id: int) -> HttpResponse:
    """It comes off every conversation with it."""
    label = get_object_or_404(Label, pk=label_id, brand=brand)
    actions.delete_label(label=label, at=clock.now())
    messages.info(request, _("The label “{name}” is gone.").format(name=label.name))
    return redirect("inbox:labels", brand.slug)


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def show_saved_replies(request: DeskRequest, brand: Brand) -> HttpResponse:
    """The saved replies, and a form for another; an address may bring its `title` and `language` along, or `of`, the
    number of an answer to start from, and `next`, where to go on from it."""
    given = {"title": request.GET.get("title", "")[:80], "language": request.GET.get("language", "")}
    if (of := request.GET.get("of", "")).isdecimal() and len(of) < 19:
        given |= _answer(brand, int(of))
    form = SavedReplyForm(request.POST or None, brand=brand, initial=given)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.info(request, _("Reply kept."))
        target = request.GET.get("next", "")
        if target and url_has_allowed_host_and_scheme(target, None):
            return HttpResponseRedirect(target)
        return redirect("inbox:saved_replies", brand.slug)
    replies = SavedReply.objects.filter(brand=brand).order_by("title")
    context = _settings("saved_replies", form=form, replies=replies)
    return render(request, "inbox/saved_replies.html", context, status=_status(form))


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def change_saved_reply(request: DeskRequest, brand: Brand, reply_id: int) -> HttpResponse:
    reply = get_object_or_404(SavedReply, pk=reply_id, brand=brand)
    form = SavedReplyForm(request.POST or None, instance=reply, brand=brand)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.info(request, _("Reply kept."))
        return redirect("inbox:saved_replies", brand.slug)
    context = _settings("saved_replies", form=form, reply=reply)
    return render(request, "inbox/saved_reply.html", context, status=_status(form))


@require_POST
@brand_required("inbox.settings")
def remove_saved_reply(request: DeskRequest, brand: Brand, reply_id: int) -> HttpResponse:
    reply = get_object_or_404(SavedReply, pk=reply_id, brand=brand)
    reply.delete()
    messages.info(request, _("“{title}” is gone.").format(title=reply.title))
    return redirect("inbox:saved_replies", brand.slug)


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def show_promises(request: DeskRequest, brand: Brand) -> HttpResponse:
    """What is promised, the general first; the form replaces what was promised for the same. `?of=7` fills it in."""
    of = request.GET.get("of", "")
    shown = Promise.objects.filter(brand=brand, pk=of).first() if of.isdecimal() and len(of) < 19 else None
    form = PromiseForm(request.POST or None, brand=brand, initial=model_to_dict(shown) if shown else None)
    if request.method == "POST" and form.is_valid():
        try:
            promises.save_promise(brand=brand, by=request.user, at=clock.now(), **form.cleaned_data)
            return redirect("inbox:promises", brand.slug)
        except (promises.NoPromise, promises.ForeignPromise) as problem:
            form.add_error(None, str(problem))
    made = (
        Promise.objects.filter(brand=brand).select_related("account", "label").order_by("label__name", "account__name")
    )
    context = _settings("promises", form=form, promises=made, shown=shown)
    return render(request, "inbox/promises.html", context, status=_status(form))


@require_POST
@brand_required("inbox.settings")
def remove_promise(request: DeskRequest, brand: Brand, promise_id: int) -> HttpResponse:
    promise = get_object_or_404(Promise, pk=promise_id, brand=brand)
    promises.drop_promise(promise=promise, by=request.user, at=clock.now())
    return redirect("inbox:promises", brand.slug)


@require_GET
@brand_required("inbox.settings")
def show_automatic_replies(request: DeskRequest, brand: Brand) -> HttpResponse:
    """What each channel answers by itself."""
    return _automatic_replies(request, brand)


@require_POST
@brand_required("inbox.settings")
def set_automatic_reply(request: DeskRequest, brand: Brand, account_id: int) -> HttpResponse:
    account = get_object_or_404(automatic.channels(brand), pk=account_id)
    form = AutomaticReplyForm(request.POST, account=account)
    if form.is_valid():
        try:
            automatic.set_reply(account=account, by=request.user, at=clock.now(), **form.cleaned())
            messages.info(request, _("The automatic answer is kept."))
            return redirect("inbox:automatic_replies", brand.slug)
        except automatic.NoText as problem:
            form.add_error(None, str(problem))
    return _automatic_replies(request, brand, tried=form)


def _automatic_replies(
    request: DeskRequest, brand: Brand, tried: AutomaticReplyForm | None = None
) -> HttpResponse:  # fmt: skip
    forms = [
        tried if tried and tried.account == account else AutomaticReplyForm(account=account)
        for account in automatic.channels(brand)
    ]
    context = _settings("automatic_replies", forms=forms)
    return render(request, "inbox/automatic_replies.html", context, status=422 if tried else 200)


def _settings(section: str, **more: object) -> dict[str, object]:
    return {"room": "settings", "section": section, **more}


def _answer(brand: Brand, message_id: int) -> dict[str, str]:
    """What a form for a saved reply begins with, from an answer of the brand."""
    sent = Message.objects.filter(account__brand=brand, direction=Message.Direction.OUT)
    message = get_object_or_404(sent, pk=message_id)
    conversation = get_object_or_404(
        Conversation.objects.select_related("brand"), account=message.account_id, thread_id=message.thread_id
    )
    return {
        "text": wording.emptied(wording.as_written(message), conversation=conversation, agent=message.author_name),
        "language": conversation.language[:2],
    }


def _status(form: LabelForm | SavedReplyForm | PromiseForm) -> int:
    return 422 if form.errors else 200
