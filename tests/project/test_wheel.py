"""What people install is whole: templates, translations, static files, connectors' folders."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--no-build-isolation", "--wheel-dir", folder, ROOT],
        check=True, timeout=120,
    )  # fmt: skip
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as opened:
        yield opened


def test_it_holds_every_file_of_the_package(wheel):
    source = ROOT / "src"
    files = (path for path in (source / "tertulia").rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert {str(path.relative_to(source)) for path in files} - set(wheel.namelist()) == set()


def test_it_brings_the_command_and_nothing_but_the_package(wheel):
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "tertulia = tertulia.project.cli:main" in wheel.read(name).decode()
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"tertulia"}
