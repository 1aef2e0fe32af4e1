"""A connector from elsewhere: a copied folder, or a package with an entry point. Nothing else is edited for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "tertulia-guestbook"


def run(*words: str, paths: tuple[Path, ...]) -> str:
    """Python in a process of its own, with these places to import from."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(path) for path in (*paths, ROOT / "src"))}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, text=True, capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_a_package_is_found_by_its_entry_point(tmp_path):
    installed = tmp_path / "tertulia_guestbook-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: tertulia-guestbook\nVersion: 0.1.0\n")
    entry = "[tertulia.connectors]\nguestbook = tertulia_guestbook.connector:connector\n"
    (installed / "entry_points.txt").write_text(entry)
    asked = "from tertulia.connectors import registry; print(registry.get('guestbook').name['es'])"
    assert run("-c", asked, paths=(tmp_path, EXAMPLE / "src")) == "Libro de visitas\n"


def test_a_package_inherits_the_contract_suite_with_two_lines():
    said = run(
        "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", str(ROOT / "pyproject.toml"), "--rootdir",
        str(ROOT), "-o", "addopts=", "-q", str(EXAMPLE / "tests"), paths=(EXAMPLE / "src", ROOT / "tests"),
    )  # fmt: skip
    assert " passed" in said


def test_a_copied_folder_is_tested_at_once_with_no_edit_elsewhere(tmp_path):
    package = tmp_path / "src" / "tertulia"
    shutil.copytree(ROOT / "src" / "tertulia", package, ignore=shutil.ignore_patterns("__pycache__"))
    copied = package / "connectors" / "fax"
    shutil.copytree(package / "connectors" / "phone", copied)
    text = (copied / "connector.py").read_text()
    (copied / "connector.py").write_text(text.replace('key = "phone"', 'key = "fax"'))
    said = run(
        "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=", "-v", "-k", "fax",
        "tests/connectors/test_contract.py", paths=(tmp_path / "src",),
    )  # fmt: skip
    assert "test_it_declares_itself_in_spanish_and_english[fax] PASSED" in said
    assert "test_each_sample_gives_the_expected_envelopes[fax-call] PASSED" in said
