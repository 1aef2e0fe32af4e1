"""A restore that was interrupted is told by every command but the one that ends it."""

from __future__ import annotations

from argparse import Namespace

import pytest

from tertulia.project import commands, unfinished
from tertulia.project.sorry import Sorry


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
