"""From every release to what comes after it, and back: whole, with a backup made first, on both databases."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
import psycopg
import pytest
from django.db.migrations.loader import MigrationLoader

from tertulia.core.backup import archive, copying, databases, tables
from tertulia.core.backup.databases import as_default, migrate, opened
from tertulia.core.backup.tables import Contents, Table

from .conftest import Installation, free_port
from .keep_release import RELEASES

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src" / "tertulia"
KILLS = 2
GROWING = {"auth_permission", "django_content_type"}
"""Django adds a row for every model that is new."""
SHORTER = {"core_heartbeat", "django_session"}
"""Who was alive and who was signed in: restoring forgets it."""
NEXT = """
from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("tertulia_channels", "Message").objects.update(crumbs=3)


class Migration(migrations.Migration):
    dependencies = [("tertulia_channels", "{last}")]
    operations = [
        migrations.AddField("Message", "crumbs", models.IntegerField(default=0)),
        migrations.RunPython(fill),
        migrations.CreateModel("Loaf", [("id", models.BigAutoField(primary_key=True))]),
    ]
"""
"""A column that is filled and a new table, in the room with the most rows."""
ASK_FOR_MORE = ("/experiments/beginning/", "/kits/new/", "/trust/rows/")
"""Pages that are about something which the question of their address names."""
OPENED = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from django.test import Client
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.inbox.models import Conversation
from tertulia.publishing.models import Post
from tertulia.team.models import User
from world import addresses, fill
client = Client(headers={{"host": "localhost"}})
client.force_login(User.objects.get(email="alba@uno.example"))
paths = []
for brand in Brand.objects.all():
    begin, own = f"/b/{{brand.slug}}", {{"brand": brand}}
    lists = [route for route, _ in addresses() if route.startswith("b/<slug:brand>/") and route.count("<") == 1]
    lists = [route for route in lists if not route.endswith({ASK_FOR_MORE!r})]
    paths += [fill(route, {{"brand": brand.slug}}) for route in lists if brand.is_sample]
    paths += [f"{{begin}}/inbox/{{pk}}/" for pk in Conversation.objects.filter(**own).values_list("pk", flat=True)]
    paths += [f"{{begin}}/posts/{{pk}}/" for pk in Post.objects.filter(**own).values_list("pk", flat=True)]
found = {{path: client.get(path).status_code for path in paths}}
answer = {{
    "open": sum(status == 200 for status in found.values()),
    "wrong": {{path: status for path, status in found.items() if status not in (200, 302, 405)}},
    "secrets": sum(map(bool, Account.objects.values_list("secrets", flat=True))),
}}
"""
"""Every page of the sample companies that asks for nothing more, every conversation and every post."""


@pytest.fixture
def home(tmp_path) -> Path:
    (folder := tmp_path / "home").mkdir()
    return folder


@pytest.fixture
def empty(own_database, home) -> Iterator[str]:
    """The address of an empty database."""
    if not own_database:
        yield f"sqlite:///{home}/tertulia.sqlite3"
        return
    name = f"tertulia_old_{secrets.token_hex(4)}"
    with psycopg.connect(own_database, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(own_database)._replace(path=f"/{name}").geturl()
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def desk(installation, home, empty) -> Iterator[Installation]:
    """A data folder and a database with nothing in them, for the version under test."""
    environment = {
        **installation.environment, "TERTULIA_HOME": str(home), "TERTULIA_PORT": str(free_port()), "DATABASE_URL": empty
    }  # fmt: skip
    here = Installation(home, 0, environment)
    yield here
    here.close()


# ── from a release ─────────────────────────────────────────────────────────


@pytest.fixture(params=sorted(RELEASES.glob("*.zip")), ids=lambda file: file.stem)
def released(request, tmp_path) -> tuple[archive.Manifest, Path]:
    """What a version left behind, and where it is unpacked."""
    with archive.opened(request.param) as backup:
        backup.unpack(tmp_path / "released")
        return backup.manifest, tmp_path / "released"


@pytest.fixture
def next_version(desk, tmp_path) -> Iterator[Installation]:
    """The same desk, run by a version that has one more migration than this one."""
    shutil.copytree(
        SOURCE, tmp_path / "next" / "tertulia", copy_function=os.symlink, ignore=shutil.ignore_patterns("__pycache__")
    )
    migrations = tmp_path / "next" / "tertulia" / "channels" / "migrations"
    last = max(file.stem for file in migrations.glob("0*.py"))
    (migrations / "9999_next.py").write_text(NEXT.format(last=last))
    path = os.pathsep.join([str(tmp_path / "next"), *filter(None, [os.environ.get("PYTHONPATH")])])
    newer = Installation(desk.home, 0, {**desk.environment, "PYTHONPATH": path})
    yield newer
    newer.close()


def test_no_migration_of_a_release_was_changed_since(released, own_database, tmp_path, django_db_blocker):
    """Who has its tables would not get the change: a further migration says it."""
    if own_database:
        pytest.skip("the file is the same on both databases")
    manifest, folder = released
    anew = tmp_path / "anew.sqlite3"
    with django_db_blocker.unblock(), as_default(file := databases.sqlite_file(anew)):
        migrate(file, manifest.steps)
    assert schema(anew) == schema(folder / archive.DATABASE)


def test_a_release_is_upgraded_whole_and_can_be_gone_back_to(released, desk, next_version, empty, django_db_blocker):
    manifest, folder = released
    with django_db_blocker.unblock():
        put_in_place(released, desk.home, empty)
    of = still_there(manifest.steps)
    with closing(sqlite3.connect(folder / archive.DATABASE)) as file:
        before = tables.contents(file, of)
    assert len([name for name, contents in before.items() if contents.rows]) > 90

    done = next_version.tertulia("setup")

    assert (done.returncode, "A backup was made before the upgrade" in done.stderr) == (0, True), done.stderr
    [made] = (desk.home / "backups").glob(f"*-before-upgrade-from-{manifest.version}.zip")
    with archive.opened(made) as backup:
        assert backup.manifest.tables == manifest.tables
    after = contents(empty, of, django_db_blocker)
    assert {name for name in before if after[name] != before[name]} <= GROWING
    assert [name for name in GROWING if after[name].rows < before[name].rows] == []
    said = next_version.ask(OPENED)
    assert (said["wrong"], said["open"] > 250, said["secrets"] > 0) == ({}, True, True), said
    crumbs = "SELECT count(*), sum(crumbs) FROM tertulia_channels_message"
    rows = before["tertulia_channels_message"].rows
    with connected(empty) as database:
        assert database.execute(crumbs).fetchone() == (rows, 3 * rows)
    next_version.close()

    refused = desk.tertulia("setup")
    assert (refused.returncode, "a newer version" in refused.stderr) == (1, True), refused.stderr
    back = desk.tertulia("restore", str(made), "--over")

    assert (back.returncode, back.stderr) == (0, ""), back.stderr
    after = contents(empty, of, django_db_blocker)
    assert {name for name in before if after[name].rows < before[name].rows} <= SHORTER
    assert desk.ask(OPENED) == said
    assert desk.tertulia("setup").returncode == 0


def put_in_place(released: tuple[archive.Manifest, Path], home: Path, address: str) -> None:
    """As that version had it. On PostgreSQL but for the index of the search, which no backup carries."""
    manifest, folder = released
    for path in folder.iterdir():
        if path.name != archive.DATABASE or address.startswith("sqlite"):
            shutil.move(path, home / path.name) if path.name != archive.DATABASE else shutil.copy(path, home)
    (home / "version").write_text(manifest.version + "\n")
    if not address.startswith("sqlite"):
        with as_default(target := opened(dict(dj_database_url.parse(address)))):
            copying.put(folder / archive.DATABASE, target)


def still_there(steps: list[databases.Step]) -> list[Table]:
    """The tables that these migrations made, each with those of its columns that no later one took away."""
    now = {table.name: set(table.columns) for table in tables.tables(MigrationLoader(None).disk_migrations)}
    return [
        replace(table, columns=tuple(column for column in table.columns if column in now[table.name]))
        for table in tables.tables(steps)
        if table.name in now
    ]


def contents(address: str, of: list[Table], django_db_blocker) -> dict[str, Contents]:
    if address.startswith("sqlite"):
        with connected(address) as file:
            return tables.contents(file, of)
    with django_db_blocker.unblock(), as_default(database := opened(dict(dj_database_url.parse(address)))):
        return tables.contents(database, of)


def schema(file: Path) -> dict[str, str]:
    with closing(sqlite3.connect(file)) as database:
        return dict(database.execute("SELECT type || ' ' || name, sql FROM sqlite_master"))


@contextmanager
def connected(address: str) -> Iterator[sqlite3.Connection | psycopg.Connection]:
    file = address.removeprefix("sqlite:///")
    with closing(psycopg.connect(address) if file == address else sqlite3.connect(file, timeout=20)) as database:
        yield database


# ── from before there were releases ────────────────────────────────────────


OLD = [
    ("core", "0001_initial"), ("brand", "0001_initial"), ("team", "0002_limits"),
    ("tertulia_channels", "0002_search"), ("inbox", "0002_initial"), ("community", "0001_initial"),
    ("sessions", "0001_initial"),
]  # fmt: skip
"""An early state that has rows: later migrations change these tables, fill columns and add others."""


def test_an_old_database_is_copied_first_and_upgraded_though_it_is_killed(
    desk, home, empty, tmp_path, django_db_blocker
):
    with django_db_blocker.unblock():
        make_old(empty)
    first = applied(empty)
    (home / "version").write_text("0.0.9\n")
    for number in range(KILLS):
        process = subprocess.Popen([sys.executable, "-m", "tertulia", "setup"], env=desk.environment)
        started = time.monotonic()
        while process.poll() is None and time.monotonic() < started + 60:
            if (number == 0 and has_backup(home)) or applied(empty) > first + random.randrange(12) * number:
                process.kill()
            time.sleep(0.01)
        process.wait()

    done = desk.tertulia("setup")

    assert done.returncode == 0, done.stderr
    assert desk.ask("from tertulia.channels.models import Delivery, Message\nfrom tertulia.core.backup import *\n"
                   "from tertulia.core.backup import archive, databases\n"
                   "answer = [Message.objects.get().text, Delivery.objects.get().thread_id,"
                   " len(databases.missing(archive.own_database()))]") == ["Hola", "diego", 0]  # fmt: skip
    desk.close()
    [*made] = sorted((home / "backups").glob("*-before-upgrade-from-0.0.9.zip"))
    assert 1 <= len(made) <= 3
    there = {**desk.environment, "TERTULIA_HOME": str(tmp_path / "back"), "DATABASE_URL": ""}
    back = Installation(tmp_path / "back", 0, there)
    assert back.tertulia("restore", str(made[0])).returncode == 0


def has_backup(home: Path) -> bool:
    return any((home / "backups").glob("*.zip"))


def applied(address: str) -> int:
    with connected(address) as database:
        return int(database.execute("SELECT count(*) FROM django_migrations").fetchone()[0])


def make_old(address: str) -> None:
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    database = opened(dict(dj_database_url.parse(address)))
    with as_default(database):
        migrate(database, OLD)
        models = databases.state(databases.applied(database)).apps
        brand = models.get_model("brand", "Brand").objects.create(name="Uno", slug="uno", created_at=noon)
        account = models.get_model("tertulia_channels", "Account").objects.create(
            brand=brand, kind="site", name="Página", created_at=noon, secrets={}
        )
        message = models.get_model("tertulia_channels", "Message").objects.create(
            account=account, remote_id="m1", thread_id="diego", direction="out", kind="chat", text="Hola",
            sent_at=noon, received_at=noon,
        )  # fmt: skip
        models.get_model("tertulia_channels", "Delivery").objects.create(
            account=account, message=message, key="k", due_at=noon, created_at=noon, state="sent"
        )
