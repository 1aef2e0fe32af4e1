"""`tertulia restore`: a backup becomes the installation, whole or not at all; nothing leaves before people say so."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels import erasures, intake
from tertulia.core import clock, crypto
from tertulia.core.backup import archive, copying, databases, tables
from tertulia.core.models import Heartbeat
from tertulia.flows import personal, restored

from . import installing, unfinished
from .saving import passphrase
from .serve import PortTaken, check_port
from .sorry import Sorry

OUTSIDE_OF_MODELS = ("django_migrations", "message_search", copying.NOT_CARRIED)
AWAKE = timedelta(seconds=30)


def restore(options: argparse.Namespace) -> None:
    file, at = Path(options.file).expanduser().resolve(), clock.now()
    refuse_while_running()
    in_use = _is_in_use()
    if in_use and not options.over:
        says = _("There is something in {folder} already. With --over it is put aside and this takes its place.")
        raise Sorry(says.format(folder=settings.HOME))
    with installing.alone(), _room() as room:
        manifest = _unpack(file, options.passphrase_file, room)
        copy = room / archive.DATABASE
        waiting = _made_ready(copy, manifest, at=at)
        begun = unfinished.asides()
        # Of one that is repeated within a second, too.
        aside = settings.HOME / "-".join([f"before-restore-{at:%Y-%m-%dT%H%M%S}Z", *(["again"] * len(begun))])
        try:
            if connection.vendor == "postgresql":
                _put_into_postgresql(copy, aside.name, in_use)
            else:
                unfinished.begin(aside.name)
            _put_files_in_place(room, manifest, aside, in_use)
            if connection.vendor == "sqlite":
                _put_in_place(copy, Path(connection.settings_dict["NAME"]), aside if in_use else None)
        except OSError as error:
            unfinished.refuse()
            says = _("{folder} can't be written: {why}. Nothing was changed.")
            raise Sorry(says.format(folder=settings.HOME, why=error.strerror)) from None
    installing.prepare()
    erased = list(_erased_again())
    unfinished.end()
    asides = [settings.HOME / name for name in (*begun, aside.name)]
    sys.stdout.write("\n".join([*_told(file, manifest, asides, waiting, in_use), *erased]) + "\n")


def _erased_again() -> Iterator[str]:
    """Whoever was erased here after the backup was made came back with it."""
    path = settings.HOME / erasures.FILE
    if not path.exists():
        return
    try:
        found = personal.replay(path.read_text(), at=clock.now())
    except (erasures.NotThisList, personal.Underway, crypto.UnreadableSecret, OSError):
        yield _("People were erased here, and may be back. Once you have looked through it: tertulia erasures replay")
        return
    yield _("Erased again, as before: {n} people.").format(n=found.erased)
    if found.undecided:
        yield _("Some are joined to others now and wait for you: tertulia erasures replay")


def refuse_while_running() -> None:
    """Here it is seen by its port, in another container or on another machine by its signs of life. Raises `Sorry`."""
    says = _(
        "Tertulia is running, here or on another machine. Stop it and wait half a minute first; nothing was changed."
    )
    try:
        check_port(settings.HOST, settings.PORT)
        if Heartbeat.objects.filter(at__gt=clock.now() - AWAKE).exclude(name="ready").exists():
            raise Sorry(says)
    except PortTaken:
        raise Sorry(says) from None
    except DatabaseError:
        connection.close()  # empty or damaged: nobody runs on it


def _is_in_use() -> bool:
    """Whether anything would be lost."""
    try:
        return Brand.objects.exists()
    except DatabaseError:
        connection.close()
    try:
        return "brand_brand" in connection.introspection.table_names()  # of another version
    except DatabaseError:
        connection.close()
        return True  # damaged


@contextmanager
def _room() -> Iterator[Path]:
    for left in settings.HOME.glob(".restoring-*"):  # by one that was killed: we are alone here
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=settings.HOME) as room:
        yield Path(room)


def _unpack(file: Path, passphrase_file: str, room: Path) -> archive.Manifest:
    try:
        try:
            with archive.opened(file) as backup:
                return _unpacked(backup, room)
        except archive.NeedsPassphrase:
            with archive.opened(file, passphrase(passphrase_file, twice=False)) as backup:
                return _unpacked(backup, room)
    except archive.Refused as refused:
        raise Sorry(_("{why} Nothing was changed.").format(why=refused)) from None
    except OSError as error:
        says = _("{file} can't be read, or {folder} has no room for what is in it: {why}. Nothing was changed.")
        raise Sorry(says.format(file=file, folder=settings.HOME, why=error.strerror)) from None


def _unpacked(backup: archive.Archive, room: Path) -> archive.Manifest:
    try:
        tables.tables(backup.manifest.steps)
    except databases.Newer:
        says = _("It was made by Tertulia {version}, which is newer than this one. Install that version first.")
        raise archive.Refused(says.format(version=backup.manifest.version)) from None
    backup.unpack(room)
    return backup.manifest


def _made_ready(copy: Path, manifest: archive.Manifest, *, at: datetime) -> list[restored.Waiting]:
    """Bring the copy up to this version and stop it, before anybody sees it."""
    target = databases.sqlite_file(copy)
    with databases.as_default(target):
        databases.migrate(target)
        waiting = restored.hold_everything(made_at=manifest.made_at, at=at)
        if manifest.vendor != "sqlite" and not _goes_to_postgresql():
            with transaction.atomic():
                intake.index_all()
    return waiting


def _goes_to_postgresql() -> bool:
    return str(settings.DATABASES["default"]["ENGINE"]).endswith("postgresql")


def _put_files_in_place(room: Path, manifest: archive.Manifest, aside: Path, in_use: bool) -> None:
    media = Path(settings.MEDIA_ROOT)
    if media.exists():
        _move(media, aside / "media")
    if (room / "media").exists():
        _move(room / "media", media)
    for name in archive.KEYS:
        if name in manifest.files:
            own = settings.HOME / name
            if (
                in_use and own.exists() and own.read_bytes() != (room / name).read_bytes()
            ):  # else this command has just made it
                _move(own, aside / name)
            own.parent.mkdir(mode=0o700, exist_ok=True)
            (room / name).replace(own)


def _put_in_place(copy: Path, database: Path, aside: Path | None) -> None:
    """The database last, in one step: until then there is none, and restoring can be begun anew."""
    connection.close()
    for ending in ("", "-wal", "-shm"):
        old = Path(f"{database}{ending}")
        if aside and old.exists():
            _move(old, aside / old.name)
        old.unlink(missing_ok=True)
    archive.settle(copy, database)


def _put_into_postgresql(copy: Path, aside: str, in_use: bool) -> None:
    """All in one transaction: the old tables into a schema of their own, the new ones in their place."""
    own = _own_tables()
    with transaction.atomic():
        with connection.cursor() as cursor:
            if in_use:
                cursor.execute(f'CREATE SCHEMA "{aside}"')
            for name in own:
                cursor.execute(
                    f'ALTER TABLE "{name}" SET SCHEMA "{aside}"' if in_use else f'DROP TABLE "{name}" CASCADE'
                )
        try:
            copying.put(copy, archive.own_database())
        except copying.Different as wrong:
            raise Sorry(_("What arrived differs in {tables}. Nothing was changed.").format(tables=wrong)) from None
        intake.index_all()
        unfinished.begin(aside)  # the last before the rows are there: from then on the files are missing


def _own_tables() -> list[str]:
    """Ours, of those that stand there. A newer version's, whose models nobody knows here, are told by their names."""
    there = set(connection.introspection.table_names())
    if "django_migrations" not in there:
        return []
    steps = databases.applied(archive.own_database())
    try:
        ours = {table.name for table in tables.tables(steps)}
    except databases.Newer:
        begins = ("django_", *{f"{app}_" for app, _name in steps})
        ours = {name for name in there if name.startswith(begins)}
    return sorted(there & (ours | set(OUTSIDE_OF_MODELS)))


def _move(what: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.move(what, to)


def _told(
    file: Path, manifest: archive.Manifest, asides: list[Path], waiting: list[restored.Waiting], in_use: bool
) -> Iterator[str]:
    made_at = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    yield _("{file} of {made_at} is restored: {rows} rows.").format(
        file=file.name, made_at=made_at, rows=f"{manifest.rows:,}"
    )
    if connection.vendor == "postgresql" and in_use:
        yield _("The tables that were here are in the schema “{name}”.").format(name=asides[0].name)
    for aside in asides:
        if aside.exists():
            yield _("What was here before is in {folder}.").format(folder=aside)
    if settings.ENCRYPTION_KEYS:
        yield _("The keys are those of TERTULIA_ENCRYPTION_KEYS. Those the backup was made with have to be among them.")
    elif not manifest.has_keys:
        yield _("The keys are not in the backup: put yours into {folder}.").format(folder=settings.HOME / "keys")
    yield _("Channels are read again from where they stood; nothing is shown twice. Everybody signs in again.")
    yield _("Sending is stopped, answers included:")
    yield from restored.told(waiting)
    yield _("Look through it: tertulia start. Then, in each brand's calendar: “Let publishing go on”.")
