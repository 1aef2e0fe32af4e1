"""Every text people read is there in Spanish, and says the same with the same placeholders."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "tertulia"
CATALOGUE = SOURCE / "locale" / "es" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|\{[a-z_]*\}|%[sd]")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def test_nothing_is_missing_or_doubtful(catalogue):
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []


def test_placeholders_are_the_same_in_both_languages(catalogue):
    for entry in catalogue:
        if entry.obsolete:
            continue
        said = [entry.msgstr] if entry.msgstr else list(entry.msgstr_plural.values())
        wanted = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        for text in said:
            assert set(PLACEHOLDER.findall(text)) <= wanted, entry.msgid


def test_the_compiled_catalogue_is_the_written_one(catalogue):
    compiled = {
        (entry.msgctxt, entry.msgid): entry.msgstr or entry.msgstr_plural
        for entry in polib.mofile(str(CATALOGUE.with_suffix(".mo")))
    }
    written = {
        (entry.msgctxt, entry.msgid): entry.msgstr or entry.msgstr_plural for entry in catalogue if not entry.obsolete
    }
    assert compiled == written


@pytest.mark.skipif(not shutil.which("xgettext"), reason="GNU gettext is not installed (apt install gettext)")
def test_the_catalogue_holds_every_text_of_the_code(catalogue, tmp_path):
    copy = tmp_path / "tertulia"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "es", "--no-location", "-e", "html,py,txt,jinja"],
        cwd=copy, check=True, capture_output=True,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
    )  # fmt: skip
    fresh = polib.pofile(str(copy / "locale" / "es" / "LC_MESSAGES" / "django.po"))
    known = {(entry.msgctxt, entry.msgid) for entry in catalogue if not entry.obsolete}
    assert [entry.msgid for entry in fresh if not entry.obsolete and (entry.msgctxt, entry.msgid) not in known] == []
