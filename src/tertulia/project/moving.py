"""`tertulia move --to`: everything into another database, compared table by table. The old one stays as it is."""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import dj_database_url
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from tertulia.channels import intake
from tertulia.core.backup import archive, copying, databases, tables
from tertulia.core.backup.tables import Contents

from . import installing
from .restoring import refuse_while_running
from .sorry import Sorry

Compared = dict[str, tuple[Contents, Contents]]


def move(options: argparse.Namespace) -> None:
    target = _target(options.to)
    refuse_while_running()
    own = archive.own_database()
    if installing.is_old(own):
        raise Sorry(_("The database is not up to date. First: tertulia setup"))
    with installing.alone(), tempfile.TemporaryDirectory(prefix=".moving-", dir=settings.HOME) as room:
        copy = Path(room) / archive.DATABASE
        copying.take(own, copy)
        is_away = target.vendor == "postgresql"
        compared = _into_postgresql(copy, target) if is_away else _into_sqlite(copy, target, own)
    sys.stdout.write("\n".join([*_table(compared), *_told()]) + "\n")


def _target(url: str) -> BaseDatabaseWrapper:
    try:
        target = databases.opened(dict(dj_database_url.parse(url)))
    except (dj_database_url.ParseError, ValueError):
        says = _("That is no address of a database. They look so: postgres://user:password@host:5432/name")
        raise Sorry(says) from None
    if target.vendor not in {"sqlite", "postgresql"} or target.vendor == connection.vendor:
        raise Sorry(
            _("Everything is on {vendor} already. Move to the other one.").format(vendor=connection.display_name)
        )
    return target


def _into_postgresql(copy: Path, target: BaseDatabaseWrapper) -> Compared:
    try:
        with databases.as_default(target):
            if target.introspection.table_names():
                raise Sorry(_("The database there is not empty. Make a new one. Nothing was changed."))
            with transaction.atomic():
                left, arrived = copying.put(copy, target)
                intake.index_all()
    except (DatabaseError, copying.Different) as error:
        says = _("It could not be moved: {why}. There it is as empty as before, and here nothing was changed.")
        raise Sorry(says.format(why=" ".join(str(error).split()))) from None
    return {name: (contents, arrived[name]) for name, contents in left.items()}


def _into_sqlite(copy: Path, target: BaseDatabaseWrapper, own: BaseDatabaseWrapper) -> Compared:
    place = Path(target.settings_dict["NAME"])
    if place.exists():
        raise Sorry(_("{file} is there already. Name another file. Nothing was changed.").format(file=place))
    file = databases.sqlite_file(copy)
    with databases.as_default(file), transaction.atomic():
        intake.index_all()
    of = tables.tables(databases.applied(own))
    left = tables.contents(own, of)
    with closing(sqlite3.connect(copy)) as arrived:
        compared = {name: (left[name], contents) for name, contents in tables.contents(arrived, of).items()}
    if wrong := [name for name, (one, other) in compared.items() if one != other]:
        raise Sorry(_("What arrived differs in {tables}. Nothing was changed.").format(tables=", ".join(wrong)))
    archive.settle(copy, place)
    return compared


def _table(compared: Compared) -> list[str]:
    rows = [(name, f"{one.rows:,}", one.checksum, other.checksum) for name, (one, other) in sorted(compared.items())]
    head = (_("TABLE"), _("ROWS"), _("CHECKSUM HERE"), _("CHECKSUM THERE"))
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return [
        "  ".join(
            text.rjust(width) if n == 1 else text.ljust(width)
            for n, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    ]


def _told() -> list[str]:
    return [
        _("Every row is there, and says the same. The old database stays as it is."),
        _("From now on start with that address in DATABASE_URL, never again with the old one: both would send."),
    ]
