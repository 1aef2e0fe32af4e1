"""One line of migrations for each app, and none that is missing."""

from __future__ import annotations

from unittest import mock

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils import translation

from conftest import NOON
from tertulia.core.backup.databases import Migrating


def test_no_app_has_two_last_migrations():
    assert MigrationLoader(None).detect_conflicts() == {}


def test_no_two_migrations_of_an_app_bear_the_same_number():
    names = sorted((app, name.partition("_")[0]) for app, name in ours(MigrationLoader(None)))
    assert len(names) == len(set(names))


def test_every_change_of_a_model_has_its_migration():
    loader = MigrationLoader(None)
    before, now = loader.project_state(), ProjectState.from_apps(apps)
    with translation.override(None):  # the texts of a migration are in nobody's language
        changes = MigrationAutodetector(before, now).changes(graph=loader.graph)
        missing = {app: [each.describe() for each in migrations[0].operations] for app, migrations in changes.items()}
    assert missing == {}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="slow, and the way is the same everywhere")
@pytest.mark.django_db(transaction=True)  # SQLite changes no table with its checks on, and can't turn them off in one
@time_machine.travel(NOON, tick=False)
def test_the_quick_way_says_to_the_database_what_django_would():
    assert said(Migrating) == said(MigrationExecutor)


@pytest.mark.django_db
def test_djangos_own_command_goes_the_quick_way_too():
    """It brings a state of its own, and the tests' databases are made by it."""
    executor, seen = Migrating(connection), []
    brought = executor._create_project_state().clone()
    with mock.patch.object(executor, "_migrate_all_forwards", lambda state, *_, **_more: seen.append(type(state))):
        executor.migrate([], plan=[(None, False)], state=brought)
    assert seen == [type(executor._create_project_state())]
    assert seen != [type(brought)]


def said(way: type[MigrationExecutor]) -> list[tuple[str, list[str]]]:
    """What each migration of an empty database says, in order."""
    executor = way(connection)
    executor.loader.applied_migrations = {}
    state = executor._create_project_state()
    state.apps  # noqa: B018 -- as when they are applied: from here on it is changed, not made anew
    texts = []
    for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True):
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            state = step.apply(state, editor, collect_sql=True)
        texts.append((str(step), editor.collected_sql))
    return texts


def ours(loader: MigrationLoader) -> list[tuple[str, str]]:
    modules = loader.disk_migrations.items()
    return [key for key, migration in modules if type(migration).__module__.startswith("tertulia.")]
