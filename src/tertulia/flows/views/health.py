"""For whoever watches over the installation: a load balancer, a monitor, a person with curl."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tertulia.core import clock
from tertulia.core import metrics as openmetrics
from tertulia.flows import health, metrics


@never_cache
@require_safe
def process(_request: HttpRequest) -> JsonResponse:
    """The process answers. It asks nobody else, so that a stopped database does not get it restarted."""
    return JsonResponse({"is_ok": True})


@never_cache
@require_safe
def readiness(_request: HttpRequest) -> JsonResponse:
    """Everything it takes to serve is there: 200, or 503 with the sentences that say what is not.

    What the desk can go on with is said too, in `is_ok` of its own.
    """
    with translation.override("en"):
        found = health.readiness(clock.now())
    is_ok = all(finding.is_ok for finding in found if finding.stops)
    checks = {finding.name: {"is_ok": finding.is_ok, "says": finding.says} for finding in found}
    return JsonResponse({"is_ok": is_ok, "checks": checks}, status=200 if is_ok else 503)


@never_cache
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """What a monitor scrapes, in OpenMetrics; for whoever brings the token. Where none is set, nothing is here."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(
            "Bring the token: TERTULIA_METRICS_TOKEN.\n", status=401, headers={"WWW-Authenticate": "Bearer"}
        )
    return HttpResponse(openmetrics.text(metrics.families(clock.now())), content_type=openmetrics.CONTENT_TYPE)
