"""Whether this installation is ready to serve: every look at it, from all rooms."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from tertulia.channels.models import Delivery
from tertulia.core import health
from tertulia.core.health import Finding, Look


def deliveries(at: datetime) -> Finding:
    queued = Delivery.objects.filter(state=Delivery.State.QUEUED).order_by("due_at")
    return health.lateness("deliveries", _("deliveries"), lambda: queued.values_list("due_at", flat=True).first(), at)


LOOKS: tuple[Look, ...] = (health.database, health.work, health.jobs, deliveries, health.disk)


def readiness(at: datetime) -> list[Finding]:
    return [look(at) for look in LOOKS]
