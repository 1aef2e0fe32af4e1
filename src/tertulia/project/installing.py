"""`tertulia setup`: the data folder, the keys, the database, the static files. Again and again without harm."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.core.backup import archive, databases
from tertulia.flows import first_run

from . import saving
from .serve import PortTaken, check_port
from .sorry import Sorry

PRIVATE = 0o700
SETUP_LOCK = 0x7E87
"""The number of the advisory lock on PostgreSQL: several machines may start at once."""


def setup(options: argparse.Namespace) -> int:
    """Bring everything up to date; with `--for-start` also say what `start` has to know, as JSON."""
    if options.for_start:
        try:
            check_port(settings.HOST, settings.PORT)
        except PortTaken as taken:
            raise Sorry(str(taken)) from None
    prepare()
    if options.for_start:
        facts = {"host": settings.HOST, "port": settings.PORT, "says": "\n".join(greeting())}
        sys.stdout.write(json.dumps(facts))
    else:
        sys.stdout.write(
            "\n".join([_("Everything is set up in {folder}").format(folder=settings.HOME), *invitation()]) + "\n"
        )
    return 0


def prepare() -> None:
    _make_home()
    with alone():
        _migrate()
        (settings.HOME / "version").write_text(metadata.version("tertulia") + "\n")
        _collect_static()


def greeting() -> list[str]:
    """What `start` says once the desk answers."""
    address = _("Tertulia is running: {address}").format(address=settings.PUBLIC_URL)
    return [address, *invitation(), _("Stop it with Ctrl+C.")]


def invitation() -> list[str]:
    """The one-time link, as long as nobody has set the desk up. An earlier one no longer works."""
    if Brand.objects.exists():
        return []
    link = f"{settings.PUBLIC_URL}/setup/{first_run.new_link()}/"
    return [_("Set it up in the browser, with this link that works once: {link}").format(link=link)]


def _make_home() -> None:
    # The keys are made while the settings load, so the folder may stand already, as open as the umask let it.
    # Where they come from the environment it doesn't, and the way in for the first person is still kept there.
    for folder in (settings.HOME, settings.HOME / "keys", settings.FILE_UPLOAD_TEMP_DIR):
        folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
        if folder.stat().st_mode & 0o077 and folder.stat().st_uid == os.getuid():
            folder.chmod(PRIVATE)


@contextmanager
def alone() -> Iterator[None]:
    """No other setup, restoring or moving of this installation at the same time."""
    with (settings.HOME / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [SETUP_LOCK])
                try:
                    yield
                finally:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [SETUP_LOCK])
        else:
            yield


def _migrate() -> None:
    database = archive.own_database()
    if not is_old(database):
        return
    if _holds_something(database):
        made = saving.before_upgrade(_version_before())
        sys.stderr.write(_("A backup was made before the upgrade: {file}").format(file=made) + "\n")
    databases.migrate(database)
    emit_post_migrate_signal(0, False, database.alias)


def is_old(database: BaseDatabaseWrapper) -> bool:
    """Whether it has migrations still to see. Raises `Sorry` where it has seen some that only a newer version knows."""
    try:
        return bool(databases.missing(database))
    except databases.Newer:
        says = _(
            "The database belongs to a newer version of Tertulia; nothing was changed. Install that one, or go back "
            "with the backup that was made before the upgrade: tertulia restore FILE --over"
        )
        raise Sorry(says) from None


def _holds_something(database: BaseDatabaseWrapper) -> bool:
    """Asked without models: they are of the version to come."""
    if "brand_brand" not in database.introspection.table_names():
        return False
    with database.cursor() as cursor:
        cursor.execute("SELECT 1 FROM brand_brand LIMIT 1")
        return cursor.fetchone() is not None


def _version_before() -> str:
    try:
        return (settings.HOME / "version").read_text().strip()
    except FileNotFoundError:
        return "unknown"


def _collect_static() -> None:
    mark = settings.STATIC_ROOT / ".collected"
    fingerprint = _fingerprint()
    if mark.exists() and mark.read_text() == fingerprint:
        return
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    mark.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.write_text(fingerprint)


def _fingerprint() -> str:
    """Changes with every file that would be collected."""
    state = hashlib.sha256(metadata.version("tertulia").encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            state.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return state.hexdigest()
