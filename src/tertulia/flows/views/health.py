"""For whoever watches over the installation: a load balancer, a monitor, a person with curl."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tertulia.core import clock
from tertulia.flows import health


@never_cache
@require_safe
def process(_request: HttpRequest) -> JsonResponse:
    """The process answers. It asks nobody else, so that a stopped database does not get it restarted."""
    return JsonResponse({"is_ok": True})


@never_cache
@require_safe
def readiness(_request: HttpRequest) -> JsonResponse:
    """Everything it takes to serve is there: 200, or 503 with the sentences that say what is not."""
    with translation.override("en"):
        found = health.readiness(clock.now())
    is_ok = all(finding.is_ok for finding in found)
    checks = {finding.name: {"is_ok": finding.is_ok, "says": finding.says} for finding in found}
    return JsonResponse({"is_ok": is_ok, "checks": checks}, status=200 if is_ok else 503)
