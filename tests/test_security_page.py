"""The numbers that docs/security.md writes down are those of the code."""

from __future__ import annotations

import re

from django.conf import global_settings, settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from evidence import ROOT
from tertulia.connectors.mail import fetching
from tertulia.core import crypto, pictures, tables
from tertulia.core.backup import sealing
from tertulia.flows.views import visitors
from tertulia.project import rsgi
from tertulia.publishing import figures_file, library, order_files
from tertulia.team import passwords
from tertulia.understanding import lessons

PAGE = (ROOT / "docs" / "security.md").read_text()
MB, KB = 1024 * 1024, 1024


def part(heading: str) -> str:
    """What stands under a heading, in one line."""
    found = PAGE.partition(f"### {heading}\n")[2]
    return " ".join(re.split(r"\n##", found)[0].split())


def test_the_limits_of_uploads_are_those_of_the_code():
    at_most = {
        row.split("|")[1].strip(): row.split("|")[-2].strip()
        for row in PAGE.partition("### What may be uploaded\n")[2].partition("###")[0].splitlines()
        if row.startswith("|")
    }
    sizes = {
        "pictures: library, composer": (library.LARGEST, MB), "posts, people of newsletters": (tables.LARGEST, MB),
        "orders": (order_files.LARGEST, MB), "figures of a post": (figures_file.LARGEST, MB),
        "what was taught": (lessons.LARGEST, MB), "mail that comes in, with its files": (fetching.LARGEST, MB),
        "anything that is sent to the desk at once": (rsgi.MAX_BODY, MB),
        "a form without its files": (settings.DATA_UPLOAD_MAX_MEMORY_SIZE, MB),
        "what a visitor's chat sends": (visitors.MAX_BODY, KB),
    }  # fmt: skip
    written = {name: f"{size // unit} {'MB' if unit == MB else 'KB'}" for name, (size, unit) in sizes.items()}
    assert {name: at_most[name] for name in written} == written
    said = part("What may be uploaded")
    for number in (
        f"{tables.MOST_ROWS:,} rows, {tables.MOST_COLUMNS} columns", f"CSV of {figures_file.MOST_ROWS:,} rows",
        f"{lessons.MOST_LINES:,} of them", f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} fields",
        f"{pictures.MOST_PIXELS // 1_000_000} million points",
    ):  # fmt: skip
        assert number in said


def test_how_long_sessions_last_is_what_the_code_says():
    said = part("Passwords, sessions, second steps")
    assert f"ends {settings.SESSION_COOKIE_AGE // 86_400} days after signing in" in said
    assert f"for {settings.SESSION_IDLE.total_seconds() / 3_600:.0f} hours (`TERTULIA_IDLE_HOURS`)" in said


def test_the_words_no_password_is_made_of_are_those_of_the_code():
    said = part("Passwords, sessions, second steps").replace("contraseña", "contrasena")
    assert ", ".join(passwords.OF_THE_TRADE[:-1]) in said
    assert passwords.OF_THE_TRADE[-1] in said
    assert f"fewer than {passwords.LEFT} letters or digits" in said


def test_what_encrypts_is_what_the_page_says():
    said = part("What is encrypted with what")
    assert f"{PBKDF2PasswordHasher.iterations:,} rounds" in said
    first = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    assert global_settings.PASSWORD_HASHERS[0] == first
    assert f"2^{sealing.COST.bit_length() - 1}, 8, 1" in said
    assert crypto.encrypt("x").startswith("gAAAA")  # Fernet's first byte
