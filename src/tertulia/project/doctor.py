"""`tertulia check`: everything the desk stands on, each in a sentence that says what to do when it isn't well."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from kombu import Connection  # type: ignore[attr-defined]

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import clock, crypto
from tertulia.core import malware as clamd
from tertulia.core.backup import keeping
from tertulia.core.health import Finding, Look, asked
from tertulia.core.models import Activity
from tertulia.core.redact import describe
from tertulia.flows import health
from tertulia.team import breaches

OLDEST = (3, 11)
OLDEST_SIGNATURES = timedelta(days=7)
AHEAD = timedelta(minutes=2)
BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows an earlier moment."""
_IN_TIME = {"socket_connect_timeout": 3, "socket_timeout": 3}
_PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}


def check(options: argparse.Namespace) -> int:
    found = [look(clock.now()) for look in LOOKS]
    if options.json:
        rows = [{"name": each.name, "is_ok": each.is_ok, "says": each.says} for each in found]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
    else:
        for each in found:
            sys.stdout.write(f"{'✓' if each.is_ok else '✗'} {each.says}\n")
    return 0 if all(each.is_ok for each in found) else 1


def python(_at: datetime) -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] < OLDEST:
        return Finding("python", False, _("Python {version} is too old. Use 3.11 or newer.").format(version=version))
    return Finding("python", True, _("Python {version}.").format(version=version))


def folder(_at: datetime) -> Finding:
    mode = settings.HOME.stat().st_mode & 0o777
    if mode & 0o077:
        says = _("Others on this machine can look into {folder}. Close it: chmod 700 {folder}")
        return Finding("folder", False, says.format(folder=settings.HOME))
    return Finding("folder", True, _("The data folder is {folder}.").format(folder=settings.HOME))


def keys(_at: datetime) -> Finding:
    try:
        for key in crypto.key_ring():
            Fernet(key)
    except ValueError:
        says = _("A key in keys/encryption.key is not one of ours. Put the file back from a backup.")
        return Finding("keys", False, says)
    return Finding("keys", True, _("The keys can be read. Keep a copy of {folder}/keys.").format(folder=settings.HOME))


def migrations(_at: datetime) -> Finding:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError):
        connection.close()
        return Finding("migrations", False, _("Whether the database is up to date can't be said: it doesn't answer."))
    if missing:
        says = _("The database is {count} steps behind. Bring it up to date: tertulia setup")
        return Finding("migrations", False, says.format(count=len(missing)))
    return Finding("migrations", True, _("The database is up to date."))


def secrets(_at: datetime) -> Finding:
    try:
        for _account in Account.objects.only("secrets").iterator():
            pass
    except crypto.UnreadableSecret:
        says = _("A channel's secret was written with another key. Put the old key as the last line of {file}.")
        return Finding("secrets", False, says.format(file=settings.HOME / "keys" / "encryption.key"))
    except (DatabaseError, InterfaceError):
        connection.close()
        return Finding("secrets", False, _("The channels' secrets can't be read: the database doesn't answer."))
    return Finding("secrets", True, _("The channels' secrets can be read."))


def broker(_at: datetime) -> Finding:
    if not settings.BROKER_URL:
        return Finding("broker", True, _("No broker is set: background work runs in its own process."))
    try:
        address = urlsplit(settings.BROKER_URL)
        place = f"{address.hostname}:{address.port or _PORTS.get(address.scheme, 0)}"
    except ValueError:  # whose text quotes the password
        says = _(
            "TERTULIA_BROKER_URL is no address. Signs like / and # in its name or password are written %2F and %23."
        )
        return Finding("broker", False, says)
    try:
        with Connection(settings.BROKER_URL, connect_timeout=3, transport_options=_IN_TIME) as asked:  # type: ignore[no-untyped-call]
            asked.channel().close()  # asks Redis, too, which may say no once it is reached
    except Exception as error:  # noqa: BLE001 — a broker raises what it likes
        says = _("The broker at {place} can't be used: {why}. Does it run, and let us in? See TERTULIA_BROKER_URL.")
        return Finding("broker", False, says.format(place=place, why=describe(error).rstrip(".")))
    return Finding("broker", True, _("The broker at {place} answers and lets us in.").format(place=place))


def passwords(_at: datetime) -> Finding:
    """The file that new passwords are held against, where there is one."""
    path = settings.BREACHED_PASSWORDS
    if path is None:
        return Finding("passwords", True, _("New passwords are held against the 20,000 commonest."))
    try:
        breaches.check(path)
    except (OSError, breaches.NotThisFile) as problem:
        says = _("No new password is taken: {file} can't be used. {why} See TERTULIA_BREACHED_PASSWORDS.")
        why = f"{problem.strerror}." if isinstance(problem, OSError) else problem
        return Finding("passwords", False, says.format(file=path, why=why))
    return Finding("passwords", True, _("New passwords are held against those in {file}.").format(file=path))


def malware(at: datetime) -> Finding:
    """Clamd answers, and knows what was new last week."""
    if not clamd.is_set_up():
        return Finding("malware", True, _("Files that strangers send aren't looked at for malware (TERTULIA_CLAMD)."))
    try:
        made_at = clamd.signatures_of()
    except clamd.NotLooked as problem:
        says = _("Nobody gets files that strangers send: clamd at {place} doesn't answer ({why}). See TERTULIA_CLAMD.")
        return Finding("malware", False, says.format(place=settings.CLAMD, why=problem))
    if made_at and at - made_at > OLDEST_SIGNATURES:
        says = _("The signatures of clamd are of {day}. Is freshclam running?")
        return Finding("malware", False, says.format(day=f"{made_at:%Y-%m-%d}"))
    return Finding("malware", True, _("Files that strangers send are looked at for malware by clamd."))


def static(_at: datetime) -> Finding:
    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        return Finding("static", False, _("The pages' styles and scripts are not in place. Put them: tertulia setup"))
    return Finding("static", True, _("The pages' styles and scripts are in place."))


def backup(at: datetime) -> Finding:
    """The newest of the daily ones."""
    if not settings.BACKUPS:
        return Finding("backup", True, _("Daily backups are switched off."))
    if failure := keeping.failure():
        says = _("The last backup could not be made: {why} Then: tertulia backup --daily")
        return Finding("backup", False, says.format(why=failure.why))
    try:
        since = Brand.objects.order_by("created_at").values_list("created_at", flat=True).first() or at
    except (DatabaseError, InterfaceError):
        connection.close()
        since = at
    if keeping.is_late(at, since=since):
        says = _(
            "There is no backup of the last 26 hours. Is background work running? Make one: tertulia backup --daily"
        )
        return Finding("backup", False, says)
    newest = keeping.newest_at()
    if newest is None:
        return Finding("backup", True, _("There is no backup yet: the first is made when the desk is a day old."))
    return Finding("backup", True, _("The newest backup is of {at}.").format(at=f"{newest:%Y-%m-%d %H:%M} UTC"))


def time(at: datetime) -> Finding:
    """A clock that runs behind would send what is due too late and break every promise."""
    newest = BUILT
    with asked("clock") as unanswered:
        newest = Activity.objects.order_by("-id").values_list("at", flat=True).first() or BUILT
    if unanswered:
        return unanswered[0]
    if at < BUILT or at < newest - AHEAD:
        says = _("The clock shows {now}, which is earlier than it can be. Set it, best with NTP: timedatectl")
        return Finding("clock", False, says.format(now=f"{at:%Y-%m-%d %H:%M} UTC"))
    return Finding("clock", True, _("The clock shows {now}.").format(now=f"{at:%Y-%m-%d %H:%M} UTC"))


LOOKS: tuple[Look, ...] = (
    python,
    folder,
    keys,
    migrations,
    secrets,
    passwords,
    malware,
    broker,
    static,
    backup,
    time,
    *health.LOOKS,
)
