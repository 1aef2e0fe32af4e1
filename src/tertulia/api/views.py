"""The settings page of tokens and webhooks."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import BrandRequest, brand_required

from . import actions
from .forms import TokenForm, WebhookForm
from .models import Event, Token, Webhook

EVENTS = 30
"""Newest events shown of a webhook."""


@require_GET
@brand_required("api.manage")
def show(request: BrandRequest, brand: Brand) -> HttpResponse:
    """The brand's tokens and webhooks."""
    tokens = Token.objects.filter(brand=brand, revoked_at__isnull=True).select_related("user").order_by("-id")
    webhooks = Webhook.objects.filter(brand=brand).order_by("id")
    at = clock.now()
    lines = [(token, token.has_expired(at)) for token in tokens]
    return render(request, "api/settings.html", _settings(tokens=lines, webhooks=webhooks))


# Tokens


@require_http_methods(["GET", "POST"])
@brand_required("api.manage")
def new_token(request: BrandRequest, brand: Brand) -> HttpResponse:
    """The page that answers the form is the only one that ever shows the secret."""
    form = TokenForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "api/token.html", _settings(form=form), status=_status(form))
    at = clock.now()
    token, secret = actions.create_token(
        user=request.user,  # type: ignore[arg-type]
        brand=brand,
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        expires_at=form.expires_at(at),
        at=at,
    )
    return render(request, "api/token_made.html", _settings(token=token, secret=secret), status=201)


@require_POST
@brand_required("api.manage")
def revoke_token(request: BrandRequest, brand: Brand, token_id: int) -> HttpResponse:
    token = get_object_or_404(Token, pk=token_id, brand=brand)
    actions.revoke_token(token=token, by=request.user, at=clock.now())  # type: ignore[arg-type]
    messages.info(request, _("“{name}” opens nothing any more.").format(name=token.name))
    return redirect("api:tokens", brand.slug)


# Webhooks


@require_http_methods(["GET", "POST"])
@brand_required("api.manage")
def new_webhook(request: BrandRequest, brand: Brand) -> HttpResponse:
    """The page that answers the form shows the signing secret, this once."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            webhook, secret = actions.add_webhook(
                brand=brand,
                url=form.cleaned_data["url"],
                types=form.cleaned_data["types"],
                by=request.user,  # type: ignore[arg-type]
                at=clock.now(),
            )
            return _show_secret(request, webhook, secret)
        except actions.Problem as problem:
            form.add_error(None, str(problem))
    return render(request, "api/new_webhook.html", _settings(form=form), status=_status(form))


@require_http_methods(["GET", "POST"])
@brand_required("api.manage")
def show_webhook(request: BrandRequest, brand: Brand, webhook_id: int) -> HttpResponse:
    """One webhook: where it leads, what it hears of, and how the last events were taken."""
    webhook = get_object_or_404(Webhook, pk=webhook_id, brand=brand)
    form = WebhookForm(request.POST or None, webhook=webhook)
    if request.method == "POST" and form.is_valid():
        actions.change_webhook(
            webhook=webhook,
            url=form.cleaned_data["url"],
            types=form.cleaned_data["types"],
            by=request.user,  # type: ignore[arg-type]
            at=clock.now(),
        )
        messages.info(request, _("Webhook kept."))
        return redirect("api:webhook", brand.slug, webhook.pk)
    events = Event.objects.filter(webhook=webhook).order_by("-id")[:EVENTS]
    return render(
        request, "api/webhook.html", _settings(form=form, webhook=webhook, events=events), status=_status(form)
    )


@require_POST
@brand_required("api.manage")
def rotate_secret(request: BrandRequest, brand: Brand, webhook_id: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=webhook_id, brand=brand)
    secret = actions.rotate_secret(webhook=webhook, by=request.user, at=clock.now())  # type: ignore[arg-type]
    return _show_secret(request, webhook, secret)


def _show_secret(request: BrandRequest, webhook: Webhook, secret: str) -> HttpResponse:
    return render(request, "api/webhook_secret.html", _settings(webhook=webhook, secret=secret), status=201)


@require_POST
@brand_required("api.manage")
def test_webhook(request: BrandRequest, brand: Brand, webhook_id: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=webhook_id, brand=brand)
    try:
        actions.test_webhook(webhook=webhook, by=request.user, at=clock.now())  # type: ignore[arg-type]
        messages.info(request, _("A test event is on its way; its answer stands below in a moment."))
    except actions.Problem as problem:
        messages.error(request, str(problem))
    return redirect("api:webhook", brand.slug, webhook.pk)


@require_POST
@brand_required("api.manage")
def pause_webhook(request: BrandRequest, brand: Brand, webhook_id: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=webhook_id, brand=brand)
    actions.pause_webhook(webhook=webhook, by=request.user, at=clock.now())  # type: ignore[arg-type]
    return redirect("api:webhook", brand.slug, webhook.pk)


@require_POST
@brand_required("api.manage")
def resume_webhook(request: BrandRequest, brand: Brand, webhook_id: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=webhook_id, brand=brand)
    actions.resume_webhook(webhook=webhook, by=request.user, at=clock.now())  # type: ignore[arg-type]
    return redirect("api:webhook", brand.slug, webhook.pk)


@require_POST
@brand_required("api.manage")
def remove_webhook(request: BrandRequest, brand: Brand, webhook_id: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=webhook_id, brand=brand)
    actions.remove_webhook(webhook=webhook, by=request.user, at=clock.now())  # type: ignore[arg-type]
    messages.info(request, _("The webhook is gone."))
    return redirect("api:tokens", brand.slug)


@require_POST
@brand_required("api.manage")
def repeat_event(request: BrandRequest, brand: Brand, webhook_id: int, event_id: int) -> HttpResponse:
    """Send once more what was given up."""
    event = get_object_or_404(
        Event.objects.select_related("webhook"), pk=event_id, webhook=webhook_id, webhook__brand=brand
    )
    try:
        actions.repeat_event(event=event, at=clock.now())
        messages.info(request, _("It is on its way again."))
    except actions.Problem as problem:
        messages.error(request, str(problem))
    return redirect("api:webhook", brand.slug, webhook_id)


def _settings(**context: Any) -> dict[str, Any]:
    return {"room": "settings", "section": "api", **context}


def _status(form: Any) -> int:
    return 422 if form.is_bound and not form.is_valid() else 200
