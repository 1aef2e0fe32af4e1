"""Sign-ins that failed: the person whose address it was hears of it when they repeat themselves.

Whoever tries sees no difference: each failed try writes one job, for an address we know and one we don't, and only the
job looks anybody up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from tertulia.core import clock, dates, jobs

from . import mail
from .models import Membership, User

MANY = 5
"""So many within an hour are told; as many as may be tried in five minutes."""
HOUR = timedelta(hours=1)


def note(*, email: str, address: str, has_password: bool = False) -> None:
    """Keep in mind that a sign-in failed; `has_password` when only the second step did."""
    if email and mail.is_set_up():
        at = clock.now().isoformat()
        jobs.enqueue(count, email=email.lower(), address=address, has_password=has_password, at=at)


@jobs.task("team.count_failed_sign_in", attempts=3)
@transaction.atomic
def count(*, email: str, address: str, has_password: bool, at: str) -> None:
    """Count one, and tell the person by mail of the fifth within an hour: once an hour, however often this runs."""
    user = User.objects.select_for_update().filter(email=email, is_active=True).first()
    if user is None:
        return
    moment, key = datetime.fromisoformat(at), f"team.failed:{user.pk}"
    known: dict[str, bool]
    known, told = cache.get(key, ({}, ""))
    recent = {when: knew for when, knew in {**known, at: has_password}.items() if _is_recent(when, moment)}
    if len(recent) >= MANY and not _is_recent(told, moment):
        _tell(user, len(recent), last=moment, address=address, has_password=any(recent.values()))
        told = at
    cache.set(key, (recent, told), timeout=2 * HOUR.total_seconds())


def _is_recent(when: str, moment: datetime) -> bool:
    return bool(when) and datetime.fromisoformat(when) > moment - HOUR


def _tell(user: User, times: int, *, last: datetime, address: str, has_password: bool) -> None:
    own = Membership.objects.filter(user=user).select_related("brand").order_by("id").first()
    zone = own.brand.time_zone if own else settings.TIME_ZONE
    with translation.override(user.language or (own.brand.language if own else settings.LANGUAGE_CODE)):
        facts = {
            "user": user,
            "times": times,
            "last": dates.full(last, zone=zone),
            "address": address,
            "has_password": has_password,
            "base": settings.PUBLIC_URL,
        }
        subject = gettext("Somebody tries to sign in as you")
        text = render_to_string("account/email/failed.txt", facts)
    jobs.enqueue(mail.send, to=user.email, subject=subject, text=text)
