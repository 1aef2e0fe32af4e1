"""A restore that was interrupted is told by every command but the one that ends it."""

from __future__ import annotations

from argparse import Namespace
from datetime import timedelta

import pytest
from django.db import connection

from tertulia.core import clock
from tertulia.core.models import Heartbeat
from tertulia.flows import watch
from tertulia.project import commands, moving, restoring, unfinished
from tertulia.project.sorry import Sorry

from .conftest import free_port


@pytest.fixture
def home(settings, tmp_path):
    settings.HOME = tmp_path
    return tmp_path


def test_from_its_beginning_to_its_end_nothing_else_runs(home, capsys):
    unfinished.refuse()
    unfinished.begin("before-restore-1")
    unfinished.begin("before-restore-2")
    with pytest.raises(Sorry):
        unfinished.refuse()
    for command in ("setup", "web", "work", "backup", "move", "check"):
        assert commands.run(command, Namespace()) == commands.NOT_POSSIBLE
        said = capsys.readouterr().err
        assert "tertulia restore" in said
        assert "before-restore-1, before-restore-2" in said
    unfinished.end()
    assert unfinished.asides() == []
    unfinished.refuse()
    assert list(home.iterdir()) == []


def test_nothing_is_restored_nor_moved_while_another_machine_serves_pages(db, settings, tmp_path):
    settings.PORT = free_port()
    restored = Namespace(file=str(tmp_path / "none.zip"), over=True, passphrase_file="")
    elsewhere = "sqlite:////nowhere/x" if connection.vendor == "postgresql" else "postgres://nobody@127.0.0.1:1/x"
    Heartbeat.leave({watch.HEARTBEAT: clock.now()})
    for command, options in ((restoring.restore, restored), (moving.move, Namespace(to=elsewhere))):
        with pytest.raises(Sorry, match="another machine|otra máquina"):
            command(options)
    Heartbeat.leave({watch.HEARTBEAT: clock.now() - timedelta(seconds=31)})
    restoring.refuse_while_running()
