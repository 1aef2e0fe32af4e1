"""What each web process does beside its pages: leave a sign of life, and look for that of background work.

When work falls silent it can tell nobody; so these look, and mail those who manage. So they do when a backup failed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import translation
from django.utils.translation import gettext as _

from tertulia.core import clock, health, worker
from tertulia.core.backup import keeping
from tertulia.core.models import Heartbeat
from tertulia.core.redact import describe
from tertulia.team import mail
from tertulia.team.models import User
from tertulia.team.permissions import Role

log = logging.getLogger(__name__)

HEARTBEAT = "web"
BEAT_SECONDS, LOOK_EVERY = 10.0, 3
"""Each third beat looks, too."""
SILENCE_TOLD, BACKUP_TOLD = "silence told", "failed backup told"
AGAIN, AT_MOST = timedelta(days=1), timedelta(hours=1)
"""A silence that lasts is told again after a day; one after another no more often than each hour."""
Words = Callable[[], tuple[str, ...]]
"""The subject and the lines of a mail, in the language of whoever gets it."""
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def run() -> None:
    """Beat and look again and again, for as long as the process lives."""
    for turn in count():
        try:
            Heartbeat.leave({HEARTBEAT: clock.now()})
            if turn % LOOK_EVERY == LOOK_EVERY - 1:
                look(at=clock.now())
        except (DatabaseError, InterfaceError) as error:
            log.error("No sign of life can be left, nor that of background work be seen: %s", describe(error))
        finally:
            connection.close()
        time.sleep(BEAT_SECONDS)


def look(*, at: datetime) -> int:
    """Mail every manager when background work has been silent for two minutes, and when a backup could not be made;
    returns how many mails left.

    However many web processes look, one tells. Work that has never run here is not missed.
    """
    if not mail.is_set_up():
        return 0
    told = 0
    beat = Heartbeat.objects.filter(name=worker.HEARTBEAT).first()
    if beat is not None and health.work_is_silent(at):
        told += _tell_managers(SILENCE_TOLD, lambda: _of_silence(beat.at), at=at, began_at=beat.at)
    if failed := keeping.failure():
        told += _tell_managers(BACKUP_TOLD, lambda: _of_backup(failed.why), at=at)
    return told


def _tell_managers(name: str, words: Words, *, at: datetime, began_at: datetime | None = None) -> int:
    """Once a day; and, of what `began_at` a moment, once an hour at the most when it began anew."""
    Heartbeat.objects.bulk_create([Heartbeat(name=name, at=NEVER)], ignore_conflicts=True)
    told_at = Heartbeat.objects.get(name=name).at
    is_new = began_at is not None and told_at < began_at and told_at < at - AT_MOST
    if not (is_new or told_at < at - AGAIN):
        return 0
    if not Heartbeat.objects.filter(name=name, at=told_at).update(at=at):
        return 0  # another process tells
    told = sum(_tell(user, words) for user in _managers())
    if not told:  # so that the next look tries again
        Heartbeat.objects.filter(name=name, at=at).update(at=told_at)
    return told


def _managers() -> list[User]:
    return list(User.objects.filter(is_active=True, memberships__role=Role.MANAGER).distinct().order_by("pk"))


def _tell(user: User, words: Words) -> bool:
    with translation.override(user.language or settings.LANGUAGE_CODE):
        subject, *lines = words()
        text = "\n\n".join([*lines, settings.PUBLIC_URL, _("You get this mail once a day until it works again.")])
        try:
            mail.send(to=user.email, subject=subject, text=text)
        except OSError as error:  # smtplib's errors are such, too
            log.error("“%s” can't be mailed: %s", subject, describe(error))
            return False
    return True


def _of_silence(since: datetime) -> tuple[str, ...]:
    return (
        _("Tertulia sends and fetches nothing"),
        _("Nothing has been sent or fetched since {since} UTC: background work is silent.").format(
            since=f"{since:%Y-%m-%d %H:%M}"
        ),
        _("Start it again where Tertulia runs: systemctl restart tertulia. What is wrong: tertulia check"),
    )


def _of_backup(why: str) -> tuple[str, ...]:
    return (
        _("Tertulia has no new backup"),
        _("The last backup could not be made: {why} Then: tertulia backup --daily").format(why=why),
    )
