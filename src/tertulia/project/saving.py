"""`tertulia backup`, and the backup before an upgrade."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from tertulia.core import clock
from tertulia.core.backup import archive, keeping

from .sorry import Sorry

NICE = 10
"""The daily one gives way to whoever answers people."""


def backup(options: argparse.Namespace) -> None:
    """To a file of one's choice, or into the folder where the older ones give way (`--daily`)."""
    if options.daily:
        _daily()
        return
    if not options.file:
        raise Sorry(_("Where to? Name a file: tertulia backup FILE"))
    target = Path(options.file).expanduser().resolve()
    if target.exists():
        raise Sorry(_("{file} is there already. Name another file.").format(file=target))
    password = passphrase(options.passphrase_file, twice=True) if options.encrypt or options.passphrase_file else ""
    try:
        manifest = archive.make(target, at=clock.now(), passphrase=password, with_keys=options.with_keys)
    except archive.NotMade as problem:
        raise Sorry(str(problem)) from None
    sys.stdout.write("\n".join(_told(target, manifest)) + "\n")


def _daily() -> None:
    os.nice(NICE)
    at = clock.now()
    target = keeping.new_name(at, is_sealed=bool(settings.BACKUP_PASSPHRASE))
    try:
        archive.make(target, at=at, passphrase=settings.BACKUP_PASSPHRASE)
    except archive.NotMade as problem:
        keeping.note_failure(str(problem), at=at)
        raise Sorry(str(problem)) from None
    keeping.note_success()
    keeping.thin_out()


def before_upgrade(from_version: str) -> Path:
    """Raises `Sorry`: without it nothing is upgraded."""
    at = clock.now()
    target = keeping.new_name(at, is_sealed=bool(settings.BACKUP_PASSPHRASE), from_version=from_version)
    try:
        archive.make(target, at=at, passphrase=settings.BACKUP_PASSPHRASE)
    except archive.NotMade as problem:
        says = _("Before an upgrade a backup is made, and that failed; nothing was changed. {why}")
        raise Sorry(says.format(why=problem)) from None
    keeping.thin_out()
    return target


def passphrase(file: str, *, twice: bool) -> str:
    """From a file, a setting or the keyboard; never from the command line, which others can read."""
    if file:
        try:
            given = (sys.stdin.read() if file == "-" else Path(file).read_text()).strip()
        except OSError as error:
            raise Sorry(_("{file} can't be read: {why}.").format(file=file, why=error.strerror)) from None
    elif settings.BACKUP_PASSPHRASE:
        return str(settings.BACKUP_PASSPHRASE)
    else:
        given = getpass.getpass(_("Passphrase: "))
        if twice and given != getpass.getpass(_("Once more: ")):
            raise Sorry(_("The two differ. Nothing was made."))
    if not given:
        raise Sorry(_("The passphrase is empty."))
    return given


def _told(target: Path, manifest: archive.Manifest) -> list[str]:
    says = _(
        "{file}: {size} MB, {rows} rows, {media} pictures, version {version}. It was opened and read: all is there."
    )
    facts = {
        "file": target,
        "size": f"{target.stat().st_size / 1_000_000:,.1f}",
        "rows": f"{manifest.rows:,}",
        "media": sum(name.startswith("media/") for name in manifest.files),
        "version": manifest.version,
    }
    lines = [says.format(**facts)]
    if manifest.has_keys:
        lines.append(_("The keys are in it: whoever has the file can read the stored secrets. Keep it safe."))
    else:
        says = _("The keys are not in it (--with-keys). Without {folder} the channels' secrets can't be read again.")
        lines.append(says.format(folder=settings.HOME / "keys"))
    if settings.ENCRYPTION_KEYS:
        lines.append(_("Your keys come from TERTULIA_ENCRYPTION_KEYS: those are never in it. Keep them yourself."))
    return lines
