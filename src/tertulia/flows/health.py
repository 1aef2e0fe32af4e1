"""Whether this installation is ready to serve: every look at it, from all rooms."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.channels.models import Account, Delivery
from tertulia.connectors import registry
from tertulia.core import health
from tertulia.core.health import Finding, Look

SILENT, READINGS = timedelta(minutes=30), 3
"""A channel that is read by the clock is silent when it could not be for so long, and for so many of its readings."""
SHOWN = 5


def deliveries(at: datetime) -> Finding:
    queued = Delivery.objects.filter(state=Delivery.State.QUEUED).order_by("due_at")
    return health.lateness("deliveries", _("deliveries"), lambda: queued.values_list("due_at", flat=True).first(), at)


def channels(at: datetime) -> Finding:
    """Each is read, and none waits for a person. By number and kind alone: the names are nobody else's business."""
    with health.asked("channels") as found:
        accounts = Account.objects.exclude(state=Account.State.PAUSED).order_by("pk")
        troubled = [
            f"{account.pk} ({account.kind})"
            for account in accounts.only("kind", "state", "last_success_at", "created_at")
            if account.state == Account.State.ATTENTION or _is_silent(account, at)
        ]
        if troubled:
            named = ", ".join([*troubled[:SHOWN], *(["…"] if len(troubled) > SHOWN else [])])
            says = ngettext(
                "Channel {names} doesn't work. What is wrong stands on its page under Channels.",
                "Channels {names} don't work. What is wrong stands on their pages under Channels.",
                len(troubled),
            ).format(names=named)
            found.append(Finding("channels", False, says, stops=False))
        else:
            found.append(Finding("channels", True, _("Every channel works."), stops=False))
    return found[-1]


def _is_silent(account: Account, at: datetime) -> bool:
    connector = registry.all_connectors().get(account.kind)
    if connector is None:
        return True
    can = connector.capabilities
    within = max(SILENT, READINGS * timedelta(seconds=can.poll_seconds))
    return can.polls and at - (account.last_success_at or account.created_at) > within


LOOKS: tuple[Look, ...] = (
    health.database, health.work, health.jobs, deliveries, health.disk, channels, health.time,
)  # fmt: skip


def readiness(at: datetime) -> list[Finding]:
    return [look(at) for look in LOOKS]
