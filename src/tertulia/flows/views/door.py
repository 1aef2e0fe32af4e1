"""The door networks knock at."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tertulia.channels.models import Account
from tertulia.connectors.contract import BadPayload, Inbound, Outcome
from tertulia.core import clock, metrics
from tertulia.core.proxies import client_address
from tertulia.flows import inbound as flow


@csrf_exempt  # networks carry no token of ours: the connector verifies their signature over the raw body
@require_POST
def webhook(request: HttpRequest, public_key: str) -> HttpResponse:
    """A delivery: 200 when it is kept (even if nobody can read it), 403 when it isn't who it says it is."""
    account = get_object_or_404(Account.objects.select_related("brand"), public_key=public_key)
    if not account.capabilities.webhook:
        return HttpResponse("This channel takes no deliveries here.\n", status=404, content_type="text/plain")
    try:
        flow.receive(account, inbound_of(request))
    except BadPayload:
        metrics.count("webhook_refusals")
        return HttpResponse("The signature does not fit.\n", status=403, content_type="text/plain")
    except Outcome as outcome:
        metrics.count("webhook_refusals")
        return HttpResponse(f"{outcome.why}\n", status=422, content_type="text/plain")
    return HttpResponse("kept\n", content_type="text/plain")


def inbound_of(request: HttpRequest) -> Inbound:
    """The request as connectors see it: untouched."""
    return Inbound(
        headers={name.lower(): value for name, value in request.headers.items()},
        query={name: value for name, value in request.GET.items() if isinstance(value, str)},
        body=request.body,
        at=clock.now(),
        remote_address=client_address(request),
    )
