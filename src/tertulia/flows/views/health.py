"""For whoever watches over the installation: a load balancer, a monitor, a person with curl."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tertulia.core import clock
from tertulia.core import metrics as openmetrics
from tertulia.core.health import Finding
from tertulia.flows import health, metrics

KEPT = timedelta(seconds=2)
_last: tuple[datetime, list[Finding]] | None = None


@never_cache
@require_safe
def process(_request: HttpRequest) -> JsonResponse:
    """The process answers. It asks nobody else, so that a stopped database does not get it restarted."""
    return JsonResponse({"is_ok": True})


@never_cache
@require_safe
def readiness(request: HttpRequest) -> JsonResponse:
    """Everything it takes to serve is there: 200, or 503 with the names of what is not.

    What the desk can go on with is named too, in `is_ok` of its own. The sentences, which tell of the machine, are for
    whoever brings the token of `/metrics`; `tertulia check` says them on the machine itself.
    """
    found = _found(clock.now())
    is_ok = all(finding.is_ok for finding in found if finding.stops)
    is_told = bool(settings.METRICS_TOKEN) and _brings_the_token(request)
    checks = {
        finding.name: {"is_ok": finding.is_ok, **({"says": finding.says} if is_told else {})} for finding in found
    }
    return JsonResponse({"is_ok": is_ok, "checks": checks}, status=200 if is_ok else 503)


def _found(at: datetime) -> list[Finding]:
    """At most two seconds old: looking writes to the disk, and anybody may ask as often as they like."""
    global _last
    if _last is None or not timedelta() <= at - _last[0] < KEPT:
        with translation.override("en"):
            _last = at, health.readiness(at)
    return _last[1]


@never_cache
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """What a monitor scrapes, in OpenMetrics; for whoever brings the token. Where none is set, nothing is here."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not _brings_the_token(request):
        return HttpResponse(
            "Bring the token: TERTULIA_METRICS_TOKEN.\n", status=401, headers={"WWW-Authenticate": "Bearer"}
        )
    return HttpResponse(openmetrics.text(metrics.families(clock.now())), content_type=openmetrics.CONTENT_TYPE)


def _brings_the_token(request: HttpRequest) -> bool:
    return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}")
