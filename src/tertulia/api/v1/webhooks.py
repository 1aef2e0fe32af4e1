"""Webhooks: addresses that hear of what happens."""

from __future__ import annotations

from ninja import Path, Router

from tertulia.core import clock

from .. import actions
from ..access import Call, door
from ..errors import not_found
from ..models import Webhook
from .shapes import Id, NewWebhookShape, Page, WebhookBody, WebhookShape

router = Router(tags=["Webhooks"])

MANAGES = door("webhooks:manage", "api.manage")


@router.get("/webhooks", response=Page[WebhookShape], **MANAGES)
def webhooks(request: Call) -> Page[WebhookShape]:
    """The brand's webhooks, oldest first; twenty at most."""
    rows = Webhook.objects.filter(brand=request.auth.brand).order_by("id")
    return Page[WebhookShape](items=[_shape(webhook) for webhook in rows], next=None)


@router.post("/webhooks", response={201: NewWebhookShape}, **MANAGES)
def add_webhook(request: Call, body: WebhookBody) -> NewWebhookShape:
    """Let an address hear of what happens from now on. The answer holds the signing secret, this once.

    422 when the address is not on the public internet, or a kind of event does not exist.
    """
    webhook, secret = actions.add_webhook(
        brand=request.auth.brand, url=body.url, types=body.types, by=request.auth.user, at=clock.now()
    )
    return NewWebhookShape(**_shape(webhook).model_dump(), secret=secret)


@router.get("/webhooks/{int:webhook_id}", response=WebhookShape, **MANAGES)
def webhook(request: Call, webhook_id: Path[Id]) -> WebhookShape:
    """One webhook and its last answer. 404 for another brand's."""
    return _shape(_webhook(request, webhook_id))


@router.put("/webhooks/{int:webhook_id}", response=WebhookShape, **MANAGES)
def change_webhook(request: Call, webhook_id: Path[Id], body: WebhookBody) -> WebhookShape:
    """Change its address and what it hears of. Both are replaced."""
    webhook = _webhook(request, webhook_id)
    actions.change_webhook(webhook=webhook, url=body.url, types=body.types, by=request.auth.user, at=clock.now())
    return _shape(webhook)


@router.delete("/webhooks/{int:webhook_id}", response={204: None}, **MANAGES)
def remove_webhook(request: Call, webhook_id: Path[Id]) -> None:
    """Remove it, with everything that was still waiting for it."""
    actions.remove_webhook(webhook=_webhook(request, webhook_id), by=request.auth.user, at=clock.now())


@router.post("/webhooks/{int:webhook_id}/secret", response={201: NewWebhookShape}, **MANAGES)
def rotate_secret(request: Call, webhook_id: Path[Id]) -> NewWebhookShape:
    """A new signing secret, shown this once. For 24 hours events carry two signatures, the old and the new."""
    webhook = _webhook(request, webhook_id)
    secret = actions.rotate_secret(webhook=webhook, by=request.auth.user, at=clock.now())
    return NewWebhookShape(**_shape(webhook).model_dump(), secret=secret)


@router.post("/webhooks/{int:webhook_id}/test", response={202: WebhookShape}, **MANAGES)
def test_webhook(request: Call, webhook_id: Path[Id]) -> WebhookShape:
    """Send it an event of type `webhook.test`, shortly. 409 while it is paused."""
    webhook = _webhook(request, webhook_id)
    actions.test_webhook(webhook=webhook, by=request.auth.user, at=clock.now())
    return _shape(webhook)


def _webhook(request: Call, id: int) -> Webhook:
    found = Webhook.objects.filter(brand=request.auth.brand, pk=id).first()
    if found is None:
        raise not_found()
    return found


def _shape(webhook: Webhook) -> WebhookShape:
    return WebhookShape(
        id=webhook.id, url=webhook.url, types=webhook.types, state=webhook.state, last_answer=webhook.last_answer,
        last_tried_at=webhook.last_tried_at, created_at=webhook.created_at,
    )  # fmt: skip
