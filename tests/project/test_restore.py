"""Backup, restore and move as people run them; on PostgreSQL also from one kind of database to the other."""

from __future__ import annotations

import secrets
import shutil
from urllib.parse import urlsplit

import psycopg
import pytest

from .conftest import Installation, free_port

FILL = """
from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.flows import first_run
from tertulia.team.models import Membership, User
user = User.objects.create_user("alba@uno.example", "x", name="Alba")
brand = Brand.objects.create(name="Uno", slug="uno", created_at=clock.now())
Membership.objects.create(user=user, brand=brand, role="manager", created_at=clock.now())
first_run.add_sample(user=user, at=clock.now())
"""
STANDS = """
from django.db import connection
from tertulia.channels import search
from tertulia.channels.models import Message
from tertulia.brand.models import Brand
from tertulia.publishing.models import Stop
sample = Brand.objects.get(is_sample=True)
answer = {
    "vendor": connection.vendor, "messages": Message.objects.count(), "stops": Stop.objects.count(),
    "found": len(search.find(sample.pk, "pan")), "secrets": [bool(a) for a in sample._meta.apps.get_model(
        "tertulia_channels", "Account").objects.filter(kind="site").values_list("secrets", flat=True)],
}
"""
ERASE = """
from datetime import timedelta
from tertulia.core import clock, jobs
from tertulia.community.models import Member
from tertulia.flows import personal
from tertulia.team.models import User
member = Member.objects.get(name="Marta Gil")
personal.ask_erasure(member=member, why="", by=User.objects.get(email="alba@uno.example"), at=clock.now())
for minutes in (0, 60, 120):
    jobs.run_due(clock.now() + timedelta(minutes=minutes))
answer = Member.objects.filter(name="Marta Gil").count()
"""
STILL_GONE = """
from tertulia.community.models import Member
answer = Member.objects.filter(name="Marta Gil").count()
"""


@pytest.fixture(scope="module")
def filled(installation) -> Installation:
    assert installation.tertulia("setup").returncode == 0
    installation.ask(FILL)
    return installation


@pytest.fixture
def elsewhere(filled, tmp_path) -> Installation:
    """An empty machine, on SQLite."""
    environment = {**filled.environment, "TERTULIA_HOME": str(tmp_path / "home"), "TERTULIA_PORT": str(free_port())}
    environment.pop("DATABASE_URL", None)
    other = Installation(tmp_path / "home", 0, environment)
    yield other
    other.close()


def test_a_backup_becomes_the_same_desk_elsewhere_and_sends_nothing(filled, elsewhere, tmp_path):
    (tmp_path / "word").write_text("pan con tomate")
    sealed = ["--passphrase-file", str(tmp_path / "word")]
    made = filled.tertulia("backup", str(tmp_path / "a"), "--encrypt", *sealed)
    assert (made.returncode, made.stderr) == (0, "")
    assert "The keys are in it" in made.stdout
    before = filled.ask(STANDS)

    done = elsewhere.tertulia("restore", str(tmp_path / "a"), *sealed)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Sending is stopped, answers included" in done.stdout
    assert elsewhere.ask(STANDS) == {**before, "vendor": "sqlite", "stops": 2}
    again = elsewhere.tertulia("restore", str(tmp_path / "a"), *sealed)
    assert (again.returncode, "--over" in again.stderr) == (1, True)
    (tmp_path / "b").write_bytes((tmp_path / "a").read_bytes()[:-50])
    broken = elsewhere.tertulia("restore", str(tmp_path / "b"), "--over", *sealed)
    assert (broken.returncode, "Nothing was changed" in broken.stderr) == (1, True)
    assert elsewhere.ask(ERASE) == 0
    over = elsewhere.tertulia("restore", str(tmp_path / "a"), "--over", *sealed)
    assert (over.returncode, over.stderr) == (0, "")
    assert "Erased again, as before: 1" in over.stdout
    assert elsewhere.ask(STILL_GONE) == 0
    [aside] = elsewhere.home.glob("before-restore-*")
    assert (aside / "tertulia.sqlite3").exists()
    elsewhere.environment["TERTULIA_ENCRYPTION_KEYS"] = (elsewhere.home / "keys" / "encryption.key").read_text().strip()
    told = elsewhere.tertulia("restore", str(tmp_path / "a"), "--over", *sealed).stdout
    assert "those of TERTULIA_ENCRYPTION_KEYS" in told


def test_everything_moves_to_the_other_database_and_back(filled, elsewhere, own_database, tmp_path):
    if not own_database:
        pytest.skip("needs PostgreSQL beside SQLite")
    before = filled.ask(STANDS)
    file = elsewhere.home / "tertulia.sqlite3"
    elsewhere.home.mkdir()
    shutil.copytree(filled.home / "keys", elsewhere.home / "keys")
    moved = filled.tertulia("move", "--to", f"sqlite:///{file}")
    assert (moved.returncode, moved.stderr) == (0, "")
    assert elsewhere.ask(STANDS) == {**before, "vendor": "sqlite"}
    elsewhere.close()

    name = f"tertulia_moved_{secrets.token_hex(4)}"
    there = urlsplit(own_database)._replace(path=f"/{name}").geturl()
    with psycopg.connect(own_database, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        back = elsewhere.tertulia("move", "--to", there)
        assert (back.returncode, back.stderr) == (0, "")
        home = {**elsewhere.environment, "DATABASE_URL": there}
        returned = Installation(elsewhere.home, 0, home)
        assert returned.ask(STANDS) == before
        returned.ask("from tertulia.inbox.models import Label\nfrom tertulia.brand.models import Brand\n"
                     "answer = Label.objects.create(brand=Brand.objects.all()[0], name='x').pk")  # fmt: skip
        returned.close()
        assert "not empty" in elsewhere.tertulia("move", "--to", there).stderr
        backup = elsewhere.tertulia("backup", str(tmp_path / "s.zip"))
        over = Installation(elsewhere.home, 0, home).tertulia("restore", str(tmp_path / "s.zip"), "--over")
        assert (backup.returncode, over.returncode, over.stderr) == (0, 0, "")
        again = Installation(elsewhere.home, 0, home)
        assert again.ask(STANDS) == {**before, "stops": 2}
        again.close()
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_a_database_that_cannot_keep_every_text_is_refused_with_the_way_out(installation, own_database, tmp_path):
    if not own_database:
        pytest.skip("SQLite keeps every text")
    name = f"tertulia_ascii_{secrets.token_hex(4)}"
    with psycopg.connect(own_database, autocommit=True) as server:
        server.execute(
            f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        try:
            address = urlsplit(own_database)._replace(path=f"/{name}").geturl()
            environment = {**installation.environment, "TERTULIA_HOME": str(tmp_path / "home"), "DATABASE_URL": address}
            done = Installation(tmp_path / "home", 0, environment).tertulia("setup")
            with psycopg.connect(address) as asked:
                tables = asked.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    assert (done.returncode, "SQL_ASCII" in done.stderr, "createdb" in done.stderr) == (1, True, True), done.stderr
    assert "Traceback" not in done.stderr
    assert tables == []
