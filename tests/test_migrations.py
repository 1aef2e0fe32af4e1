"""One line of migrations for each app, and none that is missing."""

from __future__ import annotations

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils import translation


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


def ours(loader: MigrationLoader) -> list[tuple[str, str]]:
    modules = loader.disk_migrations.items()
    return [key for key, migration in modules if type(migration).__module__.startswith("tertulia.")]
