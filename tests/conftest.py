"""The cast: Alba runs the community, Bruno answers with her, Carla belongs to another brand, Diego is a customer."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import translation

from proofs import chosen
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.connectors.contract import Author, Envelope
from tertulia.core.backup.databases import Migrating
from tertulia.team.models import Membership, User
from tertulia.team.permissions import Role
from tertulia.understanding import layers

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
"""A Monday, noon in Madrid: the moment most tests live in."""

PASSWORD = "un café con leche largo"

PLAIN = (
    "connectors", "core", "mails", "project/test_supply.py", "project/test_wheel.py", "test_benchmarks.py",
    "test_docs.py", "test_evidence.py", "test_security_page.py", "test_texts.py", "understanding",
)  # fmt: skip
"""Where a test that asks for no database would find nothing new on another one."""


def pytest_addoption(parser):
    parser.addoption("--database-only", action="store_true", help="leave out what would be the same on any database")
    parser.addoption("--without-proofs", action="store_true", help="leave out what `make prove` runs")


def pytest_collection_modifyitems(config, items):
    same, proofs = config.getoption("--database-only"), config.getoption("--without-proofs")
    left_out = [
        item
        for item in items
        if (same and _is_plain(item) and not _asks_a_database(item))
        or (proofs and (item.get_closest_marker("proof_heavy") or chosen.is_chosen(item.path, item.originalname)))
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _is_plain(item) -> bool:
    return any(item.path.is_relative_to(Path(__file__).parent / each) for each in PLAIN)


def _asks_a_database(item) -> bool:
    return item.get_closest_marker("django_db") is not None or not {"db", "transactional_db"}.isdisjoint(
        item.fixturenames
    )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Before the tests' database is made: the way an installation's is, which is quicker than Django's."""
    with mock.patch("django.core.management.commands.migrate.MigrationExecutor", Migrating):
        yield


def pytest_collection_finish():
    """What all tests have in common stays to the end: nobody looks through it for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(scope="session", autouse=True)
def only_what_is_filled_is_emptied():
    """After a test with transactions of its own Django empties every table, which takes PostgreSQL as long for one
    without a row. Keys are checked at the end of the transaction, so that the order doesn't matter."""

    def sql_flush(operations, style, tables, **_options) -> list[str]:
        asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in tables)
        with operations.connection.cursor() as cursor:
            cursor.execute(asked)
            return [f'DELETE FROM "{name}"' for (name,) in cursor.fetchall()]

    with mock.patch("django.db.backends.postgresql.operations.DatabaseOperations.sql_flush", sql_flush):
        yield


@pytest.fixture(scope="session", autouse=True)
def nobody_stays_connected(django_db_setup, django_db_blocker):
    """PostgreSQL drops no database that somebody still uses: a thread that a test left behind, say."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@pytest.fixture(autouse=True)
def layers_of_this_test():
    """Rows of a test that was rolled back lend their numbers to the next one's."""
    layers.forget()


@pytest.fixture(autouse=True)
def nobodys_language():
    """A request leaves its language behind: the next test begins without."""
    yield
    translation.deactivate()


@pytest.fixture(scope="module")
def of_the_file(django_db_setup, django_db_blocker):
    """For rows that a whole file's tests share: made once, and taken back after the last of them."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def brand(db) -> Brand:
    return Brand.objects.create(name="Horno Candela", slug="horno-candela", region="MD", created_at=NOON)


@pytest.fixture
def other_brand(db) -> Brand:
    return Brand.objects.create(name="Ferretería Ruiz", slug="ferreteria-ruiz", created_at=NOON)


def person(name: str, brand: Brand, role: str = Role.MANAGER, **fields) -> User:
    user = User.objects.create_user(f"{name.lower()}@{brand.slug}.example", PASSWORD, name=name)
    Membership.objects.create(user=user, brand=brand, role=role, created_at=NOON, **fields)
    return user


@pytest.fixture
def alba(brand) -> User:
    return person("Alba", brand, is_fallback=True)


@pytest.fixture
def bruno(brand) -> User:
    return person("Bruno", brand, Role.EXPERT)


@pytest.fixture
def carla(other_brand) -> User:
    return person("Carla", other_brand, is_fallback=True)


@pytest.fixture
def site(brand) -> Account:
    return Account.objects.create(
        brand=brand, kind="site", name="Nuestra página", created_at=NOON, secrets={"signing": "a" * 43}
    )


@pytest.fixture
def phone(brand) -> Account:
    return Account.objects.create(brand=brand, kind="phone", name="Teléfono y tienda", created_at=NOON)


@pytest.fixture
def as_alba(alba) -> Client:
    client = Client()
    client.force_login(alba)
    return client


@pytest.fixture
def as_bruno(bruno) -> Client:
    client = Client()
    client.force_login(bruno)
    return client


@pytest.fixture
def as_carla(carla) -> Client:
    client = Client()
    client.force_login(carla)
    return client


def envelope(text: str = "¿Abrís el domingo?", *, remote_id: str = "m1", thread: str = "diego", **fields) -> Envelope:
    """A message of Diego's; `minutes` after noon."""
    minutes = fields.pop("minutes", 0)
    defaults = {
        "sent_at": NOON + timedelta(minutes=minutes),
        "author": Author(remote_id=thread, name=thread.capitalize()),
        "kind": "chat",
    }
    return Envelope(remote_id=remote_id, thread_id=thread, text=text, **{**defaults, **fields})
