"""The file: a zip with the database as a file of SQLite, the media, a manifest, and the keys if they are to be there.

It is made beside its place, opened and read back, and only then gets its name: a file with the name of a backup is one.
"""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import shutil
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from tertulia.core.crypto import SecretsField

from . import copying, databases, sealing, tables
from .tables import Contents

FORMAT = 1
MANIFEST, DATABASE = "manifest.json", "tertulia.sqlite3"
KEYS = ("keys/encryption.key", "keys/secret.key")
BLOCK = 4 * 1024 * 1024
"""Bytes. Between two of them packing asks for the interpreter, which the checksum of the rows has meanwhile."""
NEWEST = 100
"""So many rows of each model are read as the desk would read them."""


class NotMade(Exception):
    """No backup was made, and nothing was left behind; says why."""


class Refused(Exception):
    """The file can't be restored; says why."""


class NeedsPassphrase(Exception):
    """It is encrypted."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    version: str
    """Of Tertulia."""
    made_at: datetime
    vendor: str
    """Of the database that it is of: "sqlite" or "postgresql"."""
    steps: list[databases.Step]
    tables: dict[str, Contents]
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of everything else in it."""

    @property
    def has_keys(self) -> bool:
        return KEYS[0] in self.files

    @property
    def rows(self) -> int:
        return sum(contents.rows for contents in self.tables.values())

    def written(self) -> bytes:
        said = {**asdict(self), "format": FORMAT, "made_at": self.made_at.isoformat()}
        return json.dumps(said, indent=1).encode()


def make(target: Path, *, at: datetime, passphrase: str = "", with_keys: bool = False) -> Manifest:
    """Write a backup of the default database and the data folder, while everything runs on. Raises `NotMade`.

    With a passphrase it is encrypted and holds the keys in any case.
    """
    try:
        with _room() as room, _half(target) as half:
            copy = room / DATABASE
            read = copying.take(own_database(), copy)
            with ThreadPoolExecutor(2) as pool, half.open("wb") as file:
                damage = pool.submit(_damage, copy)
                keys = KEYS if with_keys or passphrase else ()
                with _sealed(file, passphrase) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
                    packed = pool.submit(_pack, pack, copy, keys)
                    try:
                        manifest = _described(copy, read, at)
                    finally:
                        packed.exception()  # the zip can't be closed before its last file is
                    manifest.files.update(packed.result())
                    pack.writestr(MANIFEST, manifest.written())
                if says := damage.result():
                    raise NotMade(_("The database is damaged: {what}. Restore an older backup.").format(what=says))
                file.flush()
                os.fsync(file.fileno())
            with opened(half, passphrase) as archive:
                if archive.manifest != manifest:
                    raise NotMade(_("What was written can't be read back as it was."))
                archive.compare()
            os.utime(half)
            half.replace(target)
            sync(target.parent)
    except Refused as refused:
        raise NotMade(str(refused)) from None
    except (OSError, sqlite3.Error, DatabaseError) as error:
        why = getattr(error, "strerror", None) or str(error)
        says = _("The backup could not be written to {folder}: {why}. Nothing was left behind. Is there room?")
        raise NotMade(says.format(folder=target.parent, why=why)) from error
    return manifest


def own_database() -> BaseDatabaseWrapper:
    """The installation's own database as it is, not the stand-in that Django calls `connection`."""
    return connections["default"]


def _described(copy: Path, read: dict[str, Contents], at: datetime) -> Manifest:
    """What is in the copy. Raises `NotMade` when that is not what was read in the database."""
    with closing(sqlite3.connect(copy)) as file:
        steps = copying.steps_of(file)
        of = tables.tables(steps)
        found = tables.contents(file, of)
    if read and read != found:
        raise NotMade(_("The copy of the database differs from it. Try again."))
    _open_with_the_models(copy, steps)
    return Manifest(metadata.version("tertulia"), at, connection.vendor, steps, found)


def _damage(copy: Path) -> str:
    """What SQLite finds amiss, in its words; empty when all is well."""
    with closing(sqlite3.connect(copy)) as file:
        damage = [str(row[0]) for row in file.execute("PRAGMA integrity_check(3)")]
        if damage != ["ok"]:
            return "; ".join(damage)
        broken = file.execute("PRAGMA foreign_key_check").fetchone()
        return f"{broken[0]} {broken[1]} → {broken[2]}" if broken else ""


def _open_with_the_models(copy: Path, steps: Sequence[databases.Step]) -> None:
    """The newest rows of everything, read as the desk does. Secrets stay closed: their key may be elsewhere."""
    try:
        with databases.as_default(databases.sqlite_file(copy)):
            for model in databases.state(steps).apps.get_models(include_auto_created=True):
                if model._meta.managed and not model._meta.proxy:
                    secret = [each.name for each in model._meta.concrete_fields if isinstance(each, SecretsField)]
                    list(model._default_manager.defer(*secret).order_by("-pk")[:NEWEST])
    except (DatabaseError, ValueError) as error:
        raise NotMade(_("The copy of the database can't be read: {why}.").format(why=error)) from error


def _pack(pack: zipfile.ZipFile, copy: Path, keys: Sequence[str]) -> dict[str, str]:
    """Everything but the manifest, with its SHA-256. The media after the database: whatever that names is there."""
    files = {DATABASE: _put(pack, copy, DATABASE)}
    for name in keys:
        if (settings.HOME / name).exists():
            files[name] = _put(pack, settings.HOME / name, name)
    for path in sorted(Path(settings.MEDIA_ROOT).rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            name = f"media/{path.relative_to(settings.MEDIA_ROOT).as_posix()}"
            try:
                files[name] = _put(pack, path, name)
            except FileNotFoundError:
                continue  # deleted since the folder was read
    return files


def _put(pack: zipfile.ZipFile, path: Path, name: str) -> str:
    digest = sha256()
    entry = zipfile.ZipInfo(name)
    # Pictures are as small as they get; the first level makes a database about as small as the others, in a third.
    entry.compress_type = zipfile.ZIP_STORED if name.startswith("media/") else zipfile.ZIP_DEFLATED
    entry._compresslevel = 1  # type: ignore[attr-defined]
    with path.open("rb") as file, pack.open(entry, "w", force_zip64=True) as into:
        while block := file.read(BLOCK):
            digest.update(block)
            into.write(block)
    return digest.hexdigest()


class Archive:
    """An open backup."""

    def __init__(self, pack: zipfile.ZipFile) -> None:
        self._pack = pack
        self.manifest = _manifest(pack)

    def compare(self) -> None:
        """Read all of it and compare it with what it says of itself. Raises `Refused`."""
        for name in self.manifest.files:
            self._copy(name, None)

    def unpack(self, into: Path) -> None:
        """All files, each as it was when it was put in. Raises `Refused`."""
        for name in self.manifest.files:
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                self._copy(name, file)
                file.flush()
                os.fsync(file.fileno())

    def _copy(self, name: str, into: IO[bytes] | None) -> None:
        digest = sha256()
        with self._pack.open(name) as file:
            while block := file.read(BLOCK):
                digest.update(block)
                if into:
                    into.write(block)
        if digest.hexdigest() != self.manifest.files[name]:
            raise Refused(_("{name} in it is not what it was. Take another backup.").format(name=name))


@contextmanager
def opened(path: Path, passphrase: str = "") -> Iterator[Archive]:
    """Raises `Refused`, `NeedsPassphrase`."""
    damaged = _("{file} is damaged or not complete. Take another backup.").format(file=path.name)
    try:
        with path.open("rb") as file:
            source: IO[bytes] = file
            if sealing.is_sealed(file):
                if not passphrase:
                    raise NeedsPassphrase
                source = io.BufferedReader(sealing.Unsealed(file, passphrase), BLOCK)
            with zipfile.ZipFile(source) as pack:
                yield Archive(pack)
    except sealing.WrongPassphrase:
        raise Refused(_("The passphrase is not the one that {file} was made with.").format(file=path.name)) from None
    except _DAMAGE as error:
        raise Refused(damaged) from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise Refused(damaged) from error  # it says that something stands before its own beginning


_DAMAGE = (
    sealing.Damaged, zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, ValueError, TypeError,
    AttributeError, RuntimeError,
)  # fmt: skip
"""What reading a zip of which any byte may be different raises."""


def _manifest(pack: zipfile.ZipFile) -> Manifest:
    said = json.loads(pack.read(MANIFEST))
    if said.pop("format") > FORMAT:
        version = said["version"]
        raise Refused(_("It was made by Tertulia {version}. Install that version first.").format(version=version))
    said["made_at"] = datetime.fromisoformat(said["made_at"])
    said["steps"] = [(app, name) for app, name in said["steps"]]
    said["tables"] = {name: Contents(**contents) for name, contents in said["tables"].items()}
    for name in said["files"]:
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise ValueError(name)
    return Manifest(**said)


@contextmanager
def _sealed(file: IO[bytes], passphrase: str) -> Iterator[IO[bytes]]:
    if not passphrase:
        yield file
        return
    seal = sealing.Seal(file, passphrase)
    yield seal  # type: ignore[misc]
    seal.close()


@contextmanager
def _room() -> Iterator[Path]:
    """A folder to work in, inside of the data folder: what stands in it is readable by nobody else. One at a time."""
    folder = settings.HOME / "backups"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotMade(_("Another backup is being made. Wait until it is done.")) from None
        for left in folder.glob(".making-*"):  # by one that was killed: nobody else holds the lock
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as room:
            yield Path(room)


@contextmanager
def _half(target: Path) -> Iterator[Path]:
    """Where it is written until it is whole; what a killed one left there is written over."""
    if not target.parent.is_dir():
        raise NotMade(_("There is no folder {folder}. Make it, or name another file.").format(folder=target.parent))
    half = target.with_name(f".{target.name}.half")
    try:
        half.unlink(missing_ok=True)
        half.touch(mode=0o600, exist_ok=False)
        yield half
    finally:
        half.unlink(missing_ok=True)


def settle(file: Path, place: Path) -> None:
    """Give it its place in one step, on the disk, also when that is another one."""
    half = place.with_name(f".{place.name}.half")
    shutil.move(file, half)
    sync(half)
    half.replace(place)
    sync(place.parent)


def sync(path: Path) -> None:
    """Let a file, or the names in a folder, be on the disk."""
    there = os.open(path, os.O_RDONLY)
    try:
        os.fsync(there)
    finally:
        os.close(there)
