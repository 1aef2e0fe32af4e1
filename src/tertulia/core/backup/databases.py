"""Databases beside the installation's own, and what to do with their migrations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.utils import ConnectionHandler
from django.utils.translation import gettext as _

Step = tuple[str, str]
"""App and name of a migration."""


class Newer(Exception):
    """The database knows migrations that this version doesn't."""


def sqlite_file(path: Path) -> BaseDatabaseWrapper:
    """One that stays a single file, unlike the installation's own with its log beside it."""
    return opened({"ENGINE": "tertulia.core.sqlite3", "NAME": str(path)})


def opened(config: dict[str, Any]) -> BaseDatabaseWrapper:
    """A database by its settings; it calls itself the default one, like the installation's own."""
    return ConnectionHandler({"default": config})["default"]


@contextmanager
def as_default(database: BaseDatabaseWrapper) -> Iterator[None]:
    """In this thread every query goes there: migrations and models know no other way. It is closed afterwards."""
    own = connections["default"]
    connections["default"] = database
    try:
        yield
    finally:
        connections["default"] = own
        database.close()


def applied(database: BaseDatabaseWrapper) -> list[Step]:
    """The migrations the database has seen. None of one that is empty."""
    return sorted(MigrationRecorder(database).applied_migrations())


def missing(database: BaseDatabaseWrapper) -> list[Migration]:
    """The migrations it has still to see. Raises `Newer`."""
    executor = MigrationExecutor(database)
    _known(executor.loader, executor.loader.applied_migrations)
    return [step for step, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def state(steps: Iterable[Step]) -> ProjectState:
    """The models as these migrations leave them. Raises `Newer`."""
    return _state(tuple(steps))


@lru_cache(maxsize=1)
def _state(steps: tuple[Step, ...]) -> ProjectState:
    loader = MigrationLoader(None)
    return loader.project_state(_known(loader, steps))


def migrate(database: BaseDatabaseWrapper, steps: Collection[Step] | None = None) -> None:
    """Bring it up to these migrations, or to all there are, without telling anybody. Raises `Newer`, and
    `ImproperlyConfigured` for a database that can't keep every text.

    Must be the default one. Each migration is there with its record or not at all, also after a power cut.
    """
    _keeps_every_text(database)
    executor = _Whole(database)
    targets = executor.loader.graph.leaf_nodes() if steps is None else _last(executor.loader, steps)
    executor.recorder.ensure_schema()  # which turns the checks on again
    with database.constraint_checks_disabled():  # SQLite can't turn them off inside of a transaction
        executor.migrate(targets)


def _keeps_every_text(database: BaseDatabaseWrapper) -> None:
    """A server may make its databases in the encoding of a system without a language: there the first accent fails."""
    if database.vendor != "postgresql":
        return
    with database.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        [encoding] = cursor.fetchone()
    if encoding != "UTF8":
        says = _(
            "The PostgreSQL database is in {encoding}, which can't keep every text. Make one in UTF-8: "
            "createdb --encoding UTF8 --locale C --template template0 NAME"
        )
        raise ImproperlyConfigured(says.format(encoding=encoding))


class Migrating(MigrationExecutor):
    """Django's, on a state that is quick to change: a new installation is there in a quarter of the time."""

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        begun = super()._create_project_state(with_applied_migrations)  # type: ignore[misc]
        return _State(begun.models, begun.real_apps)

    def migrate(
        self, targets: Any, plan: Any = None, state: ProjectState | None = None, fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:  # fmt: skip
        # Django's command brings a copy of the state above, and a copy is Django's again.
        quick = None if state is None else _State(state.models, state.real_apps)
        return super().migrate(targets, plan, quick, fake, fake_initial)


class _State(ProjectState):
    """Makes the class of a model anew when the model has changed, and those of its neighbours only where they matter.

    Django makes all that hang together anew for every new model, and the neighbours for every new index. What is
    stale by that is marked so, in Django's way: an operation with code of its own has all of them made anew first.
    """

    _is_adding = False

    def add_field(self, *said: Any, **more: Any) -> None:
        """A field that is new is known to nobody yet, one that points to another model included."""
        self._is_adding = True
        super().add_field(*said, **more)
        self._is_adding = False

    def _find_reload_model(self, app_label: str, model_name: str, delay: bool = False) -> set[Step]:
        is_new = model_name not in self.apps.all_models[app_label]
        if not delay and not is_new and not self._is_adding:
            return set(self.models)
        self.is_delayed = True
        return {(app_label, model_name)}


class _Whole(Migrating):
    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        """Django records it after its transaction: killed between the two, it would be applied again and fail."""
        with transaction.atomic(using=self.connection.alias):
            return super().apply_migration(state, migration, fake, fake_initial)


def _last(loader: MigrationLoader, steps: Collection[Step]) -> list[Step]:
    """Those that none of the others follows."""
    followed = {parent.key for step in _known(loader, steps) for parent in loader.graph.node_map[step].parents}
    return [step for step in steps if step not in followed]


def _known(loader: MigrationLoader, steps: Iterable[Step]) -> list[Step]:
    steps = list(steps)
    if unknown := [f"{app}.{name}" for app, name in steps if (app, name) not in loader.graph.nodes]:
        raise Newer(", ".join(unknown))
    return steps
