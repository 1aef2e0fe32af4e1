"""What people install is whole: templates, translations, static files, connectors' folders; and it starts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .conftest import Installation, free_port, link_in

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


def test_installed_into_an_empty_environment_it_starts(wheel, tmp_path, monkeypatch):
    venv, elsewhere = tmp_path / "venv", tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=120)
    # What it needs is borrowed from the tests' environment by a plain path: no `.pth` in there is read, such as the one
    # that leads to this source.
    [packages] = venv.glob("lib/*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", venv / "bin" / "python", "install", "--quiet", "--no-deps",
         "--no-index", "--disable-pip-version-check", wheel.filename],
        check=True, timeout=120,
    )  # fmt: skip
    monkeypatch.chdir(elsewhere)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TERTULIA_", "DATABASE_", "DJANGO_", "PYTHON"))
    }
    environment |= {"TERTULIA_BACKUPS": "no", "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
    where = [venv / "bin" / "python", "-c", "import tertulia; print(tertulia.__file__)"]
    found = subprocess.run(where, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    assert Path(found.strip()).is_relative_to(packages)

    home, port = tmp_path / "home", free_port()
    home.mkdir()
    environment |= {"TERTULIA_HOME": str(home), "TERTULIA_PORT": str(port)}
    here = Installation(home, port, environment, command=[str(venv / "bin" / "tertulia")])
    here.tertulia("setup")  # a start waits for it no longer than a person would
    try:
        said = here.start()
        status, page = here.get(urlsplit(link_in(said)).path)
        assert status == 200
        [sheet, *_] = re.findall(r'href="(/static/[^"]+\.css)"', page)
        assert here.get(sheet)[0] == 200
    finally:
        here.close()
